//! A worker as a process, asked over HTTP and told by signals.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use super::common::Folder;
use super::raw::GUARD;

/// A worker that runs.
pub struct Worker {
    pub child: Child,
    out: BufReader<ChildStdout>,
    /// Where it is asked.
    pub health: String,
}

impl Worker {
    /// Starts one in this folder, and waits until it is ready.
    pub fn start(folder: &Folder) -> Worker {
        let mut worker = Worker::begin(folder);
        worker.told("ready");
        worker
    }

    /// Starts one in this folder, whether or not it gets ready.
    pub fn begin(folder: &Folder) -> Worker {
        let mut command = folder.command(&["worker", "--json", "--health", "127.0.0.1:0"]);
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.expect("the command runs");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut worker = Worker { child, out, health: String::new() };
        let started = worker.told("started");
        let url = started["health"].as_str().expect("a URL");
        worker.health = url.strip_prefix("http://").expect("HTTP").to_owned();
        worker
    }

    /// The next event, which must be this one.
    pub fn told(&mut self, event: &str) -> Value {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        let told: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}"));
        assert_eq!(told["event"], event, "{told}");
        told
    }

    /// Status and body of what it answers.
    pub fn ask(&self, method: &str, path: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.health).expect("it listens");
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n").expect("a request");
        let mut whole = String::new();
        stream.read_to_string(&mut whole).expect("an answer");
        let (head, body) = whole.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("a status"), head.to_owned(), body.to_owned())
    }

    /// Asks until the answer is so.
    pub fn ask_until(&self, path: &str, is_so: impl Fn(u16, &str) -> bool) {
        let start = Instant::now();
        loop {
            let (status, _, body) = self.ask("GET", path);
            if is_so(status, &body) {
                return;
            }
            assert!(start.elapsed() < GUARD, "{path} still says {status}: {body}");
        }
    }

    pub fn terminate(&self) {
        let mut kill = Command::new("kill");
        let kill = kill.args(["-TERM", &self.child.id().to_string()]);
        assert!(kill.status().expect("kill runs").success());
    }

    /// Waits for its end; tells its exit status and what it said to standard error.
    pub fn ended(mut self) -> (Option<i32>, String) {
        self.told("ended");
        let output = self.child.wait_with_output().expect("it ends");
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    }
}
