//! The engine against a scripted transport, in time that passes at once.

mod delivery;
mod elsewhere;
mod exhausted;
#[cfg(feature = "outbox")]
mod files;
mod joined;
mod matrix;
mod pacing;
mod repeated;
mod rows;
mod scheduler;
mod session;
mod several;
mod simulation;
mod steps;
mod stopped;
mod uploads;
mod waiting;

use std::collections::VecDeque;
use std::future::{Future as _, poll_fn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::Shared;
use super::accept::op::Op;
use super::attempt::deliver::{carry, deliver};
use super::attempt::job::{Job, Sink};
use super::results::queue::Waited;
use super::runtime::TokioClock;
use super::runtime::dispatch::{Dispatch, Dispatcher};
use crate::model::config::ClientConfig;
use crate::model::message::{Message, Parsed};
use crate::model::receipt::Receipt;
use crate::net::{Alarm, Boxed, Carrier, Failure, Scripted, Way};
use crate::service::api::{Answer, HttpRequest, Wire};

/// What the scripted transport does with one request.
#[derive(Clone)]
enum Step {
    Answer(Answer),
    Fail {
        way: Way,
        begun: bool,
    },
    Hang {
        begun: bool,
    },
    /// An answer after so long.
    Late {
        after: Duration,
        answer: Answer,
    },
    /// An answer where the URL has these words; else it hangs.
    HangUnless {
        url: &'static str,
        answer: Answer,
    },
}

/// What some requests are answered whatever the script says.
type Reply = Arc<dyn Fn(&HttpRequest) -> Option<Step> + Send + Sync>;

/// A transport that follows a script, and repeats its last step.
#[derive(Clone, Default)]
struct Script {
    reply: Option<Reply>,
    steps: Arc<Mutex<VecDeque<Step>>>,
    requests: Arc<Mutex<Vec<HttpRequest>>>,
}

impl Scripted for Script {
    fn send<'a>(
        &'a self,
        wire: Wire,
        time_out: &'a mut Alarm,
        begun: Arc<AtomicBool>,
    ) -> Boxed<'a, Result<Answer, Failure>> {
        let request = http(wire);
        let url = request.url.to_string();
        let reply = self.reply.as_ref().and_then(|reply| reply(&request));
        self.requests.lock().expect("no test panics inside").push(request);
        let mut steps = self.steps.lock().expect("no test panics inside");
        let step = match reply {
            Some(step) => Some(step),
            None if steps.len() > 1 => steps.pop_front(),
            None => steps.front().cloned(),
        };
        let step = match step.expect("a script has a step") {
            Step::HangUnless { url: words, answer } if url.contains(words) => Step::Answer(answer),
            Step::HangUnless { .. } => Step::Hang { begun: true },
            step => step,
        };
        Box::pin(async move {
            match step {
                Step::HangUnless { .. } => unreachable!("replaced above"),
                Step::Answer(answer) => {
                    begun.store(true, Ordering::Release);
                    Ok(answer)
                }
                Step::Late { after, answer } => {
                    begun.store(true, Ordering::Release);
                    tokio::select! {
                        biased;
                        () = tokio::time::sleep(after) => Ok(answer),
                        () = time_out => Err(Failure { way: Way::TimedOut, words: "late".to_owned() }),
                    }
                }
                Step::Fail { way, begun: has_begun } => {
                    begun.store(has_begun, Ordering::Release);
                    Err(Failure { way, words: "scripted".to_owned() })
                }
                Step::Hang { begun: has_begun } => {
                    begun.store(has_begun, Ordering::Release);
                    time_out.await;
                    Err(Failure { way: Way::TimedOut, words: "scripted".to_owned() })
                }
            }
        })
    }
}

/// The request of HTTP that goes over the wire.
fn http(wire: Wire) -> HttpRequest {
    match wire {
        Wire::Http(request) => request,
        Wire::Mail(mail) => panic!("no request: {mail:?}"),
    }
}

/// The body of a request.
fn body(request: &HttpRequest) -> String {
    String::from_utf8(request.body.clone().whole().into()).expect("UTF-8")
}

fn accounts() -> Value {
    json!({
        "ff": {"service": "fanfou", "auth": {"type": "basic", "username": "u", "password": "p4ssword"}},
        "ffo": {"service": "fanfou", "auth": {"type": "oauth1", "consumer_key": "ck",
            "consumer_secret": "consumer-secret", "token": "access-token", "token_secret": "token-secret"}},
        "ffx": {"service": "fanfou", "auth": {"type": "basic", "username": "u", "password": "p4ssword"},
            "format": "xml"},
        "sina": {"service": "sina", "app_key": "k",
            "auth": {"type": "basic", "username": "u", "password": "p4ssword"}},
        "weibo": {"service": "weibo", "auth": {"type": "oauth2", "token": "weibo-token"}},
        "renren": {"service": "renren", "auth": {"type": "mac", "token": "renren-token",
            "mac_key": "renren-mac-key"}},
        "circ": {"service": "circular", "auth": {"type": "bearer", "token": "circular-token"}},
        "discord": {"service": "discord", "auth": {"type": "bot", "token": "MTk4.Cl2FMQ.secret"}},
        "discord_hook": {"service": "discord", "auth": {"type": "webhook",
            "url": "https://discord.com/api/webhooks/223704706495545344/secret"}},
        "mattermost": {"service": "mattermost", "base_url": "https://chat.example",
            "auth": {"type": "bot", "token": "mattermost-token"}},
        "mattermost_hook": {"service": "mattermost",
            "auth": {"type": "webhook", "url": "https://chat.example/hooks/secret"}},
        "dingtalk_bot": {"service": "dingtalk_bot", "auth": {"type": "webhook", "secret": "robot-secret",
            "url": "https://oapi.dingtalk.com/robot/send?access_token=robot-token"}},
        "wecom_bot": {"service": "wecom_bot", "auth": {"type": "webhook",
            "url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=robot-key"}},
        "feishu_bot": {"service": "feishu_bot", "auth": {"type": "webhook",
            "url": "https://open.feishu.cn/open-apis/bot/v2/hook/robot-token"}},
        "robot": {"service": "chatroom", "auth": {"type": "bearer", "token": "robot-token"}},
        "slack": {"service": "slack", "auth": {"type": "bot", "token": "xoxb-1"}},
        "slack_hook": {"service": "slack", "auth": {"type": "webhook",
            "url": "https://hooks.slack.com/services/T1/B1/secret"}},
        "tg": {"service": "telegram",
            "auth": {"type": "bot", "token": "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"}},
        "corp": {"service": "corpchat",
            "auth": {"type": "app", "id": "app-7", "secret": "app-secret"}},
        "team": {"service": "teamchat", "auth": {"type": "bearer", "token": "team-token"}},
        "hook": {"service": "webhook", "url": "https://hooks.example.com/in", "auth": {"type": "none"}},
        "signed": {"service": "webhook", "url": "https://hooks.example.com/in",
            "auth": {"type": "standard_webhooks", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
            "success": {"status": [200, 409]}},
        "im": {"service": "tencent_im", "region": "sgp", "auth": {"type": "usersig",
            "sdk_app_id": 1, "identifier": "admin", "secret_key": "secret-key"}},
    })
}

/// A world with these steps, in which one message is sent.
struct World {
    script: Script,
    config: Value,
    patience: Option<Duration>,
}

impl World {
    fn new(steps: impl IntoIterator<Item = Step>) -> World {
        let script = Script::default();
        script.steps.lock().expect("fresh").extend(steps);
        World { script, config: json!({"v": 1, "accounts": accounts()}), patience: None }
    }

    fn with(mut self, name: &str, value: Value) -> World {
        self.config[name] = value;
        self
    }

    /// What these requests are answered comes from no script.
    fn replies(
        mut self,
        reply: impl Fn(&HttpRequest) -> Option<Step> + Send + Sync + 'static,
    ) -> World {
        self.script.reply = Some(Arc::new(reply));
        self
    }

    fn patience(mut self, ms: u64) -> World {
        self.patience = Some(Duration::from_millis(ms));
        self
    }

    fn send(&self, message: Value) -> Receipt {
        self.send_all([message]).remove(0)
    }

    /// Sends one message after the other, by one client.
    fn send_all(&self, messages: impl IntoIterator<Item = Value>) -> Vec<Receipt> {
        self.live(|shared| async move {
            let mut receipts = Vec::new();
            for message in messages {
                let mut job = accept(&shared, message, self.patience);
                receipts.push(*deliver(&mut job).await.expect("the caller's receipt"));
                // No two sends of a caller end and begin in the same moment.
                shared.clock.sleep_until(shared.clock.now() + Duration::from_millis(1)).await;
            }
            receipts
        })
    }

    /// Sends messages all at once, by one client; the receipts come in the order of the messages.
    fn send_at_once(&self, messages: impl IntoIterator<Item = Value>) -> Vec<Receipt> {
        self.live(|shared| async move {
            let jobs: Vec<_> =
                messages.into_iter().map(|m| accept(&shared, m, self.patience)).collect();
            let tasks: Vec<_> = jobs
                .into_iter()
                .map(|mut job| tokio::spawn(async move { deliver(&mut job).await }))
                .collect();
            let mut receipts = Vec::new();
            for task in tasks {
                receipts.push(*task.await.expect("no panic").expect("the caller's receipt"));
            }
            receipts
        })
    }

    /// Runs something in this world, in time that passes at once.
    fn live<T, F: Future<Output = T>>(&self, story: impl FnOnce(Arc<Shared>) -> F) -> T {
        self.live_with(Box::new(self.script.clone()), story)
    }

    /// The same over another transport.
    fn live_with<T, F: Future<Output = T>>(
        &self,
        transport: Box<dyn Scripted>,
        story: impl FnOnce(Arc<Shared>) -> F,
    ) -> T {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            let config =
                ClientConfig::from_value(self.config.clone()).expect("a valid configuration");
            let clock = Arc::new(TokioClock::default());
            let shared = Shared::new(config, Carrier::Scripted(transport), clock, 7);
            story(Arc::new(shared.expect("valid accounts"))).await
        })
    }

    /// The requests for this path.
    fn requests_for(&self, path: &str) -> Vec<HttpRequest> {
        let mut requests = self.requests();
        requests.retain(|request| request.url.path() == path);
        requests
    }

    fn requests(&self) -> Vec<HttpRequest> {
        self.script.requests.lock().expect("no test panics inside").clone()
    }
}

/// Carries messages out as submitted ones are, whose results go into the client's queue.
struct Submits {
    shared: Arc<Shared>,
    dispatch: Arc<Dispatch>,
    done: Arc<Done>,
    dispatcher: tokio::task::JoinHandle<()>,
}

/// What became of them, and of the tasks that they had.
#[derive(Default)]
struct Done {
    results: Mutex<Vec<(Duration, Receipt)>>,
    tasks: Mutex<Vec<tokio::task::JoinHandle<()>>>,
}

impl Done {
    fn collect(&self, shared: &Shared) {
        if let Ok(Waited::Results(receipts)) = shared.sends.own().wait(Some(Duration::ZERO), 1000) {
            let now = shared.clock.now();
            let mut results = self.results.lock().expect("no panic inside");
            results.extend(receipts.into_iter().map(|receipt| (now, receipt)));
        }
    }
}

impl Submits {
    fn of(shared: &Arc<Shared>) -> Submits {
        let (dispatch, done): (Arc<Dispatch>, Arc<Done>) = Default::default();
        let give = {
            let (shared, done, again) =
                (Arc::clone(shared), Arc::clone(&done), Arc::clone(&dispatch));
            move |mut job: Box<Job>| {
                let (shared, own, again) =
                    (Arc::clone(&shared), Arc::clone(&done), Arc::clone(&again));
                let task = tokio::spawn(async move {
                    match carry(&mut job).await {
                        Some(_) => own.collect(&shared),
                        None => again.begin(job),
                    }
                });
                done.tasks.lock().expect("no panic inside").push(task);
            }
        };
        let mut work = Box::pin(Dispatcher::new(shared, &dispatch, give).run());
        let dispatcher = {
            let (shared, done) = (Arc::clone(shared), Arc::clone(&done));
            tokio::spawn(poll_fn(move |cx| {
                let over = work.as_mut().poll(cx);
                // Of those that ended without a task.
                done.collect(&shared);
                over
            }))
        };
        Submits { shared: Arc::clone(shared), dispatch, done, dispatcher }
    }

    fn begin(&self, job: Box<Job>) {
        self.dispatch.begin(job);
    }

    /// Accepts a message and begins it.
    fn submit(&self, message: Value, token: u64) -> Op {
        let given: Parsed = Ok(Message::from_json(&message.to_string()).expect("a valid message"));
        let job = self.shared.accept(given, token, Sink::Queue(None), None);
        let mut job = job.expect("accepted");
        let op = job.op();
        self.begin(job);
        op
    }

    /// How many tasks there are.
    fn tasks(&self) -> usize {
        let tasks = self.done.tasks.lock().expect("no panic inside");
        tasks.iter().filter(|task| !task.is_finished()).count()
    }

    /// The results until now, and when they came.
    fn told(&self) -> Vec<(Duration, Receipt)> {
        std::mem::take(&mut *self.done.results.lock().expect("no panic inside"))
    }

    /// The results of all, once they are there.
    async fn results(&self) -> Vec<(Duration, Receipt)> {
        while self.shared.sends.unfinished() > 0 {
            self.shared
                .clock
                .sleep_until(self.shared.clock.now() + Duration::from_millis(50))
                .await;
        }
        let tasks = std::mem::take(&mut *self.done.tasks.lock().expect("no panic inside"));
        for task in tasks {
            task.await.expect("no task panics");
        }
        self.told()
    }
}

impl Drop for Submits {
    fn drop(&mut self) {
        self.dispatcher.abort();
    }
}

fn accept(shared: &Arc<Shared>, message: Value, patience: Option<Duration>) -> Box<Job> {
    let given: Parsed = Ok(Message::from_json(&message.to_string()).expect("a valid message"));
    shared.accept(given, 0, Sink::Caller, patience).expect("accepted")
}

fn fanfou(account: &str) -> Value {
    json!({"v": 1, "account": account, "to": {"user": "lisztli"}, "text": "hello"})
}

fn tencent(extra: Value) -> Value {
    json!({"v": 1, "account": "im", "to": {"group": "g"}, "text": "hello", "extra": extra})
}

fn answer(status: u16, body: &str) -> Step {
    Step::Answer(Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() })
}

fn tencent_answer(code: i64) -> Step {
    let status = if code == 0 { "OK" } else { "FAIL" };
    answer(
        200,
        &json!({"ActionStatus": status, "ErrorCode": code, "ErrorInfo": "why", "MsgSeq": 5})
            .to_string(),
    )
}

fn name_of(receipt: &Receipt) -> &'static str {
    receipt.error.as_ref().map_or("ok", |error| error.code().name())
}
