//! The begin mark of a kept message, and whether an attempt in doubt may be made again.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::account::Entry;
use crate::engine::attempt::job::{Job, RowRef};
use crate::engine::attempt::repeats;
use crate::engine::results::queue::closed;
use crate::engine::store::Begin;
use crate::model::error::Result;

/// Makes durable that bytes of a kept message may go, and who sends them.
pub async fn mark(job: &mut Job, entry: &Entry, attempts: u32) -> Result<()> {
    let Some(row) = job.completion.row.as_ref().filter(|_| !job.run.marked) else {
        return Ok(());
    };
    let (custody, seq, is_direct) = (Arc::clone(&row.custody), row.seq, row.direct);
    if let Some(own) = job.outgoing.draft.fingerprint.filter(|_| row.direct) {
        // A later run will not have its words.
        custody.went(repeats::slots(own));
    }
    job.run.marked = true;
    let (body, mark) = (job.outgoing.draft.kept_body(), job.outgoing.draft.mark());
    let progress = job.stored_progress(true).filter(|_| !is_direct);
    let first_sent_ms = job.shared.clock.unix_ms();
    let sender = Some(entry.sender.to_string());
    let begin = Begin { seq, first_sent_ms, attempts, sender, body, mark, progress };
    custody.begin(begin).await.map_err(|_| closed())
}

/// Nothing of a kept message is under way any more, and nothing of it has arrived; a wait holds for a
/// later run too.
pub fn unmark(job: &mut Job, wait: Option<Duration>) {
    // The key of a send whose caller waits stays taken once a part of it was sent.
    let has_sent =
        job.outgoing.progress.as_ref().is_some_and(|progress| !progress.is_nothing_sent());
    let goes =
        |row: &&RowRef| job.run.marked && !job.run.history.doubt && !(row.direct && has_sent);
    if let Some(row) = job.completion.row.as_ref().filter(goes) {
        let in_ms = |wait: Duration| u64::try_from(wait.as_millis() + 1).unwrap_or(u64::MAX);
        let due_ms = wait.map(|wait| job.shared.clock.unix_ms().saturating_add(in_ms(wait)));
        row.custody.ended(row.seq, job.run.history.all(), due_ms, None);
        job.run.marked = false;
    }
}

/// True if another sender than now made the attempt that is in doubt.
pub fn is_elsewhere(job: &Job, entry: &Entry) -> bool {
    job.run.history.doubted.as_ref().is_some_and(|doubted| *doubted != entry.sender)
}

/// True unless a doubt is pending that the service would no longer recognise.
pub fn may_resend(job: &Job, entry: &Entry) -> bool {
    if !job.run.history.doubt || job.shared.retry.resend_maybe_sent {
        return true;
    }
    if is_elsewhere(job, entry) {
        return false;
    }
    let (first, now) = (job.run.history.first_sent, job.shared.clock.now());
    first.zip(job.outgoing.draft.window()).is_some_and(|(first, window)| now <= first + window)
}
