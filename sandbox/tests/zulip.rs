//! Zulip, over real sockets.

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::json;

const MESSAGES: &str = "/zulip/api/v1/messages";

fn basic(sandbox: &Sandbox) -> String {
    let auth = &sandbox.config()["accounts"]["zulip"]["auth"];
    let (name, key) = (&auth["username"], &auth["password"]);
    let pair = format!("{}:{}", name.as_str().expect("text"), key.as_str().expect("text"));
    format!("Basic {}", STANDARD.encode(pair))
}

fn post(sandbox: &Sandbox, pairs: &[(&str, &str)]) -> Reply {
    let basic = basic(sandbox);
    let body = form(pairs);
    request(sandbox, "POST", MESSAGES, &[("Content-Type", FORM), ("Authorization", &basic)], &body)
}

fn to_general(sandbox: &Sandbox, content: &str) -> Reply {
    let to = [("type", "stream"), ("to", "general"), ("topic", "t")];
    post(sandbox, &[to.as_slice(), &[("content", content)]].concat())
}

#[test]
fn what_is_too_long_is_cut_without_a_word() {
    let (sandbox, _) = start();
    let topic = "t".repeat(61);
    let content = "字".repeat(10_001);
    let pairs = [("type", "channel"), ("to", "7"), ("topic", &*topic), ("content", &*content)];
    let reply = post(&sandbox, &pairs);
    assert_eq!((reply.status, &reply.json()["result"]), (200, &json!("success")));
    let kept = &sandbox.messages()[0];
    assert_eq!(kept["thread"], "t".repeat(57) + "...");
    let text = kept["text"].as_str().expect("a text");
    assert_eq!(text.chars().count(), 10_000);
    assert!(text.ends_with("字\n[message truncated]"));
    assert_eq!(reply.json()["id"].to_string(), kept["id"].as_str().expect("an id"));
}

#[test]
fn direct_messages_reach_each_user() {
    let (sandbox, _) = start();
    for to in ["[11, 12]", "[\"anna@acme.example\", \"bruno@acme.example\"]"] {
        let reply = post(&sandbox, &[("type", "direct"), ("to", to), ("content", "hi")]);
        assert_eq!(reply.status, 200, "{to}");
    }
    let recipients: Vec<_> =
        sandbox.messages().iter().map(|own| own["recipient"].clone()).collect();
    let both = ["anna@acme.example", "bruno@acme.example"];
    assert_eq!(recipients, [both, both].concat());
}

#[test]
fn refuses_what_zulip_refuses() {
    let (sandbox, _) = start();
    let stream =
        |to, content| [("type", "stream"), ("to", to), ("topic", "t"), ("content", content)];
    let direct = |to| [("type", "direct"), ("to", to), ("content", "hi"), ("topic", "")];
    for (pairs, code) in [
        (stream("nowhere", "hi"), "STREAM_DOES_NOT_EXIST"),
        (stream("announcements", "hi"), "BAD_REQUEST"),
        (stream("general", " \n "), "BAD_REQUEST"),
        (stream("general", "a\0"), "BAD_REQUEST"),
        (direct("[11, \"bruno@acme.example\"]"), "BAD_REQUEST"),
        (direct("[99]"), "BAD_REQUEST"),
        (direct("[13]"), "BAD_REQUEST"),
        (direct("nobody@acme.example"), "BAD_REQUEST"),
        ([("type", "carrier"), ("to", "7"), ("topic", "t"), ("content", "x")], {
            "REQUEST_VARIABLE_INVALID"
        }),
    ] {
        let reply = post(&sandbox, &pairs);
        let body = reply.json();
        assert_eq!((reply.status, &body["result"]), (400, &json!("error")), "{pairs:?}");
        assert_eq!(body["code"], code, "{pairs:?}");
    }
    let missing = post(&sandbox, &[("type", "stream"), ("to", "7")]);
    assert_eq!(missing.json()["var_name"], "content");
    let reply = request(&sandbox, "GET", "/zulip/api/v1/users/me", &[], "");
    assert_eq!((reply.status, &reply.json()["code"]), (401, &json!("UNAUTHORIZED")));
    assert!(sandbox.messages().is_empty());
}

#[test]
fn mentions_are_those_of_users_that_there_are() {
    let (sandbox, _) = start();
    let text = "@**Anna Lee|11** (@**|12**) @**Nobody** x@**Bruno** @**Bruno|11** @**all**";
    assert_eq!(to_general(&sandbox, text).status, 200);
    assert_eq!(sandbox.messages()[0]["mentions"], json!(["Anna Lee", "Bruno", "all"]));
}

#[test]
fn a_file_comes_before_the_message_that_links_it() {
    let (sandbox, _) = start();
    let multipart = ("Content-Type", "multipart/form-data; boundary=B");
    let part = "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a b.txt\"\r\n\
                Content-Type: text/plain\r\n\r\nsome text\r\n";
    let basic = basic(&sandbox);
    let headers = [multipart, ("Authorization", &*basic)];
    let path = "/zulip/api/v1/user_uploads";
    let reply = request(&sandbox, "POST", path, &headers, &format!("{part}--B--\r\n"));
    let url = reply.json()["url"].as_str().expect("a URL").to_owned();
    assert_eq!(to_general(&sandbox, &format!("[a b.txt]({url})")).status, 200);
    assert_eq!(sandbox.messages()[0]["attachments"][0]["name"], "a b.txt");
    let two = request(&sandbox, "POST", path, &headers, &format!("{part}{part}--B--\r\n"));
    assert_eq!(two.json()["msg"], "You may only upload one file at a time");
}

#[test]
fn the_wait_is_told_in_parts_of_a_second() {
    let (sandbox, clock) = start();
    for _ in 0..200 {
        assert_eq!(to_general(&sandbox, "hi").status, 200);
    }
    clock.advance(31_300);
    let reply = to_general(&sandbox, "hi");
    let wait = json!(28.7);
    assert_eq!((reply.status, &reply.json()["retry-after"]), (429, &wait));
    assert_eq!(reply.header("retry-after"), Some("28.7"));
    clock.advance(28_700);
    assert_eq!(to_general(&sandbox, "hi").status, 200);
}
