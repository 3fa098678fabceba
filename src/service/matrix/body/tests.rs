use serde_json::json;

use super::*;
use crate::model::config::AccountConfig;
use crate::service::open;

fn encoded(fields: Value) -> Result<Draft> {
    let config = json!({"service": "matrix", "base_url": "https://hs.example",
        "auth": {"type": "token", "token": "syt_1"}});
    let config = AccountConfig::from_value(config, "account").expect("a configuration");
    let (_, opened) = open(config).expect("an account");
    let mut message = json!({"v": 1, "account": "a", "to": {"room": "!r:hs"}, "text": "hello"});
    let members = message.as_object_mut().expect("an object");
    members.extend(fields.as_object().expect("an object").clone());
    let message = Message::from_json(&message.to_string()).expect("well-formed");
    opened.account.encode(&message, Seed(7))
}

#[test]
fn what_matrix_cannot_carry_is_refused_where_it_stands() {
    let file = json!([{"name": "a.png", "data_base64": "aGk="}]);
    for (fields, code, path) in [
        (json!({"to": {"room": "general"}}), ErrorCode::Message, "to.room"),
        (json!({"to": {"room": "#general"}}), ErrorCode::Message, "to.room"),
        (json!({"to": {"room": "@anna:hs"}}), ErrorCode::Message, "to.room"),
        (json!({"to": {"room": "!r\u{1}"}}), ErrorCode::Message, "to.room"),
        (json!({"to": {"user": "anna"}}), ErrorCode::Message, "to.user"),
        (json!({"to": {"user": "@anna"}}), ErrorCode::Message, "to.user"),
        (
            json!({"to": {"user": format!("@{}:hs", "a".repeat(255))}}),
            ErrorCode::Message,
            "to.user",
        ),
        (json!({"to": {"room": "!r", "user": "@a:hs"}}), ErrorCode::Message, "to.user"),
        (json!({"thread": "root"}), ErrorCode::Message, "thread"),
        (json!({"reply_to": "question"}), ErrorCode::Message, "reply_to"),
        (json!({"priority": "high"}), ErrorCode::Unsupported, "priority"),
        (json!({"text": null}), ErrorCode::Message, "text"),
        (json!({"text": "x".repeat(60_001)}), ErrorCode::TooLarge, "text"),
        (json!({"silent": true, "attachments": file}), ErrorCode::Unsupported, "silent"),
        (
            json!({"extra": {"url": "mxc://hs/a"}, "attachments": file}),
            ErrorCode::Message,
            "extra.url",
        ),
        (
            json!({"text": null, "parts": [{"type": "mention", "user": "anna"}]}),
            ErrorCode::Message,
            "parts[0].user",
        ),
        (
            json!({"extra": {"allow_unencrypted": "yes"}}),
            ErrorCode::Message,
            "extra.allow_unencrypted",
        ),
        (json!({"extra": {"body": "other"}}), ErrorCode::Message, "extra.body"),
        (json!({"extra": {"colour": 1}}), ErrorCode::Message, "extra.colour"),
        (json!({"extra": {"info": {"w": [1, 1.5]}}}), ErrorCode::Message, "extra.info.w[1]"),
        (json!({"extra": {"info": {"w": 1u64 << 53}}}), ErrorCode::Message, "extra.info.w"),
    ] {
        let error = encoded(fields.clone()).expect_err("refused");
        assert_eq!((error.code(), error.path()), (code, Some(path)), "{fields}: {error}");
    }
}

#[test]
fn rooms_of_every_form_are_taken() {
    for room in
        ["!r:hs", "!97JEe3NkY1JI-wbHeLOvQeg4cw5uztt0UClHm8mpu3g", "#鸿雁:hs", "#a/b:hs:8448"]
    {
        encoded(json!({"to": {"room": room}})).expect("a room");
    }
}

#[test]
fn a_split_text_stands_before_its_files_and_each_event_has_a_name_of_its_own() {
    let draft = encoded(json!({
        "text": "word ".repeat(15_000), "overflow": "split", "thread": "$root", "reply_to": "$q",
        "attachments": [{"name": "a.png", "data_base64": "aGk="}],
    }))
    .expect("it can be sent");
    let all: Vec<&Draft> = std::iter::once(&draft).chain(&draft.pieces).collect();
    let content = |n: usize| -> Value { serde_json::from_slice(&all[n].body).expect("JSON") };
    assert_eq!(all.len(), 3);
    assert_eq!([0, 1, 2].map(|n| content(n)["msgtype"].clone()), ["m.text", "m.text", "m.image"]);
    assert_eq!(content(2)["body"], "a.png");
    let relations = [0, 1].map(|n| content(n)["m.relates_to"].clone());
    let of =
        |own: &Value| (own["m.in_reply_to"]["event_id"].clone(), own["is_falling_back"].clone());
    assert_eq!(of(&relations[0]), (json!("$q"), json!(false)));
    assert_eq!(of(&relations[1]), (json!("$root"), json!(true)));
    let mut names: Vec<_> =
        all.iter().map(|one| one.dedupe.as_ref().map(|own| &own.value)).collect();
    names.dedup();
    assert_eq!(names.len(), 3);
}

#[test]
fn the_newest_direct_rooms_are_looked_into_and_a_new_one_stands_behind_them() {
    let known = r#"{"@a:hs":["!1","!2","nonsense",7,"!3"],"@b:hs":"nonsense"}"#;
    assert_eq!(candidates(known, "@a:hs"), "!3\n!2");
    assert_eq!(candidates(known, "@b:hs"), "");
    assert_eq!(candidates("[]", "@a:hs"), "");
    assert_eq!(noted("{}", "@a:hs", "!n"), json!({"@a:hs": ["!n"]}));
    assert_eq!(noted(known, "@b:hs", "!n")["@b:hs"], json!(["!n"]));
    assert_eq!(
        noted(known, "@a:hs", "!n")["@a:hs"],
        json!(["!1", "!2", "nonsense", 7, "!3", "!n"])
    );
}
