//! Which system we run on is known in two files of the engine, and nowhere else.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::tree::Tree;

const ENGINE: &str = "crates/engine/src/";
/// How many files of the engine may ask.
const FILES: usize = 2;

/// Finds `target_os` outside the engine, and in more than two of its files.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut asking: BTreeMap<&str, usize> = BTreeMap::new();
    for source in tree.sources_in(&["crates/", "examples/"]) {
        for index in source.find_word("target_os") {
            let line = source.tokens[index].line;
            if source.path.starts_with(ENGINE) {
                asking.entry(&source.path).or_insert(line);
            } else {
                let mend = "ask the engine, whose interface is the same on every system";
                findings.push(Finding::new(&source.path, line, "`cfg(target_os)` outside the engine", mend));
            }
        }
    }
    let names: Vec<&str> = asking.keys().copied().collect();
    for (path, line) in asking.iter().skip(FILES) {
        let what = format!("`cfg(target_os)` in more than {FILES} files of the engine: {}", names.join(", "));
        findings.push(Finding::new(path, *line, what, "choose the system where the backends are chosen"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    const ASKS: &str = "//! A file.\n#[cfg(target_os = \"linux\")]\nfn a() {}";

    #[test]
    fn only_the_engine_asks_for_the_system() {
        let found = check(&Tree::of(&[
            ("crates/engine/src/sys/mod.rs", ASKS),
            ("crates/server/src/accept.rs", ASKS),
        ]));
        assert_eq!(places(&found), ["crates/server/src/accept.rs:2"]);
    }

    #[test]
    fn two_files_of_the_engine_may_ask_and_a_third_may_not() {
        let two = [("crates/engine/src/a.rs", ASKS), ("crates/engine/src/b.rs", ASKS)];
        assert!(check(&Tree::of(&two)).is_empty());
        let found = check(&Tree::of(&[two[0], two[1], ("crates/engine/src/c.rs", ASKS)]));
        assert_eq!(places(&found), ["crates/engine/src/c.rs:2"]);
    }
}
