//! Name look-ups: one thread a name that is looked up now, however many ask for it.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::oneshot;

use crate::engine::results::wake::spawn_thread;
use crate::net::{Boxed, Lookup, NoResources};

/// How many names are looked up at once; further ones wait until one of these is done.
///
/// The system's resolver cannot be stopped: a name that hangs keeps its thread until the resolver gives
/// up. It keeps no more than that one, so that only so many hanging names could hold up another.
const MOST_THREADS: usize = 256;

/// The addresses of a host, or why there are none.
type Found = io::Result<Vec<SocketAddr>>;

/// Asks for the addresses of a host, which may take its time.
type Resolve = dyn Fn(&str) -> Found + Send + Sync;

/// The system's resolver, each name on a thread of its own.
///
/// A thread that still hangs when the client is freed is left behind: it owns all that it touches.
pub struct SystemLookup(Arc<Names>);

struct Names {
    resolve: Box<Resolve>,
    state: Mutex<State>,
    most_threads: usize,
}

#[derive(Default)]
struct State {
    /// Who waits for each name that is looked up, or is going to be.
    asked: HashMap<String, Vec<oneshot::Sender<Found>>>,
    /// Names that no thread has taken up yet.
    queued: VecDeque<String>,
    threads: usize,
}

impl Default for SystemLookup {
    fn default() -> SystemLookup {
        SystemLookup::new(|host| (host, 0).to_socket_addrs().map(Vec::from_iter))
    }
}

impl SystemLookup {
    /// Asks `resolve` for the addresses.
    pub fn new(resolve: impl Fn(&str) -> Found + Send + Sync + 'static) -> SystemLookup {
        SystemLookup(Arc::new(Names {
            resolve: Box::new(resolve),
            state: Mutex::default(),
            most_threads: MOST_THREADS,
        }))
    }
}

impl Lookup for SystemLookup {
    fn look_up(&self, host: String) -> Boxed<'static, Found> {
        let found = self.0.ask(host);
        Box::pin(async move {
            match found?.await {
                Ok(found) => found,
                Err(_) => Err(io::Error::other("the look-up of the name broke off")),
            }
        })
    }
}

impl Names {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Joins the look-up of this name, or begins it.
    fn ask(self: &Arc<Self>, host: String) -> io::Result<oneshot::Receiver<Found>> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state();
        if let Some(asked) = state.asked.get_mut(&host) {
            // Attempts that were given up meanwhile wait no longer.
            asked.retain(|sender| !sender.is_closed());
            asked.push(sender);
            return Ok(receiver);
        }
        if state.threads < self.most_threads {
            let (names, first) = (Arc::clone(self), host.clone());
            spawn_thread("hy-lookup", move || names.work(first)).map_err(|e| {
                let words = format!("no thread can be started to look up its name: {e}");
                io::Error::other(NoResources(words))
            })?;
            state.threads += 1;
        } else {
            state.queued.push_back(host.clone());
        }
        state.asked.insert(host, vec![sender]);
        Ok(receiver)
    }

    /// The life of a thread: looks names up as long as one is queued.
    fn work(&self, first: String) {
        let mut next = Some(first);
        while let Some(host) = next {
            // Should it ever panic, those who wait are told all the same.
            let found = catch_unwind(AssertUnwindSafe(|| (self.resolve)(&host)))
                .unwrap_or_else(|_| Err(io::Error::other("the resolver panicked")));
            let mut state = self.state();
            let asked = state.asked.remove(&host).unwrap_or_default();
            next = state.next();
            drop(state);
            for sender in asked {
                let _ = sender.send(copy(&found));
            }
        }
    }
}

impl State {
    /// The next name that somebody still waits for; without one the thread ends.
    fn next(&mut self) -> Option<String> {
        while let Some(host) = self.queued.pop_front() {
            let is_awaited = |asked: &Vec<oneshot::Sender<Found>>| {
                asked.iter().any(|sender| !sender.is_closed())
            };
            if self.asked.get(&host).is_some_and(is_awaited) {
                return Some(host);
            }
            self.asked.remove(&host);
        }
        self.threads -= 1;
        None
    }
}

/// What was found, for one of several who asked.
fn copy(found: &Found) -> Found {
    match found {
        Ok(addresses) => Ok(addresses.clone()),
        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Condvar;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::engine::results::wake::Refusal;

    /// A resolver by which names that begin with "hang" hang until they are let go.
    #[derive(Default)]
    struct Resolver {
        state: Mutex<(usize, bool)>,
        news: Condvar,
        calls: AtomicUsize,
    }

    impl Resolver {
        fn lookup(self: &Arc<Self>, most_threads: usize) -> SystemLookup {
            let own = Arc::clone(self);
            let resolve = Box::new(move |host: &str| own.resolve(host));
            SystemLookup(Arc::new(Names { resolve, state: Mutex::default(), most_threads }))
        }

        fn resolve(&self, host: &str) -> Found {
            self.calls.fetch_add(1, Ordering::SeqCst);
            if host.starts_with("panic") {
                std::panic::resume_unwind(Box::new("a resolver's"));
            }
            if host.starts_with("hang") {
                self.change(|state| state.0 += 1);
                let state = self.state.lock().unwrap();
                drop(self.news.wait_while(state, |(_, let_go)| !*let_go).unwrap());
                self.change(|state| state.0 -= 1);
            }
            if host.ends_with("nowhere") {
                return Err(io::Error::new(io::ErrorKind::NotFound, "no such name"));
            }
            Ok(vec![SocketAddr::from(([127, 0, 0, 1], 0))])
        }

        fn change(&self, change: impl FnOnce(&mut (usize, bool))) {
            change(&mut self.state.lock().unwrap());
            self.news.notify_all();
        }

        fn await_hanging(&self, n: usize) {
            let state = self.state.lock().unwrap();
            drop(self.news.wait_while(state, |(hanging, _)| *hanging != n).unwrap());
        }

        fn calls(&self) -> usize {
            self.calls.load(Ordering::SeqCst)
        }
    }

    fn get(found: Boxed<'static, Found>) -> Found {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(300), found).await.expect("it never came")
        })
    }

    fn ask(lookup: &SystemLookup, host: &str) -> Boxed<'static, Found> {
        lookup.look_up(host.to_owned())
    }

    #[test]
    fn all_who_ask_for_a_name_share_its_look_up_and_nothing_is_kept_of_it() {
        let resolver = Arc::new(Resolver::default());
        let lookup = resolver.lookup(4);
        let asked: Vec<_> =
            (0..50).flat_map(|_| ["hang", "hang.nowhere"]).map(|n| ask(&lookup, n)).collect();
        resolver.await_hanging(2);
        resolver.change(|state| state.1 = true);
        for (i, found) in asked.into_iter().enumerate() {
            match (i % 2, get(found)) {
                (0, Ok(addresses)) => assert_eq!(addresses.len(), 1),
                (1, Err(error)) => assert_eq!(error.to_string(), "no such name"),
                (_, found) => panic!("{found:?}"),
            }
        }
        assert_eq!(resolver.calls(), 2);
        get(ask(&lookup, "hang")).expect("found");
        assert_eq!(resolver.calls(), 3, "it was looked up anew");
    }

    #[test]
    fn hanging_names_hold_up_no_other_and_leave_with_their_client() {
        let resolver = Arc::new(Resolver::default());
        let lookup = resolver.lookup(MOST_THREADS);
        let hanging: Vec<_> =
            (0..200).map(|n| ask(&lookup, &format!("hang-{}", n % 100))).collect();
        resolver.await_hanging(100);
        get(ask(&lookup, "well")).expect("found");
        drop(hanging);
        let again = ask(&lookup, "hang-7");
        assert_eq!(resolver.calls(), 101, "a name that hangs has its one thread");
        drop((again, lookup));
        // They still hang when their client is gone, and end when they can.
        resolver.await_hanging(100);
        resolver.change(|state| state.1 = true);
        resolver.await_hanging(0);
    }

    #[test]
    fn beyond_the_most_threads_names_wait_for_one_and_those_that_nobody_wants_are_passed_over() {
        let resolver = Arc::new(Resolver::default());
        let lookup = resolver.lookup(2);
        let hanging = [ask(&lookup, "hang-1"), ask(&lookup, "hang-2")];
        resolver.await_hanging(2);
        let waiting = [ask(&lookup, "a"), ask(&lookup, "b"), ask(&lookup, "a")];
        drop(ask(&lookup, "unwanted"));
        assert_eq!(resolver.calls(), 2);
        resolver.change(|state| state.1 = true);
        for found in hanging.into_iter().chain(waiting) {
            get(found).expect("found");
        }
        assert_eq!(resolver.calls(), 4);
        get(ask(&lookup, "unwanted")).expect("wanted now");
    }

    #[test]
    fn a_thread_that_cannot_be_started_is_told_and_nothing_of_it_stays() {
        let resolver = Arc::new(Resolver::default());
        let lookup = resolver.lookup(1);
        {
            let _refusal = Refusal::begin();
            for _ in 0..3 {
                let error = get(ask(&lookup, "well")).expect_err("no thread");
                let inner = error.get_ref().expect("a cause");
                assert!(inner.is::<NoResources>(), "{inner}");
            }
        }
        get(ask(&lookup, "well")).expect("found");
        get(ask(&lookup, "panic")).expect_err("the resolver panics");
        get(ask(&lookup, "well")).expect("found");
    }
}
