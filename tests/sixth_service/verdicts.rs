//! What the robot's codes mean: one row a code, with the source of its meaning.

use crate::service::verdict::{Row, verdicts};

/// The table; rows are found by code and text, not by their order.
pub static TABLE: &[Row] = verdicts! {
    "0"      => Ok Sent Never Inferred            "accepted";
    "130101" => RateLimited NotSent Wait Inferred "too many messages a minute";
    "310000" => Auth NotSent Never Inferred       "the token or the signature is refused";
    @any     => Service NotSent Never Inferred    "unknown code, never retried";
};
