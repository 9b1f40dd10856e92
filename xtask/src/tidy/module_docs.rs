//! Each file begins by saying what it promises.

use super::finding::Finding;
use super::tree::Tree;

/// Holds each Rust file to a `//!` before its first code.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let bare = tree.sources().filter(|source| !says_what_it_promises(&source.lines));
    let mend = "begin the file with `//!` and what the module promises";
    bare.map(|source| Finding::new(&source.path, 1, "no module documentation", mend)).collect()
}

/// Whether a `//!` with text comes before everything but blanks and plain comments.
fn says_what_it_promises(lines: &[String]) -> bool {
    let mut above = lines.iter().map(|line| line.trim()).filter(|line| {
        let is_plain = line.starts_with("//") && !line.starts_with("//!");
        !(line.is_empty() || is_plain)
    });
    above.next().and_then(|line| line.strip_prefix("//!")).is_some_and(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_begins_with_its_module_documentation() {
        let checked = |text: &str| check(&Tree::of(&[("crates/a/src/a.rs", text)])).len();
        assert_eq!(checked("//! What it promises.\nfn a() {}"), 0);
        assert_eq!(checked("// Licence.\n\n//! What it promises."), 0);
        assert_eq!(checked("fn a() {}\n"), 1);
        assert_eq!(checked("//!\nfn a() {}\n"), 1);
        assert_eq!(checked("#![no_std]\n//! Late."), 1);
        assert_eq!(checked(""), 1);
    }
}
