//! What Telegram's codes mean: `error_code` with its description.

use crate::service::verdict::{Row, verdicts};

/// The table; rows are found by code and text, not by their order.
pub static TABLE: &[Row] = verdicts! {
    "400" ["upgraded to a supergroup chat"]      => Rejected NotSent Never Sdk       "re-address: send once more to parameters.migrate_to_chat_id, do not count as a retry";
    "400" ["chat not found"]                     => NotFound NotSent Never Sdk       "unknown chat, or bot never met it";
    "400" ["private chat not found"]             => NotFound NotSent Never Sdk       "no private chat with that user";
    "400" ["user not found"]                     => NotFound NotSent Never Sdk       "unknown user";
    "400" ["message thread not found"]           => NotFound NotSent Never Sdk       "topic missing; General topic (id 1) must be left out";
    "400" ["TOPIC_CLOSED"]                       => Forbidden NotSent Never Inferred "forum topic closed";
    "400" ["TOPIC_DELETED"]                      => NotFound NotSent Never Inferred  "forum topic deleted";
    "400" ["message to be replied not found"]    => Rejected NotSent Never Sdk       "reply target missing; allow_sending_without_reply avoids it";
    "400" ["PEER_ID_INVALID"]                    => NotFound NotSent Never Sdk       "peer unknown to the bot";
    "400" ["message text is empty"]              => Rejected NotSent Never Sdk       "text empty";
    "400" ["text must be non-empty"]             => Rejected NotSent Never Sdk       "text empty after parsing";
    "400" ["message is too long"]                => TooLarge NotSent Never Sdk       "over 4096 Unicode code points after parsing";
    "400" ["message caption is too long"]        => TooLarge NotSent Never Sdk       "caption over 1024 code points after parsing";
    "400" ["text is too long"]                   => TooLarge NotSent Never Sdk       "over 32768 bytes before parsing";
    "400" ["file is too big"]                    => TooLarge NotSent Never Sdk       "file over the limit";
    "400" ["can't parse"]                        => Rejected NotSent Never Sdk       "entities, reply or keyboard JSON not parsed; description has the byte offset";
    "400" ["must be encoded in UTF-8"]           => Rejected NotSent Never Sdk       "text is not UTF-8";
    "400" ["rights to send"]                     => Forbidden NotSent Never Sdk      "bot may not send this kind here";
    "400" ["need administrator rights"]          => Forbidden NotSent Never Inferred "channel posting needs admin";
    "400" ["CHAT_WRITE_FORBIDDEN"]               => Forbidden NotSent Never Inferred "bot may not write here";
    "400" ["CHAT_RESTRICTED"]                    => Forbidden NotSent Never Inferred "chat restricted";
    "400" ["CHAT_SEND_"]                         => Forbidden NotSent Never Inferred "this kind of message is switched off in the chat";
    "400" ["chat_id is empty"]                   => Rejected NotSent Never Sdk       "chat_id missing";
    "400" ["wrong file identifier"]              => Rejected NotSent Never Sdk       "file_id or URL refused";
    "400" ["failed to get HTTP URL content"]     => Rejected NotSent Never Sdk       "service could not fetch the URL";
    "400" ["wrong type of the web page content"] => Rejected NotSent Never Sdk       "URL content is of the wrong type";
    "400" ["PHOTO_"]                             => Rejected NotSent Never Sdk       "photo refused (extension, dimensions)";
    "400" ["BUTTON_"]                            => Rejected NotSent Never Inferred  "keyboard button refused";
    "400" ["Logged out"]                         => Auth NotSent Never Sdk           stops "bot logged out of this server";
    "403" ["bot was blocked by the user"]        => Forbidden NotSent Never Sdk      "stop this recipient";
    "403" ["user is deactivated"]                => NotFound NotSent Never Sdk       "stop this recipient";
    "403" ["bot can't initiate conversation"]    => Forbidden NotSent Never Sdk      "user never started the bot";
    "403" ["can't send messages to"]             => Forbidden NotSent Never Sdk      "bot to bot";
    "403" ["kicked"]                             => Forbidden NotSent Never Sdk      "stop this chat";
    "403" ["not a member"]                       => Forbidden NotSent Never Sdk      "stop this chat";
    "403" ["group chat was deleted"]             => NotFound NotSent Never Sdk       "stop this chat";
    "404" ["method not found"]                   => Rejected NotSent Never Sdk       "base URL or method name wrong";
    "500" ["restart"]                            => Service MaybeSent Never Sdk      "server shutting down, pending sends are answered so too";
    "200"                                        => Ok Sent Never Sdk                "only with ok true and result.message_id";
    "400"                                        => Rejected NotSent Never Sdk       "bad request, other text";
    "401"                                        => Auth NotSent Never Sdk           stops "token invalid or revoked, stop the account";
    "403"                                        => Forbidden NotSent Never Sdk      "other refusal, stop this chat";
    "404"                                        => Auth NotSent Never Sdk           stops "token malformed (hosted server), or wrong method";
    "409"                                        => Rejected NotSent Never Sdk       "polling conflict, not a send answer";
    "413"                                        => TooLarge NotSent Never Inferred  "upload larger than the front server takes";
    "421"                                        => Rejected NotSent Never Sdk       "self-hosted server does not serve this bot";
    "429"                                        => RateLimited NotSent Wait Sdk     "wait = parameters.retry_after or Retry-After, whole seconds; not processed";
    500..599                                     => Service MaybeSent Never Inferred "no de-duplication, so never resent blindly";
    @any                                         => Service NotSent Never Inferred   "unknown code, never retried";
};
