//! Mastodon, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::{Clock, Sandbox};
use serde_json::{Value, json};

const STATUSES: &str = "/mastodon/api/v1/statuses";

fn bearer(sandbox: &Sandbox) -> String {
    let token = &sandbox.config()["accounts"]["mastodon"]["auth"]["token"];
    format!("Bearer {}", token.as_str().expect("text"))
}

fn post_by(sandbox: &Sandbox, key: &str, status: Value) -> Reply {
    let bearer = bearer(sandbox);
    let mut headers = vec![("Content-Type", "application/json"), ("Authorization", &*bearer)];
    if !key.is_empty() {
        headers.push(("Idempotency-Key", key));
    }
    request(sandbox, "POST", STATUSES, &headers, &status.to_string())
}

fn direct(sandbox: &Sandbox, text: &str) -> Reply {
    post_by(sandbox, "", json!({"status": text, "visibility": "direct"}))
}

fn upload(sandbox: &Sandbox, kind: &str, content: &str) -> Reply {
    let bearer = bearer(sandbox);
    let headers =
        [("Content-Type", "multipart/form-data; boundary=B"), ("Authorization", &*bearer)];
    let body = format!(
        "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\
         Content-Type: {kind}\r\n\r\n{content}\r\n--B--\r\n"
    );
    request(sandbox, "POST", "/mastodon/api/v2/media", &headers, &body)
}

fn look(sandbox: &Sandbox, id: &str) -> Reply {
    let path = format!("/mastodon/api/v1/media/{id}");
    request(sandbox, "GET", &path, &[("Authorization", &*bearer(sandbox))], "")
}

fn recipients(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.messages().iter().map(|own| own["recipient"].clone()).collect()
}

#[test]
fn a_direct_post_reaches_whom_it_mentions_and_nobody_else() {
    let (sandbox, _) = start();
    let text = "@anna, @Bruno@far.example and @nobody, https://x.example/@anna a@anna";
    let reply = direct(&sandbox, text);
    let mentions: Vec<_> = reply.json()["mentions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["acct"].clone())
        .collect();
    assert_eq!((reply.status, &mentions), (200, &vec![json!("anna"), json!("bruno@far.example")]));
    assert_eq!(recipients(&sandbox), mentions);
    let alone = direct(&sandbox, "hello");
    assert_eq!((alone.status, &alone.json()["mentions"]), (200, &json!([])));
    assert_eq!(direct(&sandbox, "@\u{200b}anna").json()["mentions"], json!([]));
    assert_eq!(recipients(&sandbox).len(), 2, "what mentions nobody reaches nobody");
}

#[test]
fn a_post_is_known_for_an_hour_by_its_key() {
    let (sandbox, clock) = start();
    let post = |key: &str, text: &str| {
        let status = json!({"status": format!("@anna {text}"), "visibility": "direct"});
        post_by(&sandbox, key, status).json()["id"].clone()
    };
    let first = post("k", "one");
    clock.advance(3_599_999);
    assert_eq!(post("k", "another text"), first);
    assert_ne!(post("j", "one"), first);
    assert_eq!(sandbox.messages().len(), 2);
    clock.advance(1);
    assert_ne!(post("k", "one"), first);
}

#[test]
fn a_text_is_counted_in_characters_of_which_a_link_has_23() {
    let (sandbox, _) = start();
    let fits = |text: &str| direct(&sandbox, text).status == 200;
    // The host of an address does not count.
    assert!(fits(&format!("@bruno@far.example {}", "👩‍👩‍👧".repeat(493))));
    assert!(!fits(&format!("@bruno@far.example {}", "x".repeat(494))));
    let link = format!("https://x.example/{}", "y".repeat(300));
    assert!(fits(&format!("@anna {link} {}", "x".repeat(470))));
    let reply = direct(&sandbox, &format!("@anna {link} {}", "x".repeat(471)));
    let words = "Validation failed: Text character limit of 500 exceeded";
    assert_eq!((reply.status, &reply.json()["error"]), (422, &json!(words)));
    let warned = json!({"status": "x".repeat(400), "spoiler_text": "y".repeat(101)});
    assert_eq!(post_by(&sandbox, "", warned).status, 422);
}

#[test]
fn files_are_attached_once_they_are_processed() {
    let (sandbox, clock) = start();
    let picture = upload(&sandbox, "image/png", "\u{1}");
    let film = upload(&sandbox, "video/mp4", &"x".repeat(5 << 10));
    assert_eq!((picture.status, film.status), (200, 202));
    assert!(picture.json()["url"].is_string() && film.json()["url"].is_null());
    let (picture, film) = (picture.json()["id"].clone(), film.json()["id"].clone());
    let id = film.as_str().expect("a text");
    let both = json!({"status": "@anna", "visibility": "direct", "media_ids": [picture, film]});
    assert_eq!(look(&sandbox, id).status, 206);
    let early = post_by(&sandbox, "", both.clone());
    assert_eq!(early.status, 422);
    assert!(early.json()["error"].as_str().expect("a text").contains("not finished processing"));
    clock.advance(5);
    assert_eq!(look(&sandbox, id).status, 200);
    assert_eq!(post_by(&sandbox, "", both.clone()).status, 200);
    assert_eq!(sandbox.messages()[0]["attachments"].as_array().map(Vec::len), Some(2));
    assert_eq!(post_by(&sandbox, "", both).status, 422, "a file belongs to one post");
    assert_eq!(look(&sandbox, "9").status, 404);
    assert_eq!(upload(&sandbox, "text/plain", "x").status, 422);
}

#[test]
fn refuses_what_mastodon_refuses() {
    let (sandbox, _) = start();
    let long = "x".repeat(501);
    for (status, code) in [
        (json!({"status": " "}), 422),
        (json!({"status": long}), 422),
        (json!({"status": "x", "visibility": "nobody"}), 422),
        (json!({"status": "x", "media_ids": ["1"]}), 404),
        (json!({"status": "x", "media_ids": ["1", "2", "3", "4", "5"]}), 422),
        (json!({"status": "x", "in_reply_to_id": "1"}), 404),
    ] {
        let reply = post_by(&sandbox, "", status.clone());
        assert_eq!(reply.status, code, "{status}");
        assert!(reply.json()["error"].is_string());
    }
    let no = request(&sandbox, "POST", STATUSES, &[("Authorization", "Bearer x")], "{}");
    assert_eq!((no.status, &no.json()["error"]), (401, &json!("The access token is invalid")));
    assert!(sandbox.messages().is_empty());
}

#[test]
fn a_form_is_taken_as_json_is() {
    let (sandbox, _) = start();
    let picture = upload(&sandbox, "image/png", "x").json()["id"].clone();
    let bearer = bearer(&sandbox);
    let headers = [("Content-Type", FORM), ("Authorization", &*bearer)];
    let body = form(&[
        ("status", "@anna"),
        ("visibility", "direct"),
        ("media_ids[]", picture.as_str().expect("a text")),
    ]);
    assert_eq!(request(&sandbox, "POST", STATUSES, &headers, &body).status, 200);
    assert_eq!(sandbox.messages()[0]["attachments"].as_array().map(Vec::len), Some(1));
}

#[test]
fn the_wait_is_told_as_a_time() {
    let (sandbox, clock): (Sandbox, Clock) = start();
    for _ in 0..300 {
        assert_eq!(direct(&sandbox, "@anna hi").status, 200);
    }
    clock.advance(299_500);
    let reply = direct(&sandbox, "@anna hi");
    assert_eq!(reply.status, 429);
    // The clock began at 2011-11-17T03:45:20Z.
    assert_eq!(reply.header("x-ratelimit-reset"), Some("2011-11-17T03:50:20.000Z"));
    clock.advance(500);
    assert_eq!(direct(&sandbox, "@anna hi").status, 200);
}
