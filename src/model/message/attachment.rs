//! A file that goes with a message.

use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::model::error::{Error, ErrorCode, Result};
use crate::model::fields::Fields;

/// The largest attachment, in bytes.
#[allow(dead_code, reason = "as above")]
const MAX_ATTACHMENT: usize = 100 << 20;

/// A file that goes with a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Attachment {
    /// What the file is called.
    pub name: Option<String>,
    /// Its media type.
    pub mime: Option<String>,
    /// Where its bytes are.
    pub source: Source,
}

/// Where the bytes of an attachment are.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// In a file, which is read when the message is accepted.
    Path(String),
    /// Here.
    Bytes(Bytes),
    /// Where the service fetches them itself.
    Url(String),
}

#[allow(dead_code, reason = "the services that carry files come next")]
impl Attachment {
    /// Reads the attachments of a message.
    pub(super) fn read_all(values: Vec<Value>) -> Result<Vec<Attachment>> {
        let values = values.into_iter().enumerate();
        values.map(|(i, value)| Attachment::read(value, format!("attachments[{i}]"))).collect()
    }

    fn read(value: Value, path: String) -> Result<Attachment> {
        let mut f = Fields::new(value, path, ErrorCode::Message)?;
        let (name, mime) = (f.string("name")?, f.string("type")?);
        let (file, data, url) = (f.string("path")?, f.string("data_base64")?, f.string("url")?);
        let source = match (file, data, url) {
            (Some(file), None, None) => Source::Path(file),
            (None, Some(data), None) => {
                let data = STANDARD.decode(&data);
                let bytes = data.map_err(|e| f.error("data_base64", format!("no base64: {e}")))?;
                Source::Bytes(bytes.into())
            }
            (None, None, Some(url)) => Source::Url(url),
            _ => {
                let words = "an attachment has one of \"path\", \"data_base64\" and \"url\"";
                return Err(f.error("path", words));
            }
        };
        if matches!(source, Source::Bytes(_)) && name.is_none() {
            return Err(f.missing("name"));
        }
        if let Some(mime) = mime.as_deref().filter(|mime| !is_media_type(mime)) {
            return Err(f.error("type", no_media_type(mime)));
        }
        f.finish()?;
        Ok(Attachment { name, mime, source })
    }

    /// The attachment as JSON, as which it reads again.
    pub(super) fn to_json(&self) -> Value {
        let mut value = match &self.source {
            Source::Path(path) => json!({"path": path}),
            Source::Bytes(bytes) => json!({"data_base64": STANDARD.encode(bytes)}),
            Source::Url(url) => json!({"url": url}),
        };
        for (name, text) in [("name", &self.name), ("type", &self.mime)] {
            if let Some(text) = text {
                value[name] = text.as_str().into();
            }
        }
        value
    }

    /// Reads the bytes of a file; `i` is its place in the message, for errors.
    pub fn load(&mut self, i: usize) -> Result<()> {
        let Source::Path(path) = &self.source else { return Ok(()) };
        let error = |words: String| {
            Error::new(ErrorCode::Message, words).at(format!("attachments[{i}].path"))
        };
        let bytes = read_file(Path::new(path)).map_err(error)?;
        if self.name.is_none() {
            let name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
            self.name = name;
        }
        self.source = Source::Bytes(bytes.into());
        Ok(())
    }

    /// What the file is called; a name for one that has none.
    pub fn file_name(&self) -> &str {
        let of_url = || match &self.source {
            Source::Url(url) => url.split(['?', '#']).next().and_then(|url| url.rsplit('/').next()),
            _ => None,
        };
        self.name.as_deref().or_else(of_url).filter(|name| !name.is_empty()).unwrap_or("file")
    }

    /// Its media type: as it was given, or as its name tells.
    pub fn media_type(&self) -> &str {
        let ending = self.file_name().rsplit_once('.').map(|(_, ending)| ending);
        let ending = ending.unwrap_or_default().to_ascii_lowercase();
        self.mime.as_deref().unwrap_or(match ending.as_str() {
            "jpg" | "jpeg" => "image/jpeg",
            "png" => "image/png",
            "gif" => "image/gif",
            "webp" => "image/webp",
            "svg" => "image/svg+xml",
            "mp3" => "audio/mpeg",
            "ogg" | "oga" => "audio/ogg",
            "mp4" => "video/mp4",
            "pdf" => "application/pdf",
            "txt" | "log" => "text/plain",
            "md" => "text/markdown",
            "csv" => "text/csv",
            "html" | "htm" => "text/html",
            "json" => "application/json",
            "zip" => "application/zip",
            _ => "application/octet-stream",
        })
    }

    /// True for a picture.
    pub fn is_image(&self) -> bool {
        self.media_type().starts_with("image/")
    }

    /// Its bytes, where they are here.
    pub fn bytes(&self) -> Option<&Bytes> {
        match &self.source {
            Source::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// True of `type/subtype`, with or without parameters: it goes into header fields.
fn is_media_type(text: &str) -> bool {
    let (own, parameters) = text.split_once(';').unwrap_or((text, ""));
    let is_token = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    let names = own.trim_end().split_once('/');
    names.is_some_and(|(of, sub)| is_token(of) && is_token(sub))
        && parameters.bytes().all(|b| matches!(b, b' '..=b'~'))
}

fn no_media_type(text: &str) -> String {
    format!("{text:?} is no media type: it is written like \"image/png\"")
}

/// Reads a regular file as a whole: another kind of file might never end.
#[allow(dead_code, reason = "as above")]
fn read_file(path: &Path) -> std::result::Result<Vec<u8>, String> {
    let shown = path.display();
    let unread = |e: std::io::Error| format!("{shown} cannot be read: {e}");
    if !std::fs::metadata(path).map_err(unread)?.is_file() {
        return Err(format!("{shown} is no regular file"));
    }
    let file = std::fs::File::open(path).map_err(unread)?;
    let mut bytes = Vec::new();
    let limit = MAX_ATTACHMENT as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(unread)?;
    match bytes.len() > MAX_ATTACHMENT {
        true => Err(format!("{shown} is larger than 100 MiB")),
        false => Ok(bytes),
    }
}
