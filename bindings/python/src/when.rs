//! Times as Python gives them: seconds, and points in time.

use std::time::Duration;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyString};

use crate::encode::wrong_type;

/// The name of the time before which a message is not sent.
pub const NOT_BEFORE: &str = "not_before";

/// The end of the year 9999: a later time is given in milliseconds by mistake.
const LAST: f64 = 253_402_300_800.0;

/// A number of seconds, or `None`.
pub fn seconds(field: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    if value.is_none() {
        return Ok(None);
    }
    if !is_number(value) {
        return Err(wrong_type(field, "a number of seconds", value));
    }
    let seconds: f64 = value.extract()?;
    if seconds.is_nan() || seconds < 0.0 {
        return Err(PyValueError::new_err(format!("{field} must not be negative or NaN")));
    }
    Ok(Some(seconds))
}

/// The same in milliseconds.
pub fn milliseconds(seconds: f64) -> u64 {
    // Far below what an f64 holds exactly, or far beyond any time that matters.
    (seconds * 1000.0).round() as u64
}

/// The argument `timeout`: seconds, or None.
pub fn duration(timeout: &Bound<'_, PyAny>) -> PyResult<Option<Duration>> {
    // What is too long for the clock is as good as no limit.
    Ok(seconds("timeout", timeout)?.and_then(|s| Duration::try_from_secs_f64(s).ok()))
}

/// A point in time in Unix milliseconds: from Unix seconds, a datetime with its zone, or RFC 3339 text.
pub fn unix_ms(value: &Bound<'_, PyAny>) -> PyResult<u64> {
    let py = value.py();
    let wrong = |words: &str| PyValueError::new_err(format!("{NOT_BEFORE} {words}"));
    let seconds = if is_number(value) {
        value.extract::<f64>()?
    } else if let Ok(text) = value.cast::<PyString>() {
        let text = text.to_cow()?;
        let told = rfc3339(&text);
        told.ok_or_else(|| {
            wrong("as text must be a time with its zone, such as 2026-10-01T08:00:00+08:00")
        })?
    } else {
        let zone = value.getattr_opt(intern!(py, "tzinfo"))?;
        let timestamp = value.getattr_opt(intern!(py, "timestamp"))?;
        let (Some(zone), Some(timestamp)) = (zone, timestamp) else {
            let words = "Unix time in seconds, a datetime with its time zone, or a str of RFC 3339";
            return Err(wrong_type(NOT_BEFORE, words, value));
        };
        if zone.is_none() {
            return Err(wrong("has no time zone: which of the world's clocks shows that time?"));
        }
        timestamp.call0()?.extract::<f64>().map_err(|_| PyTypeError::new_err(NOT_BEFORE))?
    };
    if seconds.is_nan() || seconds < 0.0 {
        return Err(wrong("must not be negative or NaN"));
    }
    if seconds >= LAST {
        return Err(wrong("is after the year 9999: it is Unix time in seconds, not milliseconds"));
    }
    Ok(milliseconds(seconds))
}

fn is_number(value: &Bound<'_, PyAny>) -> bool {
    let is_number = value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>();
    is_number && !value.is_instance_of::<PyBool>()
}

/// Unix seconds of a time as RFC 3339 writes it, `2026-10-01T08:00:00.5+08:00`.
fn rfc3339(text: &str) -> Option<f64> {
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let mut date = date.split('-').map(digits);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let zone_at = rest.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = rest.split_at(zone_at);
    let (time, fraction) = match time.split_once('.') {
        Some((time, fraction)) => (time, format!("0.{}", digits(fraction).map(|_| fraction)?)),
        None => (time, "0".to_owned()),
    };
    let mut time = time.split(':').map(digits);
    let (hour, minute) = (time.next()??, time.next()??);
    let second = time.next().unwrap_or(Some(0))?;
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let (hours, minutes) = zone[1..].split_once(':')?;
            let (hours, minutes) = (digits(hours)?, digits(minutes)?);
            let offset = (hours <= 23 && minutes <= 59).then_some(hours * 3600 + minutes * 60)?;
            if zone.starts_with('-') { -offset } else { offset }
        }
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month - 1).ok()?)?;
    let is_time = hour <= 23 && minute <= 59 && second <= 60 && time.next().is_none();
    if !(1..=length).contains(&day) || !is_time {
        return None;
    }
    let before = year - 1;
    let leaps = before / 4 - before / 100 + before / 400;
    let this_year: i64 = lengths.iter().take(usize::try_from(month - 1).ok()?).sum();
    // Of all days since the year 1, those until 1970.
    let days = before * 365 + leaps + this_year + day - 1 - 719_162;
    let whole = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
    Some(whole as f64 + fraction.parse::<f64>().ok()?)
}

/// A number of digits alone.
fn digits(text: &str) -> Option<i64> {
    let are_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| text.get(..text.len().min(18))?.parse().ok()).flatten()
}
