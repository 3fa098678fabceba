//! A message as a reader sees it: its text cut into runs that look alike.
//!
//! This is for the page only: what a service takes and counts is its own business. What is not
//! understood stands as it was written.

mod html;
mod markdown;

use serde_json::{Value, json};

use crate::delivered::{Delivered, Entity, Format, Style};

/// The longest text that is shown as it looks; what follows is shown as it is written.
const LONGEST: usize = 20_000;

/// Text that looks the same from end to end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    pub text: String,
    pub styles: Vec<Style>,
}

impl Run {
    /// For the page: the text, the names of its styles, and where a link leads.
    fn to_json(&self) -> Value {
        let names: Vec<_> = self.styles.iter().map(Style::name).collect();
        let mut json = json!({"text": self.text, "styles": names});
        let link = self.styles.iter().find_map(|style| match style {
            Style::Link(url) => Some(url.as_str()),
            _ => None,
        });
        if let Some(url) = link {
            json["url"] = url.into();
        }
        json
    }
}

/// Collects runs; neighbours that look alike become one.
#[derive(Debug, Default)]
struct Runs(Vec<Run>);

impl Runs {
    fn push(&mut self, text: &str, styles: &[Style]) {
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(last) if last.styles == styles => last.text.push_str(text),
            _ => self.0.push(Run { text: text.to_owned(), styles: styles.to_vec() }),
        }
    }

    /// Whether a block may begin here.
    fn at_line_start(&self) -> bool {
        self.0.last().is_none_or(|run| run.text.ends_with('\n'))
    }
}

/// The runs of a message's text, as JSON.
pub(crate) fn to_json(delivered: &Delivered) -> Value {
    runs(delivered).iter().map(Run::to_json).collect()
}

/// The runs of a message's text.
pub(crate) fn runs(delivered: &Delivered) -> Vec<Run> {
    let text = delivered.text.as_str();
    let cut = text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at);
    let (shown, rest) = text.split_at(cut);
    let mut runs = Runs::default();
    match &delivered.format {
        Format::Plain => runs.push(shown, &[]),
        Format::Markdown(dialect) => markdown::read(shown, *dialect, &mut runs),
        Format::Html => html::read(shown, &mut runs),
        Format::Entities(entities) => ranges(shown, entities, &mut runs),
    }
    runs.push(rest, &[]);
    runs.0
}

/// Cuts the text wherever a range begins or ends.
fn ranges(text: &str, entities: &[Entity], runs: &mut Runs) {
    let mut cuts: Vec<_> = entities.iter().flat_map(|one| [one.start, one.end]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let (mut cuts, mut from) = (cuts.into_iter().peekable(), 0);
    let chars: Vec<_> = text.chars().collect();
    while from < chars.len() {
        while cuts.next_if(|cut| *cut <= from).is_some() {}
        let to = cuts.peek().copied().unwrap_or(chars.len()).min(chars.len());
        let within = |one: &&Entity| one.start <= from && from < one.end;
        let styles: Vec<_> = entities.iter().filter(within).map(|one| one.style.clone()).collect();
        runs.push(&chars[from..to].iter().collect::<String>(), &styles);
        from = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_may_overlap_and_lie_outside() {
        let entity = |start, end, style| Entity { start, end, style };
        let entities = vec![
            entity(0, 2, Style::Bold),
            entity(1, 3, Style::Italic),
            entity(4, 99, Style::Code),
            entity(7, 3, Style::Pre),
        ];
        let delivered = Delivered {
            format: Format::Entities(entities),
            ..Delivered::to("", "", "你好ab😀")
        };
        let runs = runs(&delivered);
        let plain: Vec<_> = runs.iter().map(|run| (run.text.as_str(), run.styles.len())).collect();
        assert_eq!(plain, [("你", 1), ("好", 2), ("a", 1), ("b", 0), ("😀", 1)]);
    }

    #[test]
    fn what_is_too_long_is_shown_as_written() {
        let text = format!("{}**b**", "x".repeat(LONGEST));
        let format = Format::Markdown(crate::delivered::Dialect::CommonMark);
        let delivered = Delivered { format, ..Delivered::to("", "", text.as_str()) };
        let runs = runs(&delivered);
        assert_eq!(runs.iter().map(|run| run.text.as_str()).collect::<String>(), text);
    }
}
