//! QQ's official bots: messages to users and groups, pushed or in answer to one of theirs.

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
use super::info::{Auth, Field, FieldKind, Info, Rate, Scope};
use super::opening::Opening;
use super::wire::json;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;

/// How long a doubt about an answer is resent: it can be given for five minutes.
const WINDOW: Duration = Duration::from_secs(4 * 60);

static INFO: Info = Info {
    name: "qq_bot",
    title: "QQ bot",
    auth: &[Auth {
        name: "app",
        fields: &[App::ID, App::SECRET],
        words: "A bot by its AppID and AppSecret, whose token is got and renewed",
    }],
    fields: &[Field::optional("base_url", FieldKind::Base, "instead of `https://api.bot.qq.com`")],
    to: &["user", "group"],
    parts: &["text", "mention"],
    native: &["plain", "markdown"],
    attachments: &["url"],
    reply_to: true,
    needs_content: false,
    extra: &body::EXTRA,
    rates: &[
        Rate { scope: Scope::Recipient, count: 20, per_ms: 60_000, codes: &["40034100"] },
        Rate { scope: Scope::Recipient, count: 1000, per_ms: 86_400_000, codes: &[] },
    ],
    dedupe_ms: Some(WINDOW),
    message_id: true,
    document: "bot.q.qq.com, API v2, of 2026-09",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct Bot {
    app: App,
    token: Url,
    base: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let app = App::open(&mut opening, "id");
    let host = "https://api.bot.qq.com";
    let token = opening.endpoint(host, "app/getAppAccessToken", false)?;
    let base = opening.endpoint(host, "v2", false)?;
    let (origin, identity) = (base.clone(), app.id.clone());
    Ok(opening.opened(origin, &identity, Bot { app, token, base }))
}

impl Account for Bot {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        body::encode(message, &INFO, seed)
    }

    fn prepares(&self, draft: &Draft) -> bool {
        body::lacks_media(draft)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, session: Option<&Secret>) -> Exchange {
        let token = session.map(Secret::expose).unwrap_or_default();
        let post = |what: &str, body| {
            let mut url = self.base.clone();
            if let Ok(mut path) = url.path_segments_mut() {
                path.push(draft.kept(body::KIND).unwrap_or_default());
                path.push(draft.kept(body::ID).unwrap_or_default()).push(what);
            }
            HttpRequest::post(url, json::CONTENT_TYPE, body)
                .authorized(Some(format!("QQBot {token}")))
        };
        match draft.kept(body::FILE).filter(|_| body::lacks_media(draft)) {
            Some(file) => {
                let request = post("files", super::api::Body::from(file.as_bytes().to_vec()));
                Exchange::prepare(request)
            }
            None => Exchange::commit(post("messages", body::with_media(draft))),
        }
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        if !body::lacks_media(draft) {
            return answer::sent(answer);
        }
        draft.step_gave(body::MEDIA, answer::uploaded(answer))
    }

    fn session(&self) -> Option<&dyn Session> {
        Some(self)
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "11298" | "40023002" => Some("add the address of this machine to the bot's list"),
            "40034105" | "40034102" => {
                Some("the group's owner has to allow the bot to push; answers need no leave")
            }
            "40034024" | "304027" | "40034005" => {
                Some("\"reply_to\" is the id of a user's message of the last five minutes")
            }
            _ => None,
        }
    }
}

impl Session for Bot {
    fn key(&self) -> String {
        self.app.key(self.token.as_str())
    }

    fn ask(&self, _at: &Stamp) -> Exchange {
        let body =
            serde_json::json!({"appId": self.app.id, "clientSecret": self.app.secret.expose()});
        let body = body.to_string().into_bytes();
        Exchange::prepare(HttpRequest::post(self.token.clone(), json::CONTENT_TYPE, body))
    }

    fn read(&self, answer: &Answer) -> Granted {
        app::granted(answer, ["access_token", "expires_in", "code"], answer::no_token)
    }
}
