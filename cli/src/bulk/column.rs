//! The columns of a table, and the message that a row becomes.

use std::time::Duration;

use hongyan::{Error, ErrorCode, Result};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::exit::Usage;
use crate::message::attachment;

/// A column: its name, and what its cells hold.
pub struct Column {
    pub name: String,
    holds: Holds,
}

enum Holds {
    /// A field as text.
    Text,
    /// A field as JSON, or as text where it is none.
    Json,
    /// A number of seconds from accept: `deadline_ms`.
    Deadline,
    /// A time: `not_before_ms`.
    NotBefore,
    /// A recipient of this kind.
    To(String),
    /// Several recipients of this kind.
    ToMany(String),
    /// Files, by their paths or URLs; or JSON as in a message.
    Attachments,
    /// This parameter of the service.
    Extra(String),
}

/// Columns that are two names of one field.
const TWINS: [(&str, &str); 2] = [("deadline", "deadline_ms"), ("not_before", "not_before_ms")];

impl Column {
    /// The columns that the first row names.
    pub fn all(names: &[String]) -> std::result::Result<Vec<Column>, Usage> {
        for (i, name) in names.iter().enumerate() {
            if names[..i].contains(name) {
                return Err(Usage::argument(format!("the column {name:?} stands there twice")));
            }
        }
        let both = |(a, b): &&(&str, &str)| [a, b].iter().all(|n| names.iter().any(|c| c == *n));
        if let Some((short, long)) = TWINS.iter().find(both) {
            let words = format!("{short} and {long} are two names of one thing; give one");
            return Err(Usage::argument(words));
        }
        names.iter().map(|name| Column::of(name)).collect()
    }

    /// True for the name of a column that there is.
    pub fn is_known(name: &str) -> bool {
        Column::of(name).is_ok()
    }

    fn of(name: &str) -> std::result::Result<Column, Usage> {
        let (field, inner) = match name.split_once('.') {
            Some((field, inner)) => (field, Some(inner)),
            None => (name, None),
        };
        let holds = match (field, inner) {
            (
                "account" | "text" | "key" | "reply_to" | "title" | "format" | "priority"
                | "thread" | "overflow",
                None,
            ) => Holds::Text,
            ("parts" | "extra" | "deadline_ms" | "not_before_ms" | "ordered" | "silent", None) => {
                Holds::Json
            }
            ("attachments", None) => Holds::Attachments,
            ("deadline", None) => Holds::Deadline,
            ("not_before", None) => Holds::NotBefore,
            ("to", Some(kind @ ("user" | "name" | "group" | "topic"))) => {
                Holds::To(kind.to_owned())
            }
            ("to", Some(kind @ ("users" | "groups" | "discussions" | "members"))) => {
                Holds::ToMany(kind.to_owned())
            }
            ("extra", Some(name)) if !name.is_empty() => Holds::Extra(name.to_owned()),
            _ => {
                let words = format!("there is no column {name:?}; --help lists those there are");
                return Err(Usage::argument(words));
            }
        };
        Ok(Column { name: name.to_owned(), holds })
    }

    /// The column that an error's path speaks of.
    pub fn of_path<'a>(columns: &'a [Column], path: &str) -> Option<&'a str> {
        let twin = TWINS.iter().find(|(_, long)| *long == path).map(|(short, _)| *short);
        let means = |name: &str| {
            let rest = path.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
                || twin == Some(name)
        };
        let found = columns.iter().map(|column| column.name.as_str()).filter(|name| means(name));
        found.max_by_key(|name| name.len())
    }
}

/// The message of a row, as JSON; values stand in it as the cells spell them.
pub fn message(columns: &[Column], cells: &[String]) -> Result<Vec<u8>> {
    if cells.len() != columns.len() {
        let words =
            format!("the row has {} cells, and {} columns are named", cells.len(), columns.len());
        let hint = "put a text with the delimiter in it in quotes";
        return Err(Error::new(ErrorCode::Argument, words).hint(hint));
    }
    let (mut fields, mut to, mut extra) = (Vec::new(), Vec::new(), Vec::new());
    let mut whole_extra = None;
    for (column, cell) in columns.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
        let text = || Value::from(cell.as_str()).to_string();
        match &column.holds {
            Holds::Text => fields.push((column.name.as_str(), text())),
            Holds::Json => {
                let json = serde_json::from_str::<&RawValue>(cell);
                let json = json.map_or_else(|_| text(), |json| json.get().to_owned());
                match column.name.as_str() {
                    "extra" => whole_extra = Some(json),
                    name => fields.push((name, json)),
                }
            }
            Holds::Deadline => fields.push(("deadline_ms", deadline(cell)?.to_string())),
            Holds::NotBefore => fields.push(("not_before_ms", not_before(cell)?.to_string())),
            Holds::To(kind) => to.push((kind.as_str(), text())),
            Holds::ToMany(kind) => {
                let many: Vec<Value> = several(cell).map(Value::from).collect();
                to.push((kind.as_str(), Value::from(many).to_string()));
            }
            Holds::Attachments => {
                let files = match serde_json::from_str::<Vec<&RawValue>>(cell) {
                    Ok(_) => cell.clone(),
                    Err(_) => {
                        Value::from(several(cell).map(attachment).collect::<Vec<_>>()).to_string()
                    }
                };
                fields.push((column.name.as_str(), files));
            }
            Holds::Extra(name) => extra.push((name.as_str(), text())),
        }
    }
    if !to.is_empty() {
        fields.push(("to", object(&to, None)));
    }
    match whole_extra {
        None if extra.is_empty() => {}
        None => fields.push(("extra", object(&extra, None))),
        // What is no object is refused with its path.
        Some(whole) if extra.is_empty() || !whole.starts_with('{') => fields.push(("extra", whole)),
        // A name that stands in both is refused with its path.
        Some(whole) => fields.push(("extra", object(&extra, Some(&whole)))),
    }
    Ok(object(&fields, None).into_bytes())
}

/// What stands in a cell of several.
fn several(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(';').map(str::trim).filter(|one| !one.is_empty())
}

/// A JSON object of these members, and those of another object.
fn object(members: &[(&str, String)], more: Option<&str>) -> String {
    let name = |name: &str| Value::from(name).to_string();
    let mut all: Vec<_> = members.iter().map(|(n, value)| format!("{}:{value}", name(n))).collect();
    let inner = more.map(|more| more[1..more.len() - 1].trim());
    all.extend(inner.filter(|inner| !inner.is_empty()).map(str::to_owned));
    format!("{{{}}}", all.join(","))
}

fn wrong(field: &str, words: &str) -> Error {
    Error::new(ErrorCode::Message, words).at(field)
}

/// Milliseconds, of a number of seconds.
fn deadline(cell: &str) -> Result<u128> {
    let seconds = cell.trim().parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok());
    let seconds = seconds.ok_or_else(|| wrong("deadline", "must be a number of seconds"))?;
    Ok(seconds.as_millis())
}

/// Unix milliseconds, of Unix seconds or a time of RFC 3339.
fn not_before(cell: &str) -> Result<u128> {
    let unix = cell.trim().parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok());
    let unix = unix.or_else(|| rfc3339(cell.trim()));
    let unix = unix.ok_or_else(|| {
        let words =
            "must be a time with its zone, such as 2026-10-01T08:00:00+08:00, or Unix seconds";
        wrong("not_before", words)
    })?;
    Ok(unix.as_millis())
}

fn rfc3339(text: &str) -> Option<Duration> {
    let local = text.len().checked_sub(6).filter(|at| text.is_char_boundary(*at));
    let (time, ahead) = match local.map(|at| text.split_at(at)) {
        Some((time, zone)) if zone.starts_with(['+', '-']) => {
            let (hours, minutes) = zone[1..].split_once(':')?;
            let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
            let sign = if zone.starts_with('-') { -1 } else { 1 };
            (format!("{time}Z"), sign * minutes * 60)
        }
        _ => (text.to_owned(), 0),
    };
    let time = humantime::parse_rfc3339(&time).ok()?;
    let unix = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    let seconds = unix.as_secs().checked_add_signed(-ahead)?;
    Some(Duration::new(seconds, unix.subsec_nanos()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn made(header: &[&str], row: &[&str]) -> Result<Value> {
        let names: Vec<_> = header.iter().map(|name| (*name).to_owned()).collect();
        let cells: Vec<_> = row.iter().map(|cell| (*cell).to_owned()).collect();
        let message = message(&Column::all(&names).expect("columns"), &cells)?;
        Ok(serde_json::from_slice(&message).expect("JSON"))
    }

    #[test]
    fn a_row_becomes_a_message_and_empty_cells_nothing() {
        let header = [
            "account",
            "to.members",
            "to.group",
            "text",
            "ordered",
            "deadline_ms",
            "extra.Sound",
            "extra",
            "parts",
        ];
        let row = ["a", "x; y", "g", "hi, \"you\"", "true", "soon", "7", "{\"Random\": 1}", ""];
        let expected = json!({
            "account": "a", "text": "hi, \"you\"", "ordered": true, "deadline_ms": "soon",
            "extra": {"Random": 1, "Sound": "7"}, "to": {"members": ["x", "y"], "group": "g"},
        });
        assert_eq!(made(&header, &row), Ok(expected));
        assert_eq!(made(&["text", "to.user"], &["007", ""]), Ok(json!({"text": "007"})));
        for (cell, files) in [
            ("a.png", json!([{"path": "a.png"}])),
            ("a b.png; https://a/b;", json!([{"path": "a b.png"}, {"url": "https://a/b"}])),
            (r#"[{"path": "a;b"}]"#, json!([{"path": "a;b"}])),
        ] {
            assert_eq!(
                made(&["attachments"], &[cell]),
                Ok(json!({"attachments": files})),
                "{cell}"
            );
        }
    }

    #[test]
    fn times_are_those_of_the_python_package() {
        let header = ["deadline", "not_before"];
        let ms = |deadline: u64, at: u64| Ok(json!({"deadline_ms": deadline, "not_before_ms": at}));
        assert_eq!(made(&header, &["1.5", "1790812800.25"]), ms(1500, 1_790_812_800_250));
        for same in
            ["2026-10-01T00:00:00Z", "2026-10-01T08:00:00+08:00", "2026-09-30T19:30:00-04:30"]
        {
            assert_eq!(made(&header, &["90", same]), ms(90_000, 1_790_812_800_000), "{same}");
        }
        for wrong in [["-1", "0"], ["soon", "0"], ["1", "2026-10-01T08:00:00"], ["1", "tomorrow"]] {
            let error = made(&header, &wrong).expect_err("no time");
            assert!(error.path().is_some_and(|path| header.contains(&path)), "{error}");
        }
    }

    #[test]
    fn a_row_of_other_cells_than_columns_is_no_message() {
        assert!(made(&["text", "to.user"], &["x"]).is_err());
        assert!(made(&["text"], &["x", "y"]).is_err());
    }

    #[test]
    fn unknown_and_repeated_columns_are_refused() {
        for name in ["colour", "to", "to.planet", "extra.", "text.", "text.x", ""] {
            assert!(!Column::is_known(name), "{name}");
        }
        for twice in
            [["text", "text"], ["deadline", "deadline_ms"], ["not_before_ms", "not_before"]]
        {
            assert!(Column::all(&twice.map(str::to_owned)).is_err(), "{twice:?}");
        }
    }

    #[test]
    fn a_path_names_its_column() {
        let names = ["to.users", "extra", "extra.mode", "deadline", "text"].map(str::to_owned);
        let columns = Column::all(&names).expect("columns");
        let of = |path| Column::of_path(&columns, path);
        assert_eq!(of("to.users[0]"), Some("to.users"));
        assert_eq!(of("extra.mode"), Some("extra.mode"));
        let files = ["attachments".to_owned()];
        let files = Column::all(&files).expect("columns");
        assert_eq!(Column::of_path(&files, "attachments[1].path"), Some("attachments"));
        assert_eq!(of("extra.colour"), Some("extra"));
        assert_eq!(of("deadline_ms"), Some("deadline"));
        assert_eq!((of("to.user"), of("texture"), of("account")), (None, None, None));
    }
}
