//! HTTP Basic, RFC 7617.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::error::Result;
use crate::model::fields::Fields;
use crate::model::redact::Redactor;
use crate::model::secret::Secret;

/// A user name and a password.
pub struct Basic {
    username: String,
    header: Secret,
}

impl Basic {
    /// Reads `username` and `password`.
    pub fn read(f: &mut Fields, redactor: &mut Redactor) -> Result<Basic> {
        let username = super::credential(f, "username")?;
        let password = super::secret(f, "password")?;
        if username.contains(':') {
            return Err(f.error("username", "a user name for Basic cannot hold a colon (RFC 7617)"));
        }
        let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
        redactor.add(password.expose());
        redactor.add(&pair);
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
