//! The tables of an outbox's file.

use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use super::place::Folder;
use super::raw::GUARD;

fn path(folder: &Folder) -> String {
    let config = folder.config("http://127.0.0.1:1", json!({}));
    config["outbox"]["path"].as_str().expect("a path").to_owned()
}

/// What a look at them says.
pub fn say(folder: &Folder, sql: &str) -> bool {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let tables = Connection::open_with_flags(path(folder), flags).expect("it opens");
    tables.query_row(sql, [], |row| row.get(0)).expect("a row")
}

/// As if so much time had passed that nothing holds any more of what was told.
pub fn forget_what_was_told(folder: &Folder) {
    let tables = Connection::open(path(folder)).expect("it opens");
    tables.busy_timeout(GUARD).expect("set");
    let sql = "BEGIN IMMEDIATE; UPDATE meta SET told = told + 1;
        UPDATE told SET until_ms = 0, number = (SELECT told FROM meta); COMMIT";
    tables.execute_batch(sql).expect("changed");
}
