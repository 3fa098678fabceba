//! The store in one SQLite file, written ahead to a log (WAL) and synced at every commit.

mod batch;
#[cfg(test)]
pub mod by_hand;
mod direct;
mod faults;
pub(super) mod file;
mod files;
pub(super) mod log;
mod open;
mod reader;
mod rescue;
mod reserve;
mod row;
#[cfg(test)]
mod tests;
mod ties;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use rusqlite::{Connection, params};

use super::lock::Lock;
use super::{Applied, Change, Ready, Seq, Store, StoredResult, Turn, Turns};
use crate::model::error::{Error, Result};
use batch::{Batch, Bounds, Ledger};
use file::Identity;
use log::Mark;
pub use reader::Reader;
use reserve::Reserve;

/// How a file is kept.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The most messages without an acknowledged result.
    pub max_messages: u64,
    /// How long those messages and their results may be together.
    pub max_bytes: u64,
    /// How many days keys and dead letters are kept.
    pub key_days: u32,
    /// For how long the file is wanted, and how long to wait for it.
    pub turns: Turns,
}

/// How many scheduled rows one release queues.
const RELEASED_AT_ONCE: usize = 4096;

/// Moving the log into the file costs three syncs, so it waits for this many commits, which keeps
/// the syncs of a commit below 1.05, unless commits are long …
const COMMITS_A_CHECKPOINT: u32 = 64;

/// … and for this many pages …
const PAGES_A_CHECKPOINT: u32 = 1000;

/// … but not until the log is longer than this many, 64 MiB.
const MOST_PAGES: u32 = 16 << 10;

/// The one owner of an outbox file.
#[derive(Debug)]
pub struct Sqlite {
    /// `None` after the file was seen to be another one, until it is opened anew.
    conn: Option<Connection>,
    path: PathBuf,
    bounds: Bounds,
    ledger: Ledger,
    /// Which owner of the file this is.
    run: i64,
    /// The last row of earlier owners.
    earlier: Seq,
    /// Begun by earlier owners, and not touched since; in order.
    begun: Vec<Seq>,
    /// The first and the last row that earlier owners left with a result, if there is one.
    results: Option<(Seq, Seq)>,
    /// The files as they were opened: the database and its log.
    database: Option<Identity>,
    log: Option<Identity>,
    /// How many pages the log has.
    log_pages: Arc<AtomicU32>,
    commits: u32,
    /// How far the log reached when that was noted, if it is still the same one.
    mark: Option<Mark>,
    /// Something may be noted of the log.
    noted: bool,
    /// Room for what has been accepted, and that it had to be given up.
    reserve: Reserve,
    tight: bool,
    page_size: u64,
    /// How many pages the database had when its log was moved last.
    filed: u32,
    /// What was found wrong with the file, and done about it.
    told: Option<String>,
    /// Given back last.
    lock: Lock,
}

impl Sqlite {
    /// The file, for this process alone.
    ///
    /// `locked` where another owner has it, `storage` where it cannot be used.
    pub fn open(path: &Path, options: Options) -> Result<Sqlite> {
        open::open(path, options)
    }

    /// The file for looking at it, beside its owner if there is one.
    pub fn read_only(path: &Path) -> Result<Reader> {
        Reader::open(path)
    }

    /// Makes one transaction: all that `work` does, durably, or nothing of it.
    fn transact<T>(
        &mut self,
        what: &str,
        now_ms: u64,
        work: impl FnOnce(&mut Batch<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        self.attend()?;
        let conn = open::connected(self.conn.as_ref())?;
        let mut batch = Batch::new(conn, self.ledger, self.bounds, self.run, now_ms);
        let run = |sql| conn.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        let made = run("BEGIN IMMEDIATE").and_then(|_| work(&mut batch));
        let made = made.and_then(|answers| batch.purge().map(|()| answers));
        let ledger = batch.ledger;
        drop(batch);
        let tried = made.is_ok();
        match made.and_then(|answers| run("COMMIT").map(|_| answers)) {
            Ok(answers) => {
                self.ledger = ledger;
                self.note();
                self.checkpoint();
                Ok(answers)
            }
            Err(error) => {
                // What failed counts, not what fails while cleaning up.
                let _ = undo(conn, tried);
                // Numbers are never used twice.
                self.ledger.next = ledger.next;
                let error = faults::storage(&self.path, what, &error);
                if faults::is_full(&error) {
                    self.give_room();
                }
                Err(error)
            }
        }
    }

    /// Notes how far the log reaches now, so that its next reader can tell if some of it is gone.
    fn note(&mut self) {
        if self.tight {
            // It is moved at once.
            return;
        }
        let frames = self.log_pages.load(Ordering::Relaxed);
        let salts = match self.mark {
            Some(mark) if mark.frames < frames => Some(mark.salts),
            _ => log::salts(&file::wal(&self.path)).ok(),
        };
        self.mark = salts.map(|salts| Mark { salts, frames });
        // Without it less can be told, that is all.
        let _ = self.mark.map(|mark| self.lock.note(Some(mark)));
        self.noted |= self.mark.is_some();
    }

    /// Before the log goes: durably takes back what was noted of it. True if that could be done.
    fn unnote(&mut self) -> bool {
        self.mark = None;
        self.noted &= self.lock.note(None).is_err();
        !self.noted
    }

    /// What was found wrong with the file when it was opened, and done about it.
    pub fn told(&self) -> Option<&str> {
        self.told.as_deref()
    }

    /// Moves the log into the file once that is worth its syncs. A failure costs nothing: the log
    /// has it all, and another commit tries again.
    fn checkpoint(&mut self) {
        self.commits += 1;
        let pages = self.log_pages.load(Ordering::Relaxed);
        let worth = self.commits >= COMMITS_A_CHECKPOINT && pages >= PAGES_A_CHECKPOINT;
        if !(worth || pages >= MOST_PAGES && self.commits > 1 || self.has_outgrown(pages)) {
            return;
        }
        self.commits = 0;
        // The next commit may begin the log anew.
        self.mark = None;
        if let Some(conn) = &self.conn {
            let checkpoint = conn.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)");
            let _ = checkpoint.and_then(|mut s| s.query_row([], |_| Ok(())));
        }
        self.filed();
    }

    /// Makes sure that the files at the path are those that are open.
    fn attend(&mut self) -> Result<()> {
        open::attend(self)
    }

    /// What this owner has begun or finished is no longer an earlier one's.
    fn take_over(&mut self, changes: &[Change]) {
        if self.begun.is_empty() {
            return;
        }
        for change in changes {
            let seq = match change {
                Change::Begin(begin) => begin.seq,
                Change::Ended { seq, .. } | Change::Finish { seq, .. } => *seq,
                _ => continue,
            };
            if let Ok(at) = self.begun.binary_search(&seq) {
                self.begun.remove(at);
            }
        }
    }

    /// Reads with the connection, on the right file.
    fn read<T>(
        &mut self,
        what: &str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        self.attend()?;
        work(open::connected(self.conn.as_ref())?)
            .map_err(|error| faults::storage(&self.path, what, &error))
    }
}

/// Ends a transaction that failed.
///
/// If it was `tried` to commit it, it may be whole in the log although the sync failed, and whoever
/// reads the log after a crash would take it for made. So its place is written anew, at once.
fn undo(conn: &Connection, tried: bool) -> rusqlite::Result<()> {
    if !conn.is_autocommit() {
        conn.execute_batch("ROLLBACK")?;
    }
    if tried {
        conn.prepare_cached("UPDATE meta SET undone = undone + 1")?.execute([])?;
    }
    Ok(())
}

impl Store for Sqlite {
    fn damage(&self) -> Option<String> {
        self.told().map(str::to_owned)
    }

    fn abandon(self: Box<Self>) {
        if let Some(conn) = &self.conn {
            open::leave(conn);
        }
    }

    fn commit(&mut self, changes: &[Change], now_ms: u64) -> Result<Vec<Applied>> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let what = match changes.len() {
            1 => "commit a change to".to_owned(),
            n => format!("commit {n} changes to"),
        };
        self.hold_room(changes)?;
        let made = |store: &mut Sqlite| {
            store.transact(&what, now_ms, |batch| {
                changes.iter().map(|change| batch.apply(change)).collect()
            })
        };
        let applied = match made(self) {
            Err(error) if faults::is_full(&error) && self.gives_more(changes) => made(self)?,
            applied => applied?,
        };
        self.settle_room(changes);
        self.take_over(changes);
        Ok(applied)
    }

    fn went(&mut self) -> Result<Vec<u32>> {
        self.read("read from", |conn| {
            conn.prepare("SELECT slot FROM went")?.query_map([], |row| row.get(0))?.collect()
        })
    }

    fn begun(&mut self) -> Result<Vec<Ready>> {
        let (begun, earlier) = (self.begun.clone(), self.earlier);
        self.read("read what was begun from", |conn| {
            let sql = format!("SELECT {} FROM messages WHERE seq = ?1 AND state = 4", row::READY);
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = Vec::with_capacity(begun.len());
            for seq in begun {
                let found = statement.query_row([seq], |row| row::ready(row, earlier));
                rows.extend(row::found(found)?);
            }
            Ok(rows)
        })
    }

    fn accounts(&mut self) -> Result<Vec<String>> {
        self.read("read the accounts from", |conn| {
            let mut next = conn.prepare_cached(
                "SELECT account FROM messages INDEXED BY messages_turn
                 WHERE account > ?1 AND turn IS NOT NULL ORDER BY account LIMIT 1",
            )?;
            let mut queued = conn.prepare_cached(
                "SELECT 1 FROM messages INDEXED BY messages_turn
                 WHERE account = ?1 AND turn IS NOT NULL AND state = 0 AND direct IS NULL LIMIT 1",
            )?;
            let mut accounts = Vec::new();
            let mut last = String::new();
            while let Some(account) =
                row::found(next.query_row([&last], |row| row.get::<_, String>(0)))?
            {
                if queued.exists([&account])? {
                    accounts.push(account.clone());
                }
                last = account;
            }
            Ok(accounts)
        })
    }

    fn ready(&mut self, account: &str, after: Turn, most: usize) -> Result<Vec<Ready>> {
        let earlier = self.earlier;
        self.read("read the queue from", |conn| {
            let sql = format!(
                "SELECT {} FROM messages INDEXED BY messages_turn
                 WHERE account = ?1 AND turn > ?2 AND state = 0 AND direct IS NULL
                 ORDER BY turn LIMIT ?3",
                row::READY
            );
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            conn.prepare_cached(&sql)?
                .query_map(params![account, after, most], |row| row::ready(row, earlier))?
                .collect()
        })
    }

    fn called(&mut self) -> Result<Vec<Ready>> {
        let earlier = self.earlier;
        self.read("read who is called from", |conn| direct::called(conn, earlier))
    }

    fn release(&mut self, now_ms: u64) -> Result<(Vec<String>, Option<u64>)> {
        const NEXT: &str = "SELECT min(wake_ms) FROM messages WHERE wake_ms IS NOT NULL";
        let next = |conn: &Connection| {
            conn.prepare_cached(NEXT)?.query_row([], |row| row::option_ms(row, 0))
        };
        let due = self.read("read what is due from", next)?;
        if due.is_none_or(|due| due > now_ms) {
            return Ok((Vec::new(), due));
        }
        self.transact("queue what is due in", now_ms, |batch| {
            let most = RELEASED_AT_ONCE as i64;
            let due: Vec<(Seq, String)> = batch
                .conn
                .prepare_cached(
                    "SELECT seq, account FROM messages WHERE wake_ms <= ?1 ORDER BY wake_ms, seq LIMIT ?2",
                )?
                .query_map(params![row::time(now_ms), most], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            let mut queue = batch.conn.prepare_cached(
                "UPDATE messages SET state = 0, turn = ?2, wake_ms = NULL WHERE seq = ?1",
            )?;
            let mut accounts = Vec::new();
            for (seq, account) in due {
                queue.execute(params![seq, batch.number()])?;
                accounts.push(account);
            }
            accounts.sort_unstable();
            accounts.dedup();
            Ok((accounts, next(batch.conn)?))
        })
    }

    fn overdue(&mut self, now_ms: u64, most: usize) -> Result<Vec<Ready>> {
        let earlier = self.earlier;
        self.read("read deadlines from", |conn| {
            let sql = format!(
                "SELECT {} FROM messages INDEXED BY messages_expires
                 WHERE expires_ms <= ?1 AND state < 4 ORDER BY expires_ms, seq LIMIT ?2",
                row::READY
            );
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            conn.prepare_cached(&sql)?
                .query_map(params![row::time(now_ms), most], |row| row::ready(row, earlier))?
                .collect()
        })
    }

    fn unbegun(&mut self, seq: Seq) -> Result<Option<Ready>> {
        let earlier = self.earlier;
        self.read("read a message from", |conn| {
            let sql = format!("SELECT {} FROM messages WHERE seq = ?1 AND state < 4", row::READY);
            row::found(conn.prepare_cached(&sql)?.query_row([seq], |row| row::ready(row, earlier)))
        })
    }

    fn unfinished(&mut self, account: &str, after: Seq, most: usize) -> Result<Vec<Ready>> {
        let earlier = self.earlier;
        self.read("read messages from", |conn| {
            let sql = format!(
                "SELECT {} FROM messages
                 WHERE account = ?1 AND state < 3 AND seq > ?2 AND direct IS NULL
                 ORDER BY seq LIMIT ?3",
                row::READY
            );
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            conn.prepare_cached(&sql)?
                .query_map(params![account, after, most], |row| row::ready(row, earlier))?
                .collect()
        })
    }

    fn files(&mut self, id: &str) -> Result<Vec<(usize, Bytes)>> {
        self.read("read files from", |conn| files::read(conn, id))
    }

    fn next_deadline(&mut self) -> Result<Option<u64>> {
        self.read("read deadlines from", |conn| {
            let first = conn
                .prepare_cached(
                    "SELECT expires_ms FROM messages INDEXED BY messages_expires
                     WHERE expires_ms IS NOT NULL AND state < 4 ORDER BY expires_ms LIMIT 1",
                )?
                .query_row([], |row| row.get(0));
            Ok(row::found(first)?.map(row::ms))
        })
    }

    fn results(&mut self, after: Seq, most: usize) -> Result<Vec<StoredResult>> {
        let Some((first, last)) = self.results.filter(|(_, last)| after < *last) else {
            return Ok(Vec::new());
        };
        let run = self.run;
        self.read("read results from", |conn| {
            let sql = format!(
                "SELECT {} FROM messages
                 WHERE seq > ?1 AND seq <= ?2 AND state = 5 AND run < ?3 ORDER BY seq LIMIT ?4",
                row::KEPT
            );
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            conn.prepare_cached(&sql)?
                .query_map(params![after.max(first - 1), last, run, most], row::kept)?
                .collect()
        })
    }

    fn count(&self) -> (u64, u64) {
        (self.ledger.unacked, self.ledger.open)
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // A file that is another's by now must not lose its log to this connection.
        if open::is_other(self)
            && let Some(conn) = &self.conn
        {
            open::leave(conn);
            return;
        }
        // The log goes with its last connection, but not if nobody could be told.
        if !self.unnote()
            && let Some(conn) = &self.conn
        {
            open::leave(conn);
        }
    }
}

impl From<&Options> for Bounds {
    fn from(options: &Options) -> Bounds {
        Bounds {
            max_messages: options.max_messages,
            max_bytes: options.max_bytes,
            keep_ms: u64::from(options.key_days) * 24 * 60 * 60 * 1000,
        }
    }
}

/// Why the store has no connection; the next use tries again.
fn unconnected() -> Error {
    Error::new(crate::model::error::ErrorCode::Storage, "the outbox is not open").hint(faults::GONE)
}
