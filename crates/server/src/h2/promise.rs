//! Server push: responses that a client did not ask for (RFC 9113, 8.4).

use gannet_core::{Head, Method, Promise, RequestHead, Span, Version};
use gannet_engine::SocketId;
use gannet_proto::BodyLength;
use gannet_proto::h2::{RequestToSend, StreamKey};

use super::{Multiplexed, Stream, stream};
use crate::connection::Facts;
use crate::local::Local;

/// A stream that was promised, and the request that it answers.
pub(super) struct Promised {
    key: StreamKey,
    head: RequestHead,
}

/// Promises a response beside that of `stream`, if the client takes such promises and has room for one more.
pub(super) fn make(connection: &mut Multiplexed, stream: &Stream, promise: &Promise, local: &mut Local) {
    let Some((head, text)) = head(promise) else { return };
    let request = RequestToSend {
        method: Method::Get,
        method_text: "GET",
        scheme: if connection.wire.is_secure { "https" } else { "http" },
        authority: &promise.authority,
        path: &promise.target,
        fields: b"",
        body: BodyLength::None,
        protocol: None,
        accepts_trailers: false,
    };
    let output = connection.wire.output(local).bytes();
    if let Some(key) = connection.protocol.promise(stream.key, request, output) {
        let head = RequestHead::decoded(head, text.as_bytes(), local.heads.clone());
        connection.promised.push(Promised { key, head });
    }
}

/// Begins to answer what was promised, as any request.
pub(super) fn begin(connection: &mut Multiplexed, socket: SocketId, facts: &Facts, local: &mut Local) {
    for Promised { key, head } in std::mem::take(&mut connection.promised) {
        stream::begin(connection, key, head, true, socket, facts, local);
    }
}

/// The head of the request that a promise is the answer to, and the text that it is read from.
fn head(promise: &Promise) -> Option<(Box<Head>, String)> {
    let text = format!("GET{}{}", promise.target, promise.authority);
    let _fits = u16::try_from(text.len()).ok()?;
    let span = |start: usize, end: usize| Span { start: start as u16, end: end as u16 };
    let target = span(3, 3 + promise.target.len());
    let question = promise.target.find('?').map(|at| 3 + at);
    let end = usize::from(target.end);
    let head = Head {
        method: Method::Get,
        method_text: span(0, 3),
        version: Version::Http2,
        target,
        path: span(3, question.unwrap_or(end)),
        query: question.map(|at| span(at + 1, end)),
        authority: Some(span(end, text.len())),
        ..Head::default()
    };
    Some((Box::new(head), text))
}
