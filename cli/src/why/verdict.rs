//! Which row of a service's verdict table stands behind a result.

use serde_json::Value;

use super::Kept;

/// What decided.
#[derive(Debug, PartialEq)]
pub enum Fired {
    /// A row of the table, with its service.
    Row(Value),
    /// A rule that holds for every service.
    Rule(&'static str),
}

/// What decided about the last answer.
pub fn fired(kept: &Kept) -> Fired {
    let Some(error) = &kept.error else {
        return Fired::Rule("the service's own success, whole and without contradiction");
    };
    let of = kept.service.as_deref().zip(error.service_code.as_deref());
    let row = of.and_then(|(service, code)| {
        // The service's own words, or else those that we made of them.
        let raw = kept.raw.as_deref().map(|raw| serde_json::from_str(raw.get()));
        let text = match raw.and_then(Result::ok) {
            None => error.message.clone(),
            Some(Value::String(text)) => text,
            // Written anew, so that no letter is escaped.
            Some(raw) => raw.to_string(),
        };
        row(service, code, &text, &error.name)
    });
    match (row, error.http_status, kept.attempts) {
        (Some(row), _, _) => Fired::Row(row),
        (None, _, 0) => Fired::Rule("refused before anything was sent; no row of a table"),
        (None, Some(_), _) => Fired::Rule(
            "by the HTTP status, as of every service: the answer was not the service's own",
        ),
        (None, None, _) => Fired::Rule(
            "by how far the request got, as of every service: not sent before its first byte went, \
             maybe sent after",
        ),
    }
}

/// The row of this code and text that gives an error of this name: rows with a text first, and in
/// each kind exact codes, then ranges, then the row for any code.
fn row(service: &str, code: &str, text: &str, name: &str) -> Option<Value> {
    let listing: Value = serde_json::from_str(hongyan::services_json()).ok()?;
    let services = listing["services"].as_array()?;
    let service_rows = services.iter().find(|known| known["name"] == service)?;
    let rows: Vec<&Value> =
        service_rows["verdicts"].as_array()?.iter().filter(|row| row["name"] == name).collect();
    let found = [true, false].into_iter().find_map(|with_text| {
        (0..3).find_map(|kind| {
            rows.iter().find(|row| {
                let own = row["text"].as_str().unwrap_or_default();
                own.is_empty() != with_text
                    && fits(row["code"].as_str().unwrap_or_default(), code, kind)
                    && text.to_ascii_lowercase().contains(&own.to_ascii_lowercase())
            })
        })
    })?;
    let mut found = (*found).clone();
    found["service"] = service.into();
    Some(found)
}

/// True if a row's code of this kind (one code, a range, any) is for this code.
fn fits(own: &str, code: &str, kind: usize) -> bool {
    let fold = |code: &str| code.replace('-', "_").to_ascii_lowercase();
    let range = || {
        let (from, to) = own.split_once('-')?;
        Some(from.parse::<u32>().ok()?..=to.parse().ok()?)
    };
    match kind {
        0 => own != "*" && fold(own) == fold(code),
        1 => range().zip(code.parse().ok()).is_some_and(|(range, code)| range.contains(&code)),
        _ => own == "*",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_is_the_one_that_the_library_took() {
        let note = |service, code, text, name| {
            row(service, code, text, name).map(|row| row["code"].as_str().map(str::to_owned))
        };
        let code = |code: &str| Some(Some(code.to_owned()));
        assert_eq!(note("fanfou", "404", "", "not_found"), code("404"));
        assert_eq!(note("tencent_im", "10023", "", "rate_limited"), code("10023"));
        assert_eq!(note("weibo", "987654", "", "service"), code("*"));
        assert_eq!(note("weibo", "10023", "", "panic"), None);
        assert_eq!(note("nobody", "404", "", "not_found"), None);
    }

    #[test]
    fn a_code_is_one_or_in_a_range_or_any() {
        assert!(fits("10-20", "15", 1) && !fits("10-20", "21", 1) && !fits("10-20", "x", 1));
        assert!(fits("TYPE_A", "type-a", 0) && !fits("*", "*", 0) && fits("*", "anything", 2));
    }
}
