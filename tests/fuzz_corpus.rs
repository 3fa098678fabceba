//! The inputs that fuzzing keeps, run through the same checks without a fuzzer.

#[path = "../fuzz/src/checks.rs"]
mod checks;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use checks::CHECKS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The files and folders in a folder, in an order that stays.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths
}

fn stems(folder: &str) -> BTreeSet<String> {
    let stem = |path: PathBuf| path.file_stem().map(|s| OsStr::to_string_lossy(s).into_owned());
    entries(&fuzz().join(folder)).into_iter().filter_map(stem).collect()
}

#[test]
fn every_target_has_its_check_and_its_inputs() {
    let names: BTreeSet<_> = CHECKS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stems("fuzz_targets"), names);
    assert_eq!(stems("corpus"), names);
}

#[test]
fn every_stored_input_passes() {
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        let inputs = entries(&fuzz().join("corpus").join(name));
        assert!(inputs.len() >= 10, "{name} has {} inputs only", inputs.len());
        for path in inputs {
            let input = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            // The panic itself says what is wrong; which input it was it does not know.
            if std::panic::catch_unwind(|| check(&input)).is_err() {
                failed.push(path);
            }
        }
    }
    assert!(failed.is_empty(), "these inputs fail: {failed:#?}");
}
