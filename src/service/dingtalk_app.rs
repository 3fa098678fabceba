//! DingTalk's apps: messages of an app's robot to users (`oToMessages`) and into groups (`groupMessages`).

mod answer;
mod body;
mod verdicts;

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, Granted, Header, HttpRequest, Opened, Reading, Seed, Service,
    Session, Stamp,
};
use super::auth::app::{self, App};
use super::info::{Auth, Field, FieldKind, Info, Limit, Rate, Scope};
use super::opening::Opening;
use super::wire::json;
use crate::model::error::Result;
use crate::model::message::Message;
use crate::model::secret::Secret;

/// The host of its interfaces, and that of the older ones, by which files go up.
const HOST: &str = "https://api.dingtalk.com";
const OLD_HOST: &str = "https://oapi.dingtalk.com";

static INFO: Info = Info {
    name: "dingtalk_app",
    title: "DingTalk app",
    auth: &[Auth {
        name: "app",
        fields: &[
            Field::required("key", FieldKind::Credential, "the app's AppKey, or Client ID"),
            Field::required("secret", FieldKind::Secret, "its AppSecret, or Client Secret"),
        ],
        words: "An app with a robot, whose token is got and renewed",
    }],
    fields: &[
        Field::required("robot_code", FieldKind::Credential, "the robot's code, mostly the AppKey"),
        Field::optional(
            "base_url",
            FieldKind::Base,
            "instead of `https://api.dingtalk.com` and `https://oapi.dingtalk.com`",
        ),
    ],
    to: &["group", "users"],
    parts: &["text", "link"],
    native: &["plain", "markdown"],
    titled: true,
    attachments: &["data", "url"],
    needs_content: false,
    extra: &["msgKey", "msgParam", "coolAppCode"],
    limits: &[
        Limit { what: "msgParam: bytes", most: body::MAX_PARAM },
        Limit { what: "image and file: bytes", most: body::MAX_FILE },
    ],
    rates: &[Rate {
        scope: Scope::App,
        count: 20,
        per_ms: 1000,
        codes: &[
            "Forbidden.AccessDenied.QpsLimitForApi",
            "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi",
        ],
    }],
    message_id: true,
    document: "open.dingtalk.com, robot/oToMessages/batchSend (2026-04-22) and groupMessages/send (2025-10-21)",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct Robot {
    app: App,
    code: String,
    token: Url,
    users: Url,
    group: Url,
    upload: Url,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let app = App::open(&mut opening, "key");
    let code = opening.required("robot_code");
    let at = |path: &str| opening.endpoint(HOST, &format!("v1.0/{path}"), false);
    let (token, users) = (at("oauth2/accessToken")?, at("robot/oToMessages/batchSend")?);
    let group = at("robot/groupMessages/send")?;
    let upload = opening.endpoint(OLD_HOST, "media/upload", false)?;
    let (origin, identity) = (users.clone(), app.id.clone());
    Ok(opening.opened(origin, &identity, Robot { app, code, token, users, group, upload }))
}

impl Account for Robot {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        body::encode(message, &INFO, &self.code, seed)
    }

    fn prepares(&self, draft: &Draft) -> bool {
        draft.has_to_upload(body::MEDIA)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, session: Option<&Secret>) -> Exchange {
        let token = session.map(Secret::expose).unwrap_or_default();
        if draft.has_to_upload(body::MEDIA) {
            let mut url = self.upload.clone();
            url.query_pairs_mut().append_pair("access_token", token);
            return Exchange::prepare(draft.upload(url));
        }
        let url = if draft.to.is_empty() { &self.group } else { &self.users };
        let body = body::with_media(draft);
        let mut request = HttpRequest::post(url.clone(), json::CONTENT_TYPE, body);
        let name = "x-acs-dingtalk-access-token".into();
        request.headers.more.push(Header { name, value: token.to_owned() });
        Exchange::commit(request)
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        match draft.has_to_upload(body::MEDIA) {
            false => answer::sent(answer, &draft.to),
            true => draft.step_gave(body::MEDIA, answer::uploaded(answer)),
        }
    }

    fn session(&self) -> Option<&dyn Session> {
        Some(self)
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "Forbidden.AccessDenied.AccessTokenPermissionDenied" | "apiPermissionDenied" => {
                Some("give the app the permission that the answer names")
            }
            "Forbidden.AccessDenied.IpNotInWhiteList" => {
                Some("add the address of this machine to the app's list")
            }
            "invalidParameter.robotCode.notExsit" | "invalidParameter.robotCode.auth" => {
                Some("give the robotCode that the app's robot shows")
            }
            _ => None,
        }
    }
}

impl Session for Robot {
    fn key(&self) -> String {
        self.app.key(self.token.as_str())
    }

    fn ask(&self, _at: &Stamp) -> Exchange {
        let body =
            serde_json::json!({"appKey": self.app.id, "appSecret": self.app.secret.expose()});
        let body = body.to_string().into_bytes();
        Exchange::prepare(HttpRequest::post(self.token.clone(), json::CONTENT_TYPE, body))
    }

    fn read(&self, answer: &Answer) -> Granted {
        app::granted(answer, ["accessToken", "expireIn", "code"], answer::refusal)
    }
}
