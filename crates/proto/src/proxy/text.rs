//! Version 1 (section 2.1): `PROXY TCP4 source destination port port`, a line of text. It is read from left to right, part
//! by part.

use super::limits::LINE_BYTES;
use super::{Error, Read, header};
use alloc::vec::Vec;
use core::fmt::Write;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::str::FromStr;

const START: &[u8] = b"PROXY ";
/// What may follow it.
const PROTOCOLS: [(&[u8], Protocol); 3] =
    [(b"TCP4 ", Protocol::Tcp4), (b"TCP6 ", Protocol::Tcp6), (b"UNKNOWN", Protocol::Unknown)];

#[derive(Clone, Copy)]
enum Protocol {
    Tcp4,
    Tcp6,
    Unknown,
}

/// A part of a line: what it consists of, so that it is wrong as soon as there is something else, or too much.
#[derive(Clone, Copy)]
struct Part {
    is_inside: fn(u8) -> bool,
    most_bytes: usize,
    wrong: Error,
}

const IPV4: Part = Part {
    is_inside: |byte| byte.is_ascii_digit() || byte == b'.',
    most_bytes: "255.255.255.255".len(),
    wrong: Error::InvalidAddress,
};
const IPV6: Part = Part {
    is_inside: |byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'),
    most_bytes: "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".len(),
    wrong: Error::InvalidAddress,
};
const PORT: Part =
    Part { is_inside: |byte| byte.is_ascii_digit(), most_bytes: "65535".len(), wrong: Error::InvalidPort };

/// What came of a line so far, or that it ends too early.
enum Stop {
    Need,
    Wrong(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Wrong(error)
    }
}

/// Reads a line.
pub(super) fn read(input: &[u8]) -> Result<Read, Error> {
    let line = &input[..input.len().min(LINE_BYTES)];
    match read_line(line) {
        Ok(read) => Ok(read),
        Err(Stop::Wrong(error)) => Err(error),
        Err(Stop::Need) if line.len() == LINE_BYTES => Err(Error::LineTooLong),
        Err(Stop::Need) => Ok(Read::Need),
    }
}

fn read_line(line: &[u8]) -> Result<Read, Stop> {
    let mut rest = Rest { line, at: 0 };
    rest.word(START, Error::Missing)?;
    match rest.protocol()? {
        Protocol::Tcp4 => rest.addresses::<Ipv4Addr>(IPV4),
        Protocol::Tcp6 => rest.addresses::<Ipv6Addr>(IPV6),
        Protocol::Unknown => rest.unknown(),
    }
}

/// What of the line has not been read.
struct Rest<'a> {
    line: &'a [u8],
    at: usize,
}

impl Rest<'_> {
    /// This word.
    fn word(&mut self, word: &[u8], otherwise: Error) -> Result<(), Stop> {
        let (rest, end) = (&self.line[self.at..], self.at + word.len());
        let common = rest.len().min(word.len());
        match rest[..common] == word[..common] {
            true if common == word.len() => self.at = end,
            true => return Err(Stop::Need),
            false => return Err(otherwise.into()),
        }
        Ok(())
    }

    /// One of the three protocols.
    fn protocol(&mut self) -> Result<Protocol, Stop> {
        for (word, protocol) in PROTOCOLS {
            match self.word(word, Error::UnknownProtocol) {
                Ok(()) => return Ok(protocol),
                // Of what two of them begin with, either may come of it.
                Err(Stop::Need) => return Err(Stop::Need),
                Err(Stop::Wrong(_)) => {}
            }
        }
        Err(Error::UnknownProtocol.into())
    }

    /// The bytes of this kind, and then the byte that ends them. `otherwise` is what another byte there means.
    fn text(&mut self, part: Part, end: u8, otherwise: Error) -> Result<&str, Stop> {
        let rest = &self.line[self.at..];
        let length = rest.iter().position(|byte| !(part.is_inside)(*byte));
        match length.and_then(|length| rest.get(length)) {
            _ if length.unwrap_or(rest.len()) > part.most_bytes => return Err(part.wrong.into()),
            None => return Err(Stop::Need),
            Some(byte) if *byte != end => return Err(otherwise.into()),
            Some(_) => {}
        }
        let text = &rest[..length.unwrap_or_default()];
        self.at += text.len() + 1;
        Ok(core::str::from_utf8(text).map_err(|_| part.wrong)?)
    }

    /// Two addresses, two ports, and the line's end.
    fn addresses<A: FromStr + Into<IpAddr>>(mut self, part: Part) -> Result<Read, Stop> {
        let source = self.address::<A>(part)?;
        let destination = self.address::<A>(part)?;
        let source_port = self.port(b' ', Error::InvalidPort)?;
        let destination_port = self.port(b'\r', Error::UnterminatedLine)?;
        self.word(b"\n", Error::UnterminatedLine)?;
        let source = SocketAddr::new(source.into(), source_port);
        let destination = SocketAddr::new(destination.into(), destination_port);
        Ok(header(self.at, Some((source, destination))))
    }

    fn address<A: FromStr>(&mut self, part: Part) -> Result<A, Stop> {
        Ok(self.text(part, b' ', part.wrong)?.parse().map_err(|_| part.wrong)?)
    }

    /// A number without a leading zero, and the byte that ends it.
    fn port(&mut self, end: u8, otherwise: Error) -> Result<u16, Stop> {
        let text = self.text(PORT, end, otherwise)?;
        let has_leading_zero = text.len() > 1 && text.starts_with('0');
        match text.parse() {
            Ok(port) if !has_leading_zero => Ok(port),
            _ => Err(PORT.wrong.into()),
        }
    }

    /// Anything up to the line's end: it is to be ignored.
    fn unknown(mut self) -> Result<Read, Stop> {
        match self.line.get(self.at) {
            None => return Err(Stop::Need),
            Some(b' ' | b'\r') => {}
            Some(_) => return Err(Error::UnknownProtocol.into()),
        }
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        self.at += self.line[self.at..].iter().position(is_end).ok_or(Stop::Need)?;
        self.word(b"\r\n", Error::UnterminatedLine)?;
        Ok(header(self.at, None))
    }
}

/// Appends a line.
pub(super) fn write(addresses: Option<(SocketAddr, SocketAddr)>, out: &mut Vec<u8>) {
    let Some((source, destination)) = addresses else {
        out.extend_from_slice(b"PROXY UNKNOWN\r\n");
        return;
    };
    let family = if source.is_ipv4() { 4 } else { 6 };
    let (from, to, from_port, to_port) = (source.ip(), destination.ip(), source.port(), destination.port());
    write!(Text(out), "PROXY TCP{family} {from} {to} {from_port} {to_port}\r\n")
        .expect("a vector takes whatever is written to it");
}

/// Where text is appended.
struct Text<'a>(&'a mut Vec<u8>);

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
