//! Servers that are reached by a name, as those beyond this machine are.

#[allow(clippy::duplicate_mod, reason = "the corpus of answers has its own")]
#[path = "../../../tests/support/mail.rs"]
mod mail;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use mail::MailServer;
use url::Url;

use super::*;
use crate::net::{Boxed, Clock, Sleep};

/// Far more than any of this takes.
const GUARD: Duration = Duration::from_secs(120);

/// Every name leads to this machine.
struct Here;

impl Lookup for Here {
    fn look_up(&self, _host: String) -> Boxed<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(async { Ok(vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)]) })
    }
}

struct Real(Instant);

impl Clock for Real {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn unix_ms(&self) -> u64 {
        0
    }

    fn sleep_until(&self, at: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(at.saturating_sub(self.now())))
    }
}

fn sent(server: &str) -> (Result<Answer, Failure>, bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let tls = Arc::new(Tls::new(None).expect("certificates"));
        let smtp = Smtp::new(Duration::from_secs(60), tls, Arc::new(Here));
        let clock: Arc<dyn Clock> = Arc::new(Real(Instant::now()));
        let mail = Mail {
            server: Url::parse(server).expect("a URL"),
            login: None,
            from: "bot@example.org".to_owned(),
            recipients: vec!["a@example.org".to_owned()],
            text: Bytes::from_static(b"Subject: x\r\n\r\nx\r\n"),
            files: Vec::new(),
        };
        let begun = Arc::new(AtomicBool::new(false));
        let answer = smtp.send(mail, &mut Alarm::new(&clock, GUARD), Arc::clone(&begun)).await;
        (answer, begun.load(Ordering::Acquire))
    })
}

#[test]
fn beyond_this_machine_nothing_is_said_without_tls() {
    let server = MailServer::usual();
    let port = server.url().rsplit(':').next().expect("a port").to_owned();
    let (answer, begun) = sent(&format!("smtp://mx.example:{port}"));
    let failure = answer.expect_err("nothing may go");
    assert!(failure.way == Way::Tls && failure.words.contains("STARTTLS"), "{failure:?}");
    assert!(!begun && server.taken().is_empty());
    assert!(server.lines().iter().all(|line| line.starts_with("EHLO")), "{:?}", server.lines());
    let (answer, begun) = sent(&format!("smtps://mx.example:{port}"));
    assert_eq!(answer.expect_err("this is no TLS").way, Way::Tls);
    assert!(!begun);
    let (answer, begun) = sent(&format!("smtp://127.0.0.1:{port}"));
    assert!(answer.is_ok() && begun && server.taken().len() == 1, "{answer:?}");
}
