//! `multipart/form-data`: fields and files in one body, without a copy of the files.

use bytes::Bytes;

use crate::model::message::Attachment;
use crate::service::api::{Body, Seed};

/// A form in the making.
pub struct Multipart {
    seed: Seed,
    parts: Vec<Part>,
}

/// A part: its header fields without their end, and its content.
struct Part {
    head: String,
    content: Bytes,
}

impl Multipart {
    /// A form without fields; of the same seed and the same fields comes the same body.
    pub fn new(seed: Seed) -> Multipart {
        Multipart { seed, parts: Vec::new() }
    }

    /// Adds a field; its value goes as it is.
    pub fn text(self, name: &str, value: &str) -> Multipart {
        self.part(disposition(name), Bytes::copy_from_slice(value.as_bytes()))
    }

    /// Adds a field whose value is of this type, JSON for instance.
    pub fn typed(self, name: &str, content_type: &str, value: impl Into<Bytes>) -> Multipart {
        let head = format!("{}\r\nContent-Type: {}", disposition(name), field_value(content_type));
        self.part(head, value.into())
    }

    /// Adds a file, whose bytes are here.
    pub fn file(self, name: &str, file: &Attachment) -> Multipart {
        debug_assert!(file.bytes().is_some(), "files are read before messages are encoded");
        let head = format!(
            "{}; filename=\"{}\"\r\nContent-Type: {}",
            disposition(name),
            escaped(file.file_name()),
            field_value(file.media_type())
        );
        self.part(head, file.bytes().cloned().unwrap_or_default())
    }

    fn part(mut self, head: String, content: Bytes) -> Multipart {
        self.parts.push(Part { head, content });
        self
    }

    /// The type, which has the boundary in it, and the body.
    pub fn finish(self) -> (String, Body) {
        let boundary = self.boundary();
        let mut pieces = Vec::with_capacity(2 * self.parts.len() + 1);
        let mut text = String::new();
        for Part { head, content } in self.parts {
            text.push_str(&format!("--{boundary}\r\n{head}\r\n\r\n"));
            pieces.push(Bytes::from(std::mem::take(&mut text)));
            pieces.push(content);
            text.push_str("\r\n");
        }
        text.push_str(&format!("--{boundary}--\r\n"));
        pieces.push(text.into());
        (format!("multipart/form-data; boundary={boundary}"), Body::Several(pieces))
    }

    /// What stands in none of the parts.
    fn boundary(&self) -> String {
        let mut words = (0..).map(|n: u32| format!("hongyan-{:08x}-{n}", self.seed.0));
        let is_free = |word: &String| {
            let is_in = |text: &[u8]| contains(text, word.as_bytes());
            !self.parts.iter().any(|part| is_in(&part.content) || is_in(part.head.as_bytes()))
        };
        words.find(is_free).unwrap_or_default()
    }
}

fn disposition(name: &str) -> String {
    format!("Content-Disposition: form-data; name=\"{}\"", escaped(name))
}

/// A name as browsers write it: UTF-8, and nothing that could end it.
fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '"' => escaped.push_str("%22"),
            '\r' => escaped.push_str("%0D"),
            '\n' => escaped.push_str("%0A"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A type that can stand in a header field; that of a message was checked when it was read.
fn field_value(content_type: &str) -> &str {
    let is_safe = content_type.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_safe { content_type } else { "application/octet-stream" }
}

/// True if a text holds this word, by Horspool's way: most bytes of a long text are never looked at.
fn contains(text: &[u8], word: &[u8]) -> bool {
    let Some((last, before)) = word.split_last() else { return true };
    let mut skip = [word.len(); 256];
    for (i, byte) in before.iter().enumerate() {
        skip[usize::from(*byte)] = before.len() - i;
    }
    let mut start = 0;
    while let Some(window) = text.get(start..start + word.len()) {
        let end = window[before.len()];
        if end == *last && window.starts_with(before) {
            return true;
        }
        start += skip[usize::from(end)];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::Source;
    use proptest::prelude::*;

    fn file(name: &str, mime: Option<&str>, bytes: impl Into<Bytes>) -> Attachment {
        let source = Source::Bytes(bytes.into());
        Attachment { name: Some(name.to_owned()), mime: mime.map(str::to_owned), source }
    }

    fn written(form: Multipart) -> (String, String) {
        let (content_type, body) = form.finish();
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").expect("one");
        let text = String::from_utf8(body.whole().to_vec()).expect("text");
        (text.replace(boundary, "B"), boundary.to_owned())
    }

    #[test]
    fn fields_and_files_stand_as_browsers_write_them() {
        let form = Multipart::new(Seed(7))
            .text("chat_id", "@天地")
            .typed("payload_json", "application/json", "{\"content\":\"x\"}")
            .file("files[0]", &file("宇宙 \"a\"\r\nX: y\\.png", None, "PNG"))
            .file("files[1]", &file("b", Some("text/plain; charset=utf-8"), ""));
        let (text, boundary) = written(form);
        assert_eq!(
            text,
            "--B\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n@天地\r\n\
             --B\r\nContent-Disposition: form-data; name=\"payload_json\"\r\n\
             Content-Type: application/json\r\n\r\n{\"content\":\"x\"}\r\n\
             --B\r\nContent-Disposition: form-data; name=\"files[0]\"; \
             filename=\"宇宙 %22a%22%0D%0AX: y\\.png\"\r\nContent-Type: image/png\r\n\r\nPNG\r\n\
             --B\r\nContent-Disposition: form-data; name=\"files[1]\"; filename=\"b\"\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n\r\n--B--\r\n"
        );
        assert!(boundary.len() <= 70 && boundary.bytes().all(|b| b.is_ascii_graphic()));
        assert_eq!(written(Multipart::new(Seed(7))).0, "--B--\r\n");
    }

    #[test]
    fn a_type_cannot_add_header_fields() {
        let form = Multipart::new(Seed(1)).file("f", &file("a", Some("a/b\r\nX: y"), "z"));
        assert!(written(form).0.contains("Content-Type: application/octet-stream\r\n\r\nz"));
    }

    #[test]
    fn the_bytes_of_a_file_are_not_copied() {
        let bytes = Bytes::from(vec![7; 1 << 20]);
        let (_, body) = Multipart::new(Seed(1)).file("f", &file("a", None, bytes.clone())).finish();
        let Body::Several(pieces) = body else { panic!("one piece") };
        assert!(pieces.iter().any(|piece| piece.as_ptr() == bytes.as_ptr()));
    }

    #[test]
    fn the_boundary_is_the_same_at_every_attempt_and_never_in_the_content() {
        let form = |content: String| Multipart::new(Seed(9)).text("a", &content);
        let (_, first) = written(form(String::new()));
        assert_eq!(written(form("x".to_owned())).1, first);
        assert_ne!(written(Multipart::new(Seed(10))).1, first);
        let (_, second) = written(form(format!("x--{first}y")));
        assert_ne!(second, first);
        let both = |name: &str| Multipart::new(Seed(9)).text(name, &second);
        assert_ne!(written(both("a")).1, second);
        assert!(![first.clone(), second.clone()].contains(&written(both(&first)).1));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_word_is_found_where_it_is(text in "[ab-]{0,40}", word in "[ab-]{0,5}") {
            prop_assert_eq!(contains(text.as_bytes(), word.as_bytes()), text.contains(&word));
        }
    }
}
