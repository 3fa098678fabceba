//! What the page is told, over real sockets; tests/judges looks at the page itself in a browser.

mod common;

use std::io::Write as _;

use common::*;
use serde_json::json;

fn send(sandbox: &hongyan_sandbox::Sandbox, text: &str) {
    assert_eq!(fanfou(sandbox, &form(&[("user", "lisztli"), ("text", text)])).status, 200);
}

#[test]
fn shows_the_newest_first_and_what_is_looked_for() {
    let (sandbox, _) = start();
    for text in ["one", "Two", "three"] {
        send(&sandbox, text);
    }
    assert_eq!(tencent(&sandbox, &group_message(1, "two more"))["ErrorCode"], 0);
    let texts = |query: &str| {
        let inbox = get(&sandbox, &format!("/_/inbox?{query}")).json();
        let messages = inbox["messages"].as_array().expect("a list").clone();
        messages
            .iter()
            .map(|one| one["text"].as_str().expect("a text").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(""), ["two more", "three", "Two", "one"]);
    assert_eq!(texts("q=TWO"), ["two more", "Two"]);
    assert_eq!(texts("q=two&service=fanfou"), ["Two"]);
    assert_eq!(texts("q=GroupId"), ["two more"], "requests are searched too");
    assert_eq!(texts("most=2"), ["two more", "three"]);
    assert_eq!(texts("q=nothing%20like%20it"), [""; 0]);
    sandbox.clear();
    assert_eq!(texts(""), [""; 0]);
}

#[test]
fn credentials_are_hidden_in_the_inbox_alone() {
    let (sandbox, _) = start();
    send(&sandbox, "hi");
    let inbox = get(&sandbox, "/_/inbox").json();
    assert_eq!(inbox["messages"][0]["request"]["headers"]["authorization"], "Basic ••••");
    assert_eq!(inbox["messages"][0]["runs"], json!([{"text": "hi", "styles": []}]));
    assert_eq!(sandbox.messages()[0]["request"]["headers"]["authorization"], BASIC);
}

#[test]
fn a_refused_request_is_shown_beside_the_messages() {
    let (sandbox, _) = start();
    assert_eq!(request(&sandbox, "POST", "/fanfou/direct_messages/new.json", &[], "").status, 401);
    let inbox = get(&sandbox, "/_/inbox").json();
    assert_eq!(inbox["messages"], json!([]));
    assert_eq!(
        (&inbox["others"][0]["status"], &inbox["others"][0]["service"]),
        (&json!(401), &json!("fanfou"))
    );
    assert!(
        inbox["others"][0]["answer"].as_str().is_some_and(|text| text.contains("authentication"))
    );
    assert_eq!(sandbox.messages(), [json!(null); 0]);
}

#[test]
fn a_page_that_waits_is_told_of_every_change() {
    let (sandbox, _) = start();
    let change = |change: &dyn Fn()| {
        let version = get(&sandbox, "/_/inbox").json()["version"].as_u64().expect("a version");
        // Asked for before the change, answered after it; the change comes first where this thread is slow.
        let mut stream = connect(&sandbox);
        let waiting = bytes("GET", &format!("/_/inbox?version={version}"), &[], b"");
        stream.write_all(&waiting).expect("sent");
        change();
        let mut answer = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut answer).expect("an answer");
        let inbox = Reply::parse(&answer).json();
        assert!(inbox["version"].as_u64().expect("a version") > version);
        inbox
    };
    assert_eq!(change(&|| send(&sandbox, "hi"))["total"], 1);
    let drop = || fault(&sandbox, json!({"service": "fanfou", "kind": "drop"}));
    assert_eq!(change(&drop)["faults"][0]["kind"], "drop");
    let refused = || assert_eq!(fanfou(&sandbox, "user=lisztli&text=x").status, 400);
    change(&refused);
    assert_eq!(get(&sandbox, "/_/inbox").json()["faults"], json!([]));
    assert_eq!(change(&|| sandbox.clear())["total"], 0);
}

#[test]
fn the_page_is_whole_and_runs_nothing_but_its_own_script() {
    let (sandbox, _) = start();
    for path in ["/", "/_/"] {
        let page = get(&sandbox, path);
        assert_eq!(
            (page.status, page.header("content-type")),
            (200, Some("text/html; charset=utf-8"))
        );
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(
            policy.contains("script-src 'sha256-") && policy.contains("default-src 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "@import"] {
            assert!(!page.text().contains(word), "{word}");
        }
    }
    assert_eq!(request(&sandbox, "POST", "/_/", &[], "").status, 405);
    assert_eq!(get(&sandbox, "/_/images/1/0").status, 404);
}
