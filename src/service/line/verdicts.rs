//! What LINE's statuses mean, and where it tells more, its words.

use crate::service::verdict::{Row, verdicts};

/// The table; rows are found by code and text, not by their order.
pub static TABLE: &[Row] = verdicts! {
    "429" ["monthly limit"] => Quota NotSent Quota Doc "the month's messages are used up, or reserved by a delivery that is under way";
    "429" ["additional"] => Quota NotSent Quota Doc "the additional messages that were set as a target are used up";
    "400" ["'to'"] => NotFound NotSent Never Inferred "the recipient is no valid id";
    "400" ["Failed to send"] => NotFound NotSent Never Inferred "there is no such user, or the message could not be sent for another reason";
    "200" => Ok Sent Never Doc "accepted; of whoever blocked the bot nothing is told";
    "400" => Rejected NotSent Never Doc "a property of the message is wrong";
    "401" => Auth NotSent Never Doc stops "the channel access token is wrong, or has expired";
    "403" => Forbidden NotSent Never Doc "the plan or the permissions of the channel do not allow it";
    "404" => NotFound NotSent Never Inferred "not found";
    "409" => Duplicate Sent Never Doc "LINE had accepted this very message before";
    "410" => Rejected NotSent Never Inferred "LINE ended this part of its API";
    "413" => TooLarge NotSent Never Inferred "the request is larger than 2 MB";
    "415" => Rejected NotSent Never Inferred "LINE does not take this type of content";
    "429" => RateLimited NotSent Wait Doc "too many requests, none of which reaches anybody; how long to wait is not told";
    500..599 => Service MaybeSent Backoff Doc "the outcome is unknown; it is sent again under the same retry key";
    @any => Service NotSent Never Inferred "unknown status, never retried";
};
