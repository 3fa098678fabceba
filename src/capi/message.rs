//! A message, built field by field.

use std::ffi::{c_char, c_void};

use super::error::hy_error_t;
use super::guard::guard;
use super::input::{bytes, out, text};
use crate::model::error::{Error, ErrorCode};
use crate::model::message::{MAX_ATTACHMENT, MessageBuilder};

/// A message being built; used by one thread at a time.
pub struct hy_message {
    pub(super) builder: MessageBuilder,
}

/// A message being built; used by one thread at a time.
pub type hy_message_t = hy_message;

/// Begins a message from an account.
///
/// The message in *out is the caller's: free it with hy_message_free. It is read and judged when
/// it is sent. Errors: argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_message_new(
    account: *const c_char,
    len: usize,
    out: *mut *mut hy_message_t,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: text and a place for the handle, or NULL.
        let (account, place) = unsafe { (text(account, len, "account")?, self::out(out, "out")?) };
        *place = Box::into_raw(Box::new(hy_message { builder: MessageBuilder::new(account) }));
        Ok(())
    })
}

/// Adds a recipient: kind is user, name, group, topic, users, groups, discussions or members.
///
/// Repeat it for the list kinds; to repeat a single kind is an error, and so is a value that is empty or
/// blank. After an error the message is what it was.
/// Errors: argument, message (unknown kind, single kind twice, blank value).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_message_to(
    m: *mut hy_message_t,
    kind: *const c_char,
    klen: usize,
    value: *const c_char,
    vlen: usize,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live message and text, or NULL.
        let (m, kind, value) =
            unsafe { (out(m, "m")?, text(kind, klen, "kind")?, text(value, vlen, "value")?) };
        m.builder.to(kind, value).map(drop)
    })
}

/// Sets the text, in place of any before.
///
/// Errors: argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_message_set_text(
    m: *mut hy_message_t,
    s: *const c_char,
    len: usize,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live message and text, or NULL.
        let (m, text) = unsafe { (out(m, "m")?, self::text(s, len, "s")?) };
        m.builder.text(text);
        Ok(())
    })
}

/// Adds a part, given as JSON, for instance {"type":"text","text":"hello"}.
///
/// Errors: argument (not JSON), message (unknown type, missing or unknown field, with its path).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_message_add_part_json(
    m: *mut hy_message_t,
    json: *const c_char,
    len: usize,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live message and text, or NULL.
        let (m, json) = unsafe { (out(m, "m")?, bytes(json, len, "json")?) };
        m.builder.part_json(json).map(drop)
    })
}

/// Sets any field of a message by its name, given as JSON, for instance "key" to "\"k-1\"".
///
/// Errors: argument (not JSON), message (unknown field).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_message_set_json(
    m: *mut hy_message_t,
    field: *const c_char,
    flen: usize,
    json: *const c_char,
    len: usize,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live message and text, or NULL.
        let (m, field, json) =
            unsafe { (out(m, "m")?, text(field, flen, "field")?, bytes(json, len, "json")?) };
        m.builder.field_json(field, json).map(drop)
    })
}

/// Adds a file of up to 100 MiB, outside the 1 MiB that the JSON of a message may have.
///
/// type is its media type, such as "image/png"; NULL: as its name tells. bytes may hold zeros; NULL with
/// len 0 is a file without bytes. They are copied, once for all sends of the message. After an error
/// the message is what it was. A service that cannot carry files refuses the message when it is sent.
/// Errors: argument, message (blank name, no media type, longer than 100 MiB).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_message_add_file(
    m: *mut hy_message_t,
    name: *const c_char,
    nlen: usize,
    r#type: *const c_char,
    tlen: usize,
    bytes: *const c_void,
    len: usize,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live message and text, or NULL.
        let (m, name) = unsafe { (out(m, "m")?, text(name, nlen, "name")?) };
        let media_type = match r#type.is_null() {
            true => None,
            // SAFETY: text.
            false => Some(unsafe { text(r#type, tlen, "type")? }),
        };
        if len > MAX_ATTACHMENT {
            return Err(Error::new(ErrorCode::Message, "the file is larger than 100 MiB"));
        }
        // SAFETY: so many bytes, or NULL.
        let bytes = unsafe { self::bytes(bytes.cast(), len, "bytes")? };
        m.builder.file(name, media_type, bytes).map(drop)
    })
}

/// Frees a message.
///
/// NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_message_free(m: *mut hy_message_t) {
    if !m.is_null() {
        // SAFETY: the library made it with Box::into_raw, and the caller gives it up.
        drop(unsafe { Box::from_raw(m) });
    }
}
