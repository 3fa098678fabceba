//! A folder for one test's outbox.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use hongyan::Client;
use serde_json::{Value, json};

use super::accounts;

/// The folder; it goes with this value.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("outbox-kill-{}-{n}", std::process::id());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    #[allow(dead_code, reason = "not every test uses it")]
    pub fn path(&self) -> &PathBuf {
        &self.0
    }

    /// Where the outbox is.
    pub fn file(&self) -> PathBuf {
        self.0.join("outbox.db")
    }

    /// The configuration of the tests with this outbox, and with `more`.
    pub fn config(&self, url: &str, more: Value) -> Value {
        let config = accounts::config_with(url, json!({"outbox": {"path": self.file()}}));
        accounts::merged(config, more)
    }

    #[allow(dead_code, reason = "not every test uses it")]
    pub fn client(&self, url: &str) -> Client {
        accounts::client(&self.config(url, json!({})))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
