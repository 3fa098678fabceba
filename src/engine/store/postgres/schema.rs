//! What stands in the database: the SQL that makes it, and its version.

use std::sync::Arc;

use super::connection::Driver;
use super::faults;
use crate::model::config::Postgres as Place;
use crate::model::error::Result;

/// The SQL that makes a schema, or an older one current; it may be run again.
pub fn schema_sql(schema: &str) -> String {
    let parts = [
        include_str!("tables.sql"),
        include_str!("ties.sql"),
        include_str!("apply.sql"),
        include_str!("members.sql"),
        include_str!("submit.sql"),
    ];
    let functions: Vec<String> =
        names_of_functions(&parts).map(|name| format!("'{name}'")).collect();
    // Whole or not at all, and one after the other: PostgreSQL makes a schema twice if two ask at once.
    let sql = format!(
        "BEGIN;\nSELECT pg_advisory_xact_lock(hashtext('hongyan schema'));\n{}\nCOMMIT;\n",
        parts.join("\n")
    );
    // A schema's name needs no quotes: the configuration takes no other.
    sql.replace("{functions}", &functions.join(", "))
        .replace("{schema}", schema)
        .replace("{sent}", "2")
}

/// The names of the functions that these parts make.
fn names_of_functions<'a>(parts: &[&'a str]) -> impl Iterator<Item = &'a str> {
    const MAKES: &str = "CREATE OR REPLACE FUNCTION {schema}.";
    let made = parts.iter().flat_map(|part| part.split(MAKES).skip(1)).collect::<Vec<_>>();
    made.into_iter().filter_map(|rest| rest.split('(').next())
}

/// Makes a schema, or an older one current.
pub fn make_schema(place: &Place) -> Result<()> {
    let driver = Driver::start(place.clone(), Arc::default())?;
    let failed = |fault| faults::storage(driver.shown(), "make the schema of", fault);
    let connection = driver.connect().map_err(failed)?;
    driver.wait(connection.run(&schema_sql(&place.schema))).map_err(failed)
}

/// The version of the schema that this library knows.
pub(super) const VERSION: i32 = 2;
