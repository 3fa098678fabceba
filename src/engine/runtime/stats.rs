//! Counters of a client, for `hy_stats_json`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::engine::Shared;
use crate::engine::account::Entry;

/// The counters of the client and of every account, as JSON.
pub fn to_json(shared: &Shared) -> String {
    let now = shared.clock.now();
    let accounts: Map<String, Value> = shared
        .accounts
        .all()
        .into_iter()
        .map(|entry| (entry.name.to_string(), account(&entry, now)))
        .collect();
    let in_flight = shared.in_flight.load(Ordering::Relaxed);
    let outbox = shared.outbox().map(|outbox| {
        let (messages, unfinished) = outbox.count();
        let mut told =
            json!({"messages": messages, "unfinished": unfinished, "damage": outbox.damage()});
        if let Some(connected) = outbox.is_connected() {
            told["connected"] = connected.into();
        }
        told
    });
    let stats = json!({
        "v": 1,
        "outbox": outbox,
        "in_flight": in_flight,
        "unfinished": shared.sends.unfinished(),
        "accounts": accounts,
    });
    // What is not unfinished any more is there for whoever waits next.
    shared.sends.publish();
    stats.to_string()
}

fn account(entry: &Entry, now: Duration) -> Value {
    let mut told = entry.stats.to_json();
    let more = [
        ("service", json!(entry.info.name)),
        ("in_flight", json!(entry.in_flight.load(Ordering::Relaxed))),
        ("connections_in_use", json!(entry.permits.in_use())),
        ("stopped", entry.halt.to_json(now)),
    ];
    told.extend(more.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(told)
}
