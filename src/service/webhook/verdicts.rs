//! What the statuses of a receiver mean, and the codes that it answers within a success.

use crate::service::verdict::{Row, verdicts};

/// What stands before the words of a 409 that is no repetition.
pub const NOT_TAKEN: &str = "not taken";

/// The table; rows are found by code and text, not by their order.
pub static TABLE: &[Row] = verdicts! {
    "401"    => Auth NotSent Never Inferred      stops "stop the account";
    "403"    => Forbidden NotSent Never Inferred "refused";
    "404"    => NotFound NotSent Never Inferred  "endpoint gone";
    "408"    => Service MaybeSent Never Inferred "receiver gave up reading; safe to resend only with webhook-id";
    "409" ["not taken"] => Rejected NotSent Never Inferred "refused, unless the account takes it for a repetition";
    "409"    => Duplicate Sent Never Inferred    "only where configured: receiver says it has this id; otherwise rejected";
    "410"    => NotFound NotSent Never Doc       stops "endpoint asks to be disabled";
    "413"    => TooLarge NotSent Never Inferred  "body too large";
    "425"    => Service NotSent Backoff Inferred "too early";
    "429"    => RateLimited NotSent Wait Doc     "wait = Retry-After";
    "501"    => Rejected NotSent Never Inferred  "not implemented";
    "503"    => Service NotSent Backoff Inferred "unavailable, Retry-After when given";
    200..299 => Ok Sent Never Doc                "and the success pointer holds";
    300..399 => Rejected NotSent Never Doc       "redirects are not followed";
    500..599 => Service MaybeSent Backoff Doc    "resend with the same webhook-id; without Standard Webhooks: never";
    400..499 => Rejected NotSent Never Doc       "refused";
    @any     => Service NotSent Never Inferred   "unknown status";
};
