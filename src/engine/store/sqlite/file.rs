//! The outbox file itself: private, in one place, and still the one that was opened.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::model::error::{Error, ErrorCode, Result};
use crate::model::file::{open_own, refuse};

/// Which file stands at a path; another one has another identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

/// Which file stands there, if any.
pub(super) fn identity(path: &Path) -> io::Result<Option<Identity>> {
    match number(path) {
        Ok(identity) => Ok(Some(identity)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn number(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path)?;
    Ok(Identity(metadata.dev(), metadata.ino()))
}

#[cfg(windows)]
fn number(path: &Path) -> io::Result<Identity> {
    let facts = facts(path)?;
    Ok(Identity(facts.volume, facts.number))
}

/// What Windows says of a file without reading it, whatever others have it open for.
#[cfg(windows)]
fn facts(path: &Path) -> io::Result<crate::engine::results::wake::FileFacts> {
    use std::os::windows::fs::OpenOptionsExt;
    let file = OpenOptions::new().access_mode(0).open(path)?;
    crate::engine::results::wake::file_facts(&file)
}

/// True if something stands there.
///
/// Asking for a file's times makes the next write to it note a new one, which the next sync must then
/// write as well: Linux keeps fine times for whoever looks. So this asks for something else.
#[cfg(unix)]
pub(super) fn is_there(path: &Path) -> bool {
    fs::read_link(path).map_or_else(|error| error.kind() != io::ErrorKind::NotFound, |_| true)
}

#[cfg(windows)]
pub(super) fn is_there(path: &Path) -> bool {
    path.exists()
}

/// The file whose name has this end.
pub(in crate::engine::store) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// The write-ahead log of a database.
pub(super) fn wal(path: &Path) -> PathBuf {
    beside(path, "-wal")
}

/// Refuses whatever is no regular file in the place of one that SQLite would open: it would follow a
/// device, or wait for the other end of a pipe. What is not there is made later.
pub(super) fn refuse_special(path: &Path) -> Result<()> {
    for end in ["", "-wal", "-shm", "-journal", "-reserve"] {
        let file = beside(path, end);
        match fs::symlink_metadata(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            metadata => metadata.and_then(|metadata| refuse(metadata.file_type())),
        }
        .map_err(|error| {
            let words = format!("the outbox cannot use {}: {error}", file.display());
            Error::new(ErrorCode::Storage, words)
                .hint("give the path of a file, or of a new one in a folder that is there")
        })?;
    }
    Ok(())
}

/// Refuses a file of another user, who could change it or keep it locked, and one that has another
/// name as well, which may be somebody's.
#[cfg(unix)]
pub(in crate::engine::store) fn refuse_others(path: &Path, metadata: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let user = crate::engine::results::wake::user();
    let words = if metadata.uid() != user && user != 0 {
        format!("{} belongs to the user {}", path.display(), metadata.uid())
    } else if metadata.nlink() > 1 {
        format!("{} has another name as well", path.display())
    } else {
        return Ok(());
    };
    Err(io::Error::new(io::ErrorKind::PermissionDenied, words))
}

/// Rights are the folder's there.
#[cfg(windows)]
pub(in crate::engine::store) fn refuse_others(path: &Path, _: &Metadata) -> io::Result<()> {
    if facts(path)?.names > 1 {
        let words = format!("{} has another name as well", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, words));
    }
    Ok(())
}

/// The one true path: without links, so that two names of a file are one file with one lock.
pub(super) fn true_path(path: &Path) -> io::Result<PathBuf> {
    let found = match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = path.file_name().ok_or(error)?;
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            fs::canonicalize(folder.unwrap_or(Path::new(".")))?.join(name)
        }
        found => found?,
    };
    Ok(usual(found))
}

#[cfg(not(windows))]
fn usual(path: PathBuf) -> PathBuf {
    path
}

/// The path in the form that people and programs know, without the `\\?\` that Windows puts before one
/// without links, where both forms lead to the same file.
#[cfg(windows)]
pub(super) fn usual(path: PathBuf) -> PathBuf {
    use std::path::Component;
    /// A usual path ends at 260 characters; SQLite puts some behind it.
    const LONGEST: usize = 240;

    let stays = |component: Component<'_>| match component {
        Component::Normal(name) => name.to_str().is_some_and(means_itself),
        Component::RootDir => true,
        _ => false,
    };
    let usual = path.to_str().and_then(|text| {
        let rest = text.strip_prefix(r"\\?\")?;
        match rest.strip_prefix(r"UNC\") {
            Some(share) => Some(format!(r"\\{share}")),
            None => rest.chars().nth(1).filter(|c| *c == ':').map(|_| rest.to_owned()),
        }
    });
    match usual {
        Some(usual) if usual.len() <= LONGEST && path.components().skip(1).all(stays) => {
            usual.into()
        }
        _ => path,
    }
}

/// True for a name that a usual path may have: Windows takes dots and blanks off its end, and some names
/// for devices.
#[cfg(windows)]
fn means_itself(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |device| {
        let number = stem.strip_prefix(device);
        number.is_some_and(|number: &str| number.chars().count() == 1)
    };
    let device = matches!(&*stem, "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$");
    !(name.ends_with(['.', ' ']) || device || numbered("COM") || numbered("LPT"))
}

/// The size of a page of the database; what a new one has where none can be read.
pub(super) fn page_size(path: &Path) -> io::Result<usize> {
    let mut head = [0; 18];
    match File::open(path)?.read_exact(&mut head) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error),
        _ => {}
    }
    Ok(match u16::from_be_bytes([head[16], head[17]]) {
        1 => 65536,
        size if size.is_power_of_two() && size >= 512 => usize::from(size),
        _ => 4096,
    })
}

/// Creates the file if it is not there; what SQLite puts beside it gets the same rights.
pub(super) fn create(path: &Path) -> io::Result<()> {
    match open_own(path, OpenOptions::new().write(true).create_new(true)) {
        Ok(file) => {
            file.sync_all()?;
            sync_folder(path)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_file() => {
            refuse_others(path, &fs::metadata(path)?)?;
            keep_private(path)
        }
        Err(error) => Err(error),
    }
}

/// A file whose name is not on the disk is lost with the power.
#[cfg(unix)]
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(windows)]
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn keep_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    for file in ["", "-wal", "-shm"].map(|end| beside(path, end)) {
        let mode = match fs::metadata(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            metadata => metadata?.permissions().mode(),
        };
        if mode & 0o077 != 0 {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode & 0o700))?;
        }
    }
    Ok(())
}

#[cfg(windows)]
fn keep_private(_: &Path) -> io::Result<()> {
    Ok(())
}
