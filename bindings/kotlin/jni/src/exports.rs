//! The native methods of the class `hongyan.Native`.
//!
//! `unsafe` is in their attributes alone: that no other symbol of the process has such a name.

#![allow(unsafe_code, reason = "exported names; nothing else here is unsafe")]

use std::time::Duration;

use hongyan::bytes::Bytes;
use hongyan::{ErrorCode, Files, MessageSource};
use jni::objects::{JByteArray, JClass, JObjectArray};
use jni::sys::{jboolean, jint, jlong};
use jni::{Env, EnvUnowned};

use crate::host::{Host, packed, text};
use crate::thrown::{Failure, call};
use crate::{hosts, log};

/// The files of a message, each at its place among the attachments; null where there is none.
type FileArray<'local> = JObjectArray<'local, JByteArray<'local>>;

/// Milliseconds as Kotlin gives them: negative is without end.
fn time_out(ms: jlong) -> Option<Duration> {
    u64::try_from(ms).ok().map(Duration::from_millis)
}

fn files(env: &mut Env<'_>, array: &FileArray<'_>) -> Result<Files, Failure> {
    let mut files = Files::new();
    if array.is_null() {
        return Ok(files);
    }
    for i in 0..array.len(env)? {
        let file = array.get_element(env, i)?;
        if !file.is_null() {
            files.push((i, Bytes::from(env.convert_byte_array(&file)?)));
        }
    }
    Ok(files)
}

fn source<'a>(json: &'a [u8], files: Files) -> MessageSource<'a> {
    match files.is_empty() {
        true => MessageSource::Json(json),
        false => MessageSource::JsonWithFiles(json, files),
    }
}

/// Makes a client from its configuration; its number.
#[unsafe(no_mangle)]
pub extern "system" fn Java_hongyan_Native_open<'local>(
    env: EnvUnowned<'local>,
    _class: JClass<'local>,
    config: JByteArray<'local>,
) -> jlong {
    call(env, |env| {
        let config = env.convert_byte_array(&config)?;
        Ok(hosts::keep(Host::open(&config)?))
    })
}

/// Submits a message under a token; its id.
#[unsafe(no_mangle)]
pub extern "system" fn Java_hongyan_Native_submit<'local>(
    env: EnvUnowned<'local>,
    _class: JClass<'local>,
    host: jlong,
    message: JByteArray<'local>,
    file_array: FileArray<'local>,
    token: jlong,
    timeout_ms: jlong,
    awaited: jboolean,
) -> JByteArray<'local> {
    call(env, |env| {
        let host = hosts::find(host)?;
        let message = env.convert_byte_array(&message)?;
        let source = source(&message, files(env, &file_array)?);
        let id = host.submit(source, token.cast_unsigned(), time_out(timeout_ms), awaited)?;
        // Nobody looks at the id of a send that is awaited before its receipt tells it.
        Ok(if awaited { JByteArray::null() } else { env.byte_array_from_slice(id.as_bytes())? })
    })
}

/// Asks for the end of the send of this token.
#[unsafe(no_mangle)]
pub extern "system" fn Java_hongyan_Native_cancel<'local>(
    env: EnvUnowned<'local>,
    _class: JClass<'local>,
    host: jlong,
    token: jlong,
) {
    call(env, |_| {
        if let Ok(host) = hosts::find(host) {
            host.cancel(token.cast_unsigned());
        }
        Ok(())
    })
}

/// Waits for receipts and packs them: null where none came, an empty array once there will be no more.
#[unsafe(no_mangle)]
pub extern "system" fn Java_hongyan_Native_take<'local>(
    env: EnvUnowned<'local>,
    _class: JClass<'local>,
    host: jlong,
    awaited: jboolean,
    most: jint,
) -> JByteArray<'local> {
    call(env, |env| {
        let most = usize::try_from(most).unwrap_or(1);
        let taken = match hosts::find(host) {
            Ok(host) => host.take(awaited, None, most)?,
            Err(_) => None,
        };
        Ok(match taken {
            None => env.byte_array_from_slice(&[])?,
            Some(receipts) if receipts.is_empty() => JByteArray::null(),
            Some(receipts) => env.byte_array_from_slice(&packed(&receipts))?,
        })
    })
}

/// Says that a receipt need never be handed out again.
#[unsafe(no_mangle)]
pub extern "system" fn Java_hongyan_Native_ack<'local>(
    env: EnvUnowned<'local>,
    _class: JClass<'local>,
    host: jlong,
    id: JByteArray<'local>,
) {
    call(env, |env| {
        let id = env.convert_byte_array(&id)?;
        Ok(hosts::find(host)?.client.ack_id(text(&id, "the id", ErrorCode::Argument)?)?)
    })
}

/// The request that a message would become, as JSON.
#[unsafe(no_mangle)]
pub extern "system" fn Java_hongyan_Native_preview<'local>(
    env: EnvUnowned<'local>,
    _class: JClass<'local>,
    host: jlong,
    message: JByteArray<'local>,
    file_array: FileArray<'local>,
) -> JByteArray<'local> {
    call(env, |env| {
        let message = env.convert_byte_array(&message)?;
        let source = source(&message, files(env, &file_array)?);
        let preview = hosts::find(host)?.client.preview(source)?.to_json();
        Ok(env.byte_array_from_slice(preview.as_bytes())?)
    })
}

/// Adds an account, or replaces the one of that name.
#[unsafe(no_mangle)]
pub extern "system" fn Java_hongyan_Native_setAccount<'local>(
    env: EnvUnowned<'local>,
    _class: JClass<'local>,
    host: jlong,
    name: JByteArray<'local>,
    account: JByteArray<'local>,
) {
    call(env, |env| {
        let (name, account) = (env.convert_byte_array(&name)?, env.convert_byte_array(&account)?);
        let name = text(&name, "the account's name", ErrorCode::Config)?;
        let account = text(&account, "the account", ErrorCode::Config)?;
        Ok(hosts::find(host)?.client.set_account(name, account)?)
    })
}

/// Takes an account away.
#[unsafe(no_mangle)]
pub extern "system" fn Java_hongyan_Native_removeAccount<'local>(
    env: EnvUnowned<'local>,
    _class: JClass<'local>,
    host: jlong,
    name: JByteArray<'local>,
) {
    call(env, |env| {
        let name = env.convert_byte_array(&name)?;
        let name = text(&name, "the account's name", ErrorCode::Config)?;
        Ok(hosts::find(host)?.client.remove_account(name)?)
    })
}

/// Asks the service of an account whether its credentials work.
#[unsafe(no_mangle)]
pub extern "system" fn Java_hongyan_Native_checkAccount<'local>(
    env: EnvUnowned<'local>,
    _class: JClass<'local>,
    host: jlong,
    name: JByteArray<'local>,
    timeout_ms: jlong,
) {
    call(env, |env| {
        let name = env.convert_byte_array(&name)?;
        let name = text(&name, "the account's name", ErrorCode::Config)?;
        Ok(hosts::find(host)?.client.check_account(name, time_out(timeout_ms))?)
    })
}

/// Counters per account, as JSON.
#[unsafe(no_mangle)]
pub extern "system" fn Java_hongyan_Native_stats<'local>(
    env: EnvUnowned<'local>,
    _class: JClass<'local>,
    host: jlong,
) -> JByteArray<'local> {
    call(env, |env| {
        let stats = hosts::find(host)?.client.stats_json();
        Ok(env.byte_array_from_slice(stats.as_bytes())?)
    })
}

/// What this build can send, per service, as JSON.
#[unsafe(no_mangle)]
pub extern "system" fn Java_hongyan_Native_services<'local>(
    env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> JByteArray<'local> {
    call(env, |env| Ok(env.byte_array_from_slice(hongyan::services_json().as_bytes())?))
}

/// Waits until nothing is queued or in flight; how many sends still are.
#[unsafe(no_mangle)]
pub extern "system" fn Java_hongyan_Native_flush<'local>(
    env: EnvUnowned<'local>,
    _class: JClass<'local>,
    host: jlong,
    timeout_ms: jlong,
) -> jint {
    call(env, |_| Ok(count(hosts::find(host)?.client.flush(time_out(timeout_ms)))))
}

/// Accepts nothing more, waits, and cancels the rest; how many those were. 0 of one that is freed.
#[unsafe(no_mangle)]
pub extern "system" fn Java_hongyan_Native_close<'local>(
    env: EnvUnowned<'local>,
    _class: JClass<'local>,
    host: jlong,
    timeout_ms: jlong,
) -> jint {
    call(env, |_| {
        let host = hosts::find(host);
        Ok(host.map_or(0, |host| count(host.client.close(time_out(timeout_ms)))))
    })
}

/// Frees a client; a number that is none does nothing.
#[unsafe(no_mangle)]
pub extern "system" fn Java_hongyan_Native_free<'local>(
    env: EnvUnowned<'local>,
    _class: JClass<'local>,
    host: jlong,
) {
    call(env, |_| {
        hosts::free(host);
        Ok(())
    })
}

/// Keeps lines of the log up to this level, or none at 0.
#[unsafe(no_mangle)]
pub extern "system" fn Java_hongyan_Native_logLevel<'local>(
    env: EnvUnowned<'local>,
    _class: JClass<'local>,
    level: jint,
) {
    call(env, |_| Ok(log::set_level(level)?))
}

/// Waits for lines of the log and packs them.
#[unsafe(no_mangle)]
pub extern "system" fn Java_hongyan_Native_takeLog<'local>(
    env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> JByteArray<'local> {
    call(env, |env| Ok(env.byte_array_from_slice(&log::take())?))
}

fn count(sends: usize) -> jint {
    jint::try_from(sends).unwrap_or(jint::MAX)
}

/// A panic, for the test that none crosses. No build for release has it.
#[cfg(debug_assertions)]
#[unsafe(no_mangle)]
pub extern "system" fn Java_hongyan_Doors_panic<'local>(
    env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> jlong {
    call(env, |_| panic!("secret words"))
}
