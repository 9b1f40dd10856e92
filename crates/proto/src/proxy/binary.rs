//! Version 2 (section 2.2): twelve bytes that nothing else begins with, what the header is, its length, addresses, and values
//! with tags, which are skipped.

use super::limits::HEADER_BYTES;
use super::{Error, Read, header};
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The signature, the version and command, the family and transport, the length of what follows.
const FIXED_BYTES: usize = 16;

const VERSION: u8 = 0x20;
const LOCAL: u8 = 0;
const PROXY: u8 = 1;

/// Reads a header.
pub(super) fn read(input: &[u8]) -> Result<Read, Error> {
    if input.iter().zip(SIGNATURE).any(|(byte, expected)| byte != expected) {
        return Err(Error::Missing);
    }
    let Some(command) = input.get(12) else { return Ok(Read::Need) };
    match command {
        _ if command & 0xf0 != VERSION => return Err(Error::UnsupportedVersion),
        _ if command & 0x0f > PROXY => return Err(Error::UnknownCommand),
        _ => {}
    }
    // LOCAL is a proxy's own connection: what its header says beyond that is to be discarded, the family included.
    let is_local = command & 0x0f == LOCAL;
    let Some(family) = input.get(13) else { return Ok(Read::Need) };
    let address_bytes = if is_local { 0 } else { address_bytes(*family)? };
    let Some([high, low]) = input.get(14..FIXED_BYTES) else { return Ok(Read::Need) };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length < address_bytes {
        return Err(Error::TooShort);
    }
    let end = FIXED_BYTES + length;
    if end > HEADER_BYTES {
        return Err(Error::TooLong);
    }
    let Some(block) = input.get(FIXED_BYTES..end) else { return Ok(Read::Need) };
    let addresses = if is_local { None } else { addresses(*family, block) };
    Ok(header(end, addresses))
}

/// How many bytes the addresses of this family take. The combinations are all that there are (section 2.2).
fn address_bytes(family: u8) -> Result<usize, Error> {
    match family {
        0x00 => Ok(0),
        0x11 | 0x12 => Ok(12),
        0x21 | 0x22 => Ok(36),
        0x31 | 0x32 => Ok(216),
        _ => Err(Error::UnknownFamily),
    }
}

/// The addresses of TCP over IPv4 or IPv6. Others say nothing that a server of HTTP over TCP could use: then the
/// connection's own hold, as section 2.2 has it for families that a receiver does not support.
fn addresses(family: u8, block: &[u8]) -> Option<(SocketAddr, SocketAddr)> {
    match family {
        0x11 => pair::<4>(block, |octets| Ipv4Addr::from(octets).into()),
        0x21 => pair::<16>(block, |octets| Ipv6Addr::from(octets).into()),
        _ => None,
    }
}

/// Two addresses, then two ports.
fn pair<const BYTES: usize>(
    block: &[u8],
    address: fn([u8; BYTES]) -> core::net::IpAddr,
) -> Option<(SocketAddr, SocketAddr)> {
    let (source, rest) = block.split_first_chunk::<BYTES>()?;
    let (destination, rest) = rest.split_first_chunk::<BYTES>()?;
    let (source_port, rest) = rest.split_first_chunk::<2>()?;
    let (destination_port, _) = rest.split_first_chunk::<2>()?;
    let socket =
        |octets: &[u8; BYTES], port: &[u8; 2]| SocketAddr::new(address(*octets), u16::from_be_bytes(*port));
    Some((socket(source, source_port), socket(destination, destination_port)))
}

/// Appends a header.
pub(super) fn write(addresses: Option<(SocketAddr, SocketAddr)>, out: &mut Vec<u8>) {
    out.extend_from_slice(SIGNATURE);
    out.push(VERSION | PROXY);
    match addresses {
        Some((SocketAddr::V4(source), SocketAddr::V4(destination))) => {
            out.extend_from_slice(&[0x11, 0, 12]);
            out.extend_from_slice(&source.ip().octets());
            out.extend_from_slice(&destination.ip().octets());
        }
        Some((source, destination)) => {
            out.extend_from_slice(&[0x21, 0, 36]);
            out.extend_from_slice(&super::mapped(source.ip()).octets());
            out.extend_from_slice(&super::mapped(destination.ip()).octets());
        }
        None => out.extend_from_slice(&[0x00, 0, 0]),
    }
    if let Some((source, destination)) = addresses {
        out.extend_from_slice(&source.port().to_be_bytes());
        out.extend_from_slice(&destination.port().to_be_bytes());
    }
}
