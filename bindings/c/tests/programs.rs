//! The C ABI on whatever target the environment names (`support/target.rs`), else on this machine: each
//! program of `tests/c` as it is, the examples, and what the library exports.

#![cfg(target_os = "linux")]

#[path = "../../../tests/support/hostile.rs"]
mod hostile;
#[allow(dead_code, reason = "the tests of this machine's tools use more of it")]
#[path = "support/programs.rs"]
mod programs;
#[path = "support/target.rs"]
mod target;
#[allow(dead_code, reason = "the tests of this machine's tools use more of it")]
#[path = "support/toolchain.rs"]
mod toolchain;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use hongyan_sandbox::{Options, Sandbox};
use hostile::Hostile;
use programs::{Build, run_programs, turn};
use target::target;
use toolchain::{
    functions_of_header, include_flag, library_dir, link_shared, root, run, shared_object,
    stdout_of, text_of, work_dir,
};

const SYSTEM_LIBRARIES: &[&str] = &["-lpthread", "-ldl", "-lm", "-lgcc_s"];
const WINDOWS_LIBRARIES: &[&str] =
    &["-static", "-lws2_32", "-luserenv", "-lntdll", "-lbcrypt", "-lcrypt32", "-lsecur32"];

#[test]
fn programs_pass() {
    run_programs(Build::Plain);
}

#[test]
fn exports_are_the_functions_of_the_header() {
    let library = shared_object();
    let exported: BTreeSet<String> = if target().is_windows() {
        let listing = stdout_of(target().tool("objdump").arg("-p").arg(library));
        let (_, table) = listing.split_once("[Ordinal/Name Pointer] Table").unwrap();
        // A blank line ends the table; before it `[ 0] hy_abi_version`, or `+base[   1]  0000 …` of newer ones.
        table
            .lines()
            .skip(1)
            .take_while(|line| !line.trim().is_empty())
            .filter(|line| line.trim_start().starts_with(['[', '+']))
            .filter_map(|line| line.split_whitespace().last())
            .map(str::to_owned)
            .collect()
    } else {
        let listing = stdout_of(target().tool("nm").args(["-D", "--defined-only"]).arg(library));
        listing
            .lines()
            .filter_map(|line| line.split_whitespace().last())
            .map(|name| name.split('@').next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(exported, functions_of_header(), "exported (left) and declared (right)");
}

#[test]
fn hello_says_what_became_of_its_message() {
    let _turn = turn();
    let hello = build_example("hello");
    let sandbox = Sandbox::start(Options::default()).unwrap();
    let output = hello_with(&hello, "sent", &sandbox.config().to_string());
    assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
    assert!(text_of(&output).starts_with("sent, "), "{}", text_of(&output));
    assert_eq!(sandbox.messages().len(), 1);

    let hostile = Hostile::start().unwrap();
    let config = |base_url: String| {
        serde_json::json!({"v": 1, "accounts": {"fanfou-basic": {
            "service": "fanfou", "base_url": base_url,
            "auth": {"type": "basic", "username": "test", "password": "wrong"},
        }}})
        .to_string()
    };
    let output = hello_with(&hello, "maybe", &config(format!("{}/close", hostile.url())));
    assert_eq!(output.status.code(), Some(7), "{}", text_of(&output));
    let output = hello_with(&hello, "refused", &config(format!("{}/fanfou", sandbox.url())));
    assert_eq!(output.status.code(), Some(1), "{}", text_of(&output));
    assert!(text_of(&output).starts_with("not sent"), "{}", text_of(&output));
    let output = run(target().run(&hello).arg("no-such-file.json"));
    assert_eq!(output.status.code(), Some(1), "{}", text_of(&output));
}

#[test]
fn hello_runs_with_the_static_library() {
    let _turn = turn();
    let program = target().program(work_dir("static").join("hello"));
    let archive = library_dir().join("libhongyan.a");
    let output = run(target()
        .cc()
        .arg(root().join("examples/c/hello.c"))
        .arg(include_flag())
        .arg(archive)
        .args(if target().is_windows() { WINDOWS_LIBRARIES } else { SYSTEM_LIBRARIES })
        .arg("-o")
        .arg(&program));
    assert!(output.status.success(), "{}", text_of(&output));
    let sandbox = Sandbox::start(Options::default()).unwrap();
    let output = hello_with(&program, "static", &sandbox.config().to_string());
    assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
}

#[test]
fn all_services_are_sent_to_and_refuse_rightly() {
    let _turn = turn();
    let program = build_example("all_services");
    let sandbox = Sandbox::start(Options::default()).unwrap();
    let output = run(target().run(&program).arg(sandbox.url()));
    assert!(output.status.success(), "{}", text_of(&output));
    let text = text_of(&output);
    let sent = text.lines().filter(|line| line.split_whitespace().nth(3) == Some("sent")).count();
    // WxPusher's message has three recipients.
    let taken = sandbox.messages();
    let more = taken.iter().filter(|message| message["service"] == "wxpusher").count() - 1;
    assert_eq!((sent, more), (taken.len() - more, 2), "{text}");
}

/// Compiles an example as its first comment says: a plain compiler, the header and the library.
fn build_example(name: &str) -> PathBuf {
    let program = target().program(work_dir("examples").join(name));
    let mut command = target().cc();
    command.arg(root().join(format!("examples/c/{name}.c")));
    link_shared(&mut command, &program);
    let output = run(&mut command);
    assert!(output.status.success(), "{}", text_of(&output));
    program
}

fn hello_with(hello: &Path, case: &str, config: &str) -> Output {
    let path = work_dir("hello").join(format!("{case}.json"));
    fs::write(&path, config).unwrap();
    run(target().run(hello).arg(path))
}
