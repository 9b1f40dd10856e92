//! Which files a crate's roots lead to by `mod`, and which of them only through `#[cfg(test)]`.

use std::collections::BTreeMap;

use super::manifest::Package;
use super::source::{Kind, Source};
use super::tree::Tree;

/// Every reached file, and whether it is test code only.
pub fn follow(tree: &Tree) -> BTreeMap<String, bool> {
    let mut reached = BTreeMap::new();
    for package in tree.packages() {
        for (path, is_test) in roots(tree, package) {
            visit(tree, &path, true, is_test, &mut reached);
        }
    }
    reached
}

/// The files Cargo itself begins with (by its conventions and by the manifest).
fn roots(tree: &Tree, package: &Package) -> Vec<(String, bool)> {
    let prefix = if package.folder.is_empty() { String::new() } else { format!("{}/", package.folder) };
    let mut roots: Vec<(String, bool)> = Vec::new();
    for path in tree.paths().filter(|path| path.ends_with(".rs")) {
        if let Some(rest) = path.strip_prefix(prefix.as_str()).and_then(conventional_root) {
            roots.push((path.to_owned(), rest));
        }
    }
    for (kind, is_test) in [("bin", false), ("example", false), ("test", true), ("bench", true)] {
        roots.extend(package.targets(kind, "path").iter().map(|path| (format!("{prefix}{path}"), is_test)));
    }
    let library = package.table.get("lib").and_then(|lib| lib.get("path")).and_then(|path| path.as_str());
    roots.extend(library.map(|path| (format!("{prefix}{path}"), false)));
    roots
}

/// Whether Cargo takes the file, named from the package's folder, for a root; and if so, whether it is a test.
fn conventional_root(path: &str) -> Option<bool> {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["src", "lib.rs" | "main.rs"] | ["build.rs"] => Some(false),
        ["src", "bin", _] | ["src", "bin", _, "main.rs"] | ["examples", _] | ["examples", _, "main.rs"] => {
            Some(false)
        }
        ["tests" | "benches", _] | ["tests" | "benches", _, "main.rs"] => Some(true),
        _ => None,
    }
}

/// Visits a file and what it declares. Code reached both ways is not test code.
fn visit(tree: &Tree, path: &str, owns_folder: bool, is_test: bool, reached: &mut BTreeMap<String, bool>) {
    let Some(source) = tree.source(path) else { return };
    if reached.get(path).is_some_and(|known| !known || is_test) {
        return;
    }
    let is_test = is_test || source.is_test || is_all_test(source);
    reached.insert(path.to_owned(), is_test);
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file.trim_end_matches(".rs");
    let base = if owns_folder || file == "mod.rs" { folder.to_owned() } else { join(folder, stem) };
    for declared in declarations(source) {
        let next_is_test = is_test || source.is_test_line(declared.line);
        if let Some(place) = &declared.path {
            visit(tree, &join(folder, place), true, next_is_test, reached);
            continue;
        }
        let inner = join(&base, &declared.inside.join("/"));
        visit(tree, &join(&inner, &format!("{}.rs", declared.name)), false, next_is_test, reached);
        visit(tree, &join(&inner, &format!("{}/mod.rs", declared.name)), true, next_is_test, reached);
    }
}

/// A file whose inner attribute is `#![cfg(test)]`.
fn is_all_test(source: &Source) -> bool {
    source.attributes().any(|(open, close, inner)| inner && source.is_cfg_test(open, close))
}

/// A `mod name;` (or an `include!`): where it stands and what it names.
struct Declaration {
    name: String,
    /// The inline modules around it.
    inside: Vec<String>,
    /// From `#[path = "..."]` or `include!("...")`.
    path: Option<String>,
    line: usize,
}

fn declarations(source: &Source) -> Vec<Declaration> {
    let mut found = Vec::new();
    let mut inside: Vec<(String, usize)> = Vec::new();
    for index in 0..source.tokens.len() {
        inside.retain(|&(_, close)| index < close);
        let line = source.tokens[index].line;
        if source.word(index) == "include" && source.is_mark(index + 1, '!') {
            let path = literal(source, index + 3);
            found.push(Declaration { name: String::new(), inside: Vec::new(), path, line });
        }
        if source.word(index) != "mod" || source.word(index + 1).is_empty() {
            continue;
        }
        let name = source.word(index + 1).to_owned();
        if let Some(close) = source.opens(index + 2, '{') {
            inside.push((name, close));
        } else if source.is_mark(index + 2, ';') {
            let inside = inside.iter().map(|(name, _)| name.clone()).collect();
            found.push(Declaration { name, inside, path: path_attribute(source, index), line });
        }
    }
    found
}

/// The `#[path = "..."]` of the `mod` at this index.
fn path_attribute(source: &Source, at: usize) -> Option<String> {
    let mut paths = source.attributes().filter(|&(open, close, _)| {
        source.word(open + 1) == "path" && after_attributes(source, close + 1) == at
    });
    paths.next().and_then(|(open, _, _)| literal(source, open + 3))
}

/// Skips further attributes and the visibility, to the item's own keyword.
fn after_attributes(source: &Source, mut index: usize) -> usize {
    while source.is_mark(index, '#') {
        let Some(close) = source.opens(index + 1, '[') else { break };
        index = close + 1;
    }
    if source.word(index) == "pub" {
        index += 1;
        index = source.opens(index, '(').map_or(index, |close| close + 1);
    }
    index
}

/// The string literal at this index, without its quotes.
fn literal(source: &Source, index: usize) -> Option<String> {
    match &source.tokens.get(index)?.kind {
        Kind::Literal(text) => Some(text.trim_matches('"').to_owned()),
        _ => None,
    }
}

/// Joins two names, with `./` and `../` taken out.
pub fn join(folder: &str, name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(files: &[(&str, &str)]) -> Vec<(String, bool)> {
        let mut files = files.to_vec();
        files.push(("crates/a/Cargo.toml", "[package]\nname = \"a\""));
        follow(&Tree::of(&files)).into_iter().collect()
    }

    fn is(path: &str, is_test: bool) -> (String, bool) {
        (path.to_owned(), is_test)
    }

    #[test]
    fn modules_are_found_beside_a_root_and_below_a_module() {
        let found = reached(&[
            ("crates/a/src/lib.rs", "mod b;\npub(crate) mod c;\n"),
            ("crates/a/src/b.rs", "mod inner { mod deep; }"),
            ("crates/a/src/b/inner/deep.rs", ""),
            ("crates/a/src/c/mod.rs", "mod d;"),
            ("crates/a/src/c/d.rs", ""),
            ("crates/a/src/unheard.rs", ""),
        ]);
        let names: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
        let expected = ["b.rs", "b/inner/deep.rs", "c/d.rs", "c/mod.rs", "lib.rs"]
            .map(|name| format!("crates/a/src/{name}"));
        assert_eq!(names, expected);
    }

    #[test]
    fn what_only_a_test_module_leads_to_is_test_code() {
        let found = reached(&[
            ("crates/a/src/lib.rs", "#[cfg(test)]\nmod t;\n#[cfg(test)] mod both;\nmod both;\n"),
            ("crates/a/src/t.rs", "mod deeper;"),
            ("crates/a/src/t/deeper.rs", ""),
            ("crates/a/src/both.rs", ""),
            ("crates/a/tests/whole.rs", ""),
        ]);
        let expected = [
            is("crates/a/src/both.rs", false),
            is("crates/a/src/lib.rs", false),
            is("crates/a/src/t.rs", true),
            is("crates/a/src/t/deeper.rs", true),
            is("crates/a/tests/whole.rs", true),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_path_attribute_and_an_include_lead_on() {
        let found = reached(&[
            (
                "crates/a/src/lib.rs",
                "#[path = \"../shared/b.rs\"]\n#[cfg(unix)]\npub mod b;\ninclude!(\"c.rs\");",
            ),
            ("crates/a/shared/b.rs", ""),
            ("crates/a/src/c.rs", ""),
        ]);
        assert_eq!(found.len(), 3);
    }
}
