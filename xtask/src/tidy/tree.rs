//! The repository's files, read once: text, Rust tokens, manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{fs, io};

use super::finding::Finding;
use super::manifest::Package;
use super::modules;
use super::source::Source;

/// Folders that hold no file of ours.
const SKIPPED: &[&str] = &[".git", "target", "node_modules"];
/// Files whose text some check reads; of all others only the name is known.
const READ: &[&str] = &["rs", "toml", "md", "html"];

/// The tree that the checks look at.
#[derive(Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, String>,
    sources: BTreeMap<String, Source>,
    packages: Vec<Package>,
    reached: BTreeSet<String>,
    unreadable: Vec<Finding>,
}

impl Tree {
    /// Reads the tree at `root`.
    pub fn read(root: &Path) -> io::Result<Tree> {
        let mut files = BTreeMap::new();
        read_folder(root, "", &mut files)?;
        Ok(Tree::from_map(files))
    }

    /// A small tree in memory, for tests: (path, text) each.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Tree {
        Tree::from_map(files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect())
    }

    fn from_map(files: BTreeMap<String, String>) -> Tree {
        let mut tree = Tree::default();
        for (path, text) in &files {
            if path.ends_with(".rs") {
                match Source::parse(path, text) {
                    Ok(source) => drop(tree.sources.insert(path.clone(), source)),
                    Err((line, why)) => tree.unreadable.push(not_read(path, line, &why)),
                }
            } else if path == "Cargo.toml" || path.ends_with("/Cargo.toml") {
                match Package::parse(path, text) {
                    Ok(Some(package)) => tree.packages.push(package),
                    Ok(None) => {}
                    Err(why) => tree.unreadable.push(not_read(path, 1, &why)),
                }
            }
        }
        tree.files = files;
        tree.follow_modules();
        tree
    }

    /// Marks what is reached by `mod`, and what of it is test code only.
    fn follow_modules(&mut self) {
        let reached = modules::follow(self);
        for (path, is_test) in &reached {
            if let Some(source) = self.sources.get_mut(path) {
                source.is_test |= *is_test;
            }
        }
        self.reached = reached.into_keys().collect();
    }

    /// Whether a file or a folder of this name is there.
    pub fn exists(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let folder = format!("{path}/");
        path.is_empty()
            || self.files.contains_key(path)
            || self.files.range(folder.clone()..).next().is_some_and(|(name, _)| name.starts_with(&folder))
    }

    /// The text of a file, if it is there (and of a kind that is read).
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The names of all files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// How many files the tree has.
    pub fn file_count(&self) -> usize {
        self.files.len()
    }

    /// Every Rust file.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.values()
    }

    /// Every Rust file below one of these folders.
    pub fn sources_in<'a>(&'a self, folders: &'a [&'a str]) -> impl Iterator<Item = &'a Source> {
        self.sources().filter(move |source| folders.iter().any(|folder| source.path.starts_with(folder)))
    }

    /// One Rust file.
    pub fn source(&self, path: &str) -> Option<&Source> {
        self.sources.get(path)
    }

    /// Every package, of whatever workspace.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// Whether a crate root leads to this file by `mod`.
    pub fn is_reached(&self, path: &str) -> bool {
        self.reached.contains(path)
    }
}

/// The check that every file can be read at all: the others know nothing of what could not.
pub fn unreadable(tree: &Tree) -> Vec<Finding> {
    tree.unreadable.clone()
}

fn not_read(path: &str, line: usize, why: &str) -> Finding {
    Finding::new(path, line, format!("cannot be read: {why}"), "make it compile first")
}

fn read_folder(folder: &Path, name: &str, files: &mut BTreeMap<String, String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(own) = entry.file_name().into_string() else { continue };
        let path = if name.is_empty() { own.clone() } else { format!("{name}/{own}") };
        // The type is the entry's own: a link is a name, never followed, so that no ring of links is walked.
        if entry.file_type()?.is_dir() {
            if !SKIPPED.contains(&own.as_str()) {
                read_folder(&entry.path(), &path, files)?;
            }
        } else {
            let is_read = own.rsplit_once('.').is_some_and(|(_, ending)| READ.contains(&ending));
            let text =
                if is_read { fs::read_to_string(entry.path()).unwrap_or_default() } else { String::new() };
            files.insert(path, text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_exist_as_well_as_files() {
        let tree = Tree::of(&[("examples/site/index.html", "x"), ("examples/site-map.md", "")]);
        assert!(tree.exists("examples/site"));
        assert!(tree.exists("examples/site/"));
        assert!(tree.exists("examples/site/index.html"));
        assert!(!tree.exists("examples/sit"));
        assert!(!tree.exists("examples/site/other"));
    }

    #[test]
    fn a_file_that_is_not_rust_and_a_manifest_that_is_not_toml_are_found() {
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", "fn a() {"),
            ("crates/a/Cargo.toml", "[package"),
            ("b.rs", "//! b"),
        ]);
        let found = unreadable(&tree);
        assert_eq!(super::super::finding::places(&found), ["crates/a/Cargo.toml:1", "crates/a/src/lib.rs:1"]);
    }

    #[test]
    fn this_repository_can_be_read() {
        let tree = Tree::read(&crate::root()).expect("the repository is there");
        assert!(tree.source("xtask/src/main.rs").is_some());
        assert!(tree.is_reached("xtask/src/tidy/tree.rs"));
        assert!(tree.packages().iter().any(|package| package.name == "xtask"));
    }
}
