//! Rows that stand for their key and their line only: a caller waits for the result.

use super::*;
use crate::engine::store::{Follower, State, schema};
use crate::model::digest::Content;
use crate::model::message::Message;

fn direct(id: &str) -> Accept {
    Accept { direct: true, message: Vec::new(), ..message(id) }
}

fn keyed(accept: Accept) -> Accept {
    Accept { key: Some(("k".into(), [1; 32].into())), ..accept }
}

fn ordered(accept: Accept) -> Accept {
    Accept { line: Some("to".into()), ..accept }
}

fn seq(applied: Applied) -> Seq {
    accepted(applied).0
}

/// Who is called, and whether a caller waits for it.
fn called(store: &mut Sqlite) -> Vec<(String, bool)> {
    store.called().unwrap().into_iter().map(|row| (row.id, row.direct)).collect()
}

fn calls(ids: &[(&str, bool)]) -> Vec<(String, bool)> {
    ids.iter().map(|(id, direct)| ((*id).to_owned(), *direct)).collect()
}

#[test]
fn it_goes_with_its_result_and_its_key_stays() {
    let folder = Folder::new();
    let mut store = folder.open();
    let first = seq(one(&mut store, accept(keyed(direct("a"))), NOW));
    assert!(queued(&mut store).is_empty(), "nobody else begins it");
    assert!(store.accounts().unwrap().is_empty());
    assert!(store.unfinished("ff", 0, 9).unwrap().is_empty());
    assert!(folder.rows().is_empty(), "people do not see it");
    assert_eq!(store.count(), (1, 1));
    let follows = one(&mut store, accept(keyed(message("b"))), NOW);
    assert!(matches!(follows, Applied::Accepted { turn: None, follows: true, .. }), "{follows:?}");
    one(&mut store, accept(keyed(direct("c"))), NOW);
    one(&mut store, begin(first, 1, NOW, None), NOW);
    let Applied::Done { followers, .. } = one(&mut store, finish(first, Delivery::Sent), NOW)
    else {
        panic!("not done")
    };
    let told: Vec<_> = followers.into_iter().map(|Follower { id, .. }| id).collect();
    assert_eq!(told, ["b", "c"]);
    assert_eq!(store.count(), (1, 0));
    assert_eq!(folder.states(), [("b".to_owned(), "done")]);
    let known = one(&mut store, accept(keyed(direct("d"))), NOW + DAY);
    assert_eq!(known, Applied::Known { seq: 0, verdict: verdict(Delivery::Sent) });
    let other = Accept { key: Some(("k".into(), [2; 32].into())), ..direct("e") };
    assert_eq!(one(&mut store, accept(other), NOW), Applied::Conflict);
    assert_eq!(store.count(), (1, 0), "neither has a row");
    drop(store);
    assert_eq!(folder.open().count(), (1, 0));
}

#[test]
fn it_is_called_in_its_turn_and_so_is_what_it_waits_for() {
    let folder = Folder::new();
    let mut store = folder.open();
    let first = seq(one(&mut store, accept(ordered(message("a"))), NOW));
    one(&mut store, accept(ordered(message("b"))), NOW);
    one(&mut store, accept(keyed(ordered(message("c")))), NOW);
    assert!(called(&mut store).is_empty(), "nobody waits");
    one(&mut store, accept(ordered(direct("d"))), NOW);
    one(&mut store, accept(keyed(direct("e"))), NOW);
    one(&mut store, accept(message("f")), NOW);
    assert_eq!(called(&mut store), calls(&[("a", false)]), "the first of the line, once");
    one(&mut store, begin(first, 1, NOW, None), NOW);
    assert_eq!(called(&mut store), calls(&[("a", false)]));
    one(&mut store, finish(first, Delivery::Sent), NOW);
    assert_eq!(called(&mut store), calls(&[("b", false)]));
    one(&mut store, finish(2, Delivery::NotSent), NOW);
    assert_eq!(called(&mut store), calls(&[("c", false)]), "the line's first, and the key's");
    one(&mut store, end_alone(3), NOW);
    assert_eq!(called(&mut store), calls(&[("d", true), ("e", true)]));
}

#[test]
fn there_is_always_room_for_it() {
    let folder = Folder::new();
    let options = Options { max_messages: 1, max_bytes: 30, ..OPTIONS };
    let mut store = Sqlite::open(&folder.outbox(), options).unwrap();
    let batch = [
        accept(message("a")),
        accept(message("b")),
        accept(keyed(direct("c"))),
        accept(message("d")),
    ];
    let applied = store.commit(&batch, NOW).unwrap();
    assert!(matches!(applied[1], Applied::Full { .. }), "{applied:?}");
    accepted(applied[2].clone());
    assert!(matches!(applied[3], Applied::Full { .. }), "{applied:?}");
}

#[test]
fn the_next_owner_has_it_only_if_it_was_begun() {
    for begun in [false, true] {
        let folder = Folder::new();
        let mut store = folder.open();
        let first = seq(one(&mut store, accept(keyed(ordered(direct("a")))), NOW));
        one(&mut store, accept(keyed(direct("b"))), NOW);
        one(&mut store, accept(keyed(message("c"))), NOW);
        one(&mut store, accept(ordered(direct("d"))), NOW);
        one(&mut store, accept(ordered(message("e"))), NOW);
        if begun {
            one(&mut store, begin(first, 1, NOW, Some("bytes")), NOW);
        }
        drop(store);

        let mut store = folder.open();
        let left = store.begun().unwrap();
        if !begun {
            assert!(left.is_empty());
            assert_eq!(queued(&mut store), ["c", "e"], "what followed goes on");
            assert_eq!(store.count(), (2, 2));
            continue;
        }
        let told = (left[0].direct, &*left[0].account, left[0].key.as_deref());
        assert_eq!(told, (true, "ff", Some("k")));
        assert!(queued(&mut store).is_empty());
        let Applied::Done { followers, ready, .. } =
            one(&mut store, finish(first, Delivery::MaybeSent), NOW)
        else {
            panic!("not done")
        };
        assert_eq!((followers.len(), ready), (1, vec!["ff".to_owned()]));
        assert_eq!(store.count(), (2, 1));
        let known = one(&mut store, accept(keyed(direct("f"))), NOW);
        assert_eq!(known, Applied::Known { seq: 0, verdict: verdict(Delivery::MaybeSent) });
    }
}

#[test]
fn who_gives_up_leaves_no_hole() {
    let folder = Folder::new();
    let mut store = folder.open();
    one(&mut store, accept(keyed(direct("a"))), NOW);
    one(&mut store, accept(keyed(direct("b"))), NOW);
    one(&mut store, accept(keyed(message("c"))), NOW);
    one(&mut store, drop_row("b"), NOW);
    assert_eq!(one(&mut store, drop_row("a"), NOW), ready_now());
    assert_eq!(queued(&mut store), ["c"]);
    one(&mut store, drop_row("c"), NOW);
    let first = seq(one(&mut store, accept(keyed(direct("d"))), NOW));
    one(&mut store, accept(keyed(direct("e"))), NOW);
    assert_eq!(one(&mut store, end_alone(first), NOW), ready_now());
    assert_eq!(called(&mut store), calls(&[("e", true)]));
    assert_eq!(store.count(), (1, 1));
}

#[test]
fn a_file_of_the_first_version_goes_on() {
    let folder = Folder::new();
    let json = r#"{"v":1,"account":"ff","to":{"user":"u"},"text":"x","key":"k"}"#;
    {
        let conn = rusqlite::Connection::open(folder.outbox()).unwrap();
        schema::migrate(&conn, 0, &schema::STEPS[..1]).unwrap();
        conn.execute_batch(&format!(
            "INSERT INTO messages (seq, state, turn, first_sent_ms, accepted_ms, token, id, account,
                 key, content, message)
             VALUES (1, 0, 1, NULL, 1, 1, 'a', 'ff', 'k', zeroblob(32), CAST('{json}' AS BLOB)),
                    (2, 4, 2, 1, 1, 2, 'b', 'ff', NULL, NULL, x'7b7d');
             INSERT INTO keys (account, key, id, content) VALUES ('ff', 'k', 'a', zeroblob(32));"
        ))
        .unwrap();
    }
    let mut store = folder.open();
    assert_eq!(queued(&mut store), ["a"]);
    assert_eq!(store.begun().unwrap().len(), 1);
    assert_eq!(
        folder.rows().iter().map(|row| row.state).collect::<Vec<_>>(),
        [State::Queued, State::Begun]
    );
    let content = Content::of(&Message::from_json(json).unwrap());
    let follower = Accept { key: Some(("k".into(), content)), ..direct("c") };
    let follows = one(&mut store, accept(follower), NOW);
    assert!(matches!(follows, Applied::Accepted { follows: true, .. }), "{follows:?}");
    assert_eq!(called(&mut store), calls(&[("a", false)]));
}
