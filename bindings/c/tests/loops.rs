//! Event loops that people have, with the programs of `examples/c`: 200 results reach each of them.

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
use toolchain::{SANITIZERS, STRICT, flags_of, link_shared, root, run, text_of, work_dir};

/// The loops, and what pkg-config calls the library of each.
const LOOPS: [(&str, Option<&str>); 4] =
    [("poll", None), ("epoll", None), ("libuv", Some("libuv")), ("glib", Some("glib-2.0"))];

#[test]
fn results_reach_every_loop() {
    for (name, library) in LOOPS {
        for compiler in ["gcc", "clang"] {
            let program = work_dir(&format!("loops-{compiler}")).join(name);
            let mut command = Command::new(compiler);
            command.args(["-std=gnu99", "-pthread"]).args(STRICT).args(SANITIZERS);
            command.arg(root().join(format!("examples/c/loop_{name}.c")));
            link_shared(&mut command, &program);
            let output = run(command.args(library.map(flags_of).unwrap_or_default()));
            assert!(output.status.success(), "{compiler} {name}: {}", text_of(&output));

            let sandbox = Sandbox::start(Options::default()).unwrap();
            let config = program.with_extension("json");
            fs::write(&config, sandbox.config().to_string()).unwrap();
            let mut command = Command::new("timeout");
            command.args(["--signal=KILL", "1800"]).arg(&program).arg(&config);
            let output = run(command.env("ASAN_OPTIONS", "detect_leaks=1"));
            assert!(output.status.success(), "{compiler} {name}: {}", text_of(&output));
            assert_eq!(text_of(&output), "200 sent\n", "{compiler} {name}");
            assert_eq!(sandbox.messages().len(), 200, "{compiler} {name}");
        }
    }
}

/// What the document shows of each loop stands in the program that runs.
#[test]
fn the_loops_of_the_document_are_those_that_run() {
    let text = fs::read_to_string(root().join("docs/c.md")).unwrap();
    let programs = LOOPS.map(|(name, _)| {
        fs::read_to_string(root().join(format!("examples/c/loop_{name}.c"))).unwrap()
    });
    let mut shown = [0; LOOPS.len()];
    for block in text.split("```c\n").skip(1) {
        let block = block.split("```").next().unwrap();
        let Some(whose) = programs.iter().position(|program| program.contains(block)) else {
            panic!("no program has this:\n{block}");
        };
        shown[whose] += 1;
    }
    assert!(shown.iter().all(|blocks| *blocks > 0), "{shown:?}");
}
