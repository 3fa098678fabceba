//! The error object of C, and the codes.

use std::ffi::c_char;
use std::ptr;
use std::sync::OnceLock;

use super::text::Text;
use super::unwind::guard_or;
use crate::model::error::Error;

/// How many times something was added to the ABI.
pub const HY_ABI_VERSION: u32 = 2;

/// Success.
pub const HY_OK: i32 = 0;
/// A bug in the library.
pub const HY_E_INTERNAL: i32 = 1;
/// A panic inside the library was caught.
pub const HY_E_PANIC: i32 = 2;
/// A bad pointer, text that is not UTF-8, or JSON that cannot be read.
pub const HY_E_ARGUMENT: i32 = 3;
/// The configuration is wrong; the path says where.
pub const HY_E_CONFIG: i32 = 4;
/// The client is closed.
pub const HY_E_CLOSED: i32 = 5;
/// The handle was made before fork().
pub const HY_E_FORKED: i32 = 6;
/// max_in_flight is reached; the message says whose.
pub const HY_E_FULL: i32 = 7;
/// The send was cancelled.
pub const HY_E_CANCELLED: i32 = 8;
/// Called from inside the log function.
pub const HY_E_REENTRANT: i32 = 9;
/// The message itself is wrong and never reached the network; the path says where.
pub const HY_E_MESSAGE: i32 = 10;
/// This service cannot carry that recipient or part; nothing reached the network.
pub const HY_E_UNSUPPORTED: i32 = 11;
/// The deadline passed before anything was sent.
pub const HY_E_EXPIRED: i32 = 12;
/// The outbox: disk, corruption or schema.
pub const HY_E_STORAGE: i32 = 13;
/// An older version has the outbox's file open, or others open it for too long.
pub const HY_E_LOCKED: i32 = 14;
/// The feature is not in this build.
pub const HY_E_UNAVAILABLE: i32 = 15;
/// The time ran out.
pub const HY_E_TIMEOUT: i32 = 100;
/// DNS, connection, proxy, or a connection lost on the way.
pub const HY_E_NETWORK: i32 = 101;
/// The secure connection could not be made.
pub const HY_E_TLS: i32 = 102;
/// An answer that cannot be understood.
pub const HY_E_PROTOCOL: i32 = 103;
/// The service refused the credentials.
pub const HY_E_AUTH: i32 = 200;
/// The sender or the app may not do this.
pub const HY_E_FORBIDDEN: i32 = 201;
/// There is no such recipient.
pub const HY_E_NOT_FOUND: i32 = 202;
/// Too fast.
pub const HY_E_RATE_LIMITED: i32 = 203;
/// The content is too long; also when refused locally.
pub const HY_E_TOO_LARGE: i32 = 204;
/// The content or the request was refused.
pub const HY_E_REJECTED: i32 = 205;
/// The service's own fault.
pub const HY_E_SERVICE: i32 = 206;
/// The service says that this was already sent.
pub const HY_E_DUPLICATE: i32 = 207;
/// The service says OK but threw the message away.
pub const HY_E_DROPPED: i32 = 208;
/// The allowance of the day or the plan is used up.
pub const HY_E_QUOTA: i32 = 209;

/// Why something failed; immutable.
pub struct hy_error {
    error: Error,
    message: Text,
    detail: OnceLock<Text>,
}

/// Why something failed; immutable.
pub type hy_error_t = hy_error;

impl hy_error {
    /// An error that C can read.
    pub fn new(error: Error) -> hy_error {
        let message = Text::new(error.message());
        hy_error { error, message, detail: OnceLock::new() }
    }

    /// An error that is the caller's.
    pub fn into_raw(error: Error) -> *mut hy_error {
        Box::into_raw(Box::new(hy_error::new(error)))
    }
}

/// The code of an error: one of HY_E_….
///
/// NULL gives HY_OK. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_error_code(e: *const hy_error_t) -> i32 {
    // SAFETY: NULL or an error that the caller has not freed.
    unsafe { e.as_ref() }.map_or(HY_OK, |e| e.error.code().number())
}

/// The name of an error's code, for instance "rate_limited".
///
/// Static: never freed. NULL gives "ok". Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_error_name(e: *const hy_error_t) -> *const c_char {
    // SAFETY: NULL or an error that the caller has not freed.
    let name = unsafe { e.as_ref() }.map_or(c"ok", |e| e.error.code().c_name());
    name.as_ptr()
}

/// What went wrong, in words for people: never a secret.
///
/// Borrowed from the error; len may be NULL. NULL gives "". Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_error_message(e: *const hy_error_t, len: *mut usize) -> *const c_char {
    // SAFETY: NULL or an error that the caller has not freed; NULL or a place for a length.
    unsafe {
        match e.as_ref() {
            Some(e) => e.message.give(len),
            None => empty(len),
        }
    }
}

/// Everything about an error as a JSON object: code, name, message, account, service, service_code,
/// http_status, path, attempts, retryable, retry_after_ms, hint; null where it does not apply.
///
/// Borrowed from the error; len may be NULL. NULL gives "". Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_error_detail_json(
    e: *const hy_error_t,
    len: *mut usize,
) -> *const c_char {
    guard_or(ptr::null(), || {
        // SAFETY: NULL or an error that the caller has not freed; NULL or a place for a length.
        unsafe {
            match e.as_ref() {
                Some(e) => e.detail.get_or_init(|| Text::new(&e.error.to_json())).give(len),
                None => empty(len),
            }
        }
    })
}

/// 1 only if nothing was sent and a later try may work; otherwise 0.
///
/// NULL gives 0. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_error_is_retryable(e: *const hy_error_t) -> i32 {
    // SAFETY: NULL or an error that the caller has not freed.
    unsafe { e.as_ref() }.map_or(0, |e| i32::from(e.error.is_retryable()))
}

/// Milliseconds to wait before a later try; -1 where nobody told.
///
/// NULL gives -1. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_error_retry_after_ms(e: *const hy_error_t) -> i64 {
    // SAFETY: NULL or an error that the caller has not freed.
    let after = unsafe { e.as_ref() }.and_then(|e| e.error.retry_after_ms());
    after.map_or(-1, |ms| i64::try_from(ms).unwrap_or(i64::MAX))
}

/// Frees an error that a function returned. Not for one borrowed from a result.
///
/// NULL does nothing. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_error_free(e: *mut hy_error_t) {
    if !e.is_null() {
        // SAFETY: the library made it with Box::into_raw, and the caller gives it up.
        drop(unsafe { Box::from_raw(e) });
    }
}

/// Empty text.
///
/// # Safety
/// `len` is NULL or valid for a write.
unsafe fn empty(len: *mut usize) -> *const c_char {
    // SAFETY: the caller's promise.
    if let Some(len) = unsafe { len.as_mut() } {
        *len = 0;
    }
    c"".as_ptr()
}
