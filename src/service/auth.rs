//! How requests prove whose they are; no service has a signer of its own.

pub mod app;
pub mod basic;
pub mod basic_or_oauth1;
pub mod cloud_key;
pub mod mac;
pub mod oauth1;
pub mod standard_webhooks;
pub mod token;
pub mod usersig;

use crate::service::api::Reading;

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
