//! One connection to a service, which carries one request at a time.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWrite as _;

use super::answer::{self, MAX_HEADERS};
use super::poll_over;
use super::socket::{Socket, Wire};
use crate::net::Alarm;
use crate::service::api::{self, Answer, Cut};

/// A connection, driven by whoever sends over it: no task of its own has to be woken, and to drop it
/// closes it.
pub struct Connection {
    sender: SendRequest<Pieces>,
    driver: Driver,
    wire: Arc<Wire>,
    /// True if it was kept after an earlier answer.
    pub is_kept: bool,
}

/// What hyper says of a request.
type HandedOver = Result<Response<Incoming>, TrySendError<Request<Pieces>>>;

/// What became of a request.
pub enum Sent {
    /// The head of its answer came.
    Answered(Response<Incoming>),
    /// The connection was over before any of the request was written.
    Unsent(Box<Request<Pieces>>),
    /// There is no answer.
    Failed(hyper::Error),
    /// The time ran out.
    TimedOut,
}

impl Connection {
    /// Speaks HTTP over a socket.
    pub async fn new(socket: Socket, wire: Arc<Wire>) -> hyper::Result<Connection> {
        // One that reads no more ahead than twice the longest head.
        let mut builder = http1::Builder::new();
        builder.max_buf_size(2 * MAX_HEADERS);
        let (sender, http) = builder.handshake(TokioIo::new(socket)).await?;
        let driver = Driver { http, is_over: false };
        Ok(Connection { sender, driver, wire, is_kept: false })
    }

    /// Hands a request over, which goes once its answer is waited for.
    ///
    /// What is given back is to be pinned where it is waited for: it is large to move.
    pub fn hand_over(
        &mut self,
        request: Request<Pieces>,
        begun: Arc<AtomicBool>,
    ) -> impl Future<Output = HandedOver> + Send + use<> {
        self.wire.set_begun(Some(begun));
        self.sender.try_send_request(request)
    }

    /// Waits for the head of the answer to a request that was handed over.
    pub async fn answer(
        &mut self,
        mut answer: Pin<&mut (impl Future<Output = HandedOver> + Send)>,
        time_out: &mut Alarm,
    ) -> Sent {
        let sent = poll_fn(|cx| {
            self.driver.poll(cx);
            // Only the driver moves it, so that it need wake nobody.
            match answer.as_mut().poll(&mut nobody()) {
                Poll::Ready(answer) => Poll::Ready(Some(answer)),
                Poll::Pending => poll_over(time_out, cx).map(|()| None),
            }
        })
        .await;
        self.wire.set_begun(None);
        match sent {
            Some(Ok(response)) => Sent::Answered(response),
            Some(Err(mut error)) => match error.take_message() {
                Some(request) => Sent::Unsent(Box::new(request)),
                None => Sent::Failed(error.into_error()),
            },
            None => Sent::TimedOut,
        }
    }

    /// Reads the body of an answer to its end, to the end of the time, or to the most that is read.
    pub async fn read(
        &mut self,
        mut body: Incoming,
        mut answer: Answer,
        time_out: &mut Alarm,
    ) -> Answer {
        loop {
            let driver = &mut self.driver;
            let piece = poll_fn(|cx| {
                let mut poll = || Pin::new(&mut body).poll_frame(&mut nobody());
                if let Poll::Ready(piece) = poll() {
                    return Poll::Ready(Some(piece));
                }
                driver.poll(cx);
                match poll() {
                    Poll::Ready(piece) => Poll::Ready(Some(piece)),
                    Poll::Pending => poll_over(time_out, cx).map(|()| None),
                }
            })
            .await;
            match piece {
                None => answer.cut = Some(Cut::TimedOut),
                Some(Some(Err(_))) => answer.cut = Some(Cut::Ended),
                Some(Some(Ok(piece))) => match piece.data_ref() {
                    Some(bytes) if !answer::add(&mut answer, bytes) => {
                        answer.cut = Some(Cut::TooLong);
                    }
                    _ => continue,
                },
                Some(None) => {}
            }
            return answer;
        }
    }

    /// True if all was said that had to be, and another request may follow.
    pub fn may_be_kept(&mut self) -> bool {
        if !self.sender.is_ready() {
            self.driver.poll(&mut nobody());
        }
        !self.driver.is_over && self.sender.is_ready()
    }

    /// True unless the service has closed it or said something unasked, by what has come until now.
    pub fn is_usable(&mut self) -> bool {
        self.wire.ask_system(|| self.driver.poll(&mut nobody()));
        !self.driver.is_over && self.sender.is_ready()
    }

    /// Closes it, and tells the service so as far as that takes no waiting.
    pub fn close(self) {
        let mut socket = self.driver.http.into_parts().io.into_inner();
        let _ = Pin::new(&mut socket).poll_shutdown(&mut nobody());
    }
}

/// hyper's side of the connection.
struct Driver {
    http: http1::Connection<TokioIo<Socket>, Pieces>,
    is_over: bool,
}

impl Driver {
    /// Reads and writes what can be, and has its task woken when there is more.
    fn poll(&mut self, cx: &mut Context<'_>) {
        if !self.is_over {
            // What went wrong is told to whoever waits for the answer.
            self.is_over = Pin::new(&mut self.http).poll(cx).is_ready();
        }
    }
}

fn nobody() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// The most of a body that is handed over at once, in bytes.
const AT_ONCE: usize = 64 << 10;

/// The body of a request.
pub struct Pieces {
    next: Option<Bytes>,
    rest: std::vec::IntoIter<Bytes>,
    left: u64,
}

impl From<api::Body> for Pieces {
    fn from(body: api::Body) -> Pieces {
        let (first, several) = match body {
            api::Body::One(bytes) => (Some(bytes), Vec::new()),
            api::Body::Several(pieces) => (None, pieces),
        };
        let left = first.iter().chain(&several).map(|bytes| bytes.len() as u64).sum();
        let mut rest = several.into_iter();
        let is_some = |bytes: &Bytes| !bytes.is_empty();
        Pieces { next: first.filter(is_some).or_else(|| rest.find(is_some)), rest, left }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(mut bytes) = self.next.take() else { return Poll::Ready(None) };
        if bytes.len() > AT_ONCE {
            // Who writes without gathering copies what he is given.
            self.next = Some(bytes.split_off(AT_ONCE));
        } else {
            self.next = self.rest.find(|bytes| !bytes.is_empty());
        }
        self.left -= bytes.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.next.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
