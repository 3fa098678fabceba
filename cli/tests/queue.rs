//! `hongyan queue`, `hongyan why` and `send --queue`: an outbox from the shell.

mod common;

use common::{Ended, FANFOU, Folder, start, texts};
use hongyan::Client;
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

/// Far in the future.
const LATER_MS: u64 = 32_503_680_000_000;

/// A sandbox, and a folder whose configuration has an outbox.
fn with_outbox() -> (Sandbox, Folder, Value) {
    let (sandbox, folder) = start();
    let mut config = sandbox.config();
    config["outbox"] = json!({"path": folder.path().join("outbox.db")});
    folder.write("hongyan.json", config.to_string());
    (sandbox, folder, config)
}

fn enqueue(folder: &Folder, user: &str, text: &str, more: &[&str]) -> String {
    let to = format!("user={user}");
    let mut args = vec!["send", "--queue", "-a", "fanfou-basic", "--to", &to, text];
    args.extend(more);
    let ended = folder.run(&args).expect(6);
    ended.out.trim().to_owned()
}

fn states(folder: &Folder) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let rows = folder.run(&["queue", "ls", "--json"]).expect(0).json();
    rows.iter().map(|row| (text(&row["id"]), text(&row["state"]))).collect()
}

fn holds_err(ended: &Ended, all: &[&str]) {
    for words in all {
        assert!(ended.err.contains(words), "{words:?} in {}", ended.err);
    }
}

fn holds(ended: &Ended, words: &[&str]) {
    for words in words {
        assert!(ended.out.contains(words), "{words:?} in {}", ended.out);
    }
}

#[test]
fn a_queued_message_is_durable_and_goes_with_a_flush() {
    let (sandbox, folder, _) = with_outbox();
    let good = enqueue(&folder, "lisztli", "one", &[]);
    let bad = enqueue(&folder, "nobody", "two", &[]);
    assert!(texts(&sandbox).is_empty(), "nothing is sent yet");
    let queued = |id: &str| (id.to_owned(), "queued".to_owned());
    assert_eq!(states(&folder), [queued(&good), queued(&bad)]);

    let ended = folder.run(&["queue", "flush"]).expect(4);
    holds(&ended, &["sent: account fanfou-basic", "2 messages: 1 not_sent, 1 sent; 0 left"]);
    assert_eq!(texts(&sandbox), ["one"]);
    let done = |id: &str| (id.to_owned(), "done".to_owned());
    assert_eq!(states(&folder), [done(&good), done(&bad)], "nobody acknowledged them");

    let ended = folder.run(&["queue", "flush", "--ack", "--json"]).expect(0);
    assert_eq!(ended.json()[0]["flushed"], 0, "they are no news");
    assert_eq!(states(&folder), [(bad.clone(), "dead".to_owned())]);
    folder.run(&["queue", "retry", "--all-dead"]).expect(0);
    assert_eq!(states(&folder), [queued(&bad)]);
    folder.run(&["queue", "flush", "--ack"]).expect(1);
    folder.run(&["queue", "retry", &bad, &good]).expect(4);
    folder.run(&["queue", "retry", &bad]).expect(1);
    folder.run(&["queue", "drop", &bad]).expect(0);
    folder.run(&["queue", "drop", &bad]).expect(1);
    folder.run(&["queue", "retry", "--all-dead"]).expect(0);
    assert!(states(&folder).is_empty());
    assert_eq!(texts(&sandbox), ["one"]);
}

#[test]
fn many_messages_are_queued_and_wrong_ones_are_told() {
    let (sandbox, folder, _) = with_outbox();
    let line = |text: &str, key: &str| {
        let to = json!({"user": "lisztli"});
        let message =
            json!({"v": 1, "account": "fanfou-basic", "to": to, "text": text, "key": key});
        format!("{message}\n")
    };
    let lines = [line("a", "1"), line("b", "1"), "nonsense\n".to_owned(), line("c", "2")];
    folder.write("many.jsonl", lines.concat());
    let ended = folder.run(&["send", "--queue", "-m", "many.jsonl", "--json"]).expect(4);
    let told = ended.json();
    let names: Vec<_> = told.iter().map(|told| told["error"]["name"].clone()).collect();
    assert_eq!(names, [json!(null), json!("message"), json!("argument"), json!(null)]);
    assert_eq!(told[3]["queued"], true);
    folder.run(&["queue", "flush", "--ack"]).expect(0);
    assert_eq!(texts(&sandbox).len(), 2);
    // The key outlives the message.
    let args = ["send", "--queue", "-a", "fanfou-basic", "--to", "user=lisztli", "a", "--key", "1"];
    let ended = folder.run(&args).expect(0);
    assert!(ended.err.contains("nothing is queued"), "{ended:?}");
    let wrong = ["send", "--queue", "-a", "fanfou-basic", "--to", "user=lisztli", "--extra"];
    folder.run(&[&wrong[..], &["{\"colour\": 1}", "x"]].concat()).expect(1);
    folder.write("nonsense.json", "nonsense");
    folder.run(&["send", "--queue", "-m", "nonsense.json"]).expect(2);
}

#[test]
fn a_listing_can_be_narrowed_and_an_export_holds_everything() {
    let (_sandbox, folder, _) = with_outbox();
    let ids: Vec<_> = ["a", "b", "c"].map(|text| enqueue(&folder, "lisztli", text, &[])).into();
    let ended = folder.run(&["queue", "ls", "--limit", "1"]).expect(0);
    holds(&ended, &[&ids[0], "queued"]);
    assert!(!ended.out.contains(&ids[1]) && ended.err.contains("2 more"), "{ended:?}");
    assert!(folder.run(&["queue", "ls", "--json", "--state", "dead"]).expect(0).out.is_empty());
    assert!(folder.run(&["queue", "export", "-a", "nobody"]).expect(0).out.is_empty());
    folder.run(&["queue", "ls", "--state", "happy"]).expect(2);
    folder.run(&["queue", "flush"]).expect(0);
    let rows = folder.run(&["queue", "export", "--state", "done"]).expect(0).json();
    let told: Vec<_> = rows.iter().map(|row| (&row["message"]["text"], &row["id"])).collect();
    let expected = [json!("a"), json!("b"), json!("c")];
    let expected: Vec<_> = expected.iter().zip(rows.iter().map(|row| &row["id"])).collect();
    assert_eq!(told, expected);
    assert!(rows.iter().all(|row| row["result"]["delivery"] == "sent"), "{rows:?}");
    let ended = folder.run(&["queue", "show", &ids[0]]).expect(0);
    holds(&ended, &["state: done", "delivery: sent", "\"text\":\"a\"", "\"delivery\":\"sent\""]);
    folder.run(&["queue", "show", "nothing"]).expect(1);
    // Without a configuration the path is enough.
    folder.write("hongyan.json", "{}");
    std::fs::remove_file(folder.path().join("hongyan.json")).expect("removed");
    folder.run(&["queue", "ls"]).expect(2);
    let ended = folder.run(&["queue", "ls", "--outbox", "outbox.db"]).expect(0);
    holds(&ended, &[&ids[0]]);
    folder.run(&["queue", "ls", "--outbox", "nowhere.db"]).expect(1);
}

#[test]
fn looking_and_changing_work_beside_a_client_that_sends() {
    let (sandbox, folder, config) = with_outbox();
    let id = enqueue(&folder, "nobody", "x", &[]);
    let gone = enqueue(&folder, "nobody", "y", &[]);
    folder.run(&["queue", "flush"]).expect(1);
    let worker = Client::from_json(&config.to_string()).expect("a client");
    for args in [&["queue", "ls"][..], &["queue", "show", &id], &["queue", "export"], &["why", &id]]
    {
        folder.run(args).expect(0);
    }
    folder.run(&["check"]).expect(0);
    folder.run(&[&FANFOU[..], &["beside"]].concat()).expect(0);
    assert_eq!(texts(&sandbox), ["beside"], "a plain send leaves the outbox alone");
    folder.run(&["queue", "retry", &id]).expect(0);
    folder.run(&["queue", "drop", &gone]).expect(0);
    folder.run(&["queue", "show", &gone]).expect(1);
    folder.run(&[&FANFOU[..], &["--queue", "x"]].concat()).expect(6);
    let started = std::time::Instant::now();
    while !texts(&sandbox).contains(&"x".to_owned()) {
        assert!(started.elapsed().as_secs() < 600, "the client beside it sends what is queued");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    drop(worker);
}

#[test]
fn a_doubt_is_queued_again_by_force_only() {
    let (sandbox, folder, _) = with_outbox();
    let id = enqueue(&folder, "lisztli", "doubtful", &[]);
    let fault = json!({"service": "fanfou", "kind": "reset", "when": "after"});
    sandbox.fault(fault).expect("a known fault");
    folder.run(&["queue", "flush", "--ack"]).expect(7);
    let ended = folder.run(&["queue", "retry", &id]).expect(1);
    holds_err(&ended, &["cannot be queued again: it may have arrived", "--force"]);
    let ended = folder.run(&["queue", "retry", "--all-dead"]).expect(0);
    holds_err(&ended, &["1 dead letter may have arrived", "--force"]);
    assert_eq!(texts(&sandbox), ["doubtful"], "nothing was sent again");
    folder.run(&["queue", "retry", "--all-dead", "--force"]).expect(0);
    let ended = folder.run(&["queue", "flush", "--ack"]).expect(0);
    holds(&ended, &["1 message: 1 sent; 0 left in "]);
    let left = folder.run(&["queue", "flush", "--json"]).expect(0).json();
    assert_eq!((&left[0]["left"], &left[0]["results"]), (&json!(0), &json!(0)));
    assert_eq!(texts(&sandbox).len(), 2, "as it was asked for");
}

#[test]
fn a_check_opens_no_outbox() {
    let (_sandbox, folder, mut config) = with_outbox();
    folder.run(&["check"]).expect(0);
    folder.run(&[&FANFOU[..], &["--dry-run", "x"]].concat()).expect(0);
    assert!(!folder.path().join("outbox.db").exists());
    config["outbox"]["max_messages"] = 0.into();
    folder.write("hongyan.json", config.to_string());
    let ended = folder.run(&["check"]).expect(2);
    assert!(ended.err.contains("outbox.max_messages"), "{ended:?}");
}

#[test]
fn what_is_not_due_stays_and_what_has_no_account_is_refused() {
    let (sandbox, folder, mut config) = with_outbox();
    let message = json!({
        "v": 1, "account": "fanfou-basic", "to": {"user": "lisztli"}, "text": "later",
        "not_before_ms": LATER_MS,
    });
    folder.write("later.json", message.to_string());
    folder.run(&["send", "--queue", "-m", "later.json"]).expect(6);
    let args = ["send", "--queue", "-a", "weibo-oauth2", "--to", "user=2125034703", "orphan"];
    folder.run(&args).expect(6);
    config["accounts"].as_object_mut().expect("accounts").shift_remove("weibo-oauth2");
    folder.write("hongyan.json", config.to_string());
    let ended = folder.run(&["queue", "flush"]).expect(2);
    holds(&ended, &["1 message: 1 not_sent; 1 left"]);
    assert!(ended.err.contains("there is no account \"weibo-oauth2\""), "{ended:?}");
    assert!(texts(&sandbox).is_empty());
}

#[test]
fn a_flush_whose_time_runs_out_is_5() {
    let (sandbox, folder, _) = with_outbox();
    let id = enqueue(&folder, "lisztli", "slow", &[]);
    sandbox.fault(json!({"service": "fanfou", "kind": "hang"})).expect("a known fault");
    let ended = folder.run(&["queue", "flush", "--timeout", "0"]).expect(5);
    holds(&ended, &["1 left"]);
    assert_eq!(states(&folder).len(), 1);
    folder.run(&["queue", "show", &id]).expect(0);
}

#[test]
fn why_tells_attempts_request_answer_row_and_what_to_do() {
    let (sandbox, folder, mut config) = with_outbox();
    let fresh = enqueue(&folder, "lisztli", "fresh", &[]);
    let ended = folder.run(&["why", &fresh]).expect(0);
    holds(&ended, &["queued: to be sent", "user=lisztli&text=fresh", "Do not send it again"]);
    folder.run(&["queue", "flush"]).expect(0);
    holds(&folder.run(&["why", &fresh]).expect(0), &["It was sent: the service said so"]);

    let refused = enqueue(&folder, "nobody", "refused", &[]);
    folder.run(&["queue", "flush"]).expect(1);
    let ended = folder.run(&["why", &refused]).expect(0);
    holds(&ended, &["not_found", "404", "user=nobody&text=refused", "Basic ***", "No such user"]);
    holds(&ended, &["fanfou code 404 is not_found, not_sent, never", "source: "]);
    let last = ended.out.lines().last().expect("a line");
    assert!(last.starts_with("It was not sent: ") && last.contains("is safe"), "{last}");
    let told = &folder.run(&["why", &refused, "--json"]).expect(0).json()[0];
    assert_eq!(
        (&told["verdict"]["code"], &told["attempts"][0]["http_status"]),
        (&json!("404"), &json!(404))
    );
    assert_eq!(told["request"]["body"], "user=nobody&text=refused");

    let fault = json!({"service": "fanfou", "kind": "reset", "when": "after"});
    sandbox.fault(fault).expect("a known fault");
    let doubt = enqueue(&folder, "lisztli", "doubt", &[]);
    folder.run(&["queue", "flush"]).expect(7);
    let ended = folder.run(&["why", &doubt]).expect(0);
    holds(&ended, &["by how far the request got", "maybe_sent", "is not safe"]);

    // What the configuration does not know any more is explained without its request.
    config["accounts"].as_object_mut().expect("accounts").shift_remove("fanfou-basic");
    folder.write("hongyan.json", config.to_string());
    holds(&folder.run(&["why", &doubt]).expect(0), &["not shown: ", "is not safe"]);
    folder.run(&["why", "nothing"]).expect(1);
    let ended = folder.run(&["why", &doubt, "--outbox", "nowhere.db"]).expect(1);
    assert!(ended.err.contains("storage: "), "{ended:?}");
}

#[test]
fn twelve_at_once_take_turns() {
    let (sandbox, folder, _) = with_outbox();
    let texts_sent: Vec<_> = (0..12).map(|n| format!("message {n}")).collect();
    let children: Vec<_> = texts_sent
        .iter()
        .map(|text| {
            // No machine is so slow that twelve turns take an hour.
            let args = [&FANFOU[..], &["--queue", "--timeout", "3600", text]].concat();
            folder.command(&args).spawn().expect("the command runs")
        })
        .collect();
    for child in children {
        let ended = child.wait_with_output().expect("it ends");
        assert_eq!(ended.status.code(), Some(6), "queued");
    }
    assert!(states(&folder).iter().all(|(_, state)| state == "queued"));
    folder.run(&["queue", "flush"]).expect(0);
    let (mut sent, mut expected) = (texts(&sandbox), texts_sent);
    sent.sort();
    expected.sort();
    assert_eq!(sent, expected);
}
