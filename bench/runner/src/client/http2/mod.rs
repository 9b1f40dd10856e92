//! The load over HTTP/2: a closed loop in which every connection has so many streams under way and begins the next as soon
//! as one has ended.
//!
//! As in HTTP/1.1 there is one receive and one send for all that is ready on a connection, and what it costs is next to
//! nothing beside what is measured: a request's frame is two copies, and of a response's two frames hardly more than the
//! headers are looked at ([`streams`]).

mod connection;
mod frame;
mod huffman;
mod request;
mod streams;
mod wire;

use std::{net::TcpStream, os::fd::OwnedFd, time::Instant};

use rustix::{buffer::spare_capacity, event::epoll, io::retry_on_intr};

use super::{BUFFER_BYTES, Limit, Load, LoadError, Outcome, Run, STALL, thread_cpu};
use connection::Connection;

pub use connection::ask;
pub use wire::Streamed;

/// Open connections to one server.
pub struct Multiplexed {
    poll: OwnedFd,
    events: Vec<epoll::Event>,
    connections: Vec<Connection<Instant>>,
    depth: u32,
    buffer: Vec<u8>,
}

impl Multiplexed {
    /// Opens all connections, one after the other.
    pub fn connect(load: &Load) -> Result<Multiplexed, LoadError> {
        let mut buffer = vec![0; BUFFER_BYTES];
        let (poll, connections) = connection::open_all(load, &mut buffer)?;
        let events = Vec::with_capacity(load.connections.clamp(1, 1024));
        Ok(Multiplexed { poll, events, connections, depth: load.depth, buffer })
    }

    /// The sockets alone, for connections that are to stay open and do nothing more.
    pub fn into_sockets(self) -> Vec<TcpStream> {
        self.connections.into_iter().map(Connection::into_socket).collect()
    }

    /// Drives the server until the limit, waits for what is then under way, and says what was seen.
    pub fn run(&mut self, limit: Limit) -> Result<Outcome, LoadError> {
        let mut run = Run::new(limit, true);
        let cpu_before = thread_cpu();
        for connection in &mut self.connections {
            for _ in 0..self.depth {
                if run.begins(1, run.started) {
                    connection.ask(run.started);
                }
            }
            connection.flush()?;
        }
        let mut ended = Vec::new();
        while run.under_way > 0 && !run.is_left() {
            self.events.clear();
            retry_on_intr(|| epoll::wait(&self.poll, spare_capacity(&mut self.events), Some(&STALL)))?;
            if self.events.is_empty() {
                return Err(LoadError::Stalled);
            }
            for event in &self.events {
                let connection = &mut self.connections[event.data.u64() as usize];
                connection.receive(&mut self.buffer, &mut run.received, &mut ended)?;
                let now = Instant::now();
                for begun_at in ended.drain(..) {
                    run.book(begun_at, now, 1);
                    if run.begins(1, now) {
                        connection.ask(now);
                    }
                }
                connection.flush()?;
            }
        }
        Ok(run.outcome(cpu_before))
    }
}
