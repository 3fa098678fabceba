//! Two messages with one key on one account are one message.

use super::*;
use crate::engine::store::{Follower, StoredResult};

fn keyed(id: &str, content: u8) -> Accept {
    Accept { key: Some(("k".into(), [content; 32].into())), ..message(id) }
}

fn follower(id: &str) -> Follower {
    Follower { id: id.into(), token: u64::MAX - 7 }
}

#[test]
fn the_second_message_of_a_key_follows_the_first() {
    let folder = Folder::new();
    let mut store = folder.open();
    accepted(one(&mut store, accept(keyed("a", 1)), NOW));
    assert_eq!(accepted(one(&mut store, accept(keyed("b", 1)), NOW)).1, None);
    assert_eq!(accepted(one(&mut store, accept(keyed("c", 1)), NOW)).1, None);
    assert_eq!(one(&mut store, accept(keyed("d", 2)), NOW), Applied::Conflict);
    let elsewhere = Accept { account: "wb".into(), ..keyed("e", 2) };
    assert!(accepted(one(&mut store, accept(elsewhere), NOW)).1.is_some(), "keys are an account's");
    assert_eq!(queued(&mut store), ["a"]);
    assert_eq!(store.count(), (4, 4));
    drop(store);

    let mut store = folder.open();
    let Applied::Done { followers, ready, .. } = one(&mut store, finish(1, Delivery::Sent), NOW)
    else {
        panic!("not done")
    };
    assert_eq!(followers, [follower("b"), follower("c")], "who accepted them is gone");
    assert_eq!(ready, [""; 0]);
    assert_eq!(store.count(), (4, 1));
    drop(store);

    let mut store = folder.open();
    let results = store.results(9).unwrap();
    let told: Vec<_> = results.iter().map(|kept| (kept.id.as_str(), kept.follows)).collect();
    assert_eq!(told, [("a", false), ("b", true), ("c", true)]);
    assert!(results.iter().all(|kept| kept.verdict == verdict(Delivery::Sent)));
    one(&mut store, ack("b"), NOW);
    assert_eq!(store.results(9).unwrap().len(), 0, "once");
}

#[test]
fn a_follower_may_end_on_its_own() {
    let folder = Folder::new();
    let mut store = folder.open();
    for id in ["a", "b", "c"] {
        one(&mut store, accept(keyed(id, 1)), NOW);
    }
    assert_eq!(one(&mut store, finish(2, Delivery::NotSent), NOW), done());
    assert_eq!(one(&mut store, drop_row("c"), NOW), done());
    assert_eq!(one(&mut store, finish(1, Delivery::Sent), NOW), done());
    assert!(matches!(one(&mut store, accept(keyed("d", 1)), NOW), Applied::Known { .. }));
}

#[test]
fn a_key_remembers_what_was_sent_or_may_have_been() {
    for delivery in [Delivery::Sent, Delivery::MaybeSent] {
        let folder = Folder::new();
        let mut store = folder.open();
        one(&mut store, accept(keyed("a", 1)), NOW);
        one(&mut store, finish(1, delivery), NOW);
        one(&mut store, ack("a"), NOW);
        drop(store);

        let mut store = folder.open();
        let last = NOW + 7 * DAY - 1;
        assert_eq!(one(&mut store, accept(keyed("b", 2)), last), Applied::Conflict);
        let known = one(&mut store, accept(keyed("c", 1)), last);
        let Applied::Known { seq, verdict: known } = known else { panic!("{known:?}") };
        assert_eq!(known, verdict(delivery));
        assert_eq!(store.count(), (1, 0));
        drop(store);
        let mut store = folder.open();
        let kept = StoredResult {
            seq,
            id: "c".into(),
            token: u64::MAX - 7,
            follows: true,
            own: false,
            verdict: verdict(delivery),
        };
        assert_eq!(store.results(9).unwrap(), [kept]);
        let after = accepted(one(&mut store, accept(keyed("d", 2)), NOW + 7 * DAY));
        assert!(after.1.is_some(), "a key is free after key_days");
    }
}

#[test]
fn an_expired_key_is_free_before_it_is_purged() {
    let folder = Folder::new();
    let mut store = folder.open();
    one(&mut store, accept(keyed("a", 1)), NOW);
    one(&mut store, finish(1, Delivery::Sent), NOW);
    let batch = [accept(keyed("b", 2)), accept(keyed("c", 2))];
    let applied = store.commit(&batch, NOW + 8 * DAY).unwrap();
    assert!(accepted(applied[0].clone()).1.is_some());
    assert_eq!(accepted(applied[1].clone()).1, None);
    assert_eq!(store.ready("ff", 9).unwrap().len(), 1, "and what claims it is not purged");
    assert_eq!(one(&mut store, accept(keyed("d", 1)), NOW + 8 * DAY), Applied::Conflict);
}

#[test]
fn a_refused_message_frees_its_key() {
    let folder = Folder::new();
    let mut store = folder.open();
    one(&mut store, accept(keyed("a", 1)), NOW);
    one(&mut store, accept(keyed("b", 1)), NOW);
    let Applied::Done { followers, .. } = one(&mut store, finish(1, Delivery::NotSent), NOW) else {
        panic!("not done")
    };
    assert_eq!(followers, [follower("b")]);
    assert!(accepted(one(&mut store, accept(keyed("c", 2)), NOW)).1.is_some());
    // A retried message has no right to a key that is another's by now.
    assert_eq!(one(&mut store, retry("a"), NOW), Applied::Conflict);
    assert_eq!(store.count(), (3, 1));
    one(&mut store, drop_row("c"), NOW);
    assert!(accepted(one(&mut store, retry("a"), NOW)).1.is_some());
    assert_eq!(accepted(one(&mut store, retry("b"), NOW)).1, None, "it follows again");
}

#[test]
fn a_doubt_that_is_retried_has_its_key_again() {
    let folder = Folder::new();
    let mut store = folder.open();
    one(&mut store, accept(keyed("a", 1)), NOW);
    one(&mut store, finish(1, Delivery::MaybeSent), NOW);
    one(&mut store, accept(keyed("b", 1)), NOW);
    let known = one(&mut store, retry("b"), NOW);
    assert!(matches!(known, Applied::Known { .. }), "the doubt is not its own: {known:?}");
    assert_eq!(store.count(), (2, 0));
    let (seq, turn) = accepted(one(&mut store, retry("a"), NOW));
    assert!(turn.is_some());
    assert_eq!(accepted(one(&mut store, retry("b"), NOW)).1, None);
    let Applied::Done { followers, .. } = one(&mut store, finish(seq, Delivery::Sent), NOW) else {
        panic!("not done")
    };
    assert_eq!(followers, [follower("b")]);
}

#[test]
fn the_oldest_follower_takes_the_place_of_a_dropped_message() {
    let folder = Folder::new();
    let mut store = folder.open();
    for id in ["a", "b", "c"] {
        one(&mut store, accept(keyed(id, 1)), NOW);
    }
    assert_eq!(one(&mut store, drop_row("a"), NOW), ready_now());
    assert_eq!(queued(&mut store), ["b"]);
    let Applied::Done { followers, .. } = one(&mut store, finish(2, Delivery::NotSent), NOW) else {
        panic!("not done")
    };
    assert_eq!(followers, [follower("c")]);
    one(&mut store, accept(keyed("d", 2)), NOW);
    assert_eq!(one(&mut store, drop_row("d"), NOW), done());
    assert!(accepted(one(&mut store, accept(keyed("e", 3)), NOW)).1.is_some());
}

#[test]
fn the_oldest_follower_takes_the_place_of_one_that_ended_for_itself() {
    let folder = Folder::new();
    let mut store = folder.open();
    for id in ["a", "b", "c"] {
        one(&mut store, accept(keyed(id, 1)), NOW);
    }
    assert_eq!(one(&mut store, end_alone(2), NOW), done(), "one that follows is missed by nobody");
    one(&mut store, accept(keyed("d", 1)), NOW);
    assert_eq!(one(&mut store, end_alone(1), NOW), ready_now());
    assert_eq!(queued(&mut store), ["c"]);
    assert_eq!(one(&mut store, accept(keyed("e", 2)), NOW), Applied::Conflict);
    assert_eq!(store.count(), (4, 2));
    drop(store);

    let mut store = folder.open();
    let told: Vec<_> = store.results(9).unwrap().into_iter().map(|kept| kept.id).collect();
    assert_eq!(told, ["a", "b"]);
    let Applied::Done { followers, .. } = one(&mut store, finish(3, Delivery::Sent), NOW) else {
        panic!("not done")
    };
    assert_eq!(followers, [follower("d")]);
    let (seq, _) = accepted(one(&mut store, accept(keyed("f", 1)), NOW + 8 * DAY));
    assert_eq!(one(&mut store, end_alone(seq), NOW), done());
    assert!(accepted(one(&mut store, accept(keyed("g", 2)), NOW)).1.is_some(), "the key is free");
}
