//! A disk that remembers every write, and one that fails where it is told to.
//!
//! It stands between SQLite and the real file system, as the default VFS of the process. Each thread
//! has a disk of its own, so that tests do not see each other. Nothing is really synced.

#![allow(dead_code, reason = "each test uses its part of it")]

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::Once;

use rusqlite::ffi;

/// What SQLite did to a file of this name.
#[derive(Clone, Debug)]
pub enum Op {
    Create(String),
    Write(String, usize, Vec<u8>),
    Truncate(String, usize),
    Sync(String),
    Delete(String),
    /// The test has noted that something had happened by then.
    Mark(usize),
}

/// How a write or a sync fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    Full,
    Broken,
    /// Half of it is written.
    Short,
    /// Everything is written, but nobody confirms it.
    Unsynced,
}

/// When something fails, counted in writes, truncations and syncs.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub at: usize,
    pub fault: Fault,
    /// Everything after it fails as well, until the plan is lifted.
    pub lasting: bool,
}

#[derive(Default)]
struct Disk {
    log: Option<Vec<Op>>,
    plan: Option<Plan>,
    count: usize,
    failed: usize,
    syncs: usize,
    /// The files of this folder may have so many bytes together.
    quota: Option<(PathBuf, u64)>,
    files: HashMap<usize, (String, *const ffi::sqlite3_io_methods)>,
}

thread_local! {
    static DISK: RefCell<Disk> = RefCell::default();
}

/// Puts the disks under SQLite.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: SQLite is initialised by the first call; the default VFS is static, and the copy
        // of it is never freed.
        unsafe {
            assert_eq!(ffi::sqlite3_initialize(), ffi::SQLITE_OK);
            let real = ffi::sqlite3_vfs_find(std::ptr::null());
            let mut vfs = *real;
            vfs.zName = c"disk".as_ptr();
            vfs.pNext = std::ptr::null_mut();
            vfs.xOpen = Some(open);
            vfs.xDelete = Some(delete);
            REAL.set(real as usize).expect("this runs once");
            assert_eq!(ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 1), ffi::SQLITE_OK);
        }
    });
}

static REAL: std::sync::OnceLock<usize> = std::sync::OnceLock::new();

fn real() -> *mut ffi::sqlite3_vfs {
    *REAL.get().expect("it is installed") as *mut ffi::sqlite3_vfs
}

/// Remembers from now on.
pub fn record() {
    DISK.with_borrow_mut(|disk| disk.log = Some(Vec::new()));
}

/// Notes that something has happened.
pub fn mark(number: usize) {
    DISK.with_borrow_mut(|disk| disk.log.as_mut().expect("it records").push(Op::Mark(number)));
}

/// What was remembered.
pub fn recorded() -> Vec<Op> {
    DISK.with_borrow_mut(|disk| disk.log.take().expect("it records"))
}

/// Fails by this plan, or no longer.
pub fn fail(plan: Option<Plan>) {
    DISK.with_borrow_mut(|disk| (disk.plan, disk.count, disk.failed) = (plan, 0, 0));
}

/// How many writes, truncations and syncs there were under the plan.
pub fn counted() -> usize {
    DISK.with_borrow(|disk| disk.count)
}

/// How often something has failed.
pub fn failed() -> usize {
    DISK.with_borrow(|disk| disk.failed)
}

/// Makes a folder a disk of its own that has room for so many bytes.
pub fn bound(quota: Option<(PathBuf, u64)>) {
    DISK.with_borrow_mut(|disk| disk.quota = quota);
}

/// What a file of this disk may still become longer by; `None` where it has no bound.
pub fn room() -> Option<u64> {
    DISK.with_borrow(|disk| {
        let (folder, most) = disk.quota.as_ref()?;
        let entries = std::fs::read_dir(folder).expect("a folder");
        let length = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.and_then(|entry| entry.metadata()).map_or(0, |metadata| metadata.len())
        };
        // As file systems do it, in blocks.
        let used: u64 = entries.map(length).map(|length| length.next_multiple_of(4096)).sum();
        Some(most.saturating_sub(used))
    })
}

/// True if the disk has no room for this write.
fn is_full(name: &str, end: u64) -> bool {
    let Some(room) = room() else { return false };
    DISK.with_borrow(|disk| {
        let Some((folder, _)) = &disk.quota else { return false };
        let length = std::fs::metadata(folder.join(name)).map_or(0, |metadata| metadata.len());
        end.next_multiple_of(4096).saturating_sub(length.next_multiple_of(4096)) > room
    })
}

/// Counts syncs anew.
pub fn count_syncs() {
    DISK.with_borrow_mut(|disk| disk.syncs = 0);
}

/// How many syncs there were.
pub fn synced() -> usize {
    DISK.with_borrow(|disk| disk.syncs)
}

fn note(op: impl FnOnce() -> Op) {
    DISK.with_borrow_mut(|disk| {
        if let Some(log) = &mut disk.log {
            log.push(op());
        }
    });
}

/// Whether this write, truncation or sync fails.
fn fault() -> Option<Fault> {
    DISK.with_borrow_mut(|disk| {
        let plan = disk.plan?;
        let now = disk.count;
        disk.count += 1;
        let fails = if plan.lasting { now >= plan.at } else { now == plan.at };
        disk.failed += usize::from(fails);
        fails.then_some(plan.fault)
    })
}

fn name(path: *const c_char) -> String {
    // SAFETY: SQLite gives a path that ends with NUL.
    let path = unsafe { CStr::from_ptr(path) }.to_str().expect("the test's paths are UTF-8");
    let name = Path::new(path).file_name().expect("it names a file");
    name.to_str().expect("it was UTF-8").to_owned()
}

/// The file's name and its real methods.
fn file(file: *mut ffi::sqlite3_file) -> (String, &'static ffi::sqlite3_io_methods) {
    DISK.with_borrow(|disk| {
        let (name, methods) = disk.files.get(&(file as usize)).expect("it was opened here");
        // SAFETY: the methods of the real VFS are static.
        (name.clone(), unsafe { &**methods })
    })
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    opened: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let is_new = !path.is_null() && {
        // SAFETY: as in `name`.
        let path = unsafe { CStr::from_ptr(path) }.to_str().expect("UTF-8");
        !Path::new(path).exists()
    };
    // SAFETY: the arguments go to the real VFS as they came, and its file has the size that the copy
    // of it tells. The methods are a leaked copy, so that they outlive the file.
    unsafe {
        let code = (*real()).xOpen.expect("a VFS opens")(real(), path, opened, flags, out);
        if code == ffi::SQLITE_OK && !path.is_null() {
            let methods = (*opened).pMethods;
            let mut mine = *methods;
            mine.xWrite = Some(write);
            mine.xTruncate = Some(truncate);
            mine.xSync = Some(sync);
            mine.xClose = Some(close);
            (*opened).pMethods = Box::leak(Box::new(mine));
            let name = name(path);
            if is_new {
                note(|| Op::Create(name.clone()));
            }
            DISK.with_borrow_mut(|disk| disk.files.insert(opened as usize, (name, methods)));
        }
        code
    }
}

unsafe extern "C" fn close(closed: *mut ffi::sqlite3_file) -> c_int {
    let (_, methods) = file(closed);
    DISK.with_borrow_mut(|disk| disk.files.remove(&(closed as usize)));
    // SAFETY: the file was opened by the real VFS, whose method this is.
    unsafe { methods.xClose.expect("a file closes")(closed) }
}

unsafe extern "C" fn write(
    to: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    length: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    let (name, methods) = file(to);
    let end = u64::try_from(at + i64::from(length)).expect("an offset");
    if is_full(&name, end) {
        return ffi::SQLITE_FULL;
    }
    let (length, code) = match fault() {
        None => (length, ffi::SQLITE_OK),
        Some(Fault::Full) => (0, ffi::SQLITE_FULL),
        Some(Fault::Broken) => (0, ffi::SQLITE_IOERR_WRITE),
        Some(Fault::Short) => (length / 2, ffi::SQLITE_FULL),
        Some(Fault::Unsynced) => (length, ffi::SQLITE_OK),
    };
    if length == 0 {
        return code;
    }
    note(|| {
        let size = usize::try_from(length).expect("a length");
        // SAFETY: SQLite gives that many bytes.
        let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), size) };
        Op::Write(name, usize::try_from(at).expect("an offset"), bytes.to_vec())
    });
    // SAFETY: as in `close`; the length is at most what SQLite gave.
    let written = unsafe { methods.xWrite.expect("a file is written")(to, bytes, length, at) };
    if code == ffi::SQLITE_OK { written } else { code }
}

unsafe extern "C" fn truncate(of: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    let (name, methods) = file(of);
    if fault().is_some_and(|fault| fault != Fault::Unsynced) {
        return ffi::SQLITE_IOERR_TRUNCATE;
    }
    note(|| Op::Truncate(name, usize::try_from(size).expect("a size")));
    // SAFETY: as in `close`.
    unsafe { methods.xTruncate.expect("a file is truncated")(of, size) }
}

unsafe extern "C" fn sync(of: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    if fault().is_some() {
        return ffi::SQLITE_IOERR_FSYNC;
    }
    let (name, _) = file(of);
    DISK.with_borrow_mut(|disk| disk.syncs += 1);
    note(|| Op::Sync(name));
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    sync_folder: c_int,
) -> c_int {
    // SAFETY: the arguments go to the real VFS as they came.
    let code = unsafe { (*real()).xDelete.expect("a VFS deletes")(real(), path, sync_folder) };
    if code == ffi::SQLITE_OK {
        note(|| Op::Delete(name(path)));
    }
    code
}

/// The files that a power cut after these operations leaves, by their names: what was synced, and of
/// the rest what `keep` keeps, sector by sector. SQLite syncs the folder with the first sync of a file
/// that it has created; until then a deleted file may come back.
pub fn image(log: &[Op], mut keep: impl FnMut() -> bool) -> HashMap<String, Vec<u8>> {
    const SECTOR: usize = 512;
    let mut files: HashMap<&str, (Vec<u8>, Vec<&Op>)> = HashMap::new();
    let mut deleted: HashMap<&str, Vec<u8>> = HashMap::new();
    let mut created = HashSet::new();
    for op in log {
        match op {
            Op::Mark(_) => {}
            Op::Create(name) => {
                files.insert(name, Default::default());
                created.insert(name);
            }
            Op::Delete(name) => {
                let (durable, _) = files.remove(name.as_str()).unwrap_or_default();
                deleted.insert(name, durable);
            }
            Op::Sync(name) => {
                let (durable, pending) = files.entry(name).or_default();
                pending.drain(..).for_each(|op| apply(durable, op, usize::MAX, || true));
                if created.remove(name) {
                    deleted.clear();
                }
            }
            Op::Write(name, ..) | Op::Truncate(name, _) => {
                files.entry(name).or_default().1.push(op);
            }
        }
    }
    let mut left = HashMap::new();
    for (name, (mut durable, pending)) in files {
        pending.into_iter().for_each(|op| apply(&mut durable, op, SECTOR, &mut keep));
        left.insert(name.to_owned(), durable);
    }
    for (name, durable) in deleted {
        if !left.contains_key(name) && !keep() {
            left.insert(name.to_owned(), durable);
        }
    }
    left
}

fn apply(file: &mut Vec<u8>, op: &Op, sector: usize, mut keep: impl FnMut() -> bool) {
    match op {
        Op::Write(_, at, bytes) => {
            let mut at = *at;
            for part in bytes.chunks(sector.min(bytes.len().max(1))) {
                if keep() {
                    file.resize(file.len().max(at + part.len()), 0);
                    file[at..at + part.len()].copy_from_slice(part);
                }
                at += part.len();
            }
        }
        Op::Truncate(_, size) if keep() => file.truncate(*size),
        _ => {}
    }
}
