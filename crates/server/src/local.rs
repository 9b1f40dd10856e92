//! What the steps of one worker share.

use std::cell::Cell;
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::sync::Arc;

use gannet_core::{Arrival, Counter, Counters, Fields, Heads, Incoming, Networks, Ports, States};
use gannet_engine::{Engine, Moment, Now, Output, SocketId, Timers};
use gannet_link::Scratch;
use gannet_proto::h2::Blocks;
use gannet_proto::scan::Level;

use crate::admission::Admission;
use crate::client::{Client, client};
use crate::clock::TurnClock;
use crate::connection::Active;
use crate::fs::Disk;
use crate::h2::{Stream, Workspace};
use crate::letters::Letters;
use crate::limits::Limits;
use crate::mapped::MappedSends;
use crate::observe::{NO_ROUTE, Observer, WorkerCounters};
use crate::offload::Services;
use crate::pulse::Pulse;
use crate::site::LocalSite;
use crate::wake::Wakers;
use crate::wire::Wire;

/// Recycled things of each kind that a worker keeps.
const KEPT: usize = 1024;

/// A worker, but for its connections: the engine, the site, clocks, and what is recycled.
pub(crate) struct Local {
    pub(crate) engine: Engine,
    pub(crate) timers: Timers,
    pub(crate) wakers: Wakers,
    /// What other threads have to say.
    pub(crate) letters: Arc<Letters>,
    /// Connections to other servers.
    pub(crate) client: Client,
    pub(crate) site: LocalSite,
    pub(crate) limits: Limits,
    pub(crate) mapped_sends: MappedSends,
    pub(crate) level: Level,
    /// Behind one count, since each request has them.
    pub(crate) ports: Rc<Ports>,
    pub(crate) disk: Rc<Disk>,
    pub(crate) heads: Heads,
    /// What requests without a body have in its place: it has ended, and nothing changes that.
    pub(crate) no_body: Rc<Incoming>,
    pub(crate) draining: bool,
    pub(crate) observer: Observer,
    /// Connections whose handshakes wait for their turn.
    pub(crate) handshakes: VecDeque<SocketId>,
    /// Where what becomes one record is put together.
    pub(crate) scratch: Scratch,
    /// Who is let in.
    pub(crate) admission: Arc<Admission>,
    /// When a connection was last turned away for want of a proper PROXY header.
    pub(crate) header_refused_at: Option<Moment>,
    /// What the watchdog sees.
    pub(crate) pulse: Arc<Pulse>,
    /// Whose handler is polled next, or let go.
    pub(crate) route: Cell<u16>,
    pub(crate) clock: Rc<TurnClock>,
    /// The time as the `Date` field has it (RFC 9110, 6.6.1), written once a second.
    pub(crate) date: [u8; 29],
    /// Fields of responses as HTTP/2 encodes them.
    pub(crate) blocks: Blocks,
    /// What hashes of what clients send begin with.
    pub(crate) seed: u64,
    date_second: u64,
    outputs: Spares<Box<Output>>,
    actives: Spares<Box<Active>>,
    pub(crate) streams: Spares<Box<Stream>>,
    pub(crate) workspaces: Spares<Workspace>,
    incomings: Spares<Rc<Incoming>>,
    arrivals: Spares<Rc<Arrival>>,
    wires: Spares<Box<Wire>>,
    /// What a connection tells that has told all.
    pub(crate) no_arrival: Rc<Arrival>,
}

/// Things that were used and will be again.
pub(crate) struct Spares<T>(Vec<T>);

impl<T> Spares<T> {
    pub(crate) fn take(&mut self) -> Option<T> {
        self.0.pop()
    }

    pub(crate) fn keep(&mut self, thing: T) {
        if self.0.len() < KEPT {
            self.0.push(thing);
        }
    }
}

/// The counters port: the worker's own.
struct FeatureCounters(Arc<WorkerCounters>);

impl Counters for FeatureCounters {
    fn add(&self, what: Counter, count: u64) {
        self.0.feature(what).add(count);
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.letters.close();
    }
}

impl Local {
    pub(crate) fn new(
        engine: Engine,
        site: LocalSite,
        limits: Limits,
        wakers: Wakers,
        admission: Arc<Admission>,
        services: &Services,
    ) -> Local {
        let counters = Arc::new(WorkerCounters::new(site.routes()));
        let disk = Rc::new(Disk::new(services.disk.clone(), services.spare_descriptors));
        let cpu = Rc::new(services.cpu.clone());
        let now = engine.now();
        let clock = Rc::new(TurnClock::new(engine.clock(), now));
        let seed = RandomState::new().hash_one(0u64);
        let level = Level::detect();
        let feature_counters = Rc::new(FeatureCounters(counters.clone()));
        let letters = Arc::new(Letters::new(wakers.mailbox().clone()));
        let client = client(&limits, level, feature_counters.clone());
        let mut local = Local {
            letters: letters.clone(),
            timers: Timers::new(now.moment),
            wakers,
            site,
            limits,
            mapped_sends: MappedSends::default(),
            level,
            ports: Rc::new(Ports {
                fs: disk.clone(),
                cpu,
                clock: clock.clone(),
                counters: feature_counters,
                upstreams: client.port(),
                trusted: Rc::default(),
                states: Rc::default(),
                locals: Rc::default(),
                letterbox: letters,
                draining: Rc::default(),
            }),
            client,
            disk,
            heads: Heads::new(limits.connections),
            no_body: Rc::new(Incoming::ended()),
            draining: false,
            observer: Observer { counters, scribe: None, trusted: Rc::default() },
            handshakes: VecDeque::new(),
            scratch: Scratch::default(),
            admission,
            header_refused_at: None,
            pulse: Arc::default(),
            route: Cell::new(NO_ROUTE),
            clock,
            date: [0; 29],
            blocks: Blocks::new(seed),
            seed,
            date_second: u64::MAX,
            outputs: Spares(Vec::new()),
            actives: Spares(Vec::new()),
            streams: Spares(Vec::new()),
            workspaces: Spares(Vec::new()),
            incomings: Spares(Vec::new()),
            arrivals: Spares(Vec::new()),
            wires: Spares(Vec::new()),
            no_arrival: Rc::default(),
            engine,
        };
        local.tell_time(now);
        local
    }

    /// Says which proxies are believed.
    pub(crate) fn trust(&mut self, trusted: &Networks) {
        let trusted = Rc::new(trusted.clone());
        self.observer.trusted = trusted.clone();
        Rc::make_mut(&mut self.ports).trusted = trusted;
    }

    /// What handlers have in common.
    pub(crate) fn share_states(&mut self, states: States) {
        Rc::make_mut(&mut self.ports).states = Rc::new(states);
    }

    /// Takes note of what time it is: once a turn.
    pub(crate) fn tell_time(&mut self, now: Now) {
        self.clock.tell(now);
        if self.date_second != now.unix_seconds() {
            self.date_second = now.unix_seconds();
            gannet_proto::h1::date(now.unix_seconds(), &mut self.date);
        }
    }

    /// The time as the `Date` field has it (RFC 9110, 6.6.1), written once a second; none for a response that brings its own.
    pub(crate) fn date_beside(&self, fields: &Fields) -> Option<&[u8; 29]> {
        (!fields.is_dated()).then_some(&self.date)
    }

    /// Whether blocks may be held beyond the one that is kept for each connection.
    pub(crate) fn has_shared_blocks(&self) -> bool {
        let pool = self.engine.pool();
        pool.in_use() < pool.limit().saturating_sub(self.limits.connections).max(pool.limit() / 2)
    }

    pub(crate) fn now(&self) -> Moment {
        self.engine.now().moment
    }

    pub(crate) fn take_output(&mut self) -> Box<Output> {
        self.outputs.take().unwrap_or_default()
    }

    pub(crate) fn recycle_output(&mut self, mut output: Box<Output>) {
        output.clear();
        self.outputs.keep(output);
    }

    #[inline]
    pub(crate) fn take_active(&mut self) -> Box<Active> {
        let recycled = self.actives.take();
        recycled.unwrap_or_else(|| Box::new(Active::new(self.limits.protocol, self.level)))
    }

    pub(crate) fn recycle_active(&mut self, mut active: Box<Active>) {
        active.reset(self);
        self.actives.keep(active);
    }

    /// What a connection's requests tell of it, in the place of one that is over.
    pub(crate) fn take_arrival(&mut self, arrival: Arrival) -> Rc<Arrival> {
        let mut recycled = self.arrivals.take().unwrap_or_default();
        // Nobody else has what was kept.
        *Rc::make_mut(&mut recycled) = arrival;
        recycled
    }

    /// Keeps it for a later connection, unless a request still has it.
    pub(crate) fn recycle_arrival(&mut self, mut arrival: Rc<Arrival>) {
        if let Some(own) = Rc::get_mut(&mut arrival) {
            *own = Arrival::default();
            self.arrivals.keep(arrival);
        }
    }

    /// What a conversation has while something comes or goes.
    pub(crate) fn take_wire(&mut self) -> Box<Wire> {
        self.wires.take().unwrap_or_default()
    }

    pub(crate) fn recycle_wire(&mut self, mut wire: Box<Wire>) {
        wire.reset(self);
        self.wires.keep(wire);
    }

    pub(crate) fn take_incoming(&mut self) -> Rc<Incoming> {
        self.incomings.take().unwrap_or_default()
    }

    /// Keeps an exchange's incoming half for the next one, unless a handler has kept the body, or it is that of all that have none.
    pub(crate) fn recycle_incoming(&mut self, incoming: Rc<Incoming>) {
        if Rc::strong_count(&incoming) == 1 {
            self.incomings.keep(incoming);
        }
    }
}
