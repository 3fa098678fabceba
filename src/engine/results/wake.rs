//! The wake descriptor, signals around the library's threads, forks, and what std does not ask Windows: the
//! engine's only unsafe code.
#![allow(unsafe_code)]

use std::io;

use super::passage::{Ends, Passing};
use crate::model::panic::Inside;

#[cfg(unix)]
mod imp {
    use std::fs::File;
    use std::io::{self, Read as _, Write as _};
    use std::mem::MaybeUninit;
    use std::os::fd::{AsRawFd as _, OwnedFd};

    /// A descriptor that is readable while raised: an eventfd where there is one, else a pipe.
    pub struct Wake {
        read: File,
        /// The pipe's other end; an eventfd is written where it is read.
        write: Option<File>,
    }

    impl Wake {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        pub fn new() -> io::Result<Wake> {
            use std::os::fd::FromRawFd as _;

            // SAFETY: eventfd takes no pointers.
            let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: the descriptor was just made and nobody else owns it.
            let fd = unsafe { OwnedFd::from_raw_fd(fd) };
            Ok(Wake { read: File::from(fd), write: None })
        }

        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        pub fn new() -> io::Result<Wake> {
            let (read, write) = io::pipe()?;
            let (read, write) = (OwnedFd::from(read), OwnedFd::from(write));
            for fd in [&read, &write] {
                // SAFETY: fcntl with these commands takes no pointers, and the descriptor is open.
                if unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) } < 0 {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(Wake { read: File::from(read), write: Some(File::from(write)) })
        }

        /// Makes it readable; called on an edge only, so that it never fills.
        pub fn raise(&self) {
            // The only failure is a full counter or pipe, and that is readable already.
            let _ = self.write.as_ref().unwrap_or(&self.read).write(&1u64.to_ne_bytes());
        }

        /// Makes it unreadable.
        pub fn lower(&self) {
            // The only failure is that it was not readable.
            let _ = (&self.read).read(&mut [0; 8]);
        }

        /// What the host polls.
        pub fn handle(&self) -> isize {
            self.read.as_raw_fd() as isize
        }
    }

    /// Runs `f` with every signal blocked, so that a thread it starts is born with them blocked.
    pub fn with_signals_blocked<T>(f: impl FnOnce() -> T) -> T {
        struct Restore(libc::sigset_t);
        impl Drop for Restore {
            fn drop(&mut self) {
                // SAFETY: the set was filled in by pthread_sigmask.
                unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, std::ptr::null_mut()) };
            }
        }
        let mut all = MaybeUninit::uninit();
        let mut old = MaybeUninit::uninit();
        // SAFETY: sigfillset fills `all`; pthread_sigmask reads it and fills `old`.
        let _restore = unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), old.as_mut_ptr());
            Restore(old.assume_init())
        };
        f()
    }

    /// Has these run around every fork of the process: the first before it on the thread that forks,
    /// the others after it, in the parent and in the child. They must not panic.
    pub fn at_fork(
        before: extern "C" fn(),
        in_parent: extern "C" fn(),
        in_child: extern "C" fn(),
    ) -> io::Result<()> {
        // SAFETY: the functions are static, and the library is never unloaded (-z nodelete).
        match unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) } {
            0 => Ok(()),
            code => Err(io::Error::from_raw_os_error(code)),
        }
    }

    /// Whom files belong to that this process makes.
    #[cfg(feature = "outbox")]
    pub fn user() -> u32 {
        // SAFETY: takes no pointers and cannot fail.
        unsafe { libc::geteuid() }
    }

    /// Hears of it when somebody writes to a file.
    #[cfg(all(feature = "outbox", any(target_os = "linux", target_os = "android")))]
    pub struct Ear {
        queue: File,
        stop: Wake,
    }

    #[cfg(all(feature = "outbox", any(target_os = "linux", target_os = "android")))]
    impl Ear {
        pub fn new(path: &std::path::Path) -> io::Result<Ear> {
            use std::os::fd::FromRawFd as _;
            use std::os::unix::ffi::OsStrExt as _;

            let path = std::ffi::CString::new(path.as_os_str().as_bytes())?;
            let stop = Wake::new()?;
            // SAFETY: inotify_init1 takes no pointers.
            let fd = unsafe { libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK) };
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: the descriptor was just made and nobody else owns it.
            let queue = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
            // SAFETY: the path is a string that ends with a zero and lives until the call is back.
            if unsafe { libc::inotify_add_watch(fd, path.as_ptr(), libc::IN_MODIFY) } < 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(Ear { queue, stop })
        }

        /// Waits until somebody has written to the file; false once it is to stop.
        pub fn hears(&self) -> bool {
            let of =
                |fd: &File| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            loop {
                let mut both = [of(&self.queue), of(&self.stop.read)];
                // SAFETY: there are two of them, which live until the call is back.
                let ready = unsafe { libc::poll(both.as_mut_ptr(), 2, -1) };
                match ready {
                    _ if both[1].revents != 0 => return false,
                    ..0 if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted => {
                        return false;
                    }
                    ..1 => {}
                    // What happened is of no interest, and it need not all fit in.
                    _ => return (&self.queue).read(&mut [0; 1024]).is_ok(),
                }
            }
        }

        /// Whoever waits, waits no longer.
        pub fn stop(&self) {
            self.stop.raise();
        }
    }

    /// Keeps SIGPIPE from the calling thread while it drives sockets itself.
    ///
    /// A write to a closed connection may raise it, and a host that has not ignored it would die.
    /// One that our own writes raised is taken back; one that was pending before stays.
    pub struct NoSigpipe {
        old: libc::sigset_t,
        pending_before: bool,
    }

    impl NoSigpipe {
        pub fn new() -> NoSigpipe {
            let set = sigpipe();
            let mut old = MaybeUninit::uninit();
            // SAFETY: pthread_sigmask reads `set` and fills `old`.
            let old = unsafe {
                libc::pthread_sigmask(libc::SIG_BLOCK, &set, old.as_mut_ptr());
                old.assume_init()
            };
            // SAFETY: the set was filled in by pthread_sigmask.
            let blocked = unsafe { libc::sigismember(&old, libc::SIGPIPE) } == 1;
            // Where it was not blocked it cannot have been pending.
            NoSigpipe { old, pending_before: blocked && is_pending() }
        }
    }

    impl Drop for NoSigpipe {
        fn drop(&mut self) {
            if !self.pending_before && is_pending() {
                let set = sigpipe();
                let mut signal = 0;
                // SAFETY: both pointers are to live values; SIGPIPE is pending, so this does not wait.
                unsafe { libc::sigwait(&set, &mut signal) };
            }
            // SAFETY: the set was filled in by pthread_sigmask.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.old, std::ptr::null_mut()) };
        }
    }

    fn sigpipe() -> libc::sigset_t {
        let mut set = MaybeUninit::uninit();
        // SAFETY: sigemptyset makes `set` a valid set, to which sigaddset adds.
        unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            libc::sigaddset(set.as_mut_ptr(), libc::SIGPIPE);
            set.assume_init()
        }
    }

    fn is_pending() -> bool {
        let mut set = MaybeUninit::uninit();
        // SAFETY: sigemptyset makes `set` a valid set, which sigpending overwrites.
        unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            libc::sigpending(set.as_mut_ptr());
            libc::sigismember(set.as_ptr(), libc::SIGPIPE) == 1
        }
    }
}

#[cfg(windows)]
mod imp {
    use std::ffi::c_void;
    #[cfg(feature = "outbox")]
    use std::fs::File;
    use std::io;
    use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle, RawHandle};

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn CreateEventW(
            attributes: *mut c_void,
            manual_reset: i32,
            raised: i32,
            name: *const u16,
        ) -> RawHandle;
        fn SetEvent(event: RawHandle) -> i32;
        fn ResetEvent(event: RawHandle) -> i32;
        #[cfg(feature = "outbox")]
        fn GetFileInformationByHandle(file: RawHandle, out: *mut [u32; 13]) -> i32;
        #[cfg(feature = "outbox")]
        fn LockFileEx(
            file: RawHandle,
            flags: u32,
            reserved: u32,
            low: u32,
            high: u32,
            place: *mut Place,
        ) -> i32;
    }

    /// An event that is signalled while raised, whoever has waited for it.
    pub struct Wake(OwnedHandle);

    impl Wake {
        pub fn new() -> io::Result<Wake> {
            // SAFETY: NULL stands for no attributes and no name: nobody inherits it or finds it.
            let event = unsafe { CreateEventW(std::ptr::null_mut(), 1, 0, std::ptr::null()) };
            if event.is_null() {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: the handle was just made and nobody else owns it.
            Ok(Wake(unsafe { OwnedHandle::from_raw_handle(event) }))
        }

        /// Makes it signalled.
        pub fn raise(&self) {
            // SAFETY: the handle is open; to set an event of one's own cannot fail.
            let _ = unsafe { SetEvent(self.0.as_raw_handle()) };
        }

        /// Makes it not signalled.
        pub fn lower(&self) {
            // SAFETY: as above.
            let _ = unsafe { ResetEvent(self.0.as_raw_handle()) };
        }

        /// What the host waits for: a HANDLE.
        pub fn handle(&self) -> isize {
            self.0.as_raw_handle() as isize
        }
    }

    /// Which file it is, and how many names it has.
    #[cfg(feature = "outbox")]
    pub struct FileFacts {
        pub volume: u64,
        pub number: u64,
        pub names: u32,
    }

    #[cfg(feature = "outbox")]
    pub fn file_facts(file: &File) -> io::Result<FileFacts> {
        // A BY_HANDLE_FILE_INFORMATION, all of which is such numbers.
        let mut told = [0; 13];
        // SAFETY: the handle is open, and there is room for all that is written.
        if unsafe { GetFileInformationByHandle(file.as_raw_handle(), &mut told) } == 0 {
            return Err(io::Error::last_os_error());
        }
        let [.., volume, _, _, names, high, low] = told;
        let number = u64::from(high) << 32 | u64::from(low);
        Ok(FileFacts { volume: volume.into(), number, names })
    }

    /// An OVERLAPPED: where in a file.
    #[cfg(feature = "outbox")]
    #[repr(C)]
    struct Place {
        state: [usize; 2],
        low: u32,
        high: u32,
        event: RawHandle,
    }

    /// Locks a file for as long as it is open, alone or together with others that do; false if somebody
    /// else has in another way.
    ///
    /// Nobody else can read what is locked on Windows. So what is locked is one byte, far behind all that
    /// is in the file.
    #[cfg(feature = "outbox")]
    pub fn try_lock(file: &File, shared: bool) -> io::Result<bool> {
        const AT_ONCE: u32 = 1;
        const EXCLUSIVE: u32 = 2;
        const LOCK_VIOLATION: i32 = 33;

        let mut place = Place { state: [0; 2], low: 0, high: 1 << 30, event: std::ptr::null_mut() };
        let how = if shared { AT_ONCE } else { AT_ONCE | EXCLUSIVE };
        // SAFETY: the handle is open; the place lives until the call is back, which does not wait.
        let locked = unsafe { LockFileEx(file.as_raw_handle(), how, 0, 1, 0, &mut place) };
        match io::Error::last_os_error() {
            _ if locked != 0 => Ok(true),
            error if error.raw_os_error() == Some(LOCK_VIOLATION) => Ok(false),
            error => Err(error),
        }
    }

    /// Windows has no signals.
    pub fn with_signals_blocked<T>(f: impl FnOnce() -> T) -> T {
        f()
    }

    /// Windows does not fork.
    pub fn at_fork(
        _before: extern "C" fn(),
        _in_parent: extern "C" fn(),
        _in_child: extern "C" fn(),
    ) -> io::Result<()> {
        Ok(())
    }

    /// Windows has no SIGPIPE.
    pub struct NoSigpipe;

    impl NoSigpipe {
        pub fn new() -> NoSigpipe {
            NoSigpipe
        }
    }
}

#[cfg(all(feature = "outbox", any(target_os = "linux", target_os = "android")))]
pub use imp::Ear;
#[cfg(all(unix, feature = "outbox"))]
pub use imp::user;
#[cfg(all(windows, feature = "outbox"))]
pub use imp::{FileFacts, file_facts, try_lock};
pub use imp::{NoSigpipe, Wake, at_fork, with_signals_blocked};

/// While one lives, its own thread can start no other: as on a system that has no more of them.
#[cfg(test)]
pub struct Refusal(());

#[cfg(test)]
thread_local! {
    static REFUSED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

#[cfg(test)]
impl Refusal {
    /// Refuses from now on.
    pub fn begin() -> Refusal {
        REFUSED.set(true);
        Refusal(())
    }

    fn check() -> io::Result<()> {
        match REFUSED.get() {
            true => Err(io::Error::from(io::ErrorKind::WouldBlock)),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
impl Drop for Refusal {
    fn drop(&mut self) {
        REFUSED.set(false);
    }
}

/// Starts a thread of the library: named, and with every signal blocked from its first step.
pub fn spawn_thread(
    name: &str,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<std::thread::JoinHandle<()>> {
    #[cfg(test)]
    Refusal::check()?;
    let builder = std::thread::Builder::new().name(name.to_owned());
    let begins = Passing::enter();
    let body = || {
        drop(begins);
        let _ends = Ends;
        let _inside = Inside::enter();
        body();
    };
    with_signals_blocked(|| builder.spawn(body))
}

#[cfg(all(test, windows))]
mod tests {
    use super::*;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn WaitForSingleObject(handle: isize, timeout_ms: u32) -> u32;
    }

    fn signalled(wake: &Wake) -> bool {
        // SAFETY: the handle is open, and nothing is waited for.
        unsafe { WaitForSingleObject(wake.handle(), 0) == 0 }
    }

    #[test]
    fn a_raised_event_stays_signalled_until_lowered() {
        let wake = Wake::new().expect("an event");
        assert!(!signalled(&wake));
        wake.raise();
        assert!(signalled(&wake) && signalled(&wake));
        wake.lower();
        assert!(!signalled(&wake));
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn readable(wake: &Wake) -> bool {
        let fd = i32::try_from(wake.handle()).expect("a descriptor");
        let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        // SAFETY: one pollfd is passed, and it lives on the stack.
        unsafe { libc::poll(&mut poll, 1, 0) == 1 }
    }

    #[test]
    fn a_raised_descriptor_stays_readable_until_lowered() {
        let wake = Wake::new().expect("a descriptor");
        assert!(!readable(&wake));
        wake.raise();
        assert!(readable(&wake) && readable(&wake));
        wake.lower();
        assert!(!readable(&wake));
    }

    #[test]
    fn a_broken_pipe_does_not_reach_the_host() {
        // SAFETY: sends SIGPIPE to this thread, where the guard holds it back.
        let raised = {
            let _guard = NoSigpipe::new();
            unsafe { libc::raise(libc::SIGPIPE) }
        };
        assert_eq!(raised, 0, "and this line is reached");
    }
}
