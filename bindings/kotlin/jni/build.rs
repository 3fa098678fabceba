//! Keeps the library mapped while its threads may run, also where its class loader is collected.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if let Ok("linux" | "android" | "freebsd") = env::var("CARGO_CFG_TARGET_OS").as_deref() {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libhongyan_jni.so");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
