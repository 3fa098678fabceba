//! What is read of an answer, and how much at most.

use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use hyper::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};

use crate::net::retry_after::{reset, retry_after};
use crate::net::{Failure, Way};
use crate::service::api::Answer;

/// The longest answer that is read, in bytes.
const MAX_BODY: usize = 1 << 20;
/// Room that is made for an answer when it begins, in bytes, at most.
const LIKELY_BODY: u64 = 16 << 10;
/// The longest header block that is accepted, in bytes.
pub const MAX_HEADERS: usize = 64 << 10;

/// Reads the heads of answers.
#[derive(Default)]
pub struct Reader {
    /// The last `Date` of an answer and what it says: many answers come within a second.
    date: Mutex<Option<(HeaderValue, u64)>>,
}

impl Reader {
    /// An answer of which the head has come, and the body is told to be of this length.
    pub fn begin(
        &self,
        status: u16,
        headers: &HeaderMap,
        length: Option<u64>,
    ) -> Result<Answer, Failure> {
        let (mut size, mut date, mut told) = (0, None, false);
        for (name, value) in headers {
            size += name.as_str().len() + value.len() + 4;
            match *name {
                DATE if date.is_none() => date = self.date(value),
                RETRY_AFTER => told = true,
                _ => {}
            }
        }
        if size > MAX_HEADERS {
            let words = format!("the answer's headers are larger than {MAX_HEADERS} bytes");
            return Err(Failure { way: Way::Protocol, words });
        }
        // What is promised is made room for, as far as it is likely.
        let room = usize::try_from(length.unwrap_or_default().min(LIKELY_BODY)).unwrap_or_default();
        Ok(Answer {
            status,
            retry_after: match told {
                true => retry_after(headers, date),
                false => (status == 429).then(|| reset(headers, date)).flatten(),
            },
            date,
            body: Vec::with_capacity(room),
            ..Answer::default()
        })
    }

    /// What the `Date` of an answer says, in Unix seconds.
    fn date(&self, header: &HeaderValue) -> Option<u64> {
        let mut last = self.date.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((known, unix)) if known == header => Some(*unix),
            _ => {
                let unix = unix(header)?;
                // Copied: the value would keep the whole block that was read.
                let own = HeaderValue::from_bytes(header.as_bytes()).ok()?;
                *last = Some((own, unix));
                Some(unix)
            }
        }
    }
}

/// Adds a piece of the body; false if the answer would then be longer than any that is read.
pub fn add(answer: &mut Answer, piece: &[u8]) -> bool {
    let fits = answer.body.len() + piece.len() <= MAX_BODY;
    if fits {
        answer.body.extend_from_slice(piece);
    }
    fits
}

/// Unix seconds of an HTTP date.
fn unix(header: &HeaderValue) -> Option<u64> {
    let time = httpdate::parse_http_date(header.to_str().ok()?).ok()?;
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}
