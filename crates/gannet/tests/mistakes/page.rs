//! The page of the guide that lists all mistakes: made of the programs, and of what is kept of the compiler's words.

use std::fs;
use std::path::{Path, PathBuf};

const BEGINNING: &str = "\
# 11. Mistakes

What the compiler says of the mistakes that are made most often, and the way out. Each links to a program that makes it; beside that is all that the compiler
says of it (`.stderr`). This page is made of them: `GANNET_MISTAKES=write cargo test -p gannet --test mistakes`.

The first line says what is wrong, and the first note what would be right. Lines that begin with `required for` say how the compiler came to ask for that,
and need not be read.

| the compiler says | the mistake, and the way out |
|---|---|
";

/// The page, of these programs.
pub fn page(programs: &[PathBuf]) -> String {
    let rows = programs.iter().map(|program| {
        let source = fs::read_to_string(program).expect("it is there");
        let said = fs::read_to_string(program.with_extension("stderr")).unwrap_or_default();
        format!("| {} | {} |\n", first_error(&said), mistake(program, &source))
    });
    BEGINNING.to_owned() + &rows.collect::<String>()
}

/// What is wrong, as it is said first.
fn first_error(said: &str) -> String {
    let line = said.lines().find(|line| line.starts_with("error")).unwrap_or_default();
    let words = line.split_once(": ").map_or(line, |(_, words)| words);
    words.replace('|', "\\|")
}

/// What a program says of itself; its first sentence leads to it.
fn mistake(program: &Path, source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let text = lines.map(str::trim).collect::<Vec<_>>().join(" ").replace('|', "\\|");
    let (first, rest) = text.split_once(". ").unwrap_or((text.trim_end_matches('.'), ""));
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let link = format!("[{first}.](../../crates/gannet/tests/mistakes/programs/{name})");
    format!("{link} {rest}").trim_end().to_owned()
}
