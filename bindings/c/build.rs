//! Stamps the shared library: the ABI's number is the soname's, and the library stays mapped while its
//! threads may run.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    match env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux" | "freebsd" | "netbsd" | "openbsd" | "dragonfly") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libhongyan.so.1");
            println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        }
        // An APK takes lib*.so only.
        Ok("android") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libhongyan.so");
            println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        }
        Ok("macos" | "ios") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libhongyan.1.dylib");
        }
        _ => {}
    }
}
