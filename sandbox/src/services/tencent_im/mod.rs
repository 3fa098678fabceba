//! Tencent Chat: `POST /v4/group_open_http_svc/send_group_msg`, and messages to users.

mod body;
mod groups;
mod users;
mod usersig;

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use self::groups::{ADMIN, Place};
use self::users::Users;
use self::usersig::{Claim, Refusal};
use super::{About, Service};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::form;
use crate::window::Window;

const SDK_APP_ID: u64 = 1_400_000_000;
/// The placeholder that the reference signers print.
const SECRET_KEY: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";
const OF_GROUPS: &str = "/v4/group_open_http_svc/";
const OF_USERS: &str = "/v4/openim/";

/// Requests a second and app.
const APP_PER_SECOND: usize = 200;
/// Messages a second and group.
const GROUP_PER_SECOND: usize = 40;
/// How long a message with the same Random and content is the same message.
const SAME_MS: u64 = 5 * 60 * 1000;

/// A message that a later one may repeat.
#[derive(Clone, Debug)]
struct Earlier {
    /// A digest: it is all that a comparison needs.
    content: [u8; 32],
    at_ms: u64,
    time: u64,
    seq: u64,
}

/// A conversation and a Random: what a message shares with its repetition.
type Repeated = (String, u64);

pub(super) struct TencentIm {
    requests: Window,
    users: Users,
    groups: HashMap<&'static str, Window>,
    numbers: HashMap<String, u64>,
    earlier: HashMap<Repeated, Earlier>,
    order: VecDeque<(u64, Repeated)>,
}

impl Default for TencentIm {
    fn default() -> TencentIm {
        TencentIm {
            requests: Window::new(APP_PER_SECOND, 1000),
            users: Users::default(),
            groups: HashMap::new(),
            numbers: HashMap::new(),
            earlier: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

/// A refusal: its code and words.
#[derive(Debug)]
struct Refused {
    code: u32,
    info: String,
}

impl Refused {
    fn new(code: u32, info: impl Into<String>) -> Refused {
        Refused { code, info: info.into() }
    }
}

/// Checks the query: who calls, and whether they may.
///
/// The documents give the codes; the order of the checks is assumed.
fn authenticate(call: &Call) -> Result<(), Refused> {
    let query = form::pairs(&call.query);
    let query = query.ok_or_else(|| Refused::new(60002, "the query cannot be decoded"))?;
    let given = |name| form::first(&query, name).filter(|value| !value.is_empty());
    let wrong = |name: &str| Refused::new(60025, format!("{name} is missing or wrong"));
    let sdk_app_id = given("sdkappid").ok_or_else(|| Refused::new(60012, "sdkappid is missing"))?;
    let sdk_app_id: u64 = sdk_app_id.parse().map_err(|_| wrong("sdkappid"))?;
    let identifier = given("identifier").ok_or_else(|| wrong("identifier"))?;
    let usersig = given("usersig").ok_or_else(|| wrong("usersig"))?;
    if given("contenttype") != Some("json") {
        return Err(wrong("contenttype"));
    }
    // Assumed: a random number that is none spoils the URL.
    if given("random").is_none_or(|random| random.parse::<u32>().is_err()) {
        return Err(Refused::new(60002, "random is not a 32-bit unsigned integer"));
    }
    if sdk_app_id != SDK_APP_ID {
        return Err(Refused::new(70020, "sdkappid does not exist"));
    }
    let claim = Claim { sdk_app_id, identifier, secret_key: SECRET_KEY, now_s: call.now_s() };
    usersig::verify(usersig, claim).map_err(|refusal| {
        let info = match refusal {
            Refusal::Expired => "usersig expired",
            Refusal::Illegal => "usersig is illegal",
            Refusal::Key => "usersig verification failed",
            Refusal::Identifier => "identifier does not match usersig",
            Refusal::AppId => "sdkappid does not match usersig",
        };
        Refused::new(refusal as u32, info)
    })?;
    if identifier != ADMIN {
        return Err(Refused::new(60010, "only the app administrator may call this"));
    }
    Ok(())
}

impl TencentIm {
    /// Lets a request pass that may call, and reads it.
    fn admit(&mut self, call: &Call) -> Result<Map<String, Value>, Refused> {
        authenticate(call)?;
        if call.limits && !self.requests.pass(call.now_ms) {
            return Err(Refused::new(60007, "calling frequency limit exceeded"));
        }
        // Duplicate and unknown fields are let pass, as JSON readers do; assumed.
        serde_json::from_slice(&call.body)
            .map_err(|error| Refused::new(60003, format!("the body is no JSON object: {error}")))
    }

    fn send_group_msg(&mut self, call: &Call) -> Result<Outcome, Refused> {
        let request = self.admit(call)?;
        body::check_request(&request)?;
        let place = groups::find(&request)?;
        let window = self.groups.entry(place.group);
        let window = window.or_insert_with(|| Window::new(GROUP_PER_SECOND, 1000));
        if call.limits && !window.pass(call.now_ms) {
            return Err(Refused::new(10023, "message sending frequency limit reached"));
        }
        Ok(self.take(call, &request, &place))
    }

    /// Takes a message, or knows it again.
    fn take(&mut self, call: &Call, request: &Map<String, Value>, place: &Place) -> Outcome {
        let random = request.get("Random").and_then(Value::as_u64).unwrap_or_default();
        let content = request.get("MsgBody").map(Value::to_string).unwrap_or_default();
        let content = Sha256::digest(content).into();
        let key = (place.conversation.clone(), random);
        self.forget(call.now_ms);
        // Assumed: the repetition is discarded, and answered like the first.
        if let Some(earlier) = self.earlier.get(&key)
            && earlier.content == content
        {
            return sent(earlier.time, earlier.seq).into();
        }
        let number = self.numbers.entry(place.conversation.clone()).or_default();
        *number += 1;
        let seq = *number;
        let earlier = Earlier { content, at_ms: call.now_ms, time: call.now_s(), seq };
        self.order.push_back((call.now_ms, key.clone()));
        self.earlier.insert(key, earlier);
        let id = Some(seq.to_string());
        let delivered = Delivered { id, ..Delivered::to(ADMIN, place.group, body::text(request)) };
        Outcome::took(sent(call.now_s(), seq), delivered)
    }

    /// Forgets what is too old to be repeated.
    fn forget(&mut self, now_ms: u64) {
        let old = |at_ms: u64| now_ms >= at_ms + SAME_MS;
        while self.order.front().is_some_and(|(at_ms, _)| old(*at_ms)) {
            if let Some((_, key)) = self.order.pop_front()
                // A younger message may have taken its place.
                && self.earlier.get(&key).is_some_and(|earlier| old(earlier.at_ms))
            {
                self.earlier.remove(&key);
            }
        }
    }
}

/// Every outcome has status 200.
fn envelope(body: &Value) -> Answer {
    Answer::json(200, body)
}

fn sent(time: u64, seq: u64) -> Answer {
    envelope(&json!({
        "ActionStatus": "OK",
        "ErrorInfo": "",
        "ErrorCode": 0,
        "MsgTime": time,
        "MsgSeq": seq,
    }))
}

fn failed(refused: &Refused) -> Answer {
    envelope(&json!({
        "ActionStatus": "FAIL",
        "ErrorInfo": refused.info,
        "ErrorCode": refused.code,
    }))
}

impl Service for TencentIm {
    fn name(&self) -> &'static str {
        "tencent_im"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        let of_groups = call.path.strip_prefix(OF_GROUPS);
        let Some(command) = of_groups.or_else(|| call.path.strip_prefix(OF_USERS)) else {
            return Answer::not_found().into();
        };
        if call.method != "POST" {
            return Answer::wrong_method("POST").into();
        }
        let outcome = match (of_groups.is_some(), command) {
            (true, "send_group_msg") => self.send_group_msg(call),
            (false, "sendmsg") => self.admit(call).and_then(|all| self.users.one(call, &all)),
            (false, "batchsendmsg") => {
                self.admit(call).and_then(|all| self.users.several(call, &all))
            }
            _ => Err(Refused::new(10003, "wrong command name")),
        };
        outcome.unwrap_or_else(|refused| failed(&refused).into())
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        failed(&Refused::new(10023, "message sending frequency limit reached"))
    }

    fn dropped(&self, call: &Call) -> Answer {
        // As in the document's sample, number included.
        envelope(&json!({
            "ActionStatus": "OK",
            "ErrorInfo": "",
            "ErrorCode": 0,
            "MsgTime": call.now_s(),
            "MsgSeq": 1,
            "MsgDropReason": "MsgFreqCtrl",
        }))
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let auth = json!({
            "type": "usersig",
            "sdk_app_id": SDK_APP_ID,
            "identifier": ADMIN,
            "secret_key": SECRET_KEY,
        });
        vec![("tencent_im-usersig", json!({"service": "tencent_im", "auth": auth}))]
    }

    fn about(&self) -> About {
        About {
            title: "Tencent Chat",
            paths: "<code>POST /tencent_im/v4/group_open_http_svc/send_group_msg?sdkappid=…&amp;\
                    identifier=…&amp;usersig=…&amp;random=…&amp;contenttype=json</code>, and with the same query \
                    <code>…/v4/openim/sendmsg</code> and <code>…/v4/openim/batchsendmsg</code>",
            auth: "UserSig version 2 for app <code>1400000000</code>, identifier \
                   <code>administrator</code>, with the key that the configuration shows.",
            recipients: "Groups <code>@TGS#2C5SZEAEF</code> (public), <code>@TGS#12DEVUDHQ</code> \
                         (work), <code>@TGS#MEETING</code>, <code>@TGS#AVCHATROOM</code>, \
                         <code>@TGS#_COMMUNITY</code> with topic \
                         <code>@TGS#_COMMUNITY@TOPIC#_T1</code>. <code>@TGS#MUTED</code> answers \
                         10017, <code>@TGS#FORBIDDEN</code> 10007, every other group 10010. \
                         Senders: <code>leckie</code>, <code>tommy</code>, <code>brennanli</code>, \
                         <code>brennanli2</code>, <code>brennanli3</code>; <code>muted</code> \
                         answers 10017. They are the users too: another is 90012 of <code>sendmsg</code>, \
                         and 70107 in the ErrorList of <code>batchsendmsg</code>.",
            limits: "12,288 bytes of MsgBody, 50 members, 30 mentions, one custom element; 40 \
                     messages a second and group, 200 requests a second. The same Random and \
                     MsgBody within 5 minutes is one message; to one user the same MsgSeq, MsgRandom and \
                     MsgBody within 2 minutes. 500 users a request.",
            assumed: &[
                "A repeated message is answered like the first, with its MsgSeq.",
                "Over 40 a second is 10023; MsgDropReason comes only on demand.",
                "Repetition means the same MsgBody, whatever the other fields say.",
                "Options that a group's type does not take are refused with 10004.",
                "Members and mentioned users need not exist.",
                "A topic numbers its messages by itself.",
                "A message to several users is never known again.",
            ],
        }
    }
}
