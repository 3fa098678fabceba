//! What tests of other floors do to a file that nobody has open.

use std::path::Path;

use rusqlite::Connection;

/// Changes a file behind its owner's back.
pub fn change(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

/// The number that a query gives.
pub fn ask(path: &Path, sql: &str) -> i64 {
    Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}
