//! What a durable message costs in PostgreSQL, client and server: accept, begin, finish and acknowledge, in groups,
//! beside the same row operations by pgbench.
//!
//! ```text
//! cargo bench --features postgres,testing --bench postgres -- [--messages N] [--queued N]
//! ```
//!
//! With `--queued` the same is measured beside so many messages that wait, and beside none.
//!
//! CPU time is user and kernel of this process, or of pgbench, and of all processes of a server that does nothing
//! else (Linux).

#[path = "../tests/support/cluster.rs"]
mod cluster;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use cluster::Cluster;
use hongyan::Delivery;
use hongyan::testing::outbox::{Accept, Applied, Begin, Change, Verdict, open_database};
use serde_json::json;

const GROUPS: [usize; 3] = [1, 64, 512];
const MESSAGE: usize = 600;
const RECEIPT: usize = 300;
const SENDER: &str = "fanfou 00112233445566778899aabbccddeeff";
const ROUNDS: usize = 3;
const NOW: u64 = 1_790_000_000_000;

fn main() {
    let given = |name: &str| {
        let number = std::env::args().skip_while(|argument| argument != name).nth(1);
        number.map(|number| number.parse().expect("a number of messages"))
    };
    let messages = given("--messages").unwrap_or(20_000);
    let cluster = Cluster::start(&["shared_buffers=256MB", "max_wal_size=4GB"], &[]);
    if let Some(queued) = given("--queued") {
        return beside_queued(&cluster, messages, queued);
    }
    println!("{messages} messages of {MESSAGE} bytes; medians of {ROUNDS} interleaved rounds");
    println!(
        "{:>6} {:>12} {:>12} {:>12} {:>12} {:>8} {:>12}",
        "group", "client us", "server us", "pgbench us", "its server", "ratio", "messages/s"
    );
    for group in GROUPS {
        // Alone each message waits for the disk four times.
        let count = if group == 1 { messages / 10 } else { messages };
        let rounds: Vec<_> = (0..ROUNDS)
            .map(|_| (ours(&cluster, group, count, 0), bare(&cluster, group, count)))
            .collect();
        let of = |value: &dyn Fn(&(Cost, Cost)) -> f64| median(rounds.iter().map(value).collect());
        let per = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
        let ours = (of(&|r| per(r.0.client)), of(&|r| per(r.0.server)));
        let bare = (of(&|r| per(r.1.client)), of(&|r| per(r.1.server)));
        let ratio = of(&|r| {
            let all = |cost: &Cost| (cost.client + cost.server).as_secs_f64();
            all(&r.0) / all(&r.1)
        });
        let rate = of(&|r| count as f64 / r.0.took.as_secs_f64());
        println!(
            "{group:>6} {:>12.1} {:>12.1} {:>12.1} {:>12.1} {ratio:>8.2} {rate:>12.0}",
            ours.0, ours.1, bare.0, bare.1
        );
    }
}

/// What one way has cost.
struct Cost {
    client: Duration,
    server: Duration,
    took: Duration,
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What a message costs in groups of 64, beside none that waits and beside so many.
fn beside_queued(cluster: &Cluster, messages: usize, queued: usize) {
    println!("{messages} messages in groups of 64");
    for queued in [0, queued] {
        let cost = ours(cluster, 64, messages, queued);
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / messages as f64;
        let (client, server, took) = (micros(cost.client), micros(cost.server), micros(cost.took));
        println!(
            "{queued:>9} queued: client {client:.1} us, server {server:.1} us, {took:.1} us in all"
        );
    }
}

/// The store, as the keeper of an outbox uses it, beside messages that wait.
fn ours(cluster: &Cluster, group: usize, messages: usize, queued: usize) -> Cost {
    let config = json!({"v": 1, "accounts": {}, "outbox": {"postgres": cluster.url()}});
    cluster.psql("postgres", "DROP SCHEMA IF EXISTS hongyan CASCADE");
    let mut store = open_database(&config.to_string()).expect("a database");
    for first in (messages..messages + queued).step_by(4096) {
        let waiting: Vec<_> = (first..first + 4096).map(|n| accept(&format!("{n:026}"))).collect();
        store.commit(&waiting, NOW).expect("accepted");
    }
    let (began, client, server) = (Instant::now(), process(), servers(cluster));
    for first in (0..messages).step_by(group) {
        let ids: Vec<_> = (first..first + group).map(|n| format!("{n:026}")).collect();
        let accepts: Vec<_> = ids.iter().map(|id| accept(id)).collect();
        let applied = store.commit(&accepts, NOW).expect("accepted");
        let seq = |applied: &Applied| match applied {
            Applied::Accepted { seq, .. } => *seq,
            other => panic!("{other:?}"),
        };
        let seqs: Vec<_> = applied.iter().map(seq).collect();
        let begins: Vec<_> = seqs.iter().map(|seq| begin(*seq)).collect();
        store.commit(&begins, NOW).expect("begun");
        let verdict = || Verdict { delivery: Delivery::Sent, receipt: vec![b'r'; RECEIPT] };
        let finish = |seq: &i64| Change::Finish { seq: *seq, verdict: verdict(), alone: false };
        store.commit(&seqs.iter().map(finish).collect::<Vec<_>>(), NOW).expect("finished");
        let acks: Vec<_> = ids.into_iter().map(|id| Change::Ack { id }).collect();
        store.commit(&acks, NOW).expect("acknowledged");
    }
    Cost { client: process() - client, server: servers(cluster) - server, took: began.elapsed() }
}

fn accept(id: &str) -> Change {
    Change::Accept(Box::new(Accept {
        id: id.to_owned(),
        token: 1,
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
        held: true,
        from: None,
    }))
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

/// The same rows by pgbench, with prepared statements: inserted, changed twice, deleted.
fn bare(cluster: &Cluster, group: usize, messages: usize) -> Cost {
    cluster.psql(
        "postgres",
        "DROP TABLE IF EXISTS bare; DROP SEQUENCE IF EXISTS bare_seq; CREATE SEQUENCE bare_seq;
         CREATE TABLE bare (seq bigint PRIMARY KEY, holder bigint, state smallint NOT NULL, token bigint NOT NULL,
             attempts integer NOT NULL DEFAULT 0, first_sent_ms bigint, delivery smallint, awaits text,
             id text NOT NULL, account text NOT NULL, sender text, message bytea NOT NULL, receipt bytea)
             WITH (fillfactor = 80);
         CREATE UNIQUE INDEX ON bare (id);
         CREATE INDEX ON bare (holder) WHERE holder IS NOT NULL;
         CREATE INDEX ON bare (awaits, seq) WHERE awaits IS NOT NULL;",
    );
    let (message, receipt) = ("6d".repeat(MESSAGE), "72".repeat(RECEIPT));
    let script = format!(
        "INSERT INTO bare (seq, holder, state, token, id, account, message)
             SELECT n, 1, 0, 1, lpad(n::text, 26, '0'), 'account', '\\x{message}'::bytea
             FROM (SELECT nextval('bare_seq') AS n FROM generate_series(1, {group})) AS s;\n\
         SELECT currval('bare_seq') AS last \\gset\n\
         UPDATE bare SET state = 4, attempts = 1, first_sent_ms = {NOW}, sender = '{SENDER}'
             WHERE seq > :last - {group} AND seq <= :last;\n\
         UPDATE bare SET state = 5, holder = NULL, sender = NULL, delivery = 2, awaits = '',
             receipt = '\\x{receipt}'::bytea WHERE seq > :last - {group} AND seq <= :last;\n\
         DELETE FROM bare WHERE seq > :last - {group} AND seq <= :last;\n"
    );
    let file = std::env::temp_dir().join(format!("hongyan-bench-{}.sql", std::process::id()));
    fs::write(&file, script).expect("a file");
    let (began, children, server) = (Instant::now(), ended_children(), servers(cluster));
    let made = Command::new(cluster.program_path("pgbench"))
        .args(["-n", "-M", "prepared", "-c", "1", "-f"])
        .arg(&file)
        .args(["-t", &messages.div_ceil(group).to_string(), &cluster.url()])
        .output()
        .expect("pgbench runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let cost = Cost {
        client: ended_children() - children,
        server: servers(cluster) - server,
        took: began.elapsed(),
    };
    let _ = fs::remove_file(&file);
    cost
}

/// Ticks of the fields of a process's `stat` from `first` on, so many of them.
fn ticks(stat: &str, first: usize, count: usize) -> u64 {
    let fields = stat.rsplit_once(')').expect("a name").1.split_whitespace();
    // The first of these is field 3.
    fields.skip(first - 3).take(count).map(|field| field.parse::<u64>().expect("a number")).sum()
}

fn duration(ticks: u64) -> Duration {
    // Linux tells ticks of 10 ms, whatever its clock does.
    Duration::from_millis(ticks * 10)
}

fn process() -> Duration {
    duration(ticks(&fs::read_to_string("/proc/self/stat").expect("Linux"), 14, 2))
}

/// Of the children of this process that have ended.
fn ended_children() -> Duration {
    duration(ticks(&fs::read_to_string("/proc/self/stat").expect("Linux"), 16, 2))
}

/// Of a cluster's first process and all others, which are its children; of those that have ended, too.
fn servers(cluster: &Cluster) -> Duration {
    let first = cluster.first_process();
    let processes = fs::read_dir("/proc").expect("Linux").flatten();
    let stats = processes.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let spent = stats.map(|stat| {
        let own = stat.split(' ').next() == Some(&*first.to_string());
        match (own, ticks(&stat, 4, 1) == first) {
            (true, _) => ticks(&stat, 14, 4),
            (_, true) => ticks(&stat, 14, 2),
            _ => 0,
        }
    });
    duration(spent.sum())
}
