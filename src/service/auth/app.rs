//! Apps, whose requests carry a token that is asked for with their id and secret.

use std::time::Duration;

use crate::model::secret::Secret;
use crate::service::api::{Answer, Granted, Reading};
use crate::service::info::{Field, FieldKind};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::opening::Opening;
use crate::service::wire::json::{members, parsed};

/// The longest token, in bytes: longer ones fit into no header, and no service gives them.
const MAX_TOKEN: usize = 4096;

/// The id and the secret of an app.
pub struct App {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: Secret,
}

impl App {
    /// The id as it stands in `auth`.
    pub const ID: Field = Field::required("id", FieldKind::Credential, "the app's id");
    /// The secret likewise.
    pub const SECRET: Field = Field::required("secret", FieldKind::Secret, "the app's secret");

    /// Takes the fields, the id under this name.
    pub fn open(opening: &mut Opening, id: &str) -> App {
        App { id: opening.required(id), secret: opening.secret("secret") }
    }

    /// What accounts share a token by that ask for it there.
    pub fn key(&self, url: &str) -> String {
        format!("{} {url} {}", self.id, self.secret.expose())
    }
}

/// What the answer to a request for a token says: a success has the token and the seconds that it holds under
/// these names, and no `code` but 0. Anything else is what `refusal` reads in it.
pub fn granted(
    answer: &Answer,
    [token, lasts, code]: [&str; 3],
    refusal: impl Fn(&Answer) -> Reading,
) -> Granted {
    let unreadable = |why: String| Granted::Unreadable(why);
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return unreadable(why),
    };
    let found = match members(body, [token, lasts, code]) {
        Ok(found) => found,
        Err(e) if is_success(answer.status) => {
            return unreadable(format!("the answer is not the service's JSON: {e}"));
        }
        Err(_) => return unreadable(excerpt(&answer.body)),
    };
    let [own, lasts, code] = found;
    if let (Some(own), true) = (own, code.is_none_or(|code| code == "0")) {
        if !is_success(answer.status) {
            return unreadable("a token in an answer that is no success".to_owned());
        }
        // What is said here of the answer must not tell the token.
        return match (secret(own), lasts.and_then(seconds)) {
            (Some(secret), Some(expires)) => Granted::Token { secret, expires },
            (None, _) => {
                unreadable("the token in the answer is none that could be sent".to_owned())
            }
            (_, None) => unreadable("the answer has a token, and not how long it holds".to_owned()),
        };
    }
    match refusal(answer) {
        Reading::Refused { code, text, wait } => Granted::Refused { code, text, wait },
        Reading::Unreadable(why) | Reading::Contradiction(why) => Granted::Unreadable(why),
        _ => unreadable("the answer has no token".to_owned()),
    }
}

/// A token that a header or a URL can carry.
pub fn secret(value: &str) -> Option<Secret> {
    let token = parsed::<String>(Some(value)).ok().flatten()?;
    let fits = (1..=MAX_TOKEN).contains(&token.len());
    (fits && token.bytes().all(|b| b.is_ascii_graphic())).then(|| Secret::new(token))
}

/// Whole seconds, as a number or as text.
fn seconds(value: &str) -> Option<Duration> {
    let digits = match value.strip_prefix('"') {
        Some(text) => text.strip_suffix('"')?,
        None => value,
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| Duration::from_secs(digits.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::api::Cut;

    fn read(status: u16, body: &str) -> String {
        let answer = Answer { status, body: body.into(), ..Answer::default() };
        shown(&answer)
    }

    fn shown(answer: &Answer) -> String {
        let refusal = |_: &Answer| Reading::refused("40001", "no");
        match granted(answer, ["access_token", "expires_in", "errcode"], refusal) {
            Granted::Token { secret, expires } => {
                format!("{} {}", secret.expose(), expires.as_secs())
            }
            Granted::Refused { code, .. } => code,
            Granted::Unreadable(_) => "unreadable".to_owned(),
        }
    }

    #[test]
    fn a_token_is_taken_from_a_whole_success_only() {
        let long = "x".repeat(MAX_TOKEN + 1);
        for (status, body, meant) in [
            (200, r#"{"access_token":"t-1","expires_in":7200}"#, "t-1 7200"),
            (200, r#"{"errcode":0,"errmsg":"ok","access_token":"t","expires_in":"60"}"#, "t 60"),
            (200, r#"{"access_token":"t","expires_in":0}"#, "t 0"),
            (
                200,
                r#"{"access_token":"t","expires_in":99999999999999999999999}"#,
                "t 18446744073709551615",
            ),
            (200, r#"{"errcode":40001,"access_token":"t","expires_in":1}"#, "40001"),
            (200, r#"{"errcode":0,"errmsg":"ok"}"#, "40001"),
            (200, r#"{"access_token":"t","expires_in":-1}"#, "unreadable"),
            (200, r#"{"access_token":"t","expires_in":1.5}"#, "unreadable"),
            (200, r#"{"access_token":"t","expires_in":"soon"}"#, "unreadable"),
            (200, r#"{"access_token":"t","expires_in":""}"#, "unreadable"),
            (200, r#"{"access_token":"t"}"#, "unreadable"),
            (200, r#"{"access_token":"","expires_in":1}"#, "unreadable"),
            (200, r#"{"access_token":7,"expires_in":1}"#, "unreadable"),
            (200, r#"{"access_token":"t\r\nx: y","expires_in":1}"#, "unreadable"),
            (200, r#"{"access_token":"t t","expires_in":1}"#, "unreadable"),
            (200, r#"{"access_token":"\u9e3f","expires_in":1}"#, "unreadable"),
            (200, &format!(r#"{{"access_token":"{long}","expires_in":1}}"#), "unreadable"),
            (200, r#"{"access_token":"a","access_token":"b","expires_in":1}"#, "unreadable"),
            (500, r#"{"access_token":"t","expires_in":1}"#, "unreadable"),
            (200, "<html>", "unreadable"),
            (200, "", "unreadable"),
            (206, r#"{"access_token":"t","expires_in":1}"#, "unreadable"),
        ] {
            assert_eq!(read(status, body), meant, "{status} {body}");
        }
        let body = br#"{"access_token":"t","expires_in":1}"#.to_vec();
        let cut = Answer { status: 200, body, cut: Some(Cut::Ended), ..Answer::default() };
        assert_eq!(shown(&cut), "unreadable");
    }
}
