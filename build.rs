//! Generates the header into OUT_DIR; never writes into the source.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "capi")]
    capi();
}

#[cfg(feature = "capi")]
fn capi() {
    use std::env;
    use std::path::PathBuf;

    println!("cargo:rerun-if-changed=cbindgen.toml");
    println!("cargo:rerun-if-changed=src/capi.rs");
    println!("cargo:rerun-if-changed=src/capi");

    let variable = |name: &str| PathBuf::from(env::var_os(name).expect("cargo sets this variable"));
    let root = variable("CARGO_MANIFEST_DIR");
    let header = variable("OUT_DIR").join("hongyan.h");
    let config =
        cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is valid");
    let mut builder = cbindgen::Builder::new().with_config(config);
    // In the order of a reader: codes, the client, sending, queues, messages, results, errors, the log.
    for name in ["guard", "client", "send", "queue", "message", "result", "error", "log"] {
        builder = builder.with_src(root.join(format!("src/capi/{name}.rs")));
    }
    let mut text = Vec::new();
    builder.generate().expect("the header can be generated").write(&mut text);
    let text = String::from_utf8(text).expect("cbindgen writes UTF-8");
    // With `usize_is_size_t` an isize becomes a ptrdiff_t; ours are handles, which Windows has too.
    let text = text.replace("ptrdiff_t", "intptr_t");
    std::fs::write(&header, text).expect("the header can be written");
    println!("cargo:rustc-env=HY_GENERATED_HEADER={}", header.display());
}
