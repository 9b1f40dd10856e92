//! What the handles share: time, what is yet to happen, connections.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::time::Duration;

use gannet_block::Pool;

use super::faults::{Fate, Faults};
use super::listening::Listening;
use super::network::Report;
use super::pipe::{Pipe, Segment};
use super::trace::Trace;
use crate::Moment;

/// When the world begins: not at zero, which would hide a moment that somebody forgot to set.
pub(super) const BEGINNING: Moment = Moment::from_nanoseconds(3_600_000_000_000);

pub(super) struct World {
    pub(super) now: Moment,
    pub(super) fate: Fate,
    pub(super) trace: Trace,
    /// Earliest first; of those due at the same moment, the one scheduled first.
    schedule: BinaryHeap<Reverse<(Moment, u64, Event)>>,
    scheduled: u64,
    /// Ordered, so that walking over them is the same each time.
    pub(super) connections: BTreeMap<u64, Connection>,
    pub(super) opened: u64,
    pub(super) listeners: Vec<Option<Listening>>,
    /// The pool of each engine.
    pools: Vec<Pool>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Event {
    /// Something reaches this end.
    Deliver(EndId),
    /// A connection reaches its listener.
    Arrive { listener: usize, connection: u64 },
    /// What an engine sent to connect reaches the address.
    Knock { connection: u64 },
    /// Whoever connects gives up.
    GiveUp(EndId),
    /// A completion held back may be given.
    Wake,
}

/// Which side of a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Side {
    Client,
    Server,
}

/// One end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct EndId {
    pub(super) connection: u64,
    pub(super) side: Side,
}

impl EndId {
    /// The other end.
    pub(super) fn peer(self) -> EndId {
        let side = match self.side {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        };
        EndId { side, ..self }
    }
}

/// Who uses an end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Owner {
    /// Nobody yet: it waits to be accepted.
    Nobody,
    /// An engine, or it goes from one to another.
    Engine,
    /// The test itself.
    Test,
}

/// How far the opening of a connection is, at the end that connects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Opening {
    UnderWay,
    Done,
    Refused,
    GivenUp,
}

/// What TCP knows at one end.
pub(super) struct End {
    pub(super) address: SocketAddr,
    pub(super) owner: Owner,
    pub(super) opening: Opening,
    pub(super) incoming: Pipe,
    /// The peer's end arrived: nothing comes after what is unread.
    pub(super) ended: bool,
    /// Our end was sent.
    pub(super) shut: bool,
    /// Nobody will use this end any more.
    pub(super) released: bool,
    /// The connection is no more, as far as this end knows.
    pub(super) dead: bool,
    /// It was the peer, or the network, that broke it.
    pub(super) reset: bool,
    /// Nobody was told of that yet (`sk_err` in Linux).
    pub(super) untold: bool,
}

impl End {
    pub(super) fn new(address: SocketAddr, owner: Owner, capacity: usize) -> End {
        End {
            address,
            owner,
            opening: Opening::Done,
            incoming: Pipe::new(capacity),
            ended: false,
            shut: false,
            released: false,
            dead: false,
            reset: false,
            untold: false,
        }
    }
}

pub(super) struct Connection {
    pub(super) client: End,
    pub(super) server: End,
}

impl World {
    pub(super) fn new(seed: u64, faults: Faults) -> World {
        World {
            now: BEGINNING,
            fate: Fate::new(seed, faults),
            trace: Trace::new(),
            schedule: BinaryHeap::new(),
            scheduled: 0,
            connections: BTreeMap::new(),
            opened: 0,
            listeners: Vec::new(),
            pools: Vec::new(),
        }
    }

    pub(super) fn join(&mut self, pool: Pool) {
        self.pools.push(pool);
    }

    /// Lets time pass, and happen what is due on the way.
    pub(super) fn advance_to(&mut self, moment: Moment) {
        let end = moment.max(self.now);
        self.run_until(end);
        self.now = end;
    }

    /// Lets happen what is due: after everything that may have sent something without delay.
    pub(super) fn settle(&mut self) {
        self.run_until(self.now);
    }

    fn run_until(&mut self, end: Moment) {
        while let Some(&Reverse((due, _, event))) = self.schedule.peek() {
            if due > end {
                return;
            }
            self.schedule.pop();
            self.now = self.now.max(due);
            match event {
                Event::Deliver(to) => self.deliver(to),
                Event::Arrive { listener, connection } => self.arrive(listener, connection),
                Event::Knock { connection } => self.knock(connection),
                Event::GiveUp(end) => self.give_up(end),
                Event::Wake => {}
            }
        }
    }

    /// When something happens next.
    pub(super) fn next_event(&mut self) -> Option<Moment> {
        while let Some(&Reverse((due, _, event))) = self.schedule.peek() {
            if self.still_matters(event) {
                return Some(due);
            }
            self.schedule.pop();
        }
        None
    }

    fn still_matters(&self, event: Event) -> bool {
        match event {
            Event::Deliver(to) => self.end(to).is_some_and(|end| end.incoming.is_busy()),
            Event::GiveUp(end) => self.end(end).is_some_and(|end| end.opening == Opening::UnderWay),
            Event::Knock { connection } => self.connections.contains_key(&connection),
            Event::Arrive { .. } | Event::Wake => true,
        }
    }

    pub(super) fn at(&mut self, due: Moment, event: Event) {
        self.scheduled += 1;
        self.schedule.push(Reverse((due, self.scheduled, event)));
    }

    /// Says when a completion held back for `wait` may be given, and sees to it that nobody sleeps past that.
    pub(super) fn wake_after(&mut self, wait: Duration) -> Moment {
        let due = self.now.after(wait);
        self.at(due, Event::Wake);
        due
    }

    /// Sends `segment` to the end `to`.
    pub(super) fn send_to(&mut self, to: EndId, segment: Segment, delay: Duration) {
        let due = self.now.after(delay);
        let Some(end) = self.end_mut(to) else { return };
        let due = end.incoming.send(due, segment);
        self.at(due, Event::Deliver(to));
    }

    pub(super) fn end(&self, id: EndId) -> Option<&End> {
        let connection = self.connections.get(&id.connection)?;
        Some(match id.side {
            Side::Client => &connection.client,
            Side::Server => &connection.server,
        })
    }

    pub(super) fn end_mut(&mut self, id: EndId) -> Option<&mut End> {
        let connection = self.connections.get_mut(&id.connection)?;
        Some(match id.side {
            Side::Client => &mut connection.client,
            Side::Server => &mut connection.server,
        })
    }

    /// Forgets a connection that nobody will use any more.
    pub(super) fn forget_if_released(&mut self, connection: u64) {
        let both = |connection: &Connection| connection.client.released && connection.server.released;
        if self.connections.get(&connection).is_some_and(both) {
            self.connections.remove(&connection);
        }
    }

    /// Notes what happens at an end, or, without one, to a listener.
    pub(super) fn note(&mut self, what: &'static str, end: impl Into<Option<EndId>>, count: usize) {
        self.trace.note(self.now, what, end.into(), count);
    }

    pub(super) fn report(&self) -> Report {
        let connections = self.connections.values();
        let ends = || connections.clone().flat_map(|connection| [&connection.client, &connection.server]);
        let listeners = || self.listeners.iter().flatten();
        let owned = |owner| ends().filter(|end| end.owner == owner && !end.released).count();
        Report {
            connections: self.connections.len(),
            listeners: listeners().count(),
            waiting: listeners().map(|listening| listening.pending).sum(),
            sockets: owned(Owner::Engine),
            clients: owned(Owner::Test),
            bytes: ends().map(|end| end.incoming.held()).sum(),
            blocks: self.pools.iter().map(Pool::in_use).sum(),
        }
    }
}
