//! A message, as its frames come: counted, unmasked, inflated, and checked where it is text.

use super::codec::TAIL;
use super::frame::{Header, Opcode};
use super::{Error, Inflate, InflateError, Kind, Limits};
use crate::scan::{Level, Utf8};
use alloc::vec::Vec;

/// A message that has begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    kind: Kind,
    compressed: bool,
    text: Utf8,
    fragments: u32,
    /// The payload of its frames, as far as their headers have come.
    bytes: u32,
}

/// What the caller lends for one call.
pub(super) struct Lent<'a, 'i> {
    pub limits: &'a Limits,
    /// The payload of the message so far.
    pub message: &'a mut Vec<u8>,
    pub inflate: Option<&'a mut (dyn Inflate + 'i)>,
}

impl Message {
    pub fn new(header: Header) -> Message {
        let kind = if header.opcode == Opcode::Text { Kind::Text } else { Kind::Binary };
        Message { kind, compressed: header.compressed, text: Utf8::START, fragments: 0, bytes: 0 }
    }

    /// A frame of it begins, with so many bytes of payload.
    #[inline]
    pub fn count(&mut self, length: u64, limits: &Limits) -> Result<(), Error> {
        self.fragments += 1;
        if self.fragments > limits.fragments {
            return Err(Error::TooManyFragments);
        }
        // Both are below 2^63.
        let bytes = u64::from(self.bytes) + length;
        if bytes > u64::from(limits.message_bytes) {
            return Err(Error::MessageTooLarge);
        }
        self.bytes = bytes as u32;
        Ok(())
    }

    /// A piece of its payload came.
    #[inline]
    pub fn take(
        &mut self,
        piece: &[u8],
        mask: Option<[u8; 4]>,
        level: Level,
        lent: &mut Lent<'_, '_>,
    ) -> Result<(), Error> {
        if piece.is_empty() {
            return Ok(());
        }
        if self.compressed {
            return self.take_compressed(piece, mask, level, lent);
        }
        let before = lent.message.len();
        match mask {
            Some(mask) => level.append_masked(piece, mask, lent.message),
            None => lent.message.extend_from_slice(piece),
        }
        self.check(&lent.message[before..], level)
    }

    #[inline(never)]
    fn take_compressed(
        &mut self,
        piece: &[u8],
        mask: Option<[u8; 4]>,
        level: Level,
        lent: &mut Lent<'_, '_>,
    ) -> Result<(), Error> {
        /// Unmasked at once; a multiple of four, so that the mask begins anew after each.
        const UNMASKED_BYTES: usize = 2048;
        let Some(mask) = mask else { return self.inflate(piece, false, level, lent) };
        let mut unmasked = [0; UNMASKED_BYTES];
        for part in piece.chunks(UNMASKED_BYTES) {
            let unmasked = &mut unmasked[..part.len()];
            unmasked.copy_from_slice(part);
            level.mask(unmasked, mask);
            self.inflate(unmasked, false, level, lent)?;
        }
        Ok(())
    }

    fn inflate(
        &mut self,
        input: &[u8],
        is_last: bool,
        level: Level,
        lent: &mut Lent<'_, '_>,
    ) -> Result<(), Error> {
        let before = lent.message.len();
        let most = lent.limits.message_bytes as usize;
        // Nobody lends it now who lent it when the message began.
        let inflate = lent.inflate.as_mut().ok_or(Error::InvalidCompression)?;
        let inflated = inflate.inflate(input, is_last, lent.message, most);
        // What came first was wrong first, wherever the bytes were cut.
        self.check(lent.message.get(before..).unwrap_or_default(), level)?;
        inflated.map_err(|error| match error {
            InflateError::Invalid => Error::InvalidCompression,
            InflateError::TooLarge => Error::MessageTooLarge,
        })
    }

    /// Text is text as far as it has come.
    #[inline]
    fn check(&mut self, piece: &[u8], level: Level) -> Result<(), Error> {
        match self.kind {
            Kind::Binary => Ok(()),
            Kind::Text => self.text.push(level, piece).map_err(|_| Error::InvalidText),
        }
    }

    /// All of it has come.
    #[inline]
    pub fn end(&mut self, level: Level, lent: &mut Lent<'_, '_>) -> Result<Kind, Error> {
        if self.compressed {
            self.inflate(&TAIL, true, level, lent)?;
        }
        if self.text.is_whole() { Ok(self.kind) } else { Err(Error::InvalidText) }
    }
}
