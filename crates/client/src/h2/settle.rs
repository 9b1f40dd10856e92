//! Again or end: what a connection waits for when it has gone as far as it goes, and until when.

use std::collections::VecDeque;

use gannet_core::UpstreamError;
use gannet_engine::Moment;
use gannet_proto::ResponseHead;

use super::{Multiplexed, Stream, read};
use crate::calls::Attempt;
use crate::connection::{Connection, Stage};
use crate::failure::Reached;
use crate::local::{Lent, Local};
use crate::pool::take_out;
use crate::settle::part;

/// What a stream waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Awaited {
    /// That the upstream asks for the body.
    Continue,
    /// That it opens a window.
    Window,
    /// Its response's head.
    Head,
    /// More of its response.
    More,
}

/// Ends the connection, or says what it waits for.
pub(crate) fn settle(connection: &mut Connection, local: &mut Local, lent: &mut Lent<'_>) {
    let Stage::Multiplexed(multiplexed) = &mut connection.stage else { return };
    if let Some(error) = multiplexed.wire.broken.take() {
        multiplexed.fail_all(&error, local, lent);
        return close(connection, local, lent);
    }
    multiplexed.rest(local, lent);
    if multiplexed.is_done(local) {
        return close(connection, local, lent);
    }
    multiplexed.note_room(local);
    multiplexed.credit_socket(local, lent);
    multiplexed.set_deadline(local, lent);
}

/// Ends a connection: whoever waits for something of it was told. What is to be said is sent, if the socket takes it at once.
pub(crate) fn close(connection: &mut Connection, local: &mut Local, lent: &mut Lent<'_>) {
    let Stage::Multiplexed(mut multiplexed) = std::mem::replace(&mut connection.stage, Stage::Closed) else {
        return;
    };
    multiplexed.fail_all(&UpstreamError::Closed, local, lent);
    multiplexed.leave_pool(local);
    if !multiplexed.protocol.is_closing() {
        multiplexed.protocol.close(multiplexed.wire.output(local).bytes());
    }
    if multiplexed.wire.peer_ended {
        multiplexed.wire.send_broken = true; // nobody is there to be told
    }
    multiplexed.wire.flush(&mut connection.tls, connection.socket, local, lent);
    let said = multiplexed.wire.sending;
    multiplexed.wire.reset(local);
    part(connection, said, lent);
}

/// The connection's timer went off: says so, for the connection to be taken on.
pub(crate) fn passed(connection: &mut Connection, local: &mut Local, lent: &mut Lent<'_>) {
    let now = lent.now();
    let Stage::Multiplexed(multiplexed) = &mut connection.stage else { return };
    if multiplexed.taking().is_some_and(|deadline| deadline <= now) {
        return multiplexed.wire.fail(UpstreamError::SendTimeout);
    }
    multiplexed.expire_held_back(now, local);
    if multiplexed.streams_deadline <= now {
        multiplexed.expire_streams(now, local, lent);
    }
    let limits = &local.limits;
    match &mut multiplexed.resting {
        Some((since, _)) if since.after(limits.upstream_idle_timeout) <= now => multiplexed.retire(),
        Some((since, has_shrunk)) if since.after(limits.upstream_takeover_delay) <= now => {
            *has_shrunk = true;
            multiplexed.shrink();
        }
        _ => {}
    }
}

impl Multiplexed {
    /// What a stream waits for, and until when; nothing while it is ours, or our client's, to go on.
    pub(super) fn awaited(&self, stream: &Stream, local: &Local) -> Option<(Awaited, Moment)> {
        let (timeouts, exchange) = (&self.upstream.timeouts, &stream.exchange);
        let (awaited, wait) = if exchange.awaits_continue {
            (Awaited::Continue, local.limits.upstream_continue_timeout)
        } else if stream.is_blocked {
            (Awaited::Window, timeouts.idle)
        } else if exchange.call.is_some() {
            if exchange.body.is_some() || stream.piece.is_some() {
                return None;
            }
            (Awaited::Head, timeouts.head)
        } else if self.may_come(stream, local) {
            (Awaited::More, timeouts.idle)
        } else {
            return None;
        };
        Some((awaited, stream.progress.after(wait)))
    }

    /// Whether the upstream may send more of a response: it may once half of its window was read.
    fn may_come(&self, stream: &Stream, local: &Local) -> bool {
        let queued = stream.exchange.incoming.as_ref().map_or(0, |incoming| incoming.queued());
        queued < local.limits.stream_window_bytes() as usize / 2 && self.wire.receiving
    }

    /// Ends the streams whose deadlines have passed, and finds the next one. An upstream of which nothing at all has come by this connection meanwhile gets no more
    /// requests by it: it may be gone.
    fn expire_streams(&mut self, now: Moment, local: &mut Local, lent: &mut Lent<'_>) {
        self.streams_deadline = Moment::NEVER;
        for slot in 0..self.streams.len() {
            let Some(stream) = &self.streams[slot] else { continue };
            let Some((awaited, deadline)) = self.awaited(stream, local) else { continue };
            if deadline > now {
                self.streams_deadline = self.streams_deadline.min(deadline);
                continue;
            }
            if awaited == Awaited::Continue {
                self.with(slot as u32, local, lent, |connection, stream, _, lent| {
                    stream.exchange.awaits_continue = false;
                    stream.progress = lent.now();
                    connection.schedule(stream);
                });
                continue;
            }
            // Of a tunnel nobody owes anybody anything.
            let is_owed = awaited != Awaited::More || !stream.is_tunnel;
            self.retired |= is_owed && self.heard <= stream.progress;
            let error = match awaited {
                Awaited::Window => UpstreamError::SendTimeout,
                Awaited::Head => UpstreamError::HeadTimeout,
                Awaited::More | Awaited::Continue => {
                    tracing::warn!(upstream = %self.upstream.address, "an upstream fell silent in the middle of a response");
                    UpstreamError::Closed
                }
            };
            self.fail(slot as u32, error, Reached::Upstream, Attempt::Again, local, lent);
        }
    }

    /// When the socket must have taken more.
    fn taking(&self) -> Option<Moment> {
        self.wire.sending.then(|| self.wire.progress.after(self.upstream.timeouts.idle))
    }

    /// Takes note of whether it has requests.
    fn rest(&mut self, local: &mut Local, lent: &Lent<'_>) {
        let rests = self.is_vacant();
        if rests == self.resting.is_some() {
            return;
        }
        let pool = local.pools.of(&self.upstream);
        if !rests {
            self.resting = None;
            pool.resting -= 1;
            return;
        }
        self.resting = Some((lent.now(), false));
        self.streams_deadline = Moment::NEVER;
        pool.resting += 1;
        if pool.idle.len() + pool.resting > local.limits.upstream_idle_connections {
            self.retire();
        }
    }

    /// Whether it is over: it takes no more requests, and has none.
    fn is_done(&self, local: &Local) -> bool {
        let is_last = self.retired || local.draining || self.wire.send_broken || self.wire.peer_ended;
        let serves_one = self.upstream.proxy_protocol.is_some();
        self.is_vacant() && (is_last || serves_one || self.protocol.may_request() == 0 && self.reused)
    }

    /// Gives up memory that it may not need for a while.
    fn shrink(&mut self) {
        self.protocol.idle();
        self.head = ResponseHead::default();
        (self.streams, self.due, self.schedule) = (Vec::new(), Vec::new(), VecDeque::new());
    }

    /// Takes note in its pool of whether it takes another request.
    pub(crate) fn note_room(&mut self, local: &mut Local) {
        let has_room = self.has_room();
        if has_room == self.is_roomy {
            return;
        }
        self.is_roomy = has_room;
        let pool = local.pools.of(&self.upstream);
        if has_room {
            pool.roomy.push(self.socket);
        } else {
            take_out(&mut pool.roomy, self.socket);
        }
    }

    fn leave_pool(&mut self, local: &mut Local) {
        let pool = local.pools.of(&self.upstream);
        if std::mem::take(&mut self.is_roomy) {
            take_out(&mut pool.roomy, self.socket);
        }
        if self.resting.take().is_some() {
            pool.resting -= 1;
        }
    }

    /// Receives while there is somewhere to put it.
    fn credit_socket(&mut self, local: &Local, lent: &mut Lent<'_>) {
        let waits = self.wire.input.is_some() && !read::wants_input(self, local, lent);
        let wanted = !self.wire.peer_ended && !waits;
        if wanted == self.wire.receiving {
            return;
        }
        self.wire.receiving = wanted;
        if wanted {
            lent.engine.receive(self.socket);
        } else {
            lent.engine.pause(self.socket);
        }
    }

    /// Sets the connection's timer to the earliest of what it waits for.
    fn set_deadline(&self, local: &Local, lent: &mut Lent<'_>) {
        let limits = &local.limits;
        let resting = self.resting.map(|(since, has_shrunk)| match has_shrunk {
            false => since.after(limits.upstream_takeover_delay.min(limits.upstream_idle_timeout)),
            true => since.after(limits.upstream_idle_timeout),
        });
        let deadlines = [self.taking(), resting, self.settings_deadline(), Some(self.streams_deadline)];
        let earliest = deadlines.into_iter().flatten().min().unwrap_or(Moment::NEVER);
        lent.timers.set(self.socket.index, earliest);
    }
}
