//! Messages with files, over real sockets and through every door.

#[allow(clippy::duplicate_mod, reason = "the transports have their own")]
#[path = "../../../tests/support/raw.rs"]
mod raw;

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use raw::{GUARD, Gate, RawServer, Request, answer};
use serde_json::{Value, json};

use crate::engine::Waited;
use crate::engine::store::sqlite::by_hand;
use crate::model::error::ErrorCode;
use crate::model::message::{Message, MessageBuilder};
use crate::model::receipt::{Delivery, Receipt};
use crate::{Client, Origin, SendOptions, SubmitOptions};

const OK: &str = r#"{"errcode":0,"errmsg":"ok"}"#;

/// A folder of one test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hongyan-engine-files-{}-{n}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        Folder(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.0.join(name), bytes).expect("a file");
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn client(server: &str, more: Value) -> Client {
    let mut config = json!({"v": 1, "accounts": {"room": {"service": "chatroom", "base_url": server,
        "auth": {"type": "bearer", "token": "robot-token"}}}});
    for (name, value) in more.as_object().expect("an object") {
        config[name] = value.clone();
    }
    Client::from_json(&config.to_string()).expect("a client")
}

fn message(attachments: Value) -> Value {
    json!({"v": 1, "account": "room", "text": "hi", "attachments": attachments})
}

fn typed(message: &Value) -> Message {
    Message::from_json(&message.to_string()).expect("a message")
}

fn wait(client: &Client) -> Receipt {
    match client.wait(Some(GUARD), 1).expect("open") {
        Waited::Results(mut receipts) => receipts.remove(0),
        Waited::Nothing => panic!("no result"),
    }
}

/// The parts of a form: header and content.
fn parts(request: &Request) -> Vec<(String, Vec<u8>)> {
    let content_type = request.header("content-type").expect("a type");
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=").expect("a form");
    let (open, mut rest) = (format!("--{boundary}\r\n"), &request.body[..]);
    let find = |text: &[u8], word: &[u8]| text.windows(word.len()).position(|w| w == word);
    let mut parts = Vec::new();
    while let Some(behind) = rest.strip_prefix(open.as_bytes()) {
        let head = find(behind, b"\r\n\r\n").expect("a head");
        let content = &behind[head + 4..];
        let end = find(content, format!("\r\n--{boundary}").as_bytes()).expect("an end");
        let head = String::from_utf8(behind[..head].to_vec()).expect("UTF-8");
        parts.push((head, content[..end].to_vec()));
        rest = &content[end + 2..];
    }
    assert_eq!(rest, format!("--{boundary}--\r\n").as_bytes());
    parts
}

/// Bytes that no text has.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

#[test]
fn every_door_reads_a_file_and_sends_it_as_it_is() {
    let folder = Folder::new();
    let content = bytes(300_000);
    let path = folder.file("天地.png", &content);
    let json = message(json!([{"path": path}]));
    let text = json.to_string();
    let server = RawServer::fixed(answer(200, "", OK));
    let direct = client(&server.url(), json!({}));
    let proxied = client("http://127.0.0.1:9", json!({"proxy": server.url()}));
    let kept = folder.path("outbox.db");
    let outboxed = client(&server.url(), json!({"outbox": {"path": kept}}));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for client in [&direct, &proxied, &outboxed] {
        let mut receipts = vec![
            client.send(typed(&json), SendOptions::default()).expect("sent"),
            client.send(text.as_bytes(), SendOptions::default()).expect("sent"),
            client
                .send(text.as_bytes(), SendOptions::watched(Duration::from_secs(1), &mut || false))
                .expect("sent"),
            runtime.block_on(client.send_async(typed(&json))).expect("sent"),
        ];
        client.submit(typed(&json), SubmitOptions::token(1)).expect("accepted");
        client.submit(text.as_bytes(), SubmitOptions::token(2)).expect("accepted");
        client.submit_many([(text.as_bytes(), 3)]).expect("accepted");
        client
            .submit(typed(&json), SubmitOptions { in_memory: true, ..SubmitOptions::token(4) })
            .expect("accepted");
        client
            .submit(text.as_bytes(), SubmitOptions { in_memory: true, ..SubmitOptions::token(5) })
            .expect("accepted");
        client.submit_many([(text.as_bytes(), 6), (text.as_bytes(), 7)]).expect("accepted");
        let mut built = MessageBuilder::new("room");
        built.text("hi").file("天地.png", None, content.clone()).expect("a file");
        receipts.push(client.send(&built, SendOptions::default()).expect("sent"));
        client.submit(&built, SubmitOptions::token(8)).expect("accepted");
        client.submit_many([(&built, 9)]).expect("accepted");
        client
            .submit(built.message().expect("a message"), SubmitOptions::token(10))
            .expect("accepted");
        receipts.extend((1..=10).map(|_| wait(client)));
        for receipt in receipts {
            assert_eq!(receipt.delivery, Delivery::Sent, "{}", receipt.to_json());
        }
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 3 * 15);
    for request in requests {
        let length = request.body.len().to_string();
        assert_eq!(request.header("content-length"), Some(&*length));
        let parts = parts(&request);
        assert_eq!(parts[0].1, b"hi");
        let disposition = "form-data; name=\"image\"; filename=\"天地.png\"";
        let head = format!("Content-Disposition: {disposition}\r\nContent-Type: image/png");
        assert_eq!((&parts[1].0, parts[1].1 == content), (&head, true));
    }
}

#[test]
fn a_file_that_cannot_be_read_is_a_result_before_anything_is_sent() {
    let folder = Folder::new();
    let server = RawServer::fixed(answer(200, "", OK));
    let kept = folder.path("outbox.db");
    let (good, missing) = (folder.file("a", "a"), folder.path("missing"));
    for more in [json!({}), json!({"outbox": {"path": kept}})] {
        let client = client(&server.url(), more);
        for wrong in [missing.clone(), folder.path("."), "/dev/zero".to_owned()] {
            let json = message(json!([{"path": good}, {"path": wrong}]));
            let sent =
                client.send(json.to_string().as_bytes(), SendOptions::default()).expect("accepted");
            client.submit(json.to_string().as_bytes(), SubmitOptions::token(7)).expect("accepted");
            let submitted = wait(&client);
            assert_eq!(submitted.token, 7);
            for receipt in [sent, submitted] {
                let error = receipt.error.as_ref().expect("an error");
                assert_eq!(receipt.delivery, Delivery::NotSent);
                assert_eq!(
                    (error.code(), error.path()),
                    (ErrorCode::Message, Some("attachments[1].path"))
                );
                assert_eq!((receipt.account.as_str(), receipt.attempts), ("room", 0));
            }
        }
    }
    assert_eq!(server.request_count(), 0);
}

#[test]
fn a_service_without_files_refuses_them_by_their_place() {
    let config = json!({"v": 1, "accounts": {"ff": {"service": "fanfou",
        "auth": {"type": "basic", "username": "u", "password": "p"}}}});
    let client = Client::from_json(&config.to_string()).expect("a client");
    let mut built = MessageBuilder::new("ff");
    built.to("user", "x").expect("a kind").text("hi").file("a", None, "a").expect("a file");
    let error =
        client.send(&built, SendOptions::default()).expect("accepted").error.expect("refused");
    assert_eq!((error.code(), error.path()), (ErrorCode::Unsupported, Some("attachments[0]")));
}

/// A server that reads so much of a request, tells that it has, and reads no more until it is let go.
fn stalled(most: usize) -> (RawServer, Gate, Gate) {
    let (reached, goes_on) = (Gate::default(), Gate::default());
    let gates = (reached.clone(), goes_on.clone());
    let server = RawServer::wild(move |stream| {
        stream.read_exact(&mut vec![0; most])?;
        gates.0.open();
        gates.1.pass();
        Ok(())
    });
    (server, reached, goes_on)
}

/// A message with a file that fits into no buffer on its way.
fn long() -> MessageBuilder {
    let mut built = MessageBuilder::new("room");
    built.text("hi").file("long", None, vec![0; 64 << 20]).expect("a file");
    built
}

#[test]
fn a_cancel_in_the_middle_of_a_file_is_a_doubt() {
    for proxied in [false, true] {
        let (server, reached, goes_on) = stalled(100_000);
        let client = match proxied {
            false => client(&server.url(), json!({"timeout_ms": 300_000})),
            true => {
                client("http://127.0.0.1:9", json!({"timeout_ms": 300_000, "proxy": server.url()}))
            }
        };
        let op = client.submit(&long(), SubmitOptions::token(1)).expect("accepted");
        reached.pass();
        op.cancel();
        let receipt = wait(&client);
        let error = receipt.error.expect("cancelled");
        assert_eq!((receipt.delivery, error.code()), (Delivery::MaybeSent, ErrorCode::Cancelled));
        goes_on.open();
    }
}

#[test]
fn the_time_of_an_attempt_ends_in_the_middle_of_a_file_too() {
    let (server, _, goes_on) = stalled(10);
    // However slow this machine is, in one of these times a request is begun.
    let begun = [200, 2000, 20_000].into_iter().find(|ms| {
        let more = json!({"timeout_ms": ms, "retry": {"max_attempts": 1}});
        let receipt =
            client(&server.url(), more).send(&long(), SendOptions::default()).expect("accepted");
        assert_eq!(receipt.error.expect("no answer").code(), ErrorCode::Timeout);
        receipt.delivery == Delivery::MaybeSent
    });
    assert!(begun.is_some());
    goes_on.open();
}

#[test]
fn an_outbox_has_a_copy_that_outlives_the_file_and_the_process() {
    let folder = Folder::new();
    let content = bytes(1_000_000);
    let path = folder.file("photo.png", &content);
    let kept = folder.path("outbox.db");
    let server = RawServer::fixed(answer(200, "", OK));
    let more = json!({"outbox": {"path": kept}});
    let first = client(&server.url(), more.clone());
    // Not before another run, however slow this machine is.
    let later = |mut message: Value| {
        message["not_before_ms"] = json!(4_000_000_000_000_u64);
        message
    };
    let json = later(message(json!([{"path": path}, {"name": "b", "data_base64": "UE5H"}])));
    first.submit(json.to_string().as_bytes(), SubmitOptions::token(7)).expect("accepted");
    assert_eq!(first.close(Some(Duration::ZERO)), 1);
    drop(first);
    std::fs::remove_file(&path).expect("removed");

    let file = crate::OutboxFile::at(&kept).expect("a file");
    let row = file.rows(0, 9).expect("rows").remove(0);
    let shown: Value = serde_json::from_slice(&row.message).expect("JSON");
    assert_eq!(
        shown["attachments"],
        json!([{"size": 1_000_000, "name": "photo.png"}, {"size": 3, "name": "b"}])
    );
    by_hand::change(
        kept.as_ref(),
        "UPDATE messages SET state = 0, turn = seq, wake_ms = NULL, due_ms = NULL",
    );

    let second = client(&server.url(), more);
    let receipt = wait(&second);
    assert_eq!(
        (receipt.delivery, receipt.origin, receipt.token),
        (Delivery::Sent, Origin::EarlierRun, 7)
    );
    let request = server.requests().remove(0);
    let parts = parts(&request);
    assert!(parts[1].1 == content && parts[2].1 == b"PNG");
    second.ack(&receipt).expect("open");
    drop(second);
    let left = "SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM files)";
    assert_eq!(by_hand::ask(kept.as_ref(), left), 0);
}

#[test]
fn a_message_whose_files_are_lost_is_not_sent() {
    let folder = Folder::new();
    let kept = folder.path("outbox.db");
    let server = RawServer::fixed(answer(200, "", OK));
    let more = json!({"outbox": {"path": kept}});
    let first = client(&server.url(), more.clone());
    let mut json = message(json!([{"name": "b", "data_base64": "UE5H"}]));
    json["not_before_ms"] = json!(4_000_000_000_000_u64);
    first.submit(json.to_string().as_bytes(), SubmitOptions::token(7)).expect("accepted");
    drop(first);
    by_hand::change(
        kept.as_ref(),
        "UPDATE messages SET state = 0, turn = seq, wake_ms = NULL, due_ms = NULL;
         DELETE FROM files",
    );
    let second = client(&server.url(), more);
    let receipt = wait(&second);
    let error = receipt.error.expect("lost");
    assert_eq!((receipt.delivery, error.code()), (Delivery::NotSent, ErrorCode::Storage));
    assert_eq!(server.request_count(), 0);
}

#[test]
fn a_key_is_of_the_bytes_of_a_file_and_not_of_its_path() {
    let folder = Folder::new();
    let server = RawServer::fixed(answer(200, "", OK));
    let kept = folder.path("outbox.db");
    for more in [json!({}), json!({"outbox": {"path": kept}})] {
        let client = client(&server.url(), more);
        let path = folder.file("a.txt", "one");
        let mut json = message(json!([{"path": path}]));
        json["key"] = json!("k");
        let send = |json: &Value| {
            client.send(json.to_string().as_bytes(), SendOptions::default()).expect("in")
        };
        assert_eq!(send(&json).delivery, Delivery::Sent);
        std::fs::create_dir_all(folder.path("other")).expect("a folder");
        let same = folder.file("other/a.txt", "one");
        let mut other = json.clone();
        other["attachments"] = json!([{"path": same}]);
        assert!(send(&other).deduplicated);
        folder.file("a.txt", "two");
        let error = send(&json).error.expect("another message");
        assert_eq!((error.code(), error.path()), (ErrorCode::Message, Some("key")));
    }
}

#[test]
fn a_preview_names_files_and_shows_none() {
    let folder = Folder::new();
    let path = folder.file("a.png", "content of the file, which nobody wants to see");
    let client = client("http://127.0.0.1:9", json!({}));
    let preview = client.preview(typed(&message(json!([{"path": path}])))).expect("encoded");
    assert!(preview.body.contains("[a.png, image/png, 46 bytes]"), "{}", preview.body);
    assert!(!preview.body.contains("content of"), "{}", preview.body);
    assert!(!format!("{preview:?}").contains("robot-token"));
    let missing = typed(&message(json!([{"path": folder.path("missing")}])));
    assert_eq!(client.preview(missing).expect_err("missing").path(), Some("attachments[0].path"));
}
