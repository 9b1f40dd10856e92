//! The vectors of x86-64: SSE2, which every one has, and AVX2, which must be asked for. With AVX2 comes BMI, whose shifts and
//! counts of bits the passes are built for.

use super::mask::Lanes;
use super::vector::Vector;
use core::arch::x86_64 as arch;

/// Whether the CPU has AVX2 and BMI, and the operating system keeps their registers (Intel SDM volume 1, section 14.7.1).
pub(super) fn has_avx2() -> bool {
    const OSXSAVE_AND_AVX: u32 = 1 << 27 | 1 << 28;
    const XMM_AND_YMM: u64 = 0b110;
    const BMI_AND_AVX2: u32 = 1 << 3 | 1 << 5 | 1 << 8;
    if arch::__cpuid(0).eax < 7 || arch::__cpuid(1).ecx & OSXSAVE_AND_AVX != OSXSAVE_AND_AVX {
        return false;
    }
    // SAFETY: OSXSAVE says that the operating system has switched `xgetbv` on.
    let kept = unsafe { arch::_xgetbv(0) };
    kept & XMM_AND_YMM == XMM_AND_YMM && arch::__cpuid_count(7, 0).ebx & BMI_AND_AVX2 == BMI_AND_AVX2
}

/// The two vectors differ in width and in the names of their instructions, and in nothing else.
macro_rules! vectors {
    ($($name:ident $register:ident $bytes:literal $feature:literal
       $load:ident $splat:ident $equal:ident $min:ident $sub:ident $or:ident $and_not:ident $mask:ident
       $store:ident $repeat:ident $xor:ident;)*) => {$(
        #[doc = concat!($bytes, " bytes; needs ", $feature, ".")]
        #[derive(Clone, Copy)]
        pub(super) struct $name(arch::$register);

        // What follows needs the CPU feature and nothing more, except `load`, which also needs the bytes to be
        // there: both are what the trait's callers promise.
        impl Vector for $name {
            const BYTES: usize = $bytes;
            const BITS_PER_BYTE: usize = 1;
            const HAS_BLOCKS: bool = true;

            #[inline(always)]
            unsafe fn load(bytes: &[u8], at: usize) -> Self {
                debug_assert!(at + Self::BYTES <= bytes.len());
                // SAFETY: the bytes lie there, as the caller promises; the load asks for no alignment.
                unsafe { Self(arch::$load(bytes.as_ptr().add(at).cast())) }
            }

            #[inline(always)]
            unsafe fn equal(self, byte: u8) -> Self {
                // SAFETY: the caller promises the CPU feature.
                unsafe { Self(arch::$equal(self.0, arch::$splat(byte as i8))) }
            }

            #[inline(always)]
            unsafe fn at_most(self, byte: u8) -> Self {
                // SAFETY: the caller promises the CPU feature.
                unsafe { Self(arch::$equal(arch::$min(self.0, arch::$splat(byte as i8)), self.0)) }
            }

            #[inline(always)]
            unsafe fn minus(self, byte: u8) -> Self {
                // SAFETY: the caller promises the CPU feature.
                unsafe { Self(arch::$sub(self.0, arch::$splat(byte as i8))) }
            }

            #[inline(always)]
            unsafe fn or(self, other: Self) -> Self {
                // SAFETY: the caller promises the CPU feature.
                unsafe { Self(arch::$or(self.0, other.0)) }
            }

            #[inline(always)]
            unsafe fn or_byte(self, byte: u8) -> Self {
                // SAFETY: the caller promises the CPU feature.
                unsafe { Self(arch::$or(self.0, arch::$splat(byte as i8))) }
            }

            #[inline(always)]
            unsafe fn and_not(self, other: Self) -> Self {
                // SAFETY: the caller promises the CPU feature.
                unsafe { Self(arch::$and_not(other.0, self.0)) }
            }

            #[inline(always)]
            unsafe fn mask(self) -> u64 {
                // SAFETY: the caller promises the CPU feature.
                u64::from(unsafe { arch::$mask(self.0) } as u32)
            }
        }

        // As above: the bytes are there, and the CPU feature.
        impl Lanes for $name {
            const LENGTH: usize = $bytes;

            #[inline(always)]
            unsafe fn load(from: *const u8) -> Self {
                // SAFETY: the bytes lie there, as the caller promises; the load asks for no alignment.
                unsafe { Self(arch::$load(from.cast())) }
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut u8) {
                // SAFETY: the bytes lie there, as the caller promises; the store asks for no alignment.
                unsafe { arch::$store(to.cast(), self.0) }
            }

            #[inline(always)]
            unsafe fn repeat(mask: [u8; 4]) -> Self {
                // SAFETY: the caller promises the CPU feature.
                unsafe { Self(arch::$repeat(i32::from_ne_bytes(mask))) }
            }

            #[inline(always)]
            unsafe fn xor(self, other: Self) -> Self {
                // SAFETY: the caller promises the CPU feature.
                unsafe { Self(arch::$xor(self.0, other.0)) }
            }
        }
    )*};
}

vectors! {
    Sse2 __m128i 16 "SSE2" _mm_loadu_si128 _mm_set1_epi8 _mm_cmpeq_epi8 _mm_min_epu8 _mm_sub_epi8 _mm_or_si128
        _mm_andnot_si128 _mm_movemask_epi8 _mm_storeu_si128 _mm_set1_epi32 _mm_xor_si128;
    Avx2 __m256i 32 "AVX2" _mm256_loadu_si256 _mm256_set1_epi8 _mm256_cmpeq_epi8 _mm256_min_epu8 _mm256_sub_epi8
        _mm256_or_si256 _mm256_andnot_si256 _mm256_movemask_epi8 _mm256_storeu_si256 _mm256_set1_epi32 _mm256_xor_si256;
}

/// As [`all`](super::mask::all), sixteen bytes at a time.
///
/// # Safety
/// As there.
pub(super) unsafe fn mask_sse2(from: *const u8, to: *mut u8, length: usize, mask: [u8; 4]) {
    // SAFETY: SSE2 is part of x86-64; the rest is our caller's promise.
    unsafe { super::mask::all::<Sse2>(from, to, length, mask) }
}

/// The searches that are built for SSE2 even where there is more.
pub(super) mod sse2 {
    use super::Sse2;
    use crate::scan::vector::{PlainHost, Token, end};

    #[inline(always)]
    pub(in crate::scan) fn token_end(bytes: &[u8], from: usize) -> usize {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { end::<Sse2, Token>(bytes, from) }
    }

    #[inline(always)]
    pub(in crate::scan) fn plain_host_end(bytes: &[u8], from: usize) -> usize {
        // SAFETY: SSE2 is part of x86-64.
        unsafe { end::<Sse2, PlainHost>(bytes, from) }
    }
}

/// What is built for AVX2. They are functions of their own since only such may use its instructions.
pub(super) mod avx2 {
    use super::Avx2;
    use crate::scan::blocks::{Blocks, Pass};
    use crate::scan::vector::{Target, Value, end};

    #[target_feature(enable = "avx2,bmi1,bmi2")]
    pub(in crate::scan) fn pass<P: Pass>(bytes: &[u8], pass: P) -> P::Output {
        // SAFETY: the vector needs AVX2, and who calls this function has it.
        pass.over(unsafe { Blocks::<Avx2>::new(bytes) })
    }

    #[target_feature(enable = "avx2")]
    pub(in crate::scan) fn value_end(bytes: &[u8], from: usize) -> usize {
        // SAFETY: the vector needs AVX2, and who calls this function has it.
        unsafe { end::<Avx2, Value>(bytes, from) }
    }

    #[target_feature(enable = "avx2")]
    pub(in crate::scan) fn target_end(bytes: &[u8], from: usize) -> usize {
        // SAFETY: the vector needs AVX2, and who calls this function has it.
        unsafe { end::<Avx2, Target>(bytes, from) }
    }

    /// As [`all`](crate::scan::mask::all), thirty-two bytes at a time.
    ///
    /// # Safety
    /// As there.
    #[target_feature(enable = "avx2")]
    pub(in crate::scan) unsafe fn mask(from: *const u8, to: *mut u8, length: usize, mask: [u8; 4]) {
        // SAFETY: the vector needs AVX2, and who calls this function has it; the rest is our caller's promise.
        unsafe { crate::scan::mask::all::<Avx2>(from, to, length, mask) }
    }
}
