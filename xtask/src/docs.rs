//! `cargo xtask docs`: the documents that are made from one definition in the source.

use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

use crate::tidy::limits;
use crate::tidy::tree::Tree;

/// Writes `docs/limits.md`.
pub fn run(root: &Path, arguments: &[String]) -> ExitCode {
    if let Some(argument) = arguments.first() {
        eprintln!("error: docs takes no arguments, not `{argument}`");
        return ExitCode::from(2);
    }
    match write(root) {
        Ok(true) => println!("docs: wrote {}", limits::PATH),
        Ok(false) => println!("docs: no crate has limits, nothing to write"),
        Err(error) => {
            eprintln!("error: {} cannot be written: {error}", limits::PATH);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn write(root: &Path) -> io::Result<bool> {
    let Some(text) = limits::document(&Tree::read(root)?) else { return Ok(false) };
    fs::create_dir_all(root.join("docs"))?;
    fs::write(root.join(limits::PATH), text)?;
    Ok(true)
}
