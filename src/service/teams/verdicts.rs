//! What the statuses of a workflow mean, and where it tells more, its codes.

use crate::service::verdict::{Row, verdicts};

/// The table; rows are found by code and text, not by their order.
pub static TABLE: &[Row] = verdicts! {
    "200" ["Microsoft Teams endpoint returned HTTP error 429"] => RateLimited NotSent Wait Doc "a retired connector, which was too fast for Teams";
    "200" ["returned HTTP error 413"] => TooLarge NotSent Never Doc "a retired connector, whose message was too large";
    "200" ["returned HTTP error"] => Rejected NotSent Never Doc "a retired connector, which Teams refused";
    "400" ["TriggerInputSchemaMismatch"] => Rejected NotSent Never Log "the body does not fit the schema of the workflow's trigger";
    "400" ["WorkflowTriggerIsNotEnabled"] => Forbidden NotSent Never Inferred "the workflow is switched off";
    "401" ["DirectApiAuthorizationRequired"] => Forbidden NotSent Never Inferred "the workflow's trigger takes users of the tenant alone";
    "200" => Ok Sent Never Sdk "the workflow was triggered, and answers by an action of its own";
    "202" => Ok Sent Never Sdk "the workflow was triggered; a card that fails is not told of";
    "400" => Rejected NotSent Never Inferred "the request was refused";
    "401" => Auth NotSent Never Inferred stops "the signature in the URL is wrong";
    "403" => Auth NotSent Never Inferred stops "the signature in the URL was revoked";
    "404" => Auth NotSent Never Inferred stops "the workflow was deleted";
    "410" => Auth NotSent Never Inferred stops "URLs of this form have ended";
    "413" => TooLarge NotSent Never Inferred "the message is too large";
    "429" => RateLimited NotSent Wait Inferred "too many requests";
    "502" => Service MaybeSent Never Inferred "the workflow may have run";
    "504" => Service MaybeSent Never Inferred "the workflow may have run";
    500..599 => Service MaybeSent Never Inferred "the workflow may have run, and nothing is known again";
    @any => Service NotSent Never Inferred "unknown status, never retried";
};
