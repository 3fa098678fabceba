//! A send whose caller waits, in a client with an outbox: its key and its line stand there.

use std::pin::pin;
use std::sync::Arc;

use crate::engine::account::stats::Why;
use crate::engine::attempt::job::{Job, RowRef};
use crate::engine::attempt::lost;
use crate::engine::custody::{Admission, Direct};
use crate::model::receipt::Delivery;

/// Asks the outbox what the key and the line of a direct send mean for it; true if that is its end.
///
/// The disk answers, well or badly, before any time-out is looked at: only then is known whether
/// another message of the key is under way.
pub async fn enter(job: &mut Job) -> bool {
    let Some(mut direct) = job.completion.direct.take() else { return false };
    match direct.told().await {
        Admission::Waits(follows, more) => {
            direct.waits(more);
            // Until the first has its verdict nobody can say that this message was not sent.
            job.run.history.doubt = follows;
            job.completion.direct = Some(direct);
            false
        }
        told => hear(job, &direct, told),
    }
}

/// Waits until the first of its key has its verdict, or its place in line is called; true if that is
/// the end of the send.
pub async fn called(job: &mut Job) -> bool {
    let shared = Arc::clone(&job.shared);
    let (Some(mut direct), Some(entry)) =
        (job.completion.direct.take(), job.outgoing.entry.clone())
    else {
        return false;
    };
    let told = if job.run.history.doubt {
        direct.told().await
    } else {
        let _waiting = entry.stats.waiting(Why::Order);
        match shared.accounts.unless_gone(&entry, None, pin!(direct.told())).await {
            Ok(told) => told,
            Err(error) => {
                job.end_gone(error);
                return true;
            }
        }
    };
    hear(job, &direct, told)
}

/// Does what the outbox says; true if that is the end of the send.
fn hear(job: &mut Job, direct: &Direct, told: Admission) -> bool {
    let doubt = std::mem::take(&mut job.run.history.doubt);
    match told {
        Admission::Begin(seq) => {
            job.completion.row = Some(RowRef { custody: direct.custody(), seq, direct: true });
            return false;
        }
        Admission::Verdict(first) => job.follow(&first),
        Admission::Refused(error) => {
            job.conclude(if doubt { Delivery::MaybeSent } else { Delivery::NotSent }, Some(error));
        }
        Admission::Waits(..) => job.conclude(Delivery::MaybeSent, Some(lost())),
    }
    true
}
