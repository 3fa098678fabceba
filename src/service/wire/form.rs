//! Percent-encoding of forms, queries and signature base strings.

/// The type of a form.
pub const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";

/// What stands for a byte: up to three bytes from the lowest on, and in the highest how many.
type Table = [u32; 256];

/// RFC 3986: what OAuth 1.0a signs and queries carry.
static RFC_3986: Table = table(b"%20");
/// `application/x-www-form-urlencoded`: spaces become `+`.
static FORM: Table = table(b"+");

/// Unreserved bytes stand for themselves, any other for its `%XX`.
const fn table(space: &[u8]) -> Table {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let byte = i as u8;
        table[i] = u32::from_le_bytes(match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => [byte, 0, 0, 1],
            b' ' if space.len() == 1 => [space[0], 0, 0, 1],
            _ => [b'%', HEX[i >> 4], HEX[i & 15], 3],
        });
        i += 1;
    }
    table
}

fn push(out: &mut Vec<u8>, text: &str, table: &Table) {
    let mut end = out.len();
    // Four bytes are written for each, however many count: the last may reach beyond its end.
    out.resize(end + text.len() * 3 + 1, 0);
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    for word in words {
        match out[end..].first_chunk_mut::<25>() {
            // Other scripts: each byte becomes three, so that their places are known.
            Some(room) if u64::from_le_bytes(*word) & HIGH == HIGH => {
                for (i, &byte) in word.iter().enumerate() {
                    room[i * 3..i * 3 + 4].copy_from_slice(&table[usize::from(byte)].to_le_bytes());
                }
                end += 24;
            }
            _ => end = push_each(out, end, word, table),
        }
    }
    end = push_each(out, end, rest, table);
    out.truncate(end);
}

/// The highest bit of eight bytes.
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

fn push_each(out: &mut [u8], mut end: usize, bytes: &[u8], table: &Table) -> usize {
    for &byte in bytes {
        let entry = table[usize::from(byte)];
        out[end..end + 4].copy_from_slice(&entry.to_le_bytes());
        end += (entry >> 24) as usize;
    }
    end
}

/// Appends the text percent-encoded by RFC 3986: what OAuth 1.0a signs and queries carry.
pub fn push_encoded(out: &mut Vec<u8>, text: &str) {
    push(out, text, &RFC_3986);
}

/// The text percent-encoded by RFC 3986.
pub fn encoded(text: &str) -> String {
    let mut out = Vec::new();
    push_encoded(&mut out, text);
    out.into_iter().map(char::from).collect()
}

/// A body of type `application/x-www-form-urlencoded`: spaces become `+`.
pub fn body(params: &[(&str, String)]) -> Vec<u8> {
    let most = params.iter().map(|(name, value)| (name.len() + value.len()) * 3 + 4).sum();
    let mut out = Vec::with_capacity(most);
    params.iter().for_each(|(name, value)| push_pair(&mut out, name, value));
    out
}

/// Appends a pair to a form; the names of documents stand for themselves.
pub fn push_pair(out: &mut Vec<u8>, name: &str, value: &str) {
    debug_assert!(name.bytes().all(|byte| FORM[usize::from(byte)] >> 24 == 1 && byte != b' '));
    if !out.is_empty() {
        out.push(b'&');
    }
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    push(out, value, &FORM);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_what_its_standard_says() {
        let all: String = (0..=127u8).map(char::from).chain(['é', '雁']).collect();
        let rfc: String = all.bytes().map(|byte| one(byte, "%20")).collect();
        assert_eq!(encoded(&all), rfc);
        let form: String = all.bytes().map(|byte| one(byte, "+")).collect();
        assert_eq!(body(&[("a", all), ("b", String::new())]), format!("a={form}&b=").into_bytes());
    }

    #[test]
    fn texts_of_any_script_and_length_are_encoded_byte_by_byte() {
        for text in ["你好雁门关外", "a你b好c雁", "é", "👍👍👍👍 👍👍👍👍", "鸿雁 sends 信"]
        {
            for times in 0..9 {
                let text = text.repeat(times);
                let form: String = text.bytes().map(|byte| one(byte, "+")).collect();
                assert_eq!(body(&[("a", text)]), format!("a={form}").into_bytes());
            }
        }
    }

    fn one(byte: u8, space: &str) -> String {
        match char::from(byte) {
            ' ' => space.to_owned(),
            c if c.is_ascii_alphanumeric() || "-._~".contains(c) => c.to_string(),
            _ => format!("%{byte:02X}"),
        }
    }
}
