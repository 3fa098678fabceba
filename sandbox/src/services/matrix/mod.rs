//! Matrix: the part of a homeserver's client-server API that messages are sent with.

mod rooms;

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{About, Service};
use crate::delivered::Attached;
use crate::exchange::{Answer, Call, Outcome};
use crate::memory::Memory;
use crate::route::{self, Handled, Missed, Params, Route};
use rooms::Room;

const ME: &str = "@hongyan:localhost";
const NAME: &str = "hongyan";
const PASSWORD: &str = "swan-goose-7";
/// A token that was given to the user himself, and its device.
const TOKEN: &str = "syt_aG9uZ3lhbg_hongyanSandboxToken_1Zx2Yc";
const DEVICE: &str = "SANDBOX";
const GENERAL: &str = "!general:localhost";
/// How long a `txnId` is known: so long Synapse has it in memory.
const TXN_MS: u64 = 30 * 60_000;
/// The largest upload, in bytes, and the largest event.
const LARGEST_FILE: usize = 50 << 20;
const LARGEST_EVENT: usize = 65_536;
/// What the server adds to an event, about, in bytes.
const ADDED: usize = 700;
/// Messages of a user at once, and how long each of them counts.
const BURST: usize = 10;
const ONE_IN_MS: u64 = 5_000;

const ROUTES: &[Route<Matrix>] = &[
    Route::get("/_matrix/client/versions", Matrix::versions),
    Route::get("/_matrix/client/v3/login", Matrix::flows),
    Route::post("/_matrix/client/v3/login", Matrix::login),
    Route::get("/_matrix/client/v3/account/whoami", Matrix::who),
    Route::get("/_matrix/client/v3/user/{user}/account_data/{type}", Matrix::account_data),
    Route::new("PUT", "/_matrix/client/v3/user/{user}/account_data/{type}", Matrix::note),
    Route::get("/_matrix/client/v3/directory/room/{alias}", Matrix::alias),
    Route::post("/_matrix/client/v3/createRoom", Matrix::create),
    Route::post("/_matrix/client/v3/join/{room}", Matrix::join),
    Route::post("/_matrix/client/v3/rooms/{room}/join", Matrix::join),
    Route::get("/_matrix/client/v3/joined_rooms", Matrix::joined),
    Route::get("/_matrix/client/v3/rooms/{room}/members", Matrix::members),
    Route::get("/_matrix/client/v3/rooms/{room}/state/{type}", Matrix::state),
    Route::new("PUT", "/_matrix/client/v3/rooms/{room}/send/{type}/{txn}", Matrix::send),
    Route::get("/_matrix/client/v1/media/config", Matrix::media_config),
    Route::get("/_matrix/media/v3/config", Matrix::media_config),
    Route::post("/_matrix/media/v3/upload", Matrix::upload),
];

pub(super) struct Matrix {
    /// Tokens that devices were given by logging in, with the device of each.
    sessions: Vec<(String, String)>,
    /// Events by device, room, type and `txnId`; what they say is not looked at again.
    sent: Memory<String>,
    rooms: Vec<Room>,
    /// The rooms of the events that there are.
    events: HashMap<String, String>,
    media: HashMap<String, Attached>,
    account_data: HashMap<String, Value>,
    /// When the messages leave the bucket that are in it.
    bucket_ends_ms: u64,
    made: u64,
}

impl Default for Matrix {
    fn default() -> Matrix {
        Matrix {
            sessions: vec![(TOKEN.to_owned(), DEVICE.to_owned())],
            sent: Memory::new(TXN_MS),
            rooms: rooms::first(),
            events: HashMap::new(),
            media: HashMap::new(),
            account_data: HashMap::new(),
            bucket_ends_ms: 0,
            made: 0,
        }
    }
}

/// An answer in JSON; clients look for exactly this type.
fn told(body: &Value) -> Answer {
    Answer::new(200, "application/json", body.to_string())
}

fn refused(status: u16, code: &str, words: &str) -> Answer {
    let body = json!({"errcode": code, "error": words});
    Answer::new(status, "application/json", body.to_string())
}

fn too_fast(wait_ms: u64) -> Answer {
    let body = json!({"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests",
        "retry_after_ms": wait_ms});
    let answer = Answer::new(429, "application/json", body.to_string());
    answer.retry_after(wait_ms.div_ceil(1000))
}

/// The body, in which numbers are whole.
fn object(call: &Call) -> Result<Map<String, Value>, Answer> {
    let value: Value = serde_json::from_slice(&call.body)
        .map_err(|_| refused(400, "M_NOT_JSON", "Content not JSON."))?;
    if !is_whole(&value) {
        return Err(refused(400, "M_BAD_JSON", "Bad JSON value: float"));
    }
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(refused(400, "M_BAD_JSON", "Content must be a JSON object.")),
    }
}

fn is_whole(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_i64() || number.is_u64(),
        Value::Array(items) => items.iter().all(is_whole),
        Value::Object(members) => members.values().all(is_whole),
        _ => true,
    }
}

impl Matrix {
    fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// The device whose token the request carries.
    fn device(&self, call: &Call) -> Result<String, Answer> {
        let query = call.query("access_token");
        let Some(token) = call.credentials("Bearer").or(query.as_deref()) else {
            return Err(refused(401, "M_MISSING_TOKEN", "Missing access token"));
        };
        match self.sessions.iter().find(|(own, _)| own == token) {
            Some((_, device)) => Ok(device.clone()),
            None => {
                let body = json!({"errcode": "M_UNKNOWN_TOKEN", "soft_logout": false,
                    "error": "Invalid access token passed."});
                Err(Answer::new(401, "application/json", body.to_string()))
            }
        }
    }

    fn versions(&mut self, _: &Call, _: &Params) -> Handled {
        let versions: Vec<_> = (1..=12).map(|n| format!("v1.{n}")).collect();
        Ok(told(&json!({"versions": versions, "unstable_features": {}})).into())
    }

    fn flows(&mut self, _: &Call, _: &Params) -> Handled {
        Ok(told(&json!({"flows": [{"type": "m.login.password"}]})).into())
    }

    fn login(&mut self, call: &Call, _: &Params) -> Handled {
        let body = object(call)?;
        let of = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        if of("type") != "m.login.password" {
            let words = format!("Unknown login type {}", of("type"));
            return Err(refused(400, "M_UNKNOWN", &words));
        }
        let user = body.get("identifier").and_then(|id| id["user"].as_str()).unwrap_or(of("user"));
        if !matches!(user, NAME | ME) || of("password") != PASSWORD {
            return Err(refused(403, "M_FORBIDDEN", "Invalid username or password"));
        }
        let n = self.number();
        let device = match of("device_id") {
            "" => format!("DEVICE{n:04}"),
            device => device.to_owned(),
        };
        // The token that the device had is of no use any more.
        self.sessions.retain(|(token, own)| token == TOKEN || *own != device);
        let token = format!("syt_aG9uZ3lhbg_hongyanSession{n:06}_{:06x}", call.now_ms & 0xff_ffff);
        self.sessions.push((token.clone(), device.clone()));
        let body = json!({"user_id": ME, "access_token": token, "home_server": "localhost",
            "device_id": device});
        Ok(told(&body).into())
    }

    fn who(&mut self, call: &Call, _: &Params) -> Handled {
        let device = self.device(call)?;
        Ok(told(&json!({"user_id": ME, "is_guest": false, "device_id": device})).into())
    }

    fn account_data(&mut self, call: &Call, params: &Params) -> Handled {
        self.device(call)?;
        if params.get("user") != ME {
            return Err(refused(403, "M_FORBIDDEN", "Cannot get account data for other users."));
        }
        match self.account_data.get(params.get("type")) {
            Some(data) => Ok(told(data).into()),
            None => Err(refused(404, "M_NOT_FOUND", "Account data not found")),
        }
    }

    fn note(&mut self, call: &Call, params: &Params) -> Handled {
        self.device(call)?;
        if params.get("user") != ME {
            return Err(refused(403, "M_FORBIDDEN", "Cannot add account data for other users."));
        }
        let body = object(call)?;
        self.account_data.insert(params.get("type").to_owned(), Value::Object(body));
        Ok(told(&json!({})).into())
    }

    fn media_config(&mut self, call: &Call, _: &Params) -> Handled {
        self.device(call)?;
        Ok(told(&json!({"m.upload.size": LARGEST_FILE})).into())
    }

    fn upload(&mut self, call: &Call, _: &Params) -> Handled {
        self.device(call)?;
        if call.body.len() > LARGEST_FILE {
            return Err(refused(413, "M_TOO_LARGE", "Upload request body is too large"));
        }
        let name = call.query("filename").unwrap_or_default();
        let kind = call.header("content-type").unwrap_or("application/octet-stream");
        let uri = format!("mxc://localhost/hongyan{:017}", self.number());
        self.media.insert(uri.clone(), Attached::new(&name, kind, &call.body));
        Ok(told(&json!({"content_uri": uri})).into())
    }

    /// Takes a place in the bucket, which lets one out every so often.
    fn take_place(&mut self, call: &Call) -> Result<(), Answer> {
        if !call.limits {
            return Ok(());
        }
        let ends = self.bucket_ends_ms.max(call.now_ms) + ONE_IN_MS;
        let most = call.now_ms + BURST as u64 * ONE_IN_MS;
        if ends > most {
            return Err(too_fast(ends - most));
        }
        self.bucket_ends_ms = ends;
        Ok(())
    }
}

impl Service for Matrix {
    fn name(&self) -> &'static str {
        "matrix"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        let missed = |missed| match missed {
            Missed::Path => refused(404, "M_UNRECOGNIZED", "Unrecognized request"),
            Missed::Method(_) => refused(405, "M_UNRECOGNIZED", "Unrecognized request"),
        };
        route::answer(self, call, ROUTES).unwrap_or_else(|why| missed(why).into())
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        too_fast(412)
    }

    fn dropped(&self, _: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is what a filter of spam answers.
        refused(403, "M_FORBIDDEN", "This message has been rejected as probable spam")
    }

    fn largest_body(&self) -> usize {
        LARGEST_FILE + (1 << 20)
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let to = json!({"room": GENERAL});
        let token =
            json!({"service": "matrix", "auth": {"type": "token", "token": TOKEN}, "to": to});
        let auth = json!({"type": "password", "username": NAME, "password": PASSWORD});
        let password = json!({"service": "matrix", "auth": auth, "to": to});
        vec![("matrix", token), ("matrix-password", password)]
    }

    fn about(&self) -> About {
        About {
            title: "Matrix",
            paths: "below <code>/matrix/_matrix/client/v3</code>: \
                    <code>PUT /rooms/{room}/send/{type}/{txnId}</code>, <code>POST /login</code>, \
                    <code>/createRoom</code>, <code>/join/{room}</code>, <code>GET /account/whoami</code>, \
                    <code>/directory/room/{alias}</code>, <code>/rooms/{room}/members</code>, \
                    <code>/rooms/{room}/state/{type}</code>, and account data; \
                    <code>POST /matrix/_matrix/media/v3/upload</code>",
            auth: "<code>Authorization: Bearer …</code>, of a token or of a device that logged in with the \
                   password",
            recipients: "rooms !general:localhost (#general:localhost) and !muted:localhost, in which only \
                         others may write; !secret:localhost is encrypted; !lobby:localhost \
                         (#lobby:localhost) can be entered, !closed:localhost cannot; users \
                         @anna:localhost and @bruno:localhost",
            limits: "65,536 bytes an event, 50 MiB an upload; ten messages at once, then one in five \
                     seconds; a txnId is known to its device for 30 minutes",
            assumed: &[
                "an event has 700 bytes beside its content",
                "whoever is invited to a direct room does not enter it",
                "the ids of rooms, events and files",
            ],
        }
    }
}
