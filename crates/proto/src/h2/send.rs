//! The writing half: responses, content, trailers (RFC 9113 sections 6.1, 6.2, 8.1).
//!
//! A response is `inform* respond push* finish`; a request of a client `request push* finish`. Nothing is sent here: frames are appended to a
//! buffer, and the content itself goes from the caller's hands right behind what [`push`](Connection::push) appended.

use super::connection::Connection;
use super::frame::{HEADER_BYTES, Header, flag, kind, write_header};
use super::hpack::{Blocks, put_date, put_length, put_lines, put_status};
use super::role::{Part, Role, ServerRole};
use super::state::Sending;
use super::streams::{Stream, StreamKey, UNKNOWN};
use crate::h1::{Announced, Framing, Misuse, ResponseToSend, final_framing};
use crate::http::{Status, Version};
use alloc::vec::Vec;

/// A piece that the windows made smaller than this is nobody's content.
const SMALL_BYTES: i32 = 256;

/// HEADERS that are being written: how long they are is known only behind them.
#[must_use]
pub(super) struct Head {
    start: usize,
}

impl Head {
    /// Begins the frame; the block comes behind it.
    #[inline]
    pub fn begin(kind: u8, stream: u32, out: &mut Vec<u8>) -> Head {
        let start = out.len();
        write_header(0, kind, 0, stream, out);
        Head { start }
    }

    /// Ends it. What the peer takes in no frame of this size goes on in CONTINUATIONs.
    #[inline]
    pub fn end(self, flags: u8, max_frame_size: u32, out: &mut Vec<u8>) {
        let length = out.len() - self.start - HEADER_BYTES;
        if length <= max_frame_size as usize {
            let [_, a, b, c] = (length as u32).to_be_bytes();
            out[self.start..self.start + 3].copy_from_slice(&[a, b, c]);
            out[self.start + 4] |= flags | flag::END_HEADERS;
        } else {
            self.split(flags, max_frame_size as usize, out);
        }
    }

    #[cold]
    fn split(self, flags: u8, size: usize, out: &mut Vec<u8>) {
        let block = out.split_off(self.start + HEADER_BYTES);
        let header = Header::read(&out[self.start..]).expect("a header was written there");
        out.truncate(self.start);
        let last = block.len().div_ceil(size) - 1;
        for (index, piece) in block.chunks(size).enumerate() {
            let kind = if index == 0 { header.kind } else { kind::CONTINUATION };
            let first = if index == 0 { flags } else { 0 };
            let ends = if index == last { flag::END_HEADERS } else { 0 };
            write_header(piece.len(), kind, first | ends, header.stream, out);
            out.extend_from_slice(piece);
        }
    }
}

/// Names and values of rendered lines.
pub(super) fn lines(lines: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    lines.split(|byte| *byte == b'\n').filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    })
}

impl Connection<ServerRole> {
    /// An interim response: 100 (Continue), 103 (Early Hints) and so on, with rendered `fields`.
    ///
    /// # Panics
    /// If the status is not 1xx or is 101 (RFC 9113 section 8.6), or the final head was sent.
    pub fn inform(&mut self, key: StreamKey, status: Status, fields: &[u8], out: &mut Vec<u8>) {
        assert!(
            status.is_informational() && status != Status::SWITCHING_PROTOCOLS,
            "an interim response is 1xx"
        );
        if !self.is_open(key) {
            return;
        }
        assert!(!self.responded(key), "interim responses come before the final one");
        let head = Head::begin(kind::HEADERS, key.id, out);
        self.role.begin_block(out);
        put_status(status, out);
        put_lines(fields, out);
        head.end(0, self.peer.max_frame_size, out);
    }

    /// The final head; with [`Framing::None`] the response has ended with it. On a stream that was reset nothing is written.
    ///
    /// # Panics
    /// If the status is 1xx, or a final head was sent already.
    pub fn respond(
        &mut self,
        key: StreamKey,
        head: ResponseToSend<'_>,
        blocks: &mut Blocks,
        out: &mut Vec<u8>,
    ) -> Framing {
        let Some(stream) = self.streams.get_mut(key) else { return Framing::None };
        if stream.sending == Sending::Reset {
            return Framing::None;
        }
        let (framing, announced) = framing(stream, &head);
        let ended = framing == Framing::None;
        stream.to_send = if let Framing::Length(length) = framing { length } else { UNKNOWN };
        stream.sending = if ended { Sending::Ended } else { Sending::Content };
        let frame = Head::begin(kind::HEADERS, key.id, out);
        self.role.begin_block(out);
        write_fields(&head, announced, blocks, out);
        frame.end(if ended { flag::END_STREAM } else { 0 }, self.peer.max_frame_size, out);
        self.budgets.earn();
        if ended {
            self.budgets.answered();
        }
        framing
    }

    /// The same for a response that is there as a whole: its head and all of its content, in one go. False, with nothing written, where the
    /// windows do not allow it now: then it is [`respond`](Connection::respond) and [pieces](Connection::push).
    ///
    /// `content` is what a GET would get; of a response that has none (HEAD, 204, 304) it is left out.
    ///
    /// # Panics
    /// If the length is not the content's, or [`respond`](Connection::respond) would.
    pub fn respond_whole(
        &mut self,
        key: StreamKey,
        head: ResponseToSend<'_>,
        content: &[u8],
        blocks: &mut Blocks,
        out: &mut Vec<u8>,
    ) -> bool {
        assert!(head.length == Some(content.len() as u64), "the content is as long as it is said to be");
        let room = self.room(key);
        let Some(stream) = self.streams.get_mut(key) else { return true };
        if stream.sending == Sending::Reset {
            return true;
        }
        let (framing, announced) = framing(stream, &head);
        let length = if let Framing::Length(_) = framing { content.len() } else { 0 };
        if length > room || framing == Framing::Upgrade {
            return false;
        }
        stream.sending = Sending::Ended;
        stream.send_window -= length as i32;
        self.send_window -= length as i32;
        out.reserve(128 + head.fields.len() + length);
        let frame = Head::begin(kind::HEADERS, key.id, out);
        self.role.begin_block(out);
        write_fields(&head, announced, blocks, out);
        let ends = if length == 0 { flag::END_STREAM } else { 0 };
        frame.end(ends, self.peer.max_frame_size, out);
        if length > 0 {
            write_header(length, kind::DATA, flag::END_STREAM, key.id, out);
            out.extend_from_slice(content);
        }
        self.budgets.earn();
        self.budgets.answered();
        true
    }
}

/// How the response is framed, and what its head says about it. Without content it ends with its head.
#[inline]
fn framing(stream: &Stream, head: &ResponseToSend<'_>) -> (Framing, Announced) {
    assert!(!head.status.is_informational(), "a final response is not interim");
    assert!(stream.sending == Sending::Head, "a request is answered once");
    match final_framing(stream.method, Version::Http2, head.status, head.length) {
        (Framing::Length(0), announced) => (Framing::None, announced),
        framed => framed,
    }
}

#[inline]
fn write_fields(head: &ResponseToSend<'_>, announced: Announced, blocks: &mut Blocks, out: &mut Vec<u8>) {
    put_status(head.status, out);
    if let Some(date) = head.date {
        put_date(date, out);
    }
    if let Announced::Length(length) = announced {
        put_length(length, out);
    }
    if !head.fields.is_empty() {
        blocks.put(head.fields, out);
    }
}

impl<R: Role> Connection<R> {
    /// How many bytes of content may go now, as one frame: what the windows of the stream and of the connection allow, and the peer's frame
    /// size. If it is none, [`Event::Window`](super::Event::Window) tells when there is some.
    #[inline]
    pub fn room(&self, key: StreamKey) -> usize {
        let Some(stream) = self.streams.get(key) else { return 0 };
        if !matches!(stream.sending, Sending::Head | Sending::Content) {
            return 0;
        }
        let window = stream.send_window.min(self.send_window).max(0);
        window.min(self.peer.max_frame_size as i32) as usize
    }

    /// Begins a piece of `length` bytes, which the caller puts right behind what is appended now; `end` says that nothing follows it, and then it may be empty.
    ///
    /// # Errors
    /// [`Misuse`], with nothing appended: the message cannot be mended, its stream is to be [reset](Connection::reset). Also on a stream that was.
    ///
    /// # Panics
    /// If there is no [room](Connection::room) for so much, the piece is empty and not the last, or before the head.
    pub fn push(
        &mut self,
        key: StreamKey,
        length: usize,
        end: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Misuse> {
        assert!(length <= self.room(key) || length == 0, "a piece has room");
        assert!(length > 0 || end, "an empty piece ends the content");
        let Some(stream) = self.streams.get_mut(key) else { return Err(Misuse::NoBody) };
        assert!(stream.sending != Sending::Head, "a piece follows the head");
        if stream.sending != Sending::Content {
            return Err(Misuse::NoBody);
        }
        if stream.to_send != UNKNOWN {
            let rest = stream.to_send.checked_sub(length as u64).ok_or(Misuse::TooLong)?;
            if end && rest > 0 {
                return Err(Misuse::TooShort);
            }
            stream.to_send = rest;
        }
        stream.send_window -= length as i32;
        self.send_window -= length as i32;
        let squeezed = (length as i32) < SMALL_BYTES && (stream.send_window <= 0 || self.send_window <= 0);
        if end {
            stream.sending = Sending::Ended;
            self.budgets.answered();
        }
        if end || !squeezed {
            self.budgets.earn();
        }
        write_header(length, kind::DATA, if end { flag::END_STREAM } else { 0 }, key.id, out);
        Ok(())
    }

    /// Ends the message, with `trailers` if there are any: rendered lines. A tunnel has none (RFC 9113 section 8.5). One that has ended already stays so.
    ///
    /// # Errors
    /// [`Misuse::TooShort`]: the peer waits for content that will not come, so the stream is to be [reset](Connection::reset).
    ///
    /// # Panics
    /// Before the head.
    pub fn finish(&mut self, key: StreamKey, trailers: &[u8], out: &mut Vec<u8>) -> Result<(), Misuse> {
        let Some(stream) = self.streams.get_mut(key) else { return Ok(()) };
        assert!(stream.sending != Sending::Head, "a message ends behind its head");
        if stream.sending != Sending::Content {
            return Ok(());
        }
        if trailers.is_empty() || stream.is_tunnel {
            return self.push(key, 0, true, out);
        }
        if !matches!(stream.to_send, 0 | UNKNOWN) {
            return Err(Misuse::TooShort);
        }
        stream.sending = Sending::Ended;
        let frame = Head::begin(kind::HEADERS, key.id, out);
        self.role.begin_block(out);
        put_lines(trailers, out);
        frame.end(flag::END_STREAM, self.peer.max_frame_size, out);
        self.budgets.earn();
        self.budgets.answered();
        Ok(())
    }
}
