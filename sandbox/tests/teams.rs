//! Workflows for Microsoft Teams, over real sockets.

mod common;

use common::*;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

const FLOW: &str = "/teams/workflows/8f2d1c4b5a69478e8d7c6b5a49382716/triggers/manual/paths/invoke?sig=h0ngyan_teams-sig-of-the-workflow-00000000000";
const ANSWERS: &str = "/teams/powerautomate/automations/direct/workflows/1b2c3d4e5f60718293a4b5c6d7e8f901/triggers/manual/paths/invoke?sig=h0ngyan_teams-sig-of-the-other-000000000000000";
const JSON: (&str, &str) = ("Content-Type", "application/json");

fn post(sandbox: &Sandbox, path: &str, body: &Value) -> Reply {
    request(sandbox, "POST", path, &[JSON], &body.to_string())
}

fn card(text: &str) -> Value {
    let block = json!({"type": "TextBlock", "text": text, "wrap": true});
    let card = json!({"type": "AdaptiveCard", "version": "1.4", "body": [block]});
    let card = json!({"contentType": "application/vnd.microsoft.card.adaptive", "content": card});
    json!({"type": "message", "attachments": [card]})
}

#[test]
fn a_workflow_that_was_triggered_says_nothing() {
    let (sandbox, _) = start();
    for (path, status) in [(FLOW, 202), (ANSWERS, 200)] {
        let reply = post(&sandbox, path, &card("hi"));
        assert_eq!((reply.status, reply.text()), (status, ""));
    }
    assert_eq!(sandbox.messages().len(), 2);
    assert_eq!(sandbox.messages()[0]["text"], "hi");
}

#[test]
fn a_card_that_fails_is_answered_as_any_other() {
    let (sandbox, _) = start();
    let mut wrong = card("hi");
    wrong["attachments"][0]["content"]["type"] = "Card".into();
    for body in [json!({}), json!({"attachments": null}), wrong, card(&"x".repeat(28 << 10))] {
        assert_eq!(post(&sandbox, FLOW, &body).status, 202);
    }
    assert!(sandbox.messages().is_empty());
}

#[test]
fn a_mention_is_one_only_where_its_words_stand_in_the_text() {
    let (sandbox, _) = start();
    let mut body = card("hi <at>Anna</at>");
    let entity = |name: &str| {
        json!({"type": "mention", "text": format!("<at>{name}</at>"),
            "mentioned": {"id": format!("{name}@example.com"), "name": name}})
    };
    body["attachments"][0]["content"]["msteams"] =
        json!({"entities": [entity("Anna"), entity("Bob")]});
    assert_eq!(post(&sandbox, FLOW, &body).status, 202);
    assert_eq!(sandbox.messages()[0]["mentions"], json!(["Anna@example.com"]));
}

#[test]
fn refuses_what_a_workflow_refuses() {
    let (sandbox, _) = start();
    let code = |reply: Reply| {
        (reply.status, reply.json()["error"]["code"].as_str().expect("a code").to_owned())
    };
    let is = |status: u16, code: &str| (status, code.to_owned());
    let body = card("hi");
    let unsigned = FLOW.split('?').next().expect("a path");
    assert_eq!(code(post(&sandbox, unsigned, &body)), is(401, "DirectApiAuthorizationFailed"));
    assert_eq!(
        code(post(&sandbox, &FLOW.replace("8f2d", "8f2e"), &body)),
        is(404, "WorkflowNotFound")
    );
    let mismatch = is(400, "TriggerInputSchemaMismatch");
    assert_eq!(code(post(&sandbox, FLOW, &json!([]))), mismatch);
    assert_eq!(code(post(&sandbox, FLOW, &json!({"attachments": {}}))), mismatch);
    let both = [JSON, ("Authorization", "Bearer x")];
    let reply = request(&sandbox, "POST", FLOW, &both, &body.to_string());
    assert_eq!(code(reply), is(401, "DirectApiRequestHasMoreThanOneAuthorization"));
    assert!(sandbox.messages().is_empty());
}
