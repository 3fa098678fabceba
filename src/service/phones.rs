//! Telephone numbers of gateways in China: one number has several spellings, and a request takes numbers within
//! the country or numbers abroad.

use std::collections::HashSet;

use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Kind, Message};
use crate::service::api::{Reading, Verdict};

/// The country code of China's mainland.
const CHINA: &str = "86";

/// True for a mobile number in China without its code.
fn is_mobile(text: &str) -> bool {
    text.len() == 11 && text.starts_with('1') && text.bytes().all(|b| b.is_ascii_digit())
}

/// A number with its country code, in digits alone; none of what is no number.
///
/// `+…` and `00…` begin with a country code; eleven digits that begin with 1 are a mobile number in China, with
/// or without its code. Other digits are a number abroad where the gateway writes them so.
pub fn digits(given: &str, bare_abroad: bool) -> Option<String> {
    let is_number = |text: &str| {
        (5..=15).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_digit())
            && !text.starts_with('0')
    };
    if let Some(number) = given.strip_prefix('+').or(given.strip_prefix("00")) {
        return is_number(number).then(|| number.to_owned());
    }
    if is_mobile(given) {
        return Some(format!("{CHINA}{given}"));
    }
    let is_whole = given.strip_prefix(CHINA).is_some_and(is_mobile);
    (is_whole || bare_abroad && is_number(given)).then(|| given.to_owned())
}

/// A mobile number in China without its code.
pub fn mobile(digits: &str) -> Option<&str> {
    digits.strip_prefix(CHINA).filter(|rest| is_mobile(rest))
}

/// The numbers of a request, and whom of the message's recipients they are.
#[derive(Debug, Default)]
pub struct Request {
    /// Each number once, in digits with its country code.
    pub numbers: Vec<String>,
    /// Every spelling of theirs in the message.
    pub to: Vec<(Kind, String)>,
}

/// The same refusal for each of these, so that it ends none but them: others may fare otherwise.
pub fn each_refused(to: &[(Kind, String)], code: &str, words: &str) -> Reading {
    let one =
        |to: &(Kind, String)| Verdict { to: to.clone(), reading: Reading::refused(code, words) };
    Reading::Each(to.iter().map(one).collect())
}

/// The first numbers of a message that a request takes: all of them within China, or all abroad.
pub fn first_of(message: &Message, most: usize, bare_abroad: bool) -> Result<Request> {
    let wrong = |path: String, words: String| Err(Error::new(ErrorCode::Message, words).at(path));
    let mut all = Vec::new();
    for (i, given) in message.to.all(Kind::Phones).enumerate() {
        let Some(digits) = digits(given, bare_abroad) else {
            let words = format!(
                "{given:?} is no number: give + and its digits with the country code, or the eleven digits of a \
                 mobile number in China"
            );
            return wrong(format!("to.phones[{i}]"), words);
        };
        all.push((given, digits));
    }
    let Some(is_within) = all.first().map(|(_, digits)| digits.starts_with(CHINA)) else {
        let words = "the recipients are missing: give \"to\": {\"phones\": […]}";
        return wrong("to.phones".to_owned(), words.to_owned());
    };
    let (mut request, mut seen) = (Request::default(), HashSet::new());
    for (given, digits) in &all {
        if digits.starts_with(CHINA) != is_within {
            continue;
        }
        if !seen.contains(digits.as_str()) {
            if seen.len() == most {
                continue;
            }
            seen.insert(digits.as_str());
            request.numbers.push(digits.clone());
        }
        request.to.push((Kind::Phones, (*given).to_owned()));
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_has_several_spellings() {
        for (given, bare, digits_of_it) in [
            ("+8613800000001", false, Some("8613800000001")),
            ("008613800000001", false, Some("8613800000001")),
            ("8613800000001", false, Some("8613800000001")),
            ("13800000001", false, Some("8613800000001")),
            ("+14155550100", false, Some("14155550100")),
            ("+85212345678", false, Some("85212345678")),
            ("85212345678", false, None),
            ("85212345678", true, Some("85212345678")),
            ("+0123456789", false, None),
            ("+86 13800000001", false, None),
            ("138-0000-0001", true, None),
            ("+1234", false, None),
            ("+1234567890123456", false, None),
            ("+", true, None),
            ("١٣٨٠٠٠٠٠٠٠١", true, None),
        ] {
            assert_eq!(digits(given, bare).as_deref(), digits_of_it, "{given}");
        }
    }

    fn first(phones: &serde_json::Value, most: usize) -> Result<Request> {
        let message = json!({"v": 1, "account": "a", "to": {"phones": phones}, "text": "x"});
        first_of(&Message::from_json(&message.to_string()).expect("a message"), most, false)
    }

    #[test]
    fn a_request_has_each_number_once_and_all_of_one_side() {
        let all = json!([
            "13800000001",
            "+14155550100",
            "+8613800000001",
            "+8613800000002",
            "13800000003",
            "13800000001",
            "0014155550100"
        ]);
        let request = first(&all, 2).expect("numbers");
        assert_eq!(request.numbers, ["8613800000001", "8613800000002"]);
        let to: Vec<_> = request.to.iter().map(|(_, to)| to.as_str()).collect();
        assert_eq!(to, ["13800000001", "+8613800000001", "+8613800000002", "13800000001"]);
        let abroad = first(&json!(["+14155550100", "13800000001", "0014155550100"]), 200);
        let abroad = abroad.expect("numbers");
        assert_eq!((abroad.numbers.len(), abroad.to.len()), (1, 2));
        let error = first(&json!(["13800000001", "12"]), 1).expect_err("no number");
        assert_eq!(error.path(), Some("to.phones[1]"));
    }
}
