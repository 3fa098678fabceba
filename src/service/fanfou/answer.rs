//! Reads Fanfou's answers: JSON, JSONP, XML or RSS, recognised by what they are.

use crate::service::api::{Answer, Reading};
use crate::service::direct_message::{self, Content, Found, Said};
use crate::service::judge::{excerpt, is_success, text, trimmed};

/// The statuses that Fanfou uses as its codes; every other one is judged without its envelope,
/// save that a refusal in it keeps its words.
const CODES: [u16; 4] = [400, 401, 403, 404];

/// Reads an answer to a request for `format`; `callback` is the function it may be wrapped in.
pub fn read(answer: &Answer, format: &str, callback: Option<&str>) -> Reading {
    let status = answer.status;
    let found = match text(answer) {
        Ok(body) => {
            let body = callback.map_or(body, |name| unwrapped(body, name));
            direct_message::read(body)
        }
        Err(why) => Found::Nothing(why, None),
    };
    let refused = |text: String| Reading::refused(status.to_string(), text);
    let success = is_success(status);
    match (status, found) {
        (status, Found::Error(said)) if CODES.contains(&status) && is_own(&said) => {
            refused(said.words().to_owned())
        }
        (status, _) if CODES.contains(&status) => refused(excerpt(&answer.body)),
        (_, Found::Message(message)) if success && format != "rss" => {
            let content = if format == "xml" { Content::Xml } else { Content::Json };
            direct_message::sent(message, content)
        }
        (_, Found::Error(said)) if success && is_own(&said) => Reading::Contradiction(format!(
            "the service answered with HTTP status {status} and yet with an error: {}",
            said.words()
        )),
        (_, Found::Nothing(_, Some(document)))
            if success
                && format == "rss"
                && document.root == "rss"
                && document.child("channel").is_some() =>
        {
            Reading::sent(None, None)
        }
        (_, Found::Nothing(why, _)) if success => Reading::Unreadable(why),
        (402 | 405..=428 | 430..=499, Found::Error(said)) if is_own(&said) => {
            refused(said.words().to_owned())
        }
        (_, Found::Error(said)) if is_own(&said) => Reading::Unreadable(said.words().to_owned()),
        (_, _) => Reading::Unreadable(excerpt(&answer.body)),
    }
}

/// True for an error of Fanfou's own: `{"request": "/direct_messages/new.json?…", "error": "…"}`, or
/// the same in XML. It has no code, but knows the path of the request.
fn is_own(said: &Said) -> bool {
    said.error.is_some() && said.code.is_none() && said.has_request()
}

/// JSON out of `name(…);`.
fn unwrapped<'a>(body: &'a str, name: &str) -> &'a str {
    let inside = trimmed(body).strip_prefix(name).map(trimmed);
    let inside = inside.and_then(|rest| rest.strip_prefix('('));
    let inside = inside.map(|rest| trimmed(rest.trim_end_matches(';')));
    inside.and_then(|rest| rest.strip_suffix(')')).unwrap_or(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() }
    }

    #[test]
    fn a_message_is_read_in_every_shape() {
        let sent = |reading| match reading {
            Reading::Sent { id, .. } => id,
            other => panic!("{other:?}"),
        };
        let json = r#"{"id":"wgFPBXHGdwQ","text":"x"}"#;
        let id = Some("wgFPBXHGdwQ");
        assert_eq!(sent(read(&answer(200, json), "json", None)).as_deref(), id);
        let jsonp = format!("cb_1({json});");
        assert_eq!(sent(read(&answer(200, &jsonp), "json", Some("cb_1"))).as_deref(), id);
        let xml = "<direct_message><id>7</id></direct_message>";
        assert_eq!(sent(read(&answer(202, xml), "xml", None)).as_deref(), Some("7"));
        let rss = "<rss version=\"2.0\"><channel><title>x</title></channel></rss>";
        assert_eq!(sent(read(&answer(200, rss), "rss", None)), None);
        for (format, body) in
            [("json", xml), ("json", rss), ("xml", json), ("xml", rss), ("rss", json), ("rss", xml)]
        {
            let reading = read(&answer(200, body), format, None);
            assert!(matches!(reading, Reading::Unreadable(_)), "{format} {body}: {reading:?}");
        }
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
            let reading = read(&answer(200, body), "json", None);
            assert!(matches!(reading, Reading::Unreadable(_)), "{body}: {reading:?}");
        }
        for both in [
            r#"{"id":"a","request":"/x","error":"no"}"#,
            r#"{"id":"a","error":"no"}"#,
            r#"{"id":"a","error_code":0}"#,
        ] {
            let reading = read(&answer(200, both), "json", None);
            assert!(!matches!(reading, Reading::Sent { .. }), "{both}: {reading:?}");
        }
    }
}
