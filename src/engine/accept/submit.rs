//! Submitted sends: into memory, or into the outbox.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::accept::files::load;
use crate::engine::accept::op::Op;
use crate::engine::attempt::job::{Intake, Job, Place, Sink};
use crate::engine::custody::OnDisk;
use crate::engine::outbox::{Outbox, Reply};
use crate::engine::results::opened::Queue;
use crate::engine::results::queue::Results;
use crate::engine::results::sends::Unfinished;
use crate::engine::store::Accept;
use crate::engine::{Engine, Shared, lost, outbox};
use crate::model::digest::{self, Content};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::message::{Message, MessageSource, Parsed};

/// How a message is submitted.
#[derive(Clone, Copy, Debug, Default)]
pub struct SubmitOptions<'a> {
    /// What comes back with the receipt.
    pub token: u64,
    /// Like a message whose caller waits for it, it does not outlive this process: an outbox knows its
    /// key and its place in line only.
    pub in_memory: bool,
    /// How long it may take at most, retries included. What an outbox keeps has it as its deadline.
    pub time_out: Option<Duration>,
    /// Where its receipt comes out; none: of [`crate::Client::wait`].
    pub queue: Option<&'a Queue>,
    /// Even what is no message at all is accepted, and its receipt says what is wrong.
    pub takes_all: bool,
}

impl<'a> SubmitOptions<'a> {
    /// A message whose receipt has this token.
    pub fn token(token: u64) -> SubmitOptions<'a> {
        SubmitOptions { token, ..SubmitOptions::default() }
    }
}

/// A message as it came: to be sent, and to be kept.
pub struct Arrival<'a> {
    /// What is to be sent.
    pub given: Parsed,
    /// The JSON that it came as.
    pub json: Cow<'a, [u8]>,
    /// What the caller gave with it.
    pub token: u64,
    /// The queue that its result is for, if that is not the client's own.
    to: Option<Arc<Results>>,
}

impl<'a> Arrival<'a> {
    /// Reads a message; `Err` if it is none at all.
    pub fn read(source: MessageSource<'a>, token: u64) -> Result<Arrival<'a>> {
        let (given, json) = source.read_with_json()?;
        Ok(Arrival { given, json, token, to: None })
    }

    /// It expires by then at the latest.
    fn within(&mut self, time_out: Duration) {
        if let Ok(message) = &mut self.given {
            let ms = u64::try_from(time_out.as_millis()).unwrap_or(u64::MAX);
            message.deadline_ms = Some(message.deadline_ms.map_or(ms, |own| own.min(ms)));
        }
    }
}

impl Engine {
    /// Sends and returns; the result comes out of [`Engine::wait`].
    pub fn submit(&self, source: MessageSource<'_>, options: SubmitOptions<'_>) -> Result<Op> {
        let SubmitOptions { token, in_memory, time_out, queue, takes_all } = options;
        let to = queue.map(|queue| queue.results_of(&self.shared.sends)).transpose()?;
        match self.shared.keeps().filter(|_| !in_memory) {
            Some(outbox) => {
                let (given, json) = match takes_all {
                    true => source.read_any_with_json(),
                    false => source.read_with_json()?,
                };
                let mut arrival = Arrival { given, json, token, to };
                time_out.inspect(|time_out| arrival.within(*time_out));
                let told = self.submit_kept(outbox, vec![arrival])?;
                told.into_iter().next().unwrap_or_else(|| Err(lost()))
            }
            None => {
                let given = if takes_all { source.read_any() } else { source.read()? };
                self.submit_in_memory(given, token, to, time_out, Job::op)
            }
        }
    }

    /// Sends messages and returns; `Err` with how many were accepted before the first refused one.
    ///
    /// With an outbox they share a transaction.
    pub fn submit_many<'a>(
        &self,
        messages: impl Iterator<Item = (MessageSource<'a>, u64)>,
    ) -> std::result::Result<(), (usize, Error)> {
        let Some(outbox) = self.shared.keeps() else {
            return messages.enumerate().try_for_each(|(i, (source, token))| {
                let submit = |given| self.submit_in_memory(given, token, None, None, |_| ());
                source.read().and_then(submit).map_err(|error| (i, error))
            });
        };
        let (mut arrivals, mut wrong) = (Vec::with_capacity(messages.size_hint().0), Ok(()));
        for (source, token) in messages {
            match Arrival::read(source, token) {
                Ok(arrival) => arrivals.push(arrival),
                Err(error) => {
                    wrong = Err((arrivals.len(), error));
                    break;
                }
            }
        }
        // The store takes none after the first that it refuses.
        let told = self.submit_kept(outbox, arrivals).map_err(|e| (0, e))?;
        let mut told = told.into_iter().enumerate();
        told.try_for_each(|(i, told)| told.map(drop).map_err(|e| (i, e)))?;
        wrong
    }

    /// Sends a message and returns, and keeps it nowhere; its result comes out of [`Engine::wait`].
    ///
    /// The handle to it is `op` made of the job, so that who wants none pays for none.
    fn submit_in_memory<T>(
        &self,
        given: Parsed,
        token: u64,
        to: Option<Arc<Results>>,
        patience: Option<Duration>,
        op: impl FnOnce(&mut Job) -> T,
    ) -> Result<T> {
        self.runtime.start_io()?;
        let mut job = self.accept(given, token, Sink::Queue(to), patience)?;
        let op = op(&mut job);
        if job.is_refused() {
            job.finish_refused();
        } else {
            self.inbox.begin(job);
        }
        Ok(op)
    }

    /// Makes messages durable in one transaction, and sends them; tells what became of each.
    fn submit_kept(
        &self,
        outbox: &Arc<Outbox>,
        messages: Vec<Arrival<'_>>,
    ) -> Result<Vec<Result<Op>>> {
        self.runtime.start_io()?;
        let shared = &self.shared;
        let mut jobs: Vec<(Accept, Box<Job>)> = Vec::with_capacity(messages.len());
        let mut ops = Vec::with_capacity(messages.len());
        for Arrival { given, json, token, to } in messages {
            let unfinished = match shared.sends.accept() {
                Ok(unfinished) => unfinished,
                Err(error) => {
                    // It was closed in the middle: none of them was accepted.
                    jobs.iter_mut().for_each(|(_, job)| drop(job.forget()));
                    return Err(error);
                }
            };
            let (accept, mut job) = shared.arrived(given, json, token, to, unfinished);
            let key = accept.key.as_ref().map(|(key, _)| key.clone());
            let (id, account) = (accept.id.clone(), accept.account.clone());
            ops.push((job.op(), OnDisk { seq: 0, id, token, account, key }));
            jobs.push((accept, job));
        }
        let (reply, replies) = Reply::channel();
        outbox.accept(jobs, reply);
        // A database may be out of reach for long, and a file in another's hands.
        let (answers, are_all) = replies.wait(shared.timeout);
        let mut told: Vec<_> = ops.iter().map(|_| None).collect();
        answers.into_iter().for_each(|(i, answer)| told[i] = Some(answer));
        let missing = if are_all { lost() } else { unanswered() };
        let ops = ops.into_iter().zip(told).map(|((mut op, mut message), answer)| {
            message.seq = answer.unwrap_or_else(|| Err(missing.clone()))?;
            op.on_disk = Some(Box::new((outbox.hold(), message)));
            Ok(op)
        });
        Ok(ops.collect())
    }
}

impl Shared {
    /// A message on its way into the outbox.
    pub fn arrived(
        self: &Arc<Self>,
        mut given: Parsed,
        json: Cow<'_, [u8]>,
        token: u64,
        to: Option<Arc<Results>>,
        unfinished: Unfinished,
    ) -> (Accept, Box<Job>) {
        let shared = self;
        load(&mut given);
        let unix_ms = shared.clock.unix_ms();
        let account = match &given {
            Ok(message) => message.account.clone(),
            Err(refused) => refused.account.clone().unwrap_or_default(),
        };
        let entry = shared.accounts.get(&account);
        match (&mut given, &entry) {
            (Ok(message), Some(entry)) => entry.address(message),
            (Ok(message), None) if shared.only_submits => {
                shared.accounts.recipients.address(message);
            }
            _ => {}
        }
        let message = given.as_ref().ok();
        let (has_message, has_account) = (message.is_some(), entry.is_some());
        let id = shared.count(entry.as_deref());
        let (json, files) = match message.filter(|message| !message.attachments.is_empty()) {
            None => (json.into_owned(), Vec::new()),
            // Their bytes stand beside the JSON, which names them only.
            Some(message) => {
                let mut message = message.clone();
                let files = message.take_files();
                (message.to_json().into_bytes(), files)
            }
        };
        let mut accept = Accept {
            id: id.clone(),
            token,
            message: json,
            files,
            key: message.and_then(key_of),
            line: message.and_then(line_of),
            accepted_ms: unix_ms,
            due_ms: message.and_then(|m| m.not_before_ms).filter(|at| *at > unix_ms),
            deadline_ms: message.and_then(|m| m.deadline_ms).map(|ms| unix_ms.saturating_add(ms)),
            result: None,
            direct: false,
            held: false,
            from: None,
            account,
        };
        let intake = Intake {
            id,
            token,
            sink: Sink::Queue(to),
            slot: None,
            unfinished: Some(unfinished),
            patience: None,
            place: Place::Outbox,
        };
        let mut job = Job::new(Arc::clone(shared), given, entry, intake);
        // Whether there is such an account, who sends knows.
        let sent_elsewhere = self.only_submits && has_message && !has_account;
        if !sent_elsewhere && job.refuse() {
            // Wrong as it is, it was accepted: so it has a result, which is kept as well.
            (accept.key, accept.line) = (None, None);
            accept.result = Some(outbox::verdict(&job.receipt));
        }
        (accept, job)
    }

    /// What the outbox must know of a message that is sent for a caller who waits.
    pub fn direct(&self, message: &Message, id: &str) -> Accept {
        Accept {
            id: id.to_owned(),
            token: 0,
            account: message.account.clone(),
            message: Vec::new(),
            files: Vec::new(),
            key: key_of(message),
            line: line_of(message),
            accepted_ms: self.clock.unix_ms(),
            // The send itself looks at the clock.
            due_ms: None,
            deadline_ms: None,
            result: None,
            direct: true,
            held: true,
            from: None,
        }
    }
}

/// `storage`: nobody knows yet whether the outbox has a message.
fn unanswered() -> Error {
    let words = "the outbox did not answer in time";
    Error::new(ErrorCode::Storage, words).at("outbox").hint(
        "it may have the message all the same, and then there will be its one result: submit it again with \
         a key only",
    )
}

fn key_of(message: &Message) -> Option<(String, Content)> {
    Some((message.key.clone()?, Content::of(message)))
}

fn line_of(message: &Message) -> Option<String> {
    message.ordered.then(|| digest::recipient(&message.to))
}
