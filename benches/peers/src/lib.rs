//! What the Rust clients of the benchmarks share: the messages, and what is measured.

pub mod measure;
pub mod work;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use measure::{Args, Measure};
use work::Message;

/// A client that is compared with.
pub trait Peer: Clone + 'static {
    /// Sends a message: whether it was sent, with an id, or refused as it should be.
    fn send(&self, message: &Message) -> impl Future<Output = bool>;
}

/// Warms up, measures and prints; or sends one message, in mode "once".
pub async fn run(args: &Args, peer: impl Peer, version: &str) {
    if args.mode == "once" {
        assert!(peer.send(&Message::new(0)).await, "it was refused");
        return;
    }
    let warm_up = Measure::begin(work::WARM_UP);
    send_all(args, &peer, 0, warm_up).await.check();
    let measure = Measure::begin(args.messages);
    send_all(args, &peer, work::WARM_UP, measure).await.end(version);
}

/// Sends the messages from this number on, as many at a time as the arguments say.
async fn send_all(args: &Args, peer: &impl Peer, first: u64, measure: Measure) -> Measure {
    let count = measure.messages();
    let next = Rc::new(Cell::new(0));
    let measure = Rc::new(RefCell::new(measure));
    let tasks: Vec<_> = (0..args.in_flight)
        .map(|_| {
            let (next, measure, peer) = (Rc::clone(&next), Rc::clone(&measure), peer.clone());
            tokio::task::spawn_local(async move {
                while next.get() < count {
                    let index = next.replace(next.get() + 1);
                    let began = std::time::Instant::now();
                    let sent = peer.send(&Message::new(first + index)).await;
                    measure.borrow_mut().answer(index, began.elapsed(), sent);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no task panics without ending the program");
    }
    Rc::into_inner(measure).expect("every task has ended").into_inner()
}

/// The two fields of an answer that are read.
#[derive(serde::Deserialize)]
pub struct Answer {
    idstr: Option<String>,
    error_code: Option<u64>,
}

impl Answer {
    /// Whether it says sent, or refused as it should be; anything else ends the program.
    pub fn was_sent(&self, status: u16) -> bool {
        match (status, &self.idstr, self.error_code) {
            (200, Some(id), None) if !id.is_empty() => true,
            (403, None, Some(work::REFUSAL)) => false,
            _ => panic!("status {status} with neither an id nor the refusal"),
        }
    }
}

/// Runs a client's program on one thread.
pub fn main(program: impl AsyncFnOnce(Args)) {
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}");
        std::process::exit(1);
    }));
    let args = Args::read();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    tokio::task::LocalSet::new().block_on(&runtime, program(args));
}
