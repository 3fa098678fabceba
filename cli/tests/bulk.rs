//! `hongyan bulk`: files of messages, their report, and going on after a kill.

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Folder, start, texts};
use hongyan_sandbox::Sandbox;
use serde_json::{Value, json};

/// How long something that must happen may take on a slow machine.
const GUARD: Duration = Duration::from_secs(300);

fn line(user: &str, text: &str) -> String {
    format!("{}\n", json!({"to": {"user": user}, "text": text}))
}

fn with_outbox(more: Value) -> (Sandbox, Folder) {
    let (sandbox, folder) = start();
    let mut config = sandbox.config();
    config["outbox"] = json!({"path": folder.path().join("outbox.db")});
    let account = config["accounts"]["fanfou-basic"].as_object_mut().expect("an account");
    account.extend(more.as_object().expect("fields").clone());
    folder.write("hongyan.json", config.to_string());
    (sandbox, folder)
}

fn report(folder: &Folder, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.path().join(name)).expect("a report");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn counts(summary: &Value) -> [u64; 5] {
    ["messages", "sent", "maybe_sent", "not_sent", "earlier"]
        .map(|name| summary[name].as_u64().expect("a count"))
}

const BULK: [&str; 4] = ["bulk", "many.jsonl", "-a", "fanfou-basic"];

fn bulk<'a>(more: &[&'a str]) -> Vec<&'a str> {
    BULK.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn a_file_is_sent_and_its_failures_are_reported() {
    let (sandbox, folder) = start();
    let file = [line("lisztli", "a"), line("nobody", "b"), "nonsense\n".into(), line("test", "c")];
    folder.write("many.jsonl", file.concat());
    let args = bulk(&["--report", "report.jsonl", "--progress", "always"]);
    let ended = folder.run(&args).expect(4);
    assert!(ended.out.starts_with("many.jsonl: 4 messages: "), "{ended:?}");
    for words in ["NAME", "not_found  1      2 ", "argument   1      3 "] {
        assert!(ended.out.contains(words), "{words:?} in {}", ended.out);
    }
    assert!(ended.err.contains("hongyan: 4 of 4, "), "{ended:?}");
    let lines: BTreeSet<_> =
        report(&folder, "report.jsonl").iter().filter_map(|told| told["line"].as_u64()).collect();
    assert_eq!(lines, BTreeSet::from([1, 2, 3, 4]));
    let before = texts(&sandbox).len();

    // The report is not overwritten, and what was sent without an outbox cannot be resumed.
    folder.run(&args).expect(2);
    let ended = folder.run(&bulk(&["--resume"])).expect(2);
    assert!(ended.err.contains("needs an outbox"), "{ended:?}");
    assert_eq!(texts(&sandbox).len(), before);

    folder.write("many.jsonl", line("lisztli", "d"));
    let ended = folder.run(&bulk(&["--progress", "never", "--json"])).expect(0);
    assert_eq!((counts(&ended.json()[0]), ended.err.as_str()), ([1, 1, 0, 0, 0], ""));
    folder.write("many.jsonl", line("nobody", "e"));
    let ended = folder.run(&bulk(&[])).expect(1);
    assert!(ended.out.starts_with("many.jsonl: 1 message: 1 not sent"), "{ended:?}");
    folder.write("many.jsonl", "\n");
    folder.run(&bulk(&[])).expect(2);
    for wrong in ["nowhere.jsonl", "/dev/null", "hongyan.json"] {
        folder.run(&["bulk", wrong]).expect(2);
    }
}

#[test]
fn a_table_is_sent() {
    let (sandbox, folder) = start();
    let table = "\u{feff}account,to.user,text,deadline_ms,extra.mode\n\
                 fanfou-basic,lisztli,\"one, 鸿雁\",60000,lite\n\
                 fanfou-basic,lisztli,two,soon,\n\
                 fanfou-basic,lisztli\n\
                 fanfou-oauth1,lisztli,\"three\nlines\",,\n";
    folder.write("table.csv", table);
    let ended = folder.run(&["bulk", "table.csv", "--report", "report.jsonl"]).expect(4);
    assert!(ended.out.contains("4 messages: 2 sent, 2 not sent"), "{ended:?}");
    let arrived: BTreeSet<_> = texts(&sandbox).into_iter().collect();
    assert_eq!(arrived, ["one, 鸿雁", "three\nlines"].map(str::to_owned).into());
    let mut told = report(&folder, "report.jsonl");
    told.sort_by_key(|told| told["line"].as_u64());
    assert_eq!(told[1]["error"]["path"], "deadline_ms");
    assert_eq!(told[2]["error"]["name"], "argument");
    assert!(ended.out.contains("column deadline_ms: expected"), "{ended:?}");
    folder.write("table.csv", "to.user,colour\nlisztli,red\n");
    let ended = folder.run(&["bulk", "table.csv"]).expect(2);
    assert!(ended.err.contains("colour"), "{ended:?}");
}

#[test]
fn a_table_in_any_spelling_that_can_be_told_is_sent() {
    let (sandbox, folder) = start();
    let table = |delimiter: &str, end: &str, n: usize| {
        let rows = [
            format!("to.user{delimiter}text{delimiter}deadline"),
            format!("lisztli{delimiter}\"{n}, with; every\tdelimiter\"{delimiter}60.5"),
            format!("nobody{delimiter}{n} refused{delimiter}"),
        ];
        rows.map(|row| row + end).concat()
    };
    let mut expected = BTreeSet::new();
    let mut n = 0;
    for (delimiter, name) in [(",", "t.csv"), (";", "t.csv"), ("\t", "t.csv"), ("\t", "t.tsv")] {
        for end in ["\n", "\r\n"] {
            for mark in ["", "\u{feff}"] {
                for utf16 in [false, true] {
                    n += 1;
                    let text = format!("{mark}{}", table(delimiter, end, n));
                    let utf16 =
                        utf16.then(|| text.encode_utf16().flat_map(u16::to_be_bytes).collect());
                    folder.write(name, utf16.unwrap_or_else(|| text.into_bytes()));
                    let args = ["bulk", name, "-a", "fanfou-basic", "--json"];
                    let ended = folder.run(&args).expect(4);
                    assert_eq!(ended.json()[0]["failures"][0]["lines"], json!([3]), "{ended:?}");
                    expected.insert(format!("{n}, with; every\tdelimiter"));
                }
            }
        }
    }
    assert_eq!(texts(&sandbox).into_iter().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn a_damaged_table_is_refused_with_its_line_before_anything_is_sent() {
    let (sandbox, folder) = start();
    let good = "to.user,text\nlisztli,\"fine\"\n";
    for (more, words) in [
        ("test,\"hello\nlisztli,\"for the next\"\n", "line 4: something stands behind"),
        ("test,\"hello\nlisztli,for the next\n", "line 3: a quote is opened"),
        ("test,\"a\"b\n", "line 3: something stands behind"),
        ("test,say \"hi\"\n", "line 3: a quote stands in a cell"),
        ("test,one\rlisztli,two\n", "line 3: a line ends in CR alone"),
    ] {
        folder.write("table.csv", format!("{good}{more}"));
        for extra in [&[][..], &["--dry-run"]] {
            let args = [&["bulk", "table.csv", "-a", "fanfou-basic"], extra].concat();
            let ended = folder.run(&args).expect(2);
            assert!(ended.err.contains(words), "{more:?}: {ended:?}");
        }
    }
    folder.write("table.csv", [good.as_bytes(), b"test,\xba\xe8\n"].concat());
    let ended = folder.run(&["bulk", "table.csv", "-a", "fanfou-basic"]).expect(2);
    assert!(ended.err.contains("line 3 is not UTF-8"), "{ended:?}");
    for header in ["to.user,text,text", "to.user,text,to.user", "to.user,deadline,deadline_ms"] {
        folder.write("table.csv", format!("{header}\nlisztli,1,2\n"));
        let ended = folder.run(&["bulk", "table.csv", "-a", "fanfou-basic"]).expect(2);
        assert!(ended.err.contains("twice") || ended.err.contains("two names"), "{ended:?}");
    }
    assert!(texts(&sandbox).is_empty());
}

#[test]
fn a_dry_run_shows_every_request_and_names_the_column_of_what_is_wrong() {
    let (sandbox, folder) = start();
    folder.write("t.csv", "to.user;text;deadline\r\nlisztli;hi;1\r\nlisztli;;soon\r\n;hi;1\r\n");
    let ended = folder.run(&["bulk", "t.csv", "-a", "fanfou-basic", "--dry-run"]).expect(4);
    assert_eq!(ended.out.matches("POST http").count(), 1, "{ended:?}");
    assert!(ended.err.contains("line 3, column deadline: error: message: "), "{ended:?}");
    assert!(ended.err.contains("line 4, column to.user: error: message: "), "{ended:?}");
    assert!(texts(&sandbox).is_empty());
    let ended = folder.run(&["bulk", "t.csv", "-a", "nobody", "--dry-run"]).expect(2);
    assert!(ended.err.contains("no account \"nobody\"") && ended.err.contains("fanfou-basic"));
}

#[test]
fn ctrl_c_settles_what_is_under_way_and_reports_it() {
    for outbox in [false, true] {
        let (sandbox, folder) = if outbox { with_outbox(json!({})) } else { start() };
        let mut config: Value = serde_json::from_slice(
            &std::fs::read(folder.path().join("hongyan.json")).expect("a configuration"),
        )
        .expect("JSON");
        config["accounts"]["fanfou-basic"]["max_in_flight"] = 1.into();
        folder.write("hongyan.json", config.to_string());
        // Until it is told otherwise, each answer but the first takes far longer than the test.
        for fault in [
            json!({"service": "fanfou", "kind": "latency", "ms": 0, "times": 1}),
            json!({"service": "fanfou", "kind": "latency", "ms": 2000, "times": 1000}),
        ] {
            sandbox.fault(fault).expect("a known fault");
        }
        let lines: String = (0..20).map(|n| line("lisztli", &format!("message {n}"))).collect();
        folder.write("many.jsonl", lines);
        let mut command = folder.command(&bulk(&["--json", "--progress", "always"]));
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        let start = Instant::now();
        while sandbox.messages().is_empty() {
            assert!(start.elapsed() < GUARD, "the first message did not arrive");
            std::thread::yield_now();
        }
        common::interrupt(&child);
        let told = child.wait_with_output().expect("it ends");
        let told = (
            told.status.code(),
            String::from_utf8(told.stdout).expect("UTF-8"),
            String::from_utf8(told.stderr).expect("UTF-8"),
        );
        assert!(told.2.contains("interrupted"), "{told:?}");
        let summary: Value = serde_json::from_str(told.1.trim()).expect("a summary");
        assert_eq!(told.0, Some(4), "{told:?}");
        assert_eq!(summary["messages"], 20, "{told:?}");
        let count = |name: &str| summary[name].as_u64().expect("a count");
        assert_eq!(count("sent"), texts(&sandbox).len() as u64, "{told:?}");
        assert!(count("not_begun") + count("queued") + count("not_sent") > 0, "{told:?}");
    }
}

#[test]
fn what_was_sent_once_is_not_sent_again_and_failures_are() {
    let (sandbox, folder) = with_outbox(json!({}));
    folder.write("many.jsonl", [line("lisztli", "a"), line("nobody", "b")].concat());
    let ended = folder.run(&bulk(&["--json"])).expect(4);
    assert_eq!(counts(&ended.json()[0]), [2, 1, 0, 1, 0]);
    let ended = folder.run(&bulk(&["--json", "--resume"])).expect(4);
    assert_eq!(counts(&ended.json()[0]), [2, 1, 0, 1, 1], "the failure was told of");
    let ended = folder.run(&bulk(&["--json"])).expect(4);
    assert_eq!(counts(&ended.json()[0]), [2, 1, 0, 1, 0], "and is tried again");
    assert_eq!(ended.json()[0]["deduplicated"], 1);
    assert_eq!(texts(&sandbox), ["a"]);
}

#[test]
fn what_waits_for_its_time_is_left_in_the_outbox() {
    let (sandbox, folder) = with_outbox(json!({}));
    let later =
        json!({"to": {"user": "lisztli"}, "text": "l", "not_before_ms": 32503680000000_u64});
    folder.write("many.jsonl", format!("{later}\n{}", line("lisztli", "now")));
    let ended = folder.run(&bulk(&["--json"])).expect(4);
    assert_eq!(ended.json()[0]["queued"], 1);
    assert_eq!(texts(&sandbox), ["now"]);
    let ended = folder.run(&bulk(&[])).expect(2);
    assert!(ended.err.contains("go on with --resume"), "{ended:?}");
    let ended = folder.run(&bulk(&["--resume", "--json"])).expect(4);
    assert_eq!((&ended.json()[0]["queued"], &ended.json()[0]["sent"]), (&json!(1), &json!(1)));
    folder.write("many.jsonl", format!("{later}\n"));
    folder.run(&bulk(&["--resume"])).expect(6);
    assert_eq!(texts(&sandbox), ["now"]);
}

#[test]
fn others_messages_in_the_outbox_are_sent_and_their_results_kept() {
    let (sandbox, folder) = with_outbox(json!({}));
    let args = ["send", "--queue", "-a", "fanfou-basic", "--to", "user=test", "theirs"];
    let theirs = folder.run(&args).expect(6).out;
    folder.write("many.jsonl", line("lisztli", "ours"));
    let ended = folder.run(&bulk(&["--json"])).expect(0);
    assert_eq!(counts(&ended.json()[0]), [1, 1, 0, 0, 0]);
    assert_eq!(texts(&sandbox).len(), 2);
    let rows = folder.run(&["queue", "ls", "--json"]).expect(0).json();
    assert_eq!((rows.len(), &rows[0]["id"]), (1, &json!(theirs.trim())));
    assert_eq!(rows[0]["state"], "done");
}

#[test]
fn a_run_shares_its_outbox_with_a_client_beside_it() {
    let (sandbox, folder) = with_outbox(json!({}));
    let config = std::fs::read_to_string(folder.path().join("hongyan.json")).expect("it is there");
    let beside = hongyan::Client::from_json(&config).expect("a client");
    folder.write("many.jsonl", line("lisztli", "a"));
    folder.run(&bulk(&[])).expect(0);
    assert_eq!(texts(&sandbox), ["a"]);
    drop(beside);
}

/// Kills a run in the middle, one request of which has no answer, and goes on.
fn kill_and_resume(reported: bool) {
    let (sandbox, folder) = with_outbox(json!({"max_in_flight": 1}));
    let all: Vec<_> = (0..20).map(|n| format!("message {n}")).collect();
    folder.write("many.jsonl", all.iter().map(|text| line("lisztli", text)).collect::<String>());
    for fault in [
        json!({"service": "fanfou", "kind": "latency", "ms": 0, "times": 10}),
        json!({"service": "fanfou", "kind": "hang", "when": "after"}),
    ] {
        sandbox.fault(fault).expect("a known fault");
    }
    let report_args: &[&str] = if reported { &["--report", "report.jsonl"] } else { &[] };
    let mut command = folder.command(&bulk(&["--progress", "always"]));
    let mut child = command
        .args(report_args)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let told = BufReader::new(child.stderr.take().expect("a pipe"));
    let ten = told.lines().map(|line| line.expect("UTF-8")).any(|line| line.contains(" 10 of 20,"));
    assert!(ten, "the run ended too early");
    let start = Instant::now();
    while texts(&sandbox).len() < 11 {
        assert!(start.elapsed() < GUARD, "the eleventh message did not arrive");
        std::thread::yield_now();
    }
    child.kill().expect("killed");
    child.wait().expect("it ends");
    if reported {
        // As if it had been killed while it wrote.
        let path = folder.path().join("report.jsonl");
        let text = std::fs::read_to_string(&path).expect("a report");
        assert_eq!(text.lines().count(), 10);
        std::fs::write(&path, &text[..text.len() - 20]).expect("written");
    }

    let again = bulk(&["--resume", "--json"]);
    let ended = folder.run(&[&again, report_args].concat()).expect(4);
    let summary = &ended.json()[0];
    let told = counts(summary);
    assert_eq!(told[..4], [20, 19, 1, 0], "{summary}");
    assert_eq!(told[4] > 0, reported, "{summary}");
    assert_eq!(summary["failures"][0]["lines"], json!([11]));
    let mut arrived = texts(&sandbox);
    arrived.sort();
    let mut expected = all.clone();
    expected.sort();
    assert_eq!(arrived, expected, "each of them once");
    if reported {
        let text = std::fs::read_to_string(folder.path().join("report.jsonl")).expect("a report");
        let lines: Vec<Value> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let numbers: BTreeSet<_> = lines.iter().filter_map(|told| told["line"].as_u64()).collect();
        assert_eq!((lines.len(), numbers), (20, (1..=20).collect()));
    }
    // There is nothing left to do.
    let ended = folder.run(&[&again, report_args].concat()).expect(4);
    assert_eq!(counts(&ended.json()[0])[..4], [20, 19, 1, 0]);
    assert_eq!(texts(&sandbox).len(), 20);
}

#[test]
fn a_killed_run_goes_on_and_sends_nothing_twice() {
    kill_and_resume(false);
}

#[test]
fn a_killed_run_goes_on_with_its_report() {
    kill_and_resume(true);
}
