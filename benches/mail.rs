//! What a mail costs: CPU beside lettre's own commands, and the memory of a large attachment.
//!
//! ```text
//! cargo bench --bench mail -- [--mails N]
//! ```
//!
//! Both send the same mail, 1 KB of text to 50 recipients, over a connection that is kept, to the same server on
//! another thread; mails are made anew each. lettre's own names one recipient after the other and waits for each
//! reply, where we name them in one go. CPU is that of the thread that sends, kernel included (Linux); rounds are
//! interleaved, and the ratio is the median of the rounds'. Memory is the most that the allocator was asked for at
//! once while a file of 10 MB is sent, above what is held before.

mod memory;

use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use hongyan::{Client, Delivery, SendOptions};
use lettre::Message;
use lettre::message::header::To;
use lettre::message::{Mailbox, Mailboxes};
use lettre::transport::smtp::client::SmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use serde_json::{Value, json};

/// Rounds of which the median counts.
const ROUNDS: usize = 9;
const RECIPIENTS: usize = 50;
const ATTACHMENT: usize = 10_000_000;

/// The most that a mail may cost of lettre's, and that the attachment may take.
const MOST_RATIO: f64 = 1.2;
const MOST_BYTES: usize = 12_000_000;

/// A server that takes every mail, and tells where it listens.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let socket = socket.expect("a connection");
            socket.set_nodelay(true).expect("an option");
            std::thread::spawn(move || serve(&socket));
        }
    });
    port
}

/// Takes mails until the client goes away; replies go when nothing more has come.
fn serve(socket: &TcpStream) -> Option<()> {
    let (mut commands, mut replies) = (BufReader::new(socket), BufWriter::new(socket));
    let mut line = Vec::new();
    let mut reply = |commands: &BufReader<&TcpStream>, words: &str| {
        replies.write_all(words.as_bytes()).ok()?;
        if commands.buffer().is_empty() { replies.flush().ok() } else { Some(()) }
    };
    reply(&commands, "220 bench\r\n")?;
    loop {
        line.clear();
        commands.read_until(b'\n', &mut line).ok().filter(|read| *read > 0)?;
        let word = line.first_chunk().map(|word: &[u8; 4]| word.to_ascii_uppercase())?;
        match &word[..] {
            b"EHLO" => {
                reply(&commands, "250-bench\r\n250-PIPELINING\r\n250-SMTPUTF8\r\n250 8BITMIME\r\n")?
            }
            b"DATA" => {
                reply(&commands, "354 go on\r\n")?;
                while line != b".\r\n" {
                    line.clear();
                    commands.read_until(b'\n', &mut line).ok().filter(|read| *read > 0)?;
                }
                reply(&commands, "250 2.0.0 taken\r\n")?;
            }
            b"QUIT" => return reply(&commands, "221 bye\r\n"),
            _ => reply(&commands, "250 2.1.0 well\r\n")?,
        }
    }
}

/// CPU time of this thread so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    let nanos = stat.split_whitespace().next().and_then(|text| text.parse().ok());
    Duration::from_nanos(nanos.expect("its first word is a number"))
}

fn text() -> String {
    let line = "Geese fly south before the first snow, and one of them carries a letter.\n";
    line.repeat(1024 / line.len() + 1)[..1024].to_owned()
}

fn recipients() -> Vec<String> {
    (0..RECIPIENTS).map(|n| format!("recipient-{n}@example.org")).collect()
}

fn client(port: u16) -> Client {
    let config = json!({"v": 1, "accounts": {"mail": {"service": "smtp", "from": "goose@example.org",
        "base_url": format!("smtp://127.0.0.1:{port}"), "auth": {"type": "none"}}}});
    Client::from_json(&config.to_string()).expect("a configuration")
}

fn mail(number: usize) -> Value {
    json!({"v": 1, "account": "mail", "to": {"emails": recipients()},
        "title": format!("Letter {number}"), "text": text()})
}

fn send(client: &Client, mail: &Value) {
    let receipt = client.send(mail.to_string().as_bytes(), SendOptions::default());
    let receipt = receipt.expect("accepted");
    assert_eq!(receipt.delivery, Delivery::Sent, "{:?}", receipt.error);
}

fn send_by_lettre(connection: &mut SmtpConnection, number: usize) {
    let to: Mailboxes = recipients()
        .iter()
        .map(|recipient| recipient.parse::<Mailbox>().expect("an address"))
        .collect();
    let mail = Message::builder()
        .from("goose@example.org".parse().expect("an address"))
        .mailbox(To::from(to))
        .subject(format!("Letter {number}"))
        .body(text())
        .expect("a mail");
    let sent = connection.send(mail.envelope(), &mail.formatted()).expect("taken");
    assert!(sent.is_positive());
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// The CPU of a mail, by us and by lettre, and the ratio.
fn beside_lettre(port: u16, mails: usize) -> (f64, f64, f64) {
    let client = client(port);
    let hello = ClientId::Domain("bench.example.org".to_owned());
    let connection = SmtpConnection::connect(("127.0.0.1", port), None, &hello, None, None);
    let mut connection = connection.expect("a connection");
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let began = cpu();
        (0..mails).for_each(|number| send(&client, &mail(number)));
        let own = cpu() - began;
        let began = cpu();
        (0..mails).for_each(|number| send_by_lettre(&mut connection, number));
        let other = cpu() - began;
        // The first is for warming up.
        if round > 0 {
            let micros = |spent: Duration| spent.as_secs_f64() * 1e6 / mails as f64;
            ours.push(micros(own));
            theirs.push(micros(other));
            ratios.push(own.as_secs_f64() / other.as_secs_f64());
        }
    }
    (median(ours), median(theirs), median(ratios))
}

/// What is held at most while a large file is sent, above what is held when nothing is.
fn with_attachment(port: u16) -> usize {
    let path = std::env::temp_dir().join(format!("hongyan-bench-mail-{}", std::process::id()));
    std::fs::write(&path, vec![b'x'; ATTACHMENT]).expect("a file");
    let client = client(port);
    send(&client, &mail(0));
    let mut mail = mail(1);
    mail["attachments"] = json!([{"path": path}]);
    let most = memory::most_held(|| send(&client, &mail));
    std::fs::remove_file(&path).expect("it was there");
    most
}

fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--mails").skip(1);
    let mails: usize = arguments.next().map_or(200, |count| count.parse().expect("a number"));
    let port = server();
    let (ours, theirs, ratio) = beside_lettre(port, mails);
    println!(
        "1 KB to {RECIPIENTS} recipients: {ours:.0} µs of CPU a mail, lettre's own {theirs:.0}, ratio {ratio:.2}"
    );
    let most = with_attachment(port);
    println!("{ATTACHMENT} bytes attached: {most} bytes held at most");
    assert!(ratio <= MOST_RATIO, "more than {MOST_RATIO} of lettre's own");
    assert!(most <= MOST_BYTES, "more than {MOST_BYTES} bytes");
}
