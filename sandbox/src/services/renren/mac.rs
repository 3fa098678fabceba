//! MAC access authentication, draft-ietf-oauth-v2-http-mac-01, checked the way a server does.

use crate::signature::{Nonces, is_fresh, is_hmac_sha1};

/// The one token that the service accepts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Credentials<'a> {
    pub token: &'a str,
    pub mac_key: &'a str,
}

/// Where a request went, as its MAC has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Target {
    /// Path and query exactly as sent.
    pub request_uri: String,
    pub host: String,
    pub port: u16,
}

impl Target {
    /// The target of a request to `authority`; without a port the scheme's own one counts.
    pub(super) fn new(https: bool, authority: &str, request_uri: &str) -> Target {
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()),
            None => (authority, None),
        };
        Target {
            request_uri: request_uri.to_owned(),
            host: host.to_ascii_lowercase(),
            port: port.unwrap_or(if https { 443 } else { 80 }),
        }
    }
}

/// Why a MAC is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Refusal {
    /// The header cannot be parsed, or an attribute is missing or given twice.
    Attributes,
    Token,
    Timestamp,
    Nonce,
    Signature,
}

/// Checks MACs and remembers nonces.
#[derive(Debug, Default)]
pub(super) struct Verifier {
    nonces: Nonces,
}

impl Verifier {
    /// Checks the attributes of `header`, whose scheme is cut off, over any one of `targets`.
    pub(super) fn verify(
        &mut self,
        credentials: Credentials<'_>,
        now_s: u64,
        method: &str,
        targets: &[Target],
        header: &str,
    ) -> Result<(), Refusal> {
        let attributes = attributes(header).ok_or(Refusal::Attributes)?;
        let one = |name: &str| {
            let mut values = attributes.iter().filter(|(key, _)| *key == name);
            match (values.next(), values.next()) {
                (Some((_, value)), None) if !value.is_empty() => Ok(*value),
                _ => Err(Refusal::Attributes),
            }
        };
        let (id, ts, nonce, mac) = (one("id")?, one("ts")?, one("nonce")?, one("mac")?);
        let ext = match attributes.iter().any(|(name, _)| *name == "ext") {
            true => one("ext")?,
            false => "",
        };
        if id != credentials.token {
            return Err(Refusal::Token);
        }
        if !is_fresh(ts, now_s) {
            return Err(Refusal::Timestamp);
        }
        let key = credentials.mac_key.as_bytes();
        let signed = |target| is_hmac_sha1(key, &normalized(ts, nonce, method, target, ext), mac);
        if !targets.iter().any(signed) {
            return Err(Refusal::Signature);
        }
        // Only a good MAC uses its nonce up.
        match self.nonces.use_up(now_s, &[id, ts, nonce]) {
            true => Ok(()),
            false => Err(Refusal::Nonce),
        }
    }
}

/// The attributes of the header; their values are in quotes and hold none.
fn attributes(header: &str) -> Option<Vec<(&str, &str)>> {
    let mut attributes = Vec::new();
    let mut rest = header.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = after.split_once('"')?;
        attributes.push((name.trim(), value));
        let after = after.trim_start();
        // Something must follow a comma.
        rest = match after.strip_prefix(',') {
            Some(more) if !more.trim().is_empty() => more.trim_start(),
            None if after.is_empty() => after,
            _ => return None,
        };
    }
    Some(attributes)
}

/// The normalized request string of section 3.2.1: seven fields, each ended by a line feed.
fn normalized(ts: &str, nonce: &str, method: &str, target: &Target, ext: &str) -> String {
    let Target { request_uri, host, port } = target;
    let method = method.to_ascii_uppercase();
    format!("{ts}\n{nonce}\n{method}\n{request_uri}\n{host}\n{port}\n{ext}\n")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn vectors(name: &str) -> Vec<Value> {
        let vectors = include_str!("../../../tests/vectors/mac.json");
        let mut vectors: Value = serde_json::from_str(vectors).unwrap();
        match vectors[name].take() {
            Value::Array(list) if !list.is_empty() => list,
            other => panic!("{name}: {other}"),
        }
    }

    fn get<'a>(vector: &'a Value, name: &str) -> &'a str {
        vector[name].as_str().unwrap_or_else(|| panic!("{name} in {vector}"))
    }

    fn target(url: &str) -> Target {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (authority, path) = rest.split_once('/').unwrap();
        Target::new(scheme == "https", authority, &format!("/{path}"))
    }

    fn verify(
        verifier: &mut Verifier,
        vector: &Value,
        now_s: u64,
        header: &str,
    ) -> Result<(), Refusal> {
        let credentials =
            Credentials { token: get(vector, "token"), mac_key: get(vector, "mac_key") };
        let targets = [target(get(vector, "request_url"))];
        let header = header.strip_prefix("MAC ").unwrap();
        verifier.verify(credentials, now_s, get(vector, "method"), &targets, header)
    }

    fn ts(vector: &Value) -> u64 {
        get(vector, "ts").parse().unwrap()
    }

    #[test]
    fn accepts_every_vector() {
        for vector in vectors("requests") {
            let header = get(&vector, "authorization_header");
            for header in [header.to_owned(), header.replace("\",", "\", ")] {
                let verdict = verify(&mut Verifier::default(), &vector, ts(&vector), &header);
                assert_eq!(verdict, Ok(()), "{header}");
            }
        }
        for vector in vectors("macs") {
            let (key, text) = (get(&vector, "key"), get(&vector, "normalized"));
            assert!(is_hmac_sha1(key.as_bytes(), text, get(&vector, "mac")), "{vector}");
            assert!(!is_hmac_sha1(key.as_bytes(), &format!("{text}\n"), get(&vector, "mac")));
        }
    }

    #[test]
    fn makes_the_same_normalized_strings() {
        for vector in vectors("requests") {
            let target = target(get(&vector, "request_url"));
            let (ts, nonce) = (get(&vector, "ts"), get(&vector, "nonce"));
            let text = normalized(ts, nonce, get(&vector, "method"), &target, "");
            assert_eq!(text, get(&vector, "normalized_request_string"));
        }
        for vector in vectors("normalized") {
            let target = target(get(&vector, "uri"));
            let (ts, nonce) = (get(&vector, "ts"), get(&vector, "nonce"));
            let text = normalized(ts, nonce, "post", &target, get(&vector, "ext"));
            assert_eq!(text, get(&vector, "normalized"));
        }
    }

    #[test]
    fn a_nonce_serves_once_and_a_timestamp_for_a_while() {
        let vector = &vectors("requests")[0];
        let header = get(vector, "authorization_header");
        let mut verifier = Verifier::default();
        for now in [ts(vector) - 301, ts(vector) + 301] {
            assert_eq!(verify(&mut verifier, vector, now, header), Err(Refusal::Timestamp));
        }
        let wrong = header.replace("mac=\"T", "mac=\"U");
        assert_eq!(verify(&mut verifier, vector, ts(vector), &wrong), Err(Refusal::Signature));
        assert_eq!(verify(&mut verifier, vector, ts(vector) - 300, header), Ok(()));
        assert_eq!(verify(&mut verifier, vector, ts(vector) + 300, header), Err(Refusal::Nonce));
    }

    #[test]
    fn refuses_what_is_missing_twice_or_foreign() {
        let vector = &vectors("requests")[0];
        let header = get(vector, "authorization_header");
        let edited = |from: &str, to: &str| {
            assert!(header.contains(from), "{from}");
            let header = header.replace(from, to);
            verify(&mut Verifier::default(), vector, ts(vector), &header)
        };
        for (from, to) in [
            ("id=", "token="),
            ("ts=", "time="),
            ("nonce=", "once="),
            ("mac=", "hmac="),
            (",ts=", ",ts=\"1361525500\",ts="),
            ("\"aB3dE6gH\"", "\"\""),
            ("\"aB3dE6gH\"", "aB3dE6gH"),
            ("\",mac", "\" mac"),
            ("MAC id", "MAC ,id"),
            ("HlQ=\"", "HlQ=\","),
            ("MAC id", "MAC ext=\"\",id"),
        ] {
            assert_eq!(edited(from, to), Err(Refusal::Attributes), "{from} {to}");
        }
        assert_eq!(edited("123456|", "123457|"), Err(Refusal::Token));
        assert_eq!(edited("1361525500", "x"), Err(Refusal::Timestamp));
        // Whatever is signed breaks the signature.
        assert_eq!(edited("1361525500", "1361525501"), Err(Refusal::Signature));
        assert_eq!(edited("aB3dE6gH", "aB3dE6gI"), Err(Refusal::Signature));
        assert_eq!(edited("MAC id", "MAC ext=\"a\",id"), Err(Refusal::Signature));
        let mut elsewhere = vector.clone();
        for url in [
            "http://api.renren.com/v2/share/talk/put?messageType=TEXT_PLACEHOLDER&text=hellO",
            "http://api.renren.com:81/v2/share/talk/put?messageType=TEXT_PLACEHOLDER&text=hello",
            "https://api.renren.com/v2/share/talk/put?messageType=TEXT_PLACEHOLDER&text=hello",
            "http://127.0.0.1/v2/share/talk/put?messageType=TEXT_PLACEHOLDER&text=hello",
        ] {
            elsewhere["request_url"] = url.into();
            let verdict = verify(&mut Verifier::default(), &elsewhere, ts(vector), header);
            assert_eq!(verdict, Err(Refusal::Signature), "{url}");
        }
    }
}
