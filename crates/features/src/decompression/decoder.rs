//! Decoders of content codings, which take what has come and wait for the rest.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::rc::Rc;

use gannet_core::Data;

use crate::coding::Coding;

/// The largest window of Zstandard that is taken, as a power of two: 8 MiB, which is what HTTP allows (RFC 9659).
const ZSTANDARD_WINDOW_BITS: u32 = 23;

/// What Brotli's decoder reads by.
const BUFFER_BYTES: usize = 4096;

/// What has come and is not decoded.
#[derive(Clone, Default)]
pub(super) struct Input(Rc<RefCell<Arrived>>);

#[derive(Default)]
struct Arrived {
    pieces: VecDeque<Data>,
    /// Bytes of the first piece that were read.
    read: usize,
    ended: bool,
}

impl Input {
    /// More has come.
    pub(super) fn push(&self, data: Data) {
        self.0.borrow_mut().pieces.push_back(data);
    }

    /// Nothing more comes.
    pub(super) fn end(&self) {
        self.0.borrow_mut().ended = true;
    }

    /// Whether all was read that has come.
    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().pieces.is_empty()
    }
}

/// Reading what has come: where more is yet to come it would block.
impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Arrived { pieces, read, ended } = &mut *self.0.borrow_mut();
        let Some(piece) = pieces.front() else {
            return if *ended { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
        };
        let rest = &piece.as_slice()[*read..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        *read += count;
        if *read == piece.as_slice().len() {
            pieces.pop_front();
            *read = 0;
        }
        Ok(count)
    }
}

/// A decoder of what was coded by these, one after the other.
pub(super) fn decoder(codings: &[Coding], input: Input) -> io::Result<Box<dyn Read>> {
    let mut reader: Box<dyn Read> = Box::new(input);
    for coding in codings.iter().rev() {
        reader = match coding {
            Coding::Brotli => Box::new(brotli::Decompressor::new(reader, BUFFER_BYTES)),
            Coding::Zstandard => {
                let mut decoder = zstd::stream::read::Decoder::new(reader)?;
                decoder.window_log_max(ZSTANDARD_WINDOW_BITS)?;
                Box::new(decoder)
            }
            Coding::Gzip => Box::new(flate2::read::MultiGzDecoder::new(reader)),
        };
    }
    Ok(reader)
}

/// The most memory that a decoder of this coding takes: its window, and what it needs beside it.
pub(super) fn most_bytes(coding: Coding) -> usize {
    let beside = 1024 * 1024;
    match coding {
        // RFC 7932, 9.1.
        Coding::Brotli => (1 << 24) + beside,
        Coding::Zstandard => (1 << ZSTANDARD_WINDOW_BITS) + beside,
        // RFC 1951, 2: 32 KiB.
        Coding::Gzip => 128 * 1024,
    }
}
