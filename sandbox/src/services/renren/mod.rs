//! Renren: `POST /v2/share/talk/put`.

mod mac;

use serde_json::{Value, json};

use self::mac::{Credentials, Refusal, Target, Verifier};
use super::{About, Service};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::form;

const PATH: &str = "/v2/share/talk/put";
const BEARER_TOKEN: &str = "renren-token";
const MAC: Credentials<'_> = Credentials { token: "renren-mac-token", mac_key: "renren-mac-key" };
/// Whom the tokens belong to.
const ACCOUNT: &str = "test";

/// The parameters that the document requires; the others are texts that it leaves open.
const REQUIRED: [&str; 2] = ["messageType", "resourceTitle"];
/// The parameters that name recipients, as lists joined by commas.
const RECIPIENTS: [&str; 3] = ["userIds", "groupIds", "discussIds"];

#[derive(Default)]
pub(super) struct Renren {
    verifier: Verifier,
}

/// What kind of error a code is; it fixes the HTTP status.
#[derive(Clone, Copy, Debug)]
enum Kind {
    InvalidRequest,
    InvalidAuthorization,
    Forbidden,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::InvalidRequest => "invalid_request",
            Kind::InvalidAuthorization => "invalid_authorization",
            Kind::Forbidden => "forbidden",
        }
    }

    fn status(self) -> u16 {
        match self {
            Kind::InvalidRequest => 400,
            Kind::InvalidAuthorization => 401,
            Kind::Forbidden => 403,
        }
    }
}

/// A refusal: its kind, its code in Renren's own spelling, and words, which are assumed.
struct Refused(Kind, &'static str, String);

fn refused(kind: Kind, code: &'static str, words: &str) -> Refused {
    Refused(kind, code, words.to_owned())
}

/// Assumed: no document names the code of a parameter that is missing or wrong.
fn parameter(words: String) -> Refused {
    Refused(Kind::InvalidRequest, "INVALID_PARAMETER", words)
}

impl Renren {
    fn put(&mut self, call: &Call) -> Result<Outcome, Refused> {
        let params = call.params().ok_or_else(|| parameter("undecodable parameters".into()))?;
        self.authenticate(call, &params)?;
        let given = |name| form::first(&params, name).filter(|value| !value.is_empty());
        if let Some(missing) = REQUIRED.into_iter().find(|name| given(name).is_none()) {
            return Err(parameter(format!("{missing} is required")));
        }
        let mut recipients = Vec::new();
        for name in RECIPIENTS {
            let Some(ids) = given(name) else { continue };
            if ids.split(',').any(str::is_empty) {
                return Err(parameter(format!("{name} is invalid")));
            }
            recipients.push(ids);
        }
        let text = given("text").unwrap_or_default();
        let delivered = Delivered::to(ACCOUNT, recipients.join(","), text);
        Ok(Outcome::took(answer(200, &json!({"response": 1})), delivered))
    }

    fn authenticate(&mut self, call: &Call, params: &[(String, String)]) -> Result<(), Refused> {
        let header = call.header("authorization").map(|header| {
            let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
            (scheme.to_ascii_lowercase(), rest.trim())
        });
        let bearer = |token: &str| match token == BEARER_TOKEN {
            true => Ok(()),
            false => Err(words(Refusal::Token)),
        };
        match header.as_ref().map(|(scheme, rest)| (scheme.as_str(), *rest)) {
            Some(("bearer", token)) => bearer(token),
            Some(("mac", attributes)) => self
                .verifier
                .verify(MAC, call.now_s(), &call.method, &targets(call), attributes)
                .map_err(words),
            Some(_) => Err(words(Refusal::Attributes)),
            // The document has this form too, and advises against it.
            None => match form::first(params, "access_token") {
                Some(token) => bearer(token),
                None => Err(words(Refusal::Attributes)),
            },
        }
    }
}

/// The targets that a MAC may be made over: as sent, and the service's own for a client that is
/// told to sign for it.
fn targets(call: &Call) -> Vec<Target> {
    let query = call.target.split_once('?').map_or(String::new(), |(_, query)| format!("?{query}"));
    let own = format!("{}{query}", call.path);
    vec![
        Target::new(call.https, call.host(), &call.target),
        Target::new(false, "api.renren.com", &own),
        Target::new(true, "api.renren.com", &own),
    ]
}

fn words(refusal: Refusal) -> Refused {
    let (code, words) = match refusal {
        Refusal::Attributes => {
            ("INVALID-AUTHORIZATION-PARAMETERS", "authorization parameters are missing or invalid")
        }
        Refusal::Token => ("INVALID-TOKEN", "the access token is invalid"),
        Refusal::Timestamp => ("EXPIRED-TIMESTAMP", "the timestamp has expired"),
        Refusal::Nonce => ("ALREADY-USED-NONCE", "the nonce was already used"),
        Refusal::Signature => ("INVALID-SIGNATURE", "the signature is invalid"),
    };
    refused(Kind::InvalidAuthorization, code, words)
}

fn answer(status: u16, body: &Value) -> Answer {
    Answer::new(status, "application/json;charset=UTF-8", body.to_string())
}

fn error(Refused(kind, code, words): &Refused) -> Answer {
    let code = format!("{}.{code}", kind.name());
    answer(kind.status(), &json!({"error": {"code": code, "message": words}}))
}

impl Service for Renren {
    fn name(&self) -> &'static str {
        "renren"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        if call.path != PATH {
            // What the service's container answers, as far as it is known.
            let html = "<html><head><title>Error report</title></head><body><h1>HTTP Status 404 - \
                        </h1><p>The requested resource () is not available.</p></body></html>";
            return Answer::new(404, "text/html;charset=utf-8", html).into();
        }
        if call.method != "POST" {
            return Answer::wrong_method("POST").into();
        }
        self.put(call).unwrap_or_else(|refused| error(&refused).into())
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        error(&refused(Kind::Forbidden, "APP_OVER_INVOCATION_LIMIT", "the app calls too often"))
    }

    fn dropped(&self, _: &Call) -> Answer {
        error(&refused(Kind::InvalidRequest, "CONTENT_PROHIBITED", "the content is prohibited"))
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let bearer = json!({"type": "bearer", "token": BEARER_TOKEN});
        let mac = json!({"type": "mac", "token": MAC.token, "mac_key": MAC.mac_key});
        let account = |auth| json!({"service": "renren", "auth": auth});
        vec![("renren-bearer", account(bearer)), ("renren-mac", account(mac))]
    }

    fn about(&self) -> About {
        About {
            title: "Renren",
            paths: "<code>POST /renren/v2/share/talk/put</code>, parameters in the query or a form",
            auth: "Bearer, token <code>renren-token</code>, in the header or as \
                   <code>access_token</code>; or MAC (draft 01, HMAC-SHA1), token \
                   <code>renren-mac-token</code>, key <code>renren-mac-key</code>, over the query as \
                   sent.",
            recipients: "Every id in <code>userIds</code>, <code>groupIds</code> and \
                         <code>discussIds</code> takes messages, and so does nobody: none of the \
                         three is required. <code>messageType</code> and \
                         <code>resourceTitle</code> are.",
            limits: "None is documented.",
            assumed: &[
                "A required parameter that is missing, or an empty id in a list, is 400 \
                 <code>invalid_request.INVALID_PARAMETER</code>.",
                "Any <code>messageType</code> is taken: its values are documented nowhere. Parameters \
                 beyond the documented ones are ignored.",
                "Timestamps may be 300 seconds off; a nonce serves once per timestamp.",
                "<code>rate_limit</code> is 403 <code>APP_OVER_INVOCATION_LIMIT</code>, \
                 <code>drop</code> 400 <code>CONTENT_PROHIBITED</code>.",
                "The words of all errors, and that a Bearer token is taken over plain http.",
            ],
        }
    }
}
