//! What Google Chat's errors mean: their names, and the status where a name is not known.

use crate::service::verdict::{Row, verdicts};

/// The table; rows are found by code and text, not by their order.
pub static TABLE: &[Row] = verdicts! {
    "INVALID_ARGUMENT" ["too long"] => TooLarge NotSent Never Inferred "the message is over 32,000 bytes";
    "200" => Ok Sent Never Doc "the answer is the message";
    "INVALID_ARGUMENT" => Rejected NotSent Never Doc "something in the message is wrong";
    "FAILED_PRECONDITION" => Rejected NotSent Never Inferred "the space cannot take the message";
    "NOT_FOUND" => NotFound NotSent Never Doc "the space, the webhook or the thread is gone";
    "UNAUTHENTICATED" => Auth NotSent Never Inferred stops "the key or the token in the URL is wrong";
    "PERMISSION_DENIED" => Forbidden NotSent Never Inferred "the webhook was removed, or the space does not allow it";
    "ALREADY_EXISTS" => Duplicate Sent Never Inferred "there is a message of this messageId already";
    "RESOURCE_EXHAUSTED" => RateLimited NotSent Wait Doc "over 60 messages a minute into the space, by whatever app; how long to wait is not told";
    "DEADLINE_EXCEEDED" => Service MaybeSent Never Inferred "the outcome is unknown";
    "UNAVAILABLE" => Service MaybeSent Never Inferred "the outcome is unknown";
    "INTERNAL" => Service MaybeSent Never Inferred "the outcome is unknown";
    "400" => Rejected NotSent Never Doc "the request was refused";
    500..599 => Service MaybeSent Never Inferred "the outcome is unknown";
    @any => Service NotSent Never Inferred "unknown error, never retried";
};
