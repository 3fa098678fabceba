//! A file of schema version 1, written as the library of that time wrote it.

use rusqlite::{Connection, params};

use super::*;
use crate::engine::store::schema;
use crate::model::digest::{self, Content};
use crate::model::message::Message;

const HI: &str =
    r#"{"v":1,"account":"ff","to":{"user":"lisztli"},"text":"hi","key":"k","ordered":true}"#;
/// What it kept of that message: taken from its memory, not made anew.
const HI_CONTENT: &str = "ffd8743da0769ff3a4a11ccfb05a399a217783bec0243cbfb88d37ea9afe68a4";
const HI_LINE: &str = r#"ff/To { user: Some("lisztli"), name: None, group: None, topic: None, users: [], groups: [], discussions: [], members: [] }"#;

fn bytes(hex: &str) -> Vec<u8> {
    let pair = |i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(pair).collect()
}

/// An old file with these rows (id, state, key, ordered), each of them that message.
pub(super) fn old_file(folder: &Folder, rows: &[(&str, i64, Option<&str>, bool)]) -> Connection {
    let conn = Connection::open(folder.outbox()).unwrap();
    conn.execute_batch(schema::VERSION_1).unwrap();
    conn.execute_batch("PRAGMA application_id = 0x68795f6f; PRAGMA user_version = 1").unwrap();
    for (seq, (id, state, key, ordered)) in (1_i64..).zip(rows) {
        let turn = (*state == 0).then_some(seq);
        conn.execute(
            "INSERT INTO messages (seq, state, turn, place, accepted_ms, token, id, account, line,
                 key, content, message)
             VALUES (?1, ?2, ?3, ?4, ?5, 7, ?6, 'ff', ?7, ?8, ?9, ?10)",
            params![
                seq,
                state,
                turn,
                ordered.then_some(seq),
                NOW as i64,
                id,
                ordered.then_some(HI_LINE),
                key,
                key.map(|_| bytes(HI_CONTENT)),
                HI.as_bytes(),
            ],
        )
        .unwrap();
        if let Some(key) = key {
            old_key(&conn, key, id, None);
        }
    }
    conn
}

fn old_key(conn: &Connection, key: &str, id: &str, sent: Option<&Verdict>) {
    let until = sent.map(|_| (NOW + 7 * DAY) as i64);
    let (delivery, receipt) =
        (sent.map(|sent| sent.delivery.number()), sent.map(|sent| &sent.receipt));
    let content = bytes(HI_CONTENT);
    conn.execute(
        "INSERT INTO keys VALUES ('ff', ?1, ?2, ?3, ?4, ?5, ?6)",
        params![key, id, content, delivery, until, receipt],
    )
    .unwrap();
}

/// What is accepted of a message today.
fn of(json: &str, id: &str) -> Change {
    let read = Message::from_json(json).unwrap();
    accept(Accept {
        message: json.into(),
        key: read.key.clone().map(|key| (key, Content::of(&read))),
        line: read.ordered.then(|| digest::recipient(&read.to)),
        ..message(id)
    })
}

#[test]
fn a_live_key_of_an_older_file_knows_its_message_and_no_other() {
    let folder = Folder::new();
    let sent = verdict(Delivery::Sent);
    // One was sent and acknowledged, so that its key is all that is left; one is still to be sent.
    let conn = old_file(&folder, &[("queued", 0, Some("q"), false)]);
    old_key(&conn, "k", "gone", Some(&sent));
    drop(conn);

    for round in 0..2 {
        let mut store = folder.open();
        let known = one(&mut store, of(HI, &format!("a{round}")), NOW);
        assert!(matches!(&known, Applied::Known { verdict, .. } if *verdict == sent), "{known:?}");
        let other = one(&mut store, of(&HI.replace("hi", "ho"), "b"), NOW);
        assert_eq!(other, Applied::Conflict);
        let queued = HI.replace(r#""k""#, r#""q""#);
        let follows = accepted(one(&mut store, of(&queued, &format!("c{round}")), NOW));
        assert_eq!(follows.1, None, "the first is still to be sent");
        let other = one(&mut store, of(&queued.replace("lisztli", "other"), "d"), NOW);
        assert_eq!(other, Applied::Conflict);
    }
    let kept = |sql| -> i64 {
        Connection::open(folder.outbox()).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(kept("SELECT count(*) FROM messages WHERE length(content) = 32"), 0);
    assert_eq!(kept("SELECT group_concat(length(content)) = '33,32' FROM keys ORDER BY key"), 1);
}

#[test]
fn ordered_messages_of_an_older_file_stay_before_new_ones() {
    let folder = Folder::new();
    drop(old_file(&folder, &[("a", 0, None, true), ("b", 2, None, true), ("c", 0, None, false)]));
    let mut store = folder.open();
    let new = HI.replace(r#","key":"k""#, "");
    assert_eq!(accepted(one(&mut store, of(&new, "d"), NOW)).1, None, "b and d wait for a");
    let other = new.replace("lisztli", "other");
    assert!(accepted(one(&mut store, of(&other, "e"), NOW)).1.is_some());
    assert_eq!(queued(&mut store), ["a", "c", "e"]);
    one(&mut store, finish(1, Delivery::Sent), NOW);
    assert_eq!(queued(&mut store), ["c", "e", "b"]);
    one(&mut store, finish(2, Delivery::Sent), NOW);
    assert_eq!(queued(&mut store), ["c", "e", "d"]);
}

#[test]
fn a_dead_letter_of_an_older_file_is_queued_again_under_its_key() {
    let folder = Folder::new();
    let conn = old_file(&folder, &[("a", 6, Some("k"), true)]);
    let dead = "UPDATE messages SET place = NULL, turn = NULL, delivery = 1, receipt = x'7b7d'";
    conn.execute_batch(dead).unwrap();
    drop(conn);
    let mut store = folder.open();
    assert!(accepted(one(&mut store, retry("a"), NOW)).1.is_some());
    assert_eq!(accepted(one(&mut store, of(HI, "b"), NOW)).1, None, "it follows");
    assert_eq!(queued(&mut store), ["a"]);
}

#[test]
fn a_message_that_cannot_be_read_does_not_keep_a_file_from_being_opened() {
    let folder = Folder::new();
    let conn = old_file(&folder, &[("a", 0, Some("k"), true), ("b", 0, Some("l"), true)]);
    conn.execute_batch("UPDATE messages SET message = x'00ff' WHERE id = 'a'").unwrap();
    drop(conn);
    let mut store = folder.open();
    assert_eq!(queued(&mut store), ["a", "b"]);
    assert_eq!(one(&mut store, of(&HI.replace("hi", "ho"), "c"), NOW), Applied::Conflict);
}
