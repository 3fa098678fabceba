//! UserSig version 2, checked the way the service does.
//!
//! This shares no code with the client that it checks.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

/// A signature that inflates to more than this is no signature.
const LARGEST: u64 = 16 * 1024;

/// Why a UserSig is refused, with the service's code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    Expired = 70001,
    Illegal = 70003,
    Key = 70009,
    Identifier = 70013,
    AppId = 70014,
}

/// Who a UserSig is for, as the request says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'a> {
    pub sdk_app_id: u64,
    pub identifier: &'a str,
    pub secret_key: &'a str,
    pub now_s: u64,
}

/// Checks a UserSig; the order of the checks is assumed.
pub(super) fn verify(usersig: &str, claim: Claim<'_>) -> Result<(), Refusal> {
    let object = decode(usersig).ok_or(Refusal::Illegal)?;
    let text = |name: &str| object.get(name).and_then(Value::as_str).ok_or(Refusal::Illegal);
    let number = |name: &str| object.get(name).and_then(Value::as_u64).ok_or(Refusal::Illegal);
    let (identifier, sdk_app_id) = (text("TLS.identifier")?, number("TLS.sdkappid")?);
    let (time, expire) = (number("TLS.time")?, number("TLS.expire")?);
    let userbuf = object.get("TLS.userbuf").map(|_| text("TLS.userbuf")).transpose()?;
    let signature = STANDARD.decode(text("TLS.sig")?).map_err(|_| Refusal::Illegal)?;
    if text("TLS.ver")? != "2.0" {
        return Err(Refusal::Illegal);
    }
    if identifier != claim.identifier {
        return Err(Refusal::Identifier);
    }
    if sdk_app_id != claim.sdk_app_id {
        return Err(Refusal::AppId);
    }
    let mut lines = format!(
        "TLS.identifier:{identifier}\nTLS.sdkappid:{sdk_app_id}\nTLS.time:{time}\n\
         TLS.expire:{expire}\n"
    );
    if let Some(userbuf) = userbuf {
        lines.push_str(&format!("TLS.userbuf:{userbuf}\n"));
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(claim.secret_key.as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(lines.as_bytes());
    mac.verify_slice(&signature).map_err(|_| Refusal::Key)?;
    // As in the published verifier: a time in the future is not looked at.
    if claim.now_s > time.saturating_add(expire) {
        return Err(Refusal::Expired);
    }
    Ok(())
}

/// The JSON object inside a UserSig.
fn decode(usersig: &str) -> Option<Map<String, Value>> {
    let standard = usersig.chars().map(|c| match c {
        '*' => Some('+'),
        '-' => Some('/'),
        '_' => Some('='),
        // Characters of the standard alphabet that this one has replaced.
        '+' | '/' | '=' => None,
        other => Some(other),
    });
    let compressed = STANDARD.decode(standard.collect::<Option<String>>()?).ok()?;
    let mut json = Vec::new();
    ZlibDecoder::new(compressed.as_slice()).take(LARGEST + 1).read_to_end(&mut json).ok()?;
    if json.len() as u64 > LARGEST {
        return None;
    }
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use serde_json::json;

    use super::*;

    const VECTORS: &str = include_str!("../../../tests/vectors/usersig.json");

    fn vectors() -> Vec<Value> {
        let vectors: Vec<Value> = serde_json::from_str(VECTORS).expect("vectors are JSON");
        assert_eq!(vectors.len(), 8);
        vectors
    }

    fn claim(inputs: &Value) -> Claim<'_> {
        Claim {
            sdk_app_id: inputs["sdkappid"].as_u64().expect("a number"),
            identifier: inputs["identifier"].as_str().expect("text"),
            secret_key: inputs["secret_key"].as_str().expect("text"),
            now_s: inputs["time"].as_u64().expect("a number"),
        }
    }

    fn pack(bytes: &[u8]) -> String {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::none());
        encoder.write_all(bytes).unwrap();
        let text = STANDARD.encode(encoder.finish().unwrap());
        text.replace('+', "*").replace('/', "-").replace('=', "_")
    }

    #[test]
    fn accepts_every_vector_of_every_signer() {
        for vector in vectors() {
            for usersig in vector["usersigs"].as_array().expect("a list") {
                let usersig = usersig.as_str().expect("text");
                let decoded = decode(usersig).map(Value::Object);
                assert_eq!(decoded.as_ref(), Some(&vector["object"]), "{}", vector["name"]);
                let verdict = verify(usersig, claim(&vector["inputs"]));
                assert_eq!(verdict, Ok(()), "{}", vector["name"]);
            }
        }
    }

    #[test]
    fn accepts_any_order_spacing_and_level() {
        let vector = &vectors()[0];
        let object = vector["object"].as_object().unwrap();
        let reversed: Map<String, Value> =
            object.iter().rev().map(|(k, v)| (k.clone(), v.clone())).collect();
        let text = format!(" {}\n", serde_json::to_string_pretty(&reversed).unwrap());
        assert_eq!(verify(&pack(text.as_bytes()), claim(&vector["inputs"])), Ok(()));
    }

    #[test]
    fn refuses_with_the_documented_code() {
        let vector = &vectors()[0];
        let usersig = vector["usersigs"][0].as_str().unwrap();
        let good = claim(&vector["inputs"]);
        let expire = vector["inputs"]["expire"].as_u64().unwrap();
        let at = |now_s| verify(usersig, Claim { now_s, ..good });
        assert_eq!(at(good.now_s + expire), Ok(()));
        assert_eq!(at(good.now_s + expire + 1), Err(Refusal::Expired));
        assert_eq!(at(0), Ok(()));
        let other = Claim { identifier: "other", ..good };
        assert_eq!(verify(usersig, other), Err(Refusal::Identifier));
        assert_eq!(verify(usersig, Claim { sdk_app_id: 1, ..good }), Err(Refusal::AppId));
        assert_eq!(verify(usersig, Claim { secret_key: "other", ..good }), Err(Refusal::Key));
        for (field, value) in [("TLS.expire", json!(1)), ("TLS.time", json!(1))] {
            let mut object = vector["object"].clone();
            object[field] = value;
            let forged = pack(object.to_string().as_bytes());
            assert_eq!(verify(&forged, good), Err(Refusal::Key), "{field}");
        }
    }

    #[test]
    fn refuses_what_is_no_usersig() {
        let vector = &vectors()[0];
        let good = claim(&vector["inputs"]);
        let usersig = vector["usersigs"][0].as_str().unwrap();
        let standard = usersig.replace('*', "+").replace('-', "/").replace('_', "=");
        assert_ne!(standard, usersig);
        // A good one but for the room that it takes.
        let bomb = pack(format!("{}{}", vector["object"], " ".repeat(16 * 1024)).as_bytes());
        let mut number = vector["object"].clone();
        number["TLS.sdkappid"] = json!("1400000000");
        let mut version = vector["object"].clone();
        version["TLS.ver"] = json!("1.0");
        for illegal in [
            "",
            "garbage",
            &usersig[..usersig.len() - 4],
            &standard,
            &bomb,
            &pack(b"{}"),
            &pack(b"[]"),
            &pack(number.to_string().as_bytes()),
            &pack(version.to_string().as_bytes()),
        ] {
            assert_eq!(verify(illegal, good), Err(Refusal::Illegal), "{illegal}");
        }
    }
}
