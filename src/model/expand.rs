//! Replaces `${env:NAME}` and `${file:PATH}` in configuration strings.

use serde_json::Value;

use super::error::{Error, ErrorCode, Result};
use super::fields::shown_path;
use super::file::read_regular;

/// The longest file that `${file:…}` reads.
const MAX_SECRET: u64 = 1 << 20;

/// Where a credential stands that is not in the configuration itself.
#[derive(Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// An environment variable.
    Env(&'a str),
    /// A file, of which one trailing newline is dropped.
    File(&'a str),
}

/// Replaces every reference in every string of `value`; `look_up` says what stands behind one.
pub fn expand(
    value: &mut Value,
    path: &str,
    look_up: &dyn Fn(Reference<'_>) -> std::result::Result<String, String>,
) -> Result<()> {
    match value {
        Value::String(text) if text.contains('$') => {
            *text = expanded(text, look_up)
                .map_err(|why| Error::new(ErrorCode::Config, why).at(path.to_owned()))?;
            Ok(())
        }
        Value::Object(map) => map
            .iter_mut()
            .try_for_each(|(name, value)| expand(value, &format!("{path}.{name}"), look_up)),
        Value::Array(items) => items
            .iter_mut()
            .enumerate()
            .try_for_each(|(i, value)| expand(value, &format!("{path}[{i}]"), look_up)),
        _ => Ok(()),
    }
}

/// What stands behind a reference in this process, or why nothing does.
pub fn look_up(reference: Reference<'_>) -> std::result::Result<String, String> {
    match reference {
        Reference::Env(name) => std::env::var(name)
            .map_err(|_| format!("the environment variable {name} is not set, or is not UTF-8")),
        Reference::File(path) => {
            let shown = shown_path(path);
            let bytes =
                read_regular(path, MAX_SECRET).map_err(|e| format!("cannot read {shown}: {e}"))?;
            let text =
                String::from_utf8(bytes).map_err(|_| format!("{shown} does not hold UTF-8"))?;
            let text = text
                .strip_suffix('\n')
                .map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t));
            Ok(text.to_owned())
        }
    }
}

fn expanded(
    text: &str,
    look_up: &dyn Fn(Reference<'_>) -> std::result::Result<String, String>,
) -> std::result::Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(literal) = rest.strip_prefix("$${") {
            out.push_str("${");
            rest = literal;
        } else if let Some(inside) = rest.strip_prefix("${") {
            let end = inside
                .find('}')
                .ok_or("\"${\" without \"}\"; write \"$${\" for a literal \"${\"")?;
            let reference = match inside[..end].split_once(':') {
                Some(("env", name)) if !name.is_empty() => Reference::Env(name),
                Some(("file", path)) if !path.is_empty() => Reference::File(path),
                _ => {
                    return Err(
                        "only ${env:NAME} and ${file:PATH} are known; write \"$${\" for a \
                                literal \"${\""
                            .to_owned(),
                    );
                }
            };
            out.push_str(&look_up(reference)?);
            rest = &inside[end + 1..];
        } else {
            out.push('$');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> std::result::Result<String, String> {
        expanded(text, &|reference| match reference {
            Reference::Env("A") => Ok("1".to_owned()),
            Reference::File("/b") => Ok("2".to_owned()),
            other => Err(format!("{other:?} is missing")),
        })
    }

    #[test]
    fn references_are_replaced_and_literals_kept() {
        assert_eq!(with("x${env:A}y${file:/b}$z$").expect("known"), "x1y2$z$");
        assert_eq!(with("$${env:A}$5").expect("literal"), "${env:A}$5");
        assert_eq!(with("$$${env:A}").expect("first match wins"), "$${env:A}");
    }

    #[test]
    fn what_is_missing_or_malformed_is_refused() {
        for text in ["${env:NOPE}", "${env:}", "${what:A}", "${env:A", "${}"] {
            assert!(with(text).is_err(), "{text}");
        }
    }
}
