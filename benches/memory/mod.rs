//! An allocator that counts: the system's, of which a program is told what it holds, and the most it held.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// The bytes that were asked for and not given back.
pub fn held() -> usize {
    HELD.load(Ordering::Relaxed)
}

/// The most bytes that were held at once while something was done, above those before it.
#[allow(dead_code, reason = "not every program asks for both")]
pub fn most_held(by: impl FnOnce()) -> usize {
    let before = held();
    MOST.store(before, Ordering::Relaxed);
    by();
    MOST.load(Ordering::Relaxed) - before
}

struct Counting;

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
