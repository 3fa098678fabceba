//! The system has no more threads: real clients, whose threads a test refuses to start.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use serde_json::json;

use crate::engine::accept::lookup::SystemLookup;
use crate::engine::results::wake::Refusal;
#[cfg(feature = "outbox")]
use crate::engine::store::sqlite::Sqlite;
use crate::engine::{Begins, Engine, Waited};
use crate::model::config::ClientConfig;
use crate::model::error::{ErrorCode, Result};
use crate::model::message::{Message, Parsed};
use crate::model::receipt::{Delivery, Receipt};

/// A Fanfou that takes everything, for as long as the test runs.
fn service() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            std::thread::spawn(move || {
                let mut seen = Vec::new();
                let mut some = [0; 4096];
                while let Ok(n @ 1..) = stream.read(&mut some) {
                    seen.extend_from_slice(&some[..n]);
                    if seen.ends_with(b"end") {
                        seen.clear();
                        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"id\":\"a\"}";
                        if stream.write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    address
}

/// A client of one account, whose host is known by a name.
fn engine(service: SocketAddr, outbox: Option<&std::path::Path>) -> Result<Engine> {
    let mut config = json!({"v": 1, "retry": {"max_attempts": 3, "initial_ms": 1, "max_ms": 2},
        "accounts": {"ff": {"service": "fanfou", "base_url": format!("http://well.test:{}", service.port()),
            "auth": {"type": "basic", "username": "u", "password": "password"}}}});
    if let Some(path) = outbox {
        config["outbox"] = json!({"path": path});
    }
    let config = ClientConfig::from_value(config).expect("a valid configuration");
    Engine::with_lookup(config, Begins::All, SystemLookup::new(move |_| Ok(vec![service])))
}

fn message() -> Parsed {
    let json = json!({"v": 1, "account": "ff", "to": {"user": "u"}, "text": "the end"});
    Ok(Message::from_json(&json.to_string()).expect("a valid message"))
}

fn submit(engine: &Engine) -> Result<()> {
    let message = message().expect("a valid message");
    engine.submit_many([(message.into(), 1)].into_iter()).map_err(|(_, error)| error)
}

fn send(engine: &Engine) -> Receipt {
    *engine.send_blocking(message(), None, None).expect("accepted")
}

fn next(engine: &Engine) -> Receipt {
    match engine.take(Some(Duration::from_secs(300)), 1).map(Waited::from).expect("open") {
        Waited::Results(mut receipts) => receipts.remove(0),
        Waited::Nothing => panic!("no result came"),
    }
}

fn is_sent(receipt: &Receipt) {
    assert_eq!(receipt.delivery, Delivery::Sent, "{:?}", receipt.error);
}

#[test]
fn without_a_thread_nothing_is_sent_and_everything_goes_on_once_there_is_one() {
    let service = service();
    let engine = engine(service, None).expect("a client needs no thread");
    let refusal = Refusal::begin();
    let receipt = send(&engine);
    let error = receipt.error.as_ref().expect("not sent");
    assert_eq!((receipt.delivery, error.code()), (Delivery::NotSent, ErrorCode::Internal));
    assert_eq!((receipt.attempts, error.is_retryable()), (3, true), "{error}");
    assert!(
        error.to_string().contains("well.test: no thread can be started to look up its name"),
        "{error}"
    );
    let refused = submit(&engine).expect_err("nobody would carry it out");
    assert_eq!(refused.code(), ErrorCode::Internal, "{refused}");
    let nothing = engine.take(Some(Duration::ZERO), 1).expect("there may be results");
    assert!(nothing.is_empty());
    engine.poll_handle().expect("a descriptor is no thread");
    drop(refusal);
    is_sent(&send(&engine));
    submit(&engine).expect("accepted");
    is_sent(&next(&engine));
    let _refusal = Refusal::begin();
    assert_eq!(engine.close(Some(Duration::from_secs(1))), 0);
}

#[test]
fn a_runtime_s_own_thread_is_told_so_too() {
    let service = service();
    let engine = engine(service, None).expect("a client");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let refusal = Refusal::begin();
    runtime.block_on(async {
        for told in [engine.send_blocking(message(), None, None), engine.send(message()).await] {
            let error = told.expect_err("nobody would carry it out");
            assert_eq!(error.code(), ErrorCode::Internal, "{error}");
        }
    });
    assert_eq!(engine.close(None), 0, "none of them was accepted");
    drop(refusal);
}

#[cfg(feature = "outbox")]
#[test]
fn an_outbox_without_threads_is_refused_at_once_and_loses_nothing() {
    let folder = std::env::temp_dir().join(format!("hongyan-exhausted-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("outbox.db");
    let service = service();
    let refused = |path| {
        let _refusal = Refusal::begin();
        let error = engine(service, Some(path)).err().expect("it needs a thread");
        assert_eq!(error.code(), ErrorCode::Internal, "{error}");
        assert!(error.to_string().contains("thread cannot be started"), "{error}");
    };
    refused(&path);
    // A message of an earlier run, which was not done.
    let far = json!({"v": 1, "account": "ff", "to": {"user": "u"}, "text": "the end",
        "not_before_ms": 4_000_000_000_000_u64});
    {
        let engine = engine(service, Some(&path)).expect("there are threads again");
        let json = far.to_string();
        let far = std::iter::once((json.as_str().into(), 1));
        engine.submit_many(far).expect("accepted");
        assert_eq!(engine.close(Some(Duration::ZERO)), 1);
    }
    refused(&path);
    let engine = engine(service, Some(&path)).expect("there are threads again");
    let left = Sqlite::read_only(&path).and_then(|file| file.rows(0, 9)).expect("an outbox");
    assert_eq!(left.len(), 1, "it is still there");
    let refusal = Refusal::begin();
    submit(&engine).expect("its threads run already");
    drop(refusal);
    is_sent(&next(&engine));
    drop(engine);
    std::fs::remove_dir_all(&folder).expect("the folder of this test");
}
