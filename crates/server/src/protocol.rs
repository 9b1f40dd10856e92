//! Steps 3 and 4, choose and parse: bytes become events of the protocol, and events find their exchange.
//!
//! A client chooses HTTP/2 in the handshake of TLS, or by its preface; else it is HTTP/1.1 that is parsed here.

use gannet_core::{BodyError, Chunk, Fields};
use gannet_engine::SocketId;
use gannet_proto::h1::{Error, Event, ResponseToSend};
use gannet_proto::h2::PREFACE;
use gannet_proto::{Head, Status};

use crate::connection::{Active, Exchange, Facts, Making, Turned};
use crate::h2::{Offer, offer};
use crate::local::Local;
use crate::observe::Limit;
use crate::wire::Fate;
use crate::{deadline, exchange, respond};

/// Parses what has arrived, as far as there is somewhere to put it.
#[inline(always)]
pub(crate) fn read(active: &mut Active, socket: SocketId, facts: &Facts, local: &mut Local) {
    while wants_input(active, local) {
        let input = active.wire.input.take();
        let bytes: &[u8] = input.as_deref().unwrap_or_default();
        let event = active.protocol.handle(bytes, &mut active.head);
        match event {
            Ok(Event::Need { consumed }) => {
                active.in_head = active.exchange.is_none();
                active.wire.input = rest(input, consumed);
                break;
            }
            Ok(Event::Head { consumed }) => {
                let text = input.as_ref().expect("a head has bytes").slice(0..consumed);
                active.wire.input = rest(input, consumed);
                if active.head.upgrade
                    && let Some(offer) = offer(&active.head, &text, active.wire.is_secure, facts, local)
                {
                    return switch(active, offer, local);
                }
                exchange::begin(active, text, socket, facts, local);
            }
            Ok(Event::Data { start, end }) => {
                let data = input.as_ref().expect("data are bytes").slice(start..end);
                active.wire.input = rest(input, end);
                body_arrived(active, data, local);
            }
            Ok(Event::End { consumed }) => {
                let trailers = trailers(&active.head, bytes);
                active.wire.input = rest(input, consumed);
                active.body_deadline = None;
                if let Some(exchange) = &active.exchange {
                    exchange.incoming.end(Ok(()), trailers);
                }
            }
            Err(error) => match preface(active, facts, bytes) {
                None => refuse(active, error, bytes, local),
                Some(is_whole) => {
                    active.turned = is_whole.then_some(Turned::Http2(None));
                    active.wire.input = input;
                    return;
                }
            },
        }
    }
}

/// The client's offer to speak HTTP/2 is taken up.
#[cold]
fn switch(active: &mut Active, offer: Offer, local: &mut Local) {
    let output = active.wire.output(local).bytes();
    let fields = b"Upgrade: h2c\r\n";
    let head = ResponseToSend { status: Status::SWITCHING_PROTOCOLS, fields, length: None, date: None };
    active.protocol.respond(head, output);
    active.turned = Some(Turned::Http2(Some(Box::new(offer))));
}

/// Whether what is no request of HTTP/1.1 is the preface of HTTP/2, as a whole or a part of it: by prior knowledge a client begins with that
/// (RFC 9113, 3.3).
#[cold]
fn preface(active: &mut Active, facts: &Facts, bytes: &[u8]) -> Option<bool> {
    let wire = &active.wire;
    let is_first = !facts.http1_only && wire.is_first && wire.position() == 0 && active.exchange.is_none();
    let is_whole = bytes.starts_with(PREFACE);
    if !is_first || !is_whole && !PREFACE.starts_with(bytes) {
        return None;
    }
    active.protocol.restart();
    active.head.clear();
    active.in_head = true;
    Some(is_whole)
}

/// Whether there is something to parse, and somewhere to put it. After [`read`]: whether the parser needs more than has come.
#[inline]
pub(crate) fn wants_input(active: &Active, local: &Local) -> bool {
    if active.wire.fate != Fate::Serve || active.turned.is_some() {
        return false;
    }
    match &active.exchange {
        None => active.wire.input.is_some() && !awaits_room(active, local),
        Some(_) => !active.protocol.reading_ended() && active.has_window(local),
    }
}

/// Whether something that arrived (a body's end is not of bytes) waits for us and not for the client: for responses to be sent,
/// or for the body to be read.
pub(crate) fn awaits_room(active: &Active, local: &Local) -> bool {
    let room = match &active.exchange {
        None => !active.wire.sending && active.wire.queued() < local.limits.output_bytes,
        Some(_) => active.protocol.reading_ended() || active.has_window(local),
    };
    let arrived = active.wire.input.is_some() || active.protocol.body_remaining() == Some(0);
    arrived && !room && active.wire.fate == Fate::Serve
}

fn body_arrived(active: &mut Active, data: Chunk, local: &Local) {
    if let Some(deadline) = active.body_deadline {
        active.body_deadline = Some(deadline::earned(deadline, data.len(), local));
    }
    let Some(exchange) = &mut active.exchange else { return };
    // The client did not wait to be asked (RFC 9110, 10.1.1).
    exchange.expects_continue = false;
    if exchange.incoming.is_abandoned() {
        active.discarded += data.len() as u64;
        if active.discarded > local.limits.discard_bytes && active.protocol.keep_alive() {
            local.observer.hit(Limit::DISCARD_BYTES);
            active.protocol.close();
        }
    }
    exchange.incoming.push(data);
}

/// The peer has sent all it will: what that means for what was begun. A handler was polled before it comes to this.
pub(crate) fn no_more(active: &mut Active, local: &mut Local) {
    if !active.wire.peer_ended || active.wire.fate != Fate::Serve || active.turned.is_some() {
        return;
    }
    match &active.exchange {
        // The handler waits for the rest of the body: it hears that there is none, and says so if anybody listens.
        Some(Exchange { making: Making::Waiting(_), incoming, .. }) if incoming.is_awaited() => {
            incoming.end(Err(BodyError::Incomplete), None);
            active.protocol.close();
        }
        // Who waits for a response does not end its half: the peer left.
        Some(Exchange { making: Making::Waiting(_), .. }) => active.cut(local),
        // What came before the end may still wait until there is room to put it, or for the answers before its own.
        _ if awaits_room(active, local) => {}
        // Between requests, or in the middle of a head: what was answered is still sent.
        None => {
            active.wire.fate = if active.wire.has_output() || active.wire.says_its_end() {
                Fate::Finish
            } else {
                Fate::Abort
            }
        }
        // The response is on its way: whoever only ended its half still reads it.
        Some(_) if active.protocol.reading_ended() => {}
        Some(exchange) => {
            exchange.incoming.end(Err(BodyError::Incomplete), None);
            active.protocol.close();
        }
    }
}

/// The peer broke the protocol: says so, if nothing else is being said, and closes.
fn refuse(active: &mut Active, error: Error, text: &[u8], local: &mut Local) {
    active.wire.input = None;
    active.cut_short(BodyError::Malformed);
    tracing::debug!(status = error.status().code(), %error, "refused");
    if let Some(limit) = Limit::behind(error) {
        local.observer.hit(limit);
    }
    respond::refuse(active, error.status(), error.message(), text, local);
}

/// A deadline passed while something was to be received.
pub(crate) fn timed_out(active: &mut Active, message: &str, local: &mut Local) {
    let input = active.wire.input.take();
    active.cut_short(BodyError::Incomplete);
    respond::refuse(active, Status::REQUEST_TIMEOUT, message, input.as_deref().unwrap_or_default(), local);
}

fn trailers(head: &Head, bytes: &[u8]) -> Option<Fields> {
    if head.fields.is_empty() {
        return None;
    }
    let mut trailers = Fields::new();
    for field in &head.fields {
        let name = std::str::from_utf8(field.name.of(bytes)).unwrap_or_default();
        // What no response could say (framing) is of no use in trailers either.
        let _ = trailers.append(name, field.value.of(bytes));
    }
    Some(trailers)
}

#[inline(always)]
fn rest(input: Option<Chunk>, consumed: usize) -> Option<Chunk> {
    let mut input = input?;
    input.advance(consumed);
    (!input.is_empty()).then_some(input)
}
