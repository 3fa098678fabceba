//! What is written twice, and who is nobody: refused wherever the command reads it.

mod common;

use common::{start, texts};
use serde_json::{Value, json};

#[test]
fn a_name_given_twice_in_a_configuration_is_told_with_its_path() {
    let (sandbox, folder) = start();
    let right = sandbox.config().to_string();
    let twice = |from: &str, to: &str| {
        let text = right.replacen(from, to, 1);
        assert_ne!(text, right, "{from}");
        text
    };
    let outbox = json!({"path": folder.path().join("outbox.db")});
    for (text, path) in [
        (twice("{\"v\":1", "{\"v\":1,\"v\":1"), "v"),
        (twice("\"accounts\":{", "\"accounts\":{\"x\":1,\"x\":2,"), "accounts.x"),
        (
            twice("\"auth\":{", "\"auth\":{\"\\u0074ype\":\"basic\","),
            "accounts.fanfou-basic.auth.type",
        ),
        // One that the command changes before the library sees it.
        (twice("{\"v\":1", &format!("{{\"v\":1,\"v\":1,\"outbox\":{outbox}")), "v"),
    ] {
        folder.write("hongyan.json", &text);
        for args in [
            &["check"][..],
            &["send", "-a", "fanfou-basic", "--to", "user=lisztli", "hello"],
            &["queue", "ls", "--outbox", "elsewhere.db"],
        ] {
            let ended = folder.run(args).expect(2);
            assert!(ended.err.contains("twice"), "{args:?} {text}: {ended:?}");
            assert!(ended.err.contains(path), "{args:?}: {path} is not in {ended:?}");
        }
    }
    folder.write("twice.toml", "v = 1\nv = 1\n[accounts]\n");
    let ended = folder.run(&["check", "--config", "twice.toml"]).expect(2);
    assert!(ended.err.contains("line 2"), "{ended:?}");
    assert!(texts(&sandbox).is_empty());
}

#[test]
fn a_name_given_twice_in_a_message_is_told_with_its_path() {
    let (sandbox, folder) = start();
    let fanfou = ["send", "-a", "fanfou-basic", "--to", "user=lisztli"];
    let extra = r#"{"mode": "lite", "mod\u0065": "default"}"#;
    let ended = folder.run(&[&fanfou[..], &["--extra", extra, "x"]].concat()).expect(2);
    assert!(ended.err.contains("extra.mode: "), "{ended:?}");
    let im = ["send", "-a", "tencent_im-usersig", "--to", "group=@TGS#2C5SZEAEF"];
    let part = r#"{"type": "raw", "value": {"MsgType": "x", "MsgContent": {"a": 1, "a": 2}}}"#;
    let ended = folder.run(&[&im[..], &["--part", part]].concat()).expect(2);
    assert!(ended.err.contains("parts[0].value.MsgContent.a: "), "{ended:?}");

    let message = r#"{"v": 1, "account": "fanfou-basic", "to": {"user": "nobody", "user": "lisztli"}, "text": "x"}"#;
    folder.write("message.json", message);
    let ended = folder.run(&["send", "--message", "message.json"]).expect(1);
    assert!(ended.err.contains("path: to.user"), "{ended:?}");
    folder.write("many.jsonl", format!("{message}\n{message}\n"));
    let args = ["bulk", "many.jsonl", "-a", "fanfou-basic", "--report", "report.jsonl"];
    folder.run(&args).expect(1);
    let report = std::fs::read_to_string(folder.path().join("report.jsonl")).expect("a report");
    for line in report.lines() {
        let told: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(told["error"]["path"], "to.user", "{told}");
    }
    assert_eq!(report.lines().count(), 2);
    assert!(texts(&sandbox).is_empty());
}

#[test]
fn who_is_nobody_is_told_with_the_path() {
    let (sandbox, folder) = start();
    for (account, to, path) in [
        ("fanfou-basic", "user=", "to.user"),
        ("fanfou-basic", "user= \u{3000}", "to.user"),
        ("tencent_im-usersig", "members=", "to.members"),
        ("renren-bearer", "users=\u{a0}", "to.users"),
    ] {
        let ended = folder.run(&["send", "-a", account, "--to", to, "x"]).expect(2);
        assert!(ended.err.contains(path), "{to:?}: {ended:?}");
    }
    let ended =
        folder.run(&["send", "-a", "weibo-oauth2", "--to", "user=2.125E+09", "x"]).expect(1);
    assert!(ended.err.contains("path: to.user"), "{ended:?}");
    folder.write(
        "people.csv",
        "account,to.group,to.members,text\ntencent_im-usersig,@TGS#2C5SZEAEF,;,x\n",
    );
    let args = ["bulk", "people.csv", "--report", "report.jsonl"];
    folder.run(&args).expect(1);
    let report = std::fs::read_to_string(folder.path().join("report.jsonl")).expect("a report");
    let told: Value = serde_json::from_str(report.trim()).expect("a line");
    assert_eq!(told["error"]["path"], "to.members", "{told}");
    assert!(texts(&sandbox).is_empty());
}
