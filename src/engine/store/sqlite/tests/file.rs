//! The file: whose it is, what it may be, and what happens when it is not as it should be.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use rusqlite::Connection;

use super::*;
use crate::engine::store::schema;
#[cfg(windows)]
use crate::engine::store::sqlite::file as place;

const STORAGE: ErrorCode = ErrorCode::Storage;
const LOCKED: ErrorCode = ErrorCode::Locked;

#[cfg(unix)]
#[test]
fn what_it_holds_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut store = folder.open();
    one(&mut store, accept(message("a")), NOW);
    let files = ["", "-wal", "-shm", "-lock"].map(|end| with_suffix(&folder.outbox(), end));
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    drop(store);
    std::fs::set_permissions(&files[0], std::fs::Permissions::from_mode(0o644)).unwrap();
    let _store = folder.open();
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
}

#[cfg(windows)]
#[test]
fn a_path_is_told_as_people_write_it() {
    let usual = |path: &str| place::usual(path.into()).to_str().unwrap().to_owned();
    assert_eq!(usual(r"\\?\C:\a b\鸿雁.db"), r"C:\a b\鸿雁.db");
    assert_eq!(usual(r"\\?\UNC\host\share\a.db"), r"\\host\share\a.db");
    // What would mean another file, or none, stays as it is.
    let long = format!(r"\\?\C:\{}", "a".repeat(300));
    for path in [r"\\?\C:\a.", r"\\?\C:\nul.db", r"\\?\C:\com1\a", r"\\?\Volume{1}\a", &long] {
        assert_eq!(usual(path), path);
    }
}

#[cfg(windows)]
#[test]
fn a_file_has_an_identity_and_its_copy_another() {
    let folder = Folder::new();
    let (one, copy) = (folder.0.join("one"), folder.0.join("copy"));
    std::fs::write(&one, "a").unwrap();
    std::fs::copy(&one, &copy).unwrap();
    let identity = |path: &Path| place::identity(path).unwrap();
    assert!(identity(&one).is_some());
    assert_ne!(identity(&one), identity(&copy));
    let moved = folder.0.join("moved");
    let before = identity(&one);
    std::fs::rename(&one, &moved).unwrap();
    assert_eq!((identity(&moved), identity(&one)), (before, None));
    std::fs::hard_link(&moved, folder.outbox()).unwrap();
    fails(Sqlite::open(&folder.outbox(), OPTIONS), STORAGE, "another name as well");
}

#[test]
fn what_an_older_version_has_for_itself_is_told() {
    let folder = Folder::new();
    let lock = with_suffix(&folder.outbox(), "-lock");
    let older = std::fs::File::create(&lock).unwrap();
    std::fs::write(&lock, format!("{:<39}\n", 4711)).unwrap();
    older.lock().unwrap();
    fails(Sqlite::open(&folder.outbox(), OPTIONS), LOCKED, "process 4711 alone");
    drop(older);
    let store = folder.open();
    // And what has members is none of an older version.
    let older = std::fs::File::open(&lock).unwrap();
    assert!(older.try_lock().is_err());
    drop(store);
    older.try_lock().unwrap();
}

/// Where the second process of the next test finds its file.
const CHILD: &str = "HY_STORE_CHILD";

#[test]
fn a_second_process_has_it_as_well_and_leaves_what_it_held_when_it_is_killed() {
    if let Some(path) = std::env::var_os(CHILD) {
        let mut store = Sqlite::open(Path::new(&path), OPTIONS).unwrap();
        one(&mut store, accept(Accept { held: true, ..message("child") }), NOW);
        // On a line of its own, whatever the test harness has written.
        std::io::stdout().write_all(b"\nmember\n").unwrap();
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        std::process::abort();
    }
    let folder = Folder::new();
    let mut store = folder.open();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg(std::thread::current().name().unwrap())
        .env(CHILD, folder.outbox())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "member"), "the child has it");
    // It came to one who sent alone, and who writes down from now on what he holds.
    store.attend(&HashSet::new()).unwrap();
    assert_eq!(store.ready("ff", 9).unwrap(), [], "it is in the child's hands");
    drop(child.stdin.take());
    child.wait().unwrap();
    let start = std::time::Instant::now();
    let row = loop {
        assert!(start.elapsed() < Duration::from_secs(60), "it is not given free");
        store.attend(&HashSet::new()).unwrap();
        if let Some(row) = store.ready("ff", 9).unwrap().pop() {
            break row;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert!(row.id == "child" && row.earlier);
}

#[test]
fn only_an_outbox_of_a_known_version_is_opened() {
    let folder = Folder::new();
    let open = || Sqlite::open(&folder.outbox(), OPTIONS);
    let change = |sql: &str| Connection::open(folder.outbox()).unwrap().execute_batch(sql).unwrap();

    drop(folder.open());
    change("PRAGMA user_version = 9");
    fails(open(), STORAGE, "newer hongyan (schema version 9)");
    fails(Sqlite::read_only(&folder.outbox()), STORAGE, "newer hongyan");
    change(&format!("PRAGMA user_version = {}", schema::STEPS.len()));
    drop(open().unwrap());

    std::fs::remove_file(folder.outbox()).unwrap();
    change("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
    fails(open(), STORAGE, "another program's database");
    fails(Sqlite::read_only(&folder.outbox()), STORAGE, "no outbox");
    let theirs: i64 = Connection::open(folder.outbox())
        .unwrap()
        .query_row("SELECT a FROM theirs", [], |row| row.get(0))
        .unwrap();
    assert_eq!(theirs, 1, "and it is left alone");

    std::fs::remove_file(folder.outbox()).unwrap();
    std::fs::write(folder.outbox(), "this is a letter, not a database, and a long one").unwrap();
    fails(open(), STORAGE, "not a database");
    std::fs::write(folder.outbox(), "").unwrap();
    drop(open().unwrap());
}

#[test]
fn a_place_without_a_file_is_told() {
    let folder = Folder::new();
    fails(Sqlite::open(&folder.0, OPTIONS), STORAGE, "it is a folder");
    let missing = folder.0.join("missing/outbox.db");
    fails(Sqlite::open(&missing, OPTIONS), STORAGE, "missing/outbox.db");
    fails(Sqlite::read_only(&folder.outbox()), STORAGE, "cannot read the outbox");
    assert!(!folder.outbox().exists(), "whoever looks creates nothing");
}

/// Windows lets nobody move or remove an open file.
#[cfg(unix)]
#[test]
fn nothing_is_written_while_the_folder_is_away() {
    let folder = Folder::new();
    let home = folder.0.join("home");
    let away = folder.0.join("away");
    std::fs::create_dir(&home).unwrap();
    let path = home.join("outbox.db");
    let mut store = Sqlite::open(&path, OPTIONS).unwrap();
    one(&mut store, accept(message("a")), NOW);
    std::fs::rename(&home, &away).unwrap();
    fails(store.commit(&[accept(message("b"))], NOW), STORAGE, "is gone");
    fails(store.ready("ff", 9), STORAGE, "is gone");
    assert_eq!(store.count(), (1, 1));
    std::fs::rename(&away, &home).unwrap();
    one(&mut store, accept(message("c")), NOW);
    assert_eq!(queued(&mut store), ["a", "c"]);

    // Back as a copy, as after a restored backup or a new mount: other files, the same rows.
    std::fs::rename(&home, &away).unwrap();
    std::fs::create_dir(&home).unwrap();
    fails(store.commit(&[accept(message("d"))], NOW), STORAGE, "is gone");
    for end in ["", "-wal"] {
        let copy = |folder: &Path| with_suffix(&folder.join("outbox.db"), end);
        std::fs::copy(copy(&away), copy(&home)).unwrap();
    }
    one(&mut store, accept(message("e")), NOW);
    drop(store);
    let mut store = Sqlite::open(&path, OPTIONS).unwrap();
    assert_eq!(queued(&mut store), ["a", "c", "e"]);
}

/// Windows lets nobody move or remove an open file.
#[cfg(unix)]
#[test]
fn another_file_in_its_place_is_left_alone() {
    let folder = Folder::new();
    let aside = folder.0.join("aside.db");
    let mut store = folder.open();
    one(&mut store, accept(message("a")), NOW);
    let names = ["", "-wal", "-shm"]
        .map(|end| (with_suffix(&folder.outbox(), end), with_suffix(&aside, end)));
    for (here, there) in &names {
        std::fs::rename(here, there).unwrap();
    }
    std::fs::write(folder.outbox(), "").unwrap();
    for _ in 0..2 {
        fails(store.commit(&[accept(message("b"))], NOW), STORAGE, "is not the file that was open");
        assert_eq!(std::fs::metadata(folder.outbox()).unwrap().len(), 0, "it is no outbox");
    }

    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(with_suffix(&folder.outbox(), end));
    }
    for (here, there) in &names {
        std::fs::rename(there, here).unwrap();
    }
    one(&mut store, accept(message("c")), NOW);
    drop(store);
    assert_eq!(queued(&mut folder.open()), ["a", "c"]);
}

/// Windows lets nobody move or remove an open file.
#[cfg(unix)]
#[test]
fn an_older_copy_in_its_place_is_not_taken_for_it() {
    let folder = Folder::new();
    let copy = folder.0.join("copy.db");
    let mut store = folder.open();
    Connection::open(folder.outbox())
        .unwrap()
        .execute("VACUUM INTO ?1", [copy.to_str().unwrap()])
        .unwrap();
    one(&mut store, accept(message("a")), NOW);
    for end in ["", "-wal", "-shm"] {
        std::fs::remove_file(with_suffix(&folder.outbox(), end)).unwrap();
    }
    std::fs::rename(&copy, folder.outbox()).unwrap();
    for _ in 0..2 {
        fails(store.commit(&[accept(message("b"))], NOW), STORAGE, "is not the file that was open");
    }
    drop(store);
    assert_eq!(queued(&mut folder.open()), [""; 0], "a new owner takes what is there");
}

/// Windows lets nobody move or remove an open file.
#[cfg(unix)]
#[test]
fn a_log_that_is_removed_costs_nothing() {
    let folder = Folder::new();
    let mut store = folder.open();
    one(&mut store, accept(message("a")), NOW);
    std::fs::remove_file(with_suffix(&folder.outbox(), "-wal")).unwrap();
    one(&mut store, accept(message("b")), NOW);
    one(&mut store, accept(message("c")), NOW);
    assert!(with_suffix(&folder.outbox(), "-wal").exists());
    assert_eq!(queued(&mut store), ["a", "b", "c"]);
    drop(store);
    assert_eq!(queued(&mut folder.open()), ["a", "b", "c"]);
}

#[test]
fn a_full_disk_refuses_and_then_goes_on() {
    let folder = Folder::new();
    let mut store = folder.open();
    one(&mut store, accept(message("a")), NOW);
    let pragma = |store: &Sqlite, sql: &str| {
        store.conn.as_ref().unwrap().query_row(sql, [], |_| Ok(())).unwrap()
    };
    let long = Accept { message: vec![b'x'; 1 << 20], ..message("b") };
    pragma(&store, "PRAGMA max_page_count = 40");
    let batch = [accept(message("c")), accept(long), finish(1, Delivery::Sent)];
    fails(store.commit(&batch, NOW), STORAGE, "disk is full");
    assert_eq!(store.count(), (1, 1));
    assert_eq!(queued(&mut store), ["a"]);
    pragma(&store, "PRAGMA max_page_count = 1000000");
    assert!(store.commit(&batch, NOW).is_ok());
    assert_eq!(store.count(), (3, 2));
}

#[test]
fn a_file_that_may_only_be_read_is_told() {
    let folder = Folder::new();
    let mut store = folder.open();
    store.conn.as_ref().unwrap().execute_batch("PRAGMA query_only = ON").unwrap();
    fails(store.commit(&[accept(message("a"))], NOW), STORAGE, "writable by this user");
    store.conn.as_ref().unwrap().execute_batch("PRAGMA query_only = OFF").unwrap();
    one(&mut store, accept(message("a")), NOW);
}

#[test]
fn whoever_looks_sees_what_the_owner_committed() {
    let folder = Folder::new();
    let mut store = folder.open();
    let reader = Sqlite::read_only(&folder.outbox()).unwrap();
    assert_eq!(reader.rows(0, 9).unwrap(), []);
    let full = Accept {
        key: Some(("k".into(), [1; 32].into())),
        due_ms: Some(NOW + 9),
        deadline_ms: Some(NOW + 99),
        ..message("a")
    };
    one(&mut store, accept(full), NOW);
    let row = reader.row("a").unwrap().unwrap();
    assert_eq!(reader.rows(0, 9).unwrap(), std::slice::from_ref(&row));
    assert_eq!(reader.rows(row.seq, 9).unwrap(), []);
    let seen = (row.state.name(), row.key.as_deref(), row.due_ms, row.deadline_ms, row.token);
    let expected = ("scheduled", Some("k"), Some(NOW + 9), Some(NOW + 99), u64::MAX - 7);
    assert_eq!(seen, expected);
    assert_eq!((row.verdict, row.attempts, row.first_sent_ms, row.follows), (None, 0, None, false));
    drop(store);
    assert_eq!(reader.rows(0, 9).unwrap().len(), 1, "without an owner, too");
}
