//! The header that is committed is the one that the source makes.

#![cfg(feature = "capi")]

use std::fs;
use std::path::Path;

#[test]
fn committed_header_is_the_generated_one() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/hongyan.h");
    let generated = fs::read_to_string(env!("HY_GENERATED_HEADER")).unwrap();
    if std::env::var_os("HY_BLESS").is_some_and(|value| value == "1") {
        fs::write(&committed, &generated).unwrap();
    }
    assert!(
        fs::read_to_string(&committed).unwrap_or_default() == generated,
        "include/hongyan.h differs from {}; HY_BLESS=1 rewrites it",
        env!("HY_GENERATED_HEADER")
    );
}
