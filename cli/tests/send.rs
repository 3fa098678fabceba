//! `hongyan send`: what is sent, what is said of it, and the exit status.

mod common;

use std::process::Stdio;

use common::{FANFOU, Folder, start, texts};
use serde_json::{Value, json};

fn with<'a>(args: &[&'a str]) -> Vec<&'a str> {
    FANFOU.iter().chain(args).copied().collect()
}

#[test]
fn a_sent_message_is_0_and_one_line() {
    let (sandbox, folder) = start();
    let ended = folder.run(&with(&["hello"])).expect(0);
    assert!(ended.out.starts_with("sent: account fanfou-basic (fanfou), message id "), "{ended:?}");
    assert_eq!((ended.out.lines().count(), ended.err.as_str()), (1, ""));
    assert_eq!(texts(&sandbox), ["hello"]);
}

#[test]
fn files_go_along_by_a_second_a_or_by_attach() {
    let (sandbox, folder) = start();
    folder.write("photo.png", b"\x89PNG\r\n\x1a\n rest");
    folder.write("notes.txt", "notes");
    let photo: &[_] = &["--to", "chat=4711", "-a", "photo.png", "with"];
    for account in [&["send", "-a", "telegram"][..], &["send", "--account", "telegram"]] {
        folder.run(&[account, photo].concat()).expect(0);
    }
    // A text is not waited for where there is a file.
    let args = ["send", "--attach", "notes.txt", "-a", "telegram", "--to", "chat=4711"];
    folder.run(&args).expect(0);
    let messages = sandbox.messages();
    let names: Vec<_> = messages.iter().map(|m| &m["attachments"][0]["name"]).collect();
    assert_eq!(names, ["photo.png", "photo.png", "notes.txt"]);

    let missing = ["send", "-a", "telegram", "--to", "chat=4711", "-a", "missing.png", "x"];
    let ended = folder.run(&missing).expect(1);
    assert!(ended.err.contains("path: attachments[0].path"), "{ended:?}");
    let ended = folder.run(&with(&["-a", "photo.png", "hello"])).expect(1);
    assert!(ended.err.contains("path: attachments[0]"), "fanfou carries none: {ended:?}");

    let dry = [&["send", "-a", "telegram"], photo, &["--dry-run"]].concat();
    let ended = folder.run(&dry).expect(0);
    assert!(ended.out.contains("[photo.png, image/png, 13 bytes]"), "{ended:?}");
    let ended = folder.run(&[&["--json"], &dry[..]].concat()).expect(0);
    let shown: Value = serde_json::from_str(&ended.out).expect("JSON");
    let file = json!([{"name": "photo.png", "type": "image/png", "size": 13}]);
    assert_eq!((&shown["files"], &shown["method"]), (&file, &json!("POST")));
    assert_eq!(sandbox.messages().len(), 3);
}

#[test]
fn a_refusal_is_1_with_everything_that_helps() {
    let (_sandbox, folder) = start();
    let args = ["send", "-a", "fanfou-basic", "--to", "user=nobody", "hello"];
    let ended = folder.run(&args).expect(1);
    assert!(ended.out.starts_with("not_sent: account fanfou-basic"), "{ended:?}");
    for words in ["error: not_found: ", "answer: service code 404, HTTP status 404", "again: safe"]
    {
        assert!(ended.err.contains(words), "{words} in {ended:?}");
    }
}

#[test]
fn a_wrong_message_is_1_with_its_path() {
    let (sandbox, folder) = start();
    let ended = folder.run(&with(&["--extra", r#"{"colour": 1}"#, "hello"])).expect(1);
    assert!(ended.err.contains("path: extra.colour"), "{ended:?}");
    let nobody = ["send", "-a", "nobody", "--to", "user=lisztli", "x"];
    for more in [&[][..], &["--dry-run"]] {
        let ended = folder.run(&[&nobody, more].concat()).expect(2);
        assert!(ended.err.contains("path: account"), "{ended:?}");
        assert!(ended.err.contains("fanfou-basic"), "the known ones are told: {ended:?}");
    }
    assert!(texts(&sandbox).is_empty());
}

#[test]
fn wrong_arguments_are_2() {
    let (sandbox, folder) = start();
    let cases: [&[&str]; 9] = [
        &["send", "--to", "user=lisztli", "hello"],
        &["send", "-a", "fanfou-basic", "--to", "lisztli", "hello"],
        &["send", "-a", "fanfou-basic", "--to", "planet=mars", "hello"],
        &with(&["--to", "user=test", "hello"]),
        &with(&["--part", "nonsense"]),
        &with(&["--extra", "nonsense", "hello"]),
        &with(&["--part", r#"{"type": "text", "text": "x"}"#, "hello"]),
        &with(&["--message", "message.json"]),
        &["send", "--message", "nowhere.json"],
    ];
    for args in cases {
        let ended = folder.run(args).expect(2);
        assert!(ended.out.is_empty() && !ended.err.is_empty(), "{args:?}: {ended:?}");
    }
    assert!(texts(&sandbox).is_empty());
}

#[test]
fn a_time_out_before_anything_was_sent_is_5() {
    let (sandbox, folder) = start();
    let ended = folder.run(&with(&["--timeout", "0", "hello"])).expect(5);
    assert!(ended.err.contains("error: timeout: "), "{ended:?}");
    assert!(texts(&sandbox).is_empty());
}

#[test]
fn a_lost_answer_is_7_and_a_warning() {
    let (sandbox, folder) = start();
    let fault = json!({"service": "fanfou", "kind": "reset", "when": "after"});
    sandbox.fault(fault).expect("a known fault");
    let ended = folder.run(&with(&["hello"])).expect(7);
    assert!(ended.out.starts_with("maybe_sent: "), "{ended:?}");
    assert!(ended.err.contains("again: may deliver it twice"), "{ended:?}");
    assert_eq!(texts(&sandbox), ["hello"]);
}

#[test]
fn some_of_several_messages_failing_is_4() {
    let (sandbox, folder) = start();
    let to = |user: &str, text: &str| {
        json!({"v": 1, "account": "fanfou-basic", "to": {"user": user}, "text": text}).to_string()
    };
    let (good, bad) = (to("lisztli", "good"), to("nobody", "bad"));
    folder.write("mixed.jsonl", format!("{good}\n\n{bad}\nnonsense\n"));
    let args = ["send", "--json", "--message", "mixed.jsonl"];
    let ended = folder.run(&args).expect(4);
    let mut results = ended.json();
    results.sort_by_key(|result| result["token"].as_u64());
    let told: Vec<_> = results
        .iter()
        .map(|result| (&result["token"], &result["delivery"], &result["error"]["name"]))
        .collect();
    let expected = [
        (json!(1), json!("sent"), Value::Null),
        (json!(3), json!("not_sent"), json!("not_found")),
        (json!(4), json!("not_sent"), json!("argument")),
    ];
    assert_eq!(told, expected.each_ref().map(|(a, b, c)| (a, b, c)));
    assert_eq!(texts(&sandbox), ["good"]);

    // The same from standard input, where the first line tells that there are several.
    folder.run_with_input(&["send", "-m", "-"], format!("{good}\n{bad}\n").as_bytes()).expect(4);
    // Where all end alike, the status says how.
    folder.run_with_input(&["send", "-m", "-"], format!("{good}\n{good}\n").as_bytes()).expect(0);
    folder.run_with_input(&["send", "-m", "-"], format!("{bad}\n{bad}\n").as_bytes()).expect(1);
    let args = ["send", "-m", "-", "--timeout", "0"];
    folder.run_with_input(&args, format!("{good}\n{good}\n").as_bytes()).expect(5);
    folder.write("none.jsonl", "\n");
    folder.run(&["send", "-m", "none.jsonl"]).expect(2);
}

#[test]
fn more_messages_than_an_account_takes_at_once_are_all_sent() {
    let (sandbox, folder) = start();
    let mut config = sandbox.config();
    config["accounts"]["fanfou-basic"]["max_in_flight"] = 3.into();
    folder.write("hongyan.json", config.to_string());
    let lines: String = (0..40)
        .map(|i| {
            let text = format!("message {i}");
            let to = json!({"user": "lisztli"});
            let message = json!({"v": 1, "account": "fanfou-basic", "to": to, "text": text});
            format!("{message}\n")
        })
        .collect();
    folder.write("many.jsonl", lines);
    let ended = folder.run(&["send", "--json", "-m", "many.jsonl"]).expect(0);
    assert_eq!(ended.json().len(), 40);
    assert_eq!(texts(&sandbox).len(), 40);
}

#[test]
fn a_whole_message_comes_from_a_file() {
    let (sandbox, folder) = start();
    let message = json!({
        "v": 1, "account": "tencent_im-usersig", "to": {"group": "@TGS#2C5SZEAEF"},
        "parts": [{"type": "mention", "all": true}, {"type": "text", "text": "look"}],
    });
    folder.write("message.json", format!("{message:#}\n"));
    folder.run(&["send", "-m", "message.json"]).expect(0);
    assert_eq!(texts(&sandbox), ["@all look"]);
    folder.write("message.json", "nonsense");
    let ended = folder.run(&["send", "--json", "-m", "message.json"]).expect(2);
    assert_eq!(ended.json()[0]["error"]["name"], "argument");
}

#[test]
fn every_argument_becomes_a_field() {
    let (sandbox, folder) = start();
    let to = ["send", "-a", "tencent_im-usersig", "--to", "group=@TGS#2C5SZEAEF"];
    let more = [
        "--to",
        "members=leckie",
        "--to",
        "members=tommy",
        "--part",
        r#"{"type": "text", "text": "hi "}"#,
        "--part",
        r#"{"type": "mention", "user": "tommy"}"#,
        "--extra",
        r#"{"Random": 7}"#,
        "--key",
        "k",
    ];
    let args: Vec<_> = to.into_iter().chain(more).chain(["--json"]).collect();
    let ended = folder.run(&args).expect(0);
    assert_eq!(ended.json()[0]["key"], "k");
    let request = sandbox.messages()[0]["request"].to_string();
    for sent in ["leckie", "tommy", "Random", "@tommy"] {
        assert!(request.contains(sent), "{sent} in {request}");
    }
    folder.run(&with(&["--reply-to", "2077", "answer"])).expect(0);
    let request = sandbox.messages()[1]["request"].to_string();
    assert!(request.contains("in_reply_to_id=2077"), "{request}");
}

#[test]
fn text_comes_from_standard_input_less_one_newline() {
    let (sandbox, folder) = start();
    folder.run_with_input(&FANFOU, "鸿雁\n\n".as_bytes()).expect(0);
    folder.run_with_input(&FANFOU, b"dos\r\n").expect(0);
    assert_eq!(texts(&sandbox), ["鸿雁\n", "dos"]);
    let ended = folder.run_with_input(&FANFOU, b"").expect(1);
    assert!(ended.err.contains("path: text"), "{ended:?}");
    folder.run_with_input(&FANFOU, b"\xff").expect(2);
}

#[test]
fn a_dash_is_standard_input_and_its_byte_order_mark_is_dropped() {
    let (sandbox, folder) = start();
    let dash = with(&["-"]);
    folder.run_with_input(&dash, "\u{feff}鸿雁\n".as_bytes()).expect(0);
    let utf16: Vec<u8> = "\u{feff}雁\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    folder.run_with_input(&dash, &utf16).expect(0);
    let to = json!({"user": "lisztli"});
    let message = |text: &str| json!({"v": 1, "account": "fanfou-basic", "to": to, "text": text});
    let whole = format!("\u{feff}{}", message("whole"));
    folder.run_with_input(&["send", "-m", "-"], whole.as_bytes()).expect(0);
    folder.write("many.jsonl", format!("\u{feff}{}\n{}\n", message("a"), message("b")));
    folder.run(&["send", "-m", "many.jsonl"]).expect(0);
    let mut arrived = texts(&sandbox);
    arrived.sort();
    assert_eq!(arrived, ["a", "b", "whole", "雁", "鸿雁"]);
}

#[test]
fn a_full_disk_behind_the_output_does_not_change_what_became_of_the_message() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
    let (sandbox, folder) = start();
    folder.write("many.jsonl", format!("{}\n", json!({"to": {"user": "lisztli"}, "text": "b"})));
    let config = sandbox.config();
    let mut with_outbox = config.clone();
    with_outbox["outbox"] = json!({"path": "outbox.db"});
    folder.write("outbox.json", with_outbox.to_string());
    let cases: [(&[&str], i32, &str); 6] = [
        (&with(&["hello"]), 0, "sent: account"),
        (&with(&["--json", "hello again"]), 0, "\"delivery\":\"sent\""),
        (&["send", "-a", "fanfou-basic", "--to", "user=nobody", "x"], 1, "not_sent: account"),
        (&["bulk", "many.jsonl", "-a", "fanfou-basic"], 0, "1 message: 1 sent"),
        (
            &[
                "send",
                "--config",
                "outbox.json",
                "--queue",
                "-a",
                "fanfou-basic",
                "--to",
                "user=test",
                "q",
            ],
            6,
            "01",
        ),
        (&["queue", "--config", "outbox.json", "flush"], 0, "sent: account"),
    ];
    for (args, code, told) in cases {
        let mut command = folder.command(args);
        let ended = command.stdout(full()).stderr(Stdio::piped()).output().expect("it runs");
        let err = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{args:?}: {err}");
        assert!(err.contains("cannot write") && err.contains(told), "{args:?}: {err}");
    }
    assert_eq!(texts(&sandbox).len(), 4);
    // What only tells something has failed if it could not.
    let ended = folder.command(&["services"]).stdout(full()).stderr(Stdio::piped()).output();
    assert_eq!(ended.expect("it runs").status.code(), Some(1));
}

/// Runs a send that waits for an hour until it says what for, and interrupts it then.
fn told_while_waiting(folder: &common::Folder, args: &[&str], words: &str) {
    use std::io::{BufRead as _, BufReader};

    let mut command = folder.command(args);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command runs");
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let mut seen = Vec::new();
    let told = lines.by_ref().map(|line| line.expect("UTF-8")).any(|line| {
        seen.push(line.clone());
        line.contains(words) && line.contains("waiting, without end; --timeout sets one")
    });
    assert!(told, "{words:?} in {seen:?}");
    common::interrupt(&child);
    let rest: Vec<_> = lines.map_while(Result::ok).collect();
    assert!(rest.iter().any(|line| line.contains("again: ")), "{rest:?}");
    assert_eq!(child.wait().expect("it ends").code(), Some(1), "{rest:?}");
}

#[test]
fn a_long_wait_is_told_of_with_what_it_is_for_and_how_long() {
    let (sandbox, folder) = start();
    let fault = json!({"service": "fanfou", "kind": "status", "status": 429, "times": 1,
                       "headers": {"Retry-After": "3600"}});
    sandbox.fault(fault).expect("a known fault");
    told_while_waiting(
        &folder,
        &with(&["hello"]),
        "attempt 1 gave rate_limited: again in 3600000 ms",
    );

    let far = 32_503_680_000_000_u64;
    let message = json!({"v": 1, "account": "fanfou-basic", "to": {"user": "lisztli"},
                         "text": "later", "not_before_ms": far});
    folder.write("later.json", message.to_string());
    told_while_waiting(&folder, &["send", "-m", "later.json"], "ms for its time");

    let mut config = sandbox.config();
    config["accounts"]["fanfou-basic"]["rate"] = json!({"count": 1, "per_ms": 3_600_000});
    folder.write("hongyan.json", config.to_string());
    let fault = json!({"service": "fanfou", "kind": "status", "status": 429, "times": 1,
                       "headers": {"Retry-After": "0"}});
    sandbox.fault(fault).expect("a known fault");
    told_while_waiting(&folder, &with(&["hello"]), "ms for its turn within its rate");
    assert!(texts(&sandbox).is_empty());
}

#[test]
fn ctrl_c_ends_a_send_with_what_is_true_of_it() {
    let (sandbox, folder) = start();
    let fault = json!({"service": "fanfou", "kind": "hang", "when": "after"});
    sandbox.fault(fault).expect("a known fault");
    let mut command = folder.command(&with(&["--json", "hello"]));
    let child = command.stdout(Stdio::piped()).spawn().expect("the command runs");
    while sandbox.messages().is_empty() {
        std::thread::yield_now();
    }
    common::interrupt(&child);
    let ended = child.wait_with_output().expect("it ends");
    let result: Value = serde_json::from_slice(&ended.stdout).expect("a result");
    assert_eq!((ended.status.code(), &result["delivery"]), (Some(7), &json!("maybe_sent")));
    assert_eq!(result["error"]["name"], "cancelled");
}

#[test]
fn a_result_is_one_json_object() {
    let (_sandbox, folder) = start();
    let ended = folder.run(&with(&["--json", "hello"])).expect(0);
    let result = &ended.json()[0];
    assert_eq!((&result["v"], &result["delivery"]), (&json!(1), &json!("sent")));
    let args = ["--json", "send", "-a", "fanfou-basic", "--to", "user=nobody", "hello"];
    let ended = folder.run(&args).expect(1);
    assert_eq!(ended.json()[0]["error"]["code"], 202);
    assert!(ended.err.is_empty(), "{ended:?}");
    let ended = folder.run(&with(&["--config", "nowhere.toml", "--json", "hello"])).expect(2);
    assert_eq!(ended.json()[0]["error"]["name"], "config");
}

#[test]
fn a_dry_run_sends_nothing_and_shows_no_secret() {
    let (sandbox, folder) = start();
    let config = sandbox.config();
    let secrets = [
        "password",
        "consumer_secret",
        "token",
        "token_secret",
        "mac_key",
        "secret_key",
        "value",
        "secret",
        "url",
        "key",
    ];
    for (name, account) in config["accounts"].as_object().expect("accounts") {
        let to = match account["service"].as_str().expect("a service") {
            "tencent_im" => "group=@TGS#2C5SZEAEF",
            "renren" => "users=1",
            "telegram" => "chat=4711",
            "fanfou" | "sina" | "weibo" => "user=1",
            "webhook" => "user=u",
            _ => "",
        };
        let mut args = vec!["send", "-a", name, "--dry-run", "dry"];
        if !to.is_empty() {
            args.extend(["--to", to]);
        }
        if account["service"] == "renren" {
            args.extend(["--extra", r#"{"messageType": "ANY", "resourceTitle": "title"}"#]);
        }
        let shown = folder.run(&args).expect(0);
        args.push("--json");
        let json = folder.run(&args).expect(0);
        // The rest of the URL differs from one run to the next; of a URL that is a secret there is none.
        let base_url = account["base_url"].as_str().expect("a URL");
        let is_mail = account["service"] == "smtp";
        let begin = match account["auth"]["type"].as_str() {
            Some("webhook") => format!("{}/…", sandbox.url()),
            _ if is_mail => base_url.to_owned(),
            _ => format!("{base_url}/"),
        };
        let method = match account["service"].as_str() {
            Some("smtp") => "SMTP",
            Some("matrix") => "PUT",
            _ => "POST",
        };
        assert!(json.json()[0]["url"].as_str().is_some_and(|url| url.starts_with(&begin)));
        assert!(shown.out.starts_with(&format!("{method} {begin}")), "{shown:?}");
        assert!(shown.out.to_lowercase().contains("\ncontent-type: "), "{shown:?}");
        assert!(shown.out.contains("dry"), "{shown:?}");
        // The key of an app is its name, and stands in its messages.
        let is_app = account["auth"]["type"] == "app";
        let hidden = secrets.iter().filter(|name| !(is_app && **name == "key"));
        let own: Vec<_> = hidden.filter_map(|secret| account["auth"][*secret].as_str()).collect();
        let has_one = account["auth"]["type"] != "none";
        assert_eq!(!own.is_empty(), has_one, "{name} has no secret");
        // What ends the URL of a webhook is its secret.
        let is_url = account["auth"]["type"] == "webhook";
        let end =
            |secret: &&str| secret.rfind(['=', '/']).filter(|_| is_url).map_or(0, |at| at + 1);
        for secret in own.iter().map(|secret| &secret[end(secret)..]) {
            assert!(!shown.out.contains(secret) && !json.out.contains(secret), "{name}: {shown:?}");
        }
        assert!(!shown.out.contains("dGVzdDpwd2Q"), "{shown:?}");
    }
    let ended = folder.run(&["send", "-a", "fanfou-basic", "--dry-run", "x"]).expect(1);
    assert!(ended.err.contains("path: to.user"), "{ended:?}");
    assert!(texts(&sandbox).is_empty());
}

#[test]
fn a_reader_that_leaves_changes_nothing() {
    let (sandbox, folder) = start();
    for (args, code) in [(&with(&["hello"])[..], 0), (&["services"], 0), (&["man"], 0)] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = folder.command(args);
        let ended = command.stdout(writer).stderr(Stdio::piped()).output().expect("it runs");
        let err = String::from_utf8_lossy(&ended.stderr);
        assert_eq!((ended.status.code(), &*err), (Some(code), ""), "{args:?}");
    }
    assert_eq!(texts(&sandbox), ["hello"]);
}

#[cfg(unix)]
#[test]
fn a_pipe_without_a_writer_is_refused_and_an_open_one_is_read() {
    let (sandbox, folder) = start();
    let fifo = folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo");
    assert!(made.success());
    let message = r#"{"v":1,"account":"fanfou-basic","to":{"user":"lisztli"},"text":"piped"}"#;
    for (args, word) in [
        (&["send", "-m", "fifo"][..], "a pipe"),
        (&["send", "-m", "."], "a folder"),
        (&["send", "-m", "/dev/zero"], "a device"),
        (&["check", "--config", "fifo"], "a pipe"),
        (&["check", "--config", "."], "a folder"),
        (&["check", "--config", "/dev/zero"], "a device"),
    ] {
        let ended = folder.run(args).expect(2);
        assert!(ended.err.contains(word), "{args:?}: {ended:?}");
    }
    // What the caller has opened may be anything: a pipe of the shell, for instance.
    let run = |script: &str| {
        let mut command = std::process::Command::new("bash");
        command.args(["-c", script, env!("CARGO_BIN_EXE_hongyan"), message]);
        let output = command.current_dir(folder.path()).output().expect("bash is there");
        assert!(output.status.success(), "{script}: {output:?}");
    };
    run(r#""$0" send -m <(printf '%s' "$1")"#);
    run(r#"printf '%s' "$1" | "$0" send -m /dev/stdin"#);
    run(r#""$0" --config <(cat hongyan.json) send -m - <<< "$1""#);
    assert_eq!(texts(&sandbox).len(), 3);
    // Nothing is read without end.
    let mut endless = folder.command(&["send", "-m", "/dev/stdin"]);
    endless.stdin(std::fs::File::open("/dev/zero").expect("a device"));
    let output = endless.output().expect("it ends");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

/// A sandbox, and a folder whose configuration has an outbox.
fn with_outbox() -> (hongyan_sandbox::Sandbox, Folder, Value) {
    let (sandbox, folder) = start();
    let mut config = sandbox.config();
    config["outbox"] = json!({"path": folder.path().join("outbox.db")});
    folder.write("hongyan.json", config.to_string());
    (sandbox, folder, config)
}

#[test]
fn a_key_makes_one_message_of_several_runs() {
    let (sandbox, folder, _) = with_outbox();
    let send =
        |more: &[&str]| folder.run(&[&with(&["hello", "--key", "order-7"])[..], more].concat());
    let first = send(&[]).expect(0);
    assert!(!first.out.contains("deduplicated"), "{first:?}");
    let second = send(&[]).expect(0);
    assert!(second.out.contains("deduplicated"), "{second:?}");
    let told = &send(&["--json"]).expect(0).json()[0];
    assert_eq!((&told["delivery"], &told["deduplicated"]), (&json!("sent"), &json!(true)));
    assert_eq!(texts(&sandbox), ["hello"]);
    let other = folder.run(&with(&["other", "--key", "order-7"])).expect(1);
    assert!(other.err.contains("order-7") && other.err.contains("path: key"), "{other:?}");

    // The same for lines of a file, and for what was queued.
    let line = json!({"v": 1, "account": "fanfou-basic", "to": {"user": "lisztli"}, "text": "hello",
        "key": "order-7"});
    let fresh = json!({"v": 1, "account": "fanfou-basic", "to": {"user": "lisztli"}, "text": "fresh",
        "key": "order-8"});
    folder.write("many.jsonl", format!("{line}\n{fresh}\n{fresh}\n"));
    folder.run(&["send", "-m", "many.jsonl"]).expect(0);
    assert_eq!(texts(&sandbox), ["hello", "fresh"]);
    folder.run(&with(&["queued", "--key", "order-9", "--queue"])).expect(6);
    let sent = folder.run(&with(&["queued", "--key", "order-9"])).expect(0);
    assert!(sent.out.contains("deduplicated"), "{sent:?}");
    assert_eq!(texts(&sandbox), ["hello", "fresh", "queued"]);
    folder.run(&["queue", "flush"]).expect(0);
    assert_eq!(texts(&sandbox), ["hello", "fresh", "queued"]);
    assert!(folder.run(&["queue", "ls", "--state", "queued"]).expect(0).out.is_empty());
}

#[test]
fn a_key_is_one_message_beside_another_client() {
    let (sandbox, folder, config) = with_outbox();
    let beside = hongyan::Client::from_json(&config.to_string()).expect("a client");
    folder.run(&with(&["x", "--key", "k"])).expect(0);
    folder.run(&with(&["plain"])).expect(0);
    let again = folder.run(&with(&["x", "--key", "k"])).expect(0);
    assert!(again.out.contains("deduplicated"), "{again:?}");
    drop(beside);
    assert_eq!(texts(&sandbox), ["x", "plain"]);
}

#[test]
fn runs_with_one_key_at_once_take_turns() {
    let (sandbox, folder, _) = with_outbox();
    let args = with(&["hello", "--key", "k", "--timeout", "100"]);
    let runs: Vec<_> = (0..4)
        .map(|_| {
            let mut command = folder.command(&args);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            command.spawn().expect("it runs")
        })
        .collect();
    for run in runs {
        let ended = run.wait_with_output().expect("it ends");
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    }
    assert_eq!(texts(&sandbox), ["hello"]);
}
