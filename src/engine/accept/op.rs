//! The caller's handle to a submitted send.

use std::sync::Arc;

use crate::engine::attempt::gate::Cancel;
use crate::engine::custody::{Custody, OnDisk};

/// A submitted send: its id, and the way to ask for its end.
pub struct Op {
    id: String,
    cancel: Arc<Cancel>,
    /// Where it is kept, if it may be on the disk only.
    pub on_disk: Option<Box<(Arc<dyn Custody>, OnDisk)>>,
}

impl Op {
    /// The handle to the send of this id, which `cancel` ends.
    pub fn new(id: String, cancel: Arc<Cancel>) -> Op {
        Op { id, cancel, on_disk: None }
    }

    /// The library's own id of the message.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Asks for the end of the send; its result says what became true.
    pub fn cancel(&self) {
        self.cancel.cancel();
        if let Some((custody, message)) = self.on_disk.as_deref() {
            custody.cancel(message.clone());
        }
    }
}
