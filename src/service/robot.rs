//! What the robots of chat groups have in common: whom a message mentions, what links it consists of, and
//! a code that they share with others.

use super::api::{Answer, Reading};
use super::judge::{excerpt, is_success};
use super::text::Piece;
pub use super::text::drafts;
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Message, Part};

/// Whom a text calls.
#[derive(Debug, Default, PartialEq)]
pub struct Mentions<'a> {
    /// Everybody.
    pub all: bool,
    /// Members by their ids.
    pub users: Vec<&'a str>,
    /// Members by their telephone numbers.
    pub phones: Vec<&'a str>,
}

impl Mentions<'_> {
    /// Whom a piece of text calls, each once, in their order.
    pub fn of(piece: &Piece) -> Mentions<'_> {
        let mut mentions = Mentions { all: piece.mentions_all, ..Mentions::default() };
        for (user, _) in &piece.mentions {
            let of_kind = match is_phone(user) {
                true => &mut mentions.phones,
                false => &mut mentions.users,
            };
            if !of_kind.contains(&user.as_str()) {
                of_kind.push(user);
            }
        }
        mentions
    }
}

/// Everybody whom a message mentions, as if one piece of text did.
pub fn mentioned(parts: &[Part]) -> Piece {
    let mention = |part: &Part| match part {
        Part::Mention { user, name } => Some((user.clone(), name.clone())),
        _ => None,
    };
    Piece {
        mentions: parts.iter().filter_map(mention).collect(),
        mentions_all: parts.contains(&Part::MentionAll),
        ..Piece::default()
    }
}

/// True if a message says something in words of its own.
pub fn has_words(message: &Message) -> bool {
    message.text.as_deref().is_some_and(|text| !text.is_empty()) || !message.parts.is_empty()
}

/// A message whose mentions read as the ids in them, for services that find them so in a plain text.
pub fn unnamed(message: &Message) -> Message {
    let mut message = message.clone();
    for part in &mut message.parts {
        if let Part::Mention { name, .. } = part {
            *name = None;
        }
    }
    message
}

/// True for a telephone number: one of China's mobile ones, or any with a `+` before it.
pub fn is_phone(user: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match user.strip_prefix('+') {
        Some(number) => digits(&number.replacen('-', "", 1)),
        None => user.len() == 11 && user.starts_with('1') && digits(user),
    }
}

/// A link with its preview.
pub struct Link<'a> {
    pub url: &'a str,
    pub title: Option<&'a str>,
    pub description: Option<&'a str>,
    pub picture: Option<&'a str>,
}

/// The links that a message consists of; none where it has words of its own, which `title` cannot carry
/// both of.
pub fn links<'a>(message: &'a Message, title: &str) -> Result<Vec<Link<'a>>> {
    let link = |part: &'a Part| match part {
        Part::Link { url, title, description, thumbnail, image } => Some(Link {
            url,
            title: title.as_deref(),
            description: description.as_deref(),
            picture: thumbnail.as_deref().or(image.as_deref()),
        }),
        _ => None,
    };
    let links: Vec<_> = message.parts.iter().filter_map(link).collect();
    match message.parts.iter().position(|part| !matches!(part, Part::Link { .. })) {
        Some(i) if !links.is_empty() => {
            let words =
                format!("{title} sends links as cards, beside which nothing else can stand");
            Err(Error::new(ErrorCode::Unsupported, words).at(format!("parts[{i}]")))
        }
        _ => Ok(links),
    }
}

/// A reading whose `-1` counts in a success of HTTP only: there the service says that it is busy, and
/// elsewhere a gateway would say the same.
pub fn busy_in_success(reading: Reading, answer: &Answer) -> Reading {
    match reading {
        Reading::Refused { code, .. } if code == "-1" && !is_success(answer.status) => {
            Reading::Unreadable(excerpt(&answer.body))
        }
        reading => reading,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::config::AccountConfig;
    use crate::service::api::{Draft, Seed};
    use crate::service::open;

    /// A message as the robot of this service gets it.
    fn encoded(service: &str, fields: &serde_json::Value) -> Result<Draft> {
        let url = match service {
            "dingtalk_bot" => "https://oapi.dingtalk.com/robot/send?access_token=t",
            "wecom_bot" => "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k",
            _ => "https://open.feishu.cn/open-apis/bot/v2/hook/t",
        };
        let config = json!({"service": service, "auth": {"type": "webhook", "url": url}});
        let config = AccountConfig::from_value(config, "account").expect("a configuration");
        let (_, opened) = open(config).expect("an account");
        let mut message = json!({"v": 1, "account": "a"});
        let own = fields.as_object().expect("an object").clone();
        message.as_object_mut().expect("an object").extend(own);
        opened.account.encode(&Message::from_json(&message.to_string())?, Seed(7))
    }

    #[test]
    fn what_a_robot_cannot_send_is_refused_where_it_stands() {
        use ErrorCode::{Message as Wrong, TooLarge, Unsupported};
        let link = json!({"type": "link", "url": "https://example.com"});
        let text = json!({"type": "text", "text": "x"});
        let phone = json!({"type": "mention", "user": "13800138000"});
        let all = json!({"type": "mention", "all": true});
        let crowd: Vec<_> =
            (0..51).map(|n| json!({"type": "mention", "user": format!("u{n}")})).collect();
        let long_title = json!({"type": "link", "url": "x", "title": "中".repeat(43)});
        let card = json!({"card": {"elements": []}});
        for (service, fields, code, path) in [
            ("dingtalk_bot", json!({}), Wrong, "text"),
            ("dingtalk_bot", json!({"extra": {"msgtype": "dance"}}), Wrong, "extra.msgtype"),
            ("dingtalk_bot", json!({"text": "x", "extra": {"msgtype": "feedCard"}}), Wrong, "text"),
            (
                "dingtalk_bot",
                json!({"text": "x", "extra": {"text": {"content": "y"}}}),
                Wrong,
                "extra.text.content",
            ),
            ("dingtalk_bot", json!({"text": "x", "extra": {"msgUuid": 7}}), Wrong, "extra.msgUuid"),
            ("dingtalk_bot", json!({"text": "x", "to": {"user": "u"}}), Unsupported, "to.user"),
            ("dingtalk_bot", json!({"parts": [link, text]}), Unsupported, "parts[1]"),
            ("dingtalk_bot", json!({"parts": crowd}), Wrong, "parts"),
            ("dingtalk_bot", json!({"text": "x".repeat(20_000)}), TooLarge, "text"),
            ("dingtalk_bot", json!({"text": "x", "reply_to": "1"}), Unsupported, "reply_to"),
            ("wecom_bot", json!({}), Wrong, "text"),
            ("wecom_bot", json!({"text": "\u{1}"}), Wrong, "text"),
            ("wecom_bot", json!({"text": "中".repeat(683)}), TooLarge, "text"),
            ("wecom_bot", json!({"text": "x", "extra": {"msgtype": "news"}}), Unsupported, "text"),
            (
                "wecom_bot",
                json!({"format": "markdown", "parts": [text, phone]}),
                Unsupported,
                "parts[1]",
            ),
            ("wecom_bot", json!({"format": "markdown", "parts": [all]}), Unsupported, "parts[0]"),
            ("wecom_bot", json!({"parts": vec![link.clone(); 9]}), Wrong, "parts"),
            ("wecom_bot", json!({"parts": [long_title]}), TooLarge, "parts[0].title"),
            (
                "wecom_bot",
                json!({"attachments": [{"name": "a.pdf", "data_base64": "AAAA"}]}),
                Unsupported,
                "attachments[0]",
            ),
            ("feishu_bot", json!({}), Wrong, "text"),
            ("feishu_bot", json!({"extra": {"content": {}}}), Wrong, "extra.msg_type"),
            ("feishu_bot", json!({"text": "x", "extra": card}), Wrong, "extra.card"),
            ("feishu_bot", json!({"parts": [text, phone]}), Unsupported, "parts[1].user"),
            ("feishu_bot", json!({"text": "x".repeat(20 << 10)}), TooLarge, "text"),
        ] {
            let error = encoded(service, &fields).expect_err(&fields.to_string());
            assert_eq!((error.code(), error.path()), (code, Some(path)), "{service}: {error}");
        }
    }

    #[test]
    fn the_pieces_of_a_long_text_fit_and_are_told_apart() {
        for (service, most) in
            [("dingtalk_bot", 20_000), ("wecom_bot", 2200), ("feishu_bot", 20 << 10)]
        {
            for format in ["plain", "markdown"] {
                let text = "字\"<@ ".repeat(3000);
                let fields = json!({"text": text, "format": format, "overflow": "split"});
                let draft = encoded(service, &fields).expect("a text that is split");
                let most =
                    if (service, format) == ("wecom_bot", "markdown") { 2 * most } else { most };
                assert!(!draft.pieces.is_empty(), "{service} {format}");
                let mut known = Vec::new();
                for piece in draft.pieces.iter().chain([&draft]) {
                    // In JSON a quotation mark of WeCom's text has another byte.
                    let room = if service == "wecom_bot" { piece.body.len() / 5 } else { 0 };
                    assert!(piece.body.len() <= most + room, "{service}: {}", piece.body.len());
                    known.extend(piece.dedupe.as_ref().map(|dedupe| dedupe.value.clone()));
                }
                let count = known.len();
                known.sort();
                known.dedup();
                assert_eq!(known.len(), count, "one of them would be taken for another");
                let cut = json!({"text": text, "format": format, "overflow": "truncate"});
                let draft = encoded(service, &cut).expect("a text that is cut");
                assert!(
                    draft.pieces.is_empty()
                        && draft.notes.iter().any(|note| note.name == "truncated")
                );
            }
        }
    }

    #[test]
    fn images_follow_the_text_of_wecom_s_robot() {
        let image = json!({"name": "a.png", "data_base64": "AAAA"});
        let fields = json!({"text": "x", "attachments": [image, image]});
        let draft = encoded("wecom_bot", &fields).expect("a text and two images");
        let is_image = |draft: &Draft| draft.body.starts_with(b"{\"msgtype\":\"image\"");
        assert!(!is_image(&draft) && draft.pieces.len() == 2);
        assert!(draft.pieces.iter().all(is_image));
    }

    #[test]
    fn a_mention_is_of_a_telephone_number_or_of_an_id() {
        for (user, phone) in [
            ("13800138000", true),
            ("+86-13800138000", true),
            ("+6591234567", true),
            ("23800138000", false),
            ("1380013800", false),
            ("1380013800x", false),
            ("+", false),
            ("+x", false),
            ("manager4220", false),
        ] {
            assert_eq!(is_phone(user), phone, "{user}");
        }
    }
}
