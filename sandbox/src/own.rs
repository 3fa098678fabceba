//! The sandbox's own paths: the page, messages, faults, requests that are held.

use std::time::Duration;

use serde_json::{Value, json};

use crate::exchange::{Answer, Call};
use crate::inbox::Wanted;
use crate::page;
use crate::server::Server;

/// How long a page waits for something new before it is told that there is nothing.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// How long a test waits for requests to be held before it is told that they are not.
const LONGEST_HELD_WAIT: Duration = Duration::from_secs(120);

impl Server {
    /// Answers a request to `/_/` and `path`.
    pub(crate) async fn own(&self, path: &str, call: &Call) -> Answer {
        let is_read = matches!(call.method.as_str(), "GET" | "HEAD");
        match path {
            "" | "about" if !is_read => return Answer::wrong_method("GET"),
            "" => return page::inbox(),
            "about" => return page::about(&self.base_url()),
            "inbox" if is_read => return self.inbox(call).await,
            "held" if is_read => return self.held(call).await,
            "held" => return Answer::wrong_method("GET"),
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
            ("seen", "GET") => Answer::json(200, &state.seen()),
            ("seen", _) => Answer::wrong_method("GET"),
            ("release", "POST") => Answer::json(200, &json!({ "released": self.held.release() })),
            ("reset", "POST") => {
                state.clear();
                state.clear_faults();
                self.held.cut();
                Answer::json(200, &json!({}))
            }
            ("release" | "reset", _) => Answer::wrong_method("POST"),
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

    /// How many requests are held, once they are `count` or more.
    async fn held(&self, call: &Call) -> Answer {
        let count = call.query("count").and_then(|count| count.parse().ok()).unwrap_or(0);
        let status = match tokio::time::timeout(LONGEST_HELD_WAIT, self.held.until(count)).await {
            Ok(()) => 200,
            Err(_) => 504,
        };
        Answer::json(status, &json!({ "held": self.held.count() }))
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
