//! MAC access tokens, draft-ietf-oauth-v2-http-mac-01 with HMAC-SHA1, as Renren uses them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use url::Url;

use crate::model::error::Result;
use crate::model::secret::Secret;
use crate::service::info::{Auth, Field, FieldKind};
use crate::service::opening::Opening;

/// A token and the key that proves it, which is never sent.
pub struct Mac {
    token: Secret,
    mac_key: Secret,
}

/// A signed `Authorization` header and the signature in it.
pub struct Signed {
    /// The value of `Authorization`.
    pub header: String,
    /// The signature, which must not be shown.
    pub signature: String,
}

impl Mac {
    /// As it stands in an account.
    pub const AUTH: Auth = Auth {
        name: "mac",
        fields: &[
            Field::required("token", FieldKind::Secret, "the access token, without quotes"),
            Field::required("mac_key", FieldKind::Secret, "its key, which is never sent"),
        ],
        words: "OAuth 2 with a signature over each request",
    };

    /// Takes the fields.
    pub fn open(opening: &mut Opening) -> Result<Mac> {
        let mac = Mac { token: opening.secret("token"), mac_key: opening.secret("mac_key") };
        if mac.token.expose().contains(['"', '\\']) {
            let words = "a MAC token cannot hold quotes or backslashes";
            return Err(opening.error("auth.token", words));
        }
        Ok(mac)
    }

    /// The token, which names the user.
    pub fn token(&self) -> &str {
        self.token.expose()
    }

    /// Signs a POST to `url`, whose query must be the one that is sent. The body is not covered.
    pub fn sign(&self, url: &Url, unix: u64, nonce: &str) -> Signed {
        let key = self.mac_key.expose().as_bytes();
        let mut mac = <Hmac<Sha1> as hmac::KeyInit>::new_from_slice(key)
            .expect("HMAC takes keys of any length");
        mac.update(normalized("POST", url, unix, nonce).as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        // Renren's own clients put no space behind the commas.
        let token = self.token.expose();
        let header =
            format!("MAC id=\"{token}\",ts=\"{unix}\",nonce=\"{nonce}\",mac=\"{signature}\"");
        Signed { header, signature }
    }
}

/// Seven fields, each ended by a line feed: time, nonce, method, path and query, host, port, and
/// `ext`, which is empty.
fn normalized(method: &str, url: &Url, unix: u64, nonce: &str) -> String {
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{unix}\n{nonce}\n{method}\n{target}\n{host}\n{port}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Vectors computed independently, and equal to oauthlib's for draft 01.
    #[test]
    fn signatures_agree_with_independent_implementations() {
        let file: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/mac.json")).expect("JSON");
        let vectors = file.as_array().expect("a list");
        assert!(vectors.len() >= 6, "vectors are missing");
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap_or_else(|| panic!("{name}"));
            let url = Url::parse(text("request_url")).expect("a URL");
            let unix = text("ts").parse().expect("a number");
            let own = normalized(text("method"), &url, unix, text("nonce"));
            assert_eq!(own, text("normalized_request_string"), "{}", vector["id"]);
            if text("method") == "POST" {
                let mac = Mac {
                    token: Secret::new(text("token").to_owned()),
                    mac_key: Secret::new(text("mac_key").to_owned()),
                };
                let signed = mac.sign(&url, unix, text("nonce"));
                assert_eq!(signed.signature, text("mac"), "{}", vector["id"]);
                assert_eq!(signed.header, text("authorization_header"), "{}", vector["id"]);
            }
        }
    }
}
