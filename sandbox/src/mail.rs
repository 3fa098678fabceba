//! The mail server: SMTP as RFC 5321 has it, at the port behind that of HTTP.
//!
//! It keeps to the letter what real servers refuse: bare line feeds, long lines, commands in the wrong order,
//! a login in the clear where TLS is offered.

use std::collections::HashSet;
use std::io;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::connection::Connection;
use crate::exchange::Call;
use crate::server::Server;
use crate::services::smtp;

/// The longest command line, and the longest line of a text (RFC 5321, 4.5.3.1), without their ends.
const MAX_COMMAND: usize = 510;
const MAX_LINE: usize = 998;
/// The longest text that is taken, as the extension SIZE tells.
pub(crate) const MAX_TEXT: usize = 10 << 20;
/// The most recipients of a transaction.
const MAX_RECIPIENTS: usize = 100;

/// Serves connections until the runtime ends.
pub(crate) async fn serve(server: Server, listener: TcpListener, acceptor: Option<TlsAcceptor>) {
    loop {
        let Ok((tcp, _)) = listener.accept().await else {
            // Out of descriptors, for instance: others must be closed first.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let _ = tcp.set_nodelay(true);
        let (server, acceptor) = (server.clone(), acceptor.clone());
        tokio::spawn(async move { Session::new(server, acceptor, tcp).run().await });
    }
}

/// A client on its way through a connection.
struct Session {
    server: Server,
    /// What TLS begins with; none once it has, or where there is none.
    acceptor: Option<TlsAcceptor>,
    stream: BufReader<Connection>,
    greeted: bool,
    user: Option<&'static str>,
    from: Option<String>,
    /// What was said of the mail with its sender.
    parameters: String,
    to: Vec<String>,
}

/// What becomes of the connection after a command.
enum Then {
    Goes,
    Ends,
    Secures,
}

impl Session {
    fn new(server: Server, acceptor: Option<TlsAcceptor>, tcp: TcpStream) -> Session {
        Session {
            server,
            acceptor,
            stream: BufReader::new(Connection::plain(tcp)),
            greeted: false,
            user: None,
            from: None,
            parameters: String::new(),
            to: Vec::new(),
        }
    }

    async fn run(mut self) -> io::Result<()> {
        self.say("220 sandbox.hongyan.example ESMTP").await?;
        loop {
            let Some(line) = self.line(MAX_COMMAND).await? else { return Ok(()) };
            let then = match line {
                Ok(line) => self.command(&line).await?,
                Err(words) => {
                    self.say(&format!("500 5.5.2 {words}")).await?;
                    Then::Goes
                }
            };
            match then {
                Then::Goes => {}
                Then::Ends => return Ok(()),
                Then::Secures => self = self.secure().await?,
            }
        }
    }

    /// Goes on over TLS, as if nothing had been said before.
    async fn secure(self) -> io::Result<Session> {
        let Session { server, acceptor, stream, .. } = self;
        let (Some(acceptor), true) = (acceptor, stream.buffer().is_empty()) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let connection = stream.into_inner().secure(acceptor).await?;
        let stream = BufReader::new(connection);
        Ok(Session {
            server,
            acceptor: None,
            stream,
            greeted: false,
            user: None,
            from: None,
            parameters: String::new(),
            to: Vec::new(),
        })
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.stream.flush().await
    }

    /// The next line, or what is wrong with it; none at the end.
    async fn line(&mut self, most: usize) -> io::Result<Option<Result<String, &'static str>>> {
        let mut line = Vec::new();
        let mut too_long = false;
        loop {
            let room = self.stream.fill_buf().await?;
            if room.is_empty() {
                return Ok(None);
            }
            let end = room.iter().position(|&byte| byte == b'\n');
            let taken = end.map_or(room.len(), |end| end + 1);
            if line.len() <= most + 2 {
                line.extend_from_slice(&room[..taken]);
            } else {
                too_long = true;
            }
            self.stream.consume(taken);
            if end.is_some() {
                break;
            }
        }
        let Some(line) = line.strip_suffix(b"\r\n").filter(|_| !too_long) else {
            let is_long = too_long || line.len() > most + 2;
            return Ok(Some(Err(if is_long { "the line is too long" } else { "bare line feed" })));
        };
        if line.len() > most {
            return Ok(Some(Err("the line is too long")));
        }
        if line.contains(&b'\r') {
            return Ok(Some(Err("bare carriage return")));
        }
        Ok(Some(String::from_utf8(line.to_vec()).map_err(|_| "this is not UTF-8")))
    }

    async fn command(&mut self, line: &str) -> io::Result<Then> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let reply = match word.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" if rest.is_empty() => "501 5.5.4 a name is needed".to_owned(),
            "EHLO" => {
                self.greeted = true;
                self.forget();
                self.extensions()
            }
            "HELO" => {
                self.greeted = true;
                self.forget();
                "250 sandbox.hongyan.example".to_owned()
            }
            "NOOP" => "250 2.0.0 ok".to_owned(),
            "RSET" => {
                self.forget();
                "250 2.0.0 ok".to_owned()
            }
            "QUIT" => {
                self.say("221 2.0.0 bye").await?;
                return Ok(Then::Ends);
            }
            _ if !self.greeted => "503 5.5.1 say EHLO first".to_owned(),
            "STARTTLS" if self.acceptor.is_some() => {
                self.say("220 2.0.0 go on").await?;
                return Ok(Then::Secures);
            }
            "AUTH" => self.auth(rest).await?,
            "MAIL" => self.mail(rest),
            "RCPT" => self.rcpt(rest),
            "DATA" if self.from.is_none() => "503 5.5.1 a sender is needed".to_owned(),
            "DATA" if self.to.is_empty() => "554 5.5.1 no valid recipients".to_owned(),
            "DATA" => {
                self.say("354 end with a dot").await?;
                return self.data().await;
            }
            "VRFY" => "252 2.5.0 try it".to_owned(),
            _ => "502 5.5.1 unknown command".to_owned(),
        };
        self.say(&reply).await?;
        Ok(Then::Goes)
    }

    fn extensions(&self) -> String {
        let mut lines = vec!["sandbox.hongyan.example".to_owned(), "PIPELINING".to_owned()];
        lines.push(format!("SIZE {MAX_TEXT}"));
        match self.acceptor {
            Some(_) => lines.push("STARTTLS".to_owned()),
            None => lines.push("AUTH PLAIN LOGIN XOAUTH2".to_owned()),
        }
        lines.extend(["8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"].map(str::to_owned));
        let last = lines.len() - 1;
        let lines = lines.iter().enumerate();
        let lines = lines.map(|(i, text)| format!("250{}{text}", if i < last { '-' } else { ' ' }));
        lines.collect::<Vec<_>>().join("\r\n")
    }

    fn forget(&mut self) {
        (self.from, self.to) = (None, Vec::new());
        self.parameters.clear();
    }

    async fn auth(&mut self, rest: &str) -> io::Result<String> {
        if self.acceptor.is_some() {
            return Ok("538 5.7.11 begin TLS first".to_owned());
        }
        if self.user.is_some() || self.from.is_some() {
            return Ok("503 5.5.1 not now".to_owned());
        }
        let (way, first) = rest.split_once(' ').unwrap_or((rest, ""));
        let way = way.to_ascii_uppercase();
        let questions: &[&str] = match (way.as_str(), first) {
            ("PLAIN" | "XOAUTH2", "") => &[""],
            ("LOGIN", "") => &["Username:", "Password:"],
            ("LOGIN", _) => &["Password:"],
            ("PLAIN" | "XOAUTH2", _) => &[],
            _ => return Ok("504 5.5.4 unknown mechanism".to_owned()),
        };
        let mut answers: Vec<_> =
            Some(first.to_owned()).filter(|own| !own.is_empty()).into_iter().collect();
        for question in questions {
            self.say(&format!("334 {}", STANDARD.encode(question))).await?;
            match self.line(MAX_COMMAND * 8).await? {
                Some(Ok(line)) if line == "*" => return Ok("501 5.7.0 given up".to_owned()),
                Some(Ok(line)) => answers.push(line),
                _ => return Ok("501 5.5.2 no answer".to_owned()),
            }
        }
        let decoded = answers
            .iter()
            .map(|own| STANDARD.decode(own).ok().and_then(|own| String::from_utf8(own).ok()));
        let Some(decoded) = decoded.collect::<Option<Vec<_>>>() else {
            return Ok("501 5.5.2 this is not base64".to_owned());
        };
        self.user = smtp::user(&way, &decoded);
        Ok(match self.user {
            Some(_) => "235 2.7.0 welcome".to_owned(),
            None if way == "XOAUTH2" => {
                self.say(&format!("334 {}", STANDARD.encode(r#"{"status":"401"}"#))).await?;
                let _ = self.line(MAX_COMMAND).await?;
                "535 5.7.8 the token is not accepted".to_owned()
            }
            None => "535 5.7.8 name or password is wrong".to_owned(),
        })
    }

    fn mail(&mut self, rest: &str) -> String {
        if self.from.is_some() {
            return "503 5.5.1 one sender at a time".to_owned();
        }
        if self.user.is_none() {
            return "530 5.7.0 log in first".to_owned();
        }
        let Some((address, parameters)) = path("FROM:", rest) else {
            return "501 5.5.4 MAIL FROM:<address>".to_owned();
        };
        let words: HashSet<_> = parameters.split(' ').map(str::to_ascii_uppercase).collect();
        let size = words.iter().find_map(|word| word.strip_prefix("SIZE=")?.parse::<usize>().ok());
        if size.is_some_and(|size| size > MAX_TEXT) {
            return format!("552 5.3.4 a mail has {MAX_TEXT} bytes at most");
        }
        if !address.is_ascii() && !words.contains("SMTPUTF8") {
            return "553 5.6.7 SMTPUTF8 is needed".to_owned();
        }
        let is_known = |word: &String| {
            word.is_empty()
                || word == "SMTPUTF8"
                || word.starts_with("SIZE=")
                || word.starts_with("BODY=")
        };
        if !words.iter().all(is_known) {
            return "555 5.5.4 unknown parameter".to_owned();
        }
        self.from = Some(address.to_owned());
        self.parameters = parameters.to_ascii_uppercase();
        "250 2.1.0 ok".to_owned()
    }

    fn rcpt(&mut self, rest: &str) -> String {
        if self.from.is_none() {
            return "503 5.5.1 a sender is needed".to_owned();
        }
        let Some((address, _)) = path("TO:", rest).filter(|(address, _)| address.contains('@'))
        else {
            return "501 5.5.4 RCPT TO:<address>".to_owned();
        };
        if !address.is_ascii() && !self.parameters.contains("SMTPUTF8") {
            return "553 5.6.7 SMTPUTF8 is needed".to_owned();
        }
        if self.to.len() == MAX_RECIPIENTS {
            return "452 4.5.3 too many recipients".to_owned();
        }
        match smtp::refusal(address) {
            Some(refusal) => refusal.to_owned(),
            None => {
                self.to.push(address.to_owned());
                "250 2.1.5 ok".to_owned()
            }
        }
    }

    /// Reads the text, asks the service, and tells what that says.
    async fn data(&mut self) -> io::Result<Then> {
        let (mut text, mut wrong) = (Vec::new(), None);
        loop {
            match self.line(MAX_LINE + 1).await? {
                None => return Ok(Then::Ends),
                Some(Err(words)) => wrong = wrong.or(Some(format!("550 5.6.0 {words}"))),
                Some(Ok(line)) if line == "." => break,
                Some(Ok(line)) => {
                    let line = line.strip_prefix('.').unwrap_or(&line);
                    if line.len() > MAX_LINE {
                        wrong = wrong.or(Some("554 5.6.0 a line is too long".to_owned()));
                    }
                    if text.len() > MAX_TEXT {
                        wrong = wrong.or(Some(format!("552 5.3.4 over {MAX_TEXT} bytes")));
                    } else {
                        text.extend_from_slice(line.as_bytes());
                        text.extend_from_slice(b"\r\n");
                    }
                }
            }
        }
        let said = match wrong {
            Some(reply) => Some(reply),
            None => self.ask(text.into()).await?,
        };
        self.forget();
        match said {
            Some(reply) => {
                self.say(&reply).await?;
                Ok(Then::Goes)
            }
            None => Ok(Then::Ends),
        }
    }

    /// What the service says to a mail, the fault that meets it included; none where the connection ends.
    async fn ask(&mut self, body: Bytes) -> io::Result<Option<String>> {
        let call = Call {
            method: "SMTP".to_owned(),
            path: "/".to_owned(),
            target: "/".to_owned(),
            headers: self.headers(),
            body,
            authority: self.server.authority.clone(),
            ..Call::default()
        };
        let Some(answer) = self.server.ask(smtp::NAME, call).await else {
            self.stream.get_ref().cut();
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&answer.body);
        if answer.status == 200 {
            // Garbage, which has no code of SMTP.
            return Ok(Some(text.into_owned()));
        }
        Ok(Some(format!("{} {}", answer.status, text.trim_end())))
    }

    /// What stands in the envelope, as fields that the service and the page can read.
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                headers.append(name, value);
            }
        };
        put("mail-user", self.user.unwrap_or_default());
        put("mail-from", self.from.as_deref().unwrap_or_default());
        self.to.iter().for_each(|to| put("rcpt-to", to));
        headers
    }
}

/// The address between the brackets, and the parameters behind it.
fn path<'a>(word: &str, rest: &'a str) -> Option<(&'a str, &'a str)> {
    let (own, rest) = rest.split_at_checked(word.len())?;
    let rest = rest.strip_prefix('<').filter(|_| own.eq_ignore_ascii_case(word))?;
    let (address, parameters) = rest.split_once('>')?;
    let is_plain =
        !address.contains(|c: char| c.is_whitespace() || c.is_control() || "<>".contains(c));
    (is_plain && (parameters.is_empty() || parameters.starts_with(' ')))
        .then(|| (address, parameters.trim()))
}
