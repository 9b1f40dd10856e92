//! A closed loop whose every request has a connection of its own: it opens, asks with `Connection: close`, reads until
//! the server has closed, closes, and opens the next.

use std::{
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::{buffer::spare_capacity, event::epoll, io::retry_on_intr};

use super::{
    Limit, Load, LoadError, Outcome, Received, Run, STALL,
    exchange::{Exchange, Stage, source},
    host, request,
    response::Verifier,
    thread_cpu,
};
use crate::work::Handshake;

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
            request: request(&host(load.address, load.tls.as_ref()), &load.paths[0], &fields).into_bytes(),
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
        if !self.is_spent() && run.begins(1, now) {
            let source = source(SOURCE_BLOCK, self.opened);
            self.opened = self.opened.wrapping_add(1);
            let exchange = Exchange::open(&self.poll, place as u64, source, &self.load, &self.request)?;
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

    /// Whether there is nothing left to resume a session with.
    fn is_spent(&self) -> bool {
        let tickets = self.load.tls.as_ref().map(|tls| &tls.tickets);
        tickets.is_some_and(|tickets| tickets.are_used() && tickets.count() == 0)
    }

    /// What it means that nothing has happened for long.
    fn stalled(&self) -> LoadError {
        let is_answered = |place: &Place| place.exchange.is_answered();
        if self.places.iter().flatten().all(is_answered) { LoadError::KeptOpen } else { LoadError::Stalled }
    }
}

/// Where sessions are to be resumed, gets tickets for `time`, by full handshakes. A server that gives new ones with each
/// resumed session needs only a first few; one that does not is asked for tickets for half as long as they are then used up,
/// or longer: it gives two with each full handshake. Should they not last, the measurement ends with them.
pub fn fill(load: &Load, time: Duration) -> Result<(), LoadError> {
    let Some(tls) = load.tls.as_ref().filter(|tls| tls.handshake == Handshake::Resumed) else {
        return Ok(());
    };
    let tickets = &tls.tickets;
    tickets.use_them(false);
    ShortClient::new(load)?.run(Limit::Requests(2 * load.connections as u64))?;
    tickets.use_them(true);
    let count = tickets.count();
    ShortClient::new(&Load { connections: 1, ..load.clone() })?.run(Limit::Requests(1))?;
    if tickets.count() < count {
        tickets.use_them(false);
        ShortClient::new(load)?.run(Limit::Time(time))?;
        tickets.use_them(true);
    }
    if count == 0 { Err(LoadError::NoTicket) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{SocketAddr, TcpListener, TcpStream},
        sync::Arc,
        thread::JoinHandle,
    };

    use rustls::{ServerConnection, StreamOwned};

    use super::*;
    use crate::{
        client::{Expected, Tls, tls},
        work::Protocol,
    };

    /// Answers so many connections, one after the other, with what `end` does last.
    fn server<S: Read + Write + 'static>(
        connections: usize,
        open: impl Fn(TcpStream) -> S + Send + 'static,
        end: fn(S),
    ) -> (SocketAddr, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serve = move || {
            let mut requests = Vec::new();
            for _ in 0..connections {
                let mut socket = open(listener.accept().unwrap().0);
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
            tls: None,
            paths: vec!["/".to_owned()],
            fields: String::new(),
            connections: 2,
            depth: 1,
            expected: Expected::whole(2),
            copied: false,
            protocol: Protocol::Http1,
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
            let (address, server) = server(10, |socket| socket, end);
            let outcome = ShortClient::new(&load(address)).unwrap().run(Limit::Requests(10)).unwrap();
            assert_eq!((outcome.requests, outcome.latency.len()), (10, 10));
            let requests = server.join().unwrap();
            assert!(requests.iter().all(|request| request.contains("Connection: close\r\n")));
        }
    }

    #[test]
    fn tickets_are_got_by_full_handshakes_and_used_by_resumed_ones() {
        let (config, certificate) = tls::tests::server();
        let (address, server) = server(
            25,
            move |socket| {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                StreamOwned::new(connection, socket)
            },
            drop,
        );
        let tls = Tls::new(&certificate, Handshake::Resumed, Protocol::Http1).unwrap();
        let load = Load { tls: Some(tls.clone()), ..load(address) };
        // Four full ones, one resumed to see whether it brings new tickets, which it does.
        fill(&load, Duration::ZERO).unwrap();
        let outcome = ShortClient::new(&load).unwrap().run(Limit::Requests(20)).unwrap();
        assert_eq!(outcome.requests, 20);
        let requests = server.join().unwrap();
        assert!(requests.iter().all(|request| request.contains("Host: localhost:")));
        assert!(tls.tickets.received() >= 8 + 21);
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
