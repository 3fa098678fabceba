//! What every store must do, and what this one does when its file is not as it should be.

mod direct;
mod file;
mod files;
mod keys;
mod lines;
mod members;
mod random;
mod rows;
mod upgrade;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{Options, Sqlite, ticks, unix_ms};
use crate::engine::store::{Accept, Applied, Begin, Change, Listed, Seq, Store, Turn, Verdict};
use crate::model::error::{ErrorCode, Result};
use crate::model::receipt::Delivery;

/// A day of the tests begins here.
const NOW: u64 = 1_790_000_000_000;

const DAY: u64 = 24 * 60 * 60 * 1000;

const OPTIONS: Options<'_> = Options {
    max_messages: 100_000,
    max_bytes: 1 << 30,
    key_days: 7,
    owner: "",
    sends: true,
    takes: true,
    lease: Duration::from_secs(30),
    wait: Duration::from_secs(60),
    for_a_change: false,
    ticks,
    unix_ms,
};

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("hongyan-store-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn outbox(&self) -> PathBuf {
        self.0.join("outbox.db")
    }

    fn open(&self) -> Sqlite {
        Sqlite::open(&self.outbox(), OPTIONS).unwrap()
    }

    /// Everything in the file, as people see it.
    fn rows(&self) -> Vec<Listed> {
        Sqlite::read_only(&self.outbox()).unwrap().rows(0, usize::MAX).unwrap()
    }

    /// The states of the rows, oldest first.
    fn states(&self) -> Vec<(String, &'static str)> {
        self.rows().into_iter().map(|row| (row.id, row.state.name())).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn message(id: &str) -> Accept {
    Accept {
        id: id.into(),
        token: u64::MAX - 7,
        account: "ff".into(),
        message: format!("{{\"text\":\"{id}\"}}").into(),
        files: Vec::new(),
        key: None,
        line: None,
        accepted_ms: NOW,
        due_ms: None,
        deadline_ms: None,
        result: None,
        direct: false,
        held: false,
        from: None,
    }
}

fn accept(accept: Accept) -> Change {
    Change::Accept(Box::new(accept))
}

fn begin(seq: Seq, attempts: u32, first_sent_ms: u64, body: Option<&str>) -> Change {
    let body = body.map(|body| body.as_bytes().to_vec());
    let sender = Some("s".into());
    let mark = body.as_ref().map(|_| "mark".into());
    Change::Begin(Box::new(Begin {
        seq,
        first_sent_ms,
        attempts,
        sender,
        body,
        mark,
        progress: None,
    }))
}

fn verdict(delivery: Delivery) -> Verdict {
    Verdict { delivery, receipt: format!("{{\"delivery\":\"{}\"}}", delivery.name()).into() }
}

fn finish(seq: Seq, delivery: Delivery) -> Change {
    Change::Finish { seq, verdict: verdict(delivery), alone: false }
}

/// The end of a message that is no verdict for others of its key.
fn end_alone(seq: Seq) -> Change {
    Change::Finish { seq, verdict: verdict(Delivery::NotSent), alone: true }
}

fn ack(id: &str) -> Change {
    Change::Ack { id: id.into() }
}

fn retry(id: &str) -> Change {
    Change::Retry { id: id.into() }
}

fn drop_row(id: &str) -> Change {
    Change::Drop { id: id.into() }
}

/// One change, in a commit of its own.
fn one(store: &mut Sqlite, change: Change, now_ms: u64) -> Applied {
    store.commit(&[change], now_ms).unwrap().remove(0)
}

fn accepted(applied: Applied) -> (Seq, Option<Turn>) {
    match applied {
        Applied::Accepted { seq, turn, .. } => (seq, turn),
        other => panic!("not accepted: {other:?}"),
    }
}

fn done() -> Applied {
    Applied::Done { followers: vec![], ready: vec![], due_ms: None }
}

fn ready_now() -> Applied {
    Applied::Done { followers: vec![], ready: vec!["ff".into()], due_ms: None }
}

/// The ids that are queued, in the order of their turns.
fn queued(store: &mut Sqlite) -> Vec<String> {
    let sql = "SELECT id FROM messages WHERE account = 'ff' AND state = 0 AND direct IS NULL ORDER BY turn";
    let read =
        |conn: &rusqlite::Connection| conn.prepare(sql)?.query_map([], |row| row.get(0))?.collect();
    store.read("read", read).unwrap()
}

#[track_caller]
fn fails(result: Result<impl std::fmt::Debug>, code: ErrorCode, words: &str) {
    let error = result.expect_err("it must fail");
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(error.hint_text().is_some(), "{error} says not what to do");
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
