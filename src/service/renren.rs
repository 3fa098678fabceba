//! Renren: `v2/share/talk/put`, its parameters in the query or a form, with a Bearer or MAC token.

mod verdicts;

use bytes::Bytes;
use serde_json::Value;
use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, MAX_URL, Opened, Reading, Seed, Service, Stamp,
};
use super::auth::hint_at_signing_url;
use super::auth::mac::Mac;
use super::auth::token::Token;
use super::check::{check, refuse_nul};
use super::info::{self, Field, FieldKind, Info};
use super::judge::{excerpt, is_success, text, trimmed};
use super::opening::Opening;
use super::text::{Markup, Rules, Title, Unit, compose};
use super::verdict::{self, Code};
use super::wire::form;
use super::wire::json::{members, parsed};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::fields::Fields;
use crate::model::json;
use crate::model::message::{BLANK, Format, Kind, Message, Part, is_blank};
use crate::model::receipt::Note;
use crate::model::secret::Secret;

const HOST: &str = "https://api.renren.com";
const PATH: &str = "v2/share/talk/put";

/// The parameters, in the order of the document's table.
const PARAMETERS: [&str; 16] = [
    "text",
    "packageName",
    "gameExtInfo",
    "headSrc",
    "longitude",
    "messageType",
    "resourceTitle",
    "latitude",
    "discussIds",
    "poiAddress",
    "originalSrc",
    "groupIds",
    "scheme",
    "userIds",
    "resourceDescription",
    "resourceLink",
];

/// What to do where a URL is too long.
const IN_A_FORM: &str = "set \"params\": \"form\" in the account: a form can be longer than a URL";

/// Those that name recipients, joined by commas.
const RECIPIENTS: [&str; 3] = ["userIds", "groupIds", "discussIds"];

static INFO: Info = Info {
    name: "renren",
    title: "Renren talk",
    auth: &[
        info::Auth {
            name: "bearer",
            fields: &[Token::FIELD],
            words: "OAuth 2 with a bearer token",
        },
        Mac::AUTH,
    ],
    fields: &[
        Field::optional(
            "params",
            FieldKind::Choice(&["query", "form"]),
            "`query`: the parameters stand in the URL, as the document's example and the vendor's \
             clients have it. `form`: in the body",
        ),
        Field::optional(
            "base_url",
            FieldKind::Base,
            "`https://api.renren.com` by default; http for this machine, and anywhere with a MAC",
        ),
        Field::optional(
            "signing_url",
            FieldKind::Base,
            "what a MAC is made from, where that is not the URL as sent",
        ),
    ],
    to: &["users", "groups", "discussions"],
    parts: &["text", "link", "location"],
    needs_content: false,
    extra: &PARAMETERS,
    ended: Some("the service stopped in December 2024"),
    document: "Renren API 2.0, v2/share/talk/put",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

enum Auth {
    Bearer(Token),
    Mac(Mac),
}

struct RenrenAccount {
    auth: Auth,
    in_form: bool,
    url: Url,
    signing_url: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let auth = match opening.auth() {
        "bearer" => Auth::Bearer(Token::open(&mut opening)),
        _ => Auth::Mac(Mac::open(&mut opening)?),
    };
    let in_form = opening.word("params") == Some("form");
    // A MAC keeps its key to itself, which is why Renren's own clients send it over http.
    let url = opening.endpoint(HOST, PATH, matches!(auth, Auth::Mac(_)))?;
    let signing_url = opening.signing_url(opening.base_url().map_or(HOST, Url::as_str), PATH)?;
    let identity = match &auth {
        Auth::Bearer(token) => token.text().to_owned(),
        Auth::Mac(mac) => mac.token().to_owned(),
    };
    let account = RenrenAccount { auth, in_form, url: url.clone(), signing_url };
    Ok(opening.opened(url, &identity, account))
}

impl Account for RenrenAccount {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        let said = said(message)?;
        let own = own_parameters(said.as_ref().map_or(message, |(plain, _)| plain))?;
        let notes = said.map(|(_, notes)| notes).unwrap_or_default();
        let extra = message.extra.clone().unwrap_or_default();
        let mut f = Fields::new(extra.into(), "extra", ErrorCode::Message)?;
        let mut params = Vec::new();
        for name in PARAMETERS {
            let set = own.iter().find(|(own, ..)| *own == name);
            match (f.string(name)?, set) {
                (Some(_), Some((.., by))) => {
                    return Err(f.error(name, format!("{name:?} is set by {by} already")));
                }
                (Some(ids), None) if RECIPIENTS.contains(&name) && ids.split(',').any(is_blank) => {
                    return Err(f.error(name, BLANK));
                }
                (Some(value), None) => params.push((name, value)),
                (None, Some((_, value, _))) => params.push((name, value.clone())),
                (None, None) => {}
            }
        }
        for (name, why) in [
            ("messageType", "the document requires it and lists its values nowhere: ask Renren"),
            ("resourceTitle", "the document requires it: give it here, or in a link part"),
        ] {
            if !params.iter().any(|(own, value)| *own == name && !value.is_empty()) {
                return Err(f.error(name, format!("the field {name:?} is required; {why}")));
            }
        }
        f.finish()?;
        refuse_nul(message)?;
        let body = form::body(&params);
        let length = self.url.as_str().len() + 1 + body.len();
        if !self.in_form && length > MAX_URL {
            return Err(too_long(length, &params, &own));
        }
        Ok(Draft { body: body.into(), notes, ..Draft::default() })
    }

    fn next(&self, draft: &Draft, at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let (mut url, mut signing_url) = (self.url.clone(), self.signing_url.clone());
        let mut body = draft.body.clone();
        if !self.in_form {
            let query = String::from_utf8_lossy(&body);
            url.set_query(Some(&query));
            signing_url.set_query(Some(&query));
            body = Bytes::new();
        }
        let (authorization, signatures) = match &self.auth {
            Auth::Bearer(token) => (token.header("Bearer"), Vec::new()),
            Auth::Mac(mac) => {
                let signed = mac.sign(&signing_url, at.unix, &nonce(at.nonce));
                (signed.header, vec![signed.signature])
            }
        };
        let request = HttpRequest::post(url, form::CONTENT_TYPE, body);
        Exchange::commit(request.authorized(Some(authorization))).with_secrets(signatures)
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        read(answer)
    }

    fn hint(&self, answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match &self.auth {
            _ if answer.status == 414 && !self.in_form => Some(IN_A_FORM),
            Auth::Mac(_) => hint_at_signing_url(reading),
            Auth::Bearer(_) => None,
        }
    }
}

/// The error of a message that no URL can carry, at the longest of its parameters.
fn too_long(length: usize, params: &[(&'static str, String)], own: &[Own]) -> Error {
    let longest = params.iter().max_by_key(|(_, value)| value.len()).map_or("", |(name, _)| *name);
    let path = match own.iter().find(|(name, ..)| *name == longest) {
        Some((.., by)) if *by == "text" || by.starts_with("to.") => (*by).to_owned(),
        Some(_) => "parts".to_owned(),
        None => format!("extra.{longest}"),
    };
    let words =
        format!("all parameters go into the URL, of {length} bytes then; it can have {MAX_URL}");
    Error::new(ErrorCode::TooLarge, words).at(path).hint(IN_A_FORM)
}

/// Eight letters and digits, as Renren's own clients send.
fn nonce(number: u128) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digit = |i: u32| ALPHABET[(number / 62u128.pow(i) % 62) as usize] as char;
    (0..8).map(digit).collect()
}

const RULES: Rules =
    Rules { unit: Unit::Bytes, most: usize::MAX, markup: Markup::Plain, title: Title::FirstLine };

/// The same message with a plain text and no title, where it is written otherwise.
fn said(message: &Message) -> Result<Option<(Message, Vec<Note>)>> {
    if message.title.is_none() && message.format == Format::Plain {
        return Ok(None);
    }
    let is_text = |part: &Part| matches!(part, Part::Text(_));
    let mut words = message.clone();
    words.parts.retain(is_text);
    let mut piece = compose(&words, &RULES)?.remove(0);
    let notes = piece.notes();
    let mut plain = Message { text: None, ..message.clone() };
    plain.parts.retain(|part| !is_text(part));
    plain.parts.insert(0, Part::Text(std::mem::take(&mut piece.text)));
    Ok(Some((plain, notes)))
}

/// A parameter, its value, and which field of the message sets it.
type Own = (&'static str, String, &'static str);

/// The parameters that the message's own fields set.
fn own_parameters(message: &Message) -> Result<Vec<Own>> {
    let mut own: Vec<Own> = Vec::new();
    for (name, ids, path) in [
        ("userIds", Kind::Users, "to.users"),
        ("groupIds", Kind::Groups, "to.groups"),
        ("discussIds", Kind::Discussions, "to.discussions"),
    ] {
        let ids: Vec<&str> = message.to.all(ids).collect();
        if let Some(i) = ids.iter().position(|id| id.contains(',')) {
            let words = format!("{:?} is no id: ids are joined by commas", ids[i]);
            return Err(Error::new(ErrorCode::Message, words).at(format!("{path}[{i}]")));
        }
        if !ids.is_empty() {
            own.push((name, ids.join(","), path));
        }
    }
    if let Some(text) = message.text.as_ref().filter(|text| !text.is_empty()) {
        own.push(("text", text.clone(), "text"));
    }
    for (i, part) in message.parts.iter().enumerate() {
        let mut set = |name: &'static str, value: Option<String>, by: &'static str| {
            let Some(value) = value else { return Ok(()) };
            match own.iter_mut().find(|(own, ..)| *own == name) {
                Some((_, text, _)) if name == "text" => text.push_str(&value),
                Some(_) => {
                    let words = format!("Renren takes one {by} a message");
                    return Err(Error::new(ErrorCode::Message, words).at(format!("parts[{i}]")));
                }
                None => own.push((name, value, by)),
            }
            Ok(())
        };
        match part {
            Part::Text(text) => set("text", Some(text.clone()), "a text part")?,
            Part::Link { url, title, description, thumbnail, image } => {
                set("resourceLink", Some(url.clone()), "link part")?;
                set("resourceTitle", title.clone(), "link part")?;
                set("resourceDescription", description.clone(), "link part")?;
                set("headSrc", thumbnail.clone(), "link part")?;
                set("originalSrc", image.clone(), "link part")?;
            }
            Part::Location(place) => {
                set("longitude", Some(place.longitude.to_string()), "location part")?;
                set("latitude", Some(place.latitude.to_string()), "location part")?;
                set("poiAddress", place.address.clone(), "location part")?;
            }
            // Refused before, as the service cannot carry them.
            _ => {}
        }
    }
    Ok(own)
}

/// Reads an answer.
fn read(answer: &Answer) -> Reading {
    let body = match text(answer) {
        Ok(body) => trimmed(body),
        Err(why) => return Reading::Unreadable(why),
    };
    let success = is_success(answer.status);
    let envelope = |body| {
        let [response, error] = members(body, ["response", "error"])?;
        Ok::<_, String>((response, parsed::<Value>(error)?))
    };
    let (response, error) = match envelope(body) {
        _ if body == "1" => (None, None),
        Ok(envelope) => envelope,
        Err(e) if success => {
            return Reading::Unreadable(format!("the answer is not the service's JSON: {e}"));
        }
        Err(_) => return Reading::Unreadable(excerpt(&answer.body)),
    };
    // Exactly this is success, and nothing beside it.
    let is_one = body == "1"
        || response == Some("1") && json::members(body).is_ok_and(|members| members.len() == 1);
    match (error.as_ref().and_then(own_code), &error) {
        (Some(_), Some(error)) if response.is_some() => Reading::Contradiction(format!(
            "the service answered with a response and yet with an error: {error}"
        )),
        // The table has the code without its kind, which is shown.
        (Some(code), Some(error)) => {
            Reading::refused(code, error.get("message").and_then(Value::as_str).unwrap_or_default())
        }
        (None, Some(_)) if response == Some("1") => Reading::Contradiction(format!(
            "the service answered with success and yet with an error: {}",
            excerpt(&answer.body)
        )),
        _ if is_one && success => Reading::sent(None, None),
        _ if is_one => Reading::Contradiction(format!(
            "the service answered with success, but with HTTP status {}",
            answer.status
        )),
        _ => Reading::Unreadable(format!(
            "the answer is not {{\"response\": 1}}: {}",
            excerpt(&answer.body)
        )),
    }
}

/// What kind of error a code is of: it stands before the code, and each has a status of its own.
const KINDS: [&str; 4] =
    ["invalid_request", "invalid_authorization", "forbidden", "internal_error"];

/// Codes that others have as well: without their kind they are not known to be Renren's.
const COMMON: [&str; 7] = [
    "SERVICE_UNAVAILABLE",
    "SERVICE_BUSY",
    "EXPIRED_TOKEN",
    "INVALID_TOKEN",
    "EXPIRED_TIMESTAMP",
    "INVALID_SIGNATURE",
    "NO_ACCESS",
];

/// The code of an error of Renren's own, with its kind:
/// `{"code": "internal_error.SERVICE_BUSY", "message": "…"}`. Without a kind only a code that the
/// table has is taken for one.
fn own_code(error: &Value) -> Option<&str> {
    let full = error.get("code")?.as_str()?;
    if error.get("message").is_some_and(|message| !message.is_string()) {
        return None;
    }
    if let Some((kind, code)) = full.split_once('.') {
        let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        let is_own = KINDS.contains(&kind) && !code.is_empty() && code.bytes().all(is_word);
        return is_own.then_some(full);
    }
    let row = verdict::find(verdicts::TABLE, full, "").filter(|row| row.code != Code::Any)?;
    let is_common = matches!(row.code, Code::Is(code) if COMMON.contains(&code));
    (!is_common).then_some(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_its_own_has_a_code_with_its_kind_or_of_its_spelling() {
        let is_own = |error: &str| own_code(&serde_json::from_str(error).expect("JSON")).is_some();
        for error in [
            r#"{"code":"internal_error.SERVICE_UNAVAILABLE","message":"why"}"#,
            r#"{"code":"forbidden.SOMETHING_NEW"}"#,
            r#"{"code":"invalid_authorization.expired-token","message":""}"#,
            r#"{"code":"SERVICE_UNAVALIALABLE","message":"why"}"#,
            r#"{"code":"USER_NOT_EXIST","message":"why"}"#,
            r#"{"code":"UNKNOW"}"#,
        ] {
            assert!(is_own(error), "{error}");
        }
        for error in [
            "{}",
            "\"internal_error.SERVICE_BUSY\"",
            "\"invalid_token\"",
            r#"{"message":"why"}"#,
            r#"{"code":"","message":"why"}"#,
            r#"{"code":".","message":"why"}"#,
            r#"{"code":"forbidden","message":"why"}"#,
            r#"{"code":"forbidden.","message":"why"}"#,
            r#"{"code":"forbidden.not this","message":"why"}"#,
            r#"{"code":"forbidden.NO_RIGHT","message":{"en":"why"}}"#,
            r#"{"code":"gateway.TIMEOUT","message":"why"}"#,
            r#"{"code":"SERVICE_UNAVAILABLE","message":"why"}"#,
            r#"{"code":"invalid-token","message":"why"}"#,
            r#"{"code":"ServiceUnavailable","message":"why"}"#,
            r#"{"code":"502","message":"why"}"#,
            r#"{"code":502,"message":"why","status":"UNAVAILABLE"}"#,
            r#"{"code":["forbidden.NO_RIGHT"]}"#,
        ] {
            assert!(!is_own(error), "{error}");
        }
    }
}
