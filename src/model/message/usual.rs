//! Reads the usual message in one go; whatever is unusual or wrong is left to the reader of any.

use super::{Message, is_blank};

/// Fills an empty message, if it is usual: no parts, no `extra`, no `null`, no field twice, nothing
/// wrong.
///
/// `None` says nothing of the text, so that what is wrong with one is told in one place only; the
/// message is of no use then.
pub fn read(text: &str, message: &mut Message) -> Option<()> {
    let mut reader = Reader { text, at: 0 };
    let mut seen = Seen::default();
    reader.object(|reader, name| {
        let m = &mut *message;
        match name {
            b"v" => {
                seen.once(0)?;
                reader.byte(b'1')
            }
            b"account" => {
                seen.once(1)?;
                m.account = reader.string()?;
                Some(())
            }
            b"to" => {
                seen.once(2)?;
                reader.recipient(m)
            }
            b"text" => once(&mut m.text, reader.string()?),
            b"key" => once(&mut m.key, reader.string().filter(|key| !key.is_empty())?),
            b"reply_to" => once(&mut m.reply_to, reader.string()?),
            b"deadline_ms" => once(&mut m.deadline_ms, reader.number()?),
            b"not_before_ms" => once(&mut m.not_before_ms, reader.number()?),
            b"ordered" => {
                seen.once(3)?;
                m.ordered = reader.boolean()?;
                Some(())
            }
            _ => None,
        }
    })?;
    reader.space();
    let whole = reader.at == text.len() && seen.has(0) && seen.has(1);
    whole.then_some(())
}

/// Fills a field that was not there yet.
fn once<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

/// Which fields were there, where their values do not tell.
#[derive(Default)]
struct Seen(u8);

impl Seen {
    fn has(&self, field: u8) -> bool {
        self.0 & 1 << field != 0
    }

    fn once(&mut self, field: u8) -> Option<()> {
        let before = self.has(field);
        self.0 |= 1 << field;
        (!before).then_some(())
    }
}

/// JSON, read from its beginning to its end.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline(always)]
    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    #[inline(always)]
    fn byte(&mut self, wanted: u8) -> Option<()> {
        let found = self.peek()? == wanted;
        self.at += usize::from(found);
        found.then_some(())
    }

    /// A byte between white space.
    #[inline(always)]
    fn sign(&mut self, wanted: u8) -> Option<()> {
        self.space();
        self.byte(wanted)?;
        self.space();
        Some(())
    }

    /// What stands between two brackets, with commas between its items.
    fn items(
        &mut self,
        [open, close]: [u8; 2],
        mut item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.sign(open)?;
        if self.peek()? == close {
            return self.byte(close);
        }
        loop {
            item(self)?;
            self.space();
            if self.byte(close).is_some() {
                return Some(());
            }
            self.sign(b',')?;
        }
    }

    fn object(&mut self, mut field: impl FnMut(&mut Self, &'a [u8]) -> Option<()>) -> Option<()> {
        self.items(*b"{}", |reader| {
            reader.byte(b'"')?;
            let rest = reader.text.as_bytes().get(reader.at..)?;
            // One with an escape in it ends too early, or is not known as it stands.
            let name = &rest[..rest.iter().position(|b| *b == b'"')?];
            reader.at += name.len() + 1;
            reader.sign(b':')?;
            field(reader, name)
        })
    }

    fn recipient(&mut self, message: &mut Message) -> Option<()> {
        let to = &mut message.to;
        let mut seen = Seen::default();
        self.object(|reader, kind| {
            let (bit, list) = match kind {
                b"user" => return once(&mut to.user, reader.name()?),
                b"name" => return once(&mut to.name, reader.name()?),
                b"group" => return once(&mut to.group, reader.name()?),
                b"topic" => return once(&mut to.topic, reader.name()?),
                b"users" => (0, &mut to.users),
                b"groups" => (1, &mut to.groups),
                b"discussions" => (2, &mut to.discussions),
                b"members" => (3, &mut to.members),
                _ => return None,
            };
            seen.once(bit)?;
            reader.items(*b"[]", |reader| {
                list.push(reader.name()?);
                Some(())
            })?;
            (!list.is_empty()).then_some(())
        })
    }

    /// A whole number from 0 on, in digits.
    fn number(&mut self) -> Option<u64> {
        let digits = self.text.get(self.at..)?;
        let end = digits.bytes().position(|b| !b.is_ascii_digit())?;
        let digits = &digits[..end];
        self.at += end;
        let number = digits.parse().ok()?;
        (end == 1 || !digits.starts_with('0')).then_some(number)
    }

    fn boolean(&mut self) -> Option<bool> {
        let rest = self.text.get(self.at..)?;
        let value = rest.starts_with("true");
        let word = if value { "true" } else { "false" };
        self.at += word.len();
        rest.starts_with(word).then_some(value)
    }

    /// The name of a recipient, which is not blank.
    fn name(&mut self) -> Option<String> {
        self.string().filter(|name| !is_blank(name))
    }

    fn string(&mut self) -> Option<String> {
        let Literal { start, end, escaped } = self.literal()?;
        match escaped {
            false => self.text.get(start..end).map(str::to_owned),
            true => serde_json::from_str(self.text.get(start - 1..=end)?).ok(),
        }
    }

    fn literal(&mut self) -> Option<Literal> {
        self.byte(b'"')?;
        let (start, mut escaped) = (self.at, false);
        loop {
            let end = self.at + plain(self.text.as_bytes().get(self.at..)?);
            match self.text.as_bytes().get(end)? {
                b'"' => {
                    self.at = end + 1;
                    return Some(Literal { start, end, escaped });
                }
                b'\\' => {
                    escaped = true;
                    self.at = end + 2;
                }
                _ => return None,
            }
        }
    }
}

/// Where a string stands, without its quotes.
struct Literal {
    start: usize,
    end: usize,
    escaped: bool,
}

/// How many bytes stand for themselves in a string: up to a quote, a backslash or a control character.
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let (words, rest) = bytes.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        // Eight at a time. A byte that is found has its highest bit set afterwards, and so may some
        // that stand behind it, by what they lent; bytes of other scripts have theirs from the start.
        let word = u64::from_le_bytes(*word);
        let is = |byte: u8| (word ^ (ONES * u64::from(byte))).wrapping_sub(ONES);
        let found = is(b'"') | is(b'\\') | word.wrapping_sub(ONES * 0x20);
        let found = found & !word & (ONES << 7);
        if found != 0 {
            return i * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | ..0x20);
    words.len() * 8 + rest.iter().take_while(is_plain).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    /// The message, if it is usual; then the reader of any has read the same.
    fn agreed(text: &str) -> Option<Message> {
        let mut usual = Message::default();
        read(text, &mut usual)?;
        let any = Message::of_any(text).unwrap_or_else(|refused| panic!("{text}: {refused:?}"));
        assert_eq!(format!("{usual:?}"), format!("{any:?}"), "{text}");
        Some(usual)
    }

    const USUAL: [&str; 8] = [
        r#"{"v":1,"account":"a","to":{"user":"2125034703"},"text":"天地玄黄，宇宙洪荒"}"#,
        r#"{"v": 1, "account": "a", "to": {"name": "b"}, "text": "", "key": "k"}"#,
        "\n{ \"text\" :\t\"a\\n\\u5929\\ud83d\\ude00 \\\"b\\\" \\\\\",\r\n\"account\":\"\",\"v\" : 1 } ",
        r#"{"account":"a","v":1,"to":{"group":"g","topic":"t","members":["x", "y"]},"text":"\u0000"}"#,
        r#"{"v":1,"account":"a","to":{"users":["1"],"groups":[" 2"],"discussions":[ "3" ]},"reply_to":""}"#,
        r#"{"v":1,"account":"a","to":{},"deadline_ms":0,"not_before_ms":18446744073709551615}"#,
        r#"{"v":1,"account":"a","ordered":true,"deadline_ms":60000}"#,
        r#"{"ordered":false,"v":1,"account":"a"}"#,
    ];

    #[test]
    fn what_is_usual_is_read_as_the_reader_of_any_reads_it() {
        for text in USUAL {
            assert!(agreed(text).is_some(), "{text}");
        }
        let message = agreed(USUAL[2]).expect("usual");
        assert_eq!(message.text.as_deref(), Some("a\n天😀 \"b\" \\"));
        let message = agreed(USUAL[3]).expect("usual");
        assert_eq!(message.to.members, ["x", "y"]);
    }

    #[test]
    fn what_is_unusual_or_wrong_is_left_to_the_reader_of_any() {
        for fields in [
            r#""v":1"#,
            r#""account":"a""#,
            r#""v":1,"account":"a","account":"a""#,
            r#""v":1,"v":1,"account":"a""#,
            r#""v":1,"account":"a","text":"x","text":"x""#,
            r#""v":1,"account":"a","to":{},"to":{}"#,
            r#""v":1,"account":"a","to":{"user":"x","user":"x"}"#,
            r#""v":1,"account":"a","to":{"users":["x"],"users":["x"]}"#,
            r#""v":1,"account":"a","to":{"users":[]}"#,
            r#""v":1,"account":"a","to":{"members":["x"," \u3000"]}"#,
            r#""v":1,"account":"a","to":{"group":""}"#,
            r#""v":1,"account":"a","ordered":true,"ordered":true"#,
            r#""v":1,"account":"a","text":null"#,
            r#""v":1,"account":"a","parts":[]"#,
            r#""v":1,"account":"a","extra":{}"#,
            r#""v":1,"account":"a","key":"""#,
            r#""v":1,"account":"a","to":["x"]"#,
            r#""v":1,"account":"a","deadline_ms":01"#,
            r#""v":1,"account":"a","deadline_ms":1.0"#,
            r#""v":1,"account":"a","deadline_ms":"1""#,
            r#""v":1,"account":"a","deadline_ms":18446744073709551616"#,
            r#""v":1,"account":"a","ordered":1"#,
            r#""v":1.0,"account":"a""#,
            r#""v":11,"account":"a""#,
            r#""v":1,"account":"a","te\u0078t":"x""#,
            r#""v":1,"account":"a","text":"\ud83d""#,
            r#""v":1,"account":"a","text":"\x""#,
            "\"v\":1,\"account\":\"a\",\"text\":\"\n\"",
            r#""v":1,"account":"a","#,
            r#""v":1 "account":"a""#,
            "",
        ] {
            assert!(agreed(&format!("{{{fields}}}")).is_none(), "{fields}");
        }
        for text in ["", "{", "[]", "null", "\u{feff}{\"v\":1,\"account\":\"a\"}"] {
            assert!(agreed(text).is_none(), "{text}");
        }
        assert!(agreed(r#"{"v":1,"account":"a"},"#).is_none());
    }

    #[test]
    fn no_cut_and_no_other_byte_makes_the_two_disagree() {
        for text in USUAL {
            for (at, _) in text.char_indices() {
                agreed(&text[..at]);
            }
            for at in 0..text.len() {
                for byte in 0..=0x7F {
                    let mut other = text.as_bytes().to_vec();
                    other[at] = byte;
                    String::from_utf8(other).iter().for_each(|other| drop(agreed(other)));
                }
            }
        }
    }

    #[test]
    fn a_string_ends_where_it_ends_however_long_it_is() {
        for length in 0..40 {
            for special in ["\"", "\\", "\u{0}", "\u{1f}", "\n"] {
                for before in ["a", "é", "\u{7f}", " ", "!", "#", "[", "]"] {
                    let before = before.repeat(length);
                    let text = format!("{before}{special}\"\\ \n天\"");
                    assert_eq!(plain(text.as_bytes()), before.len(), "{text:?}");
                    assert_eq!(plain(before.as_bytes()), before.len(), "{before:?}");
                }
            }
        }
    }

    /// Values of any kind, most of them such as belong to a field.
    fn value() -> impl Strategy<Value = String> {
        let text = any::<String>().prop_map(|text| serde_json::Value::from(text).to_string());
        prop_oneof![
            5 => text,
            1 => any::<u64>().prop_map(|number| number.to_string()),
            1 => select(vec![
                "1", "null", "true", "false", "-1", "1e3", "[]", "{}", "[\"x\",\"y\"]", "[1]",
                "\"\\u00e9\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "{\"user\":\"x\"}",
                "{\"users\":[\"x\"],\"name\":\"y\"}", "{\"topic\":null}", "nonsense",
            ]).prop_map(str::to_owned),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn whatever_is_read_as_usual_is_read_the_same_by_the_reader_of_any(
            fields in prop::collection::vec((select(super::super::KNOWN_FIELDS.to_vec()), value()), 0..6),
            space in select(vec!["", " ", "\n\t", "\r"]),
            at in any::<prop::sample::Index>(),
            noise in "[\"\\\\{}\\[\\],:a0 -]{1,2}",
        ) {
            let mut text = format!("{{{space}\"v\"{space}:{space}1,\"account\":\"a\"");
            for (name, value) in fields {
                text.push_str(&format!("{space},{space}\"{name}\"{space}:{space}{value}{space}"));
            }
            text.push_str(&format!("}}{space}"));
            agreed(&text);
            let mut at = at.index(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            agreed(&text[..at]);
            text.insert_str(at, &noise);
            agreed(&text);
        }
    }
}
