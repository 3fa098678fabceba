//! What every entry passes: the fork check, the re-entrance check, the count, the panic net.

use std::sync::{Condvar, Mutex, MutexGuard};

use super::error::{hy_error, hy_error_t};
use super::unwind::caught;
use crate::client::Client;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::log::inside_sink;

/// Many accounts of many services over one runtime; made by `hy_init`.
pub struct hy_client {
    /// The process that made it: a child inherits the handle and has another number.
    pid: u32,
    gate: Gate,
    client: Client,
}

/// The calls that are inside a handle, and whether it is being freed.
#[derive(Default)]
pub struct Gate {
    state: Mutex<Inside>,
    empty: Condvar,
}

#[derive(Default)]
struct Inside {
    count: usize,
    freeing: bool,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Counts a call, unless the handle is being freed.
    pub fn enter(&self) -> Result<Call<'_>> {
        let mut inside = self.lock();
        if inside.freeing {
            return Err(crate::engine::closed());
        }
        inside.count += 1;
        Ok(Call(self))
    }

    /// Lets nobody in any more, sends every call away by `wake` and waits until the last has left.
    pub fn shut(&self, wake: impl FnOnce()) {
        self.lock().freeing = true;
        wake();
        let mut inside = self.lock();
        while inside.count > 0 {
            inside = self.empty.wait(inside).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }
}

/// A counted call.
pub struct Call<'a>(&'a Gate);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let mut inside = self.0.lock();
        inside.count -= 1;
        if inside.count == 0 && inside.freeing {
            self.0.empty.notify_all();
        }
    }
}

/// A call on a client, which cannot be freed while one exists.
pub struct Entry<'a> {
    client: &'a hy_client,
    _call: Call<'a>,
}

impl Entry<'_> {
    /// The client.
    pub fn client(&self) -> &Client {
        &self.client.client
    }

    /// True once `hy_free` has begun: the caller is told `closed`.
    pub fn is_freeing(&self) -> bool {
        self.client.gate.lock().freeing
    }
}

/// Refuses a call on a handle that this process did not make, and one from inside the log function.
pub fn admit(pid: u32, what: &str, maker: &str) -> Result<()> {
    if pid != std::process::id() {
        let words =
            format!("this {what} was made before fork(); make one of your own with {maker}");
        return Err(Error::new(ErrorCode::Forked, words));
    }
    if inside_sink() {
        let words = format!("the log function must not call into a {what}");
        return Err(Error::new(ErrorCode::Reentrant, words));
    }
    Ok(())
}

impl hy_client {
    /// A handle around a client, belonging to this process.
    pub fn new(client: Client) -> hy_client {
        hy_client { pid: std::process::id(), gate: Gate::default(), client }
    }

    /// True in a child that inherited the handle by `fork`.
    pub fn is_forked(&self) -> bool {
        self.pid != std::process::id()
    }

    /// Lets a call in.
    pub fn enter(&self) -> Result<Entry<'_>> {
        admit(self.pid, "client", "hy_init")?;
        Ok(Entry { client: self, _call: self.gate.enter()? })
    }

    /// Sends every call away and waits until the last has left.
    pub fn empty(&self) {
        self.gate.shut(|| self.client.free());
    }
}

/// Runs the body of a function that can fail; what it returns is the caller's.
pub fn guard(body: impl FnOnce() -> Result<()>) -> *mut hy_error_t {
    match caught(body) {
        Ok(Ok(())) => std::ptr::null_mut(),
        Ok(Err(error)) => hy_error::into_raw(error),
        Err(_) => hy_error::into_raw(Error::new(
            ErrorCode::Panic,
            "a panic inside hongyan was caught; this is a bug in hongyan",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;
    use std::process::Command;
    use std::sync::Arc;

    use super::*;
    use crate::capi::error::{HY_E_PANIC, hy_error_code, hy_error_free};
    use crate::capi::unwind::guard_or;
    use crate::engine::results::wake::spawn_thread;
    use crate::model::log::{Level, set_sink};

    /// Set in the process that panics.
    const CHILD: &str = "HY_PANICS";

    fn panic_everywhere() {
        crate::model::panic::keep_quiet();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let write = move |level, target: &str, text: &str| {
            sink.lock().unwrap().push(format!("{level:?} {target} {text}"));
        };
        set_sink(Some(Level::Error), Some(Box::new(write))).unwrap();
        let error = guard(|| panic!("words-of-a-call"));
        // SAFETY: an error that is read, then freed, once.
        unsafe {
            assert_eq!(hy_error_code(error), HY_E_PANIC);
            hy_error_free(error);
        }
        assert_eq!(guard_or(7, || panic!("words-of-a-call")), 7);
        let thread = spawn_thread("hy-test", || panic!("words-of-a-thread")).unwrap();
        assert!(thread.join().is_err());
        let lines = lines.lock().unwrap();
        assert_eq!(lines.len(), 3, "{lines:?}");
        let is_told = |line: &String| line.starts_with("Error hongyan::panic a panic at src");
        assert!(lines.iter().all(is_told), "{lines:?}");
        assert!(
            !lines.concat().contains("words-of"),
            "the words of a panic are in the log: {lines:?}"
        );
        // Outside the library a panic is printed as the program has it.
        drop(catch_unwind(|| panic!("of-the-host")));
    }

    #[test]
    fn a_panic_within_the_library_is_logged_and_not_printed() {
        if std::env::var_os(CHILD).is_some() {
            return panic_everywhere();
        }
        let name = "a_panic_within_the_library_is_logged_and_not_printed";
        let own = std::env::current_exe().unwrap();
        let child = Command::new(own).args([name, "--nocapture"]).env(CHILD, "1").output().unwrap();
        let printed = String::from_utf8_lossy(&child.stderr);
        assert!(child.status.success(), "{printed}");
        assert!(printed.contains("of-the-host"), "{printed}");
        assert!(!printed.contains("words-of"), "{printed}");
    }
}
