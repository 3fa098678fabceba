//! Room on the disk that is kept for what has been accepted already.
//!
//! The log can only become shorter once its pages are in the database, which may have to grow for that:
//! on a disk that the log has filled, neither would ever move again. So a file beside them holds as much
//! room as moving the log may take, and some more. It is given up when the disk is full; nothing more is
//! accepted until it is whole again.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::Ordering;

use rusqlite::Connection;

use super::{Sqlite, batch, faults, file};
use crate::engine::store::Change;
use crate::model::error::Result;
use crate::model::file::open_own;

/// What is held at least: room for a log of a few small commits …
const LEAST: u64 = 256 << 10;

/// … of which this much is for acknowledgements alone, which make room.
const LAST: u64 = 64 << 10;

/// What goes on leaves room for a log of this length.
const WORK: u64 = 128 << 10;

/// What is held for long at most.
const MOST: u64 = 4 << 20;

/// The reserve becomes longer in steps.
const STEP: u64 = 64 << 10;

/// What a commit may take beside the bytes of its changes.
const OF_A_COMMIT: u64 = 64 << 10;

/// What a row and its places in the indexes take beside its long columns.
const OF_A_ROW: u64 = 512;

/// A file that holds room on the disk.
#[derive(Debug)]
pub(super) struct Reserve {
    file: File,
    held: u64,
}

impl Reserve {
    /// The reserve of the outbox at this path, with what it holds.
    pub(super) fn open(outbox: &Path) -> io::Result<Reserve> {
        let path = file::beside(outbox, "-reserve");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = open_own(&path, &mut options)?;
        file::refuse_others(&path, &file.metadata()?)?;
        let held = file.metadata()?.len();
        Ok(Reserve { file, held })
    }

    /// Holds at least so much.
    fn hold(&mut self, bytes: u64) -> io::Result<()> {
        let bytes = bytes.next_multiple_of(STEP);
        if bytes <= self.held {
            return Ok(());
        }
        let made = self.grow(bytes);
        if made.is_err() {
            self.give(self.held);
        }
        made
    }

    fn grow(&mut self, bytes: u64) -> io::Result<()> {
        #[cfg(feature = "testing")]
        if !crate::testing::outbox::has_room(bytes) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.seek(SeekFrom::Start(self.held))?;
        let mut left = bytes - self.held;
        // Zeros, or the same twice, may take no room at all.
        let mut block = vec![0; 64 << 10];
        while left > 0 {
            getrandom::fill(&mut block).map_err(io::Error::other)?;
            let some = left.min(block.len() as u64);
            self.file.write_all(&block[..usize::try_from(some).unwrap_or(block.len())])?;
            left -= some;
        }
        self.held = bytes;
        Ok(())
    }

    /// Learns how much is held, which others may have changed.
    fn look(&mut self) {
        if let Ok(metadata) = self.file.metadata() {
            self.held = metadata.len();
        }
    }

    /// Gives up what is held beyond so much.
    fn give(&mut self, but: u64) {
        // What fails here is held for longer.
        if self.file.set_len(but).is_ok() {
            self.held = self.held.min(but);
        }
    }
}

impl Sqlite {
    /// Before a commit: sees to it that all of it can be moved from the log, too, and that there is room
    /// for acknowledgements then.
    pub(super) fn hold_room(&mut self, changes: &[Change]) -> Result<()> {
        if !accepts(changes) {
            return match self.tight && !changes.iter().all(makes_room) {
                true => self.hold_work(changes),
                false => Ok(()),
            };
        }
        if !self.membership.is_alone() {
            self.reserve.look();
        }
        let log = u64::from(self.log_pages.load(Ordering::Relaxed)) * self.page_size;
        if !self.tight && self.reserve.held >= LEAST + log + size(changes) {
            // However much of it is new.
            return Ok(());
        }
        let needed = self.needed(size(changes));
        if self.reserve.hold(needed).is_err() {
            // What is in the log need not be held any more once it is moved.
            self.move_log();
            let needed = self.needed(size(changes));
            self.reserve.hold(needed).map_err(|error| {
                self.tight = true;
                faults::system(&self.path, "hold room on the disk for", &error)
            })?;
        }
        self.tight = false;
        Ok(())
    }

    /// On a full disk: makes sure that what goes on leaves room for a log, which comes back, and for
    /// acknowledgements.
    fn hold_work(&mut self, changes: &[Change]) -> Result<()> {
        let needed = LAST + WORK + self.growth(size(changes));
        self.reserve
            .hold(needed)
            .map_err(|error| faults::system(&self.path, "hold room on the disk for", &error))?;
        self.reserve.give(LAST);
        Ok(())
    }

    /// How much must be held so that this much more can be accepted.
    fn needed(&self, more: u64) -> u64 {
        LEAST + self.grown() + self.growth(more)
    }

    /// By how much the database grows by so much more.
    fn growth(&self, more: u64) -> u64 {
        more.saturating_sub(self.pages("PRAGMA freelist_count") * self.page_size)
    }

    fn pages(&self, pragma: &str) -> u64 {
        let Some(conn) = &self.conn else { return 0 };
        let read = conn
            .prepare_cached(pragma)
            .and_then(|mut statement| statement.query_row([], |row| row.get::<_, u32>(0)));
        u64::from(read.unwrap_or(0))
    }

    /// After a transaction failed because the disk is full: gives up room for the next.
    pub(super) fn give_room(&mut self) {
        self.tight = true;
        self.reserve.give(LAST);
        self.move_log_surely();
    }

    /// Makes room for what opening a file takes, where its disk is full.
    pub(super) fn give_all_room(&mut self) {
        self.tight = true;
        self.reserve.give(0);
    }

    /// Moves the log, if need be with the last of the reserve: more than that comes back with the log.
    fn move_log_surely(&mut self) {
        if !self.move_log() {
            self.reserve.give(0);
            self.move_log();
            let _ = self.reserve.hold(LAST);
        }
    }

    /// True if these changes, which the disk refused, are worth another try at once: the log is moved.
    pub(super) fn gives_more(&mut self, changes: &[Change]) -> bool {
        if accepts(changes) {
            return self.hold_room(changes).is_ok();
        }
        if !changes.iter().all(makes_room) {
            return self.hold_work(changes).is_ok();
        }
        self.reserve.give(0);
        self.move_log();
        true
    }

    /// After a commit of these changes.
    pub(super) fn settle_room(&mut self, changes: &[Change]) {
        if self.tight {
            // The log stays as short as it can be.
            self.move_log_surely();
            if changes.iter().all(makes_room) {
                self.tight = self.reserve.hold(self.needed(0)).is_err();
            }
        }
    }

    /// By how much the database will grow when the log is moved.
    pub(super) fn grown(&self) -> u64 {
        let pages = self.pages("PRAGMA page_count");
        pages.saturating_sub(u64::from(self.filed)) * self.page_size
    }

    /// True if a log of so many pages should be moved before the reserve has to become longer.
    pub(super) fn has_outgrown(&self, pages: u32) -> bool {
        // The first of the two asks nobody.
        u64::from(pages) * self.page_size + LEAST > MOST && self.grown() + LEAST > MOST
    }

    /// Moves the whole log into the database and gives its room back; true if that could be done.
    fn move_log(&mut self) -> bool {
        // Durably, since the log goes.
        if self.noted && !self.unnote() {
            return false;
        }
        let Some(conn) = &self.conn else { return false };
        let busy = conn
            .prepare_cached("PRAGMA wal_checkpoint(TRUNCATE)")
            .and_then(|mut statement| statement.query_row([], |row| row.get::<_, bool>(0)));
        self.filed();
        busy.is_ok_and(|busy| !busy)
    }

    /// Notes how long the database is without its log.
    pub(super) fn filed(&mut self) {
        if let Ok(metadata) = std::fs::metadata(&self.path) {
            self.filed = u32::try_from(metadata.len() / self.page_size).unwrap_or(u32::MAX);
            if self.reserve.held > MOST && self.grown() == 0 {
                self.reserve.give(MOST);
            }
        }
    }
}

/// Makes room for what opening a file takes, where its disk is full.
pub(super) fn give_all(outbox: &Path) {
    if let Ok(mut reserve) = Reserve::open(outbox) {
        reserve.give(0);
    }
}

fn accepts(changes: &[Change]) -> bool {
    changes.iter().any(|change| matches!(change, Change::Accept(_) | Change::Retry { .. }))
}

fn makes_room(change: &Change) -> bool {
    matches!(change, Change::Ack { .. } | Change::Drop { .. } | Change::Remove { .. })
}

/// What these changes take at most.
fn size(changes: &[Change]) -> u64 {
    let of = |change: &Change| match change {
        Change::Accept(accept) => {
            batch::size(accept) + accept.result.as_ref().map_or(0, |verdict| verdict.receipt.len())
        }
        Change::Begin(begin) => {
            let of = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
            of(&begin.body) + of(&begin.progress) + begin.mark.as_ref().map_or(0, String::len)
        }
        Change::Ended { progress, .. } => progress.as_ref().map_or(0, Vec::len),
        Change::Finish { verdict, .. } | Change::Remove { verdict, .. } => verdict.receipt.len(),
        _ => 0,
    };
    let bytes: u64 = changes.iter().map(|change| of(change) as u64 + OF_A_ROW).sum();
    // Pages are never full.
    OF_A_COMMIT + bytes + bytes / 2
}

/// The size of a page.
pub(super) fn page_size(conn: &Connection) -> rusqlite::Result<u64> {
    conn.query_row("PRAGMA page_size", [], |row| row.get::<_, u32>(0)).map(u64::from)
}
