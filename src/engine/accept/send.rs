//! Sends whose callers wait for them without a thread.

use super::files::loaded_aside;
use crate::engine::attempt::deliver;
use crate::engine::attempt::job::Sink;
use crate::engine::{Engine, Op, lost};
use crate::model::error::Result;
use crate::model::message::Parsed;
use crate::model::receipt::Receipt;

impl Engine {
    /// Sends and waits without blocking a thread.
    pub async fn send(&self, given: Parsed) -> Result<Box<Receipt>> {
        self.runtime.start_io()?;
        let given = match &given {
            Ok(message) if message.has_paths() => loaded_aside(given).await,
            _ => given,
        };
        let mut job = self.accept(given, 0, Sink::Caller, None)?;
        let cancel = CancelOnDrop(job.op());
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.runtime.spawn(async move {
            let _ = sender.send(deliver::deliver(&mut job).await);
        });
        let receipt = receiver.await.ok().flatten().ok_or_else(lost);
        drop(cancel);
        receipt
    }
}

/// A future that is dropped cancels its send.
struct CancelOnDrop(Op);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
