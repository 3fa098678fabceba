//! Text that C reads.

use std::ffi::c_char;

/// Text that C may read: UTF-8, with a NUL behind it that does not count.
pub struct Text(Box<str>);

impl Text {
    /// A copy of this text.
    pub fn new(text: &str) -> Text {
        let mut copy = String::with_capacity(text.len() + 1);
        copy.push_str(text);
        copy.push('\0');
        Text(copy.into_boxed_str())
    }

    /// The pointer; the length goes to `len` unless that is NULL.
    ///
    /// # Safety
    /// `len` is NULL or valid for a write.
    pub unsafe fn give(&self, len: *mut usize) -> *const c_char {
        // SAFETY: the caller's promise.
        if let Some(len) = unsafe { len.as_mut() } {
            *len = self.0.len() - 1;
        }
        self.0.as_ptr().cast()
    }
}

/// Text that may not be there: NULL, and 0 as its length.
///
/// # Safety
/// `len` is NULL or valid for a write.
pub unsafe fn give(text: Option<&Text>, len: *mut usize) -> *const c_char {
    // SAFETY: the caller's promise.
    match (text, unsafe { len.as_mut() }) {
        (Some(text), _) => unsafe { text.give(len) },
        (None, Some(len)) => {
            *len = 0;
            std::ptr::null()
        }
        (None, None) => std::ptr::null(),
    }
}
