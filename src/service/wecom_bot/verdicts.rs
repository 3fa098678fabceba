//! What WeCom's codes mean: those that its robot's document names, those that were met, and those of the
//! common list that its fields can meet.

use crate::service::verdict::{Row, verdicts};

pub static TABLE: &[Row] = verdicts! {
    "0" ["wrong json format"] => Ok Sent Never Doc     "accepted, though the JSON was understood in part only";
    "40058" ["exceed max length"] => TooLarge NotSent Never Log "the content is too long";
    "40058" ["invalid param 'key'"] => Auth NotSent Never Log "the key in the URL is malformed";
    "93000" ["exceed max length"] => TooLarge NotSent Never Log "the content is too long";
    "0"      => Ok Sent Never Doc                      "accepted";
    "-1"     => Service NotSent Backoff Doc            "the system is busy";
    "40004"  => Rejected NotSent Never Doc             "this kind of file is not allowed";
    "40005"  => Rejected NotSent Never Doc             "this kind of file is not allowed";
    "40006"  => TooLarge NotSent Never Doc             "the size of the file is not allowed";
    "40009"  => TooLarge NotSent Never Doc             "the size of the image is not allowed";
    "40011"  => TooLarge NotSent Never Doc             "the size of the file is not allowed";
    "40007"  => NotFound NotSent Never Doc             "the media_id is unknown, too old or another robot's";
    "40008"  => Rejected NotSent Never Doc             "the type of message is unknown";
    "40033"  => Rejected NotSent Never Doc             "characters may not be escaped with a backslash and u";
    "40035"  => Rejected NotSent Never Doc             "a parameter is wrong or empty";
    "40063"  => Rejected NotSent Never Doc             "a parameter is wrong or empty";
    "40058"  => Rejected NotSent Never Doc             "a parameter is wrong";
    "40039"  => TooLarge NotSent Never Doc             "a URL is too long";
    "40094"  => Rejected NotSent Never Doc             "a URL is wrong";
    "40127"  => Rejected NotSent Never Doc             "a URL is wrong";
    "45034"  => Rejected NotSent Never Doc             "a URL has no scheme";
    "40123"  => Rejected NotSent Never Doc             "this format of image is not allowed";
    "41010"  => Rejected NotSent Never Doc             "the url is missing";
    "41016"  => Rejected NotSent Never Doc             "the title is missing";
    "41033"  => Rejected NotSent Never Doc             "the description is missing";
    "44001"  => Rejected NotSent Never Doc             "the file is empty";
    "44004"  => Rejected NotSent Never Log             "the text is empty";
    "45001"  => TooLarge NotSent Never Doc             "the file is too large";
    "45002"  => TooLarge NotSent Never Doc             "the content is too long";
    "45007"  => TooLarge NotSent Never Doc             "the voice is too long";
    "45008"  => Rejected NotSent Never Doc             "there have to be one to eight articles";
    "45009"  => RateLimited NotSent WaitFor(60) Log    "over 20 messages a minute";
    "45033"  => RateLimited NotSent Wait Doc           "too many calls at once";
    "47001"  => Rejected NotSent Never Inferred        "the body is no JSON";
    "85002"  => Rejected NotSent Never Doc             "it has forbidden words";
    "93000"  => NotFound NotSent Never Doc             "the URL is wrong, or the robot was removed";
    "93004"  => Forbidden NotSent Never Doc            "the robot is disabled";
    "93008"  => Forbidden NotSent Never Doc            "the robot is not in the group";
    "301016" => Rejected NotSent Never Doc             "a voice has to be AMR of at most a minute";
    "301017" => Rejected NotSent Never Doc             "a voice has to be AMR of at most a minute";
    @any     => Service NotSent Never Inferred         "unknown code, never retried";
};
