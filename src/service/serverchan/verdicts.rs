//! What ServerChan's codes mean. No document lists them: they are from answers that others published, and
//! from code of other clients.

use crate::service::verdict::{Row, verdicts};

/// The table.
pub static TABLE: &[Row] = verdicts! {
    "40001" ["次数限制"]  => Quota NotSent Quota Log         "the sends of this day are used up: five on the free plan";
    "40001" ["错误的Key"] => Auth NotSent Never Log          "there is no such key";
    "1024" ["duplicate"]  => Similar NotSent Never Sdk       "the same text was just sent (older interface)";
    "1024" ["重复"]       => Similar NotSent Never Sdk       "the same text was just sent (older interface)";
    "1024" ["pushtoken"]  => Auth NotSent Never Sdk          "there is no such key (older interface)";
    "0"                   => Ok Sent Never Sdk               "taken into the queue; data.errno has to be 0 as well";
    "20001"               => Rejected NotSent Never Log      "the title is empty, or a parameter is wrong";
    "20002"               => TooLarge NotSent Never Sdk      "desp is too long";
    "40000"               => Service MaybeSent Never Sdk     "one of the ways to the reader failed";
    "40001"               => Auth NotSent Never Log          "the key is refused";
    "40002"               => Rejected NotSent Never Sdk      "a parameter is wrong";
    "40003"               => RateLimited NotSent Wait Sdk    "too many messages";
    "40004"               => RateLimited NotSent Wait Sdk    "too many messages";
    "1024"                => Rejected NotSent Never Sdk      "refused (older interface)";
    @any                  => Service NotSent Never Inferred  "unknown code, never retried";
};
