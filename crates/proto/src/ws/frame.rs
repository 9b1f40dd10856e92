//! Frames (RFC 6455 section 5.2): the two to fourteen bytes before each payload, and the payloads of those that control the connection.

use super::{Error, Role};

/// The most bytes that the payload of a Close, Ping or Pong has (section 5.5).
pub const CONTROL_BYTES: usize = 125;
/// The longest header there is.
pub const HEADER_BYTES: usize = 14;

const FIN: u8 = 0x80;
/// That a message is compressed, where permessage-deflate was agreed on (RFC 7692 section 6); reserved otherwise.
const RSV1: u8 = 0x40;
/// Nobody has agreed on what they mean.
const RESERVED: u8 = 0x30;
const MASK: u8 = 0x80;
/// Where a length has this value it is in the two bytes that follow.
const LENGTH_16: u8 = 126;
/// Where a length has this value it is in the eight bytes that follow.
const LENGTH_64: u8 = 127;

/// What a frame is (section 11.8).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Opcode {
    /// More of the message that has begun.
    Continuation = 0,
    /// The beginning of a text message, or all of it.
    Text = 1,
    /// The beginning of a binary message, or all of it.
    Binary = 2,
    /// Nothing follows.
    Close = 8,
    /// To be answered by a Pong.
    Ping = 9,
    /// The answer to a Ping, or a sign of life.
    Pong = 10,
}

impl Opcode {
    const fn of(bits: u8) -> Option<Opcode> {
        Some(match bits {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return None,
        })
    }

    /// Whether it is about the connection: Close, Ping or Pong. Such frames may stand between those of a message.
    pub const fn is_control(self) -> bool {
        self as u8 >= Opcode::Close as u8
    }
}

/// What stands before a payload. Whoever shares a payload's bytes among many connections writes this, and sends the bytes as they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// What the frame is.
    pub opcode: Opcode,
    /// It is the last of its message.
    pub fin: bool,
    /// It is the first of a message that is compressed (RFC 7692 section 6).
    pub compressed: bool,
    /// What its payload is masked with: as a client must, and a server must not.
    pub mask: Option<[u8; 4]>,
    /// How many bytes of payload follow.
    pub length: u64,
}

/// The bytes of a [`Header`].
#[derive(Clone, Copy, Debug)]
pub struct HeaderBytes {
    bytes: [u8; HEADER_BYTES],
    length: u8,
}

impl core::ops::Deref for HeaderBytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl HeaderBytes {
    pub(super) const EMPTY: HeaderBytes = HeaderBytes { bytes: [0; HEADER_BYTES], length: 0 };

    /// So many bytes that there is always room for what follows: a header is whole when it has all there are.
    #[inline]
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let start = usize::from(self.length);
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len() as u8;
    }
}

impl Header {
    /// Before a whole message as a server sends it.
    pub const fn of_message(kind: super::Kind, compressed: bool, length: usize) -> Header {
        Header { opcode: kind.opcode(), fin: true, compressed, mask: None, length: length as u64 }
    }

    /// The bytes of it.
    #[inline]
    pub fn bytes(self) -> HeaderBytes {
        let mut out = HeaderBytes::EMPTY;
        let flags = if self.fin { FIN } else { 0 } | if self.compressed { RSV1 } else { 0 };
        let masked = if self.mask.is_some() { MASK } else { 0 };
        let first = flags | self.opcode as u8;
        match self.length {
            // The least of the forms that can say it (section 5.2).
            length @ 0..=125 => out.extend(&[first, masked | length as u8]),
            length @ 126..=0xffff => {
                out.extend(&[first, masked | LENGTH_16]);
                out.extend(&(length as u16).to_be_bytes());
            }
            length => {
                out.extend(&[first, masked | LENGTH_64]);
                out.extend(&length.to_be_bytes());
            }
        }
        if let Some(mask) = self.mask {
            out.extend(&mask);
        }
        out
    }
}

/// What a header may say where it comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// Who receives it.
    pub role: Role,
    /// A message has begun and not ended.
    pub in_message: bool,
    /// Messages may be compressed.
    pub compression: bool,
}

impl Header {
    /// The header at the start of these bytes, and how many of them it is; `None` if it is not whole. What is wrong with it is told by the first byte that
    /// shows it, however many there are.
    #[inline]
    pub(super) fn read(bytes: &[u8], expected: Expected) -> Result<Option<(Header, usize)>, Error> {
        let [first, rest @ ..] = bytes else { return Ok(None) };
        let (fin, compressed) = (first & FIN != 0, first & RSV1 != 0);
        let opcode = opcode(*first, expected)?;
        let [second, rest @ ..] = rest else { return Ok(None) };
        let masked = second & MASK != 0;
        match expected.role {
            Role::Server if !masked => return Err(Error::NotMasked),
            Role::Client if masked => return Err(Error::Masked),
            _ => {}
        }
        let Some((length, rest)) = length(second & !MASK, opcode, rest)? else { return Ok(None) };
        let (mask, rest) = match (masked, rest.split_first_chunk()) {
            (false, _) => (None, rest),
            (true, Some((mask, rest))) => (Some(*mask), rest),
            (true, None) => return Ok(None),
        };
        Ok(Some((Header { opcode, fin, compressed, mask, length }, bytes.len() - rest.len())))
    }
}

/// What the first byte of a header says.
#[inline]
fn opcode(first: u8, expected: Expected) -> Result<Opcode, Error> {
    if first & RESERVED != 0 {
        return Err(Error::ReservedBits);
    }
    let opcode = Opcode::of(first & 0x0f).ok_or(Error::UnknownOpcode)?;
    let begins_message = matches!(opcode, Opcode::Text | Opcode::Binary);
    if first & RSV1 != 0 && !(expected.compression && begins_message) {
        return Err(Error::ReservedBits);
    }
    match opcode {
        Opcode::Continuation if !expected.in_message => Err(Error::UnexpectedContinuation),
        Opcode::Text | Opcode::Binary if expected.in_message => Err(Error::InterruptedMessage),
        Opcode::Close | Opcode::Ping | Opcode::Pong if first & FIN == 0 => Err(Error::FragmentedControl),
        _ => Ok(opcode),
    }
}

/// The length that begins with these seven bits, and what follows it; `None` if it is not whole.
#[inline]
fn length(bits: u8, opcode: Opcode, rest: &[u8]) -> Result<Option<(u64, &[u8])>, Error> {
    if opcode.is_control() && usize::from(bits) > CONTROL_BYTES {
        return Err(Error::ControlTooLong);
    }
    match bits {
        LENGTH_16 => {
            let Some((length, rest)) = rest.split_first_chunk() else { return Ok(None) };
            let length = u64::from(u16::from_be_bytes(*length));
            if length < u64::from(LENGTH_16) {
                Err(Error::LengthNotMinimal)
            } else {
                Ok(Some((length, rest)))
            }
        }
        LENGTH_64 => {
            if rest.first().is_some_and(|byte| byte & 0x80 != 0) {
                return Err(Error::LengthTooLarge);
            }
            let Some((length, rest)) = rest.split_first_chunk() else { return Ok(None) };
            let length = u64::from_be_bytes(*length);
            if length <= 0xffff { Err(Error::LengthNotMinimal) } else { Ok(Some((length, rest))) }
        }
        length => Ok(Some((u64::from(length), rest))),
    }
}

/// The payload of a Close, Ping or Pong: 125 bytes at most, and no memory but its own.
#[derive(Clone, Copy)]
pub struct ControlPayload {
    bytes: [u8; CONTROL_BYTES],
    length: u8,
}

impl ControlPayload {
    /// No payload.
    pub const EMPTY: ControlPayload = ControlPayload { bytes: [0; CONTROL_BYTES], length: 0 };

    /// These bytes; `None` if they are more than [`CONTROL_BYTES`].
    pub fn new(bytes: &[u8]) -> Option<ControlPayload> {
        (bytes.len() <= CONTROL_BYTES).then(|| ControlPayload::cut(bytes))
    }

    /// As many of these bytes as there is room for.
    pub(super) fn cut(bytes: &[u8]) -> ControlPayload {
        let mut payload = ControlPayload::EMPTY;
        payload.extend(bytes);
        payload
    }

    /// Appends as many of these bytes as there is room for.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let room = &mut self.bytes[usize::from(self.length)..];
        let taken = bytes.len().min(room.len());
        room[..taken].copy_from_slice(&bytes[..taken]);
        self.length += taken as u8;
    }
}

impl core::ops::Deref for ControlPayload {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl core::ops::DerefMut for ControlPayload {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..usize::from(self.length)]
    }
}

impl PartialEq for ControlPayload {
    fn eq(&self, other: &ControlPayload) -> bool {
        **self == **other
    }
}

impl Eq for ControlPayload {}

impl core::fmt::Debug for ControlPayload {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "b\"{}\"", self.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::{Expected, HEADER_BYTES, Header, Opcode};
    use crate::ws::{Error, Role};

    const AT_SERVER: Expected = Expected { role: Role::Server, in_message: false, compression: false };
    const AT_CLIENT: Expected = Expected { role: Role::Client, ..AT_SERVER };

    #[test]
    fn a_header_is_read_as_it_was_written_and_only_when_it_is_whole() {
        for length in [0, 1, 125, 126, 127, 0xffff, 0x1_0000, (1 << 63) - 1] {
            for (role, mask) in [(Role::Server, Some(*b"mask")), (Role::Client, None)] {
                for opcode in [Opcode::Text, Opcode::Binary] {
                    let header =
                        Header { opcode, fin: length % 2 == 0, compressed: length % 3 == 0, mask, length };
                    let bytes = header.bytes();
                    let expected = Expected { role, in_message: false, compression: true };
                    for end in 0..bytes.len() {
                        assert_eq!(Header::read(&bytes[..end], expected), Ok(None));
                    }
                    assert_eq!(Header::read(&bytes, expected), Ok(Some((header, bytes.len()))));
                    assert!(bytes.len() <= HEADER_BYTES);
                }
            }
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_the_first_byte_that_shows_it() {
        for (bytes, expected, error) in [
            (&b"\xa1"[..], AT_SERVER, Error::ReservedBits),
            (b"\x91", AT_SERVER, Error::ReservedBits),
            (b"\xc1", AT_SERVER, Error::ReservedBits),
            (b"\xc9", Expected { compression: true, ..AT_SERVER }, Error::ReservedBits),
            (b"\xc0", Expected { compression: true, in_message: true, ..AT_SERVER }, Error::ReservedBits),
            (b"\x83", AT_SERVER, Error::UnknownOpcode),
            (b"\x8b", AT_SERVER, Error::UnknownOpcode),
            (b"\x80", AT_SERVER, Error::UnexpectedContinuation),
            (b"\x01", Expected { in_message: true, ..AT_SERVER }, Error::InterruptedMessage),
            (b"\x09", AT_SERVER, Error::FragmentedControl),
            (b"\x81\x05", AT_SERVER, Error::NotMasked),
            (b"\x81\x85", AT_CLIENT, Error::Masked),
            (b"\x89\xfe", AT_SERVER, Error::ControlTooLong),
            (b"\x88\x7f", AT_CLIENT, Error::ControlTooLong),
            (b"\x81\x7e\x00\x7d", AT_CLIENT, Error::LengthNotMinimal),
            (b"\x81\x7f\0\0\0\0\0\0\xff\xff", AT_CLIENT, Error::LengthNotMinimal),
            (b"\x81\x7f\x80", AT_CLIENT, Error::LengthTooLarge),
        ] {
            for end in 0..bytes.len() {
                assert_eq!(Header::read(&bytes[..end], expected), Ok(None), "{}", bytes.escape_ascii());
            }
            assert_eq!(Header::read(bytes, expected), Err(error), "{}", bytes.escape_ascii());
            assert_eq!(Header::read(&[bytes, b"and more behind it"].concat(), expected), Err(error));
        }
    }
}
