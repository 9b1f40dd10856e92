//! No test sleeps: one that waits for time is slow when it passes and flaky when it does not.

use super::finding::Finding;
use super::source::Source;
use super::tree::Tree;

/// Where a test may await Tokio's paused clock, when it says so: where there is the simulator, or `#[gannet::test]`.
const VIRTUAL: &[&str] = &["crates/server/", "crates/features/", "crates/gannet/", "examples/"];
/// The words by which it says so, on the line or right above.
const SAYS: &str = "// virtual time";
const SLEEPS: &[&str] = &["sleep", "sleep_until", "sleep_ms"];

/// Looks through all test code.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.sources().flat_map(check_source).collect()
}

fn check_source(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, token) in source.tokens.iter().enumerate() {
        let clock = source.word(index);
        let sleeps = matches!(clock, "thread" | "time") && names_sleep(source, index + 1);
        if !sleeps || !source.is_test_line(token.line) {
            continue;
        }
        let may_be = clock == "time" && VIRTUAL.iter().any(|folder| source.path.starts_with(folder));
        let is_virtual = may_be && says_virtual(source, token.line);
        if !is_virtual {
            let mend = "wait for the event itself (a channel, a joined thread, a read); on a clock that is paused \
                        write `// virtual time` beside it";
            findings.push(Finding::new(
                &source.path,
                token.line,
                format!("a test sleeps by `{clock}::`"),
                mend,
            ));
        }
    }
    findings
}

/// Whether `::sleep` follows, or `::{..., sleep, ...}`.
fn names_sleep(source: &Source, index: usize) -> bool {
    if !(source.is_mark(index, ':') && source.is_mark(index + 1, ':')) {
        return false;
    }
    let end = source.opens(index + 2, '{').unwrap_or(index + 3);
    (index + 2..end).any(|at| SLEEPS.contains(&source.word(at)))
}

fn says_virtual(source: &Source, line: usize) -> bool {
    source.lines[line.saturating_sub(2)..line].iter().any(|text| text.contains(SAYS))
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    #[test]
    fn a_test_does_not_sleep_and_other_code_may() {
        let sleeps = "fn a() { std::thread::sleep(b) }\nuse tokio::time::{Duration, sleep};\nuse std::time::Duration;\n";
        let found = check(&Tree::of(&[("crates/a/tests/a.rs", sleeps), ("crates/a/src/a.rs", sleeps)]));
        assert_eq!(places(&found), ["crates/a/tests/a.rs:1", "crates/a/tests/a.rs:2"]);
    }

    #[test]
    fn tests_may_await_a_paused_clock_where_there_is_one_when_they_say_so() {
        let said = "fn a() {\n    // virtual time\n    tokio::time::sleep(b);\n    tokio::time::sleep(b); // virtual time\n}";
        let thread = "fn a() { thread::sleep(b); } // virtual time";
        let found = check(&Tree::of(&[
            ("crates/server/tests/a.rs", said),
            ("crates/server/tests/b.rs", thread),
            ("crates/core/tests/c.rs", "use tokio::time::sleep; // virtual time"),
            ("crates/server/tests/d.rs", "use tokio::time::sleep;"),
        ]));
        assert_eq!(
            places(&found),
            ["crates/core/tests/c.rs:1", "crates/server/tests/b.rs:1", "crates/server/tests/d.rs:1"]
        );
    }
}
