//! Matrix, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const V3: &str = "/matrix/_matrix/client/v3";
const GENERAL: &str = "!general:localhost";
const BEARER: (&str, &str) = ("Authorization", "Bearer syt_aG9uZ3lhbg_hongyanSandboxToken_1Zx2Yc");

fn ask(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> Reply {
    let body = if method == "GET" { String::new() } else { body.to_string() };
    request(sandbox, method, &format!("{V3}{path}"), &[BEARER], &body)
}

fn get(sandbox: &Sandbox, path: &str) -> Reply {
    ask(sandbox, "GET", path, &Value::Null)
}

fn send(sandbox: &Sandbox, room: &str, txn: &str, text: &str) -> Reply {
    let body = json!({"msgtype": "m.text", "body": text});
    ask(sandbox, "PUT", &format!("/rooms/{room}/send/m.room.message/{txn}"), &body)
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status, reply.json()["errcode"].as_str().unwrap_or_default().to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn a_txn_id_is_known_to_its_device_and_room_for_half_an_hour_whatever_it_says() {
    let (sandbox, clock) = start();
    let first = send(&sandbox, GENERAL, "t1", "one");
    clock.advance(30 * 60_000 - 1);
    assert_eq!(send(&sandbox, GENERAL, "t1", "two").json(), first.json());
    assert_eq!(sandbox.messages().len(), 1);
    clock.advance(1);
    assert_ne!(send(&sandbox, GENERAL, "t1", "three").json(), first.json());
    assert_ne!(send(&sandbox, "!secret:localhost", "t1", "four").json(), first.json());
    let body = json!({"type": "m.login.password", "password": "swan-goose-7", "device_id": "D",
        "identifier": {"type": "m.id.user", "user": "hongyan"}});
    let token = ask(&sandbox, "POST", "/login", &body).json()["access_token"].clone();
    let bearer = format!("Bearer {}", token.as_str().expect("a token"));
    let path = format!("{V3}/rooms/{GENERAL}/send/m.room.message/t1");
    let content = r#"{"msgtype":"m.text","body":"five"}"#;
    request(&sandbox, "PUT", &path, &[("Authorization", &bearer)], content);
    let texts: Vec<_> = sandbox.messages().iter().map(|own| own["text"].clone()).collect();
    assert_eq!(texts, ["one", "three", "four", "five"]);
    ask(&sandbox, "POST", "/login", &body);
    let path = format!("{V3}/account/whoami");
    let old = request(&sandbox, "GET", &path, &[("Authorization", &bearer)], "");
    assert_eq!(code(&old), refused(401, "M_UNKNOWN_TOKEN"), "the device has a new one");
    assert_eq!(old.json()["soft_logout"], false);
}

#[test]
fn ten_messages_go_at_once_and_then_one_in_five_seconds() {
    let (sandbox, clock) = start();
    for n in 0..10 {
        assert_eq!(send(&sandbox, GENERAL, &format!("t{n}"), "hi").status, 200);
    }
    clock.advance(400);
    let limited = send(&sandbox, GENERAL, "t10", "hi");
    assert_eq!(code(&limited), refused(429, "M_LIMIT_EXCEEDED"));
    assert_eq!(limited.json()["retry_after_ms"], 4600);
    assert_eq!(limited.header("retry-after"), Some("5"));
    assert_eq!(send(&sandbox, GENERAL, "t9", "hi").status, 200, "what is known takes no place");
    clock.advance(4600);
    assert_eq!(send(&sandbox, GENERAL, "t10", "hi").status, 200);
    assert_eq!(sandbox.messages().len(), 11);
}

#[test]
fn rooms_are_looked_up_entered_and_made() {
    let (sandbox, _) = start();
    let found = get(&sandbox, "/directory/room/%23lobby:localhost").json();
    assert_eq!(found["room_id"], "!lobby:localhost");
    let unknown = get(&sandbox, "/directory/room/%23nowhere:localhost");
    assert_eq!(code(&unknown), refused(404, "M_NOT_FOUND"));
    assert_eq!(code(&send(&sandbox, "!lobby:localhost", "t", "hi")), refused(403, "M_FORBIDDEN"));
    assert_eq!(ask(&sandbox, "POST", "/join/%23lobby:localhost", &json!({})).status, 200);
    assert_eq!(send(&sandbox, "!lobby:localhost", "t", "hi").status, 200);
    let closed = ask(&sandbox, "POST", "/join/!closed:localhost", &json!({}));
    assert_eq!(code(&closed), refused(403, "M_FORBIDDEN"));
    let wrong = ask(&sandbox, "POST", "/createRoom", &json!({"invite": ["anna"]}));
    assert_eq!(code(&wrong), refused(400, "M_UNKNOWN"));
    let made = ask(&sandbox, "POST", "/createRoom", &json!({"invite": ["@anna:localhost"]})).json();
    let room = made["room_id"].as_str().expect("an id");
    let members = get(&sandbox, &format!("/rooms/{room}/members")).json();
    let of = |n: usize| {
        let one = &members["chunk"][n];
        (one["state_key"].clone(), one["content"]["membership"].clone())
    };
    assert_eq!(of(0), (json!("@hongyan:localhost"), json!("join")));
    assert_eq!(of(1), (json!("@anna:localhost"), json!("invite")));
    let rooms = get(&sandbox, "/joined_rooms").json();
    assert_eq!(rooms["joined_rooms"].as_array().map(Vec::len), Some(5));
}

#[test]
fn it_is_told_which_rooms_are_encrypted_and_which_are_direct() {
    let (sandbox, _) = start();
    let state = |room: &str| get(&sandbox, &format!("/rooms/{room}/state/m.room.encryption"));
    assert_eq!(state("!secret:localhost").json()["algorithm"], "m.megolm.v1.aes-sha2");
    assert_eq!(code(&state(GENERAL)), refused(404, "M_NOT_FOUND"));
    assert_eq!(code(&state("!closed:localhost")), refused(403, "M_FORBIDDEN"));
    let path = "/user/@hongyan:localhost/account_data/m.direct";
    assert_eq!(code(&get(&sandbox, path)), refused(404, "M_NOT_FOUND"));
    let direct = json!({"@anna:localhost": ["!a"]});
    assert_eq!(ask(&sandbox, "PUT", path, &direct).status, 200);
    assert_eq!(get(&sandbox, path).json(), direct);
    let other = "/user/@anna:localhost/account_data/m.direct";
    assert_eq!(code(&get(&sandbox, other)), refused(403, "M_FORBIDDEN"));
}

#[test]
fn refuses_what_a_homeserver_refuses() {
    let (sandbox, _) = start();
    let path = format!("/rooms/{GENERAL}/send/m.room.message/t");
    for (body, status, errcode) in [
        ("{", 400, "M_NOT_JSON"),
        ("[]", 400, "M_BAD_JSON"),
        (r#"{"msgtype":"m.text"}"#, 400, "M_UNKNOWN"),
        (r#"{"msgtype":"m.text","body":"x","n":1.5}"#, 400, "M_BAD_JSON"),
        (r#"{"msgtype":"m.text","body":"x","m.mentions":{"user_ids":"a"}}"#, 400, "M_BAD_JSON"),
    ] {
        let reply = request(&sandbox, "PUT", &format!("{V3}{path}"), &[BEARER], body);
        assert_eq!(code(&reply), refused(status, errcode), "{body}");
    }
    let long = send(&sandbox, GENERAL, "t", &"x".repeat(65_000));
    assert_eq!(code(&long), refused(413, "M_TOO_LARGE"));
    assert_eq!(code(&send(&sandbox, "!muted:localhost", "t", "hi")), refused(403, "M_FORBIDDEN"));
    assert_eq!(code(&send(&sandbox, "!no:localhost", "t", "hi")), refused(403, "M_FORBIDDEN"));
    let who = format!("{V3}/account/whoami");
    let wrong = ("Authorization", "Bearer of-another");
    let reply = request(&sandbox, "GET", &who, &[wrong], "");
    assert_eq!(code(&reply), refused(401, "M_UNKNOWN_TOKEN"));
    assert_eq!(code(&request(&sandbox, "GET", &who, &[], "")), refused(401, "M_MISSING_TOKEN"));
    assert_eq!(code(&get(&sandbox, "/nowhere")), refused(404, "M_UNRECOGNIZED"));
    assert_eq!(code(&get(&sandbox, "/createRoom")), refused(405, "M_UNRECOGNIZED"));
    let body = json!({"type": "m.login.password", "password": "another",
        "identifier": {"type": "m.id.user", "user": "hongyan"}});
    let login = ask(&sandbox, "POST", "/login", &body);
    assert_eq!(code(&login), refused(403, "M_FORBIDDEN"));
    assert!(sandbox.messages().is_empty());
}
