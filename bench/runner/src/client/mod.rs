//! A closed-loop load client on one thread: every connection has one batch of requests under way and sends the next as
//! soon as the last response is in.
//!
//! It is built to cost less than what it measures: one receive and one send a batch, sockets registered once and
//! edge-triggered, one reading of the clock a batch, heads compared rather than parsed.

mod connection;
mod response;

use std::{
    fmt, io,
    net::{SocketAddr, TcpStream},
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use rustix::{
    buffer::spare_capacity,
    event::{Timespec, epoll},
    io::{Errno, retry_on_intr},
    time::{ClockId, clock_gettime},
};

use connection::Connection;
use response::Verifier;

/// A server that has not answered anything for so long will not.
const STALL: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };
/// Enough for sixteen small responses many times over, and for a long body in few calls.
const BUFFER_BYTES: usize = 256 * 1024;
/// Latencies beyond a minute are recorded as a minute.
const LATENCY_LIMIT_NS: u64 = 60_000_000_000;

/// What a client asks for, and how.
#[derive(Clone, Debug)]
pub struct Load {
    /// Where the server listens.
    pub address: SocketAddr,
    /// The target of every request.
    pub path: String,
    /// How many connections, all open for the whole run.
    pub connections: usize,
    /// How many requests each connection sends at once.
    pub depth: u32,
    /// The length that every response's body must have.
    pub body_bytes: u64,
}

impl Load {
    /// One request, with no more fields than HTTP/1.1 demands.
    pub fn request(&self) -> String {
        format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", self.path, self.address)
    }
}

/// When a run sends its last request; what is under way then is still waited for and counted.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// After so long.
    Time(Duration),
    /// After so many.
    Requests(u64),
}

/// What a run has seen.
#[derive(Debug)]
pub struct Outcome {
    /// Responses, each of them complete and verified.
    pub requests: u64,
    /// Calls of `recv` that brought bytes. Where the server is much slower than the client, it is the number of its
    /// sends, however they were made.
    pub receives: u64,
    /// From the first request to the last response.
    pub elapsed: Duration,
    /// From sending a batch to the completion of each of its responses, in nanoseconds.
    pub latency: Histogram<u64>,
    /// The processor time that the client itself took.
    pub client_cpu: Duration,
}

/// Why a run was given up.
#[derive(Debug)]
pub enum LoadError {
    /// The server sent something other than a 200; its first line.
    Status(String),
    /// The server announced a body of another length, or of none that could be read.
    Length {
        /// What the scenario expects.
        expected: u64,
        /// What the server announced.
        length: Option<u64>,
    },
    /// The server closed a connection that it was to keep.
    Closed,
    /// The server sent more responses than it was asked for.
    Unasked,
    /// The server does not take requests off its socket.
    Refused,
    /// The server did not answer for ten seconds.
    Stalled,
    /// The operating system refused something, or the server could not be started.
    System(io::Error),
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Status(line) => write!(formatter, "the server answered {line:?} and not 200"),
            LoadError::Length { expected, length: Some(length) } => {
                write!(formatter, "the server sent a body of {length} bytes, not {expected}")
            }
            LoadError::Length { expected, length: None } => {
                write!(formatter, "the server sent no single Content-Length, {expected} was expected")
            }
            LoadError::Closed => formatter.write_str("the server closed a connection that it was to keep"),
            LoadError::Unasked => formatter.write_str("the server sent a response that nobody asked for"),
            LoadError::Refused => formatter.write_str("the server does not take requests off its socket"),
            LoadError::Stalled => formatter.write_str("the server did not answer for ten seconds"),
            LoadError::System(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for LoadError {}

impl From<io::Error> for LoadError {
    fn from(error: io::Error) -> LoadError {
        LoadError::System(error)
    }
}

impl From<Errno> for LoadError {
    fn from(error: Errno) -> LoadError {
        match error {
            Errno::CONNRESET | Errno::PIPE => LoadError::Closed,
            error => LoadError::System(error.into()),
        }
    }
}

/// Open connections to one server.
pub struct Client {
    poll: OwnedFd,
    events: Vec<epoll::Event>,
    connections: Vec<Connection>,
    batch: Vec<u8>,
    depth: u32,
    verifier: Verifier,
    buffer: Vec<u8>,
}

impl Client {
    /// Opens all connections, one after the other.
    pub fn connect(load: &Load) -> Result<Client, LoadError> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut connections = Vec::with_capacity(load.connections);
        for index in 0..load.connections {
            let connection = Connection::open(load.address)?;
            let token = epoll::EventData::new_u64(index as u64);
            epoll::add(&poll, &connection.socket, token, epoll::EventFlags::IN | epoll::EventFlags::ET)?;
            connections.push(connection);
        }
        Ok(Client {
            poll,
            events: Vec::with_capacity(load.connections.clamp(1, 1024)),
            connections,
            batch: load.request().repeat(load.depth as usize).into_bytes(),
            depth: load.depth,
            verifier: Verifier::new(load.body_bytes),
            buffer: vec![0; BUFFER_BYTES],
        })
    }

    /// The sockets alone, for connections that are to stay open and do nothing more.
    pub fn into_sockets(self) -> Vec<TcpStream> {
        self.connections.into_iter().map(|connection| connection.socket).collect()
    }

    /// Drives the server until the limit, waits for what is then under way, and says what was seen.
    pub fn run(&mut self, limit: Limit) -> Result<Outcome, LoadError> {
        let mut run = Run::new(limit);
        let cpu_before = thread_cpu();
        for connection in &mut self.connections {
            run.send(connection, &self.batch, self.depth, run.started)?;
        }
        while run.under_way > 0 {
            self.events.clear();
            retry_on_intr(|| epoll::wait(&self.poll, spare_capacity(&mut self.events), Some(&STALL)))?;
            if self.events.is_empty() {
                return Err(LoadError::Stalled);
            }
            for event in &self.events {
                let connection = &mut self.connections[event.data.u64() as usize];
                let completed =
                    connection.receive(&mut self.buffer, &mut self.verifier, &mut run.receives)?;
                let now = run.completed(connection, completed);
                if connection.awaited == 0 {
                    run.send(connection, &self.batch, self.depth, now)?;
                }
            }
        }
        Ok(Outcome {
            requests: run.requests,
            receives: run.receives,
            elapsed: run.started.elapsed(),
            latency: run.latency,
            client_cpu: thread_cpu().saturating_sub(cpu_before),
        })
    }
}

/// The books of one run.
struct Run {
    limit: Limit,
    started: Instant,
    sent: u64,
    under_way: u64,
    requests: u64,
    receives: u64,
    latency: Histogram<u64>,
}

impl Run {
    fn new(limit: Limit) -> Run {
        let latency = Histogram::new_with_bounds(1, LATENCY_LIMIT_NS, 3)
            .expect("the bounds are constants within what the histogram allows");
        Run { limit, started: Instant::now(), sent: 0, under_way: 0, requests: 0, receives: 0, latency }
    }

    /// Sends the next batch unless the limit has been reached.
    fn send(
        &mut self,
        connection: &mut Connection,
        batch: &[u8],
        depth: u32,
        now: Instant,
    ) -> Result<(), LoadError> {
        let goes_on = match self.limit {
            Limit::Time(time) => now.duration_since(self.started) < time,
            Limit::Requests(requests) => self.sent < requests,
        };
        if goes_on {
            connection.send(batch, depth, now)?;
            self.sent += u64::from(depth);
            self.under_way += u64::from(depth);
        }
        Ok(())
    }

    /// Books completed responses; returns the time, read once.
    fn completed(&mut self, connection: &Connection, completed: u32) -> Instant {
        let now = Instant::now();
        let latency_ns = now.duration_since(connection.sent_at).as_nanos() as u64;
        self.latency.saturating_record_n(latency_ns, u64::from(completed));
        self.requests += u64::from(completed);
        self.under_way -= u64::from(completed);
        now
    }
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
