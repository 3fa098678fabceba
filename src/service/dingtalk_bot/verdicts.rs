//! What DingTalk's codes mean: the document's own, and those that were met in their place.

use crate::service::verdict::{Row, verdicts};

pub static TABLE: &[Row] = verdicts! {
    "310000" ["keywords not in content"] => Rejected NotSent Never Doc "none of the robot's keywords is in the message";
    "310000" ["invalid timestamp"] => Auth NotSent Resign Doc   "the time of the signature is over an hour away";
    "310000" ["timestamp"]      => Auth NotSent Resign Log      "the time of the signature is over an hour away";
    "310000" ["sign not match"] => Auth NotSent Resign Doc      "the signature is wrong";
    "310000" ["not in whitelist"] => Forbidden NotSent Never Doc "this address may not use the robot";
    "310000" ["关键词"]          => Rejected NotSent Never Log   "none of the robot's keywords is in the message";
    "310000" ["签名"]            => Auth NotSent Resign Log      "the signature is wrong or too old";
    "310000" ["白名单"]          => Forbidden NotSent Never Log  "this address may not use the robot";
    "660026" ["too many messages"] => RateLimited NotSent WaitFor(600) Log "over the robot's rate";
    "0"      => Ok Sent Never Doc                    "accepted";
    "-1"     => Service NotSent Backoff Doc          "the system is busy";
    "1111"   => RateLimited NotSent WaitFor(300) Log "too many requests from this address";
    "40035"  => Rejected NotSent Never Doc           "the JSON or the token is missing";
    "43002"  => Rejected NotSent Never Log           "it has to be a POST";
    "43004"  => Rejected NotSent Never Doc           "it has to be JSON by its type";
    "101002" => TooLarge NotSent Never Log           "the message is too long";
    "130101" => RateLimited NotSent WaitFor(600) Log "over 20 messages a minute: blocked for ten minutes";
    "300001" => Auth NotSent Never Sdk               "the token is not valid";
    "300005" => Auth NotSent Never Log               "there is no such token";
    "310000" => Rejected NotSent Never Doc           "one of the robot's own checks refused it";
    "400013" => NotFound NotSent Never Doc           "the group was dissolved";
    "400101" => Auth NotSent Never Doc               "there is no such token";
    "400102" => Forbidden NotSent Never Doc          "the robot is stopped";
    "400105" => Rejected NotSent Never Doc           "the type of message is unknown";
    "400106" => NotFound NotSent Never Doc           "there is no such robot, or it is not in the group";
    "410100" => RateLimited NotSent WaitFor(600) Doc "sent too fast";
    "430101" => Rejected NotSent Never Doc           "a link in it is refused";
    "430102" => Rejected NotSent Never Doc           "its text is refused";
    "430103" => Rejected NotSent Never Doc           "a picture in it is refused";
    "430104" => Rejected NotSent Never Doc           "its content is refused";
    "460101" => TooLarge NotSent Never Log           "the message is over 20000 bytes";
    "660026" => Service MaybeSent Backoff Doc        "sending to the group failed";
    @any     => Service NotSent Never Inferred       "unknown code, never retried";
};
