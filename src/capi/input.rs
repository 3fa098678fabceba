//! What C gives: pointers, lengths, times; and the text it gets back.

use std::ffi::{CStr, c_char};
use std::time::Duration;

use super::guard::{Entry, hy_client};
use crate::model::error::{Error, ErrorCode, Result};

/// The length that means "NUL-terminated, measure it"; a macro of the header.
/// cbindgen:ignore
pub const HY_NTS: usize = usize::MAX;

fn argument(words: String) -> Error {
    Error::new(ErrorCode::Argument, words)
}

/// The bytes of a pointer and a length.
///
/// # Safety
/// `pointer` is NULL, or valid for `len` bytes, or NUL-terminated where `len` is [`HY_NTS`].
pub unsafe fn bytes<'a>(pointer: *const c_char, len: usize, what: &str) -> Result<&'a [u8]> {
    if pointer.is_null() {
        return match len {
            0 => Ok(&[]),
            _ => Err(argument(format!("{what} is NULL"))),
        };
    }
    if len == HY_NTS {
        // SAFETY: the caller's promise: a NUL ends it.
        return Ok(unsafe { CStr::from_ptr(pointer) }.to_bytes());
    }
    if isize::try_from(len).is_err() {
        return Err(argument(format!("{what} cannot be {len} bytes long")));
    }
    // SAFETY: the caller's promise: `len` bytes are there.
    Ok(unsafe { std::slice::from_raw_parts(pointer.cast(), len) })
}

/// The UTF-8 text of a pointer and a length.
///
/// # Safety
/// As for [`bytes`].
pub unsafe fn text<'a>(pointer: *const c_char, len: usize, what: &str) -> Result<&'a str> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { bytes(pointer, len, what) }?;
    std::str::from_utf8(bytes).map_err(|e| {
        argument(format!("{what} is not UTF-8: wrong byte at offset {}", e.valid_up_to()))
    })
}

/// A client, entered.
///
/// # Safety
/// `client` is NULL or was made by `hy_init` and not freed.
pub unsafe fn enter<'a>(client: *const hy_client) -> Result<Entry<'a>> {
    // SAFETY: the caller's promise.
    match unsafe { client.as_ref() } {
        Some(client) => client.enter(),
        None => Err(argument("the client is NULL".to_owned())),
    }
}

/// A handle, behind a pointer.
///
/// # Safety
/// `pointer` is NULL or was made by the library and not freed.
pub unsafe fn handle<'a, T>(pointer: *const T, what: &str) -> Result<&'a T> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_ref() }.ok_or_else(|| argument(format!("{what} is NULL")))
}

/// A place for a value to leave through.
///
/// # Safety
/// `pointer` is NULL or valid for a write.
pub unsafe fn out<'a, T>(pointer: *mut T, what: &str) -> Result<&'a mut T> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_mut() }.ok_or_else(|| argument(format!("{what} is NULL")))
}

/// Milliseconds as the contract counts them: negative is without end.
pub fn time_out(ms: i64) -> Option<Duration> {
    u64::try_from(ms).ok().map(Duration::from_millis)
}
