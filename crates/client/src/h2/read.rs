//! Receiving: bytes become events of the protocol, and events find their stream.

use gannet_core::{Body, Chunk, Fields, ReceivedBody, Response, Status, UpstreamError, UpstreamProtocol};
use gannet_proto::h2::{ErrorCode, Event, StreamKey};

use super::{Multiplexed, tunnel};
use crate::calls::Attempt;
use crate::failure::Reached;
use crate::head;
use crate::local::{Lent, Local};

/// Bytes that may wait behind those of bodies for an upstream that takes nothing: answers to its frames (acknowledgements, windows that open). Full of
/// bodies alone the output does not stop us from reading: an upstream may take more only when it has been read from.
const ANSWERS_BYTES: u64 = 64 * 1024;

/// Parses what has arrived, as far as there is room for what that makes us send, and for bodies.
pub(super) fn read(connection: &mut Multiplexed, local: &mut Local, lent: &mut Lent<'_>) {
    while wants_input(connection, local, lent) {
        let Some(input) = connection.wire.input.take() else { return };
        let Multiplexed { protocol, head, wire, .. } = connection;
        match protocol.handle(&input, head, wire.output(local).bytes()) {
            Ok(Event::Need { consumed }) => {
                if !wire.needs_more(Some(input), consumed) {
                    if wire.peer_ended {
                        wire.input = None; // the rest of it will not come
                    }
                    return;
                }
            }
            Ok(event) => {
                let consumed = take_in(connection, &input, event, local, lent);
                connection.wire.give_back(Some(input), consumed);
            }
            Err(error) => {
                tracing::debug!(code = %error.code(), %error, "an upstream broke HTTP/2");
                protocol.fail(error, wire.output(local).bytes());
                wire.fail(UpstreamError::Malformed(error.message()));
            }
        }
    }
}

/// Whether there is something to parse, and room for what comes of it.
pub(super) fn wants_input(connection: &Multiplexed, local: &Local, lent: &Lent<'_>) -> bool {
    let wire = &connection.wire;
    wire.broken.is_none()
        && wire.input.is_some()
        && wire.queued() < local.limits.upstream_output_bytes + ANSWERS_BYTES
        && (connection.held == 0 || lent.has_shared_blocks())
}

/// Does what an event says; gives how many bytes of the input are done with.
fn take_in(
    connection: &mut Multiplexed,
    input: &Chunk,
    event: Event,
    local: &mut Local,
    lent: &mut Lent<'_>,
) -> usize {
    match event {
        Event::Head { stream, consumed, ended } => {
            answer(connection, stream, ended, local, lent);
            consumed
        }
        Event::Interim { stream, consumed } => {
            inform(connection, stream, local, lent);
            consumed
        }
        Event::Data { stream, start, end, consumed, ended } => {
            data(connection, stream, input.slice(start..end), ended, local, lent);
            consumed
        }
        Event::Trailers { stream, consumed } => {
            let trailers = head::trailers(&connection.head, connection.protocol.text());
            connection.ended(stream, trailers, local, lent);
            consumed
        }
        Event::Reset { stream, error, fault, consumed } => {
            connection.was_reset(stream, error, fault, local, lent);
            consumed
        }
        Event::Window { stream, consumed } => {
            connection.unblock(stream, lent);
            consumed
        }
        Event::GoAway { last_stream, error, consumed } => {
            tracing::debug!(upstream = %connection.upstream.address, last_stream, %error, "an upstream ends a connection");
            connection.leave_behind(last_stream, local, lent);
            consumed
        }
        Event::Need { consumed } | Event::Refused { consumed, .. } | Event::Priority { consumed, .. } => {
            consumed
        }
    }
}

/// The response's head is there: its caller gets it, with a body that is received as it is read.
fn answer(connection: &mut Multiplexed, key: StreamKey, ended: bool, local: &mut Local, lent: &mut Lent<'_>) {
    connection.with(key.slot, local, lent, |connection, stream, local, lent| {
        let Multiplexed { protocol, head, socket, wire, .. } = connection;
        let fields = head::fields(head, protocol.text());
        let length = head::length(head, protocol.method(key));
        let incoming = local.take_incoming();
        incoming.begin(Some(stream.waker(socket.index, lent)));
        incoming.watch();
        if ended {
            incoming.end(Ok(()), None);
        }
        let reader = ReceivedBody::new(incoming.clone());
        if stream.is_tunnel && !head.status.is_success() {
            // It is none: we have nothing to say.
            stream.is_tunnel = false;
            let finished = protocol.finish(key, b"", wire.output(local).bytes());
            debug_assert!(finished.is_ok(), "no length was announced");
        }
        let (status, body) = match stream.is_tunnel {
            true => (Status::OK, tunnel::open(stream, reader)),
            false => (head.status, Body::Received(reader, length)),
        };
        stream.exchange.incoming = Some(incoming);
        stream.progress = lent.now();
        let response = Response::new(status).with_fields(fields).with_body(body);
        stream.exchange.answer(response);
        connection.schedule(stream);
    });
}

/// 100 (Continue), or another one before the response.
fn inform(connection: &mut Multiplexed, key: StreamKey, local: &mut Local, lent: &mut Lent<'_>) {
    connection.with(key.slot, local, lent, |connection, stream, _, lent| {
        let Multiplexed { protocol, head, .. } = connection;
        stream.exchange.inform(head.status, head::fields(head, protocol.text()));
        stream.progress = lent.now();
        connection.schedule(stream);
    });
}

/// Some of a response's body.
fn data(
    connection: &mut Multiplexed,
    key: StreamKey,
    data: Chunk,
    ended: bool,
    local: &mut Local,
    lent: &mut Lent<'_>,
) {
    let Some(Some(stream)) = connection.streams.get_mut(key.slot as usize) else {
        return connection.protocol.consumed(key, data.len()); // its exchange is over
    };
    stream.progress = lent.now();
    stream.received += data.len() as u64;
    connection.held += data.len() as u64;
    if let Some(incoming) = &stream.exchange.incoming {
        incoming.push(data);
    }
    if ended {
        return connection.ended(key, None, local, lent);
    }
    connection.credit(key.slot, local, lent);
}

/// The upstream has sent all it will: no exchange that is under way is completed. A connection without any ends in order.
pub(super) fn no_more(connection: &mut Multiplexed, local: &Local, lent: &Lent<'_>) {
    let wire = &connection.wire;
    if !wire.peer_ended || wire.broken.is_some() || wants_input(connection, local, lent) {
        return;
    }
    match connection.is_vacant() {
        true => connection.retire(),
        false => connection.wire.fail(UpstreamError::Closed),
    }
}

impl Multiplexed {
    /// The upstream takes no more: what it still says is heard. Whoever sends a body learns that it is not read.
    pub(crate) fn send_broke(&mut self) {
        self.wire.send_broken = true;
        self.retire();
        for stream in self.streams.iter_mut().flatten() {
            (stream.exchange.body, stream.piece, stream.is_blocked) = (None, None, false);
            stream.exchange.body_begun = true;
        }
    }

    /// A response has ended.
    fn ended(&mut self, key: StreamKey, trailers: Option<Fields>, local: &mut Local, lent: &mut Lent<'_>) {
        self.with(key.slot, local, lent, |_, stream, _, _| {
            if let Some(incoming) = &stream.exchange.incoming {
                incoming.end(Ok(()), trailers);
            }
        });
    }

    /// The upstream reset a stream, or what it did made us do so.
    fn was_reset(
        &mut self,
        key: StreamKey,
        code: ErrorCode,
        fault: Option<&'static str>,
        local: &mut Local,
        lent: &mut Lent<'_>,
    ) {
        if !matches!(self.streams.get(key.slot as usize), Some(Some(_))) {
            return self.protocol.release(key);
        }
        let negotiates = self.upstream.protocol == UpstreamProtocol::Negotiated;
        let (error, reached, again) = match (fault, code) {
            (Some(fault), _) => (UpstreamError::Malformed(fault), Reached::Upstream, Attempt::Again),
            // RFC 9113, 8.7
            (None, ErrorCode::REFUSED_STREAM) => (UpstreamError::Busy, Reached::Nobody, Attempt::Again),
            (None, ErrorCode::HTTP_1_1_REQUIRED) if negotiates => {
                (UpstreamError::Reset(code), Reached::Nobody, Attempt::AgainByHttp1)
            }
            (None, code) => (UpstreamError::Reset(code), Reached::Upstream, Attempt::Again),
        };
        self.fail(key.slot, error, reached, again, local, lent);
    }

    /// The upstream ends the connection: requests behind the last that it deals with have reached nobody (RFC 9113, 6.8).
    fn leave_behind(&mut self, last_stream: u32, local: &mut Local, lent: &mut Lent<'_>) {
        self.retire();
        for slot in 0..self.streams.len() {
            if self.streams[slot].as_ref().is_some_and(|stream| stream.key.id > last_stream) {
                self.fail(slot as u32, UpstreamError::Closed, Reached::Nobody, Attempt::Again, local, lent);
            }
        }
    }
}
