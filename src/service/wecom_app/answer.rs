//! What WeCom's interfaces for apps answer: `{"errcode": 0, "errmsg": "ok", …}`, and beside that whom it could
//! not send to.

use crate::model::message::Kind;
use crate::service::api::{Answer, Reading, Verdict};
use crate::service::judge::text;
use crate::service::robot::busy_in_success;
use crate::service::wecom::without_address;
use crate::service::wire::envelope::Envelope;
use crate::service::wire::json::{members, parsed};

const ENVELOPE: Envelope = Envelope {
    ok: ("errcode", &["0"]),
    code: "errcode",
    own: |code| {
        let is_number = code.bytes().all(|b| b.is_ascii_digit());
        matches!(code, "-1" | "6000") || is_number && matches!(code.len(), 5..=7)
    },
    text: "errmsg",
    id: None,
    wait: None,
};

/// The lists of whom it could not send to, each also a code of the table, and the kind of those in it.
const LISTS: [(&str, Kind); 4] = [
    ("invaliduser", Kind::Users),
    ("invalidparty", Kind::Departments),
    ("invalidtag", Kind::Tags),
    ("unlicenseduser", Kind::Users),
];

/// Everybody whom the app can see.
pub const EVERYBODY: &str = "@all";

/// Reads what all answers have in common.
pub fn envelope(answer: &Answer) -> Reading {
    match busy_in_success(ENVELOPE.read(answer), answer) {
        Reading::Refused { code, text, wait } => {
            Reading::Refused { code, text: without_address(text), wait }
        }
        reading => reading,
    }
}

/// Reads the answer to a message to these; to nobody: into a group.
pub fn sent(answer: &Answer, to: &[(Kind, String)]) -> Reading {
    match envelope(answer) {
        Reading::Sent { .. } if to.is_empty() => Reading::accepted(None, "WeCom"),
        Reading::Sent { .. } => each(answer, to).unwrap_or_else(Reading::Contradiction),
        reading => reading,
    }
}

fn each(answer: &Answer, to: &[(Kind, String)]) -> Result<Reading, String> {
    const NAMES: [&str; 5] =
        ["msgid", "invaliduser", "invalidparty", "invalidtag", "unlicenseduser"];
    let [id, lists @ ..] = members(text(answer)?, NAMES)?;
    let id: Option<String> = parsed(id).map_err(|_| "the answer's msgid is no text".to_owned())?;
    // Of whom there are more behind those that the message names, others may be listed.
    let knows_all = to.iter().all(|(kind, name)| *kind == Kind::Users && name != EVERYBODY);
    let mut refused: Vec<(Kind, String, &str)> = Vec::new();
    for ((name, kind), list) in LISTS.into_iter().zip(lists) {
        let list: Option<String> =
            parsed(list).map_err(|_| format!("the answer's {name} is no text"))?;
        for one in list.as_deref().unwrap_or_default().split('|').filter(|one| !one.is_empty()) {
            // Ids of users come back in small letters.
            let is_own = |(own, to): &&(Kind, String)| *own == kind && to.eq_ignore_ascii_case(one);
            match to.iter().find(is_own) {
                Some((_, own)) => refused.push((kind, own.clone(), name)),
                None if knows_all || kind != Kind::Users => {
                    return Err(format!("the answer's {name} tells of somebody else: {one:?}"));
                }
                None => {}
            }
        }
    }
    let verdict = |to: &(Kind, String)| {
        let list = refused.iter().find(|(kind, name, _)| (*kind, name) == (to.0, &to.1));
        Verdict {
            to: to.clone(),
            reading: match list {
                Some((.., list)) => Reading::refused(*list, ""),
                None => Reading::accepted(id.clone(), "WeCom"),
            },
        }
    };
    Ok(Reading::Each(to.iter().map(verdict).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(body: &str, to: &[(Kind, &str)]) -> String {
        let answer = Answer { status: 200, body: body.into(), ..Answer::default() };
        let to: Vec<_> = to.iter().map(|(kind, name)| (*kind, (*name).to_owned())).collect();
        match sent(&answer, &to) {
            Reading::Each(verdicts) => {
                let one = |verdict: &Verdict| match &verdict.reading {
                    Reading::Sent { id, .. } => {
                        format!("{} {}", verdict.to.1, id.as_deref().unwrap_or("sent"))
                    }
                    reading => format!("{} {}", verdict.to.1, reading.code().unwrap_or("?")),
                };
                verdicts.iter().map(one).collect::<Vec<_>>().join(", ")
            }
            Reading::Sent { .. } => "sent".to_owned(),
            Reading::Refused { code, .. } => code,
            Reading::Contradiction(_) => "contradiction".to_owned(),
            _ => "unreadable".to_owned(),
        }
    }

    #[test]
    fn whoever_is_in_a_list_has_not_got_it() {
        let users = [(Kind::Users, "Anna"), (Kind::Users, "bruno")];
        let all = [users[0], users[1], (Kind::Departments, "2"), (Kind::Tags, "3")];
        let ok = |more: &str| format!(r#"{{"errcode":0,"errmsg":"ok"{more}}}"#);
        for (more, to, meant) in [
            ("", &users[..], "Anna sent, bruno sent"),
            (r#","msgid":"m","invaliduser":"""#, &users, "Anna m, bruno m"),
            (r#","msgid":"m","invaliduser":"anna""#, &users, "Anna invaliduser, bruno m"),
            (r#","msgid":"m","unlicenseduser":"bruno|""#, &users, "Anna m, bruno unlicenseduser"),
            (
                r#","msgid":"m","invaliduser":"anna","invalidparty":"2","invalidtag":"3""#,
                &all,
                "Anna invaliduser, bruno m, 2 invalidparty, 3 invalidtag",
            ),
            (r#","msgid":"m","unlicenseduser":"clara""#, &all, "Anna m, bruno m, 2 m, 3 m"),
            (r#","msgid":"m","unlicenseduser":"x""#, &[(Kind::Users, "@all")], "@all m"),
            (r#","msgid":"m","invaliduser":"clara""#, &users, "contradiction"),
            (r#","msgid":"m","invalidparty":"2""#, &users, "contradiction"),
            (r#","msgid":"m","invaliduser":["anna"]"#, &users, "contradiction"),
            (r#","msgid":7"#, &users, "contradiction"),
            (r#","invaliduser":"anna""#, &[], "sent"),
        ] {
            assert_eq!(is(&ok(more), to), meant, "{more}");
        }
        assert_eq!(is(r#"{"errcode":81013,"errmsg":"no"}"#, &users), "81013");
        assert_eq!(is(r#"{"errcode":502,"errmsg":"no"}"#, &users), "unreadable");
    }
}
