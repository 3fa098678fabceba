//! Mail, by a server that takes it over SMTP.

mod address;
mod body;
mod verdicts;

use std::sync::Arc;

use lettre::message::Mailbox;
use url::Url;

use super::api::{
    Account, Answer, Draft, Exchange, Login, Mail, MailFile, Opened, Reading, Seed, Service, Stamp,
    Verdict, Wire,
};
use super::check::check;
use super::info::{Auth, Field, FieldKind, Info, Limit};
use super::opening::Opening;
use super::wire::transcript::{Fate, Stage, Transcript};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Kind, Message};
use crate::model::secret::Secret;

/// The ports where there is none in the URL: submission, with TLS from the first byte and without.
const PORTS: [(&str, u16); 2] = [("smtps", 465), ("smtp", 587)];
/// The most recipients of a transaction; every server takes as many.
const MOST: usize = 100;
/// What is kept in a draft: the address of each recipient that it is to, and the mail's own id.
const ADDRESS: &str = "address";
const MESSAGE_ID: &str = "message_id";

static INFO: Info = Info {
    name: "smtp",
    title: "Mail by SMTP",
    auth: &[
        Auth { name: "none", fields: &[], words: "None: the server takes mail from this machine" },
        Auth {
            name: "password",
            fields: &[
                Field::required("username", FieldKind::Credential, "the account's name"),
                Field::required("password", FieldKind::Secret, "its password, or one for apps"),
            ],
            words: "A name and a password",
        },
        Auth {
            name: "xoauth2",
            fields: &[
                Field::required("username", FieldKind::Credential, "the account's address"),
                Field::required("token", FieldKind::Token, "its access token of OAuth 2"),
            ],
            words: "An access token of OAuth 2",
        },
    ],
    fields: &[
        Field::optional(
            "base_url",
            FieldKind::Base,
            "required: `smtps://host` (TLS, port 465), or `smtp://host` (STARTTLS, port 587)",
        ),
        Field::required(
            "from",
            FieldKind::TextLike(address::is_mailbox, "Goose <goose@example.org>"),
            "the sender: an address, or `Name <address>`",
        ),
    ],
    formats: &["mime"],
    to: &["emails", "cc", "bcc"],
    parts: &["text"],
    titled: true,
    native: &["plain", "html"],
    attachments: &["data"],
    priority: true,
    reply_to: true,
    extra: &body::EXTRA,
    limits: &[Limit { what: "recipients of a transaction", most: MOST as u32 }],
    message_id: true,
    schemes: &["smtps", "smtp"],
    document: "RFC 5321, 5322, 3463, 4954, 6409, 6531",
    ..Info::PLAIN
};

/// The service.
pub static SERVICE: Service = Service { info: &INFO, table: verdicts::TABLE, open };

/// An account: a server that takes mail, and whose it is.
struct Sender {
    server: Url,
    login: Option<Arc<Login>>,
    from: Mailbox,
}

/// Opens an account.
fn open(mut opening: Opening) -> Result<Opened> {
    let mut server = opening.endpoint("", "", true)?;
    if !server.path().trim_matches('/').is_empty() {
        return Err(opening.error("base_url", "a mail server has no path: give host and port"));
    }
    server.set_path("");
    let port = PORTS.into_iter().find(|(scheme, _)| *scheme == server.scheme());
    if let Some((_, port)) = port.filter(|_| server.port().is_none()) {
        // It takes one: it has a host.
        let _ = server.set_port(Some(port));
    }
    let from = opening.required("from");
    let from = address::mailbox(&from).map_err(|why| opening.error("from", why))?;
    let login = match opening.auth() {
        "password" => Some((opening.required("username"), opening.secret("password"), false)),
        "xoauth2" => Some((opening.required("username"), opening.secret("token"), true)),
        _ => None,
    };
    let login = login.map(|(username, secret, is_token)| Login { username, secret, is_token });
    let sender = from.email.to_string();
    let identity = login.as_ref().map_or(&sender, |login| &login.username).clone();
    let account = Sender { server: server.clone(), login: login.map(Arc::new), from };
    Ok(Opened { sender, ..opening.opened(server, &identity, account) })
}

/// The addresses of a draft's envelope, each once, in the order in which they are first named.
fn envelope(draft: &Draft) -> Vec<&str> {
    let mut seen = std::collections::HashSet::new();
    addresses(draft).filter(|address| seen.insert(*address)).collect()
}

fn addresses(draft: &Draft) -> impl Iterator<Item = &str> {
    draft.params.iter().filter(|(name, _)| *name == ADDRESS).map(|(_, address)| &**address)
}

impl Account for Sender {
    fn encode(&self, message: &Message, _seed: Seed) -> Result<Draft> {
        check(message, &INFO)?;
        let to = message.everyone.as_ref().unwrap_or(&message.to);
        if !to.has(Kind::Emails) {
            let words = "the recipient is missing: give \"to\": {\"emails\": […]}";
            return Err(Error::new(ErrorCode::Message, words).at("to.emails"));
        }
        let text = body::text(message, &self.from)?;
        let mut draft = Draft { body: text.head, ..Draft::default() };
        for (bytes, behind) in text.files {
            draft.rest.extend([bytes, behind]);
        }
        for ((kind, name), (path, _)) in message.to.iter().zip(message.to.paths()) {
            let is_now = draft.to.len() < MOST;
            // All of them are checked with the first request.
            if !is_now && message.everyone.is_some() {
                break;
            }
            let address = address::recipient(name, || path)?.email.to_string();
            if is_now {
                draft.params.push((ADDRESS, address));
                draft.to.push((kind, name.to_owned()));
            }
        }
        draft.keep(MESSAGE_ID, body::message_id(message, &self.from));
        Ok(draft)
    }

    fn next(&self, draft: &Draft, _at: &Stamp, _session: Option<&Secret>) -> Exchange {
        let files = draft.rest.chunks(2).map(|file| MailFile {
            bytes: file.first().cloned().unwrap_or_default(),
            behind: file.last().cloned().unwrap_or_default(),
        });
        let mail = Mail {
            server: self.server.clone(),
            login: self.login.clone(),
            from: self.from.email.to_string(),
            recipients: envelope(draft).into_iter().map(str::to_owned).collect(),
            text: draft.body.clone(),
            files: files.collect(),
        };
        Exchange { wire: Wire::Mail(Box::new(mail)), commits: true, secrets: Vec::new() }
    }

    fn read(&self, draft: &mut Draft, answer: &Answer) -> Reading {
        let Ok(Transcript { recipients }) = serde_json::from_slice(&answer.body) else {
            return Reading::Unreadable("this is not what became of a mail".to_owned());
        };
        let envelope = envelope(draft);
        if recipients.len() != envelope.len() || answer.status != 0 {
            return Reading::Unreadable("this is what became of another mail".to_owned());
        }
        // Before the first recipient there is one fate for all of them.
        let is_one =
            |fate: &&Fate| fate.to < Stage::Rcpt && recipients.iter().all(|own| own == *fate);
        if let Some(fate) = recipients.first().filter(is_one) {
            return self.reading(draft, fate);
        }
        let by_address: std::collections::HashMap<_, _> =
            envelope.into_iter().zip(&recipients).collect();
        let verdicts = draft.to.iter().zip(addresses(draft)).filter_map(|(to, address)| {
            let reading = self.reading(draft, by_address.get(address)?);
            Some(Verdict { to: to.clone(), reading })
        });
        Reading::Each(verdicts.collect())
    }

    fn hint(&self, _answer: &Answer, reading: &Reading) -> Option<&'static str> {
        match reading.code()? {
            "535" | "534" => Some(
                "many providers want a password for apps, or OAuth 2, in the place of the account's own",
            ),
            "530" => Some("the server wants a login: set \"auth\" to a name and a password"),
            "504" => Some("set \"auth\" to a kind of credentials that the server offers"),
            _ => None,
        }
    }
}

impl Sender {
    /// What a reply says.
    fn reading(&self, draft: &Draft, fate: &Fate) -> Reading {
        match fate.code {
            Some(200..300) if fate.to == Stage::Dot => {
                Reading::accepted(draft.kept(MESSAGE_ID).map(str::to_owned), "the mail server")
            }
            Some(200..300) => {
                Reading::Contradiction(format!("a yes to {} ended the mail", fate.to.words()))
            }
            Some(code) => {
                let text = format!("{} was answered {code} {}", fate.to.words(), fate.text);
                Reading::refused(code.to_string(), text)
            }
            None if fate.to == Stage::Dot => {
                Reading::refused("no_reply_after_dot", fate.text.clone())
            }
            None => Reading::refused("no_reply_before_dot", fate.text.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::config::AccountConfig;
    use crate::model::receipt::Delivery;
    use crate::service::judge::judge;
    use crate::service::verdict::Code;

    fn account() -> Opened {
        let account = json!({"service": "smtp", "base_url": "smtps://mx.example.org",
            "from": "goose@example.org", "auth": {"type": "none"}});
        let account = AccountConfig::from_value(account, "account").expect("an account");
        crate::service::open(account).expect("an account").1
    }

    fn draft(opened: &Opened, emails: &[&str]) -> Draft {
        let message = json!({"v": 1, "account": "a", "to": {"emails": emails}, "text": "x"});
        let message = Message::from_json(&message.to_string()).expect("a message");
        opened.account.encode(&message, Seed(7)).expect("what mail can carry")
    }

    fn answer(fates: &[Fate]) -> Answer {
        let body = serde_json::to_vec(&Transcript { recipients: fates.to_vec() }).expect("JSON");
        Answer { body, ..Answer::default() }
    }

    /// The outcome where one recipient has this fate beside another who has the mail.
    fn outcome(to: Stage, code: Option<u16>, text: &str) -> crate::service::verdict::Outcome {
        let opened = account();
        let mut draft = draft(&opened, &["a@example.org", "b@example.org"]);
        let sent = Fate { to: Stage::Dot, code: Some(250), text: "2.0.0 queued".to_owned() };
        let answer = answer(&[Fate { to, code, text: text.to_owned() }, sent]);
        let reading = opened.account.read(&mut draft, &answer);
        let outcome = judge(verdicts::TABLE, &answer, reading);
        outcome.each.expect("one each").swap_remove(0).outcome
    }

    #[test]
    fn every_row_of_the_table_is_the_verdict_of_its_code() {
        assert_eq!(verdicts::TABLE.len(), 51, "a row is missing");
        for row in verdicts::TABLE {
            let (to, code) = match row.code {
                Code::Is("no_reply_after_dot") => (Stage::Dot, None),
                Code::Is("no_reply_before_dot") => (Stage::Rcpt, None),
                Code::Is(code) => (Stage::Rcpt, code.parse().ok()),
                Code::Range(from, _) => (Stage::Rcpt, u16::try_from(from + 99).ok()),
                Code::Any => (Stage::Rcpt, Some(399)),
            };
            if row.delivery == Delivery::Sent {
                continue;
            }
            let told = outcome(to, code, &format!("{} words", row.text));
            assert_eq!((told.delivery, told.name), (row.delivery, row.name), "{row:?}");
            assert_eq!((told.class, told.stops), (row.class, row.stops), "{row:?}");
        }
        assert_eq!(outcome(Stage::Dot, Some(250), "ok").delivery, Delivery::Sent);
    }

    #[test]
    fn a_yes_that_is_not_to_the_dot_is_no_success() {
        for to in [Stage::Connect, Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Text] {
            assert_eq!(outcome(to, Some(250), "ok").delivery, Delivery::MaybeSent, "{to:?}");
        }
    }

    #[test]
    fn what_is_no_transcript_of_this_mail_is_not_believed() {
        let opened = account();
        let sent = Fate { to: Stage::Dot, code: Some(250), text: String::new() };
        let two = answer(&[sent.clone(), sent.clone()]);
        let status = Answer { status: 200, ..answer(&[sent]) };
        for answer in [two, status, Answer::default()] {
            let reading = opened.account.read(&mut draft(&opened, &["a@example.org"]), &answer);
            assert!(matches!(reading, Reading::Unreadable(_)), "{reading:?}");
        }
    }
}
