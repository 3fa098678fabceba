//! What Mattermost's errors mean: their ids, and the status where an id is not known.

use crate::service::verdict::{Row, verdicts};

/// The table; rows are found by code and text, not by their order.
pub static TABLE: &[Row] = verdicts! {
    "api.post.deduplicate_create_post.pending" => Service MaybeSent Backoff Sdk "the first copy is still being saved";
    "api.context.session_expired.app_error" => Auth NotSent Never Sdk stops "the token is wrong";
    "api.context.token_provided.app_error" => Auth NotSent Never Inferred stops "the token is wrong";
    "api.context.permissions.app_error" => Forbidden NotSent Never Sdk "no permission in this channel";
    "api.context.invalid_body_param.app_error" => Rejected NotSent Never Sdk "a field is missing or wrong";
    "api.context.invalid_param.app_error" => Rejected NotSent Never Sdk "a field is wrong, or the channel is unknown";
    "api.post.create_post.can_not_post_to_deleted.error" => Forbidden NotSent Never Sdk "the channel is archived, restricted or read-only";
    "api.post.create_post.can_not_post_in_restricted_dm.error" => Forbidden NotSent Never Sdk "the channel is archived, restricted or read-only";
    "api.post.create_post.town_square_read_only" => Forbidden NotSent Never Sdk "the channel is archived, restricted or read-only";
    "api.post.create_post.root_id.app_error" => Rejected NotSent Never Sdk "the thread is unknown, or in another channel";
    "api.post.create_post.channel_root_id.app_error" => Rejected NotSent Never Sdk "the thread is unknown, or in another channel";
    "model.post.is_valid.msg.app_error" => TooLarge NotSent Never Sdk "the text is too long";
    "model.post.is_valid.message_length.app_error" => TooLarge NotSent Never Inferred "the text is too long";
    "app.channel.get.existing.app_error" => NotFound NotSent Never Sdk "the channel is unknown";
    "app.user.missing_account.const" => NotFound NotSent Never Inferred "the user is unknown";
    "web.incoming_webhook.invalid.app_error" => Auth NotSent Never Sdk stops "the webhook is unknown";
    "web.incoming_webhook.disabled.app_error" => Forbidden NotSent Never Sdk "webhooks are switched off";
    "web.incoming_webhook.parse.app_error" => Rejected NotSent Never Sdk "the message was refused";
    "web.incoming_webhook.text.app_error" => Rejected NotSent Never Sdk "the message was refused";
    "web.incoming_webhook.split_props_length.app_error" => Rejected NotSent Never Sdk "the message was refused";
    "api.webhook.incoming.error" => Rejected NotSent Never Sdk "the message was refused";
    "web.incoming_webhook.channel.app_error" => NotFound NotSent Never Sdk "the channel or user is unknown";
    "web.incoming_webhook.user.app_error" => NotFound NotSent Never Sdk "the channel or user is unknown";
    "web.incoming_webhook.channel_locked.app_error" => Forbidden NotSent Never Sdk "the webhook may not post there";
    "web.incoming_webhook.permissions.app_error" => Forbidden NotSent Never Sdk "the webhook may not post there";
    "200" => Ok Sent Never Sdk "the webhook took the message";
    "201" => Ok Sent Never Sdk "the post was made";
    "400" => Rejected NotSent Never Doc "the request was refused";
    "401" => Auth NotSent Never Doc stops "the token is wrong";
    "403" => Forbidden NotSent Never Doc "the request is forbidden";
    "404" => NotFound NotSent Never Doc "not found";
    "413" => TooLarge NotSent Never Doc "too large";
    "429" => RateLimited NotSent Wait Sdk "too many requests";
    "501" => Forbidden NotSent Never Sdk "switched off";
    500..599 => Service MaybeSent Backoff Inferred "the outcome is unknown";
    @any => Service NotSent Never Inferred "unknown code, never retried";
};
