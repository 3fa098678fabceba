//! The log function.

use std::ffi::{CString, c_char, c_void};

use super::error::hy_error_t;
use super::guard::guard;
use crate::model::error::{Error, ErrorCode};
use crate::model::log::{Level, set_sink};

/// Something is broken.
pub const HY_LOG_ERROR: i32 = 1;
/// Something went wrong and was dealt with.
pub const HY_LOG_WARN: i32 = 2;
/// Life of a client, and every retry.
pub const HY_LOG_INFO: i32 = 3;
/// Every send.
pub const HY_LOG_DEBUG: i32 = 4;
/// Everything.
pub const HY_LOG_TRACE: i32 = 5;

/// Takes a log line: its level, its target (for instance "hongyan::retry") and its text, both
/// NUL-terminated UTF-8 that is gone when the function returns. Never a secret, never a message.
pub type hy_log_fn = Option<
    unsafe extern "C" fn(user: *mut c_void, level: i32, target: *const c_char, text: *const c_char),
>;

/// Sends log lines up to max_level (HY_LOG_ERROR … HY_LOG_TRACE) to a function; for all clients of
/// the process. max_level 0 or fn NULL: none any more.
///
/// fn may run on any thread, several at once. Functions that take a client answer "reentrant"
/// inside it. Returns once no old function runs. Errors: argument (a level that is none), reentrant.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_set_log(
    max_level: i32,
    r#fn: hy_log_fn,
    user: *mut c_void,
) -> *mut hy_error_t {
    struct Host(unsafe extern "C" fn(*mut c_void, i32, *const c_char, *const c_char), *mut c_void);
    // SAFETY: the contract says that the function may run on any thread, with this pointer.
    unsafe impl Send for Host {}
    // SAFETY: as above: several at once.
    unsafe impl Sync for Host {}
    impl Host {
        fn write(&self, level: Level, target: &str, text: &str) {
            // A log line never holds a NUL, save where a service's own name of something does.
            let c = |text: &str| CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default();
            let (target, text) = (c(target), c(text));
            // SAFETY: the host's function, with its own pointer and text that outlives the call.
            unsafe { (self.0)(self.1, level as i32, target.as_ptr(), text.as_ptr()) }
        }
    }
    guard(|| {
        let level = match max_level {
            0 => None,
            n => Some(Level::from_number(n).ok_or_else(|| {
                Error::new(ErrorCode::Argument, format!("{n} is no log level: 0 to 5 are"))
            })?),
        };
        let sink = r#fn.map(|function| {
            let host = Host(function, user);
            Box::new(move |level, target: &str, text: &str| host.write(level, target, text))
                as Box<_>
        });
        crate::engine::runtime::fork::watch()?;
        set_sink(level, sink).map_err(|_| {
            Error::new(ErrorCode::Reentrant, "the log function must not change the log function")
        })
    })
}
