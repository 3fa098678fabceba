//! What a configuration of many accounts costs: the time of `Client::from_json`, and the memory that it
//! keeps.
//!
//! ```text
//! cargo bench --bench accounts -- [--accounts N]
//! ```
//!
//! Time is that of the CPU, kernel included, for this machine may be at other work (Linux). Memory is what the
//! allocator was asked for and has not got back; the configuration's JSON is not in it.

mod memory;

use std::time::Duration;

use hongyan::Client;
use serde_json::{Map, Value, json};

/// Rounds of which the fastest counts.
const ROUNDS: usize = 5;

/// The most that 10,000 accounts may take, and that one may keep.
const MOST_MS: u128 = 150;
const MOST_BYTES: usize = 2048;

fn account(service: &str, i: usize) -> Value {
    match service {
        "fanfou" => json!({"service": "fanfou", "auth": {"type": "oauth1",
            "consumer_key": "b4b8dfc5c4b7a4b5", "consumer_secret": "fc3e7e2a7a3f4d6b8e2a7a3f4d6b8e2a",
            "token": format!("user-{i}-4f6f5e8ac1"), "token_secret": format!("secret-{i}-99ab33d1")}}),
        "weibo" => json!({"service": "weibo",
            "auth": {"type": "oauth2", "token": format!("2.00_token_{i}_of_a_user")}}),
        _ => json!({"service": "tencent_im", "region": "cn", "auth": {"type": "usersig",
            "sdk_app_id": 1_400_000_000 + i, "identifier": "administrator",
            "secret_key": format!("{i:064x}")}}),
    }
}

fn config(services: &[&str], count: usize) -> String {
    let named = |i: usize| (format!("account-{i}"), account(services[i % services.len()], i));
    let accounts: Map<String, Value> = (0..count).map(named).collect();
    json!({"v": 1, "accounts": accounts}).to_string()
}

/// How long this thread has been on a CPU.
fn cpu_time() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = told.split(' ').next().and_then(|told| told.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--accounts").skip(1);
    let count = arguments.next().map_or(10_000, |count| count.parse().expect("a number"));
    let mut fails = false;
    println!("{:>12}{:>10}{:>18}", "service", "ms", "bytes an account");
    for services in
        [&["fanfou"][..], &["weibo"], &["tencent_im"], &["fanfou", "weibo", "tencent_im"]]
    {
        let json = config(services, count);
        let (mut fastest, mut bytes) = (Duration::MAX, 0);
        for _ in 0..ROUNDS {
            let (held, began) = (memory::held(), cpu_time());
            let client = Client::from_json(&json).expect("valid accounts");
            fastest = fastest.min(cpu_time() - began);
            bytes = memory::held().saturating_sub(held) / count;
            drop(client);
        }
        let name = if services.len() == 1 { services[0] } else { "all three" };
        println!("{name:>12}{:>10}{bytes:>18}", fastest.as_millis());
        fails |=
            bytes > MOST_BYTES || fastest.as_millis() > MOST_MS * count.div_ceil(10_000) as u128;
    }
    assert!(
        !fails,
        "more than {MOST_MS} ms for 10,000 accounts, or than {MOST_BYTES} bytes for one"
    );
}
