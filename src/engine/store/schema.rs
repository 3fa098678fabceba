//! The tables of an outbox file, and how an older file becomes a current one.

use rusqlite::Connection;

use super::upgrade;

/// Stands in the file's header: it is an outbox ("hy_o").
pub(super) const APPLICATION_ID: i32 = 0x6879_5f6f;

/// Step `n` makes a file of version `n` one of version `n + 1`. A step that was released never
/// changes.
pub(super) const STEPS: &[Step] = &[
    Step { sql: VERSION_1, rows: None },
    Step { sql: VERSION_2, rows: Some(upgrade::digests) },
    Step { sql: VERSION_3, rows: None },
    Step { sql: VERSION_4, rows: None },
    Step { sql: VERSION_5, rows: None },
];

/// What makes a file one of the next version.
pub(super) struct Step<'a> {
    /// What becomes of the tables.
    sql: &'a str,
    /// What becomes of the rows, where SQL alone cannot say it.
    rows: Option<fn(&Connection) -> rusqlite::Result<()>>,
}

/// An index on a column that is null outside the state that it serves costs rows in other states
/// nothing. Long columns stand last, so that reading the others touches no overflow page.
///
/// - `run`: how often the file had an owner; `undone`: how many commits failed at the disk.
/// - `messages.turn`: not null while it is to be begun, or begun. `place`: not null while it is in a
///   line. `wake_ms`: not null while it waits for its time. `expires_ms`: its deadline, not null
///   while it has no result. `follows`: the id of the message whose result it waits for. `until_ms`:
///   not null of a dead letter. `run`: the owner that finished it. `borrowed`: its result is that of
///   another message.
/// - `keys.id`: the message that claimed the key; `delivery` and `until_ms` are null until it has its
///   result.
pub(super) const VERSION_1: &str = "
    CREATE TABLE meta (run INTEGER NOT NULL, undone INTEGER NOT NULL) STRICT;
    INSERT INTO meta (run, undone) VALUES (0, 0);
    CREATE TABLE messages (
        seq INTEGER PRIMARY KEY,
        state INTEGER NOT NULL,
        turn INTEGER,
        place INTEGER,
        wake_ms INTEGER,
        until_ms INTEGER,
        expires_ms INTEGER,
        run INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        first_sent_ms INTEGER,
        accepted_ms INTEGER NOT NULL,
        due_ms INTEGER,
        deadline_ms INTEGER,
        delivery INTEGER,
        borrowed INTEGER NOT NULL DEFAULT 0,
        token INTEGER NOT NULL,
        id TEXT NOT NULL,
        account TEXT NOT NULL,
        line TEXT,
        key TEXT,
        content BLOB,
        follows TEXT,
        message BLOB NOT NULL,
        body BLOB,
        receipt BLOB
    ) STRICT;
    CREATE UNIQUE INDEX messages_id ON messages (id);
    CREATE INDEX messages_turn ON messages (account, turn) WHERE turn IS NOT NULL;
    CREATE INDEX messages_place ON messages (account, line, place) WHERE place IS NOT NULL;
    CREATE INDEX messages_wake ON messages (wake_ms) WHERE wake_ms IS NOT NULL;
    CREATE INDEX messages_expires ON messages (expires_ms) WHERE expires_ms IS NOT NULL;
    CREATE INDEX messages_follows ON messages (follows) WHERE follows IS NOT NULL;
    CREATE INDEX messages_until ON messages (until_ms) WHERE until_ms IS NOT NULL;
    CREATE TABLE keys (
        account TEXT NOT NULL,
        key TEXT NOT NULL,
        id TEXT NOT NULL,
        content BLOB NOT NULL,
        delivery INTEGER,
        until_ms INTEGER,
        receipt BLOB
    ) STRICT;
    CREATE UNIQUE INDEX keys_key ON keys (account, key);
    CREATE INDEX keys_until ON keys (until_ms) WHERE until_ms IS NOT NULL;
";

/// - `messages.line`, `messages.content` and `keys.content` hold digests that have a version
///   (`model/digest.rs`); only keys whose message is gone keep those without.
/// - `messages.sender`: who sent what it was begun with; not known of what was begun before this version.
/// - `messages.direct`: not null where the result goes to a caller who waits, and the row with it.
/// - `went`: the words in which anything went, as far as they are remembered (`engine/attempt/repeats.rs`).
const VERSION_2: &str = "
    ALTER TABLE messages ADD COLUMN sender TEXT;
    ALTER TABLE messages ADD COLUMN direct INTEGER;
    CREATE INDEX messages_direct ON messages (seq) WHERE direct IS NOT NULL;
    CREATE TABLE went (slot INTEGER PRIMARY KEY) STRICT;
";

/// - `messages.progress`: how far a message has come that is sent in several requests, or the result that
///   it had when it was queued again (`engine/attempt/progress.rs`).
/// - `messages.mark`: what a later run has to know of what was begun, beside its body (`service/mark.rs`).
const VERSION_3: &str = "
    ALTER TABLE messages ADD COLUMN progress BLOB;
    ALTER TABLE messages ADD COLUMN mark TEXT;
";

/// - `messages.files`: how many bytes of files go with it; null where none do.
/// - `files`: those bytes, in parts that are read and written one by one; `file` is the place of the
///   file in the message. They go with the message's row, or before it.
const VERSION_4: &str = "
    ALTER TABLE messages ADD COLUMN files INTEGER;
    CREATE TABLE files (
        part INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        file INTEGER NOT NULL,
        bytes BLOB NOT NULL
    ) STRICT;
    CREATE INDEX files_id ON files (id, part);
    CREATE TRIGGER files_go AFTER DELETE ON messages WHEN old.files IS NOT NULL BEGIN
        DELETE FROM files WHERE id = old.id;
    END;
";

/// Many members share the file.
///
/// - `meta.run`: the number of the last member, as before that of the last owner. `messages`, `open`,
///   `bytes`, `next`, `purge_ms` and `has_files`: what is known of the rows without looking at them.
///   `members`: how often a member came or went.
/// - `members.sole`: it alone sends, and has messages in its hands without saying so in their rows. `gone`: of
///   what it held only results are left.
/// - `messages.home`: the member that accepted it, in an older file the owner that finished it. `holder`: the
///   member that has it in its hands, to send it or to hand its result out. `owner`: whose clients may take
///   its result. `given`: its result was handed out, and not acknowledged in time.
/// - `requests`: those within limits that all senders share; under way while `until_ms` is null, and counted
///   until then.
/// - `told`: what services said to one sender and what holds for all; `number`: how much had been said by then,
///   which `meta.told` counts.
const VERSION_5: &str = "
    ALTER TABLE meta ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE meta ADD COLUMN open INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE meta ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE meta ADD COLUMN next INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE meta ADD COLUMN purge_ms INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE meta ADD COLUMN has_files INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE meta ADD COLUMN members INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE meta ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE members (
        member INTEGER PRIMARY KEY,
        owner TEXT NOT NULL,
        sends INTEGER NOT NULL,
        sole INTEGER NOT NULL,
        lease_ms INTEGER NOT NULL,
        gone INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    ALTER TABLE messages RENAME COLUMN run TO home;
    ALTER TABLE messages ADD COLUMN holder INTEGER;
    ALTER TABLE messages ADD COLUMN owner TEXT NOT NULL DEFAULT '';
    ALTER TABLE messages ADD COLUMN given INTEGER;
    DROP INDEX messages_turn;
    CREATE INDEX messages_turn ON messages (account, turn) WHERE turn IS NOT NULL AND holder IS NULL;
    CREATE INDEX messages_holder ON messages (holder) WHERE holder IS NOT NULL;
    CREATE INDEX messages_begun ON messages (state) WHERE state = 4 AND holder IS NULL;
    CREATE INDEX messages_result ON messages (owner) WHERE state = 5 AND holder IS NULL;
    CREATE TABLE requests (
        scope TEXT NOT NULL,
        member INTEGER NOT NULL,
        id INTEGER NOT NULL,
        per_ms INTEGER NOT NULL,
        until_ms INTEGER,
        PRIMARY KEY (scope, member, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX requests_id ON requests (id);
    CREATE INDEX requests_until ON requests (until_ms) WHERE until_ms IS NOT NULL;
    CREATE TABLE told (
        about TEXT PRIMARY KEY,
        number INTEGER NOT NULL,
        until_ms INTEGER NOT NULL,
        words TEXT
    ) STRICT, WITHOUT ROWID;
";

/// What a file is.
#[derive(Debug, PartialEq)]
pub(super) enum Kind {
    /// An outbox, or an empty file that can become one, of this version.
    Outbox(usize),
    /// An outbox of a version that this library does not know yet.
    Newer(i64),
    /// The database of another program.
    Foreign,
}

/// What the file is.
pub(super) fn kind(conn: &Connection) -> rusqlite::Result<Kind> {
    let number = |pragma| conn.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let version = number("PRAGMA user_version")?;
    if number("PRAGMA application_id")? != i64::from(APPLICATION_ID) {
        let empty = version == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0;
        return Ok(if empty { Kind::Outbox(0) } else { Kind::Foreign });
    }
    match usize::try_from(version) {
        Ok(known) if known <= STEPS.len() => Ok(Kind::Outbox(known)),
        _ => Ok(Kind::Newer(version)),
    }
}

/// Takes the steps from this version on, each whole or not at all.
pub(super) fn migrate(conn: &Connection, from: usize, steps: &[Step<'_>]) -> rusqlite::Result<()> {
    for (version, step) in steps.iter().enumerate().skip(from) {
        let made = conn
            .execute_batch(&format!("BEGIN IMMEDIATE; {}", step.sql))
            .and_then(|()| step.rows.map_or(Ok(()), |rows| rows(conn)))
            .and_then(|()| {
                conn.execute_batch(&format!(
                    "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}; COMMIT",
                    version + 1
                ))
            });
        if let Err(error) = made {
            if !conn.is_autocommit() {
                // The error that matters is the one above.
                let _ = conn.execute_batch("ROLLBACK");
            }
            return Err(error);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(sql: &str) -> Step<'_> {
        Step { sql, rows: None }
    }

    fn columns(conn: &Connection) -> String {
        conn.query_row("SELECT group_concat(name) FROM pragma_table_info('t')", [], |row| {
            row.get(0)
        })
        .unwrap()
    }

    #[test]
    fn an_older_file_gets_the_steps_it_lacks() {
        let steps = ["CREATE TABLE t (a)", "ALTER TABLE t ADD b", "ALTER TABLE t ADD c"].map(sql);
        let conn = Connection::open_in_memory().unwrap();
        migrate(&conn, 0, &steps[..1]).unwrap();
        assert_eq!(kind(&conn).unwrap(), Kind::Outbox(1));
        assert_eq!(columns(&conn), "a");
        migrate(&conn, 1, &steps).unwrap();
        assert_eq!(columns(&conn), "a,b,c");
        let newer = i64::try_from(STEPS.len()).unwrap() + 1;
        conn.pragma_update(None, "user_version", newer).unwrap();
        assert_eq!(kind(&conn).unwrap(), Kind::Newer(newer), "this library knows fewer");
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before_it() {
        let conn = Connection::open_in_memory().unwrap();
        let steps =
            ["CREATE TABLE t (a)", "ALTER TABLE t ADD b; ALTER TABLE nothing ADD c"].map(sql);
        assert!(migrate(&conn, 0, &steps).is_err());
        assert_eq!(kind(&conn).unwrap(), Kind::Outbox(1));
        assert_eq!(columns(&conn), "a");
        assert!(conn.is_autocommit());
    }

    #[test]
    fn a_file_of_another_program_is_told_apart() {
        let conn = Connection::open_in_memory().unwrap();
        assert_eq!(kind(&conn).unwrap(), Kind::Outbox(0));
        conn.execute_batch("CREATE TABLE theirs (a)").unwrap();
        assert_eq!(kind(&conn).unwrap(), Kind::Foreign);
    }
}
