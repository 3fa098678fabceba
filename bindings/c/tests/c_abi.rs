//! The C ABI as C programs meet it: each program of `tests/c` under sanitizers and valgrind, the
//! header, the examples and the shared object itself.
//!
//! A tool that is missing is a failure: what is not checked does not hold.

#![cfg(target_os = "linux")]

#[path = "../../../tests/support/hostile.rs"]
mod hostile;
#[path = "support/toolchain.rs"]
mod toolchain;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use hongyan_sandbox::{Options, Sandbox};
use hostile::Hostile;
use toolchain::{
    declarations, functions_of_header, include_flag, library_dir, link_shared, missing, require,
    root, run, shared_object, stdout_of, text_of, work_dir,
};

const STRICT: &[&str] = &["-Wall", "-Wextra", "-Wpedantic", "-Werror"];
const SANITIZERS: &[&str] =
    &["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];
const SYSTEM_LIBRARIES: &[&str] = &["-lpthread", "-ldl", "-lm", "-lgcc_s"];

/// Programs that run at once.
const WORKERS: usize = 2;
/// The longest that a program may run: it only ends one that hangs.
const SECONDS: u32 = 1800;

/// How the programs of `tests/c` are built and run.
#[derive(Clone, Copy)]
enum Build {
    Plain,
    Sanitized(&'static str),
    Valgrind,
}

impl Build {
    fn compiler(self) -> &'static str {
        match self {
            Build::Sanitized(compiler) => compiler,
            Build::Plain | Build::Valgrind => "gcc",
        }
    }

    fn name(self) -> String {
        match self {
            Build::Sanitized(compiler) => format!("{compiler}-sanitized"),
            Build::Plain => "plain".to_owned(),
            Build::Valgrind => "valgrind".to_owned(),
        }
    }

    fn compile(self, source: &Path) -> Result<PathBuf, String> {
        let program = work_dir(&self.name()).join(source.file_stem().unwrap());
        let mut command = Command::new(self.compiler());
        command.args(["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-pthread"]).args(STRICT);
        match self {
            Build::Sanitized(_) => command.args(SANITIZERS),
            Build::Plain | Build::Valgrind => command.args(["-g", "-O1"]),
        };
        command.arg(source);
        link_shared(&mut command, &program);
        let output = run(&mut command);
        if output.status.success() { Ok(program) } else { Err(text_of(&output)) }
    }

    fn run(self, source: &Path, program: &Path) -> Result<(), String> {
        let sandbox = Sandbox::start(Options::default()).map_err(|error| error.to_string())?;
        let hostile = Hostile::start().map_err(|error| error.to_string())?;
        let how = match self {
            Build::Plain => "plain",
            Build::Sanitized(_) => "sanitized",
            Build::Valgrind => "valgrind",
        };
        let mut command = Command::new("timeout");
        command.args(["--signal=KILL", &SECONDS.to_string()]);
        if let Build::Valgrind = self {
            // Asked for here, since `timeout` would only say that it found no such command.
            require("valgrind");
            command.args([
                "valgrind",
                "-q",
                // What a child inherits is its own only to look at: there it leaks by design.
                if forks(source) { "--leak-check=no" } else { "--leak-check=full" },
                "--errors-for-leak-kinds=definite,indirect",
                "--error-exitcode=9",
                "--child-silent-after-fork=yes",
            ]);
        }
        command
            .arg(program)
            .args([&sandbox.url(), &hostile.url(), how])
            .env("ASAN_OPTIONS", "detect_leaks=1")
            .env("UBSAN_OPTIONS", "print_stacktrace=1")
            .current_dir(program.parent().unwrap());
        // Into a file: a pipe would stay open as long as any grandchild lives.
        let log = program.with_extension("log");
        let file = fs::File::create(&log).map_err(|error| error.to_string())?;
        let errors = file.try_clone().map_err(|error| error.to_string())?;
        let status = command.stdout(file).stderr(errors).status();
        let status = status.unwrap_or_else(|error| missing("timeout", &error));
        if status.success() {
            return Ok(());
        }
        let output = String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
        let why = if status.to_string().contains("signal: 9") {
            format!("killed after {SECONDS} s")
        } else {
            status.to_string()
        };
        Err(format!("{why}\n{output}"))
    }
}

/// True for a program that forks.
fn forks(source: &Path) -> bool {
    fs::read_to_string(source).is_ok_and(|text| text.contains("fork()"))
}

/// Builds and runs every program of `tests/c`; panics with the output of each that failed.
fn run_programs(build: Build) {
    let _turn = turn();
    let programs = c_programs();
    let waiting = Mutex::new(programs.iter());
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let Some(source) = waiting.lock().unwrap().next() else { return };
                    let outcome =
                        build.compile(source).and_then(|program| build.run(source, &program));
                    if let Err(why) = outcome {
                        let name = source.file_name().unwrap().to_string_lossy();
                        failures.lock().unwrap().push(format!("--- {name}: {why}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} of {} programs failed ({})\n{}",
        failures.len(),
        programs.len(),
        build.name(),
        failures.join("\n")
    );
}

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

/// The sanitizers' allocators do not bear what this does, and under valgrind one thread runs at a time.
#[test]
fn a_child_begins_anew_whatever_its_parent_is_at() {
    let _turn = turn();
    for name in ["fork.c", "fork_outbox.c"] {
        let source = root().join("tests/c").join(name);
        let run = Build::Plain.compile(&source).and_then(|p| Build::Plain.run(&source, &p));
        run.unwrap_or_else(|why| panic!("{name}: {why}"));
    }
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
fn exports_are_the_header_and_symbols_in_versions() {
    let declared = functions_of_header();
    let listing = stdout_of(Command::new("nm").args(["-D", "--defined-only"]).arg(shared_object()));
    let exported: BTreeSet<String> = listing
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .map(|name| name.split('@').next().unwrap().to_owned())
        .collect();
    assert_eq!(exported, declared, "exported (left) and declared (right)");

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
    let output = run(Command::new(&hello).arg("no-such-file.json"));
    assert_eq!(output.status.code(), Some(1), "{}", text_of(&output));
}

#[test]
fn hello_runs_with_the_static_library() {
    let _turn = turn();
    let program = work_dir("static").join("hello");
    let archive = library_dir().join("libhongyan.a");
    let output = run(Command::new("cc")
        .arg(root().join("examples/c/hello.c"))
        .arg(include_flag())
        .arg(archive)
        .args(SYSTEM_LIBRARIES)
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
    let output = run(Command::new(program).arg(sandbox.url()));
    assert!(output.status.success(), "{}", text_of(&output));
    let text = text_of(&output);
    let sent = text.lines().filter(|line| line.split_whitespace().nth(3) == Some("sent")).count();
    // WxPusher's message has three recipients.
    let taken = sandbox.messages();
    let more = taken.iter().filter(|message| message["service"] == "wxpusher").count() - 1;
    assert_eq!((sent, more), (taken.len() - more, 2), "{text}");
}

/// Compiles an example as its first comment says: a plain `cc`, the header and the library.
fn build_example(name: &str) -> PathBuf {
    let program = work_dir("examples").join(name);
    let mut command = Command::new("cc");
    command.arg(root().join(format!("examples/c/{name}.c")));
    link_shared(&mut command, &program);
    let output = run(&mut command);
    assert!(output.status.success(), "{}", text_of(&output));
    program
}

fn hello_with(hello: &Path, case: &str, config: &str) -> Output {
    let path = work_dir("hello").join(format!("{case}.json"));
    fs::write(&path, config).unwrap();
    run(Command::new(hello).arg(path))
}

/// Tests that run programs take turns, so that no more than [`WORKERS`] run at once.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn c_programs() -> Vec<PathBuf> {
    let mut programs: Vec<PathBuf> = fs::read_dir(root().join("tests/c"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    programs.sort();
    programs
}
