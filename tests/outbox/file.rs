//! Outboxes in files of their own.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use hongyan::{Client, OutboxFile};
use serde_json::{Value, json};

use super::accounts::{client, config_with, merged};

/// A folder for one test's outbox.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("outbox-{}-{n}", std::process::id());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    pub fn config(&self, url: &str, more: Value) -> Value {
        let mut config = config_with(url, json!({"outbox": {"path": self.0.join("outbox.db")}}));
        config = merged(config, more);
        config
    }

    pub fn client(&self, url: &str) -> Client {
        client(&self.config(url, json!({})))
    }

    pub fn file(&self) -> OutboxFile {
        OutboxFile::at(self.0.join("outbox.db")).expect("a path")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
