//! What is written from the accounts that services declare: the tables of docs/services, the
//! functions of Python's `hongyan.accounts`, and the types of Go, Kotlin, Node and Swift. `make accounts`
//! writes them anew.

#[path = "accounts/go.rs"]
mod go;
#[path = "accounts/kotlin.rs"]
mod kotlin;
#[path = "accounts/node.rs"]
mod node;
#[path = "accounts/swift.rs"]
mod swift;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::{Map, Value};

fn services() -> Vec<Value> {
    let json: Value = serde_json::from_str(hongyan::services_json()).expect("JSON");
    json["services"].as_array().expect("a list").clone()
}

fn properties(schema: &Value) -> &Map<String, Value> {
    schema["properties"].as_object().expect("an object has properties")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(text).collect()
}

/// The kinds of credentials of a service, by their names.
fn auths(service: &Value) -> Vec<(&str, &Value)> {
    let kinds = properties(&service["account"])["auth"]["oneOf"].as_array().expect("a list");
    kinds.iter().map(|auth| (text(&properties(auth)["type"]["const"]), auth)).collect()
}

/// Compares the part of a file between two lines with what is generated, or writes it.
fn check(path: &Path, (begin, end): (&str, &str), generated: &str) {
    let file = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let parts = file.split_once(begin).and_then(|(head, rest)| {
        let (_, tail) = rest.split_once(end)?;
        Some((head, tail))
    });
    let (head, tail) = parts.unwrap_or_else(|| panic!("{} lacks {begin}", path.display()));
    let whole = format!("{head}{begin}\n{generated}{end}{tail}");
    if env::var_os("HY_BLESS").is_some_and(|value| value == "1") {
        fs::write(path, &whole).expect("it can be written");
        return;
    }
    assert!(file == whole, "{} is not what is generated: see `make accounts`", path.display());
}

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

#[test]
fn the_tables_of_accounts_are_the_generated_ones() {
    for service in services() {
        let name = text(&service["name"]);
        let path = root().join("docs/services").join(name).with_extension("md");
        check(&path, ("<!-- account: make accounts -->", "<!-- end -->"), &table(&service));
    }
}

fn table(service: &Value) -> String {
    let mut table = "| field | meaning |\n|---|---|\n".to_owned();
    let several = auths(service).len() > 1;
    for (kind, auth) in auths(service) {
        for (name, field) in properties(auth).iter().filter(|(name, _)| *name != "type") {
            let of = if several { format!(" ({kind})") } else { String::new() };
            writeln!(table, "| `auth.{name}`{of} | {} |", meaning(name, field, auth))
                .expect("room");
        }
    }
    let account = &service["account"];
    for (name, field) in own_fields(account) {
        writeln!(table, "| `{name}` | {} |", meaning(name, field, account)).expect("room");
    }
    table
}

/// The fields that not every service has, `base_url` included.
fn own_fields(account: &Value) -> impl Iterator<Item = (&String, &Value)> {
    const COMMON: [&str; 6] = ["service", "auth", "rate", "max_in_flight", "proxy", "to"];
    properties(account).iter().filter(|(name, _)| !COMMON.contains(&name.as_str()))
}

fn meaning(name: &str, field: &Value, object: &Value) -> String {
    let mut kinds = Vec::new();
    for (i, word) in texts(&field["enum"]).iter().enumerate() {
        let default = if i == 0 && field["default"] == *word { " (default)" } else { "" };
        kinds.push(format!("`{word}`{default}"));
    }
    let kind = match &field["type"] {
        Value::Array(_) => "a whole number or text",
        kind => match kind.as_str() {
            Some("integer") => "a whole number",
            Some("boolean") => "`true` or `false`",
            Some("array") => "a list",
            Some("object") => "an object",
            _ => "",
        },
    };
    kinds.extend((!kind.is_empty()).then(|| kind.to_owned()));
    kinds.extend((field["writeOnly"] == true).then(|| "secret".to_owned()));
    kinds.extend(texts(&object["required"]).contains(&name).then(|| "required".to_owned()));
    let words = text(&field["description"]);
    if kinds.is_empty() { words.to_owned() } else { format!("{}: {words}", kinds.join(", ")) }
}

#[test]
fn the_functions_of_python_are_the_generated_ones() {
    let path = root().join("bindings/python/python/hongyan/accounts.py");
    check(&path, ("# Below: make accounts", "# End"), &module(&services()));
}

fn module(services: &[Value]) -> String {
    let kinds = kinds(services);
    let mut all = vec!["NO_LIMIT", "Account", "Auth", "Rate"];
    let mut functions: Vec<_> = kinds.keys().map(String::as_str).collect();
    functions.extend(services.iter().map(|service| text(&service["name"])));
    functions.sort_unstable();
    all.extend(functions);
    let mut module = "__all__ = [\n".to_owned();
    all.iter().for_each(|name| writeln!(module, "    \"{name}\",").expect("room"));
    module += "]\n";
    for (name, Credentials { kind, auth, services }) in &kinds {
        module += &auth_function(name, kind, auth, &services.join(", "));
    }
    services.iter().for_each(|service| module += &account_function(service));
    module + "\n\n"
}

/// Credentials as a function makes them, and the services that take them.
struct Credentials<'a> {
    kind: &'a str,
    auth: Value,
    services: Vec<&'a str>,
}

/// The credentials of all services by the names of their functions.
///
/// Those of one kind with the same required fields are one function. Of others of a kind, those that most
/// services take bear its name, and each other has a service's name behind it.
fn kinds(services: &[Value]) -> BTreeMap<String, Credentials<'_>> {
    let mut found: Vec<Credentials<'_>> = Vec::new();
    for service in services {
        let name = text(&service["name"]);
        for (kind, auth) in auths(service) {
            let same = |own: &&mut Credentials<'_>| {
                own.kind == kind && own.auth["required"] == auth["required"]
            };
            match found.iter_mut().find(same) {
                Some(own) => {
                    let all = own.auth["properties"].as_object_mut().expect("fields");
                    for (name, field) in properties(auth) {
                        all.entry(name.clone()).or_insert_with(|| field.clone());
                    }
                    own.services.push(name);
                }
                None => {
                    found.push(Credentials { kind, auth: auth.clone(), services: vec![name] });
                }
            }
        }
    }
    found.sort_by_key(|own| std::cmp::Reverse(own.services.len()));
    let mut kinds = BTreeMap::new();
    for own in found {
        // A service is called so, too.
        let name = if own.kind == "webhook" { "webhook_url" } else { own.kind };
        let name = match kinds.contains_key(name) {
            true => format!("{name}_{}", own.services[0]),
            false => name.to_owned(),
        };
        kinds.insert(name, own);
    }
    kinds
}

/// A field as a parameter of Python may be called.
fn python_name(name: &str) -> String {
    let is_keyword = ["from", "class", "import", "global", "pass"].contains(&name);
    if is_keyword { format!("{name}_") } else { name.to_owned() }
}

/// A field that is given by name, `name=name` or whatever else Python takes.
fn given(name: &str) -> String {
    match python_name(name) {
        own if own == name => format!("{name}={name}"),
        own => format!("**{{\"{name}\": {own}}}"),
    }
}

/// A parameter with its type.
fn parameter(name: &str, field: &Value, required: bool) -> String {
    let name = python_name(name);
    let words = texts(&field["enum"]);
    let kind = match &field["type"] {
        _ if !words.is_empty() => {
            let words: Vec<_> = words.iter().map(|word| format!("{word:?}")).collect();
            format!("Literal[{}]", words.join(", "))
        }
        Value::Array(_) => "int | str".to_owned(),
        kind => match kind.as_str() {
            Some("integer") => "int",
            Some("boolean") => "bool",
            Some("array") => "Sequence[Any]",
            Some("object") => "Mapping[str, Any]",
            _ => "str",
        }
        .to_owned(),
    };
    if required {
        format!("    {name}: {kind},\n")
    } else {
        format!("    {name}: {kind} | None = None,\n")
    }
}

fn auth_function(name: &str, kind: &str, auth: &Value, services: &str) -> String {
    let required = texts(&auth["required"]);
    let fields = || properties(auth).iter().filter(|(name, _)| *name != "type");
    let is_required = |name: &String| required.contains(&name.as_str());
    let words = format!("{}: {services}.", text(&auth["description"]));
    if fields().next().is_none() {
        return format!(
            "\n\ndef {name}() -> Auth:\n    \"\"\"{words}\"\"\"\n    return {{\n        \"type\": \
             \"{kind}\",\n    }}\n"
        );
    }
    let mut function = format!("\n\ndef {name}(\n");
    for (name, field) in fields().filter(|(name, _)| is_required(name)) {
        function += &parameter(name, field, true);
    }
    let optional: Vec<_> = fields().filter(|(name, _)| !is_required(name)).collect();
    if !optional.is_empty() {
        function += "    *,\n";
    }
    for (name, field) in &optional {
        function += &parameter(name, field, false);
    }
    function += &format!(
        ") -> Auth:\n{}    return {{\n        \"type\": \"{kind}\",\n",
        doc(&words, fields())
    );
    for (name, _) in fields().filter(|(name, _)| is_required(name)) {
        writeln!(function, "        \"{name}\": {},", python_name(name)).expect("room");
    }
    if !optional.is_empty() {
        let given: Vec<_> = optional.iter().map(|(name, _)| given(name)).collect();
        writeln!(function, "        **_given({}),", given.join(", ")).expect("room");
    }
    function + "    }\n"
}

fn account_function(service: &Value) -> String {
    let name = text(&service["name"]);
    let account = &service["account"];
    let fields = || own_fields(account);
    let mut function = format!("\n\ndef {name}(\n    auth: Mapping[str, Any],\n    *,\n");
    fields().for_each(|(name, field)| function += &parameter(name, field, false));
    function += "    to: _To = None,\n    rate: _Rate = None,\n";
    function += "    max_in_flight: int | None = None,\n    proxy: str | None = None,\n";
    let auths: Vec<_> = auths(service).iter().map(|(name, _)| format!("`{name}`")).collect();
    let words = format!("{}, with {}.", text(&account["description"]), auths.join(" or "));
    function += &format!(") -> Account:\n{}    return _account(\n", doc(&words, fields()));
    write!(function, "        \"{name}\",\n        auth,\n        rate,\n").expect("room");
    fields().for_each(|(name, _)| writeln!(function, "        {},", given(name)).expect("room"));
    function + "        to=to,\n        max_in_flight=max_in_flight,\n        proxy=proxy,\n    )\n"
}

/// A docstring: what the function makes, and what its parameters mean.
fn doc<'a>(words: &str, fields: impl Iterator<Item = (&'a String, &'a Value)>) -> String {
    let mut doc = String::new();
    let mut line = "    \"\"\"".to_owned();
    for word in words.split(' ') {
        if line.chars().count() + word.chars().count() > 98 {
            doc += &format!("{}\n", line.trim_end());
            line = "    ".to_owned();
        }
        line += &format!("{word} ");
    }
    doc += &format!("{}\n\n", line.trim_end());
    for (name, field) in fields {
        let mut line = format!("    ``{}``:", python_name(name));
        for word in text(&field["description"]).replace('`', "``").split(' ') {
            if line.chars().count() + word.chars().count() > 98 {
                doc += &format!("{line}\n");
                line = "       ".to_owned();
            }
            line += &format!(" {word}");
        }
        doc += &format!("{line}\n");
    }
    doc + "    \"\"\"\n"
}
