//! What becomes of the messages of one submit, on its way to whoever submitted them.

use std::convert::Infallible;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::engine::store::Seq;
use crate::model::error::Result;

/// The answers so far, each with the place of its message in the submit.
type Answers = Vec<(usize, Result<Seq>)>;

/// Tells the row of each message, once it is durable.
///
/// Who waits is woken once, when the last copy of this goes: each answer by itself would change the thread.
#[derive(Clone)]
pub struct Reply {
    answers: Arc<Mutex<Answers>>,
    _last: SyncSender<Infallible>,
}

/// Who waits for the answers.
pub struct Replies {
    answers: Arc<Mutex<Answers>>,
    last: Receiver<Infallible>,
}

impl Reply {
    /// A way to tell, and who is told.
    pub fn channel() -> (Reply, Replies) {
        let (sender, last) = sync_channel(0);
        let answers: Arc<Mutex<Answers>> = Arc::default();
        (Reply { answers: Arc::clone(&answers), _last: sender }, Replies { answers, last })
    }

    /// Tells what became of the message at this place.
    pub fn tell(&self, place: usize, answer: Result<Seq>) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push((place, answer));
    }
}

impl Replies {
    /// Waits so long at most; false if more answers may come.
    pub fn wait(&self, at_most: Duration) -> (Answers, bool) {
        let are_all = self.last.recv_timeout(at_most) == Err(RecvTimeoutError::Disconnected);
        let answers = &mut *self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(answers), are_all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_answers_come_together_once_the_last_is_told() {
        let (reply, replies) = Reply::channel();
        let other = reply.clone();
        reply.tell(1, Ok(7));
        drop(reply);
        let told = std::thread::spawn(move || other.tell(0, Ok(6)));
        assert_eq!(replies.wait(Duration::MAX), (vec![(1, Ok(7)), (0, Ok(6))], true));
        told.join().expect("told");
    }

    #[test]
    fn whoever_waits_no_longer_has_what_was_told() {
        let (reply, replies) = Reply::channel();
        reply.tell(0, Ok(6));
        assert_eq!(replies.wait(Duration::ZERO), (vec![(0, Ok(6))], false));
        drop(reply);
        assert_eq!(replies.wait(Duration::ZERO), (vec![], true));
    }
}
