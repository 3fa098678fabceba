//! Files: a photo, a document, or several of either as an album, in the request that sends the message.

use serde_json::{Map, Value};

use super::rich;
use crate::model::error::{Error, ErrorCode, Result, wrong};
use crate::model::message::{Attachment, Source};
use crate::service::text::Piece;
use crate::service::wire::json::Members as _;

/// The longest text beside files, in code points.
pub const MAX_CAPTION: u32 = 1024;
/// The most files in one message.
pub const MOST: u32 = 10;
/// The largest file that Telegram's own server takes, in bytes.
pub const MAX_FILE: u32 = 50 << 20;
/// The largest photo, in bytes; what is larger is a document.
const MAX_PHOTO: usize = 10_000_000;

/// The parameters that an album has at each of its files.
const OF_FILES: [&str; 3] =
    ["has_spoiler", "show_caption_above_media", "disable_content_type_detection"];
/// Those that it has where its caption is.
const OF_CAPTION: [&str; 2] = ["parse_mode", "caption_entities"];

/// Puts files into a body, with a text; tells the method.
pub fn put(
    body: &mut Map<String, Value>,
    files: &[Attachment],
    caption: Option<Piece>,
    own_server: bool,
) -> Result<&'static str> {
    if files.len() > MOST as usize {
        let words = format!("{} files; Telegram takes {MOST} in one message", files.len());
        return Err(Error::new(ErrorCode::TooLarge, words).at("attachments"));
    }
    let mut media = Vec::new();
    for (i, file) in files.iter().enumerate() {
        let size = file.bytes().map_or(0, |bytes| bytes.len());
        if size > MAX_FILE as usize && !own_server {
            let words = format!("the file has {size} bytes; Telegram takes {MAX_FILE}");
            return Err(Error::new(ErrorCode::TooLarge, words).at(format!("attachments[{i}]")));
        }
        media.push(match &file.source {
            Source::Url(url) if is_web(url) => url.clone(),
            Source::Url(_) => {
                let words = "Telegram fetches files from http:// and https:// only";
                return wrong(format!("attachments[{i}].url"), words);
            }
            _ => format!("attach://{}", part_of(i)),
        });
    }
    let is_photo = files.iter().all(is_photo);
    let kind = if is_photo { "photo" } else { "document" };
    if let [one] = &mut *media {
        body.put(kind, std::mem::take(one));
        caption.into_iter().for_each(|caption| rich::put(body, caption, rich::CAPTION));
        return Ok(if is_photo { "sendPhoto" } else { "sendDocument" });
    }
    let of_kind = |media: String| {
        let pairs = [("type".to_owned(), kind.into()), ("media".to_owned(), media.into())];
        pairs.into_iter().collect::<Map<String, Value>>()
    };
    let mut media: Vec<_> = media.into_iter().map(of_kind).collect();
    if let (Some(caption), Some(first)) = (caption, media.first_mut()) {
        rich::put(first, caption, rich::CAPTION);
    }
    body.put("media", media.into_iter().map(Value::from).collect::<Vec<_>>());
    Ok("sendMediaGroup")
}

/// Puts what concerns the files of an album to them.
pub fn settle(body: &mut Map<String, Value>) {
    if !body.get("media").is_some_and(Value::is_array) {
        return;
    }
    for (names, all) in [(&OF_FILES[..], true), (&OF_CAPTION[..], false)] {
        for name in names {
            let Some(value) = body.shift_remove(*name) else { continue };
            let media = body.get_mut("media").and_then(Value::as_array_mut);
            let most = if all { usize::MAX } else { 1 };
            for file in media.into_iter().flatten().take(most) {
                file[*name] = value.clone();
            }
        }
    }
}

/// The part of the form that a file stands in.
pub fn part_of(i: usize) -> String {
    format!("file{i}")
}

/// True for a picture that is shown as one; others keep their form as documents.
fn is_photo(file: &Attachment) -> bool {
    let kind = file.media_type().split(';').next().unwrap_or_default().trim();
    matches!(kind, "image/jpeg" | "image/png" | "image/webp")
        && file.bytes().is_none_or(|bytes| bytes.len() <= MAX_PHOTO)
}

fn is_web(url: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme))
}
