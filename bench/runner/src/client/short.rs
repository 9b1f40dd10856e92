//! A closed loop whose every request has a connection of its own: it opens, asks with `Connection: close`, reads until
//! the server has closed, closes, and opens the next.

use std::{os::fd::OwnedFd, time::Instant};

use rustix::{buffer::spare_capacity, event::epoll, io::retry_on_intr};

use super::{
    Limit, Load, LoadError, Outcome, Received, Run, STALL,
    exchange::{Exchange, Stage, source},
    request,
    response::Verifier,
    thread_cpu,
};

/// A short response fits in one receive.
const BUFFER_BYTES: usize = 64 * 1024;
/// The third byte of the addresses that these connections come from.
const SOURCE_BLOCK: u8 = 1;

/// What is under way at one place of the loop.
struct Place {
    exchange: Exchange,
    opened_at: Instant,
}

/// Exchanges with one server, so many at once.
pub struct ShortClient {
    load: Load,
    request: Vec<u8>,
    poll: OwnedFd,
    places: Vec<Option<Place>>,
    verifier: Verifier,
    buffer: Vec<u8>,
    opened: u32,
}

impl ShortClient {
    /// Opens nothing yet.
    pub fn new(load: &Load) -> Result<ShortClient, LoadError> {
        let fields = format!("{}Connection: close\r\n", load.fields);
        Ok(ShortClient {
            request: request(load.address, &load.paths[0], &fields).into_bytes(),
            poll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            places: (0..load.connections).map(|_| None).collect(),
            verifier: Verifier::new(load.expected),
            buffer: vec![0; BUFFER_BYTES],
            opened: 0,
            load: load.clone(),
        })
    }

    /// Drives the server until the limit, waits for what is then under way, and says what was seen. Latency is from
    /// the beginning of the connection to its end.
    pub fn run(&mut self, limit: Limit) -> Result<Outcome, LoadError> {
        let mut run = Run::new(limit, self.load.copied);
        let cpu_before = thread_cpu();
        for place in 0..self.places.len() {
            self.open(place, &mut run, Instant::now())?;
        }
        let mut events: Vec<epoll::Event> = Vec::with_capacity(self.places.len().clamp(1, 1024));
        while run.under_way > 0 && !run.is_left() {
            events.clear();
            retry_on_intr(|| epoll::wait(&self.poll, spare_capacity(&mut events), Some(&STALL)))?;
            if events.is_empty() {
                return Err(self.stalled());
            }
            for event in &events {
                let place = event.data.u64() as usize;
                if self.ready(place, event.flags, &mut run.received)? == Stage::Closed
                    && let Some(ended) = self.places[place].take()
                {
                    // Closing is part of the exchange.
                    drop(ended.exchange);
                    let now = run.completed(ended.opened_at, 1);
                    self.open(place, &mut run, now)?;
                }
            }
        }
        Ok(run.outcome(cpu_before))
    }

    fn open(&mut self, place: usize, run: &mut Run, now: Instant) -> Result<(), LoadError> {
        if run.begins(1, now) {
            let source = source(SOURCE_BLOCK, self.opened);
            self.opened = self.opened.wrapping_add(1);
            let exchange =
                Exchange::open(&self.poll, place as u64, source, self.load.address, &self.request)?;
            self.places[place] = Some(Place { exchange, opened_at: now });
        }
        Ok(())
    }

    fn ready(
        &mut self,
        place: usize,
        flags: epoll::EventFlags,
        received: &mut Received,
    ) -> Result<Stage, LoadError> {
        match &mut self.places[place] {
            Some(place) => {
                place.exchange.ready(flags, &self.request, &mut self.buffer, &mut self.verifier, received)
            }
            // An event that came before its socket was closed.
            None => Ok(Stage::Waits),
        }
    }

    /// What it means that nothing has happened for long.
    fn stalled(&self) -> LoadError {
        let is_answered = |place: &Place| place.exchange.is_answered();
        if self.places.iter().flatten().all(is_answered) { LoadError::KeptOpen } else { LoadError::Stalled }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{SocketAddr, TcpListener, TcpStream},
        thread::JoinHandle,
    };

    use super::*;
    use crate::client::Expected;

    /// Answers so many connections, one after the other, with what `end` does last.
    fn server(connections: usize, end: fn(TcpStream)) -> (SocketAddr, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serve = move || {
            let mut requests = Vec::new();
            for _ in 0..connections {
                let (mut socket, _) = listener.accept().unwrap();
                let mut buffer = [0; 1024];
                let received = socket.read(&mut buffer).unwrap();
                requests.push(String::from_utf8_lossy(&buffer[..received]).into_owned());
                socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
                end(socket);
            }
            requests
        };
        (address, std::thread::spawn(serve))
    }

    fn load(address: SocketAddr) -> Load {
        Load {
            address,
            paths: vec!["/".to_owned()],
            fields: String::new(),
            connections: 2,
            depth: 1,
            expected: Expected::whole(2),
            copied: false,
        }
    }

    #[test]
    fn every_request_has_a_connection_of_its_own_whoever_closes_first() {
        let closes: fn(TcpStream) = drop;
        let half_closes: fn(TcpStream) = |mut socket| {
            socket.shutdown(std::net::Shutdown::Write).unwrap();
            assert_eq!(socket.read(&mut [0; 16]).unwrap(), 0, "the client closes too");
        };
        for end in [closes, half_closes] {
            let (address, server) = server(10, end);
            let outcome = ShortClient::new(&load(address)).unwrap().run(Limit::Requests(10)).unwrap();
            assert_eq!((outcome.requests, outcome.latency.len()), (10, 10));
            let requests = server.join().unwrap();
            assert!(requests.iter().all(|request| request.contains("Connection: close\r\n")));
        }
    }

    #[test]
    fn a_server_that_closes_before_it_has_answered_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let asked = socket.read(&mut [0; 1024]).unwrap();
            assert!(asked > 0);
            socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no").unwrap();
        });
        let mut load = load(address);
        load.connections = 1;
        let error = ShortClient::new(&load).unwrap().run(Limit::Requests(1)).unwrap_err();
        assert!(matches!(error, LoadError::Closed), "{error}");
        server.join().unwrap();
    }
}
