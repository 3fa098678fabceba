//! No secret is in anything that a program, its log or its user sees, whatever a server says.
//!
//! The server of these tests returns the whole request, header fields and body, in every shape
//! that a service or a proxy might.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/needles.rs"]
mod needles;
#[path = "support/raw.rs"]
mod raw;
#[path = "support/spellings.rs"]
mod spellings;

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use accounts::{client, message_with, send, submit_and_wait, verdict};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hongyan::{LogLevel, Message, Receipt, Secret};
use needles::Needles;
use raw::{RawServer, Request, Then, answer};
use serde_json::{Value, json};

const PASSWORD: &str = "p4ss/w+rd=&\"é<>";
const CONSUMER_SECRET: &str = "c0nsumer/secret+=";
const TOKEN: &str = "4ccess&token";
const TOKEN_SECRET: &str = "t0ken secret";
const SECRET_KEY: &str = "5bd2850fff3ecb11d7c8";
const TEXT: &str = "a text that is nobody else's business";

/// The secrets of one account.
fn secrets_of(account: &str) -> Vec<String> {
    let pair = STANDARD.encode(format!("test:{PASSWORD}"));
    match account {
        "basic" => vec![PASSWORD.to_owned(), pair],
        "oauth" => [CONSUMER_SECRET, TOKEN, TOKEN_SECRET].map(str::to_owned).to_vec(),
        _ => vec![SECRET_KEY.to_owned()],
    }
}

fn secrets() -> Needles {
    let all: Vec<_> = ACCOUNTS.into_iter().flat_map(secrets_of).collect();
    Needles::new(&all.iter().map(String::as_str).collect::<Vec<_>>())
}

fn config(url: &str, format: &str) -> Value {
    json!({"v": 1, "trace": true,
        "retry": {"max_attempts": 2, "initial_ms": 1, "max_ms": 1},
        "accounts": {
            "basic": {"service": "fanfou", "base_url": url, "format": format,
                "auth": {"type": "basic", "username": "test", "password": PASSWORD}},
            "oauth": {"service": "fanfou", "base_url": url, "format": format,
                "auth": {"type": "oauth1", "consumer_key": "ck", "consumer_secret": CONSUMER_SECRET,
                    "token": TOKEN, "token_secret": TOKEN_SECRET}},
            "im": {"service": "tencent_im", "base_url": url,
                "auth": {"type": "usersig", "sdk_app_id": 1_400_000_000,
                    "identifier": "administrator", "secret_key": SECRET_KEY}}}})
}

const ACCOUNTS: [&str; 3] = ["basic", "oauth", "im"];

fn message(account: &str) -> Value {
    message_with(account, json!({"text": TEXT}))
}

/// The request, and the secrets that a service knows of it: as a service may say them.
fn echo(request: &Request) -> String {
    let account = match request.header("authorization") {
        Some(value) if value.starts_with("Basic") => "basic",
        Some(_) => "oauth",
        None => "im",
    };
    format!("{}{} {}", request.head, request.body_text(), secrets_of(account).join(" "))
}

fn escaped(text: &str) -> String {
    serde_json::to_string(text).expect("a string").replace('/', "\\/")
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// The shapes in which a request comes back.
const SHAPES: [fn(&str) -> String; 12] = [
    |echo| format!("{{\"request\":{0},\"error\":{0}}}", escaped(echo)),
    |echo| format!("{{\"request\":{0},\"error\":{0}}}", serde_json::to_string(echo).expect("JSON")),
    |echo| format!("{{\"error\":{{\"nested\":[{}]}}}}", escaped(echo)),
    |echo| format!("{{\"id\":\"a1\",\"text\":{}}}", escaped(echo)),
    // Cut off: no longer JSON.
    |echo| format!("{{\"request\":{0},\"error\":{0}", escaped(echo)),
    |echo| format!("<html><title>{0}</title><body>{0}</body></html>", html(echo)),
    |echo| format!("<hash><request>{0}</request><error>{0}</error></hash>", html(echo)),
    |echo| format!("<direct_message><id>a1</id><text>{}</text></direct_message>", html(echo)),
    |echo| echo.to_owned(),
    |echo| {
        format!("{{\"ActionStatus\":\"FAIL\",\"ErrorCode\":10004,\"ErrorInfo\":{}}}", escaped(echo))
    },
    |echo| {
        format!("{{\"ActionStatus\":\"OK\",\"ErrorCode\":0,\"MsgDropReason\":{}}}", escaped(echo))
    },
    |echo| {
        format!("{{\"ActionStatus\":\"OK\",\"ErrorCode\":0,\"MsgSeq\":7,\"x\":{}}}", escaped(echo))
    },
];

/// What was made for these requests only: the signatures of OAuth and UserSigs.
fn signatures(requests: &[Request]) -> Vec<String> {
    let mut found = Vec::new();
    for request in requests {
        for (begin, end) in [("oauth_signature=\"", '"'), ("usersig=", '&')] {
            if let Some((_, rest)) = request.head.split_once(begin) {
                let encoded = rest.split(end).next().unwrap_or_default();
                let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8_lossy();
                found.push(decoded.into_owned());
            }
        }
    }
    found
}

/// Everything that a receipt shows.
fn views(receipt: &Receipt) -> Vec<(&'static str, String)> {
    let mut views = vec![
        ("the receipt's JSON", receipt.to_json()),
        ("the receipt's Debug", format!("{receipt:?}")),
        (
            "the receipt's pretty Debug",
            format!("{receipt:#?}").replace(",\n", ", ").replace("  ", ""),
        ),
    ];
    if let Some(error) = &receipt.error {
        views.push(("the error's JSON", error.to_json()));
        views.push(("the error's Debug", format!("{error:?}")));
        views.push(("the error's words", error.to_string()));
        views.push(("the error's message", error.message().to_owned()));
        views.push(("the service's code", error.service_code().unwrap_or_default().to_owned()));
        views.push(("the error's hint", error.hint_text().unwrap_or_default().to_owned()));
    }
    views
}

type Lines = Arc<Mutex<Vec<String>>>;

/// Collects the log for as long as a test of this file runs; they run one after the other.
fn with_log(test: impl FnOnce(&Lines)) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let lines = Lines::default();
    let sink = Arc::clone(&lines);
    hongyan::set_log(
        Some(LogLevel::Trace),
        Some(Box::new(move |level, target, text| {
            let mut lines = sink.lock().unwrap_or_else(PoisonError::into_inner);
            lines.push(format!("{level:?} {target} {text}"));
        })),
    )
    .expect("not inside the sink");
    test(&lines);
    hongyan::set_log(None, None).expect("not inside the sink");
    let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(!lines.is_empty(), "nothing was logged");
    secrets().assert_absent("the log", &lines.join("\n"));
    assert!(!lines.iter().any(|line| line.contains(TEXT)), "a message is in the log");
}

#[test]
fn what_a_service_returns_of_the_request_is_masked() {
    with_log(|lines| {
        let mut failures = Vec::new();
        for status in [200, 400, 401, 403, 429, 500, 502] {
            for (n, shape) in SHAPES.into_iter().enumerate() {
                for format in ["json", "xml"] {
                    let server = RawServer::start(move |request, stream| {
                        let fields = "Retry-After: 7200\r\n";
                        stream.write_all(&answer(status, fields, shape(&echo(request))))?;
                        Ok(Then::Keep)
                    });
                    let client = client(&config(&server.url(), format));
                    for account in ACCOUNTS {
                        let at = server.request_count();
                        let json =
                            message_with(account, json!({"text": TEXT, "deadline_ms": 3_600_000}));
                        let receipt = send(&client, &json);
                        let mut needles = secrets();
                        let requests = server.requests();
                        assert!(requests.len() > at, "no request: {receipt:?}");
                        let made = signatures(&requests[at..]);
                        assert_eq!(made.is_empty(), account == "basic");
                        made.iter().for_each(|signature| needles.add(signature));
                        for (what, text) in views(&receipt) {
                            if let Some((secret, form)) = needles.find(&text) {
                                failures.push(format!(
                                    "{status}, shape {n}, {format}, {account}: {what} shows {secret:?} as {form:?}"
                                ));
                            }
                        }
                        let log = lines.lock().unwrap_or_else(PoisonError::into_inner).join("\n");
                        needles.assert_absent("the log", &log);
                        lines.lock().unwrap_or_else(PoisonError::into_inner).truncate(1);
                    }
                    secrets().assert_absent("the statistics", &client.stats_json());
                }
            }
        }
        let first = &failures[..failures.len().min(12)];
        assert!(failures.is_empty(), "{} leaks:\n{}", failures.len(), first.join("\n"));
    });
}

/// Where a service may repeat what it was sent: a name, a status, and a body around it.
type Place = (&'static str, u16, fn(&str) -> String);

const PLACES: [Place; 14] = [
    ("a refusal", 400, |text| format!("{{\"request\":\"/x\",\"error\":{}}}", json!(text))),
    ("a refusal, as it stands", 403, |text| {
        format!("{{\"error\":\"a {text} b\",\"request\":\"/x\"}}")
    }),
    ("a refusal cut off", 500, |text| format!("{{\"error\":\"a {text} b")),
    ("a nested member", 400, |text| format!("{{\"error\":{{\"a\":[{}]}}}}", json!(text))),
    ("the name of a member", 400, |text| json!({text: 1, "error": {text: text}}).to_string()),
    ("an id", 200, |text| json!({"id": text, "text": "x"}).to_string()),
    ("an id with more", 200, |text| json!({"id": format!("a-{text}-b")}).to_string()),
    ("XML", 400, |text| format!("<hash><request>/x</request><error>{text}</error></hash>")),
    ("an id in XML", 200, |text| format!("<direct_message><id>{text}</id></direct_message>")),
    ("a page", 502, |text| format!("<html><body title=\"{text}\">\n{text}</body></html>")),
    ("text", 418, |text| format!("bad password: {text}")),
    ("a code", 200, |text| {
        json!({"ActionStatus": "FAIL", "ErrorCode": text, "ErrorInfo": "x"}).to_string()
    }),
    ("words", 200, |text| {
        json!({"ActionStatus": "FAIL", "ErrorCode": 10004, "ErrorInfo": text}).to_string()
    }),
    ("a reason", 200, |text| {
        json!({"ActionStatus": "OK", "ErrorCode": 0, "MsgDropReason": text}).to_string()
    }),
];

#[test]
fn a_secret_is_masked_in_every_place_and_spelling() {
    with_log(|_| {
        let body: Arc<Mutex<(u16, String)>> = Arc::default();
        let said = Arc::clone(&body);
        let server = RawServer::start(move |_, stream| {
            let (status, body) = said.lock().unwrap_or_else(PoisonError::into_inner).clone();
            stream.write_all(&answer(status, "", body))?;
            Ok(Then::Keep)
        });
        let mut config = config(&server.url(), "json");
        config["retry"]["max_attempts"] = 1.into();
        config["accounts"]["xml"] = config["accounts"]["basic"].clone();
        config["accounts"]["xml"]["format"] = "xml".into();
        config["accounts"]["weibo"] = json!({"service": "weibo", "base_url": server.url(),
            "auth": {"type": "oauth2", "token": "217777|6.AbC"}});
        for account in ["basic", "xml", "im", "weibo"] {
            config["accounts"][account]["rate"] = Value::Null;
        }
        let client = client(&config);
        let mut failures = Vec::new();
        for (account, secret) in
            [("basic", PASSWORD), ("xml", PASSWORD), ("im", SECRET_KEY), ("weibo", "217777|6.AbC")]
        {
            let message = match account {
                "weibo" => json!({"v": 1, "account": account, "to": {"user": "1"}, "text": TEXT}),
                _ => message(account),
            };
            let whole =
                spellings::whole(secret).into_iter().map(|(name, text)| (name, text.clone(), text));
            let spelled: Vec<_> =
                whole.chain(spellings::within_base64(secret).into_iter().step_by(7)).collect();
            for (place, status, around) in PLACES {
                for (name, text, own) in &spelled {
                    let text = around(text);
                    *body.lock().unwrap_or_else(PoisonError::into_inner) = (status, text.clone());
                    let receipt = send(&client, &message);
                    assert_eq!(receipt.attempts, 1, "{receipt:?}");
                    let mut views = views(&receipt);
                    views.push(("the id", receipt.message_id.clone().unwrap_or_default()));
                    for (what, shown) in views {
                        let unescaped = shown.replace("\\\\", "\\").replace("\\\"", "\"");
                        if shown.contains(own.as_str()) || unescaped.contains(own.as_str()) {
                            failures.push(format!(
                                "{account}, {place}, {name}: {what} of {text} is {shown}"
                            ));
                        }
                    }
                }
            }
        }
        let first = &failures[..failures.len().min(12)];
        assert!(failures.is_empty(), "{} leaks:\n{}", failures.len(), first.join("\n"));
    });
}

#[test]
fn a_password_of_digits_is_masked_as_a_number_too() {
    with_log(|_| {
        let server = RawServer::fixed(answer(
            400,
            "",
            r#"{"request":"/x","error":"no","password":12345678,"p":1.2345678e7,"id":123456789}"#,
        ));
        let mut config = config(&server.url(), "json");
        config["accounts"]["basic"]["auth"]["password"] = "12345678".into();
        let receipt = send(&client(&config), &message("basic"));
        let raw = &accounts::shown(&receipt)["raw"];
        assert_eq!((&raw["password"], &raw["p"]), (&json!("***"), &json!("***")), "{raw}");
        assert_eq!(raw["id"], 123_456_789, "another number");
    });
}

#[test]
fn a_short_password_leaves_the_answer_readable() {
    with_log(|_| {
        for (password, code) in
            [("a", "a 1 no"), ("1", "a 1 no"), ("no", "a 1 no"), ("pwd", "no, pwds")]
        {
            let body = json!({"request": "/1/x.json", "error": code, "n": 1}).to_string();
            let server = RawServer::fixed(answer(400, "", &body));
            let mut config = config(&server.url(), "json");
            config["accounts"]["basic"]["auth"]["password"] = password.into();
            let receipt = send(&client(&config), &message("basic"));
            assert_eq!(accounts::shown(&receipt)["raw"].to_string(), body, "{password}");
            assert!(receipt.error.expect("refused").message().contains(code), "{password}");
        }
    });
}

#[cfg(feature = "outbox")]
#[test]
fn an_outbox_keeps_no_secret() {
    let folder = std::env::temp_dir().join(format!("hongyan-secrets-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let spelled: Vec<_> = spellings::whole(PASSWORD).into_iter().map(|(_, text)| text).collect();
    let said = spelled.clone();
    let server = RawServer::start(move |request, stream| {
        let text = &said[(request.number - 1) % said.len()];
        let body = json!({"request": request.head, "error": text, "id": "1"}).to_string();
        stream.write_all(&answer(400, "", body))?;
        Ok(Then::Keep)
    });
    let mut config = config(&server.url(), "json");
    config["outbox"] = json!({"path": folder.join("outbox").to_str().expect("UTF-8")});
    config["accounts"]["basic"]["rate"] = Value::Null;
    let client = client(&config);
    for _ in &spelled {
        submit_and_wait(&client, &message("basic"));
    }
    drop(client);
    let mut kept = 0;
    for file in std::fs::read_dir(&folder).expect("the folder") {
        let bytes = std::fs::read(file.expect("an entry").path()).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        kept += text.matches("***").count();
        for spelled in &spelled {
            assert!(!text.contains(spelled.as_str()), "{spelled} is in the outbox");
        }
        secrets().assert_absent("the outbox", &text);
    }
    assert!(kept >= spelled.len(), "{kept} masks: the results are not there");
    std::fs::remove_dir_all(&folder).expect("ours");
}

#[test]
fn what_is_cut_short_for_people_is_masked_before() {
    with_log(|_| {
        let beginning = Needles::new(&[&SECRET_KEY[..8]]);
        for before in 150..210 {
            let server = RawServer::start(move |_, stream| {
                let body = format!("{}{SECRET_KEY} and more", "-".repeat(before));
                stream.write_all(&answer(418, "", body))?;
                Ok(Then::Close)
            });
            let receipt = send(&client(&config(&server.url(), "json")), &message("im"));
            assert_eq!(verdict(&receipt), ("not_sent", "protocol"));
            for (what, text) in views(&receipt) {
                beginning.assert_absent(&format!("{what}, after {before} characters"), &text);
            }
        }
    });
}

#[test]
fn a_receipt_of_a_success_and_of_no_answer_hides_them_too() {
    with_log(|_| {
        for then in [Then::Keep, Then::Close, Then::Reset] {
            let server = RawServer::start(move |request, stream| {
                if then == Then::Keep {
                    let body = match request.target().contains("usersig") {
                        true => accounts::success("im"),
                        false => accounts::success("ff-json"),
                    };
                    stream.write_all(&answer(200, "", body))?;
                }
                Ok(then)
            });
            let client = client(&config(&server.url(), "json"));
            for account in ACCOUNTS {
                let receipts =
                    [send(&client, &message(account)), submit_and_wait(&client, &message(account))];
                let mut needles = secrets();
                signatures(&server.requests()).iter().for_each(|made| needles.add(made));
                for receipt in receipts {
                    assert_eq!(verdict(&receipt).0 == "sent", then == Then::Keep);
                    views(&receipt)
                        .iter()
                        .for_each(|(what, text)| needles.assert_absent(what, text));
                }
            }
        }
    });
}

#[test]
fn what_is_shown_before_sending_hides_them() {
    with_log(|_| {
        let client = client(&config("http://127.0.0.1:9", "json"));
        let needles = secrets();
        for account in ACCOUNTS {
            let message = Message::from_json(&message(account).to_string()).expect("valid");
            let preview = client.preview(message.clone()).expect("a known account");
            needles.assert_absent("the preview", &format!("{preview:?}"));
            assert!(!preview.url.contains("usersig=eJ"), "{}", preview.url);
            assert!(!format!("{preview:?}").contains("oauth_signature=\""), "{preview:?}");
            needles.assert_absent("the message", &format!("{message:?}"));
            // Nobody listens: the failure has no URL with a UserSig in it.
            let receipt = send(&client, &accounts::message(account));
            for (what, text) in views(&receipt) {
                needles.assert_absent(what, &text);
                assert!(!text.contains("usersig="), "{what}: {text}");
            }
        }
        needles.assert_absent("a secret", &format!("{:?}", Secret::new(PASSWORD.to_owned())));
        needles.assert_absent("the statistics", &client.stats_json());
        needles.assert_absent("the services", hongyan::services_json());
    });
}

#[test]
fn a_proxy_s_password_is_hidden_too() {
    with_log(|_| {
        let pair = STANDARD.encode("u:hunter2-hunter2");
        let needles = Needles::new(&["hunter2-hunter2", &pair]);
        let proxy = RawServer::start(|request, stream| {
            assert!(request.header("proxy-authorization").is_some(), "{}", request.head);
            let body = format!("<html>{} hunter2-hunter2</html>", request.head);
            stream.write_all(&answer(407, "", body))?;
            Ok(Then::Keep)
        });
        for port in [proxy.port(), 9] {
            let mut config = config("http://127.0.0.1:9", "json");
            config["proxy"] = format!("http://u:hunter2-hunter2@127.0.0.1:{port}").into();
            let client = client(&config);
            for account in ACCOUNTS {
                let receipt = send(&client, &message(account));
                assert_eq!(verdict(&receipt).0, "not_sent", "{:?}", receipt.error);
                views(&receipt).iter().for_each(|(what, text)| needles.assert_absent(what, text));
            }
        }
        assert_eq!(proxy.request_count(), ACCOUNTS.len());
    });
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let needles = secrets();
    let raw = |text: &str| format!("{:?}", text.as_bytes());
    for text in [
        format!("a{PASSWORD}b"),
        format!("{PASSWORD:?}"),
        escaped(TOKEN),
        escaped(&escaped(CONSUMER_SECRET)),
        html(PASSWORD),
        raw(SECRET_KEY),
        "4ccess%26token".to_owned(),
        "t0ken+secret".to_owned(),
        STANDARD.encode(TOKEN_SECRET),
        STANDARD.encode(format!("test:{PASSWORD}")),
    ] {
        assert!(needles.find(&text).is_some(), "{text}");
    }
    assert!(needles.find("nothing of the kind").is_none());
}
