//! Where a configuration is looked for, what it may be written in, and `hongyan check`.

mod common;

use common::{Folder, start};
use serde_json::{Value, json};

/// A configuration with one account of this name.
fn config(name: &str) -> Value {
    let auth = json!({"type": "basic", "username": "u", "password": "hunter2hunter2"});
    json!({"v": 1, "accounts": {name: {"service": "fanfou", "auth": auth}}})
}

fn toml(name: &str) -> String {
    toml::to_string(&config(name)).expect("TOML")
}

/// The name of the only account that `hongyan check` found.
fn found(ended: &common::Ended) -> String {
    ended.json()[0]["accounts"][0]["name"].as_str().expect("an account").to_owned()
}

#[test]
fn the_search_goes_from_the_nearest_to_the_farthest() {
    let folder = Folder::new();
    let check = ["check", "--json"];
    let ended = folder.run(&["check"]).expect(2);
    assert!(ended.err.contains("there is no configuration: looked for hongyan.toml"), "{ended:?}");

    folder.write(".config/hongyan/config.toml", toml("home"));
    assert_eq!(found(&folder.run(&check).expect(0)), "home");
    folder.write("xdg/hongyan/config.toml", toml("xdg"));
    let with = |name: &str, value: &str| {
        let mut command = folder.command(&check);
        let output = command.env(name, folder.path().join(value)).output().expect("it runs");
        serde_json::from_slice::<Value>(&output.stdout).expect("JSON")
    };
    let users = if cfg!(windows) { "APPDATA" } else { "XDG_CONFIG_HOME" };
    assert_eq!(with(users, "xdg")["accounts"][0]["name"], "xdg");
    folder.write("hongyan.json", config("json").to_string());
    assert_eq!(found(&folder.run(&check).expect(0)), "json");
    folder.write("hongyan.toml", toml("toml"));
    assert_eq!(found(&folder.run(&check).expect(0)), "toml");
    folder.write("named.toml", toml("named"));
    assert_eq!(with("HONGYAN_CONFIG", "named.toml")["accounts"][0]["name"], "named");
    assert_eq!(with("HONGYAN_CONFIG", "missing.toml")["errors"][0]["name"], "config");
    folder.write("given", toml("given"));
    assert_eq!(found(&folder.run(&["--config", "given", "check", "--json"]).expect(0)), "given");
    folder.write("given", config("given as JSON").to_string());
    let ended = folder.run(&["check", "--json", "--config", "given"]).expect(0);
    assert_eq!(found(&ended), "given as JSON");
}

/// Runs it with `$HONGYAN_CONFIG`: its exit code, and what it wrote to both streams.
fn with_variable(folder: &Folder, args: &[&str], value: &str) -> (Option<i32>, String, String) {
    let output = folder.command(args).env("HONGYAN_CONFIG", value).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_variable_may_hold_the_configuration_itself() {
    let (sandbox, folder) = start();
    folder.write("hongyan.json", "{}");
    let json = sandbox.config().to_string();
    for value in [json.clone(), format!("\u{feff}{json}"), format!("\n\t {json}\n")] {
        let (code, out, err) = with_variable(
            &folder,
            &["send", "-a", "fanfou-basic", "--to", "user=lisztli", "hello"],
            &value,
        );
        assert_eq!(code, Some(0), "{out}{err}");
    }
    assert_eq!(sandbox.messages().len(), 3);
    let (code, out, _) = with_variable(&folder, &["check"], &json);
    assert!(code == Some(0) && out.starts_with("$HONGYAN_CONFIG is fine, with "), "{out}");
    // A file of such a name is a file.
    folder.write("{odd}.json", config("odd").to_string());
    let (_, out, _) = with_variable(&folder, &["check", "--json"], "{odd}.json");
    assert!(out.contains("\"odd\""), "{out}");
}

#[test]
fn content_where_a_path_is_expected_is_never_shown() {
    let folder = Folder::new();
    let json = config("a").to_string();
    let long = format!("hunter2hunter2{}", "x".repeat(5000));
    for content in [
        json.replace("basic", "basics"),
        json.replace("\"v\":1", "\"v\":2"),
        format!("// a comment\n{json}"),
        format!("# a comment\n{json}"),
        format!("\u{feff}/* a comment */{json}"),
        json[..json.len() - 1].to_owned(),
        toml("a"),
        long,
    ] {
        for command in
            [&["check"][..], &["check", "--json"], &["send", "-a", "a", "x"], &["queue", "ls"]]
        {
            let (code, out, err) = with_variable(&folder, command, &content);
            assert_eq!(code, Some(2), "{command:?}: {out}{err}");
            assert!(!format!("{out}{err}").contains("hunter2"), "{command:?}: {out}{err}");
            let args: Vec<_> =
                ["--config", &content].into_iter().chain(command.iter().copied()).collect();
            let ended = folder.run(&args).expect(2);
            assert!(!format!("{}{}", ended.out, ended.err).contains("hunter2"), "{ended:?}");
        }
    }
    let ended = folder.run(&["--config", &json, "check"]).expect(2);
    assert!(ended.err.contains("--config takes the path of a file"), "{ended:?}");
}

#[test]
fn a_configuration_in_toml_sends() {
    let (sandbox, folder) = start();
    let text = toml::to_string(&sandbox.config()).expect("TOML");
    folder.write("all.toml", text);
    for (account, to) in
        [("fanfou-oauth1", "user=lisztli"), ("tencent_im-usersig", "group=@TGS#2C5SZEAEF")]
    {
        let args = ["send", "--config", "all.toml", "-a", account, "--to", to, "hello"];
        folder.run(&args).expect(0);
    }
    assert_eq!(sandbox.messages().len(), 2);
}

#[test]
fn what_cannot_be_read_is_told_without_its_secrets() {
    let folder = Folder::new();
    for (name, content) in [
        ("a.toml", "v = 1\n[accounts.a.auth]\npassword = \"hunter2"),
        ("b.toml", "password = 'hunter2'\npassword = 'hunter2'"),
        ("c.json", "{\"password\": \"hunter2\" x}"),
        ("d.json", "{\"v\": 1, \"accounts\": {\"a\": {\"auth\": {\"password\": \"hunter2\"}}}}"),
    ] {
        folder.write(name, content);
        for args in [["check", "--config", name], ["send", "--message=-", "--config"]] {
            let args: Vec<_> =
                args.into_iter().chain((args[2] == "--config").then_some(name)).collect();
            let ended = folder.run(&args).expect(2);
            assert!(ended.err.contains(name), "{ended:?}");
            assert!(!ended.err.contains("hunter2") && ended.out.is_empty(), "{ended:?}");
        }
    }
    let ended = folder.run(&["check", "--config", "a.toml"]);
    assert!(ended.err.contains("in line 3"), "{ended:?}");
    folder.write("e.json", b"\xff");
    assert!(folder.run(&["check", "--config", "e.json"]).expect(2).err.contains("not UTF-8"));
}

#[test]
fn check_says_in_words_what_is_wrong_with_each_account() {
    let folder = Folder::new();
    let mut config = config("fine");
    config["accounts"]["pigeon"] = json!({"service": "pigeon", "auth": {"type": "basic"}});
    config["accounts"]["half"] =
        json!({"service": "fanfou", "auth": {"type": "basic", "username": "u"}});
    folder.write("hongyan.json", config.to_string());
    let ended = folder.run(&["check"]).expect(2);
    assert!(ended.err.contains("hongyan.json: 2 things are wrong"), "{ended:?}");
    for words in [
        "error: config: unknown service \"pigeon\"; known: ",
        "path: accounts.pigeon.service",
        "path: accounts.half.auth.password",
    ] {
        assert!(ended.err.contains(words), "{words} in {ended:?}");
    }
    let json = &folder.run(&["check", "--json"]).expect(2).json()[0];
    assert_eq!((&json["ok"], json["errors"].as_array().map(Vec::len)), (&json!(false), Some(2)));

    config["accounts"] = json!({});
    config["colour"] = json!("red");
    folder.write("hongyan.json", config.to_string());
    assert!(folder.run(&["check"]).expect(2).err.contains("path: colour"));
}

#[test]
fn check_finds_everything_and_names_the_unknown_before_the_missing() {
    let folder = Folder::new();
    let accounts = json!({
        "a.b": {"service": "fanfou", "colour": 1, "format": "yaml",
                "auth": {"type": "basic", "usrname": "u"}},
        "im": {"service": "tencent_im", "region": "mars",
               "auth": {"type": "usersig", "sdk_app_id": "1", "identifier": "i", "secretkey": "x"}},
        "fine": config("fine")["accounts"]["fine"],
    });
    let whole = json!({
        "v": 1, "accounts": accounts, "retry": {"max_attempts": 0, "tries": 3}, "timeout": 5,
    });
    folder.write("hongyan.json", whole.to_string());
    let ended = folder.run(&["check", "--json"]).expect(2);
    let errors = ended.json()[0]["errors"].as_array().expect("errors").clone();
    let paths: Vec<_> = errors.iter().map(|e| e["path"].as_str().expect("a path")).collect();
    let expected = [
        "retry.tries",
        "timeout",
        "retry.max_attempts",
        "accounts.a.b.auth.usrname",
        "accounts.a.b.colour",
        "accounts.a.b.auth.username",
        "accounts.a.b.auth.password",
        "accounts.a.b.format",
        "accounts.im.auth.secretkey",
        "accounts.im.auth.sdk_app_id",
        "accounts.im.auth.secret_key",
        "accounts.im.region",
    ];
    let mut sorted = (paths.clone(), expected.to_vec());
    sorted.0.sort_unstable();
    sorted.1.sort_unstable();
    assert_eq!(sorted.0, sorted.1, "{errors:#?}");
    for (unknown, missing) in [
        ("accounts.a.b.auth.usrname", "accounts.a.b.auth.username"),
        ("accounts.im.auth.secretkey", "accounts.im.auth.secret_key"),
        ("retry.tries", "retry.max_attempts"),
    ] {
        let at = |path| paths.iter().position(|found| *found == path);
        assert!(at(unknown) < at(missing), "{paths:?}");
    }
    assert!(folder.run(&["check"]).expect(2).err.contains("12 things are wrong"));
}

#[test]
fn check_fails_on_an_outbox_that_cannot_be_opened() {
    let folder = Folder::new();
    let mut config = config("fine");
    for (path, content) in
        [("none/outbox.db", None), ("other.db", Some("no database at all, but long"))]
    {
        if let Some(content) = content {
            folder.write(path, content);
        }
        config["outbox"] = json!({"path": path});
        folder.write("hongyan.json", config.to_string());
        let ended = folder.run(&["check"]).expect(2);
        assert!(ended.err.contains("error: storage: "), "{ended:?}");
        assert!(ended.err.contains("path: outbox.path"), "{ended:?}");
    }
    config["outbox"] = json!({"path": "outbox.db"});
    folder.write("hongyan.json", config.to_string());
    folder.run(&["check"]).expect(0);
    assert!(!folder.path().join("outbox.db").exists(), "it was only looked at");
}

#[cfg(unix)]
#[test]
fn check_warns_of_blanks_open_files_and_services_that_are_gone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new();
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    };
    let token = folder.write("token", "secret\n");
    mode(&token, 0o644);
    let file = format!("${{file:{}}}", token.display());
    let accounts = json!({
        "ff": {"service": "fanfou", "auth": {"type": "basic", "username": "two words", "password": " p"}},
        "rr": {"service": "renren", "auth": {"type": "bearer", "token": file}},
        "wb": {"service": "weibo", "app_key": "k", "auth": {"type": "oauth2", "token": "2.00x"}},
        "old": {"service": "sina", "base_url": "http://127.0.0.1:1",
                "app_key": "k", "auth": {"type": "basic", "username": "u", "password": "p p"}},
    });
    let text = json!({"v": 1, "accounts": accounts}).to_string();
    let path = folder.write("hongyan.json", text);
    mode(&path, 0o644);
    let ended = folder.run(&["check", "--json"]).expect(0);
    let warnings = ended.json()[0]["warnings"].as_array().expect("warnings").clone();
    let has = |words: &str| warnings.iter().any(|w| w.as_str().is_some_and(|w| w.contains(words)));
    for words in [
        "accounts.ff.auth.password: there is a blank",
        "accounts.rr: \"renren\" is gone",
        "token (accounts.rr.auth.token); chmod 600",
        "hongyan.json (it holds credentials); chmod 600",
    ] {
        assert!(has(words), "{words} in {warnings:?}");
    }
    assert_eq!(warnings.len(), 4, "{warnings:?}");
    assert!(folder.run(&["check"]).expect(0).err.contains("warning: accounts.rr"));
    mode(&path, 0o600);
    mode(&token, 0o600);
    let ended = folder.run(&["check", "--json"]).expect(0);
    assert_eq!(ended.json()[0]["warnings"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_byte_order_mark_and_utf_16_are_read_in_a_configuration() {
    let folder = Folder::new();
    let (json, toml) = (config("marked").to_string(), toml("marked"));
    for (name, text) in [("a.json", &json), ("b.toml", &toml), ("c", &json), ("d", &toml)] {
        let marked = format!("\u{feff}{text}");
        let utf16: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [marked.into_bytes(), utf16] {
            folder.write(name, bytes);
            let ended = folder.run(&["check", "--json", "--config", name]).expect(0);
            assert_eq!(found(&ended), "marked");
        }
    }
    let ended = folder.run_with_input(&["check", "--json", "--config", "-"], json.as_bytes());
    assert_eq!(found(&ended.expect(0)), "marked");
}

#[test]
fn check_lists_what_is_fine_and_sends_nothing() {
    let (sandbox, folder) = start();
    let ended = folder.run(&["check"]).expect(0);
    let config = sandbox.config();
    let accounts = config["accounts"].as_object().expect("accounts");
    let count = accounts.len();
    assert!(ended.out.starts_with(&format!("hongyan.json is fine, with {count} accounts\n")));
    for (name, account) in accounts {
        let line = ended.out.lines().find(|line| line.starts_with(name.as_str()));
        let cells: Vec<_> = line.expect(name).split_whitespace().collect();
        let auth = account["auth"]["type"].as_str().expect("a type");
        let service = account["service"].as_str().expect("a service");
        let url = match service {
            "smtp" => hongyan_sandbox::mail_url(&sandbox.url()),
            _ => sandbox.url(),
        };
        assert_eq!(cells, [name, service, auth, &url]);
    }
    let json = folder.run(&["check", "--json"]).expect(0);
    assert_eq!(json.json()[0]["accounts"].as_array().map(Vec::len), Some(count));
    for secret in ["fanfou-consumer-secret", "fanfou-token-secret", "5bd2850f"] {
        assert!(!ended.out.contains(secret) && !json.out.contains(secret));
    }
    assert!(sandbox.messages().is_empty());
}

#[test]
fn check_asks_the_services_only_if_told_to() {
    let folder = Folder::new();
    let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base_url = format!("http://{}/fanfou", server.local_addr().expect("bound"));
    let auth = json!({"type": "basic", "username": "u", "password": "p"});
    let account = json!({"service": "fanfou", "auth": auth, "base_url": base_url});
    let config = json!({"v": 1, "accounts": {"ff": account},
        "outbox": {"path": folder.path().join("outbox.db")}});
    folder.write("hongyan.json", config.to_string());
    let plain = folder.run(&["check"]).expect(0);
    assert!(!plain.out.contains("CREDENTIALS"), "{}", plain.out);
    let live = folder.run(&["check", "--live"]).expect(0);
    assert!(
        live.out.contains("CREDENTIALS") && live.out.contains("cannot be asked"),
        "{}",
        live.out
    );
    let shown = &folder.run(&["check", "--live", "--timeout", "5", "--json"]).expect(0).json()[0];
    assert_eq!(shown["accounts"][0]["live"], json!({"ok": null, "error": null}), "{shown}");
    assert_eq!(shown["ok"], true);
    assert!(!folder.path().join("outbox.db").exists(), "it opens no outbox");
    folder.run(&["check", "--timeout", "5"]).expect(2);
    server.set_nonblocking(true).expect("a socket");
    assert!(server.accept().is_err(), "nothing was asked");
}
