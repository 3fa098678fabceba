//! A mail on its way to its recipients: sender, recipients, text, dot.

use std::sync::atomic::{AtomicBool, Ordering};

use super::connection::Connection;
use super::reply::Reply;
use crate::net::{Failure, Way};
use crate::service::api::Mail;
use crate::service::wire::transcript::{Fate, Stage, Transcript};

/// How far a mail has come, and what became of its recipients so far.
pub struct Transaction<'a> {
    mail: &'a Mail,
    begun: &'a AtomicBool,
    /// By recipient, once that is decided.
    fates: Vec<Option<Fate>>,
    /// Whose dot is out, and its reply not here.
    in_doubt: Vec<usize>,
    /// What is waited for.
    pub at: Stage,
    /// True if the connection must not be used again.
    pub closes: bool,
}

impl<'a> Transaction<'a> {
    /// Of a mail of which nothing was said yet.
    pub fn new(mail: &'a Mail, begun: &'a AtomicBool) -> Transaction<'a> {
        let fates = vec![None; mail.recipients.len()];
        Transaction { mail, begun, fates, in_doubt: Vec::new(), at: Stage::Connect, closes: false }
    }

    /// True if this failure tells all: nothing is decided or in doubt, and it was not a connection on which
    /// the mail was spoken of already that was lost.
    pub fn is_told_by(&self, failure: &Failure) -> bool {
        let has_spoken = self.at > Stage::Connect && failure.way == Way::Network;
        self.in_doubt.is_empty() && self.fates.iter().all(Option::is_none) && !has_spoken
    }

    /// True if the server has said nothing of this mail yet but that it goes.
    pub fn is_untouched(&self) -> bool {
        self.at <= Stage::Mail && self.fates.iter().all(Option::is_none)
    }

    /// True if the server said to the first word of this mail that it closes the connection.
    pub fn is_turned_away(&self) -> bool {
        let is_away = |fate: &Fate| (fate.to, fate.code) == (Stage::Mail, Some(421));
        self.fates.iter().all(|fate| fate.as_ref().is_some_and(is_away))
    }

    /// Begins anew on another connection.
    pub fn restart(&mut self) {
        (self.at, self.closes) = (Stage::Connect, false);
        self.fates.fill(None);
    }

    /// The server refuses all that is not decided yet.
    pub fn refuse_all(&mut self, fate: &Fate) {
        for own in self.fates.iter_mut().filter(|own| own.is_none()) {
            *own = Some(fate.clone());
        }
    }

    /// There will be no reply.
    pub fn give_up(&mut self, words: &str) {
        let lost = |to: Stage| {
            let text = format!("{words}, while {} was waited for", to.words());
            Fate { to, code: None, text }
        };
        for i in std::mem::take(&mut self.in_doubt) {
            self.fates[i] = Some(lost(Stage::Dot));
        }
        // What was to be sent on its own after a dot is not that dot's.
        let at = if self.at == Stage::Dot { Stage::Mail } else { self.at };
        self.refuse_all(&lost(at));
    }

    /// What became of all of them.
    pub fn transcript(self) -> Vec<u8> {
        let none = || Fate { to: self.at, code: None, text: "nothing was said of it".to_owned() };
        let recipients = self.fates.into_iter().map(|fate| fate.unwrap_or_else(none)).collect();
        serde_json::to_vec(&Transcript { recipients }).unwrap_or_default()
    }

    /// Sends the mail to all that are not decided; true if some have to be sent it once more, since they were
    /// too many for one transaction.
    pub async fn run(&mut self, connection: &mut Connection) -> Result<bool, Failure> {
        let who: Vec<_> = (0..self.fates.len()).filter(|i| self.fates[*i].is_none()).collect();
        self.at = Stage::Mail;
        let Some(sender) = self.sender(connection) else { return Ok(false) };
        let lines = who.iter().map(|i| format!("RCPT TO:<{}>", self.mail.recipients[*i]));
        let lines: Vec<_> = [sender].into_iter().chain(lines).collect();
        let pipelines = connection.extensions.pipelining;
        if pipelines {
            for line in &lines {
                connection.write(line).await?;
            }
            connection.write("DATA").await?;
            connection.flush().await?;
        }
        let reply = next(connection, pipelines, &lines[0]).await?;
        if reply.code == 421 {
            // It says nothing more.
            who.iter().for_each(|&i| self.decide(i, &reply, Stage::Mail));
            return Ok(false);
        }
        self.at = Stage::Rcpt;
        let refused = (!reply.is_positive()).then_some(reply);
        let (mut accepted, mut too_many) = (Vec::new(), Vec::new());
        for (&i, line) in who.iter().zip(&lines[1..]) {
            if refused.is_some() && !pipelines {
                break;
            }
            let reply = next(connection, pipelines, line).await?;
            match reply.is_positive() {
                true => accepted.push(i),
                false if is_too_many(&reply) => too_many.push((i, reply.fate(Stage::Rcpt))),
                false => self.decide(i, &reply, Stage::Rcpt),
            }
        }
        if let Some(reply) = refused {
            // Whatever was said of its recipients was said without a sender.
            for &i in &who {
                self.decide(i, &reply, Stage::Mail);
            }
            return self.without_text(connection, pipelines).await;
        }
        if accepted.is_empty() {
            // It takes not even one of them.
            too_many.into_iter().for_each(|(i, fate)| self.fates[i] = Some(fate));
            return self.without_text(connection, pipelines).await;
        }
        self.at = Stage::Data;
        let reply = next(connection, pipelines, "DATA").await?;
        if reply.code != 354 {
            accepted.iter().for_each(|&i| self.decide(i, &reply, Stage::Data));
            too_many.into_iter().for_each(|(i, fate)| self.fates[i] = Some(fate));
            return Ok(false);
        }
        self.at = Stage::Text;
        connection.text(self.mail).await?;
        self.in_doubt.clone_from(&accepted);
        self.at = Stage::Dot;
        self.begun.store(true, Ordering::Release);
        let reply = connection.command(".").await?;
        self.in_doubt.clear();
        accepted.iter().for_each(|&i| self.decide(i, &reply, Stage::Dot));
        if self.closes || !reply.is_positive() {
            too_many.into_iter().for_each(|(i, fate)| self.fates[i] = Some(fate));
            return Ok(false);
        }
        Ok(!too_many.is_empty())
    }

    /// The first command; none where the server has said already that it cannot take this mail.
    fn sender(&mut self, connection: &Connection) -> Option<String> {
        let (mail, extensions) = (self.mail, &connection.extensions);
        let mut line = format!("MAIL FROM:<{}>", mail.from);
        let addresses = || mail.recipients.iter().chain([&mail.from]);
        if !addresses().all(|address| address.is_ascii()) {
            if !extensions.smtputf8 {
                let text = "5.6.7 the server takes no addresses beyond ASCII: it lacks SMTPUTF8";
                let fate = Fate { to: Stage::Mail, code: Some(553), text: text.to_owned() };
                self.refuse_all(&fate);
                return None;
            }
            line.push_str(" SMTPUTF8");
        }
        if !mail.text.is_ascii() && extensions.eight_bit {
            line.push_str(" BODY=8BITMIME");
        }
        if let Some(most) = extensions.size {
            let size = super::text::size(mail);
            if most > 0 && size > most {
                let text = format!("5.3.4 the mail has {size} bytes; the server takes {most}");
                self.refuse_all(&Fate { to: Stage::Mail, code: Some(552), text });
                return None;
            }
            line.push_str(&format!(" SIZE={size}"));
        }
        Some(line)
    }

    fn decide(&mut self, i: usize, reply: &Reply, to: Stage) {
        self.closes |= reply.code == 421;
        self.fates[i] = Some(reply.fate(to));
    }

    /// Leaves a transaction that goes no further, so that the connection can carry the next.
    async fn without_text(
        &mut self,
        connection: &mut Connection,
        pipelines: bool,
    ) -> Result<bool, Failure> {
        // All is decided: what becomes of the connection changes nothing of that.
        let left = async {
            if pipelines && connection.reply().await?.code == 354 {
                // It takes a text for nobody: an empty one.
                connection.command(".").await?;
            }
            connection.command("RSET").await
        };
        let is_left = !self.closes && left.await.is_ok_and(|reply| reply.is_positive());
        self.closes |= !is_left;
        Ok(false)
    }
}

/// The reply to a command, which is said first unless that was done together with others.
async fn next(connection: &mut Connection, pipelines: bool, line: &str) -> Result<Reply, Failure> {
    if pipelines { connection.reply().await } else { connection.command(line).await }
}

/// True if the server takes this recipient, but not in this transaction.
fn is_too_many(reply: &Reply) -> bool {
    matches!(reply.code, 452 | 552) && reply.has_enhanced("4.5.3")
}
