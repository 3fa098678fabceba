//! The types of Kotlin's package that are written from the schema: recipients, exceptions and accounts.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::go::{error_codes, recipient_kinds};
use super::{
    Credentials, auths, check, kinds, own_fields, properties, root, services, text, texts,
};

const MARKS: (&str, &str) = ("// Below: make accounts", "// End");
/// What every account may have besides its own fields.
const COMMON: [(&str, &str); 4] =
    [("to", "To"), ("rate", "Rate"), ("max_in_flight", "Int"), ("proxy", "String")];

fn source(name: &str) -> PathBuf {
    root().join("bindings/kotlin/src/main/kotlin/hongyan").join(name)
}

#[test]
fn the_types_of_kotlin_are_the_generated_ones() {
    let services = services();
    check(&source("Accounts.kt"), MARKS, &(auth_classes(&services) + &account_classes(&services)));
    check(&source("To.kt"), MARKS, &recipients(&services));
    check(&source("HongyanException.kt"), MARKS, &(exceptions() + "    "));
}

#[test]
fn every_part_is_a_class_of_kotlin() {
    let message = fs::read_to_string(source("Message.kt")).expect("the file");
    for service in services() {
        for part in texts(&service["parts"]) {
            let class = format!(" : Part(\"{part}\"");
            let others = format!("Part(\n            \"{part}\"");
            let lines = format!("        Part(\"{part}\"");
            let known = [class, others, lines].iter().any(|line| message.contains(line));
            assert!(known, "Message.kt lacks the part {part}");
        }
    }
}

fn auth_classes(services: &[Value]) -> String {
    let mut classes = "
/** The credentials of an account. */
public sealed class Auth(type: String, vararg fields: Pair<String, Any?>) : \
                       JsonObject(mapOf(\"type\" to type, *fields)) {\n"
        .to_owned();
    for (i, (name, Credentials { kind, auth, services })) in kinds(services).iter().enumerate() {
        let fields: Vec<_> = properties(auth).iter().filter(|(name, _)| *name != "type").collect();
        let words = format!("{}: {}.", text(&auth["description"]), services.join(", "));
        let name = pascal(if name == "webhook_url" { "webhook" } else { name });
        classes += if i == 0 { "" } else { "\n" };
        classes += &comment(&words, &fields);
        if fields.is_empty() {
            writeln!(classes, "    public object {name} : Auth(\"{kind}\")").expect("room");
            continue;
        }
        let (parameters, names) = parameters(fields, auth);
        write!(
            classes,
            "    public class {name}(\n{parameters}    ) :\n        Auth(\n            "
        )
        .expect("room");
        write!(classes, "\"{kind}\",\n{}        )\n", pairs(&names)).expect("room");
    }
    classes + "}\n"
}

fn account_classes(services: &[Value]) -> String {
    let mut classes = "
/**
 * An account of a service. Each may have, besides its own: `to`, the recipient of messages that name none; `rate`;
 * how many may be in flight; and a proxy of its own.
 */
public sealed class Account(service: String, auth: Auth, rate: Rate?, vararg fields: Pair<String, \
                       Any?>) :
    JsonObject(linkedMapOf(\"service\" to service, \"auth\" to auth, \"rate\" to rate?.value, \
                       *fields)) {\n"
        .to_owned();
    for (i, service) in services.iter().enumerate() {
        let name = text(&service["name"]);
        let account = &service["account"];
        let auths: Vec<_> = auths(service).iter().map(|(name, _)| format!("`{name}`")).collect();
        let words = format!("{}, with {}.", text(&account["description"]), auths.join(" or "));
        let fields: Vec<_> = own_fields(account).collect();
        classes += if i == 0 { "" } else { "\n" };
        classes += &comment(&words, &fields);
        let (parameters, mut names) = parameters(fields, account);
        write!(classes, "    public class {}(\n        auth: Auth,\n{parameters}", pascal(name))
            .expect("room");
        for (name, kind) in COMMON {
            writeln!(classes, "        {}: {kind}? = null,", camel(name)).expect("room");
            if name != "rate" {
                names.push(name.to_owned());
            }
        }
        write!(classes, "    ) :\n        Account(\n            \"{name}\",\n            auth,\n")
            .expect("room");
        write!(classes, "            rate,\n{}        )\n", pairs(&names)).expect("room");
    }
    classes + "}\n\n"
}

/// The parameters of a class, those that have to be given first; and the names of their fields.
fn parameters(mut fields: Vec<(&String, &Value)>, object: &Value) -> (String, Vec<String>) {
    let required = texts(&object["required"]);
    let is_optional = |name: &str| !required.contains(&name);
    fields.sort_by_key(|(name, _)| is_optional(name));
    let mut parameters = String::new();
    for (name, field) in &fields {
        let kind = match &field["type"] {
            Value::Array(_) => "Any",
            kind => match kind.as_str() {
                Some("integer") => "Long",
                Some("boolean") => "Boolean",
                Some("array") => "List<Any?>",
                Some("object") => "Map<String, Any?>",
                _ => "String",
            },
        };
        let optional = if is_optional(name) { "? = null" } else { "" };
        writeln!(parameters, "        {}: {kind}{optional},", camel(name)).expect("room");
    }
    (parameters, fields.into_iter().map(|(name, _)| name.clone()).collect())
}

fn pairs(names: &[String]) -> String {
    let pair = |name: &String| format!("            \"{name}\" to {},\n", camel(name));
    names.iter().map(pair).collect()
}

fn recipients(services: &[Value]) -> String {
    let kinds = recipient_kinds(services);
    let mut class = "
/**
 * To whom a message goes; each service knows some of these, and knows them by the ids or names of its own.
 */
public class To(\n"
        .to_owned();
    for (name, schema) in &kinds {
        let kind = if schema["type"] == "array" { "List<String>" } else { "String" };
        writeln!(class, "    {}: {kind}? = null,", camel(name)).expect("room");
    }
    class += ") :\n    JsonObject(\n        given(\n";
    for (name, _) in &kinds {
        writeln!(class, "            \"{name}\", {},", camel(name)).expect("room");
    }
    class + "        )\n    )\n\n"
}

fn exceptions() -> String {
    let (mut classes, mut kinds) = (String::new(), String::new());
    for (name, number, words) in error_codes() {
        let name = pascal(&name);
        write!(
            classes,
            "    /** {words} */\n    public class {name} internal constructor(fields: Map<String, Any?>, \
             receipt: Receipt?) :\n        HongyanException(fields, receipt)\n\n"
        )
        .expect("room");
        writeln!(kinds, "                {number} -> {name}(fields, receipt)").expect("room");
    }
    format!(
        "{classes}    /** By the number of the code. */
    private object Kinds {{
        fun of(fields: Map<String, Any?>, receipt: Receipt?): HongyanException =
            when ((fields[\"code\"] as Long).toInt()) {{
{kinds}                // Of a library that is newer than this.
                else -> Internal(fields, receipt)
            }}
    }}

"
    )
}

/// `snake_case` as Kotlin writes the name of a class.
fn pascal(name: &str) -> String {
    let word = |word: &str| {
        let (head, tail) = word.split_at(word.len().min(1));
        head.to_uppercase() + tail
    };
    name.split('_').map(word).collect()
}

/// The same of a parameter.
fn camel(name: &str) -> String {
    let name = pascal(name);
    let (head, tail) = name.split_at(name.len().min(1));
    match head.to_lowercase() + tail {
        keyword if ["in", "is", "object", "class"].contains(&keyword.as_str()) => {
            format!("`{keyword}`")
        }
        name => name,
    }
}

/// What a class is, and what its parameters hold.
fn comment(words: &str, fields: &[(&String, &Value)]) -> String {
    let mut comment = format!("    /**\n{}", lines("", words));
    for (i, (name, field)) in fields.iter().enumerate() {
        let words = match texts(&field["enum"]) {
            choices if choices.is_empty() => text(&field["description"]).to_owned(),
            choices => format!("`{}`: {}", choices.join("`, `"), text(&field["description"])),
        };
        comment += if i == 0 { "     *\n" } else { "" };
        comment += &lines(&format!("@param {} ", camel(name).trim_matches('`')), &words);
    }
    comment + "     */\n"
}

/// Words as lines of a comment.
fn lines(first: &str, words: &str) -> String {
    let mut lines = String::new();
    let mut line = format!("     * {first}");
    // What would end the comment, or stand for a value, is words here.
    for word in words.replace("*/", "* /").split_whitespace() {
        if line.chars().count() + word.chars().count() > 110 {
            writeln!(lines, "{}", line.trim_end()).expect("room");
            line = "     *   ".to_owned();
        }
        write!(line, "{word} ").expect("room");
    }
    lines + line.trim_end() + "\n"
}
