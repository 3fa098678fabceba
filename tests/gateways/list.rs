//! What gateways, proxies and frameworks answer in the place of a service, and what that means.

/// The bodies, each under a line `=== NAME`; the line end before the next name is not part of one.
const BODIES: &str = include_str!("bodies.txt");

/// The bodies and their names.
pub fn bodies() -> Vec<(&'static str, &'static str)> {
    let parts = format!("\n{BODIES}").leak().split("\n=== ").skip(1);
    let named = |part: &'static str| {
        let (name, body) = part.split_once('\n').unwrap_or((part, ""));
        (name, body)
    };
    let mut bodies: Vec<_> = parts.map(named).collect();
    if let Some((_, body)) = bodies.last_mut() {
        *body = body.strip_suffix('\n').unwrap_or(body);
    }
    bodies
}

/// The statuses that gateways and their like answer with.
pub const STATUSES: [u16; 34] = [
    200, 201, 202, 203, 206, 207, 299, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405,
    407, 408, 413, 418, 429, 451, 499, 500, 502, 503, 504, 511, 520, 524, 599,
];

/// What the status says to a service of this name where the body says nothing: delivery and error.
pub fn by_status(service: &str, status: u16) -> (&'static str, &'static str) {
    match (service, status) {
        // Fanfou has no codes but these.
        ("fanfou", 400) => ("not_sent", "rejected"),
        ("fanfou", 401) => ("not_sent", "auth"),
        ("fanfou", 403) => ("not_sent", "forbidden"),
        ("fanfou", 404) => ("not_sent", "not_found"),
        // To a receiver of any kind the status is all there is.
        ("webhook", 401) => ("not_sent", "auth"),
        ("webhook", 403) => ("not_sent", "forbidden"),
        ("webhook", 404 | 410) => ("not_sent", "not_found"),
        ("webhook", 408) => ("maybe_sent", "service"),
        ("webhook", 413) => ("not_sent", "too_large"),
        ("webhook", 425 | 503) => ("not_sent", "service"),
        ("webhook", 501) => ("not_sent", "rejected"),
        (_, 429) => ("not_sent", "rate_limited"),
        ("webhook", 300..=499) => ("not_sent", "rejected"),
        (_, 300..=499) => ("not_sent", "protocol"),
        (_, 500..=599) => ("maybe_sent", "service"),
        _ => ("maybe_sent", "protocol"),
    }
}
