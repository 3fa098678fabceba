//! The messages of a fleet: each is known by its words, and its number says what kind it is.

use serde_json::{Value, json};

use crate::accounts::message_with;

/// The account whose requests have a window, and that window.
pub const PACED: &str = "ff-oauth";
pub const WINDOW: (usize, u64) = (2, 500);

/// Of ten messages of a submitter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Two that follow each other are one message, of one key.
    Keyed,
    /// In the order of their numbers, by this account.
    Ordered(&'static str),
    /// Within a window.
    Paced,
    Plain,
}

pub fn kind(n: u64) -> Kind {
    match n % 10 {
        0..4 => Kind::Keyed,
        4 | 5 => Kind::Ordered("im"),
        6 | 7 => Kind::Ordered("ff-json"),
        8 => Kind::Paced,
        _ => Kind::Plain,
    }
}

/// The words of a message: of two with one key they are the same.
pub fn words(submitter: u64, n: u64) -> String {
    let n = if kind(n) == Kind::Keyed { n / 2 * 2 } else { n };
    format!("m{submitter}x{n}z")
}

/// The submitter and the number in the words of a message.
pub fn number(words: &str) -> (u64, u64) {
    let inner = words.trim_start_matches('m').trim_end_matches('z');
    let (own, n) = inner.split_once('x').expect("the words of a message");
    (own.parse().expect("a number"), n.parse().expect("a number"))
}

/// The words of a message within the body of a request.
pub fn words_in(body: &str) -> String {
    let starts = body.match_indices('m').map(|(at, _)| &body[at..]);
    let found = starts.filter_map(|rest| {
        let rest = &rest[..=rest.find('z')?];
        let (own, n) = rest[1..rest.len() - 1].split_once('x')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        (digits(own) && digits(n)).then(|| rest.to_owned())
    });
    found.into_iter().next().unwrap_or_else(|| panic!("no message in {body}"))
}

pub fn message(submitter: u64, n: u64) -> Value {
    let mut more = json!({"text": words(submitter, n)});
    let mut account = if n % 4 < 2 { "ff-json" } else { "im" };
    match kind(n) {
        Kind::Keyed => more["key"] = json!(words(submitter, n)),
        Kind::Ordered(own) => {
            account = own;
            more["ordered"] = json!(true);
            let (kind, line) = if own == "im" { ("group", "@TGS#line") } else { ("user", "line") };
            more["to"] = json!({kind: format!("{line}{submitter}")});
        }
        Kind::Paced => account = PACED,
        Kind::Plain => {}
    }
    let mut message = message_with(account, json!({}));
    // A recipient is replaced, not added to.
    for (name, value) in more.as_object().expect("an object") {
        message[name] = value.clone();
    }
    message
}
