//! Many threads, random cancels, a close in the middle; clients made and freed by the hundred; more
//! messages than sockets; a server that goes and comes back: all over real sockets.
//!
//! What is random comes from fixed seeds; what the threads make of it differs from run to run, and
//! must not matter.

#![cfg(all(feature = "capi", target_os = "linux"))]

#[path = "support/accounts.rs"]
mod accounts;
#[path = "support/memory.rs"]
#[allow(dead_code, reason = "only the process of its own is needed here")]
mod memory;
#[path = "support/proc.rs"]
mod proc;
#[path = "support/raw.rs"]
mod raw;

use std::collections::HashMap;
use std::ffi::c_char;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use accounts::{ACCOUNTS, client, message_with, take};
use fastrand::Rng;
use hongyan::capi::{
    hy_client_t, hy_close, hy_free, hy_init, hy_op_cancel, hy_op_free, hy_op_t, hy_poll_handle,
    hy_result_free, hy_result_json, hy_result_t, hy_send_json, hy_submit_json, hy_wait,
};
use hongyan::{Client, Delivery, ErrorCode, Receipt, SendOptions, SubmitOptions, Waited};
use hongyan_sandbox::{Options, Sandbox};
use raw::{GUARD, Gate, RawServer, Request, Then, answer};
use serde_json::{Value, json};

const OK: &str = ACCOUNTS[0].1;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An account of the sandbox with whom it writes to, and the rest of such a message.
fn random_message(rng: &mut Rng, text: u64) -> Value {
    let talk = json!({"messageType": "TEXT", "resourceTitle": "a title"});
    let (account, to, extra) = match rng.u32(0..8) {
        0 => ("fanfou-basic", json!({"user": "lisztli"}), json!({})),
        1 => ("fanfou-oauth1", json!({"user": "lisztli"}), json!({})),
        2 => ("sina-basic", json!({"user": "11051"}), json!({})),
        3 => ("sina-oauth1", json!({"user": "11051"}), json!({})),
        4 => ("weibo-oauth2", json!({"user": "2125034703"}), json!({})),
        5 => ("renren-bearer", json!({"users": ["123"]}), talk),
        6 => ("renren-mac", json!({"groups": ["9"]}), talk),
        _ => ("tencent_im-usersig", json!({"group": "@TGS#2C5SZEAEF"}), json!({})),
    };
    json!({"v": 1, "account": account, "to": to, "text": text.to_string(), "extra": extra,
        "deadline_ms": 400})
}

/// Something that goes wrong with the next request to a service, and never lies about the truth.
fn random_fault(rng: &mut Rng) -> Value {
    let when = if rng.bool() { "before" } else { "after" };
    let mut fault = match rng.u32(0..8) {
        0 | 1 => json!({"kind": "latency", "ms": rng.u64(1..20)}),
        2 => json!({"kind": "reset", "when": when}),
        3 => json!({"kind": "hang", "when": when}),
        4 => json!({"kind": "garbage"}),
        5 => json!({"kind": "drop"}),
        6 => json!({"kind": "status", "status": *rng.choice(&[302, 404, 429, 503]).expect("some")}),
        _ => json!({"kind": "answer", "status": 200, "body": "{\"id\": ", "stored": true}),
    };
    let services = ["fanfou", "sina", "weibo", "renren", "tencent_im"];
    fault["service"] = json!(services[rng.usize(0..services.len())]);
    fault
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::start(Options::default()).expect("a free port");
    sandbox.limits(false);
    sandbox
}

/// The sandbox's accounts, unpaced and impatient.
fn config(sandbox: &Sandbox) -> Value {
    let mut config = sandbox.config();
    for account in config["accounts"].as_object_mut().expect("accounts").values_mut() {
        account["rate"] = Value::Null;
    }
    config["timeout_ms"] = json!(150);
    config["retry"] = json!({"max_attempts": 3, "initial_ms": 1, "max_ms": 20});
    config
}

/// How often the sandbox took each text.
fn taken(sandbox: &Sandbox) -> HashMap<u64, usize> {
    let mut taken = HashMap::new();
    for message in sandbox.messages() {
        let text = message["text"].as_str().and_then(|text| text.parse().ok());
        *taken.entry(text.expect("every text is a number")).or_default() += 1;
    }
    taken
}

/// Sent is taken once, not sent is not taken, in doubt is either.
fn check_truth(what: &str, verdicts: &[(u64, Delivery)], taken: &HashMap<u64, usize>) {
    for (text, delivery) in verdicts {
        let often = taken.get(text).copied().unwrap_or(0);
        let range = match delivery {
            Delivery::Sent => 1..=1,
            Delivery::PartlySent => panic!("these messages have one recipient each"),
            Delivery::MaybeSent => 0..=1,
            Delivery::NotSent => 0..=0,
        };
        assert!(
            range.contains(&often),
            "{what}: {text} is {} and was taken {often} times",
            delivery.name()
        );
    }
}

const SUBMITTERS: u64 = 32;
const WAITERS: u64 = 4;
const BLOCKING: u64 = 2;
/// Messages of one submitter.
const EACH: u64 = 40;
/// The client is closed once so many were accepted.
const CLOSE_AT: usize = 800;

/// One client under many threads, which all end because it is closed.
struct Storm<'a> {
    seed: u64,
    sandbox: &'a Sandbox,
    client: Client,
    submitted: Mutex<Vec<u64>>,
    results: Mutex<Vec<Receipt>>,
    answered: Mutex<Vec<(u64, Delivery)>>,
}

impl Storm<'_> {
    /// A text that no other message of any storm has, and for `n` 0 a thread's own seed.
    fn text(&self, kind: u64, thread: u64, n: u64) -> u64 {
        self.seed << 48 | kind << 40 | thread << 24 | n
    }

    /// Keeps what a wait brought; false once there is nothing more to come.
    fn keep(&self, waited: hongyan::Result<Waited>) -> bool {
        match waited {
            Ok(Waited::Results(receipts)) => lock(&self.results).extend(receipts),
            // Somebody interrupts now and then.
            Ok(Waited::Nothing) => {}
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::Closed, "{error}");
                return false;
            }
        }
        true
    }

    fn submit(&self, thread: u64, close: &mpsc::Sender<()>) {
        let (mut rng, mut ops) = (Rng::with_seed(self.text(1, thread, 0)), Vec::new());
        for n in 0..EACH {
            if rng.u32(0..8) == 0 {
                self.sandbox.fault(random_fault(&mut rng)).expect("a valid fault");
            }
            let text = self.text(1, thread, n);
            let message = random_message(&mut rng, text).to_string();
            let op = loop {
                match self.client.submit(message.as_bytes(), SubmitOptions::token(text)) {
                    Ok(op) => break op,
                    Err(error) if error.code() == ErrorCode::Closed => return,
                    Err(error) => assert_eq!(error.code(), ErrorCode::Full, "{error}"),
                }
                // Whoever finds it full helps to empty it.
                self.keep(self.client.wait(Some(GUARD), 8));
            };
            ops.push(op);
            if rng.u32(0..6) == 0 {
                ops[rng.usize(0..ops.len())].cancel();
            }
            let mut submitted = lock(&self.submitted);
            submitted.push(text);
            if submitted.len() == CLOSE_AT {
                close.send(()).expect("somebody closes");
            }
        }
    }

    fn send(&self, thread: u64) {
        let mut rng = Rng::with_seed(self.text(2, thread, 0));
        for n in 0.. {
            let text = self.text(2, thread, n);
            let message = random_message(&mut rng, text).to_string();
            let patience = Duration::from_millis(rng.u64(0..60));
            match self.client.send(message.as_bytes(), SendOptions::within(patience)) {
                Ok(receipt) => lock(&self.answered).push((text, receipt.delivery)),
                Err(error) if error.code() == ErrorCode::Closed => return,
                Err(error) => assert_eq!(error.code(), ErrorCode::Full, "{error}"),
            }
        }
    }

    fn wait(&self, thread: u64) {
        let mut rng = Rng::with_seed(self.text(3, thread, 0));
        while self.keep(self.client.wait(None, rng.usize(1..17))) {}
    }

    /// Everything else that may be called at any time.
    fn meddle(&self, config: &Value) {
        let mut rng = Rng::with_seed(self.text(4, 0, 0));
        let accounts = config["accounts"].as_object().expect("accounts");
        let names: Vec<_> = accounts.keys().collect();
        loop {
            match rng.u32(0..5) {
                0 => drop(serde_json::from_str::<Value>(&self.client.stats_json()).expect("JSON")),
                1 => self.client.interrupt(),
                2 => assert!(self.client.poll_handle().expect("a descriptor") >= 0),
                3 => drop(self.client.flush(Some(Duration::from_millis(1)))),
                _ => {
                    let name = names[rng.usize(0..names.len())];
                    match self.client.set_account(name, &accounts[name].to_string()) {
                        Ok(()) => {}
                        Err(error) if error.code() == ErrorCode::Closed => return,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        }
    }

    /// Runs to the end; gives the verdicts.
    fn run(self, config: &Value, patience: Option<Duration>) -> Vec<(u64, Delivery)> {
        let what = format!("seed {}, closed with {patience:?}", self.seed);
        let (storm, (close, closing)) = (&self, mpsc::channel());
        let (begun, unfinished) = thread::scope(|scope| {
            for n in 0..SUBMITTERS {
                let close = close.clone();
                scope.spawn(move || storm.submit(n, &close));
            }
            (0..WAITERS).for_each(|n| drop(scope.spawn(move || storm.wait(n))));
            (0..BLOCKING).for_each(|n| drop(scope.spawn(move || storm.send(n))));
            scope.spawn(|| storm.meddle(config));
            // A thread that fails must not leave the others waiting.
            let begun = closing.recv_timeout(GUARD);
            (begun, storm.client.close(patience))
        });
        assert!(begun.is_ok(), "{what}: too few were accepted");
        assert_eq!(self.client.close(None), 0, "{what}: a second close");

        let (mut submitted, results) = (self.submitted.into_inner(), self.results.into_inner());
        let (submitted, results) = (submitted.as_mut().expect("no panic"), results.expect("same"));
        let mut tokens: Vec<u64> = results.iter().map(|receipt| receipt.token).collect();
        tokens.sort_unstable();
        submitted.sort_unstable();
        assert!(tokens == *submitted, "{what}: a result for each that was accepted, and one only");
        let cut = |receipt: &&Receipt| {
            let error = receipt.error.as_ref();
            error.is_some_and(|error| error.message().contains("the client was closed"))
        };
        let cut = results.iter().filter(cut).count();
        assert!(cut <= unfinished, "{what}: {cut} were cut, {unfinished} told");
        assert!(patience.is_some() || unfinished == 0, "{what}: {unfinished} did not end");

        let mut verdicts = self.answered.into_inner().expect("no panic");
        verdicts.extend(results.iter().map(|receipt| (receipt.token, receipt.delivery)));
        let stats: Value = serde_json::from_str(&self.client.stats_json()).expect("JSON");
        assert_eq!((&stats["in_flight"], &stats["unfinished"]), (&json!(0), &json!(0)), "{what}");
        let sum = |name: &str| -> u64 {
            let accounts = stats["accounts"].as_object().expect("accounts");
            accounts.values().map(|account| account[name].as_u64().expect("a number")).sum()
        };
        for delivery in [Delivery::NotSent, Delivery::MaybeSent, Delivery::Sent] {
            let told = verdicts.iter().filter(|(_, own)| *own == delivery).count();
            assert_eq!(sum(delivery.name()), told as u64, "{what}: {}", delivery.name());
        }
        assert_eq!(sum("accepted"), verdicts.len() as u64, "{what}");
        verdicts
    }
}

#[test]
fn a_storm_loses_nothing_and_tells_no_lie() {
    let sandbox = sandbox();
    let mut config = config(&sandbox);
    config["max_in_flight"] = json!(400);
    let ends = [Some(Duration::ZERO), Some(Duration::from_millis(40)), None, Some(Duration::ZERO)];
    let mut all = Vec::new();
    for (seed, patience) in (1..).zip(ends) {
        let storm = Storm {
            seed,
            sandbox: &sandbox,
            client: client(&config),
            submitted: Mutex::default(),
            results: Mutex::default(),
            answered: Mutex::default(),
        };
        let verdicts = storm.run(&config, patience);
        check_truth(&format!("seed {seed}"), &verdicts, &taken(&sandbox));
        all.extend(verdicts);
    }
    let taken = taken(&sandbox);
    check_truth("afterwards", &all, &taken);
    let count = |delivery| all.iter().filter(|(_, own)| *own == delivery).count();
    let (sent, maybe) = (count(Delivery::Sent), count(Delivery::MaybeSent));
    assert!(sent <= taken.len() && taken.len() <= sent + maybe, "{sent} and {maybe}: {taken:?}");
    assert!(sent > 0 && maybe > 0 && count(Delivery::NotSent) > 0, "all three happened");
}

/// A client's life; its op and its result live longer.
fn live(config: &str, rng: &mut Rng) {
    let bytes = |text: &str| text.as_ptr().cast::<c_char>();
    let (mut client, mut handle): (*mut hy_client_t, isize) = (null_mut(), -1);
    let (mut op, mut result): (*mut hy_op_t, *mut hy_result_t) = (null_mut(), null_mut());
    let (message, patience) = (random_message(rng, 7).to_string(), rng.i64(0..40));
    // SAFETY: every text is as long as told, every place is live, and each handle that came out is
    // freed once, after its last use.
    unsafe {
        assert!(hy_init(bytes(config), config.len(), &mut client).is_null());
        if rng.bool() {
            let sent = hy_send_json(client, bytes(&message), message.len(), patience, &mut result);
            assert!(sent.is_null() && !hy_result_json(result, null_mut()).is_null());
            hy_result_free(std::mem::replace(&mut result, null_mut()));
        }
        if rng.bool() {
            assert!(hy_poll_handle(client, &mut handle).is_null() && handle >= 0);
        }
        for token in 0..rng.u64(0..6) {
            hy_op_free(std::mem::replace(&mut op, null_mut()));
            let message = random_message(rng, token).to_string();
            let error = hy_submit_json(client, bytes(&message), message.len(), token, &mut op);
            assert!(error.is_null() && !op.is_null());
        }
        if !op.is_null() && rng.bool() {
            assert!(hy_wait(client, -1, &mut result).is_null());
        }
        if rng.u32(0..3) == 0 {
            assert!(hy_close(client, patience, null_mut()).is_null());
        }
        hy_free(client);
        hy_op_cancel(op);
        hy_op_free(op);
        assert!(result.is_null() || !hy_result_json(result, null_mut()).is_null());
        hy_result_free(result);
    }
}

/// In a process of its own: clients are made, used and freed; then everything is as before.
fn make_and_free(config: &str) {
    let mut rng = Rng::with_seed(5);
    // Other accounts reach the sandbox by name, so that it is looked up.
    let by_name = config.replace("//127.0.0.1:", "//localhost:");
    let live = |rng: &mut Rng| live(if rng.bool() { config } else { &by_name }, rng);
    // The first ones pay for what a process sets up once.
    (0..5).for_each(|_| live(&mut rng));
    // One that was waited for may be listed for a moment longer.
    let is_ours = |name: &String| name.starts_with("hy-");
    proc::wait_until("no thread of the library", || !proc::threads().iter().any(is_ours));
    let (threads, descriptors, mut warm) = (proc::threads(), proc::descriptors(), 0);
    for n in 1..=200 {
        live(&mut rng);
        if n % 25 == 0 {
            proc::wait_for_threads(&threads);
            assert_eq!(proc::descriptors(), descriptors, "after {n} clients");
        }
        if n == 50 {
            warm = proc::resident_kib();
        }
    }
    let grown = proc::resident_kib().saturating_sub(warm);
    assert!(grown <= 4 << 10, "{grown} KiB more after 200 clients than after 50");
}

#[test]
fn freed_clients_leave_nothing() {
    if let Some(config) = memory::argument() {
        return make_and_free(&config);
    }
    let (sandbox, mut rng) = (sandbox(), Rng::with_seed(6));
    for _ in 0..200 {
        sandbox.fault(random_fault(&mut rng)).expect("a valid fault");
    }
    memory::in_child("freed_clients_leave_nothing", &config(&sandbox).to_string());
    assert!(sandbox.messages().len() > 100, "something was sent");
}

/// Submits so many messages, numbered by their texts.
fn submit_all(client: &Client, count: u64) {
    for n in 0..count {
        let message = message_with("ff-json", json!({"text": n.to_string()})).to_string();
        drop(client.submit(message.as_bytes(), SubmitOptions::token(n)).expect("accepted"));
    }
}

/// One account, which alone may fill the client; its connections stay, however slow the machine is.
fn lone_account(url: &str, retry: Value) -> Client {
    client(&json!({"v": 1, "accounts": {"ff-json": accounts::account("ff-json", url)},
        "max_in_flight": 20_000, "idle_ms": 600_000, "retry": retry}))
}

#[test]
fn ten_thousand_messages_open_64_sockets() {
    let (gate, ok) = (Gate::default(), answer(200, "", OK));
    let behind = gate.clone();
    let server = RawServer::start(move |_, stream| {
        behind.pass();
        stream.write_all(&ok)?;
        Ok(Then::Keep)
    });
    let client = lone_account(&server.url(), json!({}));
    submit_all(&client, 10_000);
    // All are queued, and as many as may be are under way.
    server.wait_for_requests(64);
    gate.open();
    let mut tokens: Vec<u64> = (0..10_000).map(|_| sent(&take(&client))).collect();
    tokens.sort_unstable();
    assert!(tokens.into_iter().eq(0..10_000));
    assert_eq!((server.connections(), server.request_count()), (64, 10_000));
}

#[track_caller]
fn sent(receipt: &Receipt) -> u64 {
    assert_eq!(accounts::verdict(receipt), ("sent", "ok"), "{:?}", receipt.error);
    receipt.token
}

/// A server that goes and comes back on its port, and remembers what it took.
struct Phoenix {
    address: SocketAddr,
    shared: Arc<(Mutex<Taken>, Condvar)>,
    life: Option<(Arc<AtomicBool>, JoinHandle<Vec<TcpStream>>)>,
}

#[derive(Default)]
struct Taken {
    texts: Vec<u64>,
    /// It takes messages and does not answer any more.
    mute: bool,
    unanswered: usize,
}

impl Phoenix {
    fn rise(&mut self) {
        let listener = TcpListener::bind(self.address).expect("the port is free");
        self.address = listener.local_addr().expect("bound");
        let (stopping, shared) = (Arc::new(AtomicBool::new(false)), Arc::clone(&self.shared));
        let stop = Arc::clone(&stopping);
        let thread = thread::spawn(move || {
            let mut streams = Vec::new();
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                streams.push(stream.try_clone().expect("a descriptor"));
                let shared = Arc::clone(&shared);
                // It ends with its connection.
                thread::spawn(move || drop(Phoenix::serve(stream, &shared)));
            }
            streams
        });
        self.life = Some((stopping, thread));
    }

    /// Takes so many messages without an answer; then closes the port and every connection.
    fn fall(&mut self, unanswered: usize) {
        let Some((stopping, thread)) = self.life.take() else { return };
        lock(&self.shared.0).mute = true;
        let few = |taken: &mut Taken| taken.unanswered < unanswered;
        let waited = self.shared.1.wait_timeout_while(lock(&self.shared.0), GUARD, few);
        let timed_out = waited.unwrap_or_else(PoisonError::into_inner).1.timed_out();
        stopping.store(true, Ordering::SeqCst);
        // Wakes the accept.
        drop(TcpStream::connect(self.address));
        for stream in thread.join().expect("no panic") {
            drop(stream.shutdown(Shutdown::Both));
        }
        let mut taken = lock(&self.shared.0);
        assert!(!timed_out, "{} instead of {unanswered}", taken.unanswered);
        (taken.mute, taken.unanswered) = (false, 0);
    }

    fn serve(stream: TcpStream, shared: &(Mutex<Taken>, Condvar)) -> io::Result<()> {
        let (mut reader, mut writer) = (BufReader::new(stream.try_clone()?), stream);
        let ok = answer(200, "", OK);
        loop {
            let mut request = Request { head: String::new(), body: Vec::new(), number: 0 };
            // Up to an empty line, or to the end of the connection.
            while reader.read_line(&mut request.head)? > 2 {}
            let length = request.header("content-length").and_then(|value| value.parse().ok());
            let Some(length) = length else { return Ok(()) };
            request.body.resize(length, 0);
            reader.read_exact(&mut request.body)?;
            let mut pairs = request.body_text().split('&');
            let text = pairs.find_map(|pair| pair.strip_prefix("text=")?.parse().ok());
            let mut taken = lock(&shared.0);
            taken.texts.push(text.expect("every text is a number"));
            if taken.mute {
                taken.unanswered += 1;
                shared.1.notify_all();
                drop(taken);
                return io::copy(&mut reader, &mut io::sink()).map(drop);
            }
            drop(taken);
            writer.write_all(&ok)?;
        }
    }
}

impl Drop for Phoenix {
    fn drop(&mut self) {
        self.fall(0);
    }
}

/// How many attempts of the account were followed by another.
fn retried(client: &Client) -> u64 {
    let stats: Value = serde_json::from_str(&client.stats_json()).expect("JSON");
    stats["accounts"]["ff-json"]["retried"].as_u64().expect("a number")
}

#[test]
fn a_restart_costs_only_what_was_in_flight() {
    const MESSAGES: usize = 4000;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut server = Phoenix { address, shared: Arc::default(), life: None };
    server.rise();
    let client = lone_account(
        &format!("http://{}", server.address),
        json!({"max_attempts": 50, "initial_ms": 5, "max_ms": 100}),
    );
    submit_all(&client, MESSAGES as u64);
    let mut verdicts = Vec::new();
    for life in 1..=4 {
        while verdicts.len() < life * MESSAGES / 4 {
            let receipt = take(&client);
            verdicts.push((receipt.token, receipt.delivery));
        }
        if life < 4 {
            let before = retried(&client);
            server.fall(64);
            // Nobody listens now, and somebody has noticed.
            proc::wait_until("a retry", || retried(&client) > before);
            server.rise();
        }
    }
    let mut often = HashMap::new();
    lock(&server.shared.0).texts.iter().for_each(|text| *often.entry(*text).or_default() += 1);
    check_truth("restarted", &verdicts, &often);
    let count = |delivery| verdicts.iter().filter(|(_, own)| *own == delivery).count();
    assert_eq!((count(Delivery::MaybeSent), count(Delivery::NotSent)), (3 * 64, 0));
    let mut tokens: Vec<u64> = verdicts.iter().map(|(token, _)| *token).collect();
    tokens.sort_unstable();
    assert!(tokens.into_iter().eq(0..MESSAGES as u64), "one result each");
}
