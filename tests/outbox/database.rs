//! Outboxes in schemas of a database of their own.

use std::sync::atomic::{AtomicUsize, Ordering};

use hongyan::{Client, OutboxFile};
use serde_json::{Value, json};

use super::accounts::{client, config_with, merged};
use super::cluster::Cluster;

/// A schema for one test's outbox.
pub struct Folder(String);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let folder = Folder(format!("outbox_{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        folder.file().make_schema().expect("a schema");
        folder
    }

    pub fn config(&self, url: &str, more: Value) -> Value {
        let database = Cluster::shared().url();
        let config = config_with(url, json!({"outbox": {"postgres": database, "schema": self.0}}));
        merged(config, more)
    }

    pub fn client(&self, url: &str) -> Client {
        client(&self.config(url, json!({})))
    }

    pub fn file(&self) -> OutboxFile {
        let config = self.config("http://127.0.0.1:1", json!({})).to_string();
        OutboxFile::of_config(&config).expect("a configuration").expect("an outbox")
    }

    /// What the superuser's statements answer, in which `SCHEMA` stands for the schema.
    pub fn psql(&self, sql: &str) -> String {
        Cluster::shared().psql("postgres", &sql.replace("SCHEMA", &self.0))
    }
}
