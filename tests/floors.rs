//! The floors of the house: a module uses lower floors only, and each tool has one place.

use std::fs;
use std::path::{Path, PathBuf};

/// From the lowest floor to the highest.
const FLOORS: [&str; 7] = ["model", "service", "net", "engine", "outbox", "client", "capi"];

/// What may be named in one place only.
const PLACES: [(&str, &[&str]); 11] = [
    (
        "tokio",
        &[
            "src/engine",
            "src/net/dial.rs",
            "src/net/http",
            "src/net/smtp",
            "src/net/time_out.rs",
            "src/net/tls/postgres",
        ],
    ),
    ("tokio_postgres", &["src/engine/store/postgres", "src/net/tls/postgres"]),
    ("tokio_rustls", &["src/net/http", "src/net/smtp", "src/net/tls/postgres"]),
    ("hyper", &["src/net"]),
    ("reqwest", &["src/net"]),
    ("socket2", &["src/net/dial.rs", "src/net/http"]),
    ("rustls", &["src/net"]),
    ("libc", &["src/engine/results/wake.rs", "src/model/file.rs"]),
    ("rusqlite", &["src/engine/store"]),
    ("unsafe", &["src/capi", "src/engine/results/wake.rs"]),
    ("std::net::TcpStream", &["src/net/tls/folders.rs"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src can be read") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => sources(&path, found),
            false if path.extension().is_some_and(|e| e == "rs") => found.push(path),
            false => {}
        }
    }
}

/// The code of a file, line by line, without comments and strings of documentation.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines =
        text.lines().enumerate().map(|(i, line)| (i + 1, line.split("//").next().unwrap_or("")));
    lines.filter(|(_, line)| !line.trim().is_empty())
}

/// The floor of a file, by its path below `src`.
fn floor(path: &str) -> Option<usize> {
    let module = path.strip_prefix("src/")?.split(['/', '.']).next()?;
    FLOORS.iter().position(|floor| *floor == module)
}

/// True if `word` stands in `line` as a word of its own.
fn names(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part)
    })
}

/// Everything in one file that breaks the house's rules.
fn faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in code(text) {
        if let Some(own) = floor(path) {
            for (other, name) in FLOORS.iter().enumerate().skip(own + 1) {
                if line.contains(&format!("crate::{name}")) {
                    faults.push(format!(
                        "{path}:{number}: floor {own} uses floor {other}: {}",
                        line.trim()
                    ));
                }
            }
        }
        for (tool, places) in PLACES {
            let allowed =
                places.iter().any(|place| path.starts_with(place)) || path == "src/lib.rs";
            if !allowed && names(line, tool) {
                faults.push(format!(
                    "{path}:{number}: {tool} belongs to {places:?}: {}",
                    line.trim()
                ));
            }
        }
    }
    faults
}

#[test]
fn no_module_uses_a_higher_floor() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    assert!(files.len() > 30, "the sources were not found");
    let mut found = Vec::new();
    for file in files {
        let path =
            file.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
        found.extend(faults(&path, &fs::read_to_string(&file).expect("UTF-8")));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn an_upward_import_and_a_tool_in_the_wrong_place_are_found() {
    assert_eq!(faults("src/service/x.rs", "use crate::engine::Engine;").len(), 1);
    assert_eq!(faults("src/model.rs", "fn f(x: crate::client::Client) {}").len(), 1);
    assert_eq!(faults("src/client.rs", "use crate::model::error::Error;").len(), 0);
    assert_eq!(faults("src/client.rs", "    tokio::spawn(x);").len(), 1);
    assert_eq!(faults("src/engine/results/queue.rs", "    unsafe { f() }").len(), 1);
    assert_eq!(faults("src/net/http.rs", "use reqwest::Body; // tokio is elsewhere").len(), 0);
}
