//! What the lock files say that decides how large what we release is.

use std::fs;
use std::path::Path;

/// The version of a package in a lock file.
fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    rest.split('"').next()
}

#[test]
fn no_tables_of_international_host_names_are_built_in() {
    // The stream 1.0 of this crate is the one without; `cargo update` would take the newest. Hosts are
    // refused that would need them (`src/model/config.rs`).
    for folder in ["", "bindings/python", "fuzz"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("Cargo.lock");
        let lock = fs::read_to_string(&file).expect("a lock file");
        assert_eq!(
            locked(&lock, "idna_adapter"),
            Some("1.0.0"),
            "{}: cargo update -p idna_adapter --precise 1.0.0",
            file.display()
        );
    }
}
