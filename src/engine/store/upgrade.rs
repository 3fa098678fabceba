//! What only the library can tell of the rows of an older file.

use rusqlite::{Connection, Result, params};

use super::Seq;
use crate::model::digest::{self, Content};
use crate::model::message::Message;

/// How many rows are in memory at once.
const AT_ONCE: usize = 256;

/// Gives the messages of a file of version 1 digests that have a version, and with them their keys.
/// Without them an ordered message would not wait for one that this file has kept.
///
/// A message that cannot be read keeps what it has: it will never be sent.
pub(super) fn digests(conn: &Connection) -> Result<()> {
    let mut some = conn.prepare(
        "SELECT seq, line IS NOT NULL, content IS NOT NULL, message FROM messages
         WHERE seq > ?1 AND (line IS NOT NULL OR content IS NOT NULL) ORDER BY seq LIMIT ?2",
    )?;
    let mut row = conn.prepare("UPDATE messages SET line = ?2, content = ?3 WHERE seq = ?1")?;
    let mut key = conn.prepare(
        "UPDATE keys SET content = ?2 FROM messages AS own WHERE own.seq = ?1
             AND keys.account = own.account AND keys.key = own.key AND keys.id = own.id",
    )?;
    let mut after: Seq = 0;
    loop {
        let rows: Vec<(Seq, bool, bool, Vec<u8>)> = some
            .query_map(params![after, AT_ONCE as i64], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?
            .collect::<Result<_>>()?;
        let Some((last, ..)) = rows.last() else { return Ok(()) };
        after = *last;
        for (seq, in_line, keyed, message) in rows {
            let Ok(message) = Message::parse(&message) else { continue };
            let line = in_line.then(|| digest::recipient(&message.to));
            let content = keyed.then(|| Content::of(&message).stored());
            row.execute(params![seq, line, content])?;
            if let Some(content) = content {
                key.execute(params![seq, content])?;
            }
        }
    }
}
