//! A closed-loop load client on one thread: every connection has one batch of requests under way and sends the next as
//! soon as the last response is in.
//!
//! It is built to cost less than what it measures: one receive and one send a batch, sockets registered once and
//! edge-triggered, one reading of the clock a batch, heads compared rather than parsed.

mod channel;
mod closed_loop;
mod connection;
mod error;
mod exchange;
mod first;
mod http2;
mod open_loop;
mod progress;
mod response;
mod short;
mod stream;
mod tickets;
mod tls;
mod websocket;
mod wires;

use std::{
    net::{SocketAddr, TcpStream},
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use rustix::{
    buffer::spare_capacity,
    event::{Timespec, epoll},
    io::retry_on_intr,
    time::{ClockId, clock_gettime},
};

use channel::Channel;
use connection::Connection;
use response::Verifier;

pub use closed_loop::ClosedLoop;
pub use error::LoadError;
use exchange::source;
pub use first::First;
pub use http2::ask;
pub use open_loop::{Latencies, Pace, Wire, drive};
pub use response::{Expected, Framing};
pub use short::{ShortClient, fill};
pub use stream::{host, stream};
pub use tls::{NAME, Tls};
pub use websocket::{Audience, converse};
pub use wires::{Fresh, kept};

use crate::work::Protocol;

/// A server that has not answered anything for so long will not.
const STALL: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };
/// A loop that looks, and never waits.
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
/// Enough for sixteen small responses many times over, and for a long body in few calls.
const BUFFER_BYTES: usize = 256 * 1024;
/// Latencies beyond a minute are recorded as a minute.
const LATENCY_LIMIT_NS: u64 = 60_000_000_000;

/// What a client asks for, and how.
#[derive(Clone, Debug)]
pub struct Load {
    /// What is spoken.
    pub protocol: Protocol,
    /// Where the server listens.
    pub address: SocketAddr,
    /// How its connections are secured, if they are.
    pub tls: Option<Tls>,
    /// The targets, asked for in turn and over again. All are equally long. Over HTTP/2 it is the first alone.
    pub paths: Vec<String>,
    /// Fields beside `Host`, each with its line's end. Over HTTP/2 there are none.
    pub fields: String,
    /// How many connections, all open for the whole run.
    pub connections: usize,
    /// How many requests each connection sends at once, or how many streams it keeps under way.
    pub depth: u32,
    /// What every response must be.
    pub expected: Expected,
    /// Whether long bodies are copied from the kernel too, as a client does that wants them.
    pub copied: bool,
}

/// One request, with no more fields than HTTP/1.1 demands and those given, each with its line's end.
fn request(host: &str, path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n")
}

/// What is sent: the batches of all targets, one after the other, all equally long.
struct Batches {
    bytes: Vec<u8>,
    each_bytes: usize,
    next: usize,
}

impl Batches {
    fn new(load: &Load) -> Batches {
        let host = host(load.address, load.tls.as_ref());
        let batch = |path: &String| request(&host, path, &load.fields).repeat(load.depth as usize);
        let mut bytes = Vec::new();
        load.paths.iter().for_each(|path| bytes.extend_from_slice(batch(path).as_bytes()));
        let each_bytes = bytes.len() / load.paths.len().max(1);
        Batches { bytes, each_bytes, next: 0 }
    }

    /// The next batch; after the last comes the first again.
    fn next(&mut self) -> &[u8] {
        let start = if self.next == self.bytes.len() { 0 } else { self.next };
        self.next = start + self.each_bytes;
        &self.bytes[start..self.next]
    }
}

/// When a run sends its last request. What is under way then is still waited for and counted, but where it is left.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// After so long.
    Time(Duration),
    /// After so many.
    Requests(u64),
    /// After so long, and what is under way is left; nothing can be run after it.
    Leave(Duration),
}

/// What has come off the sockets.
#[derive(Clone, Copy, Debug, Default)]
struct Received {
    calls: u64,
    bytes: u64,
    /// Whether long bodies are copied.
    copied: bool,
}

/// What a run has seen.
#[derive(Debug)]
pub struct Outcome {
    /// Responses, each of them complete and verified.
    pub requests: u64,
    /// Calls of `recv` that brought bytes. Where the server is much slower than the client, it is the number of its
    /// sends, however they were made.
    pub receives: u64,
    /// All bytes that came, heads included.
    pub received_bytes: u64,
    /// From the first request to the last response.
    pub elapsed: Duration,
    /// From sending a batch to the completion of each of its responses, in nanoseconds.
    pub latency: Histogram<u64>,
    /// The processor time that the client itself took.
    pub client_cpu: Duration,
}

/// Open connections to one server.
pub struct Client {
    poll: OwnedFd,
    events: Vec<epoll::Event>,
    connections: Vec<Connection>,
    batches: Batches,
    depth: u32,
    verifier: Verifier,
    copied: bool,
    buffer: Vec<u8>,
}

impl Client {
    /// Opens all connections, one after the other.
    pub fn connect(load: &Load) -> Result<Client, LoadError> {
        Client::connect_each(load, |_| Channel::open(load.address))
    }

    /// The same from the addresses of a block, in turn.
    pub fn connect_from(load: &Load, block: u8) -> Result<Client, LoadError> {
        Client::connect_each(load, |index| Channel::open_from(source(block, index as u32), load.address))
    }

    fn connect_each(
        load: &Load,
        open: impl Fn(usize) -> Result<Channel, LoadError>,
    ) -> Result<Client, LoadError> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut connections = Vec::with_capacity(load.connections);
        let mut buffer = vec![0; BUFFER_BYTES];
        for index in 0..load.connections {
            let mut channel = open(index)?;
            if let Some(tls) = &load.tls {
                channel.secure(tls, &mut buffer, |_| Err(LoadError::Unasked))?;
            }
            let token = epoll::EventData::new_u64(index as u64);
            epoll::add(&poll, &channel, token, epoll::EventFlags::IN | epoll::EventFlags::ET)?;
            connections.push(Connection::new(channel));
        }
        Ok(Client {
            poll,
            events: Vec::with_capacity(load.connections.clamp(1, 1024)),
            connections,
            batches: Batches::new(load),
            depth: load.depth,
            verifier: Verifier::new(load.expected),
            copied: load.copied,
            buffer,
        })
    }

    /// The sockets alone, for connections that are to stay open and do nothing more.
    pub fn into_sockets(self) -> Vec<TcpStream> {
        self.connections.into_iter().map(|connection| connection.channel.into_socket()).collect()
    }

    /// Asks once over each connection, one after the other: what a server then keeps is what connections need, not what a
    /// burst does.
    pub fn ask_each(&mut self) -> Result<(), LoadError> {
        let mut received = Received::default();
        for connection in &mut self.connections {
            connection.send(self.batches.next(), self.depth, Instant::now())?;
            while connection.awaited > 0 {
                self.events.clear();
                retry_on_intr(|| epoll::wait(&self.poll, spare_capacity(&mut self.events), Some(&STALL)))?;
                if self.events.is_empty() {
                    return Err(LoadError::Stalled);
                }
                connection.receive(&mut self.buffer, &mut self.verifier, &mut received)?;
            }
        }
        Ok(())
    }

    /// Drives the server until the limit, waits for what is then under way, and says what was seen.
    pub fn run(&mut self, limit: Limit) -> Result<Outcome, LoadError> {
        let mut run = Run::new(limit, self.copied);
        let cpu_before = thread_cpu();
        for connection in &mut self.connections {
            run.send(connection, &mut self.batches, self.depth, run.started)?;
        }
        while run.under_way > 0 && !run.is_left() {
            self.events.clear();
            retry_on_intr(|| epoll::wait(&self.poll, spare_capacity(&mut self.events), Some(&STALL)))?;
            if self.events.is_empty() {
                return Err(LoadError::Stalled);
            }
            for event in &self.events {
                let connection = &mut self.connections[event.data.u64() as usize];
                let completed =
                    connection.receive(&mut self.buffer, &mut self.verifier, &mut run.received)?;
                let now = run.completed(connection.sent_at, completed);
                if connection.awaited == 0 {
                    run.send(connection, &mut self.batches, self.depth, now)?;
                }
            }
        }
        Ok(run.outcome(cpu_before))
    }
}

/// The books of one run.
struct Run {
    limit: Limit,
    started: Instant,
    sent: u64,
    under_way: u64,
    requests: u64,
    received: Received,
    latency: Histogram<u64>,
}

impl Run {
    fn new(limit: Limit, copied: bool) -> Run {
        let received = Received { copied, ..Received::default() };
        Run {
            limit,
            started: Instant::now(),
            sent: 0,
            under_way: 0,
            requests: 0,
            received,
            latency: histogram(),
        }
    }

    /// Whether what is under way is to be left.
    fn is_left(&self) -> bool {
        matches!(self.limit, Limit::Leave(time) if self.started.elapsed() >= time)
    }

    /// Sends the next batch unless the limit has been reached.
    fn send(
        &mut self,
        connection: &mut Connection,
        batches: &mut Batches,
        depth: u32,
        now: Instant,
    ) -> Result<(), LoadError> {
        if self.begins(depth, now) {
            connection.send(batches.next(), depth, now)?;
        }
        Ok(())
    }

    /// Whether the limit allows so many more requests; if so they are booked as under way.
    fn begins(&mut self, requests: u32, now: Instant) -> bool {
        let goes_on = match self.limit {
            Limit::Time(time) | Limit::Leave(time) => now.duration_since(self.started) < time,
            Limit::Requests(limit) => self.sent < limit,
        };
        if goes_on {
            self.sent += u64::from(requests);
            self.under_way += u64::from(requests);
        }
        goes_on
    }

    fn outcome(self, cpu_before: Duration) -> Outcome {
        Outcome {
            requests: self.requests,
            receives: self.received.calls,
            received_bytes: self.received.bytes,
            elapsed: self.started.elapsed(),
            latency: self.latency,
            client_cpu: thread_cpu().saturating_sub(cpu_before),
        }
    }

    /// Books completed responses; returns the time, read once.
    fn completed(&mut self, begun_at: Instant, completed: u32) -> Instant {
        let now = Instant::now();
        self.book(begun_at, now, completed);
        now
    }

    /// Books responses that were completed at a time.
    fn book(&mut self, begun_at: Instant, now: Instant, completed: u32) {
        let latency_ns = now.duration_since(begun_at).as_nanos() as u64;
        self.latency.saturating_record_n(latency_ns, u64::from(completed));
        self.requests += u64::from(completed);
        self.under_way -= u64::from(completed);
    }
}

/// For latencies in nanoseconds, each within a thousandth.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_LIMIT_NS, 3)
        .expect("the bounds are constants within what the histogram allows")
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn targets_are_asked_for_in_turn_and_over_again() {
        let load = Load {
            protocol: Protocol::Http1,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 80)),
            tls: None,
            paths: ["/a", "/b"].map(str::to_owned).to_vec(),
            fields: "Range: bytes=0-0\r\n".to_owned(),
            connections: 1,
            depth: 2,
            expected: Expected::whole(1),
            copied: false,
        };
        let mut batches = Batches::new(&load);
        for path in ["/a", "/b", "/a"] {
            let one = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:80\r\nRange: bytes=0-0\r\n\r\n");
            assert_eq!(batches.next(), one.repeat(2).as_bytes());
        }
    }
}
