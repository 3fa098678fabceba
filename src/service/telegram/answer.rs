//! What the Bot API answers: `{"ok": true, "result": {…}}`, or a code with its description.

use std::time::Duration;

use serde_json::value::RawValue;

use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::wire::json::{members, parsed};

/// An answer as it was read.
pub struct Read {
    /// What it says.
    pub reading: Reading,
    /// Where the chat has moved to, which the refusal tells.
    pub moved_to: Option<i64>,
}

impl From<Reading> for Read {
    fn from(reading: Reading) -> Read {
        Read { reading, moved_to: None }
    }
}

/// Reads an answer; what has not the shape of the API is not Telegram's.
pub fn read(answer: &Answer) -> Read {
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why).into(),
    };
    match of_body(answer, body) {
        Ok(Some(read)) => read,
        Err(e) if is_success(answer.status) => {
            Reading::Unreadable(format!("the answer is not Telegram's JSON: {e}")).into()
        }
        Ok(None) | Err(_) => Reading::Unreadable(excerpt(&answer.body)).into(),
    }
}

/// Reads an answer to the question who the bot is.
pub fn of_me(answer: &Answer) -> Reading {
    let is_bot = |body| {
        let [ok, result] = members(body, ["ok", "result"]).ok()?;
        let [id, is_bot] =
            members(result.filter(|_| ok == Some("true"))?, ["id", "is_bot"]).ok()?;
        (is_success(answer.status) && is_bot == Some("true")).then(|| id.map(str::to_owned))?
    };
    match text(answer).ok().and_then(is_bot) {
        Some(id) => Reading::sent(Some(id), None),
        None => read(answer).reading,
    }
}

/// Members by which others speak of an error.
const FOREIGN: [&str; 2] = ["error", "errors"];

fn of_body(answer: &Answer, body: &str) -> Result<Option<Read>, String> {
    let names = ["ok", "result", "error_code", "description", "parameters", FOREIGN[0], FOREIGN[1]];
    let [ok, result, code, description, parameters, error, errors] = members(body, names)?;
    let description = match description {
        Some(words) if !words.starts_with('"') => return Ok(None),
        words => parsed::<String>(words)?,
    };
    if error.is_some() || errors.is_some() {
        return Ok(None);
    }
    match ok {
        Some("true") => success(answer, result, code),
        Some("false") => refusal(code, description, parameters, result),
        _ => Ok(None),
    }
}

/// The message that was sent; of an album the first.
fn success(
    answer: &Answer,
    result: Option<&str>,
    code: Option<&str>,
) -> Result<Option<Read>, String> {
    let first: Option<Vec<Box<RawValue>>> =
        parsed(result.filter(|result| result.starts_with('[')))?;
    let message = match &first {
        Some(messages) => messages.first().map(|first| first.get()),
        None => result,
    };
    let Some(message) = message.filter(|message| message.starts_with('{')) else {
        return Ok(None);
    };
    let [id, date] = members(message, ["message_id", "date"])?;
    let Some(id) = id.filter(|id| id.bytes().all(|b| b.is_ascii_digit())) else { return Ok(None) };
    let time = parsed::<i64>(date)?;
    let contradiction = match code {
        Some(code) => format!("the answer says success, and yet the error {code}"),
        None if !is_success(answer.status) => {
            format!("the answer says success, but with HTTP status {}", answer.status)
        }
        None => return Ok(Some(Reading::sent(Some(id.to_owned()), time).into())),
    };
    Ok(Some(Reading::Contradiction(contradiction).into()))
}

fn refusal(
    code: Option<&str>,
    description: Option<String>,
    parameters: Option<&str>,
    result: Option<&str>,
) -> Result<Option<Read>, String> {
    // A 5xx of any other number is the word of a gateway, which tells no more than its status.
    let is_own = |code: &&str| code.len() == 3 && (code.starts_with('4') || *code == "500");
    let code = code.filter(|code| code.bytes().all(|b| b.is_ascii_digit())).filter(is_own);
    let (Some(code), Some(text), None) = (code, description, result) else { return Ok(None) };
    let (mut wait, mut moved_to) = (None, None);
    if let Some(parameters) = parameters {
        let [seconds, chat] = members(parameters, ["retry_after", "migrate_to_chat_id"])?;
        wait = parsed::<f64>(seconds)?.and_then(told);
        moved_to = parsed::<i64>(chat)?;
    }
    let reading = Reading::Refused { code: code.to_owned(), text, wait };
    Ok(Some(Read { reading, moved_to }))
}

/// A time that is told in seconds; what no clock can count is as long as can be.
fn told(seconds: f64) -> Option<Duration> {
    const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);
    (seconds > 0.0)
        .then(|| Duration::try_from_secs_f64(seconds).map_or(LONGEST, |wait| wait.min(LONGEST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(status: u16, body: &str) -> String {
        let body = body.as_bytes().to_vec();
        let Read { reading, moved_to } = read(&Answer { status, body, ..Answer::default() });
        let moved = moved_to.map(|to| format!(" to {to}")).unwrap_or_default();
        let what = match reading {
            Reading::Sent { id, time, .. } => {
                format!("sent {} {}", id.unwrap_or_default(), time.unwrap_or_default())
            }
            Reading::Refused { code, text, wait } => {
                format!("refused {code} {text} {}", wait.unwrap_or_default().as_millis())
            }
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        };
        what + &moved
    }

    #[test]
    fn a_bot_tells_who_it_is() {
        let works = |status, body: &str| {
            let body = body.as_bytes().to_vec();
            matches!(of_me(&Answer { status, body, ..Answer::default() }), Reading::Sent { .. })
        };
        assert!(works(200, r#"{"ok":true,"result":{"id":1,"is_bot":true,"first_name":"H"}}"#));
        assert!(!works(500, r#"{"ok":true,"result":{"id":1,"is_bot":true}}"#));
        assert!(!works(200, r#"{"ok":true,"result":{"id":1}}"#));
        assert!(!works(401, r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#));
    }

    #[test]
    fn an_answer_is_telegram_s_in_its_own_shape_only() {
        for (status, body, is) in [
            (200, r#"{"ok":true,"result":{"message_id":7,"date":9,"chat":{"id":1}}}"#, "sent 7 9"),
            (
                200,
                r#"{"ok":true,"result":{"message_id":9007199254740993}}"#,
                "sent 9007199254740993 0",
            ),
            (200, r#"{"ok":true,"result":[{"message_id":7},{"message_id":8}]}"#, "sent 7 0"),
            (200, r#"{"ok":true,"result":[]}"#, "unreadable"),
            (200, r#"{"ok":true,"result":true}"#, "unreadable"),
            (200, r#"{"ok":true,"result":{"message_id":"7"}}"#, "unreadable"),
            (200, r#"{"ok":true,"result":{"message_id":-7}}"#, "unreadable"),
            (200, r#"{"ok":true,"result":{"message_id":7,"message_id":7}}"#, "unreadable"),
            (200, r#"{"ok":true}"#, "unreadable"),
            (200, r#"{"ok":1,"result":{"message_id":7}}"#, "unreadable"),
            (200, r#"{"ok":true,"result":{"message_id":7},"error":"no"}"#, "unreadable"),
            (200, r#"{"ok":true,"result":{"message_id":7},"error_code":400}"#, "contradiction"),
            (400, r#"{"ok":true,"result":{"message_id":7}}"#, "contradiction"),
            (206, r#"{"ok":true,"result":{"message_id":7}}"#, "unreadable"),
            (200, r#"{"ok":false,"error_code":400,"description":"no"}"#, "refused 400 no 0"),
            (
                429,
                r#"{"ok":false,"error_code":429,"description":"no","parameters":{"retry_after":35}}"#,
                "refused 429 no 35000",
            ),
            (
                429,
                r#"{"ok":false,"error_code":429,"description":"no","parameters":{"retry_after":1e99}}"#,
                "refused 429 no 4294967295000",
            ),
            (
                400,
                r#"{"ok":false,"error_code":400,"description":"no","parameters":{"migrate_to_chat_id":-1001234567890}}"#,
                "refused 400 no 0 to -1001234567890",
            ),
            (400, r#"{"ok":false,"error_code":"400","description":"no"}"#, "unreadable"),
            (400, r#"{"ok":false,"error_code":400}"#, "unreadable"),
            (400, r#"{"ok":false,"error_code":40,"description":"no"}"#, "unreadable"),
            (400, r#"{"ok":false,"error_code":400,"description":{}}"#, "unreadable"),
            (
                400,
                r#"{"ok":false,"error_code":400,"description":"no","parameters":[]}"#,
                "unreadable",
            ),
            (502, r#"{"ok":false,"message":"Bad Gateway"}"#, "unreadable"),
            (502, r#"{"ok":false,"error_code":502,"description":"Bad Gateway"}"#, "unreadable"),
            (
                500,
                r#"{"ok":false,"error_code":500,"description":"restart"}"#,
                "refused 500 restart 0",
            ),
        ] {
            assert_eq!(read_of(status, body), is, "{status} {body}");
        }
    }
}
