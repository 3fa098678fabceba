//! What callers give of a message: its JSON, or what they read or built of it before.

use std::borrow::Cow;

use bytes::Bytes;

use super::{Message, MessageBuilder, Refused};
use crate::model::error::{Error, ErrorCode, Result};

/// The files of a message, each with its place among the attachments.
pub type Files = Vec<(usize, Bytes)>;

/// A message that was read, or why there is none and whose it was.
pub type Parsed = std::result::Result<Message, Refused>;

/// A message to be sent, in one of the forms that a caller may have of it.
///
/// Bytes and text are its JSON.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "in a box, every message would cost an allocation")]
pub enum MessageSource<'a> {
    /// JSON. What is wrong in it is told by the receipt, unless it is no message at all.
    Json(&'a [u8]),
    /// JSON that tells only the size of its files, and their bytes.
    #[doc(hidden)]
    JsonWithFiles(&'a [u8], Files),
    /// A message that was read.
    Message(Message),
    /// What is known not to be a message: why, and whose it would have been.
    #[doc(hidden)]
    Refused { error: Error, account: String },
    /// A message that was put together field by field; what is wrong in it is told as of JSON.
    Builder(&'a MessageBuilder),
}

impl<'a> MessageSource<'a> {
    /// Reads it; `Err` if it is no message at all.
    #[inline]
    pub(crate) fn read(self) -> Result<Parsed> {
        match self {
            MessageSource::Json(json) => parse(json),
            MessageSource::JsonWithFiles(json, files) => parse_with(json, files),
            MessageSource::Message(message) => Ok(Ok(message)),
            MessageSource::Refused { error, account } => {
                Ok(Err(Refused { error, account: Some(account), key: None }))
            }
            MessageSource::Builder(builder) => Ok(built(builder)?.0),
        }
    }

    /// Reads it, and gives its JSON besides, without the files whose bytes stand beside that.
    pub(crate) fn read_with_json(self) -> Result<(Parsed, Cow<'a, [u8]>)> {
        match self {
            MessageSource::Json(json) => Ok((parse(json)?, Cow::Borrowed(json))),
            MessageSource::JsonWithFiles(json, files) => {
                Ok((parse_with(json, files)?, Cow::Borrowed(json)))
            }
            MessageSource::Message(message) => {
                let json = message.to_json().into_bytes();
                Ok((Ok(message), Cow::Owned(json)))
            }
            MessageSource::Builder(builder) => {
                let (parsed, json) = built(builder)?;
                Ok((parsed, Cow::Owned(json.into_bytes())))
            }
            refused @ MessageSource::Refused { .. } => Ok((refused.read()?, Cow::Borrowed(b""))),
        }
    }

    /// Reads it; what is no message at all is one that is wrong.
    pub(crate) fn read_any(self) -> Parsed {
        self.read().unwrap_or_else(none_at_all)
    }

    /// The same, and its JSON, if it is a message.
    pub(crate) fn read_any_with_json(self) -> (Parsed, Cow<'a, [u8]>) {
        self.read_with_json().unwrap_or_else(|error| (none_at_all(error), Cow::Borrowed(b"")))
    }
}

fn none_at_all(error: Error) -> Parsed {
    Err(Refused { error, account: None, key: None })
}

fn parse(json: &[u8]) -> Result<Parsed> {
    match Message::parse(json) {
        // What is no message at all is a failed call; everything else has a result.
        Err(refused) if refused.error.code() == ErrorCode::Argument => Err(refused.error),
        parsed => Ok(parsed),
    }
}

/// A message whose files stand beside its JSON; what is told there of others is refused with them.
fn parse_with(json: &[u8], files: Files) -> Result<Parsed> {
    let mut parsed = parse(json)?;
    if let Ok(message) = &mut parsed
        && !files.is_empty()
    {
        message.put_files(files);
    }
    Ok(parsed)
}

/// A message that was built, with its files, and its JSON without them.
fn built(builder: &MessageBuilder) -> Result<(Parsed, String)> {
    let json = builder.to_json();
    let mut parsed = parse(json.as_bytes())?;
    if let Ok(message) = &mut parsed {
        builder.add_files(message);
    }
    Ok((parsed, json))
}

impl<'a> From<&'a [u8]> for MessageSource<'a> {
    #[inline]
    fn from(json: &'a [u8]) -> MessageSource<'a> {
        MessageSource::Json(json)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for MessageSource<'a> {
    fn from(json: &'a [u8; N]) -> MessageSource<'a> {
        MessageSource::Json(json)
    }
}

impl<'a> From<&'a Vec<u8>> for MessageSource<'a> {
    fn from(json: &'a Vec<u8>) -> MessageSource<'a> {
        MessageSource::Json(json)
    }
}

impl<'a> From<&'a str> for MessageSource<'a> {
    fn from(json: &'a str) -> MessageSource<'a> {
        MessageSource::Json(json.as_bytes())
    }
}

impl<'a> From<&'a String> for MessageSource<'a> {
    fn from(json: &'a String) -> MessageSource<'a> {
        MessageSource::Json(json.as_bytes())
    }
}

impl From<Message> for MessageSource<'_> {
    fn from(message: Message) -> Self {
        MessageSource::Message(message)
    }
}

impl<'a> From<&'a MessageBuilder> for MessageSource<'a> {
    #[inline]
    fn from(builder: &'a MessageBuilder) -> MessageSource<'a> {
        MessageSource::Builder(builder)
    }
}
