//! Masking (RFC 6455 section 5.3): each byte is xor-ed with one of four that come round again.
//!
//! The loop is written once, over what holds several bytes, and built for each [`Level`]. What is shorter than two of the widest vectors is done by
//! words at every level: there a call to a function that may use AVX2 costs more than it saves.
//!
//! GiB a second, in the cache, on an AMD EPYC that had other work meanwhile (`cargo bench -p gannet-proto --bench websocket`); of words the compiler makes vectors itself:
//!
//! | bytes | appended: words | SSE2 | AVX2 | in place: words | SSE2 | AVX2 | a byte at a time |
//! |---|---|---|---|---|---|---|---|
//! | 32 | 7.5 | | | 5.6 | | | 3.0 |
//! | 1024 | 29 | 22 | 23 | 30 | 21 | 48 | 4.1 |
//! | 16,384 | 53 | 28 | 72 | 43 | 30 | 88 | 7.7 |

use super::{Kind, Level};
use alloc::vec::Vec;

/// Several bytes that are xor-ed at once.
///
/// # Safety
/// Of all functions: the CPU has what the vector needs. Of the pointers: `LENGTH` bytes lie there; no alignment is asked for.
pub(super) trait Lanes: Copy {
    /// How many bytes it holds: a multiple of four.
    const LENGTH: usize;
    /// # Safety
    /// As the trait says.
    unsafe fn load(from: *const u8) -> Self;
    /// # Safety
    /// As the trait says.
    unsafe fn store(self, to: *mut u8);
    /// The mask, again and again.
    /// # Safety
    /// As the trait says.
    unsafe fn repeat(mask: [u8; 4]) -> Self;
    /// # Safety
    /// As the trait says.
    unsafe fn xor(self, other: Self) -> Self;
}

/// Integers that are as long as their name says.
macro_rules! integers {
    ($($integer:ident)*) => {$(
        impl Lanes for $integer {
            const LENGTH: usize = size_of::<$integer>();

            #[inline(always)]
            unsafe fn load(from: *const u8) -> $integer {
                // SAFETY: the bytes lie there, as the caller promises.
                unsafe { from.cast::<$integer>().read_unaligned() }
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut u8) {
                // SAFETY: the bytes lie there, as the caller promises.
                unsafe { to.cast::<$integer>().write_unaligned(self) }
            }

            #[inline(always)]
            unsafe fn repeat(mask: [u8; 4]) -> $integer {
                const TIMES: $integer = $integer::MAX / u32::MAX as $integer;
                $integer::from(u32::from_ne_bytes(mask)) * TIMES
            }

            #[inline(always)]
            unsafe fn xor(self, other: $integer) -> $integer {
                self ^ other
            }
        }
    )*};
}

integers! { u32 u64 }

/// Writes `length` bytes, masked; gives how many it has done, which is all but fewer than a vector has.
///
/// # Safety
/// The CPU has what the vector needs. `length` bytes can be read at `from` and written at `to`, which are the same place or apart.
#[inline(always)]
unsafe fn vectors<V: Lanes>(from: *const u8, to: *mut u8, length: usize, mask: [u8; 4]) -> usize {
    const AT_ONCE: usize = 4;
    let mut done = 0;
    // SAFETY: offsets stay within the length, and a vector is stored only after it, and all before it, were loaded.
    unsafe {
        let mask = V::repeat(mask);
        while length - done >= AT_ONCE * V::LENGTH {
            let at = |vector: usize| done + vector * V::LENGTH;
            let loaded: [V; AT_ONCE] = core::array::from_fn(|vector| V::load(from.add(at(vector))));
            for (vector, lanes) in loaded.into_iter().enumerate() {
                lanes.xor(mask).store(to.add(at(vector)));
            }
            done += AT_ONCE * V::LENGTH;
        }
        while length - done >= V::LENGTH {
            V::load(from.add(done)).xor(mask).store(to.add(done));
            done += V::LENGTH;
        }
    }
    done
}

/// As [`vectors`], all of it.
///
/// # Safety
/// As there.
#[inline(always)]
pub(super) unsafe fn all<V: Lanes>(from: *const u8, to: *mut u8, length: usize, mask: [u8; 4]) {
    // SAFETY: our caller's promise holds for every part of the bytes. Vectors hold a multiple of four, so the mask begins anew after each.
    unsafe {
        let mut done = vectors::<V>(from, to, length, mask);
        done += vectors::<u64>(from.add(done), to.add(done), length - done, mask);
        done += vectors::<u32>(from.add(done), to.add(done), length - done, mask);
        for (at, mask) in (done..length).zip(mask) {
            to.add(at).write(from.add(at).read() ^ mask);
        }
    }
}

/// Masks that many bytes, by what the level has.
///
/// # Safety
/// `length` bytes can be read at `from` and written at `to`, which are the same place or apart.
#[inline(always)]
unsafe fn mask(level: Level, from: *const u8, to: *mut u8, length: usize, mask: [u8; 4]) {
    const SHORT_BYTES: usize = 64;
    // SAFETY: the pointers are our caller's promise; the level proves the CPU.
    unsafe {
        match level.0 {
            _ if length < SHORT_BYTES => all::<u64>(from, to, length, mask),
            Kind::Swar => all::<u64>(from, to, length, mask),
            #[cfg(target_arch = "x86_64")]
            Kind::Sse2 => super::x86::mask_sse2(from, to, length, mask),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => super::x86::avx2::mask(from, to, length, mask),
        }
    }
}

impl Level {
    /// Masks the bytes where they are; twice with one mask gives what was there.
    #[inline]
    pub fn mask(self, bytes: &mut [u8], with: [u8; 4]) {
        let to = bytes.as_mut_ptr();
        // SAFETY: both are the slice.
        unsafe { mask(self, to, to, bytes.len(), with) }
    }

    /// Appends the bytes, masked: each is read and written once.
    #[inline]
    pub fn append_masked(self, bytes: &[u8], with: [u8; 4], out: &mut Vec<u8>) {
        out.reserve(bytes.len());
        let length = out.len();
        let to = out.spare_capacity_mut().as_mut_ptr().cast::<u8>();
        // SAFETY: the spare capacity has room for them, as was reserved, and lies apart from the slice: nobody else has it. Then they are written.
        unsafe {
            mask(self, bytes.as_ptr(), to, bytes.len(), with);
            out.set_len(length + bytes.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scan::{Level, naive};
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// Both ways, at every level, at every offset into the vectors.
    fn agree(levels: &[Level], bytes: &[u8], mask: [u8; 4]) {
        for start in 0..bytes.len().min(70) {
            let mut expected = bytes[start..].to_vec();
            naive::mask(&mut expected, mask);
            for &level in levels {
                let (mut place, mut out) = (bytes.to_vec(), Vec::from(*b"before"));
                level.mask(&mut place[start..], mask);
                assert_eq!((&place[..start], &place[start..]), (&bytes[..start], &expected[..]));
                level.append_masked(&bytes[start..], mask, &mut out);
                assert_eq!((&out[..6], &out[6..]), (&b"before"[..], &expected[..]), "{}", level.name());
            }
        }
    }

    #[test]
    fn every_length_is_masked_to_its_last_byte_and_no_further() {
        let levels = &Vec::from_iter(Level::available())[..];
        let bytes: Vec<u8> = (0..=255).cycle().take(700).collect();
        for length in 0..300 {
            agree(levels, &bytes[..length], [1, 2, 4, 0x80]);
        }
        agree(levels, &bytes, [0xff, 0, 0x55, 0xaa]);
    }

    #[test]
    fn masking_twice_gives_what_was_there() {
        let levels = &Vec::from_iter(Level::available())[..];
        let bytes: Vec<u8> = (0..100).collect();
        for &level in levels {
            let mut twice = bytes.clone();
            level.mask(&mut twice, *b"mask");
            assert_ne!(twice, bytes);
            level.mask(&mut twice, *b"mask");
            assert_eq!(twice, bytes);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_and_any_mask_give_the_same(bytes in prop::collection::vec(any::<u8>(), 0..=400), mask: [u8; 4]) {
        let levels = &Vec::from_iter(Level::available())[..];
            agree(levels, &bytes, mask);
        }
    }
}
