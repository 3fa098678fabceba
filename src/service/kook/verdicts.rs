//! What KOOK's codes mean. Its document lists none but 0; the others are from code of other clients.

use crate::service::verdict::{Row, verdicts};

/// The table.
pub static TABLE: &[Row] = verdicts! {
    "40000" ["找不到资源"] => NotFound NotSent Never Doc       "this bot uploaded no such file";
    "40000" ["权限"]       => Forbidden NotSent Never Inferred "no right to do this";
    "0"                    => Ok Sent Never Doc                "sent; data.msg_id is the proof";
    "400"                  => Rejected NotSent Never Sdk       "the request is wrong";
    "401"                  => Auth NotSent Never Sdk           "the token is wrong";
    "403"                  => Forbidden NotSent Never Sdk      "no right to do this";
    "404"                  => NotFound NotSent Never Sdk       "there is no such channel, or no such path";
    "429"                  => RateLimited NotSent Wait Doc     "too many requests; a bot that goes on is banned";
    "40000"                => Rejected NotSent Never Sdk       "refused, the text says why";
    "40011"                => Rejected NotSent Never Sdk       "the content is refused";
    "40014"                => TooLarge NotSent Never Sdk       "the file is too large";
    "40100"                => Auth NotSent Never Sdk           "the token is missing, wrong or expired";
    "40101"                => Auth NotSent Never Sdk           "the token is missing, wrong or expired";
    "40102"                => Auth NotSent Never Sdk           "the token is missing, wrong or expired";
    "40103"                => Auth NotSent Never Sdk           "the token is missing, wrong or expired";
    "40300"                => Forbidden NotSent Never Sdk      "no right to do this";
    @any                   => Service NotSent Never Inferred   "unknown code, never retried";
};
