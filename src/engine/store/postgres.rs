//! The store in a schema of a PostgreSQL database, for any number of members on any number of machines.
//!
//! A member is a row with a number that no other ever had. What it has in its hands carries that number, and
//! every change that it makes first locks its own row: whoever was taken for dead, and comes back, finds it
//! gone and changes nothing. What a member does not know the end of, since the connection broke in the
//! middle, it makes sure of under a new number: its old one is locked first, so that what it had said is
//! either made by then or never will be.
//!
//! What is true of rows together (keys, lines, counts) is told by functions of the schema, so that a batch
//! costs one round trip.

mod batch;
mod connection;
mod faults;
mod looker;
mod row;
mod schema;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio_postgres::types::ToSql;

use super::known::Known;
use super::{
    Applied, Arrived, Change, News, Ready, Seq, Store, StoredResult, Submitted, Told, Verdict,
};
use crate::engine::runtime::TokioClock;
use crate::model::config::{OutboxConfig, Postgres as Place};
use crate::model::error::Result;
use crate::net::Clock as _;
use connection::{Connection, Driver};
pub use looker::Looker;
use row::{ms, time};
use schema::VERSION;
pub use schema::{make_schema, schema_sql};

/// How often a member looks for itself, should a notification have got lost.
const LOOKS_EVERY: Duration = Duration::from_secs(5);

/// Messages that members left in doubt, taken at once.
const MOST_ADOPTED: i32 = 256;

/// What notifications have said, until it is looked at.
#[derive(Default)]
struct Heard {
    work: AtomicBool,
    results: AtomicBool,
    told: AtomicBool,
}

/// One member of an outbox in a database.
pub struct Postgres {
    driver: Driver,
    connection: Option<Connection>,
    schema: String,
    owner: String,
    sends: bool,
    lease: Duration,
    max_messages: i64,
    max_bytes: i64,
    keep_ms: i64,
    /// The number of this member; none before it has entered, or once it was taken for dead.
    member: Option<i64>,
    /// The numbers that it had, and has.
    mine: Vec<i64>,
    /// It was taken for dead, and its user does not know yet.
    lost: bool,
    /// Nobody knows whether the last changes were made.
    unsure: bool,
    /// It takes messages out of the inbox.
    admits: bool,
    /// How far the clock of the database is ahead of ours, in milliseconds.
    ahead_ms: i64,
    counts: (u64, u64),
    heard: Arc<Heard>,
    /// What members told that was not asked for yet, and the number of the last of it.
    told: Vec<Told>,
    seen: i64,
    /// The words that the database says went; after a failure none.
    known: Known,
    /// When the last sign of life was given, and when it was looked for what there is.
    beat: Option<Instant>,
    looked: Option<Instant>,
}

impl Postgres {
    /// Opens an outbox as a new member of it.
    ///
    /// `storage` where the database is out of reach, or its schema is none of this library.
    pub fn open(place: &Place, config: &OutboxConfig) -> Result<Postgres> {
        let limit = |most: u64| i64::try_from(most).unwrap_or(i64::MAX);
        let heard = Arc::<Heard>::default();
        let mut store = Postgres {
            driver: Driver::start(place.clone(), Arc::clone(&heard))?,
            connection: None,
            schema: place.schema.clone(),
            owner: config.owner.clone(),
            sends: config.sends,
            lease: config.lease,
            max_messages: limit(config.max_messages),
            max_bytes: limit(config.max_bytes),
            keep_ms: i64::from(config.key_days) * 24 * 60 * 60 * 1000,
            member: None,
            mine: Vec::new(),
            lost: false,
            unsure: false,
            admits: false,
            ahead_ms: 0,
            counts: (0, 0),
            heard,
            told: Vec::new(),
            seen: 0,
            known: Known::default(),
            beat: None,
            looked: None,
        };
        store.enter()?;
        store.give_sign()?;
        store.hear()?;
        Ok(store)
    }

    /// Works with the connection, which is made anew where it broke, as a member.
    ///
    /// Who was taken for dead does nothing more before he has been told so ([`Store::attend`]): what he
    /// holds in his memory is not his.
    fn with<T>(
        &mut self,
        what: &str,
        work: impl AsyncFnOnce(&Connection, i64) -> connection::Answer<T>,
    ) -> Result<T> {
        let member = self.member.ok_or_else(|| faults::gone(self.driver.shown()))?;
        let connection = self.connection.take().filter(Connection::lives);
        let connection = match connection {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let made = self.driver.wait(work(&connection, member));
        self.connection = connection.lives().then_some(connection);
        made.map_err(|error| {
            if error.is_gone() {
                self.member = None;
            }
            self.unsure |= error.is_lost();
            faults::storage(self.driver.shown(), what, error)
        })
    }

    fn connect(&mut self) -> Result<Connection> {
        self.looked = None;
        self.driver.connect().map_err(|error| faults::storage(self.driver.shown(), "reach", error))
    }

    /// Becomes a member, and no member that it was before.
    fn enter(&mut self) -> Result<()> {
        let connection = match self.connection.take().filter(Connection::lives) {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let (schema, lease) = (&self.schema, time(self.lease));
        let entered = self.driver.wait(async {
            let version =
                connection.one(&format!("SELECT version FROM {schema}.meta"), &[]).await?;
            let version: i32 = version.get(0);
            if version != VERSION {
                return Ok(Err(version));
            }
            let sql = format!("SELECT {schema}.enter($1, $2, $3)");
            let row = connection.one(&sql, &[&self.owner, &self.sends, &lease]).await?;
            Ok(Ok(row.get::<_, i64>(0)))
        });
        self.connection = connection.lives().then_some(connection);
        let shown = self.driver.shown();
        let member = entered
            .map_err(|error| faults::storage(shown, "open", error))?
            .map_err(|version| faults::version(shown, version, VERSION))?;
        (self.member, self.mine) = (Some(member), vec![member]);
        (self.beat, self.unsure, self.admits) = (None, false, false);
        Ok(())
    }

    /// Goes on under a new number, since nobody knows what became of the last changes.
    fn make_sure(&mut self, held: &HashSet<Seq>) -> Result<()> {
        let held: Vec<Seq> = held.iter().copied().collect();
        let sql = format!("SELECT {}.renew($1, $2)", self.schema);
        let member = self.with("make sure of", async |connection, member| {
            let row = connection.one(&sql, &[&member, &held]).await?;
            Ok(row.get::<_, i64>(0))
        })?;
        self.member = Some(member);
        self.mine.push(member);
        self.unsure = false;
        Ok(())
    }

    /// Gives a sign of life.
    fn give_sign(&mut self) -> Result<()> {
        let sql =
            format!("SELECT now, admits, messages, open FROM {}.beat($1, $2, $3)", self.schema);
        let (lease, mine) = (time(self.lease), self.mine.clone());
        let before = TokioClock::default().unix_ms();
        let row = self.with("give a sign of life in", async |connection, member| {
            connection.one(&sql, &[&member, &mine, &lease]).await
        })?;
        let after = TokioClock::default().unix_ms();
        let local = i64::try_from(u64::midpoint(before, after)).unwrap_or(i64::MAX);
        self.ahead_ms = row.get::<_, i64>(0) - local;
        let admits: bool = row.get(1);
        if admits && !self.admits {
            self.heard.work.store(true, Ordering::Release);
        }
        self.admits = admits;
        self.counts = (ms(row.get(2)), ms(row.get(3)));
        self.beat = Some(Instant::now());
        Ok(())
    }

    /// Looks for what members told.
    fn hear(&mut self) -> Result<()> {
        let sql = format!("SELECT {}.heard($1)::text", self.schema);
        let seen = self.seen;
        let row = self.with("read what was told in", async |connection, _| {
            connection.one(&sql, &[&seen]).await
        })?;
        self.note(row.get(0));
        Ok(())
    }

    /// Notes what members told, as the database gives it.
    fn note(&mut self, told: Option<&str>) {
        let Some(told) = told else { return };
        let now = TokioClock::default().unix_ms();
        self.seen = batch::told(told, now, &mut self.told).unwrap_or(self.seen);
    }

    /// Rows that a function of the schema puts into this member's hands.
    fn take(&mut self, what: &str, call: &str, more: &[&(dyn ToSql + Sync)]) -> Result<Vec<Ready>> {
        let sql = format!("SELECT {} FROM {}.{call} ORDER BY turn, seq", row::READY, self.schema);
        let (mine, ahead) = (self.mine.clone(), self.ahead_ms);
        self.with(what, async |connection, member| {
            let mut values: Vec<&(dyn ToSql + Sync)> = vec![&member];
            values.extend(more);
            let rows = connection.all(&sql, &values).await?;
            Ok(rows.iter().map(|found| row::ready(found, &mine, ahead)).collect())
        })
    }

    /// A time of the database by our clock.
    fn ours(&self, at: i64) -> u64 {
        ms(at.saturating_sub(self.ahead_ms))
    }
}

impl Store for Postgres {
    fn is_remote(&self) -> bool {
        true
    }

    fn watch(&mut self, wake: Arc<dyn Fn() + Send + Sync>) {
        self.driver.watch(wake);
    }

    fn attend(&mut self, held: &HashSet<Seq>) -> Result<News> {
        if self.unsure && self.member.is_some() {
            let made = self.make_sure(held);
            // One that is gone enters anew.
            if self.member.is_some() {
                made?;
            }
        }
        if self.member.is_some() && self.beat.is_none_or(|at| at.elapsed() >= self.lease / 3) {
            let given = self.give_sign();
            if self.member.is_some() {
                given?;
            }
        }
        if self.member.is_none() {
            self.lost = true;
            self.enter()?;
            self.give_sign()?;
        } else if self.connection.as_ref().is_none_or(|connection| !connection.lives()) {
            // Without one nothing is heard.
            self.connection = Some(self.connect()?);
        }
        let looks = self.looked.is_none_or(|at| at.elapsed() >= LOOKS_EVERY);
        if self.heard.told.swap(false, Ordering::AcqRel) || looks {
            self.hear()?;
        }
        if looks {
            self.looked = Some(Instant::now());
        }
        Ok(News {
            work: self.heard.work.swap(false, Ordering::AcqRel) || looks,
            results: self.heard.results.swap(false, Ordering::AcqRel) || looks,
            lost: std::mem::take(&mut self.lost),
        })
    }

    fn rests(&self) -> Duration {
        let left = |since: Option<Instant>, every: Duration| {
            since.map_or(Duration::ZERO, |at| every.saturating_sub(at.elapsed()))
        };
        left(self.beat, self.lease / 3).min(left(self.looked, LOOKS_EVERY))
    }

    fn commit(&mut self, changes: &[Change], now_ms: u64) -> Result<Vec<Applied>> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let (owner, mut known) = (self.owner.clone(), std::mem::take(&mut self.known));
        let waits = |change: &Change| match change {
            Change::Accept(accept) => !accept.held && !accept.direct && accept.from.is_none(),
            _ => false,
        };
        // All of a batch, or none of it.
        let holds = self.sends && !changes.iter().any(waits);
        let by = batch::By {
            owner: &owner,
            holds,
            max_messages: self.max_messages,
            max_bytes: self.max_bytes,
            now_ms,
            ahead_ms: self.ahead_ms,
            known: &known,
        };
        let batch = batch::Batch::of(changes, &by);
        let sql = batch::sql(&self.schema);
        let files = batch.files();
        let insert =
            format!("INSERT INTO {}.files (id, file, bytes) VALUES ($1, $2, $3)", self.schema);
        let mine = self.mine.clone();
        let (most, bytes, keep) = (self.max_messages, self.max_bytes, self.keep_ms);
        let seen = self.seen;
        let made = self.with("write to", async |connection, member| {
            let bounds: [&(dyn ToSql + Sync); 7] =
                [&member, &mine, &holds, &most, &bytes, &keep, &seen];
            if files.is_empty() {
                return connection.one(&sql, &batch.values(&bounds)).await;
            }
            connection.all("BEGIN", &[]).await?;
            for (id, file, bytes) in &files {
                connection.all(&insert, &[id, file, bytes]).await?;
            }
            let row = connection.one(&sql, &batch.values(&bounds)).await?;
            connection.all("COMMIT", &[]).await?;
            Ok(row)
        });
        match made {
            Ok(row) => {
                self.note(row.get("r_told"));
                let applied = batch::applied(changes, &row, &by);
                known.made(changes);
                self.known = known;
                Ok(applied)
            }
            Err(error) => {
                if !files.is_empty() {
                    // A transaction that is half done ends with its connection.
                    self.connection = None;
                    self.unsure = true;
                }
                Err(error)
            }
        }
    }

    fn went(&mut self) -> Result<Vec<u32>> {
        let sql = format!("SELECT slot FROM {}.went", self.schema);
        let slots: Vec<u32> = self.with("read from", async |connection, _| {
            let rows = connection.all(&sql, &[]).await?;
            Ok(rows.iter().map(|row| row.get::<_, i32>(0).cast_unsigned()).collect())
        })?;
        slots.iter().for_each(|slot| self.known.add(*slot));
        Ok(slots)
    }

    fn begun(&mut self) -> Result<Vec<Ready>> {
        self.take("read what was begun from", "adopt($1, $2)", &[&MOST_ADOPTED])
    }

    fn accounts(&mut self) -> Result<Vec<String>> {
        let sql = format!("SELECT * FROM {}.accounts()", self.schema);
        self.with("read the accounts from", async |connection, _| {
            Ok(connection.all(&sql, &[]).await?.iter().map(|row| row.get(0)).collect())
        })
    }

    fn ready(&mut self, account: &str, most: usize) -> Result<Vec<Ready>> {
        self.take("read the queue from", "lease($1, $2, $3)", &[&account, &row::most(most)])
    }

    fn called(&mut self) -> Result<Vec<Ready>> {
        let mine = self.mine.clone();
        self.take("read who is called from", "called($1, $2)", &[&mine])
    }

    fn release(&mut self, _now_ms: u64) -> Result<(Vec<String>, Option<u64>)> {
        let sql = format!("SELECT accounts, next_ms FROM {}.release($1)", self.schema);
        let row = self.with("queue what is due in", async |connection, member| {
            connection.one(&sql, &[&member]).await
        })?;
        Ok((row.get(0), row.get::<_, Option<i64>>(1).map(|at| self.ours(at))))
    }

    fn overdue(&mut self, _now_ms: u64, most: usize) -> Result<Vec<Ready>> {
        self.take("read deadlines from", "overdue($1, $2)", &[&row::most(most)])
    }

    fn next_deadline(&mut self) -> Result<Option<u64>> {
        let sql = format!("SELECT {}.next_deadline()", self.schema);
        let row = self
            .with("read deadlines from", async |connection, _| connection.one(&sql, &[]).await)?;
        Ok(row.get::<_, Option<i64>>(0).map(|at| self.ours(at)))
    }

    fn unbegun(&mut self, seq: Seq) -> Result<Option<Ready>> {
        Ok(self.take("read a message from", "take($1, $2)", &[&seq])?.pop())
    }

    fn unfinished(&mut self, account: &str, after: Seq, most: usize) -> Result<Vec<Ready>> {
        let call = "unfinished($1, $2, $3, $4)";
        self.take("read messages from", call, &[&account, &after, &row::most(most)])
    }

    fn results(&mut self, most: usize) -> Result<Vec<StoredResult>> {
        let sql = format!(
            "SELECT seq, id, token, borrowed, delivery, receipt, own
             FROM {}.take_results($1, $2, $3, $4, $5) ORDER BY seq",
            self.schema
        );
        let (mine, lease, owner) = (self.mine.clone(), time(self.lease), self.owner.clone());
        let most = row::most(most);
        self.with("read results from", async |connection, member| {
            let rows = connection.all(&sql, &[&member, &mine, &owner, &lease, &most]).await?;
            Ok(rows.iter().map(row::result).collect())
        })
    }

    fn files(&mut self, id: &str) -> Result<Vec<(usize, Bytes)>> {
        let sql =
            format!("SELECT file, bytes FROM {}.files WHERE id = $1 ORDER BY file", self.schema);
        self.with("read files from", async |connection, _| {
            let rows = connection.all(&sql, &[&id]).await?;
            let file = |row: &tokio_postgres::Row| {
                (
                    usize::try_from(row.get::<_, i32>(0)).unwrap_or(0),
                    Bytes::from(row.get::<_, Vec<u8>>(1)),
                )
            };
            Ok(rows.iter().map(file).collect())
        })
    }

    fn arrived(&mut self, most: usize) -> Result<Vec<Arrived>> {
        if !self.admits {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT number, id, owner, at_ms, message FROM {}.inbox ORDER BY number LIMIT $1",
            self.schema
        );
        let (most, ahead) = (i64::try_from(most).unwrap_or(i64::MAX), self.ahead_ms);
        self.with("read the inbox of", async |connection, _| {
            let rows = connection.all(&sql, &[&most]).await?;
            let arrived = |row: &tokio_postgres::Row| Arrived {
                from: Submitted { number: row.get(0), owner: row.get(2) },
                id: row.get(1),
                at_ms: ms(row.get::<_, i64>(3) - ahead),
                message: row.get::<_, String>(4).into_bytes(),
            };
            Ok(rows.iter().map(arrived).collect())
        })
    }

    fn heard(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    fn followed(&mut self) -> Result<Vec<(String, Verdict)>> {
        let sql =
            format!("SELECT id, delivery, receipt FROM {}.take_followed($1, $2)", self.schema);
        let mine = self.mine.clone();
        self.with("read results from", async |connection, member| {
            let rows = connection.all(&sql, &[&member, &mine]).await?;
            Ok(rows.iter().map(row::followed).collect())
        })
    }

    fn count(&self) -> (u64, u64) {
        self.counts
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take().filter(Connection::lives) else { return };
        let sql = format!("SELECT {}.leave(m) FROM unnest($1::bigint[]) AS m", self.schema);
        let mine = std::mem::take(&mut self.mine);
        // Where that fails, its leases end by themselves.
        let _ = self.driver.wait(async { connection.all(&sql, &[&mine]).await });
    }
}
