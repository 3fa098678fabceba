//! The C that the documents show: it is compiled and run as it stands there.

#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "the tests of a target use more of it")]
#[path = "support/target.rs"]
mod target;
#[allow(dead_code, reason = "the tests of the ABI use more of it")]
#[path = "support/toolchain.rs"]
mod toolchain;

use std::fs;
use std::process::Command;

use hongyan_sandbox::{Options, Sandbox};
use serde_json::json;
use toolchain::{link_shared, root, run, text_of, work_dir};

/// What the texts leave to their reader: a configuration, some messages, what is done with results.
fn program(body: &str) -> String {
    format!(
        r#"#include <hongyan.h>
#include <stdio.h>
#include <stdlib.h>

static void done(uint64_t token, int32_t delivery) {{
    printf("result %d: %d\n", (int)token, (int)delivery);
}}

int main(int argc, char **argv) {{
    const char *config_json = argv[1];
    const char *const *messages = (const char *const *)(argv + 2);
    uint64_t n = (uint64_t)(argc - 2);
    (void)messages, (void)n, (void)done;
{body}
    return 0;
}}
"#
    )
}

/// What the program prints when it runs against a sandbox.
fn run_against(sandbox: &Sandbox, name: &str, body: &str) -> String {
    let source = work_dir("documented").join(format!("{name}.c"));
    fs::write(&source, program(body)).unwrap();
    let binary = source.with_extension("");
    let mut command = Command::new("gcc");
    command.args(["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]).arg(&source);
    link_shared(&mut command, &binary);
    let compiled = run(&mut command);
    assert!(compiled.status.success(), "{}", text_of(&compiled));
    let accounts = &sandbox.config()["accounts"];
    let accounts = json!({"ff": accounts["fanfou-oauth1"], "ops": accounts["telegram"]});
    let config = json!({"v": 1, "accounts": accounts}).to_string();
    let message = |user: &str| {
        let to = json!({"user": user});
        json!({"v": 1, "account": "ff", "to": to, "text": format!("for {user}")}).to_string()
    };
    // A program that never ends is killed, and fails the test by its status.
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "300"]).arg(binary).arg(config);
    let output = run(command.args([message("lisztli"), message("nobody"), message("test")]));
    assert!(output.status.success(), "{:?}: {}", output.status, text_of(&output));
    text_of(&output)
}

#[test]
fn the_tutorial_of_the_header_runs_as_it_stands() {
    let header = fs::read_to_string(root().join("include/hongyan.h")).unwrap();
    let lines = header.lines().skip_while(|line| !line.contains("A tutorial in twenty lines"));
    let lines = lines.take_while(|line| !line.contains("Rules that hold for every function"));
    let code: Vec<_> = lines.filter_map(|line| line.strip_prefix(" *     ")).collect();
    assert!(code.len() > 15, "{code:?}");
    let sandbox = Sandbox::start(Options::default()).unwrap();
    let told = run_against(&sandbox, "tutorial", &code.join("\n"));
    let mut results: Vec<_> = told.lines().collect();
    results.sort_unstable();
    assert_eq!(results, ["result 0: 2", "result 1: 0", "result 2: 2"]);
    assert_eq!(sandbox.messages().len(), 3, "the first message, and two of three");
}

#[test]
fn the_c_of_the_readme_runs_as_it_stands() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let blocks: Vec<_> = readme.split("\n```c\n").skip(1).collect();
    assert!(!blocks.is_empty(), "README has no C");
    for (i, block) in blocks.into_iter().enumerate() {
        let code = block.split("\n```").next().unwrap();
        let sandbox = Sandbox::start(Options::default()).unwrap();
        assert_eq!(run_against(&sandbox, &format!("readme_{i}"), code), "2\n");
        assert_eq!(sandbox.messages().len(), 1);
    }
}
