//! The files that go with messages, in parts: neither a row nor memory has to hold one as a whole twice.

use bytes::Bytes;
use rusqlite::{Connection, Result, params};

use super::batch::Batch;
use super::row;
use crate::engine::store::{Accept, Seq, Verdict};
use crate::model::receipt::Delivery;

/// How long a part is, in bytes.
const PART: usize = 256 << 10;

impl Batch<'_> {
    /// Keeps the files of a message that was accepted.
    pub(super) fn put_files(&mut self, seq: Seq, accept: &Accept) -> Result<()> {
        if accept.files.is_empty() {
            return Ok(());
        }
        let mut put =
            self.conn.prepare_cached("INSERT INTO files (id, file, bytes) VALUES (?1, ?2, ?3)")?;
        for (file, bytes) in &accept.files {
            let mut parts: Vec<&[u8]> = bytes.chunks(PART).collect();
            if parts.is_empty() {
                // A file without bytes is there, too.
                parts.push(&[]);
            }
            for part in parts {
                put.execute(params![accept.id, *file as i64, part])?;
            }
        }
        let length: usize = accept.files.iter().map(|(_, bytes)| bytes.len()).sum();
        self.conn
            .prepare_cached("UPDATE messages SET files = ?2 WHERE seq = ?1")?
            .execute(params![seq, length as i64])?;
        self.ledger.bytes += length as u64;
        self.ledger.has_files = true;
        Ok(())
    }

    /// A message has its result: what was sent needs no files any more. Any other may be queued again.
    pub(super) fn free_files(&mut self, seq: Seq, verdict: &Verdict) -> Result<()> {
        if !self.ledger.has_files || verdict.delivery != Delivery::Sent {
            return Ok(());
        }
        let found = self
            .conn
            .prepare_cached("SELECT id, files FROM messages WHERE seq = ?1 AND files IS NOT NULL")?
            .query_row([seq], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)));
        if let Some((id, length)) = row::found(found)? {
            self.conn.prepare_cached("DELETE FROM files WHERE id = ?1")?.execute([id])?;
            self.conn
                .prepare_cached("UPDATE messages SET files = NULL WHERE seq = ?1")?
                .execute([seq])?;
            self.ledger.bytes = self.ledger.bytes.saturating_sub(row::ms(length));
        }
        Ok(())
    }
}

/// The files of a message, each with its place in it.
pub(super) fn read(conn: &Connection, id: &str) -> Result<Vec<(usize, Bytes)>> {
    let lengths: Vec<(i64, i64)> = conn
        .prepare_cached(
            "SELECT file, sum(length(bytes)) FROM files WHERE id = ?1 GROUP BY file ORDER BY file",
        )?
        .query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_>>()?;
    let mut parts =
        conn.prepare_cached("SELECT bytes FROM files WHERE id = ?1 AND file = ?2 ORDER BY part")?;
    let mut files = Vec::with_capacity(lengths.len());
    for (file, length) in lengths {
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        let mut rows = parts.query(params![id, file])?;
        while let Some(row) = rows.next()? {
            bytes.extend_from_slice(row.get_ref(0)?.as_blob()?);
        }
        files.push((usize::try_from(file).unwrap_or(usize::MAX), bytes.into()));
    }
    Ok(files)
}
