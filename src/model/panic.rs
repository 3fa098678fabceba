//! Panics on their way through the library: the front reports them, and nobody prints them.

use std::cell::Cell;
#[cfg(any(test, feature = "private-std"))]
use std::sync::Once;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// While one lives, its thread is inside the library.
pub struct Inside(());

impl Inside {
    /// Enters the library.
    pub fn enter() -> Inside {
        DEPTH.set(DEPTH.get() + 1);
        Inside(())
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// Has panics inside the library logged instead of printed, from the first call on.
///
/// The panic hook belongs to a copy of std. The C library has its own copy, so that this changes nothing
/// of its host's. In a Rust program it would: there it stays as the program has set it.
#[cfg(any(test, feature = "private-std"))]
pub fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let outside = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if DEPTH.get() == 0 {
                return outside(panic);
            }
            // Its words are left out: they may hold text of a message.
            if let Some(place) = panic.location() {
                super::log::log!(
                    Error,
                    "hongyan::panic",
                    "a panic at {place}; this is a bug in hongyan"
                );
            }
        }));
    });
}
