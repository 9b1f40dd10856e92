//! The corpora of smuggling clients and lying servers, and what becomes of them.

use super::asker::{Asker, Told, plain};
pub use super::text::Case;
use super::text::{self, shown};
use super::{Listener, Said};
use gannet_proto::h1::{Client, Connection, RequestToSend};
use gannet_proto::{BodyLength, Limits, Method, ResponseBody};
use std::path::Path;

/// Every case of every file of smuggling clients, in order.
pub fn cases() -> Vec<Case> {
    cases_of("tests/smuggling")
}

/// Every case of every file of lying servers, in order.
pub fn lies() -> Vec<Case> {
    cases_of("tests/lying")
}

fn cases_of(folder: &str) -> Vec<Case> {
    text::cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
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
