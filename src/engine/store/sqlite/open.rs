//! Opening the file, noticing that it is gone, and opening it anew when it is back.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::batch::{Bounds, Ledger};
use super::log::Log;
use super::members::{self, Left, Membership};
use super::reserve::{self, Reserve};
use super::{Options, Sqlite, connection, faults, file, rescue, row};
use crate::engine::store::gate::inside;
use crate::engine::store::known::Known;
use crate::engine::store::lock::{Door, Lock};
use crate::engine::store::schema::{self, Kind};
use crate::engine::store::{Seq, State};
use crate::model::error::{Error, Result};

/// How long others may hold the file at once, and how often is asked meanwhile.
const BUSY: Duration = Duration::from_secs(5);
const ASK_EVERY: Duration = Duration::from_millis(1);

/// The log's file is cut to this length when it begins anew.
const LOG_BYTES: u32 = 4 << 20;

/// Enough for every path through the indexes of a million rows.
const CACHE_KIB: u32 = 8 << 10;

/// How many commits there are for one look at the log's identity.
const COMMITS_A_LOOK: u32 = 16;

/// The statements of this store, with room.
const STATEMENTS: usize = 64;

pub(super) fn open(path: &Path, options: Options<'_>) -> Result<Sqlite> {
    let what = "open the outbox";
    let path = file::true_path(path).map_err(|error| faults::system(path, what, &error))?;
    // Before anything is made beside it.
    file::refuse_special(&path)?;
    let _door = Door::take(&path, options.wait)?;
    let (lock, alone) = Lock::share(&path, options.wait)?;
    lock.sign(&path)?;
    inside(|| join(path, options, lock, alone))
}

/// Opens a file of whose lock this has a share. Whoever is alone with it looks whether it is as it should be,
/// and makes it so.
fn join(path: PathBuf, options: Options<'_>, lock: Lock, alone: bool) -> Result<Sqlite> {
    let what = "open the outbox";
    if alone {
        rescue::finish(&path)?;
        file::create(&path).map_err(|error| faults::system(&path, what, &error))?;
    }
    let log_pages = Arc::new(AtomicU32::new(0));
    let bounds = Bounds::from(&options);
    let failed = |error| faults::storage(&path, what, &error);
    let begin = || match alone {
        true => sound(&path, &log_pages, bounds.keep_ms, &lock, &options),
        false => Ok((connect(&path, &log_pages, false)?, None)),
    };
    let mut tight = false;
    let (conn, mut told) = match begin() {
        Err(error) if faults::is_full(&error) => {
            tight = true;
            reserve::give_all(&path);
            begin()?
        }
        begun => begun?,
    };
    let mut left = None;
    if alone {
        left = survey(&conn).map_err(failed)?;
        if left.is_none() {
            let number = settle(&conn, bounds.keep_ms).map_err(failed)?;
            let words = format!(
                "{number} messages contradict themselves; that nobody knows what became of them is their \
                 result"
            );
            told = Some(told.map_or(words.clone(), |told| format!("{told}; {words}")));
            left = survey(&conn).map_err(failed)?;
        }
        if left.is_none() {
            return Err(faults::wrong(&path, "contradicts itself", faults::DAMAGED));
        }
    }
    let reserve =
        Reserve::open(&path).map_err(|error| faults::system(&path, "hold room for", &error))?;
    let page_size = reserve::page_size(&conn).map_err(failed)?;
    let mut store = Sqlite {
        conn: Some(conn),
        path,
        bounds,
        ledger: Ledger::default(),
        membership: Membership::new(&options),
        hands: HashMap::new(),
        cursors: HashMap::new(),
        given: HashMap::new(),
        unsaved: Vec::new(),
        heard: Vec::new(),
        last_heard: 0,
        known: Known::default(),
        database: None,
        log: None,
        log_pages,
        commits: 0,
        mark: None,
        noted: true,
        reserve,
        tight,
        page_size,
        filed: 0,
        told,
        lock: Some(lock),
        leaves_no_trace: false,
    };
    identify(&mut store)?;
    store.filed();
    match members::enter(&mut store, left.as_ref()) {
        Err(error) if faults::is_full(&error) => {
            store.give_all_room();
            members::enter(&mut store, left.as_ref())?;
        }
        entered => entered?,
    }
    Ok(store)
}

/// A connection to a file that is whole; one that is damaged is rescued first. Tells what was found.
fn sound(
    path: &Path,
    log_pages: &Arc<AtomicU32>,
    keep_ms: u64,
    lock: &Lock,
    options: &Options<'_>,
) -> Result<(Connection, Option<String>)> {
    let read = |mark| {
        file::page_size(path)
            .and_then(|page_size| Log::read(&file::wal(path), page_size, mark))
            .map_err(|error| faults::system(path, "read the log of", &error))
    };
    // Before SQLite sees it, which would go on without what it cannot read.
    let mut log = read(lock.mark())?;
    if !log.damaged {
        match connect(path, log_pages, true) {
            // Whoever makes one change does not look at everything.
            Ok(conn) if options.for_a_change || rescue::looks_sound(&conn) => {
                return Ok((conn, None));
            }
            Ok(conn) => connection::leave(&conn),
            Err(error) if faults::is_damage(&error) => {}
            Err(error) => return Err(error),
        }
        log = read(None)?;
    }
    let rescued = rescue::rescue(path, &log, keep_ms)?;
    // The new file has another log.
    let _ = lock.note(None);
    match rescued.loss(path) {
        Some(loss) => Err(loss),
        None => Ok((connect(path, log_pages, true)?, Some(rescued.words().to_owned()))),
    }
}

/// Ends the messages that contradict themselves; tells how many.
fn settle(conn: &Connection, keep_ms: u64) -> rusqlite::Result<u64> {
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let settled = rescue::doubt(conn, rescue::UNSOUND, keep_ms);
    let end = if settled.is_ok() { "COMMIT" } else { "ROLLBACK" };
    conn.execute_batch(end).and(settled)
}

/// A connection that keeps its promises, to a file of the current version; one that is not yet of
/// it is made so if `migrate`.
fn connect(path: &Path, log_pages: &Arc<AtomicU32>, migrate: bool) -> Result<Connection> {
    let failed = |error: rusqlite::Error| faults::storage(path, "open the outbox", &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags).map_err(failed)?;
    // SQLite's own pauses become so long that others would always come first.
    let again = |asked: i32| {
        std::thread::sleep(ASK_EVERY);
        u128::from(asked.unsigned_abs()) * ASK_EVERY.as_millis() < BUSY.as_millis()
    };
    conn.busy_handler(Some(again)).map_err(failed)?;
    let version = match schema::kind(&conn).map_err(failed)? {
        Kind::Outbox(version) if migrate || version == schema::STEPS.len() => version,
        Kind::Outbox(_) => return Err(other(path)),
        Kind::Newer(version) => {
            let is = format!("was written by a newer hongyan (schema version {version})");
            return Err(faults::wrong(path, &is, "use that version, or another file"));
        }
        Kind::Foreign => {
            let is = "is no outbox but another program's database";
            return Err(faults::wrong(path, is, "choose another file"));
        }
    };
    let mode: String =
        conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        let is = "is on a disk without the shared memory that SQLite's log needs";
        return Err(faults::wrong(path, is, "put it on a local disk"));
    }
    conn.execute_batch(&format!(
        "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
         PRAGMA journal_size_limit = {LOG_BYTES}; PRAGMA cache_size = -{CACHE_KIB}; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;
         PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = OFF;"
    ))
    .map_err(failed)?;
    // Or SQLite plans a statement anew whenever a value of it changes that an index's condition is compared with: a
    // tenth of what a message costs.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(failed)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    let pages = log_pages.clone();
    // The hook stands in for SQLite's own checkpoints.
    conn.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, n: std::ffi::c_int| {
        pages.store(n.unsigned_abs(), Ordering::Relaxed);
        Ok(())
    }))
    .map_err(failed)?;
    schema::migrate(&conn, version, schema::STEPS).map_err(failed)?;
    Ok(conn)
}

/// What one walk over all rows tells; `None` where a row contradicts itself.
fn survey(conn: &Connection) -> rusqlite::Result<Option<Left>> {
    let members: HashSet<i64> = conn
        .prepare("SELECT member FROM members")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut ledger = Ledger::default();
    let mut held = Vec::new();
    let mut statement = conn.prepare(&format!(
        "SELECT seq, state, max(seq, coalesce(turn, 0), coalesce(place, 0)), holder,
             length(message) + coalesce(files, 0) + coalesce(length(receipt), 0), {}, files IS NOT NULL
         FROM messages ORDER BY seq",
        rescue::UNSOUND
    ))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if row.get(5)? {
            return Ok(None);
        }
        let (seq, state): (Seq, State) = (row.get(0)?, row::state(row, 1)?);
        ledger.next = ledger.next.max(row.get::<_, i64>(2)? + 1);
        let holder: Option<i64> = row.get(3)?;
        if holder.is_some_and(|holder| state != State::Done || !members.contains(&holder)) {
            held.push(seq);
        }
        if state == State::Dead {
            continue;
        }
        ledger.unacked += 1;
        ledger.has_files |= row.get::<_, bool>(6)?;
        ledger.bytes += row::ms(row.get(4)?);
        ledger.open += u64::from(state != State::Done);
    }
    Ok(Some(Left { ledger, held }))
}

/// Remembers which files these are.
fn identify(store: &mut Sqlite) -> Result<()> {
    let look = |path: &Path| {
        let found = file::identity(path);
        found.map_err(|error| faults::system(path, "look at the outbox", &error))
    };
    store.database = look(&store.path)?;
    store.log = look(&file::wal(&store.path))?;
    Ok(())
}

/// The same as far as can be seen at little cost: whether the log is the one that is open is asked
/// with some of the commits only, whether there is one with each.
fn looks_other(store: &Sqlite) -> bool {
    if store.commits.is_multiple_of(COMMITS_A_LOOK) {
        return connection::is_other(store);
    }
    file::identity(&store.path).ok().flatten() != store.database
        || !file::is_there(&file::wal(&store.path))
}

/// Sees to it that the files at the path are the open ones. What is written to a file without a name
/// is lost, so nothing is written while they are not; once the files are back it goes on.
pub(super) fn follow(store: &mut Sqlite) -> Result<()> {
    if store.conn.is_some() && !looks_other(store) {
        return Ok(());
    }
    let what = "write to the outbox";
    let wal = file::wal(&store.path);
    let failed = |error| faults::system(&store.path, what, &error);
    let database = file::identity(&store.path).map_err(failed)?;
    let log = file::identity(&wal).map_err(failed)?;
    if database.is_none() {
        return Err(faults::wrong(&store.path, "is gone", faults::GONE));
    }
    if let Some(conn) = &store.conn {
        match (database == store.database, log == store.log, log) {
            (true, true, _) => return Ok(()),
            (true, false, None) => save_log(conn, &store.path)?,
            // The log of one file and the rows of another do not belong together.
            (true, false, Some(_)) | (false, true, _) => return Err(other(&store.path)),
            (false, false, _) => {}
        }
        connection::leave(conn);
    }
    store.mark = None;
    store.conn = None;
    store.conn = Some(reopen(store)?);
    identify(store)
}

/// Somebody removed the log alone. It is still open here, so that nothing of it need be lost.
fn save_log(conn: &Connection, path: &Path) -> Result<()> {
    let busy: i64 = conn
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map_err(|error| faults::storage(path, "save the log of", &error))?;
    match busy {
        0 => Ok(()),
        _ => Err(faults::wrong(path, "has lost its log, and somebody reads it", faults::GONE)),
    }
}

/// The file anew, if it is the one that this member had, with all that it had committed.
fn reopen(store: &Sqlite) -> Result<Connection> {
    let failed = |error| faults::storage(&store.path, "open the outbox", &error);
    let conn = connect(&store.path, &store.log_pages, false)?;
    let had = || {
        let Some(standing) = members::standing(&conn, store.membership.number)? else {
            return Ok(false);
        };
        let same = |ledger: &Ledger| (ledger.unacked, ledger.open, ledger.bytes);
        let now = survey(&conn)?;
        let is_true = now.is_some_and(|now| same(&now.ledger) == same(&standing.ledger));
        // Others may have gone on.
        let is_ours = match store.membership.is_alone() {
            true => same(&standing.ledger) == same(&store.ledger),
            false => standing.ledger.next >= store.ledger.next,
        };
        Ok(is_true && is_ours)
    };
    match had() {
        Ok(true) => return Ok(conn),
        Ok(false) => {}
        Err(error) => {
            connection::leave(&conn);
            return Err(failed(error));
        }
    }
    connection::leave(&conn);
    Err(other(&store.path))
}

fn other(path: &Path) -> Error {
    let is = "is not the file that was open";
    faults::wrong(path, is, "bring that one back, or start anew with this one")
}
