//! One folder knows rustls: what does TLS can be changed there, and its types are nobody else's.

use super::finding::Finding;
use super::tree::Tree;

const FOLDER: &str = "crates/link/src/tls/";

/// Finds the word `rustls` in production code elsewhere.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.sources_in(&["crates/"]) {
        if source.path.starts_with(FOLDER) || !source.path.contains("/src/") {
            continue;
        }
        let lines = source.find_word("rustls").map(|index| source.tokens[index].line);
        for line in lines.filter(|&line| !source.is_test_line(line)) {
            let mend = "move it to `crates/link/src/tls`, and say what is wanted in words of `gannet-link`";
            findings.push(Finding::new(&source.path, line, "names `rustls`", mend));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    #[test]
    fn only_the_folder_and_tests_name_rustls() {
        let name = "use rustls::ServerConfig;\n";
        let tests = "//! No rustls here.\n#[cfg(test)]\nmod tests { use rustls::ClientConfig; }\n";
        let found = check(&Tree::of(&[
            ("crates/link/src/tls/session.rs", name),
            ("crates/link/src/pem.rs", name),
            ("crates/server/src/tls.rs", name),
            ("crates/server/src/link.rs", tests),
            ("crates/link/tests/session.rs", name),
        ]));
        assert_eq!(places(&found), ["crates/link/src/pem.rs:1", "crates/server/src/tls.rs:1"]);
    }
}
