//! OAuth 1.0a signatures, checked the way a server does (RFC 5849, section 3.2).
//!
//! This shares no code with the client that it checks.

use crate::form;
use crate::signature::{Nonces, is_fresh, is_hmac_sha1};

/// The one consumer and token that a service accepts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Credentials<'a> {
    pub consumer_key: &'a str,
    pub consumer_secret: &'a str,
    pub token: &'a str,
    pub token_secret: &'a str,
}

/// Why a signature is refused.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refusal {
    /// The header cannot be parsed, or a parameter is missing or given twice.
    Parameter(String),
    Consumer,
    Token,
    Method(String),
    Version(String),
    Timestamp,
    Nonce,
    Signature {
        expected: String,
    },
}

/// Checks signatures and remembers nonces.
#[derive(Debug, Default)]
pub(crate) struct Verifier {
    nonces: Nonces,
}

impl Verifier {
    /// Checks the OAuth parameters of `header`, else of `params`, over any one of `urls`.
    ///
    /// `params` are the decoded query and form parameters. The first of `urls` is the one that a
    /// refusal names.
    pub(crate) fn verify(
        &mut self,
        credentials: &Credentials<'_>,
        now_s: u64,
        method: &str,
        urls: &[String],
        header: Option<&str>,
        params: &[(String, String)],
    ) -> Result<(), Refusal> {
        let mut signed = params.to_vec();
        if let Some(header) = header {
            let from_header = header_params(header)
                .ok_or_else(|| Refusal::Parameter("authorization header".into()))?;
            signed.extend(from_header.into_iter().filter(|(name, _)| name != "realm"));
        }
        let one = |name: &str| {
            let mut values = signed.iter().filter(|(key, _)| key == name);
            match (values.next(), values.next()) {
                (Some((_, value)), None) => Ok(value.clone()),
                _ => Err(Refusal::Parameter(name.to_owned())),
            }
        };
        if one("oauth_consumer_key")? != credentials.consumer_key {
            return Err(Refusal::Consumer);
        }
        if one("oauth_token")? != credentials.token {
            return Err(Refusal::Token);
        }
        let signature_method = one("oauth_signature_method")?;
        if signature_method != "HMAC-SHA1" {
            return Err(Refusal::Method(signature_method));
        }
        if signed.iter().any(|(name, _)| name == "oauth_version") {
            let version = one("oauth_version")?;
            if version != "1.0" && version != "1.0a" {
                return Err(Refusal::Version(version));
            }
        }
        let timestamp = one("oauth_timestamp")?;
        if !is_fresh(&timestamp, now_s) {
            return Err(Refusal::Timestamp);
        }
        let (nonce, given) = (one("oauth_nonce")?, one("oauth_signature")?);
        if nonce.is_empty() {
            return Err(Refusal::Parameter("oauth_nonce".into()));
        }
        signed.retain(|(name, _)| name != "oauth_signature");
        let base_strings: Vec<_> = urls.iter().map(|u| base_string(method, u, &signed)).collect();
        let key = signing_key(credentials.consumer_secret, credentials.token_secret);
        if !base_strings.iter().any(|base| is_hmac_sha1(key.as_bytes(), base, &given)) {
            let expected = base_strings.into_iter().next().unwrap_or_default();
            return Err(Refusal::Signature { expected });
        }
        // Only a good signature uses its nonce up. Who shares a nonce: RFC 5849, section 3.3.
        let used = [credentials.consumer_key, credentials.token, &timestamp, &nonce];
        match self.nonces.use_up(now_s, &used) {
            true => Ok(()),
            false => Err(Refusal::Nonce),
        }
    }
}

/// The parameters of an `Authorization: OAuth …` header, decoded.
fn header_params(header: &str) -> Option<Vec<(String, String)>> {
    let (scheme, rest) = header.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("OAuth") {
        return None;
    }
    rest.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=')?;
            let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
            Some((form::unescape(name.trim(), false)?, form::unescape(value, false)?))
        })
        .collect()
}

/// The signature base string of section 3.4.1, over parameters without `oauth_signature`.
pub(crate) fn base_string(method: &str, url: &str, params: &[(String, String)]) -> String {
    let mut escaped: Vec<_> =
        params.iter().map(|(k, v)| (form::escape(k), form::escape(v))).collect();
    escaped.sort();
    let joined: Vec<_> = escaped.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let uri = form::escape(&base_uri(url));
    format!("{}&{uri}&{}", method.to_ascii_uppercase(), form::escape(&joined.join("&")))
}

/// The base string URI of section 3.4.1.2: no query, lower-case host, no default port.
fn base_uri(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let scheme = scheme.to_ascii_lowercase();
    let (host, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix(default_port).unwrap_or(&host);
    format!("{scheme}://{host}{path}")
}

fn signing_key(consumer_secret: &str, token_secret: &str) -> String {
    format!("{}&{}", form::escape(consumer_secret), form::escape(token_secret))
}

#[cfg(test)]
#[path = "oauth1_tests.rs"]
mod tests;
