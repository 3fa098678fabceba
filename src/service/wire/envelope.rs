//! The plain envelope of an answer in JSON, for services that have no more to say than this.

use std::time::Duration;

use super::json::{members, parsed};
use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};

/// What an answer is known by. Whatever has not this shape is not the service's.
pub struct Envelope {
    /// The member that tells success, and the values that it may have there, as JSON.
    pub ok: (&'static str, &'static [&'static str]),
    /// The member that has the code of a refusal, a number or text; it may be the same.
    pub code: &'static str,
    /// True for a code of the service's own form.
    pub own: fn(&str) -> bool,
    /// The member that has the words; every answer has it, as text.
    pub text: &'static str,
    /// The member that has the id of a message, where the service gives one.
    pub id: Option<&'static str>,
    /// The member that has the seconds to wait, where a refusal may tell them.
    pub wait: Option<&'static str>,
}

/// Members by which others speak of an error: no success has one.
const FOREIGN: [&str; 3] = ["error", "errors", "exception"];

impl Envelope {
    /// Reads an answer.
    pub fn read(&self, answer: &Answer) -> Reading {
        let body = match text(answer) {
            Ok(body) => body,
            Err(why) => return Reading::Unreadable(why),
        };
        match self.reading(answer, body) {
            Ok(Some(reading)) => reading,
            Err(e) if is_success(answer.status) => {
                Reading::Unreadable(format!("the answer is not the service's JSON: {e}"))
            }
            Ok(None) | Err(_) => Reading::Unreadable(excerpt(&answer.body)),
        }
    }

    fn reading(&self, answer: &Answer, body: &str) -> Result<Option<Reading>, String> {
        let (id, wait) = (self.id.unwrap_or(self.text), self.wait.unwrap_or(self.text));
        // A name that stands here twice is found at its first place.
        let names = [self.ok.0, self.code, self.text, id, wait, FOREIGN[0], FOREIGN[1], FOREIGN[2]];
        let found = members(body, names)?;
        let member = |name: &str| names.iter().position(|own| *own == name).and_then(|n| found[n]);
        let foreign = |name: &&str| *name != self.code && member(name).is_some();
        let words = member(self.text).filter(|words| words.starts_with('"'));
        let Some(words) = parsed::<String>(words)? else { return Ok(None) };
        if FOREIGN.iter().any(foreign) {
            return Ok(None);
        }
        let code = member(self.code).map(|code| code.trim_matches('"'));
        if !member(self.ok.0).is_some_and(|value| self.ok.1.contains(&value)) {
            let is_own = |code: &&str| (self.own)(code) && !self.is_success_in_other_words(code);
            let Some(code) = code.filter(is_own) else { return Ok(None) };
            let wait = self.wait.and_then(member).and_then(seconds);
            return Ok(Some(Reading::Refused { code: code.to_owned(), text: words, wait }));
        }
        if self.code != self.ok.0 && code.is_some() {
            let words = format!("the service answered with success and yet with an error: {words}");
            return Ok(Some(Reading::Contradiction(words)));
        }
        let id = match self.id.map(member) {
            None => None,
            Some(Some(id)) if id.starts_with('"') => parsed::<String>(Some(id))?,
            Some(Some(id)) if id.bytes().all(|b| b.is_ascii_digit()) => Some(id.to_owned()),
            Some(_) => return Ok(None),
        };
        Ok(Some(match is_success(answer.status) {
            true => Reading::sent(id, None),
            false => Reading::Contradiction(format!(
                "the service answered with success, but with HTTP status {}",
                answer.status
            )),
        }))
    }

    /// True for the code of a success as text instead of a number, or the other way round, where the service
    /// is not known to write it so: that is no refusal, and no success.
    fn is_success_in_other_words(&self, code: &str) -> bool {
        self.code == self.ok.0 && self.ok.1.iter().any(|ok| ok.trim_matches('"') == code)
    }
}

/// A time to wait, of which a part of a second may be told.
fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.trim_matches('"').parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROBOT: Envelope = Envelope {
        ok: ("errcode", &["0"]),
        code: "errcode",
        own: |code| code == "-1" || code.len() == 6,
        text: "errmsg",
        id: None,
        wait: Some("wait"),
    };
    const FLAG: Envelope = Envelope {
        ok: ("ok", &["true"]),
        code: "error",
        own: |code| code.contains('_'),
        text: "note",
        id: Some("id"),
        wait: None,
    };

    fn read(envelope: &Envelope, status: u16, body: &str) -> String {
        let body = body.as_bytes().to_vec();
        let answer = Answer { status, body, ..Answer::default() };
        match envelope.read(&answer) {
            Reading::Sent { id, .. } => format!("sent {}", id.unwrap_or_default()),
            Reading::Refused { code, text, wait } => {
                format!("refused {code} {text} {}", wait.unwrap_or_default().as_millis())
            }
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    #[test]
    fn an_answer_is_the_service_s_in_its_own_shape_only() {
        for (status, body, is) in [
            (200, r#"{"errcode":0,"errmsg":"ok"}"#, "sent "),
            (500, r#"{"errcode":0,"errmsg":"ok"}"#, "contradiction"),
            (200, r#"{"errcode":-1,"errmsg":"busy","wait":1.5}"#, "refused -1 busy 1500"),
            (502, r#"{"errcode":"310000","errmsg":"no"}"#, "refused 310000 no 0"),
            (200, r#"{"errcode":502,"errmsg":"no"}"#, "unreadable"),
            (200, r#"{"errcode":0}"#, "unreadable"),
            (200, r#"{"errcode":"0","errmsg":"ok"}"#, "unreadable"),
            (200, r#"{"errcode":0.0,"errmsg":"ok"}"#, "unreadable"),
            (200, r#"{"errcode":0,"errmsg":null}"#, "unreadable"),
            (200, r#"{"errcode":0,"errmsg":{}}"#, "unreadable"),
            (200, r#"{"errcode":0,"errmsg":"ok","error":"no"}"#, "unreadable"),
            (200, r#"{"errcode":0,"errcode":0,"errmsg":"ok"}"#, "unreadable"),
            (200, r#"{"errcode":0,"errmsg":"ok"}}"#, "unreadable"),
            (206, r#"{"errcode":0,"errmsg":"ok"}"#, "unreadable"),
        ] {
            assert_eq!(read(&ROBOT, status, body), is, "{status} {body}");
        }
        // Whatever codes are the service's own, that of its success in other words is no refusal.
        let any = Envelope { own: |_| true, ..ROBOT };
        assert_eq!(read(&any, 200, r#"{"errcode":"0","errmsg":"ok"}"#), "unreadable");
        assert_eq!(read(&any, 200, r#"{"errcode":"1","errmsg":"no"}"#), "refused 1 no 0");
        for (status, body, is) in [
            (200, r#"{"ok":true,"note":"","id":"a1"}"#, "sent a1"),
            (200, r#"{"ok":true,"note":"","id":9007199254740993}"#, "sent 9007199254740993"),
            (200, r#"{"ok":true,"note":"","id":1.5}"#, "unreadable"),
            (200, r#"{"ok":true,"note":""}"#, "unreadable"),
            (200, r#"{"ok":true,"note":"","id":"a","error":"no_way"}"#, "contradiction"),
            (200, r#"{"ok":false,"note":"","error":"no_way"}"#, "refused no_way  0"),
            (200, r#"{"ok":false,"note":"","error":"Bad Gateway"}"#, "unreadable"),
            (200, r#"{"ok":1,"note":"","id":"a"}"#, "unreadable"),
        ] {
            assert_eq!(read(&FLAG, status, body), is, "{status} {body}");
        }
    }
}
