//! What a client's connections share, and what the worker lends.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use gannet_core::{Call, Counter, Counters, Incoming, UpstreamError, UpstreamFailure};
use gannet_engine::{Engine, Moment, Output, SocketId, Timers};
use gannet_link::Scratch;
use gannet_proto::scan::Level;
use gannet_proto::{h1, h2};

use crate::calls::Calls;
use crate::connection::Active;
use crate::h2::Stream;
use crate::limits::Limits;
use crate::pool::Pools;
use crate::takeover::Takeover;

/// Recycled things of each kind that are kept.
const KEPT: usize = 1024;

/// How many bodies are looked at for one that its reader has let go of.
const LOOKED_AT: usize = 4;

/// What the worker lends its client for a while: the engine, and what comes with the engine's slots.
pub struct Lent<'a> {
    /// The worker's engine.
    pub engine: &'a mut Engine,
    /// A deadline for each slot.
    pub timers: &'a mut Timers,
    /// A waker for each slot.
    pub wakers: &'a mut dyn SlotWakers,
}

/// Wakers of the engine's slots, and of exchanges that share a connection.
pub trait SlotWakers {
    /// The waker of a slot: the worker then takes the slot's connection on.
    fn waker(&mut self, index: u32) -> Waker;

    /// Leases a waker for one exchange of a slot's connection, and gives its number: the worker then tells which exchange was woken
    /// ([`Client::exchange_woken`](crate::Client::exchange_woken)).
    fn lease(&mut self, index: u32, exchange: u32) -> u32;

    /// The waker of this number.
    fn leased(&self, number: u32) -> Waker;

    /// Gives it back.
    fn release(&mut self, number: u32);
}

/// A client, but for its connections.
pub(crate) struct Local {
    pub(crate) calls: Rc<Calls>,
    pub(crate) pools: Pools,
    pub(crate) takeover: Arc<Takeover>,
    pub(crate) limits: Limits,
    pub(crate) counters: Rc<dyn Counters>,
    /// No connection is kept any more.
    pub(crate) draining: bool,
    /// Where pieces become one record of TLS.
    pub(crate) scratch: Scratch,
    protocol_limits: gannet_proto::Limits,
    level: Level,
    #[expect(clippy::vec_box, reason = "the boxes are what is recycled: they go to the engine and back")]
    outputs: Vec<Box<Output>>,
    #[expect(clippy::vec_box, reason = "the boxes are what is recycled")]
    actives: Vec<Box<Active>>,
    /// Let go of here; their readers may have them still.
    incomings: VecDeque<Rc<Incoming>>,
    #[expect(clippy::vec_box, reason = "the boxes are what is recycled")]
    streams: Vec<Box<Stream>>,
    /// Connections of HTTP/2 that calls were put on, and that are to be taken on.
    pub(crate) joined: Vec<SocketId>,
    /// What hashes begin with.
    seed: u64,
}

impl Lent<'_> {
    /// The time as of the present turn.
    #[inline]
    pub(crate) fn now(&self) -> Moment {
        self.engine.now().moment
    }

    /// Whether more may be received than what each connection has a block for.
    #[inline]
    pub(crate) fn has_shared_blocks(&self) -> bool {
        let pool = self.engine.pool();
        pool.in_use() < pool.limit() / 2
    }
}

impl Local {
    pub(crate) fn new(
        limits: Limits,
        protocol_limits: gannet_proto::Limits,
        level: Level,
        takeover: Arc<Takeover>,
        counters: Rc<dyn Counters>,
    ) -> Local {
        Local {
            calls: Rc::default(),
            pools: Pools::default(),
            takeover,
            limits,
            counters,
            draining: false,
            scratch: Scratch::default(),
            protocol_limits,
            level,
            outputs: Vec::new(),
            actives: Vec::new(),
            incomings: VecDeque::new(),
            streams: Vec::new(),
            joined: Vec::new(),
            seed: RandomState::new().hash_one(0_u64),
        }
    }

    /// The protocol of a connection of HTTP/2.
    pub(crate) fn h2(&self) -> h2::Client {
        h2::Client::new(self.limits.h2(), self.seed).with_level(self.level)
    }

    /// Ends a call for which nobody waits any more.
    pub(crate) fn forget(&mut self, call: Rc<Call>) {
        self.calls.over(&call.upstream());
        call.recycle();
    }

    /// Answers a call of which nothing was sent.
    pub(crate) fn refuse(&mut self, call: Rc<Call>, error: UpstreamError) {
        self.counters.add(Counter::UpstreamFailed, 1);
        let upstream = call.upstream();
        let unsent = call.take_request(None).map(Box::new);
        call.answer(Err(UpstreamFailure { error, unsent }));
        call.recycle();
        self.calls.over(&upstream);
    }

    pub(crate) fn take_stream(&mut self) -> Box<Stream> {
        self.streams.pop().unwrap_or_default()
    }

    pub(crate) fn recycle_stream(&mut self, stream: Box<Stream>) {
        if self.streams.len() < KEPT {
            self.streams.push(stream);
        }
    }

    pub(crate) fn take_output(&mut self) -> Box<Output> {
        self.outputs.pop().unwrap_or_default()
    }

    pub(crate) fn recycle_output(&mut self, mut output: Box<Output>) {
        if self.outputs.len() < KEPT {
            output.clear();
            self.outputs.push(output);
        }
    }

    pub(crate) fn take_active(&mut self) -> Box<Active> {
        let recycled = self.actives.pop();
        recycled.unwrap_or_else(|| {
            Box::new(Active::new(h1::Client::new(self.protocol_limits).with_level(self.level)))
        })
    }

    pub(crate) fn recycle_active(&mut self, mut active: Box<Active>) {
        active.reset(self);
        if self.actives.len() < KEPT {
            self.actives.push(active);
        }
    }

    /// A body to receive into. Readers let go of them mostly in the order in which they got them.
    #[inline(always)]
    pub(crate) fn take_incoming(&mut self) -> Rc<Incoming> {
        let free = |incoming: &Rc<Incoming>| Rc::strong_count(incoming) == 1;
        let found = self.incomings.iter().take(LOOKED_AT).position(free);
        found.and_then(|index| self.incomings.remove(index)).unwrap_or_default()
    }

    #[inline]
    pub(crate) fn recycle_incoming(&mut self, incoming: Rc<Incoming>) {
        if self.incomings.len() < KEPT {
            self.incomings.push_back(incoming);
        }
    }
}
