//! How long a text is, in the unit of a service.

use unicode_segmentation::UnicodeSegmentation as _;

use super::Unit;

impl Unit {
    /// How long a text is.
    pub fn count(&self, text: &str) -> usize {
        match self {
            Unit::CodePoints => text.chars().count(),
            Unit::Utf16 => text.chars().map(char::len_utf16).sum(),
            Unit::Bytes => text.len(),
            Unit::Graphemes => text.graphemes(true).count(),
            Unit::Json => text.bytes().map(in_json).sum(),
            Unit::Own(count, _) => count(text),
        }
    }

    /// True if it has no more than so many.
    pub fn fits(&self, text: &str, most: usize) -> bool {
        let is_short = match self {
            Unit::Json => text.len() <= most / LONGEST_IN_JSON,
            Unit::Own(..) => false,
            _ => text.len() <= most,
        };
        is_short || self.count(text) <= most
    }

    /// What it is called, of several.
    pub fn name(&self) -> &'static str {
        match self {
            Unit::CodePoints => "characters",
            Unit::Utf16 => "UTF-16 units",
            Unit::Bytes => "bytes",
            Unit::Graphemes => "graphemes",
            Unit::Json => "bytes in JSON",
            Unit::Own(_, name) => name,
        }
    }
}

/// As many bytes as a byte can become in JSON.
const LONGEST_IN_JSON: usize = 6;

/// How many bytes a byte becomes in JSON as it is written here.
fn in_json(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => LONGEST_IN_JSON,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_counts_its_own() {
        let text = "a\"\n\u{1}字👩‍👩‍👧e\u{301}";
        let count = |unit: Unit| unit.count(text);
        assert_eq!(count(Unit::CodePoints), 12);
        assert_eq!(count(Unit::Utf16), text.encode_utf16().count());
        assert_eq!(count(Unit::Bytes), text.len());
        assert_eq!(count(Unit::Graphemes), 7);
        let json = serde_json::to_string(text).expect("JSON");
        assert_eq!(count(Unit::Json), json.len() - 2);
        assert_eq!(count(Unit::Own(str::len, "bytes")), text.len());
        let any: String = (0..0x100).filter_map(char::from_u32).collect();
        assert_eq!(Unit::Json.count(&any), serde_json::to_string(&any).expect("JSON").len() - 2);
    }
}
