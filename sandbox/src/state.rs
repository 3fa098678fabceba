//! What the sandbox knows: its services, the messages they took, the faults that wait.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::exchange::{Answer, Call, Outcome};
use crate::faults::{self, Faults, Kind, When};
use crate::kept::{Kept, Other, Taken};
use crate::mask;
use crate::services::robot::{Played, Robot};
use crate::services::{self, Service};

/// How much of an answer is kept with a request that brought no message.
const KEPT_ANSWER: usize = 2 << 10;

/// The bytes of a request that is kept.
fn size_of_request(request: &Value) -> usize {
    let text = |value: &Value| value.as_str().map_or(0, str::len);
    let headers = request["headers"].as_object().into_iter().flatten();
    text(&request["path"])
        + text(&request["body"])
        + headers.map(|(name, value)| name.len() + text(value)).sum::<usize>()
}

/// What the connection should do once the service has been asked, or not asked.
#[derive(Debug)]
pub(crate) enum Action {
    Answer(Answer),
    Reset,
    Hang,
}

/// Everything behind the server's lock.
pub(crate) struct State {
    pub clock: Clock,
    pub faults: Faults,
    pub limits: bool,
    pub kept: Kept,
    /// How many requests came to services since the last clearing.
    requests: u64,
    services: Vec<Box<dyn Service>>,
    /// The secrets of each service, in the order of the services.
    secrets: Vec<Vec<String>>,
    /// Counts changes, for pages that wait for one.
    version: watch::Sender<u64>,
}

impl State {
    pub(crate) fn new(clock: Clock, robots: &[Robot]) -> State {
        let mut services = services::all();
        services.extend(robots.iter().map(|robot| Box::new(Played::new(*robot)) as Box<_>));
        State {
            clock,
            faults: Faults::default(),
            limits: true,
            kept: Kept::default(),
            requests: 0,
            secrets: services.iter().map(|service| mask::secrets(service.as_ref())).collect(),
            services,
            version: watch::Sender::new(1),
        }
    }

    /// The name of the service that `first`, the first part of a path, belongs to.
    pub(crate) fn service(&self, first: &str) -> Option<&'static str> {
        self.services.iter().map(|service| service.name()).find(|name| *name == first)
    }

    /// The largest body that a service reads.
    pub(crate) fn largest_body(&self, name: &str) -> Option<usize> {
        let service = self.services.iter().find(|service| service.name() == name)?;
        Some(service.largest_body())
    }

    pub(crate) fn add_fault(&mut self, fault: &Value) -> Result<(), String> {
        self.faults.add(fault, &self.names())?;
        self.changed();
        Ok(())
    }

    /// Counts a request to `service`, and gives the fault that meets it.
    pub(crate) fn meet(&mut self, service: &str) -> Option<Kind> {
        self.requests += 1;
        let fault = self.faults.take(service)?;
        self.changed();
        Some(fault)
    }

    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
        self.changed();
    }

    /// The names of the services, in their order.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.services.iter().map(|service| service.name()).collect()
    }

    /// The secrets of the accounts of a service.
    pub(crate) fn secrets(&self, name: &str) -> &[String] {
        let at = self.services.iter().position(|service| service.name() == name);
        at.map_or(&[], |at| &self.secrets[at])
    }

    /// Counts one up with every change; a receiver is told.
    pub(crate) fn versions(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    pub(crate) fn version(&self) -> u64 {
        *self.version.borrow()
    }

    fn changed(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    /// Lets `service` see the request, the fault that meets it included.
    ///
    /// Latency is the caller's to wait for, before this.
    pub(crate) fn act(&mut self, service: &str, call: &Call, fault: Option<Kind>) -> Action {
        let Some(at) = self.services.iter().position(|known| known.name() == service) else {
            return Action::Answer(Answer::not_found());
        };
        match fault {
            None | Some(Kind::Latency(_) | Kind::Hold(_)) => Action::Answer(self.ask(at, call)),
            Some(Kind::Status(reply)) => Action::Answer(reply.to_answer()),
            Some(Kind::Reset(when)) => {
                self.ask_when(when, at, call);
                Action::Reset
            }
            Some(Kind::Hang(when)) => {
                self.ask_when(when, at, call);
                Action::Hang
            }
            Some(Kind::RateLimit { retry_after_s }) => {
                let answer = self.services[at].rate_limited(call);
                Action::Answer(match retry_after_s {
                    Some(seconds) => answer.retry_after(seconds),
                    None => answer,
                })
            }
            Some(Kind::Drop) => Action::Answer(self.services[at].dropped(call)),
            Some(Kind::Garbage) => Action::Answer(faults::garbage()),
            Some(Kind::Answer { reply, stored }) => {
                let when = if stored { When::After } else { When::Before };
                self.ask_when(when, at, call);
                Action::Answer(reply.to_answer())
            }
        }
    }

    fn ask_when(&mut self, when: When, at: usize, call: &Call) {
        if when == When::After {
            self.ask(at, call);
        }
    }

    /// Asks the service, and keeps the message that it takes.
    fn ask(&mut self, at: usize, call: &Call) -> Answer {
        let service = &mut self.services[at];
        let Outcome { answer, delivered } = service.answer(call);
        let (service, time) = (service.name(), call.now_s());
        let request = call.to_json();
        let shown = size_of_request(&request);
        if delivered.is_empty() {
            let body = &answer.body[..answer.body.len().min(KEPT_ANSWER)];
            let (status, text) = (answer.status, String::from_utf8_lossy(body).into_owned());
            let bytes = shown + text.len();
            self.kept.keep_other(Other { service, time, request, status, answer: text, bytes });
        } else {
            let request = Arc::new(request);
            for delivered in delivered {
                let (request, bytes) = (request.clone(), shown + delivered.bytes());
                self.kept.keep(Taken { number: 0, service, delivered, time, request, bytes });
            }
        }
        self.changed();
        answer
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
        self.requests = 0;
        self.changed();
    }

    /// How many requests came to services, and the messages, since the last clearing.
    pub(crate) fn seen(&self) -> Value {
        json!({"requests": self.requests, "messages": self.messages()})
    }

    /// The messages in the order of their arrival.
    pub(crate) fn messages(&self) -> Vec<Value> {
        self.kept.messages.iter().map(Taken::to_json).collect()
    }
}
