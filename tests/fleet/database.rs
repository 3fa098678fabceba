//! A fleet's outbox in PostgreSQL, behind a relay that breaks connections; a standby takes over from it.

use fastrand::Rng;
use hongyan::OutboxFile;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::place::{LEASE_MS, Place, longer_than_a_lease};
use crate::relay::{Fault, Relay, Way};

pub struct Database {
    primary: Cluster,
    standby: Cluster,
    relay: Relay,
}

/// What happens to a database.
const HAPPENS: [fn(&mut Database, &mut Rng); 6] = [
    Database::cut,
    Database::cut,
    Database::half_close,
    Database::mute,
    Database::crash,
    Database::fail_over,
];

impl Database {
    pub fn new() -> Database {
        let primary = Cluster::start(&[], &[]);
        let standby = primary.standby();
        let relay = Relay::to(primary.port());
        let database = Database { primary, standby, relay };
        let config = json!({"outbox": database.outbox()}).to_string();
        let outbox = OutboxFile::of_config(&config).expect("a configuration").expect("an outbox");
        outbox.make_schema().expect("a schema");
        database
    }

    fn some_links(&self, rng: &mut Rng) -> Vec<u64> {
        let mut links = self.relay.links();
        rng.shuffle(&mut links);
        links.truncate(rng.usize(1..=2));
        links
    }

    /// Some connections end in the middle of something.
    fn cut(&mut self, rng: &mut Rng) {
        for link in self.some_links(rng) {
            self.relay.befall(link, Fault::Cut(rng.usize(0..4000)));
        }
    }

    /// Some connections end for one side only.
    fn half_close(&mut self, rng: &mut Rng) {
        for link in self.some_links(rng) {
            let way = if rng.bool() { Way::ToServer } else { Way::ToClient };
            self.relay.befall(link, Fault::Half(way, rng.usize(0..2000)));
        }
    }

    /// Some members, or all of them, do not reach the database for longer than their lease.
    fn mute(&mut self, rng: &mut Rng) {
        let links = if rng.bool() { self.some_links(rng) } else { self.relay.links() };
        self.relay.mute(&links);
        longer_than_a_lease();
        self.relay.go_on();
    }

    fn crash(&mut self, _: &mut Rng) {
        self.primary.restart_immediate();
    }

    /// The server is gone for good, and its standby takes its place; that gets a standby of its own.
    fn fail_over(&mut self, _: &mut Rng) {
        self.primary.kill();
        self.standby.promote();
        self.relay.lead_to(self.standby.port());
        let next = self.standby.standby();
        self.primary = std::mem::replace(&mut self.standby, next);
    }

    fn count(&self, sql: &str) -> usize {
        self.primary.psql("postgres", sql).parse().expect("a number")
    }
}

impl Place for Database {
    fn outbox(&self) -> Value {
        json!({"postgres": self.primary.url_by(self.relay.port()), "lease_ms": LEASE_MS})
    }

    fn happens(&self) -> usize {
        HAPPENS.len()
    }

    fn befall(&mut self, what: usize, rng: &mut Rng) {
        HAPPENS[what](self, rng);
    }

    fn unfinished(&self) -> usize {
        self.count("SELECT count(*) FROM hongyan.messages WHERE state < 5")
    }

    fn results(&self) -> usize {
        self.count("SELECT count(*) FROM hongyan.messages WHERE state = 5")
    }

    fn is_empty(&self) {
        let counts =
            self.primary.psql("postgres", "SELECT sum(messages), sum(open) FROM hongyan.counts");
        assert_eq!(counts, "0|0", "the counts are true");
    }

    fn was_tried(&self) {
        println!("{} connections broke", self.relay.broken());
        assert!(self.relay.broken() > 0, "none broke");
    }
}
