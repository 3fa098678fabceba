//! Gotify: notices of an application to the user of a server of one's own.

use serde_json::Map;
use url::Url;

use super::api::{Account, Answer, Draft, Exchange, Header, Opened, Reading, Seed, Service, Stamp};
use super::auth::token::Token;
use super::check::check;
use super::info::{Auth, Field, FieldKind, Info};
use super::judge::{excerpt, is_success, text};
use super::notice::{Notice, drafts, level, texts};
use super::opening::Opening;
use super::text::Unit;
use super::verdict::{Row, verdicts};
use super::wire::json::{Members, members, object, parsed};
use crate::model::error::Result;
use crate::model::message::{Format, Message};
use crate::model::secret::Secret;

static INFO: Info = Info {
    name: "gotify",
    title: "Gotify message of an application",
    auth: &[Auth {
        name: "token",
        fields: &[Field::required("token", FieldKind::Token, "the token of the application, `A…`")],
        words: "The token of an application",
    }],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "the server, up to where `/message` begins: required; http with `allow_http` only",
    )],
    parts: &["text"],
    titled: true,
    native: &["plain", "markdown"],
    priority: true,
    needs_content: false,
    extra: &["priority", "extras"],
    message_id: true,
    self_hosted: true,
    document: "gotify.net/api-docs; server code of 2026-07",
    ..Info::PLAIN
};

static TABLE: &[Row] = verdicts! {
    "200" => Ok Sent Never Sdk                 "the message is on the server";
    "400" ["Use HTTPS"] => Rejected NotSent Never Sdk "the server wants https";
    "400" => Rejected NotSent Never Sdk        "the message is missing, or the body cannot be read";
    "401" => Auth NotSent Never Sdk            stops "the token is missing or unknown";
    "403" => Forbidden NotSent Never Sdk       "the token is none of an application";
    "404" => Rejected NotSent Never Sdk        "no such path";
    "413" => TooLarge NotSent Never Inferred   "the body is too large";
    500..599 => Service MaybeSent Never Inferred "outcome unknown; nothing is recognised";
    @any  => Service NotSent Never Inferred    "unknown code, never retried";
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: TABLE, open };

struct Gotify {
    url: Url,
    token: Token,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let token = Token::open(&mut opening);
    let url = opening.endpoint("", "message", false)?;
    let identity = token.text().to_owned();
    Ok(opening.opened(url.clone(), &identity, Gotify { url, token }))
}

impl Account for Gotify {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        let pieces = texts(message, Unit::Bytes, usize::MAX)?;
        let mut body = Map::new();
        if let Some(title) = &message.title {
            body.put("title", title.as_str());
        }
        if let Some(level) = level(message, [2, 8, 10])? {
            body.put("priority", level);
        }
        if message.format != Format::Plain {
            let display = object! {"client::display": object! {"contentType": "text/markdown"}};
            body.put("extras", display);
        }
        let notice = Notice { message, info: &INFO, body, once: &[], contents: &["message"] };
        let bodies = notice.bodies(&pieces, |body, piece| {
            body.put("message", piece.text.as_str());
        })?;
        Ok(drafts(&bodies, &pieces))
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let mut request = draft.post(self.url.clone());
        let value = self.token.text().to_owned();
        request.headers.more.push(Header { name: "x-gotify-key".into(), value });
        Exchange::commit(request)
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        read(answer)
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        (reading.code() == Some("403"))
            .then_some("give the token of an application, A…; one of a client, C…, only reads")
    }
}

/// Reads an answer: the message itself, or `{"error", "errorCode", "errorDescription"}`.
fn read(answer: &Answer) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    let unreadable = || Reading::Unreadable(excerpt(&answer.body));
    const NAMES: [&str; 8] =
        ["id", "appid", "message", "date", "error", "errorCode", "errorDescription", "errors"];
    let [id, app, message, date, error, code, description, errors] = match members(body, NAMES) {
        Ok(found) => found,
        Err(e) if is_success(answer.status) => {
            return Reading::Unreadable(format!("the answer is not Gotify's JSON: {e}"));
        }
        Err(_) => return unreadable(),
    };
    let words = |json: Option<&str>| {
        parsed::<String>(json.filter(|json| json.starts_with('"'))).ok().flatten()
    };
    let number = |json: Option<&str>| {
        let digits = |json: &&str| json.bytes().all(|b| b.is_ascii_digit()) && *json != "0";
        json.filter(digits).and_then(|json| json.parse::<u64>().ok())
    };
    if let (Some(id), Some(_), Some(_), Some(_)) =
        (number(id), number(app), words(message), words(date))
    {
        if let Some(fault) = error.or(code).or(description).or(errors) {
            let words = format!("the answer is a message, and yet has an error: {fault}");
            return Reading::Contradiction(words);
        }
        return match is_success(answer.status) {
            true => Reading::sent(Some(id.to_string()), None),
            false => Reading::Contradiction(format!(
                "the answer is a message, but has HTTP status {}",
                answer.status
            )),
        };
    }
    match (words(error), number(code), words(description)) {
        (Some(_), Some(code @ 400..600), Some(text)) if answer.status >= 400 => {
            Reading::refused(code.to_string(), text)
        }
        _ => unreadable(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(status: u16, body: &str) -> String {
        match read(&Answer { status, body: body.into(), ..Answer::default() }) {
            Reading::Sent { id, .. } => format!("sent {}", id.unwrap_or_default()),
            Reading::Refused { code, text, .. } => format!("refused {code} {text}"),
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    #[test]
    fn an_answer_is_gotify_s_in_its_own_shape_only() {
        let own = |more: &str| {
            format!(r#"{{"id":25,"appid":5,"message":"x","date":"2026-01-01T00:00:00Z"{more}}}"#)
        };
        let no = r#"{"error":"Unauthorized","errorCode":401,"errorDescription":"no token"}"#;
        for (status, body, meant) in [
            (200, own(""), "sent 25"),
            (500, own(""), "contradiction"),
            (200, own(r#","error":"no""#), "contradiction"),
            (200, own(r#","errorCode":500"#), "contradiction"),
            (200, own("").replace("25", "\"25\""), "unreadable"),
            (200, own("").replace("25", "0"), "unreadable"),
            (200, own("").replace("\"appid\":5,", ""), "unreadable"),
            (401, no.to_owned(), "refused 401 no token"),
            (200, no.to_owned(), "unreadable"),
            (401, r#"{"error":"Unauthorized","errorCode":"401"}"#.to_owned(), "unreadable"),
            (401, r#"{"error":"Unauthorized","errorCode":401}"#.to_owned(), "unreadable"),
            (502, no.replace("401", "99"), "unreadable"),
        ] {
            assert_eq!(is(status, &body), meant, "{status} {body}");
        }
    }
}
