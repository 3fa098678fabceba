//! Files that go up before the message: what is looked after, what leaves no doubt, and what is no id.

use serde_json::{Value, json};

use super::{Step, World, answer, name_of};
use crate::model::receipt::Delivery;
use crate::net::Way;
use crate::service::api::HttpRequest;

/// A service, its account, and a message with a file.
fn mastodon() -> (Value, Value) {
    let account = json!({"service": "mastodon", "base_url": "https://social.example",
        "auth": {"type": "token", "token": "token"}});
    let file = json!({"name": "a.mp4", "data_base64": "AAAA"});
    let message = json!({"v": 1, "account": "a", "to": {"user": "anna"}, "text": "look",
        "attachments": [file]});
    (account, message)
}

fn world((account, _): &(Value, Value), steps: impl IntoIterator<Item = Step>) -> World {
    World::new(steps).with("accounts", json!({"a": account})).with("trace", true.into())
}

fn paths(world: &World) -> Vec<String> {
    let shown = |request: &HttpRequest| format!("{} {}", request.method.name(), request.url.path());
    world.requests().iter().map(shown).collect()
}

fn media(status: u16, url: Value) -> Step {
    answer(status, &json!({"id": "22", "type": "video", "url": url}).to_string())
}

fn post() -> Step {
    let mention = json!({"username": "anna", "acct": "anna"});
    let post = json!({"id": "7", "created_at": "2026-01-01T00:00:00.000Z", "visibility": "direct",
        "mentions": [mention]});
    answer(200, &post.to_string())
}

#[test]
fn a_film_is_looked_after_until_it_is_ready_and_goes_up_once() {
    let own = mastodon();
    let ready = || media(200, "https://files.example/22.mp4".into());
    let steps = [media(202, Value::Null), answer(206, ""), answer(206, ""), ready(), post()];
    let world = world(&own, steps);
    let receipt = world.send(own.1.clone());
    assert_eq!((receipt.delivery, receipt.attempts), (Delivery::Sent, 3), "{receipt:?}");
    let look = "GET /api/v1/media/22";
    let asked = ["POST /api/v2/media", look, look, look, "POST /api/v1/statuses"];
    assert_eq!(paths(&world), asked);
    let trace = receipt.trace.as_deref().unwrap_or_default();
    let waits: Vec<_> = trace.iter().map(|attempt| attempt.wait_ms).collect();
    assert_eq!(waits, [5000, 5000, 0]);
    let sent = world.requests_for("/api/v1/statuses");
    let sent: Value = serde_json::from_str(&super::body(&sent[0])).expect("JSON");
    assert_eq!(sent["media_ids"], json!(["22"]));
}

#[test]
fn a_doubt_about_a_file_is_none_about_the_message() {
    let own = mastodon();
    for (step, name) in [
        (Step::Fail { way: Way::Network, begun: true }, "network"),
        (Step::Hang { begun: true }, "timeout"),
        (answer(502, "<html>proxy</html>"), "service"),
    ] {
        let world = world(&own, [step]);
        let receipt = world.send(own.1.clone());
        assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::NotSent, name));
        assert_eq!(world.requests_for("/api/v1/statuses").len(), 0, "{name}");
    }
}

#[test]
fn what_an_upload_answers_without_an_id_is_not_sent() {
    let own = mastodon();
    for body in ["{}", "[]", "", "ok", r#"{"id":null,"type":"video","url":"x"}"#, r#"{"id":"a b"}"#]
    {
        let world = world(&own, [answer(200, body)]);
        let receipt = world.send(own.1.clone());
        assert_eq!(
            (receipt.delivery, name_of(&receipt)),
            (Delivery::NotSent, "protocol"),
            "{body}"
        );
        assert_eq!(world.requests_for("/api/v1/statuses").len(), 0, "{body}");
    }
}

#[test]
fn a_post_in_doubt_is_sent_again_under_the_same_key_with_the_same_files() {
    let own = mastodon();
    let ready = media(200, "https://files.example/22.mp4".into());
    let doubt = Step::Fail { way: Way::Network, begun: true };
    let world = world(&own, [ready, doubt, answer(503, ""), post()]);
    let receipt = world.send(own.1.clone());
    assert_eq!((receipt.delivery, receipt.attempts), (Delivery::Sent, 3), "{receipt:?}");
    let sent = world.requests_for("/api/v1/statuses");
    let key = |request: &HttpRequest| {
        let key = request.headers.iter().find(|(name, _)| *name == "idempotency-key");
        (key.map(|(_, value)| value.to_owned()), super::body(request))
    };
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|request| key(request) == key(&sent[0])));
    assert_eq!(world.requests_for("/api/v2/media").len(), 1);
}

fn slack() -> (Value, Value) {
    let account = json!({"service": "slack", "auth": {"type": "bot", "token": "xoxb-1"}});
    let file = |name: &str| json!({"name": name, "data_base64": "aGk="});
    let message = json!({"v": 1, "account": "a", "to": {"user": "U1"}, "text": "look",
        "attachments": [file("a.txt"), file("b.txt")]});
    (account, message)
}

fn place(n: u8) -> Step {
    let url = format!("https://files.slack.com/upload/v1/{n}");
    let place = json!({"ok": true, "upload_url": url, "file_id": format!("F{n}")});
    answer(200, &place.to_string())
}

fn shared() -> Step {
    answer(200, r#"{"ok":true,"files":[{"id":"F1"},{"id":"F2"}]}"#)
}

const CHANNEL: &str = r#"{"ok":true,"channel":{"id":"D1"}}"#;

#[test]
fn files_of_slack_go_up_one_by_one_and_are_shared_at_once() {
    let own = slack();
    let ok = || answer(200, "OK - 2");
    let steps = [answer(200, CHANNEL), place(1), ok(), place(2), ok(), shared()];
    let world = world(&own, steps);
    let receipt = world.send(own.1.clone());
    assert_eq!((receipt.delivery, receipt.attempts), (Delivery::Sent, 1), "{receipt:?}");
    assert_eq!(receipt.message_id, None, "the message that has them comes after the answer");
    let asked = [
        "POST /api/conversations.open",
        "POST /api/files.getUploadURLExternal",
        "POST /upload/v1/1",
        "POST /api/files.getUploadURLExternal",
        "POST /upload/v1/2",
        "POST /api/files.completeUploadExternal",
    ];
    assert_eq!(paths(&world), asked);
    let requests = world.requests();
    assert_eq!(super::body(&requests[2]), "hi");
    assert_eq!(requests[2].headers.authorization, None, "the token is for the methods alone");
    let sent: Value = serde_json::from_str(&super::body(&requests[5])).expect("JSON");
    let files = json!([{"id": "F1", "title": "a.txt"}, {"id": "F2", "title": "b.txt"}]);
    let whole = json!({"files": files, "channel_id": "D1", "initial_comment": "look"});
    assert_eq!(sent, whole);
}

#[test]
fn only_what_shares_the_files_of_slack_leaves_a_doubt() {
    let own = slack();
    let cut = || Step::Fail { way: Way::Network, begun: true };
    let ok = || answer(200, "OK - 2");
    for (steps, delivery) in [
        (vec![answer(200, CHANNEL), cut()], Delivery::NotSent),
        (vec![answer(200, CHANNEL), place(1), cut()], Delivery::NotSent),
        (vec![answer(200, CHANNEL), place(1), answer(500, "")], Delivery::NotSent),
        (vec![answer(200, CHANNEL), place(1), ok(), place(2), ok(), cut()], Delivery::MaybeSent),
    ] {
        let world = world(&own, steps);
        let receipt = world.send(own.1.clone());
        assert_eq!(receipt.delivery, delivery, "{:?}", paths(&world));
    }
    // A place that has the bytes after all takes them no more: another is asked for, and a file that is there
    // is not brought again.
    let first = [answer(200, CHANNEL), place(1), ok(), place(2), cut()];
    let second = [answer(410, "it is there already"), place(3), ok(), shared()];
    let world = world(&own, first.into_iter().chain(second));
    assert_eq!(world.send(own.1.clone()).delivery, Delivery::Sent);
    let brought: Vec<_> = paths(&world).into_iter().filter(|path| path.contains("/v1/")).collect();
    let [one, two, three] = [1, 2, 3].map(|n| format!("POST /upload/v1/{n}"));
    assert_eq!(brought, [one, two.clone(), two, three]);
}

#[test]
fn a_place_that_is_none_of_slack_s_gets_no_file() {
    let own = slack();
    for url in ["https://evil.example/upload", "http://files.slack.com/u", "", "nonsense"] {
        let place = json!({"ok": true, "upload_url": url, "file_id": "F1"}).to_string();
        let world = world(&own, [answer(200, CHANNEL), answer(200, &place)]);
        let receipt = world.send(own.1.clone());
        assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::NotSent, "protocol"), "{url}");
        let hosts: Vec<_> =
            world.requests().iter().map(|r| r.url.host_str().map(str::to_owned)).collect();
        assert!(hosts.iter().all(|host| host.as_deref() == Some("slack.com")), "{hosts:?}");
    }
}

#[test]
fn a_file_of_whatsapp_goes_up_before_its_message() {
    let account = json!({"service": "whatsapp_cloud", "phone_number_id": "7",
        "auth": {"type": "token", "token": "token"}});
    let file = json!({"name": "a.txt", "data_base64": "aGk="});
    let message = json!({"v": 1, "account": "a", "to": {"phone": "+8613800138000"},
        "attachments": [file]});
    let own = (account, message);
    let media = "POST /v25.0/7/media";
    let sent = r#"{"messaging_product":"whatsapp","contacts":[],"messages":[{"id":"wamid.1"}]}"#;
    let good = world(&own, [answer(200, r#"{"id":"22"}"#), answer(200, sent)]);
    let receipt = good.send(own.1.clone());
    assert_eq!(
        (receipt.delivery, receipt.message_id.as_deref()),
        (Delivery::Sent, Some("wamid.1"))
    );
    assert_eq!(paths(&good), [media, "POST /v25.0/7/messages"]);
    for (step, name) in [
        (Step::Fail { way: Way::Network, begun: true }, "network"),
        (answer(200, "{}"), "protocol"),
        (answer(200, r#"{"id":null}"#), "protocol"),
        (answer(502, "<html>proxy</html>"), "service"),
    ] {
        let world = world(&own, [step]);
        let receipt = world.send(own.1.clone());
        assert_eq!((receipt.delivery, name_of(&receipt)), (Delivery::NotSent, name));
        assert!(paths(&world).iter().all(|path| path == media), "{name}");
    }
}
