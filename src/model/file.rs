//! Files that others name: a pipe, a device or a folder in the place of one is refused, and nothing
//! waits for it.

use std::fs::{File, FileType, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Opens a regular file; anything else is an error that says what it is.
///
/// What stands at the path is looked at before it is opened, since to open a device may do something,
/// and again when it is open, since it may be another by then. Opening does not wait for the other end
/// of a pipe.
pub fn open_regular(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    if let Ok(metadata) = std::fs::metadata(path) {
        refuse(metadata.file_type())?;
    }
    without_waiting(options);
    let file = options.open(path)?;
    refuse(file.metadata()?.file_type())?;
    Ok(file)
}

/// Reads a regular text file of at most so many bytes, without the byte order mark that some programs
/// put in front.
pub fn read_regular(path: impl AsRef<Path>, most: u64) -> io::Result<Vec<u8>> {
    let file = open_regular(path.as_ref(), OpenOptions::new().read(true))?;
    let mut bytes = read_bounded(file, most)?;
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(bytes)
}

/// Reads a regular file of at most so many bytes as it is, with room for all of it made at once.
pub fn read_whole(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let file = open_regular(path, OpenOptions::new().read(true))?;
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let too_long = || {
        let words = format!("it is larger than {} MiB", most >> 20);
        io::Error::new(io::ErrorKind::FileTooLarge, words)
    };
    if length > most {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    // A byte more, by which it is seen to have grown.
    bytes.try_reserve_exact(length + 1)?;
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most { Err(too_long()) } else { Ok(bytes) }
}

/// Reads at most so many bytes; if there are more, that is an error.
pub fn read_bounded(from: impl io::Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let words = format!("it is longer than {most} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, words));
    }
    Ok(bytes)
}

/// An error unless this is the type of a regular file.
pub fn refuse(kind: FileType) -> io::Result<()> {
    match kind.is_file() {
        true => Ok(()),
        false => {
            let words = format!("it is {}, not a regular file", name(kind));
            Err(io::Error::new(io::ErrorKind::InvalidInput, words))
        }
    }
}

fn name(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    match (kind.is_dir(), kind.is_symlink()) {
        (true, _) => "a folder",
        (_, true) => "a symbolic link",
        _ => "something else",
    }
}

#[cfg(unix)]
fn without_waiting(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
}

#[cfg(not(unix))]
fn without_waiting(_: &mut OpenOptions) {}

/// The same for a file of our own: no link is followed to it.
#[cfg(unix)]
pub fn open_own(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        refuse(metadata.file_type())?;
    }
    options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY);
    let file = options.open(path)?;
    refuse(file.metadata()?.file_type())?;
    Ok(file)
}

/// The same for a file of our own: no link is followed to it. A new one has the rights of its folder.
#[cfg(not(unix))]
pub fn open_own(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        refuse(metadata.file_type())?;
    }
    open_regular(path, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_up_to_a_bound_are_read() {
        let folder = std::env::temp_dir().join(format!("hongyan-file-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read_regular(&path, 5).unwrap(), b"12345");
        std::fs::write(folder.join("marked"), "\u{feff}12").unwrap();
        assert_eq!(read_regular(folder.join("marked"), 5).unwrap(), b"12");
        let error = read_regular(&path, 4).unwrap_err();
        assert!(error.to_string().contains("longer than 4 bytes"), "{error}");
        assert_eq!(read_regular(folder.join("b"), 4).unwrap_err().kind(), io::ErrorKind::NotFound);
        let error = read_regular(&folder, 4).unwrap_err();
        assert!(error.to_string().contains("a folder"), "{error}");
        #[cfg(unix)]
        {
            let error = read_regular("/dev/zero", 4).unwrap_err();
            assert!(error.to_string().contains("a device"), "{error}");
            let link = folder.join("link");
            std::os::unix::fs::symlink(&path, &link).unwrap();
            assert_eq!(read_regular(&link, 5).unwrap(), b"12345");
            assert!(open_own(&link, OpenOptions::new().read(true)).is_err());
            assert!(open_own(&path, OpenOptions::new().read(true)).is_ok());
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
