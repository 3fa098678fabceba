//! Matrix: rooms that are looked up, found, entered or made before a message goes into them.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::rows::walk_account;
use super::{Step, World, accept, answer, body, name_of};
use crate::engine::attempt::deliver::deliver;
use crate::model::message::Message;
use crate::model::receipt::Delivery;
use crate::net::Way;
use crate::service::api::{HttpRequest, Method};
use crate::service::verdict::{Code, Row};

const ME: &str = "@me:hs";
const LOGIN: &str = "/_matrix/client/v3/login";

fn accounts() -> Value {
    json!({
        "token": {"service": "matrix", "base_url": "https://hs.example", "rate": null,
            "auth": {"type": "token", "token": "syt_secret"}},
        "password": {"service": "matrix", "base_url": "https://hs.example", "rate": null,
            "auth": {"type": "password", "username": "me", "password": "swan-goose-7"}},
    })
}

fn to(to: Value) -> Value {
    json!({"v": 1, "account": "token", "to": to, "text": "hello"})
}

fn to_room(room: &str) -> Value {
    to(json!({"room": room}))
}

fn refusal(status: u16, code: &str) -> Step {
    answer(status, &json!({"errcode": code, "error": "no"}).to_string())
}

fn ok(body: Value) -> Option<Step> {
    Some(answer(200, &body.to_string()))
}

fn members(all: &[(&str, &str)]) -> Option<Step> {
    let event =
        |(user, how): &(&str, &str)| json!({"state_key": user, "content": {"membership": how}});
    ok(json!({"chunk": all.iter().map(event).collect::<Vec<_>>()}))
}

/// What a step is called in these tests.
fn step(request: &HttpRequest) -> &'static str {
    let path = request.url.path();
    let known = [
        ("/send/", "send"),
        ("/state/", "state"),
        ("/members", "members"),
        ("/directory/", "alias"),
        ("/whoami", "whoami"),
        ("/createRoom", "make"),
        ("/join/", "join"),
        ("/upload", "upload"),
        ("/login", "login"),
    ];
    match known.iter().find(|(words, _)| path.contains(words)) {
        Some((_, name)) => name,
        None if request.method == Method::Put => "note",
        None => "direct",
    }
}

/// A homeserver with these answers; it takes each message.
fn homeserver(reply: impl Fn(&HttpRequest) -> Option<Step> + Send + Sync + 'static) -> World {
    let world = World::new([answer(200, r#"{"event_id":"$1"}"#)]).with("accounts", accounts());
    world.replies(move |request| {
        reply(request).or_else(|| match step(request) {
            "state" => Some(refusal(404, "M_NOT_FOUND")),
            "whoami" => ok(json!({"user_id": ME, "device_id": "D"})),
            "direct" => Some(refusal(404, "M_NOT_FOUND")),
            "note" => ok(json!({})),
            "make" => ok(json!({"room_id": "!made"})),
            "alias" => ok(json!({"room_id": "!of-alias", "servers": []})),
            "login" => ok(json!({"access_token": "syt_session"})),
            "upload" => ok(json!({"content_uri": "mxc://hs/a"})),
            _ => None,
        })
    })
}

fn steps(world: &World) -> Vec<&'static str> {
    world.requests().iter().map(step).collect()
}

fn sent_into(world: &World) -> Vec<String> {
    let requests = world.requests();
    let sends = requests.iter().filter(|request| step(request) == "send");
    let room = |request: &HttpRequest| request.url.path().split('/').nth(5).map(str::to_owned);
    sends.filter_map(room).collect()
}

#[test]
fn every_row_of_matrix_s_table_is_the_verdict_of_its_code() {
    let extra = json!({"allow_unencrypted": true});
    let message = json!({"v": 1, "account": "password", "to": {"room": "!r"}, "text": "hello",
        "extra": extra});
    let prepares = json!({LOGIN: r#"{"access_token":"syt_session"}"#});
    let fault = |code: &str, words: &str| json!({"errcode": code, "error": words}).to_string();
    let shapes = |row: &Row| match row.code {
        Code::Is("200") => vec![(200, r#"{"event_id":"$1"}"#.to_owned())],
        // It is no answer to a message: the next test has it.
        Code::Is("m.room.encryption") => Vec::new(),
        Code::Is(code) if code.starts_with("M_") => {
            vec![(400, fault(code, row.text)), (500, fault(code, row.text))]
        }
        Code::Is(status) => vec![(status.parse().expect("a status"), fault("M_UNKNOWN", "no"))],
        Code::Range(from, _) => vec![(from as u16, fault("M_UNKNOWN", "no"))],
        Code::Any => vec![(418, fault("ORG.EXAMPLE_TEAPOT", "no"))],
    };
    walk_account("matrix", 37, &accounts(), &message, &prepares, shapes);
}

#[test]
fn a_preview_shows_the_message_and_asks_nobody() {
    let config = json!({"v": 1, "accounts": accounts()}).to_string();
    let client = crate::Client::from_json(&config).expect("accounts");
    for (room, shown) in [("!r:hs", "/rooms/!r:hs/send/"), ("#ops:hs", "/rooms/ROOM/send/")] {
        let message = Message::from_json(&to_room(room).to_string()).expect("a message");
        let preview = client.preview(message).expect("it can be sent");
        assert!(preview.url.contains(shown) && preview.body.contains("hello"), "{preview:?}");
    }
}

#[test]
fn nothing_goes_into_an_encrypted_room_in_the_clear_unless_that_is_allowed() {
    let encrypted = |request: &HttpRequest| match step(request) {
        "state" => ok(json!({"algorithm": "m.megolm.v1.aes-sha2"})),
        _ => None,
    };
    let world = homeserver(encrypted);
    let receipts = world.send_all([to_room("!r"), to_room("!r")]);
    for receipt in &receipts {
        assert_eq!((receipt.delivery, name_of(receipt)), (Delivery::NotSent, "unsupported"));
        let error = receipt.error.as_ref().expect("an error");
        assert!(error.words().contains("the room is encrypted"), "{error}");
        assert!(error.hint_text().is_some_and(|hint| hint.contains("allow_unencrypted")));
    }
    assert_eq!(steps(&world), ["state", "state"]);

    let world = homeserver(encrypted);
    let mut allowed = to_room("!r");
    allowed["extra"] = json!({"allow_unencrypted": true});
    let receipts = world.send_all([allowed, to_room("!r")]);
    assert_eq!(receipts[0].delivery, Delivery::Sent);
    assert_eq!(name_of(&receipts[1]), "unsupported", "what one allows, no other does");
    assert_eq!(steps(&world), ["send", "state"]);
}

#[test]
fn what_is_no_answer_of_the_server_does_not_tell_that_a_room_is_not_encrypted() {
    for (status, page, name) in
        [(404, "<html>404</html>", "protocol"), (200, "<html>sign in</html>", "protocol")]
    {
        let world =
            homeserver(move |request| (step(request) == "state").then(|| answer(status, page)));
        let receipt = world.send(to_room("!r"));
        assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::NotSent, name));
        assert!(!steps(&world).contains(&"send"));
    }
}

#[test]
fn a_room_is_asked_again_after_a_minute_whether_it_is_encrypted() {
    let world = homeserver(|_| None);
    world.live(|shared| async move {
        for wait in [0, 0, 59, 1] {
            let later = shared.clock.now() + Duration::from_secs(wait);
            shared.clock.sleep_until(later).await;
            let mut job = accept(&shared, to_room("!r"), None);
            let receipt = deliver(&mut job).await.expect("a receipt");
            assert_eq!(receipt.delivery, Delivery::Sent);
        }
    });
    assert_eq!(steps(&world), ["state", "send", "send", "send", "state", "send"]);
}

#[test]
fn a_room_that_became_encrypted_while_a_message_waited_does_not_get_it() {
    let asked = std::sync::atomic::AtomicBool::new(false);
    let world = homeserver(move |request| match step(request) {
        "state" => match asked.swap(true, std::sync::atomic::Ordering::Relaxed) {
            false => None,
            true => ok(json!({"algorithm": "m.megolm.v1.aes-sha2"})),
        },
        "send" => {
            let body =
                json!({"errcode": "M_LIMIT_EXCEEDED", "error": "no", "retry_after_ms": 90_000});
            Some(answer(429, &body.to_string()))
        }
        _ => None,
    });
    let receipt = world.send(to_room("!r"));
    assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::NotSent, "unsupported"));
    assert_eq!(steps(&world), ["state", "send", "state"]);
}

#[test]
fn an_alias_is_looked_up_once_and_a_room_is_entered_that_the_account_is_not_in() {
    let joined = std::sync::atomic::AtomicBool::new(false);
    let world = homeserver(move |request| match step(request) {
        "join" => {
            joined.store(true, std::sync::atomic::Ordering::Relaxed);
            ok(json!({"room_id": "!of-alias"}))
        }
        "state" if !joined.load(std::sync::atomic::Ordering::Relaxed) => {
            Some(refusal(403, "M_FORBIDDEN"))
        }
        _ => None,
    });
    let receipts = world.send_all([to_room("#ops:hs"), to_room("#ops:hs")]);
    assert!(receipts.iter().all(|receipt| receipt.delivery == Delivery::Sent), "{receipts:?}");
    assert_eq!(steps(&world), ["alias", "state", "join", "state", "send", "send"]);
    assert_eq!(sent_into(&world), ["!of-alias", "!of-alias"]);
    assert!(world.requests()[2].url.path().ends_with("/join/%23ops:hs"));

    let outside = homeserver(|request| match step(request) {
        "state" => Some(refusal(403, "M_FORBIDDEN")),
        "join" => ok(json!({"room_id": "!r"})),
        _ => None,
    });
    let receipt = outside.send(to_room("!r"));
    assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::NotSent, "forbidden"));
    assert_eq!(steps(&outside), ["state", "join", "state"], "it is not entered again and again");
}

#[test]
fn the_direct_room_with_a_user_is_found_where_both_are_in_it() {
    let world = homeserver(|request| match step(request) {
        "direct" => ok(json!({"@anna:hs": ["!first", "!left", 7, "!newest"], "@b:hs": ["!b"]})),
        "members" if request.url.path().contains("!newest") => {
            members(&[(ME, "join"), ("@anna:hs", "leave")])
        }
        "members" => members(&[(ME, "join"), ("@anna:hs", "invite")]),
        _ => None,
    });
    let anna = || to(json!({"user": "@anna:hs"}));
    let receipts = world.send_all([anna(), anna()]);
    assert!(receipts.iter().all(|receipt| receipt.delivery == Delivery::Sent), "{receipts:?}");
    let all = ["whoami", "direct", "members", "members", "state", "send", "send"];
    assert_eq!(steps(&world), all);
    assert_eq!(sent_into(&world), ["!left", "!left"]);
}

#[test]
fn messages_to_a_new_user_make_one_room_however_many_there_are_at_once() {
    let world = homeserver(|request| match step(request) {
        "direct" => ok(json!({"@b:hs": ["!b"]})),
        _ => None,
    });
    let anna = || to(json!({"user": "@anna:hs"}));
    let receipts = world.send_at_once((0..40).map(|_| anna()));
    assert!(receipts.iter().all(|receipt| receipt.delivery == Delivery::Sent), "{receipts:?}");
    let count = |name: &str| steps(&world).iter().filter(|own| **own == name).count();
    assert_eq!([count("make"), count("note"), count("send")], [1, 1, 40]);
    assert!(sent_into(&world).iter().all(|room| room == "!made"));
    let requests = world.requests();
    let find = |name| requests.iter().find(|request| step(request) == name).map(body);
    let noted: Value = serde_json::from_str(&find("note").expect("a note")).expect("JSON");
    assert_eq!(noted, json!({"@anna:hs": ["!made"], "@b:hs": ["!b"]}));
    let made: Value = serde_json::from_str(&find("make").expect("a room")).expect("JSON");
    assert_eq!((&made["is_direct"], &made["invite"]), (&json!(true), &json!(["@anna:hs"])));
}

#[test]
fn a_room_that_was_left_is_found_anew() {
    let sends = std::sync::atomic::AtomicUsize::new(0);
    let world = homeserver(move |request| match step(request) {
        "send" => match sends.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            1 => Some(refusal(403, "M_FORBIDDEN")),
            _ => None,
        },
        _ => None,
    });
    let anna = || to(json!({"user": "@anna:hs"}));
    let receipts = world.send_all([anna(), anna()]);
    let all: Vec<_> = receipts.iter().map(|r| (r.delivery, r.attempts)).collect();
    assert_eq!(all, [(Delivery::Sent, 1), (Delivery::Sent, 2)]);
    let made = steps(&world).iter().filter(|name| **name == "make").count();
    assert_eq!(made, 2, "the server says that there is no direct room");
}

#[test]
fn a_doubt_is_resent_under_the_same_name_and_two_messages_have_two() {
    let doubt = || Step::Fail { way: Way::Network, begun: true };
    let world = homeserver(|_| None);
    let sent = answer(200, r#"{"event_id":"$1"}"#);
    world.script.steps.lock().expect("fresh").clear();
    world.script.steps.lock().expect("fresh").extend([doubt(), sent]);
    let receipts = world.send_all([to_room("!r"), to_room("!r")]);
    assert_eq!((receipts[0].delivery, receipts[0].attempts), (Delivery::Sent, 2));
    let sends: Vec<_> = world.requests().into_iter().filter(|r| step(r) == "send").collect();
    let paths: Vec<_> = sends.iter().map(|request| request.url.path().to_owned()).collect();
    assert_eq!((paths.len(), &paths[0]), (3, &paths[1]));
    assert_eq!(paths.iter().collect::<HashSet<_>>().len(), 2);
    assert_eq!(body(&sends[0]), body(&sends[1]));
}

#[test]
fn each_file_is_an_event_of_its_own_and_goes_up_before_it() {
    let world = homeserver(|_| None);
    let mut message = to_room("!r");
    let file = |name: &str| json!({"name": name, "data_base64": "aGk="});
    message["attachments"] = json!([file("a.png"), file("b.pdf")]);
    let receipt = world.send(message);
    assert_eq!(receipt.delivery, Delivery::Sent, "{receipt:?}");
    assert_eq!(steps(&world), ["state", "upload", "send", "upload", "send"]);
    let sends: Vec<Value> = world
        .requests()
        .iter()
        .filter(|request| step(request) == "send")
        .map(|request| serde_json::from_str(&body(request)).expect("JSON"))
        .collect();
    let of = |n: usize| {
        ["msgtype", "body", "filename", "url"].map(|name| sends[n][name].as_str().unwrap_or("-"))
    };
    assert_eq!(of(0), ["m.image", "hello", "a.png", "mxc://hs/a"]);
    assert_eq!(of(1), ["m.file", "b.pdf", "b.pdf", "mxc://hs/a"]);
}

#[test]
fn a_device_logs_in_once_and_anew_where_its_token_holds_no_more() {
    let sends = std::sync::atomic::AtomicUsize::new(0);
    let world = homeserver(move |request| match step(request) {
        "send" if sends.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 1 => {
            Some(refusal(401, "M_UNKNOWN_TOKEN"))
        }
        _ => None,
    });
    let message = || {
        let mut message = to_room("!r");
        message["account"] = "password".into();
        message
    };
    let receipts = world.send_all([message(), message()]);
    assert!(receipts.iter().all(|receipt| receipt.delivery == Delivery::Sent), "{receipts:?}");
    assert_eq!(steps(&world), ["login", "state", "send", "send", "login", "send"]);
    let asked: Value = serde_json::from_str(&body(&world.requests()[0])).expect("JSON");
    assert_eq!(
        (&asked["device_id"], &asked["identifier"]["user"]),
        (&json!("HONGYAN"), &json!("me"))
    );
}
