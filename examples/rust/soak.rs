//! Sends for minutes to a sandbox in which much goes wrong, and checks every verdict against what
//! the sandbox took.
//!
//! `cargo run --release --example soak [-- --seconds 600 --seed 1]`. The sandbox runs in a process
//! of its own, so that the memory that is measured is the library's. Exit code 0: every verdict was
//! true and memory stayed flat.

use std::collections::VecDeque;
use std::error::Error;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use fastrand::Rng;
use hongyan::{Client, Delivery, Op, Receipt, SubmitOptions, Waited};
use hongyan_sandbox::{Options, Sandbox};
use serde_json::{Value, json};

type Failure = Box<dyn Error>;

/// Sends without a result, at most.
const IN_FLIGHT: usize = 64;
/// After so many messages nothing is sent until all have their verdicts and those are checked.
const ROUND: usize = 40_000;
/// No send may take longer: its deadline is a fraction of this.
const STUCK: Duration = Duration::from_secs(30);
const DEADLINE_MS: u64 = 2_500;
const REPORT_EVERY: Duration = Duration::from_secs(10);
/// What the memory of the second half may exceed that of the first by, beside a tenth.
const SLACK_KIB: u64 = 4 << 10;
/// Violations that are kept for showing; all are counted.
const SHOWN: usize = 20;

/// Characters that forms, signatures, JSON and XML all treat in their own ways.
const LETTERS: [char; 24] = [
    'a', 'Z', '7', ' ', '&', '=', '+', '%', '<', '>', '"', '\'', '\\', '/', '~', '*', '!', 'é',
    '鸿', '雁', '😀', '\u{301}', '…', '（',
];

const SERVICES: [&str; 5] = ["fanfou", "sina", "weibo", "renren", "tencent_im"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.first().map(String::as_str) {
        Some("--as-sandbox") => play().map(|()| true),
        _ => options(&arguments).and_then(|(seconds, seed)| soak(seconds, seed)),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn options(arguments: &[String]) -> Result<(u64, u64), Failure> {
    let (mut seconds, mut seed) = (600, 1);
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("{name}: a number is missing"))?;
        let value = value.parse().map_err(|e| format!("{name} {value}: {e}"))?;
        match name.as_str() {
            "--seconds" => seconds = value,
            "--seed" => seed = value,
            _ => return Err(format!("{name}: not --seconds or --seed").into()),
        }
    }
    Ok((seconds, seed))
}

/// The other process: a sandbox that is told of faults, and asked what it took, on stdin.
fn play() -> Result<(), Failure> {
    let sandbox = Sandbox::start(Options::default())?;
    sandbox.limits(false);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", sandbox.config())?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        match line?.as_str() {
            "take" => {
                // The client is quiet. What an abandoned request still brings between these two is
                // a message in doubt, whose absence here says nothing.
                let messages = sandbox.messages();
                sandbox.clear();
                for message in messages {
                    let word = |name: &str| {
                        let words = message[name].as_str().unwrap_or("-");
                        words.split(' ').next().unwrap_or("-").to_owned()
                    };
                    writeln!(out, "{} {} {}", word("service"), word("text"), word("id"))?;
                }
                writeln!(out)?;
                out.flush()?;
            }
            fault => sandbox.fault(serde_json::from_str(fault)?)?,
        }
    }
    Ok(())
}

/// The sandbox's process; dropping it ends it.
struct Remote {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Remote {
    fn start() -> Result<(Remote, Value), Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("--as-sandbox")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = process.stdin.take().ok_or("no pipe to the sandbox")?;
        let output = process.stdout.take().ok_or("no pipe from the sandbox")?;
        let mut remote = Remote { process, input, output: BufReader::new(output).lines() };
        let config = serde_json::from_str(&remote.line()?)?;
        Ok((remote, config))
    }

    fn line(&mut self) -> Result<String, Failure> {
        Ok(self.output.next().ok_or("the sandbox has ended")??)
    }

    fn fault(&mut self, fault: &Value) -> Result<(), Failure> {
        Ok(writeln!(self.input, "{fault}")?)
    }

    /// Tells what was taken since the last time: service, first word, and the service's id of each.
    fn take(&mut self, mut tell: impl FnMut(&str, &str, &str)) -> Result<(), Failure> {
        writeln!(self.input, "take")?;
        loop {
            let line = self.line()?;
            let mut words = line.split(' ');
            let (Some(service), Some(text), Some(id)) = (words.next(), words.next(), words.next())
            else {
                return Ok(());
            };
            tell(service, text, id);
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// One accepted message.
struct Letter {
    service: &'static str,
    verdict: Option<Delivery>,
    /// A hash of the service's id: there are many letters.
    id: Option<u64>,
    taken: u8,
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// What was sent, what was said of it, and what became of it.
#[derive(Default)]
struct Ledger {
    /// The number of the first letter here.
    first: usize,
    /// The letters of the last round and of this one.
    letters: VecDeque<Letter>,
    last_round: usize,
    counts: [u64; 3],
    attempts: u64,
    taken: u64,
    maybe_taken: u64,
    violations: u64,
    shown: Vec<String>,
}

impl Ledger {
    fn next_number(&self) -> usize {
        self.first + self.letters.len()
    }

    fn violation(&mut self, words: String) {
        self.violations += 1;
        if self.shown.len() < SHOWN {
            self.shown.push(words);
        }
    }

    fn letter(&mut self, number: usize) -> Option<&mut Letter> {
        self.letters.get_mut(number.checked_sub(self.first)?)
    }

    fn result(&mut self, receipt: Receipt) {
        let number = usize::try_from(receipt.token).unwrap_or(usize::MAX);
        self.counts[receipt.delivery as usize] += 1;
        self.attempts += u64::from(receipt.attempts);
        let error_fits = receipt.error.is_none() == (receipt.delivery == Delivery::Sent);
        let Some(letter) = self.letter(number) else {
            return self.violation(format!("a result for {number}, which was never sent"));
        };
        let again = letter.verdict.replace(receipt.delivery).is_some();
        letter.id = receipt.message_id.as_deref().map(hash);
        if again {
            self.violation(format!("two results for {number}"));
        }
        if !error_fits {
            self.violation(format!("{number} is {:?} with {:?}", receipt.delivery, receipt.error));
        }
    }

    /// A message that the sandbox took, which is told at the end of a round.
    fn taken(&mut self, service: &str, text: &str, id: &str) {
        self.taken += 1;
        let letter = text.parse().ok().and_then(|number| self.letter(number));
        let Some(letter) = letter.filter(|letter| letter.service == service) else {
            return self.violation(format!("{service} took {text}, which was not sent lately"));
        };
        letter.taken = letter.taken.saturating_add(1);
        let told_another = letter.id.is_some_and(|own| own != hash(id));
        let (often, verdict) = (letter.taken, letter.verdict);
        self.maybe_taken += u64::from(verdict == Some(Delivery::MaybeSent));
        if often > 1 {
            self.violation(format!("{service} took {text} {often} times"));
        }
        if verdict == Some(Delivery::NotSent) {
            self.violation(format!("{service} took {text}, which is not_sent"));
        }
        if told_another {
            self.violation(format!("{service} has {text} under the id {id}, told was another"));
        }
    }

    /// The end of a round: every letter has its verdict, and what is sent was taken.
    fn end_round(&mut self) {
        for at in self.last_round..self.letters.len() {
            let (letter, number) = (&self.letters[at], self.first + at);
            match letter.verdict {
                None => self.violation(format!("{number} has no result")),
                Some(Delivery::Sent) if letter.taken == 0 => {
                    let words = format!("{} did not take {number}, which is sent", letter.service);
                    self.violation(words);
                }
                Some(_) => {}
            }
        }
        // A request that was given up may still arrive: its letter stays for another round.
        self.letters.drain(..self.last_round);
        self.first += self.last_round;
        self.last_round = self.letters.len();
    }
}

/// What becomes worse for the next request to a service.
fn fault(rng: &mut Rng) -> Value {
    let when = if rng.bool() { "before" } else { "after" };
    let mut fault = match rng.u32(0..100) {
        0..40 => json!({"kind": "latency", "ms": rng.u64(1..60)}),
        40..55 => json!({"kind": "reset", "when": when}),
        55..60 => json!({"kind": "hang", "when": when}),
        60..66 => json!({"kind": "garbage"}),
        66..72 => json!({"kind": "drop"}),
        72..76 => json!({"kind": "rate_limit"}),
        76..78 => json!({"kind": "rate_limit", "retry_after_s": rng.u64(0..3)}),
        78..88 => {
            let status = [302, 400, 401, 403, 404, 429, 500, 502, 503][rng.usize(0..9)];
            json!({"kind": "status", "status": status, "body": "<html>a proxy</html>",
                   "content_type": "text/html"})
        }
        // The message is taken, and its answer is lost on the way back.
        _ => {
            let status = [200, 500, 502, 504][rng.usize(0..4)];
            json!({"kind": "answer", "status": status, "body": "{\"id\": ", "stored": true})
        }
    };
    fault["service"] = json!(SERVICES[rng.usize(0..SERVICES.len())]);
    fault
}

/// A message of which the number is the first word.
fn message(number: usize, rng: &mut Rng) -> (&'static str, Value) {
    let (account, to) = match rng.u32(0..8) {
        0 => ("fanfou-basic", json!({"user": "lisztli"})),
        1 => ("fanfou-oauth1", json!({"user": "lisztli"})),
        2 => ("sina-basic", json!({"user": "11051"})),
        3 => ("sina-oauth1", json!({"user": "11051"})),
        4 => ("weibo-oauth2", json!({"user": "2125034703"})),
        5 => ("renren-bearer", json!({"users": ["123", "456"]})),
        6 => ("renren-mac", json!({"groups": ["9"]})),
        _ => ("tencent_im-usersig", json!({"group": "@TGS#2C5SZEAEF"})),
    };
    let service = account.split('-').next().unwrap_or(account);
    let service = SERVICES.into_iter().find(|name| *name == service).unwrap_or(account);
    // One in some hundreds is longer than Fanfou, Sina and Weibo take.
    let length = if rng.u32(0..300) == 0 { 700 } else { rng.usize(0..100) };
    let filler: String = (0..length).filter_map(|_| rng.choice(LETTERS)).collect();
    let mut message = json!({"v": 1, "account": account, "to": to,
        "text": format!("{number} {filler}."), "deadline_ms": DEADLINE_MS});
    if service == "renren" {
        message["extra"] = json!({"messageType": "TEXT", "resourceTitle": "a title"});
    } else if rng.u32(0..200) == 0 {
        let kind = if service == "tencent_im" { "group" } else { "user" };
        message["to"] = json!({ kind: "nobody" });
    }
    (service, message)
}

fn config(mut config: Value) -> Value {
    let accounts = config["accounts"].as_object_mut();
    for (name, account) in accounts.into_iter().flatten() {
        account["rate"] = match name.as_str() {
            // One waits for its turn now and then.
            "renren-bearer" => json!({"count": 100, "per_ms": 100}),
            _ => Value::Null,
        };
        if name.ends_with("oauth1") {
            account["format"] = json!("xml");
        }
    }
    config["timeout_ms"] = json!(500);
    config["retry"] = json!({"max_attempts": 4, "initial_ms": 20, "max_ms": 200});
    config
}

/// The number in a line of `/proc/self/status`, for memory in KiB.
fn status(name: &str) -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|rest| rest.split_whitespace().next()).ok_or("no such line")?;
    Ok(number.parse()?)
}

fn descriptors() -> Result<usize, Failure> {
    Ok(std::fs::read_dir("/proc/self/fd")?.count())
}

/// Memory once a second, and a line every ten.
struct Watch {
    began: Instant,
    seconds: u64,
    memory: Vec<u64>,
    reported: Instant,
    counted: u64,
}

impl Watch {
    fn look(&mut self, ledger: &Ledger) -> Result<(), Failure> {
        while (self.memory.len() as u64) < self.began.elapsed().as_secs() {
            self.memory.push(status("VmRSS")?);
        }
        let since = self.reported.elapsed();
        if since >= REPORT_EVERY {
            let [not_sent, maybe_sent, sent] = ledger.counts;
            let all: u64 = ledger.counts.iter().sum();
            println!(
                "{:>5} s  sent {sent}  maybe_sent {maybe_sent}  not_sent {not_sent}  {:>6.0}/s  \
                 VmRSS {} KiB  violations {}",
                self.began.elapsed().as_secs(),
                (all - self.counted) as f64 / since.as_secs_f64(),
                status("VmRSS")?,
                ledger.violations,
            );
            (self.reported, self.counted) = (Instant::now(), all);
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.began.elapsed() >= Duration::from_secs(self.seconds)
    }

    /// True if the second half of the time, without a fifth for warming up, took no more memory
    /// than the first.
    fn is_flat(&self) -> bool {
        let warm = &self.memory[self.memory.len() / 5..];
        let (first, last) = warm.split_at(warm.len() / 2);
        let peak = |half: &[u64]| half.iter().max().copied().unwrap_or_default();
        println!("VmRSS at most: {} KiB, then {} KiB", peak(first), peak(last));
        peak(last) * 10 <= peak(first) * 11 + SLACK_KIB * 10
    }
}

/// Sends one round and waits for all its results.
fn round(
    client: &Client,
    remote: &mut Remote,
    rng: &mut Rng,
    ledger: &mut Ledger,
    watch: &mut Watch,
) -> Result<(), Failure> {
    let mut lately: VecDeque<Op> = VecDeque::with_capacity(IN_FLIGHT);
    let (mut begun, mut in_flight, mut progress) = (0, 0, Instant::now());
    loop {
        while in_flight < IN_FLIGHT && begun < ROUND && !watch.is_over() {
            if rng.u32(0..10) == 0 {
                remote.fault(&fault(rng))?;
            }
            let number = ledger.next_number();
            let (service, message) = message(number, rng);
            let op = client
                .submit(message.to_string().as_bytes(), SubmitOptions::token(number as u64))?;
            let letter = Letter { service, verdict: None, id: None, taken: 0 };
            ledger.letters.push_back(letter);
            (begun, in_flight) = (begun + 1, in_flight + 1);
            if lately.len() == IN_FLIGHT {
                lately.pop_front();
            }
            lately.push_back(op);
            if rng.u32(0..100) == 0 {
                lately[rng.usize(0..lately.len())].cancel();
            }
        }
        if in_flight == 0 {
            return Ok(());
        }
        match client.wait(Some(Duration::from_secs(1)), IN_FLIGHT)? {
            Waited::Results(receipts) => {
                progress = Instant::now();
                in_flight = in_flight.saturating_sub(receipts.len());
                receipts.into_iter().for_each(|receipt| ledger.result(receipt));
            }
            Waited::Nothing if progress.elapsed() > STUCK => {
                ledger.violation(format!("{in_flight} sends wait for ever"));
                return Ok(());
            }
            Waited::Nothing => {}
        }
        watch.look(ledger)?;
    }
}

fn soak(seconds: u64, seed: u64) -> Result<bool, Failure> {
    println!("soak: {seconds} s, {IN_FLIGHT} in flight, seed {seed}");
    let (mut remote, sandbox) = Remote::start()?;
    let before = (status("Threads")?, descriptors()?);
    let client = Client::from_json(&config(sandbox).to_string())?;
    let (mut rng, mut ledger) = (Rng::with_seed(seed), Ledger::default());
    let now = Instant::now();
    let mut watch = Watch { began: now, seconds, memory: Vec::new(), reported: now, counted: 0 };
    while !watch.is_over() && ledger.violations == 0 {
        round(&client, &mut remote, &mut rng, &mut ledger, &mut watch)?;
        remote.take(|service, text, id| ledger.taken(service, text, id))?;
        ledger.end_round();
    }
    let unfinished = client.close(Some(STUCK));
    drop(client);
    let after = (status("Threads")?, descriptors()?);

    let [not_sent, maybe_sent, sent] = ledger.counts;
    println!("{} messages, {} attempts", ledger.next_number(), ledger.attempts);
    println!("sent {sent}, maybe_sent {maybe_sent}, not_sent {not_sent}");
    println!("the sandbox took {}: {sent} sent, {} maybe_sent", ledger.taken, ledger.maybe_taken);
    ledger.shown.iter().for_each(|violation| println!("violation: {violation}"));
    println!("violations: {}", ledger.violations);
    println!("threads and descriptors: {before:?} before, {after:?} after");
    let flat = watch.is_flat();
    let adds_up = ledger.taken == sent + ledger.maybe_taken;
    let good = ledger.violations == 0 && adds_up && unfinished == 0 && flat && before == after;
    println!("{}", if good { "good" } else { "NOT GOOD" });
    Ok(good)
}
