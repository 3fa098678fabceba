//! WeChat's official accounts: customer messages, templates and subscriptions to a follower.

mod body;
mod verdicts;

use std::time::Duration;

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, Granted, HttpRequest, Opened, Reading, Seed, Service,
    Session, Stamp,
};
use super::auth::app::{self, App};
use super::info::{Auth, Field, FieldKind, Info, Limit};
use super::judge::text;
use super::opening::Opening;
use super::robot::busy_in_success;
use super::wire::envelope::Envelope;
use super::wire::json::{self, members};
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;

/// How long a doubt about a template is resent: WeChat knows a `client_msg_id` for ten minutes.
const WINDOW: Duration = Duration::from_secs(8 * 60);

static INFO: Info = Info {
    name: "wechat_oa",
    title: "WeChat official account",
    auth: &[Auth {
        name: "app",
        fields: &[App::ID, App::SECRET],
        words: "An official account, whose token is got and renewed",
    }],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "instead of `https://api.weixin.qq.com`",
    )],
    to: &["user"],
    parts: &["text", "link"],
    needs_content: false,
    extra: &body::EXTRA,
    limits: &[
        Limit { what: "title of a one-time subscription: characters", most: body::MAX_TITLE },
        Limit { what: "text of a one-time subscription: characters", most: body::MAX_ONCE },
    ],
    dedupe_ms: Some(WINDOW),
    message_id: true,
    document: "developers.weixin.qq.com, customer, template and subscription messages, of 2026",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

/// An answer: `{"errcode": 0, "errmsg": "ok"}` is success, and that of a template has an id beside it.
const ENVELOPE: Envelope = Envelope {
    ok: ("errcode", &["0"]),
    code: "errcode",
    own: |code| {
        code == "-1" || matches!(code.len(), 5 | 6) && code.bytes().all(|b| b.is_ascii_digit())
    },
    text: "errmsg",
    id: None,
    wait: None,
};

struct Official {
    app: App,
    token: Url,
    message: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let app = App::open(&mut opening, "id");
    let at = |path: &str| {
        opening.endpoint("https://api.weixin.qq.com", &format!("cgi-bin/{path}"), false)
    };
    let (token, message) = (at("stable_token")?, at("message")?);
    let (origin, identity) = (message.clone(), app.id.clone());
    Ok(opening.opened(origin, &identity, Official { app, token, message }))
}

/// Reads what all answers have in common.
fn envelope(answer: &Answer) -> Reading {
    busy_in_success(ENVELOPE.read(answer), answer)
}

impl Account for Official {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        body::encode(message, &INFO, seed)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, session: Option<&Secret>) -> Exchange {
        let mut url = self.message.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(draft.kept(body::PATH).unwrap_or_default().split('/'));
        }
        let token = session.map(Secret::expose).unwrap_or_default();
        url.query_pairs_mut().append_pair("access_token", token);
        Exchange::commit(HttpRequest::post(url, json::CONTENT_TYPE, draft.body.clone()))
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        match envelope(answer) {
            Reading::Sent { .. } if draft.kept(body::PATH) == Some(body::CUSTOM) => {
                Reading::sent(None, None)
            }
            Reading::Sent { .. } => match text(answer).and_then(|body| members(body, ["msgid"])) {
                Ok([None]) => Reading::accepted(None, "WeChat"),
                Ok([Some(id)])
                    if !id.trim_matches('"').is_empty()
                        && id.trim_matches('"').bytes().all(|b| b.is_ascii_digit()) =>
                {
                    Reading::accepted(Some(id.trim_matches('"').to_owned()), "WeChat")
                }
                _ => Reading::Contradiction("the answer's msgid is no number".to_owned()),
            },
            reading => reading,
        }
    }

    fn session(&self) -> Option<&dyn Session> {
        Some(self)
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "40164" => Some("add the address of this machine to the account's list of IPs"),
            "45015" | "45047" => Some(
                "customer messages reach a follower who wrote lately only: send a template at other times",
            ),
            "43101" => Some("the user has to subscribe to the template again"),
            _ => None,
        }
    }
}

impl Session for Official {
    fn key(&self) -> String {
        self.app.key(self.token.as_str())
    }

    fn ask(&self, _at: &Stamp) -> Exchange {
        let body = serde_json::json!({"grant_type": "client_credential", "appid": self.app.id,
            "secret": self.app.secret.expose(), "force_refresh": false});
        let body = body.to_string().into_bytes();
        Exchange::prepare(HttpRequest::post(self.token.clone(), json::CONTENT_TYPE, body))
    }

    fn read(&self, answer: &Answer) -> Granted {
        app::granted(answer, ["access_token", "expires_in", "errcode"], envelope)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::config::AccountConfig;
    use crate::model::error::ErrorCode;
    use crate::service;

    fn encoded(fields: &Value) -> Result<Draft> {
        let auth = json!({"type": "app", "id": "wx1", "secret": "s"});
        let config = json!({"service": "wechat_oa", "auth": auth});
        let config = AccountConfig::from_value(config, "account").expect("a configuration");
        let (_, opened) = service::open(config).expect("an account");
        let mut message = json!({"v": 1, "account": "a", "to": {"user": "oAnna"}});
        let own = fields.as_object().expect("an object").clone();
        message.as_object_mut().expect("an object").extend(own);
        opened.account.encode(&Message::from_json(&message.to_string())?, Seed(7))
    }

    #[test]
    fn what_cannot_be_sent_is_refused_where_it_stands() {
        use ErrorCode::{Message as Wrong, TooLarge, Unsupported};
        let link = json!({"type": "link", "url": "https://example.com/"});
        for (fields, code, path) in [
            (json!({}), Wrong, "text"),
            (json!({"to": null, "text": "x"}), Wrong, "to.user"),
            (json!({"text": "\u{1}"}), Wrong, "text"),
            (json!({"text": "x", "extra": {"template_id": "t"}}), Unsupported, "text"),
            (json!({"text": "x", "extra": {"template_id": "t", "page": ""}}), Unsupported, "text"),
            (json!({"extra": {"template_id": "t", "scene": "1"}}), Wrong, "text"),
            (
                json!({"text": "x".repeat(201), "extra": {"template_id": "t", "scene": "1"}}),
                TooLarge,
                "text",
            ),
            (
                json!({"text": "x", "title": "x".repeat(16),
                    "extra": {"template_id": "t", "scene": "1"}}),
                TooLarge,
                "title",
            ),
            (json!({"extra": {"template_id": 7}}), Wrong, "extra.template_id"),
            (json!({"extra": {"page": "p"}}), Wrong, "extra.page"),
            (json!({"extra": {"msgtype": "dance"}}), Wrong, "extra.msgtype"),
            (json!({"text": "x", "extra": {"msgtype": "wxcard"}}), Unsupported, "text"),
            (json!({"parts": [link, link]}), Unsupported, "parts[1]"),
            (
                json!({"extra": {"template_id": "t", "client_msg_id": ""}}),
                Wrong,
                "extra.client_msg_id",
            ),
        ] {
            let error = encoded(&fields).expect_err(&fields.to_string());
            assert_eq!((error.code(), error.path()), (code, Some(path)), "{fields}: {error}");
        }
    }

    #[test]
    fn only_a_template_is_known_again() {
        let known = |fields: Value| encoded(&fields).expect("a message").window();
        assert_eq!(known(json!({"text": "x"})), None);
        assert_eq!(known(json!({"extra": {"template_id": "t", "data": {}}})), Some(WINDOW));
        assert_eq!(known(json!({"extra": {"template_id": "t", "data": {}, "page": "p"}})), None);
    }
}
