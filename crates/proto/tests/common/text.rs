//! How the corpora of smuggling clients and lying servers are written: readable files of messages and of what becomes of them.
//!
//! ```text
//! == what the case is about
//! > bytes, with \r \n \t \0 \\ \xNN for what cannot be seen; `{7*ab}` is seven times `ab`
//! < METHOD TARGET none | length "content" | chunked "content"     one line a request; `(N bytes)` for long targets
//! < STATUS ErrorName | open | close | unfinished                  the connection's end
//! ```
//!
//! And of servers:
//!
//! ```text
//! == what the case is about
//! ? METHOD [upgrade | unfinished] | nothing                       what was asked: GET, unless said
//! > bytes
//! | closes                                                        the server closes behind them
//! < STATUS interim | none | length | chunked | close ["content"] [trailers N]    one line a response
//! < ErrorName | kept | closed | unfinished | switched "bytes"     the connection's end
//! ```

use std::path::{Path, PathBuf};

#[derive(Default)]
pub struct Case {
    pub name: String,
    /// What a server is asked; nothing of it in the corpus of clients.
    pub asked: Option<String>,
    pub bytes: Vec<u8>,
    /// The server closes behind the bytes.
    pub closes: bool,
    pub expected: Vec<String>,
}

/// Every case of every file of a folder, in order.
pub fn cases(folder: &Path) -> Vec<Case> {
    files(folder).iter().flat_map(|file| read(file)).collect()
}

/// The files of a folder, in order.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.expect("an entry of the folder").path()).collect();
    files.sort();
    files
}

fn read(file: &Path) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let text = std::fs::read_to_string(file).expect("a corpus file is text");
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("== ") {
            cases.push(Case { name: name.to_owned(), ..Case::default() });
        } else if let Some(asked) = line.strip_prefix("? ") {
            cases.last_mut().expect("what is asked follows a name").asked = Some(asked.to_owned());
        } else if line == "| closes" {
            cases.last_mut().expect("an end follows a name").closes = true;
        } else if let Some(bytes) = line.strip_prefix("> ") {
            cases.last_mut().expect("bytes follow a name").bytes.extend(unescaped(bytes));
        } else if let Some(expected) = line.strip_prefix("< ") {
            cases.last_mut().expect("an outcome follows a name").expected.push(expected.to_owned());
        } else {
            assert!(line.is_empty() || line.starts_with('#'), "{}: {line:?}", file.display());
        }
    }
    cases
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let (length, run) = match character {
            '\\' => escape(rest),
            '{' if rest.contains('*') => repetition(rest),
            _ => (character.len_utf8(), character.to_string().into_bytes()),
        };
        bytes.extend(run);
        rest = &rest[length..];
    }
    bytes
}

fn escape(text: &str) -> (usize, Vec<u8>) {
    let byte = match text.as_bytes()[1] {
        b'r' => b'\r',
        b'n' => b'\n',
        b't' => b'\t',
        b'0' => 0,
        b'\\' => b'\\',
        b'x' => return (4, vec![u8::from_str_radix(&text[2..4], 16).expect("two hexadecimal digits")]),
        other => panic!("no such escape: {}", char::from(other)),
    };
    (2, vec![byte])
}

fn repetition(text: &str) -> (usize, Vec<u8>) {
    let (inside, _) = text[1..].split_once('}').expect("a repetition is closed");
    let (times, run) = inside.split_once('*').expect("a repetition says how often");
    (inside.len() + 2, unescaped(run).repeat(times.parse().expect("a number of times")))
}

/// A target as the corpus writes it: a long one only by its length.
pub fn shown(target: &[u8]) -> String {
    if target.len() > 100 { format!("({} bytes)", target.len()) } else { target.escape_ascii().to_string() }
}
