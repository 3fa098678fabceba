//! Many messages, a bounded number of them on their way at once.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hongyan::{ErrorCode, Op};
use pyo3::prelude::*;

use crate::core::{Core, Shared, Whatever};
use crate::error::refused;
use crate::receipt::Receipt;
use crate::router::{Numbered, Turn};

/// A source that takes longer than this for one message must not hold back receipts.
const SLOW: Duration = Duration::from_millis(1);
/// How long to wait for others to take their receipts, where these fill the client.
const CROWDED: Duration = Duration::from_millis(5);

/// The messages of one `send_many()`.
#[pyclass(module = "hongyan._native")]
pub struct Batch {
    shared: Arc<Shared>,
    mailbox: u32,
    in_flight: usize,
    next_number: u32,
    /// Messages for which the client had no room.
    held: VecDeque<(u32, Whatever)>,
    /// What was submitted and has not reported.
    ops: HashMap<u32, Op>,
    arrived: VecDeque<Numbered>,
    /// Receipts that have to wait for an earlier one.
    early: BTreeMap<u32, hongyan::Receipt>,
    /// The number whose receipt comes next; `None`: as they come.
    next_due: Option<u32>,
    /// When the source was last asked for a message.
    asked: Instant,
    /// True if it then took its time.
    slow: bool,
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.abandon();
    }
}

#[pymethods]
impl Batch {
    #[new]
    fn new(core: &Bound<'_, Core>, in_flight: usize, ordered: bool) -> PyResult<Batch> {
        let shared = Arc::clone(&core.get().0);
        shared.client().map_err(|error| refused(core.py(), &error))?;
        Ok(Batch {
            mailbox: shared.router.open(false),
            shared,
            in_flight,
            next_number: 0,
            held: VecDeque::new(),
            ops: HashMap::new(),
            arrived: VecDeque::new(),
            early: BTreeMap::new(),
            next_due: ordered.then_some(0),
            asked: Instant::now(),
            slow: false,
        })
    }

    /// Adds a message; False if take() comes before the next one.
    fn add(&mut self, py: Python<'_>, message: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.check(py)?;
        self.slow = self.asked.elapsed() > SLOW;
        let number = self.next_number;
        let message = Whatever::read(message, &format!("messages[{number}]"))?;
        self.next_number = number.wrapping_add(1);
        if !self.held.is_empty() || !self.submit(py, number, &message)? {
            self.held.push_back((number, message));
        }
        if self.slow {
            self.shared.look(py, self.mailbox, &mut Vec::new())?;
            self.collect();
        }
        self.asked = Instant::now();
        Ok(self.outstanding() < self.in_flight && self.held.is_empty() && !self.slow)
    }

    /// Receipts, in their order: waits for one; empty if nothing is under way.
    fn take(&mut self, py: Python<'_>) -> PyResult<Vec<Receipt>> {
        self.check(py)?;
        loop {
            self.submit_held(py)?;
            self.collect();
            // A few at a time, so that the others stay under way while these are looked at.
            let most = if self.slow { usize::MAX } else { (self.in_flight / 4).max(1) };
            let due: Vec<Receipt> =
                std::iter::from_fn(|| self.due()).take(most).map(Receipt::from).collect();
            if !due.is_empty() || self.outstanding() == 0 {
                self.asked = Instant::now();
                return Ok(due);
            }
            // Held back with nothing of our own under way: others have to make room.
            let patience = self.ops.is_empty().then_some(CROWDED);
            if self.shared.wait(py, self.mailbox, patience)? == Turn::Ended && self.held.is_empty()
            {
                self.collect();
                // What has not arrived by now never will, which the core promises not to happen.
                self.ops.clear();
            }
        }
    }

    /// Cancels what is under way.
    fn close(&mut self) {
        self.abandon();
        self.held.clear();
        self.ops.clear();
        self.arrived.clear();
        self.early.clear();
    }
}

impl Batch {
    /// After `fork` there is nothing to look for.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        self.shared.client().map(|_| ()).map_err(|error| refused(py, &error))
    }

    /// How many messages were added whose receipts were not handed out.
    fn outstanding(&self) -> usize {
        self.ops.len() + self.held.len() + self.arrived.len() + self.early.len()
    }

    /// Fetches what came.
    fn collect(&mut self) {
        let before = self.arrived.len();
        self.shared.router.empty(self.mailbox, &mut self.arrived);
        for (number, _) in self.arrived.iter().skip(before) {
            self.ops.remove(number);
        }
    }

    /// The receipt to hand out next, if it is there.
    fn due(&mut self) -> Option<hongyan::Receipt> {
        let Some(due) = self.next_due else { return self.arrived.pop_front().map(|(_, r)| r) };
        while let Some((number, receipt)) = self.arrived.pop_front() {
            if number == due {
                self.next_due = Some(due.wrapping_add(1));
                return Some(receipt);
            }
            self.early.insert(number, receipt);
        }
        let receipt = self.early.remove(&due)?;
        self.next_due = Some(due.wrapping_add(1));
        Some(receipt)
    }

    /// False if there is no room, so that the message has to wait.
    fn submit(&mut self, py: Python<'_>, number: u32, message: &Whatever) -> PyResult<bool> {
        match self.shared.submit_whatever(message, self.mailbox, number) {
            Ok(op) => {
                self.ops.insert(number, op);
                Ok(true)
            }
            Err(error) if error.code() == ErrorCode::Full => Ok(false),
            Err(error) => Err(refused(py, &error)),
        }
    }

    fn submit_held(&mut self, py: Python<'_>) -> PyResult<()> {
        while let Some((number, message)) = self.held.pop_front() {
            match self.submit(py, number, &message) {
                Ok(true) => {}
                Ok(false) => {
                    self.held.push_front((number, message));
                    break;
                }
                Err(raised) => return Err(raised),
            }
        }
        Ok(())
    }

    fn abandon(&mut self) {
        if self.shared.client().is_ok() {
            self.ops.values().for_each(Op::cancel);
            self.shared.router.close(self.mailbox);
        }
    }
}
