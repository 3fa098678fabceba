//! The messages of the demo: for each service, everything that it can carry.

/// A message that a sandbox takes, or that it refuses.
pub struct Sample {
    /// Its service; behind a dot the only kind of credentials that it is for.
    pub service: &'static str,
    /// What it shows.
    pub what: &'static str,
    /// The only format that it is for; `None`: every one.
    pub format: Option<&'static str>,
    /// The message but for `v` and `account`.
    pub message: &'static str,
}

impl Sample {
    /// True if this account can send it.
    pub fn is_for(&self, account: &serde_json::Value) -> bool {
        match self.service.split_once('.') {
            Some((service, auth)) => {
                account["service"] == service && account["auth"]["type"] == auth
            }
            None => account["service"] == self.service,
        }
    }
}

const fn sample(service: &'static str, what: &'static str, message: &'static str) -> Sample {
    Sample { service, what, format: None, message }
}

/// What arrives.
pub const SENT: &[Sample] = &[
    sample("fanfou", "text", r#"{"to": {"user": "lisztli"}, "text": "鸿雁 carries letters"}"#),
    Sample {
        format: Some("json"),
        ..sample(
            "fanfou",
            "reply",
            r#"{"to": {"user": "lisztli"}, "text": "in reply", "reply_to": "2077"}"#,
        )
    },
    Sample {
        format: Some("json"),
        ..sample(
            "fanfou",
            "callback",
            r#"{"to": {"user": "lisztli"}, "text": "called back",
                "extra": {"callback": "received", "mode": "lite"}}"#,
        )
    },
    sample("sina", "text to an id", r#"{"to": {"user": "11051"}, "text": "鸿雁 carries letters"}"#),
    sample("sina", "text to a name", r#"{"to": {"name": "微博开放平台"}, "text": "by name"}"#),
    sample("weibo", "text", r#"{"to": {"user": "2125034703"}, "text": "鸿雁 carries letters"}"#),
    sample("weibo", "text to a name", r#"{"to": {"name": "zhaoya0029"}, "text": "by name"}"#),
    // What messageType may hold is documented nowhere; the sandbox takes anything.
    sample(
        "renren",
        "text",
        r#"{"to": {"users": ["222209506", "222209507"]}, "text": "鸿雁 carries letters",
            "extra": {"messageType": "ANY", "resourceTitle": "letters"}}"#,
    ),
    sample(
        "renren",
        "link",
        r#"{"to": {"users": ["222209506"]}, "parts": [
            {"type": "link", "url": "http://example.com/", "title": "an example"}],
            "extra": {"messageType": "ANY"}}"#,
    ),
    sample(
        "renren",
        "location",
        r#"{"to": {"users": ["222209506"]}, "parts": [
            {"type": "location", "latitude": 39.98, "longitude": 116.31, "address": "Beijing"}],
            "extra": {"messageType": "ANY", "resourceTitle": "here"}}"#,
    ),
    sample(
        "slack.bot",
        "text",
        r#"{"to": {"channel": "C024BE91L"}, "text": "鸿雁 carries letters & *signs* as they stand"}"#,
    ),
    sample(
        "slack.bot",
        "markdown",
        r#"{"to": {"channel": "C061EG9SL"}, "title": "鸿雁", "format": "markdown",
            "text": "**bold**, and [a link](https://example.com)"}"#,
    ),
    sample(
        "slack.bot",
        "direct message",
        r#"{"to": {"user": "U2147483697"}, "text": "to you alone"}"#,
    ),
    sample(
        "slack.bot",
        "blocks",
        r#"{"to": {"channel": "C024BE91L"}, "text": "a header", "extra": {"blocks": [{"type": "header",
            "text": {"type": "plain_text", "text": "a header"}}]}}"#,
    ),
    sample(
        "slack.bot",
        "mention",
        r#"{"parts": [{"type": "mention", "user": "U2147483697"}, {"type": "text", "text": " look"}]}"#,
    ),
    sample("slack.webhook", "text", r#"{"text": "by webhook"}"#),
    sample("telegram", "text", r#"{"to": {"chat": "4711"}, "text": "鸿雁 carries letters"}"#),
    sample(
        "telegram",
        "topic",
        r#"{"to": {"chat": "-1002000000001", "topic": "7"}, "title": "on this topic",
            "text": "without a sound", "silent": true}"#,
    ),
    sample(
        "telegram",
        "moved group",
        r#"{"to": {"chat": "-4001"}, "text": "it is a supergroup now"}"#,
    ),
    sample(
        "telegram",
        "photo",
        r#"{"to": {"chat": "@hongyan_news"}, "text": "a goose", "attachments": [{"name": "goose.png",
            "data_base64": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="}]}"#,
    ),
    sample(
        "telegram",
        "album",
        r#"{"to": {"chat": "4711"}, "attachments": [{"url": "https://example.com/a.pdf"},
            {"name": "b.txt", "data_base64": "aGVsbG8="}]}"#,
    ),
    sample(
        "telegram",
        "raw",
        r#"{"to": {"chat": "4711"}, "parts": [{"type": "raw", "value": {"method": "sendMessage",
            "text": "<b>bold</b>", "parse_mode": "HTML"}}]}"#,
    ),
    sample("webhook", "text", r#"{"text": "鸿雁 carries letters"}"#),
    sample("webhook", "title", r#"{"title": "letters", "text": "with a title of its own"}"#),
    sample(
        "telegram",
        "mention",
        r#"{"to": {"chat": "-4002"}, "parts": [{"type": "mention", "user": "@anna"},
            {"type": "text", "text": ", look"}]}"#,
    ),
    sample(
        "webhook",
        "mention",
        r#"{"parts": [{"type": "mention", "user": "u1", "name": "Anna"},
            {"type": "text", "text": ", look"}]}"#,
    ),
    sample("tencent_im", "text", r#"{"to": {"group": "@TGS#2C5SZEAEF"}, "text": "red packet"}"#),
    sample(
        "tencent_im",
        "topic",
        r#"{"to": {"group": "@TGS#_COMMUNITY", "topic": "@TGS#_COMMUNITY@TOPIC#_T1"},
            "text": "on this topic"}"#,
    ),
    sample(
        "tencent_im",
        "members",
        r#"{"to": {"group": "@TGS#2C5SZEAEF", "members": ["leckie", "tommy"]},
            "text": "you two only"}"#,
    ),
    sample(
        "tencent_im",
        "mention",
        r#"{"to": {"group": "@TGS#2C5SZEAEF"}, "parts": [{"type": "mention", "all": true},
            {"type": "mention", "user": "tommy", "name": "Tommy"},
            {"type": "text", "text": "look"}]}"#,
    ),
    sample(
        "tencent_im",
        "face",
        r#"{"to": {"group": "@TGS#2C5SZEAEF"},
            "parts": [{"type": "face", "index": 6, "data": "abc\u0000\u0001"}]}"#,
    ),
    sample(
        "tencent_im",
        "location",
        r#"{"to": {"group": "@TGS#2C5SZEAEF"}, "parts": [
            {"type": "location", "latitude": 22.54, "longitude": 113.94, "address": "Shenzhen"}]}"#,
    ),
    sample(
        "tencent_im",
        "custom",
        r#"{"to": {"group": "@TGS#2C5SZEAEF"},
            "parts": [{"type": "custom", "data": "{\"packet\": 1}", "desc": "a red packet"}]}"#,
    ),
    sample(
        "tencent_im",
        "raw",
        r#"{"to": {"group": "@TGS#2C5SZEAEF"}, "parts": [{"type": "raw",
            "value": {"MsgType": "TIMTextElem", "MsgContent": {"Text": "as it is"}}}]}"#,
    ),
    sample("dingtalk_bot", "text", r#"{"text": "鸿雁 carries letters"}"#),
    sample(
        "dingtalk_bot",
        "markdown",
        r#"{"title": "Disk", "text": "**90 %**", "format": "markdown"}"#,
    ),
    sample(
        "dingtalk_bot",
        "mention",
        r#"{"parts": [{"type": "mention", "user": "13800138000"}, {"type": "mention", "all": true},
            {"type": "text", "text": "look"}]}"#,
    ),
    sample(
        "dingtalk_bot",
        "link",
        r#"{"parts": [{"type": "link", "url": "https://example.com/", "title": "an example"}]}"#,
    ),
    sample(
        "dingtalk_bot",
        "feed",
        r#"{"parts": [{"type": "link", "url": "https://example.com/1", "title": "one"},
            {"type": "link", "url": "https://example.com/2", "title": "two"}]}"#,
    ),
    sample(
        "dingtalk_bot",
        "card",
        r#"{"title": "Deploy", "text": "ready", "extra": {"actionCard":
            {"singleTitle": "Open", "singleURL": "https://example.com/"}}}"#,
    ),
    sample("wecom_bot", "text", r#"{"text": "鸿雁 carries letters"}"#),
    sample(
        "wecom_bot",
        "markdown",
        r#"{"title": "Disk", "text": "**90 %**", "format": "markdown"}"#,
    ),
    sample(
        "wecom_bot",
        "mention",
        r#"{"parts": [{"type": "mention", "user": "zhangsan"}, {"type": "mention", "all": true},
            {"type": "text", "text": "look"}]}"#,
    ),
    sample(
        "wecom_bot",
        "link",
        r#"{"parts": [{"type": "link", "url": "https://example.com/", "title": "an example"}]}"#,
    ),
    sample(
        "wecom_bot",
        "card",
        r#"{"extra": {"template_card": {"card_type": "text_notice", "main_title": {"title": "Deploy"},
            "card_action": {"type": 1, "url": "https://example.com/"}}}}"#,
    ),
    sample("feishu_bot", "text", r#"{"text": "鸿雁 carries letters"}"#),
    sample("feishu_bot", "post", r#"{"title": "Disk", "text": "**90 %**", "format": "markdown"}"#),
    sample(
        "feishu_bot",
        "mention",
        r#"{"parts": [{"type": "mention", "user": "ou_4711"}, {"type": "mention", "all": true},
            {"type": "text", "text": "look"}]}"#,
    ),
    sample(
        "feishu_bot",
        "link",
        r#"{"parts": [{"type": "link", "url": "https://example.com/", "title": "an example"}]}"#,
    ),
    sample(
        "feishu_bot",
        "card",
        r#"{"extra": {"card": {"type": "template", "data": {"template_id": "AAqk"}}}}"#,
    ),
    sample(
        "feishu_bot",
        "raw",
        r#"{"parts": [{"type": "text", "text": "look"},
            {"type": "raw", "value": {"tag": "img", "image_key": "img_ecffc3b9"}}]}"#,
    ),
    sample("googlechat", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "googlechat",
        "markdown",
        r#"{"title": "鸿雁", "format": "markdown", "text": "**bold**, and [a link](https://example.com)"}"#,
    ),
    sample(
        "googlechat",
        "mention",
        r#"{"thread": "deploys", "parts": [{"type": "mention", "user": "114022495153014004089"},
            {"type": "text", "text": " look"}]}"#,
    ),
    sample(
        "googlechat",
        "card",
        r#"{"extra": {"cardsV2": [{"card": {"header": {"title": "Deploy"},
            "sections": [{"widgets": [{"textParagraph": {"text": "ready"}}]}]}}]}}"#,
    ),
    sample("line", "text", r#"{"text": "鸿雁 carries {letters} & $igns as they stand"}"#),
    sample(
        "line",
        "markdown",
        r#"{"title": "鸿雁", "format": "markdown", "text": "**bold**, and [a link](https://example.com)"}"#,
    ),
    sample(
        "line",
        "mention",
        r#"{"to": {"group": "C4af4980629d85f9c1d3a1b4c5e6f7a8b"}, "silent": true, "parts": [
            {"type": "mention", "user": "U4af4980629d85f9c1d3a1b4c5e6f7a8b"},
            {"type": "text", "text": " look at {this}"}]}"#,
    ),
    sample(
        "line",
        "picture",
        r#"{"text": "a goose", "attachments": [{"url": "https://example.com/goose.png"}]}"#,
    ),
    sample(
        "line",
        "text to several",
        r#"{"to": {"users": ["U4af4980629d85f9c1d3a1b4c5e6f7a8b", "U0c6a1b2c3d4e5f60718293a4b5c6d7e8"]},
            "text": "to both of you"}"#,
    ),
    sample(
        "line",
        "sticker",
        r#"{"extra": {"messages": [{"type": "sticker", "packageId": "446", "stickerId": "1988"}]}}"#,
    ),
    sample("mattermost", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "mattermost",
        "markdown",
        r#"{"title": "鸿雁", "format": "markdown", "text": "**bold**, and [a link](https://example.com)"}"#,
    ),
    sample(
        "mattermost",
        "mention",
        r#"{"priority": "urgent", "parts": [{"type": "mention", "user": "u1annaannaannaannaannaanna",
            "name": "anna"}, {"type": "text", "text": " look"}]}"#,
    ),
    sample(
        "mattermost.bot",
        "direct message",
        r#"{"to": {"user": "u1annaannaannaannaannaanna"}, "text": "to you alone"}"#,
    ),
    sample("rocketchat", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "rocketchat",
        "markdown",
        r#"{"title": "鸿雁", "format": "markdown", "text": "**bold**, and [a link](https://example.com)"}"#,
    ),
    sample(
        "rocketchat",
        "mention",
        r#"{"to": {"channel": "off-topic"}, "parts": [{"type": "mention", "user": "u1", "name": "anna"},
            {"type": "text", "text": " look"}]}"#,
    ),
    sample("rocketchat", "direct message", r#"{"to": {"user": "anna"}, "text": "to you alone"}"#),
    sample("zulip", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "zulip",
        "markdown",
        r#"{"title": "鸿雁", "format": "markdown", "text": "**bold**, and [a link](https://example.com)"}"#,
    ),
    sample(
        "zulip",
        "mention",
        r#"{"to": {"channel": "general", "topic": "letters"},
            "parts": [{"type": "mention", "user": "11", "name": "Anna Lee"}, {"type": "text", "text": " look"}]}"#,
    ),
    sample("zulip", "direct message", r#"{"to": {"users": ["11", "12"]}, "text": "to you both"}"#),
    sample(
        "zulip",
        "file",
        r#"{"text": "a note", "attachments": [{"name": "note.txt", "data_base64": "aGk="}]}"#,
    ),
    sample("teams", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "teams",
        "markdown",
        r#"{"title": "鸿雁", "format": "markdown", "text": "**bold**, and [a link](https://example.com)"}"#,
    ),
    sample(
        "teams",
        "mention",
        r#"{"parts": [{"type": "mention", "user": "anna@example.com", "name": "Anna Lee"},
            {"type": "text", "text": " look"}]}"#,
    ),
    sample(
        "teams",
        "card",
        r#"{"text": "ready", "extra": {"actions": [{"type": "Action.OpenUrl", "title": "Open",
            "url": "https://example.com"}]}}"#,
    ),
    sample(
        "slack.bot",
        "file",
        r#"{"text": "a *note*", "attachments": [{"name": "note.txt", "data_base64": "aGk="}]}"#,
    ),
    sample("mastodon", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "mastodon",
        "another server",
        r#"{"to": {"user": "bruno@far.example"}, "title": "鸿雁", "text": "ask @anna, who is not called by that"}"#,
    ),
    sample(
        "mastodon",
        "mention",
        r#"{"parts": [{"type": "text", "text": "look, "}, {"type": "mention", "user": "bruno@far.example"}]}"#,
    ),
    sample(
        "mastodon",
        "picture",
        r#"{"text": "a dot", "attachments": [{"name": "dot.png", "data_base64": "iVBORw0KGgo="}]}"#,
    ),
    sample("whatsapp_cloud", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "whatsapp_cloud",
        "template",
        r#"{"to": {"phone": "+447700900123"}, "extra": {"template": {"name": "disk_full", "language": {"code": "zh_CN"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "sda1"}, {"type": "text", "text": "90 %"}]}]}}}"#,
    ),
    sample(
        "whatsapp_cloud",
        "file",
        r#"{"text": "a note", "attachments": [{"name": "note.txt", "data_base64": "aGk="}]}"#,
    ),
    sample("statusnet", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample("statusnet", "by id", r#"{"to": {"user": "3"}, "title": "鸿雁", "text": "a &lt; b"}"#),
    sample("discord", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "discord",
        "markdown",
        r#"{"title": "鸿雁", "format": "markdown", "text": "**bold**, and [a link](https://example.com)"}"#,
    ),
    sample(
        "discord",
        "mention",
        r#"{"silent": true, "parts": [{"type": "mention", "user": "80351110224678912"},
            {"type": "text", "text": " look"}]}"#,
    ),
    sample(
        "discord",
        "embed",
        r#"{"extra": {"embeds": [{"title": "Deploy", "description": "ready", "color": 65280}]}}"#,
    ),
    sample("ntfy", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "ntfy",
        "markdown",
        r#"{"title": "鸿雁", "format": "markdown", "text": "**bold**, and [a link](https://example.com)"}"#,
    ),
    sample(
        "ntfy",
        "urgent with a button",
        r#"{"priority": "urgent", "text": "the disk is full", "extra": {"tags": ["warning"],
            "actions": [{"action": "view", "label": "Open", "url": "https://example.com/"}]}}"#,
    ),
    sample(
        "ntfy",
        "file",
        r#"{"text": "a file", "attachments": [{"name": "鸿雁.txt", "data_base64": "aGk="}]}"#,
    ),
    sample("smtp", "text", r#"{"title": "鸿雁", "text": "鸿雁 carries letters\n.and dots"}"#),
    sample(
        "smtp",
        "copies",
        r#"{"to": {"emails": ["Anna <anna@example.org>", "ben@example.org"], "bcc": ["eve@example.org"]},
            "title": "hello", "text": "to several"}"#,
    ),
    sample(
        "smtp",
        "markdown and a file",
        r#"{"title": "Disk", "format": "markdown", "text": "**90 %** full", "priority": "high",
            "attachments": [{"name": "鸿雁.txt", "data_base64": "aGk="}]}"#,
    ),
    sample("gotify", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "gotify",
        "markdown",
        r#"{"title": "鸿雁", "format": "markdown", "text": "**bold**, and [a link](https://example.com)"}"#,
    ),
    sample("gotify", "urgent", r#"{"title": "Disk", "priority": "urgent", "text": "it is full"}"#),
    sample("serverchan", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "serverchan",
        "markdown",
        r#"{"title": "Disk", "text": "**90 %**, and [a link](https://example.com)", "format": "markdown"}"#,
    ),
    sample("pushplus", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "pushplus",
        "group",
        r#"{"to": {"topic": "letters"}, "title": "Disk", "text": "**90 %**", "format": "markdown"}"#,
    ),
    sample("pushplus", "template", r#"{"text": "{\"disk\": 90}", "extra": {"template": "json"}}"#),
    sample(
        "wxpusher",
        "text",
        r#"{"to": {"users": ["UID_anna", "UID_bruno"]}, "text": "鸿雁 carries letters & *signs*"}"#,
    ),
    sample(
        "wxpusher",
        "topic",
        r#"{"to": {"topics": ["1234"]}, "title": "Disk", "text": "**90 %**", "format": "markdown"}"#,
    ),
    sample("kook", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "kook",
        "markdown",
        r#"{"title": "鸿雁", "format": "markdown", "text": "**bold**, and [a link](https://example.com)"}"#,
    ),
    sample(
        "kook",
        "mention",
        r#"{"reply_to": "50974c-364c983fa6cb", "parts": [{"type": "mention", "user": "2418200001"},
            {"type": "text", "text": " look"}]}"#,
    ),
    sample("kook", "direct message", r#"{"to": {"user": "2418200001"}, "text": "to you alone"}"#),
    sample(
        "kook",
        "card",
        r#"{"extra": {"content": [{"type": "card", "theme": "info", "modules": [{"type": "header",
            "text": {"type": "plain-text", "content": "Deploy"}}]}]}}"#,
    ),
    sample("pushover", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "pushover",
        "markdown",
        r#"{"title": "鸿雁", "format": "markdown", "text": "**bold**, and [a link](https://example.com)"}"#,
    ),
    sample("pushover", "emergency", r#"{"priority": "urgent", "text": "the disk is full"}"#),
    sample(
        "pushover",
        "to several",
        r#"{"to": {"users": ["u7anna7hongyan7pushover7user77", "g7team7hongyan7pushover7group7"]},
            "text": "to each of you"}"#,
    ),
    sample("bark", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "bark",
        "markdown",
        r#"{"title": "鸿雁", "format": "markdown", "text": "**bold**, and [a link](https://example.com)"}"#,
    ),
    sample(
        "bark",
        "without a sound",
        r#"{"silent": true, "text": "hush", "extra": {"group": "disks"}}"#,
    ),
    sample("wecom_app", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "wecom_app",
        "department and tag",
        r#"{"to": {"departments": ["2"], "tags": ["7"]}, "title": "Disk", "text": "**90 %**", "format": "markdown"}"#,
    ),
    sample(
        "wecom_app",
        "mention",
        r#"{"to": {"chat": "goose-group"}, "parts": [{"type": "text", "text": "look, "}, {"type": "mention", "all": true}]}"#,
    ),
    sample(
        "wecom_app",
        "link",
        r#"{"parts": [{"type": "link", "url": "https://example.com/", "title": "Letters"}]}"#,
    ),
    sample(
        "wecom_app",
        "file",
        r#"{"attachments": [{"name": "鸿雁.txt", "data_base64": "aG9uZ3lhbg=="}]}"#,
    ),
    sample("feishu_app", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "feishu_app",
        "mention",
        r#"{"to": {"chat": "oc_a0553eda9014c201e6969b478895c230"}, "title": "Disk", "parts": [{"type": "text", "text": "90 %, "},
            {"type": "mention", "user": "ou_7d8a6e6df7621556ce0d21922b676706", "name": "Anna"}]}"#,
    ),
    sample(
        "feishu_app",
        "link",
        r#"{"parts": [{"type": "link", "url": "https://example.com/", "title": "Letters"}]}"#,
    ),
    sample(
        "feishu_app",
        "raw",
        r#"{"parts": [{"type": "raw", "value": {"tag": "text", "text": "as it stands"}}]}"#,
    ),
    sample(
        "feishu_app",
        "card",
        r#"{"extra": {"msg_type": "interactive", "content": {"elements": [{"tag": "hr"}]}}}"#,
    ),
    sample(
        "feishu_app",
        "file",
        r#"{"text": "a file", "attachments": [{"name": "鸿雁.txt", "data_base64": "aG9uZ3lhbg=="}]}"#,
    ),
    sample("dingtalk_app", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "dingtalk_app",
        "group",
        r#"{"to": {"group": "cidHongyan0000=="}, "title": "Disk", "text": "**90 %**", "format": "markdown"}"#,
    ),
    sample(
        "dingtalk_app",
        "link",
        r#"{"parts": [{"type": "link", "url": "https://example.com/", "title": "Letters", "description": "of geese"}]}"#,
    ),
    sample(
        "dingtalk_app",
        "file",
        r#"{"attachments": [{"name": "鸿雁.pdf", "data_base64": "aG9uZ3lhbg=="}]}"#,
    ),
    sample("wechat_oa", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "wechat_oa",
        "link",
        r#"{"parts": [{"type": "link", "url": "https://example.com/", "title": "Letters"}]}"#,
    ),
    sample(
        "wechat_oa",
        "image",
        r#"{"attachments": [{"name": "鸿雁.gif", "data_base64": "R0lGODlhAQABAAAAACw="}]}"#,
    ),
    sample(
        "wechat_oa",
        "template",
        r#"{"extra": {"template_id": "tpl-disk", "data": {"first": {"value": "90 %"}}}}"#,
    ),
    sample(
        "wechat_oa",
        "subscription",
        r#"{"extra": {"template_id": "tpl-sub", "page": "", "data": {"thing1": {"value": "90 %"}}}}"#,
    ),
    sample("qq_bot", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "qq_bot",
        "group",
        r#"{"to": {"group": "6007E00112233445566778899AABBCCD"}, "title": "Disk", "text": "**90 %**", "format": "markdown"}"#,
    ),
    sample(
        "qq_bot",
        "mention",
        r#"{"parts": [{"type": "text", "text": "look, "}, {"type": "mention", "user": "C0FFEE00112233445566778899AABBCC"}]}"#,
    ),
    sample("qq_bot", "answer", r#"{"reply_to": "ROBOT1.0_question", "text": "yes"}"#),
    sample("qq_bot", "picture", r#"{"attachments": [{"url": "https://example.com/goose.png"}]}"#),
    sample("twilio", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "twilio",
        "picture",
        r#"{"text": "look", "attachments": [{"url": "https://example.com/goose.png"}]}"#,
    ),
    sample(
        "twilio",
        "scheduled",
        r#"{"to": {"phone": "+15005550011"}, "text": "at eight", "extra": {"ScheduleType": "fixed", "SendAt": "2030-01-01T08:00:00Z", "MessagingServiceSid": "MG1f2e3d4c5b6a79880716253443526170"}}"#,
    ),
    sample("matrix", "text", r#"{"text": "鸿雁 carries <b>letters</b> & *signs* as they stand"}"#),
    sample("matrix", "markdown", r#"{"title": "Disk", "text": "**90 %**", "format": "markdown"}"#),
    sample(
        "matrix.token",
        "mention",
        r#"{"parts": [{"type": "mention", "user": "@anna:localhost", "name": "Anna"}, {"type": "text", "text": ", look"}]}"#,
    ),
    sample(
        "matrix.token",
        "alias",
        r##"{"to": {"room": "#lobby:localhost"}, "text": "the room is entered"}"##,
    ),
    sample(
        "matrix.token",
        "direct",
        r#"{"to": {"user": "@anna:localhost"}, "text": "a room is made"}"#,
    ),
    sample("matrix.token", "notice", r#"{"text": "without a sound", "silent": true}"#),
    sample(
        "matrix.token",
        "picture",
        r#"{"text": "look", "attachments": [{"name": "goose.png", "data_base64": "iVBORw0KGgo="}]}"#,
    ),
    sample("tencent_sms", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "tencent_sms",
        "template",
        r#"{"to": {"phones": ["13800000002", "+8613800000003"]}, "extra": {"TemplateId": "1111", "TemplateParamSet": ["1234", "5"]}}"#,
    ),
    sample(
        "tencent_sms",
        "abroad",
        r#"{"to": {"phones": ["+85212345678"]}, "text": "90 %", "extra": {"TemplateId": "1210"}}"#,
    ),
    sample("aliyun_sms", "text", r#"{"text": "鸿雁 carries letters & *signs* as they stand"}"#),
    sample(
        "aliyun_sms",
        "template",
        r#"{"to": {"phones": ["13800000002", "+8613800000003"]}, "extra": {"TemplateCode": "SMS_100000002", "TemplateParam": {"code": "1234"}}}"#,
    ),
    sample(
        "aliyun_sms",
        "abroad",
        r#"{"to": {"phones": ["+85212345678"]}, "text": "90 %", "extra": {"TemplateCode": "SMS_100000004"}}"#,
    ),
];

/// What is refused; wrong credentials are refused by every service besides.
pub const REFUSED: &[Sample] = &[
    Sample {
        format: Some("json"),
        ..sample("fanfou", "unknown user", r#"{"to": {"user": "nobody"}, "text": "hello?"}"#)
    },
    Sample {
        format: Some("json"),
        ..sample("sina", "no follower", r#"{"to": {"user": "1000040017"}, "text": "hello?"}"#)
    },
    sample("weibo", "no follower", r#"{"to": {"user": "5000020301"}, "text": "hello?"}"#),
    sample("slack.bot", "archived", r#"{"to": {"channel": "C0ARCHIVE"}, "text": "hello?"}"#),
    sample("telegram", "blocked", r#"{"to": {"chat": "4712"}, "text": "hello?"}"#),
    sample(
        "telegram",
        "closed topic",
        r#"{"to": {"chat": "-1002000000001", "topic": "8"}, "text": "hello?"}"#,
    ),
    sample("tencent_im", "unknown group", r#"{"to": {"group": "@TGS#NOWHERE"}, "text": "hello?"}"#),
    sample("tencent_im", "muted", r#"{"to": {"group": "@TGS#MUTED"}, "text": "hello?"}"#),
    sample(
        "mattermost.bot",
        "archived",
        r#"{"to": {"channel": "8xyzabcdefghijklmnopqrstu2"}, "text": "hello?"}"#,
    ),
    sample("rocketchat", "unknown channel", r#"{"to": {"channel": "nowhere"}, "text": "hello?"}"#),
    sample(
        "zulip",
        "unknown channel",
        r#"{"to": {"channel": "nowhere", "topic": "t"}, "text": "hello?"}"#,
    ),
    sample(
        "googlechat",
        "no such thread",
        r#"{"thread": "nowhere", "text": "hello?", "extra": {"messageReplyOption": "REPLY_MESSAGE_OR_FAIL"}}"#,
    ),
    sample(
        "line",
        "unknown user",
        r#"{"to": {"user": "Uffffffffffffffffffffffffffffffff"}, "text": "hello?"}"#,
    ),
    sample("pushplus", "unknown group", r#"{"to": {"topic": "nobody"}, "text": "hello?"}"#),
    sample("wxpusher", "no follower", r#"{"to": {"users": ["UID_left"]}, "text": "hello?"}"#),
    sample("kook", "no right", r#"{"to": {"channel": "7480000000000003"}, "text": "hello?"}"#),
    sample(
        "mastodon",
        "unknown user",
        r#"{"to": {"user": "nobody@far.example"}, "text": "hello?"}"#,
    ),
    sample(
        "whatsapp_cloud",
        "silent for a day",
        r#"{"to": {"phone": "+447700900123"}, "text": "hello?"}"#,
    ),
    sample("statusnet", "no friend", r#"{"to": {"name": "stranger"}, "text": "hello?"}"#),
    sample("discord.bot", "blocked", r#"{"to": {"user": "80351110224678913"}, "text": "hello?"}"#),
    sample(
        "smtp.password",
        "no such user",
        r#"{"to": {"emails": ["nobody@example.org"]}, "text": "hello?"}"#,
    ),
    sample("ntfy", "read-only topic", r#"{"to": {"topic": "announcements"}, "text": "hello?"}"#),
    sample(
        "pushover",
        "no device",
        r#"{"to": {"user": "u7bruno7hongyan7pushover7user7"}, "text": "hello?"}"#,
    ),
    sample("wecom_app", "nobody", r#"{"to": {"users": ["nobody"]}, "text": "hello?"}"#),
    sample("feishu_app", "no bot", r#"{"to": {"chat": "oc_without_the_bot"}, "text": "hello?"}"#),
    sample("dingtalk_app", "nobody", r#"{"to": {"users": ["nobody"]}, "text": "hello?"}"#),
    sample(
        "wechat_oa",
        "did not write",
        r#"{"to": {"user": "oSilent_hongyan0123456789abc"}, "text": "hello?"}"#,
    ),
    sample(
        "qq_bot",
        "no pushes",
        r#"{"to": {"group": "C105ED00112233445566778899AABBCC"}, "text": "hello?"}"#,
    ),
    sample("twilio", "unsubscribed", r#"{"to": {"phone": "+15005550004"}, "text": "hello?"}"#),
    sample(
        "matrix.token",
        "encrypted",
        r#"{"to": {"room": "!secret:localhost"}, "text": "hello?"}"#,
    ),
    sample("matrix.token", "closed", r#"{"to": {"room": "!closed:localhost"}, "text": "hello?"}"#),
    sample("tencent_sms", "blocked", r#"{"to": {"phones": ["+8613800000004"]}, "text": "hello?"}"#),
    sample(
        "aliyun_sms",
        "no such template",
        r#"{"to": {"phones": ["13800000004"]}, "extra": {"TemplateCode": "SMS_1"}}"#,
    ),
];

/// Another way of an account to send, which a field of it chooses.
pub struct Variant {
    pub service: &'static str,
    pub what: &'static str,
    /// Where in the account the field stands.
    pub pointer: (&'static str, &'static str),
    pub value: &'static str,
}

/// The ways that are not the default one.
pub const VARIANTS: &[Variant] = &[
    Variant {
        service: "weibo",
        what: "token in header",
        pointer: ("/auth", "send"),
        value: "header",
    },
    Variant { service: "renren", what: "params in form", pointer: ("", "params"), value: "form" },
];
