//! What the documents point to is there: relative links, and paths in backticks.

use super::finding::Finding;
use super::modules::join;
use super::tree::Tree;

/// A path in backticks that begins so is one of ours.
const OURS: &[&str] = &["crates/", "examples/", "xtask/", "docs/", "bench/", "fuzz/", ".ci/", ".cargo/"];

/// Looks through the documents at the root and in `docs`.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in documents(tree) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut is_code = false;
        for (index, line) in tree.text(path).unwrap_or("").lines().enumerate() {
            is_code ^= line.trim_start().starts_with("```");
            if is_code {
                continue;
            }
            let links = links(line).map(|link| (link, join(folder, link)));
            for (link, target) in links.chain(paths(line).map(|path| (path, path.to_owned()))) {
                if !tree.exists(&target) {
                    let what = format!("points to `{link}`, which is not there");
                    findings.push(Finding::new(path, index + 1, what, "name the file that is meant"));
                }
            }
        }
    }
    findings
}

/// The documents whose words are held to the tree: those at the root, and `docs/`. (Not `CHANGELOG.md`: it tells of
/// what was.)
pub fn documents(tree: &Tree) -> impl Iterator<Item = &str> {
    tree.paths().filter(|path| {
        let is_ours = path.starts_with("docs/") || !path.contains('/');
        is_ours && path.ends_with(".md") && *path != "CHANGELOG.md"
    })
}

/// The targets of `[text](target)` that are relative, without their `#part`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let relative = targets.filter(|target| {
        !target.contains("://") && !target.starts_with(['#', '/']) && !target.starts_with("mailto:")
    });
    relative.filter_map(|target| target.split('#').next()).filter(|target| !target.is_empty())
}

/// The paths of ours in backticks, without a `:line`; patterns like `host*` are words, not paths.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    let spans = line.split('`').skip(1).step_by(2).filter_map(|span| span.split(':').next());
    spans.filter(|span| {
        OURS.iter().any(|start| span.starts_with(start)) && !span.contains(['*', '{', '<', ' ', '$'])
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    const FILES: [(&str, &str); 2] =
        [("crates/a/src/a.rs", "//! A."), ("docs/limits.md", "[a](../crates/a/src/a.rs)\n")];

    fn checked(path: &str, text: &str) -> Vec<String> {
        places(&check(&Tree::of(&[FILES[0], FILES[1], (path, text)])))
    }

    #[test]
    fn a_relative_link_leads_to_a_file_or_a_folder() {
        assert!(
            checked("README.md", "[a](docs/limits.md#head) [b](https://a.b/c) [c](#d) [d](docs)").is_empty()
        );
        assert_eq!(
            checked("README.md", "\n[a](docs/limit.md) and ![b](docs/b.png \"B\")"),
            ["README.md:2", "README.md:2"]
        );
        assert_eq!(checked("docs/a.md", "[a](limits.md) [b](docs/limits.md)"), ["docs/a.md:1"]);
    }

    #[test]
    fn a_path_in_backticks_is_there() {
        assert!(
            checked("ARCHITECTURE.md", "`crates/a/src/a.rs:12`, `crates/a`, `crates/*/src`, `fs::read`")
                .is_empty()
        );
        assert_eq!(checked("ARCHITECTURE.md", "see `crates/a/src/b.rs`"), ["ARCHITECTURE.md:1"]);
    }

    #[test]
    fn code_blocks_and_the_change_log_are_left_alone() {
        assert!(checked("README.md", "```\n[a](b.md)\n```\n").is_empty());
        assert!(checked("CHANGELOG.md", "[a](gone.md)").is_empty());
    }
}
