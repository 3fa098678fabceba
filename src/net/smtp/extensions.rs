//! What a mail server says that it can do.

use super::reply::Reply;

/// The extensions that matter to us.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extensions {
    /// Several commands may be written before their replies come.
    pub pipelining: bool,
    /// TLS can begin.
    pub starttls: bool,
    /// Addresses and header may be UTF-8.
    pub smtputf8: bool,
    /// The text may have bytes over 127.
    pub eight_bit: bool,
    /// The longest text, in bytes, or 0 where it does not say; none without the extension.
    pub size: Option<u64>,
    /// The ways to log in, in capitals.
    pub auth: Vec<String>,
}

impl Extensions {
    /// Reads them from the reply to EHLO, whose first line is a greeting.
    pub fn of(reply: &Reply) -> Extensions {
        let mut found = Extensions::default();
        for line in reply.lines.iter().skip(1) {
            // Old servers write `AUTH=LOGIN`.
            let mut words = line.split([' ', '=']).map(str::to_ascii_uppercase);
            match words.next().as_deref() {
                Some("PIPELINING") => found.pipelining = true,
                Some("STARTTLS") => found.starttls = true,
                Some("SMTPUTF8") => found.smtputf8 = true,
                Some("8BITMIME") => found.eight_bit = true,
                Some("SIZE") => {
                    found.size = Some(words.next().and_then(|most| most.parse().ok()).unwrap_or(0));
                }
                Some("AUTH") => found.auth.extend(words),
                _ => {}
            }
        }
        found
    }

    /// True if it takes this way to log in.
    pub fn logs_in_by(&self, way: &str) -> bool {
        self.auth.iter().any(|own| own == way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_read_whatever_their_letters() {
        let lines =
            ["mx greets", "pipelining", "SIZE 35882577", "AUTH PLAIN login", "AUTH=XOAUTH2"];
        let reply = Reply { code: 250, lines: lines.map(str::to_owned).to_vec() };
        let found = Extensions::of(&reply);
        assert!(found.pipelining && !found.starttls && !found.smtputf8);
        assert_eq!(found.size, Some(35_882_577));
        assert!(["PLAIN", "LOGIN", "XOAUTH2"].iter().all(|way| found.logs_in_by(way)));
        let greets = Reply { code: 250, lines: vec!["STARTTLS".to_owned()] };
        assert!(!Extensions::of(&greets).starttls, "the first line is a name");
    }
}
