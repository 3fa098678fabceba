//! Stamps the shared library: the ABI's number is the soname's, and the library stays mapped while its
//! threads may run; on Windows it has a version to show.

#[path = "../../cli/resource.rs"]
mod resource;

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../../cli/resource.rs");
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
        Ok("windows") => {
            if let Some(object) = resource::version("hongyan.dll", resource::Kind::Library) {
                println!("cargo:rustc-cdylib-link-arg={}", object.display());
            }
        }
        _ => {}
    }
}
