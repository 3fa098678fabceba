//! Files that arguments name: regular ones, and what the caller has opened for this process.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use hongyan::file::open_regular;

/// Opens a file to read it. A pipe that somebody has yet to open, a device or a folder is refused;
/// standard input and process substitution (`/dev/fd/63`) are open already and may be anything.
pub fn open(path: &Path) -> io::Result<File> {
    match is_open_already(path) {
        true => File::open(path),
        false => open_regular(path, OpenOptions::new().read(true)),
    }
}

fn is_open_already(path: &Path) -> bool {
    path == Path::new("/dev/stdin")
        || ["/dev/fd", "/proc/self/fd"].iter().any(|folder| path.starts_with(folder))
}
