//! An outbox from the outside: what stands in it, and what may be done about it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::engine::{Changed, Engine};
use crate::model::config::{ClientConfig, Place, expand_outbox, json_value};
use crate::model::error::{Error, ErrorCode, Result};
use crate::model::receipt::Delivery;

/// An outbox file, by its path. Nothing is held open between two calls.
///
/// Looking and changing work beside clients that have it, and send nothing. Any number of processes may change
/// it at once.
#[derive(Clone, Debug)]
pub struct OutboxFile {
    pub(crate) file: Changed,
}

/// Where a message of an outbox stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxState {
    /// To be begun.
    Queued,
    /// Waits for its time.
    Scheduled,
    /// Waits for earlier messages to its recipient.
    InLine,
    /// Waits for the result of another message of its key.
    Following,
    /// Bytes of it may have gone.
    Begun,
    /// Has its result, which was not acknowledged.
    Done,
    /// A dead letter: acknowledged and not known to be sent.
    Dead,
}

impl OutboxState {
    /// Every state, in the order of its number in the file.
    pub const ALL: [OutboxState; 7] = [
        OutboxState::Queued,
        OutboxState::Scheduled,
        OutboxState::InLine,
        OutboxState::Following,
        OutboxState::Begun,
        OutboxState::Done,
        OutboxState::Dead,
    ];

    /// Its name, such as `in_line`.
    pub const fn name(self) -> &'static str {
        match self {
            OutboxState::Queued => "queued",
            OutboxState::Scheduled => "scheduled",
            OutboxState::InLine => "in_line",
            OutboxState::Following => "following",
            OutboxState::Begun => "begun",
            OutboxState::Done => "done",
            OutboxState::Dead => "dead",
        }
    }

    fn of(name: &str) -> OutboxState {
        let same = OutboxState::ALL.into_iter().find(|state| state.name() == name);
        same.expect("these are the states of the store")
    }

    /// True once the message has its result.
    pub const fn has_result(self) -> bool {
        matches!(self, OutboxState::Done | OutboxState::Dead)
    }
}

/// A message of an outbox as it stands.
#[derive(Clone, Debug)]
pub struct OutboxRow {
    /// Its number: the order in which messages were accepted.
    pub seq: i64,
    /// Where it stands.
    pub state: OutboxState,
    /// The library's own id of it.
    pub id: String,
    /// What the caller gave with it.
    pub token: u64,
    /// Whose message it is.
    pub account: String,
    /// The caller's idempotency key.
    pub key: Option<String>,
    /// The message as JSON, as it was accepted.
    pub message: Vec<u8>,
    /// Unix milliseconds.
    pub accepted_ms: u64,
    /// Not before then, in Unix milliseconds.
    pub due_ms: Option<u64>,
    /// No longer than until then, in Unix milliseconds.
    pub deadline_ms: Option<u64>,
    /// Attempts begun so far.
    pub attempts: u32,
    /// When its bytes were first sent, in Unix milliseconds.
    pub first_sent_ms: Option<u64>,
    /// It has the result of another message of its key.
    pub borrowed: bool,
    /// Whether it arrived, once it has its result.
    pub delivery: Option<Delivery>,
    /// Its result as JSON, with every attempt under `trace`.
    pub receipt: Option<Vec<u8>>,
}

/// A message that was queued for a later run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxPut {
    /// The library's own id of it.
    pub id: String,
    /// An earlier message of its key had the result already, and so has this one: that delivery.
    pub known: Option<Delivery>,
}

impl OutboxFile {
    /// The outbox of a configuration, if it has one; only `outbox` of it is read.
    pub fn of_config(json: &str) -> Result<Option<OutboxFile>> {
        let mut config = json_value(json.as_bytes(), "")?;
        let mut part = |name| config.get_mut(name).map(Value::take).unwrap_or_default();
        let (mut outbox, ca_file) = (part("outbox"), part("ca_file"));
        expand_outbox(&mut outbox)?;
        let alone = json!({"v": 1, "accounts": {}, "ca_file": ca_file, "outbox": outbox});
        let config = ClientConfig::from_value(alone)?.outbox;
        Ok(config.map(|config| OutboxFile { file: Changed { config, wait: None } }))
    }

    /// The outbox at this path, with the limits that a configuration has by default.
    pub fn at(path: impl Into<PathBuf>) -> Result<OutboxFile> {
        let anywhere = json!({"outbox": {"path": "-"}}).to_string();
        let found = OutboxFile::of_config(&anywhere)?;
        let file = found.ok_or_else(|| Error::new(ErrorCode::Internal, "an outbox got lost"))?;
        Ok(file.moved_to(path))
    }

    /// The same with another path.
    pub fn moved_to(mut self, path: impl Into<PathBuf>) -> OutboxFile {
        self.file.config.place = Place::Path(path.into());
        self
    }

    /// The same, but whoever changes it waits so long for others that open it, and may have to rescue it first;
    /// otherwise 10 s.
    pub fn wait_at_most(mut self, time_out: Duration) -> OutboxFile {
        self.file.wait = Some(time_out);
        self
    }

    /// Where it is, if it is a file.
    pub fn path(&self) -> Option<&Path> {
        match &self.file.config.place {
            Place::Path(path) => Some(path),
            Place::Postgres(_) => None,
        }
    }

    /// False if it is a file that is not there yet.
    pub fn exists(&self) -> bool {
        self.path().is_none_or(Path::exists)
    }

    /// Where it is, for people: the path of a file, or a database without what one logs in with.
    pub fn shown(&self) -> String {
        self.file.config.place.shown()
    }

    /// The SQL that makes its schema, or an older one current, without any secret; none for a file, which needs
    /// none. It may be run again.
    #[cfg(feature = "postgres")]
    pub fn schema_sql(&self) -> Option<String> {
        Engine::outbox_sql(&self.file)
    }

    /// Makes its schema, or an older one current; nothing for a file.
    #[cfg(feature = "postgres")]
    pub fn make_schema(&self) -> Result<()> {
        Engine::outbox_make(&self.file)
    }

    /// So many messages after this number, oldest first; 0 is before all of them.
    pub fn rows(&self, after: i64, most: usize) -> Result<Vec<OutboxRow>> {
        let rows = Engine::outbox_rows(&self.file, after, most)?;
        // The type of the store's row stays inside the engine.
        let rows = rows.into_iter().map(|row| {
            let (delivery, receipt) = row.verdict.map(|v| (v.delivery, v.receipt)).unzip();
            OutboxRow {
                seq: row.seq,
                state: OutboxState::of(row.state.name()),
                id: row.id,
                token: row.token,
                account: row.account,
                key: row.key,
                message: row.message,
                accepted_ms: row.accepted_ms,
                due_ms: row.due_ms,
                deadline_ms: row.deadline_ms,
                attempts: row.attempts,
                first_sent_ms: row.first_sent_ms,
                borrowed: row.follows,
                delivery,
                receipt,
            }
        });
        Ok(rows.collect())
    }

    /// The message of this id.
    pub fn row(&self, id: &str) -> Result<Option<OutboxRow>> {
        match Engine::outbox_row(&self.file, id)? {
            Some(found) => Ok(self.rows(found.seq - 1, 1)?.into_iter().find(|row| row.id == id)),
            None => Ok(None),
        }
    }

    /// Queues messages again that have a result and are not sent, as if they had just come; tells of
    /// each whether that could be done. All of it is durable on return.
    pub fn retry(&self, ids: &[&str]) -> Result<Vec<Result<()>>> {
        Engine::outbox_retry(&self.file, ids)
    }

    /// Takes messages out that are not begun, or have their result; tells of each whether that could
    /// be done. Who submitted one and still has the outbox gets `cancelled` as its result; of others there
    /// will be none.
    pub fn remove(&self, ids: &[&str]) -> Result<Vec<Result<()>>> {
        Engine::outbox_drop(&self.file, ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Client;

    const CONFIG: &str = r#"{"v": 1, "accounts": {"ff": {"service": "fanfou",
        "auth": {"type": "basic", "username": "u", "password": "p"}}}}"#;

    /// An outbox in a folder that goes with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> (Folder, OutboxFile) {
            let name = format!("hongyan-outbox-file-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&path).unwrap();
            let file = OutboxFile::at(path.join("outbox.db")).unwrap();
            (Folder(path), file)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn message(text: &str, more: &str) -> String {
        format!(r#"{{"v":1,"account":"ff","to":{{"user":"u"}},"text":"{text}"{more}}}"#)
    }

    #[test]
    fn what_is_put_is_listed_and_removed_and_nothing_is_sent() {
        let (_folder, file) = Folder::new("put");
        let client = Client::from_json(CONFIG).unwrap();
        let texts = [
            message("a", ""),
            message("b", r#","key":"k""#),
            message("c", r#","key":"k""#),
            message("d", r#","not_before_ms":32503680000000"#),
            message("e", r#","colour":1"#),
            "nonsense".to_owned(),
            message("f", r#","key":"k""#).replace("\"f\"", "\"b\""),
        ];
        let many: Vec<_> = texts.iter().zip(1..).map(|(text, n)| (text.as_bytes(), n)).collect();
        let told = client.put(&file, many).unwrap();
        let codes: Vec<_> = told.iter().map(|t| t.as_ref().err().map(Error::code)).collect();
        let (message, argument) = (Some(ErrorCode::Message), Some(ErrorCode::Argument));
        assert_eq!(codes, [None, None, message, None, message, argument, None]);
        assert!(told.iter().flatten().all(|put| put.known.is_none()));

        let rows = file.rows(0, 10).unwrap();
        let seen: Vec<_> = rows.iter().map(|row| (row.token, row.state)).collect();
        use OutboxState::{Following, Queued, Scheduled};
        assert_eq!(seen, [(1, Queued), (2, Queued), (4, Scheduled), (7, Following)]);
        assert_eq!(rows[0].message, texts[0].as_bytes());
        assert_eq!(file.rows(rows[1].seq, 1).unwrap()[0].id, rows[2].id);
        assert_eq!(file.row(&rows[3].id).unwrap().unwrap().key.as_deref(), Some("k"));
        assert!(file.row("nothing").unwrap().is_none());

        let ids: Vec<_> = rows.iter().map(|row| row.id.as_str()).collect();
        assert!(file.retry(&ids).unwrap().iter().all(Result::is_err), "none has a result");
        let removed = file.remove(&[ids[1], ids[2], "nothing"]).unwrap();
        assert_eq!(removed.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false]);
        let left: Vec<_> = file.rows(0, 10).unwrap().iter().map(|r| (r.token, r.state)).collect();
        assert_eq!(left, [(1, Queued), (7, Queued)], "the follower took its place");
    }

    #[test]
    fn a_file_that_is_not_there_is_not_made_by_a_change() {
        let (_folder, file) = Folder::new("absent");
        let code = |told: Result<Vec<Result<()>>>| told.unwrap_err().code();
        assert_eq!(code(file.retry(&["x"])), ErrorCode::Storage);
        assert_eq!(code(file.remove(&["x"])), ErrorCode::Storage);
        assert!(file.rows(0, 1).is_err() && !file.path().unwrap().exists());
    }

    #[test]
    fn an_outbox_is_found_in_its_configuration() {
        let of = |json: &str| OutboxFile::of_config(json);
        assert!(of(r#"{"v": 1, "accounts": {}}"#).unwrap().is_none());
        let found = of(r#"{"accounts": {"a": "${env:NOWHERE}"}, "outbox": {"path": "x.db"}}"#);
        assert_eq!(found.unwrap().unwrap().path(), Some(Path::new("x.db")));
        let wrong = of(r#"{"outbox": {"path": "x.db", "max_bytes": 0}}"#).unwrap_err();
        assert_eq!(wrong.path(), Some("outbox.max_bytes"));
        assert_eq!(of("nonsense").unwrap_err().code(), ErrorCode::Config);
    }
}
