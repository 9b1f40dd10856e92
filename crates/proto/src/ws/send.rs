//! The sending half: frames, written behind what is to be sent already.
//!
//! What may be sent when is [`Closing`](super::Closing)'s to say. A client gives each frame a mask that nobody can foretell (RFC 6455 section 5.3); a server gives none.

use super::codec::TAIL;
use super::frame::{ControlPayload, Header, Opcode};
use super::{CloseFrame, Deflate, Kind};
use crate::scan::Level;
use alloc::vec::Vec;

/// Appends a message, as one frame.
#[inline]
pub fn write_message(kind: Kind, payload: &[u8], mask: Option<[u8; 4]>, out: &mut Vec<u8>) {
    Fragments::new(kind).write(payload, true, mask, out);
}

/// Appends a message that is compressed, as one frame, where permessage-deflate was agreed on.
pub fn write_compressed_message(
    kind: Kind,
    payload: &[u8],
    mask: Option<[u8; 4]>,
    deflate: &mut dyn Deflate,
    out: &mut Vec<u8>,
) {
    Fragments::new(kind).write_compressed(payload, true, mask, deflate, out);
}

/// Appends a Ping.
pub fn write_ping(payload: &ControlPayload, mask: Option<[u8; 4]>, out: &mut Vec<u8>) {
    write_frame(Opcode::Ping, true, payload, mask, out);
}

/// Appends a Pong, which has its Ping's payload.
pub fn write_pong(payload: &ControlPayload, mask: Option<[u8; 4]>, out: &mut Vec<u8>) {
    write_frame(Opcode::Pong, true, payload, mask, out);
}

/// Appends a Close. The answer to one has the code that it had, or none if it had none (section 5.5.1).
pub fn write_close(says: Option<&CloseFrame>, mask: Option<[u8; 4]>, out: &mut Vec<u8>) {
    let payload = says.map_or(ControlPayload::EMPTY, CloseFrame::payload);
    write_frame(Opcode::Close, true, &payload, mask, out);
}

/// Appends what the payload of a message is compressed to: what [`Header::of_message`] goes before, where it is shared among connections whose compression
/// forgets each message.
pub fn compress(payload: &[u8], deflate: &mut dyn Deflate, out: &mut Vec<u8>) {
    compress_piece(payload, true, deflate, out);
}

/// A message in several frames. Pings, Pongs and a Close may stand between them, other messages not.
#[derive(Clone, Copy, Debug)]
pub struct Fragments {
    next: Opcode,
}

impl Fragments {
    /// None has been written.
    pub const fn new(kind: Kind) -> Fragments {
        Fragments { next: kind.opcode() }
    }

    /// What the next frame is.
    pub const fn next_opcode(&self) -> Opcode {
        self.next
    }

    /// Appends the next frame of the message.
    #[inline]
    pub fn write(&mut self, payload: &[u8], is_last: bool, mask: Option<[u8; 4]>, out: &mut Vec<u8>) {
        write_frame(self.next, is_last, payload, mask, out);
        self.next = Opcode::Continuation;
    }

    /// Appends the next frame of a message all of whose frames are written by this.
    pub fn write_compressed(
        &mut self,
        payload: &[u8],
        is_last: bool,
        mask: Option<[u8; 4]>,
        deflate: &mut dyn Deflate,
        out: &mut Vec<u8>,
    ) {
        let compressed = self.next != Opcode::Continuation;
        let header = |length| Header { opcode: self.next, fin: is_last, compressed, mask, length };
        // The header's length depends on that of what follows it: it gets as much room as if that were no shorter than it was.
        let start = out.len();
        let room = header(payload.len() as u64).bytes().len();
        out.resize(start + room, 0);
        compress_piece(payload, is_last, deflate, out);
        let length = out.len() - start - room;
        let header = header(length as u64).bytes();
        if header.len() != room {
            out.resize(start + header.len().max(room) + length, 0);
            out.copy_within(start + room..start + room + length, start + header.len());
            out.truncate(start + header.len() + length);
        }
        out[start..start + header.len()].copy_from_slice(&header);
        if let Some(mask) = mask {
            Level::BASELINE.mask(&mut out[start + header.len()..], mask);
        }
        self.next = Opcode::Continuation;
    }
}

/// What a piece of a message is compressed to; of the last, without the end that is not sent (RFC 7692 section 7.2.1).
fn compress_piece(payload: &[u8], is_last: bool, deflate: &mut dyn Deflate, out: &mut Vec<u8>) {
    if payload.is_empty() {
        // A codec has nothing to say to that. An empty block's first byte, whose rest is the end that is not sent (section 7.2.3.6).
        if is_last {
            out.push(0);
        }
        return;
    }
    deflate.deflate(payload, is_last, out);
    assert!(out.ends_with(&TAIL), "a codec ends each piece with an empty block");
    if is_last {
        out.truncate(out.len() - TAIL.len());
    }
}

#[inline]
fn write_frame(opcode: Opcode, fin: bool, payload: &[u8], mask: Option<[u8; 4]>, out: &mut Vec<u8>) {
    let header = Header { opcode, fin, compressed: false, mask, length: payload.len() as u64 }.bytes();
    out.reserve(header.len() + payload.len());
    out.extend_from_slice(&header);
    match mask {
        // Sixteen bytes at a time are enough for those who send little, as clients do.
        Some(mask) => Level::BASELINE.append_masked(payload, mask, out),
        None => out.extend_from_slice(payload),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ws::CloseCode;

    /// The examples of section 5.7.
    #[test]
    fn the_examples_of_the_rfc_are_written() {
        let mut out = Vec::new();
        let mut written = |write: &dyn Fn(&mut Vec<u8>)| {
            out.clear();
            write(&mut out);
            out.clone()
        };
        let mask = Some([0x37, 0xfa, 0x21, 0x3d]);
        let hello = ControlPayload::new(b"Hello").expect("it is short");
        assert_eq!(written(&|out| write_message(Kind::Text, b"Hello", None, out)), b"\x81\x05Hello");
        let masked = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
        assert_eq!(written(&|out| write_message(Kind::Text, b"Hello", mask, out)), masked);
        let fragmented = written(&|out| {
            let mut fragments = Fragments::new(Kind::Text);
            fragments.write(b"Hel", false, None, out);
            fragments.write(b"lo", true, None, out);
        });
        assert_eq!(fragmented, b"\x01\x03Hel\x80\x02lo");
        assert_eq!(written(&|out| write_ping(&hello, None, out)), b"\x89\x05Hello");
        assert_eq!(
            written(&|out| write_pong(&hello, mask, out)),
            b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
        );
        let large = written(&|out| write_message(Kind::Binary, &[7; 256], None, out));
        assert_eq!((&large[..4], large.len()), (&b"\x82\x7e\x01\x00"[..], 260));
        let larger = written(&|out| write_message(Kind::Binary, &[7; 65536], None, out));
        assert_eq!((&larger[..10], larger.len()), (&b"\x82\x7f\0\0\0\0\0\x01\0\0"[..], 65546));
        assert_eq!(written(&|out| write_close(None, None, out)), b"\x88\x00");
        let close = CloseFrame::new(CloseCode::NORMAL, "bye");
        assert_eq!(written(&|out| write_close(Some(&close), None, out)), b"\x88\x05\x03\xe8bye");
    }

    #[test]
    fn a_message_s_header_alone_is_what_is_written_before_its_payload() {
        for (kind, length) in [(Kind::Text, 5), (Kind::Binary, 300), (Kind::Text, 70_000)] {
            let mut out = Vec::new();
            write_message(kind, &alloc::vec![b'a'; length], None, &mut out);
            let header = Header::of_message(kind, false, length).bytes();
            assert_eq!((&out[..header.len()], out.len()), (&header[..], header.len() + length));
        }
    }

    /// Stored blocks: what is compressed is longer than before.
    struct Stored;

    impl Deflate for Stored {
        fn deflate(&mut self, input: &[u8], _: bool, output: &mut Vec<u8>) {
            for block in input.chunks(0xffff) {
                output.push(0);
                output.extend_from_slice(&(block.len() as u16).to_le_bytes());
                output.extend_from_slice(&(!block.len() as u16).to_le_bytes());
                output.extend_from_slice(block);
            }
            output.extend_from_slice(&[0, 0, 0, 0xff, 0xff]);
        }
    }

    /// Section 7.2.3.3 has the example of a block without compression.
    #[test]
    fn the_header_fits_what_is_compressed_however_its_length_changes() {
        for length in [1, 5, 119, 120, 121, 125, 126, 65_500, 65_530, 65_535, 65_536] {
            for mask in [None, Some(*b"mask")] {
                let (payload, mut out) = (alloc::vec![b'a'; length], Vec::from(*b"before"));
                write_compressed_message(Kind::Text, &payload, mask, &mut Stored, &mut out);
                let mut expected = Vec::new();
                compress(&payload, &mut Stored, &mut expected);
                let mut frame = Vec::from(*b"before");
                write_message(Kind::Text, &expected, mask, &mut frame);
                frame[6] |= 0x40;
                assert!(out == frame, "{length}");
            }
        }
        let mut out = Vec::new();
        write_compressed_message(Kind::Text, b"Hello", None, &mut Stored, &mut out);
        assert_eq!(out, b"\xc1\x0b\x00\x05\x00\xfa\xffHello\x00");
        out.clear();
        write_compressed_message(Kind::Text, b"", None, &mut Stored, &mut out);
        assert_eq!(out, b"\xc1\x01\x00");
    }

    #[test]
    fn only_the_last_frame_of_a_compressed_message_leaves_its_end_out() {
        let (mut fragments, mut out) = (Fragments::new(Kind::Binary), Vec::new());
        fragments.write_compressed(b"Hel", false, None, &mut Stored, &mut out);
        assert_eq!(out, b"\x42\x0d\x00\x03\x00\xfc\xffHel\x00\x00\x00\xff\xff");
        out.clear();
        fragments.write_compressed(b"", false, None, &mut Stored, &mut out);
        fragments.write_compressed(b"lo", true, None, &mut Stored, &mut out);
        assert_eq!(out, b"\x00\x00\x80\x08\x00\x02\x00\xfd\xfflo\x00");
    }
}
