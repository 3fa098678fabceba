//! Outcomes without an answer: nothing came, or nothing was asked.

use crate::model::error::ErrorCode;
use crate::model::receipt::Delivery;
use crate::net::{Failure, Way};
use crate::service::verdict::{Class, Outcome};

/// Nothing was sent, for a reason of our own.
pub fn failed(code: ErrorCode, words: &str) -> Outcome {
    Outcome::failed(Delivery::NotSent, code, Class::Never, words)
}

/// No answer: what is true depends on whether the request had begun.
pub fn of_failure(failure: Failure, begun: bool, host: &str) -> Outcome {
    let name = match failure.way {
        Way::Network => ErrorCode::Network,
        Way::Tls => ErrorCode::Tls,
        Way::TimedOut => ErrorCode::Timeout,
        Way::Protocol => ErrorCode::Protocol,
        Way::TooLarge => ErrorCode::TooLarge,
        Way::Resources => ErrorCode::Internal,
    };
    let delivery = if begun { Delivery::MaybeSent } else { Delivery::NotSent };
    let stage = if begun { "after the request was sent" } else { "before anything was sent" };
    let class = match failure.way {
        Way::TooLarge => Class::Never,
        _ => Class::Backoff,
    };
    Outcome::failed(delivery, name, class, format!("{host}: {} ({stage})", failure.words))
}
