//! No two modules of `src` need each other, directly or by way of others: whoever reads one can read what
//! it stands on first.
//!
//! A module and what is inside it are one: a file may use its folder, and the folder the file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

type Modules = BTreeMap<String, String>;
type Uses = BTreeMap<String, BTreeSet<String>>;

/// The sources below a folder by the paths of their modules, without what is for tests only.
fn modules(folder: &Path, prefix: &str, found: &mut Modules) {
    for entry in fs::read_dir(folder).expect("src can be read") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let own = if prefix.is_empty() { name.clone() } else { format!("{prefix}::{name}") };
        match path.is_dir() {
            _ if name == "tests" || own == "lib" => {}
            true => modules(&path, &own, found),
            false => _ = found.insert(own, code(&fs::read_to_string(&path).expect("UTF-8"))),
        }
    }
}

/// A source without its comments and its own tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join(" ")
}

/// Every path of a `use`, whose braces are opened.
fn opened(text: &str) -> Vec<String> {
    let Some((before, inside)) = text.split_once('{') else { return vec![text.trim().to_owned()] };
    let inside = inside.trim_end().strip_suffix('}').unwrap_or(inside);
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for c in inside.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        match c {
            ',' if depth == 0 => parts.push(String::new()),
            c => parts.last_mut().expect("one at least").push(c),
        }
    }
    let before = before.trim();
    parts.iter().flat_map(|part| opened(&format!("{before}{}", part.trim()))).collect()
}

/// The module that a path within `own` leads to.
fn target(own: &str, path: &str, modules: &Modules) -> Option<String> {
    let mut at: Vec<&str> = own.split("::").collect();
    let mut names = path.split("::").peekable();
    match *names.peek()? {
        "crate" => at.clear(),
        "super" => {
            while names.next_if_eq(&"super").is_some() {
                at.pop();
            }
        }
        "self" => {}
        // A path of its own: a module inside it, or another crate.
        _ => {
            let child = names.peek().map(|name| format!("{own}::{name}"));
            modules.get(&child?)?;
        }
    }
    let mut found = None;
    for name in names.filter(|name| !matches!(*name, "crate" | "self")) {
        at.push(name);
        let path = at.join("::");
        match modules.contains_key(&path) {
            true => found = Some(path),
            false => break,
        }
    }
    found
}

/// Which modules each uses, but for those that it lies in and those that lie in it.
fn uses(modules: &Modules) -> Uses {
    let mut uses = Uses::new();
    for (own, code) in modules {
        let imported = code.split("use ").skip(1).filter_map(|rest| rest.split(';').next());
        let named = code.match_indices("::").filter_map(|(at, _)| {
            let begin = ["crate", "super"].iter().find(|word| code[..at].ends_with(**word))?;
            let path = &code[at - begin.len()..];
            let end = path.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':')));
            Some(&path[..end.unwrap_or(path.len())])
        });
        let paths = imported.flat_map(opened).chain(named.map(str::to_owned));
        let found = paths.filter_map(|path| target(own, &path, modules));
        let lies_in =
            |one: &str, other: &str| one == other || one.starts_with(&format!("{other}::"));
        let others = found.filter(|other| !lies_in(own, other) && !lies_in(other, own));
        uses.insert(own.clone(), others.collect());
    }
    uses
}

/// A way from a module back to itself.
fn circle(uses: &Uses) -> Option<Vec<&str>> {
    let (mut done, mut way) = (BTreeSet::new(), Vec::new());
    uses.keys().find_map(|own| visit(own, uses, &mut done, &mut way))
}

fn visit<'a>(
    own: &'a str,
    uses: &'a Uses,
    done: &mut BTreeSet<&'a str>,
    way: &mut Vec<&'a str>,
) -> Option<Vec<&'a str>> {
    if let Some(at) = way.iter().position(|other| *other == own) {
        return Some([&way[at..], &[own]].concat());
    }
    if !done.insert(own) {
        return None;
    }
    way.push(own);
    let found = uses.get(own)?.iter().find_map(|other| visit(other, uses, done, way));
    way.pop();
    found
}

fn of(files: &[(&str, &str)]) -> Uses {
    uses(&files.iter().map(|(own, text)| ((*own).to_owned(), code(text))).collect())
}

#[test]
fn modules_do_not_need_each_other() {
    let mut found = Modules::new();
    modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut found);
    assert!(found.len() > 100, "the sources were not found");
    let uses = uses(&found);
    assert!(uses.values().map(BTreeSet::len).sum::<usize>() > 400, "no import was understood");
    assert_eq!(circle(&uses), None, "these need each other");
}

#[test]
fn a_circle_is_found_however_long_and_however_written() {
    let (a, b) = (("x::a", "use super::b::{self, C};"), ("x::b", "use crate::{x::c::D, y};"));
    let x = ("x", "mod a; pub use a::A;");
    assert_eq!(circle(&of(&[x, a, b, ("x::c", "use std::mem;")])), None);
    for c in
        ["fn f() -> super::a::A {}", "use super::{d::E, a::A};", "use crate::x::{\n  a::{\nA}};"]
    {
        let found = of(&[x, a, b, ("x::c", c), ("x::d", "")]);
        assert_eq!(circle(&found), Some(vec!["x::a", "x::b", "x::c", "x::a"]), "{c}");
    }
    let inside =
        [("x", "mod a; use a::A;"), ("x::a", "use super::B; use super::super::y;"), ("y", "")];
    assert_eq!(circle(&of(&inside)), None, "a file may use its folder");
    let of_tests = [x, a, ("x::b", "#[cfg(test)]\nmod tests {\n use super::super::a::A; }")];
    assert_eq!(circle(&of(&of_tests)), None);
}
