//! Pipes, devices, folders and links in the place of a file: nothing waits for them, nothing is
//! written to them, and what is wrong is said.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use hongyan::{Client, Error, ErrorCode};
use serde_json::{Value, json};

struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hongyan-special-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("a folder");
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<_> =
            entries.map(|entry| name(entry).to_str().expect("UTF-8").to_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().expect("mkfifo is there");
    assert!(made.success());
}

/// What is no regular file: a path for each kind, with a word that names it.
fn special(folder: &Folder) -> Vec<(PathBuf, &'static str)> {
    let (fifo, link, dir, socket) =
        (folder.at("fifo"), folder.at("to-fifo"), folder.at("dir"), folder.at("socket"));
    pipe(&fifo);
    symlink(&fifo, &link).expect("a link");
    fs::create_dir(&dir).expect("a folder");
    drop(UnixListener::bind(&socket).expect("a socket"));
    let device = |path: &str| (PathBuf::from(path), "a device");
    let kinds = [(fifo, "a pipe"), (link, "a pipe"), (dir, "a folder"), (socket, "a socket")];
    let devices = ["/dev/null", "/dev/zero", "/dev/tty"].map(device);
    kinds.into_iter().chain(devices).collect()
}

fn refused(config: &Value) -> Error {
    Client::from_json(&config.to_string()).err().unwrap_or_else(|| panic!("accepted: {config}"))
}

#[test]
fn a_secret_comes_from_a_regular_file_of_bounded_length() {
    let folder = Folder::new();
    let with = |path: &Path| {
        json!({"v": 1, "accounts": {"a": {"service": "fanfou", "auth": {
            "type": "basic", "username": "u",
            "password": format!("${{file:{}}}", path.display())}}}})
    };
    let huge = folder.at("huge");
    fs::File::create(&huge).and_then(|file| file.set_len(1 << 40)).expect("a sparse file");
    let mut cases = special(&folder);
    cases.push((huge, "longer than"));
    for (path, word) in cases {
        let error = refused(&with(&path));
        assert_eq!(error.code(), ErrorCode::Config, "{error}");
        assert_eq!(error.path(), Some("accounts.a.auth.password"), "{error}");
        assert!(error.message().contains(word), "{}: {error}", path.display());
    }
    let good = folder.at("good");
    fs::write(&good, "pwd\n").expect("written");
    symlink(&good, folder.at("link")).expect("a link");
    for path in [good, folder.at("link")] {
        Client::from_json(&with(&path).to_string()).expect("a file, or a link to one");
    }
}

#[test]
fn a_certificate_comes_from_a_regular_file_of_bounded_length() {
    let folder = Folder::new();
    let huge = folder.at("huge");
    fs::File::create(&huge).and_then(|file| file.set_len(1 << 40)).expect("a sparse file");
    let mut cases = special(&folder);
    cases.push((huge, "longer than"));
    for (path, word) in cases {
        let error = refused(&json!({"v": 1, "accounts": {}, "ca_file": path}));
        assert_eq!((error.code(), error.path()), (ErrorCode::Config, Some("ca_file")), "{error}");
        assert!(error.message().contains(word), "{}: {error}", path.display());
    }
}

#[cfg(feature = "outbox")]
mod outbox {
    use super::*;

    fn with(path: &Path) -> Value {
        json!({"v": 1, "accounts": {}, "outbox": {"path": path}})
    }

    fn storage(path: &Path, word: &str) {
        let error = refused(&with(path));
        assert_eq!(error.code(), ErrorCode::Storage, "{}: {error}", path.display());
        assert!(error.message().contains(word), "{}: {error}", path.display());
        assert!(error.hint_text().is_some(), "{error}");
    }

    #[test]
    fn what_is_no_file_is_refused_before_anything_is_made_beside_it() {
        let folder = Folder::new();
        let special = special(&folder);
        let before = folder.names();
        for (path, word) in &special {
            storage(path, word);
            let beside = PathBuf::from(format!("{}-lock", path.display()));
            assert!(!beside.exists(), "{} was made", beside.display());
        }
        assert_eq!(folder.names(), before);
        assert!(!Path::new("/dev/null-lock").exists());
    }

    #[test]
    fn what_stands_beside_it_is_neither_followed_nor_changed() {
        for end in ["-lock", "-wal", "-shm", "-journal", "-reserve"] {
            let folder = Folder::new();
            let (path, victim) = (folder.at("outbox.db"), folder.at("victim"));
            let beside = folder.at(&format!("outbox.db{end}"));
            let text = "this is not the outbox's, and it is a long text";
            fs::write(&victim, text).expect("written");
            symlink(&victim, &beside).expect("a link");
            storage(&path, "link");
            assert_eq!(fs::read_to_string(&victim).expect("it is there"), text, "{end}");

            // A link to what is not there makes nothing.
            fs::remove_file(&victim).expect("removed");
            storage(&path, "link");
            assert!(!victim.exists(), "{end}");

            fs::remove_file(&beside).expect("removed");
            pipe(&beside);
            storage(&path, "a pipe");
            fs::remove_file(&beside).expect("removed");
            fs::create_dir(&beside).expect("a folder");
            storage(&path, "a folder");
            fs::remove_dir(&beside).expect("removed");
            Client::from_json(&with(&path).to_string()).expect("now there is nothing in the way");
        }
    }

    #[test]
    fn a_lock_file_that_is_somebodys_is_left_as_it_is() {
        let folder = Folder::new();
        let (path, lock) = (folder.at("outbox.db"), folder.at("outbox.db-lock"));
        for text in
            ["root:x:0:0:root:/root:/bin/sh\n", "12 monkeys\nand more", "[section]\na=1\n", "-1"]
        {
            fs::write(&lock, text).expect("written");
            storage(&path, "holds something else");
            assert_eq!(fs::read_to_string(&lock).expect("it is there"), text);
        }
        fs::remove_file(&lock).expect("removed");

        // Another name of a file is as good as a link to it.
        let other = folder.at("other");
        fs::write(&other, "").expect("written");
        fs::hard_link(&other, &lock).expect("a second name");
        storage(&path, "another name");
        assert_eq!(fs::read_to_string(&other).expect("it is there"), "");
        fs::remove_file(&lock).expect("removed");

        // What earlier versions wrote is ours.
        for text in ["4242", "", "4242 turn\n"] {
            fs::write(&lock, text).expect("written");
            drop(Client::from_json(&with(&path).to_string()).expect("it is ours"));
        }
    }

    #[test]
    fn a_second_name_of_an_outbox_is_refused_and_a_link_is_the_same_file() {
        let folder = Folder::new();
        let (path, link, folder_link) =
            (folder.at("outbox.db"), folder.at("link.db"), folder.at("folder"));
        let owner = Client::from_json(&with(&path).to_string()).expect("a client");
        symlink(&path, &link).expect("a link");
        symlink(&folder.0, &folder_link).expect("a link");
        for path in [&link, &folder_link.join("outbox.db"), &folder_link.join("link.db")] {
            drop(Client::from_json(&with(path).to_string()).expect("the same file"));
        }
        let others = folder.names().into_iter().filter(|name| name.starts_with("link.db-"));
        assert_eq!(others.count(), 0, "its log and its lock are those of the file");
        drop(owner);
        drop(Client::from_json(&with(&link).to_string()).expect("by its other name"));
        fs::hard_link(&path, folder.at("hard.db")).expect("a second name");
        storage(&path, "another name");
        storage(&folder.at("hard.db"), "another name");
    }

    #[test]
    fn new_files_are_for_their_owner_alone_and_regular() {
        let folder = Folder::new();
        let _client = Client::from_json(&with(&folder.at("outbox.db")).to_string()).expect("new");
        for name in folder.names() {
            let metadata = fs::symlink_metadata(folder.at(&name)).expect("it is there");
            assert!(metadata.is_file() && !metadata.file_type().is_fifo(), "{name}");
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
        }
    }
}
