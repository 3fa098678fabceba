//! The paragraphs of a Feishu post.

use serde_json::{Value, json};

use super::write::Written;
use crate::service::wire::json::object;

/// The styles that words can have.
const STYLES: [&str; 4] = ["bold", "italic", "underline", "lineThrough"];

/// What was written, as JSON: a list of lines, each a list of words, links and mentions.
pub fn post(written: &Written) -> String {
    let text = &written.text;
    let mut ends: Vec<usize> =
        written.marks.iter().flat_map(|mark| [mark.start, mark.end]).collect();
    ends.push(text.len());
    ends.sort_unstable();
    ends.dedup();
    let mut lines: Vec<Vec<Value>> = vec![Vec::new()];
    let mut start = 0;
    // Those that may reach beyond the place, in the order in which they begin.
    let mut marks: Vec<_> = written.marks.iter().collect();
    marks.sort_by_key(|mark| mark.start);
    let (mut begun, mut open) = (0, Vec::new());
    for end in ends.into_iter().filter(|end| *end > 0) {
        while let Some(mark) = marks.get(begun).filter(|mark| mark.start <= start) {
            open.push(*mark);
            begun += 1;
        }
        open.retain(|mark| mark.end > start);
        let find =
            |kind: &str| open.iter().find(|mark| mark.kind == kind).map(|mark| mark.value.as_str());
        let styles: Vec<_> = STYLES.into_iter().filter(|kind| find(kind).is_some()).collect();
        let run = |words: &str, lines: &mut Vec<Vec<Value>>| {
            let mut element = match (find("text_mention"), find("text_link")) {
                (Some(user), _) => object! {"tag": "at", "user_id": user},
                (None, Some(url)) => object! {"tag": "a", "text": words, "href": url},
                (None, None) => object! {"tag": "text", "text": words},
            };
            if !styles.is_empty() && element["tag"] != "at" {
                element["style"] = json!(styles);
            }
            lines.last_mut().map(|line| line.push(element))
        };
        for (n, words) in text[start..end].split('\n').enumerate() {
            if n > 0 {
                lines.push(Vec::new());
            }
            if !words.is_empty() {
                run(words, &mut lines);
            }
        }
        start = end;
    }
    json!(lines).to_string()
}
