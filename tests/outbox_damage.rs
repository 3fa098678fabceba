//! A damaged outbox: whatever is damaged, nothing hangs, nothing is lost without a word, nothing is
//! sent twice, and what is not damaged goes on.
//!
//! `HY_DAMAGE` is how many kinds of damage each page and each frame suffers, `HY_SEED` where their random
//! bytes start.

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/outbox_folder.rs"]
mod outbox_folder;
#[path = "support/raw.rs"]
mod raw;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use accounts::{client, message_with};
use hongyan::{Client, Delivery, ErrorCode, SubmitOptions, Waited};
use outbox_folder::Folder;
use raw::{RawServer, Then, answer};
use serde_json::{Value, json};

const SENT: &str = r#"{"id":"wgFPBXHGdwQ","text":"hello"}"#;

/// Only a test that has failed waits so long.
const HANGS: Duration = Duration::from_secs(600);

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// What the files held that are damaged.
struct Before {
    files: HashMap<&'static str, Vec<u8>>,
    /// The text of each message whose result was not acknowledged, by its id.
    texts: HashMap<String, String>,
    /// Those of which bytes may have gone.
    gone: HashSet<String>,
}

const FILES: [&str; 3] = ["outbox.db", "outbox.db-wal", "outbox.db-lock"];

/// Messages in every state: with a result, dead, begun, queued, in line, with a key, following one.
/// `alive`: as a process leaves the files that is killed.
fn before(alive: bool) -> Before {
    let server = RawServer::start(|request, stream| {
        use std::io::Write as _;
        let text = request.body_text();
        if text.contains("hang") {
            return Ok(Then::Hang);
        }
        let status = if text.contains("refused") { 403 } else { 200 };
        stream.write_all(&answer(status, "", SENT))?;
        Ok(Then::Keep)
    });
    let folder = Folder::new();
    let config =
        folder.config(&server.url(), json!({"accounts": {"ff-json": {"max_in_flight": 2}}}));
    let client = client(&config);
    let (mut texts, mut gone) = (HashMap::new(), HashSet::new());
    let mut submit = |text: &str, more: Value| {
        let message = accounts::merged(message_with("ff-json", json!({"text": text})), more);
        let mut json = message.to_string();
        if text.ends_with('3') {
            // A long one has pages of its own.
            json += &" ".repeat(12_000);
        }
        let op = client.submit(json.as_bytes(), SubmitOptions::token(7)).expect("accepted");
        texts.insert(op.id().to_owned(), text.to_owned());
        op.id().to_owned()
    };
    let mut told = Vec::new();
    for n in 0..10 {
        let more = if n < 4 { json!({"key": format!("sent-{n}")}) } else { json!({}) };
        told.push(submit(&format!("sent {n}"), more));
    }
    for n in 0..4 {
        told.push(submit(&format!("refused {n}"), json!({})));
    }
    let mut dead = Vec::new();
    for _ in 0..told.len() {
        let receipt = accounts::take(&client);
        if receipt.delivery == Delivery::NotSent && dead.len() < 2 {
            client.ack(&receipt).expect("open");
            dead.push(receipt.id);
        }
    }
    gone.extend(told);
    for n in 0..2 {
        gone.insert(submit(&format!("hang {n}"), json!({})));
    }
    server.wait_for_requests(16);
    for n in 0..6 {
        submit(&format!("queued {n}"), json!({}));
    }
    for n in 0..3 {
        submit(&format!("ordered {n}"), json!({"ordered": true}));
    }
    submit("keyed", json!({"key": "k"}));
    submit("keyed", json!({"key": "k"}));
    // The acknowledgements are written lazily.
    let start = Instant::now();
    while outbox(&client)["messages"] != 14 - dead.len() + 2 + 11 {
        assert!(start.elapsed() < HANGS);
        std::thread::yield_now();
    }
    for id in dead {
        texts.remove(&id);
    }
    let read = || {
        let read =
            |name: &&'static str| Some((*name, std::fs::read(folder.path().join(name)).ok()?));
        FILES.iter().filter_map(read).collect()
    };
    let mut files = HashMap::new();
    if alive {
        files = read();
    }
    drop(client);
    if !alive {
        files = read();
    }
    Before { files, texts, gone }
}

fn outbox(client: &Client) -> Value {
    let stats: Value = serde_json::from_str(&client.stats_json()).expect("JSON");
    stats["outbox"].clone()
}

/// What became of a damaged outbox.
#[derive(Default, Debug)]
struct Tally {
    /// It could not be opened, and that is told at every attempt.
    refused: usize,
    /// That something may be lost was told by the first attempt to open it.
    told: usize,
    /// Messages whose result is that nobody knows.
    unknown: usize,
    /// Damage of which nothing is seen.
    unseen: usize,
    opened: usize,
}

/// Opens these files, lets everything go on, and checks what comes of it.
fn go_on(before: &Before, files: &HashMap<&'static str, Vec<u8>>, what: &str, tally: &mut Tally) {
    let server = RawServer::fixed(answer(200, "", SENT));
    let folder = Folder::new();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).expect("written");
    }
    let config = folder.config(&server.url(), json!({})).to_string();
    let mut loss_told = false;
    let mut opened = Client::from_json(&config);
    if let Err(error) = &opened {
        assert_eq!(error.code(), ErrorCode::Storage, "{what}: {error}");
        assert!(error.hint_text().is_some(), "{what}: {error}");
        if !error.message().contains("was damaged") {
            tally.refused += 1;
            assert_same(files, folder.path(), what);
            return;
        }
        tally.told += 1;
        loss_told = true;
        opened = Client::from_json(&config);
    }
    let client = opened.unwrap_or_else(|error| panic!("{what}: not even the rest: {error}"));
    tally.opened += 1;
    let damage = outbox(&client)["damage"].clone();
    // What was damaged is kept as it was found.
    if loss_told || damage.is_string() {
        let aside = folder.path().join("outbox.db-damaged");
        let kept = std::fs::read(&aside).ok();
        let only_rows = damage.as_str().is_some_and(|words| words.starts_with(char::is_numeric));
        assert!(kept.as_ref() == files.get("outbox.db") || only_rows, "{what}: {damage}");
    } else {
        tally.unseen += 1;
    }
    // A new one goes through whatever is damaged.
    let new = message_with("ff-json", json!({"text": "new"})).to_string();
    let new = client.submit(new.as_bytes(), SubmitOptions::token(1)).map(|op| op.id().to_owned());
    let new = new.unwrap_or_else(|error| panic!("{what}: {error}"));

    let mut results: HashMap<String, Vec<(Delivery, Option<ErrorCode>)>> = HashMap::new();
    let start = Instant::now();
    while outbox(&client)["messages"] != 0 || !results.contains_key(&new) {
        assert!(start.elapsed() < HANGS, "{what}: hangs at {}", client.stats_json());
        let waited = client.wait(Some(Duration::from_millis(5)), 64).expect("open");
        let Waited::Results(receipts) = waited else { continue };
        for receipt in receipts {
            client.ack(&receipt).expect("open");
            let code = receipt.error.as_ref().map(hongyan::Error::code);
            results.entry(receipt.id.clone()).or_default().push((receipt.delivery, code));
        }
    }
    drop(client);

    let mut requests: HashMap<String, usize> = HashMap::new();
    for request in server.requests() {
        *requests.entry(request.body_text().to_owned()).or_default() += 1;
    }
    let sent = |text: &str| -> usize {
        let text = text.replace(' ', "+");
        requests.iter().filter(|(body, _)| body.contains(&text)).map(|(_, count)| count).sum()
    };
    for (id, text) in &before.texts {
        let told = results.get(id).map_or(&[][..], Vec::as_slice);
        assert!(told.len() <= 1, "{what}: {text}: told {told:?}");
        if told.is_empty() {
            assert!(loss_told, "{what}: {text} is lost without a word; damage: {damage}");
        }
        let most = usize::from(!before.gone.contains(id));
        // The two of one key are one message.
        assert!(sent(text) <= most, "{what}: {text} went {} times", sent(text));
        if let Some((_, Some(ErrorCode::Storage))) = told.first() {
            tally.unknown += 1;
        }
        if let Some((Delivery::NotSent, _)) = told.first() {
            assert_eq!(sent(text), 0, "{what}: {text}");
            assert!(!text.starts_with("sent") && !text.starts_with("hang"), "{what}: {text}");
        }
    }
}

/// Files that cannot be used are left as they are.
fn assert_same(files: &HashMap<&'static str, Vec<u8>>, folder: &Path, what: &str) {
    for (name, bytes) in files.iter().filter(|(name, _)| **name == "outbox.db") {
        assert!(std::fs::read(folder.join(name)).expect("it is there") == *bytes, "{what}: {name}");
    }
    let extra: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_string_lossy().contains("-image"))
        .collect();
    assert!(extra.is_empty(), "{what}: {extra:?}");
}

/// Damages a part of a file in one of several ways.
fn damage(bytes: &mut [u8], kind: u64, random: &mut fastrand::Rng) {
    match kind {
        0 => bytes.fill(0xa5),
        1 => bytes.fill(0),
        2 => bytes[0] ^= 1 << random.u32(0..8),
        _ => {
            let at = random.usize(0..bytes.len());
            bytes[at] ^= 1 << random.u32(0..8);
        }
    }
}

#[test]
fn a_damaged_page_costs_what_stood_on_it_and_that_is_told() {
    let before = before(false);
    let (kinds, seed) = (number("HY_DAMAGE", 4), number("HY_SEED", 1));
    let mut random = fastrand::Rng::with_seed(seed);
    let pages = before.files["outbox.db"].len() / 4096;
    let mut tally = Tally::default();
    go_on(&before, &before.files, "nothing", &mut tally);
    assert_eq!((tally.unseen, tally.unknown, tally.opened), (1, 0, 1), "{tally:?}");
    for page in 0..pages {
        for kind in 0..kinds {
            let mut files = before.files.clone();
            let bytes = files.get_mut("outbox.db").expect("it is there");
            damage(&mut bytes[page * 4096..][..4096], kind, &mut random);
            let what = format!("seed {seed}, page {} of {pages}, damage {kind}", page + 1);
            go_on(&before, &files, &what, &mut tally);
        }
    }
    println!("{pages} pages, {kinds} ways: {tally:?}");
    assert!(tally.unknown > 0 && tally.opened > pages, "{tally:?}");
}

#[test]
fn a_damaged_log_is_never_read_in_part() {
    let before = before(true);
    let (kinds, seed) = (number("HY_DAMAGE", 1), number("HY_SEED", 1));
    let mut random = fastrand::Rng::with_seed(seed);
    let mut tally = Tally::default();
    go_on(&before, &before.files, "nothing", &mut tally);
    assert_eq!((tally.unseen, tally.unknown, tally.opened), (1, 0, 1), "{tally:?}");
    let frames = (before.files["outbox.db-wal"].len() - 32) / 4120;
    let mut parts = vec![("the head".to_owned(), 0..32)];
    parts.extend((0..frames).map(|n| {
        let at = 32 + n * 4120;
        (format!("frame {} of {frames}", n + 1), at..at + 4120)
    }));
    for ((part, range), number) in parts.into_iter().zip(0..) {
        for kind in (0..kinds).map(|kind| 2 + (kind + number) % 3) {
            let mut files = before.files.clone();
            let bytes = files.get_mut("outbox.db-wal").expect("it is there");
            let range = if kind == 3 { range.start..range.start + 24 } else { range.clone() };
            damage(&mut bytes[range], kind, &mut random);
            let what = format!("seed {seed}, {part}, damage {kind}");
            let seen = tally.unseen;
            go_on(&before, &files, &what, &mut tally);
            assert_eq!(tally.unseen, seen, "{what}: not noticed");
        }
    }
    // Cut off, at a frame and within one.
    for cut in [1, 10, frames / 2, frames - 1] {
        for more in [0, 100] {
            let mut files = before.files.clone();
            let bytes = files.get_mut("outbox.db-wal").expect("it is there");
            bytes.truncate(32 + cut * 4120 + more);
            let seen = tally.unseen;
            go_on(&before, &files, &format!("cut after {cut} frames"), &mut tally);
            assert_eq!(tally.unseen, seen, "cut after {cut} frames: not noticed");
        }
    }
    println!("{frames} frames, {kinds} ways: {tally:?}");
}

/// Without what its owner has noted, as after a power cut, all is noticed but the last commit.
#[test]
fn a_damaged_log_tells_by_itself_that_more_was_committed() {
    let mut before = before(true);
    before.files.remove("outbox.db-lock");
    let mut tally = Tally::default();
    let frames = (before.files["outbox.db-wal"].len() - 32) / 4120;
    for frame in (0..frames - 20).step_by(3) {
        let mut files = before.files.clone();
        let bytes = files.get_mut("outbox.db-wal").expect("it is there");
        bytes[32 + frame * 4120 + 24 + 1000] ^= 4;
        let what = format!("frame {} of {frames}", frame + 1);
        let seen = tally.unseen;
        go_on(&before, &files, &what, &mut tally);
        assert_eq!(tally.unseen, seen, "{what}: not noticed");
    }
    println!("{tally:?}");
}
