//! HTTP/2: a connection that many exchanges share.
//!
//! | step | file | in → out |
//! |---|---|---|
//! | send | `stream`, then `pull` | a call → its request's head and its stream; its body → frames, as the windows allow, each stream in its turn |
//! | (tunnel) | `tunnel` | a request for another protocol → extended CONNECT, once the upstream has told that it takes that |
//! | receive | `read` | bytes → events of the protocol, each for one stream |
//! | again or end | `settle` | it rests in its pool, has a deadline, or ends, which the upstream is told |
//!
//! All frames of a turn go into one output. What goes wrong with one stream is told its caller, and the upstream by the stream's reset: the connection and
//! all others go on.

mod pull;
mod read;
mod settle;
mod stream;
mod tunnel;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use gannet_core::Upstream;
use gannet_engine::{Chunk, Moment, SocketId};
use gannet_proto::{ResponseHead, h2};

use crate::local::{Lent, Local};
use crate::wire::Wire;

pub(crate) use settle::{close, passed, settle};
pub(crate) use stream::Stream;
use tunnel::HeldBack;

/// How often an upstream may anew send as many frames that bring nothing as the limits allow (`gannet_proto::h2::limits`).
const REFILLED_EVERY: Duration = Duration::from_secs(10);

/// What is kept of a connection of HTTP/2.
pub(crate) struct Multiplexed {
    pub(crate) wire: Wire,
    socket: SocketId,
    upstream: Arc<Upstream>,
    protocol: h2::Client,
    /// What the next head, or trailers, are parsed into.
    head: ResponseHead,
    /// Exchanges that are not over, by the protocol's slots.
    streams: Vec<Option<Box<Stream>>>,
    /// How many those are.
    open: usize,
    /// What waits to be told whether the upstream takes it, in the order in which it came.
    held_back: Vec<HeldBack>,
    /// Those whose caller left, whose body was woken, or whose reader made room.
    due: Vec<u32>,
    /// Those that have something to send, in the order of their turns.
    schedule: VecDeque<u32>,
    /// Bytes of bodies that arrived and were not read yet.
    held: u64,
    /// How often something came.
    arrivals: u64,
    /// When it last did.
    heard: Moment,
    /// It has served requests before those that it serves now.
    reused: bool,
    /// It takes no more requests.
    retired: bool,
    /// No stream has a deadline before this.
    streams_deadline: Moment,
    /// When what the upstream has spent of its budgets is forgotten.
    refill: Moment,
    /// Since when it has had no request, and whether memory that it may need again was given up since.
    resting: Option<(Moment, bool)>,
    /// It is in its pool.
    is_roomy: bool,
}

impl Multiplexed {
    /// A connection that begins. What is said first goes behind what is in its output.
    pub(crate) fn new(
        mut wire: Wire,
        socket: SocketId,
        upstream: Arc<Upstream>,
        local: &mut Local,
        now: Moment,
    ) -> Multiplexed {
        let mut protocol = local.h2();
        protocol.start(wire.output(local).bytes());
        (wire.receiving, wire.progress) = (true, now);
        Multiplexed {
            wire,
            socket,
            upstream,
            protocol,
            head: ResponseHead::default(),
            streams: Vec::new(),
            open: 0,
            held_back: Vec::new(),
            due: Vec::new(),
            schedule: VecDeque::new(),
            held: 0,
            arrivals: 0,
            heard: now,
            reused: false,
            retired: false,
            streams_deadline: Moment::NEVER,
            refill: now.after(REFILLED_EVERY),
            resting: None,
            is_roomy: false,
        }
    }

    /// Something arrived, or was woken: takes all streams as far as they go.
    pub(crate) fn advance(&mut self, local: &mut Local, lent: &mut Lent<'_>) {
        if self.refill <= lent.now() {
            self.protocol.refill();
            self.refill = lent.now().after(REFILLED_EVERY);
        }
        read::read(self, local, lent);
        if !self.held_back.is_empty() {
            self.take_on_held_back(local, lent);
        }
        self.take_due(local, lent);
        pull::pull(self, local, lent);
        read::no_more(self, local, lent);
        if self.wire.broken.is_none() {
            self.protocol.update_windows(self.wire.output(local).bytes());
        }
    }

    /// Bytes arrived.
    pub(crate) fn arrived(&mut self, plain: Chunk, now: Moment) {
        self.arrivals += 1;
        self.heard = now;
        self.wire.arrived(plain, now);
    }

    /// One of its exchanges was woken; says whether it is the first since the connection was last taken on.
    pub(crate) fn note_woken(&mut self, slot: u32) -> bool {
        let Some(Some(stream)) = self.streams.get_mut(slot as usize) else { return false };
        if std::mem::replace(&mut stream.is_due, true) {
            return false;
        }
        self.due.push(slot);
        self.due.len() == 1
    }

    /// All of them may have been woken.
    pub(crate) fn all_woken(&mut self) {
        for slot in 0..self.streams.len() as u32 {
            self.note_woken(slot);
        }
    }

    /// Whether it takes another request.
    pub(crate) fn has_room(&self) -> bool {
        self.takes_more() && self.upstream.proxy_protocol.is_none()
    }

    /// The same, where nothing but the connection counts: one that names a client serves one request, which may be held back.
    fn takes_more(&self) -> bool {
        let is_sound = self.wire.broken.is_none() && !self.wire.send_broken && !self.wire.peer_ended;
        is_sound && !self.retired && self.protocol.may_request() > self.held_back.len()
    }

    /// Whether it has no request, nor any that it holds back.
    fn is_vacant(&self) -> bool {
        self.open == 0 && self.held_back.is_empty()
    }

    /// It takes no more requests, and ends when those that it has are over.
    pub(crate) fn retire(&mut self) {
        self.retired = true;
    }
}
