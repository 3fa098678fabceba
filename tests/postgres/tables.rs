//! The tables of an outbox in a database.

use super::place::Folder;

/// What a look at them says.
pub fn say(folder: &Folder, sql: &str) -> bool {
    folder.psql(&format!("SET search_path = SCHEMA; {sql}")) == "t"
}

/// As if so much time had passed that nothing holds any more of what was told.
pub fn forget_what_was_told(folder: &Folder) {
    folder.psql(
        "UPDATE SCHEMA.told SET until_ms = 0, number = nextval('SCHEMA.numbers'); \
         NOTIFY SCHEMA_told",
    );
}
