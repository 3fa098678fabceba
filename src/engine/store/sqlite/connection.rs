//! The connection to the file: that there is one, that it is to the file at the path, and its end.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::{Sqlite, file};
use crate::model::error::Result;

/// The connection, where there is one.
pub(super) fn connected(conn: Option<&Connection>) -> Result<&Connection> {
    conn.ok_or_else(super::unconnected)
}

/// True if the path does not lead to the files that are open.
pub(super) fn is_other(store: &Sqlite) -> bool {
    let now = |path: &Path| file::identity(path).ok().flatten();
    now(&store.path) != store.database || now(&file::wal(&store.path)) != store.log
}

/// Closes without touching what stands at the path: no checkpoint, no deletion of the log.
pub(super) fn leave(conn: &Connection) {
    let _ = conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
}
