//! An outbox beside those who send from it: looking at it, and changing what stands in it.

use std::time::Duration;

use crate::engine::accept::keys;
#[cfg(not(feature = "postgres"))]
use crate::engine::no_database;
use crate::engine::outbox::keeper::Does;
use crate::engine::outbox::verdict;
use crate::engine::store::gate::inside;
#[cfg(feature = "postgres")]
use crate::engine::store::postgres::{self, Looker};
use crate::engine::store::sqlite::Sqlite;
use crate::engine::store::{Applied, Change, Listed, Look, Seq, Store, Verdict};
use crate::engine::{Arrival, Engine, OPENS_WITHIN, open_store};
use crate::model::config::{OutboxConfig, Place};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::receipt::{Delivery, Receipt};
use crate::net::Clock as _;

/// An outbox that is to be looked at or changed.
#[derive(Clone, Debug)]
pub struct Changed {
    pub config: OutboxConfig,
    /// How long to wait for whoever opens it, if that is told.
    pub wait: Option<Duration>,
}

/// A message that was kept: its id, and where an earlier message of its key has the result already,
/// that one's delivery.
pub type Put = (String, Option<Delivery>);

impl Engine {
    /// So many rows of an outbox file after this one, oldest first, beside its owner.
    pub fn outbox_rows(of: &Changed, after: Seq, most: usize) -> Result<Vec<Listed>> {
        inside(|| look(of)?.rows(after, most))
    }

    /// The row of this id in an outbox file, beside its owner.
    pub fn outbox_row(of: &Changed, id: &str) -> Result<Option<Listed>> {
        inside(|| look(of)?.row(id))
    }

    /// The SQL that makes what an outbox in a database stands in; none for a file.
    #[cfg(feature = "postgres")]
    pub fn outbox_sql(of: &Changed) -> Option<String> {
        match &of.config.place {
            Place::Path(_) => None,
            Place::Postgres(place) => Some(postgres::schema_sql(&place.schema)),
        }
    }

    /// Makes what an outbox in a database stands in, or makes it current.
    #[cfg(feature = "postgres")]
    pub fn outbox_make(of: &Changed) -> Result<()> {
        match &of.config.place {
            Place::Path(_) => Ok(()),
            Place::Postgres(place) => postgres::make_schema(place),
        }
    }

    /// Queues messages again, all in one transaction; nothing is sent.
    pub fn outbox_retry(to: &Changed, ids: &[&str]) -> Result<Vec<Result<()>>> {
        change(to, ids, |id| Change::Retry { id })
    }

    /// Takes messages out, all in one transaction.
    pub fn outbox_drop(to: &Changed, ids: &[&str]) -> Result<Vec<Result<()>>> {
        let rows: Vec<_> = inside(|| {
            let looker = look(to)?;
            ids.iter().map(|id| looker.row(id)).collect::<Result<_>>()
        })?;
        let mut rows = rows.into_iter().map(removed);
        change(to, ids, |id| Change::Remove {
            id,
            verdict: rows.next().unwrap_or_else(|| removed(None)),
        })
    }

    /// Makes messages durable in an outbox file that is not this engine's, and sends nothing; tells
    /// what became of each. A wrong message is refused.
    pub fn outbox_put(&self, to: &Changed, arrivals: Vec<Arrival<'_>>) -> Result<Vec<Result<Put>>> {
        let mut answers = Vec::with_capacity(arrivals.len());
        let mut changes = Vec::with_capacity(arrivals.len());
        let mut store = None;
        if self.shared.only_submits && !arrivals.is_empty() {
            // To whom a message goes that names nobody, who sends knows.
            self.shared.hear(store.insert(open(to)?).heard());
        }
        for Arrival { given, json, token, .. } in arrivals {
            let unfinished = self.shared.sends.accept()?;
            let (accept, mut job) = self.shared.arrived(given, json, token, None, unfinished);
            drop(job.forget());
            match accept.result {
                None => {
                    answers.push(Ok((accept.id.clone(), None)));
                    changes.push(Change::Accept(Box::new(accept)));
                }
                Some(_) => answers.push(Err(job.receipt.error.take().unwrap_or_else(refused))),
            }
        }
        let mut applied = match changes.is_empty() {
            true => Vec::new(),
            false => commit(store.map_or_else(|| open(to), Ok)?, &changes)?,
        }
        .into_iter()
        .zip(changes);
        for answer in answers.iter_mut().filter(|answer| answer.is_ok()) {
            let Some((applied, Change::Accept(accept))) = applied.next() else { break };
            *answer = match applied {
                Applied::Accepted { .. } => Ok((accept.id, None)),
                Applied::Known { verdict, .. } => Ok((accept.id, Some(verdict.delivery))),
                Applied::Conflict => {
                    let key = accept.key.as_ref().map(|(key, _)| key.as_str());
                    Err(keys::conflict(key.unwrap_or_default()))
                }
                applied => made(applied, &accept.id).and(Err(refused())),
            };
        }
        Ok(answers)
    }
}

fn look(of: &Changed) -> Result<Box<dyn Look>> {
    match &of.config.place {
        Place::Path(path) => Ok(Box::new(Sqlite::read_only(path)?)),
        #[cfg(feature = "postgres")]
        Place::Postgres(place) => Ok(Box::new(Looker::open(place)?)),
        #[cfg(not(feature = "postgres"))]
        Place::Postgres(_) => Err(no_database()),
    }
}

/// Makes one kind of change to messages of a file that is there already.
fn change(
    to: &Changed,
    ids: &[&str],
    kind: impl FnMut(String) -> Change,
) -> Result<Vec<Result<()>>> {
    inside(|| look(to).map(drop))?;
    let changes: Vec<_> = ids.iter().map(|id| (*id).to_owned()).map(kind).collect();
    let answers = commit(open(to)?, &changes)?;
    Ok(answers.into_iter().zip(ids).map(|(answer, id)| made(answer, id)).collect())
}

/// Opens it as a member, for one change.
fn open(to: &Changed) -> Result<Box<dyn Store>> {
    open_store(&to.config, Does::NOTHING, to.wait.unwrap_or(OPENS_WITHIN), true)
}

/// Makes changes, and is no member any more.
fn commit(mut store: Box<dyn Store>, changes: &[Change]) -> Result<Vec<Applied>> {
    store.commit(changes, crate::engine::runtime::TokioClock::default().unix_ms())
}

fn made(applied: Applied, id: &str) -> Result<()> {
    match applied {
        Applied::Accepted { .. }
        | Applied::Known { .. }
        | Applied::Done { .. }
        | Applied::Elsewhere { .. } => Ok(()),
        Applied::Full { what, most } => {
            let words = format!("the outbox is full: {what} is {most}");
            Err(Error::new(ErrorCode::Full, words).hint("raise the limit of \"outbox\""))
        }
        Applied::Conflict => {
            let words = format!("the key of {id} belongs to a message that says something else");
            Err(Error::new(ErrorCode::Message, words).at("key"))
        }
        Applied::Missed | Applied::Paced { .. } => {
            let words = format!("{id} is not in the outbox, or not in a state for this");
            Err(Error::new(ErrorCode::Argument, words))
        }
    }
}

/// What becomes of a message that is taken out.
fn removed(row: Option<Listed>) -> Verdict {
    let (id, account, key) = row.map(|row| (row.id, row.account, row.key)).unwrap_or_default();
    let error = Error::new(ErrorCode::Cancelled, "the message was taken out of the outbox")
        .with_account(&account, None);
    let error = Some(error);
    verdict(&Receipt { id, account, key, error, delivery: Delivery::NotSent, ..Receipt::nothing() })
}

fn refused() -> Error {
    Error::new(ErrorCode::Internal, "the outbox did not take a message")
}
