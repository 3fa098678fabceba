//! The process that a handle belongs to, told from its children without a system call.

/// The process that made this; a child that inherits it by `fork` can tell.
pub struct Home {
    pid: u32,
    #[cfg(any(target_os = "linux", target_os = "android"))]
    page: Option<Page>,
}

impl Home {
    /// This process.
    pub fn here() -> Home {
        Home {
            pid: std::process::id(),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            page: Page::new(),
        }
    }

    /// True in a child.
    pub fn is_left(&self) -> bool {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(page) = &self.page {
            return page.is_wiped();
        }
        self.pid != std::process::id()
    }
}

/// A page of memory that the kernel empties in every child (Linux 4.14): to look into it costs less
/// than to ask for the process's number at every call.
#[cfg(any(target_os = "linux", target_os = "android"))]
struct Page(std::ptr::NonNull<std::sync::atomic::AtomicU8>);

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Page {
    /// The kernel rounds it up to a page.
    const LENGTH: usize = 1;

    fn new() -> Option<Page> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping, at a place that the kernel chooses.
        let at = unsafe { libc::mmap(std::ptr::null_mut(), Page::LENGTH, access, flags, -1, 0) };
        if at == libc::MAP_FAILED {
            return None;
        }
        let page = Page(std::ptr::NonNull::new(at.cast())?);
        // SAFETY: the range is the mapping just made, and it is ours.
        if unsafe { libc::madvise(at, Page::LENGTH, libc::MADV_WIPEONFORK) } != 0 {
            return None;
        }
        page.byte().store(1, std::sync::atomic::Ordering::Relaxed);
        Some(page)
    }

    fn byte(&self) -> &std::sync::atomic::AtomicU8 {
        // SAFETY: the mapping lives as long as self, is zeroed memory, and only this byte is used.
        unsafe { self.0.as_ref() }
    }

    fn is_wiped(&self) -> bool {
        self.byte().load(std::sync::atomic::Ordering::Relaxed) == 0
    }
}

// SAFETY: the mapping belongs to the process, and its byte is atomic.
#[cfg(any(target_os = "linux", target_os = "android"))]
unsafe impl Send for Page {}
// SAFETY: as above.
#[cfg(any(target_os = "linux", target_os = "android"))]
unsafe impl Sync for Page {}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: the mapping was made in new() and nobody looks into it any more.
        unsafe { libc::munmap(self.0.as_ptr().cast(), Page::LENGTH) };
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use super::*;

    #[test]
    fn a_child_has_left_home_and_its_parent_has_not() {
        // An old kernel empties no pages, and then the two are the same.
        let (home, without_page) = (Home::here(), Home { page: None, ..Home::here() });
        // SAFETY: the child only reads memory and exits.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let knows = home.is_left() && without_page.is_left();
            // SAFETY: ends the child without anything of the parent's being run.
            unsafe { libc::_exit(if knows { 7 } else { 1 }) };
        }
        let mut status = 0;
        // SAFETY: the pointer is to a live value.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert_eq!(libc::WEXITSTATUS(status), 7);
        assert!(!home.is_left() && !without_page.is_left());
    }
}
