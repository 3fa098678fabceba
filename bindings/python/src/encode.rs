//! Python values become JSON text, or are refused with the name of the field.

use hongyan::{Error, ErrorCode};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple};

/// The core's own limit of a message; whoever passes it is told before memory runs out.
pub const MAX_MESSAGE: usize = 1 << 20;
/// The core's own limit of nesting; a list that holds itself ends here.
const MAX_DEPTH: usize = 64;

/// Why a value did not become JSON.
pub enum Fault {
    /// A mistake of the program: a `TypeError` or `ValueError`, or what its own code raised.
    Program(PyErr),
    /// A mistake of this one message.
    Message(Error),
}

impl Fault {
    fn of(code: ErrorCode, words: &str, path: &str) -> Fault {
        let error = Error::new(code, words);
        Fault::Message(if path.is_empty() { error } else { error.at(path) })
    }
}

impl From<PyErr> for Fault {
    fn from(error: PyErr) -> Fault {
        Fault::Program(error)
    }
}

/// Where a value stands; written out only for people, when it is refused.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    before: Option<&'a Place<'a>>,
    step: Step<'a>,
    depth: usize,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    /// A field at the top.
    pub fn field(name: &'a str) -> Place<'a> {
        Place { before: None, step: Step::Name(name), depth: 1 }
    }

    fn within(&'a self, step: Step<'a>) -> Place<'a> {
        Place { before: Some(self), step, depth: self.depth + 1 }
    }

    fn name(&self) -> String {
        let before = self.before.map(Place::name).unwrap_or_default();
        match self.step {
            Step::Name(name) if before.is_empty() => name.to_owned(),
            Step::Name(name) => format!("{before}.{name}"),
            Step::Index(index) => format!("{before}[{index}]"),
        }
    }
}

/// The `TypeError` that names the field.
pub fn wrong_type(field: &str, wanted: &str, found: &Bound<'_, PyAny>) -> PyErr {
    let found = found.get_type().qualname().map_or_else(|_| "?".to_owned(), |n| n.to_string());
    PyTypeError::new_err(format!("{field} must be {wanted}, not {found}"))
}

/// JSON text in the making.
pub struct Json {
    out: Vec<u8>,
}

impl Json {
    fn new() -> Json {
        Json { out: Vec::with_capacity(256) }
    }

    fn key(&mut self, key: &str) {
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
        self.escaped(key);
        self.out.push(b':');
    }

    fn escaped(&mut self, text: &str) {
        // Writing into memory never fails, and a string is always JSON.
        let _ = serde_json::to_writer(&mut self.out, text);
    }

    fn string(&mut self, text: &Bound<'_, PyString>, place: &Place<'_>) -> Result<(), Fault> {
        match text.to_cow() {
            Ok(text) if text.len() > MAX_MESSAGE => Err(too_large(place)),
            Ok(text) => {
                self.escaped(&text);
                Ok(())
            }
            Err(_) => Err(Fault::of(
                ErrorCode::Message,
                "the text holds a lone surrogate, which no encoding of Unicode can carry",
                &place.name(),
            )),
        }
    }

    fn value(&mut self, value: &Bound<'_, PyAny>, place: &Place<'_>) -> Result<(), Fault> {
        if self.out.len() > MAX_MESSAGE {
            return Err(too_large(place));
        }
        if let Ok(text) = value.cast::<PyString>() {
            return self.string(text, place);
        }
        if value.is_none() {
            self.out.extend_from_slice(b"null");
        } else if let Ok(yes) = value.cast::<PyBool>() {
            self.out.extend_from_slice(if yes.is_true() { b"true" } else { b"false" });
        } else if let Ok(number) = value.cast::<PyInt>() {
            self.integer(number)?;
        } else if let Ok(number) = value.cast::<PyFloat>() {
            let number = number.value();
            if !number.is_finite() {
                let words = format!("{number} is no number that JSON knows");
                return Err(Fault::of(ErrorCode::Message, &words, &place.name()));
            }
            let _ = serde_json::to_writer(&mut self.out, &number);
        } else if place.depth > MAX_DEPTH {
            return Err(Fault::of(ErrorCode::Argument, "nested deeper than 64", ""));
        } else if let Ok(dict) = value.cast::<PyDict>() {
            self.object(dict, place)?;
        } else if let Ok(list) = value.cast::<PyList>() {
            self.array(list.iter(), place)?;
        } else if let Ok(tuple) = value.cast::<PyTuple>() {
            self.array(tuple.iter(), place)?;
        } else if let Ok(mapping) = value.cast::<PyMapping>() {
            let dict = PyDict::new(value.py());
            dict.update(mapping)?;
            self.object(&dict, place)?;
        } else {
            let wanted = "a str, int, float, bool, None, list or dict";
            return Err(wrong_type(&place.name(), wanted, value).into());
        }
        Ok(())
    }

    fn integer(&mut self, number: &Bound<'_, PyInt>) -> Result<(), Fault> {
        if let Ok(small) = number.extract::<i64>() {
            let _ = serde_json::to_writer(&mut self.out, &small);
            return Ok(());
        }
        // `str()` of a subclass may be anything.
        let digits = number.py().get_type::<PyInt>().call_method1("__repr__", (number,))?;
        self.out.extend_from_slice(
            digits.cast::<PyString>().map_err(PyErr::from)?.to_cow()?.as_bytes(),
        );
        Ok(())
    }

    fn object(&mut self, dict: &Bound<'_, PyDict>, place: &Place<'_>) -> Result<(), Fault> {
        self.out.push(b'{');
        self.fields(dict, Some(place))?;
        self.out.push(b'}');
        Ok(())
    }

    fn fields(&mut self, dict: &Bound<'_, PyDict>, place: Option<&Place<'_>>) -> Result<(), Fault> {
        for (key, value) in dict.iter() {
            let Ok(key) = key.cast::<PyString>() else {
                let of = place.map_or_else(|| "the message".to_owned(), Place::name);
                return Err(wrong_type(&format!("a key of {of}"), "a str", &key).into());
            };
            let Ok(key) = key.to_cow() else {
                let words = "a key holds a lone surrogate";
                let path = place.map(Place::name).unwrap_or_default();
                return Err(Fault::of(ErrorCode::Message, words, &path));
            };
            self.key(&key);
            let inner = match place {
                Some(place) => place.within(Step::Name(&key)),
                None => Place::field(&key),
            };
            self.value(&value, &inner)?;
        }
        Ok(())
    }

    fn array<'py>(
        &mut self,
        items: impl Iterator<Item = Bound<'py, PyAny>>,
        place: &Place<'_>,
    ) -> Result<(), Fault> {
        self.out.push(b'[');
        for (i, item) in items.enumerate() {
            if i > 0 {
                self.out.push(b',');
            }
            self.value(&item, &place.within(Step::Index(i)))?;
        }
        self.out.push(b']');
        Ok(())
    }
}

fn too_large(place: &Place<'_>) -> Fault {
    Fault::of(ErrorCode::Argument, "the message is larger than 1 MiB", &place.name())
}

/// A dict as JSON text, for configurations and accounts.
pub fn dict_to_json(dict: &Bound<'_, PyDict>) -> Result<Vec<u8>, Fault> {
    let mut json = Json::new();
    json.out.push(b'{');
    json.fields(dict, None)?;
    json.out.push(b'}');
    Ok(json.out)
}

/// A message that is a dict, as JSON text; `v` may be left out.
pub fn message_to_json(dict: &Bound<'_, PyDict>) -> Result<Vec<u8>, Fault> {
    let mut json = Json::new();
    json.out.push(b'{');
    if !dict.contains(pyo3::intern!(dict.py(), "v"))? {
        json.out.extend_from_slice(b"\"v\":1");
    }
    json.fields(dict, None)?;
    json.out.push(b'}');
    Ok(json.out)
}

/// The arguments of one send, as they came from Python.
pub struct Fields<'a, 'py> {
    pub account: &'a Bound<'py, PyAny>,
    pub to: &'a Bound<'py, PyAny>,
    pub text: &'a Bound<'py, PyAny>,
    pub parts: &'a Bound<'py, PyAny>,
    pub reply_to: &'a Bound<'py, PyAny>,
    pub key: &'a Bound<'py, PyAny>,
    pub extra: &'a Bound<'py, PyAny>,
    pub deadline: &'a Bound<'py, PyAny>,
}

impl Fields<'_, '_> {
    /// The message as JSON text.
    pub fn to_json(&self) -> Result<Vec<u8>, Fault> {
        let Fields { account, to, text, parts, reply_to, key, extra, deadline } = *self;
        let mut json = Json::new();
        json.out.extend_from_slice(b"{\"v\":1");
        if account.is_none() {
            return Err(wrong_type("account", "a str", account).into());
        }
        for (name, value) in
            [("account", account), ("text", text), ("reply_to", reply_to), ("key", key)]
        {
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
            if value.cast::<PyMapping>().is_err() {
                return Err(wrong_type(name, "a dict", value).into());
            }
            if name == "to" {
                check_recipients(value)?;
            }
            json.key(name);
            json.value(value, &Place::field(name))?;
        }
        if !parts.is_none() {
            if !parts.is_instance_of::<PyList>() && !parts.is_instance_of::<PyTuple>() {
                return Err(wrong_type("parts", "a list of dicts", parts).into());
            }
            for (i, part) in parts.try_iter()?.enumerate() {
                let part = part?;
                if part.cast::<PyMapping>().is_err() {
                    return Err(wrong_type(&format!("parts[{i}]"), "a dict", &part).into());
                }
            }
            json.key("parts");
            json.value(parts, &Place::field("parts"))?;
        }
        if let Some(seconds) = seconds("deadline", deadline)? {
            json.key("deadline_ms");
            // Far below what an f64 holds exactly, or far beyond any deadline.
            let _ = serde_json::to_writer(&mut json.out, &((seconds * 1000.0).round() as u64));
        }
        json.out.push(b'}');
        Ok(json.out)
    }
}

fn check_recipients(to: &Bound<'_, PyAny>) -> PyResult<()> {
    let Ok(to) = to.cast::<PyDict>() else { return Ok(()) };
    for (kind, value) in to.iter() {
        if value.is_instance_of::<PyString>() || value.is_none() {
            continue;
        }
        let field = format!("to.{kind}");
        if !value.is_instance_of::<PyList>() && !value.is_instance_of::<PyTuple>() {
            return Err(wrong_type(&field, "a str, or a list of them", &value));
        }
        for (i, item) in value.try_iter()?.enumerate() {
            let item = item?;
            if !item.is_instance_of::<PyString>() {
                return Err(wrong_type(&format!("{field}[{i}]"), "a str", &item));
            }
        }
    }
    Ok(())
}

/// A number of seconds, or `None`.
pub fn seconds(field: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    if value.is_none() {
        return Ok(None);
    }
    let is_number = value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>();
    if !is_number || value.is_instance_of::<PyBool>() {
        return Err(wrong_type(field, "a number of seconds", value));
    }
    let seconds: f64 = value.extract()?;
    if seconds.is_nan() || seconds < 0.0 {
        return Err(PyValueError::new_err(format!("{field} must not be negative or NaN")));
    }
    Ok(Some(seconds))
}
