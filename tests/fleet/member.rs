//! Workers and submitters of a fleet: this program, run again as children.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hongyan::{Client, ErrorCode, SubmitOptions};
use serde_json::Value;

use crate::messages::message;

/// Holds the order of a child.
const CHILD: &str = "HONGYAN_TEST_FLEET_CHILD";

/// Does what the parent ordered, if this is a child.
pub fn is_child() -> bool {
    let order = std::env::var(CHILD);
    order.inspect(|order| work(&serde_json::from_str(order).expect("an order"))).is_ok()
}

fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).expect("a pipe");
}

/// The next line of the parent; false once it is gone.
fn is_told_to_go_on() -> bool {
    std::io::stdin().read_line(&mut String::new()).unwrap_or(0) > 0
}

/// What a child does until it is killed, or its parent closes its input.
fn work(order: &Value) {
    let config = order["config"].to_string();
    let client = loop {
        match Client::from_json(&config) {
            Ok(client) => break client,
            // The outbox may be away at the moment.
            Err(error) => assert_eq!(error.code(), ErrorCode::Storage, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    tell("ready");
    if let (Some(own), Some(from)) = (order["submitter"].as_u64(), order["from"].as_u64()) {
        for n in from.. {
            let json = message(own, n).to_string();
            match client.submit(json.as_bytes(), SubmitOptions::token(n)) {
                Ok(op) => tell(&format!("accepted {n} {}", op.id())),
                Err(error) => tell(&format!("refused {n} {}", error.code().name())),
            }
            // Not faster than the parent reads it.
            if !is_told_to_go_on() {
                return;
            }
        }
    }
    while is_told_to_go_on() {}
}

/// A child, and the lines that it tells.
pub struct Member {
    child: Child,
    pub lines: Receiver<String>,
}

impl Member {
    /// Starts the child, which finds its order in the test of this name.
    pub fn start(test: &str, order: &Value) -> Member {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", test, "--nocapture"])
            .env(CHILD, order.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        std::thread::spawn(move || {
            out.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        Member { child, lines }
    }

    pub fn go_on(&mut self) {
        if let Some(input) = &mut self.child.stdin {
            // One that was killed reads nothing any more.
            let _ = input.write_all(b"\n");
        }
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.kill();
    }
}
