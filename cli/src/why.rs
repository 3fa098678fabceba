//! `hongyan why`: what became of a message, attempt by attempt, and whether to send it again.

mod verdict;

use std::io::Write;
use std::path::Path;

use hongyan::{Delivery, OutboxRow, OutboxState, Preview};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::args::WhyArgs;
use crate::config::{self, Config};
use crate::exit::Exit;
use crate::output::{Output, line, shown};
use crate::queue;
use crate::table::Table;
use crate::{outbox, send};
use verdict::Fired;

/// What an outbox keeps of a result, as far as it is told here.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Kept {
    service: Option<String>,
    deduplicated: bool,
    recovered: bool,
    attempts: u32,
    error: Option<Wrong>,
    raw: Option<Box<RawValue>>,
    trace: Vec<Attempt>,
}

/// What is told to programs.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    rest: Value,
    /// As it came, every digit of it.
    answer: Option<Box<RawValue>>,
}

/// Why it was not sent.
#[derive(Deserialize)]
pub struct Wrong {
    name: String,
    message: String,
    service_code: Option<String>,
    http_status: Option<u16>,
    retryable: bool,
    retry_after_ms: Option<u64>,
}

#[derive(Deserialize)]
struct Attempt {
    at_ms: u64,
    ms: u64,
    http_status: Option<u16>,
    name: String,
    delivery: String,
    wait_ms: u64,
}

/// Explains one message.
pub fn run(
    args: &WhyArgs,
    config: Option<&Path>,
    json: bool,
    out: &mut Output,
) -> anyhow::Result<Exit> {
    let file = config::outbox(config, args.at.outbox.as_deref())?;
    let row = queue::find(&file, &args.id)?;
    let result = outbox::result(&row);
    let stored = row.receipt.as_deref().map(serde_json::from_slice::<Kept>);
    let kept = stored.and_then(Result::ok).unwrap_or_default();
    let request = request(config, &row);
    let fired = verdict::fired(&kept);
    let words = conclusion(&row, &kept);
    if json {
        let (request, absent) = match &request {
            Ok(preview) => (send::preview_json(preview), None),
            Err(why) => (Value::Null, Some(why)),
        };
        let told = Told {
            rest: json!({
                "v": 1, "id": row.id, "account": row.account, "state": row.state.name(),
                "delivery": row.delivery.map(Delivery::name), "attempts": result["trace"],
                "request": request, "request_absent": absent, "error": result["error"],
                "verdict": row.delivery.map(|_| fired.to_json()), "again": words,
            }),
            answer: kept.raw,
        };
        writeln!(out, "{}", serde_json::to_string(&told)?)?;
        return Ok(Exit::Sent);
    }
    writeln!(out, "{}: account {}, {}", row.id, line(&row.account), queue::in_words(row.state))?;
    writeln!(out, "accepted {}", outbox::time(row.accepted_ms))?;
    attempts(&row, &kept, out)?;
    writeln!(out, "\nrequest, as it would be made now:")?;
    match &request {
        Ok(preview) => send::show_preview(preview, out)?,
        Err(why) => writeln!(out, "  not shown: {}", line(why))?,
    }
    if let Some(raw) = &kept.raw {
        let text: Result<String, _> = serde_json::from_str(raw.get());
        let text = text.unwrap_or_else(|_| raw.get().to_owned());
        writeln!(out, "\nlast answer:\n{}", shown(&text))?;
    }
    if row.delivery.is_some() {
        writeln!(out, "\nverdict: {}", line(&fired.words()))?;
    }
    writeln!(out, "\n{}", line(&words))?;
    Ok(Exit::Sent)
}

/// The request that the message becomes, its secrets masked, or why that is not known.
fn request(config: Option<&Path>, row: &OutboxRow) -> Result<Preview, String> {
    let client = Config::load(config).and_then(|config| config.client());
    let client = client.map_err(|usage| usage.to_string())?;
    client.preview_row(row).map_err(|error| error.to_string())
}

fn attempts(row: &OutboxRow, kept: &Kept, out: &mut Output) -> std::io::Result<()> {
    if kept.trace.is_empty() {
        let begun = kept.attempts.max(row.attempts);
        let first =
            row.first_sent_ms.map(|at| format!(", the last bytes first sent {}", outbox::time(at)));
        return writeln!(out, "attempts begun: {begun}{}", first.unwrap_or_default());
    }
    let mut table = Table::new(&["ATTEMPT", "AT", "MS", "HTTP", "NAME", "DELIVERY", "THEN WAITED"]);
    for (n, attempt) in kept.trace.iter().enumerate() {
        let wait = match attempt.wait_ms {
            0 => String::new(),
            ms => format!("{ms} ms"),
        };
        let status = attempt.http_status.map(|status| status.to_string()).unwrap_or_default();
        let (n, at, ms) =
            ((n + 1).to_string(), outbox::time(attempt.at_ms), attempt.ms.to_string());
        table.row([&n, &at, &ms, &status, &attempt.name, &attempt.delivery, &wait]);
    }
    writeln!(out)?;
    table.write(out)
}

/// What happened, whether it is safe to send again, and why.
fn conclusion(row: &OutboxRow, kept: &Kept) -> String {
    let why = kept.error.as_ref().map(|error| error.message.trim_end_matches('.').to_owned());
    let why = why.unwrap_or_else(|| "no reason is known".to_owned());
    let earlier = if kept.recovered { " An earlier run had begun it." } else { "" };
    match (row.delivery, row.state) {
        (None, OutboxState::Begun) => {
            "A request of it may have gone, and there is no result yet. Do not send it again: that \
             may deliver it twice. Its owner, or the next run, tells what became of it."
                .to_owned()
        }
        (None, _) => {
            let so_far = match row.attempts {
                0 => "Nothing of it was sent yet".to_owned(),
                1 => "1 attempt was made, of which nothing arrived".to_owned(),
                n => format!("{n} attempts were made, of which nothing arrived"),
            };
            format!(
                "{so_far}, and it is still to be sent. Do not send it again: whoever owns the \
                 outbox will."
            )
        }
        (Some(Delivery::Sent), _) if kept.deduplicated => format!(
            "It was sent: once, by an earlier request, and not again.{earlier} Sending it again is \
             not needed."
        ),
        (Some(Delivery::Sent), _) => format!(
            "It was sent: the service said so, in its own whole answer.{earlier} Sending it again \
             is not needed, and would deliver it twice."
        ),
        (Some(Delivery::PartlySent), _) => format!(
            "Some of its recipients, or the first parts of its text, have arrived, and the rest surely has \
             not: {why}.{earlier} Do not send the whole again: `queue retry` sends the rest only."
        ),
        (Some(Delivery::MaybeSent), _) => format!(
            "It may have arrived, and nobody can know: {why}.{earlier} Sending it again is not \
             safe, since it may deliver it twice: look first whether it arrived."
        ),
        (Some(Delivery::NotSent), _) => {
            let error = kept.error.as_ref();
            let then = match error.map(|error| (error.retryable, error.retry_after_ms)) {
                Some((true, Some(ms))) => format!("and may work in {} s", ms.div_ceil(1000)),
                Some((true, None)) => "and may work".to_owned(),
                _ => "but will fail the same way until something changes".to_owned(),
            };
            format!(
                "It was not sent: {why}.{earlier} Sending it again is safe, since nothing of it \
                 arrived, {then}."
            )
        }
    }
}

impl Fired {
    fn to_json(&self) -> Value {
        match self {
            Fired::Row(row) => row.clone(),
            Fired::Rule(words) => {
                let mut fields = Map::new();
                fields.insert("note".to_owned(), (*words).into());
                Value::Object(fields)
            }
        }
    }

    fn words(&self) -> String {
        let row = match self {
            Fired::Rule(words) => return (*words).to_owned(),
            Fired::Row(row) => row,
        };
        let field = |name: &str| match &row[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let text = match field("text") {
            text if text.is_empty() => String::new(),
            text => format!(" with {text:?}"),
        };
        format!(
            "{} code {}{text} is {}, {}, {}: {} (source: {})",
            field("service"),
            field("code"),
            field("name"),
            field("delivery"),
            field("class"),
            field("note"),
            field("source"),
        )
    }
}
