//! A request as it came, and the answer to it.

use axum::body::Bytes;
use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

use crate::basic;
pub(crate) use crate::delivered::Delivered;
use crate::fields::Fields;
use crate::form;

/// How much of a body `/_/messages` shows.
const SHOWN_BODY: usize = 1 << 20;
/// The same of one that carries files.
const SHOWN_PARTS: usize = 64 << 10;

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

    /// Scheme, host, port and prefix below which the service answers.
    pub(crate) fn base_url(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        let prefix = self.full_path().strip_suffix(&self.path).unwrap_or_default();
        format!("{scheme}://{}{prefix}", self.host())
    }

    /// The content type in lower case, without its parameters; empty where none is given.
    pub(crate) fn content_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// What stands after `scheme` in the header field `Authorization`, such as `Bearer` or `Bot`.
    pub(crate) fn credentials(&self, scheme: &str) -> Option<&str> {
        let (own, credentials) = self.header("authorization")?.split_once(' ')?;
        own.eq_ignore_ascii_case(scheme).then_some(credentials.trim())
    }

    /// The user name and password of Basic authentication.
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        basic::decode(self.credentials("Basic")?)
    }

    /// A value of the query, decoded.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let pairs = form::pairs(&self.query)?;
        form::first(&pairs, name).map(str::to_owned)
    }

    /// The body as a JSON object, whatever its content type, or what is wrong with it.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, String> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err("the body is not a JSON object".to_owned()),
            Err(error) => Err(format!("the body is not JSON: {error}")),
        }
    }

    /// The arguments of a method that takes them in the query, as a form, as JSON or in parts.
    pub(crate) fn fields(&self) -> Result<Fields, String> {
        Fields::read(self)
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
        match self.content_type() == "application/x-www-form-urlencoded" {
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
        let most = match self.content_type().as_str() {
            "multipart/form-data" => SHOWN_PARTS,
            _ => SHOWN_BODY,
        };
        let mut json = json!({
            "method": self.method,
            "path": self.target,
            "headers": headers,
            "body": String::from_utf8_lossy(&self.body[..self.body.len().min(most)]),
        });
        if self.body.len() > most {
            json["body_bytes"] = self.body.len().into();
        }
        json
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

    /// Adds the header field `Retry-After`, in whole seconds.
    pub(crate) fn retry_after(self, seconds: u64) -> Answer {
        self.with_header("retry-after", &seconds.to_string())
    }

    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What a service makes of a request: an answer and the messages that it took, one a recipient.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub answer: Answer,
    pub delivered: Vec<Delivered>,
}

impl Outcome {
    /// The answer to a message that was taken.
    pub(crate) fn took(answer: Answer, delivered: Delivered) -> Outcome {
        Outcome { answer, delivered: vec![delivered] }
    }
}

impl From<Answer> for Outcome {
    fn from(answer: Answer) -> Outcome {
        Outcome { answer, delivered: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_tells_its_credentials_and_where_it_came_in() {
        let mut call = Call {
            path: "/api/x".to_owned(),
            target: "/slack/api/x?a=b+c".to_owned(),
            query: "a=b+c".to_owned(),
            authority: "127.0.0.1:1".to_owned(),
            ..Call::default()
        };
        assert_eq!(call.base_url(), "http://127.0.0.1:1/slack");
        assert_eq!(call.query("a").as_deref(), Some("b c"));
        assert_eq!(call.credentials("Bearer"), None);
        call.headers.insert("authorization", "bearer  t".parse().expect("a value"));
        assert_eq!((call.credentials("Bearer"), call.basic()), (Some("t"), None));
        call.headers.insert("authorization", "Basic dGVzdDpwOmQ=".parse().expect("a value"));
        assert_eq!(call.basic(), Some(("test".to_owned(), "p:d".to_owned())));
        call.target = "/api/x".to_owned();
        assert_eq!(call.base_url(), "http://127.0.0.1:1");
    }

    #[test]
    fn of_a_large_body_the_beginning_is_kept() {
        let mut call = Call { body: vec![b'x'; SHOWN_PARTS + 1].into(), ..Call::default() };
        assert_eq!(call.to_json()["body"].as_str().map(str::len), Some(SHOWN_PARTS + 1));
        let parts = "multipart/form-data; boundary=B".parse().expect("a value");
        call.headers.insert("content-type", parts);
        let json = call.to_json();
        assert_eq!(json["body"].as_str().map(str::len), Some(SHOWN_PARTS));
        assert_eq!(json["body_bytes"], SHOWN_PARTS + 1);
    }
}
