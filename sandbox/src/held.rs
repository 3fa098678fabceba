//! Requests that are held until somebody lets them go: what a test needs to know that a send is under way.

use tokio::sync::watch;

/// How many requests are held, how often all were let go, and whether the last time was for good.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Now {
    round: u64,
    held: u64,
    cut: bool,
}

/// The requests that are held.
#[derive(Debug, Default)]
pub(crate) struct Held(watch::Sender<Now>);

/// Counts one request while it is held; its client may go away meanwhile.
struct Place<'a> {
    held: &'a Held,
    round: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.held.0.send_if_modified(|now| {
            // Those that were let go are no longer counted.
            let counted = now.round == self.round;
            now.held -= u64::from(counted);
            counted
        });
    }
}

impl Held {
    /// Holds the caller until the next release; false if it is cut.
    pub(crate) async fn hold(&self) -> bool {
        let mut changes = self.0.subscribe();
        let mut round = 0;
        self.0.send_modify(|now| {
            now.held += 1;
            round = now.round;
        });
        let _place = Place { held: self, round };
        // The sender is here as long as the server is.
        changes.wait_for(|now| now.round != round).await.is_ok_and(|now| !now.cut)
    }

    /// Lets all go that are held now; how many they were.
    pub(crate) fn release(&self) -> u64 {
        self.end(false)
    }

    /// Cuts all that are held now.
    pub(crate) fn cut(&self) {
        self.end(true);
    }

    fn end(&self, cut: bool) -> u64 {
        let mut held = 0;
        self.0.send_modify(|now| {
            held = now.held;
            *now = Now { round: now.round + 1, held: 0, cut };
        });
        held
    }

    /// Comes back once so many are held.
    pub(crate) async fn until(&self, count: u64) {
        let _ = self.0.subscribe().wait_for(|now| now.held >= count).await;
    }

    /// How many are held now.
    pub(crate) fn count(&self) -> u64 {
        self.0.borrow().held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn those_who_leave_are_not_counted_and_the_next_wait_for_the_next_release() {
        let held = Held::default();
        {
            let (first, left) = (held.hold(), held.hold());
            tokio::pin!(first);
            tokio::pin!(left);
            assert!(waits(&mut first).await && waits(&mut left).await);
            assert_eq!(held.count(), 2);
        }
        assert_eq!((held.count(), held.release()), (0, 0));
        let again = held.hold();
        tokio::pin!(again);
        assert!(waits(&mut again).await);
        held.until(1).await;
        assert_eq!((held.release(), held.count()), (1, 0));
        assert!(again.await);
        let last = held.hold();
        tokio::pin!(last);
        assert!(waits(&mut last).await);
        held.cut();
        assert!(!last.await);
        assert_eq!(held.count(), 0);
    }

    /// Polls once; true while it waits.
    async fn waits<F: Future>(future: &mut std::pin::Pin<&mut F>) -> bool {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(future.as_mut().poll(context).is_pending())
        })
        .await
    }
}
