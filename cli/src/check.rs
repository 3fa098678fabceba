//! `hongyan check`: what is wrong with a configuration, or what is in it.

mod faults;
mod live;
mod warnings;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use hongyan::Error;
use serde_json::{Value, json};

use crate::args::CheckArgs;
use crate::config::Config;
use crate::exit::{Exit, Usage};
use crate::output::{Output, count, diagnose, line};
use crate::report;
use crate::table::Table;
use live::Live;

/// Checks the configuration as far as that goes without sending anything.
pub fn run(
    args: &CheckArgs,
    config: Option<&Path>,
    json: bool,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let mut live = BTreeMap::new();
    let (path, errors, accounts, warnings) = match Config::load(config) {
        Ok(config) => {
            let errors = faults::of(&config);
            let value: Value = serde_json::from_str(&config.json).unwrap_or_default();
            let accounts = if errors.is_empty() { Account::all(&value) } else { Vec::new() };
            let warnings = warnings::of(&config.path, &value)?;
            if args.live {
                let names: Vec<&str> = accounts.iter().map(|own| own.name.as_str()).collect();
                live = live::ask(&config.json, &names, args.timeout)?;
            }
            (Some(config.path), errors, accounts, warnings)
        }
        Err(Usage { file, error }) => (file, vec![error], Vec::new(), Vec::new()),
    };
    let name = path.as_deref().map(|path| path.display().to_string());
    if json {
        let shown = json!({
            "v": 1, "ok": errors.is_empty(), "config": name,
            "accounts": accounts.iter().map(|own| own.to_json(&live)).collect::<Vec<_>>(),
            "errors": errors.iter().map(error_json).collect::<Vec<_>>(),
            "warnings": warnings,
        });
        writeln!(out, "{shown}")?;
    } else if errors.is_empty() {
        let name = line(name.as_deref().unwrap_or_default());
        writeln!(out, "{name} is fine, with {}", count(accounts.len() as u64, "account"))?;
        if !accounts.is_empty() {
            list(&accounts, &live, out)?;
            for (name, own) in &live {
                if let Live::Fails(error) = own {
                    report::explain_at(error, &format!("{name}: "));
                }
            }
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
    Ok(if errors.is_empty() { live::exit(&live) } else { Exit::Usage })
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

    fn to_json(&self, live: &BTreeMap<String, Live>) -> Value {
        let mut shown = json!({
            "name": self.name, "service": self.service, "auth": self.auth,
            "base_url": self.base_url, "region": self.region,
        });
        if let Some(live) = live.get(&self.name) {
            shown["live"] = live.to_json();
        }
        shown
    }

    fn host(&self) -> String {
        match (&self.base_url, &self.region) {
            (Some(url), _) => url.split('/').take(3).collect::<Vec<_>>().join("/"),
            (None, Some(region)) => format!("the service's own, region {region}"),
            (None, None) => "the service's own".to_owned(),
        }
    }
}

fn list(
    accounts: &[Account],
    live: &BTreeMap<String, Live>,
    out: &mut Output,
) -> std::io::Result<()> {
    let mut columns = vec!["ACCOUNT", "SERVICE", "AUTH", "HOST"];
    columns.extend((!live.is_empty()).then_some("CREDENTIALS"));
    let mut table = Table::new(&columns);
    for account in accounts {
        let Account { name, service, auth, .. } = account;
        let (host, word) = (account.host(), live.get(name).map(Live::word));
        let mut row = vec![name.as_str(), service, auth, &host];
        row.extend(word.as_deref());
        table.cells(&row);
    }
    table.write(out)
}
