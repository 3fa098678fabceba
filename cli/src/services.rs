//! `hongyan services`: what this build can send, and through which service.

use std::io::Write;

use serde::Deserialize;

use crate::exit::Exit;
use crate::output::Output;
use crate::table::Table;

/// What the library says of its services, as far as it is shown here.
#[derive(Deserialize)]
struct Listing {
    services: Vec<Service>,
}

/// One service.
#[derive(Deserialize)]
pub struct Service {
    pub name: String,
    title: String,
    auth: Vec<String>,
    pub formats: Vec<String>,
    to: Vec<String>,
    parts: Vec<String>,
    reply_to: bool,
    extra: Vec<String>,
    limits: Vec<Limit>,
    rates: Vec<Rate>,
    dedupe_ms: Option<u64>,
    /// How it ended, where it is known to be gone.
    pub ended: Option<String>,
}

#[derive(Deserialize)]
struct Limit {
    what: String,
    most: u64,
}

#[derive(Deserialize)]
struct Rate {
    scope: String,
    count: u64,
    per_ms: u64,
}

/// Every service of this build.
pub fn all() -> anyhow::Result<Vec<Service>> {
    Ok(serde_json::from_str::<Listing>(hongyan::services_json())?.services)
}

/// Lists the services.
pub fn run(json: bool, out: &mut Output) -> anyhow::Result<Exit> {
    if json {
        writeln!(out, "{}", hongyan::services_json())?;
        return Ok(Exit::Sent);
    }
    let services = all()?;
    let mut table = Table::new(&["SERVICE", "AUTH", "FORMAT", "TO", "PARTS"]);
    for service in &services {
        let parts =
            if service.parts.is_empty() { "text only".into() } else { listed(&service.parts) };
        let (auth, formats) = (listed(&service.auth), listed(&service.formats));
        table.row([&service.name, &auth, &formats, &listed(&service.to), &parts]);
    }
    table.write(out)?;
    for service in &services {
        writeln!(out, "\n{}: {}", service.name, service.title)?;
        for fact in facts(service) {
            writeln!(out, "  {fact}")?;
        }
    }
    Ok(Exit::Sent)
}

fn listed(words: &[String]) -> String {
    words.join(", ")
}

fn facts(service: &Service) -> Vec<String> {
    let mut facts = Vec::new();
    if !service.extra.is_empty() {
        facts.push(format!("extra: {}", listed(&service.extra)));
    }
    if service.reply_to {
        facts.push("replies: by reply_to".to_owned());
    }
    facts.extend(
        service.limits.iter().map(|limit| format!("at most {} ({})", limit.most, limit.what)),
    );
    for Rate { scope, count, per_ms } in &service.rates {
        facts
            .push(format!("at most {count} messages in {} s (per {scope})", per_ms.div_ceil(1000)));
    }
    if let Some(ms) = service.dedupe_ms {
        facts.push(format!("knows a message that is sent again for {} s", ms / 1000));
    }
    facts
}
