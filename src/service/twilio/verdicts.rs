//! What Twilio's codes mean, and where it tells none, its statuses.

use crate::service::verdict::{Row, verdicts};

/// The table; rows are found by code and text, not by their order.
pub static TABLE: &[Row] = verdicts! {
    "201" => Ok Sent Never Doc "queued or accepted; what becomes of it is told to a callback only";
    "20003" => Auth NotSent Never Doc stops "the credentials are refused";
    "20001" => Auth NotSent Never Inferred stops "the credentials or their rights are refused";
    "20008" => Auth NotSent Never Inferred stops "the credentials or their rights are refused";
    "20403" => Auth NotSent Never Inferred stops "the credentials or their rights are refused";
    "10001" => Forbidden NotSent Never Doc "the account is not active";
    "20404" => NotFound NotSent Never Doc "the account or the URL is not known";
    "20429" => RateLimited NotSent Wait Doc "too many requests at once; it was not taken, and how long to wait is not told";
    "21211" => NotFound NotSent Never Doc "the recipient is no valid number";
    "21612" => NotFound NotSent Never Sdk "the recipient cannot be reached from this sender";
    "21614" => NotFound NotSent Never Sdk "the recipient is no mobile number";
    "21214" => NotFound NotSent Never Inferred "the recipient cannot be reached";
    "21217" => NotFound NotSent Never Inferred "the recipient cannot be reached";
    "21610" => Forbidden NotSent Never Doc "the recipient wants nothing from this sender any more";
    "21606" => Forbidden NotSent Never Sdk "the sender cannot send text messages";
    "21608" => Forbidden NotSent Never Sdk "a trial account sends to verified numbers only";
    "21408" => Forbidden NotSent Never Inferred "the account may not send to that region";
    "21659" => Forbidden NotSent Never Inferred "the sender is none of the account, or may not send there";
    "21660" => Forbidden NotSent Never Inferred "the sender is none of the account, or may not send there";
    "21661" => Forbidden NotSent Never Inferred "the sender is none of the account, or may not send there";
    "21212" => Forbidden NotSent Never Inferred "the sender is none of the account, or may not send there";
    "21603" => Forbidden NotSent Never Inferred "the sender is none of the account, or may not send there";
    "21703" => Forbidden NotSent Never Inferred "the messaging service has no sender for it";
    "21611" => RateLimited NotSent Wait Inferred "the queue of this sender is full";
    "21602" => Rejected NotSent Never Inferred "a parameter is missing or wrong";
    "21604" => Rejected NotSent Never Inferred "a parameter is missing or wrong";
    "21619" => Rejected NotSent Never Inferred "a parameter is missing or wrong";
    "21620" => Rejected NotSent Never Inferred "a parameter is missing or wrong";
    "21623" => Rejected NotSent Never Inferred "a parameter is missing or wrong";
    "21601" => Rejected NotSent Never Inferred "a parameter is missing or wrong";
    "21656" => Rejected NotSent Never Inferred "a parameter is missing or wrong";
    "21617" => TooLarge NotSent Never Doc "the text has more than 1,600 characters";
    "21605" => TooLarge NotSent Never Inferred "the text has too many characters";
    "14107" => RateLimited NotSent Wait Inferred "too many messages to one number";
    "63016" => Forbidden NotSent Never Doc "outside the window in which free text may be sent: use a template";
    "30001" => RateLimited NotSent Wait Doc "the queue is full";
    "30003" => NotFound NotSent Never Doc "the handset cannot be reached";
    "30005" => NotFound NotSent Never Doc "the handset is not known";
    "30006" => NotFound NotSent Never Doc "a landline, or a carrier that cannot be reached";
    "30007" => Forbidden NotSent Never Doc "filtered";
    "30034" => Forbidden NotSent Never Doc "the sender is not registered";
    "30004" => Forbidden NotSent Never Inferred "blocked";
    "30008" => Service MaybeSent Never Inferred "an unknown error";
    "401" => Auth NotSent Never Doc stops "the credentials are refused";
    "403" => Forbidden NotSent Never Doc "refused";
    "404" => NotFound NotSent Never Doc "not found";
    "429" => RateLimited NotSent Wait Doc "too many requests; it was not taken";
    500..599 => Service MaybeSent Never Inferred "the outcome is unknown, and nothing is recognised when it is sent again";
    @any => Service NotSent Never Inferred "unknown code, never retried";
};
