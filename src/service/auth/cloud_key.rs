//! Keys of cloud providers: an id, and a secret that signs each request and is never sent.

use std::fmt::Write as _;

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::model::secret::Secret;
use crate::service::info::{Auth, Field, FieldKind};
use crate::service::opening::Opening;

/// A key.
pub struct CloudKey {
    /// What it is known by.
    pub id: String,
    secret: Secret,
}

/// A signed `Authorization` header and the signature in it.
pub struct Signed {
    /// The value of `Authorization`.
    pub header: String,
    /// The signature, which must not be shown.
    pub signature: String,
}

impl CloudKey {
    /// As it stands in an account.
    pub const AUTH: Auth = Auth {
        name: "key",
        fields: &[
            Field::required("id", FieldKind::Credential, "the key's id"),
            Field::required("secret", FieldKind::Secret, "its secret, which is never sent"),
        ],
        words: "A key, by which each request is signed",
    };

    /// Takes the fields.
    pub fn open(opening: &mut Opening) -> CloudKey {
        CloudKey { id: opening.required("id"), secret: opening.secret("secret") }
    }

    /// Signs a POST to `/` by TC3-HMAC-SHA256, Tencent Cloud's signature version 3, which covers the type of the
    /// body, the host, the action and the body.
    pub fn tc3(&self, request: &Request<'_>, service: &str, unix: u64) -> Signed {
        let Request { host, content_type, action, body } = request;
        const NAMES: &str = "content-type;host;x-tc-action";
        let action = action.to_ascii_lowercase();
        let canonical = format!(
            "POST\n/\n\ncontent-type:{content_type}\nhost:{host}\nx-tc-action:{action}\n\n{NAMES}\n{}",
            hex(&Sha256::digest(body))
        );
        let day = Utc::of(unix).date();
        let scope = format!("{day}/{service}/tc3_request");
        let hash = hex(&Sha256::digest(canonical));
        let text = format!("TC3-HMAC-SHA256\n{unix}\n{scope}\n{hash}");
        let key = ["TC3", self.secret.expose()].concat();
        let key = hmac(key.as_bytes(), &day);
        let key = hmac(&hmac(&key, service), "tc3_request");
        let signature = hex(&hmac(&key, &text));
        let header = format!(
            "TC3-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={NAMES}, Signature={signature}",
            self.id
        );
        Signed { header, signature }
    }

    /// Signs a POST to `/` by ACS3-HMAC-SHA256, Alibaba Cloud's signature version 3, which covers the type of the
    /// body, the host, every field `x-acs-…` and the body; gives those fields, too.
    pub fn acs3(
        &self,
        request: &Request<'_>,
        version: &str,
        unix: u64,
        nonce: u128,
    ) -> (Signed, [(&'static str, String); 5]) {
        let Request { host, content_type, action, body } = request;
        const NAMES: &str = "content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;\
            x-acs-signature-nonce;x-acs-version";
        let hash = hex(&Sha256::digest(body));
        // In the order of their names.
        let fields = [
            ("x-acs-action", (*action).to_owned()),
            ("x-acs-content-sha256", hash.clone()),
            ("x-acs-date", Utc::of(unix).to_string()),
            ("x-acs-signature-nonce", format!("{nonce:032x}")),
            ("x-acs-version", version.to_owned()),
        ];
        let mut canonical = format!("POST\n/\n\ncontent-type:{content_type}\nhost:{host}\n");
        for (name, value) in &fields {
            canonical.extend([name, ":", value, "\n"]);
        }
        canonical.extend(["\n", NAMES, "\n", &hash]);
        let text = format!("ACS3-HMAC-SHA256\n{}", hex(&Sha256::digest(canonical)));
        let signature = hex(&hmac(self.secret.expose().as_bytes(), &text));
        let header = format!(
            "ACS3-HMAC-SHA256 Credential={},SignedHeaders={NAMES},Signature={signature}",
            self.id
        );
        (Signed { header, signature }, fields)
    }
}

/// What of a request a signature covers.
pub struct Request<'a> {
    /// The value of `Host`.
    pub host: &'a str,
    /// The type of the body.
    pub content_type: &'a str,
    /// The action that is asked for.
    pub action: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// What `Host` says in a request to this URL.
pub fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key)
        .expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    // Nothing that is written to memory fails.
    bytes.iter().for_each(|byte| _ = write!(text, "{byte:02x}"));
    text
}

/// A moment of UTC, taken apart.
struct Utc {
    year: u64,
    month: u64,
    day: u64,
    second_of_day: u64,
}

impl Utc {
    /// The moment so many seconds after the beginning of 1970.
    fn of(unix: u64) -> Utc {
        // Years begin in March here, so that a day that is put in comes last.
        let days = unix / 86_400 + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        Utc { year, month, day, second_of_day: unix % 86_400 }
    }

    fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl std::fmt::Display for Utc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let s = self.second_of_day;
        write!(f, "{}T{:02}:{:02}:{:02}Z", self.date(), s / 3600, s / 60 % 60, s % 60)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn vectors(file: &str) -> Vec<Value> {
        let list: Vec<Value> = serde_json::from_str(file).expect("a list");
        assert!(!list.is_empty(), "vectors are missing");
        list
    }

    #[test]
    fn tc3_agrees_with_independent_implementations() {
        for vector in vectors(include_str!("../../../tests/vectors/tc3.json")) {
            let text = |name: &str| vector[name].as_str().unwrap_or_else(|| panic!("{name}"));
            let secret = Secret::new(text("secret_key").to_owned());
            let key = CloudKey { id: text("secret_id").to_owned(), secret };
            let request = Request {
                host: text("host"),
                content_type: text("content_type"),
                action: text("action"),
                body: text("body").as_bytes(),
            };
            let unix = vector["timestamp"].as_u64().expect("a time");
            let signed = key.tc3(&request, text("service"), unix);
            assert_eq!(signed.header, text("authorization"), "{}", vector["id"]);
            assert!(signed.header.ends_with(&signed.signature));
        }
    }

    #[test]
    fn acs3_agrees_with_independent_implementations() {
        for vector in vectors(include_str!("../../../tests/vectors/acs3.json")) {
            let text = |name: &str| vector[name].as_str().unwrap_or_else(|| panic!("{name}"));
            let secret = Secret::new(text("access_key_secret").to_owned());
            let key = CloudKey { id: text("access_key_id").to_owned(), secret };
            let request = Request {
                host: text("host"),
                content_type: text("content_type"),
                action: text("action"),
                body: text("body").as_bytes(),
            };
            let unix = vector["timestamp"].as_u64().expect("a time");
            let nonce = u128::from_str_radix(text("nonce"), 16).expect("a number");
            let (signed, fields) = key.acs3(&request, text("version"), unix, nonce);
            assert_eq!(signed.header, text("authorization"), "{}", vector["id"]);
            assert_eq!(fields[2].1, text("date"));
        }
    }

    #[test]
    fn a_day_is_that_of_utc() {
        for (unix, shown) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_321_501_520, "2011-11-17T03:45:20Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(Utc::of(unix).to_string(), shown);
        }
        let host = |url: &str| host_of(&Url::parse(url).expect("a URL"));
        assert_eq!(host("https://sms.tencentcloudapi.com/"), "sms.tencentcloudapi.com");
        assert_eq!(host("http://127.0.0.1:8025/x/"), "127.0.0.1:8025");
        assert_eq!(host("https://[::1]:443/"), "[::1]");
    }
}
