//! StatusNet, over real sockets.

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::json;

const PATH: &str = "/statusnet/api/direct_messages/new";

fn post(sandbox: &Sandbox, format: &str, pairs: &[(&str, &str)]) -> Reply {
    let auth = &sandbox.config()["accounts"]["statusnet-basic"]["auth"];
    let (name, password) = (&auth["username"], &auth["password"]);
    let pair = format!("{}:{}", name.as_str().expect("text"), password.as_str().expect("text"));
    let basic = format!("Basic {}", STANDARD.encode(pair));
    let headers = [("Content-Type", FORM), ("Authorization", &*basic)];
    request(sandbox, "POST", &format!("{PATH}.{format}"), &headers, &form(pairs))
}

#[test]
fn a_user_is_told_in_each_of_three_ways() {
    let (sandbox, _) = start();
    for to in [("user", "2"), ("user", "anna"), ("user_id", "2"), ("screen_name", "anna")] {
        let reply = post(&sandbox, "json", &[to, ("text", " hi &lt;&amp;amp; ")]);
        let body = reply.json();
        assert_eq!((reply.status, &body["recipient_screen_name"]), (200, &json!("anna")), "{to:?}");
        assert_eq!(body["text"], "hi <&amp;", "entities are read once");
    }
    assert!(sandbox.messages().iter().all(|one| one["recipient"] == "anna"));
    assert_eq!(sandbox.messages().len(), 4);
}

#[test]
fn answers_come_in_the_format_of_the_path() {
    let (sandbox, _) = start();
    let reply = post(&sandbox, "xml", &[("screen_name", "anna"), ("text", "a < b")]);
    assert!(reply.text().contains("<direct_message><id>1</id>"), "{}", reply.text());
    assert!(reply.text().contains("<text>a &lt; b</text>"), "{}", reply.text());
    let reply = post(&sandbox, "xml", &[("screen_name", "nobody"), ("text", "x")]);
    let error =
        "<hash><error>Recipient user not found.</error><request>/statusnet/api/direct_messages";
    assert!(reply.status == 403 && reply.text().contains(error), "{}", reply.text());
    assert_eq!(post(&sandbox, "rss", &[]).status, 404);
}

#[test]
fn refuses_what_a_site_refuses() {
    let (sandbox, _) = start();
    let long = "x".repeat(1001);
    for (to, text, status, words) in [
        ("anna", " ", 406, "No message text!"),
        ("anna", &*long, 406, "That's too long. Maximum message size is 1000 characters."),
        ("nobody", "x", 403, "Recipient user not found."),
        ("stranger", "x", 403, "Cannot send direct messages to users who aren't your friend."),
    ] {
        let reply = post(&sandbox, "json", &[("screen_name", to), ("text", text)]);
        let body = reply.json();
        assert_eq!((reply.status, body["error"].as_str()), (status, Some(words)));
        assert_eq!(body["request"], format!("{PATH}.json"));
    }
    let own = post(&sandbox, "json", &[("user_id", "1"), ("text", "x")]);
    assert!(own.status == 403 && own.text().contains("yourself"));
    let no = request(&sandbox, "POST", &format!("{PATH}.json"), &[], "");
    assert_eq!((no.status, &no.json()["error"]), (401, &json!("Could not authenticate you.")));
    assert!(sandbox.messages().is_empty());
}
