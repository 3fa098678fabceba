//! A disk that fails and is well again, and files that belong to somebody else.

use std::path::Path;
use std::time::Duration;

use hongyan::{Client, Error, ErrorCode, Origin, SubmitOptions};
use serde_json::json;

use super::accounts::{ACCOUNTS, client, message, message_with, take, verdict};
use super::memory::{argument, in_child};
use super::outbox_folder::Folder;
use super::raw::{Gate, RawServer, answer};

const OK: &str = ACCOUNTS[0].1;

fn refused(client: &Client, token: u64) -> Error {
    client
        .submit(message("ff-json").to_string().as_bytes(), SubmitOptions::token(token))
        .err()
        .expect("no disk")
}

fn submit(client: &Client, token: u64) {
    client
        .submit(message("ff-json").to_string().as_bytes(), SubmitOptions::token(token))
        .expect("accepted");
}

/// One message is under way when the disk fails, and is told once the disk is well.
fn fails_and_recovers(folder: &Folder, break_it: impl FnOnce(), mend: impl FnOnce()) {
    let gate = Gate::default();
    let server = gate.server(answer(200, "", OK));
    let client = folder.client(&server.url());
    submit(&client, 1);
    server.wait_for_requests(1);
    break_it();
    let error = refused(&client, 2);
    assert_eq!(error.code(), ErrorCode::Storage, "{error}");
    assert!(error.message().contains("outbox.db"), "it says which file: {error}");
    assert!(error.hint_text().is_some(), "it says what to do: {error}");
    gate.open();
    // The answer has come, and its result cannot be kept.
    let waited = client.wait(Some(Duration::from_millis(100)), 1);
    assert!(matches!(waited, Ok(hongyan::Waited::Nothing)), "{waited:?}");
    assert_eq!(refused(&client, 3).code(), ErrorCode::Storage);
    mend();
    let first = take(&client);
    assert_eq!((first.token, verdict(&first)), (1, ("sent", "ok")));
    submit(&client, 4);
    let next = take(&client);
    assert_eq!((next.token, verdict(&next)), (4, ("sent", "ok")));
    assert_eq!(client.close(None), 0, "nothing of what was refused is left");
    assert_eq!(server.request_count(), 2, "what was refused was not sent");
    drop(client);
    let client = folder.client(&server.url());
    let mut tokens = [take(&client).token, take(&client).token];
    tokens.sort_unstable();
    assert_eq!(tokens, [1, 4], "both results are kept");
}

#[test]
fn a_folder_that_vanishes_and_comes_back_costs_nothing() {
    let folder = Folder::new();
    let aside = folder.path().with_extension("aside");
    let rename = |from: &Path, to: &Path| std::fs::rename(from, to).expect("the same disk");
    fails_and_recovers(&folder, || rename(folder.path(), &aside), || rename(&aside, folder.path()));
}

/// How large a file of this process may become.
fn limit_files(bytes: Option<u64>) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the place is a limit, live and writable; the signal is only ignored.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        assert_eq!(libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit), 0);
        limit.rlim_cur = bytes.unwrap_or(limit.rlim_max);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &limit), 0);
    }
}

#[test]
fn a_disk_that_takes_no_more_and_then_does_costs_nothing() {
    if argument().is_none() {
        // The limit is of the whole process.
        return in_child("outbox_disk::a_disk_that_takes_no_more_and_then_does_costs_nothing", "");
    }
    let folder = Folder::new();
    fails_and_recovers(&folder, || limit_files(Some(1)), || limit_files(None));
}

#[test]
fn a_close_does_not_wait_for_a_disk_that_is_gone() {
    let (folder, gate) = (Folder::new(), Gate::default());
    let aside = folder.path().with_extension("aside");
    let server = gate.server(answer(200, "", OK));
    {
        let client = folder.client(&server.url());
        submit(&client, 1);
        server.wait_for_requests(1);
        std::fs::rename(folder.path(), &aside).expect("the same disk");
        gate.open();
        assert_eq!(refused(&client, 2).code(), ErrorCode::Storage);
        assert_eq!(client.close(Some(Duration::from_millis(300))), 1, "its result is not kept");
    }
    std::fs::rename(&aside, folder.path()).expect("the same disk");
    let client = folder.client(&server.url());
    let receipt = take(&client);
    assert_eq!((receipt.token, receipt.origin), (1, Origin::EarlierRun));
    assert_eq!(verdict(&receipt), ("maybe_sent", "network"), "the answer went with its process");
    assert_eq!(server.request_count(), 1);
}

#[test]
fn a_file_that_cannot_be_made_is_said_at_once() {
    let folder = Folder::new();
    let at = |path: &str| folder.config("http://127.0.0.1:9", json!({"outbox": {"path": path}}));
    // Nobody, not even root, may make files there.
    for path in ["/sys/outbox.db", "/proc/outbox.db", "/nowhere/at/all/outbox.db"] {
        let error = Client::from_json(&at(path).to_string()).err().expect("no such place");
        assert_eq!(error.code(), ErrorCode::Storage, "{path}: {error}");
        assert!(error.message().contains(path), "{path}: {error}");
    }
}

#[test]
fn another_process_has_it_as_well() {
    let path = argument().map(std::path::PathBuf::from);
    let config = |url: &str, path: &Path| {
        super::accounts::config_with(url, json!({"outbox": {"path": path, "sends": false}}))
    };
    if let Some(path) = path {
        let client = client(&config("http://127.0.0.1:9", &path));
        let text = message_with("ff-json", json!({"text": "of the child"})).to_string();
        client.submit(text.as_bytes(), SubmitOptions::token(7)).expect("accepted");
        // Its result is for whoever comes.
        return;
    }
    let (folder, server) = (Folder::new(), RawServer::fixed(answer(200, "", OK)));
    let owner = folder.client(&server.url());
    let file = folder.file();
    in_child("outbox_disk::another_process_has_it_as_well", file.to_str().expect("UTF-8"));
    let receipt = take(&owner);
    assert_eq!((receipt.token, receipt.origin), (7, hongyan::Origin::EarlierRun));
    assert_eq!(verdict(&receipt), ("sent", "ok"));
}
