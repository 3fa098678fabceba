use super::*;
use crate::model::config::AccountConfig;
use crate::service::api::{Draft, Seed};
use crate::service::open;

fn encoded(service: &str, mut fields: Value) -> Result<Draft> {
    let basic = json!({"type": "basic", "username": "u", "password": "p"});
    let config = match service {
        "weibo" => json!({"service": service, "auth": {"type": "oauth2", "token": "t"}}),
        "renren" => json!({"service": service, "auth": {"type": "bearer", "token": "t"}}),
        "sina" => json!({"service": service, "auth": basic, "app_key": "k"}),
        "tencent_im" => json!({"service": service, "region": "cn", "auth": {
            "type": "usersig", "sdk_app_id": 1, "identifier": "a", "secret_key": "k",
        }}),
        _ => json!({"service": service, "auth": basic}),
    };
    let (_, opened) = open(AccountConfig::from_value(config, "account")?)?;
    let to = match service {
        "tencent_im" => json!({"group": "g"}),
        "renren" => json!({"users": ["1"]}),
        _ => json!({"user": "1"}),
    };
    fields["to"] = to;
    if service == "renren" {
        fields["extra"] = json!({"messageType": "1", "resourceTitle": "t"});
    }
    opened.account.encode(&message(fields), Seed(7))
}

/// What the draft and its pieces send, decoded where it is a form.
fn sent(draft: &Draft) -> Vec<String> {
    let drafts = [draft].into_iter().chain(&draft.pieces);
    let text = |draft: &Draft| match draft.params.iter().find(|(name, _)| *name == "text") {
        Some((_, text)) => text.clone(),
        None => {
            let body = String::from_utf8_lossy(&draft.body).replace('+', " ");
            percent_encoding::percent_decode_str(&body).decode_utf8_lossy().into_owned()
        }
    };
    drafts.map(text).collect()
}

fn notes(draft: &Draft) -> Vec<&str> {
    draft.notes.iter().map(|note| &*note.name).collect()
}

#[test]
fn services_of_plain_texts_are_sent_formatted_ones_as_plain() {
    let fields = json!({"title": "T", "text": "**b** [l](https://e.com)", "format": "markdown"});
    for service in ["fanfou", "sina"] {
        let draft = encoded(service, fields.clone()).expect(service);
        assert_eq!(sent(&draft), ["T\nb l (https://e.com)"], "{service}");
        assert_eq!(notes(&draft), ["converted"]);
    }
    let draft = encoded("weibo", fields.clone()).expect("weibo");
    assert_eq!(sent(&draft), ["access_token=t&text=T\nb l (https://e.com)&uid=1"]);
    let draft = encoded("renren", fields.clone()).expect("renren");
    assert!(sent(&draft)[0].contains("text=T\nb l (https://e.com)"), "{:?}", sent(&draft));
    assert_eq!(notes(&draft), ["converted"]);
    let draft = encoded("tencent_im", fields).expect("tencent_im");
    assert!(sent(&draft)[0].contains(r#"{"Text":"T\nb l (https://e.com)"}"#));
}

#[test]
fn what_is_too_long_for_them_is_cut_or_split() {
    let long = |overflow: &str, text: String| json!({"text": text, "overflow": overflow});
    let draft = encoded("fanfou", long("truncate", "x".repeat(150))).expect("fanfou");
    assert_eq!(sent(&draft), ["x".repeat(139) + "…"]);
    assert_eq!(notes(&draft), ["truncated"]);
    let draft = encoded("sina", long("split", "字".repeat(700))).expect("sina");
    assert_eq!(sent(&draft), ["字".repeat(300), "字".repeat(300), "字".repeat(100)]);
    assert!(draft.notes.is_empty());
    let draft = encoded("weibo", long("split", "ab ".repeat(300))).expect("weibo");
    assert_eq!(sent(&draft).len(), 2);
    let fingerprints: Vec<_> = draft.pieces.iter().map(|piece| &piece.fingerprint).collect();
    assert_ne!(fingerprints, [&draft.fingerprint]);
    let error = encoded("fanfou", long("refuse", "x".repeat(150))).expect_err("too long");
    assert_eq!(error.words(), "the text has 150 characters; Fanfou takes 140");
    let error = encoded("weibo", long("refuse", "字".repeat(301))).expect_err("too long");
    assert_eq!(error.words(), "the text has 301 units; Weibo takes 300");
}

#[test]
fn the_pieces_of_a_group_message_are_messages_of_their_own() {
    let parts = json!([
        {"type": "text", "text": "x".repeat(12_000)},
        {"type": "text", "text": " \n"},
        {"type": "mention", "user": "u", "name": "n"},
        {"type": "text", "text": " ".to_owned() + &"y".repeat(500)},
    ]);
    let fields = json!({"parts": parts, "overflow": "split"});
    let draft = encoded("tencent_im", fields.clone()).expect("tencent_im");
    let texts = sent(&draft);
    assert_eq!(texts.len(), 2);
    assert!(!texts[0].contains("GroupAtInfo") && texts[1].contains("\"GroupAt_Account\":\"u\""));
    assert!(texts[1].contains("\"Text\":\"@n yyy"), "{}", texts[1]);
    let randoms: Vec<_> =
        [&draft].into_iter().chain(&draft.pieces).map(|d| d.dedupe.clone()).collect();
    assert_ne!(randoms[0].as_ref().map(|d| &d.value), randoms[1].as_ref().map(|d| &d.value));
    let mut own = fields;
    own["extra"] = json!({"Random": 5});
    let error = encoded("tencent_im", own).expect_err("one Random for two messages");
    assert_eq!((error.code(), error.path()), (ErrorCode::Message, Some("extra.Random")));
    let mixed = json!({"title": "T", "format": "markdown", "parts": [
        {"type": "text", "text": "*a*"},
        {"type": "face", "index": 1},
    ]});
    let draft = encoded("tencent_im", mixed).expect("tencent_im");
    assert!(sent(&draft)[0].contains(r#"{"Text":"T\na"}"#));
    assert!(sent(&draft)[0].contains("TIMFaceElem"));
    assert_eq!(notes(&draft), ["converted"]);
}
