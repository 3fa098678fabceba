//! A relay between clients and a server, whose connections break as a test says: cut in the middle of a
//! message, closed on one side only, or mute.

#![allow(dead_code, reason = "each test uses its part of it")]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    ToServer,
    ToClient,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It ends on both sides after so many more bytes.
    Cut(usize),
    /// After so many more bytes nothing passes this way any more, and whom they were for finds that
    /// the other side has closed; the other side is told nothing.
    Half(Way, usize),
}

/// A connection through the relay.
struct Link {
    client: TcpStream,
    server: TcpStream,
    fault: Option<Fault>,
}

#[derive(Default)]
struct State {
    /// The port of the server.
    to: u16,
    next: u64,
    links: BTreeMap<u64, Link>,
    /// Nothing passes through these connections.
    mute: Vec<u64>,
    /// No answer passes through any.
    holds_answers: bool,
    /// What faults have befallen connections.
    broken: usize,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    news: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running relay, for as long as its process lives.
pub struct Relay {
    port: u16,
    shared: Arc<Shared>,
}

impl Relay {
    /// Starts a relay to a port on loopback.
    pub fn to(port: u16) -> Relay {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback");
        let own = listener.local_addr().expect("an address").port();
        let shared = Arc::<Shared>::default();
        shared.lock().to = port;
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let to = serving.lock().to;
                // While the server is away its clients find a connection that ends at once.
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)) else { continue };
                link(&serving, client, server);
            }
        });
        Relay { port: own, shared }
    }

    /// The port on loopback that clients connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends all connections, and makes those to come to another port.
    pub fn lead_to(&self, port: u16) {
        let mut state = self.shared.lock();
        state.to = port;
        state.mute.clear();
        state.links.values().for_each(Link::end);
        drop(state);
        self.shared.news.notify_all();
    }

    /// The numbers of the connections that there are.
    pub fn links(&self) -> Vec<u64> {
        self.shared.lock().links.keys().copied().collect()
    }

    /// How many connections a fault has befallen.
    pub fn broken(&self) -> usize {
        self.shared.lock().broken
    }

    /// Has a fault befall a connection, once as many bytes have passed as it says.
    pub fn befall(&self, link: u64, fault: Fault) {
        if let Some(link) = self.shared.lock().links.get_mut(&link) {
            link.fault = Some(fault);
        }
    }

    /// Lets nothing pass through these connections before [`Relay::go_on`].
    pub fn mute(&self, links: &[u64]) {
        self.shared.lock().mute.extend(links);
    }

    /// Lets no answer pass before [`Relay::go_on`].
    pub fn hold_answers(&self) {
        self.shared.lock().holds_answers = true;
    }

    /// Lets everything pass that waits, and what comes.
    pub fn go_on(&self) {
        let mut state = self.shared.lock();
        state.mute.clear();
        state.holds_answers = false;
        drop(state);
        self.shared.news.notify_all();
    }
}

impl Link {
    fn end(&self) {
        // One that has ended already is as good.
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}

fn link(shared: &Arc<Shared>, client: TcpStream, server: TcpStream) {
    let copy = |stream: &TcpStream| stream.try_clone().expect("a descriptor");
    for stream in [&client, &server] {
        stream.set_nodelay(true).expect("a socket");
    }
    let ways = [
        (Way::ToServer, copy(&client), copy(&server)),
        (Way::ToClient, copy(&server), copy(&client)),
    ];
    let mut state = shared.lock();
    let number = state.next;
    state.next += 1;
    state.links.insert(number, Link { client, server, fault: None });
    drop(state);
    for (way, from, to) in ways {
        let shared = Arc::clone(shared);
        thread::spawn(move || pass(&shared, number, way, from, to));
    }
}

/// Carries bytes one way until either side has closed.
fn pass(shared: &Shared, number: u64, way: Way, mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = [0; 16 << 10];
    while let Ok(n @ 1..) = from.read(&mut bytes) {
        let waits = |state: &mut State| {
            state.mute.contains(&number) || (state.holds_answers && way == Way::ToClient)
        };
        let state = shared.lock();
        let mut state =
            shared.news.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        let Some(link) = state.links.get_mut(&number) else { break };
        let (now, closes) = meet(&mut link.fault, way, n);
        state.broken += usize::from(closes.is_some());
        drop(state);
        if to.write_all(&bytes[..now]).is_err() {
            break;
        }
        match closes {
            None => {}
            Some(Fault::Cut(_)) => break,
            Some(Fault::Half(..)) => {
                let _ = to.shutdown(Shutdown::Write);
                // The other side goes on as if somebody heard it.
                while let Ok(1..) = from.read(&mut bytes) {}
                return;
            }
        }
    }
    if let Some(link) = shared.lock().links.remove(&number) {
        link.end();
    }
}

/// How many of these bytes pass, and what befalls the connection after them.
fn meet(fault: &mut Option<Fault>, way: Way, n: usize) -> (usize, Option<Fault>) {
    let left = match fault {
        Some(Fault::Cut(left)) => left,
        Some(Fault::Half(own, left)) if *own == way => left,
        _ => return (n, None),
    };
    if n < *left {
        *left -= n;
        return (n, None);
    }
    (*left, fault.take())
}
