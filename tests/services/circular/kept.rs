//! Several verdicts in one message that an outbox keeps: a later run goes on where the earlier one was.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::{Client, OutboxFile, SubmitOptions, Waited};

/// Ends a test that hangs.
const LONG: Duration = Duration::from_secs(120);

/// What the server does with a request.
enum Answer {
    /// Answers each recipient so; whom it does not name is fine.
    Told(&'static [(&'static str, u16)]),
    /// Keeps the request, and never answers.
    Silence,
}

/// A server that answers by a script and tells of each request: whom it was to, and its text.
struct Server {
    url: String,
    seen: Receiver<(String, String)>,
    script: Sender<Answer>,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let ((script, answers), (told, seen)) = (channel(), channel());
        thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in listener.incoming() {
                let Some(stream) = serve(stream.expect("a connection"), &answers, &told) else {
                    continue;
                };
                kept.push(stream);
            }
        });
        Server { url, seen, script }
    }

    fn answers(&self, answers: impl IntoIterator<Item = Answer>) {
        answers.into_iter().for_each(|answer| self.script.send(answer).expect("the server lives"));
    }

    fn next(&self) -> (String, String) {
        self.seen.recv_timeout(LONG).expect("a request")
    }

    fn is_silent(&self) -> bool {
        self.seen.try_recv().is_err()
    }
}

/// Answers one request and closes, or gives the connection back that stays without an answer.
fn serve(
    mut stream: TcpStream,
    answers: &Receiver<Answer>,
    told: &Sender<(String, String)>,
) -> Option<TcpStream> {
    let mut request = Vec::new();
    let body = loop {
        let mut some = [0; 4096];
        let n = stream.read(&mut some).ok().filter(|n| *n > 0)?;
        request.extend_from_slice(&some[..n]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let length: usize = length.expect("a length").trim().parse().expect("a number");
        if body.len() >= length {
            break serde_json::from_str::<Value>(body).expect("JSON");
        }
    };
    let names = body["to"].as_array().expect("a list").iter();
    let names: Vec<&str> = names.map(|name| name.as_str().expect("text")).collect();
    let text = body["text"].as_str().expect("text").to_owned();
    told.send((names.join(" "), text)).ok()?;
    let Answer::Told(codes) = answers.recv().ok()? else { return Some(stream) };
    let code = |name: &str| codes.iter().find(|(own, _)| *own == name).map_or(0, |(_, code)| *code);
    let one = |name: &&str| json!({"to": name, "code": code(name), "id": null});
    let results: Vec<Value> = names.iter().map(one).collect();
    let body = json!({"code": 0, "words": "", "results": results}).to_string();
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}", body.len());
    let _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes());
    None
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("hy-several-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn client(&self, server: &Server) -> Client {
        let account = json!({"service": "circular", "base_url": server.url, "rate": null,
            "auth": {"type": "bearer", "token": "circular-token"}});
        let outbox = self.0.join("outbox.db");
        let config = json!({"v": 1, "timeout_ms": 60_000, "accounts": {"circ": account},
            "outbox": {"path": outbox}, "retry": {"initial_ms": 1, "max_ms": 1}});
        Client::from_json(&config.to_string()).expect("a client")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn submit(client: &Client, users: &[&str], text: &str) {
    let message = json!({"v": 1, "account": "circ", "to": {"users": users}, "text": text,
        "overflow": "split"});
    client.submit(message.to_string().as_bytes(), SubmitOptions::token(7)).expect("accepted");
}

fn result(client: &Client) -> Value {
    match client.wait(Some(LONG), 1).expect("open") {
        Waited::Results(receipts) => {
            client.ack(&receipts[0]).expect("open");
            serde_json::from_str(&receipts[0].to_json()).expect("JSON")
        }
        other => panic!("{other:?}"),
    }
}

fn deliveries(result: &Value, of: &str) -> Vec<String> {
    let all = result[of].as_array().unwrap_or_else(|| panic!("{of} in {result}")).iter();
    all.map(|one| one["delivery"].as_str().expect("text").to_owned()).collect()
}

const THREE: &str = "the first twenty one, then the second twenty";

#[test]
fn a_later_run_goes_on_with_the_piece_that_is_due() {
    let (folder, server) = (Folder::new("pieces"), Server::start());
    let client = folder.client(&server);
    // The first piece goes; the second is refused for now, and while it waits the client is closed.
    server.answers([Answer::Told(&[]), Answer::Told(&[("ann", 429)])]);
    submit(&client, &["ann"], THREE);
    assert_eq!((server.next().1, server.next().1), (THREE[..20].into(), THREE[20..40].into()));
    while server.is_silent() && client.stats_json().contains("\"retried\":0") {
        thread::yield_now();
    }
    client.close(Some(Duration::ZERO));
    drop(client);

    let client = folder.client(&server);
    server.answers([Answer::Told(&[]), Answer::Told(&[])]);
    assert_eq!((server.next().1, server.next().1), (THREE[20..40].into(), THREE[40..].into()));
    let result = result(&client);
    assert_eq!(result["delivery"], "sent", "{result}");
    assert_eq!(deliveries(&result, "pieces"), ["sent"; 3]);
    assert_eq!((&result["attempts"], server.is_silent()), (&json!(4), true));
}

#[test]
fn a_piece_that_was_under_way_is_in_doubt_and_none_follows_it() {
    let (folder, server) = (Folder::new("doubt"), Server::start());
    let client = folder.client(&server);
    server.answers([Answer::Told(&[]), Answer::Silence]);
    submit(&client, &["ann"], THREE);
    server.next();
    server.next();
    client.close(Some(Duration::ZERO));
    drop(client);

    let client = folder.client(&server);
    let result = result(&client);
    assert_eq!(deliveries(&result, "pieces"), ["sent", "maybe_sent", "not_sent"], "{result}");
    assert_eq!((&result["delivery"], &result["recovered"]), (&json!("maybe_sent"), &json!(true)));
    assert!(server.is_silent());
}

#[test]
fn a_later_run_sends_to_those_who_surely_have_not_got_it() {
    let (folder, server) = (Folder::new("rest"), Server::start());
    let client = folder.client(&server);
    let users: Vec<String> = (0..12).map(|n| format!("u{n}")).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    // One of the first five is refused for good; the next five are in doubt; two are left.
    server.answers([Answer::Told(&[("u3", 404)]), Answer::Silence]);
    submit(&client, &users, "hi");
    assert_eq!((server.next().0, server.next().0), {
        ("u0 u1 u2 u3 u4".to_owned(), "u5 u6 u7 u8 u9".to_owned())
    });
    client.close(Some(Duration::ZERO));
    drop(client);

    let client = folder.client(&server);
    server.answers([Answer::Told(&[("u11", 404)])]);
    assert_eq!(server.next().0, "u10 u11");
    let told = result(&client);
    let (sent, none, maybe) = ("sent", "not_sent", "maybe_sent");
    assert_eq!(
        deliveries(&told, "recipients"),
        [sent, sent, sent, none, sent, maybe, maybe, maybe, maybe, maybe, sent, none]
    );
    assert_eq!((&told["delivery"], &told["attempts"]), (&json!("maybe_sent"), &json!(3)));
    client.close(None);
    drop(client);

    // A dead letter that is queued again goes to those who have it not, or may not.
    let id = told["id"].as_str().expect("an id");
    let file = OutboxFile::at(folder.0.join("outbox.db")).expect("a path");
    file.retry(&[id]).expect("the file").remove(0).expect("queued again");
    let client = folder.client(&server);
    server.answers([Answer::Told(&[]), Answer::Told(&[])]);
    assert_eq!((server.next().0, server.next().0), {
        ("u3 u5 u6 u7 u8".to_owned(), "u9 u11".to_owned())
    });
    assert_eq!(result(&client)["delivery"], "sent");
}

#[test]
fn a_cancel_of_what_is_on_the_disk_only_tells_of_each_recipient() {
    let (folder, server) = (Folder::new("cancel"), Server::start());
    let client = folder.client(&server);
    let later = u64::try_from(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("after 1970")
            .as_millis(),
    );
    let message = json!({"v": 1, "account": "circ", "to": {"users": ["ann", "bob"]}, "text": "hi",
        "not_before_ms": later.expect("fits") + 3_600_000});
    let op =
        client.submit(message.to_string().as_bytes(), SubmitOptions::token(7)).expect("accepted");
    op.cancel();
    let result = result(&client);
    assert_eq!(deliveries(&result, "recipients"), ["not_sent"; 2], "{result}");
    assert_eq!(result["error"]["name"], "cancelled");
    assert_eq!(result["service"], "circular");
}
