//! Where a listening socket listens.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The address of a listening socket.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Address {
    /// An address and port of TCP.
    Internet(SocketAddr),
    /// The file of a Unix socket; what begins with `@` is a name of the abstract namespace (unix(7)).
    Unix(PathBuf),
}

impl Address {
    /// The address of TCP, if it is one.
    pub fn internet(&self) -> Option<SocketAddr> {
        match self {
            Address::Internet(address) => Some(*address),
            Address::Unix(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Internet(address) => address.fmt(f),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        Address::Internet(address)
    }
}
