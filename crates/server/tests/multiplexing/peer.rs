//! A client of HTTP/2 that does what a test says, frame by frame, on a network where nothing goes wrong.

use std::io::ErrorKind;
use std::time::Duration;

use super::frames::{self, ACK, PREFACE, kind, settings};
use super::witness::{Answer, Witness};
use crate::wire::Wire;
use crate::world::World;

/// A client of a test.
pub struct Peer {
    pub wire: Wire,
    pub witness: Witness,
    ended: Option<Result<(), ErrorKind>>,
    /// It gives back at once what it was sent.
    pub generous: bool,
    given: usize,
    heard: usize,
    /// Settings of the server's that it has acknowledged.
    acknowledged: usize,
}

impl Peer {
    /// A client that has said its preface, with prior knowledge.
    pub fn connect(world: &World) -> Peer {
        Peer::with(world, &[])
    }

    /// The same, with settings.
    pub fn with(world: &World, its: &[(u16, u32)]) -> Peer {
        let mut peer = Peer::silent(world);
        peer.say([&PREFACE[..], &settings(its)].concat());
        peer
    }

    /// A client that has said nothing.
    pub fn silent(world: &World) -> Peer {
        Peer::of(Wire::Clear(world.connect()))
    }

    pub fn of(wire: Wire) -> Peer {
        Peer {
            wire,
            witness: Witness::default(),
            ended: None,
            generous: false,
            given: 0,
            heard: 0,
            acknowledged: 0,
        }
    }

    /// Says all of it.
    pub fn say(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        assert_eq!(self.wire.write(bytes).expect("the connection is open"), bytes.len(), "there is room");
        self.witness.wrote(bytes);
    }

    /// Says as much as is taken, if the connection is there; returns how much that was.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let count = self.wire.write(bytes).unwrap_or(0);
        self.witness.wrote(&bytes[..count]);
        count
    }

    /// Asks for a path on a stream.
    pub fn get(&mut self, stream: u32, target: &str) {
        self.say(frames::request(stream, "GET", target, &[], true));
    }

    /// Begins a request whose body follows.
    pub fn post(&mut self, stream: u32, target: &str) {
        self.say(frames::request(stream, "POST", target, &[], false));
    }

    /// Reads what has come; says whether anything had.
    pub fn hear(&mut self) -> bool {
        let mut room = vec![0; 64 * 1024];
        let mut any = false;
        while self.ended.is_none() {
            match self.wire.read(&mut room) {
                Ok(0) => self.ended = Some(Ok(())),
                Ok(count) => {
                    any = true;
                    self.heard += count;
                    let heard = self.witness.heard(&room[..count]);
                    heard.unwrap_or_else(|wrong| panic!("{wrong}; after {:?}", self.witness));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => any = true,
                Err(error) => self.ended = Some(Err(error.kind())),
            }
        }
        while self.witness.has_begun() && self.acknowledged < self.witness.told && self.ended.is_none() {
            self.acknowledged += 1;
            self.push(&frames::frame(kind::SETTINGS, ACK, 0, &[]));
        }
        if self.generous {
            self.give_back();
        }
        any
    }

    /// Opens the windows by what was sent.
    fn give_back(&mut self) {
        let (mut all, mut updates) = (0, Vec::new());
        for (stream, answer) in &self.witness.answers {
            let pieces: usize = answer.pieces.iter().sum();
            all += pieces;
            if pieces > 0 && !answer.complete && answer.reset.is_none() {
                updates.push(*stream);
            }
        }
        let by = (all - self.given) as u32;
        if by == 0 || self.ended.is_some() {
            return;
        }
        self.given = all;
        let mut bytes = frames::window_update(0, by);
        for stream in updates {
            bytes.extend(frames::window_update(stream, by));
        }
        self.push(&bytes);
    }

    /// Lets client and server act until neither does anything more at this moment.
    pub fn settle(&mut self, world: &mut World) {
        for _ in 0..10_000 {
            world.settle();
            if !self.hear() {
                return;
            }
        }
        panic!("they go on and on");
    }

    /// The same, for so long.
    pub async fn run(&mut self, time: Duration, world: &mut World) {
        let end = world.now().after(time);
        for _ in 0..100_000 {
            self.settle(world);
            let next = world.next_event().filter(|next| *next <= end);
            let Some(next) = next else { break };
            world.advance_to(next).await;
        }
        world.advance_to(end).await;
        self.settle(world);
    }

    /// The answer on a stream.
    pub fn answer(&mut self, stream: u32) -> Answer {
        self.hear();
        self.witness.answers.get(&stream).cloned().unwrap_or_default()
    }

    /// The status on a stream; nothing while the answer is not whole.
    pub fn status(&mut self, stream: u32) -> Option<u16> {
        let answer = self.answer(stream);
        answer.complete.then_some(answer.status)
    }

    /// How much the server has said.
    pub fn heard_bytes(&mut self) -> usize {
        self.hear();
        self.heard
    }

    /// With what the server reset a stream.
    pub fn was_reset(&mut self, stream: u32) -> Option<u32> {
        self.answer(stream).reset
    }

    /// The codes of the server's GOAWAYs.
    pub fn go_aways(&mut self) -> Vec<(u32, u32)> {
        self.hear();
        self.witness.go_aways.clone()
    }

    /// Whether the server has ended the connection, in good order.
    pub fn is_ended(&mut self) -> bool {
        self.hear();
        assert!(!matches!(self.ended, Some(Err(_))), "it was reset: {:?}", self.ended);
        self.ended.is_some()
    }

    /// Whether the connection is no more, however it ended.
    pub fn is_over(&mut self) -> bool {
        self.hear();
        self.ended.is_some()
    }

    /// How many streams were answered as a whole with this status.
    pub fn count(&mut self, status: u16) -> usize {
        self.hear();
        self.witness.answers.values().filter(|answer| answer.complete && answer.status == status).count()
    }
}
