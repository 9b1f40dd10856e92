//! `cargo xtask tidy`: a rule that no machine checks will rot.
//!
//! Each check is one file with one function from the [`Tree`] to its findings, and a test that shows it fail and pass.
//! A finding says where, what, and how to mend it. Nothing is compiled: the tree is read as text, tokens and TOML.

mod commands;
mod dead_files;
mod default_rows;
pub mod defaults;
mod features;
mod file_length;
mod filter_rows;
mod finding;
mod function_length;
mod host;
mod layers;
mod leftovers;
pub mod limits;
mod links;
mod live_rows;
mod manifest;
mod module_docs;
mod modules;
mod no_std;
mod packages;
mod ports;
mod rustls;
mod sleeping;
mod source;
mod target_os;
pub mod tree;
mod unsafe_code;

use std::path::Path;
use std::process::ExitCode;

use finding::Finding;
use tree::Tree;

/// One rule and the function that holds the tree to it.
struct Check {
    name: &'static str,
    run: fn(&Tree) -> Vec<Finding>,
}

const CHECKS: &[Check] = &[
    Check { name: "readable", run: tree::unreadable },
    Check { name: "layers", run: layers::check },
    Check { name: "architecture-table", run: layers::check_architecture },
    Check { name: "no-std", run: no_std::check },
    Check { name: "host", run: host::check },
    Check { name: "ports", run: ports::check },
    Check { name: "rustls", run: rustls::check },
    Check { name: "unsafe-place", run: unsafe_code::check_place },
    Check { name: "unsafe-forbidden", run: unsafe_code::check_forbid },
    Check { name: "unsafe-reason", run: unsafe_code::check_reason },
    Check { name: "target-os", run: target_os::check },
    Check { name: "file-length", run: file_length::check },
    Check { name: "function-length", run: function_length::check },
    Check { name: "module-docs", run: module_docs::check },
    Check { name: "packages", run: packages::check },
    Check { name: "features", run: features::check },
    Check { name: "dead-files", run: dead_files::check },
    Check { name: "leftovers", run: leftovers::check },
    Check { name: "sleeping", run: sleeping::check },
    Check { name: "commands", run: commands::check },
    Check { name: "limits", run: limits::check },
    Check { name: "defaults", run: defaults::check },
    Check { name: "links", run: links::check },
];

/// Runs every check on the tree at `root`; fails when one found something that must be mended.
pub fn run(root: &Path, arguments: &[String]) -> ExitCode {
    if let Some(argument) = arguments.first() {
        eprintln!("error: tidy takes no arguments, not `{argument}`");
        return ExitCode::from(2);
    }
    let tree = match Tree::read(root) {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("error: the tree at {} cannot be read: {error}", root.display());
            return ExitCode::FAILURE;
        }
    };
    let mut failures = 0;
    for check in CHECKS {
        for finding in (check.run)(&tree) {
            println!("{}", finding.text(check.name));
            failures += usize::from(!finding.is_warning);
        }
    }
    println!("tidy: {} checks over {} files, {failures} to mend", CHECKS.len(), tree.file_count());
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contributors_are_told_of_every_check_and_of_no_other() {
        let tree = Tree::read(&crate::root()).expect("the repository is there");
        let text = tree.text("CONTRIBUTING.md").expect("it is there");
        let (_, table) = text.split_once("## What `cargo xtask tidy` checks").expect("the section is there");
        let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
        let told = rows.flat_map(|row| row.split('|').nth(1).unwrap_or("").split(',')).map(str::trim);
        let mut told: Vec<&str> = told.collect();
        let mut names: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
        told.sort_unstable();
        names.sort_unstable();
        assert_eq!(told, names);
    }
}
