//! The files of a message as Python gives them: paths, bytes, or dicts as in the JSON.

use std::path::Path;

use hongyan::bytes::Bytes;
use hongyan::{ErrorCode, Files};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use crate::encode::{Fault, Json, Place, wrong_type};
use crate::message::items;

/// The core's own limit of a file.
const MAX_FILE: usize = 100 << 20;

/// A file that was read.
#[pyclass(frozen, module = "hongyan._native")]
pub struct File {
    name: String,
    bytes: Bytes,
}

/// Reads a file without holding the interpreter; None where it cannot be read, which the core tells of
/// once it is given the path.
#[pyfunction]
pub fn load_file(py: Python<'_>, path: &str) -> Option<File> {
    let path = Path::new(path);
    let name = path.file_name()?.to_string_lossy().into_owned();
    let read = || hongyan::file::read_whole(path, MAX_FILE);
    py.detach(read).ok().map(|bytes| File { name, bytes: bytes.into() })
}

/// Writes attachments; those whose bytes are here go into `files`, and of them stand the sizes only.
pub fn encode(
    attachments: &Bound<'_, PyAny>,
    json: &mut Json,
    files: &mut Files,
) -> Result<(), Fault> {
    const WANTED: &str = "a list of paths, bytes, file objects, (name, bytes) or dicts";
    json.out.push(b'[');
    for (i, item) in items(attachments, "attachments", WANTED)?.enumerate() {
        if i > 0 {
            json.out.push(b',');
        }
        let path = format!("attachments[{i}]");
        let place = Place::field(&path);
        if item.is_instance_of::<PyDict>() {
            json.value(&item, &place)?;
            continue;
        }
        json.out.push(b'{');
        if let Ok(text) = item.cast::<PyString>() {
            json.key("path");
            json.string(text, &place)?;
        } else if let Ok(file) = item.cast::<File>() {
            let file = file.get();
            json.text("name", &file.name);
            put(json, files, i, file.bytes.clone());
        } else if let Ok(bytes) = item.cast::<PyBytes>() {
            json.text("name", "file");
            put(json, files, i, copied(bytes, &path)?);
        } else {
            named(&item, json, files, i, &path)?;
        }
        json.out.push(b'}');
    }
    json.out.push(b']');
    Ok(())
}

/// A tuple of a name, bytes and, if that is wanted, a media type.
fn named(
    item: &Bound<'_, PyAny>,
    json: &mut Json,
    files: &mut Files,
    i: usize,
    path: &str,
) -> Result<(), Fault> {
    let wrong = || -> Fault {
        let wanted = "a path, bytes, a file object, (name, bytes), (name, bytes, type) or a dict";
        wrong_type(path, wanted, item).into()
    };
    let tuple = item.cast::<PyTuple>().map_err(|_| wrong())?;
    if !(2..=3).contains(&tuple.len()) {
        return Err(wrong());
    }
    let (name, bytes) = (tuple.get_item(0)?, tuple.get_item(1)?);
    let place = Place::field(path);
    json.key("name");
    json.string(name.cast::<PyString>().map_err(|_| wrong())?, &place)?;
    if tuple.len() == 3 && !tuple.get_item(2)?.is_none() {
        json.key("type");
        json.string(tuple.get_item(2)?.cast::<PyString>().map_err(|_| wrong())?, &place)?;
    }
    put(json, files, i, copied(bytes.cast::<PyBytes>().map_err(|_| wrong())?, path)?);
    Ok(())
}

fn copied(bytes: &Bound<'_, PyBytes>, path: &str) -> Result<Bytes, Fault> {
    let bytes = bytes.as_bytes();
    if bytes.len() > MAX_FILE {
        return Err(Fault::of(ErrorCode::Message, "the file is larger than 100 MiB", path));
    }
    Ok(Bytes::copy_from_slice(bytes))
}

fn put(json: &mut Json, files: &mut Files, i: usize, bytes: Bytes) {
    json.key("size");
    json.number(bytes.len() as u64);
    files.push((i, bytes));
}
