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
use super::wecom::media::{self, MEDIA};
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
    attachments: &["data"],
    needs_content: false,
    extra: &body::EXTRA,
    limits: &[
        Limit { what: "title of a one-time subscription: characters", most: body::MAX_TITLE },
        Limit { what: "text of a one-time subscription: characters", most: body::MAX_ONCE },
        Limit { what: "image and video: bytes", most: body::MAX_IMAGE },
        Limit { what: "recording: bytes", most: body::MAX_VOICE },
    ],
    dedupe_ms: Some(WINDOW),
    message_id: true,
    document: "developers.weixin.qq.com, customer, template and subscription messages, temporary material, of 2026",
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
    upload: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let app = App::open(&mut opening, "id");
    let at = |path: &str| {
        opening.endpoint("https://api.weixin.qq.com", &format!("cgi-bin/{path}"), false)
    };
    let (token, message, upload) = (at("stable_token")?, at("message")?, at("media/upload")?);
    let (origin, identity) = (message.clone(), app.id.clone());
    Ok(opening.opened(origin, &identity, Official { app, token, message, upload }))
}

/// Reads what all answers have in common.
fn envelope(answer: &Answer) -> Reading {
    busy_in_success(ENVELOPE.read(answer), answer)
}

impl Account for Official {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        body::encode(message, &INFO, seed)
    }

    fn prepares(&self, draft: &Draft) -> bool {
        draft.has_to_upload(MEDIA)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, session: Option<&Secret>) -> Exchange {
        let with_token = |mut url: Url| {
            let token = session.map(Secret::expose).unwrap_or_default();
            url.query_pairs_mut().append_pair("access_token", token);
            url
        };
        if draft.has_to_upload(MEDIA) {
            return Exchange::prepare(media::upload(draft, with_token(self.upload.clone())));
        }
        let mut url = self.message.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(draft.kept(body::PATH).unwrap_or_default().split('/'));
        }
        let body = media::body(draft);
        Exchange::commit(HttpRequest::post(with_token(url), json::CONTENT_TYPE, body))
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        if draft.has_to_upload(MEDIA) {
            return draft.step_gave(MEDIA, media::given(answer, envelope));
        }
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
        let file = |name: &str, base64: &str| json!({"name": name, "data_base64": base64});
        let (image, empty, note) =
            (file("a.gif", "R0lG"), file("a.gif", ""), file("a.txt", "eA=="));
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
            (json!({"attachments": [image, note]}), Unsupported, "attachments[1]"),
            (json!({"attachments": [empty]}), Wrong, "attachments[0]"),
            (
                json!({"attachments": [image], "extra": {"template_id": "t"}}),
                Unsupported,
                "attachments",
            ),
            (
                json!({"text": "x", "attachments": [image],
                    "extra": {"template_id": "t", "scene": "1"}}),
                Unsupported,
                "attachments",
            ),
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
    fn each_file_is_a_message_of_its_own_behind_the_text() {
        let file = |name: &str| json!({"name": name, "data_base64": "R0lG"});
        let files = json!([file("a.gif"), file("b.amr"), file("c.mp4")]);
        let service = json!({"kf_account": "anna@x"});
        let own = json!({"text": "x", "attachments": files, "extra": {"customservice": service}});
        let mut draft = encoded(&own).expect("a text and three files");
        let bodies = |draft: &Draft| -> Value {
            serde_json::from_slice(&media::body(draft).whole()).expect("JSON")
        };
        assert_eq!(bodies(&draft)["text"], json!({"content": "x"}));
        assert_eq!(draft.pieces.len(), 3);
        for (piece, kind) in draft.pieces.iter_mut().zip(["image", "voice", "video"]) {
            assert!(piece.has_to_upload(MEDIA));
            piece.keep(MEDIA, "m\"1".to_owned());
            let body = bodies(piece);
            assert_eq!(
                (&body["msgtype"], &body[kind]),
                (&json!(kind), &json!({"media_id": "m\"1"}))
            );
            assert_eq!((&body["touser"], &body["customservice"]), (&json!("oAnna"), &service));
        }
        let alone = encoded(&json!({"attachments": [file("a.jpg")]})).expect("a file alone");
        assert!(alone.has_to_upload(MEDIA) && alone.pieces.is_empty());
    }

    #[test]
    fn an_upload_gave_what_its_answer_says_whole() {
        let read = |status: u16, body: &str| {
            let answer = Answer { status, body: body.into(), ..Answer::default() };
            match media::given(&answer, envelope) {
                Ok(id) => id,
                Err(Reading::Refused { code, .. }) => code,
                Err(Reading::Contradiction(_)) => "contradiction".to_owned(),
                Err(_) => "unreadable".to_owned(),
            }
        };
        for (status, body, meant) in [
            (200, r#"{"type":"image","media_id":"m1","created_at":1672500000}"#, "m1"),
            (200, r#"{"errcode":0,"errmsg":"ok","media_id":"m1"}"#, "m1"),
            (200, r#"{"errcode":40004,"errmsg":"no","media_id":"m1"}"#, "40004"),
            (200, r#"{"errcode":40004,"errmsg":"invalid media type"}"#, "40004"),
            (200, r#"{"errcode":0,"errmsg":"ok"}"#, "contradiction"),
            (200, r#"{"errcode":0,"errmsg":"ok","media_id":""}"#, "contradiction"),
            (200, r#"{"errcode":0,"errmsg":"ok","media_id":7}"#, "contradiction"),
            (500, r#"{"media_id":"m1"}"#, "unreadable"),
            (200, r#"{"media_id":"m1"#, "unreadable"),
            (200, "", "unreadable"),
        ] {
            assert_eq!(read(status, body), meant, "{status} {body}");
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
