//! Where a PostgreSQL database is: its URL, as PostgreSQL's own clients write it.

use std::fmt;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::model::fields::{quoted, word};
use crate::model::secret::Secret;

/// The longest URL, in bytes.
const MAX_URL: usize = 8192;

const SCHEMES: &[&str] = &["postgres://", "postgresql://"];

/// The parameters of a URL that are read here.
const PARAMETERS: &[&str] = &[
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "options",
    "password",
    "port",
    "sslmode",
    "target_session_attrs",
    "user",
];

const PORT: u16 = 5432;

/// How a connection to a database is secured; the words are those of libpq.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// Never.
    Disable,
    /// If the server offers it, and whoever the server is: against those who only listen.
    Prefer,
    /// Always, and whoever the server is; with a `ca_file` like [`TlsMode::VerifyCa`].
    Require,
    /// Always, and the server's certificate is of a trusted authority.
    VerifyCa,
    /// Always, and the certificate is that server's own.
    VerifyFull,
}

/// Whether the login is bound to the secure connection that it goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Never.
    Disable,
    /// Where the server offers it.
    Prefer,
    /// Always: a server that does not offer it is refused.
    Require,
}

/// A server of a database, of which the first that can be written is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// A name, an address, or the folder of a Unix socket, which begins with `/`.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// A database and how to log in to it.
#[derive(Clone, Debug)]
#[allow(dead_code, reason = "a build may have no store")]
pub struct Database {
    pub(crate) servers: Vec<Server>,
    /// The user of the process where it is not told.
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    /// The user's name where it is not told.
    pub(crate) name: Option<String>,
    pub(crate) tls: TlsMode,
    pub(crate) binding: Binding,
    pub(crate) application: Option<String>,
    pub(crate) connect_timeout: Option<Duration>,
    /// Settings of the session, as `-c name=value`.
    pub(crate) options: Option<String>,
}

type Read<T> = std::result::Result<T, String>;

impl Database {
    /// Reads a URL; nothing of it is repeated in the words of what is wrong, since it holds a password.
    pub fn parse(url: &str) -> Read<Database> {
        let wrong = |words: &str| Err(words.to_owned());
        if url.len() > MAX_URL {
            return Err(format!("a URL of {} bytes is too long; {MAX_URL} are taken", url.len()));
        }
        if url.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return wrong("a URL must not hold white space or line breaks");
        }
        let Some(rest) = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme)) else {
            return wrong(
                "a database is a URL of the form postgres://user:password@host:5432/name",
            );
        };
        if rest.contains('#') {
            return wrong("a \"#\" must be written as %23 here");
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, name) = rest.split_once('/').unwrap_or((rest, ""));
        // As libpq: what stands before the last @ is user and password.
        let (login, servers) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (login, None),
        };
        let mut database = Database {
            servers: servers_of(servers)?,
            user: some(decoded(user)?),
            password: password.map(decoded).transpose()?.and_then(some).map(Secret::new),
            name: some(decoded(name)?),
            tls: TlsMode::Prefer,
            binding: Binding::Prefer,
            application: None,
            connect_timeout: None,
            options: None,
        };
        database.parameters(query)?;
        if database.servers.is_empty() {
            return wrong("the URL names no host");
        }
        if database.servers.iter().all(|server| server.host.starts_with('/')) {
            // A socket of this machine is not secured, whatever the URL says; libpq does the same.
            database.tls = TlsMode::Disable;
        }
        if database.binding == Binding::Require && database.tls == TlsMode::Disable {
            return wrong("channel_binding=require needs a secure connection: see sslmode");
        }
        Ok(database)
    }

    fn parameters(&mut self, query: &str) -> Read<()> {
        let (mut hosts, mut ports) = (None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value)?;
            match name {
                "host" => hosts = Some(value),
                "port" => ports = Some(value),
                "user" => self.user = some(value),
                "password" => self.password = some(value).map(Secret::new),
                "dbname" => self.name = some(value),
                "application_name" => self.application = some(value),
                "options" => self.options = some(value),
                "connect_timeout" => {
                    let seconds = value.parse().map_err(|_| number(name))?;
                    self.connect_timeout = (seconds > 0).then(|| Duration::from_secs(seconds));
                }
                "sslmode" => self.tls = choice(name, &value, TLS_MODES)?,
                "channel_binding" => self.binding = choice(name, &value, BINDINGS)?,
                // No other server would do.
                "target_session_attrs" => choice(name, &value, SESSIONS)?,
                "sslrootcert" => {
                    return Err("the authorities of a database are those of \"ca_file\", beside \
                                \"outbox\", and the system's: leave sslrootcert out"
                        .to_owned());
                }
                _ => return Err(unknown(name)),
            }
        }
        if hosts.is_none() && ports.is_none() {
            return Ok(());
        }
        let written = !self.servers.is_empty();
        match hosts {
            Some(_) if written => Err("the URL names its host twice".to_owned()),
            Some(hosts) => {
                let ports = ports.unwrap_or_default();
                self.servers = listed(&hosts, &ports)?;
                Ok(())
            }
            None => {
                let port = port_of(&ports.unwrap_or_default())?;
                self.servers.iter_mut().for_each(|server| server.port = port);
                Ok(())
            }
        }
    }

    /// Where it is, without user and password: `postgres://host:5432/name`.
    pub fn shown(&self) -> String {
        let server = |server: &Server| match server.host.as_str() {
            folder if folder.starts_with('/') => {
                format!("{}:{}", folder.replace('/', "%2F"), server.port)
            }
            address if address.contains(':') => format!("[{address}]:{}", server.port),
            host => format!("{host}:{}", server.port),
        };
        let servers: Vec<_> = self.servers.iter().map(server).collect();
        format!("postgres://{}/{}", servers.join(","), self.name.as_deref().unwrap_or_default())
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

const TLS_MODES: &[(&str, TlsMode)] = &[
    ("disable", TlsMode::Disable),
    ("prefer", TlsMode::Prefer),
    ("require", TlsMode::Require),
    ("verify-ca", TlsMode::VerifyCa),
    ("verify-full", TlsMode::VerifyFull),
];

const BINDINGS: &[(&str, Binding)] =
    &[("disable", Binding::Disable), ("prefer", Binding::Prefer), ("require", Binding::Require)];

const SESSIONS: &[(&str, ())] = &[("any", ()), ("read-write", ()), ("primary", ())];

fn choice<T: Copy>(name: &str, value: &str, known: &[(&str, T)]) -> Read<T> {
    match known.iter().find(|(word, _)| *word == value) {
        Some((_, meaning)) => Ok(*meaning),
        None => {
            let words: Vec<_> = known.iter().map(|(word, _)| *word).collect();
            Err(format!("the {name} of the URL is not one of {}", quoted(&words)))
        }
    }
}

fn number(name: &str) -> String {
    format!("the {name} of the URL is no number")
}

/// What is said of a parameter that is not read here; what may be a secret is not repeated.
fn unknown(name: &str) -> String {
    let known = PARAMETERS.join(", ");
    match word(name) {
        Some(name) => format!("the URL has an unknown parameter {name}; known here: {known}"),
        None => format!("the URL has an unknown parameter; known here: {known}"),
    }
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn decoded(text: &str) -> Read<String> {
    let whole = |at: usize| {
        let digits = text.as_bytes().get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.match_indices('%').all(|(at, _)| whole(at)) {
        return Err("a \"%\" must be written as %25 here".to_owned());
    }
    let decoded = percent_decode_str(text).decode_utf8();
    match decoded.map_err(|_| "the URL is not UTF-8".to_owned())?.into_owned() {
        text if text.contains('\0') => Err("the URL must not hold NUL".to_owned()),
        text => Ok(text),
    }
}

/// The servers before the path of a URL: `host:port,[::1],%2Frun%2Fpostgresql`.
fn servers_of(authority: &str) -> Read<Vec<Server>> {
    if authority.is_empty() {
        return Ok(Vec::new());
    }
    let server = |text: &str| {
        let (host, port) = match text.strip_prefix('[') {
            Some(address) => {
                let (host, rest) = address.split_once(']').ok_or("\"[\" without \"]\"")?;
                (host, rest.strip_prefix(':').or(rest.is_empty().then_some("")).ok_or(PORT_HINT)?)
            }
            None => text.split_once(':').unwrap_or((text, "")),
        };
        server(&decoded(host)?, port)
    };
    authority.split(',').map(server).collect()
}

/// The servers of the parameters `host` and `port`, of which there is one port for all or one for each.
fn listed(hosts: &str, ports: &str) -> Read<Vec<Server>> {
    let hosts: Vec<_> = hosts.split(',').collect();
    let ports: Vec<_> = ports.split(',').collect();
    if ports.len() != 1 && ports.len() != hosts.len() {
        return Err("the URL has another number of ports than of hosts".to_owned());
    }
    let port = |i: usize| ports.get(i).or(ports.first()).copied().unwrap_or_default();
    hosts.iter().enumerate().map(|(i, host)| server(host, port(i))).collect()
}

fn server(host: &str, port: &str) -> Read<Server> {
    if host.is_empty() {
        return Err("the URL names no host".to_owned());
    }
    if !host.starts_with('/') && (!host.is_ascii() || host.contains(['/', '\\', '?', '@', ' '])) {
        return Err("the URL must name its host in ASCII, as DNS does: xn--…".to_owned());
    }
    Ok(Server { host: host.to_owned(), port: port_of(port)? })
}

const PORT_HINT: &str = "the port of the URL is not between 1 and 65535";

fn port_of(text: &str) -> Read<u16> {
    match text {
        "" => Ok(PORT),
        text => text.parse().ok().filter(|port| *port > 0).ok_or_else(|| PORT_HINT.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Database {
        Database::parse(url).unwrap_or_else(|why| panic!("{url}: {why}"))
    }

    fn servers(url: &str) -> Vec<(String, u16)> {
        read(url).servers.into_iter().map(|server| (server.host, server.port)).collect()
    }

    #[test]
    fn a_url_is_read_as_libpq_reads_it() {
        let all = read(
            "postgresql://us%40er:p%2Fw@db.example:6432/na%20me?sslmode=verify-full\
             &application_name=bell&connect_timeout=3&options=-c%20work_mem%3D8MB\
             &target_session_attrs=read-write&channel_binding=require",
        );
        assert_eq!(all.user.as_deref(), Some("us@er"));
        assert_eq!(all.password.as_ref().map(Secret::expose), Some("p/w"));
        assert_eq!((all.name.as_deref(), all.tls), (Some("na me"), TlsMode::VerifyFull));
        assert_eq!(all.binding, Binding::Require);
        assert_eq!(all.application.as_deref(), Some("bell"));
        assert_eq!(all.connect_timeout, Some(Duration::from_secs(3)));
        assert_eq!(all.options.as_deref(), Some("-c work_mem=8MB"));
        assert_eq!(all.shown(), "postgres://db.example:6432/na me");

        let least = read("postgres://h");
        assert!(least.user.is_none() && least.password.is_none() && least.name.is_none());
        assert_eq!((least.tls, least.binding), (TlsMode::Prefer, Binding::Prefer));
        let pair = |host: &str, port| (host.to_owned(), port);
        assert_eq!(servers("postgres://h"), [pair("h", 5432)]);
        let two = [pair("a", 1), pair("::1", 5432), pair("b", 2)];
        assert_eq!(servers("postgres://u@a:1,[::1],b:2/d"), two);
        assert_eq!(servers("postgres://[::1]:7/d"), [pair("::1", 7)]);
        assert_eq!(read("postgres://[::1]:7/d").shown(), "postgres://[::1]:7/d");
        assert_eq!(servers("postgres:///d?host=a,b&port=1"), [pair("a", 1), pair("b", 1)]);
        assert_eq!(servers("postgres://h/d?port=9"), [pair("h", 9)]);
        let login = read("postgres://h/?user=u&password=p&dbname=d");
        assert_eq!((login.user.as_deref(), login.name.as_deref()), (Some("u"), Some("d")));
        assert_eq!(read("postgres://u:a@b@h/d").password.expect("one").expose(), "a@b");
    }

    #[test]
    fn a_unix_socket_is_never_secured() {
        for url in [
            "postgres://u@%2Frun%2Fpostgresql:6432/d?sslmode=require",
            "postgres:///d?host=/run/postgresql&port=6432&sslmode=verify-full",
        ] {
            let database = read(url);
            let server = Server { host: "/run/postgresql".to_owned(), port: 6432 };
            assert_eq!(
                (database.servers.as_slice(), database.tls),
                (&[server][..], TlsMode::Disable)
            );
            assert_eq!(database.shown(), "postgres://%2Frun%2Fpostgresql:6432/d");
        }
        assert_eq!(read("postgres://%2Frun,h/d?sslmode=require").tls, TlsMode::Require);
    }

    #[test]
    fn what_is_wrong_is_told_and_the_password_never_repeated() {
        for (url, words) in [
            ("mysql://u:hunter2@h/d", "of the form postgres://"),
            ("host=h password=hunter2", "white space"),
            ("u:hunter2@h/d", "of the form postgres://"),
            ("postgres://", "names no host"),
            ("postgres:///d", "names no host"),
            ("postgres://u:hunter2@,h/d", "names no host"),
            ("postgres://u:hunter2@h:0/d", "port"),
            ("postgres://u:hunter2@h:x/d", "port"),
            ("postgres://u:hunter2@[::1/d", "without"),
            ("postgres://u:hunter2@[::1]5/d", "port"),
            ("postgres://u:hunter2@hé/d", "ASCII"),
            ("postgres://u:hunter2%@h/d", "%25"),
            ("postgres://u:hunter2%FF@h/d", "UTF-8"),
            ("postgres://u:hunter2%00@h/d", "NUL"),
            ("postgres://u:hunter2#@h/d", "%23"),
            ("postgres://u:hunter2@h/d?sslmode=hunter2", "\"verify-full\""),
            ("postgres://u:hunter2@h/d?sslmode=allow", "\"prefer\""),
            ("postgres://u:hunter2@h/d?channel_binding=hunter2", "\"require\""),
            ("postgres://u:hunter2@h/d?channel_binding=require&sslmode=disable", "sslmode"),
            ("postgres://u:hunter2@h/d?target_session_attrs=standby", "\"read-write\""),
            ("postgres://u:hunter2@h/d?sslrootcert=x", "\"ca_file\""),
            ("postgres://u:hunter2@h/d?sslkey=x", "\"sslkey\"; known here: application_name"),
            ("postgres://u:hunter2@h/d?hunter2=x", "unknown parameter; known here"),
            ("postgres://u:hunter2@h/d?connect_timeout=hunter2", "no number"),
            ("postgres://u:hunter2@h/d?host=x", "twice"),
            ("postgres:///d?host=a,b&port=1,2,3", "number of ports"),
        ] {
            let why = Database::parse(url).expect_err(url);
            assert!(why.contains(words), "{url}: {why}");
            assert!(!why.contains("hunter2"), "{url}: {why}");
        }
        let database = read("postgres://u:hunter2@h/d");
        assert!(!format!("{database:?} {database}").contains("hunter2"));
    }
}
