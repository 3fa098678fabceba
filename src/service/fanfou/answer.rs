//! Reads Fanfou's answers: JSON, JSONP, XML or RSS, recognised by what they are.
//!
//! The content type is not looked at: the service sends errors as HTML, JSON or XML, whatever was
//! asked for.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::service::Answer;
use crate::service::envelope::{Reading, excerpt, text};
use crate::service::xml;

/// The statuses that Fanfou uses as its codes; every other one is judged without its envelope.
const CODES: [u16; 4] = [400, 401, 403, 404];

/// Reads an answer; `callback` is the function it may be wrapped in.
pub fn read(answer: &Answer, callback: Option<&str>, rss: bool) -> Reading {
    let status = answer.status;
    if CODES.contains(&status) {
        return Reading::Refused { code: status.to_string(), text: words(answer, callback) };
    }
    let body = match text(answer) {
        Ok(body) => body.trim(),
        Err(why) => return Reading::Unreadable(why),
    };
    let body = callback.map_or(body, |name| unwrapped(body, name));
    let found = if body.starts_with('<') { read_xml(body, rss) } else { read_json(body) };
    match (status, found) {
        (200 | 202, Reading::Refused { text, .. }) => Reading::Contradiction(format!(
            "the service answered with HTTP status {status} and yet with an error: {text}"
        )),
        (200 | 202, found) => found,
        (200..=399 | 429 | 500.., _) => Reading::Unreadable(excerpt(&answer.body)),
        (_, Reading::Refused { text, .. }) => Reading::Refused { code: status.to_string(), text },
        (_, _) => Reading::Unreadable(excerpt(&answer.body)),
    }
}

/// The reason in a refusal, in whatever shape it came.
fn words(answer: &Answer, callback: Option<&str>) -> String {
    let Ok(body) = text(answer) else { return excerpt(&answer.body) };
    let body = callback.map_or(body.trim(), |name| unwrapped(body.trim(), name));
    let found = if body.starts_with('<') { read_xml(body, false) } else { read_json(body) };
    match found {
        Reading::Refused { text, .. } => text,
        _ => excerpt(body.as_bytes()),
    }
}

/// JSON out of `name(…);`.
fn unwrapped<'a>(body: &'a str, name: &str) -> &'a str {
    let inside =
        body.strip_prefix(name).map(str::trim_start).and_then(|rest| rest.strip_prefix('('));
    let inside = inside.map(|rest| rest.trim_end().trim_end_matches(';').trim_end());
    inside.and_then(|rest| rest.strip_suffix(')')).map_or(body, str::trim)
}

fn read_json(body: &str) -> Reading {
    #[derive(Deserialize)]
    struct Message<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
        error: Option<Value>,
        created_at: Option<Value>,
    }
    let message: Message<'_> = match serde_json::from_str(body) {
        Ok(message) => message,
        Err(e) => return Reading::Unreadable(format!("the answer is not the service's JSON: {e}")),
    };
    if let Some(error) = message.error {
        let text = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
        return Reading::Refused { code: String::new(), text };
    }
    match message.id.and_then(|id| id_of(id.get())) {
        Some(id) => {
            let time = message.created_at.as_ref().and_then(Value::as_str).and_then(unix_time);
            Reading::Sent { id: Some(id), time }
        }
        None => Reading::Unreadable("the answer has no id of a message".to_owned()),
    }
}

/// An id is a string; digits are taken as they stand.
fn id_of(raw: &str) -> Option<String> {
    let id = match raw.starts_with('"') {
        true => serde_json::from_str(raw).ok()?,
        false => raw.to_owned(),
    };
    let plausible = raw.starts_with('"') || raw.bytes().all(|b| b.is_ascii_digit());
    (plausible && !id.trim().is_empty()).then_some(id)
}

fn read_xml(body: &str, rss: bool) -> Reading {
    let document = match xml::read(body) {
        Ok(document) => document,
        Err(why) => return Reading::Unreadable(why),
    };
    if let Some(error) = document.child("error") {
        return Reading::Refused { code: String::new(), text: error.trim().to_owned() };
    }
    match document.root.as_str() {
        "direct_message" => match document.child("id").map(str::trim) {
            Some(id) if !id.is_empty() => {
                let time = document.child("created_at").and_then(unix_time);
                Reading::Sent { id: Some(id.to_owned()), time }
            }
            _ => Reading::Unreadable("the answer has no id of a message".to_owned()),
        },
        "rss" if rss && document.child("channel").is_some() => {
            Reading::Sent { id: None, time: None }
        }
        root => Reading::Unreadable(format!("the answer is a <{root}>, which is no message")),
    }
}

/// Unix seconds of a time like `Thu Nov 17 03:45:20 +0000 2011`.
fn unix_time(text: &str) -> Option<i64> {
    let mut words = text.split_whitespace();
    let (_, month, day) = (words.next()?, words.next()?, words.next()?);
    let (clock, zone, year) = (words.next()?, words.next()?, words.next()?);
    // An HTTP date says the same in another order; its reader checks the calendar.
    let http = format!("Thu, {day:0>2} {month} {year} {clock} GMT");
    let weekday_free = http.split_once(", ").map(|(_, rest)| rest.to_owned())?;
    let local = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].iter().find_map(|weekday| {
        httpdate::parse_http_date(&format!("{weekday}, {weekday_free}")).ok()
    })?;
    let seconds = local.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    let (sign, digits) = (zone.get(..1)?, zone.get(1..).filter(|d| d.len() == 4)?);
    let offset =
        digits.get(..2)?.parse::<i64>().ok()? * 3600 + digits.get(2..)?.parse::<i64>().ok()? * 60;
    let seconds = i64::try_from(seconds).ok()?;
    match sign {
        "+" => Some(seconds - offset),
        "-" => Some(seconds + offset),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() }
    }

    #[test]
    fn the_time_of_the_document_is_read() {
        assert_eq!(unix_time("Thu Nov 17 03:45:20 +0000 2011"), Some(1_321_501_520));
        assert_eq!(unix_time("Thu Nov 17 11:45:20 +0800 2011"), Some(1_321_501_520));
        assert_eq!(unix_time("yesterday"), None);
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
        for body in [
            r#"{"id":"a","error":"no"}"#,
            "<direct_message><id>a</id><error>no</error></direct_message>",
        ] {
            let reading = read(&answer(200, body), None, false);
            assert!(matches!(reading, Reading::Contradiction(_)), "{body}: {reading:?}");
        }
    }
}
