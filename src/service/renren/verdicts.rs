//! What Renren's codes mean: one row a code, with the source of its meaning.

use crate::service::verdict::{Row, verdicts};

/// The table; rows are found by code and text, not by their order.
pub static TABLE: &[Row] = verdicts! {
    "SERVICE_UNAVAILABLE"                    => Service NotSent Backoff Sdk    "temporarily unavailable";
    "SERVICE_UNAVALIALABLE"                  => Service NotSent Backoff Seed   "temporarily unavailable, Renren's own spelling";
    "SERVICE_BUSY"                           => Service NotSent Backoff Sdk    "server busy";
    "SERVICE_EXECUTION_TIMEOUT"              => Service MaybeSent Never Sdk    "server timed out, outcome unknown";
    "UNKNOW"                                 => Service MaybeSent Never Sdk    "unspecified internal error, outcome unknown";
    "APP_OVER_INVOCATION_LIMIT"              => RateLimited NotSent Wait Sdk   "app calls too often";
    "EXPIRED_TOKEN"                          => Auth NotSent Never Sdk         "token expired, caller must refresh it";
    "INVALID_TOKEN"                          => Auth NotSent Never Sdk         "token invalid";
    "EXPIRED_TIMESTAMP"                      => Auth NotSent Resign Sdk        "MAC timestamp too old";
    "ALREADY_USED_NONCE"                     => Auth NotSent Resign Sdk        "MAC nonce already used";
    "INVALID_SIGNATURE"                      => Auth NotSent Never Sdk         "MAC signature wrong";
    "INVALID_AUTHORIZATION_PARAMETERS"       => Auth NotSent Never Sdk         "authorization parameters wrong";
    "PERMISSION_NEED"                        => Forbidden NotSent Never Sdk    "user did not grant the scope";
    "NO_RIGHT"                               => Forbidden NotSent Never Sdk    "target's privacy forbids";
    "NO_RIGHT_CALL_THIS_METHOD"              => Forbidden NotSent Never Sdk    "app may not call this";
    "NO_RIGHT_CALL_THIS_METHOD_DEEPER"       => Forbidden NotSent Never Sdk    "app may not call this";
    "METHOD_WAS_CLOSED"                      => Forbidden NotSent Never Sdk    "method closed";
    "NO_SUCH_MEHTOD"                         => Rejected NotSent Never Sdk     "no such method, Renren's own spelling";
    "REQUST_METHOD_NOT_SUPPORT"              => Rejected NotSent Never Sdk     "needs https, Renren's own spelling";
    "ILLEGAL_TESTER"                         => Forbidden NotSent Never Sdk    "not a test account";
    "USER_NOT_EXIST"                         => NotFound NotSent Never Sdk     "user does not exist";
    "LOGIN_USER_FREEZE"                      => Forbidden NotSent Never Sdk    "sender's account frozen";
    "LOGIN_USER_BANNED"                      => Forbidden NotSent Never Sdk    "sender's account banned";
    "LOGIN_USER_SUICIDE"                     => Forbidden NotSent Never Sdk    "sender's account deleted";
    "UPLOAD_FILE_SIZE_EXCEED_LIMIT"          => TooLarge NotSent Never Sdk     "file over 8 MB";
    "FAST_OPERATION"                         => RateLimited NotSent Wait Sdk   "too fast, code of neighbouring calls";
    "CONTENT_PROHIBITED"                     => Rejected NotSent Never Sdk     "content forbidden, code of neighbouring calls";
    "NO_ACCESS"                              => Forbidden NotSent Never Sdk    "no access, code of neighbouring calls";
    "COMMENT_TOO_LONG"                       => TooLarge NotSent Never Sdk     "comment too long, code of neighbouring calls";
    "NOTIFICATION_TEXT_INVALID"              => Rejected NotSent Never Sdk     "text illegal, code of notification calls";
    "NOTIFICATION_TEXT_PROHIBITED"           => Rejected NotSent Never Sdk     "text forbidden, code of notification calls";
    "NOTIFICATION_TEXT_TOO_LONG"             => TooLarge NotSent Never Sdk     "text too long, code of notification calls";
    "NOTIFICATION_RECEIVERS_NULL"            => Rejected NotSent Never Sdk     "no receivers, code of notification calls";
    "NOTIFICATION_RECEIVERIDS_TOO_MANY"      => Rejected NotSent Never Sdk     "over 20 receivers, code of notification calls";
    "NOTIFICATION_ALL_RECEIVERS_NOT_INSTALL_APP" => Forbidden NotSent Never Sdk    "no receiver has the app, notification calls";
    "NOTIFICATION_ALL_RECEIVERS_NOT_INSTALL_APP_OR_SENDER_FRIENDS" => Forbidden NotSent Never Sdk    "receivers neither app users nor friends, notification calls";
    "NOTIFICATION_ALL_RECEIVERS_NO_QUATO_TODAY" => Quota NotSent Quota Sdk        "receivers' daily allowance used up, notification calls";
    "NOTIFICATION_SEND_NO_QUATO"             => Quota NotSent Quota Sdk        "sending allowance used up, notification calls";
    "APP_NOTIFICATION_FORBIDDEN"             => Forbidden NotSent Never Sdk    "app may not send notifications";
    @any                                     => Service NotSent Never Inferred "unknown code or none, never retried";
};
