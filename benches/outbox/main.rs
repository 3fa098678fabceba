//! What the outbox's store costs: beside the same row operations in bare SQLite, and with many
//! messages queued.
//!
//! ```text
//! cargo bench --features outbox,testing --bench outbox -- [--messages N] [--sizes N,N,…] [--json FILE]
//! ```
//!
//! CPU time is that of the one thread that works, kernel included (Linux).

#[path = "../../tests/support/disk.rs"]
mod disk;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hongyan::Delivery;
use hongyan::testing::outbox::{
    Accept, Begin, Change, Options, Sqlite, Store, Verdict, ticks, unix_ms,
};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

const NOW: u64 = 1_790_000_000_000;
const GROUPS: [usize; 3] = [1, 64, 512];
const MESSAGE: usize = 600;
const RECEIPT: usize = 300;
const SENDER: &str = "fanfou 00112233445566778899aabbccddeeff";

/// Rounds of which the median counts.
const ROUNDS: usize = 5;

/// Commits whose syncs are counted.
const SYNCED_COMMITS: usize = 1500;

fn main() {
    let arguments = Arguments::read();
    let folder = std::env::temp_dir().join(format!("hongyan-bench-outbox-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the files");
    let mut groups = GROUPS.map(|group| beside_bare(&folder, group, arguments.messages));
    let depths: Vec<Value> =
        arguments.sizes.into_iter().map(|size| at_depth(&folder, size)).collect();
    // Last: from here on nothing is really synced.
    disk::install();
    for (row, group) in groups.iter_mut().zip(GROUPS) {
        row["syncs_per_commit"] = json!(round(syncs(&folder, group)));
    }
    let costs = ["group", "store_cpu_us", "bare_cpu_us", "lean_cpu_us"];
    print_table(&costs, &groups);
    print_table(&["group", "ratio", "ratio_to_lean", "syncs_per_commit"], &groups);
    print_table(&["queued", "accept_cpu_us", "drain_cpu_us", "open_ms", "rss_mib"], &depths);
    let _ = std::fs::remove_dir_all(&folder);
    if let Some(path) = arguments.json {
        let report = json!({"message_bytes": MESSAGE, "groups": groups, "depths": depths});
        std::fs::write(&path, format!("{report:#}\n")).expect("the report is written");
    }
}

fn print_table(columns: &[&str], rows: &[Value]) {
    columns.iter().for_each(|column| print!("{column:>18}"));
    println!();
    for row in rows {
        columns.iter().for_each(|column| print!("{:>18}", row[column].to_string()));
        println!();
    }
}

struct Arguments {
    messages: usize,
    sizes: Vec<usize>,
    json: Option<PathBuf>,
}

impl Arguments {
    fn read() -> Arguments {
        let sizes = vec![1000, 10_000, 100_000, 1_000_000];
        let mut read = Arguments { messages: 20_000, sizes, json: None };
        let mut given = std::env::args().skip(1).filter(|argument| argument != "--bench");
        let number = |text: &str| text.parse().expect("a number");
        while let Some(name) = given.next() {
            let value = given.next().expect("every argument has a value");
            match name.as_str() {
                "--messages" => read.messages = number(&value),
                "--sizes" => read.sizes = value.split(',').map(number).collect(),
                "--json" => read.json = Some(value.into()),
                other => panic!("{other} is no argument"),
            }
        }
        read
    }
}

/// CPU time of this thread so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    let nanos = stat.split_whitespace().next().and_then(|text| text.parse().ok());
    Duration::from_nanos(nanos.expect("its first word is a number"))
}

/// Memory of this process, in MiB.
fn rss_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it is there");
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    round(kib / 1024.0)
}

fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

fn micros(spent: Duration, messages: usize) -> f64 {
    round(spent.as_secs_f64() * 1e6 / messages as f64)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn id(number: usize) -> String {
    format!("01J{number:023}")
}

fn open(path: &Path) -> Sqlite {
    let options = Options {
        max_messages: u64::MAX,
        max_bytes: u64::MAX,
        key_days: 7,
        owner: "",
        sends: true,
        takes: true,
        lease: Duration::from_secs(30),
        wait: Duration::ZERO,
        for_a_change: false,
        ticks,
        unix_ms,
    };
    Sqlite::open(path, options).expect("the outbox opens")
}

fn remove(path: &Path) {
    for end in ["", "-wal", "-shm", "-lock", "-door"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        let _ = std::fs::remove_file(name);
    }
}

/// Messages that come in; `held`: they are sent at once.
fn accepts(numbers: std::ops::Range<usize>, held: bool) -> Vec<Change> {
    numbers
        .map(|number| {
            Change::Accept(Box::new(Accept {
                id: id(number),
                token: number as u64,
                account: "account".into(),
                message: vec![b'm'; MESSAGE],
                files: Vec::new(),
                key: None,
                line: None,
                accepted_ms: NOW,
                due_ms: None,
                deadline_ms: None,
                result: None,
                direct: false,
                held,
                from: None,
            }))
        })
        .collect()
}

fn begin(seq: i64) -> Change {
    Change::Begin(Box::new(Begin {
        seq,
        first_sent_ms: NOW,
        attempts: 1,
        sender: Some(SENDER.into()),
        body: None,
        mark: None,
        progress: None,
    }))
}

fn finish(seq: i64) -> Change {
    let verdict = Verdict { delivery: Delivery::Sent, receipt: vec![b'r'; RECEIPT] };
    Change::Finish { seq, verdict, alone: false }
}

/// A group of messages from accept to its end, in four commits.
fn through_store(store: &mut Sqlite, from: usize, group: usize) {
    let numbers = from..from + group;
    let seqs = || numbers.clone().map(|number| number as i64);
    let commits: [Vec<Change>; 4] = [
        accepts(numbers.clone(), true),
        seqs().map(begin).collect(),
        seqs().map(finish).collect(),
        numbers.clone().map(|number| Change::Ack { id: id(number) }).collect(),
    ];
    for changes in commits {
        store.commit(&changes, NOW).expect("it commits");
    }
}

/// SQLite with the tables of the store.
fn bare(path: &Path) -> Connection {
    drop(open(path));
    let conn = Connection::open(path).expect("it opens");
    conn.execute_batch("PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;").expect("it is set");
    conn
}

/// SQLite with the least that any outbox needs: a number, an id, and a queue by account.
fn lean(path: &Path) -> Connection {
    let conn = Connection::open(path).expect("it opens");
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;
         CREATE TABLE messages (seq INTEGER PRIMARY KEY, state INTEGER NOT NULL, turn INTEGER,
             attempts INTEGER NOT NULL, first_sent_ms INTEGER, accepted_ms INTEGER NOT NULL,
             delivery INTEGER, token INTEGER NOT NULL, id TEXT NOT NULL, account TEXT NOT NULL,
             message BLOB NOT NULL, receipt BLOB) STRICT;
         CREATE UNIQUE INDEX by_id ON messages (id);
         CREATE INDEX by_turn ON messages (account, turn) WHERE turn IS NOT NULL;",
    )
    .expect("the tables are made");
    conn
}

/// The row operations of [`through_store`], each by its own statement.
fn through_bare(conn: &Connection, from: usize, group: usize) {
    let numbers = from..from + group;
    let commit = |sql: &str, row: &dyn Fn(&mut rusqlite::Statement<'_>, usize)| {
        conn.prepare_cached("BEGIN IMMEDIATE").and_then(|mut s| s.execute([])).expect("begun");
        let mut statement = conn.prepare_cached(sql).expect("a statement");
        numbers.clone().for_each(|number| row(&mut statement, number));
        drop(statement);
        conn.prepare_cached("COMMIT").and_then(|mut s| s.execute([])).expect("committed");
    };
    let made = |result: rusqlite::Result<usize>| assert_eq!(result.expect("a row"), 1);
    commit(
        "INSERT INTO messages (seq, state, turn, attempts, accepted_ms, token, id, account, message)
         VALUES (?1, 0, ?1, 0, ?2, ?3, ?4, ?5, ?6)",
        &|statement, n| {
            let message = vec![b'm'; MESSAGE];
            made(statement.execute(params![
                n as i64, NOW as i64, n as i64, id(n), "account", message
            ]));
        },
    );
    commit(
        "UPDATE messages SET state = 4, attempts = ?2, first_sent_ms = ?3 WHERE seq = ?1 AND state = 0",
        &|statement, n| made(statement.execute(params![n as i64, 1, NOW as i64])),
    );
    commit(
        "UPDATE messages SET state = 5, turn = NULL, delivery = ?2, receipt = ?3
         WHERE seq = ?1 AND state < 5",
        &|statement, n| made(statement.execute(params![n as i64, 2, vec![b'r'; RECEIPT]])),
    );
    commit("DELETE FROM messages WHERE id = ?1 AND state = 5", &|statement, n| {
        made(statement.execute([id(n)]));
    });
}

/// CPU a message of the store, of bare SQLite with the same tables, and with lean ones.
fn beside_bare(folder: &Path, group: usize, messages: usize) -> Value {
    let paths = ["store.db", "bare.db", "lean.db"].map(|name| folder.join(name));
    paths.iter().for_each(|path| remove(path));
    let (mut store, bare, lean) = (open(&paths[0]), bare(&paths[1]), lean(&paths[2]));
    // A group of one costs two orders more, and as much less of it says as much.
    let groups = (messages / ROUNDS / group).max(20).min(messages / 16);
    let mut next = 1;
    let mut rounds: [Vec<f64>; 3] = Default::default();
    for round in 0..=ROUNDS {
        let mut spent = [Duration::ZERO; 3];
        // In turns, so that whatever else the machine does meets all alike.
        for _ in 0..groups {
            let starts = cpu();
            through_store(&mut store, next, group);
            let of_bare = cpu();
            through_bare(&bare, next, group);
            let of_lean = cpu();
            through_bare(&lean, next, group);
            spent[0] += of_bare - starts;
            spent[1] += of_lean - of_bare;
            spent[2] += cpu() - of_lean;
            next += group;
        }
        // The first round warms all up.
        if round > 0 {
            let each = rounds.iter_mut().zip(spent);
            each.for_each(|(of, spent)| of.push(micros(spent, groups * group)));
        }
    }
    let [stores, bares, leans] = rounds;
    let ratio = |to: &[f64]| {
        round(median(stores.iter().zip(to).map(|(store, other)| store / other).collect()))
    };
    json!({
        "group": group,
        "ratio": ratio(&bares),
        "ratio_to_lean": ratio(&leans),
        "store_cpu_us": median(stores.clone()),
        "bare_cpu_us": median(bares),
        "lean_cpu_us": median(leans),
    })
}

/// How many syncs a commit costs, checkpoints included; counted on a disk that does not really sync.
fn syncs(folder: &Path, group: usize) -> f64 {
    let path = folder.join("syncs.db");
    remove(&path);
    let mut store = open(&path);
    disk::count_syncs();
    let groups = SYNCED_COMMITS / 4;
    (0..groups).for_each(|n| through_store(&mut store, 1 + n * group, group));
    disk::synced() as f64 / (groups * 4) as f64
}

/// Accepting and draining with so many messages queued.
fn at_depth(folder: &Path, size: usize) -> Value {
    const GROUP: usize = 64;
    const MEASURED: usize = 16 * 1024;
    let path = folder.join("depth.db");
    remove(&path);
    let mut store = open(&path);
    for from in (1..=size).step_by(4096) {
        store.commit(&accepts(from..(from + 4096).min(size + 1), false), NOW).expect("it commits");
    }
    drop(store);
    let start = Instant::now();
    let mut store = open(&path);
    let open_ms = round(start.elapsed().as_secs_f64() * 1e3);

    let start = cpu();
    for from in (size + 1..=size + MEASURED).step_by(GROUP) {
        store.commit(&accepts(from..from + GROUP, false), NOW).expect("it commits");
    }
    let accepted = cpu() - start;
    let start = cpu();
    for _ in 0..MEASURED.min(size) / GROUP {
        let ready = store.ready("account", GROUP).expect("it reads");
        assert_eq!(ready.len(), GROUP, "enough are queued");
        let begins: Vec<Change> = ready.iter().map(|row| begin(row.seq)).collect();
        let ends: Vec<Change> = ready.iter().map(|row| finish(row.seq)).collect();
        let acks: Vec<Change> =
            ready.iter().map(|row| Change::Ack { id: row.id.clone() }).collect();
        for changes in [begins, ends, acks] {
            store.commit(&changes, NOW).expect("it commits");
        }
    }
    let drained = cpu() - start;
    assert_eq!(store.count().0 as usize, size + MEASURED - MEASURED.min(size) / GROUP * GROUP);
    let row = json!({
        "queued": size,
        "accept_cpu_us": micros(accepted, MEASURED),
        "drain_cpu_us": micros(drained, MEASURED.min(size) / GROUP * GROUP),
        "open_ms": open_ms,
        "rss_mib": rss_mib(),
    });
    drop(store);
    remove(&path);
    row
}
