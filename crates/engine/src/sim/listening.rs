//! Listeners, and how connections come to them.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use super::network::BACKLOG;
use super::world::{Connection, End, EndId, Event, Side, World};

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
        self.opened += 1;
        let connection = self.opened;
        let client = End::new(from, self.fate.capacity());
        let server = End::new(to, self.fate.capacity());
        self.connections.insert(connection, Connection { client, server, accepted: false });
        let client = EndId { connection, side: Side::Client };
        self.note("connects to listener", client, listener);
        let delay = self.fate.delay();
        self.at(self.now.after(delay), Event::Arrive { listener, connection });
        self.settle();
        Ok(client)
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

    pub(super) fn accept(&mut self, listener: usize) -> Option<EndId> {
        let listening = self.listeners.get_mut(listener)?.as_mut()?;
        let connection = listening.backlog.pop_front()?;
        listening.pending -= 1;
        self.connections.get_mut(&connection)?.accepted = true;
        let server = EndId { connection, side: Side::Server };
        self.note("is accepted by listener", server, listener);
        Some(server)
    }
}
