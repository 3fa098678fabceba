//! How a token is asked for.

use std::sync::Arc;

use crate::engine::Shared;
use crate::engine::account::Entry;
use crate::engine::account::tokens::{Grant, Refusal, TokenResult, Tokens};
use crate::engine::attempt::connection::{HeldPermit, host};
use crate::engine::attempt::failure::{failed, of_failure};
use crate::model::error::ErrorCode;
use crate::model::receipt::Delivery;
use crate::net::{Alarm, Boxed};
use crate::service::api::{Exchange, Granted, Stamp};
use crate::service::judge::judge;
use crate::service::verdict::{Class, Outcome};

/// A token of this account that holds.
pub async fn token(shared: &Arc<Shared>, entry: &Arc<Entry>, tokens: &Tokens) -> TokenResult {
    tokens.get(&*shared.clock, &shared.retry, || ask(Arc::clone(shared), Arc::clone(entry))).await
}

/// Asks for a token, over a connection of its own.
fn ask(shared: Arc<Shared>, entry: Arc<Entry>) -> Boxed<'static, Grant> {
    Box::pin(async move {
        let stamp = || Stamp {
            unix: (shared.clock.unix_ms() / 1000).saturating_add_signed(entry.skew()),
            nonce: shared.random(|rng| rng.u128(..)),
            renew: false,
        };
        let refusal = |outcome: Outcome, status| Box::new(Refusal { outcome, status });
        let Some(session) = entry.account.session() else {
            let words = "the account has no session; this is a bug in hongyan";
            return Err(refusal(failed(ErrorCode::Internal, words), None));
        };
        let mut held = HeldPermit::none();
        let waited = held.take(&shared, &entry, &session.ask(&stamp()).wire).await;
        let mut alarm = Alarm::new(&shared.clock, shared.clock.now() + shared.timeout);
        let Exchange { wire, secrets, .. } = session.ask(&stamp());
        let secrets = [&*secrets, &*shared.secrets].concat();
        let redactor = entry.redactor.with(&secrets);
        let host = host(&wire, &entry).to_owned();
        let asked = shared.clock.now();
        let (route, mut wire) = (entry.route.as_ref(), Some(wire));
        let sent = match waited {
            Ok(_) => shared.transport.send(&mut wire, route, &mut alarm, Arc::default()).await,
            Err(failure) => Err(failure),
        };
        let (mut outcome, status) = match sent {
            Ok(answer) => {
                let reading = match session.read(&answer) {
                    Granted::Token { secret, expires } => return Ok((secret, asked, expires)),
                    refused => refused.into(),
                };
                (judge(entry.table, &answer, reading), Some(answer.status))
            }
            Err(failure) => (of_failure(failure, false, &host), None),
        };
        outcome.delivery = Delivery::NotSent;
        if outcome.class == Class::Reauthenticate {
            outcome.class = Class::Never;
        }
        outcome.text = redactor.text(&format!("no token: {}", outcome.text)).into_owned();
        outcome.service_code = outcome.service_code.map(|code| redactor.text(&code).into_owned());
        Err(refusal(outcome, status))
    })
}
