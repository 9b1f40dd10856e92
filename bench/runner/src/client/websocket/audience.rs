//! The subscribers of a topic, of whom the first publishes: how long a message takes to all of them.
//!
//! While a message is on its way to them only their edges are counted, so that the client takes little of the time; what they
//! were sent is read and compared when all of them have been told of something.

use std::{
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::{buffer::spare_capacity, event::epoll, io::retry_on_intr};

use super::{
    super::{BUFFER_BYTES, Load, LoadError, Received, STALL, channel::Channel},
    compare, frames, upgrade,
};

/// How many edges are taken at once.
const EVENTS: usize = 1024;

/// Open WebSockets of one topic.
pub struct Audience {
    poll: OwnedFd,
    events: Vec<epoll::Event>,
    members: Vec<Member>,
    frame: Vec<u8>,
    expected: Vec<u8>,
    buffer: Vec<u8>,
    received: Received,
}

struct Member {
    channel: Channel,
    /// Whether it has been told of something since the message was published.
    is_told: bool,
    /// How much of the message has come.
    position: usize,
}

impl Audience {
    /// Opens all of them, one after the other.
    pub fn connect(load: &Load) -> Result<Audience, LoadError> {
        let [frame, expected] = frames(load.expected.body_bytes())?;
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut members = Vec::with_capacity(load.connections);
        for index in 0..load.connections {
            let mut channel = Channel::open(load.address)?;
            upgrade(&mut channel, load.address, &load.paths[0])?;
            let token = epoll::EventData::new_u64(index as u64);
            epoll::add(&poll, &channel, token, epoll::EventFlags::IN | epoll::EventFlags::ET)?;
            members.push(Member { channel, is_told: false, position: 0 });
        }
        Ok(Audience {
            poll,
            events: Vec::with_capacity(EVENTS),
            members,
            frame,
            expected,
            buffer: vec![0; BUFFER_BYTES],
            received: Received::default(),
        })
    }

    /// Publishes a message, and says how long it took until all had its last byte.
    pub fn publish(&mut self) -> Result<Duration, LoadError> {
        for member in &mut self.members {
            (member.is_told, member.position) = (false, 0);
        }
        let started = Instant::now();
        self.members[0].channel.send(&self.frame)?;
        let mut untold = self.members.len();
        while untold > 0 {
            self.wait()?;
            for event in &self.events {
                let member = &mut self.members[event.data.u64() as usize];
                untold -= usize::from(!std::mem::replace(&mut member.is_told, true));
            }
        }
        let told_after = started.elapsed();
        match self.receive_all()? {
            true => Ok(told_after),
            // Somebody's message came in pieces.
            false => self.receive_rest(started),
        }
    }

    fn wait(&mut self) -> Result<(), LoadError> {
        self.events.clear();
        retry_on_intr(|| epoll::wait(&self.poll, spare_capacity(&mut self.events), Some(&STALL)))?;
        if self.events.is_empty() { Err(LoadError::Stalled) } else { Ok(()) }
    }

    /// Reads what everybody was sent; says whether that was all.
    fn receive_all(&mut self) -> Result<bool, LoadError> {
        let Audience { members, buffer, expected, received, .. } = self;
        for member in members.iter_mut() {
            member.receive(buffer, expected, received)?;
        }
        Ok(self.is_complete())
    }

    fn receive_rest(&mut self, started: Instant) -> Result<Duration, LoadError> {
        while !self.is_complete() {
            self.wait()?;
            let Audience { events, members, buffer, expected, received, .. } = self;
            for event in events.iter() {
                members[event.data.u64() as usize].receive(buffer, expected, received)?;
            }
        }
        Ok(started.elapsed())
    }

    fn is_complete(&self) -> bool {
        self.members.iter().all(|member| member.position == self.expected.len())
    }
}

impl Member {
    fn receive(&mut self, buffer: &mut [u8], expected: &[u8], books: &mut Received) -> Result<(), LoadError> {
        let Member { channel, position, .. } = self;
        while !channel.receive(buffer, books, |bytes| compare(bytes, expected, position).map(|()| 0))?.is_dry
        {
        }
        Ok(())
    }
}
