//! Tokens that an app is given for its id and secret, and that end.

/// The tokens of one app: the same is given again until it is about to end.
#[derive(Debug)]
pub(crate) struct Tokens {
    name: &'static str,
    lasts_ms: u64,
    /// With no more than this left of it, a new one is given; the old one lives on to its end.
    renews_ms: u64,
    /// Each with when it ends, the last one at the end.
    given: Vec<(String, u64)>,
    count: u64,
}

/// What is known of a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Known {
    Live,
    Ended,
    Never,
}

impl Tokens {
    /// Tokens that begin with `name` and last so long.
    pub(crate) fn new(name: &'static str, lasts_ms: u64, renews_ms: u64) -> Tokens {
        Tokens { name, lasts_ms, renews_ms, given: Vec::new(), count: 0 }
    }

    /// A token, and the seconds that it lasts from now.
    pub(crate) fn give(&mut self, now_ms: u64) -> (String, u64) {
        if let Some((token, ends_ms)) = self.given.last()
            && *ends_ms > now_ms + self.renews_ms
        {
            return (token.clone(), (ends_ms - now_ms) / 1000);
        }
        self.count += 1;
        let token = format!("{}{:06}hongyan{:016x}", self.name, self.count, now_ms);
        self.given.push((token.clone(), now_ms + self.lasts_ms));
        let surplus = self.given.len().saturating_sub(100);
        self.given.drain(..surplus);
        (token, self.lasts_ms / 1000)
    }

    /// What is known of this token.
    pub(crate) fn know(&self, token: &str, now_ms: u64) -> Known {
        match self.given.iter().find(|(own, _)| own == token) {
            Some((_, ends_ms)) if now_ms < *ends_ms => Known::Live,
            Some(_) => Known::Ended,
            None => Known::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_given_until_it_is_about_to_end() {
        let mut tokens = Tokens::new("t-", 7_200_000, 300_000);
        let (first, lasts) = tokens.give(0);
        assert_eq!(lasts, 7200);
        assert_eq!(tokens.give(6_000_000), (first.clone(), 1200));
        let (second, lasts) = tokens.give(6_900_000);
        assert_ne!((&second, lasts), (&first, 300));
        assert_eq!(tokens.know(&first, 7_199_999), Known::Live);
        assert_eq!(tokens.know(&first, 7_200_000), Known::Ended);
        assert_eq!(tokens.know(&second, 7_200_000), Known::Live);
        assert_eq!(tokens.know("t-x", 0), Known::Never);
    }
}
