//! What README shows of Rust, the shell and the configuration: it runs as it stands there.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use common::{Folder, start};
use serde_json::{Value, json};

/// The blocks of README in this language.
fn blocks(language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(path).expect("README");
    let fence = format!("\n```{language}\n");
    let rest = readme.split(&fence).skip(1);
    rest.map(|block| block.split("\n```").next().expect("a block").to_owned()).collect()
}

/// The libraries that this test was built with, the newest first: one of them is of its own build.
fn libraries() -> (PathBuf, Vec<PathBuf>) {
    let test = std::env::current_exe().expect("a test has a path");
    let folder = test.parent().expect("a folder").to_owned();
    let mut found: Vec<_> = fs::read_dir(&folder)
        .expect("the folder of the test")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with("libhongyan-") && name.ends_with(".rlib")
        })
        .collect();
    let changed = |path: &PathBuf| fs::metadata(path).and_then(|m| m.modified()).ok();
    found.sort_by_key(|path| std::cmp::Reverse(changed(path).unwrap_or(SystemTime::UNIX_EPOCH)));
    (folder, found)
}

#[test]
fn the_rust_of_the_readme_runs_as_it_stands() {
    let (sandbox, folder) = start();
    let config = sandbox.config();
    let accounts = json!({"ops": config["accounts"]["telegram"]});
    folder.write("hongyan.json", json!({"v": 1, "accounts": accounts}).to_string());
    let blocks = blocks("rust");
    assert!(!blocks.is_empty(), "README has no Rust");
    let (deps, libraries) = libraries();
    for (i, block) in blocks.iter().enumerate() {
        let source = folder.write(
            &format!("readme_{i}.rs"),
            format!(
                "fn main() -> Result<(), Box<dyn std::error::Error>> {{\n{block}\nOk(())\n}}\n"
            ),
        );
        let program = source.with_extension("");
        let compiles = |library: &PathBuf| {
            let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
            let mut rustc = Command::new(rustc);
            rustc
                .args(["--edition=2024", "--extern"])
                .arg(format!("hongyan={}", library.display()));
            rustc.arg("-L").arg(format!("dependency={}", deps.display()));
            rustc.arg("-o").arg(&program).arg(&source);
            let output = rustc.output().expect("rustc runs");
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            if output.status.success() { Ok(()) } else { Err(words) }
        };
        // Libraries of earlier builds may lie beside it, whose own dependencies are gone.
        let mut tried = libraries.iter().map(compiles);
        let first = tried.next().expect("the library was built for this test");
        if let Err(words) = first {
            assert!(tried.any(|compiled| compiled.is_ok()), "{block}\n{words}");
        }
        let ended = Command::new(&program).current_dir(folder.path()).output().expect("it runs");
        assert_eq!(String::from_utf8_lossy(&ended.stdout), "sent\n", "{ended:?}");
    }
    assert_eq!(sandbox.messages().len(), blocks.len());
}

/// The lines of the shell block with the sandbox, from the one after the build on: the command is built
/// already, and lies where PATH finds it.
#[test]
fn the_shell_of_the_readme_runs_as_it_stands() {
    let folder = Folder::new();
    let block = blocks("sh").into_iter().find(|block| block.contains("hongyan sandbox &"));
    let block = block.expect("README starts a sandbox");
    let (build, rest) = block.split_once('\n').expect("more than one line");
    assert!(build.starts_with("cargo build -p hongyan-cli && PATH="), "{build}");
    let script = format!("set -e\ntrap 'kill $!' EXIT\n{rest}\n");
    let own = Path::new(env!("CARGO_BIN_EXE_hongyan")).parent().expect("a folder").to_owned();
    let path = std::env::var("PATH").expect("a PATH");
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(folder.path()).stdin(Stdio::null());
    command.env("PATH", format!("{}:{path}", own.display())).env("HOME", folder.path());
    command.env_remove("HONGYAN_CONFIG").env_remove("XDG_CONFIG_HOME");
    // Into a file: the sandbox holds a pipe open until it is killed.
    let told = folder.path().join("told");
    let file = fs::File::create(&told).expect("a file");
    let errors = file.try_clone().expect("a file");
    let status = command.stdout(file).stderr(errors).status().expect("bash runs");
    let told = fs::read_to_string(told).expect("what was told");
    assert!(status.success() && told.contains("sent: account telegram"), "{status}: {told}");
}

#[test]
fn the_configurations_of_the_readme_are_right() {
    let folder = Folder::new();
    let secret = folder.write("secret", "token-secret\n");
    for block in blocks("json") {
        let block = block.replace("/run/secrets/fanfou", &secret.display().to_string());
        let config: Value = serde_json::from_str(&block).expect("JSON");
        let mut accounts = config["accounts"].as_object().expect("accounts").clone();
        // An ellipsis stands for what is the reader's own.
        for account in accounts.values_mut() {
            for value in account["auth"].as_object_mut().expect("auth").values_mut() {
                if value == "…" {
                    *value = "x".into();
                }
            }
        }
        let mut config = config;
        config["accounts"] = accounts.into();
        folder.write("hongyan.json", config.to_string());
        let mut command = folder.command(&["check"]);
        let ended = command
            .env("FANFOU_SECRET", "x")
            .env("TELEGRAM_TOKEN", "1:x")
            .output()
            .expect("it runs");
        assert_eq!(ended.status.code(), Some(0), "{block}: {ended:?}");
    }
}
