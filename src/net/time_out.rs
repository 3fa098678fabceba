//! What has to be over by a time.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::task::unconstrained;

use super::{Alarm, Failure, Way};

/// The outcome of a future, or `None` once the time is over.
///
/// Pinned by its caller: it is large to move.
pub async fn before<F: Future>(time_out: &mut Alarm, mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => poll_over(time_out, cx).map(|()| None),
    })
    .await
}

/// Ready once the time is over, whatever else its task has done: tokio lets a task that was busy for
/// long wait for nothing more, and what comes without an end would put off the end of the time with it.
pub fn poll_over(time_out: &mut Alarm, cx: &mut Context<'_>) -> Poll<()> {
    pin!(unconstrained(time_out)).poll(cx)
}

/// The failure of an attempt whose time ran out before its answer began.
pub fn timed_out() -> Failure {
    Failure { way: Way::TimedOut, words: "no answer in time".to_owned() }
}
