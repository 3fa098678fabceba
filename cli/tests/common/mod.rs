//! Runs the built command in a folder of its own.

// Each test file uses its own part of this.
#![allow(dead_code)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use hongyan_sandbox::{Options, Sandbox};
use serde_json::Value;

pub const FANFOU: [&str; 5] = ["send", "-a", "fanfou-basic", "--to", "user=lisztli"];

/// An empty folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hongyan-cli-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // Left over by an earlier process of the same number.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("inside the folder")).expect("a folder");
        fs::write(&path, content).expect("written");
        path
    }

    /// The command, with nothing of the tester's own configuration in sight.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hongyan"));
        command.args(args).current_dir(&self.0).stdin(Stdio::null());
        command.env_remove("HONGYAN_CONFIG").env_remove("XDG_CONFIG_HOME").env_remove("APPDATA");
        command.env("HOME", &self.0);
        in_a_group_of_its_own(&mut command);
        command
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        Ended::new(self.command(args).output().expect("the command runs"))
    }

    pub fn run_with_input(&self, args: &[&str], input: &[u8]) -> Ended {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command runs");
        child.stdin.take().expect("a pipe").write_all(input).expect("the input is read");
        Ended::new(child.wait_with_output().expect("the command ends"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    fn new(output: Output) -> Ended {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Each line of stdout, as JSON.
    pub fn json(&self) -> Vec<Value> {
        let lines = self.out.lines();
        lines.map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Ended {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }
}

/// Windows tells a whole group of processes of Ctrl-C.
fn in_a_group_of_its_own(command: &mut Command) {
    #[cfg(windows)]
    {
        const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
        std::os::windows::process::CommandExt::creation_flags(command, CREATE_NEW_PROCESS_GROUP);
    }
    let _ = command;
}

/// What Ctrl-C in its terminal does to a command; on Windows Ctrl-Break, which alone can be sent to others.
pub fn interrupt(child: &Child) {
    #[cfg(unix)]
    {
        let mut kill = Command::new("kill");
        let kill = kill.args(["-INT", &child.id().to_string()]);
        assert!(kill.status().expect("kill runs").success());
    }
    #[cfg(windows)]
    {
        const CTRL_BREAK: u32 = 1;
        #[link(name = "kernel32")]
        unsafe extern "system" {
            fn GenerateConsoleCtrlEvent(event: u32, group: u32) -> i32;
        }
        // SAFETY: it takes two numbers.
        let told = unsafe { GenerateConsoleCtrlEvent(CTRL_BREAK, child.id()) };
        assert_ne!(told, 0, "{}", std::io::Error::last_os_error());
    }
}

/// A sandbox, and a folder whose configuration reaches it.
pub fn start() -> (Sandbox, Folder) {
    let sandbox = Sandbox::start(Options::default()).expect("a sandbox");
    let folder = Folder::new();
    folder.write("hongyan.json", sandbox.config().to_string());
    (sandbox, folder)
}

/// The texts that arrived, in the order of their arrival.
pub fn texts(sandbox: &Sandbox) -> Vec<String> {
    let text = |message: Value| message["text"].as_str().expect("a text").to_owned();
    sandbox.messages().into_iter().map(text).collect()
}
