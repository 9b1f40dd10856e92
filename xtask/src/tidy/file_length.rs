//! A file is a thought: about 300 lines, and never more than 800, tests aside.

use super::finding::Finding;
use super::source::Source;
use super::tree::Tree;

const THOUGHT: usize = 300;
const WALL: usize = 800;

/// Measures every file of the crates and of these checks.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.sources_in(&["crates/", "xtask/", "examples/"])
        .filter(|source| !source.is_test)
        .filter_map(measure)
        .collect()
}

fn measure(source: &Source) -> Option<Finding> {
    let length = (1..=source.lines.len()).filter(|&line| !source.is_test_line(line)).count();
    let mend = "split it where it begins a second thought";
    if length > WALL {
        let what = format!("{length} lines beside its tests; the wall is {WALL}");
        Some(Finding::new(&source.path, WALL, what, mend))
    } else if length > THOUGHT {
        let what = format!("{length} lines beside its tests; a thought has about {THOUGHT}");
        Some(Finding::warning(&source.path, THOUGHT, what, mend))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(path: &str, lines: usize, test_lines: usize) -> Vec<bool> {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "// t\n".repeat(test_lines));
        let text = "// a\n".repeat(lines) + &tests;
        check(&Tree::of(&[(path, &text)])).iter().map(|finding| finding.is_warning).collect()
    }

    #[test]
    fn a_file_over_the_wall_fails_and_a_long_one_is_listed() {
        assert_eq!(checked("crates/a/src/a.rs", 300, 0), []);
        assert_eq!(checked("crates/a/src/a.rs", 301, 0), [true]);
        assert_eq!(checked("crates/a/src/a.rs", 800, 0), [true]);
        assert_eq!(checked("crates/a/src/a.rs", 801, 0), [false]);
    }

    #[test]
    fn tests_do_not_count() {
        assert_eq!(checked("crates/a/src/a.rs", 300, 900), []);
        assert_eq!(checked("crates/a/tests/a.rs", 900, 0), []);
    }
}
