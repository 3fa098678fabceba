//! Fanfou: `POST /direct_messages/new.{json,xml,rss}`.

mod message;

use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use self::message::{Format, Message, User};
use super::{About, Service};
use crate::basic::is_basic;
use crate::clock::Utc;
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::form;
use crate::oauth1::{Credentials, Refusal, Verifier};
use crate::window::Window;
use crate::xml;

const USERNAME: &str = "test";
const PASSWORD: &str = "pwd";
const OAUTH1: Credentials<'_> = Credentials {
    consumer_key: "fanfou-consumer-key",
    consumer_secret: "fanfou-consumer-secret",
    token: "fanfou-token",
    token_secret: "fanfou-token-secret",
};

/// The length that the document gives; assumed: in Unicode scalars, and that longer texts are
/// refused.
const LONGEST_TEXT: usize = 140;
/// Calls an hour and user.
const CALLS_PER_HOUR: usize = 1500;
const HOUR_MS: u64 = 3_600_000;
/// How many messages can be replied to.
const REPLIABLE: usize = 1000;
/// Takes messages from nobody: assumed to be what a private account answers with 403.
const PROTECTED: &str = "protected";

pub(super) struct Fanfou {
    verifier: Verifier,
    calls: Window,
    sent: u64,
    repliable: VecDeque<Message>,
}

impl Default for Fanfou {
    fn default() -> Fanfou {
        Fanfou {
            verifier: Verifier::default(),
            calls: Window::new(CALLS_PER_HOUR, HOUR_MS),
            sent: 0,
            // The message that the document's sample replies to.
            repliable: VecDeque::from([Message {
                id: "2077".to_owned(),
                text: "reply_direct_message".to_owned(),
                sender: User::Lisztli,
                recipient: User::Test,
                created_at: "Thu Nov 16 03:45:20 +0000 2011".to_owned(),
                in_reply_to: None,
            }]),
        }
    }
}

/// A refusal: its status and words.
struct Refused(u16, String);

fn refused<T>(status: u16, words: &str) -> Result<T, Refused> {
    Err(Refused(status, words.to_owned()))
}

impl Fanfou {
    fn new_message(&mut self, call: &Call, format: Format) -> Result<Outcome, Refused> {
        let Some(params) = call.params() else {
            // Assumed, like every text of this file that is not marked as seen.
            return refused(400, "Invalid parameter encoding");
        };
        self.authenticate(call, &params)?;
        if call.limits && !self.calls.pass(call.now_ms) {
            return Err(over_limit());
        }
        let given = |name| form::first(&params, name).filter(|value| !value.is_empty());
        let Some(user) = given("user") else { return refused(400, "user is required") };
        let Some(text) = given("text") else { return refused(400, "text is required") };
        if text.chars().count() > LONGEST_TEXT {
            return refused(400, "text is too long");
        }
        let callback = given("callback").filter(|_| format == Format::Json);
        if callback.is_some_and(|name| !is_function_name(name)) {
            return refused(400, "Invalid callback");
        }
        if user == PROTECTED {
            return refused(403, "You are not allowed to send a message to this user");
        }
        let Some(recipient) = User::find(user) else { return refused(404, "No such user") };
        // Assumed: a message that nobody knows is as good as none to reply to.
        let original = given("in_reply_to_id")
            .and_then(|id| self.repliable.iter().rev().find(|message| message.id == id));
        let original = original.map(|message| Box::new(message.without_original()));
        let message = Message {
            id: self.next_id(),
            text: text.to_owned(),
            sender: User::Test,
            recipient,
            created_at: Utc::from_unix(call.now_s()).created_at(),
            in_reply_to: original,
        };
        // Assumed: a mode that is not lite is the default one.
        let lite = given("mode") == Some("lite");
        let answer = message.to_answer(format, lite, callback);
        let id = Some(message.id.clone());
        let delivered = Delivered { id, ..Delivered::to(USERNAME, recipient.id(), text) };
        if self.repliable.len() == REPLIABLE {
            self.repliable.pop_front();
        }
        self.repliable.push_back(message);
        Ok(Outcome::took(answer, delivered))
    }

    fn authenticate(&mut self, call: &Call, params: &[(String, String)]) -> Result<(), Refused> {
        let header = call.header("authorization");
        let scheme = header.and_then(|header| header.split(' ').next()).unwrap_or_default();
        if scheme.eq_ignore_ascii_case("Basic") {
            return match header.is_some_and(|header| is_basic(header, USERNAME, PASSWORD)) {
                true => Ok(()),
                false => refused(401, "Could not authenticate you."),
            };
        }
        let in_params = form::first(params, "oauth_signature").is_some();
        let header = header.filter(|_| scheme.eq_ignore_ascii_case("OAuth"));
        if header.is_none() && !in_params {
            return refused(401, "This method requires authentication.");
        }
        let urls = signable_urls(call);
        self.verifier
            .verify(&OAUTH1, call.now_s(), &call.method, &urls, header, params)
            .map_err(|refusal| Refused(401, words(refusal)))
    }

    /// An id of the documented look: eleven characters, no two alike.
    fn next_id(&mut self) -> String {
        self.sent += 1;
        // SplitMix64's finisher: it maps no two numbers to one.
        let mut bits = self.sent.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        URL_SAFE_NO_PAD.encode((bits ^ (bits >> 31)).to_be_bytes())
    }
}

/// The URLs that a signature may be made over, the usual one first.
///
/// The service computes with `http` whatever the request came over. Assumed, for clients that are
/// not told so: over TLS the URL as sent is accepted too. The service's own address is what a
/// client signs that is told the address to sign for.
fn signable_urls(call: &Call) -> Vec<String> {
    let address = format!("{}{}", call.host(), call.full_path());
    let mut urls = vec![format!("http://{address}"), format!("http://api.fanfou.com{}", call.path)];
    if call.https {
        urls.push(format!("https://{address}"));
    }
    urls
}

fn words(refusal: Refusal) -> String {
    match refusal {
        // These four are as seen.
        Refusal::Consumer => "Invalid consumer".to_owned(),
        Refusal::Token => "Invalid access token".to_owned(),
        Refusal::Timestamp => "Expired timestamp".to_owned(),
        Refusal::Signature { expected } => {
            format!("Invalid signature. Expected basestring is {expected}")
        }
        Refusal::Nonce => "Nonce already used".to_owned(),
        Refusal::Method(method) => format!("Signature method {method} not supported"),
        Refusal::Version(version) => format!("OAuth version {version} not supported"),
        Refusal::Parameter(name) => format!("Invalid or missing {name}"),
    }
}

/// Assumed: a callback is a dotted name, as elsewhere.
fn is_function_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "_$.[]".contains(c))
}

/// Assumed: the documents give the limit, and neither the status nor the text of its refusal.
fn over_limit() -> Refused {
    Refused(
        429,
        "Rate limit exceeded. Clients may not make more than 1500 requests per hour.".into(),
    )
}

/// The error shape: the request with its query, and words.
fn error(call: &Call, format: Format, refused: &Refused) -> Answer {
    let Refused(status, words) = refused;
    let answer = match format {
        Format::Json => {
            let body = json!({"request": call.target, "error": words});
            Answer::new(*status, "application/json; charset=utf-8", message::ascii(&body))
        }
        // Assumed: a feed's errors look like those of XML.
        Format::Xml | Format::Rss => {
            let (request, words) = (xml::text(&call.target), xml::text(words));
            let body = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<hash>\n<request>{request}</request>\n\
                 <error>{words}</error>\n</hash>\n"
            );
            Answer::new(*status, "application/xml; charset=utf-8", body)
        }
    };
    match status {
        401 => answer.with_header("www-authenticate", "Basic realm=\"Fanfou API\""),
        _ => answer,
    }
}

fn format(call: &Call) -> Option<Format> {
    match call.path.strip_prefix("/direct_messages/new.")? {
        "json" => Some(Format::Json),
        "xml" => Some(Format::Xml),
        "rss" => Some(Format::Rss),
        _ => None,
    }
}

impl Service for Fanfou {
    fn name(&self) -> &'static str {
        "fanfou"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        let Some(format) = format(call) else { return Answer::not_found().into() };
        if call.method != "POST" {
            return Answer::wrong_method("POST").into();
        }
        self.new_message(call, format)
            .unwrap_or_else(|refused| error(call, format, &refused).into())
    }

    fn rate_limited(&self, call: &Call) -> Answer {
        error(call, format(call).unwrap_or(Format::Json), &over_limit())
    }

    fn dropped(&self, call: &Call) -> Answer {
        let words = "The message could not be sent".to_owned();
        error(call, format(call).unwrap_or(Format::Json), &Refused(400, words))
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
        let account = |auth| json!({"service": "fanfou", "auth": auth});
        vec![("fanfou-basic", account(basic)), ("fanfou-oauth1", account(oauth1))]
    }

    fn about(&self) -> About {
        About {
            title: "Fanfou",
            paths: "<code>POST /fanfou/direct_messages/new.{json,xml,rss}</code>",
            auth: "Basic, <code>test:pwd</code>; or OAuth 1.0a with HMAC-SHA1 (consumer \
                   <code>fanfou-consumer-key</code>, token <code>fanfou-token</code>) in the header, \
                   the form or the query, signed over the <code>http</code> form of the URL.",
            recipients: "<code>lisztli</code> and <code>test</code> take messages; \
                         <code>protected</code> answers 403; everybody else 404.",
            limits: "140 characters; 1500 calls an hour.",
            assumed: &[
                "A text over 140 Unicode scalars is refused with 400.",
                "An unknown user is 404; over the limit is 429.",
                "Timestamps may be 300 seconds off; a nonce serves once per timestamp.",
                "Over TLS a signature over the <code>https</code> URL is accepted too.",
                "An unknown <code>in_reply_to_id</code> is ignored.",
                "The shapes of XML and RSS, of XML errors and of JSONP.",
            ],
        }
    }
}
