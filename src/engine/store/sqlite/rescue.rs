//! An outbox file that is damaged: what can be read of it becomes a new file, and the old one is kept
//! beside it.

mod salvage;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::log::Log;
use super::{faults, file};
use crate::model::error::{Error, Result};
use crate::model::file::open_own;
pub(super) use salvage::{UNSOUND, doubt};

/// What became of a damaged file.
#[derive(Debug)]
pub(super) struct Rescued {
    /// What was found and done, for people.
    words: String,
    /// There may be messages of which nothing is known any more, or of which more was known.
    incomplete: bool,
}

impl Rescued {
    pub(super) fn words(&self) -> &str {
        &self.words
    }

    /// Why the file is not opened this time: what is lost without a result has to be told once.
    pub(super) fn loss(&self, path: &Path) -> Option<Error> {
        let advice = "open it again to go on with the rest; what is known of the lost messages must come \
                      from those who submitted them";
        self.incomplete
            .then(|| faults::wrong(path, &format!("was damaged: {}", self.words), advice))
    }
}

/// Puts what can be read of a file, and of what stands in its log, in its place.
///
/// Nobody has it open. `keep_ms`: how long keys are kept whose message is lost.
pub(super) fn rescue(path: &Path, log: &Log, keep_ms: u64) -> Result<Rescued> {
    let (image, fresh) = (file::beside(path, "-image"), file::beside(path, "-rescue"));
    let remove = || {
        for file in [&image, &fresh] {
            for end in ["", "-journal", "-wal", "-shm"] {
                let _ = fs::remove_file(file::beside(file, end));
            }
        }
    };
    remove();
    let made = remade(path, log, &image, &fresh, keep_ms);
    let done = made.and_then(|rescued| {
        let whole = file::beside(path, RESCUED);
        // Windows lets nobody sync what he may only read.
        let put = OpenOptions::new()
            .write(true)
            .open(&fresh)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&fresh, &whole))
            .and_then(|()| file::sync_folder(path));
        put.map_err(|error| faults::system(path, "rescue the damaged outbox", &error))?;
        Ok(rescued)
    });
    remove();
    let (mut rescued, aside) = (done?, finish(path)?);
    if let Some(aside) = aside {
        rescued.words += &format!("; the damaged file is kept as {}", aside.display());
    }
    Ok(rescued)
}

/// The whole of what was rescued; once it is there, it takes the place of the damaged file.
const RESCUED: &str = "-rescued";

/// Gives a file that was rescued its place, also where that was begun by a process that ended; tells
/// where the damaged one is.
pub(super) fn finish(path: &Path) -> Result<Option<PathBuf>> {
    let whole = file::beside(path, RESCUED);
    if !file::is_there(&whole) {
        return Ok(None);
    }
    let put = || {
        let aside = (1..).map(|n| match n {
            1 => file::beside(path, "-damaged"),
            n => file::beside(path, &format!("-damaged-{n}")),
        });
        let mut free = aside.filter(|aside| !file::is_there(aside));
        let aside = free.next().unwrap_or_else(|| file::beside(path, "-damaged"));
        for (from, to) in [(file::wal(path), file::wal(&aside)), (path.to_owned(), aside.clone())] {
            match fs::rename(from, to) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        match fs::remove_file(file::beside(path, "-shm")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        file::sync_folder(path)?;
        fs::rename(&whole, path)?;
        file::sync_folder(path)?;
        Ok(aside)
    };
    put()
        .map(Some)
        .map_err(|error| faults::system(path, "put in place what was rescued of", &error))
}

fn remade(path: &Path, log: &Log, image: &Path, fresh: &Path, keep_ms: u64) -> Result<Rescued> {
    let what = "rescue the damaged outbox";
    let settled = draw(path, log, image).map_err(|error| faults::system(path, what, &error))?;
    let failed = |error: rusqlite::Error| faults::storage(path, what, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(image, flags).map_err(failed)?;
    if settled && is_sound(&source) {
        drop(source);
        fs::rename(image, fresh).map_err(|error| faults::system(path, what, &error))?;
        let words = "a part of its log could not be read, but nothing of it was lost".to_owned();
        return Ok(Rescued { words, incomplete: false });
    }
    open_own(fresh, OpenOptions::new().write(true).create_new(true))
        .map_err(|error| faults::system(path, what, &error))?;
    salvage::salvage(&source, fresh, settled, keep_ms).map_err(failed)
}

/// True if SQLite finds nothing wrong with any page of the file.
pub(super) fn is_sound(conn: &Connection) -> bool {
    let found = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
    found.is_ok_and(|words| words == "ok")
}

/// The same with less care for a long file: to look at all of it takes some microseconds a message.
pub(super) fn looks_sound(conn: &Connection) -> bool {
    const CAREFULLY: i64 = 64 << 20;
    const AT_ALL: i64 = 512 << 20;
    let size = conn.query_row(
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
        [],
        |row| row.get::<_, i64>(0),
    );
    match size {
        Err(_) => false,
        Ok(size) if size <= CAREFULLY => is_sound(conn),
        Ok(size) if size <= AT_ALL => conn
            .query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
            .is_ok_and(|words| words == "ok"),
        Ok(_) => true,
    }
}

/// Makes a copy of the file with all pages of the log that are whole; true if that is how the last
/// commit left it, as far as can be seen.
fn draw(path: &Path, log: &Log, image: &Path) -> io::Result<bool> {
    let mut to = open_own(image, OpenOptions::new().read(true).write(true).create_new(true))?;
    io::copy(&mut File::open(path)?, &mut to)?;
    let mut settled = !log.cut;
    if !log.frames.is_empty() {
        let mut from = File::open(file::wal(path))?;
        let mut page = vec![0; log.page_size];
        let (mut pages, mut missing) = (None, std::collections::BTreeSet::new());
        for (i, frame) in log.frames.iter().enumerate() {
            if !frame.whole {
                missing.insert(frame.page);
                continue;
            }
            missing.remove(&frame.page);
            from.seek(SeekFrom::Start(log.offset(i)))?;
            from.read_exact(&mut page)?;
            to.seek(SeekFrom::Start(u64::from(frame.page.saturating_sub(1)) * page.len() as u64))?;
            to.write_all(&page)?;
            pages = Some(frame.commit).filter(|pages| *pages > 0).or(pages);
        }
        settled &= missing.is_empty();
        if let Some(pages) = pages {
            to.set_len(u64::from(pages) * page.len() as u64)?;
        }
    }
    // The copy has no log.
    to.seek(SeekFrom::Start(18))?;
    to.write_all(&[1, 1])?;
    Ok(settled)
}
