//! The smuggling corpus through the proxy, before an upstream that reads strictly: what could be understood in two ways never reaches it, and
//! what does is one request that means the same.

use std::path::Path;

use gannet::{App, BackendChoice};

use crate::client::Client;
use crate::common::on_each_backend;
use crate::recorder::{Recorder, Seen};
use crate::strict::Next;
use crate::text::{self, Case};

on_each_backend! {
    every_case_of_the_corpus_is_refused_or_reaches_the_upstream_as_one_request_that_means_the_same,
}

/// What the corpus says of a case.
#[derive(Debug, Default)]
struct Expected {
    /// The requests that are understood, as [`line`] writes them.
    requests: Vec<String>,
    /// Whether the last of them is not there as a whole.
    breaks_off: bool,
    /// How the connection ends.
    end: String,
}

fn every_case_of_the_corpus_is_refused_or_reaches_the_upstream_as_one_request_that_means_the_same(
    backend: BackendChoice,
) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto/tests/smuggling");
    let cases = text::cases(&folder);
    assert!(cases.len() > 100, "{} cases", cases.len());
    // The server speaks HTTP/2 to whoever begins so: what its preface brings is no request of HTTP/1.1.
    let is_http1 = |case: &&Case| !case.bytes.starts_with(b"PRI * HTTP/2.0\r\n");
    let wrong: Vec<String> = cases
        .iter()
        .filter(is_http1)
        .filter_map(|case| check(case, backend).err().map(|why| format!("{}: {why}", case.name)))
        .collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Sends the case's bytes through a proxy of its own, and compares what came of it.
fn check(case: &Case, backend: BackendChoice) -> Result<(), String> {
    let recorder = Recorder::start();
    let own = recorder.address.to_string();
    let app = App::new().proxy("/*", own.as_str()).listen("127.0.0.1:0");
    let server = app.workers(1).backend(backend).start().expect("the application is sound");
    let expected = expected(case, &own);
    let told = converse(Client::to(server.socket_addresses()[0]).expect("it listens"), case, &expected);
    drop(server);
    let seen = recorder.seen();
    told?;
    compare(&expected, &seen)
}

/// The status that it is answered with by the server in front, if it is one that is not passed on: CONNECT is for another kind of
/// proxy, and `*` is that server itself.
fn answered_in_front(line: &str) -> Option<u16> {
    let own = [("CONNECT ", 405), ("OPTIONS * ", 204)];
    own.into_iter().find(|(begin, _)| line.starts_with(begin)).map(|(_, status)| status)
}

impl Expected {
    /// Those that are there as a whole.
    fn whole(&self) -> &[String] {
        &self.requests[..self.requests.len() - usize::from(self.breaks_off)]
    }
}

/// Reads the answers: of each whole request, and of what is refused.
fn converse(mut client: Client, case: &Case, expected: &Expected) -> Result<(), String> {
    client.send(&case.bytes);
    for request in expected.whole() {
        let status = answered_in_front(request).unwrap_or(200);
        match client.head_unless_over() {
            Some(mut answer) if answer.status == status => client.body(&mut answer),
            other => return Err(format!("{request} is answered {:?}", other.map(|answer| answer.head))),
        }
    }
    match expected.end.split(' ').next().unwrap_or_default() {
        "open" | "unfinished" => Ok(()),
        "close" => match client.rest() {
            rest if rest.is_empty() => Ok(()),
            rest => Err(format!("no end, but {}", rest.escape_ascii())),
        },
        status => match client.head_unless_over().map(|answer| answer.status.to_string()) {
            Some(answered) if answered == status => Ok(()),
            other => Err(format!("not {status}, but {other:?}")),
        },
    }
}

fn compare(expected: &Expected, seen: &[Seen]) -> Result<(), String> {
    for connection in seen {
        let is_clean = match &connection.next {
            Next::Wrong(why) => return Err(format!("the upstream saw {why}")),
            // What breaks off here breaks off there.
            _ => connection.left.is_empty() || expected.breaks_off,
        };
        if !is_clean {
            return Err(format!("the upstream has left {}", connection.left.escape_ascii()));
        }
    }
    let wanted: Vec<&String> =
        expected.whole().iter().filter(|line| answered_in_front(line).is_none()).collect();
    let requests = seen.iter().flat_map(|connection| &connection.requests);
    let got: Vec<String> = requests
        .map(|whole| line(&whole.method, &text::shown(whole.target.as_bytes()), &whole.host, &whole.body))
        .collect();
    let is_same = wanted.len() == got.len() && wanted.iter().zip(&got).all(|(wanted, got)| *wanted == got);
    is_same.then_some(()).ok_or_else(|| format!("wanted {wanted:?}, the upstream saw {got:?}"))
}

/// What a request means: its method, target and content, and whom it is for.
fn line(method: &str, target: &str, host: &str, body: &[u8]) -> String {
    format!("{method} {target} of {host} \"{}\"", body.escape_ascii())
}

/// Takes the corpus' words apart. `own` is the upstream's name, which is the host for who names none.
fn expected(case: &Case, own: &str) -> Expected {
    let mut expected = Expected::default();
    let mut framing = "none";
    for words in &case.expected {
        let is_end = words.starts_with(|first: char| first.is_ascii_digit())
            || ["open", "close", "unfinished"].contains(&words.as_str());
        if is_end {
            expected.end.clone_from(words);
            continue;
        }
        let (request, body) = match words.split_once(" \"") {
            Some((request, body)) if words.ends_with('"') => (request, body.trim_end_matches('"')),
            _ => (words.as_str(), ""),
        };
        let (rest, last) = request.rsplit_once(' ').expect("a request says how it is framed");
        let (method, target) = rest.split_once(' ').expect("a method and a target");
        framing = last;
        let (host, target) = place(target, &case.bytes, own);
        expected.requests.push(format!("{method} {target} of {host} \"{body}\""));
    }
    let lacks = match &*expected.end {
        "unfinished" => framing != "none",
        end => framing == "chunked" && end.starts_with(['4', '5']),
    };
    expected.breaks_off = lacks && !expected.requests.is_empty();
    expected
}

/// Whose request it is, and its target in origin form (RFC 9112, 3.2).
fn place(target: &str, bytes: &[u8], own: &str) -> (String, String) {
    if let Some((_, rest)) = target.split_once("://") {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        let slash = if path.starts_with('/') { "" } else { "/" };
        return (host.to_owned(), format!("{slash}{path}"));
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    let named = text.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim().to_owned())
    });
    (named.unwrap_or_else(|| own.to_owned()), target.to_owned())
}
