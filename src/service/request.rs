//! What goes over the wire: a request of HTTP, or a mail.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use url::Url;

use crate::model::secret::Secret;

/// The longest URL that the HTTP client can carry, in bytes.
pub const MAX_URL: usize = u16::MAX as usize - 1;

/// What goes over the wire, whole.
#[derive(Clone, Debug)]
pub enum Wire {
    /// A request of HTTP.
    Http(HttpRequest),
    /// A message of SMTP.
    #[cfg_attr(
        not(any(test, feature = "service-smtp")),
        allow(dead_code, reason = "no service of this build sends mail")
    )]
    Mail(Box<Mail>),
}

/// A request of HTTP: nothing is added but what HTTP itself needs.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// What is asked for.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Its header fields.
    pub headers: Headers,
    /// Its body.
    pub body: Body,
}

impl HttpRequest {
    /// A POST of a body of this type. It is kept out of the services: a request is large to make.
    #[inline(never)]
    pub fn post(url: Url, content_type: &'static str, body: impl Into<Body>) -> HttpRequest {
        let headers = Headers { content_type: content_type.into(), ..Headers::default() };
        HttpRequest { method: Method::Post, url, headers, body: body.into() }
    }

    /// A GET, which has no body.
    pub fn get(url: Url) -> HttpRequest {
        let (headers, body) = (Headers::default(), Body::One(Bytes::new()));
        HttpRequest { method: Method::Get, url, headers, body }
    }

    /// The same with an `Authorization`.
    pub fn authorized(mut self, value: Option<String>) -> HttpRequest {
        self.headers.authorization = value;
        self
    }
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
}

impl Method {
    /// Its name in a request.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
        }
    }
}

/// The header fields of a request. The two that nearly all requests have cost no list.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    /// The type of the body; empty where there is none.
    pub content_type: Cow<'static, str>,
    /// `Authorization`, which is never shown.
    pub authorization: Option<String>,
    /// All others.
    pub more: Vec<Header>,
}

/// A header field.
#[derive(Clone, Debug)]
pub struct Header {
    /// Its name, in lower case.
    pub name: Cow<'static, str>,
    /// Its value.
    pub value: String,
}

impl Headers {
    /// Every field, by its name in lower case.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let content_type = Some(("content-type", &*self.content_type));
        let authorization = self.authorization.as_deref().map(|value| ("authorization", value));
        let more = self.more.iter().map(|header| (&*header.name, &*header.value));
        let content_type = content_type.filter(|(_, value)| !value.is_empty());
        content_type.into_iter().chain(authorization).chain(more)
    }
}

/// The body of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// In one piece.
    One(Bytes),
    /// In pieces that stand one behind the other, so that none has to be copied.
    Several(Vec<Bytes>),
}

impl Body {
    /// The whole in one piece.
    #[cfg(any(test, feature = "testing"))]
    pub fn whole(self) -> Bytes {
        match self {
            Body::One(bytes) => bytes,
            Body::Several(pieces) => pieces.concat().into(),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Body {
        Body::One(bytes)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Body::One(bytes.into())
    }
}

/// A message of SMTP.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(any(test, feature = "service-smtp")),
    allow(dead_code, reason = "no service of this build sends mail")
)]
pub struct Mail {
    /// The server, with its port: `smtps://` speaks TLS from the first byte, `smtp://` after STARTTLS.
    pub server: Url,
    /// How the account logs in; `None` where it need not.
    pub login: Option<Arc<Login>>,
    /// The sender in the envelope.
    pub from: String,
    /// The recipients in the envelope, each once.
    pub recipients: Vec<String>,
    /// Header and text, with CRLF at the end of each line and no line longer than 998 bytes.
    pub text: Bytes,
    /// The files behind it.
    pub files: Vec<MailFile>,
}

/// A file of a mail.
#[derive(Clone, Debug)]
pub struct MailFile {
    /// Its bytes, which are written in base64 as they go: no copy is kept of that.
    pub bytes: Bytes,
    /// What stands behind it: the head of the next file, or the end.
    pub behind: Bytes,
}

/// How an account logs in to a mail server.
#[derive(Debug)]
#[cfg_attr(
    not(any(test, feature = "service-smtp")),
    allow(dead_code, reason = "no service of this build sends mail")
)]
pub struct Login {
    /// Whose account it is.
    pub username: String,
    /// The password, or the token of OAuth 2.
    pub secret: Secret,
    /// True if it is a token, for XOAUTH2.
    pub is_token: bool,
}
