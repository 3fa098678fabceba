//! `hongyan check`: what is wrong with a configuration, or what is in it.

mod faults;
mod warnings;

use std::io::Write;
use std::path::Path;

use hongyan::Error;
use serde_json::{Value, json};

use crate::config::Config;
use crate::exit::{Exit, Usage};
use crate::output::{Output, count, diagnose, line};
use crate::report;
use crate::table::Table;

/// Checks the configuration as far as that goes without sending anything.
pub fn run(config: Option<&Path>, json: bool, out: &mut Output) -> anyhow::Result<Exit> {
    let (path, errors, accounts, warnings) = match Config::load(config) {
        Ok(config) => {
            let errors = faults::of(&config);
            let value: Value = serde_json::from_str(&config.json).unwrap_or_default();
            let accounts = if errors.is_empty() { Account::all(&value) } else { Vec::new() };
            let warnings = warnings::of(&config.path, &value)?;
            (Some(config.path), errors, accounts, warnings)
        }
        Err(Usage { file, error }) => (file, vec![error], Vec::new(), Vec::new()),
    };
    let name = path.as_deref().map(|path| path.display().to_string());
    if json {
        let shown = json!({
            "v": 1, "ok": errors.is_empty(), "config": name,
            "accounts": accounts.iter().map(Account::to_json).collect::<Vec<_>>(),
            "errors": errors.iter().map(error_json).collect::<Vec<_>>(),
            "warnings": warnings,
        });
        writeln!(out, "{shown}")?;
    } else if errors.is_empty() {
        let name = line(name.as_deref().unwrap_or_default());
        writeln!(out, "{name} is fine, with {}", count(accounts.len() as u64, "account"))?;
        if !accounts.is_empty() {
            list(&accounts, out)?;
        }
    } else {
        if let Some(name) = &name {
            let things = if errors.len() == 1 { "thing is" } else { "things are" };
            diagnose(&format!("{name}: {} {things} wrong", errors.len()));
        }
        errors.iter().for_each(|error| report::explain(error, None));
    }
    if !json {
        warnings.iter().for_each(|warning| diagnose(&format!("warning: {}", line(warning))));
    }
    Ok(if errors.is_empty() { Exit::Sent } else { Exit::Usage })
}

fn error_json(error: &Error) -> Value {
    serde_json::from_str(&error.to_json()).unwrap_or_default()
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
    fn all(config: &Value) -> Vec<Account> {
        let accounts = config.get("accounts").and_then(Value::as_object);
        accounts.into_iter().flatten().map(|(name, value)| Account::new(name, value)).collect()
    }

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
