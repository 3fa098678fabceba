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
    assert_eq!(with("XDG_CONFIG_HOME", "xdg")["accounts"][0]["name"], "xdg");
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
        let url = sandbox.url();
        let auth = account["auth"]["type"].as_str().expect("a type");
        let service = account["service"].as_str().expect("a service");
        assert_eq!(cells, [name, service, auth, &url]);
    }
    let json = folder.run(&["check", "--json"]).expect(0);
    assert_eq!(json.json()[0]["accounts"].as_array().map(Vec::len), Some(count));
    for secret in ["fanfou-consumer-secret", "fanfou-token-secret", "5bd2850f"] {
        assert!(!ended.out.contains(secret) && !json.out.contains(secret));
    }
    assert!(sandbox.messages().is_empty());
}
