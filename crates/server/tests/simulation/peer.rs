//! A client that does what a test says, on a network where nothing goes wrong.

use std::io::ErrorKind;
use std::time::Duration;

use gannet_engine::sim::{Client, Faults, Network};
use gannet_server::Limits;

use crate::reader::{Answer, Asked, Reader};
use crate::site;
use crate::world::{Setup, World, simulate};

/// A client of a test.
pub struct Peer {
    pub client: Client,
    reader: Reader,
    ended: bool,
}

/// Runs `test` on a server with `limits` and one worker.
pub fn serve(limits: Limits, test: impl AsyncFnOnce(&mut World)) {
    serve_by(&Setup { limits, ..Setup::default() }, test);
}

/// Runs `test` on a server.
pub fn serve_by(setup: &Setup, test: impl AsyncFnOnce(&mut World)) {
    simulate(async {
        let network = Network::new(0, Faults::none());
        let mut world = World::new(network, &site::site(false), setup);
        test(&mut world).await;
    });
}

impl Peer {
    pub fn connect(world: &World) -> Peer {
        Peer::of(world.connect())
    }

    pub fn of(client: Client) -> Peer {
        Peer { client, reader: Reader::default(), ended: false }
    }

    /// Says all of it.
    pub fn say(&mut self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        assert_eq!(self.client.write(text).expect("the connection is open"), text.len(), "there is room");
    }

    /// Asks for a path.
    pub fn get(&mut self, target: &str) {
        self.say(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
    }

    /// Begins a request with a body of `length` bytes.
    pub fn post(&mut self, target: &str, length: usize) {
        self.say(format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"));
    }

    /// Says as much as is taken, `most` at the most; returns how much that was.
    pub fn push(&mut self, most: usize) -> usize {
        self.client.write(&vec![b'x'; most]).unwrap_or(0)
    }

    /// Reads what has come, and gives all answers so far.
    pub fn hear(&mut self) -> &[Answer] {
        let mut room = vec![0; 64 * 1024];
        while !self.ended {
            match self.client.read(&mut room) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    let taken = self.reader.take(&room[..count], |_| Asked::default());
                    taken.expect("what RFC 9112 lets a server say");
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("the connection ends in good order, and not so: {error}"),
            }
        }
        &self.reader.answers
    }

    /// The statuses of all whole answers so far.
    pub fn statuses(&mut self) -> Vec<u16> {
        self.hear().iter().filter(|answer| answer.complete).map(|answer| answer.status).collect()
    }

    /// Whether it was asked for its body, and has heard no answer since.
    pub fn is_continued(&mut self) -> bool {
        self.hear();
        self.reader.continued
    }

    /// Interim responses so far, with their fields.
    pub fn interims(&mut self) -> &[(u16, Vec<(String, String)>)] {
        self.hear();
        &self.reader.interims
    }

    /// What was said after the protocol was switched.
    pub fn conversation(&mut self) -> &[u8] {
        self.hear();
        &self.reader.conversation
    }

    /// Whether the server has ended the connection.
    pub fn is_ended(&mut self) -> bool {
        self.hear();
        self.ended
    }

    /// Checks that the connection is open until `expected` has passed from now on, and then ended; the wheel of timers may be
    /// late by its resolution.
    pub async fn assert_ends_after(&mut self, expected: Duration, world: &mut World) {
        let resolution = Duration::from_millis(130);
        world.run(expected.saturating_sub(Duration::from_millis(10))).await;
        assert!(self.client.is_open(), "open until {expected:?} have passed");
        world.run(resolution).await;
        assert!(!self.client.is_open(), "ended when {expected:?} have passed");
    }
}
