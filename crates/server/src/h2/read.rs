//! Steps 3 and 4: bytes become events of the protocol, and events find their stream.

use gannet_core::{BodyError, Chunk, Fields, RequestHead};
use gannet_engine::SocketId;
use gannet_proto::Head;
use gannet_proto::h2::{Error, ErrorCode, Event, StreamKey};

use super::{Multiplexed, stream};
use crate::connection::{Facts, Making};
use crate::deadline;
use crate::local::Local;
use crate::observe::Limit;
use crate::wire::Fate;

/// Parses what has arrived, as far as there is room for what that makes us send, and for bodies.
pub(super) fn read(connection: &mut Multiplexed, socket: SocketId, facts: &Facts, local: &mut Local) {
    while wants_input(connection, local) {
        let Some(input) = connection.wire.input.take() else { return };
        let output = connection.wire.output(local).bytes();
        match connection.protocol.handle(&input, &mut connection.head, output) {
            Ok(event) => {
                let consumed = take_in(connection, &input, event, socket, facts, local);
                connection.wire.input = rest(input, consumed);
                if matches!(event, Event::Need { .. }) {
                    if connection.wire.peer_ended {
                        connection.wire.input = None; // the rest of it will not come
                    }
                    return;
                }
                // What was begun before is there as a whole.
                connection.head_deadline = None;
            }
            Err(error) => fail(connection, error, local),
        }
    }
}

/// Whether there is something to parse, and room for what comes of it.
pub(super) fn wants_input(connection: &Multiplexed, local: &Local) -> bool {
    let wire = &connection.wire;
    wire.fate == Fate::Serve
        && wire.input.is_some()
        && wire.queued() < local.limits.output_bytes
        && (connection.held == 0 || local.has_shared_blocks())
}

/// Does what an event says; gives how many bytes of the input are done with.
fn take_in(
    connection: &mut Multiplexed,
    input: &Chunk,
    event: Event,
    socket: SocketId,
    facts: &Facts,
    local: &mut Local,
) -> usize {
    match event {
        Event::Need { consumed } => consumed,
        Event::Head { stream, consumed, ended } => {
            let head = std::mem::replace(&mut connection.head, local.heads.take());
            let head = RequestHead::decoded(head, connection.protocol.text(), local.heads.clone());
            stream::begin(connection, stream, head, ended, socket, facts, local);
            consumed
        }
        Event::Data { stream, start, end, consumed, ended } => {
            data(connection, stream, input.slice(start..end), ended, local);
            connection.end_lingering(stream.slot, local);
            consumed
        }
        Event::Trailers { stream, consumed } => {
            let trailers = trailers(&connection.head, connection.protocol.text());
            ended(connection, stream, trailers);
            connection.end_lingering(stream.slot, local);
            consumed
        }
        Event::Reset { stream, error, fault, consumed } => {
            tracing::debug!(stream = stream.id, %error, fault, "a stream was reset");
            connection.was_reset(stream, local);
            consumed
        }
        Event::Refused { stream, refusal, consumed, .. } => {
            stream::refuse(connection, stream, refusal, local);
            consumed
        }
        Event::Window { stream, consumed } => {
            connection.unblock(stream);
            consumed
        }
        Event::Priority { stream, consumed } => {
            connection.reschedule(stream);
            consumed
        }
        Event::GoAway { consumed, error, .. } => {
            tracing::debug!(%error, "the client makes no more streams");
            consumed
        }
        Event::Interim { consumed, .. } => consumed, // no client sends one
    }
}

/// Some of a request's body.
fn data(connection: &mut Multiplexed, key: StreamKey, data: Chunk, has_ended: bool, local: &Local) {
    let Some(Some(stream)) = connection.streams.get_mut(key.slot as usize) else {
        return connection.protocol.consumed(key, data.len()); // its exchange is over
    };
    if let Some(deadline) = stream.body_deadline.filter(|_| !stream.lingers) {
        stream.body_deadline = Some(deadline::earned(deadline, data.len(), local));
    }
    // The client did not wait to be asked (RFC 9110, 10.1.1).
    stream.expects_continue = false;
    stream.received += data.len() as u64;
    connection.held += data.len() as u64;
    stream.incoming.push(data);
    connection.credit(key.slot, local);
    if has_ended {
        ended(connection, key, None);
    }
}

/// A request has ended.
fn ended(connection: &mut Multiplexed, key: StreamKey, trailers: Option<Fields>) {
    if let Some(Some(stream)) = connection.streams.get_mut(key.slot as usize) {
        stream.body_deadline = None;
        stream.incoming.end(Ok(()), trailers);
    }
}

/// The peer has sent all it will: what that means for what was begun. Handlers were polled before it comes to this.
pub(super) fn no_more(connection: &mut Multiplexed, local: &mut Local) {
    let wire = &connection.wire;
    if !wire.peer_ended || wire.fate != Fate::Serve || wants_input(connection, local) {
        return;
    }
    for slot in 0..connection.streams.len() {
        let Some(stream) = &connection.streams[slot] else { continue };
        // Who waits for a response does not end its half: the peer left. A response that is on its way still reaches who only ended its half.
        if matches!(stream.making, Making::Waiting(_)) {
            connection.reset(slot as u32, ErrorCode::CANCEL, local);
        } else if stream.lingers {
            connection.forget_slot(slot, false, local);
        } else if !connection.protocol.receiving_ended(stream.key) {
            stream.incoming.end(Err(BodyError::Incomplete), None);
        }
    }
    if connection.open == 0 {
        let wire = &mut connection.wire;
        wire.fate = if wire.has_output() || wire.says_its_end() { Fate::Finish } else { Fate::Abort };
    }
}

/// The peer broke the protocol: it is told how, and the connection ends.
pub(super) fn fail(connection: &mut Multiplexed, error: Error, local: &mut Local) {
    tracing::debug!(code = %error.code(), %error, "a connection of HTTP/2 is given up");
    if let Some(limit) = error.limit().and_then(Limit::named) {
        local.observer.hit(limit);
    }
    connection.wire.input = None;
    connection.protocol.fail(error, connection.wire.output(local).bytes());
    connection.forget_all(local);
    connection.wire.fate = Fate::Finish;
}

fn trailers(head: &Head, text: &[u8]) -> Option<Fields> {
    if head.fields.is_empty() {
        return None;
    }
    let mut trailers = Fields::new();
    for field in &head.fields {
        let name = std::str::from_utf8(field.name.of(text)).unwrap_or_default();
        // What no response could say (framing) is of no use in trailers either.
        let _ = trailers.append(name, field.value.of(text));
    }
    Some(trailers)
}

fn rest(mut input: Chunk, consumed: usize) -> Option<Chunk> {
    input.advance(consumed);
    (!input.is_empty()).then_some(input)
}

impl Multiplexed {
    /// The session of TLS broke: nothing of what was begun is completed. Only its alert can still be sent.
    pub(crate) fn break_off(&mut self, has_alert: bool, local: &mut Local) {
        self.forget_all(local);
        self.wire.break_off(has_alert, local);
    }
}

/// What a stream is reset with where the fault is ours.
pub(super) const OURS: ErrorCode = ErrorCode::INTERNAL_ERROR;
