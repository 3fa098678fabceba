//! The sandbox's own paths: the page, messages, faults.

use std::time::Duration;

use serde_json::{Value, json};

use crate::exchange::{Answer, Call};
use crate::inbox::Wanted;
use crate::page;
use crate::server::Server;

/// How long a page waits for something new before it is told that there is nothing.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

impl Server {
    /// Answers a request to `/_/` and `path`.
    pub(crate) async fn own(&self, path: &str, call: &Call) -> Answer {
        let is_read = matches!(call.method.as_str(), "GET" | "HEAD");
        match path {
            "" | "about" if !is_read => return Answer::wrong_method("GET"),
            "" => return page::inbox(),
            "about" => return page::about(&self.base_url()),
            "inbox" if is_read => return self.inbox(call).await,
            _ => {}
        }
        if let Some(image) = path.strip_prefix("images/") {
            return self.image(image).unwrap_or_else(Answer::not_found);
        }
        let mut state = self.state();
        match (path, call.method.as_str()) {
            ("messages", "GET") => Answer::json(200, &Value::Array(state.messages())),
            ("messages", "DELETE") => {
                state.clear();
                Answer::new(204, "", "")
            }
            ("messages", _) => Answer::wrong_method("GET, DELETE"),
            ("faults", "GET") => Answer::json(200, &state.faults.to_json()),
            ("faults", "POST") => {
                let added = crate::json::read(&call.body).and_then(|fault| state.add_fault(&fault));
                match added {
                    Ok(()) => Answer::json(200, &state.faults.to_json()),
                    Err(error) => Answer::json(400, &json!({ "error": error })),
                }
            }
            ("faults", "DELETE") => {
                state.clear_faults();
                Answer::new(204, "", "")
            }
            ("faults", _) => Answer::wrong_method("GET, POST, DELETE"),
            _ => Answer::not_found(),
        }
    }

    /// What the page shows, once it is something else than the page's `version`.
    async fn inbox(&self, call: &Call) -> Answer {
        let number = |name| call.query(name).and_then(|value| value.parse().ok());
        let wanted = Wanted {
            text: call.query("q").unwrap_or_default(),
            service: call.query("service").unwrap_or_default(),
            most: number("most").unwrap_or(50),
        };
        let seen = call.query("version").and_then(|version| version.parse::<u64>().ok());
        let mut versions = self.state().versions();
        let news = versions.wait_for(|version| Some(*version) != seen);
        // What is waited for in vain is answered with what there is.
        let _ = tokio::time::timeout(LONGEST_WAIT, news).await;
        Answer::json(200, &self.state().inbox(&wanted)).with_header("cache-control", "no-store")
    }

    /// An image of a message, as `NUMBER/INDEX`.
    fn image(&self, path: &str) -> Option<Answer> {
        let (number, at) = path.split_once('/')?;
        let state = self.state();
        let attachments = &state.kept.message(number.parse().ok()?)?.delivered.attachments;
        let (kind, bytes) = attachments.get(at.parse::<usize>().ok()?)?.image.as_ref()?;
        // Opened by itself it is an image and nothing else either.
        let answer = Answer::new(200, kind, bytes.to_vec());
        let answer = answer.with_header("content-security-policy", "sandbox; default-src 'none'");
        Some(answer.with_header("x-content-type-options", "nosniff"))
    }
}
