//! The PROXY protocol of HAProxy (proxy-protocol.txt, sections 2.1 and 2.2): what a proxy in front of a server says at the start of
//! a connection about whose connection it relays. Version 1 is a line of text, version 2 is binary.
//!
//! [`read`] finds out which of them a header is. It is to be asked only where one must come, and only of proxies that are trusted:
//! anybody can write a header. There is no guessing (section 5): what is not a header is an [`Error`].
//!
//! # What it promises
//! * **Cuts do not matter**: what a prefix shows, an error or a header, a longer input does not change. A byte that no header has in its
//!   place is an error at once; what an address or a port is, is judged at its end. No more bytes than the header are consumed.
//! * **Nothing is allocated** but for output in the caller's buffer.
//!
//! ```
//! use gannet_proto::proxy::{Read, Version, read, write};
//!
//! let (source, destination) = ("192.0.2.1:56324".parse().ok(), "[2001:db8::1]:443".parse().ok());
//! let mut out = Vec::new();
//! write(Version::V2, source, "192.0.2.9:443".parse().ok(), &mut out);
//! let Ok(Read::Header { consumed, source: read_source, .. }) = read(&out) else { panic!("a whole header") };
//! assert_eq!((consumed, read_source), (out.len(), source));
//! assert_eq!(read(&out[..20]), Ok(Read::Need));
//!
//! out.clear();
//! write(Version::V1, source, destination, &mut out);
//! assert_eq!(out, b"PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 56324 443\r\n");
//! # Ok::<(), std::net::AddrParseError>(())
//! ```

mod binary;
mod error;
mod limits;
mod text;

pub use error::Error;
pub use limits::{HEADER_BYTES, LINE_BYTES, Row, TABLE};

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr, SocketAddr};

/// What the bytes at the start of a connection are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Read {
    /// The beginning of a header. Call again with the same bytes and more behind them.
    Need,
    /// A header.
    Header {
        /// How many bytes it is long; what follows is the connection's own.
        consumed: usize,
        /// Who opened the connection to the proxy. `None`, and then `destination` is so too, where the header does not say (UNKNOWN,
        /// LOCAL, Unix sockets, datagrams): the connection's own addresses hold then.
        source: Option<SocketAddr>,
        /// Where that connection was opened to.
        destination: Option<SocketAddr>,
    },
}

/// The versions of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Version {
    /// A line of text.
    V1,
    /// Binary.
    #[default]
    V2,
}

/// Reads the header at the start of a connection. `input` begins with the connection's first byte.
///
/// # Errors
/// What is wrong with it. The connection is then to be closed without an answer: whose it is is not known (section 2).
pub fn read(input: &[u8]) -> Result<Read, Error> {
    match input.first() {
        None => Ok(Read::Need),
        Some(b'P') => text::read(input),
        Some(_) => binary::read(input),
    }
}

/// Appends the header that says whose connection is relayed. Where an address is not known the header says so, and means nothing
/// more. Addresses of different families are both written as those of IPv6.
pub fn write(
    version: Version,
    source: Option<SocketAddr>,
    destination: Option<SocketAddr>,
    out: &mut Vec<u8>,
) {
    let addresses = source.zip(destination).map(|(source, destination)| alike(source, destination));
    match version {
        Version::V1 => text::write(addresses, out),
        Version::V2 => binary::write(addresses, out),
    }
}

/// The same addresses, in one family: a header has only one.
fn alike(source: SocketAddr, destination: SocketAddr) -> (SocketAddr, SocketAddr) {
    if source.is_ipv4() == destination.is_ipv4() {
        return (source, destination);
    }
    let mapped = |address: SocketAddr| SocketAddr::new(IpAddr::V6(mapped(address.ip())), address.port());
    (mapped(source), mapped(destination))
}

/// An address as one of IPv6 (RFC 4291 section 2.5.5.2).
fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

/// A header that says this much.
fn header(consumed: usize, addresses: Option<(SocketAddr, SocketAddr)>) -> Read {
    let (source, destination) = addresses.unzip();
    Read::Header { consumed, source, destination }
}
