//! The C++ header as C++ programs meet it: each program of `tests/cpp` under sanitizers, by gcc and by
//! clang, and the examples as their first comments build them.

#![cfg(target_os = "linux")]

#[path = "../../../tests/support/hostile.rs"]
mod hostile;
#[allow(dead_code, reason = "the tests of a target use more of it")]
#[path = "support/target.rs"]
mod target;
#[allow(dead_code, reason = "the tests of the ABI use more of it")]
#[path = "support/toolchain.rs"]
mod toolchain;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hongyan_sandbox::{Options, Sandbox};
use hostile::Hostile;
use toolchain::{
    SANITIZERS, STRICT, functions_of_header, include_flag, link_shared, root, run, text_of,
    work_dir,
};

const COMPILERS: [&str; 2] = ["g++", "clang++"];
/// The longest that a program may run: it only ends one that hangs.
const SECONDS: &str = "1800";

/// Compiles and links a program; panics with what the compiler says.
fn compile(compiler: &str, standard: &str, more: &[&str], source: &Path) -> PathBuf {
    let folder = work_dir(&format!("cpp-{compiler}-{}", more.len()));
    let program = folder.join(source.file_stem().unwrap());
    let mut command = Command::new(compiler);
    command
        .arg(format!("-std={standard}"))
        .arg("-pthread")
        .args(STRICT)
        .arg("-Wold-style-cast")
        .args(more)
        .arg(source);
    link_shared(&mut command, &program);
    let output = run(&mut command);
    assert!(output.status.success(), "{compiler} {}: {}", source.display(), text_of(&output));
    program
}

fn bounded(program: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", SECONDS]).arg(program);
    command.env("ASAN_OPTIONS", "detect_leaks=1");
    command.current_dir(program.parent().unwrap());
    command
}

fn programs() -> Vec<PathBuf> {
    let mut programs: Vec<PathBuf> = fs::read_dir(root().join("tests/cpp"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cpp"))
        .collect();
    programs.sort();
    assert!(!programs.is_empty());
    programs
}

fn run_programs(compiler: &str) {
    let mut failures = Vec::new();
    for source in programs() {
        let program = compile(compiler, "c++17", SANITIZERS, &source);
        let sandbox = Sandbox::start(Options::default()).unwrap();
        let hostile = Hostile::start().unwrap();
        let output = run(bounded(&program).args([&sandbox.url(), &hostile.url()]));
        if !output.status.success() {
            let name = source.file_name().unwrap().to_string_lossy();
            failures.push(format!("--- {name}: {}\n{}", output.status, text_of(&output)));
        }
    }
    assert!(failures.is_empty(), "{compiler}\n{}", failures.join("\n"));
}

#[test]
fn cpp_programs_pass_under_gcc_sanitizers() {
    run_programs("g++");
}

#[test]
fn cpp_programs_pass_under_clang_sanitizers() {
    run_programs("clang++");
}

#[test]
fn the_cpp_header_compiles_alone_and_in_several_units_of_a_program() {
    let folder = work_dir("cpp-header");
    let (one, two) = (folder.join("one.cpp"), folder.join("two.cpp"));
    let text = "#include <hongyan.hpp>\n#include <hongyan.hpp>\n";
    let call = "hongyan::message(\"a\").to(\"b\", \"c\").json().size()";
    fs::write(&one, format!("{text}std::size_t other() {{ return {call}; }}\n")).unwrap();
    let main =
        format!("{text}std::size_t other();\nint main() {{ return other() == {call} ? 0 : 1; }}\n");
    fs::write(&two, main).unwrap();
    for compiler in COMPILERS {
        for standard in ["c++17", "c++20"] {
            let program = folder.join("program");
            let mut command = Command::new(compiler);
            command
                .arg(format!("-std={standard}"))
                .args(STRICT)
                .arg("-Wold-style-cast")
                .args([&one, &two]);
            link_shared(&mut command, &program);
            let output = run(&mut command);
            assert!(output.status.success(), "{compiler} {standard}: {}", text_of(&output));
            assert!(run(&mut Command::new(program)).status.success());
        }
        // It asks for C++17, and says so in words that a compiler has.
        let output = run(Command::new(compiler)
            .args(["-std=c++14", "-fsyntax-only"])
            .arg(include_flag())
            .arg(&one));
        assert!(text_of(&output).contains("C++17"), "{compiler}: {}", text_of(&output));
    }
}

/// What the header has in a form of its own, for which other functions of the C header stand.
const OTHERWISE: &[&str] = &[
    "hy_abi_version",
    "hy_message_add_part_json",
    "hy_message_set_text",
    "hy_message_to",
    "hy_submit_json",
    "hy_wait",
];

#[test]
fn the_cpp_header_reaches_every_function() {
    let text = fs::read_to_string(root().join("include/hongyan.hpp")).unwrap();
    for function in functions_of_header() {
        let calls = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|w| w == function);
        assert_eq!(calls, !OTHERWISE.contains(&function.as_str()), "{function}");
    }
}

fn example(compiler: &str, standard: &str, name: &str) -> PathBuf {
    compile(compiler, standard, &[], &root().join(format!("examples/cpp/{name}.cpp")))
}

fn with_config(program: &Path, sandbox: &Sandbox, more: &[&str]) -> Output {
    let config = program.with_extension("json");
    fs::write(&config, sandbox.config().to_string()).unwrap();
    run(bounded(program).arg(config).args(more))
}

#[test]
fn cpp_examples_do_what_they_say() {
    for compiler in COMPILERS {
        let sandbox = Sandbox::start(Options::default()).unwrap();
        let output = with_config(&example(compiler, "c++17", "hello"), &sandbox, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
        assert!(text_of(&output).starts_with("sent, "), "{}", text_of(&output));

        let users = ["lisztli", "nobody", "test"];
        let output = with_config(&example(compiler, "c++17", "futures"), &sandbox, &users);
        assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
        for said in ["lisztli: sent\n", "nobody: not known to be sent\n", "test: sent\n"] {
            assert!(text_of(&output).contains(said), "{}", text_of(&output));
        }
        let output = with_config(&example(compiler, "c++20", "coroutine"), &sandbox, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
        assert_eq!(sandbox.messages().len(), 6);
    }
}

#[test]
fn the_cpp_in_the_documents_compiles() {
    let folder = work_dir("cpp-documents");
    let mut shown = 0;
    for document in ["README.md", "docs/cpp.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        for block in text.split("```cpp\n").skip(1) {
            let block = block.split("```").next().unwrap();
            // What the text leaves to its reader.
            let program = format!(
                "#include <hongyan.hpp>\n#include <iostream>\n#include <thread>\n\
                 using namespace std::chrono_literals;\n\
                 bool shown([[maybe_unused]] const std::string &config_json,\n\
                 [[maybe_unused]] hongyan::client &client,\n\
                 [[maybe_unused]] const hongyan::message &message,\n\
                 [[maybe_unused]] const hongyan::message &other) {{\n{{\n{block}\n}}\nreturn true;\n}}\n"
            );
            let source = folder.join(format!("shown-{shown}.cpp"));
            fs::write(&source, program).unwrap();
            for compiler in COMPILERS {
                let output = run(Command::new(compiler)
                    .args(["-std=c++17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror"])
                    .arg(include_flag())
                    .arg(&source));
                assert!(output.status.success(), "{document}: {block}{}", text_of(&output));
            }
            shown += 1;
        }
    }
    assert_eq!(shown, 4);
}

#[test]
fn the_cpp_of_the_readme_runs_as_it_stands() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let code = readme.split("\n```cpp\n").nth(1).expect("README has C++");
    let program = format!(
        "#include <hongyan.hpp>\n#include <fstream>\n#include <iostream>\n#include <sstream>\n\
         using namespace std::chrono_literals;\nint main(int, char **argv) {{\nstd::stringstream text;\n\
         text << std::ifstream(argv[1]).rdbuf();\nconst std::string config_json = text.str();\n{}\n}}\n",
        code.split("\n```").next().unwrap()
    );
    let source = work_dir("cpp-readme").join("shown.cpp");
    fs::write(&source, program).unwrap();
    for compiler in COMPILERS {
        let sandbox = Sandbox::start(Options::default()).unwrap();
        let program = compile(compiler, "c++17", &["-O1"], &source);
        let config = program.with_extension("json");
        let accounts = serde_json::json!({"ops": sandbox.config()["accounts"]["telegram"]});
        fs::write(&config, serde_json::json!({"v": 1, "accounts": accounts}).to_string()).unwrap();
        let output = run(bounded(&program).arg(config));
        assert_eq!((output.status.code(), text_of(&output).as_str()), (Some(0), "sent\n"));
        assert_eq!(sandbox.messages().len(), 1);
    }
}
