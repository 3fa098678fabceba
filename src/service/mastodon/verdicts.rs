//! What Mastodon's errors mean, by their status: there are no codes.

use crate::service::verdict::{Row, verdicts};

/// The table; rows are found by code and text, not by their order.
pub static TABLE: &[Row] = verdicts! {
    "unmentioned" => NotFound NotSent Never Inferred "the server took the post, but knows nobody of that address: no one reads it";
    "processing" => Service NotSent Wait Doc "a file is still being processed";
    "200" => Ok Sent Never Doc "the post was made, and its recipient is mentioned";
    "401" => Auth NotSent Never Doc stops "the token is wrong";
    "403" => Forbidden NotSent Never Doc "a scope is missing, or the account is disabled";
    "404" => NotFound NotSent Never Doc "the post that is answered is unknown";
    "410" => NotFound NotSent Never Doc "it is gone";
    "422" ["character limit"] => TooLarge NotSent Never Inferred "the text is too long";
    "422" ["can't be blank"] => Rejected NotSent Never Doc "the text is missing";
    "422" => Rejected NotSent Never Doc "the post or a file was refused";
    "429" => RateLimited NotSent Wait Doc "too many requests";
    "503" => Service MaybeSent Backoff Doc "the server is not at work; the outcome is unknown";
    500..599 => Service MaybeSent Backoff Inferred "the outcome is unknown";
    @any => Service NotSent Never Inferred "unknown code, never retried";
};
