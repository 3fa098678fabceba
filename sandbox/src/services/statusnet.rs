//! StatusNet and GNU social: `POST /api/direct_messages/new.{json,xml}`.

use serde_json::{Value, json};

use super::{About, Service};
use crate::basic::is_basic;
use crate::clock::Utc;
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::form;
use crate::oauth1::{Credentials, Verifier};
use crate::xml;

const USERNAME: &str = "goose";
const PASSWORD: &str = "statusnet-password";
const OAUTH1: Credentials<'_> = Credentials {
    consumer_key: "statusnet-consumer-key",
    consumer_secret: "statusnet-consumer-secret",
    token: "statusnet-token",
    token_secret: "statusnet-token-secret",
};
/// Users: an id, a nickname, and whether sender and user subscribe to each other. The first is who sends.
const USERS: [(u64, &str, bool); 4] =
    [(1, USERNAME, true), (2, "anna", true), (3, "bruno", true), (4, "stranger", false)];
/// Assumed: the site's own limit, in characters.
const LONGEST: usize = 1000;

#[derive(Default)]
pub(super) struct StatusNet {
    verifier: Verifier,
    sent: u64,
}

/// A refusal: its status and words.
struct Refused(u16, String);

impl Refused {
    fn new(status: u16, words: &str) -> Refused {
        Refused(status, words.to_owned())
    }
}

/// What an answer is written in.
#[derive(Clone, Copy)]
enum Format {
    Json,
    Xml,
}

impl Format {
    fn answer(self, status: u16, root: &str, body: &Value) -> Answer {
        match self {
            Format::Json => {
                Answer::new(status, "application/json; charset=utf-8", body.to_string())
            }
            Format::Xml => {
                let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
                element(&mut text, root, body);
                Answer::new(status, "application/xml; charset=utf-8", text)
            }
        }
    }
}

/// An object as elements within each other.
fn element(out: &mut String, name: &str, value: &Value) {
    out.push_str(&format!("<{name}>"));
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| element(out, name, value));
        }
        Value::String(text) => out.push_str(&xml::text(text)),
        other => out.push_str(&other.to_string()),
    }
    out.push_str(&format!("</{name}>"));
}

/// What the server makes of entities before it keeps a text; quotes stay as they are.
fn decoded(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    text.replace("&amp;", "&")
}

fn user_of((id, name, _): &(u64, &str, bool)) -> Value {
    json!({"id": id, "name": name, "screen_name": name, "location": null, "protected": false})
}

impl StatusNet {
    fn new_message(&mut self, call: &Call, format: Format) -> Result<Outcome, Refused> {
        let wrong = || Refused::new(400, "The form cannot be read.");
        let params = call.params().ok_or_else(wrong)?;
        self.authenticate(call, &params)?;
        let given = |name| form::first(&params, name).filter(|value| !value.is_empty());
        let text = given("text").unwrap_or_default().trim();
        if text.is_empty() {
            return Err(Refused::new(406, "No message text!"));
        }
        if text.chars().count() > LONGEST {
            let words = format!("That's too long. Maximum message size is {LONGEST} characters.");
            return Err(Refused(406, words));
        }
        let by_id = |id: &str| USERS.iter().find(|(own, ..)| id.parse::<u64>() == Ok(*own));
        let by_name = |name: &str| USERS.iter().find(|(_, own, _)| *own == name);
        let recipient = match (given("user"), given("user_id"), given("screen_name")) {
            (Some(either), _, _) if either.bytes().all(|b| b.is_ascii_digit()) => by_id(either),
            (Some(either), _, _) => by_name(either),
            (None, Some(id), _) => by_id(id),
            (None, None, Some(name)) => by_name(name),
            (None, None, None) => None,
        };
        let recipient = recipient.ok_or_else(|| Refused::new(403, "Recipient user not found."))?;
        if !recipient.2 {
            let words = "Cannot send direct messages to users who aren't your friend.";
            return Err(Refused::new(403, words));
        }
        if recipient.1 == USERNAME {
            let words =
                "Do not send a message to yourself; just say it to yourself quietly instead.";
            return Err(Refused::new(403, words));
        }
        self.sent += 1;
        let (id, text) = (self.sent, decoded(text));
        let message = json!({"id": id, "sender_id": USERS[0].0, "text": text,
            "recipient_id": recipient.0, "created_at": Utc::from_unix(call.now_s()).created_at(),
            "sender_screen_name": USERNAME, "recipient_screen_name": recipient.1,
            "sender": user_of(&USERS[0]), "recipient": user_of(recipient)});
        let delivered =
            Delivered { id: Some(id.to_string()), ..Delivered::to(USERNAME, recipient.1, text) };
        Ok(Outcome::took(format.answer(200, "direct_message", &message), delivered))
    }

    fn authenticate(&mut self, call: &Call, params: &[(String, String)]) -> Result<(), Refused> {
        let header = call.header("authorization");
        let scheme = header.and_then(|header| header.split(' ').next()).unwrap_or_default();
        let oauth = header.filter(|_| scheme.eq_ignore_ascii_case("OAuth"));
        if oauth.is_some() || form::first(params, "oauth_signature").is_some() {
            let scheme = if call.https { "https" } else { "http" };
            let urls = [format!("{scheme}://{}{}", call.host(), call.full_path())];
            let told =
                self.verifier.verify(&OAUTH1, call.now_s(), &call.method, &urls, oauth, params);
            return told.map_err(|_| Refused::new(401, "Could not authenticate you."));
        }
        match header.is_some_and(|header| is_basic(header, USERNAME, PASSWORD)) {
            true => Ok(()),
            false => Err(Refused::new(401, "Could not authenticate you.")),
        }
    }
}

/// The format that the path asks for.
fn format(call: &Call) -> Option<Format> {
    match call.path.strip_prefix("/api/direct_messages/new.")? {
        "json" => Some(Format::Json),
        "xml" => Some(Format::Xml),
        _ => None,
    }
}

fn error(call: &Call, format: Format, Refused(status, words): &Refused) -> Answer {
    let body = json!({"error": words, "request": call.full_path()});
    format.answer(*status, "hash", &body)
}

impl Service for StatusNet {
    fn name(&self) -> &'static str {
        "statusnet"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        let Some(format) = format(call) else {
            if !call.path.starts_with("/api/direct_messages/new.") {
                return Answer::not_found().into();
            }
            return error(call, Format::Json, &Refused::new(404, "API method not found.")).into();
        };
        if call.method != "POST" {
            let refused = Refused::new(400, "This method requires a POST.");
            return error(call, format, &refused).into();
        }
        let told = self.new_message(call, format);
        told.unwrap_or_else(|refused| error(call, format, &refused).into())
    }

    fn rate_limited(&self, call: &Call) -> Answer {
        // No site is known to have a refusal of its own.
        error(call, format(call).unwrap_or(Format::Json), &Refused::new(429, "Too many requests."))
    }

    fn dropped(&self, call: &Call) -> Answer {
        // Nothing is known to be dropped behind a success; this is the nearest refusal.
        let words = "Cannot send direct messages to users who aren't your friend.";
        error(call, format(call).unwrap_or(Format::Json), &Refused::new(403, words))
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let basic = json!({"type": "basic", "username": USERNAME, "password": PASSWORD});
        let oauth1 = json!({"type": "oauth1", "consumer_key": OAUTH1.consumer_key,
            "consumer_secret": OAUTH1.consumer_secret, "token": OAUTH1.token,
            "token_secret": OAUTH1.token_secret});
        let account = |auth, format| json!({"service": "statusnet", "auth": auth, "format": format, "to": {"name": "anna"}});
        vec![
            ("statusnet-basic", account(basic, "json")),
            ("statusnet-oauth1", account(oauth1, "xml")),
        ]
    }

    fn about(&self) -> About {
        About {
            title: "StatusNet, GNU social",
            paths: "<code>POST /statusnet/api/direct_messages/new.{json,xml}</code>",
            auth: "Basic, <code>goose:statusnet-password</code>; or OAuth 1.0a with HMAC-SHA1 (consumer \
                   <code>statusnet-consumer-key</code>, token <code>statusnet-token</code>)",
            recipients: "anna (2) and bruno (3); stranger (4) does not subscribe to the sender, goose (1) is the \
                         sender",
            limits: "1000 characters (406); no others are known",
            assumed: &[
                "how long a text may be: each site has a limit of its own",
                "what too many requests are answered",
            ],
        }
    }
}
