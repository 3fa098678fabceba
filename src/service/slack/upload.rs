//! Files of a bot's message: a place is asked for each, its bytes go there, and one request shares them all.

use bytes::Bytes;
use serde_json::{Map, Value};
use url::Url;

use super::answer;
use crate::model::error::{Error, ErrorCode, Result, wrong};
use crate::model::message::{Kind, Message};
use crate::service::api::{Answer, Body, Draft, HttpRequest, Reading, ScopeKey};
use crate::service::extra;
use crate::service::info::{Info, Scope};
use crate::service::judge::{excerpt, is_success};
use crate::service::text::Piece;
use crate::service::wire::form;
use crate::service::wire::json::{self, Members as _};

/// The most files of a message: each takes two requests of its own.
pub const MAX_FILES: u32 = 10;
/// What of `extra` goes with files.
const TAKES: [&str; 2] = ["blocks", "thread_ts"];
/// A blank that hardly shows: no mark begins before white space.
const HAIR: char = '\u{200a}';

/// What is kept: where the next file goes, its id, the ids of those that are there, one a line, and whether a
/// place was asked for in the stead of one that took nothing.
const PLACE: &str = "place";
const ID: &str = "file";
const FILES: &str = "files";
const ANOTHER: &str = "another";

/// Refuses what cannot go with files.
pub fn check(message: &Message) -> Result<()> {
    let files = message.attachments.len();
    if files > MAX_FILES as usize {
        let words = format!("{files} files; a message to Slack takes {MAX_FILES} here");
        return Err(Error::new(ErrorCode::TooLarge, words).at("attachments"));
    }
    let given = message.extra.iter().flatten().filter(|(_, value)| !value.is_null());
    for (name, _) in given {
        if !TAKES.contains(&name.as_str()) {
            let words = format!("a message with files takes no {name:?}: send it apart");
            return wrong(format!("extra.{name}"), words);
        }
    }
    Ok(())
}

/// The draft of a message with files, of which this is the first text.
pub fn draft(
    message: &Message,
    info: &Info,
    piece: &Piece,
    (kind, to): (Kind, &str),
) -> Result<Draft> {
    let mut body = Map::new();
    let text = match piece.marked {
        true => piece.text.clone(),
        false => unmarked(&piece.text),
    };
    if !text.trim().is_empty() {
        body.put("initial_comment", text);
    }
    if let Some(thread) = &message.thread {
        body.put("thread_ts", thread.as_str());
    }
    extra::merge(&mut body, message, info)?;
    if body.contains_key("blocks") && body.contains_key("initial_comment") {
        let words = "with files Slack takes blocks or a text: leave one of them out";
        return wrong("extra.blocks", words);
    }
    let mut draft = Draft::of(json::body(&body));
    draft.scopes = vec![ScopeKey { scope: Scope::Recipient, key: to.to_owned() }];
    if kind == Kind::Channel {
        draft.keep(super::CHANNEL, to.to_owned());
    }
    for file in &message.attachments {
        draft.rest.push(file.bytes().cloned().unwrap_or_default());
        draft.params.push(("name", file.file_name().to_owned()));
    }
    Ok(draft)
}

/// The text, in which nothing begins that Slack would read as markup: a comment cannot be told to be plain.
fn unmarked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let (mut before, mut first) = (None::<char>, true);
    while let Some(c) = letters.next() {
        let starts = !before.is_some_and(char::is_alphanumeric)
            && letters.peek().is_some_and(|next| !next.is_whitespace());
        // What is written as `&gt;` is a quotation at the beginning of a line.
        let quotes = first && c == '&' && letters.clone().take(3).eq("gt;".chars());
        if quotes {
            out.push('\u{200b}');
        }
        out.push(c);
        if "*_~`".contains(c) && starts {
            out.push(HAIR);
        }
        (before, first) = (Some(c), c == '\n');
    }
    out
}

/// What a draft with files needs next, once its channel is known.
pub enum Step {
    /// A place for the next file.
    Place,
    /// Its bytes go there.
    Bytes,
    /// All are there: they are shared.
    Share,
}

fn uploaded(draft: &Draft) -> impl Iterator<Item = &str> {
    draft.kept(FILES).into_iter().flat_map(str::lines)
}

/// What this draft needs next.
pub fn step(draft: &Draft) -> Step {
    match draft.kept(PLACE) {
        Some(_) => Step::Bytes,
        None if uploaded(draft).count() < draft.rest.len() => Step::Place,
        None => Step::Share,
    }
}

/// The next file: its name, and its bytes.
fn next_file(draft: &Draft) -> (&str, Bytes) {
    let n = uploaded(draft).count();
    let name = draft.params.get(n).map_or("", |(_, name)| name);
    (name, draft.rest.get(n).cloned().unwrap_or_default())
}

/// The request for a place.
pub fn ask(draft: &Draft, url: &Url) -> HttpRequest {
    let (name, bytes) = next_file(draft);
    let params = [("filename", name.to_owned()), ("length", bytes.len().to_string())];
    HttpRequest::post(url.clone(), form::CONTENT_TYPE, form::body(&params))
}

/// The request that carries the bytes, to where Slack said, and what of it is a secret: nobody but the URL
/// tells whose file it is.
pub fn carry(draft: &Draft, fallback: &Url) -> (HttpRequest, Vec<String>) {
    let place = draft.kept(PLACE).unwrap_or_default();
    let url = Url::parse(place).unwrap_or_else(|_| fallback.clone());
    let secret = url.path().rsplit('/').next().unwrap_or_default().to_owned();
    let (_, bytes) = next_file(draft);
    let secrets = [secret, url.query().unwrap_or_default().to_owned()];
    let secrets = secrets.into_iter().filter(|secret| secret.len() > 3).collect();
    (HttpRequest::post(url, "application/octet-stream", bytes), secrets)
}

/// The body of the request that shares the files.
pub fn shared(draft: &Draft) -> Body {
    let named = uploaded(draft).zip(&draft.params);
    let files: Vec<_> =
        named.map(|(id, (_, name))| serde_json::json!({"id": id, "title": name})).collect();
    let channel = draft.kept(super::CHANNEL).unwrap_or_default();
    let head =
        format!("{{\"files\":{},\"channel_id\":{}", Value::from(files), json::quoted(channel));
    let rest = draft.body.slice(1..);
    let comma = if rest.len() > 1 { "," } else { "" };
    Body::Several(vec![Bytes::from(head + comma), rest])
}

/// Reads what a step was answered; `home` is where the methods are.
pub fn read(draft: &mut Draft, answer: &Answer, home: &Url) -> Reading {
    match step(draft) {
        Step::Share => answer::shared(answer),
        Step::Place => match answer::place(answer) {
            Ok((place, id)) if is_slack_s(&place, home) => {
                draft.keep(PLACE, place);
                draft.keep(ID, id);
                Reading::Next
            }
            Ok((place, _)) => {
                let host = Url::parse(&place).ok();
                let host = host.as_ref().and_then(Url::host_str).unwrap_or("nowhere");
                Reading::Unreadable(format!("the file was to go to {host}, which is not Slack's"))
            }
            Err(reading) => reading,
        },
        Step::Bytes if is_success(answer.status) && answer.cut.is_none() => {
            let id = draft.kept(ID).unwrap_or_default();
            let ids: Vec<_> = uploaded(draft).chain([id]).collect();
            let ids = ids.join("\n");
            draft.kept.retain(|(name, _)| name != PLACE && name != ID);
            draft.keep(FILES, ids);
            Reading::Next
        }
        Step::Bytes => {
            // A place may take a file once only: where an earlier try is in doubt, another is asked for.
            draft.kept.retain(|(name, _)| name != PLACE && name != ID);
            if matches!(answer.status, 400..=428) && draft.kept(ANOTHER).is_none() {
                draft.keep(ANOTHER, "asked for".to_owned());
                return Reading::Next;
            }
            Reading::Unreadable(excerpt(&answer.body))
        }
    }
}

/// True for a URL that files may go to: of Slack over https, or of the host that the account names.
fn is_slack_s(place: &str, home: &Url) -> bool {
    let Ok(url) = Url::parse(place) else { return false };
    let is_bare = url.username().is_empty() && url.password().is_none();
    let host = url.host_str().unwrap_or_default();
    let is_own = ["slack.com", "slack-gov.com"].iter().any(|own| {
        host.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    is_bare && (url.scheme() == "https" && is_own || url.origin() == home.origin())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_to_slack_and_to_nobody_else() {
        let home = Url::parse("https://slack.com/api/x").expect("a URL");
        let local = Url::parse("http://127.0.0.1:8080/slack/api/x").expect("a URL");
        for (place, at_slack, at_own) in [
            ("https://files.slack.com/upload/v1/A", true, true),
            ("https://slack.com/upload/v1/A", true, true),
            ("https://files.slack-gov.com/upload/v1/A", true, true),
            ("http://files.slack.com/upload/v1/A", false, false),
            ("https://notslack.com/upload", false, false),
            ("https://slack.com.example/upload", false, false),
            ("https://user:pass@files.slack.com/upload", false, false),
            ("http://127.0.0.1:8080/upload/v1/A", false, true),
            ("http://127.0.0.1:8081/upload/v1/A", false, false),
            ("file:///etc/passwd", false, false),
            ("", false, false),
        ] {
            let told = (is_slack_s(place, &home), is_slack_s(place, &local));
            assert_eq!(told, (at_slack, at_own), "{place}");
        }
    }

    #[test]
    fn the_words_of_a_comment_are_no_markup() {
        for (text, sent) in [
            ("2*3 a_b", "2*3 a_b"),
            ("*bold* ~x~ `y` _z_", "*\u{200a}bold* ~\u{200a}x~ `\u{200a}y` _\u{200a}z_"),
            ("&gt; quoted\n&gt;x a &gt; b", "\u{200b}&gt; quoted\n\u{200b}&gt;x a &gt; b"),
        ] {
            assert_eq!(unmarked(text), sent);
        }
    }
}
