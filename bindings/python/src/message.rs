//! A message as Python gives it: the arguments of a call, or a dict.

use std::time::Duration;

use hongyan::{Error, ErrorCode, Files, MessageSource};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyString, PyTuple};

use crate::encode::{Fault, Json, MAX_MESSAGE, Place, name_of, wrong_type};
use crate::files;
use crate::when::{NOT_BEFORE, milliseconds, seconds, unix_ms};

/// The arguments of one send, as they came from Python: account, to, text, parts, reply_to, key, extra,
/// deadline, not_before, ordered, deadline_ms, and the others in a tuple of their own.
type Arguments<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
);

/// The others: not_before_ms, title, format, attachments, silent, priority, thread, overflow.
type Others<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
);

/// A message as JSON text, and the files that stand beside it.
pub struct Encoded {
    pub json: Vec<u8>,
    pub files: Files,
    /// It has attachments, some of which the core may have to read.
    pub has_files: bool,
}

impl Encoded {
    /// What the core takes of it; the bytes of its files are shared.
    pub fn source(&self) -> MessageSource<'_> {
        MessageSource::JsonWithFiles(&self.json, self.files.clone())
    }
}

/// The message of one call of `send()` or `submit()`.
pub struct Fields<'py> {
    own: Arguments<'py>,
    others: Others<'py>,
    /// When the message is not worth sending any more, from the call on.
    pub deadline: Option<Duration>,
    not_before_ms: Option<u64>,
}

impl<'py> Fields<'py> {
    /// Reads the times among the arguments.
    pub fn read(arguments: &Bound<'py, PyTuple>) -> Result<Fields<'py>, Fault> {
        let own: Arguments<'py> = arguments.extract()?;
        let others: Others<'py> = own.11.extract()?;
        let (deadline, not_before, deadline_ms, not_before_ms) =
            (&own.7, &own.8, &own.10, &others.0);
        one_of("deadline", !deadline.is_none(), !deadline_ms.is_none())?;
        one_of(NOT_BEFORE, !not_before.is_none(), !not_before_ms.is_none())?;
        let whole = |name: &str, value: &Bound<'py, PyAny>| match value.is_none() {
            true => Ok(None),
            false if value.is_instance_of::<PyBool>() || !value.is_instance_of::<PyInt>() => {
                Err(wrong_type(name, "an int of milliseconds", value))
            }
            false => value.extract::<u64>().map(Some).map_err(|_| {
                let words = format!("{name} must not be negative or beyond 64 bits");
                pyo3::exceptions::PyValueError::new_err(words)
            }),
        };
        let deadline_ms = match seconds("deadline", deadline)? {
            Some(seconds) => Some(milliseconds(seconds)),
            None => whole("deadline_ms", deadline_ms)?,
        };
        let not_before_ms = match not_before.is_none() {
            false => Some(unix_ms(not_before)?),
            true => whole("not_before_ms", not_before_ms)?,
        };
        let deadline = deadline_ms.map(Duration::from_millis);
        Ok(Fields { own, others, deadline, not_before_ms })
    }

    /// The message as JSON text, for a call that has waited so long already.
    pub fn encoded(&self, waited: Duration) -> Result<Encoded, Fault> {
        let (_, title, format, attachments, silent, priority, thread, overflow) = &self.others;
        let mut files = Files::new();
        let (account, to, text, parts, reply_to, key, extra, _, _, ordered, _, _) = &self.own;
        let mut json = Json::new();
        json.out.extend_from_slice(b"{\"v\":1");
        if account.is_none() {
            return Err(wrong_type("account", "a str", account).into());
        }
        for (name, value) in [
            ("account", account),
            ("text", text),
            ("title", title),
            ("format", format),
            ("priority", priority),
            ("thread", thread),
            ("overflow", overflow),
            ("reply_to", reply_to),
            ("key", key),
        ] {
            if !value.is_none() {
                let Ok(value) = value.cast::<PyString>() else {
                    return Err(wrong_type(name, "a str", value).into());
                };
                json.key(name);
                json.string(value, &Place::field(name))?;
            }
        }
        for (name, value) in [("to", to), ("extra", extra)] {
            if value.is_none() {
                continue;
            }
            let Ok(dict) = value.cast::<PyDict>() else {
                return Err(wrong_type(name, "a dict", value).into());
            };
            if name == "to" {
                check_recipients(dict)?;
            }
            json.key(name);
            json.value(value, &Place::field(name))?;
        }
        if !parts.is_none() {
            check_parts(parts)?;
            json.key("parts");
            json.value(parts, &Place::field("parts"))?;
        }
        if !attachments.is_none() {
            json.key("attachments");
            files::encode(attachments, &mut json, &mut files)?;
        }
        let deadline = self.deadline.map(|deadline| deadline.saturating_sub(waited));
        let deadline_ms = deadline.map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        for (name, ms) in [("deadline_ms", deadline_ms), ("not_before_ms", self.not_before_ms)] {
            if let Some(ms) = ms {
                json.key(name);
                json.number(ms);
            }
        }
        for (name, value) in [("ordered", ordered), ("silent", silent)] {
            if !value.is_none() {
                let Ok(value) = value.cast::<PyBool>() else {
                    return Err(wrong_type(name, "a bool", value).into());
                };
                json.key(name);
                json.out.extend_from_slice(if value.is_true() { b"true" } else { b"false" });
            }
        }
        json.out.push(b'}');
        Ok(Encoded { json: json.out, files, has_files: !attachments.is_none() })
    }
}

fn one_of(name: &str, given: bool, other: bool) -> Result<(), Fault> {
    if given && other {
        let words = format!("{name} and {name}_ms are two names of one thing; give one of them");
        return Err(Fault::of(ErrorCode::Message, &words, name));
    }
    Ok(())
}

fn check_recipients(to: &Bound<'_, PyDict>) -> PyResult<()> {
    for (kind, value) in to.iter() {
        if value.is_instance_of::<PyString>() || value.is_none() {
            continue;
        }
        let field = format!("to.{kind}");
        for (i, item) in items(&value, &field, "a str, or a list of them")?.enumerate() {
            if !item.is_instance_of::<PyString>() {
                return Err(wrong_type(&format!("{field}[{i}]"), "a str", &item));
            }
        }
    }
    Ok(())
}

fn check_parts(parts: &Bound<'_, PyAny>) -> PyResult<()> {
    for (i, part) in items(parts, "parts", "a list of dicts")?.enumerate() {
        if !part.is_instance_of::<PyDict>() {
            return Err(wrong_type(&format!("parts[{i}]"), "a dict", &part));
        }
    }
    Ok(())
}

/// What is in a list or tuple.
pub fn items<'py>(
    value: &Bound<'py, PyAny>,
    field: &str,
    wanted: &str,
) -> PyResult<Box<dyn Iterator<Item = Bound<'py, PyAny>> + 'py>> {
    if let Ok(list) = value.cast::<PyList>() {
        return Ok(Box::new(list.clone().into_iter()));
    }
    match value.cast::<PyTuple>() {
        Ok(tuple) => Ok(Box::new(tuple.clone().into_iter())),
        Err(_) => Err(wrong_type(field, wanted, value)),
    }
}

/// A message that is a dict, as JSON text: `v` may be left out, and the times may be in seconds.
fn encoded(dict: &Bound<'_, PyDict>) -> Result<Encoded, Fault> {
    let py = dict.py();
    let (mut json, mut files) = (Json::new(), Files::new());
    let mut has_files = false;
    json.out.push(b'{');
    if !dict.contains(pyo3::intern!(py, "v"))? {
        json.out.extend_from_slice(b"\"v\":1");
    }
    for (key, value) in dict.iter() {
        let name = name_of(&key, None)?;
        let ms = match &*name {
            "deadline" | NOT_BEFORE if value.is_none() => continue,
            "deadline" => seconds("deadline", &value).map(|s| s.map(milliseconds)),
            NOT_BEFORE => unix_ms(&value).map(Some),
            "attachments" if !value.is_none() => {
                has_files = true;
                json.key(&name);
                files::encode(&value, &mut json, &mut files)?;
                continue;
            }
            _ => {
                json.key(&name);
                json.value(&value, &Place::field(&name))?;
                continue;
            }
        };
        // What is wrong with a message of many is told by its receipt.
        let ms = ms.map_err(|raised| {
            let words = raised.value(py).to_string();
            Fault::of(ErrorCode::Message, &words, &name)
        })?;
        let other = format!("{name}_ms");
        let other_given = dict.get_item(&other)?.is_some_and(|value| !value.is_none());
        one_of(&name, true, other_given)?;
        if let Some(ms) = ms {
            json.key(&other);
            json.number(ms);
        }
    }
    json.out.push(b'}');
    Ok(Encoded { json: json.out, files, has_files })
}

/// A message out of an iterable, or what is wrong with it.
pub struct Whatever {
    pub account: String,
    pub message: Result<Encoded, Error>,
}

impl Whatever {
    /// Reads a message; `name` is what to call it if it is not even a dict.
    pub fn read(message: &Bound<'_, PyAny>, name: &str) -> PyResult<Whatever> {
        let Ok(dict) = message.cast::<PyDict>() else {
            return Err(wrong_type(name, "a dict", message));
        };
        let message = match encoded(dict) {
            Ok(message) => Ok(message),
            Err(Fault::Message(error)) => Err(error),
            Err(Fault::Program(raised)) => return Err(raised),
        };
        // Only for its receipt, and only if it comes to that.
        let account = match &message {
            Ok(message) if message.json.len() <= MAX_MESSAGE => None,
            _ => dict.get_item("account")?.and_then(|account| account.extract::<String>().ok()),
        };
        let account = account.filter(|account| account.len() < 256).unwrap_or_default();
        Ok(Whatever { account, message })
    }
}
