//! Several queues of one client: each has its own results, and one's end is nobody else's.

use super::*;

#[test]
fn each_queue_gets_its_own_and_in_order() {
    explore(|| {
        let world = World::default();
        let (one, two) = (world.open(), world.open());
        let of_one = world.spawn({
            let one = Arc::clone(&one);
            move |_| drain_of(&one, 2)
        });
        let of_two = world.spawn({
            let two = Arc::clone(&two);
            move |_| drain_of(&two, 1)
        });
        let pushers = [(0, true), (10, false)].map(|(first, stage)| {
            let (one, two) = (Arc::clone(&one), Arc::clone(&two));
            world.spawn(move |world| {
                world.send_to(&one, first, stage);
                world.send(first + 1, stage);
                world.send_to(&two, first + 2, stage);
                world.send_to(&one, first + 3, stage);
            })
        });
        let parking = world.spawn(|world| world.sends.publish());
        join_all(pushers);
        world.close();
        let (mut of_one, mut of_two, mut own) = (join(of_one), join(of_two), world.drain(3));
        for pusher in [0..10, 10..20] {
            assert!(
                of_one.iter().filter(|token| pusher.contains(*token)).is_sorted(),
                "{of_one:?}"
            );
        }
        for tokens in [&mut of_one, &mut of_two, &mut own] {
            tokens.sort_unstable();
        }
        assert_eq!((of_one, of_two, own), (vec![0, 3, 10, 13], vec![2, 12], vec![1, 11]));
        join(parking);
        world.check_end();
    });
}

#[test]
fn an_interrupt_is_of_one_queue_and_is_kept_for_it() {
    explore(|| {
        let world = World::default();
        let queue = world.open();
        let other = world.spawn(|world| world.take(None));
        let waiter = world.spawn({
            let queue = Arc::clone(&queue);
            move |_| [0; 2].map(|_| take_of(&queue, None))
        });
        queue.interrupt();
        world.send_to(&queue, 7, false);
        let mut taken = join(waiter);
        taken.sort_unstable();
        assert_eq!(taken, [None, Some(7)]);
        world.send(8, false);
        assert_eq!(join(other), Some(8), "nobody interrupted this one");
        world.check_end();
    });
}

#[test]
fn a_queue_that_is_freed_drops_what_is_there_and_what_comes() {
    explore(|| {
        let world = World::default();
        let queue = world.open();
        let waiter = world.spawn({
            let queue = Arc::clone(&queue);
            move |_| match queue.wait(None, 1) {
                Ok(Waited::Results(receipts)) => receipts.len(),
                Ok(Waited::Nothing) => panic!("nobody interrupted and no time ran out"),
                Err(error) => {
                    assert_eq!(error.code(), ErrorCode::Closed);
                    0
                }
            }
        });
        let pushers = [true, false].map(|stage| {
            let queue = Arc::clone(&queue);
            world.spawn(move |world| (0..2).for_each(|token| world.send_to(&queue, token, stage)))
        });
        let own = world.spawn(|world| world.send(9, true));
        queue.free();
        // What the host's queue does as well: what is staged leaves its place at once.
        world.sends.publish();
        assert!(join(waiter) <= 1);
        join_all(pushers);
        join(own);
        world.sends.publish();
        assert_eq!(queue.ready(), 0);
        assert_eq!(world.taken.load(Ordering::SeqCst), 1, "the places of the freed queue are free");
        world.close();
        assert_eq!(world.drain(9), [9], "nobody else's went");
        world.check_end();
    });
}

#[test]
fn a_queue_outlives_its_client_and_gives_what_waits() {
    explore(|| {
        let world = World::default();
        let queue = world.open();
        let opener = world.spawn(|world| match world.sends.open() {
            // It was in time, and learns of the end.
            Ok(late) => assert!(drain_of(&late, 1).is_empty()),
            Err(error) => assert_eq!(error.code(), ErrorCode::Closed),
        });
        let waiter = world.spawn({
            let queue = Arc::clone(&queue);
            move |_| drain_of(&queue, 1)
        });
        let (slot, unfinished) = world.accept();
        let pusher = world.spawn({
            let queue = Arc::clone(&queue);
            move |_| unfinished.push(receipt(3), slot, Some(queue), true)
        });
        world.close();
        world.sends.free();
        assert_eq!(join(waiter), [3]);
        join(opener);
        join(pusher);
        assert!(world.sends.open().is_err());
        world.check_end();
    });
}
