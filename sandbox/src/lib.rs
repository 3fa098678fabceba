//! A local server that plays the chat services hongyan speaks to.
//!
//! It checks signatures, timestamps, nonces, limits and fields as the services document them, with
//! code that shares nothing with the client's, and lets things go wrong on demand. What the
//! documents do not settle is marked "assumed" where it is decided.
//!
//! ```no_run
//! use hongyan_sandbox::{Options, Sandbox};
//!
//! let sandbox = Sandbox::start(Options::default())?;
//! println!("{}", sandbox.config());
//! sandbox.fault(serde_json::json!({"service": "fanfou", "kind": "reset"})).unwrap();
//! # std::io::Result::Ok(())
//! ```

#![deny(unsafe_code, missing_docs)]

mod basic;
pub mod certificates;
mod clock;
mod cloud_signature;
mod config;
mod connection;
mod delivered;
mod exchange;
mod faults;
mod fields;
mod form;
mod held;
mod inbox;
mod json;
mod kept;
mod mail;
mod mask;
mod memory;
mod multipart;
mod oauth1;
mod own;
mod page;
mod rich;
mod route;
mod server;
mod services;
mod shape;
mod signature;
mod state;
mod tokens;
mod window;
mod xml;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

pub use crate::clock::Clock;
pub use crate::config::{config, mail_url, root_config};
pub use crate::services::robot::{Request, Robot};

use crate::certificates::CaFile;
use crate::connection::Door;
use crate::held::Held;
use crate::server::Server;
use crate::state::State;

/// Whether the sandbox serves https, and with which certificate.
///
/// The client is always told to trust what is at [`Sandbox::ca_path`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Tls {
    /// Plain http.
    #[default]
    Off,
    /// A certificate that a client accepts.
    Good,
    /// A certificate for another host.
    WrongHost,
    /// A certificate that ran out.
    Expired,
    /// A certificate from an authority that the client is not told of.
    OtherCa,
    /// A certificate that signed itself, and is not an authority's; the client is told of it.
    SelfSigned,
    /// The same as an authority's own, which is what openssl makes by default.
    SelfSignedCa,
    /// That one for another host.
    SelfSignedWrongHost,
    /// That one, but it ran out.
    SelfSignedExpired,
    /// A certificate of which the client is told, and not of its authority.
    Pinned,
}

/// The names of the services that a sandbox plays.
pub fn services() -> Vec<&'static str> {
    services::all().iter().map(|service| service.name()).collect()
}

/// How a sandbox starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The port to listen on; 0 takes a free one.
    pub port: u16,
    /// Whether to serve https.
    pub tls: Tls,
    /// The service that is at the root of the port, for clients that take no prefix of a path; the others
    /// are not reached then, and the page is at `/_/`.
    pub root: Option<&'static str>,
}

/// A running sandbox; dropping it stops it.
pub struct Sandbox {
    server: Server,
    address: SocketAddr,
    ca_file: Option<CaFile>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Listens on 127.0.0.1 and serves on a thread of its own.
    pub fn start(options: Options) -> io::Result<Sandbox> {
        Sandbox::start_with_clock(options, Clock::system())
    }

    /// Starts a sandbox that serves one service, by its name, at the root of a free port.
    pub fn start_root(service: &'static str) -> io::Result<Sandbox> {
        Sandbox::start(Options { root: Some(service), ..Options::default() })
    }

    /// Starts a sandbox that lives by `clock`.
    pub fn start_with_clock(options: Options, clock: Clock) -> io::Result<Sandbox> {
        Sandbox::start_with(options, clock, &[])
    }

    /// The same with robots beside the services that it always plays.
    pub fn start_with(options: Options, clock: Clock, robots: &[Robot]) -> io::Result<Sandbox> {
        let state = State::new(clock, robots);
        if let Some(root) = options.root
            && state.service(root).is_none()
        {
            let words = format!("{root} is no service that the sandbox plays");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
        }
        let (listener, mail) = listeners(options.port)?;
        let address = listener.local_addr()?;
        let (acceptor, ca_file) = match certificates::server(options.tls)? {
            None => (None, None),
            Some((config, trusted)) => {
                (Some(TlsAcceptor::from(Arc::new(config))), Some(CaFile::write(&trusted)?))
            }
        };
        let server = Server {
            state: Arc::new(Mutex::new(state)),
            held: Arc::new(Held::default()),
            authority: address.to_string(),
            https: acceptor.is_some(),
            root: options.root,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let (door, mail) = {
            let _context = runtime.enter();
            let door = Door::open(TcpListener::from_std(listener)?, acceptor.clone())?;
            (door, mail::serve(server.clone(), TcpListener::from_std(mail)?, acceptor))
        };
        let serving = server.clone();
        let thread =
            std::thread::Builder::new().name("hongyan-sandbox".to_owned()).spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = serving.serve(door) => {}
                        () = mail => {}
                        _ = stopped => {}
                    }
                });
            })?;
        Ok(Sandbox { server, address, ca_file, stop: Some(stop), thread: Some(thread) })
    }

    /// The address to send to, such as `http://127.0.0.1:8025`.
    pub fn url(&self) -> String {
        self.server.base_url()
    }

    /// The port that the sandbox listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// A configuration whose accounts all reach this sandbox.
    pub fn config(&self) -> Value {
        let ca_file = self.ca_path().map(|path| path.to_string_lossy());
        config::written(&self.url(), ca_file.as_deref(), self.server.root)
    }

    /// With TLS: the certificate, in PEM, of the authority to trust; the file goes with the sandbox.
    pub fn ca_path(&self) -> Option<&Path> {
        self.ca_file.as_ref().map(CaFile::path)
    }

    /// The messages that the services took, oldest first: what `GET /_/messages` answers.
    pub fn messages(&self) -> Vec<Value> {
        self.server.state().messages()
    }

    /// Forgets the messages.
    pub fn clear(&self) {
        self.server.state().clear();
    }

    /// Lets something go wrong, as `POST /_/faults` does, or says what is wrong with `fault`.
    pub fn fault(&self, fault: Value) -> Result<(), String> {
        self.server.state().add_fault(&fault)
    }

    /// Switches the services' rate limits off or on again, for measurements.
    pub fn limits(&self, on: bool) {
        self.server.state().limits = on;
    }

    /// Serves until the process ends.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has said its words on stderr.
            let _ = thread.join();
        }
    }
}

/// How often a free port is looked for that has another free one behind it.
const TRIES: usize = 100;

/// Where HTTP comes in, and mail at the port behind it; at any two that are free for port 0.
fn listeners(port: u16) -> io::Result<(std::net::TcpListener, std::net::TcpListener)> {
    let listen = |port: u16| {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        io::Result::Ok(listener)
    };
    let pair = || {
        let listener = listen(port)?;
        let behind = listener.local_addr()?.port().checked_add(1);
        let behind = behind.ok_or(io::ErrorKind::AddrInUse)?;
        let words =
            |e: io::Error| io::Error::new(e.kind(), format!("port {behind}, for mail: {e}"));
        Ok((listener, listen(behind).map_err(words)?))
    };
    let mut found = pair();
    for _ in 0..TRIES {
        if port != 0 || found.is_ok() {
            break;
        }
        found = pair();
    }
    found
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Where nobody listens any more the thread has ended.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
