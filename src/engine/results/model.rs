//! The queue on a scheduler that tries interleavings: who waits is woken, nothing is lost or
//! doubled, and the descriptor tells the truth.
//!
//! `HY_SEED=n` tries other interleavings than the usual ones, `HY_INTERLEAVINGS=n` so many of each model.

mod many;
#[allow(clippy::duplicate_mod, reason = "the same code on other locks is the point")]
#[allow(dead_code, reason = "what only the outbox needs has no model")]
#[path = "queue.rs"]
mod queue;
#[allow(clippy::duplicate_mod, reason = "the same code on other locks is the point")]
#[allow(dead_code, reason = "what only the outbox needs has no model")]
#[path = "sends.rs"]
mod sends;
#[allow(clippy::duplicate_mod, reason = "the same code on other locks is the point")]
#[path = "slot.rs"]
mod slot;
mod sync;
mod wake;

use std::sync::atomic::Ordering;
use std::time::Duration;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::thread::{self, JoinHandle};

use crate::model::error::ErrorCode;
use crate::model::receipt::{Delivery, Receipt};
use queue::{Results, Waited};
use sends::{OnIdle, Sends, Unfinished};
use slot::{Limit, Slot};
use sync::{Arc, AtomicUsize};

/// How many interleavings each scheduler tries of each model, unless `HY_INTERLEAVINGS` says otherwise.
const INTERLEAVINGS: usize = 1000;
const SHORT: Duration = Duration::from_millis(5);

/// Runs a model under a scheduler that chooses at random and under one that seeks rare orders.
fn explore(model: impl Fn() + Send + Sync + 'static) {
    fn run(scheduler: impl Scheduler + 'static, model: &Arc<impl Fn() + Send + Sync + 'static>) {
        let mut config = shuttle::Config::new();
        // It warns that weak orderings are taken for strong ones; the queue's are behind its lock.
        config.silence_warnings = true;
        let model = Arc::clone(model);
        shuttle::Runner::new(scheduler, config).run(move || model());
    }
    let given = |name| std::env::var(name).ok().map(|number| number.parse().expect("a number"));
    let seed = given("HY_SEED").unwrap_or(1);
    let most = given("HY_INTERLEAVINGS").map_or(INTERLEAVINGS, |most| most as usize);
    let model = Arc::new(model);
    run(RandomScheduler::new_from_seed(seed, most), &model);
    run(PctScheduler::new_from_seed(seed, 3, most), &model);
}

/// The sends of a client, and how many places among them are taken.
#[derive(Clone, Default)]
struct World {
    sends: Arc<Sends>,
    taken: Arc<AtomicUsize>,
}

impl World {
    fn accept(&self) -> (Slot, Unfinished) {
        let unfinished = self.sends.accept().expect("open");
        (self.slot(usize::MAX).expect("a place"), unfinished)
    }

    fn slot(&self, most: usize) -> Option<Slot> {
        let slot = Slot::take([None, Some(Limit { account: None, count: &self.taken, most })]);
        slot.map_err(|error| assert_eq!(error.code(), ErrorCode::Full)).ok()
    }

    /// A send from accept to result.
    fn send(&self, token: u64, stage: bool) {
        let (slot, unfinished) = self.accept();
        unfinished.push(receipt(token), slot, None, stage);
    }

    /// The same, into another queue.
    fn send_to(&self, queue: &Arc<Results>, token: u64, stage: bool) {
        let (slot, unfinished) = self.accept();
        unfinished.push(receipt(token), slot, Some(Arc::clone(queue)), stage);
    }

    /// Another queue.
    fn open(&self) -> Arc<Results> {
        self.sends.open().expect("open")
    }

    /// One wait for one result: its token, or `None` for nothing.
    fn take(&self, time_out: Option<Duration>) -> Option<u64> {
        take_of(self.sends.own(), time_out)
    }

    fn spawn<T: Send + 'static>(
        &self,
        body: impl FnOnce(&World) -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let world = self.clone();
        thread::spawn(move || body(&world))
    }

    /// What the engine does to close.
    fn close(&self) {
        self.sends.refuse();
        assert_eq!(self.sends.flush(None), 0);
        self.sends.close();
    }

    /// Takes results, at most `most` at a time, until the queue is closed and empty.
    fn drain(&self, most: usize) -> Vec<u64> {
        drain_of(self.sends.own(), most)
    }

    /// The descriptor is readable while results wait, and for good at the end.
    fn check_wake(&self) {
        let state = self.sends.own().lock();
        assert_eq!(wake::readable(), state.closed || !state.ready.is_empty());
    }

    /// Every place is free again and nothing is left.
    fn check_end(&self) {
        assert_eq!(self.sends.unfinished(), 0);
        assert_eq!(self.taken.load(Ordering::SeqCst), 0);
    }
}

/// Takes results, at most `most` at a time, until the queue is closed and empty.
fn drain_of(queue: &Results, most: usize) -> Vec<u64> {
    let mut tokens = Vec::new();
    loop {
        match queue.wait(None, most) {
            Ok(Waited::Results(receipts)) => {
                assert!((1..=most).contains(&receipts.len()));
                tokens.extend(receipts.iter().map(|receipt| receipt.token));
            }
            Ok(Waited::Nothing) => panic!("nobody interrupted and no time ran out"),
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::Closed);
                return tokens;
            }
        }
    }
}

/// One wait for one result: its token, or `None` for nothing.
fn take_of(queue: &Results, time_out: Option<Duration>) -> Option<u64> {
    match queue.wait(time_out, 1).expect("open, or not empty") {
        Waited::Results(receipts) => {
            assert_eq!(receipts.len(), 1);
            Some(receipts[0].token)
        }
        Waited::Nothing => None,
    }
}

fn receipt(token: u64) -> Box<Receipt> {
    Box::new(Receipt { token, delivery: Delivery::Sent, attempts: 1, ..Receipt::nothing() })
}

fn join<T>(handle: JoinHandle<T>) -> T {
    handle.join().expect("no panic")
}

fn join_all<T>(handles: impl IntoIterator<Item = JoinHandle<T>>) -> Vec<T> {
    handles.into_iter().map(join).collect()
}

#[test]
fn every_result_wakes_one_who_waits_without_end() {
    explore(|| {
        let world = World::default();
        let waiters = [0, 1].map(|_| world.spawn(|world| [world.take(None), world.take(None)]));
        let pushers = [0, 2].map(|token| {
            world.spawn(move |world| {
                world.send(token, false);
                world.send(token + 1, false);
            })
        });
        let mut taken: Vec<_> = join_all(waiters).into_iter().flatten().flatten().collect();
        join_all(pushers);
        taken.sort_unstable();
        assert_eq!(taken, [0, 1, 2, 3]);
        world.check_end();
    });
}

#[test]
fn results_published_together_wake_all_who_wait() {
    explore(|| {
        let world = World::default();
        let waiters = [0, 1, 2].map(|_| world.spawn(|world| world.take(None)));
        for token in 0..3 {
            world.send(token, true);
        }
        world.sends.publish();
        let mut taken: Vec<_> = join_all(waiters).into_iter().flatten().collect();
        taken.sort_unstable();
        assert_eq!(taken, [0, 1, 2]);
        world.check_end();
    });
}

#[test]
fn a_loop_that_parks_has_shown_all_that_it_has() {
    explore(|| {
        let world = World::default();
        let waiter = world.spawn(|world| [0; 2].map(|_| world.take(None)));
        let (slot, goes_on) = world.accept();
        world.send(0, true);
        world.send(1, true);
        let mut looks = 0;
        while world.sends.on_idle() == OnIdle::PollAgain {
            looks += 1;
            assert_eq!(looks, 1, "nothing came meanwhile");
        }
        assert_eq!(join(waiter), [Some(0), Some(1)]);
        let last = world.spawn(|world| world.take(None));
        goes_on.push(receipt(2), slot, None, true);
        assert_eq!(world.sends.on_idle(), OnIdle::Park, "it is the last");
        assert_eq!(join(last), Some(2));
        world.check_end();
    });
}

#[test]
fn a_wait_that_times_out_takes_no_notice_from_another() {
    explore(|| {
        let world = World::default();
        let patient = world.spawn(|world| [world.take(None), world.take(None)]);
        let hasty = world.spawn(|world| {
            if world.take(Some(SHORT)).is_some() {
                world.send(2, false);
            }
        });
        world.send(0, false);
        world.send(1, false);
        assert!(join(patient).iter().all(Option::is_some));
        join(hasty);
        world.check_end();
    });
}

#[test]
fn what_was_pushed_comes_out_once_and_in_order() {
    explore(|| {
        let world = World::default();
        let waiters = [1, 5].map(|most| world.spawn(move |world| world.drain(most)));
        let pushers = [(0, true), (10, false)].map(|(first, stage)| {
            world.spawn(move |world| (first..first + 3).for_each(|token| world.send(token, stage)))
        });
        let parking = world.spawn(|world| world.sends.publish());
        join_all(pushers);
        world.close();
        let taken = join_all(waiters);
        join(parking);
        for own in &taken {
            for pusher in [0..10, 10..20] {
                let tokens = own.iter().filter(|token| pusher.contains(*token));
                assert!(tokens.is_sorted(), "{own:?}");
            }
        }
        let mut taken: Vec<_> = taken.into_iter().flatten().collect();
        taken.sort_unstable();
        assert_eq!(taken, [0, 1, 2, 10, 11, 12]);
        world.check_end();
    });
}

#[test]
fn an_interrupt_ends_exactly_one_wait_of_one_waiter() {
    explore(|| {
        let world = World::default();
        let waiter = world.spawn(|world| [0; 3].map(|_| world.take(None)));
        let pusher = world.spawn(|world| {
            world.send(0, false);
            world.send(1, false);
        });
        world.sends.own().interrupt();
        let taken = join(waiter);
        join(pusher);
        let results: Vec<_> = taken.iter().flatten().copied().collect();
        assert_eq!(results, [0, 1], "{taken:?}");
        world.check_end();
    });
}

#[test]
fn an_interrupt_ends_all_waits_that_run() {
    explore(|| {
        let world = World::default();
        let (ended, ends) = shuttle::sync::mpsc::channel();
        let waiters = [ended.clone(), ended].map(|ended| {
            world.spawn(move |world| {
                let waited = world.sends.own().wait(None, 1);
                ended.send(()).expect("the model listens");
                waited
            })
        });
        let running = world.sends.own().lock().waiting;
        world.sends.own().interrupt();
        if running < 2 {
            // One of them returns anyway; the other may have come after.
            ends.recv().expect("an end");
            world.close();
        }
        let interrupted = join_all(waiters).into_iter().filter(|waited| match waited {
            Ok(Waited::Nothing) => true,
            Ok(Waited::Results(receipts)) => panic!("{receipts:?}"),
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::Closed);
                false
            }
        });
        assert!(interrupted.count() >= running.max(1));
    });
}

#[test]
fn the_descriptor_is_readable_while_results_wait() {
    explore(|| {
        let world = World::default();
        let polling = world.spawn(|world| {
            world.sends.own().handle().expect("a descriptor");
            world.check_wake();
            world.sends.own().handle().expect("the same");
            world.check_wake();
        });
        let pushers = [(0, true), (10, false)].map(|(first, stage)| {
            world.spawn(move |world| {
                for token in first..first + 2 {
                    world.send(token, stage);
                    world.sends.own().handle().expect("a descriptor");
                    world.check_wake();
                }
            })
        });
        let waiter = world.spawn(|world| {
            for most in [1, 2, 1] {
                let _ = world.sends.own().wait(Some(SHORT), most).expect("open");
                world.sends.own().handle().expect("a descriptor");
                world.check_wake();
            }
        });
        join(polling);
        world.check_wake();
        join_all(pushers);
        join(waiter);
        world.close();
        world.check_wake();
        world.drain(3);
        world.check_wake();
        assert!(wake::readable(), "for good");
        world.check_end();
    });
}

#[test]
fn flushes_return_once_nothing_is_unfinished() {
    explore(|| {
        let world = World::default();
        let slots = [world.accept(), world.accept()];
        let flushes = [0, 1].map(|_| world.spawn(|world| world.sends.flush(None)));
        let hasty = world.spawn(|world| world.sends.flush(Some(SHORT)));
        let [(slot, queued), own] = slots;
        let pusher = world.spawn(|_| queued.push(receipt(0), slot, None, true));
        drop(own);
        assert_eq!(join_all(flushes), [0, 0]);
        join(hasty);
        join(pusher);
        world.close();
        assert_eq!(world.drain(1), [0]);
        world.check_end();
    });
}

#[test]
fn a_close_sends_those_who_wait_away_once_all_is_taken() {
    explore(|| {
        let world = World::default();
        world.sends.own().handle().expect("a descriptor");
        let (slot, unfinished) = world.accept();
        let waiters = [0, 1].map(|_| world.spawn(|world| world.drain(1)));
        let pusher = world.spawn(|_| unfinished.push(receipt(7), slot, None, true));
        let closers = [0, 1].map(|_| world.spawn(World::close));
        assert_eq!(join_all(waiters).concat(), [7]);
        join(pusher);
        join_all(closers);
        assert!(world.sends.is_closed() && world.sends.accept().is_err());
        world.check_wake();
        assert!(wake::readable(), "for good");
        world.check_end();
    });
}

#[test]
fn a_free_sends_everybody_inside_away() {
    explore(|| {
        let world = World::default();
        // One that never finishes, so that only the free ends the flush.
        let slot = world.accept();
        let waiters = [None, None, Some(SHORT)]
            .map(|time_out| world.spawn(move |world| world.sends.own().wait(time_out, 1)));
        let flush = world.spawn(|world| world.sends.flush(None));
        world.sends.free();
        for (waited, may_time_out) in join_all(waiters).into_iter().zip([false, false, true]) {
            match waited {
                Err(error) => assert_eq!(error.code(), ErrorCode::Closed),
                Ok(waited) => assert!(may_time_out && matches!(waited, Waited::Nothing)),
            }
        }
        assert_eq!(join(flush), 1);
        drop(slot);
        world.check_end();
    });
}

#[test]
fn places_are_never_more_than_allowed_and_all_come_back() {
    explore(|| {
        let world = World::default();
        let (client, most) = (Arc::new(AtomicUsize::new(0)), 2);
        let senders = [0, 1, 2].map(|token| {
            let client = Arc::clone(&client);
            world.spawn(move |world| {
                let unfinished = world.sends.accept().expect("open");
                // The account has room for all; only the client's limit refuses.
                let of_account = Limit { account: Some("a"), count: &world.taken, most: 3 };
                let of_client = Limit { account: None, count: &client, most };
                match Slot::take([Some(of_account), Some(of_client)]) {
                    Ok(slot) => {
                        assert!(client.load(Ordering::SeqCst) <= most);
                        unfinished.push(receipt(token), slot, None, token == 0);
                        1
                    }
                    Err(error) => {
                        assert_eq!(error.code(), ErrorCode::Full);
                        drop(unfinished);
                        0
                    }
                }
            })
        });
        let early = world.spawn(|world| usize::from(world.take(Some(SHORT)).is_some()));
        let accepted: usize = join_all(senders).into_iter().sum();
        let early = join(early);
        assert!(accepted >= most, "a place was refused that was free");
        world.close();
        assert_eq!(early + world.drain(2).len(), accepted);
        assert_eq!(client.load(Ordering::SeqCst), 0);
        world.check_end();
    });
}
