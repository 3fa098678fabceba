//! `hongyan worker`: sends what an outbox holds until it is told to end.

mod health;
mod metrics;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hongyan::{Client, Error, ErrorCode, LogLevel, OutboxFile};
use serde_json::json;

use self::health::{Health, Subject};
use crate::args::WorkerArgs;
use crate::config::{Config, no_outbox};
use crate::exit::{Exit, Usage};
use crate::interrupt::{Interrupt, LOOK};
use crate::output::{Output, diagnose, line};

/// How many results are taken at once, to make room for others.
const MOST: usize = 1024;

/// The pauses between two tries to open an outbox whose database is away.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));

/// How long the process may take to end once that was asked for twice.
const HASTE: Duration = Duration::from_millis(2500);

/// Sends until SIGINT or SIGTERM.
pub fn run(
    args: &WorkerArgs,
    config: Option<&Path>,
    json: bool,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let interrupt = Interrupt::watch();
    let config = Config::load(config)?;
    let file = config.outbox(None)?.ok_or_else(no_outbox)?;
    let _log = Log::to_stderr();
    let subject = Arc::new(Subject::default());
    let health = args.health.map(|at| Health::start(at, Arc::clone(&subject))).transpose()?;
    let address = health.as_ref().map(Health::address);
    introduce(&file, address, json, out)?;
    let Some(client) = opened(&config, &file, interrupt)? else { return Ok(Exit::Sent) };
    let client = Arc::new(client);
    subject.has(&client);
    if json {
        writeln!(out, "{}", json!({"v": 1, "event": "ready"}))?;
    } else {
        writeln!(out, "hongyan: ready")?;
    }
    out.flush()?;
    while !interrupt.asked() {
        // What comes out here stays in the outbox for those who submitted it.
        client.wait(Some(LOOK), MOST)?;
    }
    subject.ends();
    wind_down(&client, interrupt);
    // The health server answers with what it last knew.
    subject.lets_go();
    drop(client);
    if json {
        writeln!(out, "{}", json!({"v": 1, "event": "ended"}))?;
    } else {
        writeln!(out, "hongyan: ended")?;
    }
    Ok(Exit::Sent)
}

/// Says what is sent, and where it can be asked for how that goes.
fn introduce(
    file: &OutboxFile,
    health: Option<std::net::SocketAddr>,
    json: bool,
    out: &mut Output,
) -> anyhow::Result<()> {
    let health = health.map(|address| format!("http://{address}"));
    if json {
        let told = json!({"v": 1, "event": "started", "outbox": file.shown(), "health": health});
        writeln!(out, "{told}")?;
    } else {
        let asked = health.map_or_else(String::new, |url| format!("; health is at {url}"));
        writeln!(out, "hongyan: sends what is due in {}{asked}", line(&file.shown()))?;
    }
    out.flush()?;
    Ok(())
}

/// The client of the outbox; none if an end was asked for while its database was away.
fn opened(
    config: &Config,
    file: &OutboxFile,
    interrupt: Interrupt,
) -> anyhow::Result<Option<Client>> {
    let (mut pause, mut told) = (PAUSES.0, String::new());
    loop {
        let error = match Client::for_worker(&config.json) {
            Ok(client) => return Ok(Some(client)),
            Err(error) if is_away(&error, file) => error,
            Err(error) => return Err(Usage::or_failure(&config.path, error)),
        };
        let words = error.to_string();
        if words != told {
            diagnose(&format!("hongyan: {words}; trying again"));
            told = words;
        }
        let until = Instant::now() + pause;
        while Instant::now() < until {
            if interrupt.asked() {
                return Ok(None);
            }
            std::thread::sleep(LOOK.min(until.saturating_duration_since(Instant::now())));
        }
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// True if a database may come back by itself; a schema that is missing has to be made.
fn is_away(error: &Error, file: &OutboxFile) -> bool {
    let is_database = file.path().is_none();
    is_database && error.code() == ErrorCode::Storage && error.path() != Some("outbox.schema")
}

/// Begins nothing more, and lets what is under way come to its end; what is not stays for others.
fn wind_down(client: &Client, interrupt: Interrupt) {
    diagnose(
        "hongyan: nothing more is begun; what is under way comes to its end, or is cut if that is \
         asked for once more",
    );
    let mut insisted = false;
    while client.wind_down(Some(LOOK)) > 0 {
        let _ = client.wait(Some(Duration::ZERO), MOST);
        if interrupt.insists() && !insisted {
            insisted = true;
            end_soon();
            client.close(Some(Duration::ZERO));
        }
    }
    if interrupt.insists() && !insisted {
        end_soon();
    }
}

/// Ends the process soon, whatever it waits for: a disk, or a database that is away.
fn end_soon() {
    let _ = std::thread::Builder::new().name("hongyan-end".to_owned()).spawn(|| {
        std::thread::sleep(HASTE);
        diagnose("hongyan: ended before the outbox was closed; what was begun is in doubt");
        std::process::exit(i32::from(Exit::Failed as u8));
    });
}

/// What goes wrong with the outbox is told on standard error, as long as this lives.
struct Log;

impl Log {
    fn to_stderr() -> Log {
        let sink = |_: LogLevel, target: &str, words: &str| {
            diagnose(&format!("hongyan: {target}: {words}"));
        };
        // It is refused only inside the log function.
        let _ = hongyan::set_log(Some(LogLevel::Warn), Some(Box::new(sink)));
        Log
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = hongyan::set_log(None, None);
    }
}
