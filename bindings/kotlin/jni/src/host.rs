//! A client with the queue of the sends that are awaited, and with what is under way.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use hongyan::{
    Client, Error, ErrorCode, MessageSource, Op, Origin, Queue, Receipt, Result, SubmitOptions,
    Waited,
};

/// A client with its two queues: the one of the sends that are awaited, and its own, of what was submitted.
pub struct Host {
    pub client: Client,
    awaited: Queue,
    /// By their tokens, which are of one count for both queues; `None` while a submit has not returned.
    ops: Mutex<HashMap<u64, Option<Op>>>,
}

impl Host {
    /// Makes a client from its configuration JSON.
    pub fn open(config: &[u8]) -> Result<Host> {
        let config = text(config, "the configuration", ErrorCode::Config)?;
        let client = Client::from_json(config)?;
        let awaited = client.queue()?;
        Ok(Host { client, awaited, ops: Mutex::default() })
    }

    fn ops(&self) -> MutexGuard<'_, HashMap<u64, Option<Op>>> {
        self.ops.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Submits a message to the queue of awaited sends, or to the client's own; the message's id.
    ///
    /// What is awaited is not kept by an outbox, as what `hy_send_json` sends is not.
    pub fn submit(
        &self,
        message: MessageSource<'_>,
        token: u64,
        time_out: Option<Duration>,
        awaited: bool,
    ) -> Result<String> {
        let options = SubmitOptions {
            in_memory: awaited,
            time_out,
            queue: awaited.then_some(&self.awaited),
            // A send may fail as a call; of a submit the receipt says all.
            takes_all: !awaited,
            ..SubmitOptions::token(token)
        };
        self.ops().insert(token, None);
        let submitted = self.client.submit(message, options);
        let mut ops = self.ops();
        match submitted {
            Ok(op) => {
                let id = op.id().to_owned();
                // Unless its receipt was taken meanwhile.
                if let Some(place) = ops.get_mut(&token) {
                    *place = Some(op);
                }
                Ok(id)
            }
            Err(error) => {
                ops.remove(&token);
                Err(error)
            }
        }
    }

    /// Asks for the end of a send; its receipt says what became true.
    pub fn cancel(&self, token: u64) {
        if let Some(Some(op)) = self.ops().get(&token) {
            op.cancel();
        }
    }

    /// Waits for receipts of one of the two queues; `None` once there will be no more.
    pub fn take(
        &self,
        awaited: bool,
        time_out: Option<Duration>,
        most: usize,
    ) -> Result<Option<Vec<Receipt>>> {
        let waited = match awaited {
            true => self.awaited.wait(time_out, most),
            false => self.client.wait(time_out, most),
        };
        let receipts = match waited {
            Ok(Waited::Results(receipts)) => receipts,
            Ok(Waited::Nothing) => Vec::new(),
            Err(error) if error.code() == ErrorCode::Closed => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut ops = self.ops();
        for receipt in &receipts {
            // Tokens of an earlier run are of another count.
            if receipt.origin == Origin::ThisRun {
                ops.remove(&receipt.token);
            }
        }
        Ok(Some(receipts))
    }

    /// Closes at once, gives its outbox free, and sends away who waits.
    pub fn end(&self) {
        self.client.release();
        self.awaited.end();
        self.client.interrupt();
    }
}

/// Text that the JVM gave as bytes.
pub fn text<'a>(bytes: &'a [u8], what: &str, code: ErrorCode) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|_| Error::new(code, format!("{what} is not UTF-8")))
}

/// Receipts in one array: of each its token, the number of its delivery, the length of its JSON, and that.
pub fn packed(receipts: &[Receipt]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(receipts.len() * 640);
    for receipt in receipts {
        let json = receipt.to_json();
        packed.extend_from_slice(&receipt.token.to_be_bytes());
        packed.push(receipt.delivery as u8);
        // A length that is beyond 32 bits would be beyond what an array of the JVM holds.
        packed.extend_from_slice(&u32::try_from(json.len()).unwrap_or(u32::MAX).to_be_bytes());
        packed.extend_from_slice(json.as_bytes());
    }
    packed
}
