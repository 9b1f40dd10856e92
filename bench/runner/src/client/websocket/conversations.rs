//! A closed loop over WebSockets: each has a batch of messages under way, and sends the next when the last of it has come back.

use std::{os::fd::OwnedFd, time::Instant};

use rustix::{buffer::spare_capacity, event::epoll, io::retry_on_intr};

use super::{
    super::{
        BUFFER_BYTES, Limit, Load, LoadError, Outcome, Received, Run, STALL, channel::Channel, thread_cpu,
    },
    compare, frames, upgrade,
};

/// Open WebSockets of one server.
pub struct Conversations {
    poll: OwnedFd,
    events: Vec<epoll::Event>,
    conversations: Vec<Conversation>,
    depth: u32,
    batch: Vec<u8>,
    expected: Vec<u8>,
    buffer: Vec<u8>,
}

struct Conversation {
    channel: Channel,
    sent_at: Instant,
    /// How much of the batch under way has come back.
    position: usize,
}

impl Conversations {
    /// Opens all of them, one after the other.
    pub fn connect(load: &Load) -> Result<Conversations, LoadError> {
        let [sent, expected] = frames(load.expected.body_bytes())?;
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut conversations = Vec::with_capacity(load.connections);
        for index in 0..load.connections {
            let mut channel = Channel::open(load.address)?;
            upgrade(&mut channel, load.address, &load.paths[0])?;
            let token = epoll::EventData::new_u64(index as u64);
            epoll::add(&poll, &channel, token, epoll::EventFlags::IN | epoll::EventFlags::ET)?;
            conversations.push(Conversation { channel, sent_at: Instant::now(), position: 0 });
        }
        Ok(Conversations {
            poll,
            events: Vec::with_capacity(load.connections.clamp(1, 1024)),
            conversations,
            depth: load.depth,
            batch: sent.repeat(load.depth as usize),
            expected: expected.repeat(load.depth as usize),
            buffer: vec![0; BUFFER_BYTES],
        })
    }

    /// Drives the server until the limit, waits for what is then under way, and says what was seen.
    pub fn run(&mut self, limit: Limit) -> Result<Outcome, LoadError> {
        let mut run = Run::new(limit, false);
        let cpu_before = thread_cpu();
        for conversation in &mut self.conversations {
            if run.begins(self.depth, run.started) {
                conversation.send(&self.batch, run.started)?;
            }
        }
        while run.under_way > 0 && !run.is_left() {
            self.events.clear();
            retry_on_intr(|| epoll::wait(&self.poll, spare_capacity(&mut self.events), Some(&STALL)))?;
            if self.events.is_empty() {
                return Err(LoadError::Stalled);
            }
            for event in &self.events {
                let conversation = &mut self.conversations[event.data.u64() as usize];
                if conversation.receive(&mut self.buffer, &self.expected, &mut run.received)? {
                    let now = run.completed(conversation.sent_at, self.depth);
                    if run.begins(self.depth, now) {
                        conversation.send(&self.batch, now)?;
                    }
                }
            }
        }
        Ok(run.outcome(cpu_before))
    }
}

impl Conversation {
    fn send(&mut self, batch: &[u8], now: Instant) -> Result<(), LoadError> {
        (self.position, self.sent_at) = (0, now);
        self.channel.send(batch)
    }

    /// Takes what has arrived; says whether that was the rest of the batch.
    fn receive(
        &mut self,
        buffer: &mut [u8],
        expected: &[u8],
        books: &mut Received,
    ) -> Result<bool, LoadError> {
        let Conversation { channel, position, .. } = self;
        let before = *position;
        while !channel.receive(buffer, books, |bytes| compare(bytes, expected, position).map(|()| 0))?.is_dry
        {
        }
        Ok(before < expected.len() && *position == expected.len())
    }
}
