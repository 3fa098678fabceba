//! A file that goes with a message.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use url::Url;

use super::{BLANK, Message, is_blank};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::fields::{Fields, shown_path};
use crate::model::file::read_whole;

/// The largest attachment, in bytes.
pub const MAX_ATTACHMENT: usize = 100 << 20;

/// The most that the attachments of a message have together, in bytes.
const MAX_TOGETHER: usize = 512 << 20;

/// How many bytes an outbox has of a file.
const KEPT: &str = "size";

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
#[derive(Clone, PartialEq)]
pub enum Source {
    /// In a file, which is read when the message is accepted.
    Path(String),
    /// Here.
    Bytes(Bytes),
    /// Where the service fetches them itself.
    Url(String),
    /// In an outbox, so many of them.
    Kept(u64),
}

/// The bytes may be many, and nobody else's.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Path(path) => write!(f, "Path({path:?})"),
            Source::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Source::Url(url) => write!(f, "Url({url:?})"),
            Source::Kept(length) => write!(f, "Kept({length} bytes)"),
        }
    }
}

impl Attachment {
    /// A file whose bytes are here; `i` is its place in the message, for errors.
    pub fn new(i: usize, name: &str, mime: Option<&str>, bytes: Bytes) -> Result<Attachment> {
        let error = |field: &str, words: String| {
            Err(Error::new(ErrorCode::Message, words).at(format!("attachments[{i}].{field}")))
        };
        if is_blank(name) {
            return error("name", BLANK.to_owned());
        }
        if bytes.len() > MAX_ATTACHMENT {
            let words = "the file is larger than 100 MiB";
            let error = Error::new(ErrorCode::Message, words);
            return Err(error.at(format!("attachments[{i}]")));
        }
        if let Some(mime) = mime.filter(|mime| !is_media_type(mime)) {
            return error("type", no_media_type(mime));
        }
        let (name, mime) = (Some(name.to_owned()), mime.map(str::to_owned));
        Ok(Attachment { name, mime, source: Source::Bytes(bytes) })
    }

    /// Reads the attachments of a message.
    pub(super) fn read_all(values: Vec<Value>) -> Result<Vec<Attachment>> {
        let values = values.into_iter().enumerate();
        values.map(|(i, value)| Attachment::read(value, format!("attachments[{i}]"))).collect()
    }

    fn read(value: Value, path: String) -> Result<Attachment> {
        let mut f = Fields::new(value, path, ErrorCode::Message)?;
        let (name, mime) = (f.string("name")?, f.string("type")?);
        let (file, data, url) = (f.string("path")?, f.string("data_base64")?, f.string("url")?);
        // As an outbox writes it; elsewhere it is refused once files are read.
        let kept =
            if (&file, &data, &url) == (&None, &None, &None) { f.unsigned(KEPT)? } else { None };
        let source = match (file, data, url) {
            _ if kept.is_some() => Source::Kept(kept.unwrap_or_default()),
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
            Source::Kept(length) => json!({KEPT: length}),
        };
        for (name, text) in [("name", &self.name), ("type", &self.mime)] {
            if let Some(text) = text {
                value[name] = text.as_str().into();
            }
        }
        value
    }

    /// Reads the bytes of a file; `i` is its place in the message, for errors.
    fn load(&mut self, i: usize) -> Result<()> {
        let error = |field: &str, words: String| {
            Err(Error::new(ErrorCode::Message, words).at(format!("attachments[{i}].{field}")))
        };
        let path = match &self.source {
            Source::Path(path) => path,
            Source::Url(url) if !is_web_url(url) => {
                return error("url", "a service fetches from http:// and https:// only".to_owned());
            }
            Source::Kept(_) => {
                return error(KEPT, format!("unknown field {KEPT:?}: give \"path\""));
            }
            Source::Bytes(_) | Source::Url(_) => return Ok(()),
        };
        let bytes = match read_whole(Path::new(path), MAX_ATTACHMENT) {
            Ok(bytes) => bytes,
            Err(e) => return error("path", format!("{} cannot be read: {e}", shown_path(path))),
        };
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
            "amr" => "audio/amr",
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
    #[cfg_attr(not(test), allow(dead_code, reason = "a service of the tests alone needs it"))]
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

/// True of a URL that a service can fetch from.
fn is_web_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

impl Message {
    /// True if files have to be read before it is sent.
    pub(crate) fn has_paths(&self) -> bool {
        self.attachments.iter().any(|file| matches!(file.source, Source::Path(_)))
    }

    /// The place of the first file that is named by its path.
    pub(crate) fn first_path(&self) -> Option<usize> {
        self.attachments.iter().position(|file| matches!(file.source, Source::Path(_)))
    }

    /// Reads the files that are named by their paths.
    pub(crate) fn load_files(&mut self) -> Result<()> {
        let mut together = 0;
        for (i, file) in self.attachments.iter_mut().enumerate() {
            file.load(i)?;
            together += file.bytes().map_or(0, Bytes::len);
            if together > MAX_TOGETHER {
                let words = "the attachments are larger than 512 MiB together";
                return Err(Error::new(ErrorCode::Message, words).at(format!("attachments[{i}]")));
            }
        }
        Ok(())
    }

    /// Puts zeros in the place of files that a store has, for people who look at the message.
    #[cfg(feature = "outbox")]
    pub(crate) fn stand_in_for_files(&mut self) {
        for file in &mut self.attachments {
            if let Source::Kept(length) = file.source {
                let length = usize::try_from(length).unwrap_or_default().min(MAX_ATTACHMENT);
                file.source = Source::Bytes(vec![0; length].into());
            }
        }
    }

    /// Takes the bytes of its files out for a store, which has them as they are; each with its place.
    pub(crate) fn take_files(&mut self) -> Vec<(usize, Bytes)> {
        let files = self.attachments.iter_mut().enumerate();
        let files = files.filter_map(|(i, file)| match &file.source {
            Source::Bytes(bytes) => {
                let bytes = bytes.clone();
                file.source = Source::Kept(bytes.len() as u64);
                Some((i, bytes))
            }
            _ => None,
        });
        files.collect()
    }

    /// Puts the bytes of its files back; false if there are not those that were taken.
    pub(crate) fn put_files(&mut self, files: Vec<(usize, Bytes)>) -> bool {
        for (i, bytes) in files {
            match self.attachments.get_mut(i) {
                Some(file) if file.source == Source::Kept(bytes.len() as u64) => {
                    file.source = Source::Bytes(bytes);
                }
                _ => return false,
            }
        }
        !self.attachments.iter().any(|file| matches!(file.source, Source::Kept(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(attachment: &str) -> Result<Message> {
        let json = format!(r#"{{"v":1,"account":"a","text":"x","attachments":[{attachment}]}}"#);
        let mut message = Message::from_json(&json)?;
        message.load_files()?;
        Ok(message)
    }

    fn refused(attachment: &str) -> (ErrorCode, String) {
        let error = message(attachment).expect_err(attachment);
        (error.code(), error.path().unwrap_or_default().to_owned())
    }

    #[test]
    fn what_is_wrong_with_an_attachment_is_told_with_its_path() {
        for (attachment, path) in [
            (r#"{"path":"/nowhere/a.png"}"#, "attachments[0].path"),
            (r#"{"path":"/dev/zero"}"#, "attachments[0].path"),
            (r#"{"path":"/"}"#, "attachments[0].path"),
            (r#"{"path":""}"#, "attachments[0].path"),
            (r#"{"path":"a","url":"https://a"}"#, "attachments[0].path"),
            (r#"{"name":"a"}"#, "attachments[0].path"),
            (r#"{"data_base64":"YQ=="}"#, "attachments[0].name"),
            (r#"{"name":"a","data_base64":"?"}"#, "attachments[0].data_base64"),
            (r#"{"name":"a","data_base64":"YQ==","type":"a"}"#, "attachments[0].type"),
            (r#"{"name":"a","data_base64":"YQ==","type":"a/b\r\nX: y"}"#, "attachments[0].type"),
            (r#"{"name":"a","size":1}"#, "attachments[0].size"),
            (r#"{"path":"a","size":1}"#, "attachments[0].size"),
            (r#"{"url":"file:///etc/passwd"}"#, "attachments[0].url"),
            (r#"{"url":"https://a/b"},{"path":"/nowhere"}"#, "attachments[1].path"),
        ] {
            assert_eq!(refused(attachment), (ErrorCode::Message, path.to_owned()), "{attachment}");
        }
        assert!(message(r#"{"url":"https://a/b.png"}"#).is_ok());
        assert!(message(r#"{"name":"a","data_base64":"","type":"text/plain; charset=x"}"#).is_ok());
    }

    #[test]
    fn a_file_is_read_whole_and_has_its_own_name_and_type() {
        let folder = std::env::temp_dir().join(format!("hongyan-files-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("天地.png");
        std::fs::write(&path, b"PNG").expect("a file");
        let read = |path: &Path| message(&json!({"path": path}).to_string());
        let file = read(&path).expect("a file").attachments.remove(0);
        assert_eq!((file.file_name(), file.media_type()), ("天地.png", "image/png"));
        assert_eq!(file.bytes().expect("read").as_ref(), b"PNG");
        let sparse = folder.join("sparse");
        let made = std::fs::File::create(&sparse).expect("a file");
        made.set_len(MAX_ATTACHMENT as u64 + 1).expect("long");
        drop(made);
        let error = read(&sparse).expect_err("too long");
        assert_eq!(error.path(), Some("attachments[0].path"));
        assert!(error.message().contains("larger than 100 MiB"), "{error}");
        std::fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn files_are_taken_out_for_a_store_and_put_back() {
        let mut one = message(
            r#"{"name":"a","data_base64":"YWJj"},{"url":"https://a/b"},{"name":"c","data_base64":""}"#,
        )
        .expect("a message");
        let whole = one.attachments.clone();
        let files = one.take_files();
        assert_eq!(files, [(0, Bytes::from_static(b"abc")), (2, Bytes::new())]);
        let kept = Message::from_json(&one.to_json()).expect("what a store has");
        let mut again = kept.clone();
        assert!(again.put_files(files.clone()));
        assert_eq!(again.attachments, whole);
        for lost in [&files[1..], &[(0, Bytes::from_static(b"ab")), (2, Bytes::new())]] {
            assert!(!kept.clone().put_files(lost.to_vec()), "{lost:?}");
        }
    }
}
