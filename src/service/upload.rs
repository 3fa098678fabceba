//! Files that go up in an exchange of their own, before the message that shows them.

use bytes::Bytes;
use url::Url;

use super::api::{Body, Draft, HttpRequest};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::Attachment;

impl Draft {
    /// The same with a form behind its body, which [`Multipart`](super::wire::multipart::Multipart) made and
    /// which goes up first.
    #[inline(never)]
    pub fn with_form(self, (content_type, form): (String, Body)) -> Draft {
        let rest = match form {
            Body::One(form) => vec![form],
            Body::Several(pieces) => pieces,
        };
        Draft { rest, content_type: content_type.into(), ..self }
    }

    /// True while its form has not gone up; what that gives is kept under this name.
    pub fn has_to_upload(&self, name: &str) -> bool {
        !self.rest.is_empty() && self.kept(name).is_none()
    }

    /// The request by which its form goes up.
    #[inline(never)]
    pub fn upload(&self, url: Url) -> HttpRequest {
        HttpRequest { body: Body::Several(self.rest.clone()), ..self.post(url) }
    }
}

/// The bytes of a file, of which a service of this name takes no more than so many.
#[inline(never)]
pub fn bytes_of<'a>(file: &'a Attachment, most: u32, title: &str) -> Result<&'a Bytes> {
    let Some(bytes) = file.bytes() else {
        let words = "the file was not read; this is a bug";
        return Err(Error::new(ErrorCode::Internal, words));
    };
    if bytes.len() > most as usize {
        let words = format!("it has {} bytes; {title} takes {most} of such a file", bytes.len());
        return Err(Error::new(ErrorCode::TooLarge, words));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::Source;

    #[test]
    fn a_file_may_be_as_long_as_the_service_takes() {
        let source = Source::Bytes(Bytes::from_static(b"goose"));
        let file = Attachment { name: None, mime: None, source };
        assert_eq!(bytes_of(&file, 5, "WeChat").expect("five bytes").len(), 5);
        let error = bytes_of(&file, 4, "WeChat").expect_err("too long");
        assert_eq!(error.code(), ErrorCode::TooLarge);
        assert!(error.words().contains("5 bytes; WeChat takes 4"), "{error}");
    }

    #[test]
    fn a_form_goes_up_once_and_by_itself() {
        let pieces = vec![Bytes::from_static(b"head"), Bytes::from_static(b"file")];
        let form = ("multipart/form-data; boundary=b".to_owned(), Body::Several(pieces));
        let mut draft = Draft::of("{}").with_form(form);
        assert!(draft.has_to_upload("media") && !Draft::of("{}").has_to_upload("media"));
        let request = draft.upload(Url::parse("https://example.com/up").expect("a URL"));
        assert_eq!(request.body.whole().as_ref(), b"headfile");
        assert_eq!(request.headers.content_type, "multipart/form-data; boundary=b");
        draft.keep("media", "m1".to_owned());
        assert!(!draft.has_to_upload("media"));
    }
}
