//! What the steps of one worker share.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use gannet_core::{Clock, Heads, Incoming, Ports};
use gannet_engine::{Engine, Moment, Now, Output, Timers};
use gannet_proto::scan::Level;

use crate::connection::Active;
use crate::fs::Disk;
use crate::limits::Limits;
use crate::site::LocalSite;
use crate::wake::Wakers;

/// Recycled things of each kind that a worker keeps.
const KEPT: usize = 1024;

/// A worker, but for its connections: the engine, the site, clocks, and what is recycled.
pub(crate) struct Local {
    pub(crate) engine: Engine,
    pub(crate) timers: Timers,
    pub(crate) wakers: Wakers,
    pub(crate) site: LocalSite,
    pub(crate) limits: Limits,
    pub(crate) level: Level,
    pub(crate) ports: Ports,
    pub(crate) heads: Heads,
    pub(crate) draining: bool,
    clock: Rc<TurnClock>,
    date: [u8; 29],
    date_second: u64,
    outputs: Vec<Box<Output>>,
    actives: Vec<Box<Active>>,
    incomings: Vec<Rc<Incoming>>,
}

/// The clock port: the moment of the present turn.
#[derive(Default)]
struct TurnClock(Cell<Moment>);

impl Clock for TurnClock {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.get().nanoseconds())
    }
}

impl Local {
    pub(crate) fn new(engine: Engine, site: LocalSite, limits: Limits, wakers: Wakers) -> Local {
        let clock = Rc::<TurnClock>::default();
        let now = engine.now();
        let mut local = Local {
            timers: Timers::new(now.moment),
            wakers,
            site,
            limits,
            level: Level::detect(),
            ports: Ports { fs: Rc::new(Disk), clock: clock.clone() },
            heads: Heads::new(limits.connections),
            draining: false,
            clock,
            date: [0; 29],
            date_second: u64::MAX,
            outputs: Vec::new(),
            actives: Vec::new(),
            incomings: Vec::new(),
            engine,
        };
        local.tell_time(now);
        local
    }

    /// Takes note of what time it is: once a turn.
    pub(crate) fn tell_time(&mut self, now: Now) {
        self.clock.0.set(now.moment);
        if self.date_second != now.unix_seconds {
            self.date_second = now.unix_seconds;
            gannet_proto::h1::date(now.unix_seconds, &mut self.date);
        }
    }

    /// The time as the `Date` field has it (RFC 9110, 6.6.1): written once a second.
    pub(crate) fn date(&self) -> &[u8; 29] {
        &self.date
    }

    pub(crate) fn now(&self) -> Moment {
        self.engine.now().moment
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
        self.actives.pop().unwrap_or_else(|| Box::new(Active::new(self.limits.protocol, self.level)))
    }

    pub(crate) fn recycle_active(&mut self, mut active: Box<Active>) {
        if self.actives.len() < KEPT {
            active.reset(self);
            self.actives.push(active);
        }
    }

    pub(crate) fn take_incoming(&mut self) -> Rc<Incoming> {
        self.incomings.pop().unwrap_or_default()
    }

    /// Keeps an exchange's incoming half for the next one, unless a handler has kept the body.
    pub(crate) fn recycle_incoming(&mut self, incoming: Rc<Incoming>) {
        if Rc::strong_count(&incoming) == 1 && self.incomings.len() < KEPT {
            self.incomings.push(incoming);
        }
    }
}
