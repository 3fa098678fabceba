//! Reads Fanfou's answers: JSON, JSONP, XML or RSS, recognised by what they are.

use crate::service::Answer;
use crate::service::direct_message::{self, Found};
use crate::service::envelope::{Reading, excerpt, text};

/// The statuses that Fanfou uses as its codes; every other one is judged without its envelope,
/// save that a refusal in it keeps its words.
const CODES: [u16; 4] = [400, 401, 403, 404];

/// Reads an answer; `callback` is the function it may be wrapped in.
pub fn read(answer: &Answer, callback: Option<&str>, rss: bool) -> Reading {
    let status = answer.status;
    let found = match text(answer) {
        Ok(body) => direct_message::read(callback.map_or(body, |name| unwrapped(body, name))),
        Err(why) => Found::Nothing(why, None),
    };
    let refused = |text| Reading::Refused { code: status.to_string(), text };
    match (status, found) {
        (status, Found::Error { text, .. }) if CODES.contains(&status) => refused(text),
        (status, _) if CODES.contains(&status) => refused(excerpt(&answer.body)),
        (200 | 202, Found::Message { id, time }) => Reading::Sent { id: Some(id), time },
        (200 | 202, Found::Error { text, .. }) => Reading::Contradiction(format!(
            "the service answered with HTTP status {status} and yet with an error: {text}"
        )),
        (200 | 202, Found::Nothing(_, Some(document)))
            if rss && document.root == "rss" && document.child("channel").is_some() =>
        {
            Reading::Sent { id: None, time: None }
        }
        (200..=299, Found::Nothing(why, _)) => Reading::Unreadable(why),
        (402 | 405..=428 | 430..=499, Found::Error { text, .. }) => refused(text),
        (_, Found::Error { text, .. }) => Reading::Unreadable(text),
        (_, _) => Reading::Unreadable(excerpt(&answer.body)),
    }
}

/// JSON out of `name(…);`.
fn unwrapped<'a>(body: &'a str, name: &str) -> &'a str {
    let inside = body.trim().strip_prefix(name).map(str::trim_start);
    let inside = inside.and_then(|rest| rest.strip_prefix('('));
    let inside = inside.map(|rest| rest.trim_end().trim_end_matches(';').trim_end());
    inside.and_then(|rest| rest.strip_suffix(')')).unwrap_or(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec().into(), ..Answer::default() }
    }

    #[test]
    fn a_message_is_read_in_every_shape() {
        let sent = |reading| match reading {
            Reading::Sent { id, .. } => id,
            other => panic!("{other:?}"),
        };
        let json = r#"{"id":"wgFPBXHGdwQ","text":"x"}"#;
        assert_eq!(sent(read(&answer(200, json), None, false)).as_deref(), Some("wgFPBXHGdwQ"));
        let jsonp = format!("cb_1({json});");
        assert_eq!(
            sent(read(&answer(200, &jsonp), Some("cb_1"), false)).as_deref(),
            Some("wgFPBXHGdwQ")
        );
        let xml = "<direct_message><id>7</id></direct_message>";
        assert_eq!(sent(read(&answer(202, xml), None, false)).as_deref(), Some("7"));
        let rss = "<rss version=\"2.0\"><channel><title>x</title></channel></rss>";
        assert_eq!(sent(read(&answer(200, rss), None, true)), None);
    }

    #[test]
    fn what_is_no_whole_message_is_not_sent() {
        for body in [
            "",
            "{}",
            "[]",
            "null",
            "{\"id\":\"\"}",
            "{\"id\":\"a\"",
            "{\"id\":\"a\"} x",
            "{\"id\":true}",
            "{\"id\":\"a\",\"id\":\"b\"}",
            "<html/>",
            "<direct_message/>",
            "<rss><channel/></rss>",
            "\u{1f}\u{8b}garbage",
        ] {
            let reading = read(&answer(200, body), None, false);
            assert!(matches!(reading, Reading::Unreadable(_)), "{body}: {reading:?}");
        }
        let both = read(&answer(200, r#"{"id":"a","error":"no"}"#), None, false);
        assert!(matches!(both, Reading::Contradiction(_)), "{both:?}");
    }
}
