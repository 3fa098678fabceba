//! Many messages, a bounded number of them on their way at once.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hongyan::{ErrorCode, Op};
use pyo3::prelude::*;

use crate::core::Core;
use crate::error::refused;
use crate::message::Whatever;
use crate::queue::{Numbered, OwnQueue, Turn};
use crate::receipt::Receipt;
use crate::shared::{attached, waiting};

/// A source that takes longer than this for one message is slow.
const SLOW: Duration = Duration::from_millis(1);
/// Before a slow source is asked again, receipts are waited for: this part of the time that it took,
const PATIENCE: u32 = 4;
/// but never longer than this.
const MOST_PATIENCE: Duration = Duration::from_secs(1);
/// The same before the second message of a source of which nothing is known yet.
const FIRST_PATIENCE: Duration = Duration::from_millis(50);
/// So many receipts at least are handed out before the source is asked again, if they are there.
const MANY: usize = 32;
/// How long to wait for others to take their receipts, where these fill the client.
const CROWDED: Duration = Duration::from_millis(5);

/// The messages of one `send_many()`.
#[pyclass(module = "hongyan._native")]
pub struct Batch {
    queue: Arc<OwnQueue>,
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
    /// True if the messages are there already, so that to ask for one takes no time.
    at_hand: bool,
    /// When the source was last asked for a message.
    asked: Instant,
    /// True if it then took its time.
    slow: bool,
    /// How long to wait for receipts before it is asked again.
    patience: Duration,
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.abandon();
    }
}

#[pymethods]
impl Batch {
    #[new]
    fn new(
        core: &Bound<'_, Core>,
        in_flight: usize,
        ordered: bool,
        at_hand: bool,
    ) -> PyResult<Batch> {
        let queue = core.get().0.batch().map_err(|error| refused(core.py(), &error))?;
        Ok(Batch {
            queue,
            in_flight,
            next_number: 0,
            held: VecDeque::new(),
            ops: HashMap::new(),
            arrived: VecDeque::new(),
            early: BTreeMap::new(),
            next_due: ordered.then_some(0),
            at_hand,
            asked: Instant::now(),
            slow: false,
            patience: Duration::ZERO,
        })
    }

    /// Adds a message; False if take() comes before the next one.
    fn add(&mut self, py: Python<'_>, message: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.check(py)?;
        let took = self.asked.elapsed();
        let number = self.next_number;
        let message = Whatever::read(message, &format!("messages[{number}]"))?;
        self.slow = took > SLOW;
        self.patience = match self.slow {
            true => (self.patience + took / PATIENCE).min(MOST_PATIENCE),
            false if number == 0 && !self.at_hand => FIRST_PATIENCE,
            false => Duration::ZERO,
        };
        self.next_number = number.wrapping_add(1);
        if !self.held.is_empty() || !self.submit(py, number, &message)? {
            self.held.push_back((number, message));
        }
        let waits = !self.at_hand && {
            self.collect(py)?;
            self.is_due()
        };
        self.asked = Instant::now();
        Ok(self.has_room() && self.patience.is_zero() && !waits)
    }

    /// Receipts, in their order. Waits for one, unless the source has `more` and there is room for it:
    /// then there may be none.
    fn take(&mut self, py: Python<'_>, more: bool) -> PyResult<Vec<Receipt>> {
        self.check(py)?;
        self.collect(py)?;
        loop {
            self.submit_held(py)?;
            // Of a source that is quick some are fetched in between, so that many stay under way while
            // these are looked at.
            let most = if self.slow { usize::MAX } else { (self.in_flight / 4).max(MANY) };
            let due: Vec<Receipt> =
                std::iter::from_fn(|| self.due()).take(most).map(Receipt::from).collect();
            let asks = more && self.has_room();
            if !due.is_empty() || self.outstanding() == 0 || asks && self.patience.is_zero() {
                self.asked = Instant::now();
                return Ok(due);
            }
            let began = Instant::now();
            let patience = match asks {
                true => Some(self.patience),
                // Held back with nothing of our own under way: others have to make room.
                false => self.ops.is_empty().then_some(CROWDED),
            };
            let turn = self.wait(py, patience)?;
            if asks {
                let waited = if self.slow { began.elapsed() } else { self.patience };
                self.patience = match turn {
                    Turn::Some => self.patience.saturating_sub(waited),
                    Turn::Nothing | Turn::Ended => Duration::ZERO,
                };
            } else if turn == Turn::Ended && self.held.is_empty() {
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
        self.queue.get().map(|_| ()).map_err(|error| refused(py, &error))
    }

    /// How many messages were added whose receipts were not handed out.
    fn outstanding(&self) -> usize {
        self.ops.len() + self.held.len() + self.arrived.len() + self.early.len()
    }

    /// True if another message may be added.
    fn has_room(&self) -> bool {
        self.outstanding() < self.in_flight && self.held.is_empty()
    }

    /// Waits for receipts with Ctrl-C, at most so long; `None`: without end.
    fn wait(&mut self, py: Python<'_>, time_out: Option<Duration>) -> PyResult<Turn> {
        let before = self.arrived.len();
        let (queue, arrived) = (&self.queue, &mut self.arrived);
        let turn = waiting(py, time_out, |slice| queue.wait(slice, arrived))?;
        for (number, _) in self.arrived.iter().skip(before) {
            self.ops.remove(number);
        }
        Ok(turn)
    }

    /// Fetches what came.
    fn collect(&mut self, py: Python<'_>) -> PyResult<()> {
        let before = self.arrived.len();
        let (queue, arrived) = (&self.queue, &mut self.arrived);
        attached(py, || queue.wait(Duration::ZERO, arrived).map(|_| ()))?;
        for (number, _) in self.arrived.iter().skip(before) {
            self.ops.remove(number);
        }
        Ok(())
    }

    /// True if there is a receipt to hand out next.
    fn is_due(&mut self) -> bool {
        let Some(due) = self.next_due else { return !self.arrived.is_empty() };
        if self.arrived.front().is_some_and(|(number, _)| *number == due) {
            return true;
        }
        self.early.extend(self.arrived.drain(..));
        self.early.contains_key(&due)
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
        let queue = &self.queue;
        let submit = || queue.shared.submit_whatever(message, queue.get()?, number);
        // The core reads the files that a message names.
        let has_files = message.message.as_ref().is_ok_and(|message| message.has_files);
        let submitted = if has_files { py.detach(submit) } else { submit() };
        // Receipts that nobody asks for may be all that fills it.
        let submitted = match submitted {
            Err(error) if error.code() == ErrorCode::Full => {
                attached(py, || queue.shared.make_room(Duration::ZERO))?;
                submit()
            }
            submitted => submitted,
        };
        match submitted {
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
        if self.queue.get().is_ok() {
            self.ops.values().for_each(Op::cancel);
            self.queue.end();
        }
    }
}
