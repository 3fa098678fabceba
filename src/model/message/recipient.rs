//! The names of recipients: none may be empty or blank, and no list of them empty.
//!
//! Services read an empty list as "everybody": what was meant for a few members would reach the whole
//! group.

use crate::model::error::Result;
use crate::model::fields::Fields;

/// What is said of a recipient whose name is empty or blank.
pub const BLANK: &str =
    "a recipient's name is empty or blank; leave it out, or give null, for none";

/// True if a reader would see nothing: no character at all, or only white space, control characters
/// and characters without a width.
pub fn is_blank(name: &str) -> bool {
    name.chars().all(|c| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}'
                | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
    })
}

impl Fields {
    /// The name of a recipient.
    pub fn recipient(&mut self, name: &'static str) -> Result<Option<String>> {
        match self.string(name)? {
            Some(value) if is_blank(&value) => Err(self.error(name, BLANK)),
            found => Ok(found),
        }
    }

    /// The names of several recipients; an empty list is not the same as none.
    pub fn recipients(&mut self, name: &'static str) -> Result<Option<Vec<String>>> {
        let Some(list) = self.strings(name)? else { return Ok(None) };
        if list.is_empty() {
            let words = "the list of recipients is empty; leave it out, or give null, for none";
            return Err(self.error(name, words));
        }
        match list.iter().position(|value| is_blank(value)) {
            Some(i) => Err(self.error(&format!("{name}[{i}]"), BLANK)),
            None => Ok(Some(list)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_nothing_is_blank() {
        for blank in [
            "",
            " ",
            "\t\r\n",
            "\u{a0}",
            "\u{3000}\u{2003}",
            "\u{200b}",
            "\u{feff} \u{2060}",
            "\u{85}",
            "\0",
            "\u{ad}",
            "\u{202e}",
            "\u{3164}",
            "\u{2800}",
            "\u{fe0f}",
            "\u{1680}",
        ] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for name in ["a", " a", "0", "天", ".", "@TGS#1", "\u{200b}a\u{200b}", "👩\u{200d}👩"]
        {
            assert!(!is_blank(name), "{name:?}");
        }
    }
}
