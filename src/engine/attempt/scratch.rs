//! What an attempt needs, kept for the next: made anew for each, it would cost more than it does.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::net::{Alarm, Clock};

/// How many that nobody uses are kept.
const MAX_IDLE: usize = 64;

/// What the attempts of one send need.
#[derive(Default)]
pub struct Scratch {
    /// True once the attempt now running has handed bytes to its socket.
    pub begun: Arc<AtomicBool>,
    time_out: Option<Alarm>,
    patience: Option<Box<Alarm>>,
}

impl Scratch {
    /// A time-out that is over at `due`, and the flag of the attempt that it is for.
    pub fn attempt(
        &mut self,
        clock: &Arc<dyn Clock>,
        due: Duration,
    ) -> (&mut Alarm, Arc<AtomicBool>) {
        let begun = Arc::clone(&self.begun);
        let time_out = self.time_out.get_or_insert_with(|| Alarm::new(clock, due));
        time_out.set(due);
        (time_out, begun)
    }

    /// An alarm that goes off at `due`, to be given back with the rest.
    pub fn patience(&mut self, clock: &Arc<dyn Clock>, due: Duration) -> Box<Alarm> {
        match self.patience.take() {
            Some(mut alarm) => {
                alarm.set(due);
                alarm
            }
            None => Box::new(Alarm::new(clock, due)),
        }
    }
}

/// What is kept of a client's attempts for the next ones.
#[derive(Default)]
#[expect(clippy::vec_box, reason = "one is handed on in its box, and no job is larger for it")]
pub struct ScratchPool(Mutex<Vec<Box<Scratch>>>);

impl ScratchPool {
    /// One that nobody else has.
    pub fn take(&self) -> Box<Scratch> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).pop().unwrap_or_default()
    }

    /// Takes one back, unless a request that was given up may still raise its flag.
    pub fn give_back(&self, mut scratch: Box<Scratch>, patience: Option<Box<Alarm>>) {
        scratch.patience = patience.or(scratch.patience);
        let Some(begun) = Arc::get_mut(&mut scratch.begun) else { return };
        *begun.get_mut() = false;
        let mut idle = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if idle.len() < MAX_IDLE {
            idle.push(scratch);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future as _, poll_fn};
    use std::pin::Pin;
    use std::sync::atomic::Ordering;
    use std::task::{Context, Poll};

    use super::*;
    use crate::engine::runtime::TokioClock;

    #[test]
    fn a_flag_that_somebody_may_still_raise_is_nobody_else_s() {
        let pool = ScratchPool::default();
        let (one, two) = (pool.take(), pool.take());
        let request = Arc::clone(&one.begun);
        two.begun.store(true, Ordering::Release);
        pool.give_back(two, None);
        pool.give_back(one, None);
        let (three, four) = (pool.take(), pool.take());
        request.store(true, Ordering::Release);
        assert!(!three.begun.load(Ordering::Acquire) && !four.begun.load(Ordering::Acquire));
    }

    /// How long the alarm takes to go off from now on.
    async fn goes_off_after(clock: &Arc<dyn Clock>, alarm: &mut Alarm) -> Duration {
        let began = clock.now();
        alarm.await;
        clock.now() - began
    }

    #[test]
    fn an_alarm_goes_off_when_it_was_last_set_to() {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            let clock: Arc<dyn Clock> = Arc::new(TokioClock::default());
            let seconds = Duration::from_secs;
            let mut alarm = Alarm::new(&clock, clock.now() + seconds(10));
            let is_ready =
                |alarm: &mut Alarm, cx: &mut Context<'_>| Pin::new(alarm).poll(cx).is_ready();
            assert!(!poll_fn(|cx| Poll::Ready(is_ready(&mut alarm, cx))).await);
            alarm.set(clock.now() + seconds(25));
            assert_eq!(goes_off_after(&clock, &mut alarm).await, seconds(25), "put off");
            assert_eq!(goes_off_after(&clock, &mut alarm).await, seconds(0), "it stays over");
            alarm.set(clock.now() + seconds(9));
            alarm.set(clock.now() + seconds(3));
            assert_eq!(goes_off_after(&clock, &mut alarm).await, seconds(3), "brought forward");
        });
    }
}
