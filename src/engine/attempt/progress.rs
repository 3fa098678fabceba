//! How far a message has come that is sent in several requests: to several recipients, of whom an
//! answer may tell one by one, and in several pieces, where its text was split.
//!
//! Requests follow each other: one draft is under way, to some of the recipients and with one piece. Who
//! surely has not got it may get it with a later request; whoever is in doubt, or refused for good,
//! gets no later piece.

mod shown;
mod stored;

pub use shown::Rest;
pub use stored::Stored;

use std::collections::HashSet;
use std::time::Duration;

use crate::engine::account::Entry;
use crate::engine::attempt::lost;
use crate::engine::attempt::retry::History;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Kind, Message};
use crate::model::receipt::{Delivery, Note};
use crate::service::api::{Draft, Seed};

/// Such a message.
pub struct Progress {
    /// What later requests are made of.
    pub(super) message: Message,
    /// Its recipients of the kinds that are lists, in the order of the message; where it has none, whoever
    /// it goes to.
    pub(super) recipients: Vec<Recipient>,
    /// In how many pieces it is sent.
    pub(super) pieces: usize,
    /// The service's id of each piece, once it was sent to somebody; it is none where recipients were
    /// given different ones.
    pub(super) ids: Vec<Option<Option<String>>>,
    /// Which piece is under way.
    pub(super) piece: usize,
    /// Whom the draft under way is to, by number.
    pub(super) now: Vec<usize>,
    /// Who gets the same piece again, and when.
    pub(super) later: Vec<Later>,
    /// The drafts of this piece and those after it, the last one first; and whom they are to.
    pub(super) drafts: Vec<Draft>,
    pub(super) drafts_from: usize,
    pub(super) drafted: Vec<usize>,
    /// What is worth knowing of what was sent so far.
    pub(super) notes: Vec<Note>,
    /// When the service took the first of it, in Unix seconds.
    pub(super) service_time: Option<i64>,
}

/// One of its recipients.
pub struct Recipient {
    /// `None` of whoever a message goes to that has no list.
    pub(super) to: Option<(Kind, String)>,
    /// How many pieces it has.
    pub(super) has: usize,
    /// The service's id of the first of them.
    pub(super) id: Option<String>,
    /// In how many attempts the next piece did not reach it.
    pub(super) attempts: u32,
    /// It waits for a later attempt.
    pub(super) waits: bool,
    /// Why it gets no more, and whether the next piece may have arrived.
    pub(super) end: Option<(Delivery, Error)>,
}

/// Some who get the same piece again.
pub struct Later {
    pub(super) who: Vec<usize>,
    pub(super) due: Duration,
    pub(super) history: History,
}

impl Progress {
    /// Of a message that needs it, which it takes, with its first draft; `None` of one that goes to one
    /// recipient in one piece. Id, key and account stay, too.
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
        let (id, account, key) = (message.id.clone(), message.account.clone(), message.key.clone());
        let mut progress = Box::new(Progress {
            message: std::mem::replace(message, Message { id, account, key, ..Message::default() }),
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
    pub(super) fn take(&mut self, draft: &mut Draft, who: Vec<usize>) -> Vec<usize> {
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
    pub(super) fn next(&mut self) -> Option<(Vec<usize>, Option<Duration>, History)> {
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
    pub(super) fn encode(&mut self, who: &[usize], entry: &Entry, seed: Seed) -> Result<Draft> {
        if self.piece == self.drafts_from
            && self.drafted == who
            && let Some(mut draft) = self.drafts.pop()
        {
            draft.pieces = std::mem::take(&mut self.drafts);
            draft.pieces.reverse();
            return Ok(draft);
        }
        let mut message = self.message.clone();
        message.everyone = Some(message.to.clone());
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
    pub(super) fn record(
        &mut self,
        i: usize,
        delivery: Delivery,
        id: Option<String>,
        error: Option<Error>,
    ) {
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
    pub(super) fn note(&mut self, notes: impl IntoIterator<Item = Note>) {
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
    pub(super) fn new(to: Option<(Kind, String)>) -> Recipient {
        Recipient { to, has: 0, id: None, attempts: 0, waits: false, end: None }
    }
}
