//! The types of Swift's package that are written from the schema: recipients, parts and accounts.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::{auths, check, own_fields, properties, root, services, text, texts};

const FILE: &str = "bindings/swift/Sources/Hongyan/Schema.swift";

#[test]
fn the_types_of_swift_are_the_generated_ones() {
    let services = services();
    let mut types = recipients(&services);
    types += &parts(&services);
    types += "/// Accounts of the services.\npublic enum Accounts {";
    services.iter().for_each(|service| types += &account(service));
    types += "}\n";
    check(&root().join(FILE), ("// Below: make accounts\n", "// End"), &types);
}

/// `snake_case` as Swift writes it.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        match word {
            "url" | "id" => camel += &word.to_uppercase(),
            _ => camel += &capital(word),
        }
    }
    camel
}

/// A name of a type: every word begins with a capital.
fn capital(name: &str) -> String {
    name.split('_').fold(String::new(), |all, word| {
        let (head, tail) = word.split_at(word.len().min(1));
        all + &head.to_uppercase() + tail
    })
}

/// A name where a value is declared or read.
fn safe(name: &str) -> String {
    let name = camel(name);
    let is_keyword = [
        "as", "case", "class", "default", "func", "import", "in", "init", "internal", "let",
        "none", "protocol", "public", "return", "self", "var",
    ];
    if is_keyword.contains(&name.as_str()) { format!("`{name}`") } else { name }
}

/// A comment of whole lines.
fn comment(indent: &str, words: &str) -> String {
    let mut comment = String::new();
    let mut line = format!("{indent}///");
    for word in words.split_whitespace() {
        if line.chars().count() + word.chars().count() > 108 {
            writeln!(comment, "{line}").expect("room");
            line = format!("{indent}///");
        }
        write!(line, " {word}").expect("room");
    }
    comment + &line + "\n"
}

fn recipients(services: &[Value]) -> String {
    // Those of services with many kinds come first, so that the order is that of the library.
    let mut services: Vec<_> = services.iter().collect();
    services.sort_by_key(|service| std::cmp::Reverse(texts(&service["to"]).len()));
    let mut kinds: Vec<(&str, bool)> = Vec::new();
    for service in services {
        for (name, schema) in properties(&properties(&service["account"])["to"]) {
            if !kinds.iter().any(|(known, _)| known == name) {
                kinds.push((name, schema["type"] == "array"));
            }
        }
    }
    let of = |is_list: bool| if is_list { "[String]?" } else { "String?" };
    let mut to =
        "/// To whom a message goes: lists of some kinds, and one of each other.\n".to_owned();
    to += "public struct To: Sendable, Hashable, Codable {\n";
    for (name, is_list) in &kinds {
        writeln!(to, "    public var {}: {}", safe(name), of(*is_list)).expect("room");
    }
    to += "\n    public init(\n";
    let parameters: Vec<_> = kinds
        .iter()
        .map(|(name, is_list)| format!("        {}: {} = nil", camel(name), of(*is_list)))
        .collect();
    to += &format!("{}\n    ) {{\n", parameters.join(",\n"));
    for (name, _) in &kinds {
        writeln!(to, "        self.{0} = {0}", camel(name)).expect("room");
    }
    to += "    }\n\n    func write(_ writer: inout JSONWriter) {\n        writer.open(\"{\")\n";
    for (name, is_list) in &kinds {
        let call = if *is_list { "members" } else { "member" };
        writeln!(to, "        writer.{call}(\"{name}\", {})", camel(name)).expect("room");
    }
    to += "        writer.close(\"}\")\n    }\n\n    var json: JSON {\n        .fields([\n";
    for (name, is_list) in &kinds {
        let made = if *is_list { "{ .array($0.map(JSON.string)) }" } else { "(JSON.string)" };
        writeln!(to, "            (\"{name}\", {}.map{made}),", camel(name)).expect("room");
    }
    to + "        ])\n    }\n}\n\n"
}

/// What a part has, beside its name: the fields with their types, and what it is.
type PartFields = &'static [(&'static str, &'static str)];
const PARTS: [(&str, &str, PartFields); 8] = [
    ("text", "Text, between other parts", &[("text", "String")]),
    (
        "mention",
        "A user who is called by name: `@name`, or `@user` where no name is given",
        &[("user", "String"), ("name", "String?")],
    ),
    ("mention", "Everybody is called", &[("all", "true")]),
    (
        "face",
        "A sticker of the app's own: its number, and what the app wants to know besides",
        &[("index", "Int64"), ("data", "String?")],
    ),
    (
        "location",
        "A place: degrees north, degrees east, and what it is called",
        &[("latitude", "Double"), ("longitude", "Double"), ("address", "String?")],
    ),
    (
        "link",
        "A link with its preview: title, a few words, a small picture and the picture in full size",
        &[
            ("url", "String"),
            ("title", "String?"),
            ("description", "String?"),
            ("thumbnail", "String?"),
            ("image", "String?"),
        ],
    ),
    (
        "custom",
        "Data that only the receiving app understands, and what a notification of it says",
        &[("data", "String"), ("desc", "String?"), ("ext", "String?"), ("sound", "String?")],
    ),
    ("raw", "The service's own element, passed through as it is", &[("value", "JSON")]),
];

fn parts(services: &[Value]) -> String {
    let known: BTreeSet<_> = PARTS.iter().map(|(name, ..)| *name).collect();
    let used: BTreeSet<_> = services.iter().flat_map(|service| texts(&service["parts"])).collect();
    assert!(used.is_subset(&known), "parts without a case: {used:?}");
    let mut cases = String::new();
    let mut json = String::new();
    for (name, words, fields) in PARTS {
        let is_all = fields == [("all", "true")];
        cases += &comment("    ", &format!("{words}."));
        let declared: Vec<_> = match fields {
            [(_, only)] => vec![(*only).to_owned()],
            fields => fields.iter().map(|(field, kind)| declared(field, kind)).collect(),
        };
        if is_all {
            cases += "    case mentionAll\n";
            json +=
                "        case .mentionAll: .fields([(\"type\", \"mention\"), (\"all\", true)])\n";
            continue;
        }
        writeln!(cases, "    case {name}({})", declared.join(", ")).expect("room");
        let bound: Vec<_> = fields.iter().map(|(field, _)| format!("let {field}")).collect();
        let given: Vec<_> = fields
            .iter()
            .map(|(field, kind)| format!("(\"{field}\", {})", as_json(field, kind)))
            .collect();
        writeln!(json, "        case .{name}({}):", bound.join(", ")).expect("room");
        writeln!(json, "            .fields([(\"type\", \"{name}\"), {}])", given.join(", "))
            .expect("room");
    }
    format!(
        "/// One element of a message that is more than plain text.\npublic enum Part: Sendable, \
         Hashable {{\n{cases}\n    var json: JSON {{\n        switch self {{\n{json}        \
         }}\n    }}\n}}\n\n"
    )
}

/// A value of a case; what may be left out is.
fn declared(field: &str, kind: &str) -> String {
    let default = if kind.ends_with('?') { " = nil" } else { "" };
    format!("{field}: {kind}{default}")
}

/// The Swift that makes JSON of a value.
fn as_json(name: &str, kind: &str) -> String {
    let case = match kind.trim_end_matches('?') {
        "String" => "JSON.string",
        "Int64" => "JSON.int",
        "Double" => "JSON.double",
        "Bool" => "JSON.bool",
        "JSON" => return name.to_owned(),
        choice if kind.ends_with('?') => {
            return format!("{name}.map {{ ({}: {choice}) in .string({}.rawValue) }}", "it", "it");
        }
        _ => return format!(".string({name}.rawValue)"),
    };
    if kind.ends_with('?') { format!("{name}.map({case})") } else { format!("{case}({name})") }
}

/// The type of a field; words that it may be have a type of their own.
fn kind(name: &str, field: &Value) -> String {
    match &field["type"] {
        _ if field["enum"].is_array() => capital(&camel(name)),
        Value::Array(_) => "String".to_owned(),
        kind => match kind.as_str() {
            Some("integer") => "Int64",
            Some("boolean") => "Bool",
            Some("array" | "object") => "JSON",
            _ => "String",
        }
        .to_owned(),
    }
}

/// The fields with their types, those that are required first, and the types of their words.
struct Typed<'a> {
    fields: Vec<(&'a str, String, &'a Value)>,
    words: String,
}

fn typed<'a>(
    fields: impl Iterator<Item = (&'a String, &'a Value)>,
    required: &[&str],
    indent: &str,
) -> Typed<'a> {
    let mut all = Vec::new();
    let mut words = String::new();
    for (name, field) in fields {
        let own = kind(name, field);
        if field["enum"].is_array() {
            writeln!(words, "\n{indent}public enum {own}: String, Sendable {{").expect("room");
            for word in texts(&field["enum"]) {
                let case = word.replace(['-', '.'], "_");
                match safe(&case) {
                    case if case == word => writeln!(words, "{indent}    case {case}"),
                    case => writeln!(words, "{indent}    case {case} = \"{word}\""),
                }
                .expect("room");
            }
            writeln!(words, "{indent}}}").expect("room");
        }
        let optional = if required.contains(&name.as_str()) { "" } else { "?" };
        all.push((name.as_str(), format!("{own}{optional}"), field));
    }
    all.sort_by_key(|(_, kind, _)| kind.ends_with('?'));
    Typed { fields: all, words }
}

fn account(service: &Value) -> String {
    let name = text(&service["name"]);
    let schema = &service["account"];
    let required = texts(&schema["required"]);
    let own = typed(own_fields(schema), &required, "        ");
    let mut account =
        "\n".to_owned() + &comment("    ", &format!("{}.", text(&schema["description"])));
    writeln!(account, "    public struct {}: Account, Hashable {{", capital(name)).expect("room");
    account += "        public var auth: Auth\n";
    for (field, kind, schema) in &own.fields {
        account += &comment("        ", text(&schema["description"]));
        writeln!(account, "        public var {}: {kind}", safe(field)).expect("room");
    }
    account += "        public var options: AccountOptions\n\n        public init(\n            _ auth: Auth";
    for (field, kind, _) in &own.fields {
        write!(account, ", {}", declared(&camel(field), kind)).expect("room");
    }
    account += ",\n            options: AccountOptions = AccountOptions()\n        ) {\n";
    account += "            self.auth = auth\n";
    for (field, ..) in &own.fields {
        writeln!(account, "            self.{} = {}", camel(field), safe(field)).expect("room");
    }
    account += "            self.options = options\n        }\n\n        public var json: JSON {\n";
    writeln!(
        account,
        "            options.account(\"{name}\", auth.json, [{}])",
        pairs(&own.fields)
    )
    .expect("room");
    account += "        }\n";
    account += &own.words;
    account += &credentials(service);
    account + "    }\n"
}

/// Pairs of a name and of the JSON that a value is.
fn pairs(fields: &[(&str, String, &Value)]) -> String {
    let pairs: Vec<_> = fields
        .iter()
        .map(|(field, kind, _)| format!("(\"{field}\", {})", as_json(&safe(field), kind)))
        .collect();
    pairs.join(", ")
}

fn credentials(service: &Value) -> String {
    let mut words = String::new();
    let mut cases = String::new();
    let mut json = String::new();
    for (kind, auth) in auths(service) {
        let required = texts(&auth["required"]);
        let fields = properties(auth).iter().filter(|(name, _)| *name != "type");
        let own = typed(fields, &required, "            ");
        words += &own.words;
        cases += &comment("            ", &format!("{}.", text(&auth["description"])));
        for (field, _, schema) in &own.fields {
            let words = format!("- Parameter {}: {}", camel(field), text(&schema["description"]));
            cases += &comment("            ", &words);
        }
        let case = safe(kind);
        if own.fields.is_empty() {
            writeln!(cases, "            case {case}").expect("room");
            writeln!(json, "                case .{case}: .fields([(\"type\", \"{kind}\")])")
                .expect("room");
            continue;
        }
        let declared: Vec<_> =
            own.fields.iter().map(|(field, kind, _)| declared(&camel(field), kind)).collect();
        writeln!(cases, "            case {case}({})", declared.join(", ")).expect("room");
        let bound: Vec<_> =
            own.fields.iter().map(|(field, ..)| format!("let {}", safe(field))).collect();
        writeln!(json, "                case .{case}({}):", bound.join(", ")).expect("room");
        let pairs = pairs(&own.fields);
        writeln!(json, "                    .fields([(\"type\", \"{kind}\"), {pairs}])")
            .expect("room");
    }
    format!(
        "\n        public enum Auth: Sendable, Hashable {{\n{cases}{words}\n            var json: JSON \
         {{\n                switch self {{\n{json}                }}\n            }}\n        }}\n"
    )
}
