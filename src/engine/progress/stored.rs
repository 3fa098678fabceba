//! How far a message has come, as the outbox keeps it.

use serde::{Deserialize, Serialize};

use super::{Progress, Recipient};
use crate::engine::account::Entry;
use crate::engine::job::{Job, lost};
use crate::engine::retry::History;
use crate::engine::store::Ready;
use crate::model::error::{Error, ErrorCode};
use crate::model::message::Message;
use crate::model::receipt::{Delivery, Receipt, StoredError, StoredNote};
use crate::service::api::Seed;

/// It, as JSON.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// The service that it was sent through: another one would split the text at other places.
    service: String,
    pieces: usize,
    piece: usize,
    recipients: usize,
    /// Whom the request under way is to, or will be to again.
    now: Vec<Run>,
    /// Attempts that were begun before those of that request.
    before: u32,
    ids: Vec<Option<Option<String>>>,
    notes: Vec<StoredNote>,
    service_time: Option<i64>,
    /// What became of whom; of all others nothing yet.
    told: Vec<Group>,
}

/// Some numbers that follow each other: the first, and the last.
type Run = (usize, usize);

/// Those who stand alike.
#[derive(Serialize, Deserialize)]
struct Group {
    who: Vec<Run>,
    #[serde(flatten)]
    stands: Stands,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Stands {
    has: usize,
    id: Option<String>,
    attempts: u32,
    end: Option<End>,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct End {
    delivery: String,
    error: StoredError,
}

fn runs(numbers: impl IntoIterator<Item = usize>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for n in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == n => *last = n,
            _ => runs.push((n, n)),
        }
    }
    runs
}

fn numbers(runs: &[Run]) -> impl Iterator<Item = usize> {
    runs.iter().flat_map(|(first, last)| *first..=*last)
}

impl Progress {
    fn store(&self, service: &str, under_way: bool, before: u32) -> Vec<u8> {
        let mut told: Vec<Group> = Vec::new();
        let mut last = None;
        for (i, one) in self.recipients.iter().enumerate() {
            if one.has == 0 && one.attempts == 0 && one.end.is_none() {
                continue;
            }
            let end = one.end.as_ref().map(|(delivery, error)| End {
                delivery: delivery.name().to_owned(),
                error: StoredError::of(error),
            });
            let stands = Stands { has: one.has, id: one.id.clone(), attempts: one.attempts, end };
            // Most stand as the one before does.
            let same = |group: &Group| group.stands == stands;
            last =
                last.filter(|at: &usize| same(&told[*at])).or_else(|| told.iter().rposition(same));
            match last {
                Some(at) => match told[at].who.last_mut() {
                    Some((_, last)) if *last + 1 == i => *last = i,
                    _ => told[at].who.push((i, i)),
                },
                None => told.push(Group { who: vec![(i, i)], stands }),
            }
        }
        let stored = Stored {
            service: service.to_owned(),
            pieces: self.pieces,
            piece: self.piece,
            recipients: self.recipients.len(),
            now: if under_way { runs(self.now.iter().copied()) } else { Vec::new() },
            before,
            ids: self.ids.clone(),
            notes: self.notes.iter().map(StoredNote::of).collect(),
            service_time: self.service_time,
            told,
        };
        serde_json::to_vec(&stored).unwrap_or_default()
    }

    /// Takes over what was kept; false if that is not of this message.
    fn restore(&mut self, stored: Stored, account: &str, service: Option<&'static str>) -> bool {
        let count = self.recipients.len();
        if stored.recipients != count || stored.pieces == 0 || stored.ids.len() != stored.pieces {
            return false;
        }
        for group in stored.told {
            for i in numbers(&group.who) {
                let Some(one) = self.recipients.get_mut(i) else { return false };
                let Stands { has, id, attempts, end } = &group.stands;
                (one.has, one.attempts) = ((*has).min(stored.pieces), *attempts);
                one.id.clone_from(id);
                one.end = end.as_ref().map(|end| {
                    let delivery = Delivery::of(&end.delivery).unwrap_or(Delivery::MaybeSent);
                    let error = end.error.clone().restore(account, service);
                    (delivery, error.unwrap_or_else(|_| lost()))
                });
            }
        }
        (self.pieces, self.ids) = (stored.pieces, stored.ids);
        self.piece = stored.piece.min(self.pieces - 1);
        self.notes = stored.notes.into_iter().map(StoredNote::restore).collect();
        self.service_time = stored.service_time;
        self.now = numbers(&stored.now).take_while(|i| *i < count).collect();
        true
    }

    /// Goes on from a result, which somebody wants again: what was sent stays sent, and nothing else is
    /// known.
    fn again(&mut self, result: &Receipt) {
        let sent = |delivery: &Delivery| *delivery == Delivery::Sent;
        let pieces = result.pieces.as_deref().unwrap_or_default();
        let has = pieces.iter().take_while(|piece| sent(&piece.delivery)).count();
        self.pieces = pieces.len().max(self.pieces);
        self.ids.resize(self.pieces, None);
        for (id, piece) in self.ids.iter_mut().zip(pieces).take(has) {
            *id = Some(piece.message_id.clone());
        }
        self.notes.clone_from(&result.notes);
        self.service_time = result.service_time;
        let Some(recipients) = &result.recipients else {
            self.recipients[0].has = has;
            self.recipients[0].id.clone_from(&result.message_id);
            return;
        };
        if self.pieces == 1 && recipients.iter().any(|one| sent(&one.delivery)) {
            self.ids[0] = Some(result.message_id.clone());
        }
        for (one, known) in self.recipients.iter_mut().zip(recipients) {
            one.id.clone_from(&known.message_id);
            match known.delivery {
                Delivery::Sent => one.has = self.pieces,
                // How many pieces it has, only the sender of that time knew.
                Delivery::PartlySent | Delivery::MaybeSent if self.pieces > 1 => {
                    one.has = has.max(usize::from(known.delivery == Delivery::PartlySent));
                    let delivery = match known.delivery {
                        Delivery::MaybeSent => Delivery::MaybeSent,
                        _ => Delivery::NotSent,
                    };
                    let error = known.error.clone();
                    one.end = Some((delivery, error.unwrap_or_else(lost)));
                }
                _ => {}
            }
        }
    }
}

impl Job {
    /// What the outbox keeps of how far it has come; `under_way`: the request under way begins.
    pub fn stored_progress(&self, under_way: bool) -> Option<Vec<u8>> {
        let service = self.receipt.service.unwrap_or_default();
        self.progress
            .as_ref()
            .map(|progress| progress.store(service, under_way, self.history.before))
    }

    /// Goes on from where a row of the outbox stands.
    pub fn go_on_from(&mut self, row: &Ready) {
        let Some(kept) = &row.progress else {
            // Whom the request was to that was begun is not known.
            if let Some(progress) = self.progress.as_mut().filter(|_| row.begun.is_some()) {
                progress.now = (0..progress.recipients.len()).collect();
            }
            return;
        };
        let service = self.receipt.service;
        let account = self.receipt.account.clone();
        let known = |name: &str| crate::service::find(name).map(|service| service.info.name);
        let result = Receipt::from_json(kept, known);
        let stored: Option<Stored> = serde_json::from_slice(kept).ok();
        let (mut broken, mut before) = (None, 0);
        match (result, stored) {
            (Ok(result), _) => match &mut self.progress {
                Some(progress) => {
                    progress.now.clear();
                    progress.again(&result);
                }
                None if result.pieces.is_none() && result.recipients.is_none() => return,
                None => broken = Some(changed()),
            },
            (_, Some(stored)) => {
                let other = service.is_some_and(|service| service != stored.service);
                if self.progress.is_none() && stored.recipients == 1 {
                    self.progress = Some(Progress::anonymous());
                }
                let pieces = self.progress.as_ref().map(|progress| progress.pieces);
                let split = pieces.is_some_and(|pieces| pieces != stored.pieces);
                before = stored.before;
                let restored = self
                    .progress
                    .as_mut()
                    .is_some_and(|progress| progress.restore(stored, &account, service));
                if !restored {
                    broken = Some(unreadable());
                } else if !self.is_refused() && (other || split) {
                    self.refuse_later(changed());
                }
            }
            (Err(_), None) => broken = Some(unreadable()),
        }
        if let Some(error) = broken {
            // What is not known is in doubt.
            let error = self.decorated(Delivery::MaybeSent, error);
            let progress = self.progress.get_or_insert_with(Progress::anonymous);
            for one in &mut progress.recipients {
                one.end = Some((Delivery::MaybeSent, error.clone()));
            }
            self.refuse_later(error);
        }
        if !self.is_refused()
            && let Some(entry) = self.entry.clone()
        {
            self.take_up(&entry, row, before);
        }
    }

    /// Makes the draft of what is under way, or comes next.
    fn take_up(&mut self, entry: &Entry, row: &Ready, before: u32) {
        let seed = Seed(self.shared.random(|rng| rng.u64(..)));
        let Some(progress) = self.progress.as_mut() else { return };
        progress.drafted.clear();
        let who = match std::mem::take(&mut progress.now) {
            now if now.is_empty() => {
                progress.next().map(|(who, _, history)| (who, history.attempts))
            }
            now => Some((now, row.attempts.saturating_sub(before))),
        };
        let Some((who, own)) = who else {
            let words = "nothing of this message is left that may be sent again";
            return self.refuse_later(Error::new(ErrorCode::Message, words));
        };
        match progress.encode(&who, entry, seed) {
            Ok(mut draft) => {
                let others = progress.take(&mut draft, who);
                if row.begun.is_some() {
                    progress.now.extend(others);
                }
                self.draft = draft;
                let before = row.attempts.saturating_sub(own);
                self.history = History { attempts: own, before, ..History::default() };
            }
            Err(error) => {
                progress.now = who;
                self.refuse_later(error);
            }
        }
    }
}

impl Progress {
    /// Of a message of which nothing but its progress is known.
    fn anonymous() -> Box<Progress> {
        Box::new(Progress {
            message: Message::default(),
            recipients: vec![Recipient::new(None)],
            pieces: 1,
            piece: 0,
            ids: vec![None],
            now: Vec::new(),
            later: Vec::new(),
            drafts: Vec::new(),
            drafts_from: 1,
            drafted: Vec::new(),
            notes: Vec::new(),
            service_time: None,
        })
    }
}

fn changed() -> Error {
    let words =
        "the account was changed while the message was being sent, and would go on elsewhere";
    Error::new(ErrorCode::Config, words)
}

fn unreadable() -> Error {
    let words = "how far this message had come cannot be read in the outbox";
    Error::new(ErrorCode::Storage, words)
}
