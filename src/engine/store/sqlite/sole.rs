//! The member that alone sends: what it takes into its hands and lets go by a rate it need not write down before
//! another member sends as well.

use rusqlite::{Connection, Result};

/// True while another member than this one may have what it has not written down.
pub(super) fn is_another(conn: &Connection, member: i64) -> Result<bool> {
    conn.prepare_cached("SELECT 1 FROM members WHERE sole = 1 AND gone = 0 AND member <> ?1")?
        .exists([member])
}
