//! A listener of the test's own.

use std::net::SocketAddr;

use super::Network;
use super::peer::Peer;
use super::world::Owner;

/// Where the test itself accepts connections, as the server that engines connect to. It never waits; dropping it closes it, which resets
/// those that were not accepted.
#[derive(Debug)]
pub struct Acceptor {
    network: Network,
    /// The network's own number for it.
    number: usize,
    address: SocketAddr,
}

impl Acceptor {
    pub(super) fn new(network: Network, number: usize, address: SocketAddr) -> Acceptor {
        Acceptor { network, number, address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The connection that came first of those that wait.
    pub fn accept(&self) -> Option<Peer> {
        let mut world = self.network.world.borrow_mut();
        let end = world.accept(self.number, Owner::Test)?;
        let address = world.end(end.peer())?.address;
        Some(Peer::new(self.network.clone(), end, address))
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        // Busy only when a panic passes through the network itself: then there is nothing left to close.
        if let Ok(mut world) = self.network.world.try_borrow_mut() {
            world.unlisten(self.number);
        }
    }
}
