//! The choice that Fanfou and old Sina leave: Basic, or OAuth 1.0a.

use url::Url;

use super::basic::Basic;
use super::oauth1::OAuth1;
use crate::model::error::Result;
use crate::model::fields::Fields;
use crate::model::redact::Redactor;
use crate::service::api::Stamp;

/// Credentials of one kind or the other.
pub enum BasicOrOAuth1 {
    /// A user name and a password.
    Basic(Basic),
    /// The keys of an app and of a user.
    OAuth1(Box<OAuth1>),
}

impl BasicOrOAuth1 {
    /// The values of `type`.
    pub const TYPES: &'static [&'static str] = &["basic", "oauth1"];

    /// Reads `auth`.
    pub fn read(mut f: Fields, redactor: &mut Redactor) -> Result<BasicOrOAuth1> {
        let auth = match f.one_of("type", Self::TYPES)? {
            Some("basic") => BasicOrOAuth1::Basic(Basic::read(&mut f, redactor)?),
            Some(_) => BasicOrOAuth1::OAuth1(Box::new(OAuth1::read(&mut f, redactor)?)),
            None => {
                return Err(
                    f.error("type", "the field \"type\" is required: \"basic\" or \"oauth1\"")
                );
            }
        };
        f.finish()?;
        Ok(auth)
    }

    /// True if requests are signed, and their URL with them.
    pub fn signs(&self) -> bool {
        matches!(self, BasicOrOAuth1::OAuth1(_))
    }

    /// Whom the service knows by them.
    pub fn identity(&self) -> &str {
        match self {
            BasicOrOAuth1::Basic(basic) => basic.username(),
            BasicOrOAuth1::OAuth1(keys) => keys.token(),
        }
    }

    /// The value of `Authorization` for a POST of these form parameters, and the signatures in it.
    pub fn authorize(
        &self,
        signing_url: &Url,
        params: &[(&str, String)],
        stamp: &Stamp,
    ) -> (String, Vec<String>) {
        match self {
            BasicOrOAuth1::Basic(basic) => (basic.header(), Vec::new()),
            BasicOrOAuth1::OAuth1(keys) => {
                let nonce = format!("{:032x}", stamp.nonce);
                let signed = keys.sign(signing_url, params, stamp.unix, &nonce);
                (signed.header, vec![signed.signature])
            }
        }
    }
}
