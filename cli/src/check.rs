//! `hongyan check`: what is wrong with a configuration, or what is in it.

use std::io::Write;
use std::path::Path;

use hongyan::{Client, Error};
use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::exit::{Exit, Usage};
use crate::output::{Output, diagnose, shown};
use crate::report;
use crate::table::Table;

/// Checks the configuration as far as that goes without sending anything.
pub fn run(config: Option<&Path>, json: bool, out: &mut Output) -> anyhow::Result<Exit> {
    let (path, errors, accounts) = match Config::load(config) {
        Ok(config) => {
            let (errors, accounts) = judge(&config);
            (Some(config.path), errors, accounts)
        }
        Err(Usage { file, error }) => (file, vec![error], Vec::new()),
    };
    let name = path.as_deref().map(|path| path.display().to_string());
    if json {
        let shown = json!({
            "v": 1, "ok": errors.is_empty(), "config": name,
            "accounts": accounts.iter().map(Account::to_json).collect::<Vec<_>>(),
            "errors": errors.iter().map(error_json).collect::<Vec<_>>(),
        });
        writeln!(out, "{shown}")?;
    } else if errors.is_empty() {
        let name = shown(name.as_deref().unwrap_or_default());
        let count = accounts.len();
        writeln!(out, "{name} is fine, with {count} account{}", if count == 1 { "" } else { "s" })?;
        if !accounts.is_empty() {
            list(&accounts, out)?;
        }
    } else {
        if let Some(name) = &name {
            let count = errors.len();
            let things = if count == 1 { "thing is" } else { "things are" };
            diagnose(&format!("{name}: {count} {things} wrong"));
        }
        errors.iter().for_each(|error| report::explain(error, None));
    }
    Ok(if errors.is_empty() { Exit::Sent } else { Exit::Usage })
}

fn error_json(error: &Error) -> Value {
    serde_json::from_str(&error.to_json()).unwrap_or_default()
}

/// Everything that the library finds wrong, and the accounts where that is nothing.
fn judge(config: &Config) -> (Vec<Error>, Vec<Account>) {
    // Not with its outbox, which would send what is queued there.
    let whole = Client::from_json(&config.bare()).err();
    let outbox = config.outbox(None).err().map(|usage| usage.error);
    let whole = whole.or(outbox);
    let config: Value = serde_json::from_str(&config.json).unwrap_or_default();
    let empty = Map::new();
    let accounts = config.get("accounts").and_then(Value::as_object).unwrap_or(&empty);
    let Some(first) = whole else {
        return (
            Vec::new(),
            accounts.iter().map(|(name, value)| Account::new(name, value)).collect(),
        );
    };
    // The library stops at the first error; each account by itself may have another.
    let mut errors = vec![first];
    for (name, account) in accounts {
        let alone = json!({"v": 1, "accounts": {name: account}});
        let found = Client::from_json(&alone.to_string()).err();
        errors.extend(found.filter(|error| !errors.contains(error)));
    }
    (errors, Vec::new())
}

/// What may be shown of an account.
struct Account {
    name: String,
    service: String,
    auth: String,
    /// Where its requests go; `None`: to the service itself.
    base_url: Option<String>,
    region: Option<String>,
}

impl Account {
    fn new(name: &str, account: &Value) -> Account {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        Account {
            name: name.to_owned(),
            service: text(account.get("service")).unwrap_or_default(),
            auth: text(account.pointer("/auth/type")).unwrap_or_default(),
            base_url: text(account.get("base_url")),
            region: text(account.get("region")),
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "name": self.name, "service": self.service, "auth": self.auth,
            "base_url": self.base_url, "region": self.region,
        })
    }

    fn host(&self) -> String {
        match (&self.base_url, &self.region) {
            (Some(url), _) => url.split('/').take(3).collect::<Vec<_>>().join("/"),
            (None, Some(region)) => format!("the service's own, region {region}"),
            (None, None) => "the service's own".to_owned(),
        }
    }
}

fn list(accounts: &[Account], out: &mut Output) -> std::io::Result<()> {
    let mut table = Table::new(&["ACCOUNT", "SERVICE", "AUTH", "HOST"]);
    for account in accounts {
        table.row([&account.name, &account.service, &account.auth, &account.host()]);
    }
    table.write(out)
}
