//! Ordered messages: only the first of a line is ready.

use super::*;

fn ordered(id: &str) -> Accept {
    Accept { line: Some("to".into()), ..message(id) }
}

#[test]
fn only_the_first_of_a_line_is_ready() {
    let folder = Folder::new();
    let mut store = folder.open();
    assert!(accepted(one(&mut store, accept(ordered("a")), NOW)).1.is_some());
    for id in ["b", "c"] {
        assert_eq!(accepted(one(&mut store, accept(ordered(id)), NOW)).1, None);
    }
    let other = Accept { line: Some("other".into()), ..message("d") };
    assert!(accepted(one(&mut store, accept(other), NOW)).1.is_some());
    assert_eq!(queued(&mut store), ["a", "d"]);
    one(&mut store, begin(1, 1, NOW, None), NOW);
    assert_eq!(queued(&mut store), ["d"]);
    drop(store);

    let mut store = folder.open();
    assert_eq!(one(&mut store, finish(1, Delivery::NotSent), NOW), ready_now());
    assert_eq!(queued(&mut store), ["d", "b"]);
    // One from the middle goes: the first is who it was.
    assert_eq!(one(&mut store, finish(3, Delivery::NotSent), NOW), done());
    assert_eq!(
        one(&mut store, accept(ordered("e")), NOW),
        Applied::Accepted { seq: store.ledger.next - 1, turn: None, follows: false }
    );
    assert_eq!(one(&mut store, drop_row("b"), NOW), ready_now());
    assert_eq!(queued(&mut store), ["d", "e"]);
}

#[test]
fn whoever_waits_for_its_time_holds_its_line() {
    let folder = Folder::new();
    let mut store = folder.open();
    one(&mut store, accept(ordered("a")), NOW);
    one(&mut store, accept(Accept { due_ms: Some(NOW + 50), ..ordered("b") }), NOW);
    one(&mut store, accept(ordered("c")), NOW);
    assert_eq!(store.release(NOW + 9).unwrap(), (vec![], None), "it waits for its line first");
    let due = Applied::Done { followers: vec![], ready: vec![], due_ms: Some(NOW + 50) };
    assert_eq!(one(&mut store, finish(1, Delivery::Sent), NOW + 9), due);
    assert_eq!(queued(&mut store), [""; 0]);
    assert_eq!(store.release(NOW + 50).unwrap(), (vec!["ff".into()], None));
    assert_eq!(queued(&mut store), ["b"]);
    assert_eq!(one(&mut store, finish(2, Delivery::Sent), NOW + 60), ready_now());
    assert_eq!(queued(&mut store), ["c"]);
}

#[test]
fn whose_time_came_while_it_was_in_line_is_ready_at_once() {
    let folder = Folder::new();
    let mut store = folder.open();
    one(&mut store, accept(ordered("a")), NOW);
    one(&mut store, accept(Accept { due_ms: Some(NOW + 50), ..ordered("b") }), NOW);
    assert_eq!(one(&mut store, finish(1, Delivery::Sent), NOW + 50), ready_now());
    assert_eq!(store.release(NOW + 50).unwrap(), (vec![], None));
}

#[test]
fn a_retried_message_goes_to_the_end_of_its_line() {
    let folder = Folder::new();
    let mut store = folder.open();
    for id in ["a", "b", "c"] {
        one(&mut store, accept(ordered(id)), NOW);
    }
    one(&mut store, finish(1, Delivery::NotSent), NOW);
    assert_eq!(accepted(one(&mut store, retry("a"), NOW)).1, None);
    one(&mut store, finish(2, Delivery::Sent), NOW);
    assert_eq!(queued(&mut store), ["c"]);
    assert_eq!(one(&mut store, finish(3, Delivery::Sent), NOW), ready_now());
    assert_eq!(queued(&mut store), ["a"]);
}

#[test]
fn a_follower_stands_in_no_line_until_it_leads() {
    let folder = Folder::new();
    let mut store = folder.open();
    let keyed = |id: &str| Accept { key: Some(("k".into(), [1; 32].into())), ..ordered(id) };
    one(&mut store, accept(keyed("a")), NOW);
    one(&mut store, accept(keyed("b")), NOW);
    one(&mut store, accept(ordered("c")), NOW);
    assert_eq!(one(&mut store, drop_row("a"), NOW), ready_now());
    assert_eq!(queued(&mut store), ["c"]);
    assert_eq!(folder.states()[0], ("b".into(), "in_line"));
    assert_eq!(one(&mut store, finish(3, Delivery::Sent), NOW), ready_now());
    assert_eq!(queued(&mut store), ["b"]);
}
