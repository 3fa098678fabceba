//! A ready configuration for the library, with credentials that the sandbox accepts.

use serde_json::{Map, Value, json};

use crate::services::{self, smtp};

/// A configuration whose accounts all point at `base_url`, one a service and kind of credentials.
///
/// `ca_file` names the certificate to trust where the sandbox serves https.
pub fn config(base_url: &str, ca_file: Option<&str>) -> Value {
    written(base_url, ca_file, None)
}

/// The same for a sandbox that serves `root` at the root of `base_url`: the accounts of that service alone.
pub fn root_config(base_url: &str, ca_file: Option<&str>, root: &str) -> Value {
    written(base_url, ca_file, Some(root))
}

pub(crate) fn written(base_url: &str, ca_file: Option<&str>, root: Option<&str>) -> Value {
    let base_url = base_url.trim_end_matches('/');
    let mut accounts = Map::new();
    for service in services::all() {
        let own = match root {
            None => format!("{base_url}/{}", service.name()),
            Some(root) if root == service.name() => base_url.to_owned(),
            Some(_) => continue,
        };
        let own = if service.name() == smtp::NAME { mail_url(base_url) } else { own };
        for (name, mut account) in service.accounts() {
            account["base_url"] = own.as_str().into();
            accounts.insert(name.to_owned(), account);
        }
    }
    let mut config = json!({"v": 1, "accounts": accounts});
    if let Some(ca_file) = ca_file {
        config["ca_file"] = ca_file.into();
    }
    config
}

/// Where the sandbox at this URL takes mail: at the port behind that of HTTP.
pub fn mail_url(base_url: &str) -> String {
    let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    let port = port.parse::<u16>().unwrap_or(80).saturating_add(1);
    format!("smtp://{host}:{port}")
}
