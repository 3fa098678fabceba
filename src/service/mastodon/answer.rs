//! What Mastodon answers: the object that was made, or `{"error": "…"}`, in which no code stands.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::service::api::{Answer, Reading};
use crate::service::judge::{excerpt, is_success, text};
use crate::service::wire::json::{members, parsed};

/// How long a file that is being processed is left alone.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_secs(5);
/// How the errors of a server begin: what anybody might say is nobody's.
const OWN: [&str; 13] = [
    "The access token ",
    "This method requires an authenticated user",
    "This API requires an authenticated user",
    "Your login is ",
    "This action is ",
    "Record not found",
    "Validation failed: ",
    "Too many requests",
    "Remote data could not be fetched",
    "Remote SSL certificate could not be verified",
    "There was a temporary problem serving your request",
    "Error processing thumbnail for uploaded media",
    "Cannot attach ",
];

/// A file that was uploaded.
#[derive(Debug, PartialEq)]
pub struct Media {
    /// Its id.
    pub id: String,
    /// False while it is being processed.
    pub ready: bool,
}

/// Who is mentioned in a post.
#[derive(Deserialize)]
struct Mention {
    #[serde(default)]
    username: String,
    acct: String,
}

/// Reads the answer to a post to somebody; `others` are mentioned in it, too, or not.
pub fn post(answer: &Answer, to: &str, others: bool) -> Reading {
    const NAMES: [&str; 6] =
        ["id", "created_at", "visibility", "mentions", "scheduled_at", "params"];
    let (body, [id, made, visibility, mentions, scheduled, params], fault) =
        match object(answer, NAMES) {
            Ok(found) => found,
            Err(reading) => return reading,
        };
    let unreadable = || Reading::Unreadable(excerpt(&answer.body));
    let is_text = |json: Option<&str>| json.is_some_and(|json| json.starts_with('"'));
    let Some(id) = id_of(id) else { return refusal(answer, body).unwrap_or_else(unreadable) };
    let is_post = is_text(made) && is_text(visibility) && mentions.is_some();
    let is_planned = is_text(scheduled) && params.is_some_and(|params| params.starts_with('{'));
    if is_post == is_planned {
        return unreadable();
    }
    if let Some(fault) = fault {
        let words = format!("the answer is a post, and yet has an error: {fault}");
        return Reading::Contradiction(words);
    }
    if !is_success(answer.status) {
        let words = format!("the answer is a post, but has HTTP status {}", answer.status);
        return Reading::Contradiction(words);
    }
    if is_planned {
        return Reading::accepted(Some(id), "the server");
    }
    let Ok(Some(mentions)) = parsed::<Vec<Mention>>(mentions) else { return unreadable() };
    match mentions.iter().any(|mention| is_of(mention, to, others)) {
        true => Reading::sent(Some(id), None),
        false => Reading::refused("unmentioned", format!("post {id} mentions {}", all(&mentions))),
    }
}

/// True if the mention is of the recipient. A server that knows him by another host says that one; only where
/// nobody else can be meant, the name tells.
fn is_of(mention: &Mention, to: &str, others: bool) -> bool {
    let name = to.split('@').next().unwrap_or_default();
    let own = mention.username.as_str();
    let same_name = own.eq_ignore_ascii_case(name) || mention.acct.eq_ignore_ascii_case(name);
    let is_local = !mention.acct.contains('@');
    mention.acct.eq_ignore_ascii_case(to) || same_name && (is_local || !others)
}

fn all(mentions: &[Mention]) -> String {
    match mentions {
        [] => "nobody".to_owned(),
        some => some.iter().map(|one| &*one.acct).collect::<Vec<_>>().join(", "),
    }
}

/// Reads the answer to a file.
pub fn uploaded(answer: &Answer) -> Result<Media, Reading> {
    let (body, [id, kind, url], fault) = object(answer, ["id", "type", "url"])?;
    let is_media = kind.is_some_and(|kind| kind.starts_with('"')) && fault.is_none();
    let found = id_of(id).filter(|_| is_media && is_success(answer.status));
    let Some(id) = found else {
        let unreadable = || Reading::Unreadable(excerpt(&answer.body));
        return Err(refusal(answer, body).unwrap_or_else(unreadable));
    };
    let ready = answer.status != 202 && url.is_some_and(|url| url.len() > 2);
    Ok(Media { id, ready })
}

/// Reads the answer to the question whether a file is ready.
pub fn looked_after(answer: &Answer) -> Result<Media, Reading> {
    if answer.status == 206 && answer.cut.is_none() {
        return Err(later(String::new()));
    }
    match uploaded(answer)? {
        media if media.ready => Ok(media),
        media => Err(later(media.id)),
    }
}

/// A file is not ready: to be asked again after a while.
fn later(text: String) -> Reading {
    Reading::Refused { code: "processing".to_owned(), text, wait: Some(LOOK_AGAIN) }
}

/// Reads the answer to the question whose token this is: the app that it was made for.
pub fn known(answer: &Answer) -> Reading {
    let (body, [name], fault) = match object(answer, ["name"]) {
        Ok(found) => found,
        Err(reading) => return reading,
    };
    let is_app = name.is_some_and(|name| name.starts_with('"')) && fault.is_none();
    match is_app && is_success(answer.status) {
        true => Reading::sent(None, None),
        false => {
            refusal(answer, body).unwrap_or_else(|| Reading::Unreadable(excerpt(&answer.body)))
        }
    }
}

/// What of an object is looked at, and what in it speaks of an error.
type Object<'a, const N: usize> = (&'a str, [Option<&'a str>; N], Option<&'a str>);

fn object<'a, const N: usize>(
    answer: &'a Answer,
    names: [&str; N],
) -> Result<Object<'a, N>, Reading> {
    let body = text(answer).map_err(Reading::Unreadable)?;
    let found = members(body, names)
        .and_then(|found| Ok((found, members(body, ["error", "error_description", "errors"])?)));
    match found {
        Ok((found, faults)) => Ok((body, found, faults.into_iter().flatten().next())),
        Err(e) if is_success(answer.status) => {
            Err(Reading::Unreadable(format!("the answer is not Mastodon's JSON: {e}")))
        }
        Err(_) => Err(Reading::Unreadable(excerpt(&answer.body))),
    }
}

/// An id: text of letters and digits, whichever server made it.
fn id_of(id: Option<&str>) -> Option<String> {
    let id = parsed::<String>(id.filter(|id| id.starts_with('"'))).ok()??;
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_id.then_some(id)
}

/// A refusal in the server's own words, by its status.
fn refusal(answer: &Answer, body: &str) -> Option<Reading> {
    let all = parsed::<Map<String, Value>>(Some(body)).ok()??;
    let words = all.get("error")?.as_str()?;
    let is_alone = all.keys().all(|name| ["error", "error_description"].contains(&name.as_str()));
    let is_own = is_alone && OWN.iter().any(|own| words.starts_with(own));
    if !is_own || answer.status < 400 {
        return None;
    }
    Some(match answer.status == 422 && words.contains("not finished processing") {
        true => later(words.to_owned()),
        false => Reading::refused(answer.status.to_string(), words),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_of(reading: Reading) -> String {
        match reading {
            Reading::Sent { id, notes, .. } => {
                let note = notes.first().map(|note| &*note.name).unwrap_or_default();
                format!("sent {} {note}", id.unwrap_or_default())
            }
            Reading::Refused { code, text, wait } => {
                format!("refused {code} {text} {}", wait.unwrap_or_default().as_secs())
            }
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() }
    }

    fn made(mentions: &str) -> String {
        format!(
            r#"{{"id":"103","created_at":"2026-01-01T00:00:00.000Z","visibility":"direct","mentions":[{mentions}]}}"#
        )
    }

    #[test]
    fn an_answer_is_mastodon_s_in_its_own_shape_only() {
        let anna = r#"{"id":"1","username":"anna","acct":"anna@far.example"}"#;
        let sent = made(anna);
        let with = |more: &str| sent.replace("{\"id\":\"103\"", &format!("{{\"id\":\"103\"{more}"));
        let planned = r#"{"id":"7","scheduled_at":"2026-01-01T00:00:00Z","params":{"text":"x"}}"#;
        for (status, body, is) in [
            (200, sent.clone(), "sent 103 "),
            (200, with(",\"error\":\"no\""), "contradiction"),
            (500, sent.clone(), "contradiction"),
            (206, sent.clone(), "unreadable"),
            (200, sent.replace("\"103\"", "103"), "unreadable"),
            (200, sent.replace("visibility", "sight"), "unreadable"),
            (200, sent.replace("[{", "{").replace("}]", "}"), "unreadable"),
            (200, made(""), "refused unmentioned post 103 mentions nobody 0"),
            (200, planned.to_owned(), "sent 7 accepted_only"),
            (200, r#"{"id":"7","scheduled_at":"x"}"#.to_owned(), "unreadable"),
            (401, r#"{"error":"The access token is invalid"}"#.to_owned(), {
                "refused 401 The access token is invalid 0"
            }),
            (422, r#"{"error":"Validation failed: Text can't be blank"}"#.to_owned(), {
                "refused 422 Validation failed: Text can't be blank 0"
            }),
            (200, r#"{"error":"Too many requests"}"#.to_owned(), "unreadable"),
            (429, r#"{"error":"Rate limit exceeded"}"#.to_owned(), "unreadable"),
            (404, r#"{"error":"Record not found","path":"/x"}"#.to_owned(), "unreadable"),
        ] {
            let told = told_of(post(&answer(status, &body), "anna@far.example", false));
            assert_eq!(told, is, "{status} {body}");
        }
    }

    #[test]
    fn a_post_is_sent_if_it_mentions_its_recipient() {
        let of = |username: &str, acct: &str| {
            made(&format!(r#"{{"id":"1","username":"{username}","acct":"{acct}"}}"#))
        };
        for (acct, to, others, is_sent) in [
            ("anna@far.example", "Anna@Far.example", true, true),
            ("anna", "anna", true, true),
            ("anna", "anna@social.example", true, true),
            ("anna@far.example", "anna@www.far.example", false, true),
            ("anna@far.example", "anna@www.far.example", true, false),
            ("bob@far.example", "anna@far.example", false, false),
        ] {
            let body = of(acct.split('@').next().unwrap_or_default(), acct);
            let reading = post(&answer(200, &body), to, others);
            assert_eq!(matches!(reading, Reading::Sent { .. }), is_sent, "{acct} {to}");
        }
    }

    #[test]
    fn a_file_is_ready_once_it_lies_somewhere() {
        let media = |url: &str| format!(r#"{{"id":"22","type":"image","url":{url}}}"#);
        let ready = |ready| Ok(Media { id: "22".to_owned(), ready });
        let up = |status, body: &str| uploaded(&answer(status, body)).map_err(told_of);
        assert_eq!(up(200, &media("\"https://f.example/1.png\"")), ready(true));
        assert_eq!(up(200, &media("null")), ready(false));
        assert_eq!(up(202, &media("null")), ready(false));
        for (status, body) in [
            (200, "{}"),
            (200, r#"{"id":22,"type":"image","url":"x"}"#),
            (200, r#"{"id":"","type":"image","url":"x"}"#),
            (200, r#"{"id":"../1","type":"image","url":"x"}"#),
            (500, r#"{"id":"22","type":"image","url":"x"}"#),
        ] {
            assert_eq!(up(status, body), Err("unreadable".to_owned()), "{status} {body}");
        }
        let error = r#"{"error":"Validation failed: File is invalid"}"#;
        let refused = Err("refused 422 Validation failed: File is invalid 0".to_owned());
        assert_eq!(up(422, error), refused);
        let look = |status, body: &str| looked_after(&answer(status, body)).map_err(told_of);
        assert_eq!(look(200, &media("\"https://f.example/1.png\"")), ready(true));
        assert_eq!(look(206, ""), Err("refused processing  5".to_owned()));
        assert_eq!(look(206, &media("null")), Err("refused processing  5".to_owned()));
        assert_eq!(look(200, &media("null")), Err("refused processing 22 5".to_owned()));
        assert_eq!(look(422, error), refused);
    }
}
