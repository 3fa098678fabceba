//! What would be sent, for people: a request with its secrets masked.

use crate::model::redact::{MASK, Redactor};
use crate::service::api::{Exchange, Wire};
use crate::service::pasted;

/// A request that was not sent; nothing secret is in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// Where it would go, by POST.
    pub url: String,
    /// Its header fields, as far as they are the message's.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl Preview {
    /// Masks what must not be shown of a request.
    pub(crate) fn new(exchange: Exchange, redactor: &Redactor, hides_url: bool) -> Preview {
        let redactor = redactor.with(&exchange.secrets);
        let text = |bytes: &[u8]| redactor.text(&String::from_utf8_lossy(bytes)).into_owned();
        match exchange.wire {
            Wire::Http(request) => {
                let headers = request.headers.iter().map(|(name, value)| match name {
                    "authorization" => {
                        let scheme = value.split(' ').next().unwrap_or_default();
                        (name.to_owned(), format!("{scheme} {MASK}"))
                    }
                    _ => (name.to_owned(), redactor.text(value).into_owned()),
                });
                Preview {
                    url: match hides_url {
                        true => pasted::shown(&request.url),
                        false => redactor.text(request.url.as_str()).into_owned(),
                    },
                    headers: headers.collect(),
                    body: text(&request.body.whole()),
                }
            }
            Wire::Mail(mail) => Preview {
                url: format!("mailto:{}", mail.recipients.join(",")),
                headers: Vec::new(),
                body: text(&mail.message),
            },
        }
    }
}
