//! What the codes of Matrix mean: an `errcode`, else the status, where that is `M_UNKNOWN`.

use crate::service::verdict::{Row, verdicts};

/// What stands for a code where a room is encrypted: the state that says so.
pub const ENCRYPTED: &str = "m.room.encryption";

/// The table; rows are found by code and text, not by their order.
pub static TABLE: &[Row] = verdicts! {
    "M_FORBIDDEN" ["Invalid username or password"] => Auth NotSent Never Log stops "the user or the password is wrong";
    "200" => Ok Sent Never Log "the event is in the room";
    "M_UNKNOWN_TOKEN" => Auth NotSent Reauthenticate Log stops "the access token is wrong, or holds no more";
    "M_MISSING_TOKEN" => Auth NotSent Never Log stops "the access token is missing";
    "M_USER_DEACTIVATED" => Auth NotSent Never Log stops "the user is deactivated";
    "M_USER_LOCKED" => Forbidden NotSent Never Doc "the user is locked";
    "M_USER_SUSPENDED" => Forbidden NotSent Never Doc "the user is suspended";
    "M_EXCLUSIVE" => Forbidden NotSent Never Doc "it is reserved by an application service";
    "M_GUEST_ACCESS_FORBIDDEN" => Forbidden NotSent Never Doc "guests may not do this";
    "M_CONSENT_NOT_GIVEN" => Forbidden NotSent Never Doc "the user has not agreed to the server's terms";
    "M_FORBIDDEN" => Forbidden NotSent Never Log "the account is not in the room, may not write there, or there is no such room";
    "M_INVITE_BLOCKED" => Forbidden NotSent Never Doc "the user takes no invitations";
    "M_NOT_FOUND" => NotFound NotSent Never Doc "there is no such thing";
    "M_LIMIT_EXCEEDED" => RateLimited NotSent Wait Log "too many requests";
    "M_RESOURCE_LIMIT_EXCEEDED" => Quota NotSent Quota Doc "a limit of the server or the account is reached";
    "M_USER_LIMIT_EXCEEDED" => Quota NotSent Quota Doc "a limit of the server or the account is reached";
    "M_TOO_LARGE" => TooLarge NotSent Never Log "the event or the file is too large";
    "M_BAD_JSON" => Rejected NotSent Never Log "the content was refused";
    "M_NOT_JSON" => Rejected NotSent Never Log "the content was refused";
    "M_INVALID_PARAM" => Rejected NotSent Never Log "a parameter was refused";
    "M_MISSING_PARAM" => Rejected NotSent Never Log "a parameter is missing";
    "M_INVALID_ROOM_STATE" => Rejected NotSent Never Log "the room's state was refused";
    "M_UNSUPPORTED_ROOM_VERSION" => Rejected NotSent Never Log "the server does not know the room's version";
    "M_DUPLICATE_ANNOTATION" => Rejected NotSent Never Log "the same reaction is there already";
    "M_UNRECOGNIZED" => Rejected NotSent Never Log "the server knows no such path: base_url is wrong";
    "M_CANNOT_OVERWRITE_MEDIA" => Rejected NotSent Never Doc "the file is there already";
    "M_NOT_YET_UPLOADED" => Rejected NotSent Never Doc "the file is not there yet";
    "M_BAD_STATE" => Rejected NotSent Never Doc "the state was refused";
    "m.room.encryption" => Unsupported NotSent Never Inferred "the room is encrypted, which hongyan cannot do: nothing is written into it in the clear";
    "400" => Rejected NotSent Never Log "the content or a user's id was refused";
    "401" => Auth NotSent Never Doc "the server refused the credentials";
    "403" => Forbidden NotSent Never Doc "it is forbidden";
    "404" => NotFound NotSent Never Doc "not found";
    "413" => TooLarge NotSent Never Doc "too large";
    "429" => RateLimited NotSent Wait Doc "too many requests";
    500..599 => Service MaybeSent Backoff Doc "the outcome is unknown";
    @any => Service NotSent Never Inferred "unknown code, never retried";
};
