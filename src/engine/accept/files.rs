//! The files that a message names, read when it is accepted.

use crate::engine::results::wake::spawn_thread;
use crate::model::message::{Message, Parsed, Refused};

/// Gives a message its files, which are read on this thread, or says why they cannot be.
pub fn load(given: &mut Parsed) {
    if let Ok(message) = given
        && let Err(error) = message.load_files()
    {
        let Message { account, key, .. } = std::mem::take(message);
        *given = Err(Refused { error, account: Some(account), key });
    }
}

/// The same on a thread of its own: a caller who must not block waits without one.
pub async fn loaded_aside(mut given: Parsed) -> Parsed {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let mut own = given.clone();
    let read = move || {
        load(&mut own);
        drop(sender.send(own));
    };
    match spawn_thread("hy-files", read) {
        Ok(_) => receiver.await.unwrap_or(given),
        // Where there is no thread left, it is late rather than lost.
        Err(_) => {
            load(&mut given);
            given
        }
    }
}
