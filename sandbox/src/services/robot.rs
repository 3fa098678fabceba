//! A service that takes messages at one URL, of which all that it does is told as data.

use serde_json::Value;

use super::{About, Service};
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::form;
use crate::window::Window;

/// What a robot is: where it listens, whom it believes, what it answers.
#[derive(Clone, Copy)]
pub struct Robot {
    /// Its name in paths.
    pub name: &'static str,
    /// The path of its URL.
    pub path: &'static str,
    /// An account that it accepts, but for `base_url`, as JSON.
    pub account: &'static str,
    /// Says why a request is refused, by the name of one of `refusals`.
    pub verify: fn(&Request) -> Result<(), &'static str>,
    /// Where the text of a message stands in the JSON of the body.
    pub text: &'static str,
    /// The longest body, in bytes.
    pub longest: usize,
    /// How many messages it takes in so many milliseconds.
    pub rate: (usize, u64),
    /// The body of a success.
    pub ok: &'static str,
    /// Refusals, each with its status and body. It has `text`, `long` and `fast`, and those of `verify`.
    pub refusals: &'static [(&'static str, u16, &'static str)],
}

/// A request, as far as it is verified.
pub struct Request {
    /// The pairs of the query.
    pub query: Vec<(String, String)>,
    /// The header field `Authorization`.
    pub authorization: Option<String>,
    /// Unix milliseconds of the server's clock.
    pub now_ms: u64,
}

impl Request {
    /// The value of a pair of the query.
    pub fn get(&self, name: &str) -> Option<&str> {
        form::first(&self.query, name)
    }
}

/// A robot that is played.
pub(crate) struct Played {
    robot: Robot,
    calls: Window,
}

impl Played {
    pub(crate) fn new(robot: Robot) -> Played {
        Played { robot, calls: Window::new(robot.rate.0, robot.rate.1) }
    }

    fn refusal(&self, name: &str) -> Answer {
        let found = self.robot.refusals.iter().find(|(own, ..)| *own == name);
        let (_, status, body) = found.expect("a robot has each refusal that it is asked for");
        Answer::new(*status, "application/json", *body)
    }

    fn take(&mut self, call: &Call) -> Result<String, &'static str> {
        let query = form::pairs(&call.query).ok_or("text")?;
        let authorization = call.header("authorization").map(str::to_owned);
        (self.robot.verify)(&Request { query, authorization, now_ms: call.now_ms })?;
        if call.limits && !self.calls.pass(call.now_ms) {
            return Err("fast");
        }
        if call.body.len() > self.robot.longest {
            return Err("long");
        }
        let body: Value = serde_json::from_slice(&call.body).map_err(|_| "text")?;
        let text = body.pointer(self.robot.text).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned).ok_or("text")
    }
}

impl Service for Played {
    fn name(&self) -> &'static str {
        self.robot.name
    }

    fn answer(&mut self, call: &Call) -> Outcome {
        if call.path != self.robot.path {
            return Answer::not_found().into();
        }
        if call.method != "POST" {
            return Answer::wrong_method("POST").into();
        }
        match self.take(call) {
            Ok(text) => {
                let answer = Answer::new(200, "application/json", self.robot.ok);
                Outcome::took(answer, Delivered::to(self.robot.name, "", text))
            }
            Err(refused) => self.refusal(refused).into(),
        }
    }

    fn rate_limited(&self, _call: &Call) -> Answer {
        self.refusal("fast")
    }

    fn dropped(&self, _call: &Call) -> Answer {
        self.refusal("text")
    }

    fn accounts(&self) -> Vec<(&'static str, Value)> {
        let account = serde_json::from_str(self.robot.account);
        vec![(self.robot.name, account.expect("the account of a robot is JSON"))]
    }

    fn about(&self) -> About {
        About {
            title: self.robot.name,
            paths: self.robot.path,
            auth: "as its account says",
            recipients: "none: its URL names them",
            limits: "the length of a body, and a rate",
            assumed: &[],
        }
    }
}
