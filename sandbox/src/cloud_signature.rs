//! Signatures of cloud providers, checked the way a server does: Tencent's TC3-HMAC-SHA256 and Alibaba's
//! ACS3-HMAC-SHA256.
//!
//! Which fields are signed is the client's choice, save for those that have to be.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};

use crate::clock::Utc;
use crate::exchange::Call;
use crate::form;
use crate::signature::{Nonces, is_fresh};

/// The key that a service accepts.
pub(crate) struct Key<'a> {
    pub id: &'a str,
    pub secret: &'a str,
}

/// Why a request is refused.
#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    /// `Authorization`, or what it needs beside it, is missing or cannot be read.
    Malformed(String),
    /// Nobody has this key.
    Key,
    /// The time is too far from the server's.
    Time,
    /// The nonce was used before.
    Nonce,
    /// The signature is another; what was signed, as the server sees it.
    Signature(String),
}

/// What `Authorization` says: who signed, which fields, and the signature.
struct Given<'a> {
    credential: &'a str,
    names: Vec<&'a str>,
    signature: &'a str,
}

fn given<'a>(call: &'a Call, algorithm: &str) -> Result<Given<'a>, Refusal> {
    let malformed = || Refusal::Malformed(format!("Authorization is not of {algorithm}"));
    let fields = call.credentials(algorithm).ok_or_else(malformed)?;
    let field = |name: &str| {
        let mut fields = fields.split(',').filter_map(|field| field.trim().split_once('='));
        fields.find(|(own, _)| *own == name).map(|(_, value)| value).ok_or_else(malformed)
    };
    let names = field("SignedHeaders")?.split(';').collect();
    Ok(Given { credential: field("Credential")?, names, signature: field("Signature")? })
}

impl Given<'_> {
    /// Each signed field with its value, a line each; all of `needed` have to be among them.
    fn lines(&self, call: &Call, needed: &[&str], lower: bool) -> Result<String, Refusal> {
        if let Some(name) = needed.iter().find(|name| !self.names.contains(name)) {
            return Err(Refusal::Malformed(format!("{name} is not signed")));
        }
        let mut lines = String::new();
        for name in &self.names {
            let value = match *name {
                "host" => call.host(),
                name => call
                    .header(name)
                    .ok_or_else(|| Refusal::Malformed(format!("{name} is missing")))?,
            };
            let value = value.trim();
            let value = if lower { value.to_lowercase() } else { value.to_owned() };
            lines.push_str(&format!("{name}:{value}\n"));
        }
        Ok(lines)
    }

    fn check(&self, key: &[u8], text: &str) -> Result<(), Refusal> {
        match self.signature == hex(&hmac(key, text)) {
            true => Ok(()),
            false => Err(Refusal::Signature(text.to_owned())),
        }
    }
}

fn header<'a>(call: &'a Call, name: &str) -> Result<&'a str, Refusal> {
    call.header(name).ok_or_else(|| Refusal::Malformed(format!("{name} is missing")))
}

/// Checks a request to Tencent's `service`.
pub(crate) fn tc3(call: &Call, key: &Key<'_>, service: &str) -> Result<(), Refusal> {
    let given = given(call, "TC3-HMAC-SHA256")?;
    let (id, scope) = given
        .credential
        .split_once('/')
        .ok_or_else(|| Refusal::Malformed("the credential has no scope".to_owned()))?;
    if id != key.id {
        return Err(Refusal::Key);
    }
    let timestamp = header(call, "x-tc-timestamp")?;
    if !is_fresh(timestamp, call.now_s()) {
        return Err(Refusal::Time);
    }
    let day = day(timestamp.parse().unwrap_or_default());
    let canonical = format!(
        "{}\n/\n{}\n{}\n{}\n{}",
        call.method,
        call.query,
        given.lines(call, &["content-type", "host"], true)?,
        given.names.join(";"),
        hex(&Sha256::digest(&call.body))
    );
    let hash = hex(&Sha256::digest(canonical));
    // The day and the service are those that the scope has to name.
    let own_scope = format!("{day}/{service}/tc3_request");
    let text = format!("TC3-HMAC-SHA256\n{timestamp}\n{own_scope}\n{hash}");
    if scope != own_scope {
        return Err(Refusal::Signature(text));
    }
    let of_day = hmac(format!("TC3{}", key.secret).as_bytes(), &day);
    given.check(&hmac(&hmac(&of_day, service), "tc3_request"), &text)
}

/// Checks a request to Alibaba Cloud, and uses its nonce up.
pub(crate) fn acs3(call: &Call, key: &Key<'_>, nonces: &mut Nonces) -> Result<(), Refusal> {
    const NEEDED: [&str; 6] = [
        "host",
        "x-acs-action",
        "x-acs-content-sha256",
        "x-acs-date",
        "x-acs-signature-nonce",
        "x-acs-version",
    ];
    let given = given(call, "ACS3-HMAC-SHA256")?;
    if given.credential != key.id {
        return Err(Refusal::Key);
    }
    let date = header(call, "x-acs-date")?;
    let at = seconds(date).ok_or_else(|| Refusal::Malformed("x-acs-date is no time".to_owned()))?;
    if !is_fresh(&at.to_string(), call.now_s()) {
        return Err(Refusal::Time);
    }
    let hash = hex(&Sha256::digest(&call.body));
    if header(call, "x-acs-content-sha256")? != hash {
        return Err(Refusal::Signature("x-acs-content-sha256 is not that of the body".to_owned()));
    }
    let pairs = form::pairs(&call.query)
        .ok_or_else(|| Refusal::Malformed("the query cannot be decoded".to_owned()))?;
    let mut query: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", form::escape(name), form::escape(value)))
        .collect();
    query.sort();
    let canonical = format!(
        "{}\n/\n{}\n{}\n{}\n{hash}",
        call.method,
        query.join("&"),
        given.lines(call, &NEEDED, false)?,
        given.names.join(";"),
    );
    let text = format!("ACS3-HMAC-SHA256\n{}", hex(&Sha256::digest(canonical)));
    given.check(key.secret.as_bytes(), &text)?;
    // Only a good signature uses its nonce up.
    match nonces.use_up(call.now_s(), &[key.id, header(call, "x-acs-signature-nonce")?]) {
        true => Ok(()),
        false => Err(Refusal::Nonce),
    }
}

fn day(unix: u64) -> String {
    let utc = Utc::from_unix(unix);
    format!("{:04}-{:02}-{:02}", utc.year, utc.month, utc.day)
}

/// The moment that `2023-11-14T22:13:20Z` names.
fn seconds(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut time = time.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let year: u64 = date.split('-').next()?.parse().ok().filter(|year| *year >= 1970)?;
    // The day is found by what it is called, from the first of its year on.
    let first = (year - 1970) * 365 + (year - 1969) / 4 - (year - 1901) / 100 + (year - 1601) / 400;
    let found = (first..first + 366).find(|own| day(own * 86_400) == date)?;
    Some(found * 86_400 + hour * 3600 + minute * 60 + second)
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn vectors() -> Value {
        let text = include_str!("../tests/vectors/cloud_signatures.json");
        serde_json::from_str(text).expect("vectors")
    }

    /// The request of a vector.
    fn call(vector: &Value, headers: &[(&str, &str)], now_s: u64) -> Call {
        let text = |name: &str| vector[name].as_str().unwrap_or_default();
        let mut call = Call {
            method: "POST".to_owned(),
            query: text("query").to_owned(),
            body: text("body").to_owned().into(),
            now_ms: now_s * 1000,
            ..Call::default()
        };
        let own = vector["headers"].as_object().expect("headers").iter();
        let own = own.map(|(name, value)| (name.as_str(), value.as_str().expect("text")));
        for (name, value) in own.chain(headers.iter().copied()) {
            let name = axum::http::HeaderName::from_bytes(name.as_bytes()).expect("a name");
            call.headers.insert(name, value.parse().expect("a value"));
        }
        call
    }

    #[test]
    fn tc3_takes_what_others_signed_and_nothing_else() {
        for vector in vectors()["tc3"].as_array().expect("a list") {
            let text = |name: &str| vector[name].as_str().expect("text");
            let key = Key { id: text("id"), secret: text("secret") };
            let at = vector["timestamp"].as_u64().expect("a time");
            let stamp = at.to_string();
            let call = call(vector, &[("x-tc-timestamp", &stamp)], at + 300);
            let service = text("service");
            assert_eq!(tc3(&call, &key, service), Ok(()), "{}", vector["name"]);
            let other = Key { id: "x", ..key };
            assert_eq!(tc3(&call, &other, service), Err(Refusal::Key));
            let other = Key { secret: "x", ..key };
            assert!(matches!(tc3(&call, &other, service), Err(Refusal::Signature(_))));
            assert!(matches!(tc3(&call, &key, "cdb"), Err(Refusal::Signature(_))));
            let late = Call { now_ms: (at + 301) * 1000, ..call };
            assert_eq!(tc3(&late, &key, service), Err(Refusal::Time));
            let other = Call { body: "{}".into(), now_ms: at * 1000, ..late };
            assert!(matches!(tc3(&other, &key, service), Err(Refusal::Signature(_))));
        }
    }

    #[test]
    fn acs3_takes_what_others_signed_once() {
        for vector in vectors()["acs3"].as_array().expect("a list") {
            let text = |name: &str| vector[name].as_str().expect("text");
            let key = Key { id: text("id"), secret: text("secret") };
            let at = seconds(text("date")).expect("a time");
            let hash = hex(&Sha256::digest(text("body")));
            let more = [("x-acs-content-sha256", hash.as_str()), ("x-acs-date", text("date"))];
            let mut call = call(vector, &more, at);
            let mut nonces = Nonces::default();
            let wrong = Key { secret: "x", ..key };
            assert!(matches!(acs3(&call, &wrong, &mut nonces), Err(Refusal::Signature(_))));
            assert_eq!(acs3(&call, &key, &mut nonces), Ok(()), "{}", vector["name"]);
            assert_eq!(acs3(&call, &key, &mut nonces), Err(Refusal::Nonce));
            call.body = "x".into();
            assert!(matches!(acs3(&call, &key, &mut nonces), Err(Refusal::Signature(_))));
            call.now_ms += 301_000;
            assert_eq!(acs3(&call, &key, &mut nonces), Err(Refusal::Time));
        }
    }

    #[test]
    fn a_time_is_read_as_it_is_written() {
        for (text, at) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T00:00:01Z", Some(951_782_401)),
            ("2023-12-31T23:59:59Z", Some(1_704_067_199)),
            ("2100-03-01T00:00:00Z", Some(4_107_542_400)),
            ("2023-02-30T00:00:00Z", None),
            ("2023-11-14 22:13:20", None),
            ("1969-11-14T22:13:20Z", None),
        ] {
            assert_eq!(seconds(text), at, "{text}");
        }
    }
}
