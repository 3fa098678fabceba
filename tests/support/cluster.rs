//! A PostgreSQL of its own for tests: a cluster in a temporary folder, which goes with its process.
//!
//! It is Debian's, which `tools/test-tools` installs. PostgreSQL refuses to run as root: there the cluster
//! belongs to an unprivileged user of the system.

#![allow(dead_code)] // Each test file uses its own part of this.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The password of the superuser, whose letters mean something in a URL.
pub const PASSWORD: &str = "p@ss/w:rd";

/// The same as it is written in a URL.
const PASSWORD_IN_URL: &str = "p%40ss%2Fw%3Ard";

/// How often another port is tried, where somebody took the one that was free.
const TRIES: u32 = 5;

/// The longest that is waited for what must come.
const GUARD: Duration = Duration::from_secs(300);

/// A running cluster: over loopback with a password (SCRAM), over its Unix socket for the superuser
/// without.
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    /// Whom it belongs to, where this process is root.
    user: Option<(u32, u32)>,
    /// Ends and removes the cluster once this process is gone, however it ends.
    sweeper: Option<Child>,
}

impl Cluster {
    /// The cluster of this test binary, started at the first call.
    pub fn shared() -> &'static Cluster {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Cluster::start(&[], &[]))
    }

    /// Starts a cluster with more settings, such as `max_connections=20`, and files in the folder above
    /// its data, which they may name: `ssl_cert_file=../server.crt`.
    pub fn start(settings: &[&str], files: &[(&str, &str)]) -> Cluster {
        let mut cluster = Cluster::folder();
        files.iter().for_each(|(name, content)| drop(cluster.write(name, content)));
        cluster.init();
        cluster.configure(settings);
        cluster.begin(settings);
        cluster
    }

    /// A folder for a cluster, which goes with this process.
    fn folder() -> Cluster {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hy-pg-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        // Left over by an earlier process of the same number.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a temporary folder");
        let user = unprivileged();
        if let Some((uid, gid)) = user {
            chown(&folder, Some(uid), Some(gid)).expect("root gives the folder away");
        }
        let mut cluster = Cluster { programs: programs(), folder, port: 0, user, sweeper: None };
        cluster.sweeper = Some(cluster.sweep());
        cluster
    }

    /// Starts a cluster that follows this one, without which this one confirms no commit from then on.
    pub fn standby(&self) -> Cluster {
        // Of commits nobody is told that only this one has.
        let own = |sql: &str| drop(self.psql("postgres", sql));
        own("ALTER SYSTEM SET synchronous_standby_names = ''");
        own("SELECT pg_reload_conf()");
        let mut standby = Cluster::folder();
        let mut copy = self.program("pg_basebackup");
        copy.arg("-h").arg(&self.folder).args(["-p", &self.port.to_string(), "-U", "postgres"]);
        copy.args(["-X", "stream", "-c", "fast", "--no-sync", "-D"]).arg(standby.data());
        told(copy.output(), "pg_basebackup").unwrap_or_else(|why| panic!("{why}"));
        let _ = fs::remove_file(standby.data().join("postmaster.pid"));
        standby.give(&standby.write("data/standby.signal", ""));
        let from = format!(
            "primary_conninfo=host={} port={} user=postgres",
            self.folder.display(),
            self.port
        );
        let settings = [from.as_str(), "wal_retrieve_retry_interval=100"];
        standby.configure(&settings);
        standby.begin(&settings);
        own("ALTER SYSTEM SET synchronous_standby_names = '*'");
        own("SELECT pg_reload_conf()");
        let follows = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        let started = Instant::now();
        while self.psql("postgres", follows) != "1" {
            assert!(started.elapsed() < GUARD, "{}\n{}", self.log(), standby.log());
        }
        standby
    }

    fn begin(&mut self, settings: &[&str]) {
        for tries in 1.. {
            match self.control(&["start", "-w", "-t", "120", "-l", &self.in_folder("log")]) {
                Ok(()) => break,
                Err(why) if tries == TRIES => panic!("{why}\n{}", self.log()),
                // Its port was taken meanwhile.
                Err(_) => self.configure(settings),
            }
        }
    }

    fn init(&self) {
        let password = self.folder.join("password");
        fs::write(&password, PASSWORD).expect("a file");
        self.give(&password);
        let mut init = self.program("initdb");
        init.args(["-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"]);
        init.args(["--auth-local=trust", "--auth-host=scram-sha-256"]);
        init.arg(format!("--pwfile={}", password.display())).arg("-D").arg(self.data());
        told(init.output(), "initdb").unwrap_or_else(|why| panic!("{why}"));
    }

    /// Settings of the cluster, with a port that nobody has.
    fn configure(&mut self, settings: &[&str]) {
        let free = TcpListener::bind("127.0.0.1:0").expect("loopback");
        self.port = free.local_addr().expect("an address").port();
        let mut text = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{}'\n\
             fsync = on\ndynamic_shared_memory_type = mmap\nmax_connections = 100\nlog_min_messages = warning\n",
            self.port,
            self.folder.display()
        );
        for setting in settings {
            let (name, value) = setting.split_once('=').expect("name=value");
            writeln!(text, "{name} = '{value}'").expect("a string");
        }
        let file = self.data().join("postgresql.auto.conf");
        fs::write(&file, text).expect("a file of the cluster");
        self.give(&file);
    }

    /// Writes a file into the folder that the cluster may read, and nobody else.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.folder.join(name);
        fs::write(&path, content).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its own file");
        self.give(&path);
        path
    }

    fn give(&self, path: &Path) {
        if let Some((uid, gid)) = self.user {
            chown(path, Some(uid), Some(gid)).expect("root gives the file away");
        }
    }

    /// The process that all others of the server are children of.
    pub fn first_process(&self) -> u64 {
        let file = self.data().join("postmaster.pid");
        let text = fs::read_to_string(file).expect("a server that runs");
        text.lines().next().and_then(|line| line.parse().ok()).expect("a number")
    }

    /// Where a program of this PostgreSQL is.
    pub fn program_path(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// The superuser's URL of the database `postgres`, over loopback.
    pub fn url(&self) -> String {
        self.url_of("postgres", "postgres")
    }

    /// The URL of a user who has the superuser's password.
    pub fn url_of(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}:{PASSWORD_IN_URL}@127.0.0.1:{}/{database}", self.port)
    }

    /// The superuser's URL of the database `postgres`, by way of another port on loopback.
    pub fn url_by(&self, port: u16) -> String {
        format!("postgres://postgres:{PASSWORD_IN_URL}@127.0.0.1:{port}/postgres")
    }

    /// The port on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the Unix socket.
    pub fn socket(&self) -> &Path {
        &self.folder
    }

    /// Makes an empty database of a name of its own, and tells that name.
    pub fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.psql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Makes a role that may log in with the superuser's password.
    pub fn role(&self, name: &str) {
        self.psql("postgres", &format!("CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'"));
    }

    /// What the superuser's statements answer, a row a line.
    pub fn psql(&self, database: &str, sql: &str) -> String {
        self.psql_as("postgres", database, sql).unwrap_or_else(|why| panic!("{sql}\n{why}"))
    }

    /// The same of another user; `Err` with what the server says.
    pub fn psql_as(&self, user: &str, database: &str, sql: &str) -> Result<String, String> {
        let mut psql = self.program("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", user, "-d", database]);
        psql.arg("-h").arg(&self.folder).args(["-p", &self.port.to_string(), "-f", "-"]);
        psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = psql.spawn().expect("psql runs");
        child.stdin.take().expect("a pipe").write_all(sql.as_bytes()).expect("psql reads");
        let output = told(child.wait_with_output(), "psql")?;
        Ok(output.trim_end_matches('\n').to_owned())
    }

    /// Ends every process of the server at once, as a crash does, and starts it anew.
    pub fn restart_immediate(&self) {
        let log = self.in_folder("log");
        let ended = self.control(&["restart", "-m", "immediate", "-w", "-t", "120", "-l", &log]);
        ended.unwrap_or_else(|why| panic!("{why}\n{}", self.log()));
    }

    /// Ends the server at once; [`Cluster::start_again`] brings it back.
    pub fn stop(&self) {
        self.control(&["stop", "-m", "immediate", "-w"]).unwrap_or_else(|why| panic!("{why}"));
    }

    /// Starts a server that was stopped.
    pub fn start_again(&self) {
        let started = self.control(&["start", "-w", "-t", "120", "-l", &self.in_folder("log")]);
        started.unwrap_or_else(|why| panic!("{why}\n{}", self.log()));
    }

    /// Kills every process of the server at once, as a machine does that loses its power.
    pub fn kill(&self) {
        let first = self.first_process();
        let pid_file = self.data().join("postmaster.pid");
        let file = fs::read_to_string(&pid_file).expect("a server");
        // Others of its processes end by themselves once they notice, which may be after another commit.
        let mut all = vec![first];
        for entry in fs::read_dir("/proc").expect("Linux").flatten() {
            let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
            // "number (name) state parent": the name may hold anything.
            let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
            if rest.split(' ').nth(1) == Some(&first.to_string()) {
                all.extend(entry.file_name().to_str().and_then(|name| name.parse::<u64>().ok()));
            }
        }
        let mut kill = Command::new("kill");
        kill.arg("-KILL").args(all.iter().map(u64::to_string)).stderr(Stdio::null());
        // One of them may have ended meanwhile.
        let _ = kill.status().expect("kill runs");
        let started = Instant::now();
        while Path::new(&format!("/proc/{first}/stat")).exists() {
            assert!(started.elapsed() < GUARD, "{first} does not end");
        }
        // Its number may be another process's by the time that somebody stops this server.
        let _ = fs::remove_file(pid_file);
        // The kernel keeps the segment by which two servers over one folder notice each other.
        let segment = file.lines().nth(6).and_then(|line| line.split_whitespace().nth(1));
        if let Some(segment) = segment {
            let _ = Command::new("ipcrm").args(["-m", segment]).stderr(Stdio::null()).status();
        }
    }

    /// Makes a standby a server of its own, which can be written.
    pub fn promote(&self) {
        let made = self.control(&["promote", "-w", "-t", "120"]);
        made.unwrap_or_else(|why| panic!("{why}\n{}", self.log()));
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn in_folder(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn control(&self, args: &[&str]) -> Result<(), String> {
        let mut control = self.program("pg_ctl");
        // A pipe would stay open as long as the server, which inherits it.
        control.arg("-D").arg(self.data()).args(args).stdout(Stdio::null()).stderr(Stdio::null());
        match control.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("pg_ctl {}: {status}", args[0])),
            Err(error) => Err(format!("pg_ctl {}: {error}", args[0])),
        }
    }

    /// A program of PostgreSQL, as the user of the cluster.
    fn program(&self, name: &str) -> Command {
        self.as_user(self.programs.join(name))
    }

    fn as_user(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command.current_dir("/").stdin(Stdio::null()).env("LC_ALL", "C");
        for name in ["PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGOPTIONS"] {
            command.env_remove(name);
        }
        command
    }

    fn sweep(&self) -> Child {
        const SCRIPT: &str = "trap '' INT TERM HUP; cat >/dev/null; \
            \"$1/pg_ctl\" -D \"$2/data\" -m immediate -w stop >/dev/null 2>&1; rm -rf \"$2\"";
        let mut sweeper = self.as_user("/bin/sh");
        sweeper.args(["-c", SCRIPT, "sweeper"]).arg(&self.programs).arg(&self.folder);
        // Our end of the pipe is the only one: it closes when this process is gone.
        sweeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        sweeper.process_group(0).spawn().expect("a shell")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut sweeper) = self.sweeper.take() {
            drop(sweeper.stdin.take());
            let _ = sweeper.wait();
        }
    }
}

fn told(output: io::Result<Output>, what: &str) -> Result<String, String> {
    let output = output.map_err(|error| format!("{what}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(format!("{what}: {}{}", text(&output.stdout), text(&output.stderr))),
    }
}

/// The folder of the newest PostgreSQL's programs.
fn programs() -> PathBuf {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = installed
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())))
        .map(|(version, path)| (version, path.join("bin")))
        .filter(|(_, path)| path.join("initdb").is_file() && path.join("pg_ctl").is_file())
        .max();
    newest.expect("a PostgreSQL below /usr/lib/postgresql: tools/test-tools installs it").1
}

/// The user and group that the server runs as, where this process is root: those of PostgreSQL itself, or
/// who is nobody.
fn unprivileged() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").expect("this process").uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("the users of the system");
    let find = |name: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let found = fields.next() == Some(name);
            let ids = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            found.then_some(ids)
        })
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("a user who is not root"))
}
