//! The files that a message names, read when it is accepted.

use crate::engine::results::wake::spawn_thread;
use crate::model::message::{Message, Parsed, Refused};

/// The message with its files, which are read on this thread; or why they cannot be.
pub fn loaded(given: Parsed) -> Parsed {
    let mut message = given?;
    match message.load_files() {
        Ok(()) => Ok(message),
        Err(error) => {
            let Message { account, key, .. } = message;
            Err(Refused { error, account: Some(account), key })
        }
    }
}

/// The same on a thread of its own: a caller who must not block waits without one.
pub async fn loaded_aside(given: Parsed) -> Parsed {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let own = given.clone();
    let read = move || drop(sender.send(loaded(own)));
    match spawn_thread("hy-files", read) {
        Ok(_) => receiver.await.unwrap_or(given),
        // Where there is no thread left, it is late rather than lost.
        Err(_) => loaded(given),
    }
}
