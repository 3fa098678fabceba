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
