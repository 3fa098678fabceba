//! The C toolchain, the library as it was built for this test, and what its header declares.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::target::target;

/// What C and C++ have to be clean under.
pub const STRICT: &[&str] =
    &["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Werror"];
pub const SANITIZERS: &[&str] =
    &["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];

/// The folder of the project.
pub fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).expect("bindings/c is a folder of the project")
}

/// A folder of this name for what a test makes.
pub fn work_dir(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(target().folder()).join(name);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// The flag that finds the committed header.
pub fn include_flag() -> String {
    format!("-I{}", root().join("include").display())
}

/// Where the libraries are under the names that a linker and a loader look for.
pub fn library_dir() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let dir = work_dir("lib");
        drop(fs::remove_dir_all(&dir));
        fs::create_dir_all(&dir).unwrap();
        // Cargo leaves the libraries that a test stands on beside the test itself.
        let test = std::env::current_exe().unwrap();
        let built = target().libraries.as_deref().unwrap_or(test.parent().unwrap());
        let files: &[(&str, &str)] = if target().is_windows() {
            &[
                ("hongyan.dll", "hongyan.dll"),
                ("libhongyan.dll.a", "libhongyan.dll.a"),
                ("libhongyan.a", "libhongyan.a"),
            ]
        } else {
            &[
                ("libhongyan.so", "libhongyan.so"),
                ("libhongyan.so", "libhongyan.so.1"),
                ("libhongyan.a", "libhongyan.a"),
            ]
        };
        for (file, name) in files {
            let file = built.join(file);
            let file = fs::canonicalize(&file)
                .unwrap_or_else(|_| panic!("{} was not built", file.display()));
            symlink(file, dir.join(name)).unwrap();
        }
        dir
    })
}

/// The shared library under the name that programs load.
pub fn shared_object() -> PathBuf {
    let name = if target().is_windows() { "hongyan.dll" } else { "libhongyan.so.1" };
    library_dir().join(name)
}

/// Makes a compile command link against the shared library, and find it at run time.
pub fn link_shared(command: &mut Command, program: &Path) {
    let dir = library_dir();
    command.arg(include_flag());
    if target().is_windows() {
        // All but the library itself is linked in; the loader looks beside the program.
        command.arg(dir.join("libhongyan.dll.a")).args(["-static", "-lws2_32", "-lversion"]);
        // An older one may lead nowhere, and another program may be loading it.
        let fresh = program.with_extension("dll");
        drop(fs::remove_file(&fresh));
        symlink(fs::canonicalize(shared_object()).unwrap(), &fresh).unwrap();
        fs::rename(fresh, program.with_file_name("hongyan.dll")).unwrap();
    } else {
        let dir = dir.display();
        command.args([format!("-L{dir}"), "-lhongyan".to_owned(), format!("-Wl,-rpath,{dir}")]);
    }
    command.arg("-o").arg(program);
}

/// The header without comments and preprocessor lines.
pub fn declarations() -> String {
    let header = fs::read_to_string(root().join("include/hongyan.h")).unwrap();
    let mut code = String::new();
    let mut rest = header.as_str();
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        rest = comment.split_once("*/").expect("comments end").1;
    }
    code.push_str(rest);
    code.lines()
        .map(|line| line.split("//").next().unwrap())
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The names that the header declares as functions.
pub fn functions_of_header() -> BTreeSet<String> {
    let code = declarations();
    let functions: BTreeSet<String> = code
        .split('(')
        .filter_map(|before| before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next())
        .filter(|name| name.starts_with("hy_"))
        .map(str::to_owned)
        .collect();
    assert!(functions.contains("hy_init"), "no functions were found in the header");
    functions
}

/// Runs a tool to its end; a tool that is missing fails the test.
pub fn run(command: &mut Command) -> Output {
    let output = command.output();
    output.unwrap_or_else(|error| missing(&command.get_program().to_string_lossy(), &error))
}

/// What pkg-config tells of a library, as the flags of a compiler that is not to judge its headers.
pub fn flags_of(library: &str) -> Vec<String> {
    let told = stdout_of(Command::new("pkg-config").args(["--cflags", "--libs", library]));
    let flags = told.split_whitespace().map(|flag| match flag.strip_prefix("-I") {
        Some(folder) => format!("-isystem{folder}"),
        None => flag.to_owned(),
    });
    flags.collect()
}

/// Fails the test if there is no such tool.
pub fn require(tool: &str) {
    run(Command::new(tool).arg("--version"));
}

/// Fails the test and says what to install.
pub fn missing(tool: &str, error: &io::Error) -> ! {
    let package = match tool {
        "cc" | "gcc" => "gcc",
        "x86_64-w64-mingw32-gcc" => "gcc-mingw-w64-x86-64-posix",
        "g++" => "g++",
        "clang" | "clang++" => "clang libclang-rt-14-dev",
        "nm" | "readelf" => "binutils",
        "pkg-config" => "pkgconf",
        "timeout" => "coreutils",
        other => other,
    };
    panic!("{tool}: {error}; if it is missing: apt-get install {package}")
}

/// What a command prints, which has to succeed.
pub fn stdout_of(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{}", text_of(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// All that a command printed.
pub fn text_of(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&text).into_owned()
}
