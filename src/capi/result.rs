//! The outcome of one send.

use std::ffi::c_char;
use std::ptr;
use std::sync::OnceLock;

use super::error::{hy_error, hy_error_t};
use super::guard::guard;
use super::input::{handle, out};
use super::text::{Text, give};
use super::unwind::guard_or;
use crate::engine::Boxes;
use crate::model::error::{Error, ErrorCode};
use crate::model::receipt::{Receipt, RecipientResult};

/// Nothing was sent: sending again cannot duplicate.
pub const HY_NOT_SENT: i32 = 0;
/// Nobody can know whether it was sent.
pub const HY_MAYBE_SENT: i32 = 1;
/// The service said that it has the message.
pub const HY_SENT: i32 = 2;
/// Some of its recipients, or parts of its text, have arrived, and the others surely have not.
pub const HY_PARTLY_SENT: i32 = 3;

/// The message was accepted by this process.
pub const HY_THIS_RUN: i32 = 0;
/// The message was accepted by an earlier process, whose token this is.
pub const HY_EARLIER_RUN: i32 = 1;

/// The outcome of one send; immutable.
pub struct hy_result {
    receipt: Box<Receipt>,
    id: OnceLock<Text>,
    key: OnceLock<Text>,
    message_id: OnceLock<Text>,
    account: OnceLock<Text>,
    service: OnceLock<Text>,
    recipients: OnceLock<Vec<Recipient>>,
    error: Option<hy_error>,
    json: OnceLock<Text>,
}

/// What C sees of one recipient.
struct Recipient {
    value: Text,
    error: Option<hy_error>,
}

/// The outcome of one send; immutable.
pub type hy_result_t = hy_result;

impl hy_result {
    /// What it tells.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// A result that is the caller's.
    pub fn into_raw(receipt: Box<Receipt>) -> *mut hy_result {
        Box::into_raw(Box::new(hy_result {
            id: OnceLock::new(),
            key: OnceLock::new(),
            message_id: OnceLock::new(),
            account: OnceLock::new(),
            service: OnceLock::new(),
            recipients: OnceLock::new(),
            error: receipt.error.clone().map(hy_error::new),
            json: OnceLock::new(),
            receipt,
        }))
    }

    /// Hands receipts out as results, and tells how many there were.
    ///
    /// # Safety
    /// There is room for as many handles at `out`.
    pub unsafe fn give_all(receipts: Boxes, out: *mut *mut hy_result) -> usize {
        let count = receipts.len();
        for (i, receipt) in receipts.into_iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { *out.add(i) = hy_result::into_raw(receipt) };
        }
        count
    }

    /// Each recipient with its own verdict; none where the message has no list of them.
    fn listed(&self) -> &[RecipientResult] {
        self.receipt.recipients.as_deref().unwrap_or_default()
    }
}

/// Text that may be there, made for C when first asked for.
fn lazily<'a>(made: &'a OnceLock<Text>, text: &Option<String>) -> Option<&'a Text> {
    text.as_ref().map(|text| made.get_or_init(|| Text::new(text)))
}

/// The token that was given with the submit; 0 for a blocking send.
///
/// NULL gives 0. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_result_token(r: *const hy_result_t) -> u64 {
    // SAFETY: NULL or a result that the caller has not freed.
    unsafe { r.as_ref() }.map_or(0, |r| r.receipt.token)
}

/// HY_THIS_RUN, or HY_EARLIER_RUN for a message that an earlier process accepted into the outbox.
///
/// NULL gives HY_THIS_RUN. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_result_origin(r: *const hy_result_t) -> i32 {
    // SAFETY: NULL or a result that the caller has not freed.
    unsafe { r.as_ref() }.map_or(HY_THIS_RUN, |r| r.receipt.origin as i32)
}

/// The library's own id of the message, a ULID.
///
/// Borrowed from the result; len may be NULL. NULL gives NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_result_id(r: *const hy_result_t, len: *mut usize) -> *const c_char {
    // SAFETY: NULL or a result that the caller has not freed; NULL or a place for a length.
    unsafe { give(r.as_ref().map(|r| r.id.get_or_init(|| Text::new(&r.receipt.id))), len) }
}

/// The caller's idempotency key, or NULL.
///
/// Borrowed from the result; len may be NULL. NULL gives NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_result_key(r: *const hy_result_t, len: *mut usize) -> *const c_char {
    // SAFETY: NULL or a result that the caller has not freed; NULL or a place for a length.
    unsafe { give(r.as_ref().and_then(|r| lazily(&r.key, &r.receipt.key)), len) }
}

/// Why the message is not sent, not to all, or perhaps not sent; NULL: delivered.
///
/// Borrowed from the result: never free it. NULL gives NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_result_error(r: *const hy_result_t) -> *const hy_error_t {
    // SAFETY: NULL or a result that the caller has not freed.
    unsafe { r.as_ref() }.and_then(|r| r.error.as_ref()).map_or(ptr::null(), ptr::from_ref)
}

/// HY_SENT, HY_MAYBE_SENT, HY_NOT_SENT or HY_PARTLY_SENT.
///
/// NULL gives HY_NOT_SENT. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_result_delivery(r: *const hy_result_t) -> i32 {
    // SAFETY: NULL or a result that the caller has not freed.
    unsafe { r.as_ref() }.map_or(HY_NOT_SENT, |r| r.receipt.delivery.number())
}

/// The service's id of the message, exact to the last digit; NULL where it gives none.
///
/// Borrowed from the result; len may be NULL. NULL gives NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_result_message_id(
    r: *const hy_result_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: NULL or a result that the caller has not freed; NULL or a place for a length.
    unsafe { give(r.as_ref().and_then(|r| lazily(&r.message_id, &r.receipt.message_id)), len) }
}

/// The account that the message names.
///
/// Borrowed from the result; len may be NULL. NULL gives NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_result_account(
    r: *const hy_result_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: NULL or a result that the caller has not freed; NULL or a place for a length.
    unsafe {
        give(r.as_ref().map(|r| r.account.get_or_init(|| Text::new(&r.receipt.account))), len)
    }
}

/// The service of that account, such as "telegram"; NULL where there is no such account.
///
/// Borrowed from the result; len may be NULL. NULL gives NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_result_service(
    r: *const hy_result_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: NULL or a result that the caller has not freed; NULL or a place for a length.
    unsafe {
        let named = r.as_ref().and_then(|r| r.receipt.service.map(|name| (r, name)));
        give(named.map(|(r, name)| r.service.get_or_init(|| Text::new(name))), len)
    }
}

/// How long the send took, from its accept to its result, in milliseconds.
///
/// NULL gives 0. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_result_elapsed_ms(r: *const hy_result_t) -> i64 {
    // SAFETY: NULL or a result that the caller has not freed.
    let elapsed = unsafe { r.as_ref() }.map_or(0, |r| r.receipt.elapsed_ms);
    i64::try_from(elapsed).unwrap_or(i64::MAX)
}

/// How many attempts were begun; those of earlier runs count too.
///
/// NULL gives 0. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_result_attempts(r: *const hy_result_t) -> u32 {
    // SAFETY: NULL or a result that the caller has not freed.
    unsafe { r.as_ref() }.map_or(0, |r| r.receipt.attempts)
}

/// 1 if the result is that of an earlier message of the same key, or the service knew the message
/// again; else 0.
///
/// NULL gives 0. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_result_is_deduplicated(r: *const hy_result_t) -> i32 {
    // SAFETY: NULL or a result that the caller has not freed.
    unsafe { r.as_ref() }.map_or(0, |r| r.receipt.deduplicated.into())
}

/// How many recipients have a verdict of their own: those of the kinds that are lists, such as users.
///
/// 0 where the message used no such kind. NULL gives 0. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_result_recipient_count(r: *const hy_result_t) -> usize {
    // SAFETY: NULL or a result that the caller has not freed.
    unsafe { r.as_ref() }.map_or(0, |r| r.listed().len())
}

/// What became of the message for one of its recipients, counted from 0, in the order of the message.
///
/// *value is the recipient as the message names it, of *vlen bytes; *delivery is HY_SENT, HY_MAYBE_SENT
/// or HY_NOT_SENT; *error is why it is not sent, or NULL. Both pointers are borrowed from the result:
/// never free the error. vlen, delivery and error may be NULL. Any thread.
/// Errors: argument (NULL, an index past the end).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_result_recipient(
    r: *const hy_result_t,
    i: usize,
    value: *mut *const c_char,
    vlen: *mut usize,
    delivery: *mut i32,
    error: *mut *const hy_error_t,
) -> *mut hy_error_t {
    guard(|| {
        // SAFETY: a live result and a place for the value, or NULL.
        let (result, value) = unsafe { (handle(r, "r")?, out(value, "value")?) };
        let Some(listed) = result.listed().get(i) else {
            let words = format!("there is no recipient {i}: {} are there", result.listed().len());
            return Err(Error::new(ErrorCode::Argument, words));
        };
        let all = result.recipients.get_or_init(|| {
            let shown = |recipient: &RecipientResult| Recipient {
                value: Text::new(&recipient.name),
                error: recipient.error.clone().map(hy_error::new),
            };
            result.listed().iter().map(shown).collect()
        });
        // SAFETY: NULL or a place for a length, a delivery, an error.
        unsafe {
            *value = all[i].value.give(vlen);
            if let Some(delivery) = delivery.as_mut() {
                *delivery = listed.delivery.number();
            }
            if let Some(error) = error.as_mut() {
                *error = all[i].error.as_ref().map_or(ptr::null(), ptr::from_ref);
            }
        }
        Ok(())
    })
}

/// Everything about the result as a JSON object; built when first asked for.
///
/// Where the message named a list of recipients, "recipients" has one object each, in the order of the
/// message: "to", "delivery", "message_id" and "error". Where its text was split, "pieces" has one each:
/// "delivery", "message_id" and "error". Else they are null. "notes" tells what is worth knowing and no
/// error.
///
/// Borrowed from the result; len may be NULL. NULL gives NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_result_json(r: *const hy_result_t, len: *mut usize) -> *const c_char {
    guard_or(ptr::null(), || {
        // SAFETY: NULL or a result that the caller has not freed; NULL or a place for a length.
        unsafe {
            give(r.as_ref().map(|r| r.json.get_or_init(|| Text::new(&r.receipt.to_json()))), len)
        }
    })
}

/// Frees a result.
///
/// NULL does nothing. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hy_result_free(r: *mut hy_result_t) {
    if !r.is_null() {
        // SAFETY: the library made it with Box::into_raw, and the caller gives it up.
        drop(unsafe { Box::from_raw(r) });
    }
}
