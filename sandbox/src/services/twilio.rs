//! Twilio: `POST /2010-04-01/Accounts/{sid}/Messages.json`, by Basic, with a form.

use serde_json::{Value, json};

use super::{About, Service};
use crate::clock::Utc;
use crate::delivered::Attached;
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::form;
use crate::route::{self, Handled, Missed, Params, Route};
use crate::window::Windows;

const SID: &str = "AC70817e64c2a14f0b9d3e5a6b7c8d9e0f";
const TOKEN: &str = "2f8c4e6a0b1d3f5e7a9c8b6d4e2f0a1c";
const KEY: &str = "SK5a1b3c7d9e0f2a4b6c8d0e1f3a5b7c9d";
const KEY_SECRET: &str = "hKq3VdT8sLw2ZpYc6NbR1mXj5GfA9uEo";
/// A number, a short code and a service of the account.
const FROM: &str = "+15005550006";
const SHORT_CODE: &str = "55501";
const MESSAGING_SERVICE: &str = "MG1f2e3d4c5b6a79880716253443526170";
/// Whom it does not reach, and why, by the numbers of Twilio's own test credentials.
const UNREACHED: [(&str, u32, &str); 5] = [
    ("+15005550001", 21211, "Invalid 'To' Phone Number: +15005550001"),
    (
        "+15005550002",
        21612,
        "Message cannot be sent with the current combination of 'To' and 'From'",
    ),
    ("+15005550003", 21408, "Permission to send an SMS has not been enabled for the region"),
    ("+15005550004", 21610, "Attempt to send to unsubscribed recipient"),
    ("+15005550009", 21614, "'To' number is not a valid mobile number"),
];
const LONGEST: usize = 1600;
const MOST_MEDIA: usize = 10;
/// One message a second leaves a number; so many of four hours may wait.
const QUEUE: usize = 14_400;
const QUEUE_MS: u64 = 14_400_000;

const ROUTES: &[Route<Twilio>] = &[
    Route::post("/2010-04-01/Accounts/{sid}/Messages.json", Twilio::send),
    Route::get("/2010-04-01/Accounts/{sid}.json", Twilio::account),
];

pub(super) struct Twilio {
    queues: Windows,
    made: u128,
}

impl Default for Twilio {
    fn default() -> Twilio {
        Twilio { queues: Windows::new(QUEUE, QUEUE_MS), made: 0x5e1d_0a77 }
    }
}

fn refused(status: u16, code: u32, words: &str) -> Answer {
    let more_info = format!("https://www.twilio.com/docs/errors/{code}");
    let body = json!({"code": code, "message": words, "more_info": more_info, "status": status});
    Answer::json(status, &body)
}

fn not_found(call: &Call) -> Answer {
    refused(404, 20404, &format!("The requested resource {} was not found", call.path))
}

/// Checks who asks; tells whether it is by an API key.
fn check_credentials(call: &Call, sid: &str) -> Result<bool, Answer> {
    let given = call.basic();
    let is = |name: &str, secret: &str| given == Some((name.to_owned(), secret.to_owned()));
    let (is_account, is_key) = (is(SID, TOKEN), is(KEY, KEY_SECRET));
    match is_account || is_key {
        false => Err(refused(401, 20003, "Authenticate")
            .with_header("www-authenticate", "Basic realm=\"Twilio API\"")),
        true if sid != SID => Err(not_found(call)),
        true => Ok(is_key),
    }
}

/// True for a number with its country code, or an address of another channel.
fn is_address(to: &str) -> bool {
    let number = to.strip_prefix("whatsapp:").unwrap_or(to);
    let digits = number.strip_prefix('+').unwrap_or_default();
    (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

impl Twilio {
    fn send(&mut self, call: &Call, params: &Params) -> Handled {
        check_credentials(call, params.get("sid"))?;
        let fields = call.form().ok_or_else(|| refused(400, 20001, "Cannot parse the form"))?;
        let one = |name: &str| form::first(&fields, name).unwrap_or_default();
        let (to, from, service) = (one("To"), one("From"), one("MessagingServiceSid"));
        if to.is_empty() {
            return Err(refused(400, 21604, "A 'To' phone number is required."));
        }
        if let Some((_, code, words)) = UNREACHED.iter().find(|(number, ..)| *number == to) {
            return Err(refused(400, *code, words));
        }
        if !is_address(to) {
            return Err(refused(400, 21211, &format!("Invalid 'To' Phone Number: {to}")));
        }
        if from.is_empty() && service.is_empty() {
            let words = "A 'From' phone number or a MessagingServiceSid is required.";
            return Err(refused(400, 21603, words));
        }
        let plain = from.strip_prefix("whatsapp:").unwrap_or(from);
        if !from.is_empty() && ![FROM, SHORT_CODE].contains(&plain) {
            let words = format!("The 'From' number {from} is not a valid phone number of yours");
            return Err(refused(400, 21606, &words));
        }
        if !service.is_empty() && service != MESSAGING_SERVICE {
            return Err(not_found(call));
        }
        let text = one("Body");
        let media = fields.iter().filter(|(name, url)| name == "MediaUrl" && !url.is_empty());
        let media: Vec<_> = media.map(|(_, url)| url.as_str()).collect();
        if text.is_empty() && media.is_empty() && one("ContentSid").is_empty() {
            return Err(refused(400, 21602, "Message body is required."));
        }
        if text.chars().count() > LONGEST {
            let words = "The concatenated message body exceeds the 1600 character limit";
            return Err(refused(400, 21617, words));
        }
        if media.len() > MOST_MEDIA {
            let words = "Number of media files exceeds allowed limit";
            return Err(refused(400, 21623, words));
        }
        let sender = if from.is_empty() { service } else { from };
        if !self.queues.ask(sender, call).passed {
            let words = "This 'From' number has exceeded the maximum number of queued messages";
            return Err(refused(429, 21611, words));
        }
        Ok(self.made(call, &fields, &media))
    }

    /// The message that was made of a form.
    fn made(&mut self, call: &Call, fields: &[(String, String)], media: &[&str]) -> Outcome {
        let one = |name: &str| form::first(fields, name).filter(|value| !value.is_empty());
        self.made += 1;
        let kind = if media.is_empty() { "SM" } else { "MM" };
        let id = format!("{kind}{:032x}", self.made);
        let date = Utc::from_unix(call.now_s()).http_date().replace("GMT", "+0000");
        let path = format!("/2010-04-01/Accounts/{SID}/Messages/{id}");
        let (to, text) = (one("To").unwrap_or_default(), one("Body").unwrap_or_default());
        // A service chooses the number later.
        let status = match (one("ScheduleType"), one("From")) {
            (Some(_), _) => "scheduled",
            (None, Some(_)) => "queued",
            (None, None) => "accepted",
        };
        let body = json!({"sid": id, "account_sid": SID, "api_version": "2010-04-01",
            "body": text, "status": status, "to": to, "from": one("From"),
            "messaging_service_sid": one("MessagingServiceSid"), "num_media": media.len().to_string(),
            "num_segments": "1", "direction": "outbound-api", "date_created": date,
            "date_updated": date, "date_sent": null, "error_code": null, "error_message": null,
            "price": null, "price_unit": "USD", "uri": format!("{path}.json"),
            "subresource_uris": {"media": format!("{path}/Media.json")}});
        let words = match one("ContentSid") {
            Some(template) if text.is_empty() => {
                format!("{template} {}", one("ContentVariables").unwrap_or_default())
            }
            _ => text.to_owned(),
        };
        let sender = one("From").or(one("MessagingServiceSid")).unwrap_or_default();
        let delivered = Delivered {
            id: Some(id),
            attachments: media.iter().map(|url| Attached::at(url)).collect(),
            ..Delivered::to(sender, to, words.trim_end())
        };
        Outcome::took(Answer::json(201, &body), delivered)
    }

    fn account(&mut self, call: &Call, params: &Params) -> Handled {
        // An API key of the usual kind may not see accounts.
        if check_credentials(call, params.get("sid"))? {
            return Err(refused(401, 20003, "Authenticate"));
        }
        let body = json!({"sid": SID, "friendly_name": "Goose", "status": "active", "type": "Full",
            "owner_account_sid": SID, "uri": format!("/2010-04-01/Accounts/{SID}.json")});
        Ok(Answer::json(200, &body).into())
    }
}

impl Service for Twilio {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        route::answer(self, call, ROUTES).unwrap_or_else(|missed| match missed {
            Missed::Path => not_found(call).into(),
            Missed::Method(allowed) => {
                refused(405, 20004, "Method not allowed").with_header("allow", &allowed).into()
            }
        })
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        refused(429, 20429, "Too Many Requests")
    }

    fn dropped(&self, _: &Call) -> Answer {
        // What becomes of a message is told to a callback only: this is the nearest refusal.
        refused(400, 21610, "Attempt to send to unsubscribed recipient")
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let basic = |name: &str, secret: &str| json!({"type": "basic", "username": name, "password": secret});
        let to = json!({"phone": "+15005550010"});
        vec![
            (
                "twilio",
                json!({"service": "twilio", "auth": basic(SID, TOKEN), "from": FROM, "to": to}),
            ),
            (
                "twilio-basic-key",
                json!({"service": "twilio", "auth": basic(KEY, KEY_SECRET), "account_sid": SID,
                    "from": MESSAGING_SERVICE, "to": to}),
            ),
        ]
    }

    fn about(&self) -> About {
        About {
            title: "Twilio",
            paths: "<code>POST /twilio/2010-04-01/Accounts/{sid}/Messages.json</code>, \
                    <code>GET /2010-04-01/Accounts/{sid}.json</code>",
            auth: "Basic: the account and its token, or an API key and its secret",
            recipients: "any number; <code>+15005550001</code> is none, <code>…2</code>, <code>…3</code>, \
                         <code>…4</code> and <code>…9</code> are not reached; from <code>+15005550006</code>, \
                         <code>55501</code> or <code>MG1f2e3d4c5b6a79880716253443526170</code>",
            limits: "1,600 characters, 10 files; a number may have 14,400 messages of four hours waiting",
            assumed: &[
                "characters are code points",
                "a queue is full when 14,400 messages came in four hours, and the refusal has status 429",
                "the code of more than ten files, 21623, and of a form that cannot be read, 20001",
                "an API key may not ask for the account",
            ],
        }
    }
}
