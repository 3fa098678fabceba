//! What is no error, but likely a mistake.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::services;

/// This was written in 2026: a clock that says less is wrong.
const WRITTEN: Duration = Duration::from_secs(1_767_225_600);

/// How far a file's time may be ahead of the clock: file systems are not exact.
const AHEAD: Duration = Duration::from_secs(5);

/// Everything worth a warning in the configuration of this file.
pub fn of(path: &Path, config: &Value) -> anyhow::Result<Vec<String>> {
    let mut warnings = Vec::new();
    let services = services::all()?;
    let accounts = config.get("accounts").and_then(Value::as_object);
    let mut holds_secrets = false;
    for (name, account) in accounts.into_iter().flatten() {
        let service = services.iter().find(|service| account["service"] == *service.name);
        if let Some(ended) = service.and_then(|service| service.ended.as_deref())
            && account.get("base_url").is_none()
        {
            let service = &account["service"];
            warnings.push(format!("accounts.{name}: {service} is gone: {ended}"));
        }
        let auth = account.get("auth").and_then(Value::as_object);
        for (field, value) in auth.into_iter().flatten() {
            let Some(text) = value.as_str() else { continue };
            let path = format!("accounts.{name}.auth.{field}");
            if let Some(file) = text.strip_prefix("${file:").and_then(|rest| rest.strip_suffix('}'))
            {
                warnings.extend(readable(Path::new(file), &path));
            } else if field != "type" && !text.starts_with("${") {
                holds_secrets = true;
            }
            let inner = !matches!(field.as_str(), "username" | "password");
            let blank = |text: &str| text.contains(char::is_whitespace);
            if text.trim() != text || inner && blank(text) && !text.contains("${") {
                warnings
                    .push(format!("{path}: there is a blank in it, which few credentials have"));
            }
        }
    }
    if holds_secrets {
        warnings.extend(readable(path, "it holds credentials"));
    }
    warnings.extend(clock(path, SystemTime::now()));
    Ok(warnings)
}

/// A file with secrets that other users of this machine can read.
#[cfg(unix)]
fn readable(file: &Path, what: &str) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;

    let metadata = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
    (metadata.permissions().mode() & 0o044 != 0).then(|| {
        let file = file.display();
        format!("others on this machine can read {file} ({what}); chmod 600 {file}")
    })
}

#[cfg(not(unix))]
fn readable(_: &Path, _: &str) -> Option<String> {
    None
}

/// A clock that is certainly behind: services refuse signatures of another time.
fn clock(config: &Path, now: SystemTime) -> Option<String> {
    let written = SystemTime::UNIX_EPOCH + WRITTEN;
    let changed = fs::metadata(config).and_then(|metadata| metadata.modified());
    let least = changed.map_or(written, |changed| (changed - AHEAD).max(written));
    let behind = least.duration_since(now).ok().filter(|behind| !behind.is_zero())?;
    let days = behind.as_secs() / 86_400;
    Some(format!(
        "the clock of this machine is wrong: it is at least {days} days and {} s behind, and services \
         refuse signatures of another time",
        behind.as_secs() % 86_400
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_wrong_that_is_behind_its_own_files() {
        let file = std::env::current_exe().expect("a test runs from a file");
        let changed = fs::metadata(&file).and_then(|m| m.modified()).expect("a time");
        let told = |now| clock(&file, now);
        assert_eq!(told(changed), None);
        let hour = Duration::from_secs(3605);
        assert!(told(changed - hour).is_some_and(|words| words.contains("0 days and 3600 s")));
        assert!(told(SystemTime::UNIX_EPOCH).is_some_and(|words| words.contains("behind")));
    }
}
