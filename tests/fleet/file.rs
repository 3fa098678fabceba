//! A fleet's outbox in one file, which the processes of one machine share.

use std::path::PathBuf;

use fastrand::Rng;
use hongyan::{OutboxFile, OutboxRow, OutboxState};
use serde_json::{Value, json};

use crate::place::{LEASE_MS, Place};

pub struct File(PathBuf);

impl File {
    pub fn new() -> File {
        let name = format!("fleet-{}", std::process::id());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        File(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.join("outbox.db")
    }

    fn rows(&self) -> Vec<OutboxRow> {
        let file = OutboxFile::at(self.path()).expect("a path");
        file.rows(0, usize::MAX).expect("an outbox")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Place for File {
    fn outbox(&self) -> Value {
        json!({"path": self.path(), "lease_ms": LEASE_MS})
    }

    /// What happens to its members is all: a machine that fails is another test's (`outbox_power.rs`).
    fn happens(&self) -> usize {
        0
    }

    fn befall(&mut self, what: usize, _: &mut Rng) {
        unreachable!("{what} does not happen to a file");
    }

    fn unfinished(&self) -> usize {
        self.rows().iter().filter(|row| !row.state.has_result()).count()
    }

    fn results(&self) -> usize {
        self.rows().iter().filter(|row| row.state == OutboxState::Done).count()
    }

    fn is_empty(&self) {
        let left = self.rows().into_iter().find(|row| row.state != OutboxState::Dead);
        assert!(left.is_none(), "all were acknowledged: {left:?}");
    }
}
