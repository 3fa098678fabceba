//! What would be sent, for people: a request with its secrets masked.

use crate::model::redact::{MASK, Redactor};
use crate::service::Request;

/// A request that was not sent; nothing secret is in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// Where it would go, by POST.
    pub url: String,
    /// Its header fields, as far as they are the message's.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: String,
}

impl Preview {
    /// Masks what must not be shown of a request.
    pub(crate) fn new(request: Request, redactor: &Redactor) -> Preview {
        let redactor = redactor.with(&request.signatures);
        let mut headers = vec![("content-type", request.content_type.to_owned())];
        if let Some(value) = &request.authorization {
            let scheme = value.split(' ').next().unwrap_or_default();
            headers.push(("authorization", format!("{scheme} {MASK}")));
        }
        Preview {
            url: redactor.text(request.url.as_str()).into_owned(),
            headers,
            body: redactor.text(&String::from_utf8_lossy(&request.body)).into_owned(),
        }
    }
}
