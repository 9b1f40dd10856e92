//! A section of fields in one pass: each byte is loaded once, for all the questions that a line asks of it, and what reads the
//! lines goes from bit to bit.
//!
//! It is what measures best. Nanoseconds for a whole head on an AMD EPYC, the least of 500 repeats that take turns, where no
//! section is one that was seen before: of 41 bytes, of a browser's 477 with ten fields, and of the 703 that picohttpparser is
//! measured with.
//!
//! | | 41 | 477 | 703 |
//! |---|---|---|---|
//! | a search for each end, SSE2 | 33 | 135 | 135 |
//! | a search for each end, AVX2 | 36 | 139 | 131 |
//! | bitmaps of 64 bytes, SSE2 | 33 | 103 | 106 |
//! | bitmaps of 64 bytes, AVX2 | 31 | 88 | 85 |
//! | bitmaps of 64 bytes, AVX-512 | 37 | 87 | 80 |
//! | eight bytes in a register: a search for each end | 42 | 195 | 223 |
//! | eight bytes in a register: bitmaps | 39 | 245 | 330 |
//! | httparse, which leaves open what fields mean | 19 | 122 | 132 |
//!
//! The instructions are as many as those of the searches (2,272 and 2,269 for the browser's head, callgrind): what is won
//! are branches that depend on where a vector ended, and the wait for each vector's answer. AVX-512 is not used: it makes less of
//! what is little already, and small heads are the slower for its constants. Without vectors a bitmap costs as much as
//! a search, and half of them go unasked.

use super::naive;
use super::vector::{Class, PlainHost, Token, Value, Vector, end};
use core::marker::PhantomData;

/// What reads an input by its blocks. It is built once for each [`Level`](super::Level), as a whole: so the vectors' constants
/// stay in registers, and no call stands between a line and the next.
pub(crate) trait Pass {
    /// What it yields.
    type Output;
    /// Reads. To be inlined, or it is not built for the level.
    fn over<V: Vector>(self, blocks: Blocks<'_, V>) -> Self::Output;
}

/// An input, and bitmaps of up to 64 bytes of it: those around the place that was asked for last.
pub(crate) struct Blocks<'a, V> {
    bytes: &'a [u8],
    /// Where the block begins; far behind the input while there is none.
    start: usize,
    /// The bytes that may not belong to a token.
    outside_token: u64,
    /// The bytes that do not belong to a value.
    outside_value: u64,
    vector: PhantomData<V>,
}

impl<'a, V: Vector> Blocks<'a, V> {
    const VECTORS: usize = 64 / (V::BYTES * V::BITS_PER_BYTE);
    const BYTES: usize = Self::VECTORS * V::BYTES;

    /// # Safety
    /// The CPU has what the vector needs.
    #[inline(always)]
    pub(super) unsafe fn new(bytes: &'a [u8]) -> Self {
        Blocks { bytes, start: usize::MAX / 2, outside_token: 0, outside_value: 0, vector: PhantomData }
    }

    /// All the bytes.
    #[inline(always)]
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// As [`Level::token_end`](super::Level::token_end).
    #[inline(always)]
    pub(crate) fn token_end(&mut self, from: usize) -> usize {
        if !V::HAS_BLOCKS {
            // SAFETY: the CPU is the promise of `new`.
            return unsafe { end::<V, Token>(self.bytes, from) };
        }
        let mut at = from;
        loop {
            at = self.find(at, |blocks| blocks.outside_token);
            match self.bytes.get(at) {
                Some(byte) if Token::contains(*byte) => at += 1,
                _ => return at,
            }
        }
    }

    /// As [`Level::value_end`](super::Level::value_end).
    #[inline(always)]
    pub(crate) fn value_end(&mut self, from: usize) -> usize {
        if !V::HAS_BLOCKS {
            // SAFETY: the CPU is the promise of `new`.
            return unsafe { end::<V, Value>(self.bytes, from) };
        }
        self.find(from, |blocks| blocks.outside_value)
    }

    /// As [`Level::plain_host_end`](super::Level::plain_host_end).
    #[inline(always)]
    pub(crate) fn plain_host_end(&self, from: usize) -> usize {
        // SAFETY: the CPU is the promise of `new`.
        unsafe { end::<V, PlainHost>(self.bytes, from) }
    }

    /// The offset, at or after `from`, of the first byte with a bit in the bitmap; where the bytes end if there is none.
    #[inline(always)]
    fn find(&mut self, from: usize, bitmap: impl Fn(&Self) -> u64) -> usize {
        let mut at = from;
        loop {
            let offset = at.wrapping_sub(self.start);
            if offset < Self::BYTES {
                let found = bitmap(self) >> (offset * V::BITS_PER_BYTE);
                if found != 0 {
                    return at + found.trailing_zeros() as usize / V::BITS_PER_BYTE;
                }
                at = self.start + Self::BYTES;
            }
            if at >= self.bytes.len() {
                return self.bytes.len().max(from);
            }
            self.load(at);
        }
    }

    /// Makes the bitmaps of the block that begins at `at`, or as far before it as the end of the bytes asks.
    #[inline(always)]
    fn load(&mut self, at: usize) {
        let length = self.bytes.len();
        if let Some(last) = length.checked_sub(Self::BYTES) {
            self.start = at.min(last);
            self.fill(|vector| vector * V::BYTES);
        } else if let Some(last) = length.checked_sub(V::BYTES) {
            // The vectors overlap: a byte that is looked at twice has its bit set twice.
            self.start = 0;
            self.fill(|vector| last.min(vector * V::BYTES));
        } else {
            self.start = 0;
            self.fill_slowly();
        }
    }

    #[inline(always)]
    fn fill(&mut self, offset: impl Fn(usize) -> usize) {
        (self.outside_token, self.outside_value) = (0, 0);
        for vector in 0..Self::VECTORS {
            let offset = offset(vector);
            // SAFETY: `load` chose start and offset so that a vector's bytes lie there; the CPU is the promise of `new`.
            let (token, value) = unsafe {
                let vector = V::load(self.bytes, self.start + offset);
                (Token::outside(vector), Value::outside(vector))
            };
            self.outside_token |= token << (offset * V::BITS_PER_BYTE);
            self.outside_value |= value << (offset * V::BITS_PER_BYTE);
        }
    }

    /// The bytes are fewer than a vector has.
    #[cold]
    fn fill_slowly(&mut self) {
        (self.outside_token, self.outside_value) = (0, 0);
        for (offset, byte) in self.bytes.iter().enumerate() {
            let bit = 1 << (offset * V::BITS_PER_BYTE);
            self.outside_token |= if naive::is_token(*byte) { 0 } else { bit };
            self.outside_value |= if naive::is_value(*byte) { 0 } else { bit };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Blocks, Pass};
    use crate::scan::vector::Vector;
    use crate::scan::{Level, naive};
    use alloc::boxed::Box;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// Asks for the end of a token, of a value and of a host from each of these places, in this order.
    struct Ask<'a>(&'a [usize]);

    impl Pass for Ask<'_> {
        type Output = Vec<[usize; 3]>;

        #[inline(always)]
        fn over<V: Vector>(self, mut blocks: Blocks<'_, V>) -> Vec<[usize; 3]> {
            let answer = |from: &usize| {
                [blocks.token_end(*from), blocks.value_end(*from), blocks.plain_host_end(*from)]
            };
            self.0.iter().map(answer).collect()
        }
    }

    /// The slice is exactly as long as its allocation, so that reading beyond it would be seen by a checker of memory.
    fn agree(bytes: &[u8], places: &[usize]) {
        let bytes: Box<[u8]> = bytes.into();
        let oracle = |from: &usize| {
            [naive::token_end, naive::value_end, naive::plain_host_end].map(|search| search(&bytes, *from))
        };
        let expected: Vec<[usize; 3]> = places.iter().map(oracle).collect();
        for level in Level::available() {
            assert_eq!(
                level.pass(&bytes, Ask(places)),
                expected,
                "{} in {}",
                level.name(),
                bytes.escape_ascii()
            );
        }
    }

    #[test]
    fn each_byte_is_found_in_each_place_of_inputs_of_each_length() {
        for length in 1..=200 {
            for byte in [0, b'\t', b'\n', b'\r', b' ', b':', b'_', 0x7f, 0xff] {
                let mut bytes = [b'a'; 200];
                bytes[length - 1] = byte;
                agree(&bytes[..length], &[0, length - 1, length / 2, length]);
                agree(&bytes, &[0, length - 1, length, 200]);
            }
        }
    }

    proptest! {
        #[test]
        fn in_whatever_order_it_is_asked_a_pass_finds_what_the_plain_searches_find(
            bytes in prop::collection::vec(prop_oneof![30 => b'a'..=b'z', 1 => any::<u8>()], 0..=300),
            places in prop::collection::vec(any::<prop::sample::Index>(), 1..=20),
        ) {
            let places: Vec<usize> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
            agree(&bytes, &places);
        }
    }
}
