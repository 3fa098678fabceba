//! Mattermost, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const TOWN_SQUARE: &str = "4xp9fdt77pncbef59f4k1qe83o";
const BEARER: (&str, &str) = ("Authorization", "Bearer xt5b3pqm1jrn8kfz6w9yd4hgc7");
const JSON: (&str, &str) = ("Content-Type", "application/json");
const HOOK: &str = "/mattermost/hooks/bywsw8zt5jgpte3nm65qjiru6h";

fn post(sandbox: &Sandbox, more: Value) -> Reply {
    let mut body = json!({"channel_id": TOWN_SQUARE, "message": "hi"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    let path = "/mattermost/api/v4/posts";
    request(sandbox, "POST", path, &[JSON, BEARER], &body.to_string())
}

fn hook(sandbox: &Sandbox, body: &Value) -> Reply {
    request(sandbox, "POST", HOOK, &[JSON], &body.to_string())
}

fn id(reply: &Reply) -> String {
    reply.json()["id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_pending_id_is_known_for_thirty_seconds() {
    let (sandbox, clock) = start();
    let pending = json!({"pending_post_id": "me:1"});
    let first = post(&sandbox, pending.clone());
    assert_eq!(first.status, 201);
    clock.advance(29_999);
    assert_eq!(post(&sandbox, pending.clone()).json(), first.json());
    assert_eq!(sandbox.messages().len(), 1);
    clock.advance(1);
    assert_ne!(id(&post(&sandbox, pending)), id(&first));
    assert_eq!(sandbox.messages().len(), 2);
}

#[test]
fn files_come_before_their_post() {
    let (sandbox, _) = start();
    let form = ("Content-Type", "multipart/form-data; boundary=B");
    let body = "--B\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.txt\"\r\n\
                Content-Type: text/plain\r\n\r\nsome text\r\n--B--\r\n";
    let path = format!("/mattermost/api/v4/files?channel_id={TOWN_SQUARE}");
    let uploaded = request(&sandbox, "POST", &path, &[form, BEARER], body).json();
    let file = &uploaded["file_infos"][0]["id"];
    assert_eq!(post(&sandbox, json!({"message": "", "file_ids": [file]})).status, 201);
    assert_eq!(sandbox.messages()[0]["attachments"][0]["name"], "a.txt");
    assert_eq!(post(&sandbox, json!({"file_ids": ["x"]})).status, 400);
    let path = "/mattermost/api/v4/files?channel_id=x";
    assert_eq!(request(&sandbox, "POST", path, &[form, BEARER], body).status, 400);
}

#[test]
fn refuses_what_mattermost_refuses() {
    let (sandbox, _) = start();
    let long = json!({"message": "😀".repeat(16_384)});
    for (more, status, error) in [
        (json!({"message": ""}), 400, "api.context.invalid_body_param.app_error"),
        (long, 400, "model.post.is_valid.message_length.app_error"),
        (json!({"root_id": "x"}), 400, "api.post.create_post.root_id.app_error"),
        (json!({"channel_id": "x"}), 403, "api.context.permissions.app_error"),
        (
            json!({"channel_id": "8xyzabcdefghijklmnopqrstu2"}),
            403,
            "api.post.create_post.can_not_post_to_deleted.error",
        ),
    ] {
        let reply = post(&sandbox, more.clone());
        assert_eq!((reply.status, &*id(&reply)), (status, error), "{more}");
        assert_eq!(reply.json()["status_code"], status);
    }
    let wrong = [JSON, ("Authorization", "Bearer x")];
    let reply = request(&sandbox, "GET", "/mattermost/api/v4/users/me", &wrong, "");
    assert_eq!((reply.status, &*id(&reply)), (401, "api.context.session_expired.app_error"));
    assert!(sandbox.messages().is_empty());
    let first = id(&post(&sandbox, json!({"message": "😀".repeat(16_383)})));
    assert_eq!(post(&sandbox, json!({"root_id": first})).status, 201);
    assert_eq!(sandbox.messages()[1]["thread"], first);
}

#[test]
fn a_webhook_answers_with_a_word_and_makes_several_posts_of_a_long_text() {
    let (sandbox, _) = start();
    let reply = hook(&sandbox, &json!({"text": "@anna look", "priority": {"priority": "urgent"}}));
    assert_eq!((reply.status, reply.text()), (200, "ok"));
    let first = &sandbox.messages()[0];
    assert_eq!((&first["mentions"], &first["priority"]), (&json!(["anna"]), &json!("urgent")));
    assert_eq!(hook(&sandbox, &json!({"text": "x".repeat(16_384)})).status, 200);
    assert_eq!(sandbox.messages().len(), 3);
    let cards = json!({"channel": "@anna", "attachments": [{"title": "T", "text": "x"}]});
    assert_eq!(hook(&sandbox, &cards).status, 200);
    assert_eq!(sandbox.messages()[3]["recipient"], "@anna");
    for (body, error) in [
        (json!({}), "web.incoming_webhook.text.app_error"),
        (json!([]), "web.incoming_webhook.parse.app_error"),
        (json!({"text": "x", "channel": "nowhere"}), "web.incoming_webhook.channel.app_error"),
    ] {
        assert_eq!(id(&hook(&sandbox, &body)), error);
    }
    let unknown = request(&sandbox, "POST", "/mattermost/hooks/x", &[JSON], "{}");
    assert_eq!((unknown.status, &*id(&unknown)), (400, "web.incoming_webhook.invalid.app_error"));
}
