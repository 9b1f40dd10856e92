//! Every default of the folder server, the proxy and the library's extractors is one row, and `docs/defaults.md` is made from the rows: by `cargo xtask docs`.
//!
//! A row says where its value is (a constant in the source, a limit of a table, a flag), what it is for, what happens beyond it, and which
//! test holds it. The value is read from there, so that the document cannot say another; the test has to exist; and a
//! constant, limit or flag without a row is found.

use super::default_rows::{NOT_DEFAULTS, ROWS, WATCHED};
use super::finding::Finding;
use super::limits;
use super::source::{Kind, Source, Token};
use super::tree::Tree;
use super::{filter_rows, live_rows};

/// What is made.
pub const PATH: &str = "docs/defaults.md";
const FLAGS: &str = "docs/command-line.md";
const MEND: &str = "mend its row in xtask/src/tidy/default_rows.rs";

const HEADING: &str = "# Defaults

Every default of the folder server, of the proxy, of the library's extractors and of the filters that limit, let in and code, what happens beyond it, and the test that holds it. What has a
flag can be set; what is one of the [limits](limits.md) a program that uses the library can set; the rest is as it is, unless its row says otherwise.
Made by `cargo xtask docs` from the source; `cargo xtask tidy` fails when it is not up to date.

| default | value | beyond it, or otherwise | why | test |
|---|---|---|---|---|
";

/// Where a default's value is.
#[derive(Clone, Copy, Debug)]
pub enum From {
    /// A flag of the binary, in the document of its command line.
    Flag,
    /// A row of the tables of limits, which says the rest too.
    Limit,
    /// The constant of this name in this file, and its unit.
    Constant(&'static str, &'static str, &'static str),
    /// It is no number; a test is all that holds it.
    Said(&'static str),
}

/// One default.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What it is called: a flag or a limit by its name.
    pub name: &'static str,
    /// Where its value is.
    pub from: From,
    /// What happens beyond it, or what else can be chosen.
    pub beyond: &'static str,
    /// Why it is as it is.
    pub reason: &'static str,
    /// The function that fails when it is another.
    pub test: &'static str,
}

/// All rows.
fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().chain(filter_rows::ROWS).chain(live_rows::ROWS)
}

/// The text of `docs/defaults.md`; none where there is nothing to take the values from.
pub fn document(tree: &Tree) -> Option<String> {
    let lines: Vec<String> = rows().filter_map(|row| line(tree, row)).collect();
    (!lines.is_empty()).then(|| format!("{HEADING}{}", lines.concat()))
}

fn line(tree: &Tree, row: &Row) -> Option<String> {
    let value = value(tree, row)?;
    let limit = limits::find(tree, row.name).filter(|_| matches!(row.from, From::Limit));
    let (beyond, reason) = match &limit {
        Some(limit) => (limit.beyond.as_str(), limit.reason.as_str()),
        None => (row.beyond, row.reason),
    };
    let name = if row.name.contains(' ') { row.name.to_owned() } else { format!("`{}`", row.name) };
    Some(format!("| {name} | {value} | {beyond} | {reason} | `{}` |\n", row.test))
}

/// Holds the rows to the source, the source to the rows, and the document to both.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some(text) = document(tree) else { return Vec::new() };
    let mut findings = Vec::new();
    for row in rows() {
        if value(tree, row).is_none() {
            findings.push(Finding::new(
                PATH,
                1,
                format!("the default `{}` has no value in the source", row.name),
                MEND,
            ));
        }
        if !tree.sources().any(|source| has_test(source, row.test)) {
            let what = format!("the test `{}` of the default `{}` does not exist", row.test, row.name);
            findings.push(Finding::new(PATH, 1, what, MEND));
        }
    }
    let unknown = without_row(tree).into_iter();
    findings.extend(unknown.map(|(path, line, name)| {
        Finding::new(&path, line, format!("the default `{name}` has no row in {PATH}"), MEND)
    }));
    if tree.text(PATH) != Some(&text) {
        findings.push(Finding::new(PATH, 1, "is not what the source says", "run `cargo xtask docs`"));
    }
    findings
}

fn value(tree: &Tree, row: &Row) -> Option<String> {
    match row.from {
        From::Flag => Some(flags(tree).into_iter().find(|(name, _)| name == row.name)?.1),
        From::Limit => Some(limits::find(tree, row.name)?.default),
        From::Constant(path, name, unit) => constant(tree.source(path)?, name, unit),
        From::Said(value) => Some(value.to_owned()),
    }
}

/// Flags that have a variable, with their defaults, from the table of the command line.
fn flags(tree: &Tree) -> Vec<(String, String)> {
    let rows = tree.text(FLAGS).unwrap_or_default().lines().filter(|line| line.contains("| `GANNET_"));
    let cells = rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>());
    let named = cells.filter_map(|cells| {
        let name = cells.first()?.split('`').rfind(|part| part.starts_with("--"))?;
        Some((name.to_owned(), (*cells.get(3)?).to_owned()))
    });
    named.collect()
}

/// Limits, flags and constants of the watched files that no row speaks of: where, and what.
fn without_row(tree: &Tree) -> Vec<(String, usize, String)> {
    let has_row = |name: &str| rows().any(|row| row.name == name);
    let limits = limits::names(tree).into_iter().map(|name| (limits::PATH.to_owned(), 1, name));
    let flags = flags(tree).into_iter().map(|(name, _)| (FLAGS.to_owned(), 1, name));
    let mut missing: Vec<_> = limits.chain(flags).filter(|(_, _, name)| !has_row(name)).collect();
    for source in
        tree.sources_in(WATCHED).chain(tree.sources_in(live_rows::WATCHED)).filter(|source| !source.is_test)
    {
        for (line, name) in constants(source) {
            let is = |path: &str, other: &str| path == source.path && other == name;
            let known = rows()
                .any(|row| matches!(row.from, From::Constant(path, other, _) if is(path, other)))
                || NOT_DEFAULTS
                    .iter()
                    .chain(filter_rows::NOT_DEFAULTS)
                    .chain(live_rows::NOT_DEFAULTS)
                    .any(|(path, other)| is(path, other));
            if !known {
                missing.push((source.path.clone(), line, name));
            }
        }
    }
    missing
}

/// A file's constants that are numbers, times or words, with their lines.
fn constants(source: &Source) -> Vec<(usize, String)> {
    let is_parameter = |at: usize| at > 0 && source.is_mark(at - 1, '<');
    let named = source.find_word("const").filter(|&at| source.is_mark(at + 2, ':') && !is_parameter(at));
    let simple = named.filter(|&at| {
        let of = if source.is_mark(at + 3, '&') { at + 4 } else { at + 3 };
        ["u64", "usize", "u32", "i32", "Duration"].contains(&source.word(of))
    });
    let lines = simple.map(|at| (source.tokens[at].line, source.word(at + 1).to_owned()));
    lines.filter(|(line, _)| !source.is_test_line(*line)).collect()
}

/// The value of a constant, with its unit: a product of numbers, a time, or a word.
fn constant(source: &Source, name: &str, unit: &str) -> Option<String> {
    let at = source.find_word(name).find(|&at| at > 0 && source.word(at - 1) == "const")?;
    let begin = (at..source.tokens.len()).find(|&at| source.is_mark(at, '='))?;
    let end = (begin..source.tokens.len()).find(|&at| source.is_mark(at, ';'))?;
    let tokens = &source.tokens[begin + 1..end];
    let literals: Vec<&str> = tokens.iter().filter_map(literal).collect();
    if let [text] = literals[..]
        && let Some(text) = text.strip_prefix('"')
    {
        return Some(format!("`{}`", text.trim_end_matches('"')));
    }
    let product = literals
        .iter()
        .try_fold(1, |product, text| Some(product * text.replace('_', "").parse::<u64>().ok()?))?;
    let has = |word: &str| tokens.iter().any(|token| token.kind == Kind::Word(word.to_owned()));
    Some(match () {
        () if has("from_secs") => format!("{product} s"),
        () if has("from_millis") => format!("{product} ms"),
        () if unit == "bytes" => in_bytes(product),
        () => format!("{product} {unit}").trim_end().to_owned(),
    })
}

fn literal(token: &Token) -> Option<&str> {
    match &token.kind {
        Kind::Literal(text) => Some(text),
        _ => None,
    }
}

fn in_bytes(count: u64) -> String {
    match count {
        count if count >= 1 << 20 && count.is_multiple_of(1 << 20) => format!("{} MiB", count >> 20),
        count if count >= 1 << 10 && count.is_multiple_of(1 << 10) => format!("{} KiB", count >> 10),
        count => format!("{count} bytes"),
    }
}

/// Whether a file has a function of this name that a test is, or runs.
fn has_test(source: &Source, name: &str) -> bool {
    let functions = source.find_word("fn").filter(|&at| source.word(at + 1) == name);
    functions.into_iter().any(|at| source.is_test_line(source.tokens[at].line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::parse("crates/a/src/lib.rs", text).expect("it is Rust")
    }

    #[test]
    fn a_constant_s_value_is_read_with_its_unit() {
        let source = source(
            "const A: u64 = 64 * 1024;\nconst B: u64 = 3 * 1024 * 1024;\nconst C: Duration = Duration::from_secs(1);\n\
             const D: usize = 100_000;\nconst E: &str = \"max-age=600\";\nconst F: u64 = 80;\nconst G: u64 = A + b();\n",
        );
        let value = |name, unit| constant(&source, name, unit);
        assert_eq!(value("A", "bytes").as_deref(), Some("64 KiB"));
        assert_eq!(value("B", "bytes").as_deref(), Some("3 MiB"));
        assert_eq!(value("C", "").as_deref(), Some("1 s"));
        assert_eq!(value("D", "entries").as_deref(), Some("100000 entries"));
        assert_eq!(value("E", "").as_deref(), Some("`max-age=600`"));
        assert_eq!(value("F", "bytes").as_deref(), Some("80 bytes"));
        assert_eq!(value("Z", "bytes"), None);
    }

    #[test]
    fn constants_are_found_but_for_those_of_tests() {
        let source = source(
            "const A: u64 = 1;\npub(super) const B: Duration = X;\nconst C: Other = X;\nconst fn d() {}\nfn e<const N: usize>() {}\n\
             #[cfg(test)]\nmod tests { const E: u64 = 1; }\n",
        );
        assert_eq!(constants(&source), [(1, "A".to_owned()), (2, "B".to_owned())]);
    }

    #[test]
    fn only_a_function_in_test_code_is_a_test() {
        let source = source("fn a() {}\n#[cfg(test)]\nmod tests { #[test] fn b() {} }\n");
        assert!(has_test(&source, "b") && !has_test(&source, "a") && !has_test(&source, "c"));
    }

    #[test]
    fn a_flag_s_default_is_the_last_cell_of_its_row() {
        let text = "| flag | variable | takes | default |\n| `-q`, `--quiet` | `GANNET_QUIET` | nothing | `false` |\n";
        let tree = Tree::of(&[(FLAGS, text)]);
        assert_eq!(flags(&tree), [("--quiet".to_owned(), "`false`".to_owned())]);
        assert!(without_row(&Tree::of(&[(FLAGS, &text.replace("--quiet", "--none"))])).len() == 1);
    }
}
