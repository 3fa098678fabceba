//! Reads the answers of the direct-message family (Fanfou, old Sina, Weibo): a message object, or
//! an error, in JSON or XML.
//!
//! The content type is not looked at: these services send errors as HTML, JSON or XML, whatever was
//! asked for. A success comes in what was asked for.

use serde_json::Value;

use super::api::{Answer, Reading};
use super::judge::{excerpt, is_success};
use super::object;
use super::wire::json::{self, parsed};
use super::wire::xml;

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

/// Reads an answer of which the JSON is a message as a rule, in a status of success.
pub fn usual(answer: &Answer, body: &str) -> Option<Reading> {
    let (id, time) = usual_message(body).filter(|_| is_success(answer.status))?;
    Some(Reading::sent(Some(id), time))
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

/// The same of a service that speaks JSON only.
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

/// The id and the time of a message as it is as a rule: without an error, and with nothing that would
/// have to be unescaped.
fn usual_message(body: &str) -> Option<(String, Option<i64>)> {
    let values = object::values(body, NAMES)?;
    let [id, idstr, time, _, _, None, None, None, None, None] = values else { return None };
    let id = match idstr {
        Some(idstr) => plain(idstr).filter(|id| !id.trim().is_empty())?.to_owned(),
        None => id_of(id?)?,
    };
    let time = match time {
        Some(time) => unix_time(plain(time)?),
        None => None,
    };
    Some((id, time))
}

/// The characters of a string that has no escapes.
fn plain(value: &str) -> Option<&str> {
    let text = value.strip_prefix('"')?.strip_suffix('"')?;
    if text.as_bytes().contains(&b'\\') { None } else { Some(text) }
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
    usual_time(text).or_else(|| {
        let mut words = text.split_whitespace();
        let mut word = || words.next();
        time_of([word()?, word()?, word()?, word()?, word()?, word()?])
    })
}

/// The same of a time whose words stand where they stand as a rule; all others are not read here.
fn usual_time(text: &str) -> Option<i64> {
    const MONTHS: [&[u8; 3]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    const WEEKDAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
    // The months from March on: their days, and those before them. The day that a leap year has more
    // is then a year's last, and is not read here.
    const DAYS: [i64; 12] = [31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28];
    const BEFORE: [i64; 12] = [0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337];
    let text: &[u8; 30] = text.as_bytes().try_into().ok()?;
    let separators = [text[3], text[7], text[10], text[13], text[16], text[19], text[25]];
    let month = MONTHS.iter().position(|month| month[..] == text[4..7])?;
    if separators != *b"   ::  " {
        return None;
    }
    let two = |at: usize| {
        let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
        if tens < 10 && ones < 10 { Some(i64::from(tens * 10 + ones)) } else { None }
    };
    let (year, day) = (two(26)? * 100 + two(28)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    let (from_march, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let is_day = (1..=DAYS[month]).contains(&day);
    if year < 1970 || !is_day || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let leap_days = from_march / 4 - from_march / 100 + from_march / 400;
    let days = from_march * 365 + leap_days + BEFORE[month] + day - 719_469;
    if text[..3] != WEEKDAYS[days.rem_euclid(7) as usize][..] {
        return None;
    }
    let offset = two(21)? * 3600 + two(23)? * 60;
    let local = days * 86400 + hour * 3600 + minute * 60 + second;
    match text[20] {
        b'+' => Some(local - offset),
        b'-' => Some(local + offset),
        _ => None,
    }
}

fn time_of([weekday, month, day, clock, zone, year]: [&str; 6]) -> Option<i64> {
    // An HTTP date says the same in another order; its reader knows the calendar.
    let (3, 3, 4, 8) = (weekday.len(), month.len(), year.len(), clock.len()) else { return None };
    let mut http = *b"Thu, 00 Nov 2011 03:45:20 GMT";
    http[..3].copy_from_slice(weekday.as_bytes());
    match *day.as_bytes() {
        [ones] => http[6] = ones,
        [tens, ones] => http[5..7].copy_from_slice(&[tens, ones]),
        _ => return None,
    }
    http[8..11].copy_from_slice(month.as_bytes());
    http[12..16].copy_from_slice(year.as_bytes());
    http[17..25].copy_from_slice(clock.as_bytes());
    let local = httpdate::parse_http_date(std::str::from_utf8(&http).ok()?).ok()?;
    let local = i64::try_from(local.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs()).ok()?;
    let (sign, digits) = (zone.get(..1)?, zone.get(1..).filter(|digits| digits.len() == 4)?);
    let part = |range: std::ops::Range<usize>| {
        digits.get(range).and_then(|digits| digits.parse::<i64>().ok())
    };
    let offset = part(0..2)? * 3600 + part(2..4)? * 60;
    match sign {
        "+" => Some(local - offset),
        "-" => Some(local + offset),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_the_documents_is_read() {
        assert_eq!(unix_time("Thu Nov 17 03:45:20 +0000 2011"), Some(1_321_501_520));
        assert_eq!(unix_time("Thu Nov 17 11:45:20 +0800 2011"), Some(1_321_501_520));
        assert_eq!(unix_time("yesterday"), None);
        assert_eq!(usual_time(TIME), Some(1_321_501_520));
    }

    /// The same by way of a text: what the time was read by before its words were put in place.
    fn unix_time_by_text(text: &str) -> Option<i64> {
        let mut words = text.split_whitespace();
        let (weekday, month, day) = (words.next()?, words.next()?, words.next()?);
        let (clock, zone, year) = (words.next()?, words.next()?, words.next()?);
        let http = format!("{weekday}, {day:0>2} {month} {year} {clock} GMT");
        let local = httpdate::parse_http_date(&http).ok()?;
        let local = local.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs() as i64;
        let (sign, digits) = (zone.get(..1)?, zone.get(1..).filter(|digits| digits.len() == 4)?);
        let part = |range| digits.get(range).and_then(|digits: &str| digits.parse::<i64>().ok());
        let offset = part(0..2)? * 3600 + part(2..4)? * 60;
        Some(local - offset * i64::from(["-", "", "+"].iter().position(|s| *s == sign)? as i32 - 1))
    }

    const TIME: &str = "Thu Nov 17 03:45:20 +0000 2011";

    #[test]
    fn every_change_of_a_time_is_read_as_before() {
        let same = |text: &str| assert_eq!(unix_time(text), unix_time_by_text(text), "{text:?}");
        let changes = "+-0123456789 :\t\u{b}\u{3000}\u{e9},-aDMTu\0".split("").collect::<Vec<_>>();
        let ends = (0..=TIME.len()).flat_map(|end| [&TIME[..end], &TIME[end..]]);
        ends.for_each(same);
        for start in 0..=TIME.len() {
            for change in &changes {
                for left_out in 0..=2.min(TIME.len() - start) {
                    same(&format!("{}{change}{}", &TIME[..start], &TIME[start + left_out..]));
                }
            }
        }
    }

    #[test]
    fn every_day_is_read_as_before() {
        let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(' ');
        let mut read = 0;
        for (year, month) in [1969, 1970, 1999, 2000, 2011, 2012, 2100, 9999]
            .into_iter()
            .flat_map(|year| months.clone().map(move |month| (year, month)))
        {
            for (day, weekday) in (0..=32).flat_map(|day| weekdays.map(|weekday| (day, weekday))) {
                for text in [
                    format!("{weekday} {month} {day:02} 23:59:59 -0830 {year}"),
                    format!("{weekday} {month} {day} 24:00:00 +0830 {year}"),
                    format!(" {weekday}  {month}\t{day} 00:00:00 +0830 {year} more"),
                ] {
                    assert_eq!(unix_time(&text), unix_time_by_text(&text), "{text}");
                    read += usize::from(unix_time(&text).is_some());
                }
            }
        }
        // The days of seven years, of which two have a 29th of February, in two of three texts.
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
    fn a_usual_message_is_read_as_any_other() {
        let bodies = [
            format!(r#"{{"id":12,"idstr":"12","created_at":"{TIME}","sender":{{"id":3}}}}"#),
            format!("{{ \"id\" : \"a\\u0062\", \"created_at\": \"{TIME}\" }}\n"),
            r#"{"id":12}"#.to_owned(),
        ];
        let members = [
            r#""error":"no""#,
            r#""error":null"#,
            r#""error_code":1"#,
            r#""errors":{}"#,
            r#""message":"""#,
            r#""code":0"#,
            r#""\u0065rror":1"#,
            r#""idstr":null"#,
            r#""idstr":" ""#,
            r#""idstr":7"#,
            r#""idstr":"\ud800""#,
            r#""id":12"#,
            r#""id":null"#,
            r#""created_at":1e999"#,
            r#""created_at":"Thu Nov 17 03:45:20 +0000 201\u0031""#,
            r#""x":"\ud800""#,
        ];
        let mut read = 0;
        let mut agrees = |body: &str| {
            if let Some(message) = usual_message(body) {
                let Found::Message(other) = read_json(body) else { panic!("no message: {body}") };
                assert_eq!(message, (other.id, other.time), "{body}");
                read += 1;
            }
        };
        for body in &bodies {
            for at in (0..body.len()).filter(|at| body.is_char_boundary(*at)) {
                let (before, after) = body.split_at(at);
                agrees(before);
                for other in
                    ["\"", "\\", "{", "}", "[", ",", ":", "0", "-", ".", "e", " ", "\n", "\0"]
                {
                    agrees(&format!("{before}{other}{after}"));
                    agrees(&format!("{before}{other}{}", &after[1..]));
                }
                for member in members {
                    agrees(&format!("{before}{member},{after}"));
                    agrees(&format!("{before},{member}{after}"));
                }
            }
        }
        assert!(read > 300, "{read} are still messages");
        assert!(bodies.iter().all(|body| usual_message(body).is_some()));
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
