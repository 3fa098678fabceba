//! What Zulip answers: `{"result": "success", "msg": "", …}`, or the same with `error` and a `code`.

use super::verdicts::TABLE;
use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, text};
use crate::service::verdict::Code;
use crate::service::wire::envelope::Envelope;
use crate::service::wire::json::{members, parsed};

/// The envelope, of which a success has this member.
const fn envelope(id: &'static str) -> Envelope {
    Envelope {
        ok: ("result", &["\"success\""]),
        code: "code",
        own: |code| {
            let is_word = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
            code.starts_with(|c: char| c.is_ascii_uppercase()) && code.bytes().all(is_word)
        },
        text: "msg",
        id: Some(id),
        wait: Some("retry-after"),
    }
}

/// Reads the answer to a message.
pub fn message(answer: &Answer) -> Reading {
    match read(&envelope("id"), answer) {
        Reading::Sent { id: Some(id), .. } if !id.bytes().all(|b| b.is_ascii_digit()) => {
            Reading::Unreadable(format!("{id:?} is no id of a message"))
        }
        reading => reading,
    }
}

/// Reads the answer to the question whose key this is.
pub fn known(answer: &Answer) -> Reading {
    match read(&envelope("email"), answer) {
        Reading::Sent { .. } => Reading::sent(None, None),
        reading => reading,
    }
}

/// Reads where a file is that was uploaded, in at most so many characters.
pub fn upload(answer: &Answer, room: usize) -> Result<String, Reading> {
    let mut reading = read(&envelope("url"), answer);
    if matches!(reading, Reading::Unreadable(_)) {
        // That is what older servers call it.
        reading = read(&envelope("uri"), answer);
    }
    let Reading::Sent { id: Some(url), .. } = reading else { return Err(reading) };
    let is_one = url.starts_with('/') || url.starts_with("https://") || url.starts_with("http://");
    let is_whole = !url.contains(|c: char| c.is_whitespace() || c.is_control());
    match is_one && is_whole && url.chars().count() <= room {
        true => Ok(url),
        false => Err(Reading::Unreadable(format!("{url:?} is no URL of a file"))),
    }
}

fn read(envelope: &Envelope, answer: &Answer) -> Reading {
    match envelope.read(answer) {
        // Others have a code and words, too.
        Reading::Refused { .. } if !is_error(answer) => Reading::Unreadable(excerpt(&answer.body)),
        // What a server that failed has done is unknown, whatever it calls that.
        Reading::Refused { code, text, wait } if answer.status >= 500 && !is_known(&code) => {
            let text = format!("{text}; {code}");
            Reading::Refused { code: answer.status.to_string(), text, wait }
        }
        Reading::Unreadable(why) => codeless(answer).unwrap_or(Reading::Unreadable(why)),
        reading => reading,
    }
}

fn is_error(answer: &Answer) -> bool {
    let body = text(answer).unwrap_or_default();
    members(body, ["result"]).is_ok_and(|[result]| result == Some("\"error\""))
}

fn is_known(code: &str) -> bool {
    TABLE.iter().any(|row| matches!(row.code, Code::Is(own) if own == code))
}

/// An error that has no code: its status stands for it.
fn codeless(answer: &Answer) -> Option<Reading> {
    let body = text(answer).ok().filter(|_| (400..600).contains(&answer.status))?;
    let names = ["result", "msg", "code", "id", "error", "errors", "exception"];
    let [result, msg, code, id, error, errors, exception] = members(body, names).ok()?;
    let words = parsed::<String>(msg.filter(|msg| msg.starts_with('"'))).ok()??;
    let others = [code, id, error, errors, exception];
    let is_own = result == Some("\"error\"") && others.iter().all(Option::is_none);
    is_own.then(|| Reading::refused(answer.status.to_string(), words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_of(reading: Reading) -> String {
        match reading {
            Reading::Sent { id, .. } => format!("sent {}", id.unwrap_or_default()),
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
    fn an_answer_is_zulip_s_in_its_own_shape_only() {
        for (status, body, is) in [
            (200, r#"{"result":"success","msg":"","id":42}"#, "sent 42"),
            (200, r#"{"result":"success","msg":"","id":"a"}"#, "unreadable"),
            (200, r#"{"result":"success","msg":""}"#, "unreadable"),
            (200, r#"{"result":"success","id":42}"#, "unreadable"),
            (502, r#"{"result":"success","msg":"","id":42}"#, "contradiction"),
            (400, r#"{"result":"error","msg":"no","code":"BAD_REQUEST"}"#, {
                "refused BAD_REQUEST no 0"
            }),
            (400, r#"{"result":"error","msg":"no","code":"NEW_ONE"}"#, "refused NEW_ONE no 0"),
            (500, r#"{"result":"error","msg":"no","code":"NEW_ONE"}"#, "refused 500 no; NEW_ONE 0"),
            (500, r#"{"result":"error","msg":"no"}"#, "refused 500 no 0"),
            (401, r#"{"result":"error","msg":"no"}"#, "refused 401 no 0"),
            (200, r#"{"result":"error","msg":"no"}"#, "unreadable"),
            (400, r#"{"result":"error","msg":"no","code":"Bad Gateway"}"#, "unreadable"),
            (502, r#"{"result":"error","message":"gateway timeout"}"#, "unreadable"),
            (400, r#"{"code":"BAD_REQUEST","msg":"no"}"#, "unreadable"),
            (400, r#"{"result":"error","code":10001,"msg":"no"}"#, "unreadable"),
            (
                429,
                r#"{"result":"error","msg":"slow","code":"RATE_LIMIT_HIT","retry-after":28.7}"#,
                { "refused RATE_LIMIT_HIT slow 28700" },
            ),
        ] {
            assert_eq!(told_of(message(&answer(status, body))), is, "{status} {body}");
        }
    }

    #[test]
    fn a_file_is_where_either_name_says() {
        for (body, is) in [
            (
                r#"{"result":"success","msg":"","url":"/u/1/a.png","uri":"/u/1/a.png"}"#,
                "/u/1/a.png",
            ),
            (r#"{"result":"success","msg":"","uri":"/u/1/a.png"}"#, "/u/1/a.png"),
            (r#"{"result":"success","msg":"","url":"a.png"}"#, "unreadable"),
            (r#"{"result":"success","msg":"","url":"/a\nb"}"#, "unreadable"),
            (r#"{"result":"success","msg":"","url":"/u/1/longer-than-that.png"}"#, "unreadable"),
            (r#"{"result":"success","msg":""}"#, "unreadable"),
        ] {
            let told = upload(&answer(200, body), 20).unwrap_or_else(told_of);
            assert_eq!(told, is, "{body}");
        }
    }
}
