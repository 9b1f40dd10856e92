//! "SIMD within a register": eight bytes in a `u64`, for CPUs whose vectors we do not know.
//!
//! Each lane's answer is in its high bit. Every operation keeps carries out of the neighbouring lane: the high
//! bits are set aside before an addition and put back after.

use super::vector::Vector;

const HIGH: u64 = 0x8080_8080_8080_8080;

const fn splat(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Eight bytes, the first lowest.
#[derive(Clone, Copy)]
pub(super) struct Word(u64);

impl Vector for Word {
    const BYTES: usize = 8;
    const BITS_PER_BYTE: usize = 8;
    const HAS_BLOCKS: bool = false;

    #[inline(always)]
    unsafe fn load(bytes: &[u8], at: usize) -> Word {
        debug_assert!(at + Self::BYTES <= bytes.len());
        // SAFETY: eight bytes lie there, as the caller promises; the read asks for no alignment.
        Word(u64::from_le(unsafe { bytes.as_ptr().add(at).cast::<u64>().read_unaligned() }))
    }

    #[inline(always)]
    unsafe fn equal(self, byte: u8) -> Word {
        let differs = self.0 ^ splat(byte);
        Word(!(((differs & !HIGH) + !HIGH) | differs) & HIGH)
    }

    #[inline(always)]
    unsafe fn at_most(self, byte: u8) -> Word {
        Word(!(((self.0 & !HIGH) + splat(0x7f - byte)) | self.0) & HIGH)
    }

    #[inline(always)]
    unsafe fn minus(self, byte: u8) -> Word {
        let byte = splat(byte);
        Word(((self.0 | HIGH) - (byte & !HIGH)) ^ ((self.0 ^ !byte) & HIGH))
    }

    #[inline(always)]
    unsafe fn or(self, other: Word) -> Word {
        Word(self.0 | other.0)
    }

    #[inline(always)]
    unsafe fn or_byte(self, byte: u8) -> Word {
        Word(self.0 | splat(byte))
    }

    #[inline(always)]
    unsafe fn and_not(self, other: Word) -> Word {
        Word(self.0 & !other.0)
    }

    #[inline(always)]
    unsafe fn mask(self) -> u64 {
        self.0 & HIGH
    }
}
