//! Unsafe code has an address, and every block says why it is sound.

use super::finding::Finding;
use super::source::Source;
use super::tree::Tree;

/// Where unsafe code lives.
const PLACES: &[&str] = &["crates/engine/src/sys/", "crates/proto/src/scan/"];
/// The crates those places are in: they cannot forbid it as a whole.
const EXEMPT: &[&str] = &["crates/engine/", "crates/proto/"];

/// Finds `unsafe` elsewhere. A test that counts allocations needs it for its `GlobalAlloc`, and says that word.
pub fn check_place(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.sources_in(&["crates/", "xtask/", "examples/"]) {
        let counts = source.path.contains("/tests/") && source.find_word("GlobalAlloc").next().is_some();
        if counts || PLACES.iter().any(|place| source.path.starts_with(place)) {
            continue;
        }
        for index in source.find_word("unsafe") {
            let mend = format!("use a safe interface, or move it to one of {}", PLACES.join(", "));
            findings.push(Finding::new(
                &source.path,
                source.tokens[index].line,
                "`unsafe` out of its place",
                mend,
            ));
        }
    }
    findings
}

/// Holds every other crate's roots to `#![forbid(unsafe_code)]`.
pub fn check_forbid(tree: &Tree) -> Vec<Finding> {
    let sources = tree.sources_in(&["crates/", "xtask/"]);
    let roots = sources
        .filter(|source| source.path.ends_with("/src/lib.rs") || source.path.ends_with("/src/main.rs"));
    let free = roots.filter(|source| {
        !EXEMPT.iter().any(|place| source.path.starts_with(place))
            && !source.has_inner_attribute("forbid", "unsafe_code")
    });
    let what = "the crate does not forbid unsafe code";
    free.map(|source| Finding::new(&source.path, 1, what, "begin it with `#![forbid(unsafe_code)]`"))
        .collect()
}

/// Holds every unsafe block and unsafe impl, wherever it is, to its `// SAFETY:`.
pub fn check_reason(tree: &Tree) -> Vec<Finding> {
    tree.sources().flat_map(check_reasons_of).collect()
}

fn check_reasons_of(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for index in source.find_word("unsafe") {
        let is_block = source.opens(index + 1, '{').is_some() || source.word(index + 1) == "impl";
        let line = source.tokens[index].line;
        if is_block && !has_reason(source, line) {
            let mend = "write `// SAFETY: ...` right above: which promise of the callee holds here, and why";
            findings.push(Finding::new(&source.path, line, "an unsafe block without its reason", mend));
        }
    }
    findings
}

/// Whether a comment above says `SAFETY:`. Between may stand attributes and the lines of a statement broken before
/// the block (`let head =`), few of them: a reason far away is not read with what it is the reason of.
fn has_reason(source: &Source, line: usize) -> bool {
    let mut broken = 0;
    for above in source.lines[..line - 1].iter().rev().map(|line| line.trim()) {
        if above.starts_with("//") {
            if above.contains("SAFETY:") {
                return true;
            }
        } else if !above.starts_with("#[") {
            broken += 1;
            if broken > 2 || above.is_empty() || above.ends_with([';', '{', '}', ',']) {
                return false;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    #[test]
    fn unsafe_code_lives_in_its_places_and_in_allocation_counting_tests() {
        let code = "fn a() { unsafe { b() } }";
        let found = check_place(&Tree::of(&[
            ("crates/engine/src/sys/epoll.rs", code),
            ("crates/proto/src/scan/avx2.rs", code),
            ("crates/proto/src/scan.rs", code),
            ("crates/server/tests/allocations.rs", "unsafe impl GlobalAlloc for Counting {}"),
            ("crates/server/tests/walk.rs", code),
            ("crates/server/src/word.rs", "// unsafe\nconst A: &str = \"unsafe\";"),
        ]));
        assert_eq!(places(&found), ["crates/proto/src/scan.rs:1", "crates/server/tests/walk.rs:1"]);
    }

    #[test]
    fn every_other_crate_forbids_it() {
        let found = check_forbid(&Tree::of(&[
            ("crates/core/src/lib.rs", "//! Core.\n#![forbid(unsafe_code)]"),
            ("crates/cli/src/main.rs", "//! Binary.\nfn main() {}"),
            ("crates/engine/src/lib.rs", "//! Engine."),
        ]));
        assert_eq!(places(&found), ["crates/cli/src/main.rs:1"]);
    }

    #[test]
    fn a_block_and_an_impl_say_why_they_are_sound() {
        let count = |text: &str| check_reason(&Tree::of(&[("crates/engine/src/sys/a.rs", text)])).len();
        assert_eq!(count("fn a() {\n    // SAFETY: b has no condition.\n    unsafe { b() }\n}"), 0);
        assert_eq!(
            count("fn a() {\n    // SAFETY: it is\n    // long.\n    let c =\n        unsafe { b() };\n}"),
            0
        );
        assert_eq!(count("// SAFETY: plain data.\n#[cfg(unix)]\nunsafe impl Send for A {}"), 0);
        assert_eq!(count("fn a() {\n    unsafe { b() }\n}"), 1);
        assert_eq!(count("// SAFETY: of another.\nfn a() {\n    let c = 1;\n    unsafe { b() }\n}"), 1);
        assert_eq!(count("unsafe impl Send for A {}"), 1);
        assert_eq!(count("/// # Safety\n/// Call it once.\nunsafe fn a() {}"), 0);
    }
}
