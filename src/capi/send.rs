//! Sending, submitting, waiting.

use std::ffi::c_char;

use super::client::hy_client_t;
use super::error::hy_error_t;
use super::guard::{Entry, guard};
use super::input::{bytes, enter, handle, out, time_out};
use super::message::hy_message_t;
use super::result::{hy_result, hy_result_t};
use super::text::{Text, give};
use super::unwind::guard_or;
use crate::client::SendOptions;
use crate::engine::{Op, SubmitOptions};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::MessageSource;
use crate::model::receipt::{Delivery, Receipt};

/// A submitted send.
pub struct hy_op {
    pid: u32,
    op: Op,
    id: Text,
}

/// A submitted send.
pub type hy_op_t = hy_op;

impl hy_op {
    /// An op that is the caller's.
    pub fn into_raw(op: Op) -> *mut hy_op {
        let id = Text::new(op.id());
        Box::into_raw(Box::new(hy_op { pid: std::process::id(), op, id }))
    }
}

/// Sends a message, given as JSON, and waits for its outcome, at most timeout_ms, retries included.
///
/// A failed delivery is not a failed call: look at hy_result_error(). The result in *out is the
/// caller's: free it with hy_result_free. The calling thread does the work itself. A time-out of 0
/// makes no request. An outbox does not keep what is sent here; the keys and lines of ordered messages
/// in it hold here too, and a key sent here is remembered there. Any thread.
/// Errors: argument (NULL, not UTF-8, not JSON, nested deeper than 64, larger than 1 MiB, "v"
/// missing or unknown), closed, forked, full, reentrant. Everything else wrong with a message is a
/// result with delivery HY_NOT_SENT. So is a system without a thread for the look-up of a name
/// (internal) or a descriptor for a connection (network): tried again, and is_retryable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_send_json(
    c: *mut hy_client_t,
    json: *const c_char,
    len: usize,
    timeout_ms: i64,
    out: *mut *mut hy_result_t,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client, text and a place for the result, or NULL.
        let (entry, json, place) =
            unsafe { (enter(c)?, bytes(json, len, "json")?, self::out(out, "out")?) };
        let options = SendOptions::within(time_out(timeout_ms));
        *place = sent(&entry, entry.client().send_boxed(json, options))?;
        Ok(())
    })
}

/// Sends a message that was built, and waits for its outcome; otherwise as hy_send_json.
///
/// The message stays the caller's and may be sent again: each send is a message of its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_send(
    c: *mut hy_client_t,
    m: *const hy_message_t,
    timeout_ms: i64,
    out: *mut *mut hy_result_t,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client, a live message and a place for the result, or NULL.
        let (entry, message, place) =
            unsafe { (enter(c)?, handle(m, "m")?, self::out(out, "out")?) };
        let options = SendOptions::within(time_out(timeout_ms));
        *place = sent(&entry, entry.client().send_boxed(&message.builder, options))?;
        Ok(())
    })
}

fn sent(entry: &Entry<'_>, receipt: Result<Box<Receipt>>) -> Result<*mut hy_result> {
    let receipt = receipt?;
    // Cut short by hy_free: the caller learns that the client is gone, and what is true.
    if entry.is_freeing() && was_cut(&receipt) {
        let words =
            format!("the client was freed during the send, which is {}", receipt.delivery.name());
        return Err(Error::new(ErrorCode::Closed, words));
    }
    Ok(hy_result::into_raw(receipt))
}

fn was_cut(receipt: &Receipt) -> bool {
    receipt.delivery != Delivery::Sent
        && receipt.error.as_ref().is_some_and(|error| error.code() == ErrorCode::Cancelled)
}

/// Submits one message for a caller who wants no op: none is made.
fn submit_only<'a>(
    entry: &Entry<'_>,
    message: impl Into<MessageSource<'a>>,
    token: u64,
) -> Result<()> {
    entry.client().submit_many([(message, token)]).map_err(|(_, error)| error)
}

/// Sends a message, given as JSON, and returns. Exactly one result with this token comes out of
/// hy_wait(), whatever happens.
///
/// With an outbox it returns once the message is durable, and its result comes out in this process
/// or in a later one; full then means that max_messages or max_bytes is reached. After storage the
/// message was not accepted; only if the process ends before the disk works again, it may have been.
/// The op in *op is the caller's: free it with hy_op_free; op may be NULL. Any thread.
/// Errors: as hy_send_json, storage, and internal (no thread can be started: nothing was accepted).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_submit_json(
    c: *mut hy_client_t,
    json: *const c_char,
    len: usize,
    token: u64,
    op: *mut *mut hy_op_t,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client and text, or NULL.
        let (entry, json) = unsafe { (enter(c)?, bytes(json, len, "json")?) };
        // SAFETY: NULL or a place for the handle.
        let Some(place) = (unsafe { op.as_mut() }) else {
            return submit_only(&entry, json, token);
        };
        let op = entry.client().submit(json, SubmitOptions::token(token))?;
        *place = hy_op::into_raw(op);
        Ok(())
    })
}

/// Sends a message that was built, and returns; otherwise as hy_submit_json.
///
/// The message stays the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_submit(
    c: *mut hy_client_t,
    m: *const hy_message_t,
    token: u64,
    op: *mut *mut hy_op_t,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client and a live message, or NULL.
        let (entry, message) = unsafe { (enter(c)?, handle(m, "m")?) };
        // SAFETY: NULL or a place for the handle.
        let Some(place) = (unsafe { op.as_mut() }) else {
            return submit_only(&entry, &message.builder, token);
        };
        let op = entry.client().submit(&message.builder, SubmitOptions::token(token))?;
        *place = hy_op::into_raw(op);
        Ok(())
    })
}

/// Submits n messages; stops at the first refused call, whose error it returns.
///
/// With an outbox they share a transaction, so that many cost hardly more than one.
/// *accepted says how many were accepted, also when there is an error. lens may be NULL: every text
/// is NUL-terminated then. Any thread. Errors: as hy_submit_json.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_submit_many_json(
    c: *mut hy_client_t,
    jsons: *const *const c_char,
    lens: *const usize,
    tokens: *const u64,
    n: usize,
    accepted: *mut usize,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client and a place for the count, or NULL.
        let (entry, accepted) = unsafe { (enter(c)?, self::out(accepted, "accepted")?) };
        *accepted = 0;
        if n > 0 && (jsons.is_null() || tokens.is_null()) {
            return Err(Error::new(ErrorCode::Argument, "jsons or tokens is NULL"));
        }
        let (mut messages, mut wrong) = (Vec::with_capacity(n), None);
        for i in 0..n {
            // SAFETY: the arrays hold n items each; lens may be NULL.
            let (json, len, token) = unsafe {
                let len = if lens.is_null() { super::input::HY_NTS } else { *lens.add(i) };
                (*jsons.add(i), len, *tokens.add(i))
            };
            // SAFETY: text, or NULL.
            match unsafe { bytes(json, len, "an item of jsons") } {
                Ok(json) => messages.push((json, token)),
                Err(error) => {
                    wrong = Some(error);
                    break;
                }
            }
        }
        let count = messages.len();
        let submitted = entry.client().submit_many(messages);
        *accepted = submitted.as_ref().err().map_or(count, |(before, _)| *before);
        submitted.map_err(|(_, error)| error)?;
        wrong.map_or(Ok(()), Err)
    })
}

/// Waits for one result of a submitted send.
///
/// *out is NULL when the time ran out or hy_interrupt was called; else the result is the caller's:
/// free it with hy_result_free. Any thread, any number of them at once.
/// Errors: closed (the client is closed and every result was taken, or it is being freed),
/// argument, forked, reentrant.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_wait(
    c: *mut hy_client_t,
    timeout_ms: i64,
    out: *mut *mut hy_result_t,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client and a place for the result, or NULL.
        let (entry, place) = unsafe { (enter(c)?, self::out(out, "out")?) };
        let receipt = entry.client().take(time_out(timeout_ms), 1)?.pop();
        *place = receipt.map_or(std::ptr::null_mut(), hy_result::into_raw);
        Ok(())
    })
}

/// Waits until there is a result, and takes as many as there are, at most capacity.
///
/// *count says how many were written to out: 0 when the time ran out or hy_interrupt was called.
/// Each result is the caller's. Otherwise as hy_wait; a capacity of 0 is an argument error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_wait_many(
    c: *mut hy_client_t,
    timeout_ms: i64,
    out: *mut *mut hy_result_t,
    capacity: usize,
    count: *mut usize,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client and a place for the count, or NULL.
        let (entry, count) = unsafe { (enter(c)?, self::out(count, "count")?) };
        if out.is_null() || capacity == 0 {
            return Err(Error::new(ErrorCode::Argument, "out is NULL or capacity is 0"));
        }
        let receipts = entry.client().take(time_out(timeout_ms), capacity)?;
        // SAFETY: there is room for `capacity` handles, and there are no more receipts.
        unsafe { *count = hy_result::give_all(receipts, out) };
        Ok(())
    })
}

/// Makes the waits now running, or else the next one, return at once with nothing.
///
/// Any thread; NULL, a client inherited by fork() and a call from the log function do nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_interrupt(c: *mut hy_client_t) {
    guard_or((), || {
        // SAFETY: NULL or a live client.
        if let Ok(entry) = unsafe { enter(c) } {
            entry.client().interrupt();
        }
    });
}

/// Gives a descriptor that is readable while results wait: level-triggered, and for good once the
/// client is closed. On Windows it is the HANDLE of an event, which is signalled then; to wait for it, by
/// WaitForSingleObject or with others, does not reset it.
///
/// It is the library's: poll it, never read or close it; it lives as long as the client. An
/// edge-triggered loop drains until hy_wait_many gives nothing. Any thread.
/// Errors: argument, closed (freed meanwhile), forked, reentrant, internal (no descriptor left).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_poll_handle(c: *mut hy_client_t, out: *mut isize) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client and a place for the descriptor, or NULL.
        let (entry, place) = unsafe { (enter(c)?, self::out(out, "out")?) };
        *place = entry.client().poll_handle()?;
        Ok(())
    })
}

/// Asks for the end of a send; its result says what became true.
///
/// NULL, an op whose send has ended, and an op inherited by fork() do nothing. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_op_cancel(op: *mut hy_op_t) {
    guard_or((), || {
        // SAFETY: NULL or an op that the caller has not freed.
        if let Some(op) = unsafe { op.as_ref() }
            && op.pid == std::process::id()
        {
            op.op.cancel();
        }
    });
}

/// The library's own id of the message, a ULID, which its result will have too.
///
/// Borrowed from the op; len may be NULL. NULL gives NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_op_id(op: *const hy_op_t, len: *mut usize) -> *const c_char {
    // SAFETY: NULL or an op that the caller has not freed; NULL or a place for a length.
    unsafe { give(op.as_ref().map(|op| &op.id), len) }
}

/// Frees an op. Does not cancel the send.
///
/// NULL does nothing. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_op_free(op: *mut hy_op_t) {
    if !op.is_null() {
        // SAFETY: the library made it with Box::into_raw, and the caller gives it up.
        drop(unsafe { Box::from_raw(op) });
    }
}

/// Says that a result need never be handed out again: with an outbox its row goes, soon; without
/// one there is nothing to do.
///
/// The result stays the caller's. Any thread. Errors: argument, closed, forked, reentrant, storage.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_result_ack(
    c: *mut hy_client_t,
    r: *const hy_result_t,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client and a live result, or NULL.
        let (entry, result) = unsafe { (enter(c)?, handle(r, "r")?) };
        entry.client().ack(result.receipt())
    })
}
