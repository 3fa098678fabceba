//! Changes as the arrays that `apply` of the schema takes, and its answer.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::engine::store::known::Known;
use crate::engine::store::postgres::row;
use crate::engine::store::{Accept, Applied, Change, Seq, Told};

/// Who makes changes.
#[derive(Clone, Copy)]
pub(super) struct By<'a> {
    pub(super) owner: &'a str,
    /// What is queued is in its hands.
    pub(super) holds: bool,
    pub(super) max_messages: i64,
    pub(super) max_bytes: i64,
    /// Our time, in Unix milliseconds, and how far the clock of the database is ahead of it.
    pub(super) now_ms: u64,
    pub(super) ahead_ms: i64,
    /// The words that the database says went.
    pub(super) known: &'a Known,
}

impl By<'_> {
    /// A time of ours by the clock of the database.
    fn theirs(&self, at: u64) -> i64 {
        i64::try_from(at).unwrap_or(i64::MAX).saturating_add(self.ahead_ms)
    }

    /// True if the database knows that words of all these slots went.
    fn has(&self, slots: &[u32]) -> bool {
        slots.iter().all(|slot| self.known.has(*slot))
    }
}

/// The values of all changes, by kind; those of a kind have one length.
#[derive(Default)]
pub(super) struct Batch<'a> {
    accepts: Accepts<'a>,
    ended: Ended<'a>,
    begins: Begins<'a>,
    finished: Finished<'a>,
    acked: Vec<&'a str>,
    paces: Paces<'a>,
    answered: Vec<i64>,
    unsent: Vec<i64>,
    rare: Vec<Value>,
    rare_json: String,
    files: Vec<(&'a str, i32, &'a [u8])>,
}

#[derive(Default)]
struct Accepts<'a> {
    ids: Vec<&'a str>,
    tokens: Vec<i64>,
    owners: Vec<&'a str>,
    accounts: Vec<&'a str>,
    messages: Vec<&'a [u8]>,
    files: Vec<Option<i64>>,
    keys: Vec<Option<&'a str>>,
    contents: Vec<Option<Vec<u8>>>,
    lines: Vec<Option<&'a str>>,
    accepted: Vec<i64>,
    due: Vec<Option<i64>>,
    deadlines: Vec<Option<i64>>,
    deliveries: Vec<Option<i16>>,
    receipts: Vec<Option<&'a [u8]>>,
    direct: Vec<Option<bool>>,
    inbox: Vec<Option<i64>>,
}

#[derive(Default)]
struct Paces<'a> {
    ids: Vec<i64>,
    scopes: Vec<&'a str>,
    counts: Vec<i64>,
    pers: Vec<i64>,
}

#[derive(Default)]
struct Ended<'a> {
    seqs: Vec<Seq>,
    attempts: Vec<i32>,
    due: Vec<Option<i64>>,
    progress: Vec<Option<&'a [u8]>>,
}

#[derive(Default)]
struct Finished<'a> {
    seqs: Vec<Seq>,
    deliveries: Vec<i16>,
    receipts: Vec<&'a [u8]>,
    alone: Vec<bool>,
}

#[derive(Default)]
struct Begins<'a> {
    seqs: Vec<Seq>,
    first: Vec<i64>,
    attempts: Vec<i32>,
    senders: Vec<Option<&'a str>>,
    bodies: Vec<Option<&'a [u8]>>,
    marks: Vec<Option<&'a str>>,
    progress: Vec<Option<&'a [u8]>>,
}

/// The statement that makes a batch.
pub(super) fn sql(schema: &str) -> String {
    let values: Vec<String> = (1..=45).map(|n| format!("${n}")).collect();
    format!(
        "SELECT r_seq, r_what, r_delivery, r_receipt, r_begun, r_finished, r_acked, r_wait, r_x::text, r_told::text
         FROM {schema}.apply({}, $46::text::jsonb)",
        values.join(", ")
    )
}

impl<'a> Batch<'a> {
    /// The values of these changes, their times by the clock of the store.
    pub(super) fn of(changes: &'a [Change], by: &By<'a>) -> Batch<'a> {
        let mut batch = Batch::default();
        for change in changes {
            batch.add(change, by);
        }
        batch.rare_json = Value::Array(std::mem::take(&mut batch.rare)).to_string();
        batch
    }

    fn add(&mut self, change: &'a Change, by: &By<'a>) {
        match change {
            Change::Accept(accept) => {
                let total: usize = accept.files.iter().map(|(_, bytes)| bytes.len()).sum();
                self.accepts.add(accept, total, by);
                self.files.extend(
                    accept.files.iter().map(|(place, bytes)| {
                        (accept.id.as_str(), row::most(*place), bytes.as_ref())
                    }),
                );
            }
            Change::Begin(begin) => {
                let to = &mut self.begins;
                to.seqs.push(begin.seq);
                to.first.push(by.theirs(begin.first_sent_ms));
                to.attempts.push(begin.attempts.cast_signed());
                to.senders.push(begin.sender.as_deref());
                to.bodies.push(begin.body.as_deref());
                to.marks.push(begin.mark.as_deref());
                to.progress.push(begin.progress.as_deref());
            }
            Change::Ended { seq, attempts, due_ms, progress } => {
                self.ended.seqs.push(*seq);
                self.ended.attempts.push(attempts.cast_signed());
                self.ended.due.push(due_ms.map(|at| by.theirs(at)));
                self.ended.progress.push(progress.as_deref());
            }
            Change::Finish { seq, verdict, alone } => {
                self.finished.seqs.push(*seq);
                self.finished.deliveries.push(verdict.delivery as i16);
                self.finished.receipts.push(&verdict.receipt);
                self.finished.alone.push(*alone);
            }
            Change::Ack { id } => self.acked.push(id),
            Change::Pace { id, limits } => limits.iter().for_each(|limit| {
                self.paces.ids.push(*id);
                self.paces.scopes.push(&limit.scope);
                self.paces.counts.push(limit.count);
                self.paces.pers.push(limit.per_ms);
            }),
            Change::Paced { id, went: true } => self.answered.push(*id),
            Change::Paced { id, went: false } => self.unsent.push(*id),
            Change::Went { slots } if by.has(slots) => {}
            Change::Went { slots } => self.rare.push(json!({"op": "went", "slots": slots})),
            Change::Retry { id } => self.rare.push(json!({"op": "retry", "id": id})),
            Change::Tell(told) => self.rare.push(json!({
                "op": "tell",
                "about": told.about,
                "left": told.until_ms.saturating_sub(by.now_ms),
                "words": told.words,
            })),
            Change::Free { seq } => self.rare.push(json!({"op": "free", "seq": seq})),
            Change::Drop { id } => self.rare.push(json!({"op": "drop", "id": id})),
            Change::Remove { id, verdict } => self.rare.push(json!({
                "op": "remove",
                "id": id,
                "delivery": verdict.delivery as i16,
                "receipt": String::from_utf8_lossy(&verdict.receipt),
            })),
        }
    }

    /// The files of what is accepted, each with the id of its message and its place there.
    pub(super) fn files(&self) -> Vec<(&'a str, i32, &'a [u8])> {
        self.files.clone()
    }

    /// The values of the statement, after those that say who makes the changes.
    pub(super) fn values<'b>(
        &'b self,
        bounds: &[&'b (dyn ToSql + Sync)],
    ) -> Vec<&'b (dyn ToSql + Sync)> {
        let (a, b, e, f) = (&self.accepts, &self.begins, &self.ended, &self.finished);
        let p = &self.paces;
        let mut values = bounds.to_vec();
        let of: [&(dyn ToSql + Sync); 39] = [
            &a.ids,
            &a.tokens,
            &a.owners,
            &a.accounts,
            &a.messages,
            &a.files,
            &a.keys,
            &a.contents,
            &a.lines,
            &a.accepted,
            &a.due,
            &a.deadlines,
            &a.deliveries,
            &a.receipts,
            &a.direct,
            &a.inbox,
            &e.seqs,
            &e.attempts,
            &e.due,
            &e.progress,
            &b.seqs,
            &b.first,
            &b.attempts,
            &b.senders,
            &b.bodies,
            &b.marks,
            &b.progress,
            &f.seqs,
            &f.deliveries,
            &f.receipts,
            &f.alone,
            &self.acked,
            &p.ids,
            &p.scopes,
            &p.counts,
            &p.pers,
            &self.answered,
            &self.unsent,
            &self.rare_json,
        ];
        values.extend(of);
        values
    }
}

impl<'a> Accepts<'a> {
    fn add(&mut self, accept: &'a Accept, files: usize, by: &By<'a>) {
        self.ids.push(&accept.id);
        self.tokens.push(accept.token.cast_signed());
        self.owners.push(accept.from.as_ref().map_or(by.owner, |from| from.owner.as_str()));
        self.accounts.push(&accept.account);
        self.messages.push(&accept.message);
        let has_files = !accept.files.is_empty();
        self.files.push(has_files.then(|| i64::try_from(files).unwrap_or(i64::MAX)));
        self.keys.push(accept.key.as_ref().map(|(key, _)| key.as_str()));
        self.contents.push(accept.key.as_ref().map(|(_, content)| content.stored().to_vec()));
        self.lines.push(accept.line.as_deref());
        self.accepted.push(by.theirs(accept.accepted_ms));
        self.due.push(accept.due_ms.map(|at| by.theirs(at)));
        self.deadlines.push(accept.deadline_ms.map(|at| by.theirs(at)));
        self.deliveries.push(accept.result.as_ref().map(|verdict| verdict.delivery as i16));
        self.receipts.push(accept.result.as_ref().map(|verdict| verdict.receipt.as_slice()));
        self.direct.push(accept.direct.then_some(true));
        self.inbox.push(accept.from.as_ref().map(|from| from.number));
    }
}

/// What became of each change, by the answer to the statement.
pub(super) fn applied(changes: &[Change], answer: &Row, by: &By<'_>) -> Vec<Applied> {
    let set = |column: &str| -> HashSet<Seq> {
        answer.get::<_, Option<Vec<Seq>>>(column).unwrap_or_default().into_iter().collect()
    };
    let (begun, finished) = (set("r_begun"), set("r_finished"));
    let acked: Vec<String> = answer.get("r_acked");
    let acked: HashSet<&str> = acked.iter().map(String::as_str).collect();
    let accepts = Accepted {
        seqs: answer.get::<_, Option<Vec<i64>>>("r_seq").unwrap_or_default(),
        what: answer.get::<_, Option<Vec<i16>>>("r_what").unwrap_or_default(),
        deliveries: answer.get::<_, Option<Vec<Option<i16>>>>("r_delivery").unwrap_or_default(),
        receipts: answer.get::<_, Option<Vec<Option<Vec<u8>>>>>("r_receipt").unwrap_or_default(),
    };
    let rare: Vec<Value> = serde_json::from_str(answer.get("r_x")).unwrap_or_default();
    let waits: Vec<i64> = answer.get::<_, Option<Vec<i64>>>("r_wait").unwrap_or_default();
    let mut waits = waits.into_iter();
    let (mut next_accept, mut rare) = (0.., rare.into_iter());
    let done = |made: bool| match made {
        true => Applied::Done { followers: Vec::new(), ready: Vec::new(), due_ms: None },
        false => Applied::Missed,
    };
    let what = |change: &Change| match change {
        Change::Accept(accept) => {
            accepts.applied(next_accept.next().unwrap_or(usize::MAX), accept, by)
        }
        Change::Begin(begin) => done(begun.contains(&begin.seq)),
        // Whatever became of it, nobody waits for that.
        Change::Ended { .. } | Change::Paced { .. } => done(true),
        Change::Went { slots } if by.has(slots) => done(true),
        Change::Pace { .. } => {
            Applied::Paced { wait: Duration::from_millis(row::ms(waits.next().unwrap_or(0))) }
        }
        Change::Finish { seq, .. } => done(finished.contains(seq)),
        Change::Ack { id } => done(acked.contains(id.as_str())),
        Change::Retry { .. } => retried(&rare.next().unwrap_or_default(), by),
        Change::Went { .. }
        | Change::Free { .. }
        | Change::Drop { .. }
        | Change::Remove { .. }
        | Change::Tell(_) => done(rare.next() == Some(Value::Bool(true))),
    };
    changes.iter().map(what).collect()
}

/// What became of the messages that were to be accepted.
struct Accepted {
    seqs: Vec<i64>,
    what: Vec<i16>,
    deliveries: Vec<Option<i16>>,
    receipts: Vec<Option<Vec<u8>>>,
}

impl Accepted {
    fn applied(&self, i: usize, accept: &Accept, by: &By<'_>) -> Applied {
        let (Some(&seq), Some(what)) = (self.seqs.get(i), self.what.get(i)) else {
            return Applied::Missed;
        };
        match what {
            0 => {
                let leased = (by.holds || accept.direct) && accept.from.is_none();
                Applied::Accepted { seq, turn: leased.then_some(seq), follows: false }
            }
            1 => Applied::Accepted { seq, turn: None, follows: false },
            2 => Applied::Accepted { seq, turn: None, follows: true },
            3 if accept.result.is_some() => Applied::Accepted { seq, turn: None, follows: false },
            3 => {
                let delivery = self.deliveries.get(i).copied().flatten();
                let receipt = self.receipts.get(i).cloned().flatten();
                Applied::Known { seq, verdict: row::verdict(delivery, receipt) }
            }
            4 => Applied::Conflict,
            5 => Applied::Full { what: "max_messages", most: row::ms(by.max_messages) },
            6 => Applied::Full { what: "max_bytes", most: row::ms(by.max_bytes) },
            _ => Applied::Missed,
        }
    }
}

fn retried(told: &Value, by: &By<'_>) -> Applied {
    let seq = told["seq"].as_i64().unwrap_or(0);
    match told["what"].as_str() {
        Some("accepted") => Applied::Accepted { seq, turn: None, follows: false },
        Some("follows") => Applied::Accepted { seq, turn: None, follows: true },
        Some("known") => Applied::Known { seq, verdict: row::verdict(None, None) },
        Some("conflict") => Applied::Conflict,
        Some("full") => Applied::Full { what: "max_messages", most: row::ms(by.max_messages) },
        _ => Applied::Missed,
    }
}

/// Adds what members told, as the database gives it, to what was not asked for yet; the last number of it.
pub(super) fn told(json: &str, now_ms: u64, to: &mut Vec<Told>) -> Option<i64> {
    let all: Vec<Value> = serde_json::from_str(json).unwrap_or_default();
    to.extend(all.iter().filter_map(|one| {
        Some(Told {
            about: one["about"].as_str()?.to_owned(),
            until_ms: now_ms.saturating_add(one["left"].as_u64()?),
            words: one["words"].as_str().map(str::to_owned),
        })
    }));
    all.iter().filter_map(|one| one["number"].as_i64()).max()
}
