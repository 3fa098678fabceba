//! A ready configuration for the library, with credentials that the sandbox accepts.

use serde_json::{Map, Value, json};

use crate::services;

/// A configuration whose accounts all point at `base_url`, one a service and kind of credentials.
///
/// `ca_file` names the certificate to trust where the sandbox serves https.
pub fn config(base_url: &str, ca_file: Option<&str>) -> Value {
    let base_url = base_url.trim_end_matches('/');
    let mut accounts = Map::new();
    for service in services::all() {
        for (name, mut account) in service.accounts() {
            account["base_url"] = format!("{base_url}/{}", service.name()).into();
            accounts.insert(name.to_owned(), account);
        }
    }
    let mut config = json!({"v": 1, "accounts": accounts});
    if let Some(ca_file) = ca_file {
        config["ca_file"] = ca_file.into();
    }
    config
}
