//! The one error type: a code that never changes its number, words for people, and where it was.

use std::fmt;

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

/// The result of a call that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// The failure of a message that is wrong at this place.
#[cold]
#[inline(never)]
#[cfg_attr(not(feature = "services"), allow(dead_code, reason = "not every service refuses so"))]
pub fn wrong<T>(path: impl Into<String>, words: impl Into<String>) -> Result<T> {
    Err(Error::new(ErrorCode::Message, words).at(path))
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)*) => {
        /// What went wrong, as a number that is never given another meaning.
        ///
        /// Below 100: the call, the message or the library. 100 to 199: the way to the service.
        /// 200 and above: the service answered.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(i32)]
        pub enum ErrorCode { $($(#[$doc])* $variant = $number,)* }

        impl ErrorCode {
            /// Every code, in the order of their numbers.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant,)*];

            /// The name of the code, for instance `rate_limited`.
            pub const fn name(self) -> &'static str {
                match self { $(ErrorCode::$variant => $name,)* }
            }

            /// The name of the code as a C string, for the C front.
            pub const fn c_name(self) -> &'static std::ffi::CStr {
                match self {
                    $(ErrorCode::$variant => {
                        const NAME: &std::ffi::CStr = match std::ffi::CStr::from_bytes_with_nul(
                            concat!($name, "\0").as_bytes(),
                        ) {
                            Ok(name) => name,
                            Err(_) => panic!("a code's name holds no NUL"),
                        };
                        NAME
                    })*
                }
            }
        }
    };
}

codes! {
    /// A bug in the library.
    Internal = 1, "internal";
    /// A panic inside the library was caught.
    Panic = 2, "panic";
    /// A bad pointer, text that is not UTF-8, or JSON that cannot be read.
    Argument = 3, "argument";
    /// The configuration is wrong; the path says where.
    Config = 4, "config";
    /// The client is closed.
    Closed = 5, "closed";
    /// The handle was made before `fork`.
    Forked = 6, "forked";
    /// `max_in_flight` is reached; the message says whose.
    Full = 7, "full";
    /// The send was cancelled.
    Cancelled = 8, "cancelled";
    /// Called from inside the log function.
    Reentrant = 9, "reentrant";
    /// The message itself is wrong; the path says where.
    Message = 10, "message";
    /// This service cannot carry that recipient or part.
    Unsupported = 11, "unsupported";
    /// The deadline passed before anything was sent.
    Expired = 12, "expired";
    /// The outbox: disk, corruption or schema.
    Storage = 13, "storage";
    /// An older version has the outbox's file open, or others open it for too long.
    Locked = 14, "locked";
    /// The feature is not in this build.
    Unavailable = 15, "unavailable";
    /// The time ran out.
    Timeout = 100, "timeout";
    /// DNS, connection, proxy, or a connection lost on the way.
    Network = 101, "network";
    /// The secure connection could not be made.
    Tls = 102, "tls";
    /// An answer that cannot be understood.
    Protocol = 103, "protocol";
    /// The service refused the credentials.
    Auth = 200, "auth";
    /// The sender or the app may not do this.
    Forbidden = 201, "forbidden";
    /// There is no such recipient.
    NotFound = 202, "not_found";
    /// Too fast.
    RateLimited = 203, "rate_limited";
    /// The content is too long.
    TooLarge = 204, "too_large";
    /// The content or the request was refused.
    Rejected = 205, "rejected";
    /// The service's own fault.
    Service = 206, "service";
    /// The service says that this was already sent.
    Duplicate = 207, "duplicate";
    /// The service says OK but threw the message away.
    Dropped = 208, "dropped";
    /// The allowance of the day or the plan is used up.
    Quota = 209, "quota";
}

impl ErrorCode {
    /// The number of the code.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The code with this name.
    pub fn from_name(name: &str) -> Option<ErrorCode> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

/// An error for people: what was wrong, where, and what to do.
///
/// Secrets never appear in it. It is immutable once it has left the library.
#[derive(Clone, Debug, PartialEq)]
pub struct Error(Box<Detail>);

#[derive(Clone, Debug, PartialEq)]
struct Detail {
    code: ErrorCode,
    /// The place, if there is one, and the words.
    message: String,
    /// Where the words begin in it.
    words_at: usize,
    account: Option<String>,
    service: Option<&'static str>,
    service_code: Option<String>,
    http_status: Option<u16>,
    path: Option<String>,
    attempts: u32,
    retryable: bool,
    retry_after_ms: Option<u64>,
    hint: Option<String>,
}

impl Error {
    /// An error of this code, with a message that a person can act on.
    // This and the next ones are kept out of the many places that an error may come from, which are cold
    // then: they are hardly ever come to, and made small.
    #[cold]
    #[inline(never)]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Error {
        Error(Box::new(Detail {
            code,
            message: message.into(),
            words_at: 0,
            account: None,
            service: None,
            service_code: None,
            http_status: None,
            path: None,
            attempts: 0,
            retryable: code == ErrorCode::Full,
            retry_after_ms: None,
            hint: None,
        }))
    }

    /// The same error, at this place of the JSON that was given.
    #[cold]
    #[inline(never)]
    pub fn at(mut self, path: impl Into<String>) -> Error {
        let path = path.into();
        self.0.message = format!("{path}: {}", self.words());
        self.0.words_at = path.len() + 2;
        self.0.path = Some(path);
        self
    }

    /// The same error, with what to do about it.
    #[cold]
    #[inline(never)]
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same error in other words, at the same place.
    pub(crate) fn reworded(mut self, words: String) -> Error {
        (self.0.message, self.0.words_at) = (words, 0);
        match self.0.path.take() {
            Some(path) => self.at(path),
            None => self,
        }
    }

    /// The same error without advice.
    pub(crate) fn without_hint(mut self) -> Error {
        self.0.hint = None;
        self
    }

    pub(crate) fn with_account(mut self, account: &str, service: Option<&'static str>) -> Error {
        self.0.account = Some(account.to_owned());
        self.0.service = service;
        self
    }

    pub(crate) fn with_service_code(mut self, code: Option<String>) -> Error {
        self.0.service_code = code;
        self
    }

    pub(crate) fn with_http_status(mut self, status: Option<u16>) -> Error {
        self.0.http_status = status;
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Error {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_retry(mut self, retryable: bool, after_ms: Option<u64>) -> Error {
        self.0.retryable = retryable;
        self.0.retry_after_ms = after_ms;
        self
    }

    /// What went wrong.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// What went wrong, in words, after the place where there is one:
    /// `accounts.ff.auth: the field "type" is required`.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What went wrong, in words, without the place.
    pub fn words(&self) -> &str {
        &self.0.message[self.0.words_at..]
    }

    /// The place in the JSON that was given, for instance `accounts.ff.auth.type`.
    pub fn path(&self) -> Option<&str> {
        self.0.path.as_deref()
    }

    /// The service's own code, where it gave one.
    pub fn service_code(&self) -> Option<&str> {
        self.0.service_code.as_deref()
    }

    /// The HTTP status of the answer, where there was one.
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// Attempts begun when it came to this.
    pub(crate) fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// True only if nothing was sent and a later try may work.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// How long to wait before that later try, where the service or the library knows.
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.0.retry_after_ms
    }

    /// What to do about it, where there is advice.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The error object as JSON, one shape everywhere.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.name(), self.0.message)?;
        if let Some(hint) = &self.0.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let d = &*self.0;
        let mut s = serializer.serialize_struct("Error", 12)?;
        s.serialize_field("code", &d.code.number())?;
        s.serialize_field("name", d.code.name())?;
        s.serialize_field("message", &d.message)?;
        s.serialize_field("account", &d.account)?;
        s.serialize_field("service", &d.service)?;
        s.serialize_field("service_code", &d.service_code)?;
        s.serialize_field("http_status", &d.http_status)?;
        s.serialize_field("path", &d.path)?;
        s.serialize_field("attempts", &d.attempts)?;
        s.serialize_field("retryable", &d.retryable)?;
        s.serialize_field("retry_after_ms", &d.retry_after_ms)?;
        s.serialize_field("hint", &d.hint)?;
        s.end()
    }
}
