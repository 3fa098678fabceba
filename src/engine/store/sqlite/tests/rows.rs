//! A message alone: from accept to its end.

use super::*;
use crate::engine::store::{Ready, State, StoredResult};

#[test]
fn an_accepted_message_is_ready_in_its_turn() {
    let folder = Folder::new();
    let mut store = folder.open();
    let other = Accept { account: "wb".into(), ..message("c") };
    let applied =
        store.commit(&[accept(message("a")), accept(other), accept(message("b"))], NOW).unwrap();
    let turns: Vec<Turn> = applied.into_iter().map(|a| accepted(a).1.expect("a turn")).collect();
    assert!(turns.is_sorted());
    assert_eq!(store.accounts().unwrap(), ["ff", "wb"]);
    let ready = store.ready("ff", 10).unwrap();
    let first = Ready {
        has_files: false,
        seq: 1,
        turn: turns[0],
        id: "a".into(),
        token: u64::MAX - 7,
        account: "ff".into(),
        key: None,
        message: b"{\"text\":\"a\"}".to_vec(),
        direct: false,
        follows: false,
        accepted_ms: NOW,
        due_ms: None,
        deadline_ms: None,
        attempts: 0,
        earlier: false,
        begun: None,
        progress: None,
    };
    assert_eq!(ready[0], first);
    assert_eq!(ready[1].id, "b");
    assert_eq!(store.ready("ff", 10).unwrap(), [], "they are in its hands");
    assert_eq!(store.count(), (3, 3));
    drop(store);

    let mut store = folder.open();
    assert_eq!(store.ready("ff", 1).unwrap(), [Ready { earlier: true, ..first }]);
    assert_eq!(store.count(), (3, 3));
    let (seq, turn) = accepted(one(&mut store, accept(message("d")), NOW));
    assert_eq!(turn, Some(seq));
    assert!(turn.unwrap() > turns[2], "no number is used twice");
}

#[test]
fn an_empty_batch_and_a_missing_row_change_nothing() {
    let folder = Folder::new();
    let mut store = folder.open();
    assert_eq!(store.commit(&[], NOW).unwrap(), []);
    let changes = [
        begin(1, 1, NOW, None),
        Change::Ended { seq: 1, attempts: 1, due_ms: None, progress: None },
        finish(1, Delivery::Sent),
        ack("a"),
        retry("a"),
        drop_row("a"),
    ];
    assert!(store.commit(&changes, NOW).unwrap().iter().all(|a| *a == Applied::Missed));
    assert_eq!(store.count(), (0, 0));
}

#[test]
fn a_begun_message_is_told_to_the_next_owner() {
    let folder = Folder::new();
    let mut store = folder.open();
    one(&mut store, accept(message("a")), NOW);
    assert_eq!(one(&mut store, begin(1, 1, NOW + 5, Some("bytes")), NOW), done());
    assert_eq!(queued(&mut store), [""; 0]);
    assert_eq!(store.accounts().unwrap(), [""; 0]);
    assert_eq!(store.begun().unwrap(), [], "this owner knows what it has begun");
    assert_eq!(one(&mut store, begin(1, 2, NOW + 50, Some("bytes")), NOW), done());
    drop(store);

    let mut store = folder.open();
    let begun = store.begun().unwrap().remove(0);
    assert!(begun.earlier);
    let expected = Begin {
        seq: 1,
        first_sent_ms: NOW + 5,
        attempts: 2,
        sender: Some("s".into()),
        body: Some(b"bytes".to_vec()),
        mark: Some("mark".into()),
        progress: None,
    };
    assert_eq!(begun.begun, Some(expected), "the same bytes are as old as when first sent");
    one(&mut store, begin(1, 3, NOW + 500, Some("others")), NOW);
    assert_eq!(store.begun().unwrap(), [], "it is this owner's now");
    drop(store);

    let mut store = folder.open();
    let begun = store.begun().unwrap().remove(0).begun.unwrap();
    assert_eq!((begun.first_sent_ms, begun.attempts), (NOW + 500, 3), "other bytes are new");
    assert_eq!(one(&mut store, finish(1, Delivery::MaybeSent), NOW), done());
    assert_eq!(store.count(), (1, 0));
}

#[test]
fn an_attempt_that_ended_leaves_a_message_that_is_not_begun() {
    let folder = Folder::new();
    let mut store = folder.open();
    let (seq, _) = accepted(one(&mut store, accept(message("a")), NOW));
    assert_eq!(
        one(&mut store, Change::Ended { seq, attempts: 1, due_ms: None, progress: None }, NOW),
        Applied::Missed
    );
    one(&mut store, begin(seq, 1, NOW, Some("bytes")), NOW);
    let ended = Change::Ended { seq, attempts: 1, due_ms: Some(NOW + 5), progress: None };
    assert_eq!(one(&mut store, ended, NOW), done());
    assert_eq!(store.ready("ff", 9).unwrap(), [], "it is still in its hands");
    drop(store);

    let mut store = folder.open();
    assert_eq!(store.begun().unwrap(), []);
    let ready = store.ready("ff", 9).unwrap().remove(0);
    assert_eq!((ready.attempts, ready.begun, ready.due_ms), (1, None, Some(NOW + 5)));
    one(&mut store, begin(seq, 2, NOW + 9, Some("bytes")), NOW);
    drop(store);
    let begun = folder.open().begun().unwrap().remove(0).begun.unwrap();
    assert_eq!(begun.first_sent_ms, NOW + 9, "of the bytes before nothing arrived");
}

#[test]
fn a_result_is_kept_until_it_is_acknowledged() {
    let folder = Folder::new();
    let mut store = folder.open();
    for id in ["sent", "maybe", "not"] {
        one(&mut store, accept(message(id)), NOW);
    }
    one(&mut store, finish(1, Delivery::Sent), NOW);
    one(&mut store, finish(2, Delivery::MaybeSent), NOW);
    assert_eq!(one(&mut store, finish(2, Delivery::Sent), NOW), Applied::Missed, "one result");
    assert_eq!(one(&mut store, begin(2, 1, NOW, None), NOW), Applied::Missed);
    assert_eq!(one(&mut store, ack("not"), NOW), Applied::Missed, "it has no result");
    assert_eq!(store.results(9).unwrap(), [], "this member hands out its own results");
    drop(store);

    let mut store = folder.open();
    assert_eq!(store.ready("ff", 9).unwrap().len(), 1);
    one(&mut store, finish(3, Delivery::NotSent), NOW);
    let kept = |seq, id: &str, delivery| StoredResult {
        seq,
        id: id.into(),
        token: u64::MAX - 7,
        follows: false,
        own: false,
        verdict: verdict(delivery),
    };
    let (sent, maybe) = (kept(1, "sent", Delivery::Sent), kept(2, "maybe", Delivery::MaybeSent));
    assert_eq!(store.results(1).unwrap(), [sent]);
    assert_eq!(store.results(9).unwrap(), [maybe]);
    assert_eq!(store.results(9).unwrap(), []);
    assert_eq!(store.count(), (3, 0));
    for id in ["sent", "maybe", "not"] {
        assert_eq!(one(&mut store, ack(id), NOW), done());
        assert_eq!(one(&mut store, ack(id), NOW), Applied::Missed);
    }
    assert_eq!(store.count(), (0, 0));
    let rows = folder.rows();
    assert_eq!(rows.len(), 2, "what was sent is gone");
    assert!(rows.iter().all(|row| row.state == State::Dead));
    assert_eq!(rows[0].verdict, Some(verdict(Delivery::MaybeSent)), "with its history");
    assert_eq!(folder.open_beside("not").unwrap().verdict, Some(verdict(Delivery::NotSent)));
    assert_eq!(folder.open_beside("sent"), None);
}

impl Folder {
    fn open_beside(&self, id: &str) -> Option<Listed> {
        Sqlite::read_only(&self.outbox()).unwrap().row(id).unwrap()
    }
}

#[test]
fn a_message_may_come_with_its_result() {
    let folder = Folder::new();
    let mut store = folder.open();
    let refused = Accept {
        result: Some(verdict(Delivery::NotSent)),
        key: Some(("k".into(), [1; 32].into())),
        line: Some("l".into()),
        ..message("a")
    };
    assert_eq!(accepted(one(&mut store, accept(refused), NOW)).1, None);
    assert_eq!(store.count(), (1, 0));
    let next =
        Accept { key: Some(("k".into(), [2; 32].into())), line: Some("l".into()), ..message("b") };
    assert!(accepted(one(&mut store, accept(next), NOW)).1.is_some(), "neither key nor line");
    drop(store);
    assert_eq!(folder.open().results(9).unwrap()[0].id, "a");
}

#[test]
fn a_scheduled_message_is_queued_when_it_is_due() {
    let folder = Folder::new();
    let mut store = folder.open();
    for (id, due) in [("late", NOW + 20), ("soon", NOW + 10), ("past", NOW - 10)] {
        one(&mut store, accept(Accept { due_ms: Some(due), ..message(id) }), NOW);
    }
    assert_eq!(queued(&mut store), ["past"]);
    assert_eq!(store.release(NOW + 9).unwrap(), (vec![], Some(NOW + 10)));
    drop(store);

    let mut store = folder.open();
    one(&mut store, accept(message("new")), NOW);
    assert_eq!(store.release(NOW + 10).unwrap(), (vec!["ff".into()], Some(NOW + 20)));
    assert_eq!(queued(&mut store), ["past", "new", "soon"], "its turn begins when it is due");
    assert_eq!(store.ready("ff", 9).unwrap().len(), 3);
    assert_eq!(one(&mut store, drop_row("late"), NOW), done());
    assert_eq!(store.release(NOW + 99).unwrap(), (vec![], None));
}

#[test]
fn many_that_are_due_are_queued_in_several_bites() {
    let folder = Folder::new();
    let mut store = folder.open();
    let many: Vec<Change> = (0..super::super::RELEASED_AT_ONCE + 1)
        .map(|n| accept(Accept { due_ms: Some(NOW + 1), ..message(&n.to_string()) }))
        .collect();
    store.commit(&many, NOW).unwrap();
    assert_eq!(store.release(NOW + 5).unwrap(), (vec!["ff".into()], Some(NOW + 1)));
    assert_eq!(store.release(NOW + 5).unwrap(), (vec!["ff".into()], None));
    assert_eq!(store.ready("ff", usize::MAX).unwrap().len(), many.len());
}

#[test]
fn a_deadline_is_known_until_the_message_is_begun() {
    let folder = Folder::new();
    let mut store = folder.open();
    for (id, deadline, due) in [("a", 30, None), ("b", 20, Some(NOW + 90)), ("c", 10, None)] {
        let deadline_ms = Some(NOW + deadline);
        one(&mut store, accept(Accept { deadline_ms, due_ms: due, ..message(id) }), NOW);
    }
    let ids = |rows: Vec<Ready>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(store.next_deadline().unwrap(), Some(NOW + 10));
    let overdue = store.overdue(NOW + 20, 9).unwrap();
    assert_eq!(overdue[1].turn, 0, "it waits for its time");
    assert_eq!(ids(overdue), ["c", "b"]);
    assert_eq!(ids(store.overdue(NOW + 20, 9).unwrap()), [""; 0], "they are in its hands");
    one(&mut store, begin(3, 1, NOW, None), NOW);
    assert_eq!(ids(store.overdue(NOW + 99, 9).unwrap()), ["a"]);
    assert_eq!(one(&mut store, finish(2, Delivery::NotSent), NOW), done());
    assert_eq!(store.next_deadline().unwrap(), Some(NOW + 30));
    one(&mut store, finish(1, Delivery::NotSent), NOW);
    assert_eq!(store.next_deadline().unwrap(), None);
    assert_eq!(store.release(NOW + 99).unwrap(), (vec![], None), "what is done is not due");
}

#[test]
fn a_retried_message_is_as_if_it_had_just_come() {
    let folder = Folder::new();
    let mut store = folder.open();
    let deadline_ms = Some(NOW + 100);
    one(&mut store, accept(Accept { deadline_ms, ..message("a") }), NOW);
    assert_eq!(one(&mut store, retry("a"), NOW), Applied::Missed, "it is on its way");
    one(&mut store, begin(1, 3, NOW, Some("bytes")), NOW);
    assert_eq!(one(&mut store, retry("a"), NOW), Applied::Missed, "it is on its way");
    one(&mut store, finish(1, Delivery::MaybeSent), NOW);
    one(&mut store, accept(message("b")), NOW);
    one(&mut store, ack("a"), NOW);
    assert_eq!(store.count(), (1, 1));
    drop(store);

    let mut store = folder.open();
    let later = NOW + DAY;
    let (seq, _) = accepted(one(&mut store, retry("a"), later));
    assert_eq!(store.count(), (2, 2));
    assert_eq!(queued(&mut store), ["b", "a"]);
    let ready = store.ready("ff", 9).unwrap().remove(1);
    assert_eq!((ready.seq, ready.attempts, ready.earlier), (seq, 0, true));
    assert_eq!((ready.accepted_ms, ready.deadline_ms), (later, Some(later + 100)));
    assert_eq!(store.next_deadline().unwrap(), Some(later + 100));
    one(&mut store, finish(seq, Delivery::NotSent), later);
    accepted(one(&mut store, retry("a"), later));
    assert_eq!(store.count(), (2, 2), "a result that nobody took goes, too");
    drop(store);
    let mut store = folder.open();
    assert_eq!(store.results(9).unwrap(), []);
    assert_eq!(store.begun().unwrap(), []);
    one(&mut store, finish(2, Delivery::Sent), later);
    assert_eq!(one(&mut store, retry("b"), later), Applied::Missed, "what was sent stays sent");
}

#[test]
fn what_is_not_begun_can_be_dropped() {
    let folder = Folder::new();
    let mut store = folder.open();
    for id in ["queued", "begun", "done", "dead"] {
        one(&mut store, accept(message(id)), NOW);
    }
    one(&mut store, begin(2, 1, NOW, None), NOW);
    one(&mut store, finish(3, Delivery::NotSent), NOW);
    one(&mut store, finish(4, Delivery::NotSent), NOW);
    one(&mut store, ack("dead"), NOW);
    assert_eq!(one(&mut store, drop_row("begun"), NOW), Applied::Missed);
    for id in ["queued", "done", "dead"] {
        assert_eq!(one(&mut store, drop_row(id), NOW), done());
    }
    assert_eq!(store.count(), (1, 1));
    assert_eq!(folder.states(), [("begun".into(), "begun")]);
}

#[test]
fn the_bounds_are_exact() {
    let folder = Folder::new();
    let length = message("a").message.len() as u64;
    let receipt = verdict(Delivery::NotSent).receipt.len() as u64;
    let options = Options { max_messages: 2, max_bytes: 2 * length, ..OPTIONS };
    let mut store = Sqlite::open(&folder.outbox(), options).unwrap();
    let messages = Applied::Full { what: "max_messages", most: 2 };
    let bytes = Applied::Full { what: "max_bytes", most: 2 * length };
    let long = Accept { message: vec![b'x'; length as usize + 1], ..message("b") };
    let applied = store.commit(&[message("a"), long, message("b")].map(accept), NOW).unwrap();
    assert_eq!(applied[1..], [bytes.clone(), bytes.clone()], "none overtakes one that is refused");
    let applied = store.commit(&[message("b"), message("c")].map(accept), NOW).unwrap();
    assert_eq!(applied[1], messages);
    assert_eq!(store.count(), (2, 2));
    one(&mut store, finish(1, Delivery::NotSent), NOW);
    one(&mut store, ack("a"), NOW);
    one(&mut store, finish(2, Delivery::NotSent), NOW);
    assert_eq!(one(&mut store, accept(message("c")), NOW), bytes, "a result has a length, too");
    drop(store);

    let options = Options { max_bytes: 2 * length + receipt, ..options };
    let mut store = Sqlite::open(&folder.outbox(), options).unwrap();
    accepted(one(&mut store, accept(message("c")), NOW));
    assert_eq!(one(&mut store, retry("a"), NOW), messages, "a dead letter does not count");
    one(&mut store, ack("b"), NOW);
    accepted(one(&mut store, retry("a"), NOW));
}

#[test]
fn dead_letters_go_in_their_time_and_in_bites() {
    let folder = Folder::new();
    let mut store = folder.open();
    let ids: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let changes: Vec<Change> = ids
        .iter()
        .map(|id| Accept { result: Some(verdict(Delivery::NotSent)), ..message(id) })
        .map(accept)
        .collect();
    store.commit(&changes, NOW).unwrap();
    store.commit(&ids.iter().map(|id| ack(id)).collect::<Vec<_>>(), NOW).unwrap();
    one(&mut store, ack("nobody"), NOW + 7 * DAY - 1);
    assert_eq!(folder.rows().len(), 100);
    drop(store);
    let mut store = folder.open();
    one(&mut store, ack("nobody"), NOW + 7 * DAY);
    assert_eq!(folder.rows().len(), 36, "no commit pays for all");
    one(&mut store, ack("nobody"), NOW);
    assert_eq!(folder.rows().len(), 36, "a clock that goes backwards keeps more");
    one(&mut store, ack("nobody"), NOW + 7 * DAY);
    assert_eq!(folder.rows().len(), 0);
}

#[test]
fn how_far_a_message_has_come_is_kept_until_its_result_is() {
    let folder = Folder::new();
    let mut store = folder.open();
    one(&mut store, accept(message("a")), NOW);
    let progress = |words: &str| Some(words.as_bytes().to_vec());
    let began = |words: Option<&str>| {
        let Change::Begin(begin) = begin(1, 1, NOW, None) else { panic!("it begins") };
        Change::Begin(Box::new(Begin { progress: words.and_then(progress), ..*begin }))
    };
    let ended = |words: Option<&str>| Change::Ended {
        seq: 1,
        attempts: 1,
        due_ms: None,
        progress: words.and_then(progress),
    };
    for (change, kept) in [
        (began(Some("one")), "one"),
        (ended(Some("two")), "two"),
        (began(None), "two"),
        (began(Some("three")), "three"),
        (ended(None), "three"),
    ] {
        one(&mut store, change, NOW);
        drop(store);
        store = folder.open();
        let row = match store.begun().unwrap().pop() {
            Some(row) => row,
            None => store.ready("ff", 9).unwrap().remove(0),
        };
        assert_eq!(row.progress, progress(kept));
    }
    // What is queued again goes on from its result, of which a part may have been sent.
    let partly = verdict(Delivery::PartlySent);
    one(&mut store, Change::Finish { seq: 1, verdict: partly.clone(), alone: false }, NOW);
    one(&mut store, Change::Ack { id: "a".into() }, NOW);
    accepted(one(&mut store, retry("a"), NOW));
    assert_eq!(store.ready("ff", 9).unwrap().remove(0).progress, Some(partly.receipt));
}
