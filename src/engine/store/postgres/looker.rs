//! Looking at what stands in an outbox, beside its members.

use std::sync::Arc;

use tokio_postgres::types::ToSql;

use super::connection::{Connection, Driver};
use super::{Place, faults, row};
use crate::engine::store::{Listed, Look, Seq};
use crate::model::error::Result;

/// Someone who looks at an outbox and changes nothing.
pub struct Looker {
    // Before the driver that it needs to its end.
    connection: Connection,
    driver: Driver,
    schema: String,
}

impl Looker {
    pub fn open(place: &Place) -> Result<Looker> {
        let driver = Driver::start(place.clone(), Arc::default())?;
        let failed = |fault| faults::storage(driver.shown(), "read", fault);
        let connection = driver.connect().map_err(failed)?;
        Ok(Looker { connection, driver, schema: place.schema.clone() })
    }

    fn read(&self, of: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Listed>> {
        let sql = format!("SELECT {} FROM {}.messages WHERE {of}", row::LISTED, self.schema);
        let rows = self.driver.wait(self.connection.all(&sql, values));
        let rows = rows.map_err(|fault| faults::storage(self.driver.shown(), "read", fault))?;
        rows.iter().map(|found| row::listed(found, self.driver.shown())).collect()
    }
}

impl Look for Looker {
    fn rows(&self, after: Seq, most: usize) -> Result<Vec<Listed>> {
        let most = i64::from(row::most(most));
        self.read("seq > $1 AND direct IS NULL ORDER BY seq LIMIT $2", &[&after, &most])
    }

    fn row(&self, id: &str) -> Result<Option<Listed>> {
        Ok(self.read("id = $1 AND direct IS NULL", &[&id])?.pop())
    }
}
