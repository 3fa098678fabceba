//! What `make install` puts in place, as projects elsewhere find it: by pkg-config and by CMake.

#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "the tests of a target use more of it")]
#[path = "support/target.rs"]
mod target;
#[allow(dead_code, reason = "the tests of the ABI use more of it")]
#[path = "support/toolchain.rs"]
mod toolchain;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hongyan_sandbox::{Options, Sandbox};
use toolchain::{functions_of_header, library_dir, root, run, stdout_of, text_of, work_dir};

/// A folder that holds an installation, and nothing else.
struct Installed {
    prefix: PathBuf,
    libdir: PathBuf,
}

impl Installed {
    /// Installs what was built for the tests.
    fn at(name: &str, libdir: &str) -> Installed {
        let prefix = work_dir("installed").join(name);
        drop(fs::remove_dir_all(&prefix));
        let installed = Installed { libdir: prefix.join(libdir), prefix };
        let output = run(installed.script().env("BUILT", library_dir()));
        assert!(output.status.success(), "{}", text_of(&output));
        installed
    }

    fn script(&self) -> Command {
        let mut command = Command::new(root().join("tools/install.sh"));
        command.env("PREFIX", &self.prefix).env("LIBDIR", &self.libdir).env("DESTDIR", "");
        command
    }

    /// What pkg-config says of it, in words.
    fn flags(&self, what: &[&str]) -> Vec<String> {
        let mut command = Command::new("pkg-config");
        command.env("PKG_CONFIG_PATH", self.libdir.join("pkgconfig")).args(what);
        stdout_of(&mut command).split_whitespace().map(str::to_owned).collect()
    }

    fn files(&self) -> Vec<PathBuf> {
        let (mut files, mut folders) = (Vec::new(), vec![self.prefix.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => files.push(path.strip_prefix(&self.prefix).unwrap().to_owned()),
                }
            }
        }
        files.sort();
        files
    }
}

fn says_hello(program: &Path, installed: &Installed) {
    let sandbox = Sandbox::start(Options::default()).unwrap();
    let config = program.with_extension("json");
    fs::write(&config, sandbox.config().to_string()).unwrap();
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "600"]).arg(program).arg(config);
    let output = run(command.env("LD_LIBRARY_PATH", &installed.libdir));
    assert_eq!(output.status.code(), Some(0), "{}: {}", program.display(), text_of(&output));
    assert_eq!(sandbox.messages().len(), 1);
}

/// True if the program asks the loader for the library.
fn is_shared(program: &Path) -> bool {
    stdout_of(Command::new("readelf").arg("-dW").arg(program)).contains("[libhongyan.so.1]")
}

#[test]
fn pkg_config_links_shared_and_static() {
    let installed = Installed::at("pkg-config", "lib");
    let folder = work_dir("installed-pkg-config");
    let (c, cpp) = (root().join("examples/c/hello.c"), root().join("examples/cpp/hello.cpp"));
    // What is asked for, what the compiler is told besides, and whether the library is shared then.
    let ways: [(&str, &[&str], &[&str], bool); 3] = [
        ("shared", &["--cflags", "--libs", "hongyan"], &[], true),
        ("archive", &["--cflags", "--libs", "hongyan-static"], &[], false),
        ("all-static", &["--static", "--cflags", "--libs", "hongyan"], &["-static"], false),
    ];
    for (name, what, more, shared) in ways {
        for (compiler, standard, source) in [("cc", "-std=c99", &c), ("c++", "-std=c++17", &cpp)] {
            let program = folder.join(format!("{name}-{compiler}"));
            let mut command = Command::new(compiler);
            command.arg(standard).args(more).arg(source).args(installed.flags(what));
            let output = run(command.arg("-o").arg(&program));
            assert!(output.status.success(), "{name} {compiler}: {}", text_of(&output));
            assert_eq!(is_shared(&program), shared, "{name} {compiler}");
            says_hello(&program, &installed);
        }
    }
    let version = installed.flags(&["--modversion", "hongyan", "hongyan-static"]);
    assert_eq!(version, [env!("CARGO_PKG_VERSION"); 2]);
}

/// The CMake that the tests' set-up has installed.
fn cmake() -> Command {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let own = target.join("cmake/bin/cmake");
    assert!(own.exists(), "{} is missing: tools/cmake-env installs it", own.display());
    Command::new(own)
}

const PROJECT: &str = r#"cmake_minimum_required(VERSION 3.13)
project(outside C CXX)
find_package(hongyan @ASKED@ REQUIRED)
find_package(hongyan REQUIRED)
add_executable(shared-c hello.c)
target_link_libraries(shared-c PRIVATE hongyan::hongyan)
add_executable(static-c hello.c)
target_link_libraries(static-c PRIVATE hongyan::static)
add_executable(shared-cpp hello.cpp)
target_link_libraries(shared-cpp PRIVATE hongyan::hongyan)
add_executable(static-cpp hello.cpp)
target_link_libraries(static-cpp PRIVATE hongyan::static)
set_target_properties(shared-cpp static-cpp PROPERTIES CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON)
"#;

/// Configures a project elsewhere that asks for this version; where it is, and what CMake said.
fn configure(found: &Path, name: &str, asked: &str) -> (PathBuf, bool, String) {
    let folder = work_dir("installed-cmake").join(name);
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("CMakeLists.txt"), PROJECT.replace("@ASKED@", asked)).unwrap();
    fs::copy(root().join("examples/c/hello.c"), folder.join("hello.c")).unwrap();
    fs::copy(root().join("examples/cpp/hello.cpp"), folder.join("hello.cpp")).unwrap();
    let build = folder.join("build");
    let mut command = cmake();
    command.arg("-S").arg(&folder).arg("-B").arg(&build);
    let output = run(command.arg(format!("-DCMAKE_PREFIX_PATH={}", found.display())));
    // It breaks the lines of what it says.
    let said = text_of(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    (build, output.status.success(), said)
}

#[test]
fn cmake_finds_both_libraries_also_where_they_were_moved_to() {
    let Installed { prefix, .. } = Installed::at("cmake", "lib/deep/down");
    let moved = prefix.with_file_name("cmake-moved");
    drop(fs::remove_dir_all(&moved));
    fs::rename(prefix, &moved).unwrap();
    let installed = Installed { libdir: moved.join("lib/deep/down"), prefix: moved };
    // CMake looks into lib by itself, and no deeper.
    let found = installed.libdir.join("cmake/hongyan");
    let (build, done, said) = configure(&found, "moved", env!("CARGO_PKG_VERSION"));
    assert!(done, "{said}");
    let output = run(cmake().arg("--build").arg(&build));
    assert!(output.status.success(), "{}", text_of(&output));
    for (name, shared) in
        [("shared-c", true), ("static-c", false), ("shared-cpp", true), ("static-cpp", false)]
    {
        assert_eq!(is_shared(&build.join(name)), shared, "{name}");
        says_hello(&build.join(name), &installed);
    }
}

#[test]
fn cmake_is_given_an_older_version_and_no_newer_one() {
    let installed = Installed::at("cmake-versions", "lib");
    for (name, asked, right) in [
        ("older", "0.0.9", true),
        ("exact", concat!(env!("CARGO_PKG_VERSION"), " EXACT"), true),
        ("range", "0.0.1...<9", true),
        ("newer", "9.0", false),
        ("below", "0.0.1...<0.0.9", false),
    ] {
        let (_, done, said) = configure(&installed.prefix, name, asked);
        assert_eq!(done, right, "{name}: {said}");
        assert!(right || said.contains("hongyan"), "{said}");
    }
    fs::remove_file(installed.libdir.join("libhongyan.a")).unwrap();
    let (_, done, said) = configure(&installed.prefix, "broken", "");
    assert!(!done && said.contains("libhongyan.a is missing"), "{said}");
}

#[test]
fn each_function_has_its_page_and_uninstall_leaves_nothing() {
    let installed = Installed::at("pages", "lib64");
    let pages = installed.prefix.join("share/man/man3");
    for function in functions_of_header() {
        let page = fs::read_to_string(pages.join(format!("{function}.3"))).unwrap();
        for part in [".SH NAME", ".SH SYNOPSIS", &format!("{function}("), ".SH DESCRIPTION"] {
            assert!(page.contains(part), "{function}: no {part}");
        }
    }
    assert_eq!(fs::read_dir(&pages).unwrap().count(), functions_of_header().len() + 1);
    for page in fs::read_dir(&pages).unwrap() {
        let page = page.unwrap().path();
        let output = run(Command::new("groff").args(["-man", "-Tutf8", "-ww", "-z"]).arg(&page));
        assert!(output.status.success(), "{}: {}", page.display(), text_of(&output));
        assert_eq!(text_of(&output), "", "{}", page.display());
    }
    let other = installed.prefix.join("include/other.h");
    fs::write(&other, "").unwrap();
    let output = run(installed.script().arg("uninstall"));
    assert!(output.status.success(), "{}", text_of(&output));
    assert_eq!(installed.files(), [PathBuf::from("include/other.h")]);
    fs::remove_file(other).unwrap();
    assert!(run(installed.script().arg("uninstall")).status.success());
    assert_eq!(fs::read_dir(&installed.prefix).unwrap().count(), 0);
}
