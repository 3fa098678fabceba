//! The other commands: services, sandbox, demo, completions, man.

mod common;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{FANFOU, Folder, start};
use hongyan_sandbox::{Options, Sandbox};
use serde_json::Value;

fn services() -> Vec<Value> {
    let listing: Value = serde_json::from_str(hongyan::services_json()).expect("JSON");
    listing["services"].as_array().expect("services").clone()
}

#[test]
fn services_are_listed_for_people_and_programs() {
    let folder = Folder::new();
    let words = folder.run(&["services"]).expect(0).out;
    for service in services() {
        let name = service["name"].as_str().expect("a name");
        assert!(words.lines().any(|line| line.starts_with(name)), "{name} in {words}");
    }
    assert_eq!(
        folder.run(&["services", "--json"]).expect(0).json()[0]["services"],
        Value::Array(services())
    );
}

#[test]
fn the_demo_sends_through_every_account_and_format_and_shows_refusals() {
    let folder = Folder::new();
    let rows = folder.run(&["demo", "--json"]).expect(0).json();
    let sandbox = Sandbox::start(Options::default()).expect("a sandbox");
    let config = sandbox.config();
    let accounts = config["accounts"].as_object().expect("accounts");
    for service in services() {
        let of_service = |row: &&Value| row["service"] == service["name"];
        let own: Vec<&Value> = rows.iter().filter(of_service).collect();
        let sent = |field: &str, value: &Value| {
            own.iter().any(|row| row[field] == *value && row["result"]["delivery"] == "sent")
        };
        for account in accounts.values().filter(|account| account["service"] == service["name"]) {
            let auth = &account["auth"]["type"];
            for format in service["formats"].as_array().expect("formats") {
                let mut both = own.iter().filter(|row| row["format"] == *format);
                let arrived =
                    both.any(|row| row["auth"] == *auth && row["result"]["delivery"] == "sent");
                assert!(arrived, "{} by {auth} in {format}", service["name"]);
            }
        }
        for part in service["parts"].as_array().expect("parts") {
            assert!(sent("what", part), "{part} of {}", service["name"]);
        }
        let refused = own.iter().find(|row| row["what"] == "wrong credentials");
        let result = &refused.expect("a refusal")["result"];
        // The key of a device is whom its notices are for.
        let error = if service["name"] == "bark" { "not_found" } else { "auth" };
        assert_eq!(
            (&result["delivery"], &result["error"]["name"]),
            (&"not_sent".into(), &error.into()),
            "{result}"
        );
    }
    assert!(rows.iter().all(|row| row["result"]["delivery"] == row["expected"]), "{rows:?}");

    let table = folder.run(&["demo"]).expect(0).out;
    let lines = |word: &str| table.lines().filter(|line| line.contains(word)).count();
    let expected = |word: &str| rows.iter().filter(|row| row["expected"] == *word).count();
    assert_eq!((lines(" sent "), lines(" not_sent ")), (expected("sent"), expected("not_sent")));
    for heading in ["SERVICE", "AUTH", "FORMAT", "DELIVERY", "MESSAGE ID", "ATTEMPTS", "MS"] {
        assert!(table.contains(heading), "{heading}");
    }
}

#[test]
fn a_configuration_is_printed_without_a_sandbox() {
    let folder = Folder::new();
    let printed = folder.run(&["sandbox", "--port", "4321", "--print-config"]).expect(0).out;
    let printed: Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(printed, hongyan_sandbox::config("http://127.0.0.1:4321", None));
}

#[test]
fn a_sandbox_of_one_service_has_it_at_the_root() {
    let folder = Folder::new();
    let args = ["sandbox", "--service", "fanfou", "--port", "4321", "--print-config"];
    let printed: Value = serde_json::from_str(&folder.run(&args).expect(0).out).expect("JSON");
    assert_eq!(printed, hongyan_sandbox::root_config("http://127.0.0.1:4321", None, "fanfou"));
    assert_eq!(printed["accounts"]["fanfou-basic"]["base_url"], "http://127.0.0.1:4321");
    assert_eq!(printed["accounts"].get("sina-basic"), None);
    let refused = folder.run(&["sandbox", "--service", "icq"]).expect(2);
    assert!(refused.err.contains("fanfou, sina"), "{}", refused.err);
}

/// A `hongyan sandbox` that runs, and what it wrote first.
struct Running {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(folder: &Folder, args: &[&str]) -> Running {
        let mut command = folder.command(args);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("it runs");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        Running { child, out }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("UTF-8");
        line
    }

    /// Ends it as it may end at any time, and waits for whatever it left running.
    fn kill(&mut self) -> String {
        self.child.kill().expect("it ran");
        self.child.wait().expect("it ended");
        let mut err = String::new();
        self.child.stderr.take().expect("a pipe").read_to_string(&mut err).expect("UTF-8");
        err
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed; otherwise it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_sandbox_over_tls_is_reached_and_leaves_nothing_behind() {
    let folder = Folder::new();
    let mut running = Running::start(&folder, &["sandbox", "--port", "0", "--tls", "--json"]);
    let hello: Value = serde_json::from_str(&running.line()).expect("JSON");
    let (url, ca_file) = (hello["url"].as_str(), hello["ca_file"].as_str());
    let (url, ca_file) = (url.expect("a URL"), ca_file.expect("a certificate"));
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    let config = hongyan_sandbox::config(url, Some(ca_file));
    folder.write("hongyan.json", config.to_string());
    let args: Vec<_> = FANFOU.into_iter().chain(["hello"]).collect();
    folder.run(&args).expect(0);

    let certificates = Path::new(ca_file).parent().expect("a folder");
    assert!(certificates.is_dir());
    assert_eq!(running.kill(), "");
    assert!(!certificates.exists(), "{certificates:?}");
}

#[test]
fn a_sandbox_on_a_free_port_prints_its_configuration_and_runs() {
    let folder = Folder::new();
    let mut running = Running::start(&folder, &["sandbox", "--port", "0", "--print-config"]);
    let mut config = String::new();
    while !config.ends_with("\n}\n") {
        let line = running.line();
        assert!(!line.is_empty(), "it ended after {config}");
        config.push_str(&line);
    }
    folder.write("hongyan.json", config);
    let args: Vec<_> = FANFOU.into_iter().chain(["hello"]).collect();
    folder.run(&args).expect(0);
    assert!(running.kill().contains("the sandbox is at http://127.0.0.1:"));
}

#[test]
fn a_port_that_is_taken_is_1() {
    let (sandbox, folder) = start();
    let port = sandbox.port().to_string();
    let ended = folder.run(&["sandbox", "--port", &port]).expect(1);
    assert!(ended.err.contains(&format!("cannot listen on port {port}")), "{ended:?}");
}

#[test]
fn completions_are_printed_for_every_shell() {
    let folder = Folder::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = folder.run(&["completions", shell]).expect(0).out;
        assert!(script.contains("dry-run") && script.contains("hongyan"), "{shell}: {script}");
    }
    folder.run(&["completions", "tcsh"]).expect(2);
}

#[test]
fn manual_pages_are_printed_in_roff() {
    let folder = Folder::new();
    let page = folder.run(&["man"]).expect(0).out;
    for words in [".TH hongyan 1", ".SH \"EXIT STATUS\"", "hongyan\\-send(1)", ".SH FILES"] {
        assert!(page.contains(words), "{words} in {page}");
    }
    let page = folder.run(&["man", "send"]).expect(0).out;
    for words in [".TH hongyan-send 1", "\\-\\-dry\\-run", "\\-\\-config"] {
        assert!(page.contains(words), "{words} in {page}");
    }
    let page = folder.run(&["man", "queue", "flush"]).expect(0).out;
    assert!(page.contains(".TH hongyan-queue-flush 1") && page.contains("\\-\\-timeout"), "{page}");
    folder.run(&["man", "pigeon"]).expect(2);
    folder.run(&["man", "queue", "pigeon"]).expect(2);
}

#[cfg(unix)]
#[test]
fn manual_pages_are_written_for_every_command_and_roff_finds_nothing_wrong() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("pages")).unwrap();
    folder.run(&["man", "--all", "pages"]).expect(0);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.path().join("pages")).unwrap() {
        let path = entry.unwrap().path();
        let output =
            Command::new("groff").args(["-man", "-Tutf8", "-ww", "-z"]).arg(&path).output();
        let output = output.expect("groff: if it is missing: apt-get install groff-base");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        names.push(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    names.sort();
    assert_eq!(names[0], "hongyan-bulk.1");
    for name in ["hongyan.1", "hongyan-send.1", "hongyan-queue.1", "hongyan-queue-ls.1"] {
        assert!(names.iter().any(|own| own == name), "{names:?}");
    }
    // What a page says that there is beside it is there.
    for name in &names {
        let page = fs::read_to_string(folder.path().join("pages").join(name)).unwrap();
        let page = page.replace("\\fB", "").replace("\\fR", "").replace('\\', "");
        for other in page.split_whitespace().filter_map(|word| word.strip_suffix("(1)")) {
            assert!(names.contains(&format!("{other}.1")), "{name} names {other}");
        }
    }
    folder.run(&["man", "--all", "nowhere"]).expect(1);
    folder.run(&["man", "send", "--all", "pages"]).expect(2);
}

#[test]
fn help_and_version_are_0_and_nothing_is_2() {
    let folder = Folder::new();
    assert!(folder.run(&["--help"]).expect(0).out.contains("Exit status"));
    assert!(folder.run(&["--version"]).expect(0).out.contains(hongyan::VERSION));
    folder.run(&[]).expect(2);
}

#[cfg(unix)]
#[test]
fn the_command_is_installed_with_its_pages_and_taken_away() {
    let folder = Folder::new();
    let prefix = folder.path().join("usr");
    let script = |args: &[&str]| {
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("tools");
        let mut command = Command::new(tools.join("install-command"));
        command.args(args).env("PREFIX", &prefix).env("DESTDIR", "");
        command.env("HONGYAN", env!("CARGO_BIN_EXE_hongyan")).output().unwrap()
    };
    assert!(script(&[]).status.success());
    for file in [
        "bin/hongyan",
        "share/man/man1/hongyan.1",
        "share/man/man1/hongyan-queue-ls.1",
        "share/bash-completion/completions/hongyan",
        "share/zsh/site-functions/_hongyan",
        "share/fish/vendor_completions.d/hongyan.fish",
    ] {
        assert!(fs::metadata(prefix.join(file)).unwrap().len() > 100, "{file}");
    }
    let other = prefix.join("share/man/man1/other.1");
    fs::write(&other, "").unwrap();
    assert!(script(&["uninstall"]).status.success());
    assert!(other.exists() && !prefix.join("share/zsh").exists() && !prefix.join("bin").exists());
    fs::remove_file(other).unwrap();
    assert!(script(&["uninstall"]).status.success());
    assert_eq!(fs::read_dir(&prefix).unwrap().count(), 0);
    assert_eq!(script(&["please"]).status.code(), Some(2));
}
