//! UserSig version 2 (HMAC-SHA256), the signature of Tencent's chat services.

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use miniz_oxide::deflate::{CompressionLevel, compress_to_vec_zlib};
use serde::Serialize;
use sha2::Sha256;

use crate::model::secret::Secret;
use crate::service::info::{Auth, Field, FieldKind};
use crate::service::opening::Opening;

/// The most that a signature can be valid: fifty years.
const MAX_EXPIRE_S: i64 = 50 * 365 * 86_400;

/// An app and the account of it that signs; keeps the last signature until shortly before its end.
pub struct UserSig {
    /// The app.
    pub sdk_app_id: u32,
    /// The account.
    pub identifier: String,
    secret_key: Secret,
    expire_s: u64,
    userbuf: Option<String>,
    cached: Mutex<Option<Cached>>,
}

#[derive(Clone)]
struct Cached {
    text: String,
    made: u64,
    renew: u64,
}

impl UserSig {
    /// As it stands in an account.
    pub const AUTH: Auth = Auth {
        name: "usersig",
        fields: &[
            Field::required(
                "sdk_app_id",
                FieldKind::Number(1, u32::MAX as i64),
                "the app's number",
            ),
            Field::required("identifier", FieldKind::Credential, "an administrator of the app"),
            Field::required(
                "secret_key",
                FieldKind::Secret,
                "the app's secret key, as it is shown",
            ),
            Field::optional(
                "expire_s",
                FieldKind::Number(1, MAX_EXPIRE_S),
                "how long a UserSig holds, in seconds; a week by default",
            ),
            Field::optional(
                "userbuf",
                FieldKind::Text,
                "signed with it, where an app uses that; rarely needed",
            ),
        ],
        words: "A UserSig that is made from the app's secret key",
    };

    /// Takes the fields.
    pub fn open(opening: &mut Opening) -> UserSig {
        let sdk_app_id = opening.number("sdk_app_id").unwrap_or_default();
        UserSig {
            sdk_app_id: u32::try_from(sdk_app_id).unwrap_or(u32::MAX),
            identifier: opening.required("identifier"),
            secret_key: opening.secret("secret_key"),
            expire_s: opening.number("expire_s").unwrap_or(604_800).unsigned_abs(),
            // An empty userbuf is signed in two different ways by the reference signers: it means none.
            userbuf: opening.text("userbuf").filter(|text| !text.is_empty()),
            cached: Mutex::new(None),
        }
    }

    /// The signature to send now; a new one near the end of the last, or where that was refused.
    pub fn at(&self, unix: u64, renew: bool) -> String {
        let mut cached = self.cached.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match &*cached {
            Some(sig) if !renew && (sig.made..sig.renew).contains(&unix) => sig.text.clone(),
            _ => {
                let text = self.sign(unix, self.userbuf.as_deref().map(str::as_bytes));
                let margin = (self.expire_s / 10).min(300);
                *cached = Some(Cached {
                    text: text.clone(),
                    made: unix,
                    renew: unix + self.expire_s - margin,
                });
                text
            }
        }
    }

    fn sign(&self, unix: u64, userbuf: Option<&[u8]>) -> String {
        #[derive(Serialize)]
        struct Ticket<'a> {
            #[serde(rename = "TLS.ver")]
            ver: &'a str,
            #[serde(rename = "TLS.identifier")]
            identifier: &'a str,
            #[serde(rename = "TLS.sdkappid")]
            sdkappid: u32,
            #[serde(rename = "TLS.expire")]
            expire: u64,
            #[serde(rename = "TLS.time")]
            time: u64,
            #[serde(rename = "TLS.userbuf", skip_serializing_if = "Option::is_none")]
            userbuf: Option<&'a str>,
            #[serde(rename = "TLS.sig")]
            sig: &'a str,
        }
        let (identifier, sdkappid, expire) =
            (self.identifier.as_str(), self.sdk_app_id, self.expire_s);
        let userbuf = userbuf.map(|bytes| STANDARD.encode(bytes));
        let mut signed = format!(
            "TLS.identifier:{identifier}\nTLS.sdkappid:{sdkappid}\nTLS.time:{unix}\nTLS.expire:{expire}\n"
        );
        if let Some(userbuf) = &userbuf {
            signed.push_str(&format!("TLS.userbuf:{userbuf}\n"));
        }
        let key = self.secret_key.expose().as_bytes();
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key)
            .expect("HMAC takes keys of any length");
        mac.update(signed.as_bytes());
        let sig = STANDARD.encode(mac.finalize().into_bytes());
        let ticket = Ticket {
            ver: "2.0",
            identifier,
            sdkappid,
            expire,
            time: unix,
            userbuf: userbuf.as_deref(),
            sig: &sig,
        };
        let json = serde_json::to_vec(&ticket).expect("a struct of strings and numbers is JSON");
        let packed = compress_to_vec_zlib(&json, CompressionLevel::DefaultLevel as u8);
        STANDARD.encode(packed).replace('+', "*").replace('/', "-").replace('=', "_")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn decoded(usersig: &str) -> Value {
        let standard = usersig.replace('*', "+").replace('-', "/").replace('_', "=");
        let packed = STANDARD.decode(standard).expect("base64");
        let json = miniz_oxide::inflate::decompress_to_vec_zlib(&packed).expect("zlib");
        serde_json::from_slice(&json).expect("JSON")
    }

    /// Vectors made by the reference signers for Python and Node.
    #[test]
    fn tickets_agree_with_the_reference_signers() {
        let file: Value = serde_json::from_str(include_str!("../../../tests/vectors/usersig.json"))
            .expect("JSON");
        let vectors = file.as_array().expect("a list");
        assert_eq!(vectors.len(), 8);
        for vector in vectors {
            let inputs = &vector["inputs"];
            let text = |name: &str| inputs[name].as_str().expect(name).to_owned();
            let number = |name: &str| inputs[name].as_u64().expect(name);
            let userbuf =
                inputs["userbuf_base64"].as_str().map(|b| STANDARD.decode(b).expect("base64"));
            let signer = UserSig {
                sdk_app_id: u32::try_from(number("sdkappid")).expect("u32"),
                identifier: text("identifier"),
                secret_key: Secret::new(text("secret_key")),
                expire_s: number("expire"),
                userbuf: None,
                cached: Mutex::new(None),
            };
            let usersig = signer.sign(number("time"), userbuf.as_deref());
            assert_eq!(decoded(&usersig), vector["expected"]["json_object"], "{}", vector["name"]);
            assert!(usersig.len().is_multiple_of(4));
            assert!(
                usersig
                    .trim_end_matches('_')
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"*-".contains(&b))
            );
        }
    }

    #[test]
    fn a_ticket_is_kept_and_renewed_before_its_end() {
        let signer = UserSig {
            sdk_app_id: 1,
            identifier: "a".to_owned(),
            secret_key: Secret::new("k".to_owned()),
            expire_s: 1000,
            userbuf: None,
            cached: Mutex::new(None),
        };
        let time = |usersig: String| decoded(&usersig)["TLS.time"].as_u64().expect("time");
        assert_eq!(time(signer.at(5000, false)), 5000);
        assert_eq!(time(signer.at(5899, false)), 5000, "kept until a tenth before its end");
        assert_eq!(time(signer.at(5900, false)), 5900);
        assert_eq!(time(signer.at(5901, true)), 5901, "a refused one is not used again");
        assert_eq!(time(signer.at(4000, false)), 4000, "a clock that went back makes a new one");
    }
}
