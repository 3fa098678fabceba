//! What the codes of Feishu's and Lark's robots mean.

use crate::service::verdict::{Row, verdicts};

pub static TABLE: &[Row] = verdicts! {
    "9499" ["too many request"] => RateLimited NotSent Wait Log "over 5 messages a second or 100 a minute";
    "19001" ["access token invalid"] => NotFound NotSent Never Doc "there is no such webhook";
    "0"     => Ok Sent Never Doc               "accepted";
    "9499"  => Rejected NotSent Never Doc      "the body or its type is wrong";
    "10002" => Forbidden NotSent Never Doc     "the robot is not in the group";
    "10030" => Forbidden NotSent Never Doc     "the robot is not in the group";
    "11201" => Forbidden NotSent Never Doc     "the robot is not in the group";
    "11205" => Forbidden NotSent Never Doc     "the app has no robot";
    "11240" => Forbidden NotSent Never Doc     "the app has no robot";
    "11225" => Forbidden NotSent Never Doc     "the robot is not visible here";
    "11232" => RateLimited NotSent Backoff Doc "the platform is busy, as it is at full and half hours";
    "11233" => RateLimited NotSent Wait Doc    "over a limit";
    "11247" => RateLimited NotSent Wait Doc    "over a limit";
    "19001" => Rejected NotSent Never Doc      "a parameter is wrong";
    "19002" => Rejected NotSent Never Doc      "the type or the content is missing";
    "19007" => Forbidden NotSent Never Doc     "the robot is not enabled";
    "19021" => Auth NotSent Resign Doc         "the signature is wrong, or over an hour old";
    "19022" => Forbidden NotSent Never Doc     "this address may not use the robot";
    "19024" => Rejected NotSent Never Doc      "none of the robot's keywords is in the message";
    "19036" => TooLarge NotSent Never Doc      "the body is too large";
    @any    => Service NotSent Never Inferred  "unknown code, never retried";
};
