//! How requests prove whose they are; no service has a signer of its own.

pub mod basic;
pub mod basic_or_oauth1;
pub mod mac;
pub mod oauth1;
pub mod token;
pub mod usersig;

use crate::model::error::Result;
use crate::model::fields::Fields;
use crate::model::secret::Secret;
use crate::service::api::Reading;

/// The longest credential, in bytes: no server takes a header that is longer.
const MAX_CREDENTIAL: usize = 8192;

/// A credential that travels in a header or a signature: no line break can hide in it.
pub fn credential(f: &mut Fields, name: &'static str) -> Result<String> {
    let text = f.required_string(name)?;
    if text.is_empty() {
        return Err(f.error(name, "a credential must not be empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(f.error(name, "a credential must not hold line breaks or control characters"));
    }
    if text.len() > MAX_CREDENTIAL {
        let words =
            format!("{} bytes are too long for a header; {MAX_CREDENTIAL} are taken", text.len());
        return Err(f.error(name, words));
    }
    Ok(text)
}

/// A credential that must not be shown.
pub fn secret(f: &mut Fields, name: &'static str) -> Result<Secret> {
    credential(f, name).map(Secret::new)
}

/// What to do where a service refuses a signature although the keys may be right.
const OTHER_SIGNING_URL: &str = "if the keys are right, the service makes its base string from another \
    URL than was signed: set \"signing_url\" to the scheme, host and port that it expects";

/// The hint of an answer that refuses a signature, which covers the URL.
pub fn hint_at_signing_url(reading: &Reading) -> Option<&'static str> {
    let Reading::Refused { code, text, .. } = reading else { return None };
    let said = format!("{code} {text}").to_ascii_lowercase();
    // The method is always the one that the service documents.
    let is_meant = (said.contains("signature") || said.contains("base string"))
        && !said.contains("signature_method");
    is_meant.then_some(OTHER_SIGNING_URL)
}
