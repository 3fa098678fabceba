//! The outbox file after power cuts, and on a disk that fails.
//!
//! `HY_CUTS` and `HY_FAULTS` are how many are tried, `HY_SEED` is where their random choices start.

#[path = "support/disk.rs"]
mod disk;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use disk::{Fault, Op, Plan};
use hongyan::testing::outbox::{
    Accept, Applied, Begin, Change, Options, Seq, Sqlite, Store, Verdict, ticks, unix_ms,
};
use hongyan::{Delivery, ErrorCode};
use rusqlite::{Connection, OpenFlags};

const NOW: u64 = 1_790_000_000_000;

const OPTIONS: Options<'_> = Options {
    max_messages: 1 << 40,
    max_bytes: 1 << 40,
    key_days: 7,
    owner: "",
    sends: true,
    takes: true,
    lease: Duration::from_secs(30),
    wait: Duration::from_secs(10),
    for_a_change: false,
    ticks,
    unix_ms,
};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("hongyan-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn outbox(&self) -> PathBuf {
        self.0.join("outbox.db")
    }

    /// Makes these files the only ones.
    fn put(&self, files: &HashMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(&self.0).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for (name, bytes) in files {
            std::fs::write(self.0.join(name), bytes).unwrap();
        }
    }

    /// The files as a process that dies now leaves them.
    fn files(&self) -> HashMap<String, Vec<u8>> {
        ["outbox.db", "outbox.db-wal", LOCK]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), std::fs::read(self.0.join(name)).ok()?)))
            .collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// All messages and keys of a file, and that it is sound.
fn contents(path: &Path) -> Vec<String> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let sound: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let mut contents = Vec::new();
    for table in ["messages", "keys"] {
        let mut statement = conn.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
        // Whoever opens a file takes it out of the hands of those who are gone.
        let is_said = |at: &usize| statement.column_name(*at).is_ok_and(|name| name != "holder");
        let columns: Vec<usize> = (0..statement.column_count()).filter(is_said).collect();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells = columns.iter().map(|at| match row.get_ref(*at).unwrap() {
                rusqlite::types::ValueRef::Blob(bytes) => {
                    format!("{}:{:x}", bytes.len(), bytes.iter().fold(7, fold))
                }
                cell => format!("{cell:?}"),
            });
            contents.push(format!("{table} {}", cells.collect::<Vec<_>>().join(" ")));
        }
    }
    contents
}

fn fold(sum: u64, byte: &u8) -> u64 {
    (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
}

/// Messages that come and go, the same ones for the same seed.
struct Work {
    random: fastrand::Rng,
    count: u64,
    queued: Vec<(String, Seq)>,
    begun: Vec<(String, Seq)>,
    done: Vec<String>,
}

impl Work {
    fn new(seed: u64) -> Work {
        let random = fastrand::Rng::with_seed(seed);
        Work { random, count: 0, queued: vec![], begun: vec![], done: vec![] }
    }

    fn message(&mut self) -> Accept {
        self.count += 1;
        let random = &mut self.random;
        let longest = if random.u8(..) < 20 { 9000 } else { 700 };
        Accept {
            id: format!("{:026}", self.count),
            token: self.count,
            account: "ff".into(),
            message: (0..random.usize(1..longest)).map(|n| n as u8).collect(),
            files: Vec::new(),
            key: (random.u8(..) < 60).then(|| (random.u8(0..9).to_string(), [7; 32].into())),
            line: (random.u8(..) < 60).then(|| random.u8(0..3).to_string()),
            accepted_ms: NOW,
            due_ms: (random.u8(..) < 20).then_some(NOW + 1000),
            deadline_ms: None,
            result: None,
            direct: false,
            held: false,
            from: None,
        }
    }

    /// What goes into the next commit.
    fn batch(&mut self) -> Vec<Change> {
        let mut batch = Vec::new();
        for _ in 0..self.random.usize(1..30) {
            batch.push(Change::Accept(Box::new(self.message())));
        }
        for _ in 0..self.random.usize(0..30).min(self.queued.len()) {
            let (id, seq) = self.queued.remove(0);
            let body = self.random.bool().then(|| vec![1; 300]);
            batch.push(Change::Begin(Box::new(Begin {
                seq,
                first_sent_ms: NOW,
                attempts: 1,
                sender: Some("somebody".to_owned()),
                body,
                mark: None,
                progress: None,
            })));
            self.begun.push((id, seq));
        }
        for _ in 0..self.random.usize(0..30).min(self.begun.len()) {
            let (id, seq) = self.begun.remove(0);
            let delivery = match self.random.u8(0..4) {
                0 => Delivery::NotSent,
                1 => Delivery::MaybeSent,
                _ => Delivery::Sent,
            };
            batch.push(Change::Finish {
                seq,
                verdict: Verdict { delivery, receipt: vec![2; 200] },
                alone: false,
            });
            self.done.push(id);
        }
        for _ in 0..self.random.usize(0..30).min(self.done.len()) {
            batch.push(Change::Ack { id: self.done.remove(0) });
        }
        batch
    }

    /// Learns which numbers the messages have.
    fn learn(&mut self, batch: &[Change], applied: &[Applied]) {
        for (change, applied) in batch.iter().zip(applied) {
            if let (Change::Accept(accept), Applied::Accepted { seq, turn: Some(_), .. }) =
                (change, applied)
            {
                self.queued.push((accept.id.clone(), *seq));
            }
        }
    }
}

/// The lock file, in which an owner notes how far its log reaches.
const LOCK: &str = "outbox.db-lock";

/// What was written, what the file held after each commit, and what was noted of it.
fn recorded_work(seed: u64, commits: usize) -> (Vec<Op>, Vec<Vec<String>>, Vec<Vec<u8>>) {
    let folder = Folder::new("power-work");
    disk::record();
    let mut store = Sqlite::open(&folder.outbox(), OPTIONS).unwrap();
    let mut work = Work::new(seed);
    let (mut held, mut noted) = (vec![Vec::new()], vec![Vec::new()]);
    for commit in 1..=commits {
        let batch = work.batch();
        let applied = store.commit(&batch, NOW).unwrap();
        disk::mark(commit);
        work.learn(&batch, &applied);
        held.push(contents(&folder.outbox()));
        noted.push(std::fs::read(folder.0.join(LOCK)).unwrap());
        if commit % 150 == 0 {
            drop(store);
            store = Sqlite::open(&folder.outbox(), OPTIONS).unwrap();
        }
    }
    let log = disk::recorded();
    drop(store);
    (log, held, noted)
}

#[test]
fn a_power_cut_loses_nothing_that_was_committed_and_splits_nothing() {
    disk::install();
    let (cuts, seed) = (number("HY_CUTS", 200), number("HY_SEED", 1));
    let mut random = fastrand::Rng::with_seed(seed);
    let (log, held, noted) = recorded_work(seed, 200);
    // The file is synced when it is made, by a checkpoint among the commits, and when it is closed.
    let among = log.iter().skip_while(|op| !matches!(op, Op::Mark(1)));
    let among = among.take_while(|op| !matches!(op, Op::Mark(150)));
    let checkpoints = among.filter(|op| matches!(op, Op::Sync(name) if name == "outbox.db"));
    assert!(checkpoints.count() > 0, "the work has checkpoints");
    let folder = Folder::new("power-cut");
    let (mut lost, mut kept) = (0, 0);
    for cut in 0..cuts {
        let at = random.usize(0..=log.len());
        let chance = if cut % 2 == 0 { 0.0 } else { random.f64() };
        let mut files = disk::image(&log[..at], || random.f64() < chance);
        let durable = log[..at].iter().rev().find_map(|op| match op {
            Op::Mark(number) => Some(*number),
            _ => None,
        });
        let durable = durable.unwrap_or(0);
        // A note is not synced, so that an older one may have come to the disk; but one that the log is
        // about to go is, which happens after each 150.
        let oldest = durable - durable % 150;
        files.insert(LOCK.to_owned(), noted[random.usize(oldest..=durable)].clone());
        folder.put(&files);

        let mut store = Sqlite::open(&folder.outbox(), OPTIONS)
            .unwrap_or_else(|error| panic!("seed {seed}, cut {cut} at {at}: {error}"));
        assert_eq!(store.told(), None, "seed {seed}, cut {cut} at {at}: a cut is no damage");
        let found = contents(&folder.outbox());
        let whole = held.get(durable + 1).is_some_and(|next| found == *next);
        assert!(
            found == held[durable] || whole,
            "seed {seed}, cut {cut} at {at}: neither as after commit {durable} nor the next"
        );
        (lost, kept) = (lost + usize::from(!whole), kept + usize::from(whole));
        let (unacked, open) = store.count();
        let rows = |but: &str| {
            found.iter().filter(|row| row.starts_with("messages") && !row.contains(but)).count()
        };
        assert!(open <= unacked && unacked <= rows("nothing") as u64);
        let change =
            Change::Accept(Box::new(Accept { id: "new".into(), ..Work::new(0).message() }));
        store.commit(&[change], NOW).unwrap();
        assert_eq!(store.count(), (unacked + 1, open + 1));
    }
    println!(
        "{cuts} power cuts in {} operations: {lost} as before, {kept} with the next",
        log.len()
    );
    assert!(lost > 0);
}

/// One run with one fault; what it came to.
#[derive(Default)]
struct Tally {
    opens: usize,
    commits: usize,
    unnoticed: usize,
    revived: usize,
}

fn run_with(plan: Plan, commits: usize, tally: &mut Tally) -> bool {
    let folder = Folder::new("power-fault");
    let copy = Folder::new("power-copy");
    folder.put(&HashMap::new());
    disk::fail(Some(plan));
    let mut store = match Sqlite::open(&folder.outbox(), OPTIONS) {
        Ok(store) => store,
        Err(error) => {
            assert_eq!(error.code(), ErrorCode::Storage, "{plan:?}: {error}");
            assert!(error.hint_text().is_some(), "{plan:?}: {error}");
            tally.opens += 1;
            disk::fail(None);
            drop(Sqlite::open(&folder.outbox(), OPTIONS).expect("the disk is well"));
            return true;
        }
    };
    let mut work = Work::new(plan.at as u64);
    for _ in 0..commits {
        let batch = work.batch();
        // Looking takes time, so it is done where the fault may be.
        let near = disk::counted() + 400 > plan.at;
        let before = if near { contents(&folder.outbox()) } else { Vec::new() };
        let count = store.count();
        match store.commit(&batch, NOW) {
            Ok(applied) => work.learn(&batch, &applied),
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::Storage, "{plan:?}: {error}");
                assert!(near, "{plan:?}: a commit has more operations than the test knows");
                tally.commits += 1;
                assert_eq!(store.count(), count, "{plan:?}");
                let left = folder.files();
                disk::fail(None);
                assert_eq!(contents(&folder.outbox()), before, "{plan:?}: nothing of it is there");
                // Whoever finds the file if the process dies here.
                copy.put(&left);
                let opened = Sqlite::open(&copy.outbox(), OPTIONS).expect("it can be opened");
                // Half of a new head of the log cannot be told from a damaged one; nothing is lost by it.
                let told = opened.told();
                assert!(
                    told.is_none_or(|told| told.contains("nothing of it was lost")),
                    "{plan:?}"
                );
                drop(opened);
                let found = contents(&copy.outbox());

                // The disk is well: the same batch goes through.
                store.commit(&batch, NOW).unwrap_or_else(|error| panic!("{plan:?}: {error}"));
                let after = contents(&folder.outbox());
                if found != before {
                    tally.revived += 1;
                    assert!(plan.lasting, "{plan:?}: one fault is undone at once");
                    let ids = |rows: &[String]| rows.len();
                    assert_eq!(ids(&found), ids(&after), "{plan:?}: a part of it is there");
                }
                return true;
            }
        }
        if disk::failed() > 0 {
            // A checkpoint failed: the log has everything, and the commit stands.
            tally.unnoticed += 1;
            disk::fail(None);
        }
    }
    disk::fail(None);
    let left = contents(&folder.outbox());
    drop(store);
    drop(Sqlite::open(&folder.outbox(), OPTIONS).expect("it can be opened"));
    assert_eq!(contents(&folder.outbox()), left, "{plan:?}");
    false
}

#[test]
fn a_disk_that_fails_costs_the_batch_and_nothing_else() {
    disk::install();
    let (runs, seed) = (number("HY_FAULTS", 120), number("HY_SEED", 1));
    let mut random = fastrand::Rng::with_seed(seed);
    let mut tally = Tally::default();
    let faults = [Fault::Full, Fault::Broken, Fault::Short, Fault::Unsynced];
    for run in 0..runs {
        // Every one of the first operations, then some of the many that follow.
        let at = if run < 80 { run as usize / 2 } else { random.usize(40..2000) };
        let plan = Plan { at, fault: faults[random.usize(0..4)], lasting: run % 2 == 0 };
        // Enough commits for a checkpoint, where the fault is late enough to meet one.
        run_with(plan, if at >= 40 { 80 } else { 8 }, &mut tally);
    }
    let Tally { opens, commits, unnoticed, revived } = tally;
    println!(
        "{runs} faults: {opens} at open, {commits} in a commit, {unnoticed} in a checkpoint; {revived} \
         batches were found by the next owner"
    );
    assert!(opens > 0 && commits > 0);
}

/// A folder that has room for so many bytes.
fn small_disk(folder: &Folder, bytes: u64) {
    disk::install();
    disk::bound(Some((folder.0.clone(), bytes)));
    let own = folder.0.join("outbox.db-reserve");
    hongyan::testing::outbox::limit_room(Some(Box::new(move |wanted| {
        let held = std::fs::metadata(&own).map_or(0, |metadata| metadata.len());
        wanted.saturating_sub(held) <= disk::room().unwrap_or(u64::MAX)
    })));
}

fn big_disk() {
    disk::bound(None);
    hongyan::testing::outbox::limit_room(None);
}

fn new_message(number: u64, length: usize) -> Change {
    Change::Accept(Box::new(Accept {
        id: format!("{number:026}"),
        message: vec![b'x'; length],
        files: Vec::new(),
        key: None,
        line: None,
        due_ms: None,
        ..Work::new(0).message()
    }))
}

fn begin_of(seq: Seq) -> Change {
    Change::Begin(Box::new(Begin {
        seq,
        first_sent_ms: NOW,
        attempts: 1,
        sender: None,
        body: None,
        mark: None,
        progress: None,
    }))
}

fn finish_of(seq: Seq) -> Change {
    long_finish_of(seq, 600)
}

fn long_finish_of(seq: Seq, length: usize) -> Change {
    let verdict = Verdict { delivery: Delivery::Sent, receipt: vec![2; length] };
    Change::Finish { seq, verdict, alone: false }
}

/// Fills it up with messages; their ids and numbers.
fn fill(store: &mut Sqlite, first: u64, length: usize, at_once: u64) -> Vec<(String, Seq)> {
    let mut accepted = Vec::new();
    for batch in 0.. {
        let numbers = first + batch * at_once..first + (batch + 1) * at_once;
        let changes: Vec<_> = numbers.clone().map(|number| new_message(number, length)).collect();
        match store.commit(&changes, NOW) {
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::Storage, "{error}");
                assert!(error.hint_text().is_some_and(|hint| hint.contains("room")), "{error}");
                break;
            }
            Ok(applied) => {
                for (number, applied) in numbers.zip(applied) {
                    let Applied::Accepted { seq, .. } = applied else { panic!("{applied:?}") };
                    accepted.push((format!("{number:026}"), seq));
                }
            }
        }
    }
    accepted
}

#[test]
fn a_disk_that_is_full_of_messages_lets_them_go_and_takes_others_then() {
    for (bytes, length, at_once) in
        [(1 << 20, 3000, 1), (2 << 20, 3000, 8), (3 << 20, 9000, 30), (9 << 20, 9000, 200)]
    {
        let folder = Folder::new("small-disk");
        folder.put(&HashMap::new());
        small_disk(&folder, bytes);
        let what = format!("{bytes} bytes, {at_once} messages of {length}");
        let mut store = Sqlite::open(&folder.outbox(), OPTIONS).unwrap();
        let mut counts = Vec::new();
        for round in 0..3u64 {
            let accepted = fill(&mut store, round * 1_000_000, length, at_once);
            counts.push(accepted.len());
            if round == 1 {
                // A restart finds the disk full.
                drop(store);
                store = Sqlite::open(&folder.outbox(), OPTIONS)
                    .unwrap_or_else(|error| panic!("{what}: {error}"));
            }
            // Everything that was accepted goes through, a few at a time, as an owner does it then.
            for some in accepted.chunks(16) {
                for change in [begin_of as fn(Seq) -> Change, finish_of] {
                    let changes: Vec<_> = some.iter().map(|(_, seq)| change(*seq)).collect();
                    let made = store.commit(&changes, NOW);
                    made.unwrap_or_else(|error| panic!("{what}, round {round}: {error}"));
                }
                let acks: Vec<_> =
                    some.iter().map(|(id, _)| Change::Ack { id: id.clone() }).collect();
                store.commit(&acks, NOW).unwrap_or_else(|error| panic!("{what}: {error}"));
            }
            assert_eq!(store.count(), (0, 0), "{what}");
        }
        // It takes about as many each time: nothing of the disk is lost for good.
        assert!(
            counts.iter().all(|count| *count * 2 > counts[0] && *count > 0),
            "{what}: {counts:?}"
        );
        println!("{what}: {counts:?}");
        big_disk();
    }
}

#[test]
fn a_disk_that_is_full_of_results_takes_acknowledgements() {
    let folder = Folder::new("small-disk-results");
    folder.put(&HashMap::new());
    small_disk(&folder, 2 << 20);
    let mut store = Sqlite::open(&folder.outbox(), OPTIONS).unwrap();
    let accepted = fill(&mut store, 0, 3000, 4);
    // Nobody acknowledges, until results find no room either.
    let (mut told, mut refused) = (0, false);
    for (_, seq) in &accepted {
        let made = store.commit(&[begin_of(*seq)], NOW);
        let made = made.and_then(|_| store.commit(&[long_finish_of(*seq, 6000)], NOW));
        if let Err(error) = made {
            assert_eq!(error.code(), ErrorCode::Storage, "{error}");
            refused = true;
            break;
        }
        told += 1;
    }
    assert!(refused, "the disk is too large for this test: {told} of {}", accepted.len());
    // Who takes results makes room for the rest.
    for (id, _) in &accepted[..told] {
        store.commit(&[Change::Ack { id: id.clone() }], NOW).expect("it makes room");
    }
    for (id, seq) in &accepted[told..] {
        store.commit(&[begin_of(*seq)], NOW).expect("there is room");
        store.commit(&[long_finish_of(*seq, 6000)], NOW).expect("there is room");
        store.commit(&[Change::Ack { id: id.clone() }], NOW).expect("there is room");
    }
    assert_eq!(store.count(), (0, 0));
    assert!(!fill(&mut store, 1_000_000, 3000, 4).is_empty());
    big_disk();
}
