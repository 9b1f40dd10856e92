//! `cargo xtask instructions`: user instructions per request, scenario by scenario, beside the rows kept in the tree.
//!
//! 1. the program of scenarios is built as the server is shipped (`count`);
//! 2. callgrind counts each, twice (`count`);
//! 3. each count is held to its row (`ratchet`), which was counted with a compiler, a C library and a CPU level (`rows`);
//! 4. `--write` makes the counts the rows.

mod count;
mod ratchet;
mod rows;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::command;
use count::Program;
use ratchet::Comparison;
use rows::{Conditions, Rows};

/// Where the rows are.
pub const FILE: &str = "crates/server/benches/instructions.toml";
/// How they are written anew.
const WRITE: &str = "cargo xtask instructions --write";
const NO_VALGRIND: &str = "valgrind is not installed (Debian has it by that name)";

/// How a comparison ended that could not fail on the way.
pub enum Verdict {
    /// All rows hold.
    Holds(String),
    /// They cannot be compared here, and why.
    LeftOut(String),
}

/// What was counted, and with what.
struct Counted {
    conditions: Conditions,
    counts: Vec<(String, f64)>,
}

/// Counts, shows, and with `--write` keeps; fails when a row does not hold.
pub fn run(root: &Path, arguments: &[String]) -> ExitCode {
    let does_write = match arguments {
        [] => false,
        [flag] if flag == "--write" => true,
        _ => {
            eprintln!("error: instructions knows --write, not `{}`", arguments.join(" "));
            return ExitCode::from(2);
        }
    };
    match compare(root, does_write) {
        Ok(code) => code,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn compare(root: &Path, does_write: bool) -> Result<ExitCode, String> {
    if !command::is_there("valgrind") {
        return Err(NO_VALGRIND.to_owned());
    }
    let folder = folder(root);
    let counted = count(root, &folder)?;
    // The first rows have nothing to be compared with.
    let before = if does_write && !root.join(FILE).exists() { Rows::default() } else { read(root)? };
    let comparison = Comparison::new(&before.rows, &counted.counts);
    println!("{comparison}");
    println!("`callgrind_annotate` shows where they go: {}", folder.join("*.out").display());
    if does_write {
        let rows = Rows { conditions: counted.conditions, rows: ratchet::rounded(&counted.counts) };
        fs::write(root.join(FILE), rows.to_string())
            .map_err(|error| format!("{FILE} cannot be written: {error}"))?;
        println!("{FILE} is written");
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(difference) = before.conditions.difference(&counted.conditions) {
        println!("the rows bind nobody here: {difference}");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(match comparison.judge() {
        Ok(advice) => {
            println!("{advice}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    })
}

/// The step of `cargo xtask ci`: counts nothing where the rows bind nobody.
///
/// # Errors
/// When a row does not hold, or cannot be compared although it should.
pub fn check(root: &Path) -> Result<Verdict, String> {
    if !command::is_there("valgrind") {
        return Ok(Verdict::LeftOut(NO_VALGRIND.to_owned()));
    }
    let rows = read(root)?;
    let program = Program::build(root)?;
    if let Some(difference) = rows.conditions.difference(&Conditions::here(root, &program.level)?) {
        return Ok(Verdict::LeftOut(difference));
    }
    let counts = program.count_all(&folder(root))?;
    Comparison::new(&rows.rows, &counts).judge().map(Verdict::Holds)
}

fn count(root: &Path, folder: &Path) -> Result<Counted, String> {
    let program = Program::build(root)?;
    Ok(Counted { conditions: Conditions::here(root, &program.level)?, counts: program.count_all(folder)? })
}

fn read(root: &Path) -> Result<Rows, String> {
    let text = fs::read_to_string(root.join(FILE))
        .map_err(|error| format!("{FILE} cannot be read: {error}; `{WRITE}` makes it"))?;
    Rows::parse(&text).map_err(|why| format!("{FILE}: {why}; `{WRITE}` makes it anew"))
}

/// What callgrind writes is kept there: it says where the instructions go.
fn folder(root: &Path) -> PathBuf {
    crate::target(root).join("instructions")
}
