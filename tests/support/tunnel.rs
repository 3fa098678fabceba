//! A proxy that opens tunnels, and what carries bytes both ways.

#![allow(dead_code, reason = "each test uses its part of it")]

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::raw::RawServer;

/// A proxy for tunnels: the heads of the requests that it gets, and its answer to each.
pub fn tunnelling(answers: &'static [&'static str]) -> (RawServer, Arc<Mutex<Vec<String>>>) {
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&heads);
    let server = RawServer::wild(move |stream| {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if stream.read(&mut byte)? == 0 {
                return Ok(());
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let answer = {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(head.clone());
            answers[(seen.len() - 1).min(answers.len() - 1)]
        };
        stream.write_all(answer.as_bytes())?;
        if answer.starts_with("HTTP/1.1 200") {
            let to = head.split(' ').nth(1).unwrap_or_default().to_owned();
            splice(stream, &TcpStream::connect(to)?)?;
        }
        Ok(())
    });
    (server, heads)
}

/// Carries bytes both ways until both ends are done.
pub fn splice(one: &TcpStream, other: &TcpStream) -> io::Result<()> {
    let copy = |mut from: TcpStream, mut to: TcpStream| {
        // Either may be gone, which ends it.
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    };
    let back = (other.try_clone()?, one.try_clone()?);
    let thread = thread::spawn(move || copy(back.0, back.1));
    copy(one.try_clone()?, other.try_clone()?);
    let _ = thread.join();
    Ok(())
}

/// The answer by which a tunnel is open.
pub const ESTABLISHED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";
