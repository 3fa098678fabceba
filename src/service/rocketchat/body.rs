//! The body of a message to Rocket.Chat.

use serde_json::{Map, Value};

use crate::model::error::{Result, wrong};
use crate::model::message::{Kind, Message, Overflow};
use crate::service::api::Draft;
use crate::service::extra;
use crate::service::info::Info;
use crate::service::text::{Markup, Rules, Title, Unit, compose, drafts};
use crate::service::wire::json::Members as _;

/// Where a text is cut or split, in units of UTF-16: what servers take that nobody set otherwise.
const USUAL: usize = 5000;

/// The parameters of the document that no field of a message sets.
pub const EXTRA: [&str; 5] = ["alias", "emoji", "avatar", "attachments", "parseUrls"];
/// Those that each piece of a text has.
const OF_ALL: [&str; 4] = ["alias", "emoji", "avatar", "parseUrls"];

/// Refuses the parameter that only messages of users have.
pub fn of_hook(message: &Message) -> Result<()> {
    let given = message.extra.as_ref().and_then(|extra| extra.get("parseUrls"));
    match given.is_some_and(|value| !value.is_null()) {
        true => wrong("extra.parseUrls", "messages of a webhook have no \"parseUrls\""),
        false => Ok(()),
    }
}

/// Whom a message is to, as Rocket.Chat writes it; a webhook's may be to nobody in particular.
fn address(message: &Message) -> Result<Option<String>> {
    if let Some(channel) = message.to.one(Kind::Channel) {
        let name = channel.strip_prefix('#').unwrap_or(channel);
        if name.is_empty() || name.starts_with(['#', '@']) {
            let words = format!(
                "{channel:?} is no channel: give its name or its id; a user goes into \"user\""
            );
            return wrong("to.channel", words);
        }
        return Ok(Some(format!("#{name}")));
    }
    let Some(user) = message.to.one(Kind::User) else { return Ok(None) };
    let name = user.strip_prefix('@').unwrap_or(user);
    match name.is_empty() || name.starts_with(['#', '@']) {
        true => wrong("to.user", format!("{user:?} is no user name")),
        false => Ok(Some(format!("@{name}"))),
    }
}

/// The draft of a message.
pub fn encode(message: &Message, info: &Info) -> Result<Draft> {
    let mut common = Map::new();
    if let Some(address) = address(message)? {
        common.put("channel", address);
    }
    if let Some(thread) = &message.thread {
        common.put("tmid", thread.as_str());
    }
    // What is too long for one is for the server to say, which is set to some length.
    let most = match message.overflow {
        Overflow::Refuse => usize::MAX,
        _ => USUAL,
    };
    let markup = Markup::RocketChat;
    let rules = Rules { unit: Unit::Utf16, most, markup, title: Title::FirstLine };
    let pieces = compose(message, &rules)?;
    let mut more = Map::new();
    extra::merge(&mut more, message, info)?;
    let has_cards =
        more.get("attachments").and_then(Value::as_array).is_some_and(|c| !c.is_empty());
    drafts(pieces, |n, piece| {
        let mut body = common.clone();
        let is_blank = piece.text.trim().is_empty();
        // Rocket.Chat says that all is well, and posts nothing.
        if is_blank && !(has_cards && n == 0) {
            return wrong("text", "the message is empty: give \"text\" or \"parts\"");
        }
        if !is_blank {
            body.put("text", piece.text.as_str());
        }
        let is_here = |name: &str| n == 0 || OF_ALL.contains(&name);
        let own = more.iter().filter(|(name, _)| is_here(name));
        body.extend(own.map(|(name, value)| (name.clone(), value.clone())));
        Ok(Draft::json(&body))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::config::AccountConfig;
    use crate::service::api::Seed;
    use crate::service::open;

    fn encoded(auth: &str, fields: &Value) -> Result<Draft> {
        let base = "https://chat.example";
        let config = match auth {
            "token" => json!({"service": "rocketchat", "base_url": base,
                "auth": {"type": "token", "user_id": "u", "token": "t"}}),
            _ => json!({"service": "rocketchat",
                "auth": {"type": "webhook", "url": format!("{base}/hooks/i/t")}}),
        };
        let config = AccountConfig::from_value(config, "account").expect("a configuration");
        let (_, opened) = open(config).expect("an account");
        let mut message = json!({"v": 1, "account": "a"});
        let own = fields.as_object().expect("an object").clone();
        message.as_object_mut().expect("an object").extend(own);
        opened.account.encode(&Message::from_json(&message.to_string())?, Seed(7))
    }

    #[test]
    fn what_cannot_be_sent_is_refused_where_it_stands() {
        use crate::model::error::ErrorCode::{Message as Wrong, Unsupported};
        let file = json!({"name": "a", "data_base64": ""});
        let to = json!({"channel": "general"});
        for (auth, fields, code, path) in [
            ("token", json!({"text": "x"}), Wrong, "to.channel"),
            ("token", json!({"text": "x", "to": {"channel": "c", "user": "u"}}), Wrong, "to.user"),
            ("hook", json!({"text": "x", "to": {"channel": "c", "user": "u"}}), Wrong, "to.user"),
            ("hook", json!({"text": "x", "to": {"channel": "@ann"}}), Wrong, "to.channel"),
            ("hook", json!({"text": "x", "to": {"user": "#general"}}), Wrong, "to.user"),
            ("hook", json!({"text": " "}), Wrong, "text"),
            ("hook", json!({"extra": {"attachments": []}}), Wrong, "text"),
            ("hook", json!({"text": "x", "extra": {"parseUrls": true}}), Wrong, "extra.parseUrls"),
            ("token", json!({"text": "x", "to": to, "extra": {"text": "y"}}), Wrong, "extra.text"),
            ("token", json!({"text": "x", "to": {"room": "r"}}), Unsupported, "to.room"),
            ("token", json!({"attachments": [file], "to": to}), Unsupported, "attachments[0]"),
            ("token", json!({"text": "x", "to": to, "silent": true}), Unsupported, "silent"),
        ] {
            let error = encoded(auth, &fields).expect_err(&fields.to_string());
            assert_eq!((error.code(), error.path()), (code, Some(path)), "{fields}: {error}");
        }
    }

    #[test]
    fn a_long_text_is_the_server_s_to_refuse_and_ours_to_split() {
        let to = json!({"channel": "general"});
        let text = "鸿雁 ".repeat(2000);
        let whole = encoded("token", &json!({"to": to, "text": text})).expect("one");
        assert!(whole.pieces.is_empty());
        let extra = json!({"alias": "goose", "attachments": [{"text": "card"}]});
        let fields = json!({"to": to, "text": text, "overflow": "split", "extra": extra});
        let split = encoded("token", &fields).expect("several");
        let [second] = split.pieces.as_slice() else { panic!("{} pieces", split.pieces.len()) };
        let body = |draft: &Draft| serde_json::from_slice::<Value>(&draft.body).expect("JSON");
        let (first, second) = (body(&split), body(second));
        assert_eq!((&first["alias"], &second["alias"]), (&json!("goose"), &json!("goose")));
        assert_eq!(
            (first["attachments"].is_array(), second["attachments"].is_null()),
            (true, true)
        );
        assert_eq!(second["channel"], "#general");
    }
}
