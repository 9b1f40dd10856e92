//! `cargo xtask docs`: the documents that are made from one definition in the source.

use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

use crate::tidy::tree::Tree;
use crate::tidy::{defaults, limits};

/// What is made of the tree; none where it has nothing to make it from.
type Make = fn(&Tree) -> Option<String>;

const DOCUMENTS: [(&str, Make); 2] = [(limits::PATH, limits::document), (defaults::PATH, defaults::document)];

/// Writes every document that is made from the source.
pub fn run(root: &Path, arguments: &[String]) -> ExitCode {
    if let Some(argument) = arguments.first() {
        eprintln!("error: docs takes no arguments, not `{argument}`");
        return ExitCode::from(2);
    }
    match write(root) {
        Ok(paths) if paths.is_empty() => println!("docs: the source has nothing to write of"),
        Ok(paths) => println!("docs: wrote {}", paths.join(", ")),
        Err(error) => {
            eprintln!("error: the documents cannot be written: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn write(root: &Path) -> io::Result<Vec<&'static str>> {
    let tree = Tree::read(root)?;
    let mut written = Vec::new();
    for (path, make) in DOCUMENTS {
        if let Some(text) = make(&tree) {
            fs::create_dir_all(root.join("docs"))?;
            fs::write(root.join(path), text)?;
            written.push(path);
        }
    }
    Ok(written)
}
