//! The counters of a client as Prometheus reads them.

use std::fmt::Write as _;

use serde_json::Value;

/// The verdicts, as counted.
const VERDICTS: [&str; 4] = ["sent", "partly_sent", "not_sent", "maybe_sent"];

/// All metrics of this process; without counters those only that need none.
pub fn text(stats: Option<&Value>, ready: bool) -> String {
    let mut text = String::new();
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    family(&mut text, "hongyan_build_info", "gauge", "The version of this worker.");
    sample(&mut text, "hongyan_build_info", &version, "1");
    family(&mut text, "hongyan_ready", "gauge", "1 if this worker sends what is due.");
    sample(&mut text, "hongyan_ready", &[], if ready { "1" } else { "0" });
    if let Some(stats) = stats {
        outbox(&mut text, stats);
        accounts(&mut text, stats);
    }
    text
}

fn outbox(text: &mut String, stats: &Value) {
    let outbox = &stats["outbox"];
    let leases = outbox.get("leases").unwrap_or(&stats["in_flight"]);
    for (name, help, value) in [
        ("hongyan_leases", "Messages that this process has taken up to send.", leases),
        (
            "hongyan_outbox_messages",
            "Messages of the outbox without an acknowledged result, as this process knows it.",
            &outbox["messages"],
        ),
        (
            "hongyan_outbox_unfinished",
            "Those of them without a result, as this process knows it.",
            &outbox["unfinished"],
        ),
    ] {
        if value.is_number() {
            family(text, name, "gauge", help);
            sample(text, name, &[], &value.to_string());
        }
    }
}

fn accounts(text: &mut String, stats: &Value) {
    let none = serde_json::Map::new();
    let accounts = stats["accounts"].as_object().unwrap_or(&none);
    let labels = |name: &'static str, account: &'static str| [name, account];
    let [account, service] = labels("account", "service");
    let each = |text: &mut String, name: &str, field: &dyn Fn(&Value) -> Value| {
        for (of, told) in accounts {
            let value = field(told);
            if value.is_number() {
                let labels = [(account, of.as_str()), (service, named(told))];
                sample(text, name, &labels, &value.to_string());
            }
        }
    };

    let name = "hongyan_accepted_total";
    family(text, name, "counter", "Messages that this process has accepted.");
    each(text, name, &|told| told["accepted"].clone());

    let name = "hongyan_delivered_total";
    family(text, name, "counter", "Messages that this process has brought to a verdict.");
    for (of, told) in accounts {
        for verdict in VERDICTS {
            let labels = [(account, of.as_str()), (service, named(told)), ("verdict", verdict)];
            sample(text, name, &labels, &told[verdict].to_string());
        }
    }

    let name = "hongyan_retried_total";
    family(text, name, "counter", "Attempts that another one followed.");
    each(text, name, &|told| told["retried"].clone());

    let name = "hongyan_waiting";
    family(text, name, "gauge", "Messages in this process that wait, by what they wait for.");
    for (of, told) in accounts {
        for (reason, count) in told["waiting"].as_object().unwrap_or(&none) {
            let labels =
                [(account, of.as_str()), (service, named(told)), ("reason", reason.as_str())];
            sample(text, name, &labels, &count.to_string());
        }
    }

    let name = "hongyan_in_flight";
    family(text, name, "gauge", "Messages that this process is at work on.");
    each(text, name, &|told| told["in_flight"].clone());

    let name = "hongyan_connections_in_use";
    family(text, name, "gauge", "Connections to services that are in use.");
    each(text, name, &|told| told["connections_in_use"].clone());

    let name = "hongyan_account_stopped";
    family(text, name, "gauge", "1 of an account that its service has stopped.");
    each(text, name, &|told| Value::from(u8::from(!told["stopped"].is_null())));

    latency(text, stats);
}

/// How long messages took that were sent, from when this process had them.
fn latency(text: &mut String, stats: &Value) {
    let none = serde_json::Map::new();
    family(
        text,
        "hongyan_latency_seconds",
        "histogram",
        "How long it took to send a message, waits included, since this process had it.",
    );
    for (of, told) in stats["accounts"].as_object().unwrap_or(&none) {
        let latency = &told["latency"];
        let (Some(count), Some(sum)) = (latency["count"].as_u64(), latency["sum_ms"].as_u64())
        else {
            continue;
        };
        let own = [("account", of.as_str()), ("service", named(told))];
        let below = latency["below_ms"].as_object().unwrap_or(&none);
        for (ms, so_far) in below {
            let bound = ms.parse().map_or_else(|_| ms.clone(), seconds);
            let labels = [own[0], own[1], ("le", bound.as_str())];
            sample(text, "hongyan_latency_seconds_bucket", &labels, &so_far.to_string());
        }
        let all = [own[0], own[1], ("le", "+Inf")];
        sample(text, "hongyan_latency_seconds_bucket", &all, &count.to_string());
        sample(text, "hongyan_latency_seconds_sum", &own, &seconds(sum));
        sample(text, "hongyan_latency_seconds_count", &own, &count.to_string());
    }
}

/// Milliseconds as seconds, every digit of them.
fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

fn named(told: &Value) -> &str {
    told["service"].as_str().unwrap_or_default()
}

fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    // A string takes all that is written to it.
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

fn sample(text: &mut String, name: &str, labels: &[(&str, &str)], value: &str) {
    let labels: Vec<_> =
        labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    let labels = match labels.is_empty() {
        true => String::new(),
        false => format!("{{{}}}", labels.join(",")),
    };
    let _ = writeln!(text, "{name}{labels} {value}");
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn counters_are_written_as_prometheus_reads_them() {
        let stats = json!({"v": 1, "in_flight": 3, "outbox": {"messages": 9, "unfinished": 4},
            "accounts": {"a\"\\\n": {"service": "fanfou", "accepted": 1, "sent": 2,
                "partly_sent": 0, "not_sent": 3, "maybe_sent": 4, "retried": 5, "in_flight": 6,
                "connections_in_use": 7, "stopped": null, "waiting": {"time": 8, "pace": 9},
                "latency": {"count": 2, "sum_ms": 1503, "below_ms": {"4": 1, "2048": 2}}}}});
        let text = text(Some(&stats), true);
        let own = r#"account="a\"\\\n",service="fanfou""#;
        for line in [
            "hongyan_ready 1".to_owned(),
            "hongyan_leases 3".to_owned(),
            "hongyan_outbox_messages 9".to_owned(),
            format!("hongyan_delivered_total{{{own},verdict=\"maybe_sent\"}} 4"),
            format!("hongyan_waiting{{{own},reason=\"pace\"}} 9"),
            format!("hongyan_account_stopped{{{own}}} 0"),
            format!("hongyan_latency_seconds_bucket{{{own},le=\"0.004\"}} 1"),
            format!("hongyan_latency_seconds_bucket{{{own},le=\"2.048\"}} 2"),
            format!("hongyan_latency_seconds_bucket{{{own},le=\"+Inf\"}} 2"),
            format!("hongyan_latency_seconds_sum{{{own}}} 1.503"),
            format!("hongyan_latency_seconds_count{{{own}}} 2"),
        ] {
            assert!(text.lines().any(|told| told == line), "{line}\n{text}");
        }
        // Each family is told once, and its samples stand together.
        let families: Vec<_> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
        let unique: std::collections::HashSet<_> = families.iter().collect();
        assert_eq!(families.len(), unique.len());
        assert!(text.ends_with('\n') && !text.contains("\n\n"));
    }

    #[test]
    fn a_worker_without_an_outbox_has_metrics_too() {
        let text = text(None, false);
        assert!(text.contains("\nhongyan_ready 0\n") && !text.contains("hongyan_leases"), "{text}");
    }
}
