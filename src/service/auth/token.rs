//! Access tokens that are sent as they are: OAuth 2 at Weibo, Bearer at Renren.

use crate::model::error::Result;
use crate::model::fields::Fields;
use crate::model::redact::Redactor;
use crate::model::secret::Secret;

/// An access token.
pub struct Token(Secret);

impl Token {
    /// Reads `token`.
    pub fn read(f: &mut Fields, redactor: &mut Redactor) -> Result<Token> {
        let token = super::secret(f, "token")?;
        if !token.expose().bytes().all(|b| b.is_ascii_graphic()) {
            return Err(f.error("token", "a token is printable ASCII without spaces"));
        }
        redactor.add(token.expose());
        Ok(Token(token))
    }

    /// The value of `Authorization` under this scheme.
    pub fn header(&self, scheme: &str) -> String {
        format!("{scheme} {}", self.0.expose())
    }

    /// The token itself, for a form.
    pub fn text(&self) -> &str {
        self.0.expose()
    }
}
