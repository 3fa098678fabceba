//! Basic authentication (RFC 7617).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Whether an `Authorization` header's value is `username` and `password` under the Basic scheme.
pub(crate) fn is_basic(header: &str, username: &str, password: &str) -> bool {
    let Some((scheme, encoded)) = header.split_once(' ') else { return false };
    let expected = format!("{username}:{password}");
    scheme.eq_ignore_ascii_case("Basic")
        && STANDARD.decode(encoded.trim()).is_ok_and(|given| given == expected.as_bytes())
}

/// The user name and password that the credentials of the Basic scheme encode.
pub(crate) fn decode(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    Some((username.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::is_basic;

    #[test]
    fn knows_vectors() {
        for (username, password, header) in [
            ("username", "password", "Basic dXNlcm5hbWU6cGFzc3dvcmQ="),
            ("test", "pwd", "basic dGVzdDpwd2Q="),
            ("用户", "密码: &+%", "Basic 55So5oi3OuWvhueggTogJisl"),
            ("a@b.cn", "", "Basic YUBiLmNuOg=="),
        ] {
            assert!(is_basic(header, username, password), "{header}");
            assert!(!is_basic(header, username, "other"), "{header}");
        }
        for header in ["Basic", "Basic ", "Basic dGVzdDpwd2Q", "Bearer dGVzdDpwd2Q="] {
            assert!(!is_basic(header, "test", "pwd"), "{header}");
        }
    }
}
