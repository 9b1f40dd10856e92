//! Frames byte by byte, written and read without the code that is tested.

use gannet_proto::ws::Role;

pub const CONTINUATION: u8 = 0x80;
pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;
/// The first bytes of frames that others of their message follow.
pub const MORE_CONTINUATION: u8 = 0x00;
pub const MORE_TEXT: u8 = 0x01;
pub const MORE_BINARY: u8 = 0x02;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame: its first byte, with all its bits, and its payload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    pub first: u8,
    pub payload: Vec<u8>,
}

pub fn frame(first: u8, payload: impl AsRef<[u8]>) -> Frame {
    Frame { first, payload: payload.as_ref().to_vec() }
}

/// A Close with this code and reason.
pub fn close(code: u16, reason: impl AsRef<[u8]>) -> Frame {
    frame(CLOSE, [&code.to_be_bytes(), reason.as_ref()].concat())
}

impl Frame {
    /// Its bytes, as they come to whoever has this role.
    pub fn bytes_to(&self, role: Role) -> Vec<u8> {
        let masked = if role == Role::Server { 0x80 } else { 0 };
        let length = self.payload.len();
        let mut bytes = vec![self.first];
        match length {
            0..126 => bytes.push(masked | length as u8),
            126..65_536 => {
                bytes.push(masked | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(masked | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        if role == Role::Client {
            bytes.extend(&self.payload);
        } else {
            bytes.extend(MASK);
            bytes.extend(self.payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        }
        bytes
    }
}

/// All frames' bytes, one behind the other.
pub fn bytes_to(role: Role, frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(|frame| frame.bytes_to(role)).collect()
}

/// The frames that these bytes are, of whoever has this role; all of them are whole.
pub fn frames_of(role: Role, mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        assert_eq!(second & 0x80 != 0, role == Role::Client, "clients mask, servers do not");
        let (length, rest) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            127 => (u64::from_be_bytes(rest[..8].try_into().expect("eight bytes are eight")), &rest[8..]),
            length => (u64::from(length), rest),
        };
        let (mask, rest) = if role == Role::Client { rest.split_at(4) } else { (&[0; 4][..], rest) };
        let (payload, rest) = rest.split_at(length as usize);
        let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        frames.push(Frame { first: *first, payload });
        bytes = rest;
    }
    assert!(bytes.is_empty(), "a frame is not whole");
    frames
}
