//! Deadlines: what a client must do, and by when.

use std::time::Duration;

use gannet_engine::{Moment, SocketId};

use crate::connection::{Active, Connection, Stage};
use crate::local::Local;
use crate::observe::Limit;
use crate::wire::Fate;
use crate::{close, conversing, h2, handshake, protocol};

/// A new connection: what it has to begin with must be complete.
pub(crate) fn await_beginning(connection: &Connection, local: &mut Local) {
    match connection.stage {
        Stage::Handshaking(_) => await_handshake(connection, local),
        // The PROXY protocol's header is short, and a proxy sends it at once: it has as long as a head has.
        _ => await_first_request(connection, local),
    }
}

/// A new connection that speaks TLS: its handshake must be complete.
fn await_handshake(connection: &Connection, local: &mut Local) {
    local.timers.set(connection.socket.index, local.now().after(local.limits.tls_handshake_timeout));
}

/// A new connection: its first head must be complete.
pub(crate) fn await_first_request(connection: &Connection, local: &mut Local) {
    let wait = if local.draining { local.limits.drain_grace } else { local.limits.head_timeout };
    local.timers.set(connection.socket.index, local.now().after(wait));
}

/// Between requests.
pub(crate) fn await_next_request(connection: &Connection, local: &mut Local) {
    let wait = if local.draining { local.limits.drain_grace } else { local.limits.idle_timeout };
    local.timers.set(connection.socket.index, local.now().after(wait));
}

/// When the first bytes of a body must have come.
pub(crate) fn first_of_body(local: &Local) -> Moment {
    local.now().after(local.limits.body_grace)
}

/// Bytes of a body earn time, at `body_bytes_per_second`, but never more than `body_grace` from now.
pub(crate) fn earned(deadline: Moment, bytes: usize, local: &Local) -> Moment {
    let nanoseconds =
        (bytes as u64).saturating_mul(1_000_000_000) / local.limits.body_bytes_per_second.max(1);
    deadline.after(Duration::from_nanos(nanoseconds)).min(first_of_body(local))
}

/// Sets the connection's timer to the earliest of what it waits for.
pub(crate) fn set(active: &mut Active, socket: SocketId, local: &mut Local) {
    // Behind responses that are not sent yet a head may have come as a whole, and is not looked at.
    if active.in_head && !active.wire.has_output() {
        active.head_deadline.get_or_insert(local.now().after(local.limits.head_timeout));
    } else {
        active.head_deadline = None;
    }
    let [head, body, write] = active.deadlines();
    local.timers.set(socket.index, head.min(body).min(write));
}

impl Active {
    /// Those of the head, the body and the write; [`Moment::NEVER`] where there is none.
    fn deadlines(&self) -> [Moment; 3] {
        let serves = self.wire.fate == Fate::Serve;
        let asked = self.exchange.as_ref().is_some_and(|exchange| !exchange.expects_continue);
        let head = if serves { self.head_deadline } else { None };
        let body = if serves && asked { self.body_deadline } else { None };
        [head, body, self.wire.write_deadline].map(|deadline| deadline.unwrap_or(Moment::NEVER))
    }
}

/// The connection's timer went off.
pub(crate) fn passed(connection: &mut Connection, local: &mut Local) {
    let now = local.now();
    match &mut connection.stage {
        Stage::Closed => {}
        Stage::ProxyHeader(_) => {
            local.observer.hit(Limit::HEAD_TIMEOUT);
            close::now(connection, local);
        }
        Stage::Handshaking(_) => {
            local.observer.hit(Limit::TLS_HANDSHAKE_TIMEOUT);
            handshake::give_up(connection, local);
        }
        Stage::Lingering => {
            local.observer.hit(Limit::LINGER_TIMEOUT);
            close::now(connection, local);
        }
        Stage::Idle => {
            local.observer.hit(match connection.facts.spoke {
                _ if local.draining => Limit::DRAIN_GRACE,
                true => Limit::IDLE_TIMEOUT,
                false => Limit::HEAD_TIMEOUT,
            });
            close::idle_no_more(connection, local);
        }
        Stage::Multiplexed(_) => h2::passed(connection, local),
        Stage::Conversing(_) => conversing::passed(connection, local),
        Stage::Active(active) => {
            let [head, body, write] = active.deadlines().map(|deadline| deadline <= now);
            if write {
                local.observer.hit(Limit::WRITE_TIMEOUT);
                tracing::debug!("a client that reads nothing is disconnected");
                active.abort();
            } else if head && active.wire.input.is_none() {
                local.observer.hit(Limit::HEAD_TIMEOUT);
                active.abort(); // nothing but empty lines: no request has begun
            } else if head {
                local.observer.hit(Limit::HEAD_TIMEOUT);
                active.head_deadline = None;
                protocol::timed_out(active, "the request's head did not come in time", local);
            } else if body {
                local.observer.hit(Limit::BODY_GRACE);
                active.body_deadline = None;
                protocol::timed_out(active, "the request's body came too slowly", local);
            }
            connection.advance(local);
        }
    }
}
