//! The connection to the database, driven by a thread of its own, and what it hears of other members.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_postgres::config::{ChannelBinding, SslMode, TargetSessionAttrs};
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Config, Row, Statement};

use super::Heard;
use super::faults::Fault;
use crate::engine::results::wake::spawn_thread;
use crate::model::config::Postgres as Place;
use crate::model::config::postgres::{Binding, Database, TlsMode};
use crate::model::error::{Error, ErrorCode, Result};
use crate::net::DatabaseTls;

/// What comes of asking the database.
pub(super) type Answer<T> = std::result::Result<T, Fault>;

/// How long a connection may take to be made, and a statement to be answered.
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// What is called when a notification has come.
type Wake = Arc<dyn Fn() + Send + Sync>;

/// The thread that drives connections.
pub(super) struct Driver {
    handle: Handle,
    place: Place,
    tls: DatabaseTls,
    shown: String,
    heard: Arc<Heard>,
    wake: Arc<OnceLock<Wake>>,
    /// Dropped, it ends the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Driver {
    pub(super) fn start(place: Place, heard: Arc<Heard>) -> Result<Driver> {
        let failed = |error: std::io::Error| {
            let words = format!("the thread of the database cannot be started: {error}");
            Error::new(ErrorCode::Internal, words)
        };
        let tls = DatabaseTls::new(place.database.tls, place.ca_file.as_deref())?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = spawn_thread("hy-postgres", move || {
            let _ = runtime.block_on(stopped);
        })
        .map_err(failed)?;
        let shown = format!("{} (schema {})", place.database.shown(), place.schema);
        let (stop, thread) = (Some(stop), Some(thread));
        Ok(Driver { handle, place, tls, shown, heard, wake: Arc::default(), stop, thread })
    }

    /// Calls this whenever something was heard.
    pub(super) fn watch(&self, wake: Wake) {
        let _ = self.wake.set(wake);
    }

    /// Where the outbox is, for people.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Waits for what is asked of a connection.
    pub(super) fn wait<T>(&self, asked: impl Future<Output = T>) -> T {
        self.handle.block_on(asked)
    }

    /// Makes a connection, which hears of other members from then on.
    pub(super) fn connect(&self) -> Answer<Connection> {
        let config = config(&self.place.database);
        self.wait(async {
            let connected = timeout(CONNECTS_WITHIN, config.connect(self.tls.clone())).await;
            let (client, mut connection) = connected.map_err(|_| Fault::TimeOut)??;
            let (heard, wake) = (Arc::clone(&self.heard), Arc::clone(&self.wake));
            self.handle.spawn(async move {
                while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                    if let AsyncMessage::Notification(told) = message {
                        let channel = told.channel().rsplit('_').next();
                        let heard = match channel {
                            Some("done") => &heard.results,
                            Some("told") => &heard.told,
                            _ => &heard.work,
                        };
                        heard.store(true, Ordering::Release);
                        wake.get().inspect(|wake| wake());
                    }
                }
                wake.get().inspect(|wake| wake());
            });
            let connection = Connection { client, broken: Mutex::default(), statements: RefCell::default() };
            let schema = &self.place.schema;
            connection
                .run(&format!(
                    "SET statement_timeout = '10s'; SET idle_in_transaction_session_timeout = '10s'; \
                     SET client_min_messages = warning; SET jit = off; \
                     SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; LISTEN {schema}_work; \
                     LISTEN {schema}_done; LISTEN {schema}_told"
                ))
                .await?;
            Ok(connection)
        })
    }
}

/// What the driver is told of a database.
fn config(database: &Database) -> Config {
    let mut config = Config::new();
    for server in &database.servers {
        config.host(&server.host).port(server.port);
    }
    database.user.as_ref().map(|user| config.user(user));
    database.password.as_ref().map(|password| config.password(password.expose()));
    database.name.as_ref().map(|name| config.dbname(name));
    database.options.as_ref().map(|options| config.options(options));
    config.application_name(database.application.as_deref().unwrap_or("hongyan"));
    config.connect_timeout(database.connect_timeout.unwrap_or(CONNECTS_WITHIN));
    config.ssl_mode(match database.tls {
        TlsMode::Disable => SslMode::Disable,
        TlsMode::Prefer => SslMode::Prefer,
        TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
    });
    config.channel_binding(match database.binding {
        Binding::Disable => ChannelBinding::Disable,
        Binding::Prefer => ChannelBinding::Prefer,
        Binding::Require => ChannelBinding::Require,
    });
    // Of several servers the one that can be written.
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    config
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A connection to the database.
pub(super) struct Connection {
    client: Client,
    /// It did not answer in time: what it may yet do is not waited for.
    broken: Mutex<bool>,
    statements: RefCell<HashMap<String, Statement>>,
}

impl Connection {
    /// False once it is of no use any more.
    pub(super) fn lives(&self) -> bool {
        !self.client.is_closed() && !*self.broken.lock().unwrap_or_else(|p| p.into_inner())
    }

    /// Runs statements that have neither values nor an answer.
    pub(super) async fn run(&self, sql: &str) -> Answer<()> {
        self.in_time(self.client.batch_execute(sql)).await
    }

    /// The rows that a statement gives.
    pub(super) async fn all(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Answer<Vec<Row>> {
        let statement = self.statement(sql).await?;
        self.in_time(self.client.query(&statement, values)).await
    }

    /// The one row that a statement gives.
    pub(super) async fn one(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Answer<Row> {
        let statement = self.statement(sql).await?;
        self.in_time(self.client.query_one(&statement, values)).await
    }

    async fn statement(&self, sql: &str) -> Answer<Statement> {
        if let Some(statement) = self.statements.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.in_time(self.client.prepare(sql)).await?;
        self.statements.borrow_mut().insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    async fn in_time<T>(
        &self,
        asked: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Answer<T> {
        match timeout(ANSWERS_WITHIN, asked).await {
            Ok(answer) => Ok(answer?),
            Err(_) => {
                *self.broken.lock().unwrap_or_else(|p| p.into_inner()) = true;
                Err(Fault::TimeOut)
            }
        }
    }
}
