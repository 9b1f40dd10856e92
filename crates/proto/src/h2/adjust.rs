//! What SETTINGS do to the connection once they are there as a whole, and ours once they are acknowledged (RFC 9113 sections 6.5.3 and 6.9.2).

use super::connection::Connection;
use super::error::Error;
use super::receive::Step;
use super::role::Role;
use super::settings::{self, INITIAL_WINDOW};
use super::state::Receiving;
use alloc::vec::Vec;

impl<R: Role> Connection<R> {
    /// The peer's settings are in: whether content that had no room has some now.
    pub(super) fn settings_received(&mut self, out: &mut Vec<u8>) -> Result<bool, Error> {
        let opened = self.resize_send_windows()?;
        self.resize_table();
        settings::write_ack(out);
        self.peer.has_told = true;
        Ok(opened)
    }

    /// A table that shrinks and grows again has shrunk (RFC 7541 section 4.2). Header blocks go by it behind the acknowledgement, and not before.
    pub(super) fn resize_table(&mut self) {
        let (size, ours) = (self.peer.header_table_size, self.limits.header_table_bytes);
        if let Some(least) = self.peer.least_table_size.take() {
            self.role.resize_table(least, ours);
            self.role.resize_table(size, ours);
        }
    }

    /// A new initial window size moves the windows of all streams, perhaps below zero.
    fn resize_send_windows(&mut self) -> Result<bool, Error> {
        let by = i64::from(self.peer.initial_window_size) - i64::from(self.applied_window);
        self.applied_window = self.peer.initial_window_size;
        let mut opened = false;
        if by == 0 {
            return Ok(false);
        }
        for stream in self.streams.iter_mut() {
            let window = i32::try_from(i64::from(stream.send_window) + by);
            let window = window.map_err(|_| Error::InvalidInitialWindow)?;
            opened |= stream.send_window <= 0 && window > 0;
            stream.send_window = window;
        }
        Ok(opened)
    }

    /// From here on the peer goes by what we sent.
    pub(super) fn settings_acknowledged(&mut self, next: usize) -> Result<Step, Error> {
        if self.unacknowledged == 0 {
            return self.useless(0, next);
        }
        self.unacknowledged -= 1;
        let by = self.limits.stream_window_bytes as i32 - INITIAL_WINDOW;
        self.stream_window = self.limits.stream_window_bytes as i32;
        for stream in self.streams.iter_mut().filter(|stream| stream.receiving != Receiving::Reset) {
            stream.receive_window += by;
        }
        // Those that were reset or left out are not there any more, but had windows, too.
        self.discardable_bytes += by.max(0) as u64 * u64::from(self.limits.remembered_resets);
        self.decoder.set_max_size(self.limits.header_table_bytes);
        self.skip_next(0, next);
        Ok(Step::Next(next))
    }
}
