//! The direct-message family (Fanfou, old Sina, Weibo, StatusNet): how a form is sent, and how its answers are
//! read, a message object or an error, in JSON or XML.
//!
//! The content type is not looked at: these services send errors as HTML, JSON or XML, whatever was
//! asked for. A success comes in what was asked for.

use serde_json::Value;
use url::Url;

use super::api::{Answer, Body, Exchange, HttpRequest, Reading, Stamp};
use super::auth::basic_or_oauth1::BasicOrOAuth1;
use super::judge::{excerpt, is_success};
use super::wire::json::{self, parsed};
use super::wire::{form, xml};

/// The request that sends a form, to the first URL and signed for the second.
pub fn exchange(
    auth: &BasicOrOAuth1,
    (url, signing_url): (&Url, &Url),
    params: &[(&'static str, String)],
    body: impl Into<Body>,
    at: &Stamp,
) -> Exchange {
    let (authorization, signatures) = auth.authorize(signing_url, params, at);
    let request = HttpRequest::post(url.clone(), form::CONTENT_TYPE, body);
    Exchange::commit(request.authorized(Some(authorization))).with_secrets(signatures)
}

/// What an answer holds.
#[derive(Debug)]
pub enum Found {
    /// A message with an id.
    Message(Message),
    /// An error, whosoever it is.
    Error(Said),
    /// Something else, and why it is not understood; with the XML document, if it is one.
    Nothing(String, Option<xml::Document>),
}

/// What an answer is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// JSON.
    Json,
    /// XML.
    Xml,
}

/// A message.
#[derive(Debug)]
pub struct Message {
    /// The id, exact to the last digit.
    pub id: String,
    /// When it was taken, in Unix seconds.
    pub time: Option<i64>,
    /// What it is written in.
    pub content: Content,
    /// True if there is more of a message than any object with an id.
    is_own: bool,
}

/// An error, as far as the services of the family speak of one.
#[derive(Debug)]
pub struct Said {
    /// `error`, if it is text.
    pub error: Option<String>,
    /// `error_code`, a number or text.
    pub code: Option<String>,
    /// `request`; false where it is no text.
    request: Result<Option<String>, ()>,
    /// The message that stands beside the error.
    pub beside: Option<Message>,
}

impl Said {
    /// True if `request` is missing, or text.
    pub fn may_have_request(&self) -> bool {
        self.request.is_ok()
    }

    /// True if `request` is the path of one, as only the service itself knows it.
    pub fn has_request(&self) -> bool {
        matches!(&self.request, Ok(Some(request)) if request.starts_with('/'))
    }

    /// The words of the error.
    pub fn words(&self) -> &str {
        self.error.as_deref().unwrap_or_default()
    }
}

/// Reads a body that is whole.
pub fn read(body: &str) -> Found {
    if xml::is_xml(body) { read_xml(body) } else { read_json(body) }
}

/// What was found in an answer of old Sina or Weibo.
///
/// `content` is what the account asked for: a success comes in it. `code` tells the code of an error
/// that is the service's own; whatever a gateway says has none, and is judged by its status.
pub fn reading(
    answer: &Answer,
    found: Found,
    content: Content,
    code: impl Fn(&Said) -> Option<String>,
) -> Reading {
    let success = is_success(answer.status);
    match found {
        Found::Error(said) => match (code(&said), &said.beside) {
            (None, None) => Reading::Unreadable(excerpt(&answer.body)),
            (None, Some(beside)) if !beside.is_own => Reading::Unreadable(excerpt(&answer.body)),
            (_, Some(_)) => Reading::Contradiction(format!(
                "the service answered with a message and yet with an error: {}",
                said.words()
            )),
            (Some(code), None) => Reading::refused(code, said.error.unwrap_or_default()),
        },
        Found::Message(message) if success => sent(message, content),
        Found::Message(Message { is_own: true, .. }) => Reading::Contradiction(format!(
            "the service answered with a message, but with HTTP status {}",
            answer.status
        )),
        Found::Nothing(why, _) if success => Reading::Unreadable(why),
        Found::Message(_) | Found::Nothing(..) => Reading::Unreadable(excerpt(&answer.body)),
    }
}

/// A message in a status of success: it is one only in what was asked for.
pub fn sent(message: Message, content: Content) -> Reading {
    if message.content == content {
        return Reading::sent(Some(message.id), message.time);
    }
    let (asked, got) = match content {
        Content::Json => ("JSON", "XML"),
        Content::Xml => ("XML", "JSON"),
    };
    Reading::Unreadable(format!("the answer is a message in {got}, and {asked} was asked for"))
}

/// True for a number of five digits: so old Sina and Weibo write their codes, and no gateway does.
pub fn is_code(text: &str) -> bool {
    text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0')
}

/// What a success is read from, and from the sixth on what never stands in one: the words for an error of
/// the services themselves, and those that others use.
const NAMES: [&str; 10] = [
    "id",
    "idstr",
    "created_at",
    "text",
    "request",
    "error",
    "error_code",
    "errors",
    "message",
    "code",
];

/// Reads a whole body of a service that speaks JSON only.
pub fn read_json(body: &str) -> Found {
    let envelope = |body| {
        let [id, idstr, time, text, request, error, code, foreign @ ..] =
            json::members(body, NAMES)?;
        let (error, code) = (parsed::<Value>(error)?, parsed::<Value>(code)?);
        let is_error = error.is_some() || code.is_some() || foreign.iter().any(Option::is_some);
        let said = is_error.then(|| Said {
            error: error.as_ref().and_then(Value::as_str).map(str::to_owned),
            code: code.as_ref().map(as_text),
            request: parsed(request).map_err(drop),
            beside: None,
        });
        let id = parsed::<String>(idstr)?.filter(|id| !id.trim().is_empty()).or_else(|| id_of(id?));
        let time = parsed::<Value>(time)?.as_ref().and_then(Value::as_str).and_then(unix_time);
        let message = id.map(|id| {
            let has_text = text.is_some_and(|text| text.starts_with('"'));
            // An error of a gateway may have an id too, which a message without a text could not be
            // told from.
            let is_own = has_text || said.is_none() && id.bytes().all(|b| b.is_ascii_digit());
            Message { id, time, content: Content::Json, is_own }
        });
        Ok::<_, String>((said, message))
    };
    match envelope(body) {
        Ok((Some(said), beside)) => Found::Error(Said { beside, ..said }),
        Ok((None, Some(message))) => Found::Message(message),
        Ok((None, None)) => Found::Nothing("the answer has no id of a message".to_owned(), None),
        Err(e) => Found::Nothing(format!("the answer is not the service's JSON: {e}"), None),
    }
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// An id is a string or a whole number, of which the digits are taken as they stand.
fn id_of(raw: &str) -> Option<String> {
    if raw.starts_with('"') {
        return serde_json::from_str(raw).ok().filter(|id: &String| !id.trim().is_empty());
    }
    raw.bytes().all(|b| b.is_ascii_digit()).then(|| raw.to_owned())
}

fn read_xml(body: &str) -> Found {
    let document = match xml::read(body) {
        Ok(document) => document,
        Err(why) => return Found::Nothing(why, None),
    };
    // Which of two would count is not decided here.
    let names = ["id", "error", "error_code", "request"];
    if let Some(name) = names.into_iter().find(|name| document.has_several(name)) {
        return Found::Nothing(format!("the answer has <{name}> twice"), None);
    }
    let is_message = document.root == "direct_message";
    let child = |name| document.child(name).map(|text| text.trim().to_owned());
    let id = child("id").filter(|id| !id.is_empty() && is_message);
    let time = document.child("created_at").and_then(unix_time);
    let message = id.map(|id| Message { id, time, content: Content::Xml, is_own: true });
    let (error, code) = (child("error"), child("error_code"));
    let is_foreign = NAMES[7..].iter().any(|name| document.child(name).is_some());
    if error.is_some() || code.is_some() || is_foreign {
        return Found::Error(Said { error, code, request: Ok(child("request")), beside: message });
    }
    match message {
        Some(message) => Found::Message(message),
        None if is_message => Found::Nothing("the answer has no id of a message".to_owned(), None),
        None => {
            let words = format!("the answer is a <{}>, which is no message", document.root);
            Found::Nothing(words, Some(document))
        }
    }
}

/// Unix seconds of a time like `Thu Nov 17 03:45:20 +0000 2011`.
fn unix_time(text: &str) -> Option<i64> {
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_ascii_whitespace();
    let mut word = || words.next();
    let (weekday, month, day) = (word()?, word()?, word()?);
    let (clock, zone, year) = (word()?.as_bytes(), word()?.as_bytes(), word()?);
    let month = MONTHS.iter().position(|name| *name == month)?;
    let (hour, minute, second) = match *clock {
        [h, hh, b':', m, mm, b':', s, ss] => {
            (number(&[h, hh])?, number(&[m, mm])?, number(&[s, ss])?)
        }
        _ => return None,
    };
    let (ahead, offset) = match *zone {
        [sign @ (b'+' | b'-'), h, hh, m, mm] => {
            (sign == b'+', number(&[h, hh])? * 3600 + number(&[m, mm])? * 60)
        }
        _ => return None,
    };
    let day = number(day.as_bytes()).filter(|_| day.len() <= 2)?;
    let year = number(year.as_bytes()).filter(|year| (1970..=9999).contains(year))?;
    let days = days_before(year, month) + day - 1;
    let is_of_month = day >= 1 && days < days_before(year, month + 1);
    let is_weekday = WEEKDAYS[days.rem_euclid(7) as usize] == weekday;
    if !is_of_month || !is_weekday || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let local = days * 86_400 + hour * 3600 + minute * 60 + second;
    Some(if ahead { local - offset } else { local + offset })
}

/// A number of at most four digits.
fn number(digits: &[u8]) -> Option<i64> {
    let is_number = (1..=4).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}

/// The days from 1970 to the first of a month, counted from 0; month 12 is the next January.
fn days_before(year: i64, month: usize) -> i64 {
    // Counted in years that begin in March, so that the day more of a leap year is a year's last.
    const BEFORE: [i64; 12] = [306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275];
    let year = year + i64::from(month == 12) - i64::from(month % 12 < 2);
    year * 365 + year / 4 - year / 100 + year / 400 + BEFORE[month % 12] - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_the_documents_is_read() {
        assert_eq!(unix_time("Thu Nov 17 03:45:20 +0000 2011"), Some(1_321_501_520));
        assert_eq!(unix_time("Thu Nov 17 11:45:20 +0800 2011"), Some(1_321_501_520));
        assert_eq!(unix_time("yesterday"), None);
        assert_eq!(unix_time(" Thu  Nov\t17 03:45:20 -0830 2011 more"), Some(1_321_532_120));
        assert_eq!(unix_time("Wed Feb 29 23:59:59 +0000 2012"), Some(1_330_559_999));
        assert_eq!(unix_time("Sat Jan 1 00:00:00 +0000 2000"), Some(946_684_800));
    }

    #[test]
    fn what_is_no_time_is_not_read() {
        for text in [
            "",
            "Thu Nov 17 03:45:20 +0000",
            "Fri Nov 17 03:45:20 +0000 2011",
            "Tue Feb 29 00:00:00 +0000 2011",
            "Thu Nov 31 03:45:20 +0000 2011",
            "Thu Nov 017 03:45:20 +0000 2011",
            "Thu Nov 17 24:00:00 +0000 2011",
            "Thu Nov 17 3:45:20 +0000 2011",
            "Thu Nov 17 03:45:20 0000 2011",
            "Thu Nov 17 03:45:20 +000 2011",
            "Thu Nov 17 03:45:20 +0\u{e9}0 2011",
            "Thu Nov 17 03:45:20 \u{e9}000 2011",
            "Th\u{e9} Nov 17 03:45:20 +0000 2011",
            "Thu Dez 17 03:45:20 +0000 2011",
            "Thu Nov 17 03:45:20 +0000 11",
            "Wed Dec 31 23:59:59 +0000 1969",
        ] {
            assert_eq!(unix_time(text), None, "{text:?}");
        }
    }

    #[test]
    fn every_day_is_read_as_httpdate_reads_it() {
        let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(' ');
        let mut read = 0;
        for (year, month) in [1969, 1970, 1999, 2000, 2011, 2012, 2100, 9999]
            .into_iter()
            .flat_map(|year| months.clone().map(move |month| (year, month)))
        {
            for (day, weekday) in (0..=32).flat_map(|day| weekdays.map(|weekday| (day, weekday))) {
                let http = format!("{weekday}, {day:02} {month} {year} 23:59:59 GMT");
                let time = httpdate::parse_http_date(&http).ok();
                let time = time.and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
                let expected = time.map(|time| time.as_secs() as i64 + 8 * 3600 + 30 * 60);
                for day in [format!("{day:02}"), day.to_string()] {
                    let text = format!("{weekday} {month} {day} 23:59:59 -0830 {year}");
                    assert_eq!(unix_time(&text), expected, "{text}");
                    read += usize::from(expected.is_some());
                }
            }
        }
        // The days of seven years, of which two have a 29th of February, in two texts each.
        assert_eq!(read, 2 * (7 * 365 + 2));
    }

    #[test]
    fn ids_are_exact_to_the_last_digit() {
        let id = |body| match read(body) {
            Found::Message(message) => message.id,
            other => panic!("{other:?}"),
        };
        assert_eq!(id(r#"{"id":9007199254740993}"#), "9007199254740993");
        assert_eq!(id(r#"{"id":1,"idstr":"18446744073709551617"}"#), "18446744073709551617");
        assert_eq!(id("<direct_message><id> 722704713 </id></direct_message>"), "722704713");
    }

    #[test]
    fn an_error_beside_a_message_is_told() {
        for body in [
            r#"{"id":"a","error":"no"}"#,
            r#"{"id":"a","error_code":0}"#,
            r#"{"id":"a","errors":[]}"#,
            r#"{"id":"a","message":"no"}"#,
            r#"{"id":"a","code":0}"#,
            "<direct_message><id>a</id><error>no</error></direct_message>",
            "<direct_message><id>a</id><error_code>400</error_code></direct_message>",
            "<direct_message><error_code/><id>a</id></direct_message>",
            "<direct_message><id>a</id><errors/></direct_message>",
        ] {
            let Found::Error(said) = read(body) else { panic!("no error: {body}") };
            assert!(said.beside.is_some(), "{body}");
        }
    }
}
