//! What holds for a transport, over real sockets: straight to the service, and through a proxy.

#[allow(clippy::duplicate_mod, reason = "the corpus of answers has its own")]
#[path = "../../../tests/support/raw.rs"]
mod raw;
#[path = "../../../tests/support/tunnel.rs"]
mod tunnel;

use std::future::Future as _;
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hongyan_sandbox::{Options, Sandbox, Tls};
use raw::{GUARD, Gate, RawServer, Then, answer};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tunnel::{ESTABLISHED, tunnelling};
use url::Url;

use super::*;
use crate::model::config::ClientConfig;
use crate::net::{Boxed, Clock, Sleep};
use crate::service::api::{Body, Cut, Header};
use crate::service::request::Mail;
use crate::service::wire::form;

/// Which of the two transports is tried.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Over {
    Direct,
    Proxied,
}

macro_rules! over_both {
    ($($name:ident)*) => {
        mod direct { $(#[test] fn $name() { super::$name(super::Over::Direct); })* }
        mod proxied { $(#[test] fn $name() { super::$name(super::Over::Proxied); })* }
    };
}

over_both! {
    a_kept_connection_is_used_again
    a_connection_that_was_closed_while_idle_costs_no_doubt
    an_answer_that_nobody_asked_for_is_nobody_s_answer
    what_is_read_of_an_answer_is_bounded
    interim_answers_are_passed_over_for_as_long_as_there_is_time
    begun_is_told_of_every_request_of_which_a_byte_arrived
    nothing_has_begun_where_there_is_no_connection
    nothing_has_begun_before_a_handshake_is_done
    who_is_trusted_is_told_before_anything_is_sent
    an_attempt_that_is_dropped_closes_its_connection
    a_connection_that_is_idle_for_too_long_is_closed
    an_answer_that_closes_its_connection_is_read_to_its_end
    an_answer_before_the_request_was_read_is_an_answer
    methods_fields_and_pieces_arrive_as_they_are
    a_long_body_goes_out_at_the_pace_of_who_reads_it
    what_http_cannot_carry_is_refused
}

struct RealClock(Instant);

impl Clock for RealClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn unix_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn sleep_until(&self, at: Duration) -> Sleep {
        Box::pin(tokio::time::sleep_until((self.0 + at).into()))
    }
}

/// Finds this machine under the names that end so, and nothing else.
struct Names;

impl Lookup for Names {
    fn look_up(&self, host: String) -> Boxed<'static, io::Result<Vec<SocketAddr>>> {
        let found = match host.ends_with(".here") {
            true => Ok(vec![SocketAddr::from(([127, 0, 0, 1], 0))]),
            false => Err(io::Error::new(io::ErrorKind::NotFound, "no such name")),
        };
        Box::pin(async { found })
    }
}

/// A client, and what drives it.
struct World {
    http: Http,
    runtime: Runtime,
    clock: Arc<dyn Clock>,
    url: Url,
}

type Outcome = (std::result::Result<Answer, Failure>, bool);

impl World {
    /// Sends to this server, or through it.
    fn new(over: Over, server: &RawServer, more: Value) -> World {
        match over {
            Over::Direct => World::of(&server.url(), more),
            Over::Proxied => {
                World::of("http://service.here", with(more, "proxy", server.url().into()))
            }
        }
    }

    /// Sends to this sandbox, straight or through a tunnel.
    fn secure(over: Over, port: u16, proxy: &RawServer, more: Value) -> World {
        let more = match over {
            Over::Direct => more,
            Over::Proxied => with(more, "proxy", proxy.url().into()),
        };
        World::of(&format!("https://127.0.0.1:{port}"), more)
    }

    fn of(url: &str, more: Value) -> World {
        let config = with(with(more, "v", 1.into()), "accounts", json!({}));
        let config = ClientConfig::from_value(config).expect("a configuration").net;
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        World {
            http: Http::new(&config, tls(&config), Arc::new(Names)).expect("a transport"),
            runtime: runtime.enable_all().build().expect("a runtime"),
            clock: Arc::new(RealClock(Instant::now())),
            url: Url::parse(&format!("{url}/path?query")).expect(url),
        }
    }

    fn send_within(&self, time_out: Duration, body: &[u8]) -> Outcome {
        self.send_wire(time_out, self.request(body))
    }

    fn send_wire(&self, time_out: Duration, wire: Wire) -> Outcome {
        let begun: Arc<AtomicBool> = Arc::default();
        let sent = self.runtime.block_on(async {
            let mut alarm = Alarm::new(&self.clock, self.clock.now() + time_out);
            self.http.send(&mut Some(wire), &mut alarm, Arc::clone(&begun)).await
        });
        (sent, begun.load(Ordering::Acquire))
    }

    fn send(&self) -> Outcome {
        self.send_within(GUARD, b"text=hello")
    }

    fn request(&self, body: &[u8]) -> Wire {
        let request = HttpRequest::post(self.url.clone(), form::CONTENT_TYPE, body.to_vec());
        Wire::Http(request.authorized(Some("Basic secret".to_owned())))
    }
}

/// Whom a client of this configuration trusts.
fn tls(config: &NetConfig) -> Arc<crate::net::tls::Tls> {
    Arc::new(crate::net::tls::Tls::new(config.ca_file.as_deref()).expect("certificates"))
}

fn with(mut config: Value, name: &str, value: Value) -> Value {
    config[name] = value;
    config
}

fn body(outcome: Outcome) -> String {
    let (answer, begun) = outcome;
    let answer = answer.expect("an answer");
    assert!(begun, "it was answered");
    assert_eq!((answer.status, answer.cut), (200, None));
    String::from_utf8(answer.body).expect("UTF-8")
}

fn way(outcome: &Outcome) -> (Way, bool) {
    let failure = outcome.0.as_ref().expect_err("no answer");
    (failure.way, outcome.1)
}

fn a_kept_connection_is_used_again(over: Over) {
    let server = RawServer::fixed(answer(200, "", "ok"));
    let world = World::new(over, &server, json!({}));
    for _ in 0..20 {
        assert_eq!(body(world.send()), "ok");
    }
    assert_eq!((server.request_count(), server.connections()), (20, 1));
    let request = &server.requests()[0];
    let shown = match over {
        Over::Direct => "/path?query",
        Over::Proxied => "http://service.here/path?query",
    };
    assert_eq!(request.target(), shown);
    let host = match over {
        Over::Direct => format!("127.0.0.1:{}", server.port()),
        Over::Proxied => "service.here".to_owned(),
    };
    for (name, value) in [
        ("host", host.as_str()),
        ("authorization", "Basic secret"),
        ("content-type", form::CONTENT_TYPE),
        ("content-length", "10"),
        ("accept", "*/*"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    assert!(request.header("user-agent").is_some_and(|agent| agent.starts_with("hongyan/")));
    assert_eq!(request.body_text(), "text=hello");
}

fn a_connection_that_was_closed_while_idle_costs_no_doubt(over: Over) {
    for then in [Then::Close, Then::Reset] {
        let server = RawServer::start(move |_, stream| {
            stream.write_all(&answer(200, "", "ok"))?;
            Ok(then)
        });
        let world = World::new(over, &server, json!({}));
        for n in 1..=50 {
            let (sent, begun) = world.send();
            assert!(sent.is_ok() && begun, "{n}: {sent:?}");
            server.wait_for_closed(n);
        }
        assert_eq!((server.request_count(), server.connections()), (50, 50));
    }
}

fn an_answer_that_nobody_asked_for_is_nobody_s_answer(over: Over) {
    let twice = [answer(200, "", "one"), answer(200, "", "unasked")].concat();
    let script = vec![(twice, Then::Keep), (answer(200, "", "two"), Then::Keep)];
    let server = RawServer::script(script);
    let world = World::new(over, &server, json!({}));
    for expected in ["one", "two", "two"] {
        assert_eq!(body(world.send()), expected);
    }
}

fn what_is_read_of_an_answer_is_bounded(over: Over) {
    let is_cut = |bytes: Vec<u8>| {
        let server = RawServer::fixed(bytes);
        World::new(over, &server, json!({})).send()
    };
    for length in [0, 1, 8000, 70_000, 1 << 20] {
        assert_eq!(body(is_cut(answer(200, "", "a".repeat(length)))).len(), length);
    }
    let (sent, _) = is_cut(answer(200, "", "a".repeat((1 << 20) + 1)));
    assert_eq!(sent.expect("the head came").cut, Some(Cut::TooLong));
    let chunk = format!("40001\r\n{}\r\n", "a".repeat(0x40001)).repeat(4);
    let chunked = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n");
    let (sent, _) = is_cut(chunked.into_bytes());
    assert_eq!(sent.expect("the head came").cut, Some(Cut::TooLong));
    let field = |length| format!("X: {}\r\n", "a".repeat(length));
    assert_eq!(body(is_cut(answer(200, &field(60 << 10), "ok"))), "ok");
    for fields in [field(66 << 10), field(1 << 20), field(1000).repeat(70), field(1).repeat(1000)] {
        assert_eq!(way(&is_cut(answer(200, &fields, "ok"))), (Way::Protocol, true));
    }
}

fn interim_answers_are_passed_over_for_as_long_as_there_is_time(over: Over) {
    const INTERIM: &str = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    let few = [INTERIM.repeat(3).into_bytes(), answer(200, "", "ok")].concat();
    let server = RawServer::fixed(few);
    assert_eq!(body(World::new(over, &server, json!({})).send()), "ok");
    let server = RawServer::start(|_, stream| {
        loop {
            stream.write_all(INTERIM.repeat(100).as_bytes())?;
        }
    });
    let world = World::new(over, &server, json!({}));
    // However slow this machine is, in one of these times a request is written.
    let written = [100, 1000, 10_000].into_iter().find(|ms| {
        let sent = world.send_within(Duration::from_millis(*ms), b"text=hello");
        assert_eq!(way(&sent).0, Way::TimedOut);
        sent.1
    });
    assert!(written.is_some(), "it had the time to");
}

/// Reads so many bytes of a request, if they come, and closes the connection.
fn begun_is_told_of_every_request_of_which_a_byte_arrived(over: Over) {
    let request = b"text=".iter().copied().cycle().take(200_000).collect::<Vec<_>>();
    for bytes in [0, 1, 2, 10, 50, 100, 150, 200, 300, 1000, 70_000, 199_000] {
        let arrived = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&arrived);
        let server = RawServer::wild(move |stream| {
            let mut room = vec![0; bytes];
            let mut count = 0;
            while count < bytes {
                match stream.read(&mut room[count..])? {
                    0 => break,
                    more => count += more,
                }
            }
            *counted.lock().expect("nobody panics") += count;
            Ok(())
        });
        let world = World::new(over, &server, json!({}));
        let (sent, begun) = world.send_within(GUARD, &request);
        server.wait_for_closed(1);
        assert!(sent.is_err(), "{bytes}: {sent:?}");
        let arrived = *arrived.lock().expect("nobody panics");
        assert!(begun || arrived == 0, "{bytes}: {arrived} bytes arrived");
    }
}

fn nothing_has_begun_where_there_is_no_connection(over: Over) {
    let port = RawServer::fixed("").port();
    let target = match over {
        Over::Direct => (format!("http://127.0.0.1:{port}"), json!({})),
        Over::Proxied => {
            ("http://x.here".to_owned(), json!({"proxy": format!("http://127.0.0.1:{port}")}))
        }
    };
    let refused = World::of(&target.0, target.1).send();
    assert_eq!(way(&refused), (Way::Network, false));
    let words = refused.0.expect_err("refused").words;
    assert!(words.starts_with("no connection: Connection refused"), "{words}");
    let nowhere = match over {
        Over::Direct => World::of("http://nowhere", json!({})),
        Over::Proxied => World::of("http://x.here", json!({"proxy": "http://nowhere:1"})),
    };
    let unknown = nowhere.send();
    assert_eq!(way(&unknown), (Way::Network, false));
    let words = unknown.0.expect_err("unknown").words;
    assert!(words.starts_with("no connection: no such name"), "{words}");
}

fn nothing_has_begun_before_a_handshake_is_done(over: Over) {
    let (proxy, _) = tunnelling(&[ESTABLISHED]);
    for greeting in [&b""[..], b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28"]
    {
        let server = RawServer::wild(move |stream| {
            // A server of TLS is spoken to first.
            stream.read_exact(&mut [0])?;
            stream.write_all(greeting)?;
            io::copy(stream, &mut io::sink()).map(drop)
        });
        let world = World::secure(over, server.port(), &proxy, json!({}));
        let time_out = if greeting.is_empty() { Duration::from_millis(100) } else { GUARD };
        let way_of = if greeting.is_empty() { Way::TimedOut } else { Way::Tls };
        let sent = world.send_within(time_out, b"text=hello");
        assert_eq!(way(&sent), (way_of, false), "{greeting:?}: {sent:?}");
    }
}

fn who_is_trusted_is_told_before_anything_is_sent(over: Over) {
    let (proxy, _) = tunnelling(&[ESTABLISHED]);
    for (tls, is_trusted) in [(Tls::Good, true), (Tls::OtherCa, false), (Tls::WrongHost, false)] {
        let sandbox = Sandbox::start(Options { tls, ..Options::default() }).expect("a sandbox");
        let ca = json!({"ca_file": sandbox.config()["ca_file"]});
        let world = World::secure(over, sandbox.port(), &proxy, ca);
        for _ in 0..3 {
            match world.send() {
                (Ok(answer), begun) => assert!(is_trusted && begun, "{}", answer.status),
                failed => {
                    assert_eq!(way(&failed), (Way::Tls, false), "{failed:?}");
                    assert!(!is_trusted, "{failed:?}");
                }
            }
        }
    }
}

fn an_attempt_that_is_dropped_closes_its_connection(over: Over) {
    let server = RawServer::start(|_, _| Ok(Then::Hang));
    let world = World::new(over, &server, json!({}));
    let begun: Arc<AtomicBool> = Arc::default();
    world.runtime.block_on(async {
        let mut alarm = Alarm::new(&world.clock, GUARD);
        {
            let mut wire = Some(world.request(b"a=b"));
            let mut sent = pin!(world.http.send(&mut wire, &mut alarm, begun.clone()));
            while server.request_count() == 0 {
                let mut cx = Context::from_waker(Waker::noop());
                assert!(sent.as_mut().poll(&mut cx).is_pending());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        // What drives connections for reqwest has to run for it to notice.
        tokio::time::sleep(Duration::from_millis(1)).await;
    });
    assert!(begun.load(Ordering::Acquire));
    server.wait_for_closed(1);
}

fn a_connection_that_is_idle_for_too_long_is_closed(over: Over) {
    let server = RawServer::fixed(answer(200, "", "ok"));
    let world = World::new(over, &server, json!({"idle_ms": 100}));
    assert_eq!(body(world.send()), "ok");
    let closed = std::thread::scope(|scope| {
        let waits = scope.spawn(|| server.wait_for_closed(1));
        world.runtime.block_on(async {
            while !waits.is_finished() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        waits.join()
    });
    closed.expect("closed while nothing was sent");
    // Nobody drives the loop meanwhile, and yet it is not used again.
    assert_eq!(body(world.send()), "ok");
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(body(world.send()), "ok");
    assert_eq!(server.connections(), 3);
    let never = World::new(over, &server, json!({"idle_ms": 0}));
    assert_eq!((body(never.send()), body(never.send())), ("ok".to_owned(), "ok".to_owned()));
    assert_eq!(server.connections(), 5);
}

fn an_answer_that_closes_its_connection_is_read_to_its_end(over: Over) {
    for head in ["Connection: close\r\n", "Connection: close\r\nContent-Length: 5\r\n"] {
        let server = RawServer::start(move |_, stream| {
            write!(stream, "HTTP/1.1 200 OK\r\n{head}\r\nwhole")?;
            Ok(Then::Close)
        });
        let world = World::new(over, &server, json!({}));
        for n in 1..=3 {
            assert_eq!(body(world.send()), "whole");
            assert_eq!(server.connections(), n);
        }
    }
    let server = RawServer::start(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")?;
        Ok(Then::Close)
    });
    let (sent, begun) = World::new(over, &server, json!({})).send();
    let answer = sent.expect("the head came");
    assert_eq!((answer.cut, &*answer.body, begun), (Some(Cut::Ended), &b"half"[..], true));
}

/// A service may refuse a long request by its head; the connection is of no use then.
fn an_answer_before_the_request_was_read_is_an_answer(over: Over) {
    let gate = Gate::default();
    let until = gate.clone();
    let server = RawServer::wild(move |stream| {
        stream.read_exact(&mut [0; 10])?;
        stream.write_all(&answer(200, "", "early"))?;
        until.pass();
        Ok(())
    });
    let world = World::new(over, &server, json!({}));
    let long = vec![b'a'; 8 << 20];
    for n in 1..=2 {
        assert_eq!(body(world.send_within(GUARD, &long)), "early");
        assert_eq!(server.connections(), n);
    }
    gate.open();
}

fn methods_fields_and_pieces_arrive_as_they_are(over: Over) {
    let server = RawServer::wild(|stream| {
        let mut request = Vec::new();
        while !request.ends_with(b"end") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            request.push(byte[0]);
        }
        stream.write_all(&answer(200, "Connection: close\r\n", request))
    });
    let world = World::new(over, &server, json!({}));
    let pieces = ["one ", "", "two ", "the end"].map(|text| Bytes::from_static(text.as_bytes()));
    for (kind, method) in [("POST", Method::Post), ("PUT", Method::Put)] {
        let url = world.url.clone();
        let mut request = HttpRequest::post(url, "text/plain", pieces[0].clone());
        (request.method, request.body) = (method, Body::Several(pieces.to_vec()));
        request.headers.more.push(Header { name: "x-nonce".into(), value: "42".to_owned() });
        let seen = body(world.send_wire(GUARD, Wire::Http(request)));
        let (head, sent) = seen.split_once("\r\n\r\n").expect("a head");
        assert_eq!(sent, "one two the end");
        let lines: Vec<_> = head.lines().collect();
        assert!(lines[0].starts_with(kind), "{head}");
        for line in ["x-nonce: 42", "content-type: text/plain", "content-length: 15"] {
            assert!(lines.contains(&line), "{line}: {head}");
        }
    }
}

/// 100 MiB between two short pieces, which nobody holds twice.
fn a_long_body_goes_out_at_the_pace_of_who_reads_it(over: Over) {
    const LONG: usize = 100 << 20;
    let server = RawServer::wild(|stream| {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let length = format!("content-length: {}\r\n", LONG + 6);
        assert!(String::from_utf8_lossy(&head).contains(&length));
        let (mut room, mut zeros, mut ends) = (vec![0; 1 << 20], 0, Vec::<u8>::new());
        while zeros + ends.len() < LONG + 6 {
            let read = stream.read(&mut room)?;
            assert!(read > 0);
            zeros += room[..read].iter().filter(|byte| **byte == 0).count();
            ends.extend(room[..read].iter().filter(|byte| **byte != 0));
        }
        stream.write_all(&answer(200, "Connection: close\r\n", format!("{zeros} {ends:?}")))
    });
    let world = World::new(over, &server, json!({}));
    let long = Bytes::from(vec![0; LONG]);
    let pieces = vec![Bytes::from_static(b"one"), long, Bytes::from_static(b"end")];
    let mut request = HttpRequest::post(world.url.clone(), "text/plain", Bytes::new());
    request.body = Body::Several(pieces);
    let told = body(world.send_wire(GUARD, Wire::Http(request)));
    assert_eq!(told, format!("{LONG} {:?}", b"oneend"));
}

fn what_http_cannot_carry_is_refused(over: Over) {
    let server = RawServer::fixed(answer(200, "", "ok"));
    let world = World::new(over, &server, json!({}));
    let mail = Box::new(Mail {
        server: Url::parse("smtp://127.0.0.1:25").expect("a URL"),
        login: None,
        from: String::new(),
        recipients: Vec::new(),
        text: Bytes::new(),
        files: Vec::new(),
    });
    assert_eq!(way(&world.send_wire(GUARD, Wire::Mail(mail))), (Way::Protocol, false));
    let request = || HttpRequest::post(world.url.clone(), form::CONTENT_TYPE, b"x".to_vec());
    let broken = request().authorized(Some("a\r\nb".to_owned()));
    assert_eq!(way(&world.send_wire(GUARD, Wire::Http(broken))), (Way::Protocol, false));
    let mut long = request();
    long.url.set_query(Some(&"a".repeat(MAX_URL)));
    assert_eq!(way(&world.send_wire(GUARD, Wire::Http(long))), (Way::TooLarge, false));
    let mut longest = request();
    let room = MAX_URL - longest.url.as_str().len() + "query".len();
    longest.url.set_query(Some(&"a".repeat(room)));
    assert_eq!(longest.url.as_str().len(), MAX_URL);
    assert_eq!(body(world.send_wire(GUARD, Wire::Http(longest))), "ok");
    assert_eq!(server.request_count(), 1);
}

/// Of the addresses of a name each is tried, and one that says nothing holds up the next only so long.
#[test]
fn the_first_address_that_answers_is_spoken_to() {
    struct Several(Vec<SocketAddr>);
    impl Lookup for Several {
        fn look_up(&self, _host: String) -> Boxed<'static, io::Result<Vec<SocketAddr>>> {
            let found = self.0.clone();
            Box::pin(async { Ok(found) })
        }
    }
    let server = RawServer::fixed(answer(200, "", "ok"));
    let at = |ip: &str| SocketAddr::new(ip.parse().expect(ip), 0);
    // 127.0.0.2 refuses, since the server listens elsewhere; nobody routes to 192.0.2.1.
    for found in [
        vec![at("127.0.0.1")],
        vec![at("127.0.0.2"), at("127.0.0.1")],
        vec![at("127.0.0.2"), at("127.0.0.3"), at("127.0.0.1"), at("192.0.2.1")],
        vec![at("192.0.2.1"), at("127.0.0.1")],
    ] {
        let mut world = World::of(&format!("http://several:{}", server.port()), json!({}));
        let config = json!({"v": 1, "accounts": {}});
        let config = ClientConfig::from_value(config).expect("a configuration").net;
        world.http = Http::new(&config, tls(&config), Arc::new(Several(found.clone())))
            .expect("a transport");
        assert_eq!(body(world.send()), "ok", "{found:?}");
    }
    let mut world = World::of("http://none", json!({}));
    let config = ClientConfig::from_value(json!({"v": 1, "accounts": {}})).expect("one").net;
    world.http =
        Http::new(&config, tls(&config), Arc::new(Several(Vec::new()))).expect("a transport");
    assert_eq!(way(&world.send()), (Way::Network, false));
}
