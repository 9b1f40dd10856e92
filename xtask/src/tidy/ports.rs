//! Features never touch a socket, a file or a clock: they work through the ports of `core`, which tests fake.

use super::finding::Finding;
use super::source::Source;
use super::tree::Tree;

const FEATURES: &str = "crates/features/src/";
/// What the standard library offers and a feature leaves alone, as paths.
const OUTSIDE: &[&[&str]] = &[
    &["Instant", "now"],
    &["SystemTime", "now"],
    &["std", "fs"],
    &["std", "thread"],
    &["std", "process"],
    &["std", "net", "TcpStream"],
    &["std", "net", "TcpListener"],
    &["std", "net", "UdpSocket"],
    &["std", "os"],
];

/// Finds such a path in the features' production code.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.sources_in(&[FEATURES]).flat_map(check_source).collect()
}

fn check_source(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, token) in source.tokens.iter().enumerate() {
        let Some(path) = OUTSIDE.iter().find(|path| source.is_path(index, path)) else { continue };
        if !source.is_test_line(token.line) {
            let what = format!("a feature names `{}`", path.join("::"));
            findings.push(Finding::new(
                &source.path,
                token.line,
                what,
                "ask a port of `core` (Fs, Clock, Cpu) instead",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    #[test]
    fn a_feature_asks_a_port() {
        let found = check(&Tree::of(&[
            (
                "crates/features/src/files/mod.rs",
                "use std::net::IpAddr;\nfn a() { Instant::now(); std::fs::read(b) }",
            ),
            ("crates/features/src/log.rs", "#[cfg(test)]\nmod tests { fn a() { std::fs::read(b) } }"),
            ("crates/server/src/clock.rs", "fn a() { Instant::now() }"),
        ]));
        assert_eq!(
            places(&found),
            ["crates/features/src/files/mod.rs:2", "crates/features/src/files/mod.rs:2"]
        );
    }
}
