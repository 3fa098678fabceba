//! The bodies of a message to WhatsApp: its text, and each file as a message of its own.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::model::error::{Error, ErrorCode, Result, wrong};
use crate::model::message::{Attachment, Kind, Message, Source};
use crate::service::api::{Body, Draft, ScopeKey, Seed};
use crate::service::check::recipient;
use crate::service::extra;
use crate::service::info::{Info, Scope};
use crate::service::robot;
use crate::service::text::{Markup, Piece, Rules, Title, Unit, compose};
use crate::service::wire::json::{self, Members as _, object};
use crate::service::wire::multipart::Multipart;

/// The longest text, in code points.
pub const MAX_TEXT: u32 = 4096;
/// A blank that hardly shows: no mark begins before white space.
const HAIR: char = '\u{200a}';

/// What a message may be instead of a text.
const CONTENTS: [&str; 10] = [
    "template",
    "interactive",
    "location",
    "contacts",
    "reaction",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
];

/// The parameters of the document that no field of a message sets alone.
pub const EXTRA: [&str; 15] = [
    "type",
    "text",
    "template",
    "interactive",
    "location",
    "contacts",
    "reaction",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "context",
    "recipient_type",
    "biz_opaque_callback_data",
];

/// The drafts of a message: its text or what stands in `extra`, and then its files.
pub fn encode(message: &Message, info: &Info, seed: Seed) -> Result<Draft> {
    let to = phone(recipient(message, Kind::Phone)?)?;
    let given = |name: &str| {
        message.extra.as_ref().and_then(|extra| extra.get(name)).filter(|value| !value.is_null())
    };
    let content = CONTENTS.into_iter().find(|name| given(name).is_some());
    let rules = Rules {
        unit: Unit::Own(length, "characters"),
        most: MAX_TEXT as usize,
        markup: Markup::Plain,
        title: Title::FirstLine,
    };
    let mut head = Map::new();
    head.put("messaging_product", "whatsapp");
    head.put("recipient_type", given("recipient_type").cloned().unwrap_or("individual".into()));
    head.put("to", to.as_str());
    if let Some(echo) = given("biz_opaque_callback_data") {
        head.put("biz_opaque_callback_data", echo.clone());
    }
    let with_type = |kind: &str| {
        let mut body = head.clone();
        body.put("type", kind);
        body
    };
    let has_words = robot::has_words(message) || message.title.is_some();
    let (mut bodies, mut notes) = (Vec::new(), Vec::new());
    match content {
        Some(name) if has_words => {
            let words = format!("beside {name:?} there is no place for a text: leave one out");
            return wrong(format!("extra.{name}"), words);
        }
        Some(name) => bodies.push(match given("type") {
            Some(_) => head.clone(),
            None => with_type(name),
        }),
        None if has_words => {
            let pieces = compose(message, &rules)?;
            notes = pieces.first().map(Piece::notes).unwrap_or_default();
            for piece in pieces.iter().filter(|piece| !piece.text.trim().is_empty()) {
                let mut body = with_type("text");
                body.put("text", object! {"body": unmarked(&piece.text)});
                bodies.push(body);
            }
        }
        None => {}
    }
    let mut files = Vec::new();
    for (i, file) in message.attachments.iter().enumerate() {
        files.push((with_type(kind_of(file)), file_of(file, Seed(seed.0.wrapping_add(i as u64)))));
    }
    let Some(first) = bodies.first_mut().or(files.first_mut().map(|(body, _)| body)) else {
        let words = "the message is empty: give \"text\", files, or a \"template\" in \"extra\"";
        return Err(Error::new(ErrorCode::Message, words).at("text"));
    };
    if let Some(answered) = &message.reply_to {
        first.put("context", object! {"message_id": answered.as_str()});
    }
    extra::merge(first, message, info)?;
    let texts = bodies.iter().map(Draft::json);
    let files = files.into_iter().map(|(body, file)| file.into_draft(body));
    let scope = |draft: Draft| Draft {
        scopes: vec![ScopeKey { scope: Scope::Recipient, key: to.clone() }],
        ..draft
    };
    let drafts: Vec<_> = texts.chain(files).map(scope).collect();
    Ok(Draft::first_of(drafts, notes).unwrap_or_default())
}

/// A number as it is dialled from abroad: its digits, before which a `+` may stand.
fn phone(given: &str) -> Result<String> {
    let digits = given.strip_prefix('+').unwrap_or(given);
    let is_one = (5..=15).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0');
    match is_one {
        true => Ok(format!("+{digits}")),
        false => {
            let words = format!(
                "{given:?} is no number with the code of its country: digits only, such as +8613800138000"
            );
            wrong("to.phone", words)
        }
    }
}

/// True for a mark that WhatsApp's apps would read as the beginning of markup, between these.
fn is_mark(before: Option<char>, c: char, next: Option<char>) -> bool {
    "*_~`".contains(c)
        && !before.is_some_and(char::is_alphanumeric)
        && next.is_some_and(|next| !next.is_whitespace())
}

/// The text with a blank that hardly shows behind each mark that would begin bold, italic, struck or code.
fn unmarked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut before = None;
    while let Some(c) = letters.next() {
        out.push(c);
        if is_mark(before, c, letters.peek().copied()) {
            out.push(HAIR);
        }
        before = Some(c);
    }
    out
}

/// How long a text is as it is sent, in code points.
fn length(text: &str) -> usize {
    let (mut count, mut before) = (0, None);
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        count += 1 + usize::from(is_mark(before, c, letters.peek().copied()));
        before = Some(c);
    }
    count
}

/// What a file is sent as.
fn kind_of(file: &Attachment) -> &'static str {
    match file.media_type() {
        "image/jpeg" | "image/png" => "image",
        "image/webp" => "sticker",
        "video/mp4" | "video/3gpp" => "video",
        kind if kind.starts_with("audio/") => "audio",
        _ => "document",
    }
}

/// Where a file comes from.
enum File {
    /// A form that uploads it, and what stands beside its id.
    Form((String, Body), Map<String, Value>),
    /// The object that has its URL.
    Link(Map<String, Value>),
}

fn file_of(file: &Attachment, seed: Seed) -> File {
    let mut own = Map::new();
    if kind_of(file) == "document" {
        own.put("filename", file.file_name());
    }
    if let Source::Url(url) = &file.source {
        own.put("link", url.as_str());
        return File::Link(own);
    }
    let form = Multipart::new(seed)
        .text("messaging_product", "whatsapp")
        .text("type", file.media_type())
        .file("file", file);
    File::Form(form.finish(), own)
}

impl File {
    /// The draft of a file's message: with a form its id comes into the body once it is known.
    fn into_draft(self, mut body: Map<String, Value>) -> Draft {
        let kind = body.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        match self {
            File::Link(own) => {
                body.put(&kind, Value::Object(own));
                Draft::json(&body)
            }
            File::Form(form, own) => {
                let own = Value::Object(own).to_string();
                let params = vec![("kind", kind), ("own", own)];
                Draft { params, ..Draft::json(&body).with_form(form) }
            }
        }
    }
}

/// The body of a draft, with the id of its file once that is uploaded.
pub fn with_media(draft: &Draft, id: Option<&str>) -> Body {
    let param = |name: &str| {
        let found = draft.params.iter().find(|(own, _)| *own == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    let Some(id) = id else { return Body::One(draft.body.clone()) };
    let own = match param("own") {
        "" | "{}" => "}".to_owned(),
        own => format!(",{}", &own[1..]),
    };
    let head = format!("{{{}:{{\"id\":{}{own},", json::quoted(param("kind")), json::quoted(id));
    Body::Several(vec![Bytes::from(head), draft.body.slice(1..)])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::config::AccountConfig;
    use crate::service;

    fn encoded(fields: &Value) -> Result<Draft> {
        let auth = json!({"type": "token", "token": "t"});
        let config = json!({"service": "whatsapp_cloud", "phone_number_id": "1", "auth": auth});
        let config = AccountConfig::from_value(config, "account").expect("a configuration");
        let (_, opened) = service::open(config).expect("an account");
        let mut message = json!({"v": 1, "account": "a", "to": {"phone": "+8613800138000"}});
        let own = fields.as_object().expect("an object").clone();
        message.as_object_mut().expect("an object").extend(own);
        opened.account.encode(&Message::from_json(&message.to_string())?, Seed(7))
    }

    fn body(draft: &Draft) -> Value {
        serde_json::from_slice(&draft.body).expect("JSON")
    }

    #[test]
    fn what_whatsapp_would_refuse_is_refused_where_it_stands() {
        use ErrorCode::{Message as Wrong, TooLarge, Unsupported};
        let template = json!({"name": "t", "language": {"code": "en_US"}});
        for (fields, code, path) in [
            (json!({}), Wrong, "text"),
            (json!({"text": " "}), Wrong, "text"),
            (json!({"text": "x", "to": null}), Wrong, "to.phone"),
            (json!({"text": "x", "to": {"phone": "013800138000"}}), Wrong, "to.phone"),
            (json!({"text": "x", "to": {"phone": "+86 138"}}), Wrong, "to.phone"),
            (json!({"text": "x", "to": {"phone": "+1234567890123456"}}), Wrong, "to.phone"),
            (json!({"text": "x", "to": {"user": "1"}}), Unsupported, "to.user"),
            (json!({"text": "x".repeat(4097)}), TooLarge, "text"),
            (json!({"text": "x", "extra": {"template": template}}), Wrong, "extra.template"),
            (json!({"text": "x", "extra": {"type": "image"}}), Wrong, "extra.type"),
            (json!({"text": "x", "extra": {"text": {"body": "y"}}}), Wrong, "extra.text.body"),
            (json!({"text": "x", "thread": "t"}), Unsupported, "thread"),
        ] {
            let error = encoded(&fields).expect_err(&fields.to_string());
            assert_eq!((error.code(), error.path()), (code, Some(path)), "{fields:.200}: {error}");
        }
        encoded(&json!({"text": "字".repeat(4096)})).expect("as long as it may be");
    }

    #[test]
    fn words_stay_words() {
        for (text, sent) in [
            ("2*3 a_b_c", "2*3 a_b_c"),
            ("*bold* and _it_", "*\u{200a}bold* and _\u{200a}it_"),
            ("`x` ~y~ * z", "`\u{200a}x` ~\u{200a}y~ * z"),
        ] {
            assert_eq!(unmarked(text), sent);
            assert_eq!(length(text), sent.chars().count());
        }
    }

    #[test]
    fn a_template_needs_no_text_and_tells_its_type() {
        let template = json!({"name": "disk", "language": {"code": "en_US"}});
        let own = body(&encoded(&json!({"extra": {"template": template}})).expect("a template"));
        assert_eq!((own["type"].as_str(), &own["template"]), (Some("template"), &template));
        let more = json!({"text": "x", "reply_to": "wamid.1", "extra": {"text": {"preview_url": true},
            "biz_opaque_callback_data": "7"}});
        let own = body(&encoded(&more).expect("a text"));
        assert_eq!(own["text"], json!({"body": "x", "preview_url": true}));
        assert_eq!(own["context"]["message_id"], "wamid.1");
        assert_eq!(own["biz_opaque_callback_data"], "7");
    }

    #[test]
    fn each_file_is_a_message_of_its_own_behind_the_text() {
        let file = |name: &str| json!({"name": name, "data_base64": "AAAA"});
        let link = json!({"url": "https://example.com/a.pdf", "name": "a.pdf"});
        let files = json!([file("a.png"), file("鸿雁.txt"), link]);
        let draft = encoded(&json!({"text": "x", "reply_to": "w1", "attachments": files}));
        let draft = draft.expect("a text and three files");
        let kinds: Vec<_> = draft.pieces.iter().map(|piece| body(piece)["type"].clone()).collect();
        assert_eq!(kinds, ["image", "document", "document"]);
        let whole = |piece: &Draft, id| -> Value {
            serde_json::from_slice(&with_media(piece, id).whole()).expect("JSON")
        };
        assert_eq!(whole(&draft.pieces[0], Some("22"))["image"], json!({"id": "22"}));
        let document = json!({"id": "2\"2", "filename": "鸿雁.txt"});
        assert_eq!(whole(&draft.pieces[1], Some("2\"2"))["document"], document);
        let linked = json!({"filename": "a.pdf", "link": "https://example.com/a.pdf"});
        assert_eq!(whole(&draft.pieces[2], None)["document"], linked);
        assert!(body(&draft)["context"].is_object() && body(&draft.pieces[0])["context"].is_null());
    }
}
