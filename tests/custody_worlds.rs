//! Custody in random worlds: members of one outbox are killed between any two of their calls, stop for longer than
//! their lease and come back, join and leave, each by a clock of its own, and somebody sets the calendar of all.
//! Messages expire, are cancelled and taken out, and callers wait for some. A seed decides everything.
//!
//! `HY_SEEDS=2000` sets how many worlds there are, `HY_SEED=n` replays one.

#![cfg(all(feature = "outbox", feature = "testing"))]

#[path = "worlds/caller.rs"]
mod caller;
#[path = "worlds/member.rs"]
mod member;
#[path = "worlds/model.rs"]
mod model;
#[path = "worlds/ties.rs"]
mod ties;

use std::path::PathBuf;

use fastrand::Rng;

use member::Member;
use model::{LEASE_MS, Model, WINDOW};

/// Calls of the store in each world.
const STEPS: usize = 900;

/// Members at once.
const MOST: usize = 4;

/// A folder for the outbox of a world; in memory, where the system has such a place.
struct Folder(PathBuf);

impl Folder {
    fn new(seed: u64) -> Folder {
        let memory = PathBuf::from("/dev/shm");
        let place = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let path = place.join(format!("hongyan-world-{}-{seed}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What came of a world: messages, doubts, members that came back too late.
fn world(seed: u64) -> (usize, usize, usize) {
    let (folder, mut rng, mut model) = (Folder::new(seed), Rng::with_seed(seed), Model::default());
    let path = folder.0.join("outbox.db");
    let mut members = vec![Member::open(&path, None, &mut rng, &mut model)];
    for _ in 0..STEPS {
        match rng.u32(0..100) {
            0..30 => model.pass(rng.u64(0..LEASE_MS / 12)),
            30 | 31 if members.len() < MOST => {
                members.push(Member::open(&path, None, &mut rng, &mut model));
            }
            32 if members.len() > 1 => {
                let victim = rng.usize(0..members.len());
                members.swap_remove(victim).go(rng.u32(0..3) > 0, &mut model);
            }
            33 => {
                let victim = rng.usize(0..members.len());
                members[victim].stopped_until = model.now + rng.u64(LEASE_MS / 4..3 * LEASE_MS);
            }
            34 => {
                let most = 4 * LEASE_MS as i64;
                model.set(rng.i64(-most..most));
            }
            _ => {
                let who = rng.usize(0..members.len());
                if members[who].stopped_until <= model.now {
                    members[who].step(&mut rng, &mut model);
                }
            }
        }
    }
    // All are gone, and for each owner one comes that does what there is to do.
    members.into_iter().for_each(|member| member.go(rng.bool(), &mut model));
    let mut heirs = ["", "b"].map(|owner| Member::open(&path, Some(owner), &mut rng, &mut model));
    model.all_that_went_have_ended();
    for round in 0.. {
        heirs.iter_mut().for_each(|heir| heir.work(&mut rng, &mut model));
        model.pass(LEASE_MS / 4);
        if model.unfinished().is_empty() {
            break;
        }
        assert!(round < 300, "these have no result: {:#?}", model.unfinished());
    }
    let [mut heir, other] = heirs;
    if rng.bool() {
        other.go(false, &mut model);
    }
    a_window_ends(&mut heir, &mut rng, &mut model);
    heir.go(false, &mut model);
    (model.count(), model.doubts, model.late)
}

/// Where nothing is under way a request may go as soon as a window is over, even if the calendar was set back.
fn a_window_ends(heir: &mut Member, rng: &mut Rng, model: &mut Model) {
    model.set(4 * LEASE_MS as i64);
    for _ in 0..WINDOW.0 {
        assert!(heir.gets_leave(rng, model), "nothing is under way, and nobody may go");
        heir.is_answered(model);
    }
    model.set(-4 * LEASE_MS as i64);
    assert!(heir.gets_leave(rng, model), "the calendar was set back, and nobody may go");
}

#[test]
fn whoever_has_a_message_has_it_alone_and_it_ends_once() {
    let number = |name: &str| std::env::var(name).ok().map(|n| n.parse().expect("a number"));
    let seeds = match number("HY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("HY_SEEDS").unwrap_or(60),
    };
    let worlds = seeds.end - seeds.start;
    let (mut messages, mut doubts, mut late) = (0, 0, 0);
    for seed in seeds {
        let told = std::panic::catch_unwind(|| world(seed));
        let told = told.unwrap_or_else(|panic| {
            println!("HY_SEED={seed}");
            std::panic::resume_unwind(panic)
        });
        messages += told.0;
        doubts += told.1;
        late += told.2;
    }
    println!("{worlds} worlds: {messages} messages, {doubts} doubts, {late} came back too late");
    assert!(messages > 0 && (worlds < 10 || doubts > 0 && late > 0), "they happen");
}
