//! What is to be sent: bytes of our own, shared bytes, ranges of files, in order.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::Arc;

use bytes::Bytes;
use gannet_block::Chunk;

/// How many pieces go into one vectored send. More are sent by the next; `UIO_MAXIOV` is 1024 (sendmsg(2)).
pub(crate) const VECTOR: usize = 16;

/// Recycled outputs keep at most this much memory: what is gathered in a turn, a piece of it beyond, and what sealing adds.
const KEPT_BYTES: usize = 96 * 1024;

/// A queue of bytes and file ranges, sent in the order in which they were put in.
///
/// Small things are copied into [`bytes`](Output::bytes), so that a response, or sixteen pipelined ones, are one contiguous
/// send; large ones are shared. An output is recycled, with its memory: a response in the steady state allocates nothing.
#[derive(Debug, Default)]
pub struct Output {
    own: Vec<u8>,
    /// Own bytes before this one belong to a piece already, or have been sent.
    sealed: usize,
    pieces: VecDeque<Piece>,
}

#[derive(Debug)]
enum Piece {
    Own(Range<usize>),
    Shared(Bytes),
    Chunk(Chunk),
    File(FileRange),
}

/// A range of a file, and how it is sent.
#[derive(Debug)]
pub(crate) struct FileRange {
    pub(crate) file: Arc<File>,
    pub(crate) range: Range<u64>,
    pub(crate) way: Way,
}

/// How the bytes of a file range get into the socket. None of them enters our memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// The socket refers to the file's pages (sendfile(2)).
    Sendfile,
    /// The kernel copies them out of a mapping (mmap(2), send(2)).
    Mapped,
}

/// How a blocking-free send went.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// All was taken, or as much as is fair in one go; the socket may well take more.
    Some(u64),
    /// So many bytes were taken (perhaps none) and the socket takes no more for now.
    Full(u64),
}

impl Output {
    /// Own bytes, to be appended to.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.own
    }

    /// Appends shared bytes without copying them.
    pub fn push_shared(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.push(Piece::Shared(bytes));
        }
    }

    /// Appends received bytes without copying them.
    pub fn push_chunk(&mut self, chunk: Chunk) {
        if !chunk.is_empty() {
            self.push(Piece::Chunk(chunk));
        }
    }

    /// Appends a range of a file, to be sent by sendfile(2).
    pub fn push_file(&mut self, file: Arc<File>, range: Range<u64>) {
        self.push_range(FileRange { file, range, way: Way::Sendfile });
    }

    /// Appends a range of a file, to be sent from a mapping of it: a window at a time, mapped only while a send goes on. Where
    /// it cannot be mapped it is sent by sendfile(2).
    pub fn push_mapped(&mut self, file: Arc<File>, range: Range<u64>) {
        self.push_range(FileRange { file, range, way: Way::Mapped });
    }

    fn push_range(&mut self, piece: FileRange) {
        if piece.range.start < piece.range.end {
            self.push(Piece::File(piece));
        }
    }

    /// How many bytes are left to send.
    pub fn remaining(&self) -> u64 {
        let tail = (self.own.len() - self.sealed) as u64;
        if self.pieces.is_empty() { tail } else { self.pieces.iter().map(Piece::len).sum::<u64>() + tail }
    }

    /// Whether a range of a file comes next.
    pub fn begins_with_file(&self) -> bool {
        matches!(self.pieces.front(), Some(Piece::File(_)))
    }

    /// Whether nothing is left to send.
    pub fn is_empty(&self) -> bool {
        self.own.len() == self.sealed && self.pieces.is_empty()
    }

    /// Empties the output and keeps its memory for the next.
    #[inline]
    pub fn clear(&mut self) {
        self.own.clear();
        self.own.shrink_to(KEPT_BYTES);
        self.sealed = 0;
        self.pieces.clear();
        self.pieces.shrink_to(VECTOR);
    }

    /// Leaves out the first `count` bytes.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn advance(&mut self, mut count: u64) {
        while let Some(piece) = self.pieces.front_mut() {
            let length = piece.len();
            if count < length {
                piece.advance(count);
                return self.give_up_sent();
            }
            count -= length;
            self.pieces.pop_front();
        }
        self.sealed += usize::try_from(count).expect("own bytes are in memory");
        assert!(self.sealed <= self.own.len(), "no more was sent than there was");
        if self.sealed == self.own.len() {
            self.own.clear();
            self.sealed = 0;
        }
        self.give_up_sent();
    }

    /// Where more and more is put behind what is not all sent, the memory of what was sent is used again. That moves what is left: each byte once at
    /// most, since it is half of all by then.
    #[inline]
    fn give_up_sent(&mut self) {
        if self.own.len() > KEPT_BYTES {
            self.move_to_front();
        }
    }

    #[cold]
    fn move_to_front(&mut self) {
        let first = self.pieces.iter().find_map(|piece| match piece {
            Piece::Own(range) => Some(range.start),
            _ => None,
        });
        let sent = first.unwrap_or(self.sealed);
        if sent < self.own.len() / 2 {
            return;
        }
        self.own.drain(..sent);
        self.sealed -= sent;
        for piece in &mut self.pieces {
            if let Piece::Own(range) = piece {
                *range = range.start - sent..range.end - sent;
            }
        }
    }

    /// The bytes at the front up to the first file range, as up to [`VECTOR`] slices; and whether more follows them.
    pub(crate) fn front<'a>(&'a self, slices: &mut [IoSlice<'a>; VECTOR]) -> (usize, bool) {
        let mut count = 0;
        for piece in &self.pieces {
            match piece.bytes(&self.own) {
                Some(bytes) if count < VECTOR => slices[count] = IoSlice::new(bytes),
                _ => return (count, true),
            }
            count += 1;
        }
        let tail = &self.own[self.sealed..];
        if tail.is_empty() {
            return (count, false);
        }
        if count == VECTOR {
            return (count, true);
        }
        slices[count] = IoSlice::new(tail);
        (count + 1, false)
    }

    /// All of it, where it is nothing but own bytes: nearly every response. Whoever transforms what is sent need not copy it then;
    /// else there is [`peek`](Output::peek).
    #[inline]
    pub fn contiguous(&self) -> Option<&[u8]> {
        if self.pieces.is_empty() { Some(&self.own[self.sealed..]) } else { None }
    }

    /// The bytes at the front that lie together; none where a file range is at the front.
    pub fn front_bytes(&self) -> &[u8] {
        match self.pieces.front() {
            Some(piece) => piece.bytes(&self.own).unwrap_or_default(),
            None => &self.own[self.sealed..],
        }
    }

    /// The file range at the front, and whether more follows it.
    pub(crate) fn front_file(&mut self) -> Option<(&mut FileRange, bool)> {
        let more = self.pieces.len() > 1 || self.sealed < self.own.len();
        match self.pieces.front_mut() {
            Some(Piece::File(piece)) => Some((piece, more)),
            _ => None,
        }
    }

    /// Reads up to `room` bytes of the front into memory, file ranges too: for backends without sendfile(2).
    ///
    /// # Errors
    /// What pread(2) says; [`io::ErrorKind::UnexpectedEof`] when the file ended before its range.
    pub fn peek(&self, room: &mut [u8]) -> io::Result<usize> {
        if let Some(Piece::File(FileRange { file, range, .. })) = self.pieces.front() {
            let wanted = room.len().min(usize::try_from(range.end - range.start).unwrap_or(usize::MAX));
            let count = rustix::io::pread(file.as_fd(), &mut room[..wanted], range.start)?;
            return if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(count) };
        }
        let mut slices = [IoSlice::new(&[]); VECTOR];
        let (slice_count, _) = self.front(&mut slices);
        let mut filled = 0;
        for slice in &slices[..slice_count] {
            let count = slice.len().min(room.len() - filled);
            room[filled..filled + count].copy_from_slice(&slice[..count]);
            filled += count;
        }
        Ok(filled)
    }

    fn push(&mut self, piece: Piece) {
        if self.sealed < self.own.len() {
            self.pieces.push_back(Piece::Own(self.sealed..self.own.len()));
            self.sealed = self.own.len();
        }
        self.pieces.push_back(piece);
    }
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Piece::Own(range) => range.len() as u64,
            Piece::Shared(bytes) => bytes.len() as u64,
            Piece::Chunk(chunk) => chunk.len() as u64,
            Piece::File(piece) => piece.range.end - piece.range.start,
        }
    }

    /// The bytes, of a piece that is in memory.
    fn bytes<'a>(&'a self, own: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Piece::Own(range) => Some(&own[range.clone()]),
            Piece::Shared(bytes) => Some(bytes),
            Piece::Chunk(chunk) => Some(chunk),
            Piece::File(_) => None,
        }
    }

    fn advance(&mut self, count: u64) {
        let in_memory = usize::try_from(count).unwrap_or(usize::MAX);
        match self {
            Piece::Own(range) => range.start += in_memory,
            Piece::Shared(bytes) => drop(bytes.split_to(in_memory)),
            Piece::Chunk(chunk) => chunk.advance(in_memory),
            Piece::File(piece) => piece.range.start += count,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    /// Everything an output holds, taken out in pieces of at most `room` bytes.
    fn drained(output: &mut Output, room: usize) -> Vec<u8> {
        let (mut all, mut buffer) = (Vec::new(), vec![0; room]);
        while !output.is_empty() {
            let count = output.peek(&mut buffer).unwrap();
            assert!(count > 0, "progress");
            all.extend_from_slice(&buffer[..count]);
            output.advance(count as u64);
        }
        all
    }

    fn file_with(bytes: &[u8]) -> Arc<File> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Arc::new(file)
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out_in_order_however_it_is_cut(
            pieces in prop::collection::vec((0..5, prop::collection::vec(any::<u8>(), 0..40)), 0..30),
            room in 1usize..100,
        ) {
            let (mut output, mut expected) = (Output::default(), Vec::new());
            for (kind, bytes) in pieces {
                expected.extend_from_slice(&bytes);
                match kind {
                    0 => output.bytes().extend_from_slice(&bytes),
                    1 => output.push_shared(Bytes::from(bytes)),
                    2 => {
                        let mut block = gannet_block::Block::oversized(64);
                        block.append(&bytes);
                        output.push_chunk(block.share());
                    }
                    3 => output.push_mapped(file_with(&bytes), 0..bytes.len() as u64),
                    _ => output.push_file(file_with(&bytes), 0..bytes.len() as u64),
                }
            }
            prop_assert_eq!(output.remaining(), expected.len() as u64);
            prop_assert_eq!(drained(&mut output, room), expected);
            prop_assert_eq!(output.remaining(), 0);
        }
    }

    #[test]
    fn an_output_that_never_runs_empty_does_not_grow_by_what_goes_through_it() {
        let (mut output, mut room) = (Output::default(), vec![0; 50_000]);
        let (mut given, mut taken) = (Vec::new(), Vec::new());
        for round in 0..200_u8 {
            while output.remaining() < 100_000 {
                output.bytes().extend_from_slice(&[round; 10_000]);
                output.push_shared(Bytes::from_static(b"shared"));
                given.extend_from_slice(&[round; 10_000]);
                given.extend_from_slice(b"shared");
            }
            let count = output.peek(&mut room).unwrap();
            taken.extend_from_slice(&room[..count]);
            output.advance(count as u64);
        }
        assert!(output.own.capacity() <= 4 * 100_000, "{} bytes", output.own.capacity());
        taken.extend(drained(&mut output, 50_000));
        assert!(taken == given);
    }

    #[test]
    fn what_is_nothing_but_own_bytes_is_contiguous_until_something_is_shared() {
        let mut output = Output::default();
        output.bytes().extend_from_slice(b"own bytes");
        output.advance(4);
        assert_eq!(output.contiguous(), Some(&b"bytes"[..]));
        output.push_shared(Bytes::from_static(b"shared"));
        assert_eq!(output.contiguous(), None);
    }

    #[test]
    fn a_file_shorter_than_its_range_is_an_error() {
        let mut output = Output::default();
        output.push_file(file_with(b"short"), 0..10);
        let mut room = [0; 16];
        assert_eq!(output.peek(&mut room).unwrap(), 5);
        output.advance(5);
        assert_eq!(output.peek(&mut room).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_cleared_output_keeps_its_memory_but_not_too_much() {
        let mut output = Output::default();
        output.bytes().resize(1000, 0);
        output.clear();
        assert!(output.is_empty() && output.bytes().capacity() >= 1000);
        output.bytes().resize(1 << 20, 0);
        output.clear();
        assert!(output.bytes().capacity() <= KEPT_BYTES);
    }
}
