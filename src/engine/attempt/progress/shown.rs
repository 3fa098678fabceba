//! What a message has come to that is sent in several requests: for each recipient, for each piece, and
//! together.

use crate::engine::attempt::progress::{Progress, Recipient};
use crate::model::error::Error;
use crate::model::receipt::{Delivery, PieceResult, Receipt, RecipientResult};

/// What a message comes to that ends now, for those of whom nothing else is known.
pub struct Rest<'a> {
    /// Those whom the request under way is to.
    pub now: (Delivery, Option<&'a Error>),
    /// Those whom no request of this piece was to.
    pub untried: (Delivery, Option<&'a Error>),
}

/// What the piece after those that a recipient has came to.
type End<'a> = (Delivery, Option<&'a Error>);

impl Progress {
    /// Writes what it has come to into the receipt; `masked` hides what is secret in a name.
    pub fn show(&self, receipt: &mut Receipt, rest: &Rest<'_>, masked: impl Fn(&str) -> String) {
        let ends: Vec<End<'_>> = (0..self.recipients.len()).map(|i| self.end(i, rest)).collect();
        let all = || self.recipients.iter().zip(&ends);
        let deliveries = || all().map(|(one, end)| self.delivery(one, *end));
        receipt.delivery = Delivery::together(deliveries()).unwrap_or(Delivery::NotSent);
        receipt.message_id = self.ids.first().cloned().flatten().flatten();
        receipt.notes.clone_from(&self.notes);
        receipt.service_time = self.service_time;
        receipt.error = match receipt.delivery {
            Delivery::Sent => None,
            delivery => self.whole(delivery, &ends, &masked),
        };
        receipt.recipients = self.recipients[0].to.is_some().then(|| {
            let shown = all().zip(deliveries()).filter_map(|((one, end), delivery)| {
                let (kind, name) = one.to.as_ref()?;
                Some(RecipientResult {
                    kind: *kind,
                    name: masked(name),
                    delivery,
                    message_id: one.id.clone(),
                    error: end.1.filter(|_| delivery != Delivery::Sent).cloned(),
                })
            });
            shown.collect()
        });
        receipt.pieces = (self.pieces > 1)
            .then(|| (0..self.pieces).map(|piece| self.piece_result(piece, &ends)).collect());
    }

    /// What a verdict on the whole is for each recipient; `None` of a message without a list of them.
    pub fn alike(
        &self,
        whole: &Receipt,
        masked: impl Fn(&str) -> String,
    ) -> Option<Vec<RecipientResult>> {
        let of = |one: &Recipient| {
            let (kind, name) = one.to.as_ref()?;
            Some(RecipientResult {
                kind: *kind,
                name: masked(name),
                delivery: whole.delivery,
                message_id: whole.message_id.clone(),
                error: whole.error.clone(),
            })
        };
        self.recipients.iter().map(of).collect()
    }

    fn end<'a>(&'a self, i: usize, rest: &Rest<'a>) -> End<'a> {
        let one = &self.recipients[i];
        match &one.end {
            Some((delivery, error)) => (*delivery, Some(error)),
            None if one.has == self.pieces => (Delivery::Sent, None),
            None if self.now.contains(&i) => rest.now,
            None => rest.untried,
        }
    }

    /// What became of the whole for one recipient.
    fn delivery(&self, one: &Recipient, end: End<'_>) -> Delivery {
        match end.0 {
            Delivery::NotSent if one.has > 0 => Delivery::PartlySent,
            delivery => delivery,
        }
    }

    fn piece_result(&self, piece: usize, ends: &[End<'_>]) -> PieceResult {
        let of = |(one, end): (&Recipient, &End<'_>)| match piece.cmp(&one.has) {
            std::cmp::Ordering::Less => Delivery::Sent,
            std::cmp::Ordering::Equal => end.0,
            std::cmp::Ordering::Greater => Delivery::NotSent,
        };
        let all = || self.recipients.iter().zip(ends);
        let delivery = Delivery::together(all().map(of)).unwrap_or(Delivery::NotSent);
        let failed =
            all().find(|(one, end)| one.has <= piece && of((*one, *end)) != Delivery::Sent);
        let error = failed.filter(|_| delivery != Delivery::Sent).and_then(|(one, end)| {
            let error = end.1?.clone();
            if piece == one.has {
                return Some(error);
            }
            let words = format!("no later part was tried after this: {}", error.words());
            Some(error.reworded(words).without_hint().with_retry(false, None))
        });
        let message_id = self.ids.get(piece).cloned().flatten().flatten();
        PieceResult { delivery, message_id, error }
    }

    /// One error for all that failed.
    fn whole(
        &self,
        delivery: Delivery,
        ends: &[End<'_>],
        masked: impl Fn(&str) -> String,
    ) -> Option<Error> {
        let failed: Vec<(&Recipient, End<'_>)> = self
            .recipients
            .iter()
            .zip(ends.iter().copied())
            .filter(|(one, end)| match self.delivery(one, *end) {
                Delivery::Sent => false,
                one => delivery != Delivery::MaybeSent || one == Delivery::MaybeSent,
            })
            .collect();
        let (first, end) = failed.first()?;
        let error = end.1?;
        let alike = |(one, other): &(&Recipient, End<'_>)| one.has == first.has && other == end;
        let (count, all) = (failed.len(), self.recipients.len());
        let words = error.words();
        let part = match (self.pieces > 1, end.0) {
            (false, _) => String::new(),
            (true, Delivery::MaybeSent) => {
                format!(
                    "it is not known whether part {} of {} arrived: ",
                    first.has + 1,
                    self.pieces
                )
            }
            (true, _) => format!("part {} of {} was not sent: ", first.has + 1, self.pieces),
        };
        if count == all && failed.iter().all(alike) {
            let reworded = match part.is_empty() {
                true => error.clone(),
                false => error.clone().reworded(format!("{part}{words}")),
            };
            return Some(match delivery {
                Delivery::NotSent => reworded,
                _ => reworded.with_retry(false, error.retry_after_ms()),
            });
        }
        let name =
            first.to.as_ref().map(|(kind, name)| format!("{} {:?}", kind.name(), masked(name)));
        let name = name.unwrap_or_default();
        let words = match delivery {
            Delivery::MaybeSent => {
                format!(
                    "of {count} of {all} recipients nobody knows whether they have it; {name}: {part}{words}"
                )
            }
            _ => format!("{count} of {all} recipients have not got it; {name}: {part}{words}"),
        };
        let retryable = delivery == Delivery::NotSent
            && failed.iter().all(|(_, end)| end.1.is_some_and(Error::is_retryable));
        Some(error.clone().reworded(words).with_retry(retryable, error.retry_after_ms()))
    }
}
