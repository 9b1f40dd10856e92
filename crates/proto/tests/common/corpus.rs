//! The corpora of smuggling clients and lying servers: readable files of messages and of what becomes of them.
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

use super::asker::{Asker, Told, plain};
use super::{Listener, Said};
use gannet_proto::h1::{Client, Connection, RequestToSend};
use gannet_proto::{BodyLength, Limits, Method, ResponseBody};
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

/// Every case of every file of smuggling clients, in order.
pub fn cases() -> Vec<Case> {
    cases_of("tests/smuggling")
}

/// Every case of every file of lying servers, in order.
pub fn lies() -> Vec<Case> {
    cases_of("tests/lying")
}

fn cases_of(folder: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    files(&folder).iter().flat_map(|file| read(file)).collect()
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
fn shown(target: &[u8]) -> String {
    if target.len() > 100 { format!("({} bytes)", target.len()) } else { target.escape_ascii().to_string() }
}

/// What becomes of the bytes, in the corpus' words.
pub fn outcome(bytes: &[u8]) -> Vec<String> {
    let mut listener = Listener::new(Connection::new(Limits::default()));
    listener.receive(bytes);
    let mut lines: Vec<String> = Vec::new();
    for said in &listener.said {
        match said {
            Said::Head(request) => {
                let body = match request.body {
                    BodyLength::None => "none",
                    BodyLength::Known(_) => "length",
                    BodyLength::Chunked => "chunked",
                };
                lines.push(format!("{} {} {body}", request.method, shown(&request.target)));
            }
            Said::Body(body) => {
                let head = lines.last_mut().expect("a body follows a head");
                head.push_str(&format!(" \"{}\"", body.escape_ascii()));
            }
            Said::End { .. } => {}
            Said::Wrong(error) => lines.push(format!("{} {error:?}", error.status())),
        }
    }
    if !matches!(listener.said.last(), Some(Said::Wrong(_))) {
        let unfinished = listener.waits_within_a_request();
        lines.push(
            if unfinished {
                "unfinished"
            } else if listener.is_over() {
                "close"
            } else {
                "open"
            }
            .to_owned(),
        );
    }
    lines
}

/// What is asked in a case of a lying server; none if nothing is.
pub fn request(case: &Case) -> Option<RequestToSend<'static>> {
    Some(match case.asked.as_deref() {
        None => plain(Method::Get),
        Some("nothing") => return None,
        Some("HEAD") => plain(Method::Head),
        Some("CONNECT") => plain(Method::Connect),
        Some("GET upgrade") => {
            RequestToSend { fields: b"Host: a\r\nUpgrade: echo\r\n", upgrade: true, ..plain(Method::Get) }
        }
        Some("POST unfinished") => RequestToSend { body: BodyLength::Known(5), ..plain(Method::Post) },
        Some(other) => panic!("{}: nobody asks {other:?}", case.name),
    })
}

/// What becomes of a server's bytes that come in these pieces.
pub fn heard<'a>(case: &Case, limits: Limits, pieces: impl IntoIterator<Item = &'a [u8]>) -> Asker {
    let client = Client::new(limits);
    let mut asker = match request(case) {
        Some(request) => Asker::new(client, request),
        None => Asker::listening(client),
    };
    pieces.into_iter().for_each(|piece| asker.receive(piece));
    if case.closes {
        asker.end();
    }
    asker
}

/// The same in the corpus' words.
pub fn outcome_of_lie(asker: &Asker) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for told in &asker.told {
        match told {
            Told::Interim(response) => lines.push(format!("{} interim", response.status)),
            Told::Head(response) => {
                let body = match response.body {
                    ResponseBody::None => "none",
                    ResponseBody::Known(_) => "length",
                    ResponseBody::Chunked => "chunked",
                    ResponseBody::UntilClose => "close",
                };
                lines.push(format!("{} {body}", response.status));
            }
            Told::Body(body) => {
                let head = lines.last_mut().expect("a body follows a head");
                head.push_str(&format!(" \"{}\"", body.escape_ascii()));
            }
            Told::End { trailers } if trailers.is_empty() => {}
            Told::End { trailers } => {
                let head = lines.last_mut().expect("trailers follow a head");
                head.push_str(&format!(" trailers {}", trailers.len()));
            }
            Told::Wrong(error) => lines.push(format!("{error:?}")),
        }
    }
    if !matches!(asker.told.last(), Some(Told::Wrong(_))) {
        lines.push(standing(asker));
    }
    lines
}

/// What may still come of a connection that nothing was wrong with.
fn standing(asker: &Asker) -> String {
    let client = &asker.client;
    if client.upgraded() {
        return format!("switched \"{}\"", asker.left_over().escape_ascii());
    }
    let whole = client.reading_ended() || !client.requested();
    match (client.keep_alive(), whole) {
        (true, _) => "kept",
        (false, true) => "closed",
        (false, false) => "unfinished",
    }
    .to_owned()
}
