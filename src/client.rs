//! Floor 4: the public Rust API.

use std::time::Duration;

use serde_json::Value;

#[cfg(feature = "outbox")]
use crate::engine::Arrival;
use crate::engine::{Begins, Boxes, Engine, Op, Preview, Queue, SubmitOptions, Waited, Watch};
use crate::model::config::{self, ClientConfig};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::expand::{expand, look_up};
use crate::model::log::{self, Level, Reentrant, log};
#[cfg(feature = "outbox")]
use crate::model::message::Message;
use crate::model::message::MessageSource;
use crate::model::receipt::Receipt;

/// How a message is sent whose caller waits for it.
#[derive(Default)]
pub struct SendOptions<'a> {
    /// How long it may take at most, retries included; none: as long as the retries last.
    pub time_out: Option<Duration>,
    /// Asks the caller, now and then, whether the send is to be cancelled. The receipt says what had
    /// become true by then.
    pub watch: Option<Watch<'a>>,
}

impl<'a> SendOptions<'a> {
    /// A send that takes at most so long.
    pub fn within(time_out: impl Into<Option<Duration>>) -> SendOptions<'a> {
        SendOptions { time_out: time_out.into(), watch: None }
    }

    /// A send that asks `had_enough` every so often, on the calling thread, and is cancelled once it
    /// answers true.
    ///
    /// What it does may take its time, and may use the same client: nothing waits for it but this send.
    pub fn watched(every: Duration, had_enough: &'a mut dyn FnMut() -> bool) -> SendOptions<'a> {
        SendOptions { time_out: None, watch: Some(Watch { every, had_enough }) }
    }
}

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
    /// The outbox is opened at the first send that has a key or is ordered, beside others that have it.
    #[cfg(feature = "outbox")]
    pub fn for_sends(json: &str) -> Result<Client> {
        Client::make(json.as_bytes(), Begins::Needed)
    }

    /// Makes a client that sends what its outbox holds and takes no results: they are for those who
    /// submitted. What comes out of [`Client::wait`] says what became of a message, and need not be
    /// acknowledged.
    ///
    /// `config`: there is no outbox, or one that does not send.
    #[cfg(feature = "outbox")]
    pub fn for_worker(json: &str) -> Result<Client> {
        let mut config = ClientConfig::from_value(config_value(json.as_bytes())?)?;
        let wrong = |words: &str| Err(Error::new(ErrorCode::Config, words));
        match config.outbox.as_mut() {
            None => return wrong("a worker needs an outbox").map_err(|e| e.at("outbox")),
            Some(outbox) if !outbox.sends => {
                return wrong("a worker sends").map_err(|error| {
                    error.at("outbox.sends").hint("its configuration leaves \"sends\" out")
                });
            }
            Some(outbox) => outbox.takes = false,
        }
        Client::of(config, Begins::All)
    }

    pub(crate) fn from_bytes(json: &[u8]) -> Result<Client> {
        Client::make(json, Begins::All)
    }

    fn make(json: &[u8], begins: Begins) -> Result<Client> {
        Client::of(ClientConfig::from_value(config_value(json)?)?, begins)
    }

    fn of(config: ClientConfig, begins: Begins) -> Result<Client> {
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

    /// Sends a message on the calling thread, and waits for its outcome.
    ///
    /// `Err` means that nothing was accepted (`argument`, `closed`, `full`); everything else is in the
    /// receipt, also what is wrong with the message.
    #[inline]
    pub fn send<'a>(
        &self,
        message: impl Into<MessageSource<'a>>,
        options: SendOptions<'_>,
    ) -> Result<Receipt> {
        self.send_boxed(message, options).map(|receipt| *receipt)
    }

    /// The same; the receipt stays where it was made.
    pub(crate) fn send_boxed<'a>(
        &self,
        message: impl Into<MessageSource<'a>>,
        options: SendOptions<'_>,
    ) -> Result<Box<Receipt>> {
        let SendOptions { time_out, watch } = options;
        self.engine.send_blocking(message.into().read()?, time_out, watch)
    }

    /// Like [`Client::send`], without blocking a thread; dropping the future cancels the send.
    pub async fn send_async<'a>(&self, message: impl Into<MessageSource<'a>>) -> Result<Receipt> {
        self.engine.send(message.into().read()?).await.map(|receipt| *receipt)
    }

    /// The request that a message would become, with its secrets masked; nothing is sent.
    pub fn preview<'a>(&self, message: impl Into<MessageSource<'a>>) -> Result<Preview> {
        self.engine.preview(message.into().read()?.map_err(|refused| refused.error)?)
    }

    /// The same of a message that stands in an outbox.
    #[cfg(feature = "outbox")]
    pub fn preview_row(&self, row: &crate::outbox::OutboxRow) -> Result<Preview> {
        let mut message = Message::parse(&row.message).map_err(|refused| refused.error)?;
        message.stand_in_for_files();
        self.engine.preview(message)
    }

    /// Sends a message and returns; exactly one receipt comes out of [`Client::wait`], which says what
    /// is wrong with a message, too.
    ///
    /// With an outbox it returns once the message is durable, unless the options say that it is not
    /// kept.
    pub fn submit<'a>(
        &self,
        message: impl Into<MessageSource<'a>>,
        options: SubmitOptions<'_>,
    ) -> Result<Op> {
        self.engine.submit(message.into(), options)
    }

    /// Submits messages, each with its token, for a caller who cancels none of them; `Err` with how
    /// many were accepted before the first refused one. With an outbox they share a transaction.
    #[inline]
    pub fn submit_many<'a, S: Into<MessageSource<'a>>>(
        &self,
        messages: impl IntoIterator<Item = (S, u64)>,
    ) -> std::result::Result<(), (usize, Error)> {
        let messages = messages.into_iter();
        self.engine.submit_many(messages.map(|(message, token)| (message.into(), token)))
    }

    /// Makes messages durable in an outbox that is not this client's, each with its token, and sends
    /// nothing: a client that has this outbox will. Tells of each what became of it; a wrong one is
    /// refused.
    #[cfg(feature = "outbox")]
    pub fn put<'a, S: Into<MessageSource<'a>>>(
        &self,
        outbox: &crate::outbox::OutboxFile,
        messages: impl IntoIterator<Item = (S, u64)>,
    ) -> Result<Vec<Result<crate::outbox::OutboxPut>>> {
        let (mut arrivals, mut refused) = (Vec::new(), Vec::new());
        for (message, token) in messages {
            match Arrival::read(message.into(), token) {
                Ok(arrival) => {
                    arrivals.push(arrival);
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

    /// True if an outbox keeps what is submitted.
    pub fn keeps(&self) -> bool {
        self.engine.keeps()
    }

    /// Opens a queue of receipts, apart from the client's own: of the submits whose options name it.
    ///
    /// Limits, flush, close and counters are the client's, over all of its queues. Receipts of what an
    /// earlier run left come out of [`Client::wait`].
    pub fn queue(&self) -> Result<Queue> {
        self.engine.open_queue()
    }

    /// Says that a receipt need never be handed out again; without an outbox it would not be anyway.
    pub fn ack(&self, receipt: &Receipt) -> Result<()> {
        self.ack_id(&receipt.id)
    }

    /// The same for a caller who has kept no more of the receipt than its id.
    pub fn ack_id(&self, id: &str) -> Result<()> {
        self.engine.ack(id)
    }

    /// Waits at most `time_out` for receipts of submitted sends, and takes at most `most` of them.
    ///
    /// `closed` once the client is closed and every receipt was taken.
    pub fn wait(&self, time_out: Option<Duration>, most: usize) -> Result<Waited> {
        self.take(time_out, most).map(Waited::from)
    }

    /// The same, as they were queued; none where the time ran out or somebody interrupted.
    pub(crate) fn take(&self, time_out: Option<Duration>, most: usize) -> Result<Boxes> {
        self.engine.take(time_out, most)
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

    /// Accepts and begins nothing more: what waits stays in the outbox for others, and an attempt that is
    /// under way comes to its end. Waits at most `time_out` for that, and tells how many still are.
    pub fn wind_down(&self, time_out: Option<Duration>) -> usize {
        self.engine.wind_down(time_out)
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

/// Reads a configuration and replaces the references in its credentials.
fn config_value(json: &[u8]) -> Result<Value> {
    let mut value = config::json_value(json, "")?;
    if let Some(proxy) = value.get_mut("proxy") {
        expand(proxy, "proxy", &look_up)?;
    }
    if let Some(outbox) = value.get_mut("outbox") {
        config::expand_outbox(outbox)?;
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

/// Sends log lines up to `max` to `sink` from now on, or none; returns once no old sink runs any more.
///
/// The sink may run on any thread. It must not call back into a client.
pub fn set_log(max: Option<Level>, sink: Option<log::Sink>) -> std::result::Result<(), Reentrant> {
    // Without it only a child of the process has less.
    let _ = crate::engine::runtime::fork::watch();
    log::set_sink(max, sink)
}
