//! One connection of the load: sends a batch of requests, then counts its responses as they come.

use std::time::Instant;

use super::{LoadError, Received, channel::Channel, progress::Progress, response::Verifier};

/// A connection and how far its responses have come.
pub struct Connection {
    pub(super) channel: Channel,
    /// When the batch under way was sent: the start of its latency.
    pub(super) sent_at: Instant,
    /// Responses that the batch under way still lacks.
    pub(super) awaited: u32,
    progress: Progress,
}

impl Connection {
    /// Nothing has been asked over it.
    pub fn new(channel: Channel) -> Connection {
        Connection { channel, sent_at: Instant::now(), awaited: 0, progress: Progress::default() }
    }

    /// Sends a batch of `depth` requests in one call. The socket's buffer is empty then, so it takes them all.
    pub fn send(&mut self, batch: &[u8], depth: u32, now: Instant) -> Result<(), LoadError> {
        self.channel.send(batch)?;
        self.awaited = depth;
        self.sent_at = now;
        Ok(())
    }

    /// Sends one more request, whether or not there are answers outstanding. What the socket does not take would have to
    /// be kept, and means that the server has stopped to read.
    pub fn send_more(&mut self, request: &[u8]) -> Result<(), LoadError> {
        self.channel.send(request)?;
        self.awaited += 1;
        Ok(())
    }

    /// Takes what has arrived and returns how many responses that completed.
    pub fn receive(
        &mut self,
        buffer: &mut [u8],
        verifier: &mut Verifier,
        books: &mut Received,
    ) -> Result<u32, LoadError> {
        let Connection { channel, progress, .. } = self;
        let (mut completed, mut is_dry) = (0, false);
        while !is_dry {
            // Inside a long body nobody needs the bytes.
            let is_within = progress.body_left_bytes() >= buffer.len() as u64;
            if is_within && !books.copied && !channel.is_secured() {
                let dropped = channel.skip(buffer, books)?;
                completed += progress.drop_body(dropped as u64);
                is_dry = dropped < buffer.len();
            } else {
                let taken = channel.receive(buffer, books, |bytes| progress.count(bytes, verifier))?;
                completed += taken.count;
                is_dry = taken.is_dry;
            }
        }
        self.awaited = self.awaited.checked_sub(completed).ok_or(LoadError::Unasked)?;
        Ok(completed)
    }
}
