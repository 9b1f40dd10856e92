//! HTTP/2: the walk of a connection that many exchanges share.
//!
//! | step | file | in → out |
//! |---|---|---|
//! | 3, 4 choose, parse | `read` | bytes → events of the protocol, each for one stream |
//! | 5 exchange, 7 handle | `stream` | head → `Request`, and its stream, whose handler is polled when it was woken |
//! | 8 respond | `respond`, then `pull`, in the order of `schedule` | responses → frames, as the windows allow |
//! | 10 again or end, of a stream | `end` | both halves have ended, or it is reset: the handler's future is dropped |
//! | 10 again or end, of the connection | `settle` | idle, a deadline, or the end, which the client is told beforehand |
//!
//! Receiving, routing, handling and sending are those of every connection. All frames of a turn go into one output. A stream that was answered at once
//! is never kept: most requests cost no more than the frames they are made of.

mod end;
mod promise;
mod pull;
mod read;
mod respond;
mod schedule;
mod settle;
mod stream;
mod upgrade;

use std::time::Duration;

use gannet_engine::{Moment, SocketId};
use gannet_proto::{Head, h2};

use crate::connection::Facts;
use crate::local::Local;
use crate::observe::ConnectionState;
use crate::wire::{Fate, Wire};

use promise::Promised;
use schedule::Schedule;
pub(crate) use settle::{drain, passed, settle};
pub(crate) use stream::Stream;
pub(crate) use upgrade::{Offer, offer};

/// How often a client may anew send as many frames that bring nothing as the limits allow (`gannet_proto::h2::limits`).
const REFILLED_EVERY: Duration = Duration::from_secs(10);

/// What is kept of a connection by HTTP/2, also while it idles.
pub(crate) struct Multiplexed {
    pub(crate) wire: Wire,
    protocol: h2::Server,
    /// What the next head, or trailers, are parsed into.
    head: Box<Head>,
    /// Exchanges that are not over, by the protocol's slots.
    streams: Vec<Option<Box<Stream>>>,
    /// How many those are.
    open: usize,
    /// Those whose handler or body was woken.
    due: Vec<u32>,
    /// Those that have something to send.
    schedule: Schedule,
    /// What clients were promised and is not begun yet.
    promised: Vec<Promised>,
    /// Bytes of bodies that arrived and were not read yet.
    held: u64,
    /// When the client must have completed what it began: its preface, a head, or any other frame but content.
    head_deadline: Option<Moment>,
    /// No stream has a deadline before this.
    streams_deadline: Moment,
    /// When what it has spent of its budgets is forgotten.
    refill: Moment,
    /// When the client is told which of its streams are the last.
    farewell: Option<Moment>,
    /// It is counted as being idle.
    counted_idle: bool,
}

/// Memory that a connection works in while something goes on, and others while it idles.
#[derive(Default)]
pub(crate) struct Workspace {
    memory: h2::Memory,
    streams: Vec<Option<Box<Stream>>>,
    due: Vec<u32>,
    schedule: Schedule,
}

impl Multiplexed {
    /// A connection that begins. What is said first is in its output.
    pub(crate) fn new(mut wire: Wire, local: &mut Local) -> Multiplexed {
        let mut protocol = h2::Server::new(local.limits.h2, local.seed).with_level(local.level);
        protocol.start(wire.output(local).bytes());
        let farewell = local.draining.then(|| local.now().after(local.limits.drain_grace));
        if local.draining {
            protocol.go_away(wire.output(local).bytes());
        }
        Multiplexed {
            wire,
            protocol,
            farewell,
            head: local.heads.take(),
            streams: Vec::new(),
            open: 0,
            due: Vec::new(),
            schedule: Schedule::default(),
            promised: Vec::new(),
            held: 0,
            head_deadline: None,
            streams_deadline: Moment::NEVER,
            refill: local.now().after(REFILLED_EVERY),
            counted_idle: false,
        }
    }

    /// The walk, from the bytes that came to those that are to go.
    pub(crate) fn advance(&mut self, socket: SocketId, facts: &Facts, local: &mut Local) {
        if self.refill <= local.now() {
            self.protocol.refill();
            self.refill = local.now().after(REFILLED_EVERY);
        }
        if self.counted_idle && self.wire.input.is_some() {
            self.resume(local);
        }
        loop {
            read::read(self, socket, facts, local);
            let is_held_up = self.wire.input.is_some() && !read::wants_input(self, local);
            self.take_due(local);
            promise::begin(self, socket, facts, local);
            pull::pull(self, local);
            if !is_held_up || !self.has_room_again(local) {
                break;
            }
        }
        read::no_more(self, local);
        if self.open == 0 && self.protocol.is_closing() && self.wire.fate == Fate::Serve {
            self.wire.fate = Fate::Finish;
        }
        if self.wire.fate == Fate::Serve {
            self.protocol.update_windows(self.wire.output(local).bytes());
        }
    }

    /// Whether what waits to be parsed may be, now that some of what was held is read, or sent.
    fn has_room_again(&mut self, local: &mut Local) -> bool {
        for slot in 0..self.streams.len() as u32 {
            self.credit(slot, local);
        }
        read::wants_input(self, local)
    }

    /// Answers the request that offered HTTP/2, as the first stream.
    pub(crate) fn begin_offered(&mut self, offer: Offer, socket: SocketId, facts: &Facts, local: &mut Local) {
        match self.protocol.upgraded(&offer.settings, offer.head.parts().0.method) {
            Ok(key) => stream::begin(self, key, offer.head, true, socket, facts, local),
            Err(error) => read::fail(self, error, local),
        }
    }

    /// One of its exchanges was woken; says whether it is the first since the connection was last taken on.
    pub(crate) fn note_woken(&mut self, slot: u32) -> bool {
        let Some(Some(stream)) = self.streams.get_mut(slot as usize) else { return false };
        if !std::mem::replace(&mut stream.is_due, true) {
            self.due.push(slot);
        }
        self.due.len() == 1
    }

    /// All of them may have been woken.
    pub(crate) fn all_woken(&mut self) {
        for slot in 0..self.streams.len() as u32 {
            self.note_woken(slot);
        }
    }

    /// Whether it has no exchange, and nothing begun.
    pub(crate) fn is_idle(&self) -> bool {
        self.open == 0 && self.wire.input.is_none()
    }

    /// Something comes again.
    fn resume(&mut self, local: &mut Local) {
        self.counted_idle = false;
        local.observer.counters.moves(Some(ConnectionState::Idle), Some(ConnectionState::Active));
        let Workspace { memory, streams, due, schedule } = local.workspaces.take().unwrap_or_default();
        self.protocol.resume(memory);
        (self.streams, self.due, self.schedule) = (streams, due, schedule);
    }

    /// Nothing is left to be done for a while: others may have what it worked in.
    fn rest(&mut self, local: &mut Local) {
        self.counted_idle = true;
        local.observer.counters.moves(Some(ConnectionState::Active), Some(ConnectionState::Idle));
        let (mut streams, mut due) = (std::mem::take(&mut self.streams), std::mem::take(&mut self.due));
        streams.clear();
        due.clear();
        let (memory, schedule) = (self.protocol.idle(), std::mem::take(&mut self.schedule));
        local.workspaces.keep(Workspace { memory, streams, due, schedule });
        self.streams_deadline = Moment::NEVER;
    }

    /// Ends everything: whoever had a part in it is told.
    pub(crate) fn end(&mut self, local: &mut Local) {
        for slot in 0..self.streams.len() {
            if let Some(stream) = self.streams[slot].take() {
                self.forget(stream, true, local);
            }
        }
        local.heads.give_back(std::mem::take(&mut self.head));
        self.wire.reset(local);
    }
}
