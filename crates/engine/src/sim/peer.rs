//! The test's own end of a connection.

use std::io;
use std::net::SocketAddr;

use super::Network;
use super::tcp::Readable;
use super::world::{End, EndId};

/// A client: a peer that connected.
pub type Client = Peer;

/// The test's own end of a connection. It never waits; dropping it closes it, as close(2) does.
#[derive(Debug)]
pub struct Peer {
    network: Network,
    end: EndId,
    /// Of the other end.
    address: SocketAddr,
}

impl Peer {
    pub(super) fn new(network: Network, end: EndId, address: SocketAddr) -> Peer {
        Peer { network, end, address }
    }

    /// Writes what there is room for.
    ///
    /// # Errors
    /// `WouldBlock`: no room. `ConnectionReset`: the connection was reset, told once. `BrokenPipe`: it was, or the half was ended.
    /// `NotConnected`: this end reset it.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.network.world.borrow_mut().write(self.end, bytes)
    }

    /// Reads what has arrived; 0 at the end.
    ///
    /// # Errors
    /// `WouldBlock`: nothing has arrived. `ConnectionReset`: the connection was reset (told each time, unlike recv(2), so that a test
    /// never takes a reset for an end). `NotConnected`: this end reset it.
    pub fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut world = self.network.world.borrow_mut();
        let end = world.end(self.end).filter(|end| !end.released).ok_or(io::ErrorKind::NotConnected)?;
        let was_reset = end.reset;
        match world.readable(self.end) {
            Readable::Bytes(_) => Ok(world.read(self.end, room)),
            Readable::Nothing => Err(io::ErrorKind::WouldBlock.into()),
            Readable::End if !was_reset => Ok(0),
            Readable::End | Readable::Reset => Err(world.tell_reset(self.end)),
        }
    }

    /// Ends this half (shutdown(2), `SHUT_WR`); reading goes on.
    pub fn finish(&mut self) {
        self.network.world.borrow_mut().shutdown(self.end);
    }

    /// Breaks the connection (socket(7), `SO_LINGER` of zero).
    pub fn reset(&mut self) {
        self.network.world.borrow_mut().reset(self.end);
    }

    /// Whether more may come: the peer has not ended its half, and the connection was not reset, as far as is known here.
    pub fn is_open(&self) -> bool {
        self.with_end(|end| !end.ended && !end.dead).unwrap_or(false)
    }

    /// Whether the connection was reset by the peer or the network, before the peer's end or so that bytes before it were lost.
    pub fn is_reset(&self) -> bool {
        self.with_end(|end| end.reset).unwrap_or(false)
    }

    /// How many bytes have arrived and are unread.
    pub fn unread(&self) -> usize {
        self.with_end(|end| end.incoming.unread()).unwrap_or(0)
    }

    /// How many bytes towards this end are held until it reads: a reader that takes little, for a test.
    pub fn set_capacity(&mut self, bytes: usize) {
        if let Some(end) = self.network.world.borrow_mut().end_mut(self.end) {
            end.incoming.set_capacity(bytes);
        }
    }

    /// How many bytes from this end are held until the engine receives them.
    pub fn set_send_capacity(&mut self, bytes: usize) {
        if let Some(end) = self.network.world.borrow_mut().end_mut(self.end.peer()) {
            end.incoming.set_capacity(bytes);
        }
    }

    /// This end's address.
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.with_end(|end| end.address)
    }

    /// The other end's address: for a client, the one connected to.
    pub fn peer_address(&self) -> SocketAddr {
        self.address
    }

    fn with_end<T>(&self, look: impl FnOnce(&End) -> T) -> Option<T> {
        self.network.world.borrow().end(self.end).map(look)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Busy only when a panic passes through the network itself: then there is nothing left to close.
        if let Ok(mut world) = self.network.world.try_borrow_mut() {
            world.close(self.end);
        }
    }
}
