//! A secret that cannot be printed.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A credential: wiped from memory when dropped, and shown by no `Debug`, `Display` or JSON.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the text over as a secret.
    pub fn new(text: String) -> Secret {
        Secret(SecretString::from(text))
    }

    /// The text itself, for signing and sending only.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}
