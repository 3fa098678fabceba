//! Paths with parameters, each with what answers it.

use crate::exchange::{Answer, Call, Outcome};
use crate::form;

/// What a handler makes of a request: an outcome, or a refusal.
///
/// A service's own kind of refusal becomes an answer by `impl From<Refused> for Answer`, so that `?` does.
pub(crate) type Handled = Result<Outcome, Answer>;

/// A method and a path of the service `S`, and what answers it.
///
/// A path is written as `/channels/{channel}/messages` or `/bot{token}/{method}`: a parameter fills a
/// segment or a part of one.
pub(crate) struct Route<S> {
    method: &'static str,
    pattern: &'static str,
    handler: fn(&mut S, &Call, &Params) -> Handled,
}

impl<S> Route<S> {
    /// A route of any method.
    pub(crate) const fn new(
        method: &'static str,
        pattern: &'static str,
        handler: fn(&mut S, &Call, &Params) -> Handled,
    ) -> Route<S> {
        Route { method, pattern, handler }
    }

    /// A route of POST.
    pub(crate) const fn post(
        pattern: &'static str,
        handler: fn(&mut S, &Call, &Params) -> Handled,
    ) -> Route<S> {
        Route::new("POST", pattern, handler)
    }

    /// A route of GET.
    pub(crate) const fn get(
        pattern: &'static str,
        handler: fn(&mut S, &Call, &Params) -> Handled,
    ) -> Route<S> {
        Route::new("GET", pattern, handler)
    }
}

/// The parameters of a path, percent-decoded.
#[derive(Debug, PartialEq)]
pub(crate) struct Params(Vec<(&'static str, String)>);

impl Params {
    /// The value of a parameter; empty for a name that the pattern has not.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value)
    }
}

/// Why no route answers.
#[derive(Debug, PartialEq)]
pub(crate) enum Missed {
    /// No route has this path.
    Path,
    /// The path is known with these methods only.
    Method(String),
}

impl From<Missed> for Outcome {
    fn from(missed: Missed) -> Outcome {
        match missed {
            Missed::Path => Answer::not_found().into(),
            Missed::Method(allowed) => Answer::wrong_method(&allowed).into(),
        }
    }
}

/// Lets the first route that fits answer.
///
/// `route::answer(self, call, ROUTES).unwrap_or_else(Outcome::from)` is a whole service.
pub(crate) fn answer<S>(
    service: &mut S,
    call: &Call,
    routes: &[Route<S>],
) -> Result<Outcome, Missed> {
    let mut allowed = Vec::new();
    for route in routes {
        let Some(params) = params(route.pattern, &call.path) else { continue };
        if route.method == call.method {
            return Ok((route.handler)(service, call, &params).unwrap_or_else(Outcome::from));
        }
        allowed.push(route.method);
    }
    match allowed.is_empty() {
        true => Err(Missed::Path),
        false => Err(Missed::Method(allowed.join(", "))),
    }
}

/// The parameters of `path`, where it fits `pattern`; none of them is empty.
pub(crate) fn params(pattern: &'static str, path: &str) -> Option<Params> {
    let (mut params, mut segments) = (Vec::new(), path.split('/'));
    for wanted in pattern.split('/') {
        let segment = segments.next()?;
        let Some((before, rest)) = wanted.split_once('{') else {
            if segment != wanted {
                return None;
            }
            continue;
        };
        let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
        let value = segment.strip_prefix(before)?.strip_suffix(after)?;
        let value = form::unescape(value, false).filter(|value| !value.is_empty())?;
        params.push((name, value));
    }
    segments.next().is_none().then_some(Params(params))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counter(u32);

    const ROUTES: &[Route<Counter>] = &[
        Route::get("/things/{id}", |counter, _, params| {
            counter.0 += 1;
            Ok(Answer::plain(200, params.get("id")).into())
        }),
        Route::post("/things/{id}", |_, _, _| Err(Answer::plain(403, "no"))),
    ];

    fn ask(counter: &mut Counter, method: &str, path: &str) -> Outcome {
        let call = Call { method: method.to_owned(), path: path.to_owned(), ..Call::default() };
        answer(counter, &call, ROUTES).unwrap_or_else(Outcome::from)
    }

    #[test]
    fn finds_the_route_of_a_method_and_a_path() {
        let mut counter = Counter(0);
        assert_eq!(ask(&mut counter, "GET", "/things/a%20b").answer.body, b"a b\n");
        assert_eq!(ask(&mut counter, "POST", "/things/a").answer.status, 403);
        let wrong = ask(&mut counter, "PUT", "/things/a").answer;
        assert_eq!(wrong.status, 405);
        assert_eq!(wrong.headers, [("allow".to_owned(), "GET, POST".to_owned())]);
        for path in ["/things", "/things/", "/things/a/b", "/thing/a", "/things/%ff"] {
            assert_eq!(ask(&mut counter, "GET", path).answer.status, 404, "{path}");
        }
        assert_eq!(counter.0, 1);
    }

    #[test]
    fn a_parameter_may_be_a_part_of_a_segment() {
        let found = params("/bot{token}/{method}", "/bot1:A/sendMessage").expect("fits");
        assert_eq!((found.get("token"), found.get("method")), ("1:A", "sendMessage"));
        assert_eq!(found.get("other"), "");
        assert_eq!(params("/bot{token}/{method}", "/bot/sendMessage"), None);
        let found = params("/{key}.send", "/SCT1.send").expect("fits");
        assert_eq!(found.get("key"), "SCT1");
    }
}
