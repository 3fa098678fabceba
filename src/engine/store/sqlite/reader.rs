//! Looking at an outbox file beside its owner.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};

use super::{faults, file, row};
use crate::engine::store::schema::{self, Kind};
use crate::engine::store::{Listed, Look, Seq};
use crate::model::error::Result;

/// Someone who looks at an outbox file and changes nothing.
#[derive(Debug)]
pub struct Reader {
    conn: Connection,
    path: PathBuf,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Reader> {
        let what = "read the outbox";
        let path = file::true_path(path).map_err(|error| faults::system(path, what, &error))?;
        file::refuse_special(&path)?;
        let failed = |error: rusqlite::Error| faults::storage(&path, what, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&path, flags).map_err(failed)?;
        conn.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
        match schema::kind(&conn).map_err(failed)? {
            Kind::Outbox(version) if version == schema::STEPS.len() => {}
            Kind::Outbox(version) => {
                let is = format!("is of an older kind (schema version {version})");
                return Err(faults::wrong(&path, &is, "send through it once, which makes it new"));
            }
            Kind::Newer(version) => {
                let is = format!("was written by a newer hongyan (schema version {version})");
                return Err(faults::wrong(&path, &is, "use that version"));
            }
            Kind::Foreign => {
                return Err(faults::wrong(&path, "is no outbox", "choose another file"));
            }
        }
        Ok(Reader { conn, path })
    }

    /// So many rows after this one, oldest first.
    pub fn rows(&self, after: Seq, most: usize) -> Result<Vec<Listed>> {
        let sql = format!(
            "SELECT {} FROM messages WHERE seq > ?1 AND direct IS NULL ORDER BY seq LIMIT ?2",
            row::LISTED
        );
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let read = || -> rusqlite::Result<Vec<Listed>> {
            self.conn.prepare_cached(&sql)?.query_map(params![after, most], row::listed)?.collect()
        };
        read().map_err(|error| faults::storage(&self.path, "read the outbox", &error))
    }

    /// The row of this id.
    pub fn row(&self, id: &str) -> Result<Option<Listed>> {
        let sql = format!("SELECT {} FROM messages WHERE id = ?1 AND direct IS NULL", row::LISTED);
        let read = || row::found(self.conn.prepare_cached(&sql)?.query_row([id], row::listed));
        read().map_err(|error| faults::storage(&self.path, "read the outbox", &error))
    }
}

impl Look for Reader {
    fn rows(&self, after: Seq, most: usize) -> Result<Vec<Listed>> {
        Reader::rows(self, after, most)
    }

    fn row(&self, id: &str) -> Result<Option<Listed>> {
        Reader::row(self, id)
    }
}
