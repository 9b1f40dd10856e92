//! Again or end: what a connection does when it has gone as far as it goes.

use std::time::Duration;

use gannet_core::UpstreamError;

use crate::connection::{Connection, Stage};
use crate::local::{Lent, Local};
use crate::{deadline, h2, link};

/// How long the socket may take to take the word that nothing more is sent.
const PARTING: Duration = Duration::from_secs(1);

/// Ends the exchange, or says what it waits for.
pub(crate) fn settle(connection: &mut Connection, local: &mut Local, lent: &mut Lent<'_>) {
    let Stage::Active(active) = &mut connection.stage else { return };
    if let Some(error) = active.wire.broken.take() {
        connection.tell(error, local);
        return close(connection, local, lent);
    }
    // Whoever has read a tunnel's half to its end leaves that half only.
    let heard_all = active.upgraded && active.wire.peer_ended && active.wire.input.is_none();
    if active.exchange.is_abandoned() && !active.protocol.reading_ended() && !heard_all {
        return end(connection, local, lent);
    }
    if active.upgraded {
        return tunnel(connection, local, lent);
    }
    if !active.protocol.reading_ended() {
        return wait(connection, local, lent);
    }
    if !active.protocol.writing_ended() {
        // The answer came before the request was sent: it is valid, and the rest of the request is not wanted (RFC 9112, 9.3).
        return end(connection, local, lent);
    }
    if !active.wire.has_output() || active.wire.send_broken {
        over(connection, local, lent);
    } else {
        wait(connection, local, lent);
    }
}

/// Both halves have ended: the connection waits in its pool, if it may.
fn over(connection: &mut Connection, local: &mut Local, lent: &mut Lent<'_>) {
    let Stage::Active(active) = &mut connection.stage else { return };
    let kept = active.protocol.keep_alive()
        && !active.wire.peer_ended
        && !active.wire.send_broken
        && active.wire.input.is_none()
        && connection.upstream.proxy_protocol.is_none()
        && !local.draining;
    let pool = local.pools.of(&connection.upstream);
    if !kept || pool.idle.len() >= local.limits.upstream_idle_connections {
        return end(connection, local, lent);
    }
    pool.idle.push(connection.socket);
    if !active.wire.receiving {
        lent.engine.receive(connection.socket);
    }
    local.calls.over(&connection.upstream);
    connection.reused = true;
    if let Stage::Active(active) = std::mem::replace(&mut connection.stage, Stage::Idle(lent.now())) {
        local.recycle_active(active);
    }
    deadline::idle(connection, local, lent);
}

/// The exchange ends here, and the connection with it.
fn end(connection: &mut Connection, local: &mut Local, lent: &mut Lent<'_>) {
    let Stage::Active(active) = &mut connection.stage else { return };
    if let Some(call) = active.exchange.call.take() {
        call.recycle();
    }
    local.calls.over(&connection.upstream);
    close(connection, local, lent);
}

/// In a tunnel each half ends by itself.
fn tunnel(connection: &mut Connection, local: &mut Local, lent: &mut Lent<'_>) {
    let Stage::Active(active) = &mut connection.stage else { return };
    let sent = active.exchange.body.is_none() && !active.wire.has_output();
    if sent && !active.half_closed {
        active.half_closed = true;
        // Over TLS that we send no more is said, and the connection goes on.
        active.wire.sending = link::take_leave(&mut connection.tls, connection.socket, local, lent);
        if !active.wire.sending {
            lent.engine.shutdown(connection.socket);
        }
    }
    if sent && active.wire.peer_ended && active.wire.input.is_none() {
        return end(connection, local, lent);
    }
    wait(connection, local, lent);
}

/// Receives while there is somewhere to put it, and sets the deadline.
fn wait(connection: &mut Connection, local: &mut Local, lent: &mut Lent<'_>) {
    let Stage::Active(active) = &mut connection.stage else { return };
    let window = active.exchange.has_window(local, lent);
    if !window && let Some(incoming) = &active.exchange.incoming {
        incoming.throttle();
    }
    let wanted = window && !active.wire.peer_ended;
    if wanted != active.wire.receiving {
        active.wire.receiving = wanted;
        if wanted {
            active.wire.progress = lent.now();
            lent.engine.receive(connection.socket);
        } else {
            lent.engine.pause(connection.socket);
        }
    }
    deadline::set(connection, local, lent);
}

/// Closes a connection, whatever it was doing; who waits for it was told.
pub(crate) fn close(connection: &mut Connection, local: &mut Local, lent: &mut Lent<'_>) {
    match std::mem::replace(&mut connection.stage, Stage::Closed) {
        Stage::Closed => return,
        Stage::Idle(_) => {
            local.pools.of(&connection.upstream).forget(connection.socket);
            let said = link::take_leave(&mut connection.tls, connection.socket, local, lent);
            return part(connection, said, lent);
        }
        Stage::Active(mut active) => {
            // Nobody is left waiting, whatever was forgotten.
            active.exchange.cut(&UpstreamError::Closed);
            local.recycle_active(active);
        }
        multiplexed @ Stage::Multiplexed(_) => {
            connection.stage = multiplexed;
            return h2::close(connection, local, lent);
        }
        Stage::Connecting(_) | Stage::Leaving(_) | Stage::Parting => {}
    }
    part(connection, false, lent);
}

/// Closes a connection that nothing is left of: once the socket has taken what was said at last, if something was.
pub(crate) fn part(connection: &mut Connection, said: bool, lent: &mut Lent<'_>) {
    if said {
        connection.stage = Stage::Parting;
        return lent.timers.set(connection.socket.index, lent.now().after(PARTING));
    }
    lent.timers.clear(connection.socket.index);
    lent.engine.close(connection.socket);
}
