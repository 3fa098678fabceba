//! Python values become JSON text, or are refused with the name of the field.
//!
//! Only Python's own dicts, lists and tuples are read here: other mappings and sequences run lines of
//! Python, so the package makes these of them (`_plain.py`).

use std::borrow::Cow;

use hongyan::{Error, ErrorCode};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

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
    /// A mistake of the message, where it is.
    pub fn of(code: ErrorCode, words: &str, path: &str) -> Fault {
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
    pub out: Vec<u8>,
}

impl Json {
    pub fn new() -> Json {
        Json { out: Vec::with_capacity(256) }
    }

    pub fn key(&mut self, key: &str) {
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

    /// A field that is text of ours.
    pub fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        self.escaped(text);
    }

    pub fn string(&mut self, text: &Bound<'_, PyString>, place: &Place<'_>) -> Result<(), Fault> {
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

    pub fn value(&mut self, value: &Bound<'_, PyAny>, place: &Place<'_>) -> Result<(), Fault> {
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
        } else {
            let wanted = "a str, int, float, bool, None, list or dict";
            return Err(wrong_type(&place.name(), wanted, value).into());
        }
        Ok(())
    }

    /// A number that is ours.
    pub fn number(&mut self, number: u64) {
        let _ = serde_json::to_writer(&mut self.out, &number);
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

    pub fn fields(
        &mut self,
        dict: &Bound<'_, PyDict>,
        place: Option<&Place<'_>>,
    ) -> Result<(), Fault> {
        for (key, value) in dict.iter() {
            let key = name_of(&key, place)?;
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

/// A key of a dict, which is a field's name.
pub fn name_of<'a>(
    key: &'a Bound<'_, PyAny>,
    place: Option<&Place<'_>>,
) -> Result<Cow<'a, str>, Fault> {
    let Ok(text) = key.cast::<PyString>() else {
        let of = place.map_or_else(|| "the message".to_owned(), Place::name);
        return Err(wrong_type(&format!("a key of {of}"), "a str", key).into());
    };
    text.to_cow().map_err(|_| {
        let path = place.map(Place::name).unwrap_or_default();
        Fault::of(ErrorCode::Message, "a key holds a lone surrogate", &path)
    })
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
