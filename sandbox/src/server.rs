//! The HTTP side: finding the service, and meeting faults.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::http::header::{CONTENT_TYPE, DATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use crate::clock::Utc;
use crate::connection::{Cutter, Door};
use crate::exchange::{Answer, Call};
use crate::faults::{self, Kind, When};
use crate::held::Held;
use crate::state::{Action, State};

/// The largest request body that the sandbox's own paths read.
const LARGEST_BODY: usize = 1 << 20;

/// What every handler shares.
#[derive(Clone)]
pub(crate) struct Server {
    pub state: Arc<Mutex<State>>,
    pub held: Arc<Held>,
    pub authority: String,
    pub https: bool,
    /// The service that is at the root, for clients that take no prefix of a path.
    pub root: Option<&'static str>,
}

/// Whose a path is.
enum Place<'a> {
    /// The sandbox's own.
    Own(&'a str),
    /// A service's, with the path as the service's own document has it.
    Service(&'static str, &'a str),
    Nowhere,
}

impl Server {
    /// The state; a panic in another handler leaves it usable.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers connections until the runtime ends.
    pub(crate) async fn serve(self, door: Door) {
        let router = Router::new().fallback(handle).with_state(self);
        let service = router.into_make_service_with_connect_info::<Cutter>();
        // Serving ends with the runtime only: the listener never fails.
        let _ = axum::serve(door, service).await;
    }

    async fn answer(&self, call: Call, cutter: &Cutter) -> Answer {
        match self.place(&call.path) {
            Place::Nowhere => Answer::not_found(),
            Place::Own(own) => {
                let own = own.to_owned();
                self.own(&own, &call).await
            }
            Place::Service(service, path) => {
                let path = path.to_owned();
                self.meet(service, Call { path, ..call }, cutter).await
            }
        }
    }

    /// Whose a path is, and the path below.
    fn place<'a>(&self, path: &'a str) -> Place<'a> {
        if let Some(own) = path.strip_prefix("/_/") {
            return Place::Own(own);
        }
        if let Some(service) = self.root {
            return Place::Service(service, path);
        }
        if path == "/" {
            return Place::Own("");
        }
        let end = path[1..].find('/').map_or(path.len(), |at| at + 1);
        let rest = if end == path.len() { "/" } else { &path[end..] };
        match self.state().service(&path[1..end]) {
            Some(service) => Place::Service(service, rest),
            None => Place::Nowhere,
        }
    }

    /// The largest body that is read of a request to `path`.
    fn largest_body(&self, path: &str) -> usize {
        match self.place(path) {
            Place::Service(service, _) => self.state().largest_body(service),
            Place::Own(_) | Place::Nowhere => None,
        }
        .unwrap_or(LARGEST_BODY)
    }

    async fn meet(&self, service: &str, call: Call, cutter: &Cutter) -> Answer {
        self.ask(service, call).await.unwrap_or_else(|| cut(cutter))
    }

    /// What a service says to a request, the fault that meets it included; none where the connection is cut.
    pub(crate) async fn ask(&self, service: &str, mut call: Call) -> Option<Answer> {
        let fault = self.state().meet(service);
        match fault {
            Some(Kind::Latency(latency)) => tokio::time::sleep(latency).await,
            Some(Kind::Hold(When::Before)) if !self.held.hold().await => return None,
            _ => {}
        }
        let then_held = fault == Some(Kind::Hold(When::After));
        let action = {
            let mut state = self.state();
            call.now_ms = state.clock.now_ms();
            call.limits = state.limits;
            state.act(service, &call, fault)
        };
        match action {
            Action::Answer(answer) => {
                if then_held && !self.held.hold().await {
                    return None;
                }
                Some(answer)
            }
            Action::Reset => None,
            Action::Hang => {
                // A client that gives up closes the connection, which drops this future.
                tokio::time::sleep(faults::LONGEST).await;
                None
            }
        }
    }

    pub(crate) fn base_url(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}", self.authority)
    }
}

/// Resets the connection; the answer never gets there.
fn cut(cutter: &Cutter) -> Answer {
    cutter.cut();
    Answer::new(500, "text/plain", "")
}

async fn handle(
    Shared(server): Shared<Server>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let rooted = parts.uri.path().starts_with('/');
    let largest = if rooted { server.largest_body(parts.uri.path()) } else { LARGEST_BODY };
    // A length that is told and too large is not waited for.
    let body = match body.size_hint().lower() > largest as u64 {
        true => None,
        false => to_bytes(body, largest).await.ok(),
    };
    let answer = match body {
        None => Answer::plain(413, "Payload Too Large"),
        Some(_) if !rooted => Answer::plain(400, "Bad Request"),
        Some(body) => {
            let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
            let call = Call {
                method: parts.method.as_str().to_owned(),
                path: parts.uri.path().to_owned(),
                target: target.to_owned(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                headers: parts.headers,
                body,
                authority: server.authority.clone(),
                https: server.https,
                now_ms: 0,
                limits: true,
            };
            server.answer(call, &cutter).await
        }
    };
    let now_s = server.state().clock.now_ms() / 1000;
    respond(answer, now_s)
}

fn respond(answer: Answer, now_s: u64) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Ok(date) = HeaderValue::from_str(&Utc::from_unix(now_s).http_date()) {
        headers.insert(DATE, date);
    }
    if let Ok(content_type) = HeaderValue::from_str(&answer.content_type)
        && !content_type.is_empty()
    {
        headers.insert(CONTENT_TYPE, content_type);
    }
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            headers.insert(name, value);
        }
    }
    response
}
