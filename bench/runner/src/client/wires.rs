//! What an open loop drives on real sockets: connections that are kept, or a new one for each request.

use std::{os::fd::OwnedFd, time::Instant};

use rustix::{buffer::spare_capacity, event::epoll, io::retry_on_intr};

use super::{
    AT_ONCE, Batches, Client, Load, LoadError, Received,
    connection::Connection,
    exchange::{Exchange, Stage, source},
    host,
    http2::Streamed,
    open_loop::Wire,
    request,
    response::Verifier,
};
use crate::work::Protocol;

/// The third byte of the addresses that new connections come from.
const SOURCE_BLOCK: u8 = 2;
/// A short response fits in one receive.
const BUFFER_BYTES: usize = 64 * 1024;

/// Kept connections, asked over in turn. One that is still owed answers is asked all the same: the request waits in the
/// socket, as it would for any client that had no other connection.
struct Kept {
    begun: Instant,
    poll: OwnedFd,
    events: Vec<epoll::Event>,
    connections: Vec<Asked>,
    batches: Batches,
    verifier: Verifier,
    buffer: Vec<u8>,
    received: Received,
}

/// A connection and how many answers it has given: the next one is of the request that came as many turns after its first.
struct Asked {
    connection: Connection,
    answers: u64,
}

impl Kept {
    /// Opens all connections.
    fn connect(load: &Load) -> Result<Kept, LoadError> {
        let Client { poll, events, connections, batches, verifier, buffer, .. } = Client::connect(load)?;
        let connections =
            connections.into_iter().map(|connection| Asked { connection, answers: 0 }).collect();
        let (begun, received) = (Instant::now(), Received::default());
        Ok(Kept { begun, poll, events, connections, batches, verifier, buffer, received })
    }
}

/// Kept connections of a load, whatever it speaks.
pub fn kept(load: &Load) -> Result<Box<dyn Wire>, LoadError> {
    Ok(match load.protocol {
        Protocol::Http1 => Box::new(Kept::connect(load)?),
        Protocol::Http2 => Box::new(Streamed::connect(load)?),
        Protocol::WebSocket => return Err(LoadError::Frame("that is measured in closed loops only")),
    })
}

impl Wire for Kept {
    fn now_ns(&mut self) -> u64 {
        self.begun.elapsed().as_nanos() as u64
    }

    fn send(&mut self, number: u64) -> Result<(), LoadError> {
        let index = number % self.connections.len() as u64;
        self.connections[index as usize].connection.send_more(self.batches.next())
    }

    fn poll(&mut self, answered: &mut Vec<(u64, u64)>) -> Result<(), LoadError> {
        self.events.clear();
        retry_on_intr(|| epoll::wait(&self.poll, spare_capacity(&mut self.events), Some(&AT_ONCE)))?;
        let turns = self.connections.len() as u64;
        for event in &self.events {
            let index = event.data.u64();
            let Asked { connection, answers } = &mut self.connections[index as usize];
            let completed = connection.receive(&mut self.buffer, &mut self.verifier, &mut self.received)?;
            let now_ns = self.begun.elapsed().as_nanos() as u64;
            for _ in 0..completed {
                answered.push((index + *answers * turns, now_ns));
                *answers += 1;
            }
        }
        Ok(())
    }
}

/// A new connection for each request. It is answered when its response is complete; then it is read to its end.
pub struct Fresh {
    begun: Instant,
    load: Load,
    request: Vec<u8>,
    poll: OwnedFd,
    events: Vec<epoll::Event>,
    /// By the number of the request; none once the connection has ended.
    exchanges: Vec<Option<(Exchange, Stage)>>,
    verifier: Verifier,
    buffer: Vec<u8>,
    received: Received,
}

impl Fresh {
    /// Opens nothing yet.
    pub fn new(load: &Load) -> Result<Fresh, LoadError> {
        let fields = format!("{}Connection: close\r\n", load.fields);
        Ok(Fresh {
            begun: Instant::now(),
            request: request(&host(load.address, load.tls.as_ref()), &load.paths[0], &fields).into_bytes(),
            poll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            events: Vec::with_capacity(1024),
            exchanges: Vec::new(),
            verifier: Verifier::new(load.expected),
            buffer: vec![0; BUFFER_BYTES],
            received: Received::default(),
            load: load.clone(),
        })
    }
}

impl Wire for Fresh {
    fn now_ns(&mut self) -> u64 {
        self.begun.elapsed().as_nanos() as u64
    }

    fn send(&mut self, number: u64) -> Result<(), LoadError> {
        let source = source(SOURCE_BLOCK, number as u32);
        let exchange = Exchange::open(&self.poll, number, source, &self.load, &self.request)?;
        // Numbers come in order, so each is the next place.
        self.exchanges.push(Some((exchange, Stage::Waits)));
        Ok(())
    }

    fn poll(&mut self, answered: &mut Vec<(u64, u64)>) -> Result<(), LoadError> {
        self.events.clear();
        retry_on_intr(|| epoll::wait(&self.poll, spare_capacity(&mut self.events), Some(&AT_ONCE)))?;
        for event in &self.events {
            let number = event.data.u64();
            let place = &mut self.exchanges[number as usize];
            let Some((exchange, stage)) = place else { continue };
            let before = *stage;
            *stage = exchange.ready(
                event.flags,
                &self.request,
                &mut self.buffer,
                &mut self.verifier,
                &mut self.received,
            )?;
            if before == Stage::Waits && *stage != Stage::Waits {
                answered.push((number, self.begun.elapsed().as_nanos() as u64));
            }
            if *stage == Stage::Closed {
                *place = None;
            }
        }
        Ok(())
    }
}
