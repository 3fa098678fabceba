//! docs/logging.md lists every target of the library's log, with its level, and none besides.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => sources(&path, into),
            false if path.extension().is_some_and(|e| e == "rs") => into.push(path),
            false => {}
        }
    }
}

/// Level and target of each line that the source logs.
fn logged() -> BTreeSet<(String, String)> {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let mut found = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("UTF-8");
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let text = lines.collect::<Vec<_>>().join("\n");
        for call in text.split("log!(").skip(1) {
            let mut words = call.split(',').map(str::trim);
            let (level, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            let target = target.strip_prefix('"').and_then(|target| target.strip_suffix('"'));
            if let Some(target) = target.filter(|target| target.starts_with("hongyan")) {
                found.insert((level.to_lowercase(), target.to_owned()));
            }
        }
        let named = text.matches("\"hongyan::").count();
        let called = text.split("log!(").skip(1).filter(|call| {
            call.split(',').nth(1).is_some_and(|target| target.trim().starts_with("\"hongyan::"))
        });
        assert_eq!(named, called.count(), "{}: a target outside log!", file.display());
    }
    found
}

/// Level and target of each row of the page.
fn told() -> BTreeSet<(String, String)> {
    let page = fs::read_to_string(root().join("docs/logging.md")).expect("the page");
    let rows = page.lines().filter(|line| line.contains("| `hongyan::"));
    let rows = rows.map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        (cells[1].to_owned(), cells[3].trim_matches('`').to_owned())
    });
    rows.collect()
}

#[test]
fn the_page_lists_what_the_library_logs() {
    let logged = logged();
    assert!(logged.len() >= 4, "{logged:?}");
    assert_eq!(logged, told(), "src (left) and docs/logging.md (right)");
}
