//! An account as its service opens it: its fields, read as they are declared.

use percent_encoding::percent_decode_str;
use url::Url;

use super::check::{join, only_takes};
use super::info::{Field, FieldKind, Info};
use super::pasted::{self, UrlForm};
use crate::model::config::{AccountConfig, any_web_url, is_loopback};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::fields::{Fields, quoted};
use crate::model::message::{Kind, To};
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
    /// The recipient of messages that name none.
    pub(super) to: To,
    allow_http: bool,
    /// True if the URL of its requests is a secret as a whole.
    pub(super) hides_url: bool,
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
    #[cfg_attr(not(test), allow(dead_code, reason = "a service of the tests alone has one"))]
    Flag(bool),
    #[cfg_attr(not(test), allow(dead_code, reason = "a service of the tests alone has one"))]
    List(Vec<serde_json::Value>),
    Object(Fields),
    Url(Url),
    /// A URL that was pasted, and where its documented path begins.
    Pasted(Url, usize),
}

impl Opening {
    /// Reads an account by what its service declares.
    pub fn read(info: &'static Info, config: AccountConfig) -> Result<Opening> {
        let AccountConfig { base_url, signing_url, to, mut fields, .. } = config;
        let mut opening = Opening {
            info,
            auth: "",
            values: Vec::new(),
            base_url,
            signing_url,
            to,
            allow_http: false,
            hides_url: false,
            place: Fields::empty(fields.path(""), ErrorCode::Config),
            redactor: Redactor::default(),
        };
        opening.check_common(&mut fields)?;
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

    /// Checks the fields that accounts of all services have, as far as this one takes them.
    fn check_common(&mut self, fields: &mut Fields) -> Result<()> {
        let Info { name, to, schemes, self_hosted, .. } = self.info;
        if self.base_url.as_ref().is_some_and(|base| !schemes.contains(&base.scheme())) {
            let schemes: Vec<_> = schemes.iter().map(|scheme| format!("{scheme}://")).collect();
            let words = format!("a URL must begin with {} and a host", schemes.join(" or "));
            return Err(self.error("base_url", words));
        }
        if let Some(kind) = self.to.kinds().map(Kind::name).find(|kind| !to.contains(kind)) {
            let words = match to {
                [] => format!("{name} takes no recipient"),
                to => format!("{name} cannot send to {kind:?}; it knows {}", quoted(to)),
            };
            return Err(self.error(&format!("to.{kind}"), words));
        }
        if *self_hosted {
            self.allow_http = fields.boolean("allow_http")?.unwrap_or(false);
        } else if fields.value("allow_http").is_some() {
            let words = format!(
                "accounts of {name} never send over http: it is for services on servers of one's own"
            );
            return Err(self.error("allow_http", words));
        }
        Ok(())
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
                FieldKind::TextLike(is_own, example) => match credential(f, name)? {
                    Some(text) if !is_own(&text) => return Err(unlike(f, name, example)),
                    text => text.map(Value::Text),
                },
                FieldKind::NumberOrText => number_or_text(f, name)?.map(Value::Text),
                FieldKind::Boolean => f.boolean(name)?.map(Value::Flag),
                FieldKind::List => f.array(name)?.map(Value::List),
                FieldKind::Object | FieldKind::ObjectLike(_) => f.object(name)?.map(Value::Object),
                FieldKind::Webhook(forms) => credential(f, name)?
                    .map(|text| self.pasted(f, name, &text, forms))
                    .transpose()?,
                FieldKind::Url => credential(f, name)?
                    .map(|text| {
                        let url = any_web_url(&text).map_err(|why| f.error(name, why))?;
                        self.hide_parts(&url);
                        Ok(Value::Url(url))
                    })
                    .transpose()?,
                FieldKind::Secret | FieldKind::Token | FieldKind::TokenLike(..) => {
                    credential(f, name)?
                        .map(|text| {
                            let is_token = !matches!(field.kind, FieldKind::Secret);
                            if is_token && !text.bytes().all(|b| b.is_ascii_graphic()) {
                                let words = "a token is printable ASCII without spaces";
                                return Err(f.error(name, words));
                            }
                            if let FieldKind::TokenLike(is_own, example) = field.kind
                                && !is_own(&text)
                            {
                                return Err(unlike(f, name, example));
                            }
                            self.redactor.add(&text);
                            Ok(Value::Secret(Secret::new(text)))
                        })
                        .transpose()?
                }
            };
            match value {
                Some(value) => self.values.push((name, value)),
                None if field.required => return Err(f.missing(name)),
                None => {}
            }
        }
        Ok(())
    }

    /// Reads a URL that a service shows to be copied.
    fn pasted(
        &mut self,
        f: &Fields,
        name: &'static str,
        text: &str,
        forms: &[UrlForm],
    ) -> Result<Value> {
        let pasted = pasted::read(text, forms).map_err(|why| {
            let error = f.error(name, why);
            match super::services_of_url(text).as_slice() {
                [] => error,
                [own] => error.hint(format!("it is a URL of {own}: set \"service\" to {own:?}")),
                several => error.hint(format!("it may be a URL of {}", quoted(several))),
            }
        })?;
        let is_plain = pasted.url.scheme() == "http" && self.base_url.is_none();
        if is_plain && !self.may_be_plain(&pasted.url, false) {
            return Err(self.plain_http(f.error(name, "this URL would be sent over http")));
        }
        pasted.secrets.iter().for_each(|secret| self.redactor.add(secret));
        Ok(Value::Pasted(pasted.url, pasted.documented))
    }

    /// Masks the credentials and the query of a URL.
    fn hide_parts(&mut self, url: &Url) {
        let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        for part in [url.username(), url.password().unwrap_or_default()] {
            self.redactor.add(part);
            self.redactor.add(&decoded(part));
        }
        self.redactor.add(url.query().unwrap_or_default());
        url.query_pairs().for_each(|(_, value)| self.redactor.add(&value));
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

    /// `true` or `false`, if it is there.
    #[cfg_attr(not(test), allow(dead_code, reason = "a service of the tests alone has one"))]
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        match self.take(name)? {
            Value::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    /// A list, if it is there.
    #[cfg_attr(not(test), allow(dead_code, reason = "a service of the tests alone has one"))]
    pub fn list(&mut self, name: &str) -> Option<Vec<serde_json::Value>> {
        match self.take(name)? {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// An object, if it is there: to be read in turn and finished.
    pub fn object(&mut self, name: &str) -> Option<Fields> {
        match self.take(name)? {
            Value::Object(fields) => Some(fields),
            _ => None,
        }
    }

    /// Refuses recipients of other kinds than these, where the service knows more but not with these
    /// credentials: messages of a webhook take none, or few.
    pub fn takes_only(&self, kinds: &[Kind]) -> Result<()> {
        let Some(kind) = self.to.kinds().find(|kind| !kinds.contains(kind)) else { return Ok(()) };
        let words = format!("{} with {:?} {}", self.info.name, self.auth, only_takes(kinds));
        Err(self.error(&format!("to.{}", kind.name()), words))
    }

    /// One of the words that are declared, if it is there.
    pub fn word(&mut self, name: &str) -> Option<&'static str> {
        match self.take(name)? {
            Value::Word(word) => Some(word),
            _ => None,
        }
    }

    /// An error at a field, by its path within the account.
    #[cold]
    #[inline(never)]
    pub fn error(&self, path: &str, words: impl Into<String>) -> Error {
        self.place.error(path, words)
    }

    /// The URL that is given as `base_url`.
    pub fn base_url(&self) -> Option<&Url> {
        self.base_url.as_ref()
    }

    /// True if requests to this URL may go over http.
    fn may_be_plain(&self, url: &Url, plain_http: bool) -> bool {
        plain_http || self.allow_http || is_loopback(url)
    }

    /// What to do about a URL of http.
    fn plain_http(&self, error: Error) -> Error {
        error.hint(match self.info.self_hosted {
            true => "write https://; or set \"allow_http\": true if nobody can listen on the way",
            false => "write https://",
        })
    }

    /// The URL that requests go to: `base_url`, or else `default`, with the documented path appended.
    /// Without a default (an empty one), `base_url` is required.
    ///
    /// `plain_http`: credentials may travel over http although the host is not this machine.
    pub fn endpoint(&self, default: &str, path: &str, plain_http: bool) -> Result<Url> {
        let base = self.base_url.as_ref();
        if base.is_none() && default.is_empty() {
            return Err(self.place.missing("base_url"));
        }
        if base.is_some_and(|base| base.scheme() == "http" && !self.may_be_plain(base, plain_http))
        {
            let words = format!("these credentials of {} travel over https only", self.info.name);
            return Err(self.plain_http(self.error("base_url", words)));
        }
        join(base.map_or(default, Url::as_str), path).map_err(|e| self.error("base_url", e))
    }

    /// The URL that a service shows to be copied, with `base_url` for its scheme, host, port and prefix.
    ///
    /// From here on the URL of every request is shown as `https://HOST/…`.
    pub fn webhook(&mut self, name: &str) -> Result<Url> {
        let Some(Value::Pasted(url, documented)) = self.take(name) else {
            return Err(self.place.missing(name));
        };
        self.hides_url = true;
        if self.base_url.is_none() {
            return Ok(url);
        }
        let mut own = self.endpoint("", url.path()[documented..].trim_start_matches('/'), false)?;
        own.set_query(url.query());
        Ok(own)
    }

    /// A URL of any kind, if it is there, with its credentials in it.
    pub fn url(&mut self, name: &str) -> Result<Option<Url>> {
        let Some(Value::Url(url)) = self.take(name) else { return Ok(None) };
        if url.scheme() == "http" && !self.may_be_plain(&url, false) {
            return Err(self.plain_http(self.error(name, "this URL would be sent over http")));
        }
        Ok(Some(url))
    }

    /// The URL that a signature covers: `signing_url`, or else `default`, with that path appended.
    pub fn signing_url(&self, default: &str, path: &str) -> Result<Url> {
        let base = self.signing_url.as_ref().map_or(default, Url::as_str);
        join(base, path).map_err(|why| self.error("signing_url", why))
    }
}

/// A whole number from 0 on or a text, as text.
fn number_or_text(f: &mut Fields, name: &'static str) -> Result<Option<String>> {
    match f.value(name) {
        None => Ok(None),
        Some(serde_json::Value::String(text)) if !text.trim().is_empty() => Ok(Some(text)),
        Some(serde_json::Value::Number(number)) if number.is_u64() => Ok(Some(number.to_string())),
        Some(_) => Err(f.error(name, "expected a whole number from 0 on, or a text")),
    }
}

/// The error of a text that is not like this one.
fn unlike(f: &Fields, name: &str, example: &str) -> Error {
    f.error(name, format!("this has not the form of one, such as {example}"))
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
mod tests;
