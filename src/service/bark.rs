//! Bark: notices to an iPhone that has the app, by its device key.

mod body;

use std::time::Duration;

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Inquiry, Opened, Reading, Seed, Service, Stamp,
};
use super::check::check;
use super::info::{Auth, Field, FieldKind, Info, Limit};
use super::judge::{excerpt, is_success, text};
use super::opening::Opening;
use super::verdict::{Row, verdicts};
use super::wire::json::{members, parsed};
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;

const HOST: &str = "https://api.day.app";
/// How long a notice is sent again with its `id`: it takes the place of the one that is shown, and nobody tells
/// for how long that is.
const WINDOW: Duration = Duration::from_secs(60);

static INFO: Info = Info {
    name: "bark",
    title: "Bark notification",
    auth: &[Auth {
        name: "key",
        fields: &[Field::required(
            "key",
            FieldKind::Token,
            "the device key, which stands behind the server in the URL that the app shows",
        )],
        words: "The key of a device",
    }],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "`https://api.day.app` by default, or a server of your own; http with `allow_http` only",
    )],
    parts: &["text"],
    titled: true,
    native: &["plain", "markdown"],
    attachments: &["url"],
    silent: true,
    priority: true,
    needs_content: false,
    extra: &body::EXTRA,
    limits: &[Limit { what: "notification: bytes of JSON", most: body::MAX_PAYLOAD }],
    dedupe_ms: Some(WINDOW),
    self_hosted: true,
    document: "bark.day.app; github.com/Finb/bark-server, code and API V2 of 2026-02",
    ..Info::PLAIN
};

static TABLE: &[Row] = verdicts! {
    "400" ["failed to get device token"] => NotFound NotSent Never Sdk "there is no device with this key";
    "400" ["device key is empty"]      => Rejected NotSent Never Sdk "the device key is missing";
    "400" ["batch push count exceeds"] => Rejected NotSent Never Sdk "too many devices at once";
    "500" ["BadDeviceToken"]           => NotFound NotSent Never Sdk "the device is gone, and the server has forgotten it";
    "500" ["Unregistered"]             => NotFound NotSent Never Sdk "the app is not on the device any more";
    "500" ["DeviceTokenNotForTopic"]   => NotFound NotSent Never Sdk "the key is of another app";
    "500" ["PayloadTooLarge"]          => TooLarge NotSent Never Sdk "Apple takes 4096 bytes";
    "500" ["TooManyRequests"]          => RateLimited NotSent Wait Inferred "too many notices to this device, says Apple";
    "500" ["push failed: InternalServerError"] => Service NotSent Backoff Inferred "Apple failed, and took nothing";
    "500" ["push failed: ServiceUnavailable"] => Service NotSent Backoff Inferred "Apple failed, and took nothing";
    "500" ["push failed: Shutdown"]    => Service NotSent Backoff Inferred "Apple was closing the connection";
    "500" ["push failed"] => Service MaybeSent Backoff Sdk "the server does not know whether Apple took it; sent again only with an id";
    "200" => Ok Sent Never Sdk                 "Apple has taken the notification";
    "400" => Rejected NotSent Never Sdk        "the request was refused";
    "404" => Rejected NotSent Never Sdk        "no such path";
    "405" => Rejected NotSent Never Doc        "wrong method";
    "401" => Auth NotSent Never Sdk            stops "the server wants a name and a password";
    "403" => Auth NotSent Never Sdk            stops "the server wants a name and a password";
    "429" => RateLimited NotSent Wait Inferred "too many requests to the server";
    "413" => TooLarge NotSent Never Inferred   "the body is too large";
    500..599 => Service MaybeSent Never Inferred "outcome unknown";
    @any  => Service NotSent Never Inferred    "unknown code, never retried";
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: TABLE, open };

struct Bark {
    key: Secret,
    push: Url,
    register: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let key = opening.secret("key");
    let push = opening.endpoint(HOST, "push", false)?;
    let mut register = opening.endpoint(HOST, "register", false)?;
    if let Ok(mut segments) = register.path_segments_mut() {
        segments.push(key.expose());
    }
    let identity = key.expose().to_owned();
    Ok(opening.opened(push.clone(), &identity, Bark { key, push, register }))
}

impl Account for Bark {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        body::encode(message, &INFO, WINDOW)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let mut request = draft.post(self.push.clone());
        request.body = body::addressed(draft, self.key.expose());
        Exchange::commit(request)
    }

    fn read(&self, _draft: &mut Draft, answer: &Answer) -> Reading {
        read(answer)
    }

    fn probe(&self, _at: &Stamp, _session: Option<&Secret>) -> Option<Inquiry> {
        Some(Inquiry::new(HttpRequest::get(self.register.clone()), read))
    }

    fn hint(&self, answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match (reading, answer.status) {
            // It calls itself a teapot to whoever has no password.
            (Reading::Unreadable(_), 418) => {
                Some("the server wants a name and a password, which accounts of bark cannot have")
            }
            (Reading::Refused { text, .. }, _) if text.contains("device token") => {
                Some("copy the key out of the URL that the app shows: https://api.day.app/KEY/…")
            }
            _ => None,
        }
    }
}

/// Reads an answer: `{"code": 200, "message": "success", "timestamp": …}`, or another code.
fn read(answer: &Answer) -> Reading {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    let unreadable = || Reading::Unreadable(excerpt(&answer.body));
    const NAMES: [&str; 6] = ["code", "message", "timestamp", "data", "error", "errors"];
    let [code, message, time, data, error, errors] = match members(body, NAMES) {
        Ok(found) => found,
        Err(e) if is_success(answer.status) => {
            return Reading::Unreadable(format!("the answer is not Bark's JSON: {e}"));
        }
        Err(_) => return unreadable(),
    };
    let words = parsed::<String>(message.filter(|json| json.starts_with('"'))).ok().flatten();
    let time = time.and_then(|time| time.parse::<i64>().ok()).filter(|time| *time > 0);
    let is_code = |code: &&str| code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit());
    let (Some(code), Some(words), Some(time)) = (code.filter(is_code), words, time) else {
        return unreadable();
    };
    if data.or(error).or(errors).is_some() {
        return unreadable();
    }
    match code {
        "200" if words != "success" => unreadable(),
        "200" if is_success(answer.status) => Reading::sent(None, Some(time)),
        "200" => Reading::Contradiction(format!(
            "the answer is a success, but has HTTP status {}",
            answer.status
        )),
        code if code < "400" => unreadable(),
        code => Reading::refused(code, words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(status: u16, body: &str) -> String {
        match read(&Answer { status, body: body.into(), ..Answer::default() }) {
            Reading::Sent { time, .. } => format!("sent {}", time.unwrap_or_default()),
            Reading::Refused { code, text, .. } => format!("refused {code} {text}"),
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    #[test]
    fn an_answer_is_bark_s_in_its_own_shape_only() {
        let own = |code: &str, words: &str, more: &str| {
            format!(r#"{{"code":{code},"message":"{words}","timestamp":1700000000{more}}}"#)
        };
        for (status, body, meant) in [
            (200, own("200", "success", ""), "sent 1700000000"),
            (500, own("200", "success", ""), "contradiction"),
            (200, own("200", "ok", ""), "unreadable"),
            (200, own("\"200\"", "success", ""), "unreadable"),
            (200, own("200", "success", ",\"data\":[]"), "unreadable"),
            (200, own("200", "success", ",\"error\":\"no\""), "unreadable"),
            (200, r#"{"code":200,"message":"success"}"#.to_owned(), "unreadable"),
            (400, own("400", "device key is empty", ""), "refused 400 device key is empty"),
            (200, own("400", "no", ""), "refused 400 no"),
            (302, own("302", "no", ""), "unreadable"),
            (502, r#"{"code":502,"message":"Bad Gateway"}"#.to_owned(), "unreadable"),
        ] {
            assert_eq!(is(status, &body), meant, "{status} {body}");
        }
    }
}
