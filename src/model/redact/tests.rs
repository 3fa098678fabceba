use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

#[path = "../../../tests/support/spellings.rs"]
mod spellings;

const SECRETS: [&str; 12] = [
    "217777|6.AbC",
    "s3cr&t/=é",
    "p4ss/w+rd=&\"é<>'\\",
    "two  words and\ttab",
    " begins and ends ",
    "%41%42&amp;\\u0041\\",
    "12345678",
    "98765",
    "+/+/+/+/",
    "天地玄黄宇宙",
    "😀😀secret",
    "eJyrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oy0zLBwsYGhiaGxlCJ4pTsxIKCzBQlK0MTA0NTY2MjQ4hMakVBZlEqUNzU1NTIwMAAIlqSmQsSMzO2MDSxNDMwhqrNTE8Fm1mRXBSVGpwZbG6UlBrqbRHgHpFlEQiSCSmqqPQvNjU2TPMIMwwIsDPKMrFMNLMzdDSpNDBPtFWqBQCXfDM2",
];

fn redactor(secrets: &[&str]) -> Redactor {
    let mut redactor = Redactor::default();
    secrets.iter().for_each(|secret| redactor.add(secret));
    redactor
}

#[test]
fn every_spelling_of_a_secret_is_masked_as_a_whole() {
    let mut failures = Vec::new();
    for secret in SECRETS {
        let r = redactor(&[secret]);
        for (name, spelled) in spellings::whole(secret) {
            // Letters around it are none of base64, of which the last digit may be of the secret too.
            for (before, behind) in
                [("", ""), ("a?", "?b"), ("天 \"", "\" 地"), ("\\n%20", "%0a\\n&amp;")]
            {
                let text = format!("{before}{spelled}{behind}");
                let masked = r.text(&text);
                if masked != format!("{before}***{behind}") {
                    failures.push(format!("{secret:?} {name}: {text:?} is shown as {masked:?}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} of them:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_spelling_is_masked_in_the_strings_of_json_which_stays_json() {
    let mut failures = Vec::new();
    for secret in SECRETS {
        let r = redactor(&[secret]);
        for (name, spelled) in spellings::whole(secret) {
            let value = json!({"n": 1.50, "a": ["x", format!("a?{spelled}?b")], format!("k?{spelled}"): "\\n"});
            let shown = json!({"n": 1.50, "a": ["x", "a?***?b"], "k?***": "\\n"});
            for text in [value.to_string(), value.to_string().replace('/', "\\/")] {
                let masked = r.json(&text);
                let read = serde_json::from_str::<Value>(&masked);
                if read.as_ref().ok() != Some(&shown) {
                    failures.push(format!("{secret:?} {name}: {text} is shown as {masked}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} of them:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn a_secret_within_base64_is_masked_at_every_alignment() {
    for secret in SECRETS.into_iter().filter(|secret| secret.len() >= 5) {
        let r = redactor(&[secret]);
        for (name, encoded, own) in spellings::within_base64(secret) {
            for text in
                [encoded.clone(), format!("Basic {encoded}"), json!({"a": encoded}).to_string()]
            {
                for masked in [r.text(&text), r.json(&text)] {
                    let masked = match &masked {
                        // What is no JSON has no strings to look into.
                        Cow::Borrowed(_) if !text.starts_with('{') => continue,
                        masked => masked,
                    };
                    assert!(
                        !masked.contains(&own) && masked.contains("***"),
                        "{secret:?} {name}: {masked}"
                    );
                    assert!(
                        masked.len() + own.len() >= text.len(),
                        "{name}: {text} is shown as {masked}"
                    );
                }
            }
            assert_ne!(r.text(&encoded), encoded, "{secret:?} {name}");
        }
    }
}

#[test]
fn a_number_that_is_a_secret_is_masked_however_it_is_written() {
    let r = redactor(&["12345678", "00424242", "9007199254740993"]);
    for (json, shown) in [
        (r#"{"password":12345678}"#, r#"{"password":"***"}"#),
        (
            r#"[-12345678,12345678.0,1.2345678e7,1.2345678E+7,12345678 ]"#,
            r#"["***","***","***","***","***" ]"#,
        ),
        (
            r#"{"a":424242,"b":9007199254740993,"c":9007199254740992}"#,
            r#"{"a":"***","b":"***","c":"***"}"#,
        ),
        (
            r#"{"a":1234567,"b":123456789,"c":12.5,"d":0,"e":-0.0}"#,
            r#"{"a":1234567,"b":123456789,"c":12.5,"d":0,"e":-0.0}"#,
        ),
        (r#"12345678"#, r#""***""#),
        (r#"{"12345678":"x12345678y"}"#, r#"{"***":"x***y"}"#),
    ] {
        assert_eq!(r.json(json), shown);
    }
    assert_eq!(
        redactor(&["0000", "007"]).json("[0,7,7000]"),
        "[0,7,7000]",
        "too little to be told"
    );
}

#[test]
fn a_short_number_is_masked_only_where_it_is_no_part_of_another() {
    let r = redactor(&["98765"]);
    for (text, shown) in [
        ("98765", "***"),
        ("code=98765&x", "code=***&x"),
        ("a98765b", "a***b"),
        ("%2098765", "%20***"),
        ("\\n98765\\n", "\\n***\\n"),
        ("1987654", "1987654"),
        ("12398765", "12398765"),
        ("9876500000", "9876500000"),
    ] {
        assert_eq!(r.text(text), shown);
    }
}

#[test]
fn a_short_secret_is_masked_only_where_it_stands_alone() {
    let r = redactor(&["pwd", "a", "ok", "1", "404", ""]);
    for (text, shown) in [
        ("pwd=pwd, cpwds", "***=***, cpwds"),
        ("%3Dpwd%26", "%3D***%26"),
        ("\\npwd", "\\n***"),
        ("\\u003dpwd&amp;", "\\u003d***&amp;"),
        ("p%77d", "***"),
        ("cHdk, xcHdk", "***, xcHdk"),
        ("PWD", "PWD"),
        ("a 1 ok", "a 1 ok"),
        ("密码pwd错误", "密码***错误"),
        ("error 404, 4040", "error ***, 4040"),
    ] {
        assert_eq!(r.text(text), shown);
    }
    assert_eq!(r.json(r#"{"a":1,"ok":"ok","n":404}"#), r#"{"a":1,"ok":"ok","n":"***"}"#);
}

#[test]
fn secrets_that_overlap_are_masked_as_one() {
    let r = redactor(&["abcdefgh", "defghijk", "abcde"]);
    assert_eq!(redactor(&["  in blanks\t"]).text("(in blanks)[  in blanks\t]"), "(***)[***]");
    assert_eq!(r.text("1abcdefghijk2 abcde abcdefabcdefgh"), "1***2 *** ***f***");
    assert_eq!(r.json(r#"["abcd\u0065fghi\u006ak"]"#), r#"["***"]"#);
    let many: Vec<_> = (0..40).map(|n| format!("secret-{n:02}-{n:02}")).collect();
    let r = redactor(&many.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(r.text(&many.join(",")), ["***"; 40].join(","));
}

#[test]
fn a_long_secret_is_masked_as_a_whole_only() {
    let secret = "s".to_owned() + &"é".repeat(40);
    let r = redactor(&[&secret]);
    assert_eq!(r.text(&format!("a {secret} b {secret}")), "a *** b ***");
    let other = secret.replacen("ééé", "éée", 1);
    assert_eq!(r.text(&other), other);
    assert_eq!(r.text(&secret[..41]), secret[..41]);
    // Unless the text ended here.
    for end in ["", "%C3", "%", "\\u00", "&#x"] {
        assert_eq!(r.cut_text(&format!("a {}{end}", &secret[..41])), "a ***");
    }
    assert_eq!(r.cut_text("a sé"), "a sé", "so little may be anything");
    assert_eq!(r.cut_text(&format!("{}.", &secret[..41])), format!("{}.", &secret[..41]));
}

#[test]
fn json_keeps_its_digits_and_loses_escaped_secrets() {
    let json =
        r#"{"id":12345678901234567890123,"x":1.10,"e":"a s3cr&t\/=\u00e9 \"q\"","n":"ok\n"}"#;
    assert_eq!(
        redactor(&["s3cr&t/=é", "pwd"]).json(json),
        r#"{"id":12345678901234567890123,"x":1.10,"e":"a *** \"q\"","n":"ok\n"}"#
    );
    // No part of an escape is a secret.
    let r = redactor(&["nope", "0041bc", "bcde\\"]);
    for json in [r#"["\nope"]"#, r#"["\u0041bc","\ud83d\u0041bc"]"#] {
        assert_eq!(r.json(json), json);
    }
    assert_eq!(r.json(r#"["\\nope","abcde\\","abcde\\\""]"#), r#"["\\***","a***","a***\""]"#);
}

#[test]
fn what_is_nearly_a_secret_stays() {
    let r = redactor(&["217777|6.AbC"]);
    for text in ["217777|6.Ab", "217777%7D6.AbC", "17777|6.AbC", "217777||6.AbC", "217777%7c6", ""]
    {
        assert_eq!(r.text(text), text);
        assert!(matches!(r.text(text), Cow::Borrowed(_)));
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_but_secrets(text in "\\PC{0,60}", json in "[\\x20-\\x7e]{0,40}", secret in "\\PC{5,12}") {
        let r = redactor(&[&secret]);
        // Whatever the text is, it can be masked, and again without a difference.
        let masked = r.text(&text).into_owned();
        prop_assert_eq!(r.text(&format!("{text}{secret}")).matches("***").count() >= 1, true);
        if masked == text {
            prop_assert!(!text.contains(&secret));
        }
        let value = json!([json, {json.clone(): 1}]).to_string();
        prop_assert!(serde_json::from_str::<Value>(&r.json(&value)).is_ok());
        r.json(&json);
        r.cut_text(&json);
    }

    #[test]
    fn json_stays_json_whatever_is_a_secret(secret in "[\\\\\"/nu0-9a-f%&;#]{3,8}", inner in "[\\\\\"/nu0-9a-f%&;#]{0,40}") {
        let text = json!([inner, 12345]).to_string();
        let r = redactor(&[&secret]);
        let masked = r.json(&text).into_owned();
        prop_assert!(serde_json::from_str::<Value>(&masked).is_ok(), "{} of {} is {}", secret, text, masked);
        let value: Value = serde_json::from_str(&masked).expect("checked above");
        let shown = value[0].as_str().unwrap_or_default().to_owned();
        if secret.len() >= 5 && !secret.bytes().all(|b| b.is_ascii_digit()) {
            prop_assert!(!shown.contains(&secret), "{} of {} is {}", secret, text, masked);
        }
    }
}
