//! Where messages are kept until their results are acknowledged, as a configuration says it.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::postgres::Database;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::expand::{expand, look_up};
use crate::model::fields::Fields;

/// Where messages are kept until their results are acknowledged.
#[derive(Clone, Debug)]
#[allow(dead_code, reason = "a build may have no store")]
pub struct OutboxConfig {
    pub(crate) place: Place,
    /// Whose results come out of this client: of those submits that named the same.
    pub(crate) owner: String,
    /// Sends what is due; otherwise it only submits and takes results.
    pub(crate) sends: bool,
    /// How long after its last sign of life a client's messages go to others.
    pub(crate) lease: Duration,
    /// How many messages may have no acknowledged result.
    pub(crate) max_messages: u64,
    /// How large they may be together.
    pub(crate) max_bytes: u64,
    /// How long keys and dead letters are kept.
    pub(crate) key_days: u32,
    /// Takes results. No configuration says otherwise: a worker leaves them to who submitted.
    pub(crate) takes: bool,
}

/// What an outbox is kept in.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file, for any number of processes of one machine.
    Path(PathBuf),
    /// A schema of a database, for any number of machines.
    #[allow(dead_code, reason = "a build may have no store")]
    Postgres(Box<Postgres>),
}

/// A schema of a PostgreSQL database.
#[derive(Clone, Debug)]
#[allow(dead_code, reason = "a build may have no store")]
pub struct Postgres {
    pub(crate) database: Database,
    /// Its name, which needs no quotes in SQL.
    pub(crate) schema: String,
    /// The client's own, which stands beside the outbox in a configuration.
    pub(crate) ca_file: Option<String>,
}

/// How long leases last.
///
/// What is true of a message depends on no number here: a holder that is late changes nothing. Below the
/// least, signs of life would be most of what the database does; beyond the most, what a machine that
/// burnt down held would wait for longer than its messages are worth.
const LEASE_MS: std::ops::RangeInclusive<i64> = 100..=600_000;

/// The longest name of an owner, in bytes.
const MAX_OWNER: usize = 200;

/// The longest name of a schema: what PostgreSQL keeps of a name.
const MAX_SCHEMA: usize = 63;

impl OutboxConfig {
    pub(super) fn read(mut f: Fields, ca_file: Option<&str>) -> Result<OutboxConfig> {
        if !cfg!(feature = "outbox") {
            return Err(Error::new(ErrorCode::Unavailable, "this build has no outbox")
                .at("outbox")
                .hint("leave \"outbox\" out: messages are then kept in memory only"));
        }
        let place = Place::read(&mut f, ca_file)?;
        let owner = f.string("owner")?.unwrap_or_default();
        if owner.len() > MAX_OWNER || owner.contains(char::is_control) {
            let words = format!("an owner is a text of at most {MAX_OWNER} bytes in one line");
            return Err(f.error("owner", words));
        }
        let sends = f.boolean("sends")?.unwrap_or(true);
        // What older versions needed; any outbox is shared.
        f.boolean("shared")?;
        let positive = 1..=i64::MAX;
        let outbox = OutboxConfig {
            place,
            owner,
            sends,
            lease: f
                .integer("lease_ms", LEASE_MS)?
                .map_or(Duration::from_secs(30), |ms| Duration::from_millis(ms.unsigned_abs())),
            max_messages: f
                .integer("max_messages", positive.clone())?
                .map_or(1_000_000, i64::unsigned_abs),
            max_bytes: f.integer("max_bytes", positive)?.map_or(1 << 30, i64::unsigned_abs),
            key_days: f
                .integer("key_days", 0..=36_500)?
                .map_or(7, |days| u32::try_from(days).unwrap_or(u32::MAX)),
            takes: true,
        };
        f.finish()?;
        Ok(outbox)
    }
}

impl Place {
    /// Where it is, for people, without what one logs in with.
    #[cfg_attr(not(feature = "outbox"), allow(dead_code, reason = "no store is in this build"))]
    pub fn shown(&self) -> String {
        match self {
            Place::Path(path) => path.display().to_string(),
            Place::Postgres(place) => {
                format!("{} (schema {})", place.database.shown(), place.schema)
            }
        }
    }

    fn read(f: &mut Fields, ca_file: Option<&str>) -> Result<Place> {
        match (f.string("path")?, f.string("postgres")?) {
            (None, None) => Err(f.error("path", "\"path\" or \"postgres\" is required")),
            (Some(_), Some(_)) => {
                Err(f.error("postgres", "an outbox is in a file or in a database, not in both"))
            }
            (Some(path), None) => match f.string("schema")? {
                Some(_) => Err(f.error("schema", "a file has no schema: it is of \"postgres\"")),
                None if path.is_empty() || path.contains('\0') => {
                    Err(f.error("path", "the outbox needs the path of a file"))
                }
                None => Ok(Place::Path(PathBuf::from(path))),
            },
            (None, Some(_)) if !cfg!(feature = "postgres") => {
                Err(Error::new(ErrorCode::Unavailable, "this build knows no database")
                    .at(f.path("postgres"))
                    .hint("keep the outbox in a file (\"path\"), or build with \"postgres\""))
            }
            (None, Some(url)) => {
                let database = Database::parse(&url).map_err(|why| f.error("postgres", why))?;
                let schema = f.string("schema")?.unwrap_or_else(|| "hongyan".to_owned());
                if !is_plain(&schema) {
                    let words = format!(
                        "a schema is a name of lower-case letters, digits and \"_\", of at most \
                         {MAX_SCHEMA}, that begins with none of the digits nor with \"pg_\""
                    );
                    return Err(f.error("schema", words));
                }
                let ca_file = ca_file.map(str::to_owned);
                Ok(Place::Postgres(Box::new(Postgres { database, schema, ca_file })))
            }
        }
    }
}

/// True if a name stands in SQL without quotes, and PostgreSQL keeps all of it.
fn is_plain(name: &str) -> bool {
    let is_first = |b: &u8| b.is_ascii_lowercase() || *b == b'_';
    name.len() <= MAX_SCHEMA
        && name.as_bytes().first().is_some_and(is_first)
        && name.bytes().all(|b| is_first(&b) || b.is_ascii_digit())
        && !name.starts_with("pg_")
}

/// What need not be escaped in any part of a URL.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Replaces the references in the URL of the database of `outbox`.
///
/// What a reference within the URL stands for is a part of it as it is, a password for instance, so that
/// it is escaped; one that the URL begins with stands for a URL.
pub fn expand_outbox(outbox: &mut Value) -> Result<()> {
    let Some(url) = outbox.get_mut("postgres") else { return Ok(()) };
    let is_url = Cell::new(url.as_str().is_some_and(|url| url.starts_with("${")));
    expand(url, "outbox.postgres", &|reference| {
        let text = look_up(reference)?;
        Ok(match is_url.take() {
            true => text,
            false => utf8_percent_encode(&text, UNRESERVED).to_string(),
        })
    })
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;
    use crate::model::config::ClientConfig;
    use serde_json::json;

    fn read(outbox: Value) -> Result<OutboxConfig> {
        let config = json!({"v": 1, "accounts": {}, "ca_file": "ca.pem", "outbox": outbox});
        ClientConfig::from_value(config).map(|config| config.outbox.expect("an outbox"))
    }

    #[test]
    fn a_database_is_read_with_its_defaults() {
        let outbox = read(json!({"postgres": "postgres://u:p@h/d"})).expect("a database");
        let Place::Postgres(place) = &outbox.place else { panic!("a database") };
        assert_eq!((place.schema.as_str(), place.ca_file.as_deref()), ("hongyan", Some("ca.pem")));
        assert_eq!(place.database.shown(), "postgres://h:5432/d");
        assert_eq!((outbox.owner.as_str(), outbox.sends), ("", true));
        assert_eq!(outbox.lease, Duration::from_secs(30));

        let outbox = read(json!({"postgres": "postgres://h", "schema": "_a1", "owner": "Bill's",
            "sends": false, "lease_ms": 100, "shared": true, "max_messages": 5, "key_days": 0}))
        .expect("all of it");
        assert_eq!((outbox.owner.as_str(), outbox.sends), ("Bill's", false));
        assert_eq!(outbox.lease, Duration::from_millis(100));
        assert_eq!((outbox.max_messages, outbox.key_days), (5, 0));
    }

    #[test]
    fn what_is_wrong_with_an_outbox_is_told_with_its_path() {
        let url = "postgres://u:hunter2@h/d";
        let config = ErrorCode::Config;
        for (outbox, code, path) in [
            (json!({"owner": "x"}), config, "outbox.path"),
            (json!({"path": "x", "postgres": url}), config, "outbox.postgres"),
            (json!({"path": "x", "schema": "y"}), config, "outbox.schema"),
            (json!({"postgres": 5432}), config, "outbox.postgres"),
            (json!({"postgres": "mysql://u:hunter2@h"}), config, "outbox.postgres"),
            (json!({"postgres": url, "schema": ""}), config, "outbox.schema"),
            (json!({"postgres": url, "schema": "1a"}), config, "outbox.schema"),
            (json!({"postgres": url, "schema": "A"}), config, "outbox.schema"),
            (json!({"postgres": url, "schema": "a-b"}), config, "outbox.schema"),
            (json!({"postgres": url, "schema": "a\";drop"}), config, "outbox.schema"),
            (json!({"postgres": url, "schema": "pg_temp"}), config, "outbox.schema"),
            (json!({"postgres": url, "schema": "a".repeat(64)}), config, "outbox.schema"),
            (json!({"postgres": url, "owner": "a\nb"}), config, "outbox.owner"),
            (json!({"postgres": url, "owner": "a".repeat(201)}), config, "outbox.owner"),
            (json!({"postgres": url, "sends": 1}), config, "outbox.sends"),
            (json!({"postgres": url, "lease_ms": 99}), config, "outbox.lease_ms"),
            (json!({"postgres": url, "lease_ms": 600_001}), config, "outbox.lease_ms"),
            (json!({"postgres": url, "leases": 1}), config, "outbox.leases"),
        ] {
            let shown = outbox.to_string();
            let error = read(outbox).expect_err(&shown);
            assert_eq!((error.code(), error.path()), (code, Some(path)), "{shown}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        assert!(read(json!({"postgres": url, "schema": "a".repeat(63)})).is_ok());
        let file = read(
            json!({"path": "x", "owner": "y", "sends": false, "lease_ms": 1500, "shared": true}),
        );
        let file = file.expect("a file is shared by many as well");
        assert_eq!((file.owner.as_str(), file.sends), ("y", false));
    }

    #[test]
    fn a_reference_within_a_url_is_a_part_of_it_and_one_that_begins_it_a_url() {
        let folder = std::env::temp_dir().join(format!("hongyan-expand-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("a file");
            format!("${{file:{}}}", path.display())
        };
        let expanded = |url: String| {
            let mut outbox = json!({"postgres": url});
            expand_outbox(&mut outbox).map(|()| outbox["postgres"].as_str().map(str::to_owned))
        };
        let password = file("password", "p@s/s:w%rd?#\n");
        let url = expanded(format!("postgres://u:{password}@h/d?sslmode=require"));
        let database = Database::parse(&url.expect("there").expect("a text")).expect("a URL");
        assert_eq!(database.password.expect("one").expose(), "p@s/s:w%rd?#");
        assert_eq!(database.servers[0].host, "h");

        let whole = file("url", "postgres://u:p@h/d\n");
        assert_eq!(expanded(whole).expect("there").as_deref(), Some("postgres://u:p@h/d"));
        let error = expanded("postgres://u:${env:HONGYAN_NOT_SET}@h".to_owned()).expect_err("none");
        assert_eq!((error.code(), error.path()), (ErrorCode::Config, Some("outbox.postgres")));
        std::fs::remove_dir_all(&folder).expect("it goes");
    }
}
