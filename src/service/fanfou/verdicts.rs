//! What Fanfou's codes mean: one row a code, with the source of its meaning.

use crate::service::verdict::{Row, verdicts};

/// The table; rows are found by code and text, not by their order.
pub static TABLE: &[Row] = verdicts! {
    "401" ["Expired timestamp"] => Auth NotSent Resign Log           "clock off, sign again with corrected time";
    "200"                       => Ok Sent Never Seed                "only with the message object in the body";
    "202"                       => Ok Sent Never Sdk                 "only with the message object in the body";
    "400"                       => Rejected NotSent Never Sdk        "invalid request, reason in body, perhaps also over-limit";
    "401"                       => Auth NotSent Never Doc            "login or signature refused";
    "403"                       => Forbidden NotSent Never Sdk       "no access";
    "404"                       => NotFound NotSent Never Sdk        "recipient or resource gone";
    "429"                       => RateLimited NotSent Wait Inferred "too fast";
    500..501                    => Service MaybeSent Never Sdk       "no de-duplication, so never resent blindly";
    "502"                       => Service MaybeSent Never Inferred  "gateway got no answer, outcome unknown";
    "503"                       => Service MaybeSent Never Inferred  "no de-duplication, so never resent blindly";
    "504"                       => Service MaybeSent Never Inferred  "gateway time-out, outcome unknown";
    505..599                    => Service MaybeSent Never Inferred  "no de-duplication, so never resent blindly";
    @any                        => Service NotSent Never Inferred    "unknown status, never retried";
};
