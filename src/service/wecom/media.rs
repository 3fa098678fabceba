//! Files of WeCom's apps and WeChat's official accounts: each goes up and is then sent by the id that it got.

use bytes::Bytes;
use serde_json::{Map, Value};
use url::Url;

use crate::model::error::Result;
use crate::model::message::Attachment;
use crate::service::api::{Answer, Body, Draft, HttpRequest, Reading, Seed};
use crate::service::judge::{is_success, text};
use crate::service::wire::json::{members, parsed};
use crate::service::wire::multipart::Multipart;

/// What the id of a file is kept as.
pub const MEDIA: &str = "media";
/// What its type is kept as: that of its message, too.
const KIND: &str = "kind";

/// The draft of a file's message of this type, but for the id.
pub fn draft(
    mut body: Map<String, Value>,
    kind: &str,
    file: &Attachment,
    seed: Seed,
) -> Result<Draft> {
    body.insert("msgtype".to_owned(), kind.into());
    let form = Multipart::new(seed).file("media", file).finish();
    let mut draft = super::draft(body)?.with_form(form);
    draft.keep(KIND, kind.to_owned());
    Ok(draft)
}

/// The request by which its file goes up, to a URL that has the token.
pub fn upload(draft: &Draft, mut url: Url) -> HttpRequest {
    url.query_pairs_mut().append_pair("type", draft.kept(KIND).unwrap_or_default());
    draft.upload(url)
}

/// The id that an answer gives a file: WeChat's may have it without the code of a success. Anything else is what
/// `envelope` reads in it.
pub fn given(
    answer: &Answer,
    envelope: fn(&Answer) -> Reading,
) -> std::result::Result<String, Reading> {
    let found = text(answer).and_then(|body| members(body, ["errcode", "media_id"]));
    if let Ok([None | Some("0"), id @ Some(_)]) = found
        && is_success(answer.status)
        && let Ok(Some(id)) = parsed::<String>(id)
        && !id.is_empty()
    {
        return Ok(id);
    }
    Err(match envelope(answer) {
        Reading::Sent { .. } => {
            Reading::Contradiction("the answer to an upload has no media_id".to_owned())
        }
        reading => reading,
    })
}

/// The body of a draft, with the file that went up.
pub fn body(draft: &Draft) -> Body {
    let (Some(kind), Some(media)) = (draft.kept(KIND), draft.kept(MEDIA)) else {
        return Body::One(draft.body.clone());
    };
    let object = format!(",{}:{{\"media_id\":{}}}}}", Value::from(kind), Value::from(media));
    Body::Several(vec![draft.body.slice(..draft.body.len() - 1), Bytes::from(object)])
}
