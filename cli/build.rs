//! Gives the program a version that Windows shows.

mod resource;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=resource.rs");
    if let Some(object) = resource::version("hongyan.exe", resource::Kind::Program) {
        println!("cargo:rustc-link-arg-bins={}", object.display());
    }
}
