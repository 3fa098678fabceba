//! Standard Webhooks: each request is signed over its id, its time and its body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::model::secret::Secret;
use crate::service::info::{Auth, Field, FieldKind};

/// What stands before a secret; it is a label only.
const PREFIX: &str = "whsec_";

/// The keys that requests are signed with.
pub struct StandardWebhooks(Vec<Zeroizing<Vec<u8>>>);

impl StandardWebhooks {
    /// As it stands in an account.
    pub const AUTH: Auth = Auth {
        name: "standard_webhooks",
        fields: &[Field::required(
            "secret",
            FieldKind::TokenLike(
                |text| keys(text).is_some(),
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            ),
            "`whsec_` and the key in base64, as the receiver shows it; while it is exchanged for another \
             one, both, the new one first, with a comma between them",
        )],
        words: "A signature as Standard Webhooks has it",
    };

    /// The keys of a secret, which is of the form that is asked for.
    pub fn new(secret: &Secret) -> StandardWebhooks {
        StandardWebhooks(keys(secret.expose()).unwrap_or_default())
    }

    /// The value of `webhook-signature`: a signature of each key.
    pub fn sign(&self, id: &str, unix: u64, body: &[u8]) -> String {
        let sign = |key: &Zeroizing<Vec<u8>>| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
            mac.update(format!("{id}.{unix}.").as_bytes());
            mac.update(body);
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        };
        self.0.iter().map(sign).collect::<Vec<_>>().join(" ")
    }
}

fn keys(secret: &str) -> Option<Vec<Zeroizing<Vec<u8>>>> {
    let key = |text: &str| {
        let key = STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text)).ok()?;
        (!key.is_empty()).then(|| Zeroizing::new(key))
    };
    secret.split(',').map(key).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn signatures_are_those_of_the_vectors() {
        let vectors = include_str!("../../../tests/vectors/standard_webhooks.json");
        let vectors: Value = serde_json::from_str(vectors).expect("JSON");
        let vectors = vectors["hmac"].as_array().expect("a list");
        assert_eq!(vectors.len(), 6);
        for vector in vectors {
            let text = |name: &str| vector[name].as_str();
            let secrets =
                vector["secrets"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let secret = match text("secret") {
                Some(secret) => secret.to_owned(),
                None => secrets.collect::<Vec<_>>().join(","),
            };
            let signed = StandardWebhooks::new(&Secret::new(secret)).sign(
                text("msg_id").expect("an id"),
                vector["timestamp"].as_u64().expect("a time"),
                text("body").expect("a body").as_bytes(),
            );
            let expected = text("signature").or(text("signature_header")).expect("a signature");
            assert_eq!(signed, expected, "{}", vector["id"]);
        }
    }

    #[test]
    fn a_secret_is_base64_of_a_key() {
        for wrong in [
            "",
            "abc",
            "whsec_",
            "whsk_AAECAwQFBgcICQoLDA0ODw==",
            "whsec_AAECAwQFBgcICQoLDA0ODw==,",
        ] {
            assert!(keys(wrong).is_none(), "{wrong}");
        }
        assert!(keys("AAECAwQFBgcICQoLDA0ODw==").is_some());
    }
}
