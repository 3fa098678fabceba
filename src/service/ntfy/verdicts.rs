//! What the codes of ntfy mean: five digits, of which the first three are a status of HTTP.

use crate::service::verdict::{Row, verdicts};

/// The table; rows are found by code and text, not by their order.
pub static TABLE: &[Row] = verdicts! {
    "200"   => Ok Sent Never Sdk                 "the notice is published";
    "40101" => Auth NotSent Never Sdk            stops "the credentials are wrong";
    "40301" => Forbidden NotSent Never Sdk       "no right to write to the topic";
    "42901" => RateLimited NotSent Wait Sdk      "too many requests; the server tells no time to wait";
    "42902" => Quota NotSent Quota Sdk           "the mails of the day are used up";
    "42908" => Quota NotSent Quota Sdk           "the notices of the day are used up";
    "42905" => Quota NotSent Quota Sdk           "the bandwidth of the day is used up";
    "42910" => Quota NotSent Quota Sdk           "the telephone calls of the day are used up";
    "42903" => Quota NotSent Quota Sdk           "too many subscriptions";
    "42904" => Quota NotSent Quota Sdk           "the server has as many topics as it may have";
    "42906" => Quota NotSent Quota Sdk           "too many accounts were made";
    "42907" => Quota NotSent Quota Sdk           "too many topics are reserved";
    "42909" => RateLimited NotSent Wait Sdk      "too many wrong credentials";
    "41301" => TooLarge NotSent Never Sdk        "the file is too large, or the bandwidth used up";
    "41302" => TooLarge NotSent Never Sdk        "the request is too large";
    "41303" => TooLarge NotSent Never Sdk        "the body is too large";
    "40041" => TooLarge NotSent Never Sdk        "too large once the template is filled";
    "40057" => TooLarge NotSent Never Inferred   "the title is too long";
    "40058" => TooLarge NotSent Never Inferred   "the tags are too long";
    "40009" => Rejected NotSent Never Sdk        "the name of the topic is invalid";
    "40010" => Rejected NotSent Never Sdk        "the name of the topic is reserved";
    "40401" => NotFound NotSent Never Sdk        "no such path";
    "50701" => Service NotSent Never Sdk         "a topic of UnifiedPush without a subscriber";
    "50002" => Service NotSent Never Sdk         "the server is set up wrongly";
    "50003" => Service NotSent Never Sdk         "the server is set up wrongly";
    "50004" => Service NotSent Never Sdk         "the server is set up wrongly";
    "50001" => Service MaybeSent Never Sdk       "internal error, outcome unknown";
    40000..40099 => Rejected NotSent Never Sdk   "the request was refused";
    50000..59999 => Service MaybeSent Never Inferred "outcome unknown; nothing is recognised";
    @any    => Service NotSent Never Inferred    "unknown code, never retried";
};
