//! Faults on demand: what should go wrong with the next requests to a service.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::exchange::Answer;

/// The longest latency that may be asked for, and the time after which a hang ends anyway.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// Whether a fault comes before the service takes the message or after.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum When {
    #[default]
    Before,
    After,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// The answer comes late.
    Latency(Duration),
    /// The service is not asked; this is the answer.
    Status(Reply),
    /// The connection is reset without an answer.
    Reset(When),
    /// Nothing is answered until the client gives up.
    Hang(When),
    /// The answer is held back until somebody lets it go.
    Hold(When),
    /// The service's own refusal of too many requests.
    RateLimit { retry_after_s: Option<u64> },
    /// The service drops the message.
    Drop,
    /// Status 200 with bytes that are no envelope of any service.
    Garbage,
    /// This is the answer; where `stored`, the service is asked first and takes the message.
    Answer { reply: Reply, stored: bool },
}

/// An answer given by the fault itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reply {
    status: u16,
    body: Option<Value>,
    content_type: Option<String>,
    headers: BTreeMap<String, String>,
}

impl Reply {
    pub(crate) fn to_answer(&self) -> Answer {
        let (default_type, body) = match &self.body {
            None => ("text/plain; charset=utf-8", String::new()),
            Some(Value::String(text)) => ("text/plain; charset=utf-8", text.clone()),
            Some(json) => ("application/json; charset=utf-8", json.to_string()),
        };
        let content_type = self.content_type.as_deref().unwrap_or(default_type);
        let mut answer = Answer::new(self.status, content_type, body);
        answer.headers = self.headers.clone().into_iter().collect();
        answer
    }
}

/// The bytes of a garbage answer: neither UTF-8 nor JSON nor XML.
pub(crate) fn garbage() -> Answer {
    Answer::new(200, "application/json; charset=utf-8", *b"\x1f\x8b{\"id\":\xff\xfe<garbage \x00")
}

/// The JSON of a fault; a field that its kind does not know is refused.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Wire {
    Latency {
        ms: u64,
    },
    Status {
        status: u16,
        #[serde(default)]
        body: Option<Value>,
        #[serde(default)]
        content_type: Option<String>,
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    Reset {
        #[serde(default)]
        when: When,
    },
    Hang {
        #[serde(default)]
        when: When,
    },
    Hold {
        #[serde(default)]
        when: When,
    },
    RateLimit {
        #[serde(default)]
        retry_after_s: Option<u64>,
    },
    Drop {},
    Garbage {},
    Answer {
        #[serde(default)]
        status: Option<u16>,
        body: Value,
        #[serde(default)]
        content_type: Option<String>,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[serde(default)]
        stored: bool,
    },
}

/// A fault that waits for requests.
#[derive(Debug)]
struct Pending {
    service: String,
    times: u64,
    kind: Kind,
    wire: Value,
}

/// The faults that wait, in the order in which they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pending: VecDeque<Pending>,
}

impl Faults {
    /// Adds a fault given as JSON, or says what is wrong with it.
    pub(crate) fn add(&mut self, fault: &Value, services: &[&str]) -> Result<(), String> {
        let mut fields = fault.as_object().ok_or("a fault is a JSON object")?.clone();
        let service = match fields.shift_remove("service") {
            Some(Value::String(name)) if services.contains(&name.as_str()) => name,
            Some(other) => {
                return Err(format!("service: {other} is none of {}", services.join(", ")));
            }
            None => return Err(format!("service: required, one of {}", services.join(", "))),
        };
        let times = match fields.shift_remove("times") {
            None => 1,
            Some(times) => match times.as_u64() {
                Some(times) if times > 0 => times,
                _ => return Err(format!("times: {times} is not a number above 0")),
            },
        };
        let wire = Value::Object(fields);
        let kind = serde_json::from_value(wire.clone()).map_err(|error| error.to_string())?;
        let kind = checked(kind)?;
        self.pending.push_back(Pending { service, times, kind, wire });
        Ok(())
    }

    /// The fault that meets the next request to `service`, once.
    pub(crate) fn take(&mut self, service: &str) -> Option<Kind> {
        let at = self.pending.iter().position(|pending| pending.service == service)?;
        let pending = &mut self.pending[at];
        pending.times -= 1;
        let kind = pending.kind.clone();
        if pending.times == 0 {
            self.pending.remove(at);
        }
        Some(kind)
    }

    pub(crate) fn clear(&mut self) {
        self.pending.clear();
    }

    /// The faults that wait, as they were asked for, with the times that are left.
    pub(crate) fn to_json(&self) -> Value {
        let one = |pending: &Pending| {
            let mut fault = json!({"service": pending.service, "times": pending.times});
            if let (Value::Object(fault), Value::Object(wire)) = (&mut fault, &pending.wire) {
                fault.extend(wire.clone());
            }
            fault
        };
        self.pending.iter().map(one).collect()
    }
}

/// Header fields that the server writes itself; another value would make its answer unreadable.
const OWN_HEADERS: [&str; 3] = ["connection", "content-length", "transfer-encoding"];

fn reply(
    status: u16,
    body: Option<Value>,
    content_type: Option<String>,
    headers: BTreeMap<String, String>,
) -> Result<Reply, String> {
    if !(200..=599).contains(&status) {
        return Err(format!("status: {status} is not within 200 to 599"));
    }
    if content_type.as_deref().is_some_and(|text| HeaderValue::from_str(text).is_err()) {
        return Err("content_type: not a header value".to_owned());
    }
    for (name, value) in &headers {
        if HeaderName::from_bytes(name.as_bytes()).is_err() || HeaderValue::from_str(value).is_err()
        {
            return Err(format!("headers: {name:?} or its value is not a header"));
        }
        if OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            return Err(format!("headers: {name} is the server's own"));
        }
    }
    Ok(Reply { status, body, content_type, headers })
}

fn checked(wire: Wire) -> Result<Kind, String> {
    Ok(match wire {
        Wire::Latency { ms } => {
            let latency = Duration::from_millis(ms);
            if latency > LONGEST {
                return Err(format!("ms: {ms} is above {}", LONGEST.as_millis()));
            }
            Kind::Latency(latency)
        }
        Wire::Status { status, body, content_type, headers } => {
            Kind::Status(reply(status, body, content_type, headers)?)
        }
        Wire::Reset { when } => Kind::Reset(when),
        Wire::Hang { when } => Kind::Hang(when),
        Wire::Hold { when } => Kind::Hold(when),
        Wire::RateLimit { retry_after_s } => Kind::RateLimit { retry_after_s },
        Wire::Drop {} => Kind::Drop,
        Wire::Garbage {} => Kind::Garbage,
        Wire::Answer { status, body, content_type, headers, stored } => Kind::Answer {
            reply: reply(status.unwrap_or(200), Some(body), content_type, headers)?,
            stored,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(faults: &mut Faults, fault: Value) -> Result<(), String> {
        faults.add(&fault, &["fanfou", "tencent_im"])
    }

    #[test]
    fn meets_requests_in_order_and_as_often_as_asked() {
        let mut faults = Faults::default();
        add(&mut faults, json!({"service": "fanfou", "kind": "drop", "times": 2})).unwrap();
        add(&mut faults, json!({"service": "tencent_im", "kind": "garbage"})).unwrap();
        add(&mut faults, json!({"service": "fanfou", "kind": "hang", "when": "after"})).unwrap();
        assert_eq!(faults.take("fanfou"), Some(Kind::Drop));
        assert_eq!(
            faults.to_json(),
            json!([
                {"service": "fanfou", "times": 1, "kind": "drop"},
                {"service": "tencent_im", "times": 1, "kind": "garbage"},
                {"service": "fanfou", "times": 1, "kind": "hang", "when": "after"},
            ])
        );
        assert_eq!(faults.take("fanfou"), Some(Kind::Drop));
        assert_eq!(faults.take("fanfou"), Some(Kind::Hang(When::After)));
        assert_eq!(faults.take("fanfou"), None);
        faults.clear();
        assert_eq!(faults.take("tencent_im"), None);
    }

    #[test]
    fn refuses_with_words() {
        for (fault, word) in [
            (json!([]), "object"),
            (json!({"kind": "drop"}), "service: required"),
            (json!({"service": "icq", "kind": "drop"}), "icq"),
            (json!({"service": "fanfou"}), "kind"),
            (json!({"service": "fanfou", "kind": "fire"}), "fire"),
            (json!({"service": "fanfou", "kind": "drop", "ms": 1}), "ms"),
            (json!({"service": "fanfou", "kind": "garbage", "ms": 1}), "ms"),
            (json!({"service": "fanfou", "kind": "drop", "times": 0}), "times"),
            (json!({"service": "fanfou", "kind": "drop", "times": "2"}), "times"),
            (json!({"service": "fanfou", "kind": "latency"}), "ms"),
            (json!({"service": "fanfou", "kind": "latency", "ms": 60_001}), "60001"),
            (json!({"service": "fanfou", "kind": "latency", "ms": -1}), "-1"),
            (json!({"service": "fanfou", "kind": "reset", "when": "later"}), "later"),
            (json!({"service": "fanfou", "kind": "reset", "where": "x"}), "where"),
            (json!({"service": "fanfou", "kind": "status"}), "status"),
            (json!({"service": "fanfou", "kind": "status", "status": 199}), "199"),
            (json!({"service": "fanfou", "kind": "status", "status": 600}), "600"),
            (
                json!({"service": "fanfou", "kind": "status", "status": 503, "stored": true}),
                "stored",
            ),
            (json!({"service": "fanfou", "kind": "answer"}), "body"),
            (
                json!({"service": "fanfou", "kind": "status", "status": 200, "headers": {"a b": ""}}),
                "a b",
            ),
            (
                json!({"service": "fanfou", "kind": "status", "status": 200,
                       "headers": {"Content-Length": "7"}}),
                "Content-Length",
            ),
            (
                json!({"service": "fanfou", "kind": "answer", "body": "", "content_type": "a\n"}),
                "content_type",
            ),
        ] {
            let error = add(&mut Faults::default(), fault.clone()).expect_err(&fault.to_string());
            assert!(error.contains(word), "{fault}: {error}");
        }
    }

    #[test]
    fn a_reply_is_text_or_json() {
        let mut faults = Faults::default();
        let fault = json!({"service": "fanfou", "kind": "status", "status": 503, "body": {"a": 1},
                           "headers": {"Retry-After": "7"}});
        add(&mut faults, fault).unwrap();
        add(&mut faults, json!({"service": "fanfou", "kind": "answer", "body": "hi"})).unwrap();
        let Some(Kind::Status(reply)) = faults.take("fanfou") else { panic!("a status") };
        let answer = reply.to_answer();
        assert_eq!((answer.status, answer.body.as_slice()), (503, &b"{\"a\":1}"[..]));
        assert_eq!(answer.content_type, "application/json; charset=utf-8");
        assert_eq!(answer.headers, [("Retry-After".to_owned(), "7".to_owned())]);
        let Some(Kind::Answer { reply, stored: false }) = faults.take("fanfou") else {
            panic!("an answer");
        };
        assert_eq!(reply.to_answer().content_type, "text/plain; charset=utf-8");
    }
}
