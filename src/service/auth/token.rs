//! Access tokens that are sent as they are: OAuth 2 at Weibo, Bearer at Renren.

use crate::model::secret::Secret;
use crate::service::info::{Field, FieldKind};
use crate::service::opening::Opening;

/// An access token.
pub struct Token(Secret);

impl Token {
    /// As it stands in `auth`.
    pub const FIELD: Field =
        Field::required("token", FieldKind::Token, "the access token, as it is");

    /// Takes the field.
    pub fn open(opening: &mut Opening) -> Token {
        Token(opening.secret("token"))
    }

    /// The value of `Authorization` under this scheme.
    pub fn header(&self, scheme: &str) -> String {
        [scheme, " ", self.0.expose()].concat()
    }

    /// The token itself, for a form.
    pub fn text(&self) -> &str {
        self.0.expose()
    }
}
