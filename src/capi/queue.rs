//! Queues of results beside the client's own.

use std::ffi::c_char;
use std::time::Duration;

use super::client::hy_client_t;
use super::error::hy_error_t;
use super::guard::{Call, Gate, admit, guard};
use super::input::{self, bytes, enter, handle, out, time_out};
use super::result::{hy_result, hy_result_t};
use super::send::{hy_op, hy_op_t};
use super::unwind::guard_or;
use crate::engine::{Queue, SubmitOptions};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::fields::Fields;
use crate::model::json;

/// The longest `options_json` that is read.
const MAX_OPTIONS: usize = 1 << 16;

/// Results of the submits that name it, apart from the client's own queue; made by `hy_queue_new`.
pub struct hy_queue {
    pid: u32,
    gate: Gate,
    queue: Queue,
}

/// Results of its own submits, apart from the client's queue.
pub type hy_queue_t = hy_queue;

impl hy_queue {
    /// Lets a call in.
    fn enter(&self) -> Result<(&Queue, Call<'_>)> {
        admit(self.pid, "queue", "hy_queue_new")?;
        Ok((&self.queue, self.gate.enter()?))
    }
}

/// Opens a queue of results, apart from the client's own: what is submitted to it by hy_submit_to comes
/// out of it and of no other.
///
/// The queue in *out is the caller's: free it with hy_queue_free. It may outlive its client: what waits
/// in it can still be taken then. The client's limits, its flush, its close and its counters are those of
/// all its queues together; messages that an earlier process left report to the client's own. Any thread.
/// Errors: argument, closed, forked, reentrant.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_queue_new(
    c: *mut hy_client_t,
    out: *mut *mut hy_queue_t,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client and a place for the queue, or NULL.
        let (entry, place) = unsafe { (enter(c)?, self::out(out, "out")?) };
        let queue = entry.client().queue()?;
        *place = Box::into_raw(Box::new(hy_queue {
            pid: std::process::id(),
            gate: Gate::default(),
            queue,
        }));
        Ok(())
    })
}

/// Waits until there is a result in the queue, and takes as many as there are, at most capacity.
///
/// *count says how many were written to out: 0 when the time ran out or hy_queue_interrupt was called.
/// Each result is the caller's: free it with hy_result_free. Any thread, any number of them at once.
/// Errors: closed (the client is closed or freed and every result of this queue was taken, or the queue
/// is being freed), argument (NULL, a capacity of 0), forked, reentrant.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_queue_wait_many(
    q: *mut hy_queue_t,
    timeout_ms: i64,
    out: *mut *mut hy_result_t,
    capacity: usize,
    count: *mut usize,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live queue and a place for the count, or NULL.
        let ((queue, _call), count) =
            unsafe { (handle(q, "q")?.enter()?, self::out(count, "count")?) };
        if out.is_null() || capacity == 0 {
            return Err(Error::new(ErrorCode::Argument, "out is NULL or capacity is 0"));
        }
        let receipts = queue.take(time_out(timeout_ms), capacity)?;
        // SAFETY: there is room for `capacity` handles, and there are no more receipts.
        unsafe { *count = hy_result::give_all(receipts, out) };
        Ok(())
    })
}

/// Gives a descriptor that is readable while results wait in the queue: level-triggered, and for good
/// once its client is closed. On Windows it is the HANDLE of an event, which is signalled then; to wait for
/// it, by WaitForSingleObject or with others, does not reset it.
///
/// It is the library's: poll it, never read or close it; it lives as long as the queue. Any thread.
/// Errors: argument, closed (being freed), forked, reentrant, internal (no descriptor left).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_queue_poll_handle(
    q: *mut hy_queue_t,
    out: *mut isize,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live queue and a place for the descriptor, or NULL.
        let ((queue, _call), place) = unsafe { (handle(q, "q")?.enter()?, self::out(out, "out")?) };
        *place = queue.poll_handle()?;
        Ok(())
    })
}

/// Makes the waits now running on the queue, or else the next one, return at once with nothing.
///
/// Other queues notice nothing. Any thread; NULL, a queue inherited by fork() and a call from the log
/// function do nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_queue_interrupt(q: *mut hy_queue_t) {
    guard_or((), || {
        // SAFETY: NULL or a live queue.
        if let Some(Ok((queue, _call))) = unsafe { q.as_ref() }.map(hy_queue::enter) {
            queue.interrupt();
        }
    });
}

/// Frees a queue: wakes the callers inside, who return "closed", and waits until they have left.
///
/// Results that nobody took are freed, and so are those that still come: its sends go on. With an outbox
/// these results were not acknowledged, so that a later run hands them out. No call on the queue may
/// begin once this has begun. NULL does nothing; so do a queue inherited by fork() and a call from the
/// log function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_queue_free(q: *mut hy_queue_t) {
    guard_or((), || {
        // SAFETY: NULL or a queue that hy_queue_new made and nobody has freed.
        let Some(queue) = (unsafe { q.as_ref() }) else { return };
        if admit(queue.pid, "queue", "hy_queue_new").is_err() {
            return;
        }
        queue.gate.shut(|| queue.queue.end());
        // SAFETY: nobody is inside, and the caller promises that nobody will come.
        drop(unsafe { Box::from_raw(q) });
    });
}

/// Submits a message, given as JSON, and returns. Exactly one result with this token comes out of q, or
/// of the client's own queue where q is NULL, whatever happens.
///
/// options_json is an object; (NULL, 0) is one without fields. "timeout_ms": how long the send may take
/// from now on, retries included; 0 makes no request, negative is without end, as is the default. Of a
/// message that an outbox keeps it is the deadline: it ends with expired, else with timeout. "durable":
/// false: an outbox does not keep the message, as it does not keep what hy_send_json sends. Where there is
/// an outbox the default is true; where there is none, true is an argument error.
///
/// All that is wrong with the message itself becomes the result, even that it is no JSON (argument), and
/// so its id and its place in the order are as those of any other. The op in *op is the caller's: free it
/// with hy_op_free; op may be NULL. Any thread.
/// Errors: argument (NULL; a queue of another client; options that cannot be read, with their path),
/// closed, forked, full, reentrant, storage, internal; each means that nothing was accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_submit_to(
    c: *mut hy_client_t,
    q: *mut hy_queue_t,
    json: *const c_char,
    len: usize,
    options_json: *const c_char,
    olen: usize,
    token: u64,
    op: *mut *mut hy_op_t,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client, a live queue and text, or NULL.
        let (entry, queue, json, options) = unsafe {
            let queue = q.as_ref().map(hy_queue::enter).transpose()?;
            let options = bytes(options_json, olen, "options_json")?;
            (enter(c)?, queue, bytes(json, len, "json")?, options)
        };
        let (time_out, in_memory) = read_options(options, entry.client().keeps())?;
        let options = SubmitOptions {
            in_memory,
            time_out,
            queue: queue.as_ref().map(|(queue, _call)| *queue),
            takes_all: true,
            ..SubmitOptions::token(token)
        };
        let submitted = entry.client().submit(json, options)?;
        // SAFETY: NULL or a place for the handle.
        if let Some(place) = unsafe { op.as_mut() } {
            *place = hy_op::into_raw(submitted);
        }
        Ok(())
    })
}

/// The time-out of `options_json`, and whether the message is not to be kept.
fn read_options(json: &[u8], keeps: bool) -> Result<(Option<Duration>, bool)> {
    const CODE: ErrorCode = ErrorCode::Argument;
    if json.is_empty() {
        return Ok((None, false));
    }
    let text = json::bounded(json, MAX_OPTIONS, CODE).map_err(|error| error.at("options"))?;
    let mut fields = Fields::read(text, "options", CODE)?;
    let time_out = fields.integer("timeout_ms", i64::MIN..=i64::MAX)?;
    let durable = fields.boolean("durable")?;
    fields.finish()?;
    if durable == Some(true) && !keeps {
        let words = "there is no outbox to keep the message";
        return Err(Error::new(CODE, words)
            .at("options.durable")
            .hint("give the client an \"outbox\", or leave \"durable\" out"));
    }
    Ok((time_out.and_then(input::time_out), durable == Some(false)))
}
