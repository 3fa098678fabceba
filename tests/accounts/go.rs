//! The types of Go's package that are written from the schema: recipients, error codes and accounts.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use super::{
    Credentials, auths, check, kinds, own_fields, properties, root, services, text, texts,
};

#[test]
fn the_types_of_go_are_the_generated_ones() {
    let services = services();
    let mut types = codes() + &recipients(&services);
    for (name, Credentials { kind, auth, services }) in &kinds(&services) {
        let words = format!("{}: {}.", text(&auth["description"]), services.join(", "));
        let fields = properties(auth).iter().filter(|(name, _)| *name != "type");
        let name = format!("{}Auth", name_of(name));
        types += &object(&name, &words, "", fields.map(|(n, f)| field(n, f, auth)).collect());
        types += &marshalling(&name, "type", kind);
    }
    for service in &services {
        let account = &service["account"];
        let auths: Vec<_> = auths(service).iter().map(|(name, _)| *name).collect();
        let words = format!("{}, with {}.", text(&account["description"]), auths.join(" or "));
        let name = format!("{}Account", name_of(text(&service["name"])));
        let head = "\tAuth Auth `json:\"auth\"`\n\tCommon\n";
        let fields = own_fields(account).map(|(name, schema)| field(name, schema, account));
        types += &object(&name, &words, head, fields.collect());
        types += &marshalling(&name, "service", text(&service["name"]));
    }
    check(
        &root().join("bindings/go/schema.go"),
        ("// Below: make accounts", "// End"),
        &(types + "\n"),
    );
}

/// The codes of errors as the header has them: number, name and meaning.
pub(super) fn error_codes() -> Vec<(String, String, String)> {
    let header = fs::read_to_string(root().join("include/hongyan.h")).expect("the header");
    let mut codes = Vec::new();
    let mut words = String::new();
    for line in header.lines() {
        if let Some(told) = line.strip_prefix(" * ") {
            words = told.to_owned();
        } else if let Some((name, number)) =
            line.strip_prefix("#define HY_E_").and_then(|define| define.split_once(' '))
        {
            codes.push((name.to_lowercase(), number.to_owned(), words.clone()));
        }
    }
    assert!(codes.len() > 20, "the header has lost its codes");
    codes
}

fn codes() -> String {
    let mut consts = "\n// What may go wrong, for errors.Is.\nconst (\n".to_owned();
    let mut names = "\nvar codeNames = map[Code]string{\n".to_owned();
    for (name, number, words) in error_codes() {
        let own = name_of(&name);
        writeln!(consts, "\t// Err{own}: {words}\n\tErr{own} Code = {number}").expect("room");
        writeln!(names, "\t{:<4} \"{name}\",", format!("{number}:")).expect("room");
    }
    format!("{consts})\n{names}}}\n")
}

fn recipients(services: &[Value]) -> String {
    let kinds = recipient_kinds(services);
    // In columns, as gofmt has them.
    let longest = kinds.iter().map(|(name, _)| name_of(name).len()).max().unwrap_or_default();
    let fields = kinds.iter().map(|(name, schema)| {
        let kind = if schema["type"] == "array" { "[]string" } else { "string  " };
        format!("\t{:<longest$} {kind} `json:\"{name},omitempty\"`\n", name_of(name))
    });
    let fields = fields.collect();
    object("To", "To is to whom a message goes; each service knows some of these.", "", fields)
}

/// Every kind of recipient that a service has, in the order of the service that has most.
pub(super) fn recipient_kinds(services: &[Value]) -> Vec<(String, Value)> {
    let mut services: Vec<_> = services.iter().collect();
    services.sort_by_key(|service| std::cmp::Reverse(texts(&service["to"]).len()));
    let mut kinds: Vec<(String, Value)> = Vec::new();
    for service in services {
        for (name, schema) in properties(&properties(&service["account"])["to"]) {
            if !kinds.iter().any(|(known, _)| known == name) {
                kinds.push((name.clone(), schema.clone()));
            }
        }
    }
    kinds
}

/// `snake_case` as Go writes it.
fn name_of(name: &str) -> String {
    name.split('_').fold(String::new(), |all, word| match word {
        "url" | "id" | "http" | "sdk" | "tls" | "im" => all + &word.to_uppercase(),
        _ => {
            let (head, tail) = word.split_at(word.len().min(1));
            all + &head.to_uppercase() + tail
        }
    })
}

/// A field of a struct with what it means.
fn field(name: &str, schema: &Value, object: &Value) -> String {
    let own = name_of(name);
    let kind = match schema["type"].as_str() {
        _ if schema["enum"].is_array() => "string",
        Some("integer") => "int64",
        Some("boolean") => "bool",
        Some("array") => "[]any",
        Some("object") => "map[string]any",
        Some(_) => "string",
        None => "any",
    };
    let optional = if texts(&object["required"]).contains(&name) { "" } else { ",omitempty" };
    let mut words = text(&schema["description"]).to_owned();
    if schema["enum"].is_array() {
        words = format!("{}: {words}", texts(&schema["enum"]).join(", "));
    }
    comment("\t", &format!("{own}: {words}"))
        + &format!("\t{own} {kind} `json:\"{name}{optional}\"`\n")
}

fn object(name: &str, words: &str, head: &str, fields: Vec<String>) -> String {
    let words = if words.starts_with(name) { words.to_owned() } else { format!("{name}: {words}") };
    if head.is_empty() && fields.is_empty() {
        return format!("\n{}type {name} struct{{}}\n", comment("", &words));
    }
    format!("\n{}type {name} struct {{\n{head}{}}}\n", comment("", &words), fields.concat())
}

fn marshalling(name: &str, tag: &str, value: &str) -> String {
    format!(
        "\n// MarshalJSON gives the JSON that a configuration has.\nfunc (a {name}) MarshalJSON() \
         ([]byte, error) {{\n\ttype plain {name}\n\treturn tagged(\"{tag}\", \"{value}\", \
         plain(a))\n}}\n"
    )
}

/// A comment of whole lines.
fn comment(indent: &str, words: &str) -> String {
    let mut comment = String::new();
    let mut line = format!("{indent}//");
    for word in words.split_whitespace() {
        if line.chars().count() + word.chars().count() > 110 {
            writeln!(comment, "{line}").expect("room");
            line = format!("{indent}//");
        }
        write!(line, " {word}").expect("room");
    }
    comment + &line + "\n"
}
