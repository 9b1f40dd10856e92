//! Frames as a client writes them (RFC 9113, 4.1 and 6).

use gannet_proto::h2::hpack::put_static;

pub use gannet_proto::h2::PREFACE;

/// Types of frames.
pub mod kind {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const PRIORITY: u8 = 2;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PUSH_PROMISE: u8 = 5;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
    pub const PRIORITY_UPDATE: u8 = 16;
}

pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// A setting's identifier.
pub mod setting {
    pub const ENABLE_PUSH: u16 = 2;
    pub const INITIAL_WINDOW_SIZE: u16 = 4;
}

/// Codes of errors.
pub mod code {
    pub const NO_ERROR: u32 = 0;
    pub const PROTOCOL_ERROR: u32 = 1;
    pub const INTERNAL_ERROR: u32 = 2;
    pub const REFUSED_STREAM: u32 = 7;
    pub const CANCEL: u32 = 8;
    pub const ENHANCE_YOUR_CALM: u32 = 11;
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("no frame is so long").to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// Field lines as a header block that adds nothing to any table.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        put_static(name.as_bytes(), value.as_bytes(), &mut block);
    }
    block
}

pub fn headers(stream: u32, fields: &[(&str, &str)], ends: bool) -> Vec<u8> {
    let flags = END_HEADERS | if ends { END_STREAM } else { 0 };
    frame(kind::HEADERS, flags, stream, &block(fields))
}

pub fn request(stream: u32, method: &str, target: &str, more: &[(&str, &str)], ends: bool) -> Vec<u8> {
    let mut fields = vec![(":method", method), (":scheme", "http"), (":path", target), (":authority", "a")];
    fields.extend_from_slice(more);
    headers(stream, &fields, ends)
}

/// Asks for a tunnel (RFC 8441).
pub fn connect(stream: u32, target: &str) -> Vec<u8> {
    let fields = [(":method", "CONNECT"), (":protocol", "echo"), (":scheme", "http"), (":path", target)];
    headers(stream, &[&fields[..], &[(":authority", "a")]].concat(), false)
}

pub fn data(stream: u32, content: &[u8], ends: bool) -> Vec<u8> {
    frame(kind::DATA, if ends { END_STREAM } else { 0 }, stream, content)
}

pub fn settings(settings: &[(u16, u32)]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (identifier, value) in settings {
        payload.extend_from_slice(&identifier.to_be_bytes());
        payload.extend_from_slice(&value.to_be_bytes());
    }
    frame(kind::SETTINGS, 0, 0, &payload)
}

pub fn window_update(stream: u32, by: u32) -> Vec<u8> {
    frame(kind::WINDOW_UPDATE, 0, stream, &by.to_be_bytes())
}

pub fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(kind::RST_STREAM, 0, stream, &code.to_be_bytes())
}

pub fn ping(opaque: [u8; 8]) -> Vec<u8> {
    frame(kind::PING, 0, 0, &opaque)
}
