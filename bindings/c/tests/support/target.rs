//! What the C programs are built for and run by: this machine, or another that the environment names.
//!
//! | variable | what it says | else |
//! |---|---|---|
//! | `HY_CC` | the C compiler and its flags | `gcc` |
//! | `HY_LIB_DIR` | the folder of the libraries for that target | what cargo built for the test |
//! | `HY_RUNNER` | what comes before each program: `wine64`, `qemu-aarch64-static -L …` | nothing |
//! | `HY_NM` | the target's `nm` | `nm`, of a compiler that was named its own |

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::toolchain::stdout_of;

/// A compiler, a place of libraries, and a way to run what comes out.
pub struct Target {
    cc: Vec<String>,
    runner: Vec<String>,
    /// Where the libraries are, if it was said.
    pub libraries: Option<PathBuf>,
    /// The compiler's own name for what it compiles for.
    machine: String,
    /// True if the environment named a compiler.
    named: bool,
}

/// What the environment asks for.
pub fn target() -> &'static Target {
    static TARGET: OnceLock<Target> = OnceLock::new();
    TARGET.get_or_init(|| {
        let words = |name| -> Vec<String> {
            let value = env::var(name).unwrap_or_default();
            value.split_whitespace().map(str::to_owned).collect()
        };
        let (mut cc, libraries) = (words("HY_CC"), env::var_os("HY_LIB_DIR").map(PathBuf::from));
        let named = !cc.is_empty();
        if !named {
            cc.push("gcc".to_owned());
        }
        let machine = stdout_of(Command::new(&cc[0]).args(&cc[1..]).arg("-dumpmachine"));
        let machine = machine.trim().to_owned();
        Target { cc, runner: words("HY_RUNNER"), libraries, machine, named }
    })
}

impl Target {
    /// The C compiler.
    pub fn cc(&self) -> Command {
        let mut command = Command::new(&self.cc[0]);
        command.args(&self.cc[1..]);
        command
    }

    /// The folder for what tests make, which two targets do not share.
    pub fn folder(&self) -> String {
        if self.named { format!("c_abi-{}", self.machine) } else { "c_abi".to_owned() }
    }

    pub fn is_windows(&self) -> bool {
        self.machine.contains("mingw") || self.machine.contains("windows")
    }

    /// True where programs run by an emulator of their processor, and take ten times as long.
    pub fn is_emulated(&self) -> bool {
        self.runner.first().is_some_and(|runner| runner.contains("qemu"))
    }

    /// What a program of this name is called.
    pub fn program(&self, path: PathBuf) -> PathBuf {
        if self.is_windows() { path.with_extension("exe") } else { path }
    }

    /// The words that run a program.
    pub fn running(&self, program: &Path) -> Vec<String> {
        let mut words = self.runner.clone();
        words.push(program.to_str().expect("the tests' folders are UTF-8").to_owned());
        words
    }

    /// The command that runs a program.
    pub fn run(&self, program: &Path) -> Command {
        let words = self.running(program);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }

    /// A tool of the compiler's own kit.
    pub fn tool(&self, name: &str) -> Command {
        let variable = format!("HY_{}", name.to_uppercase());
        Command::new(match env::var(variable) {
            Ok(tool) => tool,
            Err(_) if self.named => format!("{}-{name}", self.machine),
            Err(_) => name.to_owned(),
        })
    }
}
