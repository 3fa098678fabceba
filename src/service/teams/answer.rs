//! What a workflow answers: nothing where it was triggered, or an error of Azure's.

use crate::model::receipt::Note;
use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text, trimmed};
use crate::service::wire::json::{members, parsed};

/// How the codes of workflows and of their triggers begin; others are of whatever stands in front.
const OWN: [&str; 3] = ["DirectApi", "Trigger", "Workflow"];
/// What the retired connectors wrote into a success, behind which stands what went wrong.
const INNER: &str = "returned HTTP error";

/// Reads an answer.
pub fn read(answer: &Answer) -> Reading {
    let is_success = is_success(answer.status);
    let is_blank = answer.body.iter().all(|byte| b" \t\r\n".contains(byte));
    if is_success && is_blank && answer.cut.is_none() {
        let message =
            "the workflow was triggered; whether it posted the card only its run history tells";
        let note = Note { name: "accepted_only".into(), message: message.to_owned() };
        return Reading::Sent { id: None, time: None, notes: vec![note] };
    }
    let body = match text(answer) {
        Ok(body) => body,
        Err(why) => return Reading::Unreadable(why),
    };
    match (is_success, trimmed(body)) {
        (true, "1") => Reading::sent(None, None),
        (true, body) if body.contains(INNER) => Reading::refused("200", body),
        (true, _) => Reading::Unreadable(format!(
            "the workflow answered with words of its own, which cannot be judged: {}",
            excerpt(&answer.body)
        )),
        (false, body) => {
            refusal(answer, body).unwrap_or_else(|| Reading::Unreadable(excerpt(&answer.body)))
        }
    }
}

/// An error of a workflow: `{"error": {"code", "message"}}` with a code of its own.
fn refusal(answer: &Answer, body: &str) -> Option<Reading> {
    if answer.status < 400 {
        return None;
    }
    let [error] = members(body, ["error"]).ok()?;
    let error = error.filter(|error| error.starts_with('{'))?;
    let [code, message] = members(error, ["code", "message"]).ok()?;
    let of = |json: Option<&str>| {
        parsed::<String>(json.filter(|json| json.starts_with('"'))).ok().flatten()
    };
    let (code, message) = (of(code)?, of(message)?);
    let is_own = OWN.iter().any(|own| code.starts_with(own))
        && code.bytes().all(|b| b.is_ascii_alphanumeric());
    is_own.then(|| Reading::refused(answer.status.to_string(), format!("{code}: {message}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_says_nothing_where_it_was_triggered() {
        let no = |code: &str| format!(r#"{{"error":{{"code":"{code}","message":"no"}}}}"#);
        let connector = "Webhook message delivery failed with error: Microsoft Teams endpoint \
                         returned HTTP error 429 with ContextId x";
        for (status, body, is) in [
            (202, String::new(), "accepted_only"),
            (200, String::new(), "accepted_only"),
            (202, " \r\n".to_owned(), "accepted_only"),
            (206, String::new(), "unreadable"),
            (302, String::new(), "unreadable"),
            (400, String::new(), "unreadable"),
            (200, "1".to_owned(), "sent"),
            (200, "\u{c}".to_owned(), "unreadable"),
            (200, "ok".to_owned(), "unreadable"),
            (200, "{}".to_owned(), "unreadable"),
            (200, connector.to_owned(), "refused 200"),
            (202, connector.to_owned(), "refused 200"),
            (400, no("TriggerInputSchemaMismatch"), "refused 400"),
            (401, no("DirectApiAuthorizationRequired"), "refused 401"),
            (404, no("WorkflowNotFound"), "refused 404"),
            (200, no("WorkflowNotFound"), "unreadable"),
            (302, no("WorkflowNotFound"), "unreadable"),
            (404, no("ResourceNotFound"), "unreadable"),
            (503, no("ServiceUnavailable"), "unreadable"),
            (400, no("Trigger of another"), "unreadable"),
            (400, r#"{"error":"TriggerInputSchemaMismatch"}"#.to_owned(), "unreadable"),
            (400, r#"{"code":"TriggerX","message":"no"}"#.to_owned(), "unreadable"),
        ] {
            let answer = Answer { status, body: body.clone().into_bytes(), ..Answer::default() };
            let told = match read(&answer) {
                Reading::Sent { notes, .. } => {
                    notes.first().map_or("sent".to_owned(), |note| note.name.to_string())
                }
                Reading::Refused { code, .. } => format!("refused {code}"),
                _ => "unreadable".to_owned(),
            };
            assert_eq!(told, is, "{status} {body}");
        }
    }
}
