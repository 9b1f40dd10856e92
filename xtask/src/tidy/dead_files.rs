//! No dead files: what no `mod` leads to is compiled by nobody, and rots unseen.

use super::finding::Finding;
use super::tree::Tree;

/// Finds each Rust file under a package's `src` that its roots do not lead to.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let folders: Vec<String> =
        tree.packages().iter().map(|package| format!("{}/src/", package.folder)).collect();
    let ours = tree.sources().filter(|source| folders.iter().any(|folder| source.path.starts_with(folder)));
    let dead = ours.filter(|source| !tree.is_reached(&source.path));
    let mend = "declare it with `mod` where it belongs, or delete it";
    dead.map(|source| Finding::new(&source.path, 1, "no `mod` leads to this file", mend)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    #[test]
    fn a_file_without_its_mod_is_dead() {
        let found = check(&Tree::of(&[
            ("crates/a/Cargo.toml", "[package]\nname = \"a\""),
            ("crates/a/src/lib.rs", "mod alive;"),
            ("crates/a/src/alive.rs", ""),
            ("crates/a/src/dead.rs", ""),
            ("crates/a/src/bin/tool.rs", ""),
            ("crates/a/tests/data/not_code.rs", ""),
        ]));
        assert_eq!(places(&found), ["crates/a/src/dead.rs:1"]);
    }
}
