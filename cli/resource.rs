//! The version that Windows shows of a program or library; both build scripts have this.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What kind of file it is, as the resource says it.
#[allow(dead_code, reason = "each build script makes one of them")]
#[derive(Clone, Copy)]
pub enum Kind {
    Program = 1,
    Library = 2,
}

/// Compiles the resource for a file of this name, where Windows is built for; the result is to be linked.
///
/// The compiler of resources belongs to the linker's kit, so that nothing has to be installed for it:
/// `windres` of binutils, or Microsoft's `rc`. `WINDRES` and `RC` name another. Where there is none, the file
/// has no version to show, and works as well.
pub fn version(file: &str, kind: Kind) -> Option<PathBuf> {
    let variable = |name: &str| env::var(name).unwrap_or_default();
    println!("cargo:rerun-if-env-changed=WINDRES");
    println!("cargo:rerun-if-env-changed=RC");
    if variable("CARGO_CFG_TARGET_OS") != "windows" {
        return None;
    }
    let folder = PathBuf::from(variable("OUT_DIR"));
    let script = folder.join("version.rc");
    if let Err(error) = std::fs::write(&script, text(file, kind)) {
        println!("cargo:warning={} cannot be written: {error}", script.display());
        return None;
    }
    let (tools, made) = match &*variable("CARGO_CFG_TARGET_ENV") {
        "msvc" => (vec![variable("RC"), "rc".to_owned()], folder.join("version.res")),
        _ => {
            let own = format!("{}-w64-mingw32-windres", variable("CARGO_CFG_TARGET_ARCH"));
            (vec![variable("WINDRES"), own, "windres".to_owned()], folder.join("version.o"))
        }
    };
    for tool in tools.iter().filter(|tool| !tool.is_empty()) {
        if compiles(tool, &script, &made) {
            return Some(made);
        }
    }
    println!("cargo:warning={file} gets no version resource: none of {} works", tools.join(" "));
    None
}

fn compiles(tool: &str, script: &Path, made: &Path) -> bool {
    let mut command = Command::new(tool);
    match made.extension().is_some_and(|extension| extension == "res") {
        true => command.arg("/nologo").arg("/fo").arg(made).arg(script),
        false => command.arg("--input").arg(script).arg("--output").arg(made),
    };
    command.status().is_ok_and(|status| status.success())
}

/// The resource's source; the numbers are `VS_VERSION_INFO`, `VOS_NT_WINDOWS32`, and US English in Unicode.
fn text(file: &str, kind: Kind) -> String {
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let mut numbers: Vec<&str> = version.split(['.', '-', '+']).take(3).collect();
    numbers.push("0");
    let numbers = numbers.join(",");
    format!(
        r#"1 VERSIONINFO
FILEVERSION {numbers}
PRODUCTVERSION {numbers}
FILEOS 0x40004
FILETYPE {kind}
BEGIN
    BLOCK "StringFileInfo"
    BEGIN
        BLOCK "040904B0"
        BEGIN
            VALUE "FileDescription", "Sends messages through many chat services"
            VALUE "FileVersion", "{version}"
            VALUE "InternalName", "hongyan"
            VALUE "LegalCopyright", "MIT OR Apache-2.0"
            VALUE "OriginalFilename", "{file}"
            VALUE "ProductName", "hongyan"
            VALUE "ProductVersion", "{version}"
        END
    END
    BLOCK "VarFileInfo"
    BEGIN
        VALUE "Translation", 0x409, 0x4B0
    END
END
"#,
        kind = kind as u32
    )
}
