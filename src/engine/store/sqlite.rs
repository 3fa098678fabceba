//! The store in one SQLite file, written ahead to a log (WAL) and synced at every commit, for any number of
//! members in processes of one machine.
//!
//! A member has a number that no other ever had, and what it has in its hands carries that number. Each
//! transaction asks first whether the member still is one: whoever was taken for dead and comes back changes
//! nothing. A member that alone sends need not write down what it takes into its hands ([`hands`]); one that
//! begins a message does so in the same change.

mod batch;
#[cfg(test)]
pub mod by_hand;
mod connection;
mod direct;
mod faults;
pub(super) mod file;
mod files;
mod hands;
pub(super) mod log;
mod members;
mod open;
mod options;
mod rates;
mod reader;
mod rescue;
mod reserve;
mod row;
mod sign;
mod sole;
#[cfg(test)]
mod tests;
mod ties;
mod told;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use rusqlite::{Connection, params};

use super::known::Known;
use super::lock::{Door, Lock};
use super::{Applied, Change, News, Ready, Seq, Store, StoredResult, Told, Turn, Verdict};
use crate::model::error::{Error, Result};
use batch::{Batch, Bounds, By, Ledger};
use file::Identity;
use log::Mark;
use members::Membership;
pub use options::{Options, ticks, unix_ms};
use rates::Unsaved;
pub use reader::Reader;
use reserve::Reserve;

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.path).finish_non_exhaustive()
    }
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

/// A member of an outbox file.
pub struct Sqlite {
    /// `None` after the file was seen to be another one, until it is opened anew.
    conn: Option<Connection>,
    path: PathBuf,
    bounds: Bounds,
    ledger: Ledger,
    /// What it is among the members.
    membership: Membership,
    /// What it took into its hands, to send it, and whether another member accepted that.
    hands: HashMap<Seq, bool>,
    /// Where it has come in the queue of each account, while it alone sends.
    cursors: HashMap<String, Turn>,
    /// Results that it hands out, and since when.
    given: HashMap<Seq, u64>,
    /// Requests that have leave, which the next transaction writes down.
    unsaved: Vec<Unsaved>,
    /// What members told that was not asked for yet, and how much had been told by then.
    heard: Vec<Told>,
    last_heard: i64,
    /// The words that the file says went.
    known: Known,
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
    /// Its share; given back last.
    lock: Option<Lock>,
    /// It goes as if its process had ended, or belongs to the parent of this process.
    leaves_no_trace: bool,
}

impl Sqlite {
    /// The file, for a new member of it.
    ///
    /// `locked` where an older version has it for itself, `storage` where it cannot be used.
    pub fn open(path: &Path, options: Options<'_>) -> Result<Sqlite> {
        open::open(path, options)
    }

    /// The file for looking at it, beside its members.
    pub fn read_only(path: &Path) -> Result<Reader> {
        Reader::open(path)
    }

    /// Goes as if its process had been killed.
    #[cfg(any(test, feature = "testing"))]
    pub fn kill(mut self) {
        self.leaves_no_trace = true;
    }

    /// Makes one transaction: all that `work` does, durably, or nothing of it.
    fn transact<T>(
        &mut self,
        what: &str,
        now_ms: u64,
        work: impl FnOnce(&mut Batch<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        self.follow_file()?;
        let conn = connection::connected(self.conn.as_ref())?;
        let run = |sql| conn.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        let by = By {
            member: self.membership.number,
            owner: &self.membership.owner,
            sole: self.membership.sole,
            inherits: self.membership.inherits(),
            hands: &self.hands,
            known: &self.known,
        };
        let began = run("BEGIN IMMEDIATE").and_then(|_| members::standing(conn, by.member));
        let standing = match began {
            Ok(Some(standing)) => standing,
            Ok(None) => {
                let _ = undo(conn, false);
                self.membership.is_lost = true;
                return Err(faults::gone(&self.path));
            }
            Err(error) => {
                let _ = undo(conn, false);
                let error = faults::storage(&self.path, what, &error);
                if faults::is_full(&error) {
                    self.give_room();
                }
                return Err(error);
            }
        };
        // Numbers are never used twice by one member, either.
        let next = standing.ledger.next.max(self.ledger.next);
        let ledger = Ledger { next, ..standing.ledger };
        let mut batch = Batch::new(conn, ledger, self.bounds, by, now_ms);
        let heard = match standing.told > self.last_heard {
            true => told::after(conn, self.last_heard),
            false => Ok(Vec::new()),
        };
        let made = rates::save(conn, by.member, &self.unsaved).and_then(|()| work(&mut batch));
        let made = made.and_then(|answers| Ok((answers, heard?)));
        let made = made.and_then(|answers| batch.purge().map(|()| answers));
        let made = made.and_then(|answers| {
            members::keep(conn, Some(&standing.ledger), &batch.ledger).map(|()| answers)
        });
        let ledger = batch.ledger;
        let call = batch.call;
        let (given, settled) =
            (std::mem::take(&mut batch.given), std::mem::take(&mut batch.settled));
        drop(batch);
        let tried = made.is_ok();
        match made.and_then(|answers| run("COMMIT").map(|_| answers)) {
            Ok((answers, heard)) => {
                self.heard.extend(heard);
                self.last_heard = standing.told;
                self.ledger = ledger;
                self.unsaved.clear();
                let now = self.membership.ticks();
                self.given.extend(given.into_iter().map(|seq| (seq, now)));
                for seq in settled {
                    self.given.remove(&seq);
                }
                self.membership.knows(standing.members, call);
                self.note();
                self.checkpoint();
                Ok(answers)
            }
            Err(error) => {
                // What failed counts, not what fails while cleaning up.
                let _ = undo(conn, tried);
                self.ledger = Ledger { next: ledger.next, ..standing.ledger };
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
            // Others may have begun the log anew.
            Some(mark) if mark.frames < frames && self.membership.is_alone() => Some(mark.salts),
            _ => log::salts(&file::wal(&self.path)).ok(),
        };
        self.mark = salts.map(|salts| Mark { salts, frames });
        // Without it less can be told, that is all.
        let _ = self.mark.zip(self.lock.as_ref()).map(|(mark, lock)| lock.note(Some(mark)));
        self.noted |= self.mark.is_some();
    }

    /// Before the log goes: durably takes back what was noted of it. True if that could be done.
    fn unnote(&mut self) -> bool {
        self.mark = None;
        self.noted &= self.lock.as_ref().is_none_or(|lock| lock.note(None).is_err());
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
    fn follow_file(&mut self) -> Result<()> {
        open::follow(self)
    }

    /// Reads with the connection, on the right file.
    fn read<T>(
        &mut self,
        what: &str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        self.follow_file()?;
        work(connection::connected(self.conn.as_ref())?)
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

    fn abandon(mut self: Box<Self>) {
        self.leaves_no_trace = true;
        self.membership.forget();
    }

    fn watch(&mut self, wake: Arc<dyn Fn() + Send + Sync>) {
        self.membership.listens(wake);
    }

    fn attend(&mut self, held: &HashSet<Seq>) -> Result<News> {
        members::attend(self, held)
    }

    fn rests(&self) -> Duration {
        self.membership.rests(!self.given.is_empty())
    }

    fn commit(&mut self, changes: &[Change], now_ms: u64) -> Result<Vec<Applied>> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(answers) = self.lets_go(changes, now_ms)? {
            return Ok(answers);
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
        self.let_go(changes);
        self.known.made(changes);
        Ok(applied)
    }

    fn went(&mut self) -> Result<Vec<u32>> {
        let slots: Vec<u32> = self.read("read from", |conn| {
            conn.prepare("SELECT slot FROM went")?.query_map([], |row| row.get(0))?.collect()
        })?;
        slots.iter().for_each(|slot| self.known.add(*slot));
        Ok(slots)
    }

    fn begun(&mut self) -> Result<Vec<Ready>> {
        hands::begun(self)
    }

    fn accounts(&mut self) -> Result<Vec<String>> {
        self.read("read the accounts from", |conn| {
            let mut next = conn.prepare_cached(
                "SELECT account FROM messages INDEXED BY messages_turn
                 WHERE account > ?1 AND turn IS NOT NULL AND holder IS NULL ORDER BY account LIMIT 1",
            )?;
            let mut queued = conn.prepare_cached(
                "SELECT 1 FROM messages INDEXED BY messages_turn
                 WHERE account = ?1 AND turn IS NOT NULL AND holder IS NULL AND state = 0
                     AND direct IS NULL LIMIT 1",
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

    fn ready(&mut self, account: &str, most: usize) -> Result<Vec<Ready>> {
        hands::ready(self, account, most)
    }

    fn called(&mut self) -> Result<Vec<Ready>> {
        hands::called(self)
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
            batch.call.work |= !accounts.is_empty();
            accounts.sort_unstable();
            accounts.dedup();
            Ok((accounts, next(batch.conn)?))
        })
    }

    fn overdue(&mut self, now_ms: u64, most: usize) -> Result<Vec<Ready>> {
        hands::overdue(self, now_ms, most)
    }

    fn unbegun(&mut self, seq: Seq) -> Result<Option<Ready>> {
        hands::unbegun(self, seq)
    }

    fn unfinished(&mut self, account: &str, after: Seq, most: usize) -> Result<Vec<Ready>> {
        hands::unfinished(self, account, after, most)
    }

    fn files(&mut self, id: &str) -> Result<Vec<(usize, Bytes)>> {
        self.read("read files from", |conn| files::read(conn, id))
    }

    fn next_deadline(&mut self) -> Result<Option<u64>> {
        self.read("read deadlines from", |conn| {
            let first = conn
                .prepare_cached(
                    "SELECT expires_ms FROM messages INDEXED BY messages_expires
                     WHERE expires_ms IS NOT NULL AND state < 4 AND holder IS NULL AND direct IS NULL
                     ORDER BY expires_ms LIMIT 1",
                )?
                .query_row([], |row| row.get(0));
            Ok(row::found(first)?.map(row::ms))
        })
    }

    fn results(&mut self, most: usize) -> Result<Vec<StoredResult>> {
        hands::results(self, most)
    }

    fn heard(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.heard)
    }

    fn followed(&mut self) -> Result<Vec<(String, Verdict)>> {
        hands::followed(self)
    }

    fn count(&self) -> (u64, u64) {
        (self.ledger.unacked, self.ledger.open)
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        members::leave(self);
    }
}

/// Why the store has no connection; the next use tries again.
fn unconnected() -> Error {
    Error::new(crate::model::error::ErrorCode::Storage, "the outbox is not open").hint(faults::GONE)
}
