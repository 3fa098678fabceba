//! Bodies of several parts (RFC 7578), read strictly.

use axum::body::Bytes;

/// How many parts a body may have.
const MOST_PARTS: usize = 200;

/// One part of a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Part {
    pub name: String,
    /// There for a file.
    pub file_name: Option<String>,
    pub content_type: String,
    pub bytes: Bytes,
}

/// The parts of `body`, or what is wrong with it; `content_type` is the header's value.
pub(crate) fn parts(content_type: &str, body: &Bytes) -> Result<Vec<Part>, String> {
    let boundary = parameter(content_type, "boundary")
        .filter(|boundary| (1..=70).contains(&boundary.len()))
        .ok_or("the content type has no boundary")?;
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut at = match body.starts_with(delimiter.as_bytes()) {
        true => delimiter.len(),
        // What stands before the first delimiter is for readers that know no parts.
        false => find(body, 0, format!("\r\n{delimiter}").as_bytes())
            .map(|at| at + 2 + delimiter.len())
            .ok_or("the body does not begin with its boundary")?,
    };
    let delimiter = format!("\r\n{delimiter}");
    loop {
        if body[at..].starts_with(b"--") {
            return Ok(parts);
        }
        if !body[at..].starts_with(b"\r\n") {
            return Err("a boundary is not followed by the end of its line".to_owned());
        }
        if parts.len() == MOST_PARTS {
            return Err(format!("more than {MOST_PARTS} parts"));
        }
        let end = find(body, at, delimiter.as_bytes()).ok_or("the last part has no end")?;
        parts.push(part(&body.slice(at..end))?);
        at = end + delimiter.len();
    }
}

/// Reads a part, from the line's end before its header fields.
fn part(bytes: &Bytes) -> Result<Part, String> {
    let end = find(bytes, 0, b"\r\n\r\n").ok_or("a part has no end of its header fields")?;
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| "a part's head is not UTF-8")?;
    let mut part = Part { bytes: bytes.slice(end + 4..), ..Part::default() };
    let mut named = false;
    for line in head.split("\r\n").filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or("a part has a line that is no field")?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-type") {
            part.content_type = value.to_owned();
        } else if name.eq_ignore_ascii_case("content-disposition") {
            part.name = parameter(value, "name").ok_or("a part has no name")?;
            part.file_name = extended(value).or_else(|| parameter(value, "filename"));
            named = true;
        }
    }
    named.then_some(part).ok_or_else(|| "a part has no Content-Disposition".to_owned())
}

/// The value of `filename*`, as RFC 8187 writes it.
fn extended(header: &str) -> Option<String> {
    let value = parameter(header, "filename*")?;
    crate::form::unescape(value.strip_prefix("UTF-8''").or(value.strip_prefix("utf-8''"))?, false)
}

/// A parameter of a header's value, unquoted; a browser's `%22` for a quote is taken as well.
fn parameter(header: &str, name: &str) -> Option<String> {
    let mut rest = header.split_once(';')?.1;
    loop {
        let (key, value) = rest.split_once('=')?;
        let (value, after) = value_of(value)?;
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(value.replace("%22", "\""));
        }
        rest = after.trim_start().strip_prefix(';')?;
    }
}

/// A token or a quoted string at the start of `text`, and what follows it.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return Some((text[..end].trim().to_owned(), &text[end..]));
    };
    let (mut value, mut chars) = (String::new(), quoted.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => match chars.next()?.1 {
                quoted @ ('"' | '\\') => value.push(quoted),
                other => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
    None
}

/// Where `needle` first stands in `bytes`, from `from` on.
fn find(bytes: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    // By its rarer first byte: files are long, and a comparison at each place of them is slow.
    let first = *needle.first()?;
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == first)?;
        if bytes[at..].starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; charset=utf-8; boundary=\"b o\"";

    fn read(body: &[u8]) -> Result<Vec<Part>, String> {
        parts(TYPE, &Bytes::copy_from_slice(body))
    }

    #[test]
    fn reads_fields_and_files() {
        let body = b"--b o\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n\xe4\xbd\xa0\r\n--b o\r\n\
            content-disposition: form-data; filename=\"a \\\"b\\\";c.png\"; name=f\r\n\
            Content-Type: image/png\r\n\r\n\0\r\n--b \r\n\xff\r\n--b o\r\n\
            Content-Disposition: form-data; name=\"g\"; filename=\"?\"; filename*=UTF-8''%E4%BD%A0.txt\
            \r\n\r\n\r\n--b o--\r\n";
        let parts = read(body).expect("parts");
        assert_eq!(parts[0].name, "text");
        assert_eq!((&parts[0].file_name, &parts[0].bytes[..]), (&None, "你".as_bytes()));
        assert_eq!(parts[1].name, "f");
        assert_eq!(parts[1].file_name.as_deref(), Some("a \"b\";c.png"));
        assert_eq!(
            (parts[1].content_type.as_str(), &parts[1].bytes[..]),
            ("image/png", &b"\0\r\n--b \r\n\xff"[..])
        );
        assert_eq!(parts[2].file_name.as_deref(), Some("你.txt"));
        assert_eq!((parts.len(), parts[2].bytes.len()), (3, 0));
        assert_eq!(read(b"--b o--"), Ok(Vec::new()));
    }

    #[test]
    fn refuses_what_is_broken() {
        let good = "--b o\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b o--";
        assert!(read(good.as_bytes()).is_ok());
        for (body, word) in [
            ("", "begin"),
            (&good[..good.len() - 9], "no end"),
            (&good.replace("; name=a", ""), "name"),
            (&good.replace("Content-Disposition", "X"), "Disposition"),
            (&good.replace("\r\n\r\nx", ""), "no end"),
            (&good.replace("b o\r\n", "b o "), "line"),
        ] {
            let error = read(body.as_bytes()).expect_err(body);
            assert!(error.contains(word), "{body}: {error}");
        }
        assert!(parts("multipart/form-data", &Bytes::new()).is_err());
        let many =
            "--b o\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n".repeat(MOST_PARTS + 1);
        assert!(read(format!("{many}--b o--").as_bytes()).is_err());
    }
}
