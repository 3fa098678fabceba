//! A mail server: who may use it, whom it knows, and what its readers see.

use axum::body::Bytes;
use mailparse::{DispositionType, MailHeaderMap as _, ParsedMail};
use serde_json::{Value, json};

use super::{About, Service};
use crate::delivered::{Attached, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::window::Windows;

pub(crate) const NAME: &str = "smtp";
const USER: &str = "goose@example.org";
const PASSWORD: &str = "mail-p4ssword";
const TOKEN: &str = "ya29.goose-mail-token";
/// Assumed: how many mails of an account an hour.
const MAILS: usize = 1500;

/// What a server refuses by the name before the `@`.
const REFUSED: [(&str, &str); 5] = [
    ("nobody", "550 5.1.1 no such user here"),
    ("full", "452 4.2.2 the mailbox is full"),
    ("closed", "550 5.2.1 the mailbox is closed"),
    ("later", "450 4.7.1 greylisted, come back in some minutes"),
    ("stranger", "550 5.7.1 relaying is denied"),
];

/// What is said to a recipient, if he is refused.
pub(crate) fn refusal(address: &str) -> Option<&'static str> {
    let user = address.split('@').next().unwrap_or_default();
    REFUSED.iter().find(|(own, _)| *own == user).map(|(_, reply)| *reply)
}

/// Who logs in with these answers, decoded from base64.
pub(crate) fn user(way: &str, answers: &[String]) -> Option<&'static str> {
    let is_right = match (way, answers) {
        ("PLAIN", [all]) => {
            *all == format!("\0{USER}\0{PASSWORD}") || *all == format!("{USER}\0{USER}\0{PASSWORD}")
        }
        ("LOGIN", [user, password]) => user == USER && password == PASSWORD,
        ("XOAUTH2", [all]) => *all == format!("user={USER}\x01auth=Bearer {TOKEN}\x01\x01"),
        _ => false,
    };
    is_right.then_some(USER)
}

pub(super) struct Smtp {
    windows: Windows,
    taken: u64,
}

impl Default for Smtp {
    fn default() -> Smtp {
        Smtp { windows: Windows::new(MAILS, 3_600_000), taken: 0 }
    }
}

fn told(code: u16, words: &str) -> Answer {
    Answer::new(code, "", words)
}

/// What a reader sees of a mail.
#[derive(Default)]
struct Shown {
    plain: Option<String>,
    html: Option<String>,
    files: Vec<Attached>,
}

impl Shown {
    fn read(&mut self, part: &ParsedMail<'_>) {
        if !part.subparts.is_empty() {
            part.subparts.iter().for_each(|part| self.read(part));
            return;
        }
        let disposition = part.get_content_disposition();
        let name = disposition.params.get("filename").or_else(|| part.ctype.params.get("name"));
        let is_file = disposition.disposition == DispositionType::Attachment || name.is_some();
        match part.ctype.mimetype.as_str() {
            "text/plain" if !is_file && self.plain.is_none() => self.plain = part.get_body().ok(),
            "text/html" if !is_file && self.html.is_none() => self.html = part.get_body().ok(),
            kind => {
                let bytes = Bytes::from(part.get_body_raw().unwrap_or_default());
                let name = name.map_or("file", String::as_str);
                self.files.push(Attached::new(name, kind, &bytes));
            }
        }
    }
}

impl Service for Smtp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        if call.method != "SMTP" {
            return Answer::plain(404, "this service speaks SMTP, at the port behind this one")
                .into();
        }
        let user = call.header("mail-user").unwrap_or_default().to_owned();
        if !self.windows.ask(&user, call).passed {
            return self.rate_limited(call).into();
        }
        let Ok(mail) = mailparse::parse_mail(&call.body) else {
            return told(554, "5.6.0 the text cannot be read").into();
        };
        let field = |name: &str| mail.headers.get_first_value(name);
        for name in ["From", "Date", "Message-ID"] {
            if mail.headers.get_all_values(name).len() != 1 {
                return told(550, &format!("5.6.0 a mail has one {name}")).into();
            }
        }
        let mut shown = Shown::default();
        shown.read(&mail);
        self.taken += 1;
        let id = field("Message-ID");
        let (text, format) = match (shown.html, shown.plain) {
            (Some(html), _) => (html, Format::Html),
            (None, plain) => (plain.unwrap_or_default().replace("\r\n", "\n"), Format::Plain),
        };
        let to = call.headers.get_all("rcpt-to").iter();
        let to = to.map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
        let delivered = to.map(|to| Delivered {
            id: id.clone(),
            title: field("Subject"),
            format: format.clone(),
            attachments: shown.files.clone(),
            thread: field("In-Reply-To"),
            priority: field("Importance"),
            ..Delivered::to(&user, to, text.trim_end_matches('\n'))
        });
        let answer = told(250, &format!("2.0.0 queued as {:08X}", self.taken));
        Outcome { delivered: delivered.collect(), answer }
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        told(450, "4.7.1 too many mails, slow down")
    }

    fn dropped(&self, _: &Call) -> Answer {
        told(250, "2.0.0 queued, and lost on the way")
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let account = |auth: Value| {
            json!({"service": "smtp", "from": format!("Goose <{USER}>"), "auth": auth,
                "to": {"emails": ["anna@example.org"]}})
        };
        vec![
            ("smtp", account(json!({"type": "password", "username": USER, "password": PASSWORD}))),
            ("smtp-xoauth2", account(json!({"type": "xoauth2", "username": USER, "token": TOKEN}))),
        ]
    }

    fn about(&self) -> About {
        About {
            title: "Mail by SMTP",
            paths: "the port behind this one: <code>EHLO</code> <code>STARTTLS</code> <code>AUTH</code> \
                    <code>MAIL</code> <code>RCPT</code> <code>DATA</code>",
            auth: "PLAIN, LOGIN and XOAUTH2, after STARTTLS where the sandbox serves https",
            recipients: "any address; <code>nobody@</code>, <code>full@</code>, <code>closed@</code>, \
                         <code>later@</code> and <code>stranger@</code> are refused",
            limits: "10 MiB, 100 recipients, lines of 998 bytes",
            assumed: &["1,500 mails an hour and account"],
        }
    }
}
