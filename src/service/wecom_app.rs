//! WeCom's apps: messages to members, departments and tags of a company, and into the groups that an app made.

mod answer;
mod body;
mod verdicts;

use std::time::Duration;

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, Granted, HttpRequest, Opened, Reading, Seed, Service,
    Session, Stamp,
};
use super::auth::app::{self, App};
use super::info::{Auth, Field, FieldKind, Info, Limit, Rate, Scope};
use super::opening::Opening;
use super::wecom::media::{self, MEDIA};
use super::wire::json;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;

/// The host of all interfaces.
const HOST: &str = "https://qyapi.weixin.qq.com";

/// How long a doubt is resent where the caller has WeCom look for the same content: it does so for half an
/// hour, of which a minute is left.
const WINDOW: Duration = Duration::from_secs(29 * 60);

static INFO: Info = Info {
    name: "wecom_app",
    title: "WeCom app",
    auth: &[Auth {
        name: "app",
        fields: &[
            Field::required("corp_id", FieldKind::Credential, "the company's id, `ww…`"),
            Field::required("agent_id", FieldKind::NumberOrText, "the app's AgentId"),
            Field::required("secret", FieldKind::Secret, "the app's Secret"),
        ],
        words: "An app, whose token is got and renewed",
    }],
    fields: &[Field::optional(
        "base_url",
        FieldKind::Base,
        "instead of `https://qyapi.weixin.qq.com`",
    )],
    to: &["chat", "users", "departments", "tags"],
    parts: &["text", "mention", "link"],
    native: &["plain", "markdown"],
    attachments: &["data"],
    needs_content: false,
    extra: &body::EXTRA,
    limits: &[
        Limit { what: "text and Markdown: bytes of UTF-8", most: body::MAX_TEXT },
        Limit { what: "links", most: body::MAX_ARTICLES },
        Limit { what: "image: bytes", most: body::MAX_IMAGE },
        Limit { what: "voice: bytes", most: body::MAX_VOICE },
        Limit { what: "video: bytes", most: body::MAX_IMAGE },
        Limit { what: "file: bytes", most: body::MAX_FILE },
    ],
    rates: &[
        Rate { scope: Scope::App, count: 10_000, per_ms: 60_000, codes: &["45009", "45033"] },
        Rate { scope: Scope::Recipient, count: 30, per_ms: 60_000, codes: &[] },
        Rate { scope: Scope::Recipient, count: 1000, per_ms: 3_600_000, codes: &[] },
    ],
    message_id: true,
    document: "WeCom developer centre, send application message, 2025-09-24, and appchat/send",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct Agent {
    app: App,
    agent_id: u64,
    token: Url,
    send: Url,
    chat: Url,
    upload: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let app = App::open(&mut opening, "corp_id");
    let agent_id = opening.required("agent_id");
    let Ok(agent_id) = agent_id.parse::<u64>() else {
        let words = "the AgentId is a whole number, as the app's page shows it";
        return Err(opening.error("auth.agent_id", words));
    };
    let at = |path: &str| opening.endpoint(HOST, &format!("cgi-bin/{path}"), false);
    let (token, send) = (at("gettoken")?, at("message/send")?);
    let (chat, upload) = (at("appchat/send")?, at("media/upload")?);
    let (corp, sender) = (app.id.clone(), format!("{} {agent_id}", app.id));
    let origin = send.clone();
    let agent = Agent { app, agent_id, token, send, chat, upload };
    Ok(Opened { sender, ..opening.opened(origin, &corp, agent) })
}

impl Account for Agent {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        body::encode(message, &INFO, self.agent_id, seed)
    }

    fn prepares(&self, draft: &Draft) -> bool {
        draft.has_to_upload(MEDIA)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, session: Option<&Secret>) -> Exchange {
        let with_token = |url: &Url| {
            let mut url = url.clone();
            let token = session.map(Secret::expose).unwrap_or_default();
            url.query_pairs_mut().append_pair("access_token", token);
            url
        };
        if draft.has_to_upload(MEDIA) {
            return Exchange::prepare(media::upload(draft, with_token(&self.upload)));
        }
        let url = if draft.to.is_empty() { &self.chat } else { &self.send };
        let body = media::body(draft);
        Exchange::commit(HttpRequest::post(with_token(url), json::CONTENT_TYPE, body))
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        match draft.has_to_upload(MEDIA) {
            false => answer::sent(answer, &draft.to),
            true => draft.step_gave(MEDIA, media::given(answer, answer::envelope)),
        }
    }

    fn session(&self) -> Option<&dyn Session> {
        Some(self)
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "60020" => Some("add the address of this machine to the app's trusted IPs"),
            "301002" => Some("give the AgentId of the app whose secret this is"),
            "60011" | "50002" | "81013" => {
                Some("the app's visible range must have those whom it sends to")
            }
            _ => None,
        }
    }
}

impl Session for Agent {
    fn key(&self) -> String {
        self.app.key(self.token.as_str())
    }

    fn ask(&self, _at: &Stamp) -> Exchange {
        let mut url = self.token.clone();
        url.query_pairs_mut()
            .append_pair("corpid", &self.app.id)
            .append_pair("corpsecret", self.app.secret.expose());
        Exchange::prepare(HttpRequest::get(url))
    }

    fn read(&self, answer: &Answer) -> Granted {
        app::granted(answer, ["access_token", "expires_in", "errcode"], answer::envelope)
    }
}
