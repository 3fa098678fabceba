//! Everything that is wrong with a configuration.
//!
//! The library stops at the first thing. Here each is mended in a copy, and the copy is judged anew,
//! until nothing is found any more.

use hongyan::{Client, Error};
use serde_json::{Value, json};

use crate::config::Config;

/// How many things are looked for in one account, and in the rest of a configuration.
const MOST: usize = 50;

/// What a field that is missing may hold, so that the rest can be judged.
fn stand_ins() -> [Value; 4] {
    [json!("x"), json!(1), json!({}), json!("https://localhost")]
}

/// Everything that the library finds wrong: in the configuration as a whole, in its outbox, and in each
/// account; in each of them unknown fields first.
pub fn of(config: &Config) -> Vec<Error> {
    let Ok(value) = hongyan::read_json(&config.json, "") else {
        return Client::from_json(&config.json).err().into_iter().collect();
    };
    // Not with its outbox, which would send what is queued there.
    if let (Ok(_), None) = (Client::from_json(&config.bare()), outbox(config)) {
        return Vec::new();
    }
    let empty = serde_json::Map::new();
    let accounts = value.get("accounts").and_then(Value::as_object).unwrap_or(&empty);
    let mut bare = value.clone();
    if let Some(fields) = bare.as_object_mut() {
        fields.shift_remove("outbox");
        if fields.get("accounts").is_some_and(Value::is_object) {
            fields.insert("accounts".to_owned(), json!({}));
        }
    }
    let mut errors = all(bare, &[]);
    errors.extend(outbox(config));
    for (name, account) in accounts {
        let alone = json!({"v": 1, "accounts": {name: account}});
        errors.extend(all(alone, &["accounts", name]));
    }
    errors
}

/// What is wrong with the outbox, by a look at it.
fn outbox(config: &Config) -> Option<Error> {
    let file = match config.outbox(None) {
        Ok(file) => file?,
        Err(usage) => return Some(usage.error),
    };
    let found = match file.path().filter(|path| !path.exists()) {
        None => file.rows(0, 1).map(|_| ()),
        Some(path) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let is_there = folder.is_none_or(std::path::Path::is_dir);
            let words = "the folder of the outbox is not there";
            is_there.then_some(()).ok_or_else(|| Error::new(hongyan::ErrorCode::Storage, words))
        }
    };
    found.err().map(|error| match error.path() {
        Some(_) => error,
        None if file.path().is_none() => error.at("outbox.postgres"),
        None => error.at("outbox.path"),
    })
}

/// Everything that is wrong with a configuration, at or below this place.
fn all(mut config: Value, at: &[&str]) -> Vec<Error> {
    let prefix = at.join(".");
    let mut errors: Vec<Error> = Vec::new();
    let mut stood_in = 0;
    for _ in 0..MOST * 2 {
        let Err(error) = Client::from_json(&config.to_string()) else { break };
        let path = error.path().unwrap_or_default().to_owned();
        let again = errors.iter().any(|known| known.path() == error.path());
        if !again {
            errors.push(error);
            stood_in = 0;
        }
        let Some(rest) = path.strip_prefix(&prefix).filter(|rest| !rest.is_empty()) else { break };
        let steps: Vec<&str> = rest.trim_start_matches('.').split('.').collect();
        // Without these nobody knows what else should be there.
        if matches!(steps[..], ["service"] | [.., "type"]) {
            break;
        }
        let mut place = at.iter().chain(&steps[..steps.len() - 1]);
        let object = place.try_fold(&mut config, |value, name| value.get_mut(*name));
        let Some(object) = object.and_then(Value::as_object_mut) else { break };
        let name = steps[steps.len() - 1];
        if object.shift_remove(name).is_some() && !again {
            continue;
        }
        let Some(stand_in) = stand_ins().into_iter().nth(stood_in) else { break };
        object.insert(name.to_owned(), stand_in);
        stood_in += 1;
    }
    // What is unknown may be the wrong spelling of what is missing.
    errors.sort_by_key(|error| !error.words().starts_with("unknown field"));
    errors
}
