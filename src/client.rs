//! Floor 4: the public Rust API.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use crate::engine::{Arrival, Begins, Engine, Given, Job, Op, Preview, Waited, Watch};
use crate::model::config::{self, ClientConfig};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::expand::{Reference, expand};
use crate::model::fields::shown_path;
use crate::model::file::read_regular;
use crate::model::log::{self, Level, Reentrant, log};
use crate::model::message::{Message, MessageBuilder};
use crate::model::receipt::Receipt;

/// The longest file that `${file:…}` reads.
const MAX_SECRET: u64 = 1 << 20;

/// The files of a message, each with its place among the attachments.
pub type Files = Vec<(usize, bytes::Bytes)>;

/// Many accounts of many services, over one runtime.
///
/// It may be used from any number of threads. Dropping it closes it at once: what is still under
/// way is cut, so call [`Client::close`] first to let it end.
pub struct Client {
    engine: Engine,
}

impl Client {
    /// Makes a client from its configuration JSON; opens no connection and starts no thread.
    ///
    /// `config`: anything wrong with the JSON, with its path. `unavailable`: an outbox.
    pub fn from_json(json: &str) -> Result<Client> {
        Client::from_bytes(json.as_bytes())
    }

    /// Makes a client that only sends: it uses its outbox for keys and for order, and begins nothing
    /// that is queued there, save what a send of its own has to wait for. What is submitted is not
    /// kept.
    ///
    /// The outbox is opened at the first send that has a key or is ordered. It waits for others that give
    /// it free soon, and for an owner if it has a time-out or the outbox is `shared`; then it fails with
    /// `locked`.
    #[cfg(feature = "outbox")]
    pub fn for_sends(json: &str) -> Result<Client> {
        Client::make(json.as_bytes(), Begins::Needed)
    }

    pub(crate) fn from_bytes(json: &[u8]) -> Result<Client> {
        Client::make(json, Begins::All)
    }

    fn make(json: &[u8], begins: Begins) -> Result<Client> {
        let config = ClientConfig::from_value(config_value(json)?)?;
        let client = Client { engine: Engine::new(config, begins)? };
        log!(Info, "hongyan::client", "hongyan {} is ready", crate::VERSION);
        Ok(client)
    }

    /// Adds an account or replaces the one of that name, from an account object in JSON.
    ///
    /// Holds for attempts begun later; one in flight ends as it began.
    pub fn set_account(&self, name: &str, json: &str) -> Result<()> {
        self.set_account_bytes(name, json.as_bytes())
    }

    pub(crate) fn set_account_bytes(&self, name: &str, json: &[u8]) -> Result<()> {
        if name.is_empty() {
            return Err(Error::new(ErrorCode::Config, "an account needs a name"));
        }
        let path = format!("accounts.{name}");
        let mut value = config::json_value(json, &path)?;
        expand_account(&mut value, &path)?;
        self.engine.set_account(name, crate::engine::account_config(value, name)?)
    }

    /// Takes an account away; what waits for it ends `not_sent` with `config`.
    pub fn remove_account(&self, name: &str) -> Result<()> {
        self.engine.remove_account(name)
    }

    /// Asks the service of an account whether its credentials work, and waits at most `time_out`.
    ///
    /// Nothing is sent to anybody. `unsupported`: this service cannot be asked; `auth`: it refuses the
    /// credentials, in its own words; `config`: there is no such account; otherwise what went wrong on
    /// the way.
    pub fn check_account(&self, name: &str, time_out: Option<Duration>) -> Result<()> {
        self.engine.check_account(name, time_out, None)
    }

    /// Like [`Client::check_account`]; asks `had_enough` every `every` on the calling thread, and gives up
    /// (`cancelled`) once it answers true.
    pub fn check_account_watched(
        &self,
        name: &str,
        time_out: Option<Duration>,
        every: Duration,
        had_enough: &mut dyn FnMut() -> bool,
    ) -> Result<()> {
        self.engine.check_account(name, time_out, Some(Watch { every, had_enough }))
    }

    /// Sends a message and waits for its outcome; dropping the future cancels the send.
    ///
    /// `Err` means that nothing was accepted (`closed`, `full`); everything else is in the receipt.
    pub async fn send(&self, message: Message) -> Result<Receipt> {
        self.engine.send(Ok(message)).await
    }

    /// Sends a message on the calling thread and waits at most `time_out`, retries included.
    pub fn send_blocking(&self, message: Message, time_out: Option<Duration>) -> Result<Receipt> {
        self.engine.send_blocking(Ok(message), time_out, None)
    }

    /// Like [`Client::send_blocking`]; asks `had_enough` every `every` on the calling thread, and
    /// cancels the send once it answers true. The receipt says what had become true by then.
    ///
    /// `had_enough` may take its time, and may use this client: nothing waits for it but this send.
    pub fn send_blocking_watched(
        &self,
        message: Message,
        time_out: Option<Duration>,
        every: Duration,
        had_enough: &mut dyn FnMut() -> bool,
    ) -> Result<Receipt> {
        self.engine.send_blocking(Ok(message), time_out, Some(Watch { every, had_enough }))
    }

    /// Like [`Client::send_blocking`], from JSON; a wrong message is a receipt that says so.
    pub fn send_json(&self, json: &[u8], time_out: Option<Duration>) -> Result<Receipt> {
        self.engine.send_blocking(given(json)?, time_out, None)
    }

    /// Like [`Client::send_blocking_watched`], from JSON; a wrong message is a receipt that says so.
    pub fn send_json_watched(
        &self,
        json: &[u8],
        time_out: Option<Duration>,
        every: Duration,
        had_enough: &mut dyn FnMut() -> bool,
    ) -> Result<Receipt> {
        self.engine.send_blocking(given(json)?, time_out, Some(Watch { every, had_enough }))
    }

    /// The same of a message whose files stand beside its JSON, in the places where only their size is
    /// told there.
    #[doc(hidden)]
    pub fn send_json_watched_with(
        &self,
        json: &[u8],
        files: Files,
        time_out: Option<Duration>,
        every: Duration,
        had_enough: &mut dyn FnMut() -> bool,
    ) -> Result<Receipt> {
        let given = given_with(json, files)?;
        self.engine.send_blocking(given, time_out, Some(Watch { every, had_enough }))
    }

    /// The request that a message would become, with its secrets masked; nothing is sent.
    pub fn preview(&self, message: &Message) -> Result<Preview> {
        self.engine.preview(message)
    }

    /// The same of a message that stands in an outbox.
    #[cfg(feature = "outbox")]
    pub fn preview_row(&self, row: &crate::outbox::OutboxRow) -> Result<Preview> {
        let mut message = Message::parse(&row.message).map_err(|refused| refused.error)?;
        message.stand_in_for_files();
        self.preview(&message)
    }

    /// The same of a message in JSON, as JSON.
    pub fn preview_json(&self, json: &[u8]) -> Result<String> {
        self.preview_json_with(json, Files::new())
    }

    /// The same of a message whose files stand beside its JSON.
    #[doc(hidden)]
    pub fn preview_json_with(&self, json: &[u8], files: Files) -> Result<String> {
        let message = given_with(json, files)?.map_err(|refused| refused.error)?;
        Ok(self.preview(&message)?.to_json(message.account()))
    }

    /// Sends a message and returns; exactly one receipt with this token comes out of
    /// [`Client::wait`].
    pub fn submit(&self, message: Message, token: u64) -> Result<Op> {
        let json = Cow::Owned(message.to_json().into_bytes());
        self.engine.submit(Arrival { given: Ok(message), json, token })
    }

    /// Like [`Client::submit`], from JSON; a wrong message comes out of [`Client::wait`] too.
    pub fn submit_json(&self, json: &[u8], token: u64) -> Result<Op> {
        self.engine.submit(Arrival { given: given(json)?, json: Cow::Borrowed(json), token })
    }

    /// The same of a message whose files stand beside its JSON.
    #[doc(hidden)]
    pub fn submit_json_with(&self, json: &[u8], files: Files, token: u64) -> Result<Op> {
        let given = given_with(json, files)?;
        self.engine.submit(Arrival { given, json: Cow::Borrowed(json), token })
    }

    /// Submits messages, given as JSON with their tokens; `Err` with how many were accepted before
    /// the first refused one. With an outbox they share a transaction.
    pub fn submit_many_json(
        &self,
        messages: &[(&[u8], u64)],
    ) -> std::result::Result<(), (usize, Error)> {
        let mut arrivals = Vec::with_capacity(messages.len());
        for (json, token) in messages {
            match given(json) {
                Ok(given) => {
                    arrivals.push(Arrival { given, json: Cow::Borrowed(json), token: *token })
                }
                Err(error) => {
                    let before = arrivals.len();
                    self.engine.submit_many(arrivals)?;
                    return Err((before, error));
                }
            }
        }
        self.engine.submit_many(arrivals)
    }

    /// Like [`Client::submit`], but the message is not kept: an outbox knows its key and its place in
    /// line only.
    pub fn submit_in_memory(&self, message: Message, token: u64) -> Result<Op> {
        self.engine.submit_in_memory(Ok(message), token, None, Job::op)
    }

    /// Like [`Client::submit_json`], but the message is not kept, as by [`Client::submit_in_memory`],
    /// and the send has at most `time_out`, retries included.
    pub fn submit_json_within(
        &self,
        json: &[u8],
        token: u64,
        time_out: Option<Duration>,
    ) -> Result<Op> {
        self.engine.submit_in_memory(given(json)?, token, time_out, Job::op)
    }

    /// The same of a message whose files stand beside its JSON.
    #[doc(hidden)]
    pub fn submit_json_within_with(
        &self,
        json: &[u8],
        files: Files,
        token: u64,
        time_out: Option<Duration>,
    ) -> Result<Op> {
        self.engine.submit_in_memory(given_with(json, files)?, token, time_out, Job::op)
    }

    /// Makes messages durable in an outbox that is not this client's, and sends nothing: a client that
    /// has this outbox will. Tells of each, given as JSON with its token, what became of it; a wrong
    /// one is refused.
    #[cfg(feature = "outbox")]
    pub fn put(
        &self,
        outbox: &crate::outbox::OutboxFile,
        messages: &[(&[u8], u64)],
    ) -> Result<Vec<Result<crate::outbox::OutboxPut>>> {
        let mut arrivals = Vec::with_capacity(messages.len());
        let mut refused = Vec::with_capacity(messages.len());
        for (json, token) in messages {
            match given(json) {
                Ok(given) => {
                    arrivals.push(Arrival { given, json: Cow::Borrowed(json), token: *token });
                    refused.push(None);
                }
                Err(error) => refused.push(Some(error)),
            }
        }
        let mut told = self.engine.outbox_put(&outbox.file, arrivals)?.into_iter();
        let answers = refused.into_iter().filter_map(|refused| match refused {
            Some(error) => Some(Err(error)),
            None => told.next(),
        });
        let put = |(id, known)| crate::outbox::OutboxPut { id, known };
        Ok(answers.map(|answer| answer.map(put)).collect())
    }

    /// Like [`Client::send_json`], of a message that was built.
    pub fn send_built(
        &self,
        message: &MessageBuilder,
        time_out: Option<Duration>,
    ) -> Result<Receipt> {
        let (given, _) = built(message)?;
        self.engine.send_blocking(given, time_out, None)
    }

    /// Like [`Client::submit_json`], of a message that was built.
    pub fn submit_built(&self, message: &MessageBuilder, token: u64) -> Result<Op> {
        let (given, json) = built(message)?;
        self.engine.submit(Arrival { given, json: Cow::Owned(json.into_bytes()), token })
    }

    /// Like [`Client::submit_built`], for a caller who will not cancel.
    pub fn submit_built_only(&self, message: &MessageBuilder, token: u64) -> Result<()> {
        let (given, json) = built(message)?;
        self.engine.submit_only(Arrival { given, json: Cow::Owned(json.into_bytes()), token })
    }

    /// Says that a receipt need never be handed out again; without an outbox it would not be anyway.
    pub fn ack(&self, receipt: &Receipt) -> Result<()> {
        self.engine.ack(&receipt.id)
    }

    /// Like [`Client::submit_json`], for a caller who will not cancel.
    pub fn submit_json_only(&self, json: &[u8], token: u64) -> Result<()> {
        self.engine.submit_only(Arrival { given: given(json)?, json: Cow::Borrowed(json), token })
    }

    /// Waits at most `time_out` for receipts of submitted sends, and takes at most `most` of them.
    ///
    /// `closed` once the client is closed and every receipt was taken.
    pub fn wait(&self, time_out: Option<Duration>, most: usize) -> Result<Waited> {
        self.engine.wait(time_out, most)
    }

    /// Makes the waits now running, or else the next one, return at once with nothing.
    pub fn interrupt(&self) {
        self.engine.interrupt();
    }

    /// A descriptor that is readable while receipts wait: to be polled, never read or closed.
    pub fn poll_handle(&self) -> Result<isize> {
        self.engine.poll_handle()
    }

    /// Waits until nothing is queued or in flight; tells how many sends still are.
    pub fn flush(&self, time_out: Option<Duration>) -> usize {
        self.engine.flush(time_out)
    }

    /// Accepts nothing more, waits at most `time_out`, cancels the rest and tells how many those
    /// were. Every accepted send has its receipt afterwards. A second close says 0.
    pub fn close(&self, time_out: Option<Duration>) -> usize {
        self.engine.close(time_out)
    }

    /// Closes at once and gives the outbox's file free for another owner: from here on no receipt can
    /// be acknowledged.
    pub fn release(&self) {
        self.engine.release();
    }

    /// Closes at once and sends every caller inside away with `closed`.
    #[cfg_attr(not(feature = "capi"), allow(dead_code, reason = "the C front frees in two steps"))]
    pub(crate) fn free(&self) {
        self.engine.free();
    }

    /// Counters per account, as JSON.
    pub fn stats_json(&self) -> String {
        self.engine.stats_json()
    }
}

fn given(json: &[u8]) -> Result<Given> {
    match Message::parse(json) {
        // What is no message at all is a failed call; everything else has a result.
        Err(refused) if refused.error.code() == ErrorCode::Argument => Err(refused.error),
        given => Ok(given),
    }
}

/// A message whose files stand beside its JSON; what is told there of others is refused with them.
fn given_with(json: &[u8], files: Files) -> Result<Given> {
    let mut given = given(json)?;
    if let Ok(message) = &mut given
        && !files.is_empty()
    {
        message.put_files(files);
    }
    Ok(given)
}

/// A message that was built, with its files, and its JSON without them.
fn built(message: &MessageBuilder) -> Result<(Given, String)> {
    let json = message.to_json();
    let mut given = given(json.as_bytes())?;
    if let Ok(read) = &mut given {
        message.add_files(read);
    }
    Ok((given, json))
}

/// Reads a configuration and replaces the references in its credentials.
fn config_value(json: &[u8]) -> Result<Value> {
    let mut value = config::json_value(json, "")?;
    if let Some(proxy) = value.get_mut("proxy") {
        expand(proxy, "proxy", &look_up)?;
    }
    if let Some(Value::Object(accounts)) = value.get_mut("accounts") {
        for (name, account) in accounts {
            expand_account(account, &format!("accounts.{name}"))?;
        }
    }
    Ok(value)
}

/// Replaces the references in what of an account may hold secrets.
fn expand_account(account: &mut Value, path: &str) -> Result<()> {
    for name in ["auth", "proxy", "url", "headers"] {
        if let Some(value) = account.get_mut(name) {
            expand(value, &format!("{path}.{name}"), &look_up)?;
        }
    }
    Ok(())
}

fn look_up(reference: Reference<'_>) -> std::result::Result<String, String> {
    match reference {
        Reference::Env(name) => std::env::var(name)
            .map_err(|_| format!("the environment variable {name} is not set, or is not UTF-8")),
        Reference::File(path) => {
            let shown = shown_path(path);
            let bytes =
                read_regular(path, MAX_SECRET).map_err(|e| format!("cannot read {shown}: {e}"))?;
            let text =
                String::from_utf8(bytes).map_err(|_| format!("{shown} does not hold UTF-8"))?;
            let text = text
                .strip_suffix('\n')
                .map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t));
            Ok(text.to_owned())
        }
    }
}

/// Sends log lines up to `max` to `sink` from now on, or none; returns once no old sink runs any more.
///
/// The sink may run on any thread. It must not call back into a client.
pub fn set_log(max: Option<Level>, sink: Option<log::Sink>) -> std::result::Result<(), Reentrant> {
    // Without it only a child of the process has less.
    let _ = crate::engine::fork::watch();
    log::set_sink(max, sink)
}
