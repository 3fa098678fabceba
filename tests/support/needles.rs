//! Looks for secrets in everything that a program may see, in every form they may come back in.

#![allow(dead_code, reason = "each test uses its part of it")]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Some secrets, in the forms to look for.
#[derive(Clone, Default)]
pub struct Needles(Vec<(String, String)>);

impl Needles {
    pub fn new(secrets: &[&str]) -> Needles {
        let mut needles = Needles::default();
        secrets.iter().for_each(|secret| needles.add(secret));
        needles
    }

    pub fn add(&mut self, secret: &str) {
        assert!(secret.len() > 4, "{secret:?} would be found by accident");
        let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
        let unreserved = ["-", ".", "_", "~"].iter().fold(percent.clone(), |text, keep| {
            text.replace(&utf8_percent_encode(keep, NON_ALPHANUMERIC).to_string(), keep)
        });
        let decimal: Vec<_> = secret.bytes().map(|byte| byte.to_string()).collect();
        let mut forms = vec![
            secret.to_owned(),
            percent.to_lowercase(),
            unreserved.to_lowercase(),
            utf8_percent_encode(&unreserved, NON_ALPHANUMERIC).to_string(),
            unreserved.replace("%20", "+"),
            // Bytes as `Debug` shows them.
            decimal.join(", "),
            secret.escape_debug().to_string(),
            percent,
            unreserved,
        ];
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            forms.push(engine.encode(secret));
            forms.push(utf8_percent_encode(&engine.encode(secret), NON_ALPHANUMERIC).to_string());
        }
        forms.sort();
        forms.dedup();
        self.0.extend(forms.into_iter().map(|form| (secret.to_owned(), form)));
    }

    /// The secret that is in `text`, as it is or with some escapes undone.
    pub fn find(&self, text: &str) -> Option<&(String, String)> {
        let unescaped =
            |text: &str| text.replace("\\\\", "\\").replace("\\/", "/").replace("\\\"", "\"");
        let plain = unescaped(&unescaped(text));
        let html = plain
            .replace("&quot;", "\"")
            .replace("&#x2F;", "/")
            .replace("&#x3D;", "=")
            .replace("&lt;", "<")
            .replace("&amp;", "&");
        let decoded = percent_decode_str(&plain).decode_utf8_lossy().into_owned();
        let texts = [text, &plain, &html, &decoded];
        self.0.iter().find(|(_, form)| texts.iter().any(|text| text.contains(form.as_str())))
    }

    /// Fails if a secret is in `text`.
    #[track_caller]
    pub fn assert_absent(&self, what: &str, text: &str) {
        if let Some((secret, form)) = self.find(text) {
            let excerpt: String = text.chars().take(2000).collect();
            panic!("{what} shows {secret:?} as {form:?}: {excerpt}");
        }
    }
}
