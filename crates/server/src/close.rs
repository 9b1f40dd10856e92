//! Step 10, again or end: what a connection does when it has gone as far as it goes.

use gannet_engine::SocketId;

use crate::connection::{Active, Connection, Stage};
use crate::local::Local;
use crate::wire::Fate;
use crate::{deadline, link, protocol};

/// Bytes that a client may send ahead of what is being read.
const AHEAD_BYTES: usize = 16 * 1024;

/// Ends the connection, lets it idle, or says what it waits for.
pub(crate) fn settle(connection: &mut Connection, local: &mut Local) {
    let Stage::Active(active) = &mut connection.stage else { return };
    let sent = !active.wire.sending && active.wire.output.is_none();
    if let Some(tls) = &connection.tls {
        active.in_head |= active.is_at_rest() && tls.is_within_record();
    }
    match active.wire.fate {
        Fate::Abort => now(connection, local),
        Fate::Finish if sent => finish(connection, local),
        Fate::Cut if sent => now(connection, local),
        Fate::Serve if sent && active.is_at_rest() => idle(connection, local),
        _ => {
            credit(active, connection.socket, local);
            deadline::set(active, connection.socket, local);
        }
    }
}

/// Closes at once.
pub(crate) fn now(connection: &mut Connection, local: &mut Local) {
    if matches!(connection.stage, Stage::Closed) {
        return;
    }
    let stage = connection.enter(Stage::Closed, local);
    if let Stage::Active(active) = &stage
        && active.ends_with_connection
    {
        // The body's end is the connection's: a client of HTTP/1.0 takes any other for it (RFC 9112, 8).
        local.engine.reset(connection.socket);
    }
    leave(stage, local);
    connection.tls = None;
    local.timers.clear(connection.socket.index);
    local.engine.close(connection.socket);
}

/// All is sent. Our half is shut down first, and what the client still sends is read and discarded for a while: closing with
/// unread bytes would reset the connection, and could take the response with it (RFC 9112, 9.6).
pub(crate) fn finish(connection: &mut Connection, local: &mut Local) {
    if let Stage::Active(active) = &mut connection.stage {
        active.ends_with_connection = false;
    }
    let Some(wire) = connection.stage.wire() else { return };
    if wire.peer_ended {
        now(connection, local);
        return;
    }
    if !wire.receiving {
        local.engine.receive(connection.socket);
    }
    linger(connection, local);
}

/// Our half ends, and what the client still sends is discarded until its own ends, or for a while.
pub(crate) fn linger(connection: &mut Connection, local: &mut Local) {
    local.engine.shutdown(connection.socket);
    let stage = connection.enter(Stage::Lingering, local);
    leave(stage, local);
    connection.tls = None;
    local.timers.set(connection.socket.index, local.now().after(local.limits.linger_timeout));
}

/// What was kept while something went on is let go.
fn leave(stage: Stage, local: &mut Local) {
    match stage {
        Stage::Active(active) => local.recycle_active(active),
        Stage::Multiplexed(mut multiplexed) => multiplexed.end(local),
        Stage::Conversing(conversing) => conversing.end(local),
        _ => {}
    }
}

/// An idle connection has idled long enough. By TLS it is told so: then the client does not take it for something that went wrong.
pub(crate) fn idle_no_more(connection: &mut Connection, local: &mut Local) {
    if connection.tls.is_none() {
        return now(connection, local);
    }
    link::begin(connection, local).wire.fate = Fate::Finish;
    connection.advance(local);
}

/// Waits for the next request, holding nothing.
fn idle(connection: &mut Connection, local: &mut Local) {
    let Stage::Active(active) = connection.enter(Stage::Idle, local) else { return };
    if !active.wire.receiving {
        local.engine.receive(connection.socket);
    }
    local.recycle_active(active);
    if connection.facts.spoke {
        deadline::await_next_request(connection, local);
    } else {
        deadline::await_first_request(connection, local);
    }
}

/// Receives while there is somewhere to put it.
fn credit(active: &mut Active, socket: SocketId, local: &mut Local) {
    let ahead = active.wire.input.as_ref().map_or(0, |input| input.len());
    let window = active.protocol.reading_ended() || active.has_window(local);
    // What the parser needs is not ahead, however much of it there is: its own limits bound that.
    let room = ahead < AHEAD_BYTES || protocol::wants_input(active, local);
    let wanted = !active.wire.peer_ended && room && window;
    if let Some(exchange) = &active.exchange
        && (!window || exchange.expects_continue)
    {
        exchange.incoming.throttle();
    }
    if wanted == active.wire.receiving {
        return;
    }
    active.wire.receiving = wanted;
    if wanted {
        local.engine.receive(socket);
        if active.protocol.is_reading_body() {
            active.body_deadline = Some(deadline::first_of_body(local));
        }
    } else {
        local.engine.pause(socket);
        active.body_deadline = None;
    }
}

impl Active {
    /// Whether nothing is begun and nothing waits.
    fn is_at_rest(&self) -> bool {
        self.exchange.is_none() && self.wire.input.is_none() && !self.in_head
    }
}
