//! Clients: what they ask, and how they leave.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use gannet_engine::sim::Random;
use socket2::SockRef;

use crate::response::Reader;
use crate::site::{BODY_BYTES, LARGE_BYTES, PRODUCED_BYTES};

const CLIENTS: usize = 48;
/// Chance that a connection's client leaves before it has all it asked for.
const LEAVES: f64 = 0.5;
/// How long a client waits for the server, at most.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one that leaves waits for each piece of an answer, at most.
const HURRY: Duration = Duration::from_millis(200);
/// How long one that stalls does nothing: some longer than every deadline of the server.
const STALL: Duration = Duration::from_secs(5);
/// What is said in an upgraded connection.
const SAID: &[u8] = b"said in another protocol";

/// What can be asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Later,
    Large,
    Produced,
    SmallFile,
    LargeFile,
    Panic,
    Collect,
    Echo,
    Ignore,
    Upgrade,
}

const KINDS: [Kind; 11] = [
    Kind::Plain,
    Kind::Later,
    Kind::Large,
    Kind::Produced,
    Kind::SmallFile,
    Kind::LargeFile,
    Kind::Panic,
    Kind::Collect,
    Kind::Echo,
    Kind::Ignore,
    Kind::Upgrade,
];

/// A request, and what must come back.
struct Request {
    bytes: Vec<u8>,
    status: u16,
    /// Of the body, where it is the handler's.
    length: Option<usize>,
    is_upgrade: bool,
}

/// What happened.
#[derive(Default)]
pub struct Tally {
    answered: u64,
    finished: u64,
    reset: u64,
    half_closed: u64,
    stalled: u64,
    closed: u64,
}

/// Runs clients until `end`, and tells what they saw.
///
/// # Errors
/// What a client that did not leave was answered wrongly.
pub fn run(address: SocketAddr, end: Instant, seed: u64) -> Result<Tally, String> {
    let mut seeds = Random::new(seed);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| seeds.fork())
        .map(|random| thread::spawn(move || live(address, end, random)))
        .collect();
    let mut sum = Tally::default();
    for client in clients {
        let tally = client.join().map_err(|_| "a client panicked".to_owned())?;
        sum.add(&tally?);
    }
    Ok(sum)
}

fn live(address: SocketAddr, end: Instant, mut random: Random) -> Result<Tally, String> {
    let mut tally = Tally::default();
    while Instant::now() < end {
        let requests: Vec<Request> = (0..random.range(1..=8)).map(|_| request(&mut random)).collect();
        let stream = connect(address).map_err(|error| format!("a client cannot connect: {error}"))?;
        if random.chance(LEAVES) {
            // What meets one that leaves is nobody's fault.
            let _ = leave(stream, &requests, &mut random, &mut tally);
        } else {
            let pipelines = random.chance(0.5);
            stay(stream, &requests, pipelines, &mut tally)?;
        }
    }
    Ok(tally)
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Asks for everything and looks at every answer.
fn stay(stream: TcpStream, requests: &[Request], pipelines: bool, tally: &mut Tally) -> Result<(), String> {
    let mut reader = Reader::new(stream);
    // What follows an upgrade is no request any more; a pipeline of large bodies would wait for its own answers.
    let mut end = requests.iter().position(|request| request.is_upgrade).map_or(requests.len(), |at| at + 1);
    if pipelines {
        let small = requests[..end].iter().take_while(|request| request.bytes.len() < 1000);
        end = small.count().max(1);
        let all: Vec<u8> = requests[..end].iter().flat_map(|request| request.bytes.clone()).collect();
        reader.stream.write_all(&all).map_err(|error| format!("{end} pipelined requests: {error}"))?;
    }
    for request in &requests[..end] {
        answered(&mut reader, request, !pipelines).map_err(|error| format!("{}: {error}", request.line()))?;
        tally.answered += 1;
    }
    tally.finished += 1;
    Ok(())
}

fn answered(reader: &mut Reader, request: &Request, asks: bool) -> io::Result<()> {
    if asks {
        reader.stream.write_all(&request.bytes)?;
    }
    let response = reader.response()?;
    let (status, length) = (response.status, response.body.len());
    if status != request.status || request.length.is_some_and(|expected| expected != length) {
        return Err(io::Error::other(format!("answered by {status} with {length} bytes")));
    }
    if request.is_upgrade {
        reader.stream.write_all(SAID)?;
        if reader.exactly(SAID.len())? != SAID {
            return Err(io::Error::other("something else was said"));
        }
    }
    Ok(())
}

/// Sends some of what it would ask, reads some of what comes, and leaves in one of several ways.
fn leave(
    mut stream: TcpStream,
    requests: &[Request],
    random: &mut Random,
    tally: &mut Tally,
) -> io::Result<()> {
    let all: Vec<u8> = requests.iter().flat_map(|request| request.bytes.clone()).collect();
    let sent = if random.chance(0.5) { all.len() } else { random.magnitude(1..=all.len()) };
    stream.set_read_timeout(Some(random.duration(Duration::from_millis(1)..=HURRY)))?;
    stream.write_all(&all[..sent])?;
    let mut room = vec![0; random.magnitude(1..=LARGE_BYTES)];
    if random.chance(0.7) {
        // Nothing may have come: it leaves all the same.
        let _ = stream.read(&mut room);
    }
    match random.range(0..=9) {
        0..=3 => {
            tally.reset += 1;
            SockRef::from(&stream).set_linger(Some(Duration::ZERO))
        }
        4..=6 => {
            tally.half_closed += 1;
            stream.shutdown(Shutdown::Write)?;
            let mut taken = 0;
            while taken < 2 * LARGE_BYTES {
                match stream.read(&mut room)? {
                    0 => break,
                    count => taken += count,
                }
            }
            Ok(())
        }
        7 => {
            tally.stalled += 1;
            thread::sleep(random.duration(Duration::from_millis(1)..=STALL));
            Ok(())
        }
        _ => {
            tally.closed += 1;
            Ok(())
        }
    }
}

fn request(random: &mut Random) -> Request {
    match *random.pick(&KINDS) {
        Kind::Plain => get("/plain", 200, Some(5)),
        Kind::Later => get("/later", 200, Some(5)),
        Kind::Large => get("/large", 200, Some(LARGE_BYTES)),
        Kind::Produced => get("/produced", 200, Some(PRODUCED_BYTES)),
        Kind::SmallFile => get("/files/small", 200, Some(1000)),
        Kind::LargeFile => get("/files/large", 200, Some(LARGE_BYTES)),
        Kind::Panic => get("/panic", 500, None),
        Kind::Collect => post("/collect", random, |length| length),
        Kind::Echo => post("/echo", random, |length| length),
        Kind::Ignore => post("/ignore", random, |_| 7),
        Kind::Upgrade => upgrade(),
    }
}

fn get(path: &str, status: u16, length: Option<usize>) -> Request {
    let bytes = format!("GET {path} HTTP/1.1\r\nHost: soak\r\n\r\n").into_bytes();
    Request { bytes, status, length, is_upgrade: false }
}

fn upgrade() -> Request {
    let head = "GET /upgrade HTTP/1.1\r\nHost: soak\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    Request { bytes: head.as_bytes().to_vec(), status: 101, length: None, is_upgrade: true }
}

/// With its length told, or in chunks.
fn post(path: &str, random: &mut Random, answer: fn(usize) -> usize) -> Request {
    let length = random.magnitude(1..=BODY_BYTES);
    let mut bytes = format!("POST {path} HTTP/1.1\r\nHost: soak\r\n").into_bytes();
    if random.chance(0.5) {
        bytes.extend_from_slice(format!("Content-Length: {length}\r\n\r\n").as_bytes());
        bytes.resize(bytes.len() + length, b'b');
    } else {
        bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
        let mut left = length;
        while left > 0 {
            let size = random.magnitude(1..=left.min(10_000));
            bytes.extend_from_slice(format!("{size:x}\r\n").as_bytes());
            bytes.resize(bytes.len() + size, b'b');
            bytes.extend_from_slice(b"\r\n");
            left -= size;
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
    }
    Request { bytes, status: 200, length: Some(answer(length)), is_upgrade: false }
}

impl Request {
    fn line(&self) -> String {
        let line = self.bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        String::from_utf8_lossy(line).into_owned()
    }
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.answered += other.answered;
        self.finished += other.finished;
        self.reset += other.reset;
        self.half_closed += other.half_closed;
        self.stalled += other.stalled;
        self.closed += other.closed;
    }

    /// A load in which something did not happen has shown nothing.
    pub fn judge(&self) -> Result<(), String> {
        let counts = [self.answered, self.finished, self.reset, self.half_closed, self.stalled, self.closed];
        if counts.contains(&0) { Err(format!("too short a load: {self}")) } else { Ok(()) }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { answered, finished, reset, half_closed, stalled, closed } = self;
        write!(f, "{answered} answers to {finished} clients that stayed; of the others ")?;
        write!(f, "{reset} reset, {half_closed} ended their half, {stalled} stalled, {closed} closed")
    }
}
