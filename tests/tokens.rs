//! Accounts that need a token first, over real sockets: one request for all who wait, and whatever a service
//! answers to it, nothing is sent without one.

#[path = "support/raw.rs"]
mod raw;

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use hongyan::{Client, Receipt, SendOptions};
use raw::{GUARD, RawServer, Request, Then, answer};
use serde_json::{Value, json};

/// A service: its account and a message, the path of its token, one by number, and a success.
struct Service {
    name: &'static str,
    account: fn() -> Value,
    to: fn() -> Value,
    path: &'static str,
    token: fn(usize) -> String,
    /// What it says of a token that holds no more, and its status.
    ended: (u16, &'static str),
    refused: (u16, &'static str),
    success: &'static str,
}

const SERVICES: [Service; 6] = [
    Service {
        name: "wecom_app",
        account: || json!({"auth": {"type": "app", "corp_id": "ww1", "agent_id": 1, "secret": "s3cret"}}),
        to: || json!({"users": ["anna"]}),
        path: "/cgi-bin/gettoken",
        token: |n| {
            format!(r#"{{"errcode":0,"errmsg":"ok","access_token":"tok-{n}","expires_in":7200}}"#)
        },
        ended: (200, r#"{"errcode":42001,"errmsg":"access_token expired"}"#),
        refused: (200, r#"{"errcode":40001,"errmsg":"invalid credential"}"#),
        success: r#"{"errcode":0,"errmsg":"ok","msgid":"m"}"#,
    },
    Service {
        name: "feishu_app",
        account: || json!({"auth": {"type": "app", "id": "cli_1", "secret": "s3cret"}}),
        to: || json!({"user": "ou_1"}),
        path: "/open-apis/auth/v3/tenant_access_token/internal",
        token: |n| {
            format!(r#"{{"code":0,"msg":"ok","tenant_access_token":"tok-{n}","expire":7200}}"#)
        },
        ended: (400, r#"{"code":99991663,"msg":"Invalid access token","error":{}}"#),
        refused: (200, r#"{"code":10014,"msg":"app secret invalid"}"#),
        success: r#"{"code":0,"msg":"success","data":{"message_id":"om_1"}}"#,
    },
    Service {
        name: "dingtalk_app",
        account: || json!({"auth": {"type": "app", "key": "k", "secret": "s3cret"}, "robot_code": "k"}),
        to: || json!({"group": "cid=="}),
        path: "/v1.0/oauth2/accessToken",
        token: |n| format!(r#"{{"accessToken":"tok-{n}","expireIn":7200}}"#),
        ended: (400, r#"{"code":"InvalidAuthentication","message":"no","requestid":"A-1"}"#),
        refused: (400, r#"{"code":"invalidClientIdOrSecret","message":"no","requestid":"A-1"}"#),
        success: r#"{"processQueryKey":"k1"}"#,
    },
    Service {
        name: "wechat_oa",
        account: || json!({"auth": {"type": "app", "id": "wx1", "secret": "s3cret"}}),
        to: || json!({"user": "oAnna"}),
        path: "/cgi-bin/stable_token",
        token: |n| format!(r#"{{"access_token":"tok-{n}","expires_in":7200}}"#),
        ended: (200, r#"{"errcode":42001,"errmsg":"access_token expired rid: 1"}"#),
        refused: (200, r#"{"errcode":40125,"errmsg":"invalid appsecret rid: 1"}"#),
        success: r#"{"errcode":0,"errmsg":"ok"}"#,
    },
    Service {
        name: "qq_bot",
        account: || json!({"auth": {"type": "app", "id": "1", "secret": "s3cret"}}),
        to: || json!({"user": "U1"}),
        path: "/app/getAppAccessToken",
        token: |n| format!(r#"{{"access_token":"tok-{n}","expires_in":"7200"}}"#),
        ended: (401, r#"{"code":11244,"err_code":11244,"message":"token","trace_id":"t"}"#),
        refused: (200, r#"{"code":100016,"message":"invalid appid or secret"}"#),
        success: r#"{"id":"ROBOT1.0_1","timestamp":"2026-03-25T15:03:20+08:00"}"#,
    },
    Service {
        name: "matrix",
        account: || json!({"auth": {"type": "password", "username": "u", "password": "s3cret"}}),
        to: || json!({"room": "!r:hs"}),
        path: "/_matrix/client/v3/login",
        token: |n| format!(r#"{{"access_token":"tok-{n}","expires_in_ms":7200000}}"#),
        ended: (401, r#"{"errcode":"M_UNKNOWN_TOKEN","error":"no","soft_logout":false}"#),
        refused: (403, r#"{"errcode":"M_FORBIDDEN","error":"Invalid username or password"}"#),
        success: r#"{"event_id":"$1"}"#,
    },
];

const JSON: &str = "Content-Type: application/json\r\n";
const THREADS: usize = 64;

impl Service {
    fn client(&self, server: &RawServer, more: &Value) -> Client {
        let mut account = (self.account)();
        account["service"] = self.name.into();
        account["base_url"] = server.url().into();
        account["rate"] = Value::Null;
        let mut config = json!({"v": 1, "accounts": {"a": account},
            "retry": {"max_attempts": 2, "initial_ms": 1, "max_ms": 2}});
        let members = config.as_object_mut().expect("an object");
        members.extend(more.as_object().expect("an object").clone());
        Client::from_json(&config.to_string()).expect("an account")
    }

    /// A message with this in it.
    fn message(&self, name: &str, value: Value) -> Value {
        let mut message = json!({"v": 1, "account": "a", "to": (self.to)()});
        message[name] = value;
        if self.name == "matrix" {
            // Its room is not asked first whether it is encrypted.
            message["extra"] = json!({"allow_unencrypted": true});
        }
        message
    }

    fn send(&self, client: &Client, text: &str) -> Receipt {
        let message = self.message("text", text.into());
        let options = SendOptions::within(GUARD);
        client.send(message.to_string().as_bytes(), options).expect("accepted")
    }

    /// Sends from many threads at once.
    fn send_at_once(&self, client: &Client) -> Vec<Receipt> {
        let start = Barrier::new(THREADS);
        thread::scope(|scope| {
            let one = |n: usize| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    self.send(client, &format!("letter {n}"))
                })
            };
            let all: Vec<_> = (0..THREADS).map(one).collect();
            all.into_iter().map(|one| one.join().expect("no panic")).collect()
        })
    }

    fn asks(&self, request: &Request) -> bool {
        request.target().split('?').next() == Some(self.path)
    }

    /// The requests for a token, and the others.
    fn counts(&self, server: &RawServer) -> (usize, usize) {
        let requests = server.requests();
        let asked = requests.iter().filter(|request| self.asks(request)).count();
        (asked, requests.len() - asked)
    }

    /// The number of the token that a request carries.
    fn carried(request: &Request) -> &str {
        let rest = request.head.split("tok-").nth(1).unwrap_or_default();
        rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default()
    }
}

/// A server of a service, whose tokens are given by `token`, and whose messages are taken by `take`.
fn serve(
    service: &'static Service,
    token: impl Fn(usize, &mut TcpStream) -> std::io::Result<Then> + Send + Sync + 'static,
    take: impl Fn(&str) -> (u16, &'static str) + Send + Sync + 'static,
) -> RawServer {
    let given = AtomicUsize::new(0);
    RawServer::start(move |request, stream| {
        if service.asks(request) {
            return token(given.fetch_add(1, Ordering::Relaxed) + 1, stream);
        }
        let (status, body) = take(Service::carried(request));
        stream.write_all(&answer(status, JSON, body))?;
        Ok(Then::Keep)
    })
}

fn give(service: &Service, n: usize, stream: &mut TcpStream) -> std::io::Result<Then> {
    stream.write_all(&answer(200, JSON, (service.token)(n)))?;
    Ok(Then::Keep)
}

#[test]
fn messages_of_many_threads_cost_one_token() {
    for service in &SERVICES {
        let server =
            serve(service, |n, stream| give(service, n, stream), |_| (200, service.success));
        let client = service.client(&server, &json!({}));
        let receipts = service.send_at_once(&client);
        for receipt in &receipts {
            assert_eq!(receipt.delivery.name(), "sent", "{}: {:?}", service.name, receipt.error);
        }
        assert_eq!(service.counts(&server), (1, THREADS), "{}", service.name);
    }
}

#[test]
fn a_token_that_ended_is_got_anew_once_for_all_and_each_message_is_sent_once() {
    for service in &SERVICES {
        let taken = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&taken);
        let server = serve(
            service,
            |n, stream| give(service, n, stream),
            move |token| match token {
                "1" => service.ended,
                _ => {
                    counted.fetch_add(1, Ordering::Relaxed);
                    (200, service.success)
                }
            },
        );
        let client = service.client(&server, &json!({}));
        let receipts = service.send_at_once(&client);
        assert!(
            receipts.iter().all(|receipt| receipt.delivery.name() == "sent"),
            "{}",
            service.name
        );
        assert_eq!(taken.load(Ordering::Relaxed), THREADS, "{}", service.name);
        assert_eq!(service.counts(&server).0, 2, "{}", service.name);
    }
}

#[test]
fn a_refusal_is_told_to_all_and_asked_for_once() {
    for service in &SERVICES {
        let (status, body) = service.refused;
        let refuse = move |_: usize, stream: &mut TcpStream| {
            stream.write_all(&answer(status, JSON, body))?;
            Ok(Then::Keep)
        };
        let server = serve(service, refuse, |_| (200, service.success));
        let client = service.client(&server, &json!({}));
        // Others come while the refusal stands, or just after: it stands for five seconds.
        for receipt in service.send_at_once(&client) {
            let error = receipt.error.expect("an error");
            let verdict = (receipt.delivery.name(), error.code().name());
            assert_eq!(verdict, ("not_sent", "auth"), "{}: {error}", service.name);
            // A refusal that stops the account is told to whoever comes later.
            assert!(error.words().contains("no token: "), "{error}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
        let (asked, others) = service.counts(&server);
        // A machine that is very slow may need more than five seconds for them.
        assert!((1..=3).contains(&asked) && others == 0, "{}: {asked} {others}", service.name);
    }
}

#[test]
fn no_answer_to_the_request_for_a_token_lets_anything_be_sent() {
    type Hostile = fn(&mut TcpStream) -> std::io::Result<Then>;
    let cases: [(&str, &str, Hostile); 7] = [
        ("nothing at all", "timeout", |_| Ok(Then::Hang)),
        ("an end", "network", |_| Ok(Then::Close)),
        ("2 MiB", "protocol", |stream| {
            let body = format!(r#"{{"access_token":"{}"}}"#, "x".repeat(2 << 20));
            // The client is gone before it has all of it.
            _ = stream.write_all(&answer(200, JSON, &body));
            Ok(Then::Close)
        }),
        ("half of it", "protocol", |stream| {
            stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"access_token\":\"t\",",
            )?;
            Ok(Then::Close)
        }),
        ("a line break in it", "protocol", |stream| {
            let body = r#"{"errcode":0,"errmsg":"ok","code":0,"msg":"ok","access_token":"t\r\nx: y",
                "accessToken":"t\r\nx: y","tenant_access_token":"t\r\nx: y","expires_in":60,"expireIn":60,
                "expire":60}"#;
            stream.write_all(&answer(200, JSON, body))?;
            Ok(Then::Keep)
        }),
        ("a page", "protocol", |stream| {
            stream.write_all(&answer(
                200,
                "Content-Type: text/html\r\n",
                "<html>sign in</html>",
            ))?;
            Ok(Then::Keep)
        }),
        ("a bad gateway", "service", |stream| {
            stream.write_all(&answer(502, "Content-Type: text/html\r\n", "<html>502</html>"))?;
            Ok(Then::Keep)
        }),
    ];
    for service in &SERVICES {
        for (what, name, hostile) in cases {
            let server =
                serve(service, move |_, stream| hostile(stream), |_| (200, service.success));
            // A time-out is what ends one of them only.
            let ms = if name == "timeout" { 300 } else { 120_000 };
            let client = service.client(&server, &json!({"timeout_ms": ms}));
            let receipt = service.send(&client, "hello");
            let error = receipt.error.expect("an error");
            let verdict = (receipt.delivery.name(), error.code().name());
            assert_eq!(verdict, ("not_sent", name), "{} {what}: {error}", service.name);
            let (asked, others) = service.counts(&server);
            assert!(asked <= 2 && others == 0, "{} {what}: {asked} {others}", service.name);
        }
    }
}

/// A service that takes a file up before it sends it.
#[derive(Clone, Copy)]
struct Upload {
    service: &'static str,
    /// A file that it takes.
    file: fn() -> Value,
    path: &'static str,
    success: &'static str,
}

const UPLOADS: [Upload; 7] = [
    Upload {
        service: "wecom_app",
        file,
        path: "/cgi-bin/media/upload",
        success: r#"{"errcode":0,"errmsg":"ok","type":"file","media_id":"m1","created_at":"1"}"#,
    },
    Upload {
        service: "wechat_oa",
        file: || json!({"name": "a.png", "data_base64": "aG9uZ3lhbg=="}),
        path: "/cgi-bin/media/upload",
        success: r#"{"errcode":0,"errmsg":"ok","type":"image","media_id":"m1","created_at":1}"#,
    },
    // As WeChat's older document has it.
    Upload {
        service: "wechat_oa",
        file: || json!({"name": "a.png", "data_base64": "aG9uZ3lhbg=="}),
        path: "/cgi-bin/media/upload",
        success: r#"{"type":"image","media_id":"m1","created_at":1}"#,
    },
    Upload {
        service: "feishu_app",
        file,
        path: "/open-apis/im/v1/files",
        success: r#"{"code":0,"msg":"success","data":{"file_key":"file_1"}}"#,
    },
    Upload {
        service: "dingtalk_app",
        file,
        path: "/media/upload",
        success: r#"{"errcode":0,"errmsg":"ok","media_id":"@m1"}"#,
    },
    Upload {
        service: "qq_bot",
        file: || json!({"url": "https://example.com/a.pdf"}),
        path: "/v2/users/U1/files",
        success: r#"{"file_uuid":"u","file_info":"i1","ttl":300}"#,
    },
    Upload {
        service: "matrix",
        file,
        path: "/_matrix/media/v3/upload",
        success: r#"{"content_uri":"mxc://hs/a"}"#,
    },
];

fn file() -> Value {
    json!({"name": "a.pdf", "data_base64": "aG9uZ3lhbg=="})
}

/// Sends a file by a service whose uploads are answered so; gives the verdict, and how often it was uploaded
/// and sent.
fn send_file(
    Upload { service: name, file, path, .. }: Upload,
    upload: impl Fn(&mut TcpStream) -> std::io::Result<Then> + Send + Sync + 'static,
    timeout_ms: u64,
) -> (Receipt, usize, usize) {
    let service = SERVICES.iter().find(|own| own.name == name).expect("a service");
    let server = RawServer::start(move |request, stream| {
        if service.asks(request) {
            return give(service, 1, stream);
        }
        if request.target().split('?').next() == Some(path) {
            return upload(stream);
        }
        stream.write_all(&answer(200, JSON, service.success))?;
        Ok(Then::Keep)
    });
    let client = service.client(&server, &json!({"timeout_ms": timeout_ms}));
    let message = service.message("attachments", json!([file()]));
    let options = SendOptions::within(GUARD);
    let receipt = client.send(message.to_string().as_bytes(), options).expect("accepted");
    let requests = server.requests();
    let is = |request: &&Request, own: &str| request.target().split('?').next() == Some(own);
    let uploads = requests.iter().filter(|request| is(request, path)).count();
    let asked = requests.iter().filter(|request| service.asks(request)).count();
    (receipt, uploads, requests.len() - uploads - asked)
}

#[test]
fn a_file_goes_up_and_is_sent_by_what_it_was_called_there() {
    for one in UPLOADS {
        let success = one.success;
        let up = move |stream: &mut TcpStream| {
            stream.write_all(&answer(200, JSON, success))?;
            Ok(Then::Keep)
        };
        let (receipt, uploads, sends) = send_file(one, up, 120_000);
        assert_eq!(receipt.delivery.name(), "sent", "{}: {:?}", one.service, receipt.error);
        assert_eq!((uploads, sends), (1, 1), "{}", one.service);
    }
}

#[test]
fn a_doubt_in_an_upload_is_not_sent() {
    for one in UPLOADS {
        let hang = |_: &mut TcpStream| Ok(Then::Hang);
        let close = |_: &mut TcpStream| Ok(Then::Close);
        let gateway = |stream: &mut TcpStream| {
            stream.write_all(&answer(502, "Content-Type: text/html\r\n", "<html>502</html>"))?;
            Ok(Then::Keep)
        };
        let nameless = |stream: &mut TcpStream| {
            let body = r#"{"errcode":0,"errmsg":"ok","code":0,"msg":"success","data":{}}"#;
            stream.write_all(&answer(200, JSON, body))?;
            Ok(Then::Keep)
        };
        for (what, (receipt, _, sends)) in [
            ("hang", send_file(one, hang, 300)),
            ("close", send_file(one, close, 120_000)),
            ("gateway", send_file(one, gateway, 120_000)),
            ("nameless", send_file(one, nameless, 120_000)),
        ] {
            let error = receipt.error.expect("an error");
            assert_eq!(
                (receipt.delivery.name(), sends),
                ("not_sent", 0),
                "{} {what}: {error}",
                one.service
            );
        }
    }
}
