//! Tencent IM: messages to groups and users, by JSON, with a UserSig, and errors inside HTTP 200.

mod answer;
mod body;
mod elements;
mod users;
mod verdicts;

use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, HttpRequest, Opened, Reading, Seed, Service, Stamp,
};
use super::auth::usersig::UserSig;
use super::check::check;
use super::info::{Field, FieldKind, Info, Limit, Rate, Scope};
use super::opening::Opening;
use super::wire::{form, json};
use crate::model::error::Result;
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;

/// The codes that say that the whole app is too fast.
const APP_TOO_FAST: [&str; 6] = ["10006", "60007", "60011", "60018", "60019", "90057"];

const PATH: &str = "v4/group_open_http_svc/send_group_msg";
const PATH_OF_USER: &str = "v4/openim/sendmsg";
const PATH_OF_USERS: &str = "v4/openim/batchsendmsg";

/// Where the app's data lies.
const REGIONS: [&str; 9] = ["cn", "sgp", "kr", "jpn", "ger", "usa", "idn", "ind", "ksa"];

/// The hosts of those data centres.
const HOSTS: [&str; 9] = [
    "https://console.tim.qq.com",
    "https://adminapisgp.im.qcloud.com",
    "https://adminapikr.im.qcloud.com",
    "https://adminapijpn.im.qcloud.com",
    "https://adminapiger.im.qcloud.com",
    "https://adminapiusa.im.qcloud.com",
    "https://adminapiidn.im.qcloud.com",
    "https://adminapiind.im.qcloud.com",
    "https://adminapiksa.im.qcloud.com",
];

static INFO: Info = Info {
    name: "tencent_im",
    title: "Tencent IM message",
    auth: &[UserSig::AUTH],
    fields: &[
        Field::optional(
            "region",
            FieldKind::Either(&REGIONS),
            "where the app was created. It cannot be told from the SDKAppID and is never guessed. `ind` \
             is no longer on the pages about sending; `ksa` was seen in code only",
        ),
        Field::optional(
            "base_url",
            FieldKind::Base,
            "instead of a region; http only for this machine",
        ),
    ],
    to: &["group", "topic", "members", "user", "users"],
    parts: &["text", "mention", "face", "location", "custom", "raw"],
    extra: &body::EXTRA,
    limits: &[
        Limit { what: "MsgBody: bytes of JSON", most: elements::MAX_BODY },
        Limit { what: "members", most: body::MAX_MEMBERS },
        Limit { what: "mentions", most: elements::MAX_MENTIONS },
        Limit { what: "custom elements", most: 1 },
    ],
    rates: &[
        Rate { scope: Scope::App, count: 200, per_ms: 1000, codes: &APP_TOO_FAST },
        Rate { scope: Scope::Group, count: 40, per_ms: 1000, codes: &["10023"] },
    ],
    dedupe_ms: Some(body::WINDOW),
    message_id: true,
    document: "Tencent Cloud Chat, RESTful API: send_group_msg, sendmsg, batchsendmsg",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

struct TencentAccount {
    signer: UserSig,
    /// The URL up to the signature, for groups, for a user and for users.
    prefixes: [String; 3],
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let signer = UserSig::open(&mut opening);
    let region = opening.word("region");
    let host = region.and_then(|key| HOSTS.get(REGIONS.iter().position(|own| *own == key)?));
    if host.is_none() && opening.base_url().is_none() {
        let why = "\"region\" or \"base_url\" is required: it cannot be guessed from the app";
        return Err(opening.error("region", why));
    }
    let url = opening.endpoint(host.copied().unwrap_or_default(), PATH, false)?;
    let (app, identifier) = (signer.sdk_app_id, form::encoded(&signer.identifier));
    let base = url.as_str().strip_suffix(PATH).unwrap_or_default();
    let prefixes = [PATH, PATH_OF_USER, PATH_OF_USERS]
        .map(|path| format!("{base}{path}?sdkappid={app}&identifier={identifier}&usersig="));
    let sender = format!("{app}/{}", signer.identifier);
    let opened = opening.opened(url, &app.to_string(), TencentAccount { signer, prefixes });
    Ok(Opened { sender, ..opened })
}

/// True of a message to a group, whose pace is the group's too.
fn is_of_group(draft: &Draft) -> bool {
    !draft.scopes.is_empty()
}

impl Account for TencentAccount {
    fn encode(&self, message: &Message, seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        users::check_kinds(message)?;
        match message.to.has(Kind::User) || message.to.has(Kind::Users) {
            true => users::encode(message, seed),
            false => body::encode(message, seed),
        }
    }

    fn next(&self, draft: &Draft, at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let usersig = self.signer.at(at.unix, at.renew);
        // Another number than the message's own Random: it names the request, not the message.
        let random = (at.nonce & u128::from(u32::MAX)) as u32;
        let prefix = match (is_of_group(draft), draft.to.is_empty()) {
            (true, _) => &self.prefixes[0],
            (false, true) => &self.prefixes[1],
            (false, false) => &self.prefixes[2],
        };
        let text = format!("{prefix}{usersig}&random={random}&contenttype=json");
        let url = Url::parse(&text).expect("a URL with a query of safe characters is a URL");
        let request = HttpRequest::post(url, json::CONTENT_TYPE, draft.body.clone());
        Exchange::commit(request).with_secrets(vec![usersig])
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        match is_of_group(draft) {
            true => answer::read(answer),
            false => users::read(draft, answer),
        }
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code() {
            Some("60026" | "70020" | "70016" | "60006") => {
                Some("check \"region\": it must be where the app was created")
            }
            _ => None,
        }
    }
}
