//! The configuration file: where it is, and the JSON in it.

use std::collections::HashSet;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use hongyan::{Client, Error, ErrorCode, OutboxFile};
use serde_json::{Map, Value, json};

use crate::exit::Usage;
use crate::text;

/// A configuration that was read, but not yet judged by the library.
#[derive(Debug)]
pub struct Config {
    pub path: PathBuf,
    /// Its JSON, with the references to its credentials as they stand in the file.
    pub json: String,
}

impl Config {
    /// Reads the file that was named, or what is where one is looked for first.
    pub fn load(given: Option<&Path>) -> Result<Config, Usage> {
        let path = match given {
            Some(path) if is_content(path) => return Err(content_as_argument()),
            Some(path) => path.to_owned(),
            None => match find()? {
                path if is_content(&path) => return Ok(Config::of_variable(&path)),
                path => path,
            },
        };
        match read(&path) {
            Ok(json) => Ok(Config { path, json }),
            Err(error) => Err(Usage::config(path, error)),
        }
    }

    /// The JSON that stands in the variable itself, which is not shown anywhere.
    fn of_variable(content: &Path) -> Config {
        let json = content.to_string_lossy();
        let json = json.trim_start_matches('\u{feff}').to_owned();
        Config { path: PathBuf::from(format!("${VARIABLE}")), json }
    }

    /// A client made from it that leaves the outbox alone: that may have an owner, and a client that
    /// has one sends what is queued there.
    pub fn client(&self) -> Result<Client, Usage> {
        self.outbox(None)?;
        Client::from_json(&self.bare()).map_err(|error| Usage::config(&self.path, error))
    }

    /// A client made from it that sends: of its outbox it uses the keys and the order, and leaves alone
    /// what is queued there.
    pub fn sender(&self) -> Result<Client, Usage> {
        match self.outbox(None)? {
            Some(_) => {
                Client::for_sends(&self.json).map_err(|error| Usage::config(&self.path, error))
            }
            None => self.client(),
        }
    }

    /// A client that owns the outbox, at another path than the configured one where one is given.
    pub fn owner(&self, outbox: &OutboxFile) -> anyhow::Result<Client> {
        let mut config = self.value();
        let Some(path) = outbox.path() else {
            // A database is what the configuration says.
            return Client::from_json(&self.json)
                .map_err(|error| Usage::or_failure(&self.path, error));
        };
        let path = path
            .to_str()
            .ok_or_else(|| Usage::argument(format!("the path {} is not UTF-8", path.display())))?;
        match config.get_mut("outbox") {
            Some(Value::Object(fields)) => {
                // A file that is named on the command line stands for a database too.
                for name in ["postgres", "schema", "owner", "sends"] {
                    fields.shift_remove(name);
                }
                fields.insert("path".to_owned(), path.into());
            }
            _ => config["outbox"] = json!({"path": path}),
        }
        Client::from_json(&config.to_string()).map_err(|error| Usage::or_failure(&self.path, error))
    }

    /// The configuration without its outbox.
    pub fn bare(&self) -> String {
        let mut config = self.value();
        match config.as_object_mut() {
            Some(fields) if fields.contains_key("outbox") => {
                fields.shift_remove("outbox");
                config.to_string()
            }
            // As it came, so that the library says what is wrong with it.
            _ => self.json.clone(),
        }
    }

    /// The outbox that it names, or that stands at this path.
    pub fn outbox(&self, path: Option<&Path>) -> Result<Option<OutboxFile>, Usage> {
        if serde_json::from_str::<Map<String, Value>>(&self.json).is_err() {
            return Ok(None);
        }
        let found =
            OutboxFile::of_config(&self.json).map_err(|error| Usage::config(&self.path, error))?;
        match (found, path) {
            (Some(found), Some(path)) => Ok(Some(found.moved_to(path))),
            (None, Some(path)) => Ok(Some(OutboxFile::at(path)?)),
            (found, None) => Ok(found),
        }
    }

    /// Its outbox without what one logs in with, to look at no more than its schema: who prints that need
    /// not have the password.
    #[cfg(feature = "postgres")]
    pub fn outbox_without_login(&self) -> Result<Option<OutboxFile>, Usage> {
        let mut config = self.value();
        let url = config.pointer_mut("/outbox/postgres");
        if let Some(url) = url.filter(|url| url.as_str().is_some_and(|url| url.contains("${"))) {
            *url = "postgres://localhost".into();
        }
        let known = OutboxFile::of_config(&config.to_string());
        known.map_err(|error| Usage::config(&self.path, error))
    }

    /// The names of its accounts.
    pub fn accounts(&self) -> HashSet<String> {
        let config = self.value();
        let accounts = config.get("accounts").and_then(Value::as_object);
        accounts.map(|accounts| accounts.keys().cloned().collect()).unwrap_or_default()
    }

    /// What is said of an account that it does not have.
    pub fn no_account(&self, name: &str) -> Usage {
        let mut known: Vec<_> = self.accounts().into_iter().collect();
        known.sort();
        let hint = format!("the configuration has {}", known.join(", "));
        let words = format!("there is no account {name:?}");
        Usage::config(&self.path, Error::new(ErrorCode::Message, words).at("account").hint(hint))
    }

    /// Null where it is no configuration, which the library has to say.
    fn value(&self) -> Value {
        hongyan::read_json(&self.json, "").unwrap_or_default()
    }
}

/// The outbox that is named on the command line, or else in the configuration.
pub fn outbox(config: Option<&Path>, path: Option<&Path>) -> Result<OutboxFile, Usage> {
    let found = match (Config::load(config), path) {
        (Ok(config), _) => config.outbox(path)?,
        // Looking at a file needs no configuration.
        (Err(_), Some(path)) if config.is_none() => Some(OutboxFile::at(path)?),
        (Err(error), _) => return Err(error),
    };
    found.ok_or_else(no_outbox)
}

/// Nobody said where the outbox is.
pub fn no_outbox() -> Usage {
    let hint =
        "name its file with --outbox, or with \"outbox\": {\"path\": …} in the configuration";
    Error::new(ErrorCode::Argument, "there is no outbox").hint(hint).into()
}

/// Where a configuration is, or what it is.
const VARIABLE: &str = "HONGYAN_CONFIG";

/// True for what is no path of a file but the content of one: it is never shown.
fn is_content(path: &Path) -> bool {
    let text = path.as_os_str().as_encoded_bytes();
    (text.len() > 4096 || text.iter().any(|byte| b"{\n\r".contains(byte))) && !path.exists()
}

fn content_as_argument() -> Usage {
    let hint =
        format!("put the text into a file, or into ${VARIABLE}: arguments are seen by everybody");
    Error::new(ErrorCode::Argument, "--config takes the path of a file").hint(hint).into()
}

fn find() -> Result<PathBuf, Usage> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    if let Some(path) = set(VARIABLE) {
        return Ok(path.into());
    }
    let mut places = vec![PathBuf::from("hongyan.toml"), PathBuf::from("hongyan.json")];
    places.extend(user_folder(set).map(|folder| folder.join("hongyan").join("config.toml")));
    if let Some(found) = places.iter().find(|place| place.is_file()) {
        return Ok(found.clone());
    }
    let places: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
    let words = format!("there is no configuration: looked for {}", places.join(", "));
    let hint = "name one with --config, or make one to try things out with \
                \"hongyan sandbox --print-config > hongyan.json\"";
    Err(Error::new(ErrorCode::Config, words).hint(hint).into())
}

/// The folder of this user's configurations; a relative one is to be ignored.
fn user_folder(set: impl Fn(&'static str) -> Option<OsString>) -> Option<PathBuf> {
    let own = if cfg!(windows) { "APPDATA" } else { "XDG_CONFIG_HOME" };
    let own = set(own).map(PathBuf::from).filter(|folder| folder.is_absolute());
    own.or_else(|| set("HOME").map(|home| Path::new(&home).join(".config")))
}

fn read(path: &Path) -> Result<String, Error> {
    let wrong = |words: String| Error::new(ErrorCode::Config, words);
    let text = text::read(path).map_err(|e| wrong(format!("cannot be read: {e}")))?;
    if is_json(path, &text) {
        return Ok(text);
    }
    let value: Value = toml::from_str(&text).map_err(|e| {
        // Only the place and the words: the line itself may hold a secret.
        let before = &text[..e.span().map_or(0, |span| span.start.min(text.len()))];
        let line = before.matches('\n').count() + 1;
        wrong(format!("is not TOML: {} in line {line}", e.message()))
    })?;
    Ok(value.to_string())
}

fn is_json(path: &Path, text: &str) -> bool {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => true,
        Some("toml") => false,
        _ => text.trim_start().starts_with('{'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_what_is_in_it_or_else_its_first_character() {
        assert!(is_json(Path::new("a.json"), "v = 1"));
        assert!(!is_json(Path::new("a.toml"), "{"));
        assert!(is_json(Path::new("/dev/stdin"), " \n{\"v\": 1}"));
        assert!(!is_json(Path::new("config"), "v = 1"));
    }

    #[cfg(unix)]
    #[test]
    fn a_relative_configuration_folder_is_ignored() {
        let folder = |own: &'static str| {
            user_folder(move |name| match name {
                "XDG_CONFIG_HOME" => Some(own.into()),
                _ => Some("/home/a".into()),
            })
        };
        assert_eq!(folder("/etc/own"), Some("/etc/own".into()));
        assert_eq!(folder("own"), Some("/home/a/.config".into()));
        assert_eq!(user_folder(|_| None), None);
    }
}
