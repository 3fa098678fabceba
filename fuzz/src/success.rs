//! What each service's success looks like, read anew and as simply as can be.

use serde_json::{Map, Value};

use super::markup::Outline;

/// A success and the id that it tells.
pub struct Success(Id);

enum Id {
    /// The service gives none.
    None,
    /// One of these, of which numbers are kept as their digits stand in the answer.
    Json(Vec<Value>),
    /// The text of an element.
    Markup,
    /// The same, if it is there and an id.
    MaybeMarkup,
    /// One of these, if it is an id.
    MaybeJson(Vec<Value>),
}

impl Success {
    /// Compares the id with the one that was read.
    pub fn agrees_with(&self, body: &str, id: Option<&str>) {
        let is_value = |value: &Value, id: &str| match value {
            Value::String(text) => text == id,
            Value::Number(number) => {
                let same = id.parse::<f64>().ok() == number.as_f64();
                same && id.bytes().all(|b| b.is_ascii_digit()) && body.contains(id)
            }
            _ => false,
        };
        let agrees = match (&self.0, id) {
            (Id::None, id) => id.is_none(),
            (Id::Json(values) | Id::MaybeJson(values), Some(id)) => {
                values.iter().any(|value| is_value(value, id))
            }
            (Id::Markup | Id::MaybeMarkup, Some(id)) => !id.trim().is_empty(),
            (Id::MaybeJson(_) | Id::MaybeMarkup, None) => true,
            (Id::Json(_) | Id::Markup, None) => false,
        };
        assert!(agrees, "the id {id:?} is not that of {body}");
    }
}

fn object(text: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Some(map),
        _ => None,
    }
}

/// The field, unless it is missing or null.
fn given<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name).filter(|value| !value.is_null())
}

/// What may be the id of a message.
fn ids(map: &Map<String, Value>) -> Vec<Value> {
    let is_id = |value: &&Value| match value {
        Value::String(text) => !text.trim().is_empty(),
        value => value.is_number(),
    };
    let ids = ["idstr", "id"].into_iter().filter_map(|name| given(map, name));
    ids.filter(is_id).cloned().collect()
}

/// The body if it is markup, before which a byte order mark may stand.
pub fn markup(body: &str) -> Option<&str> {
    Some(body.trim_start_matches('\u{feff}').trim()).filter(|body| body.starts_with('<'))
}

/// A direct message as the family of Fanfou, Sina and Weibo has it: an id and no error.
fn direct_message(body: &str) -> Option<Success> {
    if let Some(xml) = markup(body) {
        let outline = Outline::read(xml)?;
        let is_message = outline.root == "direct_message" && outline.has_one_with_text("id");
        return (is_message && !outline.has("error")).then_some(Success(Id::Markup));
    }
    let map = object(body.trim())?;
    let ids = ids(&map);
    let is_message =
        !ids.is_empty() && ["error", "error_code"].iter().all(|e| given(&map, e).is_none());
    is_message.then_some(Success(Id::Json(ids)))
}

/// Fanfou: the message, in one of two statuses.
pub fn fanfou(status: u16, body: &str) -> Option<Success> {
    if matches!(status, 200 | 202) { direct_message(body) } else { None }
}

/// Fanfou with a callback: the message in a call of it, or bare.
pub fn fanfou_jsonp(status: u16, body: &str) -> Option<Success> {
    let call = |body: &str| {
        let (name, rest) = body.split_once('(')?;
        let (inside, end) = rest.rsplit_once(')')?;
        let is_call = name.trim() == "cb.f" && end.chars().all(|c| c == ';' || c.is_whitespace());
        is_call.then(|| inside.to_owned())
    };
    fanfou(status, &call(body).unwrap_or_else(|| body.to_owned()))
}

/// Fanfou in RSS: a message as elsewhere, or a feed.
pub fn fanfou_rss(status: u16, body: &str) -> Option<Success> {
    let is_feed = || {
        let feed = markup(body).and_then(Outline::read).filter(|outline| outline.root == "rss");
        feed.is_some_and(|feed| feed.has("channel") && !feed.has("error"))
    };
    match fanfou(status, body) {
        None if matches!(status, 200 | 202) && is_feed() => Some(Success(Id::None)),
        found => found,
    }
}

/// Old Sina: the message, in any status of success.
pub fn sina(status: u16, body: &str) -> Option<Success> {
    if matches!(status, 200..=299) { direct_message(body) } else { None }
}

/// Weibo: the same, or the one error code that means success, in any status.
pub fn weibo(status: u16, body: &str) -> Option<Success> {
    let late = |body: &str| {
        if let Some(outline) = markup(body).and_then(Outline::read) {
            let is_late = outline.has("error") && outline.has_text("error_code");
            return is_late.then_some(Success(Id::MaybeMarkup));
        }
        let map = object(body.trim())?;
        let code = map.get("error_code")?;
        let is_late = code.as_u64() == Some(20032) || code == "20032";
        is_late.then(|| Success(Id::MaybeJson(ids(&map))))
    };
    late(body).or_else(|| sina(status, body))
}

/// Renren: the number one, alone or under one name.
pub fn renren(status: u16, body: &str) -> Option<Success> {
    let body = body.trim();
    let one = |map: Map<String, Value>| map.len() == 1 && map["response"].as_u64() == Some(1);
    let is_one =
        body == "1" || object(body).filter(|map| map.contains_key("response")).is_some_and(one);
    (matches!(status, 200..=299) && is_one).then_some(Success(Id::None))
}

/// Tencent IM: OK, zero and nothing dropped.
pub fn tencent_im(status: u16, body: &str) -> Option<Success> {
    let map = object(body.trim_ascii())?;
    let ok = given(&map, "ActionStatus").is_some_and(|status| status == "OK");
    let zero = given(&map, "ErrorCode").is_some_and(|code| code.as_u64() == Some(0));
    let kept = given(&map, "MsgDropReason").is_none_or(|reason| reason == "");
    let id = Id::MaybeJson(given(&map, "MsgSeq").cloned().into_iter().collect());
    (status == 200 && ok && zero && kept).then_some(Success(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_is_told_from_what_is_almost_one() {
        for body in [
            r#"{"id": 7}"#,
            r#"{"id": "a", "error": null}"#,
            "<direct_message><id>7</id></direct_message>",
        ] {
            assert!(sina(200, body).is_some(), "{body}");
            assert!(sina(500, body).is_none(), "{body}");
        }
        for body in [
            r#"{"id": 7, "error": "no"}"#,
            r#"{"id": " "}"#,
            "[7, null, null, null, null]",
            r#"{"id": 7"#,
            "<direct_message><id>7</id><error/></direct_message>",
            "<direct_message><id>7</direct_message></id>",
            "<hash><id>7</id></hash>",
            "<direct_message><id>7</id><id>8</id></direct_message>",
        ] {
            assert!(sina(200, body).is_none(), "{body}");
        }
        assert!(fanfou_jsonp(200, r#"cb.f({"id": 7});"#).is_some());
        assert!(fanfou_jsonp(200, r#"cb.g({"id": 7});"#).is_none());
        assert!(fanfou_rss(200, "<rss><channel/></rss>").is_some());
        assert!(weibo(500, r#"{"error_code": 20032}"#).is_some());
        assert!(weibo(200, r#"{"error_code": 20031}"#).is_none());
        assert!(renren(200, r#"{"response": 1}"#).is_some());
        assert!(renren(200, r#"{"response": 1, "x": 1}"#).is_none());
        let ok = r#"{"ActionStatus": "OK", "ErrorCode": 0}"#;
        assert!(tencent_im(200, ok).is_some());
        assert!(tencent_im(200, &ok.replace('0', "1")).is_none());
        assert!(tencent_im(200, &ok.replace('0', r#"0, "MsgDropReason": "x""#)).is_none());
    }

    #[test]
    #[should_panic(expected = "is not that of")]
    fn a_rounded_id_does_not_agree() {
        let body = r#"{"id": 9007199254740993}"#;
        let success = sina(200, body).expect("a success");
        success.agrees_with(body, Some("9007199254740992"));
    }
}
