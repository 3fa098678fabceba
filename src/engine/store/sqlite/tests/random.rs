//! Random changes: whatever they are, the file agrees with itself and with what was told.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use super::*;

const STEPS: usize = 400;

#[test]
fn random_changes_leave_the_file_true() {
    for seed in 0..3 {
        let mut random = fastrand::Rng::with_seed(seed);
        let folder = Folder::new();
        let mut store = folder.open();
        let (mut now, mut live) = (NOW, Vec::new());
        for step in 0..STEPS {
            now += random.u64(0..DAY / 8);
            let changes: Vec<Change> = (0..random.usize(1..6))
                .map(|n| change(&mut random, step * 8 + n, now, &live))
                .collect();
            let before = store.ledger;
            let applied = store.commit(&changes, now).unwrap();
            for (change, applied) in changes.iter().zip(&applied) {
                follow(&mut live, change, applied);
            }
            assert!(store.ledger.next >= before.next);
            if random.u8(..) < 40 {
                store.release(now).unwrap();
            }
            if random.u8(..) < 20 {
                drop(store);
                store = folder.open();
                let conn = Connection::open(folder.outbox()).unwrap();
                let left = "SELECT count(*) FROM messages WHERE direct IS NOT NULL AND state <> 4";
                let left: i64 = conn.query_row(left, [], |row| row.get(0)).unwrap();
                assert_eq!(left, 0, "nobody waits for them any more");
            }
            if step % 10 == 0 {
                check(&folder, &store, now);
            }
        }
        check(&folder, &store, now);
        assert!(live.len() > 50, "seed {seed} did nothing");
    }
}

/// What the rows are called by: id and number.
type Live = Vec<(String, Seq)>;

fn follow(live: &mut Live, change: &Change, applied: &Applied) {
    let (Applied::Accepted { seq, .. } | Applied::Known { seq, .. }) = applied else { return };
    match change {
        Change::Accept(accept) if accept.direct && *seq == 0 => {}
        Change::Accept(accept) => live.push((accept.id.clone(), *seq)),
        Change::Retry { id } => {
            live.iter_mut().find(|(other, _)| other == id).expect("it was accepted").1 = *seq;
        }
        _ => {}
    }
}

fn change(random: &mut fastrand::Rng, number: usize, now: u64, live: &Live) -> Change {
    let recent = &live[live.len().saturating_sub(40)..];
    let (id, seq) = random.choice(recent).cloned().unwrap_or_default();
    let delivery =
        *random.choice(&[Delivery::NotSent, Delivery::MaybeSent, Delivery::Sent]).unwrap();
    match random.u8(0..14) {
        0..5 => {
            let key = random.bool().then(|| {
                let key = random.u8(0..4);
                (format!("k{key}"), [random.u8(0..8) / 7; 32].into())
            });
            let row = Accept {
                account: random.choice(&["ff", "wb"]).unwrap().to_string(),
                key,
                line: random.bool().then(|| format!("l{}", random.u8(0..3))),
                accepted_ms: now,
                due_ms: random.bool().then(|| now + random.u64(0..DAY)),
                deadline_ms: random.bool().then(|| now + random.u64(0..DAY)),
                files: match random.u8(..) {
                    0..64 => vec![(0, vec![7; random.usize(0..1000)].into()), (2, "x".into())],
                    _ => Vec::new(),
                },
                result: (random.u8(..) < 20).then(|| verdict(Delivery::NotSent)),
                ..message(&number.to_string())
            };
            let tied = row.key.is_some() || row.line.is_some();
            match tied && row.result.is_none() && random.u8(..) < 80 {
                true => accept(Accept {
                    direct: true,
                    message: Vec::new(),
                    files: Vec::new(),
                    due_ms: None,
                    deadline_ms: None,
                    ..row
                }),
                false => accept(row),
            }
        }
        5..7 => begin(seq, 1, now, random.bool().then_some("bytes")),
        7 => Change::Ended { seq, attempts: 1, due_ms: None, progress: None },
        8..10 => finish(seq, delivery),
        10 => end_alone(seq),
        11 => ack(&id),
        12 => retry(&id),
        _ => drop_row(&id),
    }
}

/// What must be true of a file at any time.
fn check(folder: &Folder, store: &Sqlite, now: u64) {
    let conn = Connection::open(folder.outbox()).unwrap();
    let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let none = |sql: &str| assert_eq!(count(&format!("SELECT count(*) FROM {sql}")), 0, "{sql}");
    let whole: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");

    let sum = "count(*) FILTER (WHERE state < 6), count(*) FILTER (WHERE state < 5), coalesce(sum(
        length(message) + coalesce(files, 0) + coalesce(length(receipt), 0)) FILTER (WHERE state < 6), 0)";
    let counted = conn
        .query_row(&format!("SELECT {sum} FROM messages"), [], |row| {
            Ok([row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?])
        })
        .unwrap();
    let ledger = store.ledger;
    assert_eq!(counted.map(i64::unsigned_abs), [ledger.unacked, ledger.open, ledger.bytes]);

    none(&format!("messages WHERE {}", crate::engine::store::sqlite::rescue::UNSOUND));
    // Files are those of a message that is not known to be sent, and whole.
    none("files WHERE id NOT IN (SELECT id FROM messages WHERE files IS NOT NULL)");
    none("messages WHERE files IS NOT NULL AND delivery IS 2");
    none(
        "messages AS m WHERE files IS NOT
         (SELECT sum(length(bytes)) FROM files WHERE files.id = m.id)",
    );
    // What each state means.
    none("messages WHERE (state IN (0, 4)) IS NOT (turn IS NOT NULL)");
    none("messages WHERE (state = 1) IS NOT (wake_ms IS NOT NULL)");
    none("messages WHERE (state = 3) IS NOT (follows IS NOT NULL)");
    none("messages WHERE (state = 6) IS NOT (until_ms IS NOT NULL)");
    none("messages WHERE (state >= 5) IS NOT (delivery IS NOT NULL)");
    none("messages WHERE (state >= 5) IS NOT (receipt IS NOT NULL)");
    none("messages WHERE (line IS NOT NULL AND state IN (0, 1, 2, 4)) IS NOT (place IS NOT NULL)");
    none("messages WHERE state <> 4 AND body IS NOT NULL");
    none("messages WHERE (state < 5 AND deadline_ms IS NOT NULL) IS NOT (expires_ms IS NOT NULL)");
    none("messages WHERE expires_ms <> deadline_ms");
    none("messages WHERE direct IS NOT NULL AND (state IN (1, 5, 6) OR length(message) > 0)");
    // Exactly the first of a line has left it.
    none(
        "(SELECT state = 2 AS waits, row_number() OVER (PARTITION BY account, line ORDER BY place)
          AS n FROM messages WHERE place IS NOT NULL) WHERE waits IS NOT (n > 1)",
    );
    // A key without a result is that of a message on its way, and so is who is followed.
    none(
        "keys LEFT JOIN messages USING (id) WHERE keys.delivery IS NULL AND
         (messages.state IS NULL OR messages.state IN (3, 5, 6) OR
          messages.content <> keys.content)",
    );
    none(
        "messages AS f WHERE follows IS NOT NULL AND NOT EXISTS (SELECT 1 FROM keys WHERE
         id = f.follows AND account = f.account AND key = f.key AND delivery IS NULL)",
    );
    none(
        "messages AS m WHERE key IS NOT NULL AND state IN (0, 1, 2, 4) AND NOT EXISTS (SELECT 1
         FROM keys WHERE id = m.id AND delivery IS NULL)",
    );
    none("keys WHERE (delivery IS NULL) IS NOT (until_ms IS NULL)");

    // What is handed out is what there is.
    let reader = Sqlite::read_only(&folder.outbox()).unwrap();
    let rows = reader.rows(0, usize::MAX).unwrap();
    let mut turns: HashMap<&str, Vec<Seq>> = HashMap::new();
    for row in rows.iter().filter(|row| row.state.name() == "queued") {
        turns.entry(&row.account).or_default().push(row.seq);
    }
    let accounts: HashSet<&str> = turns.keys().copied().collect();
    assert!(accounts.len() <= 2);
    let purged = rows.iter().filter(|row| row.accepted_ms + 60 * DAY < now).count();
    assert!(rows.len() < 64 + STEPS || purged == 0);
}
