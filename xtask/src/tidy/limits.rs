//! Every limit is one row, and `docs/limits.md` is made from the rows: by `cargo xtask docs`, never by hand.
//!
//! The rows are read from the source, like everything here: those of HTTP/1.1, HTTP/2 and WebSocket from their tables of limits, errors and codes, the
//! server's and those of the PROXY protocol from their `TABLE`.

use super::finding::Finding;
use super::source::{Kind, Source, Token};
use super::tree::Tree;

/// What is made.
pub const PATH: &str = "docs/limits.md";
const PROTOCOL: &str = "crates/proto/src/limits.rs";
const ERRORS: &str = "crates/proto/src/h1/error.rs";
const STATUSES: &str = "crates/proto/src/http/status.rs";
const SERVER: &str = "crates/server/src/limits.rs";
const H2: &str = "crates/proto/src/h2/limits.rs";
const H2_ERRORS: &str = "crates/proto/src/h2/error.rs";
const H2_REFUSALS: &str = "crates/proto/src/h2/refusal.rs";
const PROXY: &str = "crates/proto/src/proxy/limits.rs";
const WEBSOCKET: &str = "crates/proto/src/ws/limits.rs";
const WEBSOCKET_ERRORS: &str = "crates/proto/src/ws/error.rs";
const WEBSOCKET_CODES: &str = "crates/proto/src/ws/close.rs";

const HEADING: &str = "# Limits

What a peer may ask, and what happens when it asks for more. Each default is safe without reading this.
Made by `cargo xtask docs` from the tables in the source; `cargo xtask tidy` fails when it is not up to date.
";

/// One limit, ready to be shown.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name in the source.
    pub name: String,
    /// With its unit.
    pub default: String,
    /// What happens beyond it.
    pub beyond: String,
    /// Why there is such a limit.
    pub reason: String,
}

/// The text of `docs/limits.md`; none while no crate has limits.
pub fn document(tree: &Tree) -> Option<String> {
    let sections = [
        ("The server", SERVER, table_rows(tree, SERVER)),
        ("HTTP/1.1", PROTOCOL, protocol_rows(tree)),
        ("HTTP/2", H2, h2_rows(tree)),
        ("WebSocket", WEBSOCKET, websocket_rows(tree)),
        ("The PROXY protocol", PROXY, table_rows(tree, PROXY)),
    ];
    let shown: Vec<String> = sections.iter().filter(|(_, _, rows)| !rows.is_empty()).map(section).collect();
    if shown.is_empty() { None } else { Some(format!("{HEADING}{}", shown.concat())) }
}

/// The limit of this name.
pub fn find(tree: &Tree, name: &str) -> Option<Row> {
    all_rows(tree).find(|row| row.name == name)
}

/// The names of all limits.
pub fn names(tree: &Tree) -> Vec<String> {
    all_rows(tree).map(|row| row.name).collect()
}

fn all_rows(tree: &Tree) -> impl Iterator<Item = Row> {
    let protocols = protocol_rows(tree).into_iter().chain(h2_rows(tree)).chain(websocket_rows(tree));
    table_rows(tree, SERVER).into_iter().chain(protocols).chain(table_rows(tree, PROXY))
}

fn section((title, path, rows): &(&str, &str, Vec<Row>)) -> String {
    let line =
        |row: &Row| format!("| `{}` | {} | {} | {} |\n", row.name, row.default, row.beyond, row.reason);
    let lines: String = rows.iter().map(line).collect();
    format!(
        "\n## {title}\nFrom `{path}`.\n\n| limit | default | beyond it | why |\n|---|---|---|---|\n{lines}"
    )
}

/// Holds the document to the tables, and each table to its struct.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let tables = [
        (SERVER, table_rows(tree, SERVER)),
        (PROTOCOL, protocol_rows(tree)),
        (H2, h2_rows(tree)),
        (WEBSOCKET, websocket_rows(tree)),
        (PROXY, table_rows(tree, PROXY)),
    ];
    for (path, rows) in tables {
        findings.extend(rows_missing(tree, path, &rows));
        if rows.is_empty() && tree.exists(path) {
            let mend =
                "write it as the module xtask/src/tidy/limits.rs reads it, or teach that module the new form";
            findings.push(Finding::new(path, 1, "no row of a limit is recognised here", mend));
        }
    }
    if document(tree).is_some_and(|text| tree.text(PATH) != Some(&text)) {
        findings.push(Finding::new(
            PATH,
            1,
            "is not what the tables of limits say",
            "run `cargo xtask docs`",
        ));
    }
    findings
}

/// The fields of `struct Limits` that have no row. (A field that holds another table has its rows there.)
fn rows_missing(tree: &Tree, path: &str, rows: &[Row]) -> Vec<Finding> {
    let Some(source) = tree.source(path) else { return Vec::new() };
    let Some(index) = source.find_word("struct").find(|&index| source.word(index + 1) == "Limits") else {
        return Vec::new();
    };
    let end = source.item_end(index);
    let fields = (index..end).filter(|&at| source.word(at) == "pub" && source.is_mark(at + 2, ':'));
    let own = fields.filter(|&at| {
        !(at + 3..end).take_while(|&at| !source.is_mark(at, ',')).any(|at| source.word(at) == "Limits")
    });
    let is = |row: &Row, field: &str| row.name.rsplit('.').next() == Some(field);
    let bare = own.filter(|&at| !rows.iter().any(|row| is(row, source.word(at + 1))));
    bare.filter(|&at| !source.word(at + 1).is_empty())
        .map(|at| {
            let what = format!("the limit `{}` has no row", source.word(at + 1));
            Finding::new(
                path,
                source.tokens[at].line,
                what,
                "give it a row in TABLE: name, default, reason, what happens",
            )
        })
        .collect()
}

/// `row("name", "default", "reason", "beyond")`, as often as it stands there.
fn table_rows(tree: &Tree, path: &str) -> Vec<Row> {
    let Some(source) = tree.source(path) else { return Vec::new() };
    let calls = source.find_word("row").filter_map(|index| Some((index + 2, source.opens(index + 1, '(')?)));
    let rows = calls.map(|(open, close)| literals(&source.tokens[open..close]));
    rows.filter_map(|texts| <[String; 4]>::try_from(texts).ok())
        .map(|[name, default, reason, beyond]| Row { name, default, beyond, reason })
        .collect()
}

/// `name: type = default, at most most "unit", request Error, response Error, "reason";` inside `limits! { }`; `none` for an error of
/// the role that cannot meet the limit.
fn protocol_rows(tree: &Tree) -> Vec<Row> {
    let Some(source) = tree.source(PROTOCOL) else { return Vec::new() };
    rows_of(source, "limits")
        .filter_map(|row| {
            let words = words(row);
            let name = words.first()?;
            let [.., "request", request, "response", response] = words[..] else { return None };
            let [default, _most, unit, reason] = <[String; 4]>::try_from(literals(row)).ok()?;
            let default = format!("{} {unit}", default.replace('_', ""));
            Some(Row { name: (*name).to_owned(), default, beyond: beyond(tree, request, response), reason })
        })
        .collect()
}

/// `name: type = default, at most most "unit", what Beyond, "reason";` inside `limits! { }`: beyond is an error of the connection, a code of
/// the stream, a refusal of the request, or said in words. Some of the names are HTTP/1.1's, too: here they have a word before them.
fn h2_rows(tree: &Tree) -> Vec<Row> {
    let Some(source) = tree.source(H2) else { return Vec::new() };
    rows_of(source, "limits")
        .filter_map(|row| {
            let (words, literals) = (words(row), literals(row));
            let [default, _most, unit, ..] = &literals[..] else { return None };
            let beyond = match words[..] {
                [.., "connection", error] => {
                    format!("GOAWAY with {}", word_behind(tree, H2_ERRORS, "errors", error)?)
                }
                [.., "stream", code] => format!("RST_STREAM with {code}"),
                [.., "refused", refusal] => {
                    code_of(tree, &word_behind(tree, H2_REFUSALS, "refusals", refusal)?)?
                }
                _ => literals.get(3)?.clone(),
            };
            let default = format!("{} {unit}", default.replace('_', ""));
            let name = format!("{H2_PREFIX}{}", words.first()?);
            Some(Row { name, default, beyond, reason: literals.last()?.clone() })
        })
        .collect()
}

const H2_PREFIX: &str = "h2.";

/// `name = default "unit", close Error, "reason";` inside `limits! { }`: beyond is the code that the error closes by.
fn websocket_rows(tree: &Tree) -> Vec<Row> {
    let Some(source) = tree.source(WEBSOCKET) else { return Vec::new() };
    rows_of(source, "limits")
        .filter_map(|row| {
            let [name, "close", error] = words(row)[..] else { return None };
            let [default, unit, reason] = <[String; 3]>::try_from(literals(row)).ok()?;
            let code = word_behind(tree, WEBSOCKET_ERRORS, "errors", error)?;
            let number = number_of(tree, WEBSOCKET_CODES, "codes", &code)?;
            let default = format!("{} {unit}", default.replace('_', ""));
            Some(Row {
                name: format!("{WEBSOCKET_PREFIX}{name}"),
                default,
                beyond: format!("close with {number}"),
                reason,
            })
        })
        .collect()
}

const WEBSOCKET_PREFIX: &str = "websocket.";

/// The word behind this one in its row inside `name! { }`.
fn word_behind(tree: &Tree, path: &str, name: &str, first: &str) -> Option<String> {
    let source = tree.source(path)?;
    let row = rows_of(source, name).find(|row| words(row).first() == Some(&first))?;
    words(row).get(1).map(|word| (*word).to_owned())
}

/// What happens to a request beyond a limit, and to a response of an upstream.
fn beyond(tree: &Tree, request: &str, response: &str) -> String {
    let refused = || status_of(tree, request).unwrap_or_else(|| request.to_owned());
    match (request, response) {
        ("none", _) => "of an upstream: 502, close".to_owned(),
        (_, "none") => format!("{}, close", refused()),
        _ => format!("{}, close; of an upstream: 502, close", refused()),
    }
}

/// The code of an error's status: `Error STATUS "..."` inside `errors! { }`.
fn status_of(tree: &Tree, error: &str) -> Option<String> {
    code_of(tree, &word_behind(tree, ERRORS, "errors", error)?)
}

/// `code STATUS "..."` inside `registered! { }`.
fn code_of(tree: &Tree, status: &str) -> Option<String> {
    number_of(tree, STATUSES, "registered", status)
}

/// The number before this word in its row inside `name! { }`.
fn number_of(tree: &Tree, path: &str, name: &str, word: &str) -> Option<String> {
    let source = tree.source(path)?;
    let row = rows_of(source, name).find(|row| words(row).first() == Some(&word))?;
    literals(row).into_iter().next()
}

/// The tokens between the semicolons of `name! { ... }`.
fn rows_of<'a>(source: &'a Source, name: &'a str) -> impl Iterator<Item = &'a [Token]> {
    let call = source.find_word(name).find_map(|index| {
        let close = source.opens(index + 2, '{').filter(|_| source.is_mark(index + 1, '!'))?;
        source.tokens.get(index + 3..close)
    });
    call.unwrap_or_default().split(|token| token.kind == Kind::Mark(';')).filter(|row| !row.is_empty())
}

fn words(row: &[Token]) -> Vec<&str> {
    let mut words = Vec::new();
    for token in row {
        if let Kind::Word(word) = &token.kind {
            words.push(word.as_str());
        }
    }
    words
}

/// The literals among the tokens; strings without their quotes.
fn literals(row: &[Token]) -> Vec<String> {
    let text = |token: &Token| match &token.kind {
        Kind::Literal(text) => Some(text.trim_matches('"').replace("\\\"", "\"")),
        _ => None,
    };
    row.iter().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::super::finding::places;
    use super::*;

    const LIMITS: &str = "//! L.\nmacro_rules! limits { ($($name:ident)*) => { pub struct Limits { $(pub $name: u8,)* } } }\n\
        limits! {\n    head_bytes: u16 = 32_768, at most 65535 \"bytes\", request HeadTooLarge, response none,\n        \"It is held.\";\n\
        both: u8 = 1, at most 2 \"lines\", request HeadTooLarge, response Endless, \"B.\";\n\
        interim: u8 = 3, at most 4 \"responses\", request none, response Endless, \"C.\";\n}\n";
    const ERROR: &str =
        "//! E.\nerrors! {\n    // Why.\n    HeadTooLarge FIELDS_TOO_LARGE \"too large\";\n}\n";
    const STATUS: &str = "//! S.\nregistered! { 200 OK \"OK\"; 431 FIELDS_TOO_LARGE \"Too Large\"; }\n";
    const H2_LIMITS: &str = "//! L.\nmacro_rules! limits { ($($name:ident)*) => { pub struct Limits { $(pub $name: u8,)* } } }\n\
        limits! {\n    pings: u16 = 128, at most 9 \"frames\", connection Pings, \"Calm.\";\n\
        streams: u8 = 1, at most 2 \"streams\", stream REFUSED, \"S.\";\n\
        fields: u8 = 3, at most 4 \"lines\", refused TooMany, \"F.\";\n\
        early: u8 = 3, at most 4 \"streams\", held \"forgotten\", \"E.\";\n}\n";
    const TABLE: &str = "//! T.\npub struct Limits {\n    pub protocol: proto::Limits,\n    pub idle_timeout: Duration,\n}\n\
        const fn row(name: &'static str) -> Row { Row { name } }\n\
        const TABLE: [Row; 1] = [row(\"idle_timeout\", \"75 s\", \"holds a slot\", \"close\")];\n";

    fn tree(table: &str, document: &str) -> Tree {
        Tree::of(&[
            (PROTOCOL, LIMITS),
            (ERRORS, ERROR),
            (STATUSES, STATUS),
            (SERVER, table),
            (H2, H2_LIMITS),
            (H2_ERRORS, "//! E.\nerrors! { Pings CALM of pings \"too many\"; }\n"),
            (H2_REFUSALS, "//! R.\nrefusals! { TooMany FIELDS_TOO_LARGE of fields \"too many\"; }\n"),
            (
                WEBSOCKET,
                "//! L.\npub struct Limits { pub fragments: u32 }\nlimits! { fragments = 9_000 \"frames\", close Many, \"W.\"; }\n",
            ),
            (WEBSOCKET_ERRORS, "//! E.\nerrors! { Many TOO_BIG of fragments \"too many\"; }\n"),
            (WEBSOCKET_CODES, "//! C.\ncodes! { 1009 TOO_BIG \"too big\"; }\n"),
            (
                PROXY,
                "//! P.\nconst TABLE: [Row; 1] = [row(\"line_bytes\", \"7 bytes\", \"no more\", \"closed\")];\n",
            ),
            (PATH, document),
        ])
    }

    #[test]
    fn the_document_has_a_line_for_each_row_of_every_table() {
        let text = document(&tree(TABLE, "")).expect("there are limits");
        assert!(text.contains("| `idle_timeout` | 75 s | close | holds a slot |\n"), "{text}");
        assert!(text.contains("| `line_bytes` | 7 bytes | closed | no more |\n"), "{text}");
        assert!(text.contains("| `head_bytes` | 32768 bytes | 431, close | It is held. |\n"), "{text}");
        assert!(
            text.contains("| `both` | 1 lines | 431, close; of an upstream: 502, close | B. |\n"),
            "{text}"
        );
        assert!(text.contains("| `interim` | 3 responses | of an upstream: 502, close | C. |\n"), "{text}");
        assert!(text.contains("| `h2.pings` | 128 frames | GOAWAY with CALM | Calm. |\n"), "{text}");
        assert!(text.contains("| `h2.streams` | 1 streams | RST_STREAM with REFUSED | S. |\n"), "{text}");
        assert!(text.contains("| `h2.fields` | 3 lines | 431 | F. |\n"), "{text}");
        assert!(text.contains("| `h2.early` | 3 streams | forgotten | E. |\n"), "{text}");
        assert!(text.contains("| `websocket.fragments` | 9000 frames | close with 1009 | W. |\n"), "{text}");
    }

    #[test]
    fn a_document_that_is_not_up_to_date_is_found() {
        let text = document(&tree(TABLE, "")).expect("there are limits");
        assert!(check(&tree(TABLE, &text)).is_empty());
        assert_eq!(places(&check(&tree(TABLE, &text.replace("75 s", "60 s")))), ["docs/limits.md:1"]);
        assert!(check(&Tree::of(&[("crates/a/src/lib.rs", "//! A.")])).is_empty());
    }

    #[test]
    fn a_limit_without_a_row_is_found() {
        let table =
            TABLE.replace("    pub idle_timeout", "    pub drain_timeout: Duration,\n    pub idle_timeout");
        let text = document(&tree(&table, "")).expect("there are limits");
        assert_eq!(places(&check(&tree(&table, &text))), ["crates/server/src/limits.rs:4"]);
    }

    #[test]
    fn a_table_in_a_form_that_is_not_known_is_found_and_not_left_out() {
        let found = check(&Tree::of(&[(PROTOCOL, "//! L.\npub const TABLE: &[Row] = &[];\n")]));
        assert_eq!(places(&found), ["crates/proto/src/limits.rs:1"]);
    }
}
