//! What Discord answers: the object that was asked for, or `{"code": …, "message": "…"}`.

use std::time::Duration;

use serde_json::Value;

use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::wire::json::{members, parsed};

/// The milliseconds of the first second of 2015, from which ids count.
const EPOCH_MS: u64 = 1_420_070_400_000;
/// The longest wait that is told from others.
const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

/// Reads the answer to a message, which is the message.
pub fn message(answer: &Answer) -> Reading {
    match object(answer, "channel_id") {
        Ok(id) => {
            let time = id.parse::<u64>().ok().map(|id| ((id >> 22) + EPOCH_MS) / 1000);
            Reading::sent(Some(id), time.and_then(|time| i64::try_from(time).ok()))
        }
        Err(reading) => reading,
    }
}

/// Reads the id of what was asked for: the channel of a direct message.
pub fn named(answer: &Answer) -> Result<String, Reading> {
    object(answer, "type")
}

/// Reads the answer to the question who this is: a bot has a name, a webhook has its channel.
pub fn known(answer: &Answer) -> Reading {
    match object(answer, "channel_id").or_else(|_| object(answer, "username")) {
        Ok(_) => Reading::sent(None, None),
        Err(reading) => reading,
    }
}

/// The id of the object that was answered, which has this other member too.
fn object(answer: &Answer, beside: &str) -> Result<String, Reading> {
    let body = text(answer).map_err(Reading::Unreadable)?;
    match of_body(answer, body, beside) {
        Ok(Some(found)) => found,
        Err(e) if is_success(answer.status) => {
            Err(Reading::Unreadable(format!("the answer is not Discord's JSON: {e}")))
        }
        Ok(None) | Err(_) => Err(Reading::Unreadable(excerpt(&answer.body))),
    }
}

type Found = Result<String, Reading>;

fn of_body(answer: &Answer, body: &str, beside: &str) -> Result<Option<Found>, String> {
    let names = ["id", beside, "code", "message", "errors", "error", "retry_after", "global"];
    let [id, other, code, message, errors, error, wait, global] = members(body, names)?;
    // That is how others speak.
    if error.is_some() {
        return Ok(None);
    }
    let message = parsed::<String>(message.filter(|words| words.starts_with('"')))?;
    let (Some(id), Some(other)) = (id, other) else {
        let (Some(words), None) = (message, id) else { return Ok(None) };
        let limited = wait.zip(global.filter(|global| matches!(*global, "true" | "false")));
        return refusal(answer, code, words, errors, limited).map(|own| own.map(Err));
    };
    let is_channel = beside != "channel_id" || snowflake(other).is_some();
    let (Some(id), true) = (snowflake(id), is_channel) else { return Ok(None) };
    let contradiction = match code.or(errors) {
        _ if message.is_some() => return Ok(None),
        Some(fault) => format!("the answer is a success, and yet has an error: {fault}"),
        None if !is_success(answer.status) => {
            format!("the answer is a success, but has HTTP status {}", answer.status)
        }
        None => return Ok(Some(Ok(id.to_owned()))),
    };
    Ok(Some(Err(Reading::Contradiction(contradiction))))
}

/// An id, which is a number in a string.
fn snowflake(json: &str) -> Option<&str> {
    let id = json.strip_prefix('"')?.strip_suffix('"')?;
    let is_number = !id.is_empty() && id.len() <= 20 && id.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some(id)
}

fn refusal(
    answer: &Answer,
    code: Option<&str>,
    message: String,
    errors: Option<&str>,
    limited: Option<(&str, &str)>,
) -> Result<Option<Reading>, String> {
    let status = answer.status;
    if !(400..600).contains(&status) {
        return Ok(None);
    }
    let is_own = |code: &&str| {
        (5..=6).contains(&code.len())
            && !code.starts_with('0')
            && code.bytes().all(|b| b.is_ascii_digit())
    };
    let own = code.filter(is_own).map(str::to_owned);
    if let (429, Some((wait, global))) = (status, limited) {
        let wait = parsed::<f64>(Some(wait))?.filter(|wait| *wait >= 0.0);
        let wait = wait.map(|s| Duration::try_from_secs_f64(s).unwrap_or(LONGEST).min(LONGEST));
        let by_scope = if global == "true" { "global" } else { "429" };
        let code = own.unwrap_or_else(|| by_scope.to_owned());
        return Ok(wait.map(|_| Reading::Refused { code, text: message, wait }));
    }
    // What has no code of its own names its status.
    let is_of_status = || code == Some("0") && message.starts_with(&format!("{status}: "));
    let code = match own {
        Some(code) => code,
        None if is_of_status() => status.to_string(),
        None => return Ok(None),
    };
    let mut words = vec![message];
    let tree = errors.filter(|errors| errors.starts_with('{'));
    if let Some(tree) = parsed::<Value>(tree)? {
        faults(&tree, &mut String::new(), &mut words);
    }
    Ok(Some(Reading::refused(code, words.join("; "))))
}

/// What is wrong with each field, from the tree of errors.
fn faults(tree: &Value, path: &mut String, words: &mut Vec<String>) {
    for (name, inner) in tree.as_object().into_iter().flatten() {
        if name == "_errors" {
            let messages = inner.as_array().into_iter().flatten();
            let messages = messages.filter_map(|fault| fault["message"].as_str());
            words.extend(messages.map(|message| format!("{path}: {message}")));
            continue;
        }
        let before = path.len();
        if before > 0 {
            path.push('.');
        }
        path.push_str(name);
        faults(inner, path, words);
        path.truncate(before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_of(reading: Reading) -> String {
        match reading {
            Reading::Sent { id, time, .. } => {
                format!("sent {} {}", id.unwrap_or_default(), time.unwrap_or_default())
            }
            Reading::Refused { code, text, wait } => {
                format!("refused {code} {text} {}", wait.unwrap_or_default().as_millis())
            }
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() }
    }

    #[test]
    fn an_answer_is_discord_s_in_its_own_shape_only() {
        const ID: &str = r#""id":"175928847299117063","channel_id":"41771983423143937""#;
        let own = |more: &str| format!("{{{ID}{more}}}");
        let limited =
            |wait: &str| format!(r#"{{"message":"too fast","retry_after":{wait},"global":false}}"#);
        for (status, body, is) in [
            (200, own(""), "sent 175928847299117063 1462015105"),
            (200, own(r#","message":"x""#), "unreadable"),
            (200, own(r#","error":"x""#), "unreadable"),
            (200, own(r#","code":50035"#), "contradiction"),
            (200, own(r#","errors":{}"#), "contradiction"),
            (502, own(""), "contradiction"),
            (200, own(r#","id":"1""#), "unreadable"),
            (200, r#"{"id":"1"}"#.to_owned(), "unreadable"),
            (200, r#"{"id":1,"channel_id":"2"}"#.to_owned(), "unreadable"),
            (200, r#"{"id":"1","channel_id":2}"#.to_owned(), "unreadable"),
            (200, r#"{"id":"","channel_id":"2"}"#.to_owned(), "unreadable"),
            (204, String::new(), "unreadable"),
            (404, r#"{"message":"Unknown Webhook","code":10015}"#.to_owned(), {
                "refused 10015 Unknown Webhook 0"
            }),
            (200, r#"{"message":"Unknown Webhook","code":10015}"#.to_owned(), "unreadable"),
            (400, r#"{"message":"no","code":"50035"}"#.to_owned(), "unreadable"),
            (400, r#"{"message":"no","code":400}"#.to_owned(), "unreadable"),
            (400, r#"{"code":50035}"#.to_owned(), "unreadable"),
            (
                400,
                r#"{"code":50035,"message":"Invalid Form Body","errors":{"embeds":{"0":{"title":{"_errors":[{"code":"X","message":"too long"}]}}}}}"#
                    .to_owned(),
                "refused 50035 Invalid Form Body; embeds.0.title: too long 0",
            ),
            (401, r#"{"message":"401: Unauthorized","code":0}"#.to_owned(), {
                "refused 401 401: Unauthorized 0"
            }),
            (502, r#"{"message":"401: Unauthorized","code":0}"#.to_owned(), "unreadable"),
            (401, r#"{"message":"Unauthorized","code":0}"#.to_owned(), "unreadable"),
            (429, limited("64.57"), "refused 429 too fast 64570"),
            (429, limited("1e99"), "refused 429 too fast 4294967295000"),
            (429, limited("-1"), "unreadable"),
            (429, limited("\"1\""), "unreadable"),
            (400, limited("1"), "unreadable"),
            (429, r#"{"message":"x","retry_after":0.3,"global":true}"#.to_owned(), {
                "refused global x 300"
            }),
            (429, r#"{"message":"x","retry_after":5,"global":false,"code":20016}"#.to_owned(), {
                "refused 20016 x 5000"
            }),
            (429, r#"{"message":"x","retry_after":5}"#.to_owned(), "unreadable"),
            (403, "<html>blocked</html>".to_owned(), "unreadable"),
        ] {
            assert_eq!(told_of(message(&answer(status, &body))), is, "{status} {body}");
        }
    }

    #[test]
    fn a_channel_and_a_bot_are_told_by_their_ids() {
        let channel = |body: &str| named(&answer(200, body)).map_err(told_of);
        assert_eq!(channel(r#"{"id":"319","type":1}"#), Ok("319".to_owned()));
        assert_eq!(channel(r#"{"id":"319"}"#), Err("unreadable".to_owned()));
        assert_eq!(channel(r#"{"id":"x/y","type":1}"#), Err("unreadable".to_owned()));
        for (body, is) in [
            (r#"{"id":"7","username":"goose","avatar":null}"#, "sent  0"),
            (r#"{"id":"7","channel_id":"9","avatar":null}"#, "sent  0"),
            (r#"{"id":"7"}"#, "unreadable"),
        ] {
            assert_eq!(told_of(known(&answer(200, body))), is, "{body}");
        }
    }
}
