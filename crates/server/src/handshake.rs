//! Between accept and the first request, where TLS is spoken: the handshake.
//!
//! One takes as long as many requests: keys are agreed upon and something is signed. So a turn takes on only some of them, behind all else
//! that it has to do; the others wait, and those whose handshake is complete are served between. What a client sends meanwhile is not received.

use std::io;
use std::rc::Rc;

use gannet_core::Arrival;
use gannet_engine::{Block, Chunk, Output};
use gannet_link::{Fault, FaultKind};

use crate::close;
use crate::connection::{Connection, Stage};
use crate::h2::Multiplexed;
use crate::local::Local;
use crate::wire::Wire;

/// What is kept of a connection until its handshake is complete.
#[derive(Default)]
pub(crate) struct Handshake {
    /// Received, and not opened yet.
    held: Vec<Block>,
    /// It is in the queue of those that wait for their turn.
    waits: bool,
    /// The engine does not give us what it receives.
    paused: bool,
    /// The client has sent something.
    begun: bool,
    /// The peer sends no more.
    peer_ended: bool,
    /// The engine has an output of ours.
    sending: bool,
    /// What is said at last, before the connection ends. Empty once the engine has it.
    farewell: Option<Box<Output>>,
}

/// Blocks that a client may send ahead of its turn.
const HELD_BLOCKS: usize = 2;

/// What a client is told that speaks HTTP without TLS. No client that speaks TLS takes it for anything.
const SPEAK_TLS: &str = "400 Bad Request: this port speaks TLS: use https:// in the place of http://\n";

/// Bytes arrived: the connection waits for its turn.
pub(crate) fn received(connection: &mut Connection, block: Block, local: &mut Local) {
    let Stage::Handshaking(handshake) = &mut connection.stage else { return };
    if handshake.farewell.is_some() {
        return;
    }
    handshake.begun = true;
    handshake.held.push(block);
    if !handshake.waits {
        handshake.waits = true;
        local.handshakes.push_back(connection.socket);
    }
    if handshake.held.len() >= HELD_BLOCKS && !handshake.paused {
        handshake.paused = true;
        local.engine.pause(connection.socket);
    }
}

/// The connection's turn has come.
pub(crate) fn advance(connection: &mut Connection, local: &mut Local) {
    let Stage::Handshaking(handshake) = &mut connection.stage else { return };
    handshake.waits = false;
    let Some(tls) = &mut connection.tls else { return };
    let (mut plain, mut established) = (None::<Chunk>, false);
    for block in std::mem::take(&mut handshake.held) {
        match tls.open(block) {
            Ok(arrived) => {
                established |= arrived.opened.established;
                handshake.peer_ended |= arrived.opened.peer_closed;
                plain = match (plain, arrived.plain) {
                    (Some(before), Some(more)) => Some(before.followed_by(&more)),
                    (before, more) => before.or(more),
                };
            }
            Err(fault) => return fail(connection, &fault, local),
        }
    }
    if established {
        return serve(connection, plain, local);
    }
    if handshake.peer_ended {
        return give_up(connection, local);
    }
    if std::mem::take(&mut handshake.paused) {
        local.engine.receive(connection.socket);
    }
    say(connection, local);
}

/// The handshake is complete: what comes now are requests.
fn serve(connection: &mut Connection, plain: Option<Chunk>, local: &mut Local) {
    let told = connection.tls.as_ref().and_then(|tls| tls.told());
    let resumed = told.as_ref().is_some_and(|told| told.resumed);
    let counters = &local.observer.counters;
    if resumed { &counters.handshakes_resumed } else { &counters.handshakes_full }.add(1);
    connection.facts.spoke = plain.is_some();
    connection.facts.arrival = Rc::new(Arrival { tls: told, ..Arrival::clone(&connection.facts.arrival) });
    let mut wire = Wire::default();
    wire.connect(&connection.facts.arrival);
    wire.input = plain;
    if let Stage::Handshaking(handshake) = &connection.stage {
        (wire.sending, wire.receiving) = (handshake.sending, !handshake.paused);
        wire.peer_ended = handshake.peer_ended;
    }
    local.timers.clear(connection.socket.index);
    let stage = match connection.tls.as_ref().is_some_and(|tls| tls.speaks_http2()) {
        true => Stage::Multiplexed(Box::new(Multiplexed::new(wire, local))),
        false => {
            let mut active = local.take_active();
            active.wire = wire;
            Stage::Active(active)
        }
    };
    connection.enter(stage, local);
    // There is something to be sent as a rule: the end of the handshake, or tickets.
    connection.advance(local);
}

/// The handshake broke: the client is told, as far as it can be, and the connection ends.
fn fail(connection: &mut Connection, fault: &Fault, local: &mut Local) {
    tracing::debug!(%fault, "a handshake failed");
    local.observer.counters.handshakes_failed.add(1);
    let mut farewell = local.take_output();
    if fault.kind == FaultKind::PlainHttp {
        let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n";
        let length = SPEAK_TLS.len();
        let text = format!("{head}Content-Length: {length}\r\nConnection: close\r\n\r\n{SPEAK_TLS}");
        farewell.bytes().extend_from_slice(text.as_bytes());
    }
    if let Some(tls) = &mut connection.tls {
        tls.flush(&mut farewell);
    }
    let Stage::Handshaking(handshake) = &mut connection.stage else { return };
    handshake.farewell = Some(farewell);
    say(connection, local);
}

/// Sends what there is to say, unless the engine has something of ours already.
fn say(connection: &mut Connection, local: &mut Local) {
    let (socket, Stage::Handshaking(handshake)) = (connection.socket, &mut connection.stage) else { return };
    if handshake.sending {
        return;
    }
    let output = match &mut handshake.farewell {
        Some(farewell) if farewell.is_empty() => return end(connection, local),
        Some(farewell) => std::mem::take(farewell),
        None => {
            let Some(tls) = connection.tls.as_mut().filter(|tls| tls.wants_to_send()) else { return };
            let mut output = local.take_output();
            tls.flush(&mut output);
            output
        }
    };
    handshake.sending = true;
    local.engine.send(socket, output);
}

/// The kernel took some of it.
pub(crate) fn sent(
    connection: &mut Connection,
    output: Box<Output>,
    result: &io::Result<u64>,
    local: &mut Local,
) {
    let (socket, Stage::Handshaking(handshake)) = (connection.socket, &mut connection.stage) else {
        return local.recycle_output(output);
    };
    match result {
        Ok(_) if !output.is_empty() => return local.engine.send(socket, output),
        Ok(_) => handshake.sending = false,
        Err(_) => give_up(connection, local),
    }
    local.recycle_output(output);
    say(connection, local);
}

/// The peer sends no more. What it sent before still waits for its turn, perhaps.
pub(crate) fn ended(connection: &mut Connection, local: &mut Local) {
    let Stage::Handshaking(handshake) = &mut connection.stage else { return };
    handshake.peer_ended = true;
    if !handshake.waits && handshake.farewell.is_none() {
        give_up(connection, local);
    }
}

/// The handshake will not be completed. One that was not begun is none: somebody looked whether the port is open.
pub(crate) fn give_up(connection: &mut Connection, local: &mut Local) {
    if let Stage::Handshaking(handshake) = &connection.stage
        && handshake.begun
        && handshake.farewell.is_none()
    {
        local.observer.counters.handshakes_failed.add(1);
    }
    close::now(connection, local);
}

/// All is said: what the client still sends is discarded for a while, so that it reads what was said (RFC 9112, 9.6).
fn end(connection: &mut Connection, local: &mut Local) {
    let Stage::Handshaking(handshake) = &connection.stage else { return };
    if handshake.peer_ended {
        return close::now(connection, local);
    }
    if handshake.paused {
        local.engine.receive(connection.socket);
    }
    close::linger(connection, local);
}
