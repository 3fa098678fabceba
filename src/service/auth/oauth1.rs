//! OAuth 1.0a with HMAC-SHA1, RFC 5849.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use url::Url;
use zeroize::Zeroizing;

use crate::model::secret::Secret;
use crate::service::info::{Auth, Field, FieldKind};
use crate::service::opening::Opening;
use crate::service::wire::form::{encoded, push_encoded};

/// The keys of an app and of a user who trusts it.
pub struct OAuth1 {
    consumer_key: String,
    consumer_secret: Secret,
    token: Secret,
    token_secret: Secret,
}

/// A signed `Authorization` header and the signature in it.
pub struct Signed {
    /// The value of `Authorization`.
    pub header: String,
    /// The signature, which must not be shown.
    pub signature: String,
}

impl OAuth1 {
    /// As it stands in an account.
    pub const AUTH: Auth = Auth {
        name: "oauth1",
        fields: &[
            Field::required("consumer_key", FieldKind::Credential, "the app's key"),
            Field::required("consumer_secret", FieldKind::Secret, "the app's secret"),
            Field::required("token", FieldKind::Secret, "the user's token"),
            Field::required("token_secret", FieldKind::Secret, "its secret"),
        ],
        words: "OAuth 1.0a",
    };

    /// Takes the fields.
    pub fn open(opening: &mut Opening) -> OAuth1 {
        OAuth1 {
            consumer_key: opening.required("consumer_key"),
            consumer_secret: opening.secret("consumer_secret"),
            token: opening.secret("token"),
            token_secret: opening.secret("token_secret"),
        }
    }

    /// The user's token, which names him.
    pub fn token(&self) -> &str {
        self.token.expose()
    }

    /// Signs a POST of these form parameters to `url`.
    pub fn sign(&self, url: &Url, params: &[(&str, String)], unix: u64, nonce: &str) -> Signed {
        let timestamp = unix.to_string();
        let own = [
            ("oauth_consumer_key", self.consumer_key.as_str()),
            ("oauth_nonce", nonce),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", &timestamp),
            ("oauth_token", self.token.expose()),
            ("oauth_version", "1.0"),
        ];
        let form = params.iter().map(|(name, value)| (*name, value.as_str()));
        let base = Zeroizing::new(base_string(url, own.into_iter().chain(form)));
        let signature = self.signature(&base);
        let mut header = String::from("OAuth ");
        for (name, value) in own {
            header.push_str(name);
            header.push_str("=\"");
            header.push_str(&encoded(value));
            header.push_str("\", ");
        }
        header.push_str("oauth_signature=\"");
        header.push_str(&encoded(&signature));
        header.push('"');
        Signed { header, signature }
    }

    fn signature(&self, base: &[u8]) -> String {
        let mut key = Zeroizing::new(Vec::new());
        push_encoded(&mut key, self.consumer_secret.expose());
        key.push(b'&');
        push_encoded(&mut key, self.token_secret.expose());
        let mut mac = <Hmac<Sha1> as hmac::KeyInit>::new_from_slice(&key)
            .expect("HMAC takes keys of any length");
        mac.update(base);
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

/// The signature base string of RFC 5849 section 3.4.1 for a POST.
fn base_string<'a>(url: &Url, params: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let query = url.query_pairs().map(|(name, value)| (encoded(&name), encoded(&value)));
    let params = params.map(|(name, value)| (encoded(name), encoded(value)));
    // They are few: each is put into its place, for which a sort would be 6 KB of code.
    let mut pairs: Vec<(String, String)> = Vec::new();
    for pair in params.chain(query) {
        pairs.insert(pairs.partition_point(|other| *other <= pair), pair);
    }
    let mut normalized = String::new();
    for (name, value) in &pairs {
        if !normalized.is_empty() {
            normalized.push('&');
        }
        normalized.push_str(name);
        normalized.push('=');
        normalized.push_str(value);
    }
    let mut base = b"POST&".to_vec();
    push_encoded(&mut base, &base_uri(url));
    base.push(b'&');
    push_encoded(&mut base, &normalized);
    base
}

/// Scheme, host and path: lower-cased and without the default port, which `Url` has seen to.
fn base_uri(url: &Url) -> String {
    let mut base = url.clone();
    base.set_query(None);
    base.set_fragment(None);
    base.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn text(entry: &Value, name: &str) -> String {
        entry[name].as_str().unwrap_or_else(|| panic!("{name} in {entry}")).to_owned()
    }

    /// Vectors signed by oauthlib 4.0.1 and computed again independently.
    #[test]
    fn signatures_agree_with_independent_implementations() {
        let file: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/oauth1.json")).expect("JSON");
        let entries = file.as_array().expect("a list");
        assert!(entries.len() > 40, "vectors are missing");
        for entry in entries {
            let keys = OAuth1 {
                consumer_key: text(entry, "consumer_key"),
                consumer_secret: Secret::new(text(entry, "consumer_secret")),
                token: Secret::new(text(entry, "token")),
                token_secret: Secret::new(text(entry, "token_secret")),
            };
            let pairs: Vec<(&str, String)> = entry["params"]
                .as_array()
                .expect("params")
                .iter()
                .map(|pair| {
                    (pair[0].as_str().expect("name"), pair[1].as_str().expect("value").to_owned())
                })
                .collect();
            let mut url = Url::parse(&text(entry, "base_string_uri")).expect("URL");
            url.set_query(Url::parse(&text(entry, "request_url")).expect("URL").query());
            let unix = text(entry, "timestamp").parse().expect("a number");
            let signed = keys.sign(&url, &pairs, unix, &text(entry, "nonce"));
            assert_eq!(signed.signature, text(entry, "signature"), "{}", entry["id"]);
            assert_eq!(
                sorted(&signed.header),
                sorted(&text(entry, "authorization_header")),
                "{}",
                entry["id"]
            );
            if entry["body_sent"].as_str().is_some_and(|body| !body.is_empty()) {
                assert_eq!(
                    crate::service::wire::form::body(&pairs),
                    text(entry, "body_sent").into_bytes()
                );
            }
        }
    }

    fn sorted(header: &str) -> Vec<String> {
        let mut items: Vec<_> =
            header.trim_start_matches("OAuth ").split(", ").map(str::to_owned).collect();
        items.sort();
        items
    }

    #[test]
    fn default_ports_and_upper_case_hosts_sign_as_rfc_5849_says() {
        let url = Url::parse("http://API.fanfou.com:80/direct_messages/new.json?x=1").expect("URL");
        assert_eq!(base_uri(&url), "http://api.fanfou.com/direct_messages/new.json");
    }
}
