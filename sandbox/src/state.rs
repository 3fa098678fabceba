//! What the sandbox knows: its services, the messages they took, the faults that wait.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::clock::Clock;
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::faults::{self, Faults, Kind, When};
use crate::services::robot::{Played, Robot};
use crate::services::{self, Service};

/// How many messages are kept, and how many bytes of their requests; older ones make room.
const KEPT: usize = 200_000;
const KEPT_BYTES: usize = 256 << 20;

/// A message with the request that brought it.
struct Taken {
    service: &'static str,
    delivered: Delivered,
    time: u64,
    request: Arc<Value>,
    bytes: usize,
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
    services: Vec<Box<dyn Service>>,
    messages: VecDeque<Taken>,
    message_bytes: usize,
}

impl State {
    pub(crate) fn new(clock: Clock, robots: &[Robot]) -> State {
        let mut services = services::all();
        services.extend(robots.iter().map(|robot| Box::new(Played::new(*robot)) as Box<_>));
        State {
            clock,
            faults: Faults::default(),
            limits: true,
            services,
            messages: VecDeque::new(),
            message_bytes: 0,
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
        let names: Vec<_> = self.services.iter().map(|service| service.name()).collect();
        self.faults.add(fault, &names)
    }

    /// Lets `service` see the request, the fault that meets it included.
    ///
    /// Latency is the caller's to wait for, before this.
    pub(crate) fn act(&mut self, service: &str, call: &Call, fault: Option<Kind>) -> Action {
        let Some(at) = self.services.iter().position(|known| known.name() == service) else {
            return Action::Answer(Answer::not_found());
        };
        match fault {
            None | Some(Kind::Latency(_)) => Action::Answer(self.ask(at, call)),
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
        if delivered.is_empty() {
            return answer;
        }
        let (service, time) = (service.name(), call.now_s());
        let request = Arc::new(call.to_json());
        let shown = request["body"].as_str().map_or(0, str::len) + call.target.len();
        for delivered in delivered {
            let (request, bytes) = (request.clone(), shown + delivered.bytes());
            self.keep(Taken { service, delivered, time, request, bytes });
        }
        answer
    }

    fn keep(&mut self, taken: Taken) {
        self.message_bytes += taken.bytes;
        self.messages.push_back(taken);
        while self.messages.len() > KEPT || self.message_bytes > KEPT_BYTES {
            let Some(oldest) = self.messages.pop_front() else { break };
            self.message_bytes -= oldest.bytes;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.messages.clear();
        self.message_bytes = 0;
    }

    /// The messages in the order of their arrival.
    pub(crate) fn messages(&self) -> Vec<Value> {
        let one = |taken: &Taken| {
            let mut json = json!({"service": taken.service});
            if let Value::Object(map) = &mut json {
                map.extend(taken.delivered.to_json());
            }
            json["time"] = taken.time.into();
            json["request"] = (*taken.request).clone();
            json
        };
        self.messages.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(id: usize, bytes: usize) -> Taken {
        let delivered = Delivered { id: Some(id.to_string()), ..Delivered::default() };
        Taken { service: "fanfou", delivered, time: 0, request: Arc::default(), bytes }
    }

    #[test]
    fn older_messages_make_room() {
        let mut state = State::new(Clock::manual(0), &[]);
        for id in 0..=KEPT {
            state.keep(taken(id, 1));
        }
        assert_eq!(state.messages.len(), KEPT);
        assert_eq!(state.messages[0].delivered.id.as_deref(), Some("1"));
        assert_eq!(state.message_bytes, KEPT);
        state.keep(taken(KEPT + 1, KEPT_BYTES));
        assert_eq!((state.messages.len(), state.message_bytes), (1, KEPT_BYTES));
        state.clear();
        assert_eq!((state.messages.len(), state.message_bytes), (0, 0));
    }
}
