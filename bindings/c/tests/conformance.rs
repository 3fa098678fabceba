//! The cases of `tests/conformance` in C and in C++, by gcc and by clang, under sanitizers.

#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "the tests of a target use more of it")]
#[path = "support/target.rs"]
mod target;
#[allow(dead_code, reason = "the tests of the ABI use more of it")]
#[path = "support/toolchain.rs"]
mod toolchain;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use hongyan_sandbox::{Options, Sandbox};
use serde_json::Value;
use toolchain::{SANITIZERS, STRICT, flags_of, link_shared, root, run, text_of, work_dir};

fn folder() -> PathBuf {
    root().join("tests/conformance")
}

/// How many pairs and cases the index says that there are, a file each.
fn index() -> Vec<(String, u64)> {
    let index: Value =
        serde_json::from_slice(&fs::read(folder().join("index.json")).unwrap()).unwrap();
    let mut all = vec![("compare".to_owned(), index["pairs"].as_u64().unwrap())];
    let files = index["files"].as_object().unwrap();
    all.extend(files.iter().map(|(name, count)| (name.clone(), count.as_u64().unwrap())));
    all
}

/// Builds the runner of a language for a test; what makes its requests is C in both.
fn runner(
    test: &str,
    compilers: [&str; 2],
    source: &str,
    standard: &str,
    more: &[&str],
) -> PathBuf {
    let [c, linker] = compilers;
    let folder = work_dir("conformance").join(format!("{test}-{linker}"));
    fs::create_dir_all(&folder).unwrap();
    let requests = folder.join("http.o");
    let mut command = Command::new(c);
    command.args(["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-c"]).args(STRICT).args(SANITIZERS);
    command.arg(self::folder().join("http.c")).arg("-o").arg(&requests);
    let output = run(&mut command);
    assert!(output.status.success(), "{}", text_of(&output));
    let program = folder.join("runner");
    let mut command = Command::new(linker);
    command.arg(format!("-std={standard}")).args(STRICT).args(SANITIZERS).args(more);
    command.arg("-pthread").arg(self::folder().join(source)).arg(&requests);
    link_shared(&mut command, &program);
    let output = run(command.args(flags_of("jansson")));
    assert!(output.status.success(), "{linker} {source}: {}", text_of(&output));
    program
}

fn run_cases(name: &str, runner: &Path) {
    let (mut ran, mut files, mut failures) = (0, 0, Vec::new());
    for (file, count) in index() {
        let sandbox = Sandbox::start(Options::default()).unwrap();
        let mut command = Command::new("timeout");
        command.args(["--signal=KILL", "1800"]).arg(runner).arg(sandbox.url()).arg(folder());
        command.args([&file, &count.to_string()]).env("ASAN_OPTIONS", "detect_leaks=1");
        let output = run(&mut command);
        let told = text_of(&output);
        if !output.status.success() {
            failures.push(format!("{}: {told}", output.status));
            continue;
        }
        assert_eq!(told, format!("conformance: {count} cases of {file}\n"));
        if file != "compare" {
            (ran, files) = (ran + count, files + 1);
        }
    }
    // Not by a macro: what those print is shown of tests that fail only.
    let told = format!("{name}: conformance: {ran} cases in {files} files\n");
    io::stderr().write_all(told.as_bytes()).unwrap();
    assert!(failures.is_empty(), "{name}\n{}", failures.join("\n"));
}

#[test]
fn c_does_what_every_language_does() {
    for compiler in ["gcc", "clang"] {
        let more = &["-D_POSIX_C_SOURCE=200809L"];
        run_cases(compiler, &runner("all", [compiler; 2], "runner.c", "c99", more));
    }
}

#[test]
fn cpp_does_what_every_language_does() {
    for compilers in [["gcc", "g++"], ["clang", "clang++"]] {
        let more = &["-Wold-style-cast"];
        run_cases(compilers[1], &runner("all", compilers, "runner.cpp", "c++17", more));
    }
}

/// A file that nobody counts, and a name that nobody gave to a file, would run nowhere.
#[test]
fn the_index_names_every_file_and_counts_its_cases() {
    let counted = index();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.extension().is_some_and(|extension| extension == "json") && name != "index" {
            assert!(counted.iter().any(|(file, _)| *file == name), "{name} is not in the index");
        }
    }
    for (file, count) in counted {
        let text = fs::read(folder().join(format!("{file}.json"))).unwrap();
        let json: Value = serde_json::from_slice(&text).unwrap();
        let list = if file == "compare" { "pairs" } else { "cases" };
        assert_eq!(json[list].as_array().map_or(0, Vec::len) as u64, count, "{file}");
    }
}

#[test]
fn a_runner_fails_where_it_knows_something_not() {
    let programs = [
        runner("wrong", ["gcc"; 2], "runner.c", "c99", &["-D_POSIX_C_SOURCE=200809L"]),
        runner("wrong", ["gcc", "g++"], "runner.cpp", "c++17", &["-Wold-style-cast"]),
    ];
    let sandbox = Sandbox::start(Options::default()).unwrap();
    let folder = work_dir("conformance").join("cases");
    fs::create_dir_all(&folder).unwrap();
    for (step, words) in [
        (r#"{"op": "fly"}"#, "an op that nobody knows: fly"),
        (r#"{"op": "end", "soon": true}"#, "a member that nobody knows: soon"),
        (
            r#"{"op": "send", "message": {"v": 1, "account": "a"}, "expect": {"delivery": "sent"}}"#,
            "not_sent",
        ),
        (
            r#"{"op": "send", "message": {"v": 1, "account": "a"}, "error": {"name": "closed"}}"#,
            "did not fail",
        ),
        (r#"{"op": "send", "json": "x", "expect": {}}"#, "argument"),
        (r#"{"op": "open", "config": {"v": 1, "accounts": {}}, "error": {}}"#, "did not fail"),
        (r#"{"op": "sandbox", "do": "GET /_/nowhere"}"#, "answers otherwise"),
        (r#"{"op": "close", "timeout_ms": 0, "unfinished": 1}"#, "expected 1, found 0"),
        (r#"{"op": "result", "of": "a", "expect": {}}"#, "no such submit: a"),
    ] {
        let text = format!(
            r#"{{"config": {{"v": 1, "accounts": {{}}}}, "cases": [{{"name": "one", "steps": [{step}]}}]}}"#
        );
        fs::write(folder.join("wrong.json"), text).unwrap();
        for program in &programs {
            let run_with = |count| {
                let mut command = Command::new(program);
                run(command.arg(sandbox.url()).arg(&folder).args(["wrong", count]))
            };
            let output = run_with("1");
            assert_eq!(output.status.code(), Some(1), "{step}: {}", text_of(&output));
            assert!(text_of(&output).contains("one: step 1: "), "{}", text_of(&output));
            assert!(text_of(&output).contains(words), "{step}: {}", text_of(&output));
        }
    }
    let right = r#"{"config": {"v": 1, "accounts": {}}, "cases": []}"#;
    fs::write(folder.join("wrong.json"), right).unwrap();
    for program in &programs {
        let mut command = Command::new(program);
        let output = run(command.arg(sandbox.url()).arg(&folder).args(["wrong", "1"]));
        assert_eq!(output.status.code(), Some(1), "{}", text_of(&output));
    }
}
