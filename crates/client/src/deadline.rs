//! Deadlines: what an upstream must do, and by when.

use gannet_core::UpstreamError;
use gannet_engine::Moment;

use crate::connection::{Active, Connection, Stage};
use crate::local::{Lent, Local};

/// What a connection waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Awaited {
    /// That the upstream takes what is sent.
    Taking,
    /// That it asks for the body.
    Continue,
    /// Its response's head.
    Head,
    /// More of its response, or of a tunnel's bytes.
    More,
}

/// The connection must be there by then.
pub(crate) fn connect(connection: &Connection, lent: &mut Lent<'_>) {
    let deadline = lent.now().after(connection.upstream.timeouts.connect);
    lent.timers.set(connection.socket.index, deadline);
}

/// A connection that idles is left to others after a while, if there are others, and closed after a longer one.
pub(crate) fn idle(connection: &Connection, local: &Local, lent: &mut Lent<'_>) {
    let wait = match local.takeover.is_shared() {
        true => local.limits.upstream_takeover_delay.min(local.limits.upstream_idle_timeout),
        false => local.limits.upstream_idle_timeout,
    };
    lent.timers.set(connection.socket.index, lent.now().after(wait));
}

/// Sets the connection's timer to what it waits for.
pub(crate) fn set(connection: &Connection, local: &Local, lent: &mut Lent<'_>) {
    let Stage::Active(active) = &connection.stage else { return };
    let deadline = active.awaited(connection, local).map_or(Moment::NEVER, |(_, deadline)| deadline);
    lent.timers.set(connection.socket.index, deadline);
}

impl Active {
    /// What is awaited, and until when; nothing while it is ours, or our client's, to go on.
    fn awaited(&self, connection: &Connection, local: &Local) -> Option<(Awaited, Moment)> {
        let timeouts = &connection.upstream.timeouts;
        let (awaited, wait) = if self.wire.sending && !self.upgraded {
            (Awaited::Taking, timeouts.idle)
        } else if self.exchange.awaits_continue {
            (Awaited::Continue, local.limits.upstream_continue_timeout)
        } else if self.exchange.call.is_some() {
            if self.exchange.body.is_some() && !self.wire.send_broken {
                return None;
            }
            (Awaited::Head, timeouts.head)
        } else if self.wire.receiving || self.upgraded && self.wire.peer_ended {
            // An upstream that has ended its half of a tunnel awaits what our client says.
            (Awaited::More, timeouts.idle)
        } else {
            return None;
        };
        Some((awaited, self.wire.progress.after(wait)))
    }
}

/// The connection's timer went off: says so, for the connection to be taken on.
pub(crate) fn passed(connection: &mut Connection, local: &mut Local, lent: &mut Lent<'_>) {
    let Stage::Active(active) = &connection.stage else { return };
    let due = active.awaited(connection, local).filter(|(_, deadline)| *deadline <= lent.now());
    let Stage::Active(active) = &mut connection.stage else { return };
    match due {
        Some((Awaited::Continue, _)) => active.exchange.awaits_continue = false,
        Some((Awaited::Taking, _)) => active.wire.fail(UpstreamError::SendTimeout),
        Some((Awaited::Head, _)) => active.wire.fail(UpstreamError::HeadTimeout),
        Some((Awaited::More, _)) => {
            tracing::warn!(upstream = %connection.upstream.address, "an upstream fell silent in the middle of a response");
            active.wire.fail(UpstreamError::Closed);
        }
        None => {}
    }
}
