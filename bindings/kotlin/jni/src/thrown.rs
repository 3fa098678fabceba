//! What goes wrong in a native method, as an exception of Kotlin's.

use std::any::Any;
use std::cell::RefCell;
use std::sync::Once;

use hongyan::{Error, ErrorCode};
use jni::errors::ErrorPolicy;
use jni::objects::{JThrowable, JValue};
use jni::{Env, EnvUnowned, jni_sig, jni_str};

/// Why a native method fails.
pub enum Failure {
    /// The core has refused the call.
    Refused(Error),
    /// A call of JNI has failed; mostly with an exception that is pending now.
    Jni(jni::errors::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Refused(error)
    }
}

impl From<jni::errors::Error> for Failure {
    fn from(error: jni::errors::Error) -> Failure {
        Failure::Jni(error)
    }
}

/// Runs the body of a native method: what goes wrong in it, a panic as well, is thrown in the JVM.
pub fn call<'local, T: Default>(
    mut env: EnvUnowned<'local>,
    body: impl FnOnce(&mut Env<'local>) -> Result<T, Failure>,
) -> T {
    keep_places();
    env.with_env(body).resolve::<Throws>()
}

/// Throws `HongyanException`.
struct Throws;

impl<T: Default> ErrorPolicy<T, Failure> for Throws {
    type Captures<'unowned: 'method, 'method> = ();

    fn on_error<'unowned: 'method, 'method>(
        env: &mut Env<'unowned>,
        _captures: &mut (),
        failure: Failure,
    ) -> jni::errors::Result<T> {
        let error = match failure {
            Failure::Refused(error) => error,
            Failure::Jni(error) => {
                Error::new(ErrorCode::Internal, format!("a call of JNI failed: {error}"))
            }
        };
        throw(env, &error).map(|()| T::default())
    }

    fn on_panic<'unowned: 'method, 'method>(
        env: &mut Env<'unowned>,
        _captures: &mut (),
        payload: Box<dyn Any + Send>,
    ) -> jni::errors::Result<T> {
        // To drop it may panic again.
        std::mem::forget(payload);
        let place = PLACE.take().unwrap_or_else(|| "a place that is not known".to_owned());
        let words = format!("a panic at {place}; this is a bug in hongyan");
        throw(env, &Error::new(ErrorCode::Panic, words)).map(|()| T::default())
    }
}

/// Has Kotlin make the exception, and throws it; what is pending already stays.
fn throw(env: &mut Env<'_>, error: &Error) -> jni::errors::Result<()> {
    if env.exception_check() {
        return Ok(());
    }
    let json = env.byte_array_from_slice(error.to_json().as_bytes())?;
    let made = env.call_static_method(
        jni_str!("hongyan/Native"),
        jni_str!("exception"),
        jni_sig!("([B)Ljava/lang/Throwable;"),
        &[JValue::from(&json)],
    )?;
    let exception = env.cast_local::<JThrowable>(made.l()?)?;
    match env.throw(exception) {
        Err(jni::errors::Error::JavaException) => Ok(()),
        thrown => thrown,
    }
}

thread_local! {
    /// Where this thread panicked last.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Has panics tell their places. Their words are left out: they may hold text of a message.
///
/// The panic hook belongs to a copy of std, and nobody shares that of this library.
fn keep_places() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string);
            if let Some(place) = &place {
                eprintln!("hongyan: a panic at {place}; this is a bug");
            }
            PLACE.set(place);
        }));
    });
}
