//! Step 10, again or end: what a connection waits for when it has gone as far as it goes, and until when.

use gannet_core::{BodyError, Status};
use gannet_engine::{Moment, SocketId};
use gannet_proto::h2::ErrorCode;

use super::{Multiplexed, read};
use crate::connection::{Connection, Making, Stage};
use crate::local::Local;
use crate::observe::{ConnectionState, Limit};
use crate::wire::Fate;
use crate::{close, deadline, route};

/// Bytes that a client may send ahead of what is being read.
const AHEAD_BYTES: usize = 64 * 1024;

/// Ends the connection, or says what it waits for.
pub(crate) fn settle(connection: &mut Connection, local: &mut Local) {
    let socket = connection.socket;
    let Stage::Multiplexed(multiplexed) = &mut connection.stage else { return };
    let sent = !multiplexed.wire.sending && multiplexed.wire.output.is_none();
    match multiplexed.wire.fate {
        Fate::Abort => close::now(connection, local),
        Fate::Finish if sent => close::finish(connection, local),
        Fate::Cut if sent => close::now(connection, local),
        _ => {
            multiplexed.count(local);
            multiplexed.credit_socket(socket, local);
            multiplexed.set_deadline(socket, local);
        }
    }
}

/// The server ends: nothing new is begun here soon. A client is told first that it will be, and what it has sent by then is served; then
/// which of its streams were the last (RFC 9113, 6.8).
pub(crate) fn drain(connection: &mut Connection, local: &mut Local) {
    let grace = local.now().after(local.limits.drain_grace);
    let Stage::Multiplexed(multiplexed) = &mut connection.stage else { return };
    if multiplexed.farewell.is_none() && multiplexed.wire.fate == Fate::Serve {
        multiplexed.protocol.go_away(multiplexed.wire.output(local).bytes());
        multiplexed.farewell = Some(grace);
        connection.wake(local);
    }
}

/// The connection's timer went off.
pub(crate) fn passed(connection: &mut Connection, local: &mut Local) {
    let now = local.now();
    let Stage::Multiplexed(multiplexed) = &mut connection.stage else { return };
    let due = |deadline: Option<Moment>| deadline.is_some_and(|deadline| deadline <= now);
    if due(multiplexed.wire.write_deadline) {
        local.observer.hit(Limit::WRITE_TIMEOUT);
        tracing::debug!("a client that reads nothing is disconnected");
        multiplexed.wire.fate = Fate::Abort;
    } else if due(multiplexed.head_deadline) {
        local.observer.hit(Limit::HEAD_TIMEOUT);
        multiplexed.give_up(local);
    } else if due(multiplexed.farewell) && !multiplexed.protocol.is_closing() {
        multiplexed.protocol.close(multiplexed.wire.output(local).bytes());
    } else if multiplexed.is_idle() && multiplexed.streams_deadline == Moment::NEVER {
        local.observer.hit(if local.draining { Limit::DRAIN_GRACE } else { Limit::IDLE_TIMEOUT });
        multiplexed.say_farewell(local);
    } else if multiplexed.streams_deadline <= now {
        multiplexed.expire_streams(now, local);
    }
    connection.advance(local);
}

impl Multiplexed {
    /// Takes note of whether it idles. While it does it holds little.
    fn count(&mut self, local: &mut Local) {
        if self.is_idle() && !self.counted_idle {
            self.rest(local);
        }
    }

    /// What it is counted as.
    pub(crate) fn state(&self) -> ConnectionState {
        if self.counted_idle { ConnectionState::Idle } else { ConnectionState::Active }
    }

    /// Receives while there is somewhere to put it.
    fn credit_socket(&mut self, socket: SocketId, local: &mut Local) {
        let ahead = self.wire.input.as_ref().map_or(0, |input| input.len());
        let waits = self.wire.input.is_some() && !read::wants_input(self, local);
        let wanted = !(self.wire.peer_ended || waits || ahead > AHEAD_BYTES);
        if waits && self.held > 0 {
            // Perhaps for blocks, which those who read bodies give back.
            self.streams.iter().flatten().for_each(|stream| stream.incoming.throttle());
        }
        if wanted == self.wire.receiving {
            return;
        }
        self.wire.receiving = wanted;
        if wanted {
            local.engine.receive(socket);
        } else {
            local.engine.pause(socket);
        }
    }

    /// Sets the connection's timer to the earliest of what it waits for.
    fn set_deadline(&mut self, socket: SocketId, local: &mut Local) {
        let (now, limits) = (local.now(), &local.limits);
        // What is left to be parsed, and does not wait for us, is the beginning of a frame.
        let begun = self.protocol.is_within_head() || read::wants_input(self, local);
        self.head_deadline = match begun && self.wire.fate == Fate::Serve {
            true => Some(*self.head_deadline.get_or_insert(now.after(limits.head_timeout))),
            false => None,
        };
        let idle = self.open == 0 && self.head_deadline.is_none() && !self.wire.sending;
        let wait = if local.draining { limits.drain_grace } else { limits.idle_timeout };
        let deadlines = [
            self.head_deadline,
            self.wire.write_deadline,
            self.farewell.filter(|_| !self.protocol.is_closing()),
            idle.then(|| now.after(wait)),
            Some(self.streams_deadline),
        ];
        let earliest = deadlines.into_iter().flatten().min().unwrap_or(Moment::NEVER);
        local.timers.set(socket.index, earliest);
    }

    /// Says which streams were the last, and ends when those are over.
    fn say_farewell(&mut self, local: &mut Local) {
        if !self.protocol.is_closing() {
            self.protocol.close(self.wire.output(local).bytes());
        }
        self.wire.fate = Fate::Finish;
    }

    /// The client does not complete what it began.
    fn give_up(&mut self, local: &mut Local) {
        self.protocol.close(self.wire.output(local).bytes());
        self.forget_all(local);
        self.wire.input = None;
        self.wire.fate = Fate::Finish;
    }

    /// A body came too slowly: the client is told, if nothing else was said.
    fn time_out(&mut self, slot: u32, local: &mut Local) {
        let Some(Some(stream)) = self.streams.get_mut(slot as usize) else { return };
        stream.body_deadline = None;
        stream.incoming.end(Err(BodyError::Incomplete), None);
        if !matches!(stream.making, Making::Waiting(_)) {
            return self.reset(slot, ErrorCode::CANCEL, local);
        }
        self.answer(slot, route::error(Status::REQUEST_TIMEOUT), local);
    }

    /// Ends the streams whose deadlines have passed, and finds the next one.
    fn expire_streams(&mut self, now: Moment, local: &mut Local) {
        self.streams_deadline = Moment::NEVER;
        for slot in 0..self.streams.len() {
            let Some(Some(stream)) = self.streams.get_mut(slot) else { continue };
            if stream.incoming.queued() > 0 && !stream.lingers {
                // It is the handler that does not read: the client may have to wait for it.
                stream.body_deadline = stream.body_deadline.map(|_| deadline::first_of_body(local));
            }
            if stream.incoming.is_abandoned() && !stream.lingers {
                stream.body_deadline = None; // nobody waits for it
            }
            let body = stream.body_deadline.filter(|_| !stream.expects_continue);
            let (body, window) =
                (body.unwrap_or(Moment::NEVER), stream.window_deadline.unwrap_or(Moment::NEVER));
            if window <= now {
                local.observer.hit(Limit::WRITE_TIMEOUT);
                self.reset(slot as u32, ErrorCode::CANCEL, local);
            } else if body <= now && stream.lingers {
                self.end_lingering(slot as u32, local);
            } else if body <= now {
                local.observer.hit(Limit::BODY_GRACE);
                self.time_out(slot as u32, local);
            } else {
                self.streams_deadline = self.streams_deadline.min(body).min(window);
            }
        }
    }
}
