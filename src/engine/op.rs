//! The caller's handle to a submitted send.

use std::sync::Arc;

use super::outbox::{OnDisk, Outbox};
use super::stop::Stop;

/// A submitted send: its id, and the way to ask for its end.
pub struct Op {
    pub(super) id: String,
    pub(super) cancel: Arc<Stop>,
    /// Where it is kept, if it may be on the disk only.
    pub on_disk: Option<Box<(Arc<Outbox>, OnDisk)>>,
}

impl Op {
    /// The library's own id of the message.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Asks for the end of the send; its result says what became true.
    pub fn cancel(&self) {
        self.cancel.stop();
        if let Some((outbox, message)) = self.on_disk.as_deref() {
            outbox.cancel(message.clone());
        }
    }
}
