//! Mail over SMTP: what a server says, at whatever step, becomes what is true for each recipient.

#[path = "support/mail.rs"]
mod mail;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hongyan::{Client, Delivery, ErrorCode, Receipt, SendOptions};
use hongyan_sandbox::{Options, Sandbox, Tls};
use mail::{Act, MailServer, Said, say};
use serde_json::{Value, json};

/// The extensions that most servers have, and the two ways of speaking that come of them.
const FULL: [&str; 4] = ["PIPELINING", "SIZE 10485760", "8BITMIME", "SMTPUTF8"];
const WAYS: [&[&str]; 2] = [&FULL, &["SIZE"]];
/// Far more than any of this takes.
const GUARD: Duration = Duration::from_secs(120);

fn client_with(url: &str, account: Value, more: Value) -> Client {
    let mut own = json!({"service": "smtp", "base_url": url, "from": "Bot <bot@example.org>",
        "auth": {"type": "none"}});
    own.as_object_mut().expect("an object").extend(account.as_object().expect("one").clone());
    // A kept connection stays, however slow the machine is.
    let mut config = json!({"v": 1, "accounts": {"mail": own}, "idle_ms": 600_000,
        "retry": {"max_attempts": 1, "initial_ms": 1, "max_ms": 2}});
    config.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
    Client::from_json(&config.to_string()).expect("a valid configuration")
}

fn client(server: &MailServer) -> Client {
    client_with(&server.url(), json!({}), json!({}))
}

fn message(to: Value) -> Value {
    json!({"v": 1, "account": "mail", "to": to, "title": "hello", "text": "a\n.b\n"})
}

fn send(client: &Client, message: &Value) -> Receipt {
    client.send(message.to_string().as_bytes(), SendOptions::within(GUARD)).expect("accepted")
}

/// Delivery, error and code of the whole.
fn told(receipt: &Receipt) -> (&'static str, &'static str, Option<String>) {
    let error = receipt.error.as_ref();
    let code = error.and_then(|error| error.service_code()).map(str::to_owned);
    (receipt.delivery.name(), error.map_or("ok", |error| error.code().name()), code)
}

/// The same, to compare with.
type Told = (&'static str, &'static str, Option<&'static str>);

/// Delivery and error of each recipient.
fn each(receipt: &Receipt) -> Vec<(String, &'static str, &'static str)> {
    let all = receipt.recipients.as_ref().expect("a list");
    let one = |one: &hongyan::RecipientResult| {
        let error = one.error.as_ref().map_or("ok", |error| error.code().name());
        (one.name.clone(), one.delivery.name(), error)
    };
    all.iter().map(one).collect()
}

const THREE: [&str; 3] = ["a@example.org", "b@example.org", "c@example.org"];

fn three() -> Value {
    message(json!({"emails": THREE}))
}

#[test]
fn a_mail_arrives_as_it_was_written() {
    for extensions in WAYS {
        let server = MailServer::start(extensions, |_| None);
        let to = json!({"emails": ["Anna <a@example.org>"], "cc": ["b@example.org"],
            "bcc": ["c@example.org"]});
        let receipt = send(&client(&server), &message(to));
        assert_eq!(told(&receipt), ("sent", "ok", None));
        let id = receipt.message_id.as_deref().expect("an id");
        let [mail] = &server.taken()[..] else { panic!("{:?}", server.taken()) };
        assert_eq!(
            (mail.from.as_str(), &mail.to[..]),
            ("bot@example.org", &THREE.map(str::to_owned)[..])
        );
        let (head, text) = mail.text.split_once("\r\n\r\n").expect("a head");
        let head: Vec<_> = head.split("\r\n").collect();
        for line in [
            "From: Bot <bot@example.org>",
            "To: Anna <a@example.org>",
            "Cc: b@example.org",
            "Subject: hello",
            &format!("Message-ID: {id}"),
            "MIME-Version: 1.0",
        ] {
            assert!(head.contains(&line), "{line:?} is not in {head:#?}");
        }
        assert!(!mail.text.contains(" c@example.org"), "nobody sees a blind copy");
        assert_eq!(text, "a\r\n.b\r\n");
        let notes = receipt.notes.iter().map(|note| &*note.name).collect::<Vec<_>>();
        assert_eq!(notes, ["accepted_only"]);
    }
}

#[test]
fn each_recipient_has_its_own_verdict() {
    for extensions in WAYS {
        let server = MailServer::start(extensions, |said: &Said<'_>| match said.line {
            "RCPT TO:<b@example.org>" => say("550 5.1.1 no such user"),
            _ => None,
        });
        let receipt = send(&client(&server), &three());
        assert_eq!(told(&receipt).0, "partly_sent");
        let expected = [
            ("a@example.org".to_owned(), "sent", "ok"),
            ("b@example.org".to_owned(), "not_sent", "not_found"),
            ("c@example.org".to_owned(), "sent", "ok"),
        ];
        assert_eq!(each(&receipt), expected);
        assert_eq!(server.taken()[0].to, ["a@example.org", "c@example.org"]);
    }
}

#[test]
fn nobody_gets_a_text_that_nobody_was_accepted_for() {
    for extensions in WAYS {
        let server = MailServer::start(extensions, |said: &Said<'_>| match said.line {
            line if line.starts_with("RCPT") => say("550 5.1.1 no such user"),
            // Some take a text for nobody.
            "DATA" => say("354 go on"),
            _ => None,
        });
        let client = client(&server);
        let receipt = send(&client, &three());
        assert_eq!(receipt.delivery, Delivery::NotSent);
        assert!(
            each(&receipt)
                .iter()
                .all(|(_, delivery, name)| (*delivery, *name) == ("not_sent", "not_found"))
        );
        // The connection is of use again.
        send(&client, &three());
        assert_eq!(server.connections(), 1);
        let texts: Vec<_> = server.taken().into_iter().map(|mail| mail.text).collect();
        assert!(texts.iter().all(String::is_empty), "{texts:?}");
    }
}

/// A server that does something at one step, and what is true then.
#[test]
fn what_goes_wrong_at_each_step_is_told_as_it_is() {
    const LOST: &str = "no_reply_before_dot";
    let cases: [(&str, Act, Told); 22] = [
        ("CONNECT", Act::Say("554 no\r\n".into()), ("not_sent", "rejected", Some("554"))),
        ("CONNECT", Act::Say("421 4.3.2 later\r\n".into()), ("not_sent", "service", Some("421"))),
        ("CONNECT", Act::Close, ("not_sent", "network", None)),
        (
            "CONNECT",
            Act::Say("HTTP/1.1 400 Bad Request\r\n".into()),
            ("not_sent", "protocol", None),
        ),
        ("EHLO", Act::Say("550 5.7.1 not you\r\n".into()), ("not_sent", "forbidden", Some("550"))),
        ("EHLO", Act::Close, ("not_sent", "service", Some(LOST))),
        ("MAIL", Act::Say("451 4.3.0 later\r\n".into()), ("not_sent", "service", Some("451"))),
        ("MAIL", Act::Say("530 5.7.0 log in\r\n".into()), ("not_sent", "auth", Some("530"))),
        ("MAIL", Act::Close, ("not_sent", "service", Some(LOST))),
        ("RCPT", Act::Say("450 4.7.1 greylisted\r\n".into()), ("not_sent", "service", Some("450"))),
        ("RCPT", Act::Say("552 5.2.2 full\r\n".into()), ("not_sent", "quota", Some("552"))),
        ("RCPT", Act::Close, ("not_sent", "service", Some(LOST))),
        ("RCPT", Act::Say("garbage\r\n".into()), ("not_sent", "protocol", None)),
        ("DATA", Act::Say("554 5.5.1 no\r\n".into()), ("not_sent", "rejected", Some("554"))),
        ("DATA", Act::Close, ("not_sent", "service", Some(LOST))),
        (".", Act::Say("554 5.7.1 spam\r\n".into()), ("not_sent", "forbidden", Some("554"))),
        (".", Act::Say("451 4.3.0 later\r\n".into()), ("not_sent", "service", Some("451"))),
        (".", Act::Say("552 5.3.4 too large\r\n".into()), ("not_sent", "too_large", Some("552"))),
        (".", Act::Close, ("maybe_sent", "service", Some("no_reply_after_dot"))),
        (
            ".",
            Act::Say("garbage\r\n".into()),
            ("maybe_sent", "service", Some("no_reply_after_dot")),
        ),
        (
            ".",
            Act::Say("250-half\r\n251 of it\r\n".into()),
            ("maybe_sent", "service", Some("no_reply_after_dot")),
        ),
        (".", Act::SayAndClose("250 2.0.0 queued\r\n".into()), ("sent", "ok", None)),
    ];
    for (step, act, expected) in cases {
        for extensions in WAYS {
            let own = act.clone();
            let server = MailServer::start(extensions, move |said: &Said<'_>| {
                let word = said.line.split([' ', ':']).next().unwrap_or_default();
                (word == step).then(|| own.clone())
            });
            let receipt = send(&client(&server), &message(json!({"emails": ["a@example.org"]})));
            let (delivery, name, code) = told(&receipt);
            let words = receipt.error.as_ref().map(ToString::to_string).unwrap_or_default();
            assert_eq!((delivery, name, code.as_deref()), expected, "{step} {act:?}: {words}");
            assert_eq!(receipt.error.as_ref().and_then(|e| e.http_status()), None, "{words}");
        }
    }
}

#[test]
fn a_server_that_says_nothing_costs_the_time_and_leaves_a_doubt_behind_the_dot_only() {
    let auth = json!({"type": "password", "username": "goose", "password": "p4ss"});
    for step in ["CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "."] {
        let server = MailServer::start(&["AUTH PLAIN"], move |said: &Said<'_>| {
            said.line.starts_with(step).then_some(Act::Hang)
        });
        // Up to the dot it has to come within the time.
        let (ms, delivery) = if step == "." { (3000, "maybe_sent") } else { (300, "not_sent") };
        let client = client_with(&server.url(), json!({"auth": auth}), json!({"timeout_ms": ms}));
        let receipt = send(&client, &message(json!({"emails": ["a@example.org"]})));
        assert_eq!(receipt.delivery.name(), delivery, "{step}: {:?}", receipt.error);
    }
}

#[test]
fn a_reply_without_an_end_is_none_at_whatever_step() {
    let line = || Act::Say(format!("250 {}", "x".repeat(1 << 20)));
    let lines = || Act::Say("250-x\r\n".repeat(100_000));
    for step in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."] {
        for act in [line, lines] {
            let server = MailServer::start(&FULL, move |said: &Said<'_>| {
                said.line.starts_with(step).then(act)
            });
            let receipt = send(&client(&server), &message(json!({"emails": ["a@example.org"]})));
            let expected = match step {
                "." => ("maybe_sent", "service"),
                _ => ("not_sent", "protocol"),
            };
            let (delivery, name, _) = told(&receipt);
            assert_eq!((delivery, name), expected, "{step}: {:?}", receipt.error);
        }
    }
}

#[test]
fn what_a_greeting_says_of_the_server_is_not_believed() {
    // In several lines, of a server that then knows no extensions, and of one that has fewer than it says.
    for greeting in ["220-mx.example ESMTP\r\n220-PIPELINING\r\n220 STARTTLS", "220"] {
        let server = MailServer::start(&FULL, move |said: &Said<'_>| match said.line {
            "CONNECT" => say(greeting),
            line if line.starts_with("EHLO") => say("502 5.5.1 what?"),
            _ => None,
        });
        assert_eq!(told(&send(&client(&server), &three())).0, "sent");
        let words = ["EHLO", "HELO", "MAIL", "RCPT", "RCPT", "RCPT", "DATA"];
        let lines = server.lines();
        assert!(lines.iter().zip(words).all(|(line, word)| line.starts_with(word)), "{lines:?}");
        assert!(lines.iter().all(|line| !line.contains("SIZE=")), "{lines:?}");
    }
    let server = MailServer::start(&FULL, |said: &Said<'_>| match said.line {
        line if line.starts_with("MAIL") && line.contains("SIZE=") => {
            say("555 5.5.4 no such parameter")
        }
        _ => None,
    });
    assert_eq!(told(&send(&client(&server), &three())).0, "not_sent");
}

#[test]
fn too_many_at_once_get_the_mail_in_further_transactions() {
    for extensions in WAYS {
        let count = AtomicUsize::new(0);
        let server = MailServer::start(extensions, move |said: &Said<'_>| {
            if said.line.starts_with("MAIL") {
                count.store(0, Ordering::SeqCst);
            }
            let is_over =
                said.line.starts_with("RCPT") && count.fetch_add(1, Ordering::SeqCst) >= 3;
            if is_over { say("452 4.5.3 too many recipients") } else { None }
        });
        let all: Vec<_> = (0..10).map(|n| format!("r{n}@example.org")).collect();
        let receipt = send(&client(&server), &message(json!({"emails": all})));
        assert_eq!(told(&receipt), ("sent", "ok", None));
        let taken = server.taken();
        assert_eq!(taken.iter().map(|mail| mail.to.len()).collect::<Vec<_>>(), [3, 3, 3, 1]);
        assert!(taken.iter().all(|mail| mail.text == taken[0].text), "all get the same mail");
        assert_eq!(receipt.attempts, 1);
    }
}

#[test]
fn a_retry_goes_to_those_only_who_surely_have_not_got_it() {
    let asked = AtomicUsize::new(0);
    let server = MailServer::start(&FULL, move |said: &Said<'_>| match said.line {
        "RCPT TO:<b@example.org>" if asked.fetch_add(1, Ordering::SeqCst) == 0 => {
            say("450 4.7.1 greylisted")
        }
        _ => None,
    });
    let retry = json!({"retry": {"max_attempts": 3, "initial_ms": 1, "max_ms": 2}});
    let receipt = send(&client_with(&server.url(), json!({}), retry), &three());
    assert_eq!(told(&receipt), ("sent", "ok", None));
    let taken = server.taken();
    assert_eq!(taken[0].to, ["a@example.org", "c@example.org"]);
    assert_eq!(taken[1].to, ["b@example.org"]);
    assert_eq!(taken[0].text, taken[1].text, "with the same header, to the letter");
}

#[test]
fn nobody_gets_it_twice_who_is_named_twice() {
    let server = MailServer::usual();
    let to = json!({"emails": ["a@example.org", "A <a@example.org>", "a@example.org"],
        "cc": ["a@example.org"]});
    let receipt = send(&client(&server), &message(to));
    assert_eq!(told(&receipt), ("sent", "ok", None));
    assert_eq!(each(&receipt).len(), 4);
    assert_eq!(server.taken()[0].to, ["a@example.org"]);
}

#[test]
fn ten_thousand_recipients_have_a_verdict_each() {
    let server = MailServer::start(&FULL, |said: &Said<'_>| match said.line {
        line if line.ends_with("7@example.org>") => say("550 5.1.1 no such user"),
        _ => None,
    });
    let all: Vec<_> = (0..10_000).map(|n| format!("r{n}@example.org")).collect();
    let message = message(json!({"emails": ["list@example.org"], "bcc": all}));
    let receipt = send(&client(&server), &message);
    assert_eq!(receipt.delivery, Delivery::PartlySent);
    let each = each(&receipt);
    assert_eq!(each.len(), 10_001);
    assert_eq!(each.iter().filter(|(_, delivery, _)| *delivery == "not_sent").count(), 1000);
    let taken = server.taken();
    assert_eq!(taken.iter().map(|mail| mail.to.len()).sum::<usize>(), 9001);
    assert!(taken.iter().all(|mail| mail.to.len() <= 100));
    assert_eq!(server.connections(), 1);
}

#[test]
fn connections_are_kept_and_one_that_was_closed_costs_no_doubt() {
    let server = MailServer::usual();
    let client = client(&server);
    for _ in 0..3 {
        assert_eq!(told(&send(&client, &three())).0, "sent");
    }
    assert_eq!(server.connections(), 1);
    server.close_all();
    assert_eq!(told(&send(&client, &three())).0, "sent");
    assert_eq!((server.connections(), server.taken().len()), (2, 4));
}

#[test]
fn a_server_that_turns_a_kept_connection_away_is_spoken_to_anew() {
    let server = MailServer::start(&FULL, |said: &Said<'_>| {
        static MAILS: AtomicUsize = AtomicUsize::new(0);
        let is_second = said.line.starts_with("MAIL") && MAILS.fetch_add(1, Ordering::SeqCst) == 1;
        is_second.then(|| Act::SayAndClose("421 4.4.2 you said nothing for long\r\n".into()))
    });
    let client = client(&server);
    for _ in 0..2 {
        assert_eq!(told(&send(&client, &three())).0, "sent");
    }
    assert_eq!((server.connections(), server.taken().len()), (2, 2));
}

#[test]
fn who_logs_in_does_so_by_what_the_server_offers() {
    let password = json!({"auth": {"type": "password", "username": "bot", "password": "p4ssword"}});
    let token =
        json!({"auth": {"type": "xoauth2", "username": "bot@example.org", "token": "ya29.t"}});
    for (offer, account, lines) in [
        ("AUTH LOGIN PLAIN", &password, &["AUTH PLAIN AGJvdABwNHNzd29yZA=="][..]),
        ("AUTH LOGIN", &password, &["AUTH LOGIN", "Ym90", "cDRzc3dvcmQ="]),
        (
            "AUTH XOAUTH2",
            &token,
            &["AUTH XOAUTH2 dXNlcj1ib3RAZXhhbXBsZS5vcmcBYXV0aD1CZWFyZXIgeWEyOS50AQE="],
        ),
    ] {
        let server = MailServer::start(&[offer], |said: &Said<'_>| match said.line {
            "AUTH LOGIN" => say("334 VXNlcm5hbWU6"),
            "Ym90" => say("334 UGFzc3dvcmQ6"),
            "cDRzc3dvcmQ=" => say("235 2.7.0 welcome"),
            _ => None,
        });
        let receipt = send(&client_with(&server.url(), account.clone(), json!({})), &three());
        assert_eq!(told(&receipt).0, "sent", "{:?}", receipt.error);
        let said = server.lines();
        let said: Vec<_> = said.iter().skip(1).take(lines.len()).collect();
        assert_eq!(said, lines, "{offer}");
    }
    for (offer, account, code) in [
        ("AUTH CRAM-MD5", &password, "504"),
        ("SIZE", &password, "504"),
        ("AUTH PLAIN LOGIN", &token, "504"),
    ] {
        let server = MailServer::start(&[offer], |_| None);
        let receipt = send(&client_with(&server.url(), account.clone(), json!({})), &three());
        assert_eq!(told(&receipt), ("not_sent", "rejected", Some(code.to_owned())), "{offer}");
        assert!(
            !server.lines().iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL"))
        );
    }
}

#[test]
fn a_login_that_is_refused_stops_the_account() {
    let server = MailServer::start(&["AUTH PLAIN XOAUTH2"], |said: &Said<'_>| match said.line {
        line if line.starts_with("AUTH XOAUTH2") => say("334 eyJzdGF0dXMiOiI0MDEifQ=="),
        "" => say("535 5.7.8 the token is no good: ya29.t"),
        _ => None,
    });
    let token =
        json!({"auth": {"type": "xoauth2", "username": "bot@example.org", "token": "ya29.t"}});
    let client = client_with(&server.url(), token, json!({}));
    let receipt = send(&client, &three());
    assert_eq!(told(&receipt), ("not_sent", "auth", Some("535".to_owned())));
    assert!(!format!("{:?}", receipt.error).contains("ya29.t"), "{:?}", receipt.error);
    let said = server.lines().len();
    assert_eq!(told(&send(&client, &three())).1, "auth");
    assert_eq!(server.lines().len(), said, "nothing more was said to the server");
}

#[test]
fn what_the_server_does_not_take_is_not_said_to_it() {
    let server = MailServer::start(&["SIZE 1000"], |_| None);
    let mut long = three();
    long["text"] = "x".repeat(2000).into();
    let receipt = send(&client(&server), &long);
    assert_eq!(told(&receipt), ("not_sent", "too_large", Some("552".to_owned())));
    let utf8 = message(json!({"emails": ["jürgen@example.org"]}));
    let receipt = send(&client(&server), &utf8);
    assert_eq!(told(&receipt), ("not_sent", "rejected", Some("553".to_owned())));
    assert!(!server.lines().iter().any(|line| line.starts_with("MAIL")), "{:?}", server.lines());
    let server = MailServer::usual();
    assert_eq!(told(&send(&client(&server), &utf8)).0, "sent");
    let line = server.lines().into_iter().find(|line| line.starts_with("MAIL")).expect("a sender");
    assert!(line.contains(" SMTPUTF8") && line.contains(" SIZE="), "{line}");
    assert_eq!(server.taken()[0].to, ["jürgen@example.org"]);
}

#[test]
fn what_stands_in_a_message_stays_where_it_belongs() {
    for (change, path) in [
        (json!({"title": "a\r\nBcc: eve@example.org"}), "title"),
        (json!({"to": {"emails": ["a@example.org\r\nRCPT TO:<eve@example.org>"]}}), "to.emails[0]"),
        (json!({"to": {"emails": ["a@example.org"], "cc": ["a@example.org", "x"]}}), "to.cc[1]"),
        (json!({"to": {"cc": ["a@example.org"]}}), "to.emails"),
        (json!({"extra": {"headers": {"Bcc": "eve@example.org"}}}), "extra.headers.Bcc"),
        (json!({"extra": {"headers": {"X-A": "b\nBcc: eve@example.org"}}}), "extra.headers.X-A"),
        (json!({"extra": {"headers": {"X A": "b"}}}), "extra.headers.X A"),
        (json!({"extra": {"header": {}}}), "extra.header"),
        (json!({"reply_to": "no id"}), "reply_to"),
    ] {
        let server = MailServer::usual();
        let mut message = three();
        message
            .as_object_mut()
            .expect("an object")
            .extend(change.as_object().expect("one").clone());
        let receipt = send(&client(&server), &message);
        let error = receipt.error.as_ref().expect("refused");
        assert_eq!(
            (receipt.delivery, error.code()),
            (Delivery::NotSent, ErrorCode::Message),
            "{error}"
        );
        assert_eq!(error.path(), Some(path), "{error}");
        assert_eq!(server.connections(), 0, "{error}");
    }
}

#[test]
fn texts_in_a_format_arrive_beside_a_plain_one_and_files_behind_them() {
    let server = MailServer::usual();
    let mut message = message(json!({"emails": ["a@example.org"]}));
    message["title"] = "温度 90 °C".into();
    message["format"] = "markdown".into();
    message["text"] = "**hot** [map](https://example.org/m)".into();
    message["attachments"] =
        json!([{"name": "温度.csv", "type": "text/csv", "data_base64": "YSxiCjEsMgo="}]);
    message["priority"] = "high".into();
    message["extra"] = json!({"headers": {"Reply-To": "王芳 <fang@example.org>", "X-Run": "7"}});
    let receipt = send(&client(&server), &message);
    assert_eq!(told(&receipt).0, "sent", "{:?}", receipt.error);
    let text = &server.taken()[0].text;
    for part in [
        "Content-Type: multipart/mixed;",
        "Content-Type: multipart/alternative;",
        "hot map (https://example.org/m)",
        "<strong>hot</strong>",
        "Content-Disposition: attachment;",
        "YSxiCjEsMgo=\r\n",
        "Importance: high",
        "X-Run: 7",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(text.is_ascii(), "{text}");
}

#[test]
fn beyond_this_machine_nothing_is_sent_in_the_clear() {
    // The name leads here, and is none of this machine's own.
    let server = MailServer::usual();
    let config = |url: &str, more: Value| {
        let mut account = json!({"service": "smtp", "base_url": url, "from": "bot@example.org",
            "auth": {"type": "none"}});
        account.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
        json!({"v": 1, "accounts": {"mail": account}}).to_string()
    };
    for (url, more, path) in [
        ("http://127.0.0.1:25", json!({}), "accounts.mail.base_url"),
        ("smtp://mx.example/path", json!({}), "accounts.mail.base_url"),
        ("smtps://mx.example", json!({"from": "nobody"}), "accounts.mail.from"),
        ("smtps://mx.example", json!({"allow_http": true}), "accounts.mail.allow_http"),
    ] {
        let error = Client::from_json(&config(url, more)).err().expect("refused");
        assert_eq!((error.code(), error.path()), (ErrorCode::Config, Some(path)), "{error}");
    }
    drop(server);
}

/// A sandbox with this certificate, and a client of it.
fn sandbox(tls: Tls) -> (Sandbox, Client) {
    let sandbox = Sandbox::start(Options { tls, ..Options::default() }).expect("a sandbox");
    let mut config = sandbox.config();
    config["retry"] = json!({"max_attempts": 1});
    let client = Client::from_json(&config.to_string()).expect("a valid configuration");
    (sandbox, client)
}

#[test]
fn the_sandbox_takes_mail_in_the_clear_and_over_tls() {
    for tls in [Tls::Off, Tls::Good] {
        let (sandbox, client) = sandbox(tls);
        for account in ["smtp", "smtp-xoauth2"] {
            let message = json!({"v": 1, "account": account, "title": "温度", "format": "markdown",
                "to": {"emails": ["anna@example.org", "nobody@example.org"]}, "text": "**90** °C",
                "attachments": [{"name": "温度.csv", "data_base64": "YSxiCjEsMgo="}]});
            sandbox.clear();
            let receipt = send(&client, &message);
            assert_eq!(told(&receipt).0, "partly_sent", "{:?}", receipt.error);
            let messages = sandbox.messages();
            let [mail] = &messages[..] else { panic!("{messages:#?}") };
            assert_eq!(mail["recipient"], "anna@example.org");
            assert_eq!(mail["title"], "温度");
            assert_eq!(mail["text"], "<strong>90</strong> °C");
            assert_eq!(mail["id"].as_str(), receipt.message_id.as_deref());
            assert_eq!(mail["attachments"][0]["name"], "温度.csv");
            assert_eq!(mail["attachments"][0]["size"], 8);
        }
    }
}

#[test]
fn who_is_not_trusted_hears_nothing() {
    for tls in [Tls::WrongHost, Tls::Expired, Tls::OtherCa] {
        let (sandbox, client) = sandbox(tls);
        let message = json!({"v": 1, "account": "smtp", "text": "hello"});
        let receipt = send(&client, &message);
        assert_eq!(told(&receipt), ("not_sent", "tls", None), "{tls:?}: {:?}", receipt.error);
        assert!(sandbox.messages().is_empty());
    }
}

#[test]
fn what_stands_behind_the_word_to_begin_tls_is_not_listened_to() {
    let server = MailServer::start(&["STARTTLS"], |said: &Said<'_>| match said.line {
        "STARTTLS" => say("220 go on\r\n250-mx.example\r\n250 AUTH PLAIN"),
        _ => None,
    });
    let receipt = send(&client(&server), &three());
    assert_eq!(told(&receipt), ("not_sent", "protocol", None), "{:?}", receipt.error);
    assert_eq!(server.lines().last().map(String::as_str), Some("STARTTLS"));
}

#[test]
fn faults_of_the_sandbox_meet_a_mail_behind_its_dot() {
    let (sandbox, client) = sandbox(Tls::Off);
    let message = json!({"v": 1, "account": "smtp", "text": "hello"});
    for (fault, expected, taken) in [
        (json!({"kind": "reset"}), ("maybe_sent", "service"), 0),
        (json!({"kind": "reset", "when": "after"}), ("maybe_sent", "service"), 1),
        (json!({"kind": "garbage"}), ("maybe_sent", "service"), 0),
        (json!({"kind": "drop"}), ("sent", "ok"), 0),
        (json!({"kind": "rate_limit"}), ("not_sent", "service"), 0),
        (
            json!({"kind": "status", "status": 554, "body": "5.7.1 spam"}),
            ("not_sent", "forbidden"),
            0,
        ),
    ] {
        sandbox.clear();
        let mut own = fault.clone();
        own["service"] = "smtp".into();
        sandbox.fault(own).expect("a fault");
        let receipt = send(&client, &message);
        let (delivery, name, _) = told(&receipt);
        assert_eq!((delivery, name), expected, "{fault}: {:?}", receipt.error);
        assert_eq!(sandbox.messages().len(), taken, "{fault}");
    }
}
