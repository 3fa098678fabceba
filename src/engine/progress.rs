//! How far a message has come that is sent in several requests: to several recipients, of whom an
//! answer may tell one by one, and in several pieces, where its text was split.
//!
//! Requests follow each other: one draft is under way, to some of the recipients and with one piece. Who
//! surely has not got it may get it with a later request; whoever is in doubt, or refused for good,
//! gets no later piece.

mod shown;
mod stored;

pub use shown::Rest;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::account::Entry;
use super::job::{Job, lost};
use super::retry::{self, Circumstances, History, Next};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Kind, Message};
use crate::model::receipt::{Delivery, Note};
use crate::service::api::{Draft, Seed};
use crate::service::verdict::{Outcome, Told};

/// Such a message.
pub struct Progress {
    /// What later requests are made of.
    message: Message,
    /// Its recipients of the kinds that are lists, in the order of the message; where it has none, whoever
    /// it goes to.
    recipients: Vec<Recipient>,
    /// In how many pieces it is sent.
    pieces: usize,
    /// The service's id of each piece, once it was sent to somebody; it is none where recipients were
    /// given different ones.
    ids: Vec<Option<Option<String>>>,
    /// Which piece is under way.
    piece: usize,
    /// Whom the draft under way is to, by number.
    now: Vec<usize>,
    /// Who gets the same piece again, and when.
    later: Vec<Later>,
    /// The drafts of this piece and those after it, the last one first; and whom they are to.
    drafts: Vec<Draft>,
    drafts_from: usize,
    drafted: Vec<usize>,
    /// What is worth knowing of what was sent so far.
    notes: Vec<Note>,
    /// When the service took the first of it, in Unix seconds.
    service_time: Option<i64>,
}

/// One of its recipients.
struct Recipient {
    /// `None` of whoever a message goes to that has no list.
    to: Option<(Kind, String)>,
    /// How many pieces it has.
    has: usize,
    /// The service's id of the first of them.
    id: Option<String>,
    /// In how many attempts the next piece did not reach it.
    attempts: u32,
    /// It waits for a later attempt.
    waits: bool,
    /// Why it gets no more, and whether the next piece may have arrived.
    end: Option<(Delivery, Error)>,
}

/// Some who get the same piece again.
struct Later {
    who: Vec<usize>,
    due: Duration,
    history: History,
}

impl Progress {
    /// Of a message that needs it, which it takes, with its first draft; `None` of one that goes to one
    /// recipient in one piece. Key and account stay.
    pub fn of(message: &mut Message, draft: &mut Draft) -> Option<Box<Progress>> {
        let listed = message.to.iter().filter(|(kind, _)| kind.is_list());
        let mut recipients: Vec<_> =
            listed.map(|(kind, name)| Recipient::new(Some((kind, name.to_owned())))).collect();
        if recipients.is_empty() {
            if draft.pieces.is_empty() {
                return None;
            }
            recipients.push(Recipient::new(None));
        }
        let (account, key) = (message.account.clone(), message.key.clone());
        let mut progress = Box::new(Progress {
            message: std::mem::replace(message, Message { account, key, ..Message::default() }),
            recipients,
            pieces: 1 + draft.pieces.len(),
            ids: vec![None; 1 + draft.pieces.len()],
            piece: 0,
            now: Vec::new(),
            later: Vec::new(),
            drafts: Vec::new(),
            drafts_from: 1,
            drafted: Vec::new(),
            notes: Vec::new(),
            service_time: None,
        });
        let all = (0..progress.recipients.len()).collect();
        progress.take(draft, all);
        Some(progress)
    }

    /// Takes a draft under way that is to these recipients, or to those of them that it names; gives back
    /// the others.
    fn take(&mut self, draft: &mut Draft, who: Vec<usize>) -> Vec<usize> {
        let (now, others) = match draft.to.is_empty() {
            true => (who, Vec::new()),
            false => {
                let named: HashSet<_> =
                    draft.to.iter().map(|(kind, name)| (*kind, name.as_str())).collect();
                who.into_iter().partition(|i| {
                    let to = self.recipients[*i].to.as_ref();
                    to.is_some_and(|(kind, name)| named.contains(&(*kind, name.as_str())))
                })
            }
        };
        self.drafts = std::mem::take(&mut draft.pieces);
        self.drafts.reverse();
        self.drafts_from = self.piece + 1;
        self.drafted.clone_from(&now);
        self.now = now;
        others
    }

    /// Who is ready for the piece that is under way.
    fn fresh(&self) -> Vec<usize> {
        let is_fresh = |one: &Recipient| one.end.is_none() && !one.waits && one.has == self.piece;
        let all = self.recipients.iter().enumerate();
        all.filter(|(_, one)| is_fresh(one)).map(|(i, _)| i).collect()
    }

    /// Who gets the next request: whoever has not had one of this piece, else who waits for the time
    /// that comes first, else whoever has this piece and gets the next one.
    fn next(&mut self) -> Option<(Vec<usize>, Option<Duration>, History)> {
        loop {
            let fresh = self.fresh();
            if !fresh.is_empty() {
                let attempts = fresh.iter().map(|i| self.recipients[*i].attempts).max();
                let attempts = attempts.unwrap_or_default();
                return Some((fresh, None, History { attempts, ..History::default() }));
            }
            let first = (0..self.later.len()).min_by_key(|i| self.later[*i].due);
            if let Some(first) = first {
                let Later { who, due, history } = self.later.remove(first);
                who.iter().for_each(|i| self.recipients[*i].waits = false);
                return Some((who, Some(due), history));
            }
            if self.piece + 1 >= self.pieces {
                return None;
            }
            self.piece += 1;
        }
    }

    /// What the piece under way becomes for these recipients.
    fn encode(&mut self, who: &[usize], entry: &Entry, seed: Seed) -> Result<Draft> {
        if self.piece == self.drafts_from
            && self.drafted == who
            && let Some(mut draft) = self.drafts.pop()
        {
            draft.pieces = std::mem::take(&mut self.drafts);
            draft.pieces.reverse();
            return Ok(draft);
        }
        let mut message = self.message.clone();
        message.to.retain_listed(who.iter().filter_map(|i| self.recipients[*i].to.as_ref()));
        let mut draft = entry.account.encode(&message, seed)?;
        if 1 + draft.pieces.len() != self.pieces {
            let words = "the account was changed, and splits the text at other places now";
            return Err(Error::new(ErrorCode::Config, words));
        }
        if self.piece > 0 {
            let mut rest = draft.pieces.split_off(self.piece - 1);
            let pieces = rest.split_off(1);
            draft = rest.pop().unwrap_or_default();
            draft.pieces = pieces;
        }
        Ok(draft)
    }

    /// What has become of the piece under way for one of its recipients.
    fn settle(&mut self, i: usize, delivery: Delivery, id: Option<String>, error: Option<Error>) {
        let one = &mut self.recipients[i];
        (one.attempts, one.waits) = (0, false);
        if delivery != Delivery::Sent {
            one.end = Some((delivery, error.unwrap_or_else(lost)));
            return;
        }
        match &mut self.ids[self.piece] {
            Some(known) if *known == id => {}
            Some(known) => *known = None,
            none => *none = Some(id.clone()),
        }
        if one.has == 0 {
            one.id = id;
        }
        one.has += 1;
    }

    /// What is worth knowing of something that was sent.
    fn note(&mut self, notes: impl IntoIterator<Item = Note>) {
        for note in notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }

    /// True if nothing has arrived, or may have.
    pub fn is_nothing_sent(&self) -> bool {
        let nothing =
            |one: &Recipient| one.has == 0 && !matches!(one.end, Some((Delivery::MaybeSent, _)));
        self.recipients.iter().all(nothing)
    }
}

impl Recipient {
    fn new(to: Option<(Kind, String)>) -> Recipient {
        Recipient { to, has: 0, id: None, attempts: 0, waits: false, end: None }
    }
}

impl Job {
    /// Takes in a verdict on the request under way; gives the wait before the next one, or none where
    /// this was the end.
    ///
    /// A request that surely reached nobody ends the message: another one would fare alike. After a doubt
    /// others may get theirs, who surely have not got it.
    pub fn told(
        &mut self,
        entry: &Entry,
        delivery: Delivery,
        outcome: Outcome,
        error: Option<Error>,
    ) -> Option<Option<Duration>> {
        let error = error.map(|error| self.decorated(delivery, error));
        let Some(progress) = self.progress.as_mut().filter(|_| delivery != Delivery::NotSent)
        else {
            self.conclude(delivery, error);
            return None;
        };
        for i in std::mem::take(&mut progress.now) {
            progress.settle(i, delivery, outcome.message_id.clone(), error.clone());
        }
        if delivery == Delivery::Sent {
            progress.note(std::mem::take(&mut self.draft.notes).into_iter().chain(outcome.notes));
            progress.service_time = progress.service_time.or(outcome.service_time);
        }
        self.goes_on(entry, delivery)
    }

    /// Takes in a verdict for each recipient of the request under way, likewise.
    pub fn told_each(
        &mut self,
        entry: &Entry,
        each: Vec<Told>,
        at: Circumstances,
    ) -> Option<Option<Duration>> {
        let Some(mut progress) = self.progress.take() else {
            self.conclude(Delivery::MaybeSent, Some(lost()));
            return None;
        };
        let mut verdicts: HashMap<(Kind, &str), Option<&Told>> = HashMap::new();
        for told in &each {
            let name = (told.to.0, told.to.1.as_str());
            let same = |other: &Told| other.outcome.delivery == told.outcome.delivery;
            verdicts
                .entry(name)
                .and_modify(|other| *other = other.filter(|other| same(other)))
                .or_insert(Some(told));
        }
        let (mut again, mut longest, mut all) = (Vec::new(), Duration::ZERO, Delivery::NotSent);
        let mut later = History::default();
        for i in std::mem::take(&mut progress.now) {
            let to = progress.recipients[i].to.clone();
            let told = to.as_ref().and_then(|(kind, name)| verdicts.get(&(*kind, name.as_str())));
            let (delivery, id, error) = match told {
                Some(Some(told)) => {
                    let mut history = self.history.clone();
                    let repeated_is_proof = told.outcome.repeated && at.repeated_is_proof;
                    let at = Circumstances { repeated_is_proof, ..at };
                    match retry::next(&told.outcome, &mut history, &self.shared.retry, at) {
                        // Together with others it cannot be sent again in the same bytes.
                        Next::Again { .. } if history.doubt => {
                            (Delivery::MaybeSent, None, told.error.clone())
                        }
                        Next::Again { wait, .. } => {
                            longest = longest.max(wait);
                            later.resigned |= history.resigned;
                            later.reauthenticated |= history.reauthenticated;
                            later.untold_waits = later.untold_waits.max(history.untold_waits);
                            again.push(i);
                            continue;
                        }
                        Next::Done { delivery, deduplicated, retryable, retry_after, deadline } => {
                            self.receipt.deduplicated |= deduplicated;
                            self.receipt.deadline |= deadline;
                            let after = retry_after
                                .map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
                            let error = told.error.clone().map(|e| e.with_retry(retryable, after));
                            if delivery == Delivery::Sent {
                                progress.note(told.outcome.notes.iter().cloned());
                            }
                            (delivery, told.outcome.message_id.clone(), error)
                        }
                    }
                }
                Some(None) => {
                    (Delivery::MaybeSent, None, Some(unclear("contradicts itself about")))
                }
                None => (Delivery::MaybeSent, None, Some(unclear("says nothing of"))),
            };
            match delivery {
                Delivery::Sent => {
                    progress.note(self.draft.notes.iter().cloned());
                    all = Delivery::Sent;
                }
                Delivery::MaybeSent if all == Delivery::NotSent => all = Delivery::MaybeSent,
                _ => {}
            }
            let error = error.map(|error| self.decorated(delivery, error));
            progress.settle(i, delivery, id, error);
        }
        if !again.is_empty() {
            entry.stats.retried();
            let attempts = self.history.attempts;
            for i in &again {
                let one = &mut progress.recipients[*i];
                (one.waits, one.attempts) = (true, attempts);
            }
            let due = at.now + longest;
            progress.later.push(Later { who: again, due, history: History { attempts, ..later } });
        }
        self.progress = Some(progress);
        self.goes_on(entry, all)
    }

    /// Nobody knows what became of the request that an earlier process began, and it is not sent again;
    /// true if others get theirs.
    pub fn passes_over(&mut self, entry: Option<&Entry>, error: Error) -> bool {
        let Some(entry) = entry.filter(|_| self.progress.is_some() && !self.is_refused()) else {
            self.conclude(Delivery::MaybeSent, Some(error));
            return false;
        };
        let (doubt, none) = (Delivery::MaybeSent, Outcome::sent(None, None));
        let Some(wait) = self.told(entry, doubt, none, Some(error)) else { return false };
        self.not_before = self.not_before.max(wait.map(|wait| self.shared.clock.now() + wait));
        true
    }

    /// Takes up what is to be sent next, and tells how long that is to wait; none at the end.
    ///
    /// `went`: what the last request came to at best.
    fn goes_on(&mut self, entry: &Entry, went: Delivery) -> Option<Option<Duration>> {
        self.end_in_words(went, self.shared.clock.now());
        let all = self.history.all();
        loop {
            let seed = Seed(self.shared.random(|rng| rng.u64(..)));
            let progress = self.progress.as_mut()?;
            let Some((who, due, history)) = progress.next() else {
                self.conclude(Delivery::Sent, None);
                return None;
            };
            match progress.encode(&who, entry, seed) {
                Ok(mut draft) => {
                    let others = progress.take(&mut draft, who);
                    if progress.now.is_empty() {
                        others.into_iter().for_each(|i| {
                            progress.settle(i, Delivery::NotSent, None, Some(lost()));
                        });
                        continue;
                    }
                    if let Some(due) = due.filter(|_| !others.is_empty()) {
                        others.iter().for_each(|i| progress.recipients[*i].waits = true);
                        progress.later.push(Later { who: others, due, history: history.clone() });
                    }
                    self.draft = draft;
                    let before = all.saturating_sub(history.attempts);
                    self.history = History { before, ..history };
                    (self.answered, self.receipt.error) = (None, None);
                    let wait = due.map(|due| due.saturating_sub(self.shared.clock.now()));
                    self.put_down(wait);
                    return Some(wait);
                }
                Err(error) => {
                    let error = self.decorated(Delivery::NotSent, error);
                    let progress = self.progress.as_mut()?;
                    for i in who {
                        progress.settle(i, Delivery::NotSent, None, Some(error.clone()));
                    }
                }
            }
        }
    }

    /// Has the outbox keep how far the message has come, before another request of it begins.
    fn put_down(&mut self, wait: Option<Duration>) {
        let Some(kept) = self.kept.as_ref().filter(|_| self.marked) else { return };
        if kept.direct {
            // Its key must not be free for another: something was sent.
            return;
        }
        let in_ms = |wait: Duration| u64::try_from(wait.as_millis() + 1).unwrap_or(u64::MAX);
        let due_ms = wait.map(|wait| self.shared.clock.unix_ms().saturating_add(in_ms(wait)));
        let progress = self.stored_progress(false);
        kept.outbox.ended(kept.seq, self.history.all(), due_ms, progress);
        self.marked = false;
    }
}

/// Why nobody knows whether a recipient has got it.
fn unclear(what: &str) -> Error {
    Error::new(ErrorCode::Protocol, format!("the answer {what} this recipient"))
}
