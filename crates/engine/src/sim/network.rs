//! The handle to a simulated network.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use gannet_block::Pool;

use super::world::{BEGINNING, World};
use super::{Acceptor, Client, Faults, Injected, Random, Sim};
use crate::{Moment, Now};

/// Connections that may wait at one listener; one more is not answered, and its client gives up (`TimedOut`).
pub const BACKLOG: usize = 128;

/// When the world begins, in seconds since 1970: Sun, 06 Nov 1994 08:49:37 GMT, the moment in RFC 9110 section 5.6.7.
const BEGINNING_UNIX_SECONDS: u64 = 784_111_777;

/// The first of the ports that clients are given (RFC 6335 section 6).
const FIRST_EPHEMERAL_PORT: u16 = 49_152;

/// A simulated network. Clones are handles to the same one.
#[derive(Clone)]
pub struct Network {
    pub(super) world: Rc<RefCell<World>>,
    next_port: Rc<Cell<u16>>,
    beginning_unix_milliseconds: Rc<Cell<u64>>,
}

/// What a network holds: after a test, what leaked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Connections open at either end.
    pub connections: usize,
    /// Listeners open, of all engines and of the test.
    pub listeners: usize,
    /// Connections not accepted yet.
    pub waiting: usize,
    /// Ends of connections that engines have: accepted, connecting or connected, or released by one and not adopted by another yet.
    pub sockets: usize,
    /// Ends that the test has: clients, and peers that it accepted.
    pub clients: usize,
    /// Bytes on their way or unread, of connections that somebody may still use.
    pub bytes: usize,
    /// Blocks in use, of all engines' pools.
    pub blocks: usize,
}

impl Network {
    /// A network in which `faults` happen as `seed` says.
    pub fn new(seed: u64, faults: Faults) -> Network {
        let world = Rc::new(RefCell::new(World::new(seed, faults)));
        let beginning_unix_milliseconds = Rc::new(Cell::new(BEGINNING_UNIX_SECONDS * 1000));
        Network { world, next_port: Rc::new(Cell::new(FIRST_EPHEMERAL_PORT)), beginning_unix_milliseconds }
    }

    /// A backend on this network that receives into blocks of `pool`: one for each worker.
    ///
    /// It takes [`Listener::Simulated`](crate::Listener::Simulated); several engines may listen on one address, and connections are spread over them.
    pub fn engine(&self, pool: Pool) -> Sim {
        self.world.borrow_mut().join(pool.clone());
        Sim::new(self.clone(), pool)
    }

    /// Connects to `address` from a client of its own port at 192.0.2.1 (RFC 5737) or 2001:db8::1 (RFC 3849).
    ///
    /// # Errors
    /// `ConnectionRefused`: nobody listens there. `TimedOut`: the backlog is full.
    pub fn connect(&self, address: SocketAddr) -> io::Result<Client> {
        self.connect_from(self.unused_address(address), address)
    }

    /// Where whoever connects to `address` connects from.
    pub(super) fn unused_address(&self, address: SocketAddr) -> SocketAddr {
        let port = self.next_port.get();
        self.next_port.set(port.checked_add(1).unwrap_or(FIRST_EPHEMERAL_PORT));
        match address {
            SocketAddr::V4(_) => SocketAddr::from(([192, 0, 2, 1], port)),
            SocketAddr::V6(_) => SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], port)),
        }
    }

    /// Listens on `address` by hand: a server that the test itself plays. Connections are spread over it and the engines that listen
    /// there.
    pub fn listen(&self, address: SocketAddr) -> Acceptor {
        let number = self.world.borrow_mut().listen(address);
        Acceptor::new(self.clone(), number, address)
    }

    /// Connects to `address` as the client at `from`.
    ///
    /// # Errors
    /// As [`connect`](Network::connect).
    pub fn connect_from(&self, from: SocketAddr, address: SocketAddr) -> io::Result<Client> {
        let end = self.world.borrow_mut().connect(from, address)?;
        Ok(Client::new(self.clone(), end, address))
    }

    /// Has the world begin at another time: so many milliseconds after 1970 began. It is for who watches real clocks, too.
    pub fn set_calendar(&self, unix_milliseconds: u64) {
        self.beginning_unix_milliseconds.set(unix_milliseconds);
    }

    /// What the time is.
    pub fn now(&self) -> Now {
        let moment = self.world.borrow().now;
        let passed = u64::try_from(moment.since(BEGINNING).as_millis()).unwrap_or(u64::MAX);
        Now { moment, unix_milliseconds: self.beginning_unix_milliseconds.get().saturating_add(passed) }
    }

    /// Lets time pass; what is due in it arrives, in order.
    pub fn advance(&self, time: Duration) {
        let moment = self.now().moment.after(time);
        self.advance_to(moment);
    }

    /// Lets time pass until `moment`; does nothing when that is over.
    pub fn advance_to(&self, moment: Moment) {
        self.world.borrow_mut().advance_to(moment);
    }

    /// When something arrives next, or a completion held back may be given; nothing, when all that happens next is up to engines
    /// and clients. Engines must be polled until they give nothing before time is skipped: what they can give already is not told here.
    pub fn next_event(&self) -> Option<Moment> {
        self.world.borrow_mut().next_event()
    }

    /// Lets time pass until [`next_event`](Network::next_event); false when there is none.
    pub fn skip(&self) -> bool {
        let event = self.next_event();
        event.inspect(|moment| self.advance_to(*moment)).is_some()
    }

    /// Changes what goes wrong from here on. Capacities of connections already open stay.
    pub fn set_faults(&self, faults: Faults) {
        self.world.borrow_mut().fate.faults = faults;
    }

    /// A generator that follows from the network's seed, for what the test itself draws.
    pub fn random(&self) -> Random {
        self.world.borrow_mut().fate.random.fork()
    }

    /// What it holds.
    pub fn report(&self) -> Report {
        self.world.borrow().report()
    }

    /// How often each fault has happened.
    pub fn injected(&self) -> Injected {
        self.world.borrow().fate.injected
    }

    /// The last things that happened, a line each: when, on which connection, what, how many bytes.
    pub fn trace(&self) -> String {
        self.world.borrow().trace.to_string()
    }

    /// Keeps so many lines of the [`trace`](Network::trace); 256 unless told otherwise.
    pub fn keep_trace(&self, lines: usize) {
        self.world.borrow_mut().trace.keep(lines);
    }

    /// A number that stands for everything that has happened: two runs of one seed that give different numbers are not deterministic.
    pub fn fingerprint(&self) -> u64 {
        self.world.borrow().trace.fingerprint()
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({:?}, {:?})", self.now(), self.report())
    }
}
