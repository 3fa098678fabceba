//! An account as its service opens it: its fields, read as they are declared.

use url::Url;

use super::api::{Account, Opened};
use super::check::join;
use super::info::{Field, FieldKind, Info};
use crate::model::config::{AccountConfig, is_loopback};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::fields::Fields;
use crate::model::redact::Redactor;
use crate::model::secret::Secret;

/// The longest credential, in bytes: no server takes a header that is longer.
const MAX_CREDENTIAL: usize = 8192;

/// The fields of an account, each to be taken once.
pub struct Opening {
    info: &'static Info,
    /// The kind of its credentials.
    auth: &'static str,
    values: Vec<(&'static str, Value)>,
    base_url: Option<Url>,
    signing_url: Option<Url>,
    /// Where it stands, for errors.
    place: Fields,
    /// What must be masked; secrets are in it already.
    pub redactor: Redactor,
}

enum Value {
    Text(String),
    Secret(Secret),
    Number(i64),
    Word(&'static str),
    Url(Url),
}

impl Opening {
    /// Reads an account by what its service declares.
    pub fn read(info: &'static Info, config: AccountConfig) -> Result<Opening> {
        let AccountConfig { base_url, signing_url, mut fields, .. } = config;
        let mut opening = Opening {
            info,
            auth: "",
            values: Vec::new(),
            base_url,
            signing_url,
            place: Fields::empty(fields.path(""), ErrorCode::Config),
            redactor: Redactor::default(),
        };
        let mut auth = fields.required_object("auth")?;
        let names: Vec<_> = info.auth.iter().map(|auth| auth.name).collect();
        opening.auth = auth.one_of("type", &names)?.ok_or_else(|| {
            let names: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
            auth.error("type", format!("the field \"type\" is required: {}", names.join(" or ")))
        })?;
        let own = info.auth.iter().find(|auth| auth.name == opening.auth);
        opening.read_all(&mut auth, own.map_or(&[], |own| own.fields))?;
        auth.finish()?;
        opening.read_all(&mut fields, info.fields)?;
        if opening.signing_url.is_some() && info.fields.iter().all(|f| f.name != "signing_url") {
            let words = format!("the credentials of {} do not cover the URL", info.name);
            return Err(opening.error("signing_url", words));
        }
        fields.finish()?;
        Ok(opening)
    }

    fn read_all(&mut self, f: &mut Fields, fields: &[Field]) -> Result<()> {
        for field in fields {
            let name = field.name;
            let value = match field.kind {
                FieldKind::Base => None,
                FieldKind::Number(least, most) => f.integer(name, least..=most)?.map(Value::Number),
                FieldKind::Choice(words) | FieldKind::Either(words) => {
                    f.one_of(name, words)?.map(Value::Word)
                }
                FieldKind::Text => f.string(name)?.map(Value::Text),
                FieldKind::Credential => credential(f, name)?.map(Value::Text),
                FieldKind::Webhook(host, path) => credential(f, name)?
                    .map(|text| {
                        let url = webhook(&text, host, path).ok_or_else(|| {
                            let words =
                                format!("this is no URL that begins with https://{host}/{path}");
                            f.error(name, words)
                        })?;
                        self.redactor.add(&text);
                        url.query_pairs().for_each(|(_, value)| self.redactor.add(&value));
                        Ok(Value::Url(url))
                    })
                    .transpose()?,
                FieldKind::Secret | FieldKind::Token => credential(f, name)?
                    .map(|text| {
                        let is_token = matches!(field.kind, FieldKind::Token);
                        if is_token && !text.bytes().all(|b| b.is_ascii_graphic()) {
                            let words = "a token is printable ASCII without spaces";
                            return Err(f.error(name, words));
                        }
                        self.redactor.add(&text);
                        Ok(Value::Secret(Secret::new(text)))
                    })
                    .transpose()?,
            };
            match value {
                Some(value) => self.values.push((name, value)),
                None if field.required => return Err(f.missing(name)),
                None => {}
            }
        }
        Ok(())
    }

    /// The kind of its credentials.
    pub fn auth(&self) -> &'static str {
        self.auth
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.values.iter().position(|(own, _)| *own == name)?;
        Some(self.values.swap_remove(at).1)
    }

    /// A text that may be left out.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A text that is required, and thus there.
    pub fn required(&mut self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    /// A secret that is required, and thus there.
    pub fn secret(&mut self, name: &str) -> Secret {
        self.optional_secret(name).unwrap_or_else(|| Secret::new(String::new()))
    }

    /// A secret that may be left out.
    pub fn optional_secret(&mut self, name: &str) -> Option<Secret> {
        match self.take(name)? {
            Value::Secret(secret) => Some(secret),
            _ => None,
        }
    }

    /// A number that may be left out.
    pub fn number(&mut self, name: &str) -> Option<i64> {
        match self.take(name)? {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// One of the words that are declared, if it is there.
    pub fn word(&mut self, name: &str) -> Option<&'static str> {
        match self.take(name)? {
            Value::Word(word) => Some(word),
            _ => None,
        }
    }

    /// An error at a field, by its path within the account.
    pub fn error(&self, path: &str, words: impl Into<String>) -> Error {
        self.place.error(path, words)
    }

    /// The URL that is given as `base_url`.
    pub fn base_url(&self) -> Option<&Url> {
        self.base_url.as_ref()
    }

    /// The URL that requests go to: `base_url`, or else `default`, with the documented path appended.
    ///
    /// `plain_http`: credentials may travel over http although the host is not this machine.
    pub fn endpoint(&self, default: &str, path: &str, plain_http: bool) -> Result<Url> {
        let base = self.base_url.as_ref();
        if base.is_some_and(|base| base.scheme() == "http" && !plain_http && !is_loopback(base)) {
            let words = format!("these credentials of {} travel over https only", self.info.name);
            return Err(self.error("base_url", words));
        }
        join(base.map_or(default, Url::as_str), path).map_err(|e| self.error("base_url", e))
    }

    /// The URL that a service shows to be copied, with `base_url` for its scheme, host and port.
    #[cfg_attr(not(test), allow(dead_code, reason = "services of the test tree alone have one"))]
    pub fn webhook(&mut self, name: &str) -> Result<Url> {
        let Some(Value::Url(url)) = self.take(name) else { return Err(self.place.missing(name)) };
        let mut own = self.endpoint(
            &url.origin().ascii_serialization(),
            url.path().trim_start_matches('/'),
            false,
        )?;
        own.set_query(url.query());
        Ok(own)
    }

    /// The URL that a signature covers: `signing_url`, or else `default`, with that path appended.
    pub fn signing_url(&self, default: &str, path: &str) -> Result<Url> {
        let base = self.signing_url.as_ref().map_or(default, Url::as_str);
        join(base, path).map_err(|why| self.error("signing_url", why))
    }

    /// The account, whose sender is told by what its limits are shared by.
    pub fn opened(self, origin: Url, identity: &str, account: impl Account + 'static) -> Opened {
        Opened {
            account: std::sync::Arc::new(account),
            origin,
            identity: identity.to_owned(),
            sender: identity.to_owned(),
            redactor: self.redactor,
        }
    }
}

/// A URL that a service shows, if it is of this host and this path.
fn webhook(text: &str, host: &str, path: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_own = url.scheme() == "https"
        && url.host_str() == Some(host)
        && url.path().strip_prefix('/')? == path
        && url.username().is_empty()
        && url.password().is_none()
        && url.port().is_none();
    is_own.then_some(url)
}

/// A credential that travels in a header or a signature: no line break can hide in it.
fn credential(f: &mut Fields, name: &'static str) -> Result<Option<String>> {
    let Some(text) = f.string(name)? else { return Ok(None) };
    if text.is_empty() {
        return Err(f.error(name, "a credential must not be empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(f.error(name, "a credential must not hold line breaks or control characters"));
    }
    if text.len() > MAX_CREDENTIAL {
        let words =
            format!("{} bytes are too long for a header; {MAX_CREDENTIAL} are taken", text.len());
        return Err(f.error(name, words));
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::service::{SERVICES, open};

    /// A value that a field may have, and one that it may not.
    fn values(kind: FieldKind) -> (Value, Value) {
        match kind {
            FieldKind::Number(least, most) => (json!(least), json!(i128::from(most) + 1)),
            FieldKind::Choice(words) | FieldKind::Either(words) => (json!(words[0]), json!("no")),
            FieldKind::Base => (json!("http://127.0.0.1:1"), json!("ftp://127.0.0.1")),
            FieldKind::Text => (json!("a text"), json!(7)),
            FieldKind::Webhook(host, path) => {
                (json!(format!("https://{host}/{path}?token=abc")), json!("https://example.com"))
            }
            FieldKind::Credential | FieldKind::Secret => (json!("abc"), json!("a\nb")),
            FieldKind::Token => (json!("abc"), json!("a b")),
        }
    }

    fn object(fields: &[Field]) -> Map<String, Value> {
        let pairs = fields.iter().map(|field| (field.name.to_owned(), values(field.kind).0));
        pairs.collect()
    }

    fn opened(config: &Value) -> Result<Opened> {
        let config = AccountConfig::from_value(config.clone(), "accounts.a")?;
        open(config).map(|(_, opened)| opened)
    }

    #[test]
    fn every_field_is_read_as_it_is_declared() {
        for service in SERVICES {
            let info = service.info;
            for auth in info.auth {
                let mut config = Value::from(object(info.fields));
                config["service"] = info.name.into();
                config["auth"] = object(auth.fields).into();
                config["auth"]["type"] = auth.name.into();
                opened(&config).unwrap_or_else(|e| panic!("{config}: {e}"));
                let own =
                    info.fields.iter().map(|field| (field, "")).map(|(field, at)| (at, field));
                for (at, field) in own.chain(auth.fields.iter().map(|field| ("/auth", field))) {
                    let fault = |value: Value| {
                        let mut config = config.clone();
                        let object = config.pointer_mut(at).expect("it is there");
                        object[field.name] = value;
                        let error = opened(&config).err()?;
                        assert_eq!(error.code(), ErrorCode::Config, "{config}");
                        Some(error.path().unwrap_or_default().to_owned())
                    };
                    let path = format!("accounts.a{}.{}", at.replace('/', "."), field.name);
                    assert_eq!(fault(values(field.kind).1), Some(path.clone()), "{}", info.name);
                    let missing = fault(Value::Null);
                    assert!(!field.required || missing == Some(path), "{missing:?}: {}", info.name);
                    let names = auth.fields.iter().chain(info.fields);
                    assert_eq!(names.filter(|other| other.name == field.name).count(), 1);
                }
                config["auth"]["colour"] = 1.into();
                assert!(opened(&config).is_err_and(|e| e.path() == Some("accounts.a.auth.colour")));
            }
        }
    }
}
