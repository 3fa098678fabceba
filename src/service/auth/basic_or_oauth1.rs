//! The choice that Fanfou and old Sina leave: Basic, or OAuth 1.0a.

use url::Url;

use super::basic::Basic;
use super::oauth1::OAuth1;
use crate::model::error::Result;
use crate::service::api::Stamp;
use crate::service::info::Auth;
use crate::service::opening::Opening;

/// Credentials of one kind or the other.
pub enum BasicOrOAuth1 {
    /// A user name and a password.
    Basic(Basic),
    /// The keys of an app and of a user.
    OAuth1(Box<OAuth1>),
}

impl BasicOrOAuth1 {
    /// As they stand in an account.
    pub const AUTH: &'static [Auth] = &[Basic::AUTH, OAuth1::AUTH];

    /// Takes the fields.
    pub fn open(opening: &mut Opening) -> Result<BasicOrOAuth1> {
        Ok(match opening.auth() {
            "basic" => BasicOrOAuth1::Basic(Basic::open(opening)?),
            _ => BasicOrOAuth1::OAuth1(Box::new(OAuth1::open(opening))),
        })
    }

    /// True if they make signatures, which cover the URL.
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
