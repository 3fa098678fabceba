//! Counters of a client, for `hy_stats_json`.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value, json};

use super::Shared;
use crate::model::receipt::Delivery;

/// What one account has done since the client began.
#[derive(Default)]
pub struct AccountStats {
    accepted: AtomicU64,
    not_sent: AtomicU64,
    maybe_sent: AtomicU64,
    sent: AtomicU64,
    retried: AtomicU64,
}

impl AccountStats {
    pub fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub fn retried(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    pub fn finished(&self, delivery: Delivery) {
        let counter = match delivery {
            Delivery::NotSent => &self.not_sent,
            Delivery::MaybeSent => &self.maybe_sent,
            Delivery::Sent => &self.sent,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn to_json(&self, in_flight: usize) -> Value {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        json!({
            "accepted": count(&self.accepted),
            "sent": count(&self.sent),
            "maybe_sent": count(&self.maybe_sent),
            "not_sent": count(&self.not_sent),
            "retried": count(&self.retried),
            "in_flight": in_flight,
        })
    }
}

/// The counters of every account, as JSON.
pub fn to_json(shared: &Shared) -> String {
    let accounts: Map<String, Value> = shared
        .accounts
        .all()
        .into_iter()
        .map(|entry| {
            let in_flight = entry.in_flight.load(Ordering::Relaxed);
            (entry.name.clone(), entry.stats.to_json(in_flight))
        })
        .collect();
    let in_flight = shared.in_flight.load(Ordering::Relaxed);
    json!({
        "v": 1,
        "in_flight": in_flight,
        "unfinished": shared.queue.unfinished(),
        "accounts": accounts,
    })
    .to_string()
}
