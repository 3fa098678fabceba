//! Workflows of Power Automate that post cards into Microsoft Teams, by either form of their URLs.

use serde_json::{Value, json};

use super::{About, Service};
use crate::delivered::{Dialect, Format};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::route::{self, Handled, Params, Route};

/// A workflow that ends where it is triggered.
const FLOW: &str = "8f2d1c4b5a69478e8d7c6b5a49382716";
const SIG: &str = "h0ngyan_teams-sig-of-the-workflow-00000000000";
/// Another, which answers by a Response action.
const ANSWERS: &str = "1b2c3d4e5f60718293a4b5c6d7e8f901";
const ANSWERS_SIG: &str = "h0ngyan_teams-sig-of-the-other-000000000000000";
/// Bytes of a card, beyond which it fails unseen.
const LARGEST: usize = 28 << 10;
const CARD: &str = "application/vnd.microsoft.card.adaptive";

const ROUTES: &[Route<Teams>] = &[
    Route::post("/workflows/{flow}/triggers/manual/paths/invoke", Teams::invoke),
    Route::post(
        "/powerautomate/automations/direct/workflows/{flow}/triggers/manual/paths/invoke",
        Teams::invoke,
    ),
];

pub(super) struct Teams;

fn refused(status: u16, code: &str, words: &str) -> Answer {
    Answer::json(status, &json!({"error": {"code": code, "message": words}}))
}

/// What a card shows; none where the workflow's action would fail, which nobody is told.
fn shown(flow: &str, body: &Value) -> Option<Vec<Delivered>> {
    let cards = body["attachments"].as_array()?;
    let fits = body.to_string().len() <= LARGEST;
    let card = |attachment: &Value| {
        let card = &attachment["content"];
        let is_card = attachment["contentType"] == CARD
            && card["type"] == "AdaptiveCard"
            && card["version"].is_string();
        let blocks = card["body"].as_array().cloned().unwrap_or_default();
        let text = |block: &Value| block["text"].as_str().map(str::to_owned);
        let texts: Vec<_> = blocks.iter().filter_map(text).collect();
        let text = texts.join("\n");
        let called = card["msteams"]["entities"].as_array().into_iter().flatten();
        let called = called.filter(|entity| {
            entity["type"] == "mention"
                && entity["text"].as_str().is_some_and(|words| text.contains(words))
        });
        let ids = called.filter_map(|entity| entity["mentioned"]["id"].as_str());
        let delivered = Delivered {
            format: Format::Markdown(Dialect::CommonMark),
            mentions: ids.map(str::to_owned).collect(),
            ..Delivered::to(flow, "", text)
        };
        is_card.then_some(delivered)
    };
    cards.iter().map(card).collect::<Option<Vec<_>>>().filter(|cards| !cards.is_empty() && fits)
}

impl Teams {
    fn invoke(&mut self, call: &Call, params: &Params) -> Handled {
        let flow = params.get("flow");
        let sig = match flow {
            FLOW => SIG,
            ANSWERS => ANSWERS_SIG,
            _ => {
                let words = format!("The workflow '{flow}' could not be found.");
                return Err(refused(404, "WorkflowNotFound", &words));
            }
        };
        if call.header("authorization").is_some() {
            let words = "The request has both a SAS authentication scheme and an authorization header. \
                         Only one scheme should be used.";
            return Err(refused(401, "DirectApiRequestHasMoreThanOneAuthorization", words));
        }
        if call.query("sig").as_deref() != Some(sig) {
            let words = "The provided SAS signature is not valid.";
            return Err(refused(401, "DirectApiAuthorizationFailed", words));
        }
        let mismatch = |words: &str| refused(400, "TriggerInputSchemaMismatch", words);
        let body = call.object().map_err(|_| {
            mismatch("The input body for trigger 'manual' of type 'Request' must be of type JSON.")
        })?;
        if body.get("attachments").is_some_and(|cards| !cards.is_array() && !cards.is_null()) {
            let words = "The input body for trigger 'manual' of type 'Request' did not match its schema \
                         definition. Error details: 'Invalid type. Expected Array but got Object.'";
            return Err(mismatch(words));
        }
        let status = if flow == ANSWERS { 200 } else { 202 };
        let answer = Answer::new(status, "text/plain; charset=utf-8", "");
        Ok(Outcome { answer, delivered: shown(flow, &body.into()).unwrap_or_default() })
    }
}

impl Service for Teams {
    fn name(&self) -> &'static str {
        "teams"
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        let not_found = || refused(404, "ResourceNotFound", "The resource was not found.");
        route::answer(self, call, ROUTES).unwrap_or_else(|_| not_found().into())
    }

    fn rate_limited(&self, _: &Call) -> Answer {
        refused(429, "WorkflowTriggerThrottled", "The rate limit is exceeded.").retry_after(1)
    }

    fn dropped(&self, _: &Call) -> Answer {
        // A card that fails is dropped behind a success, which nobody can tell from another.
        Answer::new(202, "text/plain; charset=utf-8", "")
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let account =
            |url: String| json!({"service": "teams", "auth": {"type": "webhook", "url": url}});
        let flow = format!(
            "https://prod-00.westeurope.logic.azure.com:443/workflows/{FLOW}/triggers/manual/paths/invoke\
             ?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={SIG}"
        );
        let answers = format!(
            "https://default00.11.environment.api.powerplatform.com:443/powerautomate/automations/direct/\
             workflows/{ANSWERS}/triggers/manual/paths/invoke\
             ?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={ANSWERS_SIG}"
        );
        vec![("teams", account(flow)), ("teams-webhook-response", account(answers))]
    }

    fn about(&self) -> About {
        About {
            title: "Microsoft Teams",
            paths: "<code>POST /teams/workflows/…/triggers/manual/paths/invoke</code>, \
                    <code>/teams/powerautomate/automations/direct/workflows/…</code>",
            auth: "the signature in the query, and no <code>Authorization</code> beside it",
            recipients: "none: the URL is a workflow's",
            limits: "a card of 28 KiB, beyond which it fails unseen",
            assumed: &[
                "the codes of refusals but TriggerInputSchemaMismatch and \
                 DirectApiRequestHasMoreThanOneAuthorization",
                "a card that fails is answered as any other, and shows nowhere",
                "the second workflow answers 200, by a Response action without a body",
            ],
        }
    }
}
