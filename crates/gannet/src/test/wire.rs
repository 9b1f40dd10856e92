//! A client's end of a connection: bytes on their way out and in.

use std::io::ErrorKind;

use gannet_engine::sim;

/// Bytes that wait to be taken by the network before no more are written.
const UNSENT_BYTES: usize = 64 * 1024;

/// Bytes that are taken from the network at a time.
const READ_BYTES: usize = 64 * 1024;

/// How the server's half ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ended {
    InOrder,
    Reset,
}

/// A client's end of a connection.
#[derive(Debug)]
pub(super) struct Wire {
    client: sim::Client,
    pub(super) unsent: Vec<u8>,
    pub(super) unread: Vec<u8>,
    pub(super) ended: Option<Ended>,
}

impl Wire {
    pub(super) fn new(client: sim::Client) -> Wire {
        Wire { client, unsent: Vec::new(), unread: Vec::new(), ended: None }
    }

    /// Whether more may be written.
    pub(super) fn has_room(&self) -> bool {
        self.unsent.len() < UNSENT_BYTES
    }

    /// Sends what the network takes; says whether it took anything.
    pub(super) fn send(&mut self) -> bool {
        if self.unsent.is_empty() {
            return false;
        }
        match self.client.write(&self.unsent) {
            Ok(count) => {
                self.unsent.drain(..count);
                count > 0
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            // Who reads is told.
            Err(_) => {
                self.unsent.clear();
                false
            }
        }
    }

    /// Takes what has come; says whether anything had.
    pub(super) fn receive(&mut self) -> bool {
        if self.ended.is_some() {
            return false;
        }
        let start = self.unread.len();
        self.unread.resize(start + READ_BYTES, 0);
        let read = self.client.read(&mut self.unread[start..]);
        self.unread.truncate(start + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => self.ended = Some(Ended::InOrder),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(_) => self.ended = Some(Ended::Reset),
        }
        true
    }
}
