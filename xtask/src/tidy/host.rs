//! Only the server's host knows Tokio: the rest of the worker is plain code, which the simulator steps by itself.

use super::finding::Finding;
use super::tree::Tree;

const SERVER: &str = "crates/server/src/";

/// Finds the word `tokio` in the server's production code outside `host*`.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.sources_in(&[SERVER]) {
        if source.path[SERVER.len()..].starts_with("host") {
            continue;
        }
        let lines = source.find_word("tokio").map(|index| source.tokens[index].line);
        for line in lines.filter(|&line| !source.is_test_line(line)) {
            let mend = "move it to `crates/server/src/host*`, and let this code be called from there";
            findings.push(Finding::new(&source.path, line, "names `tokio` outside the host", mend));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    #[test]
    fn only_host_files_and_tests_name_tokio() {
        let name = "use tokio::net::TcpStream;\nfn a() { tokio::spawn(b) }\n";
        let tests = "//! No tokio here.\n#[cfg(test)]\nmod tests { use tokio::time; }\n";
        let found = check(&Tree::of(&[
            ("crates/server/src/host.rs", name),
            ("crates/server/src/host/driver.rs", name),
            ("crates/server/src/worker.rs", name),
            ("crates/server/src/link.rs", tests),
            ("crates/server/tests/walk.rs", name),
            ("crates/gannet/src/lib.rs", name),
        ]));
        assert_eq!(places(&found), ["crates/server/src/worker.rs:1", "crates/server/src/worker.rs:2"]);
    }
}
