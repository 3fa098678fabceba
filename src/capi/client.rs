//! The life of a client.

use std::ffi::{CStr, CString, c_char};

use once_cell::race::OnceBox;

use super::error::{HY_ABI_VERSION, hy_error_t};
use super::guard::{guard, hy_client};
use super::input::{bytes, enter, out, text, time_out};
use super::unwind::guard_or;
use crate::client::Client;
use crate::model::error::{Error, ErrorCode};
use crate::model::log::inside_sink;

/// One runtime, many accounts.
pub type hy_client_t = hy_client;

/// The HY_ABI_VERSION of the library that runs, which may be newer than this header.
///
/// Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hy_abi_version() -> u32 {
    HY_ABI_VERSION
}

/// The version of the library that runs, for instance "0.1.0".
///
/// Static: never freed. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hy_version() -> *const c_char {
    const VERSION: &CStr =
        match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(version) => version,
            Err(_) => c"",
        };
    VERSION.as_ptr()
}

/// What this build can send, as JSON: recipients, parts, extra fields, limits, de-duplication and the
/// JSON Schema of an account of every service.
///
/// Static: never freed. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn hy_services_json() -> *const c_char {
    guard_or(c"{}".as_ptr(), || {
        // Nobody waits for another who makes it, who would be missing after a fork.
        static JSON: OnceBox<CString> = OnceBox::new();
        let json = || Box::new(CString::new(crate::services_json()).unwrap_or_default());
        JSON.get_or_init(json).as_ptr()
    })
}

/// Makes a client from its configuration JSON. Opens no connection and starts no thread.
///
/// With an "outbox" it opens the file, starts its threads, and what an earlier process left goes on:
/// results that nobody acknowledged come out of hy_wait again, with HY_EARLIER_RUN and that run's
/// token. With "proxy": "env" the variables HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY are read
/// here, once. The client in *out is the caller's: free it with hy_free. Any thread.
/// Errors: argument (NULL), config (anything wrong with the JSON, with its path and never with the
/// value that stands there; a malformed variable of a proxy), unavailable (an
/// outbox in a build without one), storage (its file cannot be used, or was
/// damaged and something may be lost: the next hy_init goes on with the rest), locked (an older
/// version of the library has it for itself, or others open it for longer than timeout_ms), internal (no
/// descriptor or thread left).
/// Nothing waits for a pipe or a device where the configuration names a file: that is config, or
/// storage for the outbox.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_init(
    config_json: *const c_char,
    len: usize,
    out: *mut *mut hy_client_t,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: text and a place for the handle, or NULL.
        let (json, place) =
            unsafe { (bytes(config_json, len, "config_json")?, self::out(out, "out")?) };
        *place = Box::into_raw(Box::new(hy_client::new(Client::from_bytes(json)?)));
        Ok(())
    })
}

/// Adds an account, or replaces the one of that name; holds for attempts begun later.
///
/// A message in doubt goes on only with an account that is the same to its service: a new secret, rate
/// or time changes nothing; where app, user, base_url or service are others, its result is maybe_sent
/// (with "on_maybe_sent": "resend" it is sent again all the same, unless the service is another).
///
/// account_json is one value of "accounts" in a configuration. Any thread.
/// Errors: argument, config, closed, forked, reentrant.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_account_set(
    c: *mut hy_client_t,
    name: *const c_char,
    nlen: usize,
    account_json: *const c_char,
    len: usize,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client and text, or NULL.
        let (entry, name, json) = unsafe {
            (enter(c)?, text(name, nlen, "name")?, bytes(account_json, len, "account_json")?)
        };
        entry.client().set_account_bytes(name, json)
    })
}

/// Takes an account away. What waits for it ends not_sent with config; what is in flight goes on.
///
/// Any thread. Errors: argument, config (no such account), closed, forked, reentrant.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_account_remove(
    c: *mut hy_client_t,
    name: *const c_char,
    nlen: usize,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client and text, or NULL.
        let (entry, name) = unsafe { (enter(c)?, text(name, nlen, "name")?) };
        entry.client().remove_account(name)
    })
}

/// Asks the service of an account whether its credentials work, and waits at most timeout_ms.
///
/// NULL: they do. Nothing is sent to anybody, and no counter of messages changes. The calling thread does
/// the work itself; a failure on the way is tried again, as that of a message. A time-out of 0 makes no
/// request. Any thread.
/// Errors: unsupported (this service cannot be asked without sending), auth (it refuses them; the message
/// has its words), config (no such account), whatever else a service may answer, network, tls, timeout,
/// protocol, argument, closed, forked, reentrant.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_check_account(
    c: *mut hy_client_t,
    name: *const c_char,
    nlen: usize,
    timeout_ms: i64,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client and text, or NULL.
        let (entry, name) = unsafe { (enter(c)?, text(name, nlen, "name")?) };
        let checked = entry.client().check_account(name, time_out(timeout_ms));
        match checked {
            Err(error) if entry.is_freeing() && error.code() == ErrorCode::Cancelled => {
                Err(crate::engine::closed())
            }
            checked => checked,
        }
    })
}

/// Waits until nothing is queued or in flight; *unfinished says how many sends still are.
///
/// A time-out that runs out is no error. unfinished may be NULL. Any thread.
/// Errors: argument, closed (freed meanwhile), forked, reentrant.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_flush(
    c: *mut hy_client_t,
    timeout_ms: i64,
    unfinished: *mut u64,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client, or NULL.
        let entry = unsafe { enter(c) }?;
        let left = entry.client().flush(time_out(timeout_ms));
        if entry.is_freeing() {
            return Err(crate::engine::closed());
        }
        // SAFETY: NULL or a place for a count.
        unsafe { tell(unfinished, left) };
        Ok(())
    })
}

/// Accepts nothing more, waits for what is under way, and cancels the rest when the time is over.
///
/// When it returns, the result of every accepted send is in the queue, and *unfinished counts those
/// it cancelled; a second close says 0. A time-out that runs out is no error. unfinished may be
/// NULL. The client must still be freed. Any thread. Errors: argument, closed (freed meanwhile),
/// forked, reentrant.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_close(
    c: *mut hy_client_t,
    timeout_ms: i64,
    unfinished: *mut u64,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client, or NULL.
        let entry = unsafe { enter(c) }?;
        let cancelled = entry.client().close(time_out(timeout_ms));
        if entry.is_freeing() {
            return Err(crate::engine::closed());
        }
        // SAFETY: NULL or a place for a count.
        unsafe { tell(unfinished, cancelled) };
        Ok(())
    })
}

/// Frees a client: closes it with time-out 0 if it is open, wakes the callers inside, who return
/// "closed", waits until they have left, and ends its threads.
///
/// No call on the client may begin once this has begun. Results, errors, messages and ops outlive
/// it. NULL does nothing; so does a client inherited by fork(), and a call from inside the log
/// function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_free(c: *mut hy_client_t) {
    guard_or((), || {
        // SAFETY: NULL or a client that hy_init made and nobody has freed.
        let Some(client) = (unsafe { c.as_ref() }) else { return };
        if client.is_forked() || inside_sink() {
            return;
        }
        client.empty();
        // SAFETY: nobody is inside, and the caller promises that nobody will come.
        drop(unsafe { Box::from_raw(c) });
    });
}

/// Counters of the client and of each account, as JSON, in *out.
///
/// `stopped` of an account is null, or tells since when its service has stopped it, why, and when a
/// message may try again (`for_ms`, `service_code`, `message`, `probe_in_ms`).
///
/// The text is the caller's: free it with hy_string_free. len may be NULL. Any thread.
/// Errors: argument, forked, closed (freed meanwhile), reentrant.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_stats_json(
    c: *mut hy_client_t,
    out: *mut *mut c_char,
    len: *mut usize,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client and a place for the text, or NULL.
        let (entry, place) = unsafe { (enter(c)?, self::out(out, "out")?) };
        let json = CString::new(entry.client().stats_json()).map_err(|_| {
            Error::new(ErrorCode::Internal, "a counter with a NUL; this is a bug in hongyan")
        })?;
        // SAFETY: NULL or a place for a length.
        if let Some(len) = unsafe { len.as_mut() } {
            *len = json.as_bytes().len();
        }
        *place = json.into_raw();
        Ok(())
    })
}

/// Gives the request that a message, given as JSON, would become, as a JSON object with "url",
/// "headers", "body" and "files"; nothing is sent.
///
/// Secrets are masked, and of files stand name, type and size only. Where a message needs several
/// requests, it is the first of them. The text is the caller's: free it with hy_string_free. len may be
/// NULL. Any thread.
/// Errors: as hy_send_json save full, and whatever is wrong with the message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_preview_json(
    c: *mut hy_client_t,
    json: *const c_char,
    len: usize,
    out: *mut *mut c_char,
    out_len: *mut usize,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live client, text and a place for the text, or NULL.
        let (entry, json, place) =
            unsafe { (enter(c)?, bytes(json, len, "json")?, self::out(out, "out")?) };
        let preview = entry.client().preview(json)?.to_json();
        let text = CString::new(preview).map_err(|_| {
            Error::new(ErrorCode::Internal, "JSON with a NUL; this is a bug in hongyan")
        })?;
        // SAFETY: NULL or a place for a length.
        if let Some(len) = unsafe { out_len.as_mut() } {
            *len = text.as_bytes().len();
        }
        *place = text.into_raw();
        Ok(())
    })
}

/// Frees text that hy_stats_json or hy_preview_json gave.
///
/// NULL does nothing. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_string_free(s: *mut c_char) {
    if !s.is_null() {
        // SAFETY: the library made it with CString::into_raw, and the caller gives it up.
        drop(unsafe { CString::from_raw(s) });
    }
}

/// Writes a count where somebody wants it.
///
/// # Safety
/// `place` is NULL or valid for a write.
unsafe fn tell(place: *mut u64, count: usize) {
    // SAFETY: the caller's promise.
    if let Some(place) = unsafe { place.as_mut() } {
        *place = count as u64;
    }
}
