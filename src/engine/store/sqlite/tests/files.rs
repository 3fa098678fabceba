//! Files that go with messages.

use bytes::Bytes;
use rusqlite::Connection;

use super::*;

/// A file of several parts, one of none, and one between them that is not kept.
fn files() -> Vec<(usize, Bytes)> {
    let long: Vec<u8> = (0..700_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    vec![(0, long.into()), (1, Bytes::new()), (3, Bytes::from_static(b"abc"))]
}

fn with_files(id: &str) -> Accept {
    Accept { files: files(), ..message(id) }
}

fn parts(folder: &Folder) -> i64 {
    let conn = Connection::open(folder.outbox()).unwrap();
    conn.query_row("SELECT count(*) FROM files", [], |row| row.get(0)).unwrap()
}

#[test]
fn files_come_back_as_they_were_and_only_for_their_message() {
    let folder = Folder::new();
    let mut store = folder.open();
    store.commit(&[accept(with_files("a")), accept(message("b"))], NOW).unwrap();
    for _ in 0..2 {
        assert_eq!(store.files("a").unwrap(), files());
        assert_eq!(store.files("b").unwrap(), []);
        let ready = store.ready("ff", 9).unwrap();
        assert_eq!(ready.iter().map(|row| row.has_files).collect::<Vec<_>>(), [true, false]);
        drop(store);
        store = folder.open();
    }
}

#[test]
fn a_begin_and_an_end_leave_the_files_where_they_are() {
    let folder = Folder::new();
    let mut store = folder.open();
    let (seq, _) = accepted(one(&mut store, accept(with_files("a")), NOW));
    let log = || std::fs::metadata(folder.outbox().with_extension("db-wal")).map_or(0, |m| m.len());
    let before = log();
    one(&mut store, begin(seq, 1, NOW, None), NOW);
    one(&mut store, Change::Ended { seq, attempts: 1, due_ms: None, progress: None }, NOW);
    let (after, long) = (log(), files()[0].1.len() as u64);
    assert!(before > long && after < before + long / 2, "{before} became {after}");
    assert_eq!(store.files("a").unwrap(), files());
}

#[test]
fn what_was_sent_needs_no_files_and_anything_else_keeps_them_for_another_try() {
    let folder = Folder::new();
    let mut store = folder.open();
    for (id, delivery, kept) in
        [("a", Delivery::Sent, 0), ("b", Delivery::NotSent, 5), ("c", Delivery::MaybeSent, 5)]
    {
        let (seq, _) = accepted(one(&mut store, accept(with_files(id)), NOW));
        assert_eq!(parts(&folder), 5, "three of the first, and one each of the others");
        one(&mut store, finish(seq, delivery), NOW);
        assert_eq!(parts(&folder), kept, "{id}");
        one(&mut store, ack(id), NOW);
        if kept > 0 {
            let (_, turn) = accepted(one(&mut store, retry(id), NOW));
            assert!(turn.is_some());
            assert_eq!(store.files(id).unwrap(), files());
            one(&mut store, drop_row(id), NOW);
        }
        assert_eq!((parts(&folder), store.ledger.bytes), (0, 0), "{id}");
    }
}

#[test]
fn dead_letters_lose_their_files_with_their_time() {
    let folder = Folder::new();
    let mut store = folder.open();
    let (seq, _) = accepted(one(&mut store, accept(with_files("a")), NOW));
    one(&mut store, finish(seq, Delivery::NotSent), NOW);
    one(&mut store, ack("a"), NOW);
    one(&mut store, accept(message("b")), NOW + 100 * DAY);
    one(&mut store, accept(message("c")), NOW + 100 * DAY);
    assert_eq!(parts(&folder), 0);
}

#[test]
fn files_count_in_max_bytes() {
    let folder = Folder::new();
    let mut store = folder.open();
    store.bounds.max_bytes = 1_000_000;
    accepted(one(&mut store, accept(with_files("a")), NOW));
    let full = one(&mut store, accept(with_files("b")), NOW);
    assert_eq!(full, Applied::Full { what: "max_bytes", most: 1_000_000 });
    accepted(one(&mut store, accept(message("c")), NOW));
    drop(store);
    let store = folder.open();
    assert!(store.ledger.bytes > 700_000 && store.ledger.has_files);
}

#[test]
fn one_who_follows_has_files_of_his_own() {
    let folder = Folder::new();
    let mut store = folder.open();
    let keyed = |id| Accept { key: Some(("k".into(), [1; 32].into())), ..with_files(id) };
    let (first, _) = accepted(one(&mut store, accept(keyed("a")), NOW));
    accepted(one(&mut store, accept(keyed("b")), NOW));
    one(&mut store, end_alone(first), NOW);
    let ready = store.ready("ff", 9).unwrap();
    assert_eq!(ready.iter().map(|row| &*row.id).collect::<Vec<_>>(), ["b"]);
    assert_eq!(store.files("b").unwrap(), files());
    one(&mut store, accept(keyed("c")), NOW);
    one(&mut store, finish(ready[0].seq, Delivery::Sent), NOW);
    assert_eq!(parts(&folder), 5, "those of the first, which may be tried again");
    let known = one(&mut store, accept(keyed("d")), NOW);
    assert!(matches!(known, Applied::Known { .. }), "{known:?}");
    assert_eq!(parts(&folder), 5);
}

#[test]
fn a_file_of_an_older_version_takes_files() {
    let folder = Folder::new();
    drop(upgrade::old_file(&folder, &[("old", 0, None, false)]));
    let mut store = folder.open();
    accepted(one(&mut store, accept(with_files("new")), NOW));
    let ready = store.ready("ff", 9).unwrap();
    assert_eq!(ready.iter().map(|row| row.has_files).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn files_are_rescued_from_a_damaged_file() {
    let folder = Folder::new();
    let mut store = folder.open();
    store.commit(&[accept(with_files("a")), accept(message("b"))], NOW).unwrap();
    drop(store);
    // The index that finds them is gone, and with it that the file is sound.
    let conn = Connection::open(folder.outbox()).unwrap();
    let page: i64 = conn
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'messages_turn'", [], |row| {
            row.get(0)
        })
        .unwrap();
    let size: i64 = conn.query_row("PRAGMA page_size", [], |row| row.get(0)).unwrap();
    conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(conn);
    let mut bytes = std::fs::read(folder.outbox()).unwrap();
    let at = usize::try_from((page - 1) * size).unwrap();
    bytes[at..at + 100].fill(0xff);
    std::fs::write(folder.outbox(), bytes).unwrap();
    let mut store = folder.open();
    assert!(store.told().is_some_and(|told| told.contains("2 messages")), "{:?}", store.told());
    assert_eq!(store.files("a").unwrap(), files());
}
