//! Reads the answers of the direct-message family (Fanfou, old Sina, Weibo): a message object, or
//! an error, in JSON or XML.
//!
//! The content type is not looked at: these services send errors as HTML, JSON or XML, whatever was
//! asked for.

use serde_json::Value;

use super::envelope::parsed;
use super::{envelope, object, xml};

/// What an answer holds.
#[derive(Debug)]
pub enum Found {
    /// A message with an id.
    Message {
        /// The id, exact to the last digit.
        id: String,
        /// When it was taken, in Unix seconds.
        time: Option<i64>,
    },
    /// An error.
    Error {
        /// `error_code`, as text, where there is one.
        code: Option<String>,
        /// `error`.
        text: String,
        /// The id of a message that stands beside the error.
        beside: Option<String>,
    },
    /// Something else, and why it is not understood; with the XML document, if it is one.
    Nothing(String, Option<xml::Document>),
}

/// Reads a body that is whole.
pub fn read(body: &str) -> Found {
    if let Some(found) = usual_message(body) {
        return found;
    }
    // A byte order mark may stand before XML, and nowhere before JSON.
    let xml = body.trim_start_matches('\u{feff}').trim();
    if xml.starts_with('<') { read_xml(xml) } else { read_json(body.trim()) }
}

/// What is read of a message object.
const NAMES: [&str; 5] = ["id", "idstr", "created_at", "error", "error_code"];

fn read_json(body: &str) -> Found {
    let envelope = |body| {
        let [id, idstr, time, error, code] = envelope::members(body, NAMES)?;
        let (idstr, time) = (parsed::<String>(idstr)?, parsed::<Value>(time)?);
        Ok::<_, String>((id, idstr, time, parsed::<Value>(error)?, parsed::<Value>(code)?))
    };
    let (id, idstr, time, error, code) = match envelope(body) {
        Ok(envelope) => envelope,
        Err(e) => {
            return Found::Nothing(format!("the answer is not the service's JSON: {e}"), None);
        }
    };
    let id = idstr.filter(|id| !id.trim().is_empty()).or_else(|| id_of(id?));
    if error.is_some() || code.is_some() {
        let (code, text) = (code.as_ref().map(as_text), error.as_ref().map(as_text));
        return Found::Error { code, text: text.unwrap_or_default(), beside: id };
    }
    match id {
        Some(id) => {
            let time = time.as_ref().and_then(Value::as_str).and_then(unix_time);
            Found::Message { id, time }
        }
        None => Found::Nothing("the answer has no id of a message".to_owned(), None),
    }
}

/// A message as it is as a rule: without an error, and with nothing that would have to be unescaped.
fn usual_message(body: &str) -> Option<Found> {
    let [id, idstr, time, None, None] = object::values(body, NAMES)? else { return None };
    let id = match idstr {
        Some(idstr) => plain(idstr).filter(|id| !id.trim().is_empty())?.to_owned(),
        None => id_of(id?)?,
    };
    let time = match time {
        Some(time) => unix_time(plain(time)?),
        None => None,
    };
    Some(Found::Message { id, time })
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
    let child = |name| document.child(name).map(|text| text.trim().to_owned());
    let id = child("id").filter(|id| !id.is_empty() && document.root == "direct_message");
    if let Some(text) = child("error") {
        return Found::Error { code: child("error_code"), text, beside: id };
    }
    if document.children.iter().filter(|(name, _)| name == "id").count() > 1 {
        return Found::Nothing("the answer has two ids of a message".to_owned(), None);
    }
    match id {
        Some(id) => Found::Message { id, time: document.child("created_at").and_then(unix_time) },
        None if document.root == "direct_message" => {
            Found::Nothing("the answer has no id of a message".to_owned(), None)
        }
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
            Found::Message { id, .. } => id,
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
                assert_eq!(format!("{message:?}"), format!("{:?}", read_json(body)), "{body}");
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
            "<direct_message><id>a</id><error>no</error></direct_message>",
        ] {
            assert!(matches!(read(body), Found::Error { beside: Some(_), .. }), "{body}");
        }
    }
}
