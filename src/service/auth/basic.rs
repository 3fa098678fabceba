//! HTTP Basic, RFC 7617.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::error::Result;
use crate::model::secret::Secret;
use crate::service::info::{Auth, Field, FieldKind};
use crate::service::opening::Opening;

/// What stands before the pair.
const SCHEME: &str = "Basic ";

/// A user name and a password.
pub struct Basic {
    username: String,
    header: Secret,
}

impl Basic {
    /// As it stands in an account.
    pub const AUTH: Auth = Auth {
        name: "basic",
        fields: &[
            Field::required("username", FieldKind::Credential, "the user, without a colon"),
            Field::required("password", FieldKind::Secret, "his password"),
        ],
        words: "Name and password",
    };

    /// Takes the fields.
    pub fn open(opening: &mut Opening) -> Result<Basic> {
        let (username, password) = (opening.required("username"), opening.secret("password"));
        if username.contains(':') {
            let words = "a user name for Basic cannot hold a colon (RFC 7617)";
            return Err(opening.error("auth.username", words));
        }
        let header = Basic::header_of(&username, password.expose());
        opening.redactor.add(header.trim_start_matches(SCHEME));
        Ok(Basic { username, header: Secret::new(header) })
    }

    /// The value of `Authorization` for this name and this password.
    pub fn header_of(username: &str, password: &str) -> String {
        format!("{SCHEME}{}", STANDARD.encode(format!("{username}:{password}")))
    }

    /// The user.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The value of `Authorization`.
    pub fn header(&self) -> String {
        self.header.expose().to_owned()
    }
}
