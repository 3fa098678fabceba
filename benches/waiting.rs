//! What a message costs in memory that waits for its pace.
//!
//! ```text
//! cargo bench --bench waiting -- [--messages N]
//! ```
//!
//! Memory is what the allocator was asked for and has not got back, from before the messages are submitted to
//! when all but the first wait for their turn.

mod memory;

use std::time::Duration;

use hongyan::{Client, SubmitOptions};
use serde_json::{Value, json};

fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--messages").skip(1);
    let count: usize = arguments.next().map_or(100_000, |count| count.parse().expect("a number"));
    // Nobody listens there: the first message ends, or is tried again, and takes the place of the hour.
    let config = json!({"v": 1, "max_in_flight": count + 1, "accounts": {"a": {
        "service": "weibo", "base_url": "http://127.0.0.1:9", "auth": {"type": "oauth2", "token": "t"},
        "rate": {"count": 1, "per_ms": 3_600_000}}}});
    let client = Client::from_json(&config.to_string()).expect("a configuration");
    let before = memory::held();
    for number in 0..count {
        let text = format!("message {number}, of as many letters as many of them have");
        let message =
            json!({"v": 1, "account": "a", "to": {"user": "2125034703"}, "text": text}).to_string();
        let options = SubmitOptions::token(number as u64);
        drop(client.submit(message.as_bytes(), options).expect("accepted"));
    }
    loop {
        let stats: Value = serde_json::from_str(&client.stats_json()).expect("JSON");
        if stats["accounts"]["a"]["waiting"]["pace"].as_u64() >= Some(count as u64 - 1) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let bytes = memory::held().saturating_sub(before) / count;
    println!("{count} messages wait for their pace: {bytes} bytes each");
}
