//! What is to be sent: one message from the arguments, or one or more from a file.

use std::io::{self, BufRead, IsTerminal as _};
use std::path::Path;

use hongyan::{Error, MessageBuilder};
use serde::de::IgnoredAny;

use crate::args::SendArgs;
use crate::exit::Usage;
use crate::output::diagnose;
use crate::{file, text};

/// What the arguments ask to send.
pub enum Messages {
    /// One message, as JSON.
    One(Vec<u8>),
    /// One message a line.
    Lines(Box<dyn BufRead>),
}

impl Messages {
    /// Reads what the arguments give or name.
    pub fn read(args: &SendArgs) -> anyhow::Result<Messages> {
        match (&args.message, args.account()) {
            (Some(path), _) => from_file(path),
            (None, Some(account)) => Ok(Messages::One(build(account, args)?.into_bytes())),
            (None, None) => {
                Err(Usage::argument("give an account, or a whole message with --message").into())
            }
        }
    }
}

fn from_file(path: &Path) -> anyhow::Result<Messages> {
    let cannot = |e| Usage::argument(format!("cannot read {}: {e}", path.display()));
    let extension = path.extension().unwrap_or_default();
    if extension == "jsonl" || extension == "ndjson" {
        let file = file::open(path).map_err(cannot)?;
        return Ok(Messages::Lines(text::lines(file).map_err(cannot)?));
    }
    let bytes = text::read(path).map_err(cannot)?.into_bytes();
    Ok(if is_lines(&bytes) {
        Messages::Lines(Box::new(io::Cursor::new(bytes)))
    } else {
        Messages::One(bytes)
    })
}

/// True for more than one line of which the first is JSON by itself.
fn is_lines(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !is_blank(line));
    let first = lines.next().unwrap_or_default();
    serde_json::from_slice::<IgnoredAny>(first).is_ok() && lines.next().is_some()
}

/// True for a line that holds nothing.
pub fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// The message that the arguments spell, as JSON; what is wrong with them is an error.
fn build(account: &str, args: &SendArgs) -> anyhow::Result<String> {
    let has_other = !args.part.is_empty() || args.files().next().is_some();
    let text = match (args.text.as_deref(), !has_other) {
        (Some("-"), _) | (None, true) => Some(text_from_stdin()?).filter(|text| !text.is_empty()),
        (Some(text), _) => Some(text.to_owned()),
        (None, false) => None,
    };
    Ok(spelled(account, args, text.as_deref()).map_err(Usage::from)?)
}

fn spelled(account: &str, args: &SendArgs, text: Option<&str>) -> Result<String, Error> {
    let mut builder = MessageBuilder::new(account);
    for (kind, value) in &args.to {
        builder.to(kind, value)?;
    }
    if let Some(text) = text {
        builder.text(text);
    }
    for part in &args.part {
        builder.part_json(part.as_bytes())?;
    }
    let files: Vec<_> = args.files().map(attachment).collect();
    if !files.is_empty() {
        let files = serde_json::Value::from(files).to_string();
        builder.field_json("attachments", files.as_bytes())?;
    }
    for (field, value) in [("reply_to", &args.reply_to), ("key", &args.key)] {
        if let Some(value) = value {
            let json = serde_json::Value::from(value.as_str()).to_string();
            builder.field_json(field, json.as_bytes())?;
        }
    }
    if let Some(extra) = &args.extra {
        builder.field_json("extra", extra.as_bytes()).map_err(|e| match e.path() {
            Some(_) => e,
            None => e.at("extra"),
        })?;
    }
    Ok(builder.to_json())
}

/// A file by its path, or by a URL that the service fetches it from.
pub fn attachment(text: &str) -> serde_json::Value {
    let is_url = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
    serde_json::json!({if is_url { "url" } else { "path" }: text})
}

fn text_from_stdin() -> Result<String, Usage> {
    if io::stdin().is_terminal() {
        diagnose("hongyan: reading the text from the terminal; end it with Ctrl-D");
    }
    let read = text::read(Path::new("-"));
    let mut text = read.map_err(|e| Usage::argument(format!("cannot read the text: {e}")))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_from_one_message_over_several_lines() {
        assert!(is_lines(b"{\"v\": 1}\n\n{\"v\": 1}\n"));
        assert!(is_lines(b"\n{}\nnonsense"));
        for one in [&b"{\"v\": 1}\n"[..], b"{\n\"v\": 1}\n", b"", b"nonsense\n{}"] {
            assert!(!is_lines(one));
        }
    }
}
