//! Golden requests: each `tests/golden/<service>/<name>.json` becomes `<name>.http`, byte for byte.
//!
//! `HY_BLESS=1 cargo test golden` writes the `.http` files anew; the change is then read by a person.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::api::{Exchange, Mail, Seed, Stamp, Wire};
use crate::model::config::AccountConfig;
use crate::model::message::Message;
use crate::model::secret::Secret;

/// The request as it goes over the wire, as far as it is ours.
fn shown(exchange: Exchange) -> Vec<u8> {
    let request = match exchange.wire {
        Wire::Http(request) => request,
        Wire::Mail(mail) => return mailed(&mail),
    };
    let mut text = format!("{} {}\n", request.method.name(), request.url);
    for (name, value) in request.headers.iter() {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push('\n');
    [text.as_bytes(), &request.body.whole(), b"\n"].concat()
}

/// A mail, with its files as they are.
fn mailed(mail: &Mail) -> Vec<u8> {
    let mut text = format!("{}\nMAIL FROM:<{}>\n", mail.server, mail.from);
    for recipient in &mail.recipients {
        text.push_str(&format!("RCPT TO:<{recipient}>\n"));
    }
    let files = mail.files.iter().flat_map(|file| [&file.bytes[..], b"\n", &file.behind]);
    let all = [text.as_bytes(), b"\n", &mail.text].into_iter().chain(files);
    all.collect::<Vec<_>>().concat()
}

fn exchange(case: &Value) -> Exchange {
    let number = |name: &str| case[name].as_u64().unwrap_or_else(|| panic!("{name} is missing"));
    let config = AccountConfig::from_value(case["account"].clone(), "account").expect("an account");
    let (_, opened) = super::open(config).expect("an account of a service");
    let mut message = case["message"].clone();
    message["v"] = 1.into();
    message["account"] = "a".into();
    let mut message = Message::from_json(&message.to_string()).expect("a message");
    message.id = "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned();
    let seed = Seed(number("random"));
    let mut draft = opened.account.encode(&message, seed).expect("it can be sent");
    // A step after the first, with what those before it gave.
    for (name, value) in case["kept"].as_object().into_iter().flatten() {
        draft.kept.push((name.clone().into(), value.as_str().expect("text").to_owned()));
    }
    let stamp = Stamp { unix: number("unix"), nonce: u128::from(number("nonce")), renew: false };
    let session = case["session"].as_str().map(|token| Secret::new(token.to_owned()));
    assert_eq!(session.is_some(), opened.account.session().is_some(), "\"session\" is its token");
    let exchange = opened.account.next(&draft, &stamp, session.as_ref());
    assert_eq!(exchange.commits, !opened.account.prepares(&draft), "whether it commits");
    exchange
}

#[test]
fn golden_requests_are_what_they_were() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let bless = std::env::var_os("HY_BLESS").is_some();
    let mut compared = 0;
    for info in super::SERVICES.iter().map(|service| service.info) {
        let folder = root.join(info.name);
        let files = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let mut own = 0;
        for file in files.map(|file| file.expect("an entry").path()) {
            if file.extension().is_none_or(|e| e != "json") {
                continue;
            }
            let text = fs::read_to_string(&file).expect("UTF-8");
            let case =
                serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            let (made, golden) = (shown(exchange(&case)), file.with_extension("http"));
            if bless {
                fs::write(&golden, &made).expect("the golden file can be written");
            }
            let expected =
                fs::read(&golden).unwrap_or_else(|e| panic!("{}: {e}", golden.display()));
            let (made, expected) =
                (String::from_utf8_lossy(&made), String::from_utf8_lossy(&expected));
            assert_eq!(made, expected, "{}", file.display());
            own += 1;
        }
        assert!(own > 0, "{} has no golden request", info.name);
        compared += own;
    }
    assert!(compared >= 10, "golden requests are missing");
}
