//! The native half of `bindings/kotlin`: what the class `hongyan.Native` declares, over the Rust core.
//!
//! Text crosses as `byte[]` of UTF-8, since what JNI calls UTF-8 is another encoding. A client is a number,
//! so that one that was freed is a refused call and no dangling pointer. No thread of the library ever
//! enters the JVM.

#![deny(unsafe_code)]
#![warn(clippy::print_stdout, clippy::dbg_macro, clippy::unwrap_used)]

mod exports;
mod host;
mod hosts;
mod log;
mod thrown;
