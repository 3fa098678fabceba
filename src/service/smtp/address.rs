//! Addresses of mail, as people write them.

use lettre::Address;
use lettre::message::Mailbox;
use url::Host;

use crate::model::error::{Error, ErrorCode, Result};

/// The longest address that a server has to take, in bytes.
const MAX_ADDRESS: usize = 254;

/// An address, with the name before it where there is one: `Anna <anna@example.org>`.
///
/// The domain is ASCII, as DNS has it; the part before the `@` may be anything that SMTPUTF8 lets.
pub fn mailbox(text: &str) -> std::result::Result<Mailbox, String> {
    let wrong = |why: &str| Err(format!("{text:?} is no mail address: {why}"));
    if text.chars().any(char::is_control) {
        return wrong("a control character stands in it");
    }
    let domain = text.rsplit('@').next().unwrap_or_default();
    if !domain.is_ascii() {
        return wrong("its domain goes in ASCII, as DNS has it (xn--…)");
    }
    let parsed: Mailbox = match text.trim().parse() {
        Ok(parsed) => parsed,
        Err(error) => return wrong(&error.to_string().to_lowercase()),
    };
    let (user, domain) = (parsed.email.user(), parsed.email.domain());
    // Only between quotes could these stand there, which no mailbox has.
    if user.contains(|c: char| c.is_whitespace() || "\"(),:;<>[\\]".contains(c)) {
        return wrong("a character before the \"@\" can stand in no address");
    }
    let domain = match Host::parse(domain) {
        Ok(Host::Domain(domain)) if domain.contains('.') || domain == "localhost" => domain,
        Ok(_) => return wrong("a name with a dot belongs behind the \"@\""),
        Err(error) => return wrong(&error.to_string()),
    };
    match Address::new(user, domain) {
        Ok(address) if AsRef::<str>::as_ref(&address).len() <= MAX_ADDRESS => {
            let name = parsed.name.filter(|name| !name.trim().is_empty());
            Ok(Mailbox::new(name, address))
        }
        Ok(_) => wrong("it is too long"),
        Err(error) => wrong(&error.to_string().to_lowercase()),
    }
}

/// True for what [`mailbox`] reads.
pub fn is_mailbox(text: &str) -> bool {
    mailbox(text).is_ok()
}

/// The address of a recipient, at its path in the message.
pub fn recipient(text: &str, path: impl FnOnce() -> String) -> Result<Mailbox> {
    mailbox(text).map_err(|why| {
        Error::new(ErrorCode::Message, why)
            .at(path())
            .hint("write name@example.org, or Name <name@example.org>")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_names() {
        for (text, name, address) in [
            ("anna@example.org", None, "anna@example.org"),
            (" anna@example.org ", None, "anna@example.org"),
            ("<anna@example.org>", None, "anna@example.org"),
            ("Anna <anna+x@example.org>", Some("Anna"), "anna+x@example.org"),
            ("\"Doe, Anna\" <anna@example.org>", Some("Doe, Anna"), "anna@example.org"),
            ("王芳 <fang@xn--fsqu00a.xn--fiqs8s>", Some("王芳"), "fang@xn--fsqu00a.xn--fiqs8s"),
            ("jürgen@example.org", None, "jürgen@example.org"),
            ("root@localhost", None, "root@localhost"),
        ] {
            let read = mailbox(text).unwrap_or_else(|why| panic!("{why}"));
            assert_eq!((read.name.as_deref(), &*read.email.to_string()), (name, address));
        }
    }

    #[test]
    fn what_could_become_another_line_or_another_recipient_is_none() {
        for text in [
            "",
            "anna",
            "anna@",
            "@example.org",
            "anna@example",
            "anna@例子.中国",
            "anna@[192.0.2.1]",
            "anna@example.org, ben@example.org",
            "anna@example.org\r\nBcc: eve@example.org",
            "Anna\r\nBcc: eve@example.org <anna@example.org>",
            "\"a b\"@example.org",
            "a>b@example.org",
            "anna@example.org> SIZE=1",
            "anna@exa mple.org",
        ] {
            assert!(mailbox(text).is_err(), "{text:?} was taken for an address");
        }
        assert!(mailbox(&format!("{}@example.org", "a".repeat(250))).is_err());
    }
}
