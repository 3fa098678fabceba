//! How much stack a call needs: what the header promises, tried with every kind of call.
//!
//! A call that needs more ends this process.

#![cfg(feature = "capi")]

use std::ffi::c_char;
use std::ptr;
use std::thread;

use hongyan::capi::*;
use hongyan_sandbox::{Options, Sandbox, Tls};
use serde_json::json;

/// The header, which says how much a call needs at most.
const HEADER: &str = include_str!("../include/hongyan.h");
/// Set where this is optimised: what is not needs more.
const OPTIMISED: &str = "HY_OPTIMISED";

/// What the header says, in bytes.
fn stack() -> usize {
    let (_, words) = HEADER.split_once("at most ").expect("words about stack");
    let numbers = words.split(|c: char| !c.is_ascii_digit()).filter_map(|text| text.parse().ok());
    let numbers: Vec<usize> = numbers.take(2).collect();
    numbers[usize::from(std::env::var_os(OPTIMISED).is_none())] << 10
}

fn on_a_small_stack(run: impl FnOnce() + Send) {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(stack()).spawn_scoped(scope, run);
        thread.expect("a thread").join().expect("no panic");
    });
}

fn ok(error: *mut hy_error_t) {
    // SAFETY: an error or NULL, whose text lives as long.
    let words = unsafe {
        let text = hy_error_message(error, ptr::null_mut());
        (!text.is_null()).then(|| std::ffi::CStr::from_ptr(text).to_string_lossy().into_owned())
    };
    assert!(error.is_null(), "{words:?}");
}

fn text(json: &str) -> (*const c_char, usize) {
    (json.as_ptr().cast(), json.len())
}

/// What a client is asked for in its life, deep JSON included.
fn a_life(config: &str, messages: &[String]) {
    let mut client = ptr::null_mut();
    let (config, len) = text(config);
    // SAFETY: handles that were handed out and not freed, and texts that outlive their calls.
    unsafe {
        ok(hy_init(config, len, &raw mut client));
        for message in messages {
            let (json, len) = text(message);
            let mut result = ptr::null_mut();
            ok(hy_send_json(client, json, len, 20_000, &raw mut result));
            assert!(!hy_result_json(result, ptr::null_mut()).is_null());
            hy_result_free(result);
            ok(hy_submit_json(client, json, len, 7, ptr::null_mut()));
            ok(hy_wait(client, 20_000, &raw mut result));
            assert!(!result.is_null());
            ok(hy_result_ack(client, result));
            hy_result_free(result);
        }
        let (mut stats, mut len) = (ptr::null_mut(), 0);
        ok(hy_stats_json(client, &raw mut stats, &raw mut len));
        hy_string_free(stats);
        ok(hy_close(client, 20_000, ptr::null_mut()));
        hy_free(client);
    }
}

/// The configuration of a sandbox, without its pace and without retries: nothing waits.
fn in_haste(sandbox: &Sandbox) -> serde_json::Value {
    let mut config = sandbox.config();
    config["retry"] = json!({"max_attempts": 1});
    let accounts = config["accounts"].as_object_mut().expect("accounts");
    accounts.values_mut().for_each(|account| account["rate"] = json!(null));
    config
}

/// A message of each account, and one as deep as JSON may be.
fn messages(sandbox: &Sandbox) -> Vec<String> {
    let config = sandbox.config();
    let accounts = config["accounts"].as_object().expect("accounts").keys();
    let mut messages: Vec<_> = accounts
        .map(|account| {
            let (to, extra) = match account.split('-').next() {
                Some("tencent_im") => (json!({"group": "@TGS#2C5SZEAEF"}), json!({})),
                Some("renren") => {
                    (json!({"users": ["1"]}), json!({"messageType": "1", "resourceTitle": "t"}))
                }
                Some("sina") => (json!({"user": "11051"}), json!({})),
                Some("telegram") => (json!({"chat": "4711"}), json!({})),
                Some("webhook") => (json!({"user": "u"}), json!({})),
                Some("weibo") => (json!({"user": "2125034703"}), json!({})),
                Some("fanfou") => (json!({"user": "lisztli"}), json!({})),
                // The accounts of all others say whom a message is for that does not say it.
                _ => (json!({}), json!({})),
            };
            json!({"v": 1, "account": account, "to": to, "text": "x", "extra": extra}).to_string()
        })
        .collect();
    let deep = (0..57).fold(json!(1), |inner, n| match n % 2 {
        0 => json!([inner]),
        _ => json!({"a": inner}),
    });
    let part = json!({"type": "raw", "value": {"MsgType": "New", "MsgContent": {"a": deep}}});
    let im = json!({"v": 1, "account": "tencent_im-usersig", "to": {"group": "@TGS#2C5SZEAEF"},
        "parts": [part], "extra": {"OfflinePushInfo": {"HarmonyInfo": {"a": deep}}}});
    messages.push(im.to_string());
    messages
}

#[test]
fn every_call_runs_on_the_stack_that_the_header_tells() {
    for tls in [Tls::Off, Tls::Good] {
        let sandbox = Sandbox::start(Options { tls, ..Options::default() }).expect("a sandbox");
        let mut config = in_haste(&sandbox);
        let messages = messages(&sandbox);
        on_a_small_stack(|| a_life(&config.to_string(), &messages));
        // Without it the system's authorities are read.
        config.as_object_mut().expect("an object").remove("ca_file");
        on_a_small_stack(|| a_life(&config.to_string(), &messages[..1]));
    }
}

#[cfg(feature = "outbox")]
#[test]
fn an_outbox_asks_for_no_more() {
    let sandbox = Sandbox::start(Options::default()).expect("a sandbox");
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("stack-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut config = in_haste(&sandbox);
    config["outbox"] = json!({"path": folder.join("outbox.db")});
    let messages = messages(&sandbox);
    on_a_small_stack(|| a_life(&config.to_string(), &messages));
    std::fs::remove_dir_all(&folder).expect("ours");
}

#[test]
fn the_header_tells_both_builds() {
    assert!(stack() >= 64 << 10, "{}", stack());
    assert!(HEADER.contains("KiB of stack"), "the words have moved");
}
