//! The ways in which a service, a gateway or a log writes what it was sent.

#![allow(dead_code, reason = "each test uses its part of it")]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// A name for people, and the text itself.
pub type Spelling = (String, String);

/// Percent-encodes the bytes that `chosen` says, by their place and value.
fn percent(
    text: &str,
    upper: impl Fn(usize) -> bool,
    chosen: impl Fn(usize, u8) -> bool,
) -> String {
    let mut out = Vec::new();
    for (n, byte) in text.bytes().enumerate() {
        match (chosen(n, byte) || !byte.is_ascii(), upper(n)) {
            (false, _) => out.push(byte),
            (true, true) => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            (true, false) => out.extend_from_slice(format!("%{byte:02x}").as_bytes()),
        }
    }
    String::from_utf8(out).expect("what is not encoded is ASCII")
}

/// Writes each character that `chosen` says by `escape`, and the others as they are.
fn escaped(
    text: &str,
    chosen: impl Fn(usize, char) -> bool,
    escape: impl Fn(char) -> String,
) -> String {
    let one = |(n, c)| if chosen(n, c) { escape(c) } else { String::from(c) };
    text.chars().enumerate().map(one).collect()
}

fn units(c: char, upper: bool) -> String {
    let units = c.encode_utf16(&mut [0; 2]).to_vec();
    let unit = |unit: &u16| if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") };
    units.iter().map(unit).collect()
}

fn is_special(c: char) -> bool {
    !c.is_ascii_alphanumeric() && !"-._~".contains(c)
}

fn named(c: char, upper: bool) -> String {
    let name = match c {
        '&' => "amp",
        '<' => "lt",
        '>' => "gt",
        '"' => "quot",
        '\'' => "apos",
        '/' => "sol",
        '=' => "equals",
        '+' => "plus",
        '|' => "verbar",
        '%' => "percnt",
        'é' => return "&eacute;".to_owned(),
        other => return format!("&#{};", u32::from(other)),
    };
    if upper { format!("&{};", name.to_uppercase()) } else { format!("&{name};") }
}

/// JSON's own way to write it, as far as it must.
pub fn json(text: &str) -> String {
    let literal = serde_json::to_string(text).expect("a string");
    literal[1..literal.len() - 1].to_owned()
}

/// A secret as it may come back, whole; every letter of it stands in the text in some form.
pub fn whole(secret: &str) -> Vec<Spelling> {
    let all = |_: usize, _: u8| true;
    let special = |_: usize, byte: u8| is_special(byte.into());
    let every = |_: usize, _: char| true;
    let specials = |_: usize, c: char| is_special(c) || c == '\\';
    let once = percent(secret, |_| true, special);
    let lower = percent(secret, |_| false, special);
    let mixed = percent(secret, |n| n % 2 == 0, special);
    let twice = percent(&once, |_| true, special);
    let html = escaped(secret, |_, c| "&<>\"'".contains(c), |c| named(c, false));
    let mut spellings: Vec<(&str, String)> = vec![
        ("as it stands", secret.to_owned()),
        ("in capitals", secret.to_ascii_uppercase()),
        ("in small letters", secret.to_ascii_lowercase()),
        ("percent, capitals", once.clone()),
        ("percent, small", lower.clone()),
        ("percent, mixed", mixed.clone()),
        ("percent, every byte", percent(secret, |_| true, all)),
        ("percent, every byte, small", percent(secret, |_| false, all)),
        ("percent, every byte, mixed", percent(secret, |n| n % 3 == 0, all)),
        ("percent, every other byte", percent(secret, |_| true, |n, _| n % 2 == 0)),
        (
            "percent, first and last",
            percent(secret, |_| false, |n, _| n == 0 || n + 1 == secret.len()),
        ),
        ("a form", once.replace("%20", "+")),
        ("a form, small", lower.replace("%20", "+")),
        ("twice", twice.clone()),
        ("twice, small", percent(&lower, |_| false, special)),
        ("twice, mixed", percent(&mixed, |n| n % 2 == 1, special)),
        ("twice, every byte", percent(&percent(secret, |_| true, all), |_| false, all)),
        ("three times", percent(&twice, |_| true, special)),
        (
            "escape()",
            escaped(secret, specials, |c| match u32::from(c) {
                code if code < 256 => format!("%{code:02X}").replace("%E9", "%u00E9"),
                _ => units(c, true).replace("\\u", "%u"),
            }),
        ),
        ("JSON", json(secret)),
        ("JSON with slashes", json(secret).replace('/', "\\/")),
        ("JSON, ASCII", escaped(&json(secret), |_, c| !c.is_ascii(), |c| units(c, false))),
        ("\\u, every letter", escaped(secret, every, |c| units(c, false))),
        ("\\U, every letter", escaped(secret, every, |c| units(c, true))),
        ("\\u, specials", escaped(secret, specials, |c| units(c, true))),
        (
            "\\u, every other letter",
            escaped(secret, |n, c| n % 2 == 1 || c == '\\', |c| units(c, false)),
        ),
        ("\\u twice", escaped(secret, every, |c| units(c, false)).replace('\\', "\\\\")),
        ("\\x", secret.bytes().map(|byte| format!("\\x{byte:02X}")).collect()),
        ("\\x, small", secret.bytes().map(|byte| format!("\\x{byte:02x}")).collect()),
        ("\\u{}", escaped(secret, every, |c| format!("\\u{{{:x}}}", u32::from(c)))),
        ("HTML", html.clone()),
        ("HTML, decimal", escaped(secret, every, |c| format!("&#{};", u32::from(c)))),
        (
            "HTML, decimal with zeros",
            escaped(secret, specials, |c| format!("&#{:06};", u32::from(c))),
        ),
        ("HTML, hexadecimal", escaped(secret, every, |c| format!("&#x{:x};", u32::from(c)))),
        ("HTML, HEXADECIMAL", escaped(secret, every, |c| format!("&#X{:X};", u32::from(c)))),
        ("HTML, names", escaped(secret, specials, |c| named(c, false))),
        ("HTML, NAMES", escaped(secret, specials, |c| named(c, true))),
        ("HTML of a URL", once.replace('%', "&#37;")),
        ("HTML in JSON", json(&html)),
        ("HTML twice", html.replace('&', "&amp;")),
        ("a URL in JSON", json(&once).replace('%', "\\u0025")),
        ("JSON in a URL", percent(&json(secret), |_| false, special)),
        ("JSON in JSON", json(&json(secret)).replace('/', "\\/")),
        ("JSON in HTML", escaped(&json(secret), |_, c| "&<>\"'".contains(c), |c| named(c, false))),
        ("hexadecimal", secret.bytes().map(|byte| format!("{byte:02x}")).collect()),
        ("HEXADECIMAL", secret.bytes().map(|byte| format!("{byte:02X}")).collect()),
    ];
    for (name, engine) in [
        ("base64", &STANDARD),
        ("base64 without padding", &STANDARD_NO_PAD),
        ("base64 for URLs", &URL_SAFE),
        ("base64 for URLs without padding", &URL_SAFE_NO_PAD),
    ] {
        let encoded = engine.encode(secret);
        spellings.push((name, encoded.clone()));
        spellings.push((name, percent(&encoded, |_| true, special)));
        spellings.push((name, percent(&encoded, |_| false, special)));
        spellings.push((name, escaped(&encoded, |_, c| c == '/', |c| format!("\\{c}"))));
    }
    spellings.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
}

/// A secret within longer base64 at every alignment, and the digits that are of the secret alone.
pub fn within_base64(secret: &str) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
        for before in ["", "u:", "us:", "user:", "some user:"] {
            for behind in ["", "!", ":x", "\nmore"] {
                let encoded = engine.encode(format!("{before}{secret}{behind}"));
                let first = (before.len() * 8).div_ceil(6);
                let last = (before.len() + secret.len()) * 8 / 6;
                let own = encoded[first..last].to_owned();
                all.push((format!("base64 of {before:?}…{behind:?}"), encoded, own));
            }
        }
    }
    all
}
