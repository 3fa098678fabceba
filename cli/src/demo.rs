//! `hongyan demo`: every service, every way to prove oneself, every format, against a sandbox.

use std::io::Write;

use anyhow::Context as _;
use hongyan::{Client, Delivery, Error, Receipt, SendOptions};
use hongyan_sandbox::{Options, Sandbox};
use serde_json::{Map, Value, json};

use crate::exit::Exit;
use crate::output::{Output, diagnose};
use crate::samples::{REFUSED, SENT, Sample, VARIANTS};
use crate::services;
use crate::table::Table;

/// A message to send and what is expected of it.
#[derive(Debug)]
struct Row {
    /// Its account in the demo's own configuration.
    account: String,
    service: String,
    auth: String,
    format: String,
    what: &'static str,
    message: Value,
    expected: Delivery,
}

/// The demo's own accounts, and the messages that go out through them.
#[derive(Default)]
struct Plan {
    accounts: Map<String, Value>,
    rows: Vec<Row>,
}

/// Sends everything and shows what became of it.
pub fn run(json: bool, out: &mut Output) -> anyhow::Result<Exit> {
    let sandbox = Sandbox::start(Options::default()).context("cannot start a sandbox")?;
    let plan = Plan::new(&sandbox.config())?;
    let client = Client::from_json(&json!({"v": 1, "accounts": plan.accounts}).to_string())?;
    let receipts = send(&client, &plan.rows)?;
    let done: Vec<(&Row, &Receipt)> = plan.rows.iter().zip(&receipts).collect();
    if json {
        for (row, receipt) in &done {
            writeln!(out, "{}", row.to_json(receipt))?;
        }
    } else {
        show(&sandbox.url(), &done, out)?;
    }
    let surprises = done.iter().filter(|(row, receipt)| receipt.delivery != row.expected).count();
    if surprises > 0 {
        diagnose(&format!("hongyan: {surprises} of {} went otherwise than expected", done.len()));
        return Ok(Exit::Failed);
    }
    Ok(Exit::Sent)
}

/// The field of the credentials that is a secret, if one is.
fn secret_of(account: &Value) -> Option<&'static str> {
    const SECRETS: [&str; 9] = [
        "password",
        "token_secret",
        "token",
        "mac_key",
        "secret_key",
        "value",
        "secret",
        "url",
        "key",
    ];
    let auth = account["auth"].as_object()?;
    SECRETS.into_iter().find(|secret| auth.contains_key(*secret))
}

/// Another secret of the same form: with its letters in the other case, from the middle on.
fn wrong(secret: &str) -> String {
    let half = secret.chars().count() / 2;
    let other = |(i, c): (usize, char)| match c.is_ascii_lowercase() {
        _ if i < half => c,
        true => c.to_ascii_uppercase(),
        false => c.to_ascii_lowercase(),
    };
    secret.chars().enumerate().map(other).collect()
}

impl Plan {
    fn new(config: &Value) -> anyhow::Result<Plan> {
        let accounts = config["accounts"].as_object().context("the sandbox has no accounts")?;
        let services = services::all()?;
        let mut plan = Plan::default();
        let mut seen = Vec::new();
        for (name, account) in accounts {
            // The sandbox may play more than this build can send through.
            let service = services.iter().find(|service| account["service"] == *service.name);
            let Some(service) = service else { continue };
            // Who needs no secret cannot have a wrong one.
            let first = secret_of(account).is_some() && !seen.contains(&&service.name);
            if first {
                seen.push(&service.name);
            }
            for (i, format) in service.formats.iter().enumerate() {
                let mut account = account.clone();
                if service.formats.len() > 1 {
                    account["format"] = format.as_str().into();
                }
                let name = format!("{name}/{format}");
                plan.add(&name, &account, format, SENT, Delivery::Sent)?;
                if i == 0 {
                    plan.add_variants(&name, &account, format)?;
                }
                if first && i == 0 {
                    plan.add(&name, &account, format, REFUSED, Delivery::NotSent)?;
                    plan.add_impostor(&name, &account, format)?;
                }
                plan.accounts.insert(name, account);
            }
        }
        Ok(plan)
    }

    /// Adds the samples that are for this account.
    fn add(
        &mut self,
        name: &str,
        account: &Value,
        format: &str,
        samples: &'static [Sample],
        expected: Delivery,
    ) -> anyhow::Result<()> {
        let own = |sample: &&Sample| {
            sample.is_for(account) && sample.format.is_none_or(|only| only == format)
        };
        for sample in samples.iter().filter(own) {
            self.push(name, account, format, sample, expected)?;
        }
        Ok(())
    }

    /// Adds the other ways in which this account may send.
    fn add_variants(&mut self, name: &str, account: &Value, format: &str) -> anyhow::Result<()> {
        for variant in VARIANTS.iter().filter(|variant| account["service"] == variant.service) {
            let mut account = account.clone();
            let (object, field) = variant.pointer;
            let object = account.pointer_mut(object).context("an account without credentials")?;
            object[field] = variant.value.into();
            self.add_one(
                &format!("{name}/{field}"),
                account,
                format,
                variant.what,
                Delivery::Sent,
            )?;
        }
        Ok(())
    }

    /// Adds an account with a wrong secret.
    fn add_impostor(&mut self, name: &str, account: &Value, format: &str) -> anyhow::Result<()> {
        let secret = secret_of(account).context("credentials without a secret")?;
        let mut account = account.clone();
        let own = account["auth"][secret].as_str().context("a secret that is no text")?;
        account["auth"][secret] = match secret {
            // What ends the URL of a webhook is its secret.
            "url" => format!("{own}-wrong").into(),
            _ => wrong(own).into(),
        };
        // A recipient may be one to whom the right account has just sent.
        account["rate"] = Value::Null;
        let what = "wrong credentials";
        self.add_one(&format!("{name}/impostor"), account, format, what, Delivery::NotSent)
    }

    /// Adds an account of its own, with the first message that there is for its service.
    fn add_one(
        &mut self,
        name: &str,
        account: Value,
        format: &str,
        what: &'static str,
        expected: Delivery,
    ) -> anyhow::Result<()> {
        let sample = SENT.iter().find(|sample| sample.is_for(&account));
        let sample = Sample { what, ..*sample.context("a service without a sample")? };
        self.push(name, &account, format, &sample, expected)?;
        self.accounts.insert(name.to_owned(), account);
        Ok(())
    }

    fn push(
        &mut self,
        name: &str,
        account: &Value,
        format: &str,
        sample: &Sample,
        expected: Delivery,
    ) -> anyhow::Result<()> {
        let mut message: Value = serde_json::from_str(sample.message)?;
        message["v"] = 1.into();
        message["account"] = name.into();
        if let Some(text) = message.get("text").and_then(Value::as_str) {
            // Some services refuse the same text twice.
            message["text"] = format!("{text} #{}", self.rows.len() + 1).into();
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.rows.push(Row {
            account: name.to_owned(),
            service: text(&account["service"]),
            auth: text(&account["auth"]["type"]),
            format: format.to_owned(),
            what: sample.what,
            message,
            expected,
        });
        Ok(())
    }
}

/// Sends all rows one after another, so that each receipt tells its own time.
fn send(client: &Client, rows: &[Row]) -> anyhow::Result<Vec<Receipt>> {
    let send = |row: &Row| {
        let message = row.message.to_string();
        client.send(&message, SendOptions::default()).with_context(|| row.account.clone())
    };
    rows.iter().map(send).collect()
}

impl Row {
    fn to_json(&self, receipt: &Receipt) -> Value {
        let result: Value = serde_json::from_str(&receipt.to_json()).unwrap_or_default();
        json!({
            "service": self.service, "auth": self.auth, "format": self.format, "what": self.what,
            "expected": self.expected.name(), "result": result,
        })
    }
}

fn show(url: &str, done: &[(&Row, &Receipt)], out: &mut Output) -> std::io::Result<()> {
    let expected = |what| move |(row, _): &&(&Row, &Receipt)| row.expected == what;
    writeln!(out, "Sent through a sandbox at {url}:\n")?;
    let columns = ["SERVICE", "AUTH", "FORMAT", "WHAT", "DELIVERY", "MESSAGE ID", "ATTEMPTS", "MS"];
    let mut sent = Table::new(&columns);
    for (row, receipt) in done.iter().filter(expected(Delivery::Sent)) {
        sent.row([
            &row.service,
            &row.auth,
            &row.format,
            row.what,
            receipt.delivery.name(),
            receipt.message_id.as_deref().unwrap_or_default(),
            &receipt.attempts.to_string(),
            &receipt.elapsed_ms.to_string(),
        ]);
    }
    sent.write(out)?;
    writeln!(out, "\nRefused by the services:\n")?;
    let columns = ["SERVICE", "AUTH", "WHAT", "DELIVERY", "NAME", "SERVICE CODE", "ATTEMPTS", "MS"];
    let mut refused = Table::new(&columns);
    for (row, receipt) in done.iter().filter(expected(Delivery::NotSent)) {
        let error = receipt.error.as_ref();
        refused.row([
            &row.service,
            &row.auth,
            row.what,
            receipt.delivery.name(),
            error.map(|error| error.code().name()).unwrap_or_default(),
            error.and_then(Error::service_code).unwrap_or_default(),
            &receipt.attempts.to_string(),
            &receipt.elapsed_ms.to_string(),
        ]);
    }
    refused.write(out)
}
