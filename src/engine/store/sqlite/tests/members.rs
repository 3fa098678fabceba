//! Many members of one file: what is in whose hands, whose the results are, and what becomes of leases.

use std::cell::Cell;
use std::collections::HashSet;

use super::*;
use crate::engine::store::{News, RateLimit};

thread_local! {
    /// The clock by which the leases of a test end.
    static NOW_TICKS: Cell<u64> = const { Cell::new(0) };
}

fn test_ticks() -> u64 {
    NOW_TICKS.get()
}

fn pass(time: Duration) {
    NOW_TICKS.set(NOW_TICKS.get() + u64::try_from(time.as_millis()).unwrap());
}

const MEMBER: Options<'_> = Options { ticks: test_ticks, ..OPTIONS };

fn member(folder: &Folder) -> Sqlite {
    Sqlite::open(&folder.outbox(), MEMBER).unwrap()
}

fn attend(store: &mut Sqlite) -> News {
    store.attend(&HashSet::new()).unwrap()
}

fn ids(rows: Vec<crate::engine::store::Ready>) -> Vec<String> {
    rows.into_iter().map(|row| row.id).collect()
}

fn ready(store: &mut Sqlite, most: usize) -> Vec<String> {
    ids(store.ready("ff", most).unwrap())
}

/// The tokens are all the same; the ids of what is handed out, and whether this member accepted it.
fn results(store: &mut Sqlite) -> Vec<(String, bool)> {
    store.results(9).unwrap().into_iter().map(|row| (row.id, row.own)).collect()
}

#[test]
fn what_is_in_the_hands_of_one_no_other_gets() {
    let folder = Folder::new();
    let mut first = member(&folder);
    for id in ["a", "b", "c", "d"] {
        one(&mut first, accept(message(id)), NOW);
    }
    attend(&mut first);
    assert_eq!(ready(&mut first, 1), ["a"]);
    let mut second = member(&folder);
    assert_eq!(ready(&mut second, 9), [""; 0], "the first may hold more than it has written down");
    assert!(attend(&mut first).work, "it was called");
    assert!(attend(&mut second).work, "and calls back");
    assert_eq!(ready(&mut second, 2), ["b", "c"]);
    assert_eq!(ready(&mut first, 9), ["d"]);
    assert_eq!((ready(&mut first, 9), ready(&mut second, 9)), (vec![], vec![]));

    assert_eq!(one(&mut second, begin(1, 1, NOW, None), NOW), Applied::Missed, "not its own");
    assert_eq!(one(&mut second, finish(1, Delivery::Sent), NOW), Applied::Missed);
    assert_eq!(one(&mut first, begin(1, 1, NOW, None), NOW), done());
    one(&mut second, Change::Free { seq: 3 }, NOW);
    assert!(attend(&mut first).work);
    assert_eq!(ready(&mut first, 9), ["c"]);
    drop(second);
    assert!(attend(&mut first).work);
    assert_eq!(ready(&mut first, 9), ["b"], "who leaves gives back what he held");
}

#[test]
fn numbers_and_bounds_are_those_of_all_members_together() {
    let folder = Folder::new();
    let options = Options { max_messages: 3, ..MEMBER };
    let mut stores: Vec<_> =
        (0..2).map(|_| Sqlite::open(&folder.outbox(), options).unwrap()).collect();
    let mut seqs = HashSet::new();
    for n in 0..3 {
        let applied = one(&mut stores[n % 2], accept(message(&n.to_string())), NOW);
        assert!(seqs.insert(accepted(applied).0));
    }
    for store in &mut stores {
        let full = one(store, accept(message("x")), NOW);
        assert_eq!(full, Applied::Full { what: "max_messages", most: 3 });
        assert_eq!(store.count(), (3, 3));
    }
    one(&mut stores[1], drop_row("0"), NOW);
    accepted(one(&mut stores[0], accept(message("y")), NOW));
}

#[test]
fn a_result_comes_out_where_its_message_was_accepted_and_only_there() {
    let folder = Folder::new();
    let submits = Options { sends: false, ..MEMBER };
    let mut worker = member(&folder);
    let mut submitter = Sqlite::open(&folder.outbox(), submits).unwrap();
    let mut other = Sqlite::open(&folder.outbox(), Options { owner: "other", ..submits }).unwrap();
    let seq = accepted(one(&mut submitter, accept(message("a")), NOW)).0;
    assert!(attend(&mut worker).work);
    let row = worker.ready("ff", 9).unwrap().pop().unwrap();
    assert!(row.earlier, "another accepted it");
    attend(&mut submitter);
    one(&mut worker, begin(seq, 1, NOW, None), NOW);
    one(&mut worker, finish(seq, Delivery::Sent), NOW);
    assert!(attend(&mut submitter).results);
    assert_eq!((results(&mut other), results(&mut worker)), (vec![], vec![]));
    assert_eq!(results(&mut submitter), [("a".to_owned(), true)]);
    assert_eq!(results(&mut submitter), [], "once");
    for _ in 0..2 {
        pass(Duration::from_secs(16));
        for store in [&mut worker, &mut submitter, &mut other] {
            attend(store);
        }
    }
    assert_eq!(results(&mut other), []);
    assert_eq!(results(&mut submitter), [("a".to_owned(), true)], "again, after the lease");
    drop(submitter);
    assert!(attend(&mut worker).results);
    assert_eq!(results(&mut worker), [("a".to_owned(), false)], "of the same owner");
    one(&mut worker, ack("a"), NOW);
    assert_eq!(worker.count(), (0, 0));
}

#[test]
fn who_is_killed_leaves_a_doubt_and_what_was_not_begun() {
    let folder = Folder::new();
    let (mut first, mut second) = (member(&folder), member(&folder));
    attend(&mut first);
    let held = |id: &str| accept(Accept { held: true, ..message(id) });
    let keyed = Accept { key: Some(("k".into(), [1; 32].into())), ..message("d") };
    for change in [held("a"), held("b"), accept(Accept { direct: true, ..keyed })] {
        one(&mut first, change, NOW);
    }
    let follower = Accept { key: Some(("k".into(), [1; 32].into())), ..message("e") };
    one(&mut second, accept(follower), NOW);
    one(&mut first, begin(1, 1, NOW, Some("bytes")), NOW);
    first.kill();
    attend(&mut second);
    pass(Duration::from_millis(200));
    assert!(attend(&mut second).work, "its process is gone");
    let begun = second.begun().unwrap();
    assert_eq!(ids(begun.clone()), ["a"]);
    assert_eq!(
        begun[0].begun.as_ref().and_then(|begin| begin.body.as_deref()),
        Some(&b"bytes"[..])
    );
    assert!(second.begun().unwrap().is_empty(), "once");
    assert_eq!(ready(&mut second, 9), ["b", "e"], "nobody waits for the first of the key any more");
    assert_eq!(second.count(), (3, 3));
}

#[test]
fn who_is_silent_for_his_lease_loses_what_he_held_and_changes_nothing_more() {
    let folder = Folder::new();
    let (mut first, mut second) = (member(&folder), member(&folder));
    attend(&mut first);
    one(&mut first, accept(Accept { held: true, ..message("a") }), NOW);
    attend(&mut second);
    pass(Duration::from_secs(20));
    attend(&mut second);
    assert_eq!(ready(&mut second, 9), [""; 0], "not yet");
    pass(Duration::from_secs(20));
    assert!(attend(&mut second).work);
    assert_eq!(ready(&mut second, 9), ["a"]);

    fails(first.commit(&[begin(1, 1, NOW, None)], NOW), ErrorCode::Storage, "silent");
    fails(first.commit(&[accept(message("b"))], NOW), ErrorCode::Storage, "silent");
    assert!(attend(&mut first).lost);
    assert_eq!(one(&mut first, begin(1, 1, NOW, None), NOW), Applied::Missed);
    accepted(one(&mut first, accept(message("b")), NOW));
    assert_eq!(one(&mut second, begin(1, 1, NOW, None), NOW), done());
}

#[test]
fn a_rate_holds_over_all_members() {
    let folder = Folder::new();
    let (mut first, mut second) = (member(&folder), member(&folder));
    attend(&mut first);
    pass(Duration::from_secs(1));
    let limit = RateLimit { scope: "s".into(), count: 2, per_ms: 1000 };
    let pace = |id| Change::Pace { id, limits: vec![limit.clone()] };
    let wait = |applied| match applied {
        Applied::Paced { wait } => wait.as_millis(),
        other => panic!("{other:?}"),
    };
    assert_eq!(wait(one(&mut first, pace(1), NOW)), 0);
    assert_eq!(wait(one(&mut second, pace(2), NOW)), 0);
    assert!(wait(one(&mut first, pace(3), NOW)) > 0, "two are under way");
    one(&mut first, Change::Paced { id: 1, went: false }, NOW);
    assert_eq!(wait(one(&mut second, pace(4), NOW)), 0, "one did not go");
    one(&mut second, Change::Paced { id: 2, went: true }, NOW);
    one(&mut second, Change::Paced { id: 4, went: true }, NOW + 400);
    assert_eq!(wait(one(&mut first, pace(5), NOW + 500)), 500);
    assert_eq!(wait(one(&mut first, pace(5), NOW + 1000)), 0);
    // What a member had under way that is gone counts from its end.
    first.kill();
    pass(Duration::from_millis(200));
    attend(&mut second);
    assert!(wait(one(&mut second, pace(6), NOW + 1100)) > 0);
}

#[test]
fn one_that_is_alone_lets_requests_go_before_they_are_written_down() {
    let folder = Folder::new();
    let mut store = member(&folder);
    attend(&mut store);
    let limit = RateLimit { scope: "s".into(), count: 1, per_ms: 1000 };
    let pace = |id| Change::Pace { id, limits: vec![limit.clone()] };
    let go = Applied::Paced { wait: Duration::ZERO };
    let (frames, _) = (store.log_pages.load(Ordering::Relaxed), ());
    assert_eq!(one(&mut store, pace(1), NOW), go);
    assert_eq!(store.log_pages.load(Ordering::Relaxed), frames, "nothing is written");
    assert_ne!(one(&mut store, pace(2), NOW), go, "it counts all the same");
    one(&mut store, accept(message("a")), NOW);
    one(&mut store, Change::Paced { id: 1, went: true }, NOW);
    assert_ne!(one(&mut store, pace(3), NOW + 999), go);
    assert_eq!(one(&mut store, pace(3), NOW + 1000), go);
}

#[test]
fn the_members_of_a_file_are_those_that_live() {
    let folder = Folder::new();
    for _ in 0..3 {
        member(&folder).kill();
    }
    let store = member(&folder);
    let living = "SELECT count(*) FROM members WHERE gone = 0";
    assert_eq!(crate::engine::store::sqlite::by_hand::ask(&folder.outbox(), living), 1);
    let all = "SELECT count(*) FROM members";
    assert_eq!(crate::engine::store::sqlite::by_hand::ask(&folder.outbox(), all), 1);
    drop(store);
}
