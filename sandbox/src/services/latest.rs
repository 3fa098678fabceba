//! The duplicate rule of Sina's services.

use std::collections::HashMap;

/// The latest text to each recipient.
///
/// Assumed: the rule holds per recipient, and for as long as no other text comes between.
#[derive(Debug, Default)]
pub(super) struct Latest {
    texts: HashMap<u64, String>,
}

impl Latest {
    /// Whether `text` is what `recipient` was sent last.
    pub(super) fn is(&self, recipient: u64, text: &str) -> bool {
        self.texts.get(&recipient).is_some_and(|latest| latest == text)
    }

    pub(super) fn set(&mut self, recipient: u64, text: &str) {
        self.texts.insert(recipient, text.to_owned());
    }
}
