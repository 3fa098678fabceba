//! HTTP Basic, RFC 7617.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::error::Result;
use crate::model::secret::Secret;
use crate::service::info::{Auth, Field, FieldKind};
use crate::service::opening::Opening;

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
        let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
        opening.redactor.add(&pair);
        Ok(Basic { username, header: Secret::new(format!("Basic {pair}")) })
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
