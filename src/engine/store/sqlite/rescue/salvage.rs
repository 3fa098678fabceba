//! Row by row from a damaged file into a new one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Result, params, params_from_iter};

use super::Rescued;
use crate::engine::store::schema;

/// How many numbers of rows are tried that no page names.
const TRIED: usize = 1 << 20;

/// True of a row that contradicts itself, so that nobody knows where it stands.
pub(in crate::engine::store::sqlite) const UNSOUND: &str = "
    (state NOT BETWEEN 0 AND 6
     OR (state IN (0, 4)) IS NOT (turn IS NOT NULL)
     OR (state = 1) IS NOT (wake_ms IS NOT NULL)
     OR (state = 3) IS NOT (follows IS NOT NULL)
     OR (state = 6) IS NOT (until_ms IS NOT NULL)
     OR (state >= 5) IS NOT (delivery IS NOT NULL)
     OR (state >= 5) IS NOT (receipt IS NOT NULL)
     OR (state = 4 AND first_sent_ms IS NULL)
     OR (state < 4 AND first_sent_ms IS NOT NULL)
     OR coalesce(delivery NOT IN (0, 1, 2, 3), 0))";

/// The columns that may be long; each is read alone, since its pages may be damaged.
const LONG: [&str; 5] = ["message", "body", "receipt", "progress", "mark"];

/// What the pages tell of the rows that a table has.
struct Found<T> {
    rows: BTreeMap<i64, T>,
    /// There are no others.
    all: bool,
}

/// Copies what can be read into the file at `to`, which is empty.
///
/// Where the last state of the file is not `settled`, whatever has no result is in doubt.
pub(super) fn salvage(
    from: &Connection,
    to: &Path,
    settled: bool,
    keep_ms: u64,
) -> Result<Rescued> {
    let version: i64 = from.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let steps = usize::try_from(version).unwrap_or(0).min(schema::STEPS.len());
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let to = Connection::open_with_flags(to, flags)?;
    to.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    schema::migrate(&to, 0, &schema::STEPS[..steps])?;
    to.execute_batch("BEGIN IMMEDIATE")?;
    let (messages, lost, messages_all) = copy_messages(from, &to, settled)?;
    let keys_all = copy_keys(from, &to, keep_ms)?;
    let slots = walk(from, "SELECT slot, NULL FROM went NOT INDEXED ORDER BY slot", |_| ());
    let slots_all = slots.all || version < 2;
    for slot in slots.rows.keys() {
        to.execute("INSERT OR IGNORE INTO went (slot) VALUES (?1)", [slot])?;
    }
    let files_all = version < 4 || copy_files(from, &to)?;
    // Members have numbers that no other ever had.
    let member = if steps < 5 { "run" } else { "max(home, coalesce(holder, 0))" };
    to.execute_batch(&format!(
        "UPDATE meta SET run = 1 + (SELECT coalesce(max({member}), 0) FROM messages)"
    ))?;
    // A file without messages had owners, too.
    if let Ok(run) = from.query_row("SELECT run FROM meta", [], |row| row.get::<_, i64>(0)) {
        to.execute("UPDATE meta SET run = max(run, ?1)", [run])?;
    }
    // A row of an older file becomes a current one here.
    to.execute_batch("COMMIT")?;
    schema::migrate(&to, steps, schema::STEPS)?;
    to.execute_batch("BEGIN IMMEDIATE")?;
    let which = if settled { UNSOUND.to_owned() } else { format!("(state < 5 OR {UNSOUND})") };
    let doubtful = doubt(&to, &which, keep_ms)?;
    to.execute_batch("COMMIT")?;
    let incomplete = !(settled && messages_all && keys_all && slots_all);
    let mut words = format!("{messages} messages could be read");
    if lost + doubtful > 0 {
        words += &format!(
            ", and of {} it is not known what became of them: that is their result",
            lost + doubtful
        );
    }
    if !files_all {
        words += "; files of messages may be lost, which are not sent then";
    }
    words += match (settled, messages_all, keys_all && slots_all) {
        (false, ..) => "; the last commits are lost, and what they said of other messages",
        (_, false, _) => "; there may have been others",
        (.., false) => "; keys may be forgotten",
        _ => "",
    };
    Ok(Rescued { words, incomplete })
}

/// How many could be read, of how many only the id is known, and whether these are all.
fn copy_messages(from: &Connection, to: &Connection, settled: bool) -> Result<(u64, u64, bool)> {
    let table = walk(from, "SELECT seq, NULL FROM messages NOT INDEXED ORDER BY seq", |_| ());
    let index = "SELECT seq, id FROM messages INDEXED BY messages_id ORDER BY id";
    let index = walk(from, index, |id| match id {
        Value::Text(id) => Some(id),
        _ => None,
    });
    let columns = columns(to, "messages")?;
    let (short, long): (Vec<_>, Vec<_>) =
        columns.into_iter().partition(|column| !LONG.contains(&column.as_str()));
    let mut numbers: BTreeSet<i64> = table.rows.keys().copied().collect();
    if !table.all {
        numbers.extend(index.rows.keys());
        if !index.all
            && let (Some(first), Some(last)) = (numbers.first().copied(), numbers.last().copied())
        {
            numbers.extend((first.min(1)..=last).take(TRIED));
        }
    }
    let mut known = BTreeSet::new();
    for seq in numbers {
        if copy_row(from, to, "messages", "seq", seq, &short, &long).unwrap_or(false) {
            known.insert(seq);
        }
    }
    let (read, mut lost) = (known.len() as u64, 0);
    let mut altered = false;
    for (seq, id) in index.rows {
        let Some(id) = id else { continue };
        if known.contains(&seq) {
            // Which of the two is right cannot be told: a message of the other id may be lost.
            let own =
                to.query_row("SELECT id FROM messages WHERE seq = ?1", [seq], |row| row.get(0));
            altered |= own.is_ok_and(|own: String| own != id);
            continue;
        }
        // Where the table names all of its rows, what only the index names is not one.
        if settled && table.all && !table.rows.contains_key(&seq) {
            continue;
        }
        let put = to.execute(
            "INSERT INTO messages (seq, state, accepted_ms, delivery, token, id, account, message,
                 receipt) VALUES (?1, 5, 0, 1, 0, ?2, '', x'', x'')",
            params![seq, id],
        );
        if put.is_ok() {
            lost += 1;
            known.insert(seq);
        }
    }
    let all =
        !altered && (table.all || index.all) && table.rows.keys().all(|seq| known.contains(seq));
    Ok((read, lost, all))
}

/// Copies the keys; true if these are all. One that cannot be read refuses every message of it.
fn copy_keys(from: &Connection, to: &Connection, keep_ms: u64) -> Result<bool> {
    let columns = columns(to, "keys")?;
    let table = walk(from, "SELECT rowid, NULL FROM keys NOT INDEXED ORDER BY rowid", |_| ());
    let mut whole = table.all;
    for row in table.rows.keys() {
        whole &= copy_row(from, to, "keys", "rowid", *row, &columns, &[]).unwrap_or(false);
    }
    if whole {
        return Ok(true);
    }
    let mut all = true;
    for order in ["", " DESC"] {
        let sql = format!(
            "SELECT account, key FROM keys INDEXED BY keys_key ORDER BY account{order}, key{order}"
        );
        let mut statement = from.prepare(&sql)?;
        let mut rows = statement.query([])?;
        all = loop {
            match rows.next() {
                Ok(Some(row)) => {
                    let (account, key): (Value, Value) = (row.get(0)?, row.get(1)?);
                    let _ = to.execute(
                        "INSERT OR IGNORE INTO keys (account, key, id, content, delivery, until_ms,
                             receipt)
                         VALUES (?1, ?2, '', x'', 1, unixepoch() * 1000 + ?3, x'')",
                        params![account, key, i64::try_from(keep_ms).unwrap_or(i64::MAX / 2)],
                    );
                }
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        if all {
            break;
        }
    }
    Ok(all)
}

/// Copies the files of messages; true if these are all.
fn copy_files(from: &Connection, to: &Connection) -> Result<bool> {
    let columns = columns(to, "files")?;
    let table = walk(from, "SELECT part, NULL FROM files NOT INDEXED ORDER BY part", |_| ());
    let mut all = table.all;
    for part in table.rows.keys() {
        all &= copy_row(from, to, "files", "part", *part, &columns, &[]).unwrap_or(false);
    }
    Ok(all)
}

/// The rows that a query gives, read from both ends where it breaks off.
fn walk<T>(conn: &Connection, sql: &str, value: impl Fn(Value) -> T) -> Found<T> {
    let mut rows = BTreeMap::new();
    for order in ["", " DESC"] {
        let mut read = || -> Result<()> {
            let mut statement = conn.prepare(&format!("{sql}{order}"))?;
            let mut found = statement.query([])?;
            while let Some(row) = found.next()? {
                rows.insert(row.get(0)?, value(row.get(1)?));
            }
            Ok(())
        };
        if read().is_ok() {
            return Found { rows, all: true };
        }
    }
    Found { rows, all: false }
}

fn columns(conn: &Connection, table: &str) -> Result<Vec<String>> {
    conn.prepare("SELECT name FROM pragma_table_info(?1)")?
        .query_map([table], |row| row.get(0))?
        .collect()
}

/// Copies one row; false if there is none. Of a long column that cannot be read nothing is left; of
/// progress that there was some, so that nothing is sent anew.
fn copy_row(
    from: &Connection,
    to: &Connection,
    table: &str,
    by: &str,
    number: i64,
    short: &[String],
    long: &[String],
) -> Result<bool> {
    let select = format!("SELECT {} FROM {table} WHERE {by} = ?1", short.join(", "));
    let mut statement = from.prepare_cached(&select)?;
    let mut rows = statement.query([number])?;
    let Some(row) = rows.next()? else { return Ok(false) };
    let mut values = Vec::with_capacity(short.len() + long.len());
    for at in 0..short.len() {
        values.push(row.get::<_, Value>(at)?);
    }
    for column in long {
        let select = format!("SELECT {column} FROM {table} WHERE {by} = ?1");
        let value = from.prepare_cached(&select)?.query_row([number], |row| row.get(0));
        values.push(value.unwrap_or(match column.as_str() {
            "body" | "mark" => Value::Null,
            _ => Value::Blob(Vec::new()),
        }));
    }
    let names: Vec<&str> = short.iter().chain(long).map(String::as_str).collect();
    let places = vec!["?"; names.len()].join(", ");
    let insert = format!("INSERT INTO {table} ({}) VALUES ({places})", names.join(", "));
    to.prepare_cached(&insert)?.execute(params_from_iter(values))?;
    Ok(true)
}

/// Gives the rows for which this is true a result that cannot be read: nobody knows. Then lets those go
/// on that waited for one of them. Tells how many have such a result.
pub(in crate::engine::store::sqlite) fn doubt(
    conn: &Connection,
    which: &str,
    keep_ms: u64,
) -> Result<u64> {
    const DOUBT: &str = "
        UPDATE messages SET state = 5, turn = NULL, place = NULL, wake_ms = NULL, expires_ms = NULL,
            until_ms = NULL, follows = NULL, body = NULL, progress = NULL, mark = NULL, home = 0, holder = NULL, delivery = 1, borrowed = 0,
            receipt = x'' WHERE";
    // Nobody waits any more for what a caller had sent himself; its key is settled below.
    conn.execute(&format!("DELETE FROM messages WHERE direct IS NOT NULL AND {which}"), [])?;
    let mut doubtful = conn.execute(&format!("{DOUBT} {which}"), [])?;
    // Who follows waits for a message that has no result yet.
    doubtful += conn.execute(
        &format!(
            "{DOUBT} state = 3 AND direct IS NULL AND follows NOT IN (SELECT id FROM messages WHERE state NOT IN (3, 5, 6))"
        ),
        [],
    )?;
    conn.execute(
        "DELETE FROM messages WHERE state = 3 AND direct IS NOT NULL
         AND follows NOT IN (SELECT id FROM messages WHERE state NOT IN (3, 5, 6))",
        [],
    )?;
    conn.execute(
        "UPDATE keys SET delivery = 1, until_ms = unixepoch() * 1000 + ?1, receipt = x''
         WHERE delivery IS NULL AND id NOT IN (SELECT id FROM messages WHERE state < 5)",
        [i64::try_from(keep_ms).unwrap_or(i64::MAX / 2)],
    )?;
    conn.execute(
        "INSERT OR IGNORE INTO keys (account, key, id, content)
         SELECT account, key, id, content FROM messages
         WHERE key IS NOT NULL AND content IS NOT NULL AND state IN (0, 1, 2, 4)",
        [],
    )?;
    // The first of each line waits for nobody.
    conn.execute_batch(
        "WITH first AS (
             SELECT seq, row_number() OVER (ORDER BY place) AS n FROM messages AS m
             WHERE state = 2 AND place = (SELECT min(place) FROM messages
                 WHERE account = m.account AND line = m.line AND place IS NOT NULL))
         UPDATE messages SET
             state = CASE WHEN due_ms IS NULL THEN 0 ELSE 1 END,
             wake_ms = due_ms,
             turn = CASE WHEN due_ms IS NULL THEN first.n + (SELECT
                 max(max(seq, coalesce(turn, 0), coalesce(place, 0))) FROM messages) END
         FROM first WHERE first.seq = messages.seq",
    )?;
    Ok(doubtful as u64)
}
