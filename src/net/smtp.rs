//! Mail over SMTP (RFC 5321): one transaction after the other over connections that are kept.
//!
//! A mail is its server's from the dot that ends its text. Everything before is no doubt, whatever
//! becomes of the connection.

mod connection;
mod extensions;
mod pool;
mod reply;
#[cfg(test)]
mod tests;
mod text;
mod transaction;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use self::connection::Connection;
use self::pool::Pool;
use self::transaction::Transaction;
use super::tls::Tls;
use super::{Alarm, Failure, Lookup, Way};
use crate::net::time_out::before;
use crate::service::api::{Answer, Mail};
use crate::service::wire::transcript::Stage;

/// Sends mail over real sockets.
pub struct Smtp {
    lookup: Arc<dyn Lookup>,
    tls: Arc<Tls>,
    pool: Arc<Pool>,
}

impl Smtp {
    /// Makes ready to connect; opens nothing yet. What is idle for so long is closed.
    pub fn new(idle: Duration, tls: Arc<Tls>, lookup: Arc<dyn Lookup>) -> Smtp {
        Smtp { lookup, tls, pool: Pool::new(idle) }
    }

    /// Sends a mail and reads what becomes of each of its recipients.
    ///
    /// `begun` becomes true just before the dot is handed to the socket. A failure says that nothing was
    /// sent; a doubt stands in the answer.
    pub async fn send(
        &self,
        mail: Mail,
        time_out: &mut Alarm,
        begun: Arc<AtomicBool>,
    ) -> Result<Answer, Failure> {
        let mut transaction = Transaction::new(&mail, &begun);
        let ended = {
            let talk = pin!(self.talk(&mail, &mut transaction));
            before(time_out, talk).await
        };
        match ended {
            Some(Ok(())) => {}
            Some(Err(failure)) if transaction.is_told_by(&failure) => return Err(failure),
            Some(Err(failure)) => transaction.give_up(&failure.words),
            None if transaction.at == Stage::Connect => {
                let words = "no connection, or no greeting of the server, in time".to_owned();
                return Err(Failure { way: Way::TimedOut, words });
            }
            None => transaction.give_up("no reply in time"),
        }
        Ok(Answer { status: 0, body: transaction.transcript(), ..Answer::default() })
    }

    /// Has a connection carry the mail; one that was kept and is of no use any more gives way to a new one.
    async fn talk(&self, mail: &Mail, transaction: &mut Transaction<'_>) -> Result<(), Failure> {
        while let Some(mut kept) = self.pool.take(mail) {
            if kept.is_idle_for_long && !kept.connection.is_alive().await {
                continue;
            }
            match self.carry(&mut kept.connection, transaction).await {
                // The server had closed it, or closes it now: nothing of this mail was begun.
                Ok(()) if transaction.is_turned_away() => transaction.restart(),
                Err(_) if transaction.is_untouched() => transaction.restart(),
                Ok(()) => return self.end(mail, kept.connection, transaction),
                Err(failure) => return Err(failure),
            }
        }
        let opened = Connection::open(&self.lookup, &self.tls, mail, &mut transaction.at).await?;
        let mut connection = match opened {
            Ok(connection) => connection,
            Err(fate) => {
                transaction.refuse_all(&fate);
                return Ok(());
            }
        };
        self.carry(&mut connection, transaction).await?;
        self.end(mail, connection, transaction)
    }

    /// One transaction, and another for those of whom the server says that they are too many at once.
    async fn carry(
        &self,
        connection: &mut Connection,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Failure> {
        while transaction.run(connection).await? {}
        Ok(())
    }

    fn end(
        &self,
        mail: &Mail,
        connection: Connection,
        transaction: &Transaction<'_>,
    ) -> Result<(), Failure> {
        if !transaction.closes {
            self.pool.keep(mail, connection);
        }
        Ok(())
    }
}
