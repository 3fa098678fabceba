//! What Rocket.Chat's errors mean: their HTTP status, and the code in their words.

use crate::service::verdict::{Row, verdicts};

/// The table; rows are found by code and text, not by their order.
pub static TABLE: &[Row] = verdicts! {
    "400" ["error-invalid-channel"] => NotFound NotSent Never Sdk "no such room or user";
    "400" ["error-invalid-room"] => NotFound NotSent Never Sdk "no such room";
    "400" ["error-room-not-found"] => NotFound NotSent Never Sdk "no such room";
    "400" ["error-not-allowed"] => Forbidden NotSent Never Sdk "the user may not post in this room";
    "400" ["not-allowed"] => Forbidden NotSent Never Inferred "the user may not post in this room";
    "400" ["overriding destination channel is disabled"] => Forbidden NotSent Never Sdk "the webhook posts into its own channel only";
    "400" ["error-message-size-exceeded"] => TooLarge NotSent Never Inferred "the text is longer than the server is set to take";
    "400" ["error-too-many-requests"] => RateLimited NotSent Wait Sdk "too many requests";
    "200" => Ok Sent Never Sdk "sent";
    "400" => Rejected NotSent Never Sdk "the request is refused";
    "401" => Auth NotSent Never Sdk stops "the token or the user id is wrong";
    "403" => Forbidden NotSent Never Sdk "the user may not do this";
    "404" => Auth NotSent Never Sdk stops "the webhook is unknown";
    "429" => RateLimited NotSent Wait Sdk "too many requests";
    "503" => Forbidden NotSent Never Sdk "the webhook is switched off";
    500..599 => Service MaybeSent Never Inferred "the outcome is unknown, and Rocket.Chat knows no message again";
    @any => Service NotSent Never Inferred "an unknown status, never retried";
};
