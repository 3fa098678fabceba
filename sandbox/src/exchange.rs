//! A request as it came, and the answer to it.

use axum::body::Bytes;
use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

use crate::form;

/// A request to one service.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub method: String,
    /// The path below the service's name, as in the service's own document.
    pub path: String,
    /// Path and query as they came.
    pub target: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Where the sandbox listens, for a request without a Host header.
    pub authority: String,
    pub https: bool,
    pub now_ms: u64,
    /// Whether the services' rate limits hold.
    pub limits: bool,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn now_s(&self) -> u64 {
        self.now_ms / 1000
    }

    /// Host and port that the request names.
    pub(crate) fn host(&self) -> &str {
        self.header("host").unwrap_or(&self.authority)
    }

    /// The path as it came, without the query.
    pub(crate) fn full_path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The pairs of the query and then of a form body; `None` where either cannot be decoded.
    pub(crate) fn params(&self) -> Option<Vec<(String, String)>> {
        let mut params = form::pairs(&self.query)?;
        params.extend(self.form()?);
        Some(params)
    }

    /// The pairs of a form body, none where the body is something else; `None` where it cannot be
    /// decoded.
    pub(crate) fn form(&self) -> Option<Vec<(String, String)>> {
        let is_form = self.header("content-type").is_some_and(|value| {
            let kind = value.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        match is_form {
            true => form::pairs(std::str::from_utf8(&self.body).ok()?),
            false => Some(Vec::new()),
        }
    }

    /// What `/_/messages` shows of the request.
    pub(crate) fn to_json(&self) -> Value {
        let mut headers = Map::new();
        for name in self.headers.keys() {
            let values = self.headers.get_all(name).iter();
            let values: Vec<_> = values.map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
            headers.insert(name.as_str().to_owned(), values.join(", ").into());
        }
        json!({
            "method": self.method,
            "path": self.target,
            "headers": headers,
            "body": String::from_utf8_lossy(&self.body),
        })
    }
}

/// An answer to a request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub content_type: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        Answer {
            status,
            content_type: content_type.to_owned(),
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Answer {
        Answer::new(status, "application/json; charset=utf-8", body.to_string())
    }

    pub(crate) fn plain(status: u16, text: &str) -> Answer {
        Answer::new(status, "text/plain; charset=utf-8", format!("{text}\n"))
    }

    pub(crate) fn not_found() -> Answer {
        Answer::plain(404, "Not Found")
    }

    /// Refuses a method that is none of `allowed`.
    pub(crate) fn wrong_method(allowed: &str) -> Answer {
        Answer::plain(405, "Method Not Allowed").with_header("allow", allowed)
    }

    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A message that a service took.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Delivered {
    pub account: String,
    pub recipient: String,
    pub text: String,
    /// The service's id of the message, where it gives one.
    pub id: Option<String>,
}

/// What a service makes of a request: an answer and, where it took one, a message.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub answer: Answer,
    pub delivered: Option<Delivered>,
}

impl From<Answer> for Outcome {
    fn from(answer: Answer) -> Outcome {
        Outcome { answer, delivered: None }
    }
}
