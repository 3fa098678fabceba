//! Feishu's and Lark's apps: messages of a bot to users and chats.

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
use super::wire::json;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;

/// How long a doubt is resent: the service knows a `uuid` for an hour.
const WINDOW: Duration = Duration::from_secs(50 * 60);

static INFO: Info = Info {
    name: "feishu_app",
    title: "Feishu or Lark app",
    auth: &[Auth {
        name: "app",
        fields: &[App::ID, App::SECRET],
        words: "An app with a bot, whose token is got and renewed",
    }],
    fields: &[
        Field::optional("region", FieldKind::Choice(&["feishu", "lark"]), "whose app it is"),
        Field::optional(
            "base_url",
            FieldKind::Base,
            "instead of `https://open.feishu.cn` or `https://open.larksuite.com`",
        ),
    ],
    to: &["user", "chat"],
    parts: &["text", "mention", "link", "raw"],
    titled: true,
    attachments: &["data"],
    thread: true,
    reply_to: true,
    needs_content: false,
    extra: &["receive_id_type", "msg_type", "content", "uuid", "reply_in_thread"],
    limits: &[
        Limit { what: "text: bytes of the body", most: body::MAX_TEXT },
        Limit { what: "posts and cards: bytes of the body", most: body::MAX_POST },
        Limit { what: "image: bytes", most: body::MAX_IMAGE },
        Limit { what: "file: bytes", most: body::MAX_FILE },
    ],
    rates: &[
        Rate { scope: Scope::App, count: 50, per_ms: 1000, codes: &["99991400"] },
        Rate { scope: Scope::App, count: 1000, per_ms: 60_000, codes: &["99991400"] },
        Rate { scope: Scope::Recipient, count: 5, per_ms: 1000, codes: &["230020"] },
    ],
    dedupe_ms: Some(WINDOW),
    message_id: true,
    document: "open.feishu.cn, im/v1 message create and reply, of 2026",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct Bot {
    app: App,
    token: Url,
    messages: Url,
    images: Url,
    files: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let app = App::open(&mut opening, "id");
    let host = match opening.word("region") {
        Some("lark") => "https://open.larksuite.com",
        _ => "https://open.feishu.cn",
    };
    let at = |path: &str| opening.endpoint(host, &format!("open-apis/{path}"), false);
    let token = at("auth/v3/tenant_access_token/internal")?;
    let (messages, images, files) =
        (at("im/v1/messages")?, at("im/v1/images")?, at("im/v1/files")?);
    let (origin, identity) = (messages.clone(), app.id.clone());
    Ok(opening.opened(origin, &identity, Bot { app, token, messages, images, files }))
}

impl Account for Bot {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        body::encode(message, &INFO, seed)
    }

    fn prepares(&self, draft: &Draft) -> bool {
        draft.has_to_upload(body::KEY)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, session: Option<&Secret>) -> Exchange {
        let token = session.map(Secret::expose).unwrap_or_default();
        let authorized = |request: HttpRequest| request.authorized(Some(format!("Bearer {token}")));
        if draft.has_to_upload(body::KEY) {
            let url = if body::is_image(draft) { &self.images } else { &self.files };
            return Exchange::prepare(authorized(draft.upload(url.clone())));
        }
        let mut url = self.messages.clone();
        match (draft.kept(body::REPLY), draft.kept(body::ID_TYPE)) {
            (Some(to), _) => {
                if let Ok(mut path) = url.path_segments_mut() {
                    path.push(to).push("reply");
                }
            }
            (None, kind) => {
                url.query_pairs_mut().append_pair("receive_id_type", kind.unwrap_or_default());
            }
        }
        let body = body::with_file(draft);
        Exchange::commit(authorized(HttpRequest::post(url, json::CONTENT_TYPE, body)))
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        if !draft.has_to_upload(body::KEY) {
            return answer::sent(answer);
        }
        let name = if body::is_image(draft) { "image_key" } else { "file_key" };
        draft.step_gave(body::KEY, answer::uploaded(answer, name))
    }

    fn session(&self) -> Option<&dyn Session> {
        Some(self)
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "99991672" | "99991679" => Some(
                "give the app the right that the answer names, and publish a new version of it",
            ),
            "230002" | "10002" | "10030" | "11201" => Some("add the app's bot to the chat"),
            "230006" | "11205" | "11240" => Some("switch the bot on among the app's features"),
            "230013" => Some("the user has to be in the app's range of availability"),
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
            serde_json::json!({"app_id": self.app.id, "app_secret": self.app.secret.expose()});
        let body = body.to_string().into_bytes();
        Exchange::prepare(HttpRequest::post(self.token.clone(), json::CONTENT_TYPE, body))
    }

    fn read(&self, answer: &Answer) -> Granted {
        app::granted(answer, ["tenant_access_token", "expire", "code"], answer::refusal)
    }
}
