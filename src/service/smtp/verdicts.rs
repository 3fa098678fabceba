//! What the codes of mail servers mean (RFC 5321, 3463, 4954), and three words of our own for replies that
//! never came.

use crate::service::verdict::{Row, verdicts};

pub static TABLE: &[Row] = verdicts! {
    "535" ["5.7.8"] => Auth NotSent Never Doc stops "credentials refused";
    "534" ["5.7.9"] => Auth NotSent Never Doc stops "mechanism too weak";
    "450" ["4.7.0"] => Service NotSent Backoff Doc "greylisted or policy, try later";
    "452" ["4.2.2"] => Quota NotSent Quota Doc "mailbox full, may clear";
    "452" ["4.5.3"] => Rejected NotSent Never Doc "the server takes no recipient of this mail at all, as if they were too many";
    "452" ["4.3.1"] => Service NotSent Backoff Doc "server out of space";
    "550" ["5.1.1"] => NotFound NotSent Never Doc "no such mailbox";
    "550" ["5.1.2"] => NotFound NotSent Never Doc "no such domain";
    "550" ["5.1.10"] => NotFound NotSent Never Doc "domain takes no mail (null MX)";
    "550" ["5.2.1"] => Forbidden NotSent Never Doc "mailbox disabled";
    "550" ["5.2.2"] => Quota NotSent Quota Doc "mailbox full";
    "550" ["5.4.1"] => NotFound NotSent Never Inferred "recipient refused by a hosted domain";
    "550" ["5.7.1"] => Forbidden NotSent Never Doc "relaying or policy refused";
    "550" ["5.7."] => Forbidden NotSent Never Doc "security or policy refused (SPF, DKIM, DMARC, list)";
    "552" ["5.2.2"] => Quota NotSent Quota Doc "mailbox full";
    "552" ["5.3.4"] => TooLarge NotSent Never Doc "message larger than the server takes";
    "552" ["5.2.3"] => TooLarge NotSent Never Doc "message larger than the mailbox takes";
    "554" ["5.7.1"] => Forbidden NotSent Never Doc "policy refused";
    "554" ["5.6."] => Rejected NotSent Never Doc "content or conversion refused";
    "250" => Ok Sent Never Log "after the final dot: accepted for every recipient that got 250 or 251";
    "251" => Ok Sent Never Doc "recipient accepted, will be forwarded";
    "252" => Ok Sent Never Doc "recipient accepted, not verified";
    "421" => Service NotSent Backoff Doc "server closing; before the final dot nothing was sent";
    "450" => Service NotSent Backoff Doc "mailbox busy, try later";
    "451" => Service NotSent Backoff Doc "local error, try later";
    "452" => Service NotSent Backoff Doc "no room or too many recipients, try later";
    "454" => Service NotSent Backoff Doc "TLS or authentication temporarily not available";
    "455" => Service NotSent Backoff Doc "parameters cannot be taken now";
    "432" => Auth NotSent Never Doc "password change needed, or encryption needed for this mechanism";
    "538" => Auth NotSent Never Doc "password change needed, or encryption needed for this mechanism";
    "530" => Auth NotSent Never Doc stops "the login is refused, or lacks";
    "534" => Auth NotSent Never Doc stops "the login is refused, or lacks";
    "535" => Auth NotSent Never Doc stops "the login is refused, or lacks";
    "500" => Rejected NotSent Never Doc "command refused: the server does not know it, or not so";
    "501" => Rejected NotSent Never Doc "command refused: the server does not know it, or not so";
    "502" => Rejected NotSent Never Doc "command refused: the server does not know it, or not so";
    "503" => Rejected NotSent Never Doc "command refused: the server does not know it, or not so";
    "504" => Rejected NotSent Never Doc "command refused: the server does not know it, or not so";
    "555" => Rejected NotSent Never Doc "command refused: the server does not know it, or not so";
    "521" => NotFound NotSent Never Doc "host or domain takes no mail";
    "556" => NotFound NotSent Never Doc "host or domain takes no mail";
    "550" => NotFound NotSent Never Doc "the mailbox cannot be reached";
    "551" => NotFound NotSent Never Doc "user not local";
    "552" => TooLarge NotSent Never Doc "size or storage exceeded";
    "553" => Rejected NotSent Never Doc "mailbox name not allowed, or sender refused";
    "554" => Rejected NotSent Never Doc "refused, without a reason";
    "no_reply_after_dot" => Service MaybeSent Never Log "the connection was lost, or the time ran out, between the final dot and its reply";
    "no_reply_before_dot" => Service NotSent Backoff Log "the connection was lost before the final dot";
    400..499 => Service NotSent Backoff Doc "not now";
    500..599 => Rejected NotSent Never Doc "refused for good";
    @any => Service NotSent Never Inferred "not an SMTP reply";
};
