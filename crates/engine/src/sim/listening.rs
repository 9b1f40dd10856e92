//! Listeners, and how connections come to them.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::io::Errno;

use super::network::BACKLOG;
use super::pipe::Segment;
use super::world::{Connection, End, EndId, Event, Opening, Owner, Side, World};

/// How long an engine that is not answered goes on connecting: as Linux does, after six more tries (tcp(7), `tcp_syn_retries`).
const PATIENCE: Duration = Duration::from_secs(127);

/// A listener, and the connections it has not accepted yet.
pub(super) struct Listening {
    address: SocketAddr,
    /// On their way to the backlog, or in it.
    pub(super) pending: usize,
    backlog: VecDeque<u64>,
}

impl World {
    pub(super) fn listen(&mut self, address: SocketAddr) -> usize {
        self.note("has listener", None, self.listeners.len());
        self.listeners.push(Some(Listening { address, pending: 0, backlog: VecDeque::new() }));
        self.listeners.len() - 1
    }

    /// Closes a listener; the connections waiting there are reset (listen(2) does not say so, Linux does it).
    pub(super) fn unlisten(&mut self, listener: usize) {
        self.note("closes listener", None, listener);
        let listening = self.listeners.get_mut(listener).and_then(Option::take);
        for connection in listening.into_iter().flat_map(|listening| listening.backlog) {
            self.reset(EndId { connection, side: Side::Server });
        }
    }

    /// Opens a connection from `from` to one of those that listen on `to`.
    pub(super) fn connect(&mut self, from: SocketAddr, to: SocketAddr) -> io::Result<EndId> {
        let listener = self.choose_listener(to)?;
        let client = self.open(from, to, Owner::Test);
        self.note("connects to listener", client, listener);
        let delay = self.fate.delay();
        self.at(self.now.after(delay), Event::Arrive { listener, connection: client.connection });
        self.settle();
        Ok(client)
    }

    fn open(&mut self, from: SocketAddr, to: SocketAddr, owner: Owner) -> EndId {
        self.opened += 1;
        let connection = self.opened;
        let client = End::new(from, owner, self.fate.capacity());
        let server = End::new(to, Owner::Nobody, self.fate.capacity());
        self.connections.insert(connection, Connection { client, server });
        EndId { connection, side: Side::Client }
    }

    /// Begins to connect from `from` to `to`, as an engine does: how that went [`opening`](World::opening) tells.
    pub(super) fn begin_connect(&mut self, from: SocketAddr, to: SocketAddr) -> EndId {
        let client = self.open(from, to, Owner::Engine);
        self.note("begins to connect", client, 0);
        if let Some(end) = self.end_mut(client) {
            end.opening = Opening::UnderWay;
        }
        if let Some(server) = self.end_mut(client.peer()) {
            // It is nobody's business before it reaches a listener.
            server.released = true;
        }
        let delay = self.fate.delay();
        self.at(self.now.after(delay), Event::Knock { connection: client.connection });
        self.at(self.now.after(PATIENCE), Event::GiveUp(client));
        self.settle();
        client
    }

    /// What an engine sent to connect reaches the address: it is answered, refused, or not answered at all.
    pub(super) fn knock(&mut self, connection: u64) {
        let client = EndId { connection, side: Side::Client };
        let Some(server) = self.end(client.peer()) else { return };
        let address = server.address;
        if self.fate.ignores() {
            self.note("is not answered", client, 0);
            return;
        }
        let chosen = if self.fate.refuses() { None } else { Some(self.choose_listener(address)) };
        match chosen {
            Some(Ok(listener)) => {
                if let Some(server) = self.end_mut(client.peer()) {
                    server.released = false;
                }
                self.arrive(listener, connection);
                let delay = self.fate.delay();
                self.send_to(client, Segment::Welcome, delay);
            }
            Some(Err(error)) if error.kind() == io::ErrorKind::TimedOut => {
                self.note("is not answered by a full backlog", client, 0);
            }
            Some(Err(_)) | None => self.send_reset(client, Duration::ZERO),
        }
    }

    pub(super) fn welcome_arrives(&mut self, to: EndId) {
        self.note("is connected", to, 0);
        let Some(end) = self.end_mut(to) else { return };
        match end.opening {
            Opening::UnderWay => end.opening = Opening::Done,
            // It comes too late, for a connection that is no more (RFC 9293 section 3.10.7.1).
            Opening::GivenUp => self.send_reset(to.peer(), Duration::ZERO),
            Opening::Done | Opening::Refused => {}
        }
    }

    pub(super) fn give_up(&mut self, at: EndId) {
        if let Some(end) = self.end_mut(at).filter(|end| end.opening == Opening::UnderWay) {
            (end.opening, end.dead) = (Opening::GivenUp, true);
        }
    }

    /// How connecting went; nothing while it goes on.
    pub(super) fn opening(&mut self, at: EndId) -> Option<io::Result<()>> {
        let end = self.end_mut(at)?;
        match end.opening {
            Opening::UnderWay => None,
            Opening::Done if std::mem::take(&mut end.untold) => Some(Err(Errno::CONNRESET.into())),
            Opening::Done => Some(Ok(())),
            Opening::Refused => Some(Err(Errno::CONNREFUSED.into())),
            Opening::GivenUp => Some(Err(Errno::TIMEDOUT.into())),
        }
    }

    /// As SO_REUSEPORT does, without regard to whose backlog is full (socket(7)).
    fn choose_listener(&mut self, address: SocketAddr) -> io::Result<usize> {
        let listens = |slot: &Option<Listening>| slot.as_ref().is_some_and(|open| open.address == address);
        let listeners: Vec<usize> =
            (0..self.listeners.len()).filter(|index| listens(&self.listeners[*index])).collect();
        if listeners.is_empty() {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let chosen = *self.fate.random.pick(&listeners);
        match &mut self.listeners[chosen] {
            Some(listening) if listening.pending < BACKLOG => listening.pending += 1,
            // Linux ignores the SYN, and the client tries again until it gives up (tcp(7), tcp_syn_retries).
            _ => return Err(io::ErrorKind::TimedOut.into()),
        }
        Ok(chosen)
    }

    pub(super) fn arrive(&mut self, listener: usize, connection: u64) {
        match self.listeners.get_mut(listener).and_then(Option::as_mut) {
            Some(listening) => listening.backlog.push_back(connection),
            None => self.reset(EndId { connection, side: Side::Server }),
        }
    }

    /// Whether a connection waits to be accepted.
    pub(super) fn is_waiting(&self, listener: usize) -> bool {
        let listening = self.listeners.get(listener).and_then(Option::as_ref);
        listening.is_some_and(|listening| !listening.backlog.is_empty())
    }

    pub(super) fn accept(&mut self, listener: usize, owner: Owner) -> Option<EndId> {
        let listening = self.listeners.get_mut(listener)?.as_mut()?;
        let connection = listening.backlog.pop_front()?;
        listening.pending -= 1;
        self.connections.get_mut(&connection)?.server.owner = owner;
        let server = EndId { connection, side: Side::Server };
        self.note("is accepted by listener", server, listener);
        Some(server)
    }
}
