//! What the codes of Zulip mean; where an answer has none, its HTTP status.

use crate::service::verdict::{Row, verdicts};

pub static TABLE: &[Row] = verdicts! {
    "BAD_REQUEST" ["too long"] => TooLarge NotSent Never Inferred "the message is too long";
    "BAD_REQUEST" ["Invalid email"] => NotFound NotSent Never Inferred "nobody has this address or id";
    "BAD_REQUEST" ["Invalid user ID"] => NotFound NotSent Never Inferred "nobody has this address or id";
    "BAD_REQUEST" ["is no longer using Zulip"] => NotFound NotSent Never Inferred "the account of the recipient is deactivated";
    "BAD_REQUEST" ["Not authorized to send"] => Forbidden NotSent Never Inferred "the channel lets others post only";
    "success" => Ok Sent Never Doc "sent";
    "BAD_REQUEST" => Rejected NotSent Never Sdk "the request is refused";
    "STREAM_DOES_NOT_EXIST" => NotFound NotSent Never Sdk "no such channel, or the bot may not see it";
    "TOPIC_WILDCARD_MENTION_NOT_ALLOWED" => Forbidden NotSent Never Sdk "the sender may not mention everybody here";
    "STREAM_WILDCARD_MENTION_NOT_ALLOWED" => Forbidden NotSent Never Sdk "the sender may not mention everybody here";
    "INVALID_API_KEY" => Auth NotSent Never Sdk stops "the credentials are refused";
    "UNAUTHENTICATED_USER" => Auth NotSent Never Sdk stops "the credentials are refused";
    "UNAUTHORIZED" => Auth NotSent Never Sdk stops "the credentials are refused";
    "AUTHENTICATION_FAILED" => Auth NotSent Never Sdk stops "the credentials are refused";
    "USER_DEACTIVATED" => Auth NotSent Never Sdk stops "the credentials are refused";
    "REALM_DEACTIVATED" => Auth NotSent Never Sdk stops "the credentials are refused";
    "UNAUTHORIZED_PRINCIPAL" => Forbidden NotSent Never Sdk "the sender needs a higher role";
    "NONEXISTENT_SUBDOMAIN" => Auth NotSent Never Sdk stops "no organization is at this host";
    "REQUEST_VARIABLE_MISSING" => Rejected NotSent Never Sdk "the request is malformed";
    "REQUEST_VARIABLE_INVALID" => Rejected NotSent Never Sdk "the request is malformed";
    "INVALID_JSON" => Rejected NotSent Never Sdk "the request is malformed";
    "REQUEST_CONFUSING_VAR" => Rejected NotSent Never Sdk "the request is malformed";
    "BAD_EVENT_QUEUE_ID" => Rejected NotSent Never Sdk "the request is malformed";
    "RATE_LIMIT_HIT" => RateLimited NotSent Wait Sdk "too many requests";
    "REALM_UPLOAD_QUOTA" => Quota NotSent Quota Sdk "the organization has no room for more files";
    "REQUEST_TIMEOUT" => Service NotSent Backoff Sdk "the server did not take the request up";
    "SERVER_NOT_READY" => Service NotSent Backoff Sdk "the server did not take the request up";
    "401" => Auth NotSent Never Doc stops "the credentials are refused";
    "403" => Forbidden NotSent Never Doc "the sender may not do this";
    "404" => NotFound NotSent Never Doc "nothing is at this address: look at base_url";
    "413" => TooLarge NotSent Never Inferred "larger than the server or a proxy before it takes";
    "429" => RateLimited NotSent Wait Doc "too many requests";
    500..599 => Service MaybeSent Never Inferred "the outcome is unknown, and Zulip knows no message again";
    @any => Service NotSent Never Inferred "an unknown code, never retried";
};
