//! The members of a file: how they come and go, and what becomes of what they had in their hands.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, Result as Asked, params};

use super::batch::{Batch, Bounds, By, Ledger, done};
use super::sign::{self, Called, Listener, Other, Sign};
use super::{Door, Lock, Options, Sqlite, connection, direct, faults, hands, rates, row, told};
use crate::engine::store::known::Known;
use crate::engine::store::{News, Seq};
use crate::model::error::Result;

/// How often a member looks for itself, should a call have got lost.
const LOOKS_EVERY: u64 = 5000;

/// How often it looks whether the others live.
const CHECKS_EVERY: u64 = 200;

/// How long a member that goes waits for the door.
const LEAVES_WITHIN: Duration = Duration::from_secs(2);

/// What a client is among the members of a file.
pub(super) struct Membership {
    /// Its number.
    pub(super) number: i64,
    pub(super) owner: String,
    /// It sends what is due, and hands out results.
    sends: bool,
    takes: bool,
    /// It alone sends, and what it has in its hands need not say so.
    pub(super) sole: bool,
    /// It was taken for dead.
    pub(super) is_lost: bool,
    lease: Duration,
    clock: fn() -> u64,
    calendar: fn() -> u64,
    sign: Option<Sign>,
    listener: Option<Listener>,
    wake: Option<Arc<dyn Fn() + Send + Sync>>,
    others: Vec<Other>,
    /// How often members had come or gone when the others were looked for.
    changes: i64,
    /// They have to be looked for again.
    is_stale: bool,
    /// What it was called for, or calls itself for.
    called: Called,
    /// When the last sign of life was given, it was looked whether the others live, whether results are
    /// taken long ago, and for what there is.
    beat: u64,
    checked: u64,
    counted: u64,
    looked: u64,
}

impl Membership {
    pub(super) fn new(options: &Options<'_>) -> Membership {
        let now = (options.ticks)();
        Membership {
            number: super::batch::NOBODY,
            owner: options.owner.to_owned(),
            sends: options.sends,
            takes: options.takes,
            sole: false,
            is_lost: false,
            lease: options.lease,
            clock: options.ticks,
            calendar: options.unix_ms,
            sign: None,
            listener: None,
            wake: None,
            others: Vec::new(),
            changes: 0,
            is_stale: true,
            called: Called::ALL,
            beat: now,
            checked: now,
            counted: now,
            looked: now,
        }
    }

    pub(super) fn ticks(&self) -> u64 {
        (self.clock)()
    }

    fn unix_ms(&self) -> u64 {
        (self.calendar)()
    }

    /// True if no other member is known.
    pub(super) fn is_alone(&self) -> bool {
        self.others.is_empty() && !self.is_stale
    }

    /// True if it hands out what others of its owner have left, since there are none.
    pub(super) fn inherits(&self) -> bool {
        self.takes && self.is_alone()
    }

    /// After a transaction that found so many changes of members, and left this for others to do.
    pub(super) fn knows(&mut self, changes: i64, call: Called) {
        self.is_stale |= changes != self.changes;
        self.called.results |= call.results;
        if call.is_any() {
            self.others.iter_mut().for_each(|other| other.call(call));
        }
    }

    /// Has this called whenever others call.
    pub(super) fn listens(&mut self, wake: Arc<dyn Fn() + Send + Sync>) {
        self.wake = Some(wake);
        self.listen();
    }

    fn listen(&mut self) {
        let (Some(sign), Some(wake)) = (&self.sign, &self.wake) else { return };
        // Without it calls are heard when it looks by itself.
        self.listener = sign.listen(Arc::clone(wake)).ok();
    }

    /// Leaves everything to the parent of this process.
    pub(super) fn forget(&mut self) {
        self.listener.take().into_iter().for_each(Listener::forget);
    }

    fn lease_ms(&self) -> u64 {
        u64::try_from(self.lease.as_millis()).unwrap_or(u64::MAX)
    }

    /// How long nothing need be done here, if nobody calls. `gives`: it hands out results.
    pub(super) fn rests(&self, gives: bool) -> Duration {
        let now = self.ticks();
        let left = |since: u64, every: u64| (since + every).saturating_sub(now);
        let mut left_ms = left(self.beat, self.lease_ms() / 3).min(left(self.looked, LOOKS_EVERY));
        if !self.others.is_empty() {
            left_ms = left_ms.min(left(self.checked, CHECKS_EVERY));
        }
        if gives {
            left_ms = left_ms.min(left(self.counted, self.lease_ms() / 3));
        }
        Duration::from_millis(left_ms.max(1))
    }
}

/// What a transaction finds first.
pub(super) struct Standing {
    pub(super) ledger: Ledger,
    /// How often members have come or gone.
    pub(super) members: i64,
    /// How much was told.
    pub(super) told: i64,
}

/// What is known of the rows, if this still is a member.
pub(super) fn standing(conn: &Connection, member: i64) -> Asked<Option<Standing>> {
    let found = conn
        .prepare_cached(
            "SELECT messages, open, bytes, next, purge_ms, has_files, meta.members, told
             FROM meta, members WHERE members.member = ?1 AND gone = 0",
        )?
        .query_row([member], |row| {
            Ok(Standing {
                ledger: Ledger {
                    unacked: row::ms(row.get(0)?),
                    open: row::ms(row.get(1)?),
                    bytes: row::ms(row.get(2)?),
                    next: row.get(3)?,
                    purge_at: row::ms(row.get(4)?),
                    has_files: row.get(5)?,
                },
                members: row.get(6)?,
                told: row.get(7)?,
            })
        });
    row::found(found)
}

/// Keeps what is known of the rows, if that changed.
pub(super) fn keep(conn: &Connection, before: Option<&Ledger>, now: &Ledger) -> Asked<()> {
    if before == Some(now) {
        return Ok(());
    }
    conn.prepare_cached(
        "UPDATE meta SET messages = ?1, open = ?2, bytes = ?3, next = ?4, purge_ms = ?5, has_files = ?6",
    )?
    .execute(params![
        row::time(now.unacked),
        row::time(now.open),
        row::time(now.bytes),
        now.next,
        row::time(now.purge_at),
        now.has_files
    ])?;
    Ok(())
}

/// Becomes a member, and no member that it was before. `left`: it is alone with the file, and this is what
/// stands there of others.
pub(super) fn enter(store: &mut Sqlite, left: Option<&Left>) -> Result<()> {
    store.follow_file()?;
    let conn = connection::connected(store.conn.as_ref())?;
    let membership = &mut store.membership;
    membership.listener = None;
    membership.sign = None;
    let path = store.path.clone();
    let failed = |error: rusqlite::Error| faults::storage(&path, "open the outbox", &error);
    conn.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
    let number = "UPDATE meta SET run = run + 1, members = members + 1 RETURNING run";
    let mut made = None;
    let entered = conn
        .query_row(number, [], |row| row.get::<_, i64>(0))
        .map_err(failed)
        .and_then(|number| {
            made = Some((number, Sign::make(&path, number)?));
            if let Some(left) = left {
                let (hands, known) = (HashMap::new(), Known::default());
                let by = By {
                    member: number,
                    owner: "",
                    sole: false,
                    inherits: false,
                    hands: &hands,
                    known: &known,
                };
                end_all(conn, left, store.bounds, by, membership.unix_ms()).map_err(failed)?;
            }
            let sole: bool = conn
                .query_row(
                    "INSERT INTO members (member, owner, sends, lease_ms, sole) VALUES (?1, ?2, ?3, ?4,
                         ?3 AND NOT EXISTS (SELECT 1 FROM members WHERE sends = 1 AND gone = 0))
                     RETURNING sole",
                    params![
                        number,
                        membership.owner,
                        membership.sends,
                        row::time(membership.lease_ms())
                    ],
                    |row| row.get(0),
                )
                .map_err(failed)?;
            conn.execute_batch("COMMIT").map_err(failed)?;
            Ok(sole)
        });
    let sole = entered.inspect_err(|_| {
        let _ = super::undo(conn, true);
        if let Some((number, _)) = &made {
            sign::clear(&path, *number);
        }
    })?;
    let Some((number, sign)) = made else { return Err(super::unconnected()) };
    let now = membership.ticks();
    membership.number = number;
    membership.sole = sole;
    membership.is_lost = false;
    sign.give();
    membership.sign = Some(sign);
    (membership.beat, membership.is_stale) = (now, true);
    membership.called = Called::ALL;
    membership.listen();
    store.hands.clear();
    store.cursors.clear();
    store.given.clear();
    store.unsaved.clear();
    look_round(store)?;
    store
        .membership
        .others
        .iter_mut()
        .for_each(|other| other.call(Called { work: true, results: false }));
    Ok(())
}

/// Learns who the other members are, and what is known of the rows.
fn look_round(store: &mut Sqlite) -> Result<()> {
    let (member, last_heard) = (store.membership.number, store.last_heard);
    let found = store.read("look for other members of", |conn| {
        let Some(standing) = standing(conn, member)? else { return Ok(None) };
        let others = conn
            .prepare_cached(
                "SELECT member, sends, lease_ms FROM members WHERE gone = 0 AND member <> ?1",
            )?
            .query_map([member], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?, row::ms(row.get(2)?)))
            })?
            .collect::<Asked<Vec<_>>>()?;
        let heard = told::after(conn, last_heard)?;
        Ok(Some((standing, others, heard)))
    })?;
    let Some((standing, found, heard)) = found else {
        store.membership.is_lost = true;
        return Ok(());
    };
    let next = standing.ledger.next.max(store.ledger.next);
    store.ledger = Ledger { next, ..standing.ledger };
    store.heard.extend(heard);
    store.last_heard = standing.told;
    let membership = &mut store.membership;
    let now = membership.ticks();
    membership.others.retain(|other| found.iter().any(|(member, ..)| *member == other.member));
    for (member, sends, lease_ms) in found {
        if !membership.others.iter().any(|other| other.member == member) {
            membership.others.push(Other::new(&store.path, member, sends, lease_ms, now));
        }
    }
    (membership.changes, membership.is_stale) = (standing.members, false);
    Ok(())
}

/// Gives a sign of life where one is due, and sees to it that what members that are gone had goes on.
pub(super) fn attend(store: &mut Sqlite, _held: &HashSet<Seq>) -> Result<News> {
    let now = store.membership.ticks();
    let membership = &mut store.membership;
    if now.saturating_sub(membership.beat) >= membership.lease_ms() / 3 {
        membership.sign.as_ref().into_iter().for_each(Sign::give);
        membership.beat = now;
    }
    let called = membership.sign.as_mut().map_or(Called::default(), Sign::called);
    membership.called = membership.called.and(called);
    let looks = now.saturating_sub(membership.looked) >= LOOKS_EVERY;
    if looks {
        (membership.looked, membership.called) = (now, Called::ALL);
    }
    if called.is_any() || looks || membership.is_stale {
        look_round(store)?;
    }
    let mut lost = false;
    if store.membership.is_lost {
        enter(store, None)?;
        lost = true;
    }
    end_others(store, now)?;
    let sends = store.membership.others.iter().any(|other| other.sends);
    match (store.membership.sole, sends) {
        (true, true) => hands::tell(store)?,
        (false, false) if store.membership.sends => be_sole(store)?,
        _ => {}
    }
    give_back(store, now)?;
    let called = std::mem::take(&mut store.membership.called);
    Ok(News { work: called.work, results: called.results, lost })
}

/// Ends members that are gone.
fn end_others(store: &mut Sqlite, now: u64) -> Result<()> {
    let membership = &mut store.membership;
    if membership.others.is_empty() || now.saturating_sub(membership.checked) < CHECKS_EVERY {
        return Ok(());
    }
    membership.checked = now;
    let gone: Vec<i64> = membership
        .others
        .iter_mut()
        .filter_map(|other| other.is_gone(now).then_some(other.member))
        .collect();
    for member in gone {
        let unix_ms = store.membership.unix_ms();
        store.transact("end a member of", unix_ms, |batch| end(batch, member))?;
        sign::clear(&store.path, member);
        store.membership.called = Called::ALL;
        look_round(store)?;
    }
    Ok(())
}

/// Ends a member: what it had in its hands is free, and in doubt where it was begun. Callers that waited in it
/// are gone with it.
fn end(batch: &mut Batch<'_>, member: i64) -> Asked<()> {
    let conn = batch.conn;
    let was = conn
        .prepare_cached("UPDATE members SET gone = 1, sole = 0 WHERE member = ?1 AND gone = 0")?
        .execute([member])?;
    if was == 0 {
        return Ok(());
    }
    conn.prepare_cached(
        "UPDATE messages INDEXED BY messages_holder SET holder = NULL WHERE holder = ?1 AND state < 5",
    )?
    .execute([member])?;
    rates::end(conn, member, batch.now_ms)?;
    direct::sweep(batch, Some(member))?;
    forget_gone(conn)?;
    conn.prepare_cached("UPDATE meta SET members = members + 1")?.execute([])?;
    batch.call = Called::ALL;
    Ok(())
}

/// Forgets members that are gone and whose results others have taken.
fn forget_gone(conn: &Connection) -> Asked<()> {
    conn.prepare_cached(
        "DELETE FROM members WHERE gone = 1 AND NOT EXISTS
             (SELECT 1 FROM messages INDEXED BY messages_holder WHERE holder = members.member)",
    )?
    .execute([])?;
    Ok(())
}

/// What stands in a file that nobody has open.
pub(super) struct Left {
    pub(super) ledger: Ledger,
    /// Rows that say of a member that it holds them, which has no results there.
    pub(super) held: Vec<Seq>,
}

/// Ends all members that had the file, none of whom lives.
fn end_all(conn: &Connection, left: &Left, bounds: Bounds, by: By<'_>, unix_ms: u64) -> Asked<()> {
    conn.execute("UPDATE members SET gone = 1, sole = 0", [])?;
    let mut free = conn.prepare_cached("UPDATE messages SET holder = NULL WHERE seq = ?1")?;
    for seq in &left.held {
        free.execute([*seq])?;
    }
    let now = row::time(unix_ms);
    conn.execute("UPDATE requests SET until_ms = ?1 + per_ms WHERE until_ms IS NULL", [now])?;
    // At no time at all, so that nothing is due: what goes on by that is released when it is looked for.
    let mut batch = Batch::new(conn, left.ledger, bounds, by, 0);
    direct::sweep(&mut batch, None)?;
    forget_gone(conn)?;
    keep(conn, None, &batch.ledger)
}

/// From now on this member alone sends, if that is so.
fn be_sole(store: &mut Sqlite) -> Result<()> {
    let member = store.membership.number;
    let made = store.transact("send alone from", 0, |batch| {
        batch
            .conn
            .prepare_cached(
                "UPDATE members SET sole = 1 WHERE member = ?1 AND NOT EXISTS
                     (SELECT 1 FROM members WHERE sends = 1 AND gone = 0 AND member <> ?1)",
            )?
            .execute([member])
    })?;
    if made > 0 {
        store.membership.sole = true;
        store.membership.called.work = true;
        store.cursors.clear();
    } else {
        store.membership.is_stale = true;
    }
    Ok(())
}

/// Results that were handed out and not acknowledged for a lease come out again, here or elsewhere.
fn give_back(store: &mut Sqlite, now: u64) -> Result<()> {
    let lease = store.membership.lease_ms();
    if store.given.is_empty() || now.saturating_sub(store.membership.counted) < lease / 3 {
        return Ok(());
    }
    store.membership.counted = now;
    let late: Vec<Seq> = store
        .given
        .iter()
        .filter(|(_, since)| now.saturating_sub(**since) >= lease)
        .map(|(seq, _)| *seq)
        .collect();
    if late.is_empty() {
        return Ok(());
    }
    let member = store.membership.number;
    store.transact("give back results of", 0, |batch| {
        let mut free = batch.conn.prepare_cached(
            "UPDATE messages SET holder = NULL, given = 1
             WHERE seq = ?1 AND state = 5 AND holder = ?2",
        )?;
        for seq in &late {
            let made = free.execute([*seq, member])?;
            batch.call.results |= made > 0;
            batch.settled.push(*seq);
        }
        Ok(done(1))
    })?;
    Ok(())
}

/// Goes: what this member had in its hands is for others, and whoever goes last closes the file.
pub(super) fn leave(store: &mut Sqlite) {
    drop(store.membership.listener.take());
    let Some(lock) = store.lock.take() else { return };
    if store.leaves_no_trace || store.conn.is_none() || connection::is_other(store) {
        // A file that is another's by now must not lose its log to this connection.
        store.conn.as_ref().into_iter().for_each(connection::leave);
        return;
    }
    let path = store.path.clone();
    let door = Door::take(&path, LEAVES_WITHIN);
    drop(lock);
    // Behind the door the lock tells whether anybody is left.
    let shared = Lock::share(&path, Duration::ZERO);
    let is_last = door.is_ok() && shared.as_ref().is_ok_and(|(_, alone)| *alone);
    store.lock = shared.ok().map(|(lock, _)| lock);
    let _ = store.lock.as_ref().map(|lock| lock.sign(&path));
    if !is_last && !store.membership.is_lost {
        let (member, now) = (store.membership.number, store.membership.unix_ms());
        // Where that fails, its leases end by themselves.
        let _ = store.transact("leave", now, |batch| end(batch, member));
    }
    // The log goes with its last connection, but not if nobody could be told. What the last member leaves in
    // its hands, the next one finds when it opens the file.
    if !(is_last && store.unnote()) {
        store.conn.as_ref().into_iter().for_each(connection::leave);
    }
    drop(store.conn.take());
    store.membership.sign.take().into_iter().for_each(Sign::remove);
    drop(store.lock.take());
    drop(door);
}
