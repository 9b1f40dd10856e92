//! What an open loop drives over HTTP/2: kept connections, asked over in turn, each request on a stream of its own.

use std::{os::fd::OwnedFd, time::Instant};

use rustix::{buffer::spare_capacity, event::epoll, io::retry_on_intr};

use super::{
    super::{AT_ONCE, BUFFER_BYTES, Load, LoadError, Received, open_loop::Wire},
    connection::{Connection, open_all},
};

/// A request is sent whether or not there are answers outstanding; beyond the number of streams that the server allows it
/// waits, as it would at any client.
pub struct Streamed {
    begun: Instant,
    poll: OwnedFd,
    events: Vec<epoll::Event>,
    connections: Vec<Connection<u64>>,
    buffer: Vec<u8>,
    received: Received,
    ended: Vec<u64>,
}

impl Streamed {
    /// Opens all connections.
    pub fn connect(load: &Load) -> Result<Streamed, LoadError> {
        let mut buffer = vec![0; BUFFER_BYTES];
        let (poll, connections) = open_all(load, &mut buffer)?;
        let (begun, events) = (Instant::now(), Vec::with_capacity(load.connections.clamp(1, 1024)));
        let (received, ended) = (Received::default(), Vec::new());
        Ok(Streamed { begun, poll, events, connections, buffer, received, ended })
    }
}

impl Wire for Streamed {
    fn now_ns(&mut self) -> u64 {
        self.begun.elapsed().as_nanos() as u64
    }

    fn send(&mut self, number: u64) -> Result<(), LoadError> {
        let index = number % self.connections.len() as u64;
        let connection = &mut self.connections[index as usize];
        connection.ask(number);
        connection.flush()
    }

    fn poll(&mut self, answered: &mut Vec<(u64, u64)>) -> Result<(), LoadError> {
        self.events.clear();
        retry_on_intr(|| epoll::wait(&self.poll, spare_capacity(&mut self.events), Some(&AT_ONCE)))?;
        for event in &self.events {
            let connection = &mut self.connections[event.data.u64() as usize];
            connection.receive(&mut self.buffer, &mut self.received, &mut self.ended)?;
            let now_ns = self.begun.elapsed().as_nanos() as u64;
            answered.extend(self.ended.drain(..).map(|number| (number, now_ns)));
            connection.flush()?;
        }
        Ok(())
    }
}
