//! Messages that programs submit by SQL, within transactions of their own.

use hongyan::{Client, SubmitOptions};
use serde_json::{Value, json};

use super::accounts::{ACCOUNTS, client, message, message_with};
use super::place::Folder;
use super::raw::{GUARD, Gate, RawServer, answer};

const OK: &str = ACCOUNTS[0].1;

fn submit(folder: &Folder, message: &Value) -> String {
    folder.psql(&format!("SELECT SCHEMA.submit($${message}$$::jsonb)"))
}

/// The result of a message, once it has one.
fn result(folder: &Folder, id: &str) -> Value {
    let started = std::time::Instant::now();
    loop {
        let json = folder.psql(&format!("SELECT SCHEMA.result('{id}')"));
        if !json.is_empty() {
            return serde_json::from_str(&json).expect("JSON");
        }
        assert!(started.elapsed() < GUARD, "no result of {id}");
    }
}

fn worker(folder: &Folder, server: &RawServer) -> Client {
    folder.client(&server.url())
}

#[test]
fn what_sql_submits_is_sent_and_what_is_rolled_back_never_was() {
    let (folder, server) = (Folder::new(), RawServer::fixed(answer(200, "", OK)));
    let _worker = worker(&folder, &server);
    let id = submit(&folder, &message("ff-json"));
    assert_eq!(id.len(), 26, "a ULID: {id}");
    let told = result(&folder, &id);
    assert_eq!((told["id"].as_str(), told["delivery"].as_str()), (Some(&*id), Some("sent")));
    let gone = folder.psql(&format!(
        "BEGIN; SELECT SCHEMA.submit($${}$$::jsonb); ROLLBACK",
        message_with("ff-json", json!({"text": "never"}))
    ));
    let second = submit(&folder, &message_with("ff-json", json!({"text": "second"})));
    assert_eq!(result(&folder, &second)["delivery"], "sent");
    assert_eq!(folder.psql(&format!("SELECT SCHEMA.result('{gone}')")), "");
    assert_eq!(server.request_count(), 2);
}

#[test]
fn a_message_that_cannot_be_read_becomes_its_one_result() {
    let (folder, server) = (Folder::new(), RawServer::fixed(answer(200, "", OK)));
    let _worker = worker(&folder, &server);
    let keyed = |text: &str| message_with("ff-json", json!({"key": "k", "text": text}));
    for (wrong, code) in [
        (json!(42), "argument"),
        (json!({"v": 1}), "message"),
        (json!({"v": 1, "account": "nobody", "to": {}, "text": "x"}), "message"),
        (message_with("ff-json", json!({"colour": 1})), "message"),
        // A file of the machine that sends, which who submits must not read.
        (message_with("ff-json", json!({"attachments": [{"path": "/etc/passwd"}]})), "message"),
    ] {
        let told = result(&folder, &submit(&folder, &wrong));
        assert_eq!(
            (&told["delivery"], &told["error"]["name"]),
            (&json!("not_sent"), &json!(code)),
            "{told}"
        );
    }
    assert_eq!(result(&folder, &submit(&folder, &keyed("a")))["delivery"], "sent");
    let same = result(&folder, &submit(&folder, &keyed("a")));
    assert_eq!((&same["delivery"], &same["deduplicated"]), (&json!("sent"), &json!(true)));
    let other = result(&folder, &submit(&folder, &keyed("b")));
    assert_eq!(
        (&other["delivery"], &other["error"]["name"]),
        (&json!("not_sent"), &json!("message"))
    );
    assert_eq!(server.request_count(), 1);
}

#[test]
fn a_message_from_sql_stands_in_the_line_of_its_account_s_own_recipient() {
    let (folder, gate) = (Folder::new(), Gate::default());
    let server = gate.server(answer(200, "", OK));
    let own = json!({"accounts": {"ff-json": {"to": {"user": "lisztli"}}}});
    let worker = client(&folder.config(&server.url(), own));
    let named = message_with("ff-json", json!({"ordered": true}));
    let mut nobody = named.clone();
    nobody.as_object_mut().expect("an object").remove("to");
    let first = submit(&folder, &nobody);
    server.wait_for_requests(1);
    let options = SubmitOptions::token(1);
    worker.submit(named.to_string().as_bytes(), options).expect("accepted");
    let rows = folder.file().rows(0, 9).expect("an outbox");
    let states: Vec<_> = rows.iter().map(|row| (row.id == first, row.state.name())).collect();
    assert_eq!(states, [(true, "begun"), (false, "in_line")]);
    gate.open();
    assert_eq!(worker.flush(Some(GUARD)), 0);
}
