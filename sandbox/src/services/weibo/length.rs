//! How long a text is for Weibo.

/// What any URL counts, in half characters.
const URL: usize = 20;
/// Own URLs up to this length count what they are long.
const OWN_URL: usize = 41;
/// What is beyond this length of a URL counts on top.
const LONG_URL: usize = 140;

/// The length in Chinese characters, rounded up, as the site's own counter has it.
///
/// Assumed: direct messages are counted like posts.
pub(super) fn length(text: &str) -> usize {
    let mut halves = 0;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let url = url(rest);
        let (step, weight) = match weight(url) {
            Some(weight) => (url.len(), weight),
            None => (c.len_utf8(), if c <= '\u{ff}' { 1 } else { 2 * c.len_utf16() }),
        };
        halves += weight;
        rest = &rest[step..];
    }
    halves.div_ceil(2)
}

/// What a URL counts; `None` where there is none, or one that counts as text.
fn weight(url: &str) -> Option<usize> {
    let (_, host) = url.split_once("://")?;
    if host.starts_with("t.cn") {
        return None;
    }
    let own = host.starts_with("weibo.com") || host.starts_with("t.sina");
    Some(match url.len() {
        length if own && length <= OWN_URL => length,
        length => URL + length.saturating_sub(LONG_URL),
    })
}

/// The URL that `text` begins with, or nothing.
fn url(text: &str) -> &str {
    let host_at = match text.as_bytes() {
        [b'h', b't', b't', b'p', b':', b'/', b'/', ..] => 7,
        [b'h', b't', b't', b'p', b's', b':', b'/', b'/', ..] => 8,
        _ => return "",
    };
    let host = &text[host_at..];
    let of_host = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let mut labels = host[..host.find(|c| !of_host(c)).unwrap_or(host.len())].split('.');
    // Two labels at least, none of them empty.
    if !(0..2).all(|_| labels.next().is_some_and(|label| !label.is_empty())) {
        return "";
    }
    let of_url = |c: char| c.is_ascii_alphanumeric() || "-_$.+!*()/,:;@&=?~#%".contains(c);
    let end = text.find(|c| !of_url(c)).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn counts_the_vectors() {
        let vectors = include_str!("../../../tests/vectors/weibo_length.json");
        let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
        assert_eq!(vectors.len(), 14);
        for vector in vectors {
            let text = vector["text"].as_str().unwrap();
            let text = match text.split_once('*') {
                Some((one, times)) => one.repeat(times.parse().unwrap()),
                None => text.to_owned(),
            };
            assert_eq!(Some(length(&text) as u64), vector["length"].as_u64(), "{text}");
        }
    }

    #[test]
    fn urls_count_flat_but_for_own_and_long_ones() {
        let long = |length: usize| format!("http://a.b/{}", "x".repeat(length - 11));
        for (text, halves) in [
            (long(140).as_str(), 20),
            (&long(150), 30),
            ("https://a.b", 20),
            ("http://weibo.com/abc", 20),
            ("http://weibo.com/abcdef", 23),
            (&format!("http://t.sina.com.cn/{}", "x".repeat(21)), 20),
            ("http://t.cn/abc", 15),
            ("http://a", 8),
            ("http://.a", 9),
            ("http:/a.b", 9),
        ] {
            // Three halves more make rounding visible.
            assert_eq!(length(text), usize::div_ceil(halves, 2), "{text}");
            assert_eq!(length(&format!("{text} 饭")), usize::div_ceil(halves + 3, 2), "{text}");
        }
    }
}
