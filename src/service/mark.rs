//! What of a draft outlives its process: with the begin mark stands what a later run needs to send the
//! same message again.

use serde::{Deserialize, Serialize};

use super::api::Draft;

/// What is written of a draft beside its body.
#[derive(Default, Deserialize, Serialize)]
struct Mark {
    /// What the service knows it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dedupe: Option<String>,
    /// What its steps gave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    kept: Vec<(String, String)>,
}

/// A longer body is not copied for a later run, in bytes: it is made anew of the message.
const LONG: usize = 1 << 20;

impl Draft {
    /// The body for a later run; empty where that makes it anew, none where it sends it never again.
    pub fn kept_body(&self) -> Option<Vec<u8>> {
        let body = || if self.is_long() { Vec::new() } else { self.body.to_vec() };
        self.dedupe.as_ref().map(|_| body())
    }

    fn is_long(&self) -> bool {
        !self.rest.is_empty() || self.body.len() > LONG
    }

    /// What a later run has to know beside the body; none where that is nothing.
    pub fn mark(&self) -> Option<String> {
        // A value that stands in the body is kept with that.
        let is_long = self.is_long();
        let dedupe = self.dedupe.as_ref().filter(|dedupe| dedupe.at.is_none() || is_long);
        let dedupe = dedupe.map(|dedupe| dedupe.value.clone());
        let kept = self.kept.iter().map(|(name, value)| (name.to_string(), value.clone()));
        let mark = Mark { dedupe, kept: kept.collect() };
        let is_empty = mark.dedupe.is_none() && mark.kept.is_empty();
        serde_json::to_string(&mark).ok().filter(|_| !is_empty)
    }

    /// Takes over what an earlier process sent: the service is to know it again, so that neither bytes
    /// nor value are made anew; of what is long the value alone, by which it is known. False if what was
    /// written of it cannot be read.
    pub fn recover(&mut self, body: Vec<u8>, mark: Option<&str>) -> bool {
        let Ok(mark) = mark.map(serde_json::from_str::<Mark>).transpose() else { return false };
        let Mark { dedupe, kept } = mark.unwrap_or_default();
        let is_anew = body.is_empty() && self.is_long();
        let Some(own) = &mut self.dedupe else { return false };
        match dedupe {
            Some(value) if is_anew => self.know_by(value),
            None if is_anew => return false,
            Some(value) if own.at.is_none() => own.value = value,
            None if own.at.is_some() => {}
            // It is not told in the way in which this version would tell it.
            _ => return false,
        }
        if let Some(own) = &mut self.dedupe {
            own.renew = None;
        }
        if !is_anew {
            (self.body, self.rest) = (body.into(), Vec::new());
        }
        self.kept = kept.into_iter().map(|(name, value)| (name.into(), value)).collect();
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::service::api::{Dedupe, Seed};

    fn draft(value: &str, at: Option<std::ops::Range<usize>>) -> Draft {
        let window = Duration::from_secs(60);
        let renew = Some((|seed: Seed| seed.0.to_string()) as fn(Seed) -> String);
        let dedupe = Dedupe { value: value.to_owned(), at, window, renew };
        Draft { body: value.to_owned().into(), dedupe: Some(dedupe), ..Draft::default() }
    }

    #[test]
    fn the_value_is_the_same_wherever_it_stands() {
        for (at, in_mark) in [(None, true), (Some(0..3), false)] {
            let mut sent = draft("one", at.clone());
            sent.keep("channel", "c7".to_owned());
            let mark = sent.mark().expect("a channel is kept");
            assert_eq!(mark.contains("one"), in_mark, "{mark}");
            let mut again = draft("two", at);
            assert!(again.recover(sent.body.to_vec(), Some(&mark)));
            assert_eq!((&again.body, again.kept("channel")), (&sent.body, Some("c7")));
            let dedupe = again.dedupe.as_ref().expect("it is recognised");
            assert!(in_mark == (dedupe.value == "one") && dedupe.by_caller());
            assert!(!again.renew(Seed(7)), "it is never made anew");
        }
    }

    #[test]
    fn a_long_body_is_made_anew_and_known_by_the_same_value() {
        for at in [None, Some(0..3)] {
            let long = |value| {
                let rest = vec![bytes::Bytes::from_static(b"file")];
                Draft { rest, ..draft(value, at.clone()) }
            };
            let sent = long("one");
            assert_eq!(sent.kept_body().as_deref(), Some(&b""[..]), "nothing is copied");
            let mut again = long("two");
            assert!(again.recover(Vec::new(), sent.mark().as_deref()));
            let in_body: &[u8] = if at.is_some() { b"one" } else { b"two" };
            assert_eq!((&again.body[..], &again.rest), (in_body, &sent.rest));
            assert_eq!(again.dedupe.as_ref().map(|dedupe| &*dedupe.value), Some("one"));
            assert!(!again.renew(Seed(7)), "it is never made anew");
            assert!(!long("two").recover(Vec::new(), None), "nobody knows by what");
        }
    }

    #[test]
    fn what_is_not_known_for_certain_is_not_taken_over() {
        assert_eq!(Draft::default().mark(), None);
        assert_eq!(draft("one", Some(0..3)).mark(), None, "it stands in the body");
        let body = || b"one".to_vec();
        assert!(draft("two", Some(0..3)).recover(body(), None), "as older files have it");
        for (mut draft, mark) in [
            (Draft::default(), None),
            (Draft::default(), Some(r#"{"dedupe":"one"}"#)),
            (draft("two", None), None),
            (draft("two", None), Some("{")),
            (draft("two", None), Some(r#"{"kept":[["channel","c7"]]}"#)),
            (draft("two", Some(0..3)), Some(r#"{"dedupe":"one"}"#)),
        ] {
            assert!(!draft.recover(body(), mark), "{mark:?}");
        }
    }
}
