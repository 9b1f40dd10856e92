//! `proto` and `router` are `no_std`: the compiler itself then proves that they know no socket, clock or thread.

use super::finding::Finding;
use super::tree::Tree;

const PURE: &[&str] = &["crates/proto", "crates/router"];

/// Looks for the attribute in both crates' roots.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let roots = PURE.iter().filter_map(|folder| tree.source(&format!("{folder}/src/lib.rs")));
    let impure = roots.filter(|source| !source.has_inner_attribute("no_std", ""));
    let mend =
        "begin the crate with `#![no_std]` (and `extern crate alloc`); pass in what it needs from outside";
    impure.map(|source| Finding::new(&source.path, 1, "the crate is not `#![no_std]`", mend)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pure_crate_says_no_std_itself() {
        let checked = |text: &str| check(&Tree::of(&[("crates/proto/src/lib.rs", text)])).len();
        assert_eq!(checked("//! Protocols.\n#![no_std]\nextern crate alloc;"), 0);
        assert_eq!(checked("//! #![no_std]\n"), 1);
        // Under `cfg_attr(not(test))` the tests would compile what the crate itself could not.
        assert_eq!(checked("#![cfg_attr(not(test), no_std)]"), 1);
        assert_eq!(check(&Tree::of(&[("crates/core/src/lib.rs", "")])).len(), 0);
    }
}
