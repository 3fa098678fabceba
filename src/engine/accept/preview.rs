//! What would be sent, for people: a request with its secrets masked.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::engine::Engine;
use crate::model::error::Result;
use crate::model::id::ulid;
use crate::model::message::{Attachment, Message};
use crate::model::redact::{MASK, Redactor};
use crate::model::secret::Secret;
use crate::service::api::{Body, Exchange, Seed, Stamp, Wire};
use crate::service::pasted;

/// A request that was not sent; nothing secret is in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// The account that it would go from.
    pub account: String,
    /// How it would go: `POST`, mostly.
    pub method: &'static str,
    /// Where it would go.
    pub url: String,
    /// Its header fields, as far as they are the message's.
    pub headers: Vec<(String, String)>,
    /// Its body; in the place of a file stand its name, its type and its size.
    pub body: String,
    /// The files that go with the message.
    pub files: Vec<PreviewFile>,
}

/// What is shown of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PreviewFile {
    /// What it is called.
    pub name: String,
    /// Its media type.
    #[serde(rename = "type")]
    pub media_type: String,
    /// How long it is, in bytes; none of one that the service fetches from a URL.
    pub size: Option<u64>,
}

impl PreviewFile {
    fn of(file: &Attachment) -> PreviewFile {
        PreviewFile {
            name: file.file_name().to_owned(),
            media_type: file.media_type().to_owned(),
            size: file.bytes().map(|bytes| bytes.len() as u64),
        }
    }
}

impl Preview {
    /// Masks what must not be shown of a request.
    pub(crate) fn new(
        exchange: Exchange,
        redactor: &Redactor,
        hides_url: bool,
        message: &Message,
    ) -> Preview {
        let (account, files) = (message.account.clone(), &message.attachments[..]);
        let redactor = redactor.with(&exchange.secrets);
        let shown = files.iter().map(PreviewFile::of).collect();
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            redactor.text(&without(files, text)).into_owned()
        };
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
                    account,
                    method: request.method.name(),
                    files: shown,
                    url: match hides_url {
                        true => pasted::shown(&request.url),
                        false => redactor.text(request.url.as_str()).into_owned(),
                    },
                    headers: headers.collect(),
                    body: match request.body {
                        Body::One(bytes) => text(&bytes),
                        Body::Several(pieces) => {
                            let pieces = pieces.iter().map(|piece| match file_of(files, piece) {
                                Some(file) => in_words(file),
                                None => text(piece),
                            });
                            pieces.collect()
                        }
                    },
                }
            }
            Wire::Mail(mail) => Preview {
                account,
                method: "SMTP",
                files: shown,
                url: mail.server.to_string(),
                headers: [("mail-from", &mail.from)]
                    .into_iter()
                    .chain(mail.recipients.iter().map(|to| ("rcpt-to", to)))
                    .map(|(name, address)| (name.to_owned(), address.clone()))
                    .collect(),
                body: {
                    let behind = mail.files.iter().zip(files);
                    let behind = behind.map(|(file, own)| in_words(own) + &text(&file.behind));
                    [text(&mail.text)].into_iter().chain(behind).collect()
                },
            },
        }
    }
}

impl Preview {
    /// The request as a JSON object.
    pub fn to_json(&self) -> String {
        let headers =
            self.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
        json!({
            "v": 1, "account": self.account, "method": self.method, "url": self.url,
            "headers": headers.collect::<Map<_, Value>>(), "body": self.body, "files": self.files,
        })
        .to_string()
    }
}

impl Engine {
    /// The request that a message would become, with its secrets masked; nothing is sent.
    pub fn preview(&self, mut message: Message) -> Result<Preview> {
        let shared = &self.shared;
        let entry = shared.accounts.get(&message.account);
        let entry = entry.ok_or_else(|| shared.accounts.unknown(&message.account))?;
        message.id = ulid(shared.clock.unix_ms(), shared.random(|rng| rng.u128(..)));
        if message.to.is_empty() {
            entry.address(&mut message);
        }
        if !message.attachments.is_empty() {
            message.load_files()?;
        }
        let mut draft = entry.account.encode(&message, Seed(shared.random(|rng| rng.u64(..))))?;
        // Nobody is asked what is remembered of the recipient: its name stands for it.
        let lacked: Vec<_> = draft.lacks().map(|own| own.name).collect();
        lacked.iter().for_each(|name| draft.keep(name, name.to_uppercase()));
        let unix = shared.clock.unix_ms() / 1000;
        let stamp = Stamp { unix, nonce: shared.random(|rng| rng.u128(..)), renew: false };
        // No token is asked for to look at a message.
        let token = entry.tokens.as_ref().map(|_| Secret::new(MASK.to_owned()));
        let exchange = entry.account.next(&draft, &stamp, token.as_ref());
        Ok(Preview::new(exchange, &entry.redactor, entry.hides_url, &message))
    }
}

/// The file whose bytes these are: pieces of a body are shared, not copied.
fn file_of<'a>(files: &'a [Attachment], piece: &Bytes) -> Option<&'a Attachment> {
    let is_it = |bytes: &Bytes| bytes.as_ptr() == piece.as_ptr() && bytes.len() == piece.len();
    files.iter().find(|file| file.bytes().is_some_and(is_it))
}

/// A text without the files that stand in it, as they are or in base64.
fn without<'a>(files: &[Attachment], text: Cow<'a, str>) -> Cow<'a, str> {
    /// What is shorter could stand there for itself.
    const SHORTEST: usize = 16;
    files.iter().fold(text, |text, file| {
        let Some(bytes) = file.bytes().filter(|bytes| bytes.len() >= SHORTEST) else { return text };
        let forms = [STANDARD.encode(bytes), String::from_utf8_lossy(bytes).into_owned()];
        forms.iter().fold(text, |text, form| match text.contains(form.as_str()) {
            true => text.replace(form.as_str(), &in_words(file)).into(),
            false => text,
        })
    })
}

/// What is shown of a file.
fn in_words(file: &Attachment) -> String {
    let length = file.bytes().map_or(0, Bytes::len);
    format!("[{}, {}, {length} bytes]", file.file_name(), file.media_type())
}
