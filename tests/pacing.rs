//! A run at a documented limit, against the sandbox: real sockets, and a service that counts by when
//! requests arrive.
//!
//! `HY_MESSAGES=2000` makes the run longer, and prints what was taken in each of its seconds.

#[path = "support/accounts.rs"]
mod accounts;

use std::collections::BTreeMap;
use std::time::Instant;

use accounts::{client, message_with, take};
use hongyan::SubmitOptions;
use hongyan_sandbox::{Options, Sandbox};
use serde_json::json;

/// Groups of the sandbox in which its administrator may speak.
const GROUPS: [&str; 5] =
    ["@TGS#2C5SZEAEF", "@TGS#12DEVUDHQ", "@TGS#MEETING", "@TGS#AVCHATROOM", "@TGS#_COMMUNITY"];

#[test]
fn the_sandbox_refuses_nothing_of_a_run_at_the_documented_limit() {
    let longer = std::env::var("HY_MESSAGES").ok().map(|n| n.parse().expect("a number"));
    let messages: usize = longer.unwrap_or(500);
    let sandbox = Sandbox::start(Options::default()).expect("a sandbox");
    let mut config = sandbox.config();
    config["max_in_flight"] = json!(2 * messages);
    let client = client(&config);
    let began = Instant::now();
    for n in 0..messages {
        let to = json!({"to": {"group": GROUPS[n % GROUPS.len()]}, "text": format!("{n}")});
        let message = message_with("tencent_im-usersig", to).to_string();
        client.submit(message.as_bytes(), SubmitOptions::token(n as u64)).expect("accepted");
    }
    let (mut attempts, mut seconds) = (0, BTreeMap::new());
    for _ in 0..messages {
        let receipt = take(&client);
        assert_eq!(receipt.delivery.name(), "sent", "{:?}", receipt.error);
        attempts += receipt.attempts as usize;
        *seconds.entry(began.elapsed().as_secs()).or_insert(0) += 1;
    }
    if longer.is_some() {
        eprintln!("{attempts} attempts in {:?}, a second: {:?}", began.elapsed(), seconds.values());
    }
    // A machine that stands still between a clock's reading and a write can make one late.
    assert!(attempts - messages <= messages / 100, "{} were refused", attempts - messages);
}
