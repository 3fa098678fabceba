//! Custody in random worlds: members of one outbox are killed between any two of their calls, stop for longer than
//! their lease and come back, join and leave, each by a clock of its own. A seed decides everything.
//!
//! `HY_SEEDS=2000` sets how many worlds there are, `HY_SEED=n` replays one.

#![cfg(all(feature = "outbox", feature = "testing"))]

#[path = "worlds/member.rs"]
mod member;
#[path = "worlds/model.rs"]
mod model;

use std::path::PathBuf;

use fastrand::Rng;

use member::Member;
use model::{LEASE_MS, Model};

/// Calls of the store in each world.
const STEPS: usize = 600;

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
    let mut members = vec![Member::open(&path, &mut rng, &mut model)];
    for _ in 0..STEPS {
        match rng.u32(0..100) {
            0..30 => model.now += rng.u64(0..LEASE_MS / 12),
            30 | 31 if members.len() < MOST => {
                members.push(Member::open(&path, &mut rng, &mut model));
            }
            32 if members.len() > 1 => {
                let victim = rng.usize(0..members.len());
                members.swap_remove(victim).go(rng.u32(0..3) > 0, &mut model);
            }
            33 => {
                let victim = rng.usize(0..members.len());
                members[victim].stopped_until = model.now + rng.u64(LEASE_MS / 4..3 * LEASE_MS);
            }
            _ => {
                let who = rng.usize(0..members.len());
                if members[who].stopped_until <= model.now {
                    members[who].step(&mut rng, &mut model);
                }
            }
        }
    }
    // All are gone, and one comes that does what there is to do.
    members.into_iter().for_each(|member| member.go(rng.bool(), &mut model));
    let mut heir = Member::open(&path, &mut rng, &mut model);
    for round in 0.. {
        heir.work(&mut rng, &mut model);
        model.now += LEASE_MS / 4;
        if model.unfinished() == 0 {
            break;
        }
        assert!(round < 1000, "{} have no result", model.unfinished());
    }
    heir.go(false, &mut model);
    (model.count(), model.doubts, model.late)
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
