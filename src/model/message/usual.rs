//! Reads the usual message in one go; whatever is unusual or wrong is left to the reader of any.

use serde::Deserialize;

use super::{Format, Message, Overflow, Priority, To};

/// A message without parts, attachments and `extra`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Usual {
    v: u8,
    account: String,
    #[serde(default)]
    to: To,
    text: Option<String>,
    title: Option<String>,
    format: Option<Format>,
    silent: Option<bool>,
    priority: Option<Priority>,
    thread: Option<String>,
    overflow: Option<Overflow>,
    reply_to: Option<String>,
    key: Option<String>,
    deadline_ms: Option<u64>,
    not_before_ms: Option<u64>,
    ordered: Option<bool>,
}

/// The message, if it is usual; `None` says nothing of the text, so that what is wrong with one is told
/// in one place only.
pub fn read(text: &str) -> Option<Message> {
    // A derive would take the values in an array for the fields in their order.
    text.trim_ascii_start().starts_with('{').then_some(())?;
    let usual = serde_json::from_str::<Usual>(text).ok()?;
    (usual.v == 1 && usual.key.as_deref() != Some("")).then_some(Message {
        account: usual.account,
        to: usual.to,
        text: usual.text,
        title: usual.title,
        format: usual.format.unwrap_or_default(),
        silent: usual.silent.unwrap_or(false),
        priority: usual.priority.unwrap_or_default(),
        thread: usual.thread,
        overflow: usual.overflow.unwrap_or_default(),
        reply_to: usual.reply_to,
        key: usual.key,
        deadline_ms: usual.deadline_ms,
        not_before_ms: usual.not_before_ms,
        ordered: usual.ordered.unwrap_or(false),
        ..Message::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    /// The message, if it is usual; then the reader of any has read the same.
    fn agreed(text: &str) -> Option<Message> {
        let usual = read(text)?;
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
        assert_eq!(message.to.all(Kind::Members).collect::<Vec<_>>(), ["x", "y"]);
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
