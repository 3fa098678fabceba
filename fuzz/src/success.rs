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
            (Id::Markup, Some(id)) => !id.trim().is_empty(),
            (Id::MaybeJson(_), None) => true,
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
    let text = body.strip_prefix('\u{feff}').unwrap_or(body).trim_ascii_start();
    text.starts_with('<').then_some(body)
}

/// A status in which a success may come: any of its kind but that of a part.
fn of_success(status: u16) -> bool {
    status / 100 == 2 && status != 206
}

/// What tells of an error.
const ERRORS: [&str; 5] = ["error", "error_code", "errors", "message", "code"];

/// A direct message as the family of Fanfou, Sina and Weibo has it in JSON: an id and no error.
fn object_message(status: u16, body: &str) -> Option<Success> {
    let map = object(body).filter(|_| of_success(status))?;
    let ids = ids(&map);
    let is_message = !ids.is_empty() && ERRORS.iter().all(|e| given(&map, e).is_none());
    is_message.then_some(Success(Id::Json(ids)))
}

/// The same in XML.
fn element_message(status: u16, body: &str) -> Option<Success> {
    let outline = Outline::read(body).filter(|_| of_success(status))?;
    let is_message = outline.root == "direct_message" && outline.has_one_with_text("id");
    (is_message && !ERRORS.iter().any(|e| outline.has(e))).then_some(Success(Id::Markup))
}

/// Fanfou in JSON: the message.
pub fn fanfou(status: u16, body: &str) -> Option<Success> {
    object_message(status, body)
}

/// Fanfou with a callback: the message in a call of it, or bare.
pub fn fanfou_jsonp(status: u16, body: &str) -> Option<Success> {
    let is_space = |c: char| c.is_ascii_whitespace() && c != '\u{c}';
    let call = |body: &str| {
        let (name, rest) = body.split_once('(')?;
        let (inside, end) = rest.rsplit_once(')')?;
        let is_call =
            name.trim_matches(is_space) == "cb.f" && end.chars().all(|c| c == ';' || is_space(c));
        is_call.then(|| inside.to_owned())
    };
    fanfou(status, &call(body).unwrap_or_else(|| body.to_owned()))
}

/// Fanfou in XML: the message.
pub fn fanfou_xml(status: u16, body: &str) -> Option<Success> {
    element_message(status, body)
}

/// Fanfou in RSS: a feed.
pub fn fanfou_rss(status: u16, body: &str) -> Option<Success> {
    let feed = Outline::read(body).filter(|_| of_success(status))?;
    let is_feed = feed.root == "rss" && feed.has("channel");
    (is_feed && !ERRORS.iter().any(|e| feed.has(e))).then_some(Success(Id::None))
}

/// Old Sina in JSON: the message.
pub fn sina(status: u16, body: &str) -> Option<Success> {
    object_message(status, body)
}

/// Old Sina in XML: the message.
pub fn sina_xml(status: u16, body: &str) -> Option<Success> {
    element_message(status, body)
}

/// Weibo: the same in JSON, or the one error code that means success, in any status.
pub fn weibo(status: u16, body: &str) -> Option<Success> {
    let late = |body: &str| {
        let map = object(body)?;
        let code = map.get("error_code")?;
        let is_late = code.as_u64() == Some(20032) || code == "20032";
        let is_own = map.get("error").is_some_and(Value::is_string)
            && given(&map, "request").is_none_or(Value::is_string);
        (is_late && is_own && status != 206).then(|| Success(Id::MaybeJson(ids(&map))))
    };
    late(body).or_else(|| object_message(status, body))
}

/// Renren: the number one, alone or under one name.
pub fn renren(status: u16, body: &str) -> Option<Success> {
    let one = match serde_json::from_str(body).ok()? {
        Value::Object(map) if map.len() == 1 => map.get("response")?.as_u64() == Some(1),
        value => value.as_u64() == Some(1),
    };
    (of_success(status) && one).then_some(Success(Id::None))
}

/// Tencent IM: OK, zero and nothing dropped.
pub fn tencent_im(status: u16, body: &str) -> Option<Success> {
    let map = object(body)?;
    let ok = given(&map, "ActionStatus").is_some_and(|status| status == "OK");
    let zero = given(&map, "ErrorCode").is_some_and(|code| code.as_u64() == Some(0));
    let kept = given(&map, "MsgDropReason").is_none_or(|reason| reason == "");
    let id = Id::MaybeJson(given(&map, "MsgSeq").cloned().into_iter().collect());
    (of_success(status) && ok && zero && kept).then_some(Success(id))
}

/// True if an answer may be in the envelope of the direct-message family, as one of its errors or a
/// message: what is in none says no more than its status.
pub fn may_be_direct_message(body: &str) -> bool {
    let five = |text: &str| text.len() >= 5 && text.as_bytes()[..5].iter().all(u8::is_ascii_digit);
    if markup(body).is_some() {
        let names = ["error", "id", "channel"];
        return Outline::read(body).is_some_and(|outline| names.iter().any(|n| outline.has(n)));
    }
    let Some(map) = object(body) else { return false };
    let text = |name: &str| map.get(name).and_then(Value::as_str);
    let code = map.get("error_code").map(|code| code.to_string());
    let numbered = code.is_some_and(|code| five(code.trim_matches('"')));
    let worded =
        text("error").is_some_and(|error| five(error.trim()) || error.starts_with("Error:"));
    !ids(&map).is_empty()
        || text("error").is_some() && (numbered || worded)
        || text("error").is_some() && text("request").is_some_and(|path| path.starts_with('/'))
}

/// The same for Renren.
pub fn may_be_renren(body: &str) -> bool {
    let Ok(value) = serde_json::from_str::<Value>(body) else { return false };
    let code = value["error"]["code"].as_str().unwrap_or_default();
    let kinds = ["invalid_request.", "invalid_authorization.", "forbidden.", "internal_error."];
    let is_bare =
        !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphabetic() || b"-_".contains(&b));
    value == 1
        || value["response"] == 1
        || kinds.iter().any(|kind| code.starts_with(kind))
        || is_bare && code.contains(['_', '-'])
        || code.eq_ignore_ascii_case("unknow")
}

/// The same for Tencent IM.
pub fn may_be_tencent_im(body: &str) -> bool {
    let map = object(body).unwrap_or_default();
    map.contains_key("ErrorCode")
        && map.get("ActionStatus").is_some_and(|s| s == "OK" || s == "FAIL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_is_told_from_what_is_almost_one() {
        for body in [r#"{"id": 7}"#, r#"{"id": "a", "error": null}"#] {
            assert!(sina(200, body).is_some(), "{body}");
            assert!(sina(206, body).is_none(), "{body}");
            assert!(sina(500, body).is_none(), "{body}");
        }
        let xml = "<direct_message><id>7</id></direct_message>";
        assert!(sina_xml(200, xml).is_some() && sina(200, xml).is_none());
        for body in [
            r#"{"id": 7, "error": "no"}"#,
            r#"{"id": " "}"#,
            "[7, null, null, null, null]",
            r#"{"id": 7"#,
            "\u{a0}{\"id\": 7}",
        ] {
            assert!(sina(200, body).is_none(), "{body}");
        }
        for body in [
            "<direct_message><id>7</id><error/></direct_message>",
            "<direct_message><id>7</direct_message></id>",
            "<hash><id>7</id></hash>",
            "<direct_message><id>7</id><id>8</id></direct_message>",
            "<direct_message><id>7</id><error_code/></direct_message>",
            "<direct_message><id>7</id><x y='&z;'/></direct_message>",
            "<direct_message><id>7</id>]]></direct_message>",
            "<direct_message><id>7</id>&#1;</direct_message>",
            " <?xml version='1.0'?><direct_message><id>7</id></direct_message>",
            "<?xml version='9'?><direct_message><id>7</id></direct_message>",
        ] {
            assert!(sina_xml(200, body).is_none(), "{body}");
        }
        assert!(fanfou_jsonp(200, r#"cb.f({"id": 7});"#).is_some());
        assert!(fanfou_jsonp(200, r#"cb.g({"id": 7});"#).is_none());
        assert!(fanfou_rss(200, "<rss><channel/></rss>").is_some());
        assert!(weibo(500, r#"{"error_code": 20032, "error": "slow"}"#).is_some());
        assert!(weibo(200, r#"{"error_code": 20032}"#).is_none());
        assert!(weibo(200, r#"{"error_code": 20031, "error": "slow"}"#).is_none());
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
