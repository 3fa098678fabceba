//! The programs of `tests/c`: how they are built and run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use hongyan_sandbox::{Options, Sandbox};

use crate::hostile::Hostile;
use crate::target::target;
use crate::toolchain::{
    SANITIZERS, include_flag, link_shared, missing, require, root, run, text_of, work_dir,
};

pub const STRICT: &[&str] = &["-Wall", "-Wextra", "-Wpedantic", "-Werror"];
const STANDARD: &[&str] = &["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-pthread"];

/// Programs that run at once.
const WORKERS: usize = 2;
/// The longest that a program may run: it only ends one that hangs.
const SECONDS: u32 = 1800;

/// How the programs of `tests/c` are built and run.
#[derive(Clone, Copy)]
pub enum Build {
    Plain,
    Sanitized(&'static str),
    Valgrind,
}

impl Build {
    fn name(self) -> String {
        match self {
            Build::Sanitized(compiler) => format!("{compiler}-sanitized"),
            Build::Plain => "plain".to_owned(),
            Build::Valgrind => "valgrind".to_owned(),
        }
    }

    pub fn compile(self, source: &Path) -> Result<PathBuf, String> {
        let program = work_dir(&self.name()).join(source.file_stem().unwrap());
        let program = target().program(program);
        let mut command = match self {
            Build::Sanitized(compiler) => Command::new(compiler),
            Build::Plain => target().cc(),
            Build::Valgrind => Command::new("gcc"),
        };
        command.args(STANDARD).args(STRICT);
        match self {
            Build::Sanitized(_) => command.args(SANITIZERS),
            Build::Plain | Build::Valgrind => command.args(["-g", "-O1"]),
        };
        command.arg(source);
        link_shared(&mut command, &program);
        let output = run(&mut command);
        if output.status.success() { Ok(program) } else { Err(text_of(&output)) }
    }

    pub fn run(self, source: &Path, program: &Path) -> Result<(), String> {
        let sandbox = Sandbox::start(Options::default()).map_err(|error| error.to_string())?;
        let hostile = Hostile::start().map_err(|error| error.to_string())?;
        let how = match self {
            Build::Plain if target().is_emulated() => "emulated",
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
        match self {
            Build::Plain => command.args(target().running(program)),
            Build::Sanitized(_) | Build::Valgrind => command.arg(program),
        };
        command
            .args([&sandbox.url(), &hostile.url(), how])
            .env("ASAN_OPTIONS", "detect_leaks=1")
            .env("UBSAN_OPTIONS", "print_stacktrace=1")
            .current_dir(empty_folder(program));
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

/// A folder for what a program writes: an outbox of the run before, under the same name, has its keys.
fn empty_folder(program: &Path) -> PathBuf {
    let folder = program.with_extension("folder");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir(&folder).unwrap();
    folder
}

/// True for a program that forks.
fn forks(source: &Path) -> bool {
    fs::read_to_string(source).is_ok_and(|text| text.contains("fork()"))
}

/// What a program needs that Windows lacks, if its first comment says so.
fn needs(source: &Path) -> Option<String> {
    let text = fs::read_to_string(source).unwrap();
    let comment = text.split("*/").next().unwrap();
    let (_, needs) = comment.split_once("Needs: ")?;
    Some(needs.lines().next().unwrap().trim().to_owned())
}

/// Builds and runs every program of `tests/c`; panics with the output of each that failed.
pub fn run_programs(build: Build) {
    let _turn = turn();
    let (mut programs, left_out) = c_programs().into_iter().partition::<Vec<_>, _>(|source| {
        !(target().is_windows() && matches!(build, Build::Plain)) || needs(source).is_none()
    });
    if target().is_windows() && matches!(build, Build::Plain) {
        programs.extend(sources(&root().join("tests/c/windows")));
    }
    for source in &left_out {
        // One that would compile after all has no reason to be left out.
        let mut command = target().cc();
        let command = command.args(STANDARD).arg("-fsyntax-only").arg(include_flag()).arg(source);
        let name = source.file_name().unwrap().to_string_lossy();
        assert!(!run(command).status.success(), "{name} compiles, and is left out");
        println!("left out: {name}, which needs {}", needs(source).unwrap());
    }
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
    println!("{} of {} programs passed", programs.len() - failures.len(), programs.len());
    assert!(
        failures.is_empty(),
        "{} of {} programs failed ({})\n{}",
        failures.len(),
        programs.len(),
        build.name(),
        failures.join("\n")
    );
}

/// Tests that run programs take turns, so that no more than [`WORKERS`] run at once.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn c_programs() -> Vec<PathBuf> {
    sources(&root().join("tests/c"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut programs: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    programs.sort();
    programs
}
