//! How long a text is to Weibo: its web client's count, which is assumed to hold for messages too.

/// A URL counts as this many half-width characters, however long it is,
const URL: usize = 20;
/// up to this length; what is longer counts in full beyond it.
const URL_MOST: usize = 140;
/// A URL of Weibo itself counts its own length up to this.
const OWN_URL_MOST: usize = 41;

/// The length in units of a Chinese character, rounded up: UTF-16 units up to U+00FF count half.
pub fn units(text: &str) -> usize {
    let mut halves = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let url = url_at(rest);
        if url > 0 {
            halves += url_halves(&rest[..url]);
            rest = &rest[url..];
        } else {
            let c = rest.chars().next().unwrap_or_default();
            halves += if u32::from(c) <= 0xFF { 1 } else { 2 * c.len_utf16() };
            rest = &rest[c.len_utf8()..];
        }
    }
    halves.div_ceil(2)
}

/// The length of the URL that the text begins with, or 0.
fn url_at(text: &str) -> usize {
    let scheme = ["http://", "https://"].into_iter().find(|scheme| text.starts_with(scheme));
    let Some(scheme) = scheme else { return 0 };
    let part = |b: &u8| b.is_ascii_alphanumeric() || b"-_.!~*'();/?:@&=+$,%#".contains(b);
    let rest = text.as_bytes()[scheme.len()..].iter().take_while(|b| part(b)).count();
    if rest == 0 { 0 } else { scheme.len() + rest }
}

fn url_halves(url: &str) -> usize {
    let host = url.split("://").nth(1).unwrap_or_default();
    let host = host.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let is_own = |own: &str| host == own || host.ends_with(&format!(".{own}"));
    if host == "t.cn" {
        url.len()
    } else if is_own("weibo.com") || is_own("t.sina.com.cn") {
        url.len().min(OWN_URL_MOST)
    } else {
        URL + url.len().saturating_sub(URL_MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::units;

    #[test]
    fn lengths_agree_with_the_web_client() {
        for (text, length) in [
            ("", 0),
            ("a", 1),
            ("ab", 1),
            ("abc", 2),
            ("你好", 2),
            ("你好a", 3),
            ("你好ab", 3),
            ("👍", 2),
            ("é", 1),
            ("看 http://example.com/a/very/long/path 吧", 13),
            ("看 http://t.cn/abc 吧", 11),
            (&"你".repeat(300), 300),
            (&"a".repeat(600), 300),
            (&"a".repeat(601), 301),
        ] {
            assert_eq!(units(text), length, "{text:.20}");
        }
    }
}
