//! The C ABI as this machine's tools see it: each program of `tests/c` under sanitizers and valgrind, the
//! header, and the shared object itself. What holds on every target is in `programs.rs`.
//!
//! A tool that is missing is a failure: what is not checked does not hold.

#![cfg(target_os = "linux")]

#[path = "../../../tests/support/hostile.rs"]
mod hostile;
#[allow(dead_code, reason = "the tests of a target use more of it")]
#[path = "support/programs.rs"]
mod programs;
#[allow(dead_code, reason = "the tests of a target use more of it")]
#[path = "support/target.rs"]
mod target;
#[allow(dead_code, reason = "the tests of a target use more of it")]
#[path = "support/toolchain.rs"]
mod toolchain;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use programs::{Build, STRICT, c_programs, run_programs, turn};
use toolchain::{
    declarations, functions_of_header, include_flag, root, run, shared_object, stdout_of, text_of,
    work_dir,
};

#[test]
fn programs_pass_under_gcc_sanitizers() {
    run_programs(Build::Sanitized("gcc"));
}

#[test]
fn programs_pass_under_clang_sanitizers() {
    run_programs(Build::Sanitized("clang"));
}

#[test]
fn programs_leak_nothing_under_valgrind() {
    run_programs(Build::Valgrind);
}

#[test]
fn every_rule_has_its_program() {
    let names: Vec<String> = c_programs()
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    for rule in 1..=10 {
        let prefix = format!("rule_{rule:02}_");
        let found = names.iter().filter(|name| name.starts_with(&prefix)).count();
        assert_eq!(found, 1, "programs named {prefix}*.c");
    }
}

#[test]
fn sanitizers_are_linked_into_the_programs() {
    let _turn = turn();
    let source = root().join("tests/c/rule_05_signatures.c");
    for compiler in ["gcc", "clang"] {
        let program = Build::Sanitized(compiler).compile(&source).unwrap();
        let symbols = stdout_of(Command::new("nm").arg(&program));
        assert!(symbols.contains("__asan_init"), "no AddressSanitizer by {compiler}");
        assert!(symbols.contains("__ubsan_handle"), "no UndefinedBehaviorSanitizer by {compiler}");
    }
}

#[test]
fn header_compiles_alone_and_twice_in_every_standard() {
    let dir = work_dir("header");
    let alone = dir.join("alone.c");
    let twice = dir.join("twice.c");
    fs::write(&alone, "#include <hongyan.h>\n").unwrap();
    fs::write(&twice, "#include <hongyan.h>\n#include <hongyan.h>\n").unwrap();
    let compilers = [
        ("gcc", "c", ["c99", "c11", "c17"].as_slice()),
        ("clang", "c", &["c99", "c11", "c17"]),
        ("g++", "c++", &["c++11"]),
        ("clang++", "c++", &["c++11"]),
    ];
    for (compiler, language, standards) in compilers {
        for standard in standards {
            for source in [&alone, &twice] {
                let output = run(Command::new(compiler)
                    .args(["-fsyntax-only", &format!("-std={standard}"), "-x", language])
                    .args(STRICT)
                    .arg(include_flag())
                    .arg(source));
                assert!(
                    output.status.success(),
                    "{compiler} -std={standard} {}: {}",
                    source.display(),
                    text_of(&output)
                );
            }
        }
    }
}

#[test]
fn header_shows_no_fields() {
    let source = work_dir("opaque").join("opaque.c");
    for handle in
        ["hy_client_t", "hy_queue_t", "hy_message_t", "hy_op_t", "hy_result_t", "hy_error_t"]
    {
        let compiles = |expression: &str| {
            let program =
                format!("#include <hongyan.h>\nunsigned long n = sizeof({expression});\n");
            fs::write(&source, program).unwrap();
            let mut command = Command::new("gcc");
            command.args(["-fsyntax-only", "-std=c99"]).arg(include_flag()).arg(&source);
            run(&mut command).status.success()
        };
        assert!(compiles(&format!("{handle} *")), "{handle} is declared");
        assert!(!compiles(handle), "{handle} is opaque");
    }
}

#[test]
fn header_uses_no_type_whose_size_or_meaning_varies() {
    let code = declarations();
    for word in code.split(|c: char| !(c.is_alphanumeric() || c == '_')) {
        assert!(
            !["enum", "bool", "_Bool", "long", "int", "short", "unsigned", "union"].contains(&word),
            "the header uses {word}"
        );
    }
    assert!(!code.contains("..."), "the header has a function with varying arguments");
}

#[test]
fn every_function_has_the_version_that_brought_it() {
    let declared = functions_of_header();
    let mut versioned = BTreeSet::new();
    let list = fs::read_to_string(root().join("include/symbols-in-versions")).unwrap();
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, version] = words[..] else { panic!("not `name version`: {line}") };
        assert_eq!(version.split('.').count(), 3, "not a version: {line}");
        assert!(versioned.insert(name.to_owned()), "twice: {name}");
    }
    assert_eq!(versioned, declared, "symbols-in-versions (left) and declared (right)");
}

#[test]
fn shared_object_has_its_soname_and_stays_loaded() {
    let dynamic = stdout_of(Command::new("readelf").args(["-d", "-W"]).arg(shared_object()));
    assert!(dynamic.contains("Library soname: [libhongyan.so.1]"), "{dynamic}");
    let flags = dynamic.lines().find(|line| line.contains("(FLAGS_1)")).unwrap_or_default();
    assert!(flags.contains("NODELETE"), "{dynamic}");
}

#[test]
fn the_library_logs_its_panics() {
    let library = fs::read(shared_object()).unwrap();
    let has = |words: &str| library.windows(words.len()).any(|bytes| bytes == words.as_bytes());
    assert!(has("hongyan::panic"), "the feature `private-std` is off");
}
