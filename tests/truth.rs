//! docs/truth.md, which is written from the corpus of answers by `make truth`.

#[path = "corpus/case.rs"]
mod case;
#[path = "corpus/truth.rs"]
mod page;

use std::path::Path;
use std::{env, fs};

#[test]
fn truth_page_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/truth.md");
    let generated = page::page();
    if env::var_os("HY_BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, &generated).expect("docs/truth.md is written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let lines = committed.lines().zip(generated.lines());
    let first = lines.clone().position(|(committed, generated)| committed != generated);
    let line = first.unwrap_or_else(|| lines.count()) + 1;
    assert!(committed == generated, "docs/truth.md differs at line {line}: see `make truth`");
}
