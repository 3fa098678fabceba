//! How far a message has come, as the outbox keeps it.

use serde::{Deserialize, Serialize};

use crate::engine::attempt::lost;
use crate::engine::attempt::progress::{Progress, Recipient};
use crate::model::message::Message;
use crate::model::receipt::{Delivery, Receipt, StoredError, StoredNote};

/// It, as JSON.
#[derive(Serialize, Deserialize)]
pub struct Stored {
    /// The service that it was sent through: another one would split the text at other places.
    pub(in crate::engine::attempt) service: String,
    pub(in crate::engine::attempt) pieces: usize,
    piece: usize,
    pub(in crate::engine::attempt) recipients: usize,
    /// Whom the request under way is to, or will be to again.
    now: Vec<Run>,
    /// Attempts that were begun before those of that request.
    pub(in crate::engine::attempt) before: u32,
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
    stands: RecipientState,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct RecipientState {
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
    pub(in crate::engine::attempt) fn store(
        &self,
        service: &str,
        under_way: bool,
        before: u32,
    ) -> Vec<u8> {
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
            let stands =
                RecipientState { has: one.has, id: one.id.clone(), attempts: one.attempts, end };
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
    pub(in crate::engine::attempt) fn restore(
        &mut self,
        stored: Stored,
        account: &str,
        service: Option<&'static str>,
    ) -> bool {
        let count = self.recipients.len();
        if stored.recipients != count || stored.pieces == 0 || stored.ids.len() != stored.pieces {
            return false;
        }
        for group in stored.told {
            for i in numbers(&group.who) {
                let Some(one) = self.recipients.get_mut(i) else { return false };
                let RecipientState { has, id, attempts, end } = &group.stands;
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
    pub(in crate::engine::attempt) fn again(&mut self, result: &Receipt) {
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

impl Progress {
    /// Of a message of which nothing but its progress is known.
    pub(in crate::engine::attempt) fn anonymous() -> Box<Progress> {
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
