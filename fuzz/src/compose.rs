//! Texts: what they become in the markups of the services, within a limit.

use hongyan::testing::{Composed, MARKUPS, compose as composed};
use hongyan::{ErrorCode, Message};
use serde_json::json;

use super::inputs::refused_as;

/// How many units of its kind a text has, counted by nothing of the library.
fn length(unit: u8, text: &str) -> usize {
    match unit {
        b'c' => text.chars().count(),
        b'u' => text.encode_utf16().count(),
        b'j' => serde_json::to_string(text).expect("any text is JSON").len() - 2,
        _ => text.len(),
    }
}

/// The letters of a text, which no markup adds to and none may lose.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic()).collect()
}

/// Checks a text: behind the letter of a markup, `p`, `m` or `h` for its format, `r`, `t` or `s` for what is done
/// where it is too long, `c`, `u`, `j` or `b` for the unit of the limit, and a letter for how large that is.
pub fn compose(data: &[u8]) {
    let Some((&[markup, format, overflow, unit, most], text)) = data.split_first_chunk() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let markup = usize::from(markup.wrapping_sub(b'a')) % MARKUPS;
    let most = 8 << (most % 11);
    let format = match format {
        b'm' => "markdown",
        b'h' => "html",
        _ => "plain",
    };
    let overflow = match overflow {
        b't' => "truncate",
        b's' => "split",
        _ => "refuse",
    };
    let message =
        json!({"v": 1, "account": "a", "text": text, "format": format, "overflow": overflow});
    let message = Message::from_json(&message.to_string()).expect("a message");
    let pieces = match composed(&message, markup, unit, most) {
        Ok(pieces) => pieces,
        Err(error) => {
            let codes = [ErrorCode::Message, ErrorCode::Unsupported, ErrorCode::TooLarge];
            return refused_as(&error, &codes, text);
        }
    };
    assert!(pieces.len() == 1 || overflow == "split", "{} pieces of {text:?}", pieces.len());
    for Composed { text: piece, plain, truncated } in &pieces {
        let length = length(unit, piece) + length(unit, plain);
        assert!(length <= most, "{length} of {most}: {piece:?} {plain:?} of {text:?}");
        assert!(!truncated || overflow == "truncate", "{piece:?} of {text:?}");
    }
    // Without markup nothing but blanks between pieces may be gone.
    if markup == 0 && format == "plain" && !pieces[0].truncated {
        let all: String = pieces.iter().map(|piece| &*piece.text).collect();
        // The library's own marks are no characters; they may be replaced.
        let words = |text: &str| {
            let text = text.replace(['\u{fdd0}', '\u{fdd1}'], "\u{fffd}");
            text.split_whitespace().collect::<String>()
        };
        assert_eq!(words(&all), words(text), "{text:?}");
    }
    if markup == 0 && overflow == "split" {
        let whole = composed(&message, markup, unit, usize::MAX).expect("there is no limit");
        let all: String = pieces.iter().map(|piece| &*piece.text).collect();
        assert_eq!(letters(&all), letters(&whole[0].text), "{text:?}");
    }
}
