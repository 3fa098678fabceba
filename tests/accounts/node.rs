//! The types of Node's package that are written from the schema: recipients, error names and accounts.

use std::fmt::Write as _;

use serde_json::Value;

use super::go::{error_codes, recipient_kinds};
use super::{
    Credentials, auths, check, kinds, own_fields, properties, root, services, text, texts,
};

#[test]
fn the_types_of_node_are_the_generated_ones() {
    let services = services();
    let kinds = kinds(&services);
    let mut types = "\n/** What may go wrong. */\nexport type ErrorName =\n".to_owned();
    for (name, _, words) in error_codes() {
        writeln!(types, "  /** {words} */\n  | '{name}'").expect("room");
    }
    types += "\n/** To whom a message goes; each service knows some of these. */\nexport interface To {\n";
    for (name, schema) in recipient_kinds(&services) {
        let kind = if schema["type"] == "array" { "readonly string[]" } else { "string" };
        writeln!(types, "  {name}?: {kind}").expect("room");
    }
    types += "}\n";
    for (name, Credentials { kind, auth, services }) in &kinds {
        let words = format!("{}: {}.", text(&auth["description"]), services.join(", "));
        let head = format!("  type: '{kind}'\n");
        let fields = properties(auth).iter().filter(|(name, _)| *name != "type");
        let fields =
            head + &fields.map(|(name, schema)| field(name, schema, auth)).collect::<String>();
        types += &interface(&format!("{}Auth", name_of(name)), &words, &fields);
    }
    for service in &services {
        let name = text(&service["name"]);
        let account = &service["account"];
        let auths: Vec<_> = auths(service)
            .iter()
            .map(|(kind, _)| {
                let mut named = kinds.iter();
                let own = |c: &Credentials<'_>| c.kind == *kind && c.services.contains(&name);
                let (auth, _) = named.find(|(_, c)| own(c)).expect("its credentials have a name");
                format!("{}Auth", name_of(auth))
            })
            .collect();
        let mut fields = format!("  service: '{name}'\n  auth: {}\n", auths.join(" | "));
        own_fields(account).for_each(|(name, schema)| fields += &field(name, schema, account));
        let words = format!("{}.", text(&account["description"]));
        types += &interface(&format!("{}Account extends Common", name_of(name)), &words, &fields);
    }
    types += "\n/** An account, as a configuration has it. */\nexport type Account =\n";
    for service in &services {
        writeln!(types, "  | {}Account", name_of(text(&service["name"]))).expect("room");
    }
    check(&root().join("bindings/node/schema.d.ts"), ("// Below: make accounts", "// End"), &types);
}

/// `snake_case` as a type is called.
fn name_of(name: &str) -> String {
    name.split('_').fold(String::new(), |all, word| {
        let (head, tail) = word.split_at(word.len().min(1));
        all + &head.to_uppercase() + tail
    })
}

fn interface(name: &str, words: &str, fields: &str) -> String {
    format!("\n/** {words} */\nexport interface {name} {{\n{fields}}}\n")
}

/// A member with what it means.
fn field(name: &str, schema: &Value, object: &Value) -> String {
    let words: Vec<_> = texts(&schema["enum"]).iter().map(|word| format!("'{word}'")).collect();
    let kind = match &schema["type"] {
        _ if !words.is_empty() => words.join(" | "),
        Value::Array(_) => "number | string".to_owned(),
        kind => match kind.as_str() {
            Some("integer") => "number",
            Some("boolean") => "boolean",
            Some("array") => "readonly unknown[]",
            Some("object") => "Record<string, unknown>",
            _ => "string",
        }
        .to_owned(),
    };
    let optional = if texts(&object["required"]).contains(&name) { "" } else { "?" };
    format!("  /** {} */\n  {name}{optional}: {kind}\n", text(&schema["description"]))
}
