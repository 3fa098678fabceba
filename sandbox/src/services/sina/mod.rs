//! Sina's first interface: `POST /direct_messages/new.{json,xml}`.

mod message;

use serde_json::{Value, json};

use self::message::{Format, Message, User};
use super::latest::Latest;
use super::{About, Service};
use crate::basic::is_basic;
use crate::clock::Utc;
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::form;
use crate::oauth1::{Credentials, Refusal, Verifier};

const USERNAME: &str = "test";
const PASSWORD: &str = "pwd";
const APP_KEY: &str = "1852823608";
const OAUTH1: Credentials<'_> = Credentials {
    consumer_key: "sina-consumer-key",
    consumer_secret: "sina-consumer-secret",
    token: "sina-token",
    token_secret: "sina-token-secret",
};

/// The length that the document gives; assumed: in Unicode scalars.
const LONGEST_TEXT: usize = 300;
/// The id of the document's sample.
const FIRST_ID: u64 = 722_715_041;

#[derive(Default)]
pub(super) struct Sina {
    verifier: Verifier,
    latest: Latest,
    sent: u64,
}

/// A refusal: its code and words. The HTTP status is the code's beginning.
struct Refused(u32, &'static str);

impl Refused {
    fn status(&self) -> u16 {
        match self.0 {
            40_100..=40_199 => 401,
            40_300..=40_399 => 403,
            _ => 400,
        }
    }
}

impl Sina {
    fn new_message(&mut self, call: &Call, format: Format) -> Result<Outcome, Refused> {
        // Of the texts in this file those of 40017, 40113 and 40302 are as seen; assumed: the rest.
        let params = call.params().ok_or(Refused(40001, "Error: parameter error!"))?;
        let given = |name| form::first(&params, name).filter(|value| !value.is_empty());
        self.authenticate(call, &params, given("source"))?;
        let text = given("text").ok_or(Refused(40012, "Error: content is null!"))?;
        if text.chars().count() > LONGEST_TEXT {
            return Err(Refused(40013, "Error: text too long, please input less than 140!"));
        }
        let recipient = match (given("user_id"), given("screen_name"), given("id")) {
            // Assumed: what is there for confusion's sake decides, and of that the id.
            (Some(id), _, _) => User::by_id(id),
            (None, Some(name), _) => User::by_screen_name(name),
            // Assumed: a number is an id first and a nickname second.
            (None, None, Some(either)) => {
                User::by_id(either).or_else(|| User::by_screen_name(either))
            }
            (None, None, None) => {
                return Err(Refused(40026, "Error: please pass a right uid or screen name!"));
            }
        };
        let recipient = recipient.ok_or(Refused(40023, "Error: user does not exist!"))?;
        match recipient {
            User::Sender | User::Stranger => {
                let words = "Error: can't send direct message to user who is not your follower!";
                return Err(Refused(40017, words));
            }
            User::Closed => return Err(Refused(40028, "根据对方的设置,你不能进行此操作")),
            User::OpenPlatform | User::Numeric => {}
        }
        // The document has the status only; assumed: the code that repeated posts get.
        if self.latest.is(recipient.id(), text) {
            return Err(Refused(40025, "Error: repeated direct message text!"));
        }
        self.latest.set(recipient.id(), text);
        let message = Message {
            id: FIRST_ID + self.sent,
            text: text.to_owned(),
            recipient,
            created_at: Utc::created_at_in_china(call.now_s()),
        };
        self.sent += 1;
        let (account, recipient) = (User::Sender.screen_name(), recipient.id().to_string());
        let id = Some(message.id.to_string());
        let delivered = Delivered { id, ..Delivered::to(account, recipient, text) };
        Ok(Outcome::took(message.to_answer(format), delivered))
    }

    fn authenticate(
        &mut self,
        call: &Call,
        params: &[(String, String)],
        source: Option<&str>,
    ) -> Result<(), Refused> {
        let header = call.header("authorization");
        let scheme = header.and_then(|header| header.split(' ').next()).unwrap_or_default();
        let oauth = header.filter(|_| scheme.eq_ignore_ascii_case("OAuth"));
        if oauth.is_some() || form::first(params, "oauth_signature").is_some() {
            let urls = signable_urls(call);
            return self
                .verifier
                .verify(&OAUTH1, call.now_s(), &call.method, &urls, oauth, params)
                .map_err(refused);
        }
        // Assumed: an app that nobody knows is as good as none.
        if source != Some(APP_KEY) {
            return Err(Refused(40022, "Error: source paramter(appkey) is missing"));
        }
        match header.is_some_and(|header| is_basic(header, USERNAME, PASSWORD)) {
            true => Ok(()),
            false => Err(Refused(40302, "Error: auth faild!")),
        }
    }
}

/// The URLs that a signature may be made over: as sent, and the service's own for a client that is
/// told to sign for it.
fn signable_urls(call: &Call) -> Vec<String> {
    let scheme = if call.https { "https" } else { "http" };
    vec![
        format!("{scheme}://{}{}", call.host(), call.full_path()),
        format!("http://api.t.sina.com.cn{}", call.path),
    ]
}

/// Assumed: all but 40101, 40102 and 40113 have their numbers from the order of the later table.
fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Version(_) => Refused(40101, "Oauth Error: version_rejected!"),
        Refusal::Parameter(_) => Refused(40102, "Oauth Error: parameter_absent!"),
        Refusal::Timestamp => Refused(40104, "Oauth Error: timestamp_refused!"),
        Refusal::Nonce => Refused(40105, "Oauth Error: nonce_used!"),
        Refusal::Method(_) => Refused(40106, "Oauth Error: signature_method_rejected!"),
        Refusal::Signature { .. } => Refused(40107, "Oauth Error: signature_invalid!"),
        Refusal::Consumer => Refused(40108, "Oauth Error: consumer_key_unknown!"),
        Refusal::Token => Refused(40113, "Oauth Error: token_rejected!"),
    }
}

/// The error shape: `error_code` is the HTTP status, the code stands before the words.
fn error(call: &Call, format: Format, refused: &Refused) -> Answer {
    let Refused(code, words) = refused;
    let status = refused.status();
    let body = json!({
        "request": call.path,
        "error_code": status.to_string(),
        "error": format!("{code}:{words}"),
    });
    // Assumed: the root of XML, as in the service's other documents.
    format.answer(status, "hash", &body)
}

/// The format that the path asks for, or `None` where it asks for one that the service has not.
fn format(ending: &str) -> Option<Format> {
    match ending {
        "json" => Some(Format::Json),
        "xml" => Some(Format::Xml),
        _ => None,
    }
}

fn ending(call: &Call) -> Option<&str> {
    call.path.strip_prefix("/direct_messages/new.")
}

/// An error in the format that the path asks for, else in JSON.
fn plain_error(call: &Call, refused: &Refused) -> Answer {
    error(call, ending(call).and_then(format).unwrap_or(Format::Json), refused)
}

impl Service for Sina {
    fn name(&self) -> &'static str {
        "sina"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        let Some(ending) = ending(call) else { return Answer::not_found().into() };
        if call.method != "POST" {
            return Answer::wrong_method("POST").into();
        }
        let Some(format) = format(ending) else {
            return plain_error(call, &Refused(40007, "Error: format must be xml or json!")).into();
        };
        self.new_message(call, format)
            .unwrap_or_else(|refused| error(call, format, &refused).into())
    }

    fn rate_limited(&self, call: &Call) -> Answer {
        plain_error(call, &Refused(40011, "Error: direct messages out of limit!"))
    }

    fn dropped(&self, call: &Call) -> Answer {
        plain_error(call, &Refused(40076, "Error: contains an illegal word!"))
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let basic = json!({"type": "basic", "username": USERNAME, "password": PASSWORD});
        let oauth1 = json!({
            "type": "oauth1",
            "consumer_key": OAUTH1.consumer_key,
            "consumer_secret": OAUTH1.consumer_secret,
            "token": OAUTH1.token,
            "token_secret": OAUTH1.token_secret,
        });
        vec![
            ("sina-basic", json!({"service": "sina", "auth": basic, "app_key": APP_KEY})),
            ("sina-oauth1", json!({"service": "sina", "auth": oauth1})),
        ]
    }

    fn about(&self) -> About {
        About {
            title: "Sina",
            paths: "<code>POST /sina/direct_messages/new.{json,xml}</code>",
            auth: "Basic, <code>test:pwd</code>, with <code>source=1852823608</code> in the query or \
                   the form; or OAuth 1.0a with HMAC-SHA1 (consumer <code>sina-consumer-key</code>, \
                   token <code>sina-token</code>).",
            recipients: "<code>11051</code> (微博开放平台) and <code>1000011051</code>, whose nickname \
                         is <code>11051</code>, take messages; <code>1000040017</code> \
                         (<code>stranger</code>) and the sender, <code>1658122963</code> \
                         (<code>zhangwei217245</code>), do not follow the sender: 40017; \
                         <code>1000040028</code> (<code>closed</code>) takes none by his settings: \
                         40028; everybody else is 40023.",
            limits: "300 characters (40013); the text that the recipient was sent last (40025). \
                     How many messages may be sent an hour is not documented, and not limited.",
            assumed: &[
                "A repeated message is 40025, however long ago the first was; \
                 <code>rate_limit</code> is 40011, <code>drop</code> 40076.",
                "<code>user_id</code> goes before <code>screen_name</code>, both before \
                 <code>id</code>; one of the three is enough (none: 40026).",
                "A number in <code>id</code> is a user's id first and a nickname second.",
                "An unknown <code>source</code> is as good as none (40022).",
                "The numbers of most OAuth refusals; timestamps may be 300 seconds off.",
                "Characters are counted as Unicode scalars; an error's XML has the root \
                 <code>hash</code>.",
            ],
        }
    }
}
