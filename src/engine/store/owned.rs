//! A store that stays behind when its process forks: the child cannot use it.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::sqlite::{Options, Sqlite};
use super::{Applied, Change, News, Ready, Seq, Store, StoredResult, Told, Verdict, gate};
use crate::model::error::Result;
use crate::model::log::log;

/// A member of an outbox file that stays behind when the process forks: it is the parent.
pub struct Owned(u64);

impl Owned {
    /// Opens the file for a new member; see [`Sqlite::open`].
    pub fn open(path: &Path, options: Options<'_>) -> Result<Owned> {
        let store = Box::new(Sqlite::open(path, options)?);
        if let Some(told) = store.told() {
            log!(Error, "hongyan::outbox", "the outbox {} was damaged: {told}", path.display());
        }
        Ok(Owned(gate::put(store)))
    }

    fn with<T>(&self, work: impl FnOnce(&mut dyn Store) -> Result<T>) -> Result<T> {
        gate::with_store(self.0, work)
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        gate::close_store(self.0);
    }
}

impl Store for Owned {
    fn commit(&mut self, changes: &[Change], now_ms: u64) -> Result<Vec<Applied>> {
        self.with(|store| store.commit(changes, now_ms))
    }

    fn went(&mut self) -> Result<Vec<u32>> {
        self.with(|store| store.went())
    }

    fn begun(&mut self) -> Result<Vec<Ready>> {
        self.with(|store| store.begun())
    }

    fn accounts(&mut self) -> Result<Vec<String>> {
        self.with(|store| store.accounts())
    }

    fn ready(&mut self, account: &str, most: usize) -> Result<Vec<Ready>> {
        self.with(|store| store.ready(account, most))
    }

    fn called(&mut self) -> Result<Vec<Ready>> {
        self.with(|store| store.called())
    }

    fn release(&mut self, now_ms: u64) -> Result<(Vec<String>, Option<u64>)> {
        self.with(|store| store.release(now_ms))
    }

    fn overdue(&mut self, now_ms: u64, most: usize) -> Result<Vec<Ready>> {
        self.with(|store| store.overdue(now_ms, most))
    }

    fn next_deadline(&mut self) -> Result<Option<u64>> {
        self.with(|store| store.next_deadline())
    }

    fn unbegun(&mut self, seq: Seq) -> Result<Option<Ready>> {
        self.with(|store| store.unbegun(seq))
    }

    fn unfinished(&mut self, account: &str, after: Seq, most: usize) -> Result<Vec<Ready>> {
        self.with(|store| store.unfinished(account, after, most))
    }

    fn results(&mut self, most: usize) -> Result<Vec<StoredResult>> {
        self.with(|store| store.results(most))
    }

    fn files(&mut self, id: &str) -> Result<Vec<(usize, Bytes)>> {
        self.with(|store| store.files(id))
    }

    fn watch(&mut self, wake: Arc<dyn Fn() + Send + Sync>) {
        // Of a parent's nobody is called.
        let _ = self.with(|store| {
            store.watch(wake);
            Ok(())
        });
    }

    fn attend(&mut self, held: &HashSet<Seq>) -> Result<News> {
        self.with(|store| store.attend(held))
    }

    fn rests(&self) -> Duration {
        gate::peek(self.0, |store| store.rests()).unwrap_or(Duration::MAX)
    }

    fn heard(&mut self) -> Vec<Told> {
        // What cannot be read now is heard later.
        self.with(|store| Ok(store.heard())).unwrap_or_default()
    }

    fn followed(&mut self) -> Result<Vec<(String, Verdict)>> {
        self.with(|store| store.followed())
    }

    fn damage(&self) -> Option<String> {
        self.with(|store| Ok(store.damage())).ok().flatten()
    }

    fn count(&self) -> (u64, u64) {
        gate::peek(self.0, |store| store.count()).unwrap_or((0, 0))
    }
}
