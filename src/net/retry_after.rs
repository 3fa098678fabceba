//! How long a service wants to be left alone, by its headers: `Retry-After`, or when its limit begins anew.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::header::{HeaderMap, HeaderValue, RETRY_AFTER};

/// What is told where more is told than can be counted.
const FOR_EVER: Duration = Duration::from_millis(i64::MAX as u64);

/// The longest time that the answer tells to wait, rounded up to milliseconds; `None` if it tells none.
///
/// `now` is the service's clock, by which dates count; ours stands in where it says nothing. Decimals,
/// signs, exponents and what follows a number are no HTTP, but are sent: whoever does that means to be
/// left alone no less, and is never asked again earlier than it told.
pub fn retry_after(headers: &HeaderMap, now: Option<u64>) -> Option<Duration> {
    let values = headers.get_all(RETRY_AFTER).iter().filter_map(|value| value.to_str().ok());
    values.filter_map(|value| longest(value, now)).max()
}

/// Where services tell with a 429 when their limit begins anew.
const RESETS: [&str; 4] =
    ["x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset", "x-ogw-ratelimit-reset"];

/// The time until the limit begins anew that refused a request, for a 429 that has no `Retry-After`.
///
/// Each service counts in its own way: seconds from now, seconds or milliseconds of Unix time, a time in
/// ISO 8601. They are told apart by how large the number is.
pub fn reset(headers: &HeaderMap, now: Option<u64>) -> Option<Duration> {
    const YEAR_2001: f64 = 1e9;
    let values = RESETS.iter().flat_map(|name| headers.get_all(*name));
    let until = |value: &HeaderValue| {
        let value = value.to_str().ok()?.trim();
        let now = || unix_ms(now) as f64 / 1000.0;
        let told = match value.parse::<f64>().ok().filter(|number| number.is_finite()) {
            Some(seconds) if seconds < YEAR_2001 => seconds,
            Some(seconds) if seconds < YEAR_2001 * 1000.0 => seconds - now(),
            Some(ms) => ms / 1000.0 - now(),
            None => iso_8601(value)? - now(),
        };
        Some(Duration::try_from_secs_f64(told.max(0.0)).map_or(FOR_EVER, rounded_up))
    };
    values.filter_map(until).max()
}

/// Unix seconds of a time in UTC such as `2026-01-01T00:05:00.000Z`.
fn iso_8601(text: &str) -> Option<f64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let part = |text: &str, most: f64| {
        let is_number = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        text.parse::<f64>().ok().filter(|number| is_number && *number < most)
    };
    let mut date = date.splitn(3, '-').map(|text| text.parse::<u16>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.splitn(3, ':');
    let (hours, minutes) = (part(time.next()?, 24.0)?, part(time.next()?, 60.0)?);
    let seconds = part(time.next()?, 61.0)?;
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days from 1970, in years that begin in March.
    let (year, month) = (i32::from(year) - i32::from(month < 3), (i32::from(month) + 9) % 12);
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5;
    let days = days + i32::from(day) - 719_469;
    Some(f64::from(days) * 86_400.0 + hours * 3600.0 + minutes * 60.0 + seconds)
}

/// Unix milliseconds, by the service's clock if that is told.
fn unix_ms(now: Option<u64>) -> u64 {
    let own = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    now.map_or_else(
        || u64::try_from(own()).unwrap_or(u64::MAX),
        |seconds| seconds.saturating_mul(1000),
    )
}

/// The longest time of a list; a date holds a comma itself.
fn longest(value: &str, now: Option<u64>) -> Option<Duration> {
    let mut items = value.split(',').map(str::trim).peekable();
    let mut longest = None;
    while let Some(item) = items.next() {
        let dated = items.peek().and_then(|next| until(&format!("{item}, {next}"), now));
        if dated.is_some() {
            items.next();
        }
        longest = longest.max(dated.or_else(|| until(item, now)).or_else(|| seconds(item)));
    }
    longest
}

/// The time until an HTTP date, in any of its three formats.
fn until(date: &str, now: Option<u64>) -> Option<Duration> {
    let date = httpdate::parse_http_date(date).ok()?;
    let now = match now {
        Some(unix) => UNIX_EPOCH + Duration::from_secs(unix),
        None => SystemTime::now(),
    };
    Some(rounded_up(date.duration_since(now).unwrap_or_default()))
}

/// The seconds that text begins with, if nothing but their unit or a parameter follows.
fn seconds(text: &str) -> Option<Duration> {
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-');
    let mut end = text.find(|c| !is_number(c)).unwrap_or(text.len());
    // `1e3` is a number, `1 each` is none.
    if let Some(exponent) = text[end..].strip_prefix(['e', 'E']) {
        let digits = exponent.find(|c| !is_number(c)).unwrap_or(exponent.len());
        end += if digits > 0 { digits + 1 } else { 0 };
    }
    let (number, unit) = (text[..end].parse::<f64>().ok()?, text[end..].trim_start());
    if !(unit.is_empty() || unit.starts_with([';', 's', 'S'])) {
        return None;
    }
    // One that is negative tells as little as 0.
    Some(Duration::try_from_secs_f64(number.max(0.0)).map_or(FOR_EVER, rounded_up))
}

fn rounded_up(wait: Duration) -> Duration {
    let ms = wait.as_nanos().div_ceil(1_000_000);
    u64::try_from(ms).map_or(FOR_EVER, Duration::from_millis).min(FOR_EVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When these tests take place by the service's clock: Thu, 17 Nov 2011 03:45:20 GMT.
    const NOW: u64 = 1_321_501_520;

    fn told(values: &[&'static str], now: Option<u64>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(RETRY_AFTER, HeaderValue::from_static(value));
        }
        retry_after(&headers, now)
    }

    #[test]
    fn whatever_number_is_told_is_waited_for() {
        for (value, ms) in [
            ("120", 120_000),
            ("0", 0),
            ("1.5", 1500),
            ("1.", 1000),
            (".5", 500),
            ("1.1", 1100),
            ("0.0001", 1),
            ("1.0005", 1001),
            ("1e3", 1_000_000),
            ("1E-1", 100),
            ("1.5e+1", 15_000),
            ("  2 ", 2000),
            ("+2", 2000),
            ("007", 7000),
            ("2;foo", 2000),
            ("2 ; foo=1", 2000),
            ("120 seconds", 120_000),
            ("120s", 120_000),
            ("1.5 S", 1500),
            ("1,5", 5000),
            ("5, 2", 5000),
            ("soon, 3", 3000),
            ("-5", 0),
            ("4294967296", 4_294_967_296_000),
        ] {
            assert_eq!(told(&[value], None), Some(Duration::from_millis(ms)), "{value:?}");
        }
        for value in [
            "soon",
            "",
            "two",
            "1.2.3",
            "NaN",
            "inf",
            "infinity",
            "e3",
            ".",
            "-",
            "+",
            "5 minutes",
            "2h",
            "2011-11-17",
            "03:46:20",
            "0x10",
            "1e",
            "1_000",
        ] {
            assert_eq!(told(&[value], None), None, "{value:?}");
        }
    }

    #[test]
    fn what_cannot_be_counted_is_for_ever() {
        for value in [
            "9223372036854775807",
            "18446744073709551615",
            "18446744073709551616",
            "99999999999999999999999999999999",
            "1e30",
            "1e400",
        ] {
            assert_eq!(told(&[value], None), Some(FOR_EVER), "{value:?}");
        }
    }

    #[test]
    fn dates_count_by_the_service_s_clock_or_else_by_ours() {
        for date in [
            "Thu, 17 Nov 2011 03:46:20 GMT",
            "Thursday, 17-Nov-11 03:46:20 GMT",
            "Thu Nov 17 03:46:20 2011",
        ] {
            assert_eq!(told(&[date], Some(NOW)), Some(Duration::from_secs(60)), "{date}");
            assert_eq!(told(&[date], Some(NOW + 61)), Some(Duration::ZERO), "{date} has passed");
            assert_eq!(told(&[date], None), Some(Duration::ZERO), "{date} has passed by our clock");
        }
        let far = told(&["Fri, 31 Dec 9999 23:59:59 GMT"], None);
        assert!(far.is_some_and(|wait| wait > Duration::from_secs(7000 * 365 * 86_400)));
        assert_eq!(told(&["Fri, 31 Dec 1969 23:59:59 GMT"], Some(NOW)), None);
    }

    #[test]
    fn of_several_the_longest_counts() {
        let minute = "Thu, 17 Nov 2011 03:46:20 GMT";
        for (values, seconds) in [
            (&["1", "7", "3"][..], 7),
            (&["0", "soon", "2"], 2),
            (&["120", minute], 120),
            (&["30", minute], 60),
            (&["30, Thu, 17 Nov 2011 03:46:20 GMT"], 60),
            (&["Thu, 17 Nov 2011 03:46:20 GMT, 90"], 90),
        ] {
            assert_eq!(told(values, Some(NOW)), Some(Duration::from_secs(seconds)), "{values:?}");
        }
    }

    #[test]
    fn the_time_until_a_limit_begins_anew_is_told_in_five_ways() {
        let told = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.append(name, HeaderValue::from_static(value));
            reset(&headers, Some(NOW))
        };
        for (name, value, ms) in [
            ("x-ratelimit-reset", "7", 7000),
            ("x-rate-limit-reset", "0.25", 250),
            ("x-ogw-ratelimit-reset", "52", 52_000),
            ("ratelimit-reset", "1321501550", 30_000),
            ("x-ratelimit-reset", "1321501521500", 1500),
            ("x-ratelimit-reset", "2011-11-17T03:46:20.500Z", 60_500),
            ("x-ratelimit-reset", "2012-03-01T00:00:00Z", 9_058_480_000),
            ("x-ratelimit-reset", "1321501500", 0),
            ("x-ratelimit-reset", "-3", 0),
        ] {
            assert_eq!(told(name, value), Some(Duration::from_millis(ms)), "{name}: {value}");
        }
        for value in
            ["soon", "", "2011-13-01T00:00:00Z", "2011-11-17T25:00:00Z", "NaN", "inf", "2011-11-17"]
        {
            assert_eq!(told("x-ratelimit-reset", value), None, "{value}");
        }
    }
}
