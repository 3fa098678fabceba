//! The receipt of a job, until it is handed on.

use std::ops::{Deref, DerefMut};

use crate::model::receipt::Receipt;

static NOTHING: Receipt = Receipt::nothing();

/// A receipt in a box, in which it goes through the queues to whoever takes it; a receipt of nothing once
/// it was taken.
pub struct HeldReceipt(Option<Box<Receipt>>);

impl HeldReceipt {
    /// Holds a receipt.
    pub fn new(receipt: Receipt) -> HeldReceipt {
        HeldReceipt(Some(Box::new(receipt)))
    }

    /// Gives the receipt away.
    pub fn take(&mut self) -> Box<Receipt> {
        self.0.take().unwrap_or_else(|| Box::new(Receipt::nothing()))
    }
}

impl Deref for HeldReceipt {
    type Target = Receipt;

    fn deref(&self) -> &Receipt {
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

impl DerefMut for HeldReceipt {
    fn deref_mut(&mut self) -> &mut Receipt {
        self.0.get_or_insert_with(|| Box::new(Receipt::nothing()))
    }
}
