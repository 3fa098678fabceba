//! What the page shows: the newest messages, other requests and the faults that wait.

use serde_json::{Value, json};

use crate::kept::{Other, Taken};
use crate::state::State;
use crate::{mask, rich};

/// How much of a body the page shows.
const SHOWN_BODY: usize = 16 << 10;
/// How many messages the page shows at most.
const MOST: usize = 1_000;

/// What somebody looks for.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// A part of the message or its request, in any case; empty for all.
    pub text: String,
    /// The name of a service; empty for all.
    pub service: String,
    pub most: usize,
}

impl Wanted {
    fn fits(&self, service: &str) -> bool {
        self.service.is_empty() || self.service == service
    }

    fn in_request(&self, request: &Value) -> bool {
        ["path", "body"].iter().any(|part| contains(request[part].as_str(), &self.text))
    }

    fn in_message(&self, taken: &Taken) -> bool {
        let delivered = &taken.delivered;
        self.text.is_empty()
            || contains(Some(&delivered.text), &self.text)
            || contains(delivered.title.as_deref(), &self.text)
            || contains(Some(&delivered.recipient), &self.text)
            || contains(Some(&delivered.account), &self.text)
            || contains(delivered.id.as_deref(), &self.text)
            || delivered.attachments.iter().any(|one| contains(Some(&one.name), &self.text))
            || self.in_request(&taken.request)
    }
}

/// Whether `text` contains `part`, which is in lower case, in any case.
fn contains(text: Option<&str>, part: &str) -> bool {
    text.is_some_and(|text| text.to_lowercase().contains(part))
}

impl State {
    /// The messages and requests that somebody looks for, newest first.
    pub(crate) fn inbox(&self, wanted: &Wanted) -> Value {
        let wanted = Wanted {
            text: wanted.text.to_lowercase(),
            service: wanted.service.clone(),
            most: wanted.most.min(MOST),
        };
        let messages = self.kept.messages.iter().rev();
        let messages = messages.filter(|one| wanted.fits(one.service) && wanted.in_message(one));
        let messages: Vec<_> = messages.take(wanted.most).map(|one| self.message(one)).collect();
        let others = self.kept.others.iter().rev().filter(|one| {
            wanted.fits(one.service) && (wanted.text.is_empty() || wanted.in_request(&one.request))
        });
        let others: Vec<_> = others.take(wanted.most).map(|one| self.other(one)).collect();
        json!({
            "version": self.version(),
            "total": self.kept.messages.len(),
            "messages": messages,
            "others": others,
            "faults": self.faults.to_json(),
            "services": self.names(),
        })
    }

    fn message(&self, taken: &Taken) -> Value {
        let mut json = taken.to_json();
        json["number"] = taken.number.into();
        json["runs"] = rich::to_json(&taken.delivered);
        json["request"] = self.request(taken.service, &taken.request);
        for (at, attached) in taken.delivered.attachments.iter().enumerate() {
            if attached.image.is_some() {
                json["attachments"][at]["image"] =
                    format!("/_/images/{}/{at}", taken.number).into();
            }
        }
        json
    }

    fn other(&self, other: &Other) -> Value {
        json!({
            "service": other.service,
            "time": other.time,
            "request": mask::guess(self.request(other.service, &other.request)),
            "status": other.status,
            "answer": other.answer,
        })
    }

    fn request(&self, service: &str, request: &Value) -> Value {
        let mut shown = mask::request(request, self.secrets(service));
        if let Some(body) = shown["body"].as_str().filter(|body| body.len() > SHOWN_BODY) {
            let end = (0..=SHOWN_BODY).rev().find(|end| body.is_char_boundary(*end));
            shown["body"] = format!("{}…", &body[..end.unwrap_or_default()]).into();
        }
        shown
    }
}
