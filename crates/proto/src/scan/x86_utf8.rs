//! UTF-8 by AVX2: the lookup algorithm (Keiser and Lemire, "Validating UTF-8 in less than one instruction per byte", 2021).
//!
//! Each byte is looked at together with the one before it. What is wrong with a pair is a bit that three tables have in common: by the first byte's
//! upper half, by its lower half, and by the second byte's upper half. What a pair cannot show is where a third and a fourth byte of a character must be:
//! two and three bytes behind a byte that begins one so long. There, and only there, two continuations in a row are right.

use core::arch::x86_64::{self as arch, __m256i};

const TOO_SHORT: u8 = 1 << 0;
const TOO_LONG: u8 = 1 << 1;
const OVERLONG_3: u8 = 1 << 2;
const TOO_LARGE: u8 = 1 << 3;
const SURROGATE: u8 = 1 << 4;
const OVERLONG_2: u8 = 1 << 5;
/// Both 0xf5 and beyond with a least continuation, and four bytes for what three can say: they differ in the first byte's lower half.
const TOO_LARGE_OR_OVERLONG_4: u8 = 1 << 6;
const TWO_CONTINUATIONS: u8 = 1 << 7;
/// What the first byte's lower half does not matter for.
const ANY: u8 = TOO_SHORT | TOO_LONG | TWO_CONTINUATIONS;

/// By the first byte's upper half.
const FIRST_UPPER: [u8; 16] = {
    let mut table = [TOO_LONG; 16];
    let mut at = 8;
    while at < 12 {
        table[at] = TWO_CONTINUATIONS;
        at += 1;
    }
    table[0xc] = TOO_SHORT | OVERLONG_2;
    table[0xd] = TOO_SHORT;
    table[0xe] = TOO_SHORT | OVERLONG_3 | SURROGATE;
    table[0xf] = TOO_SHORT | TOO_LARGE | TOO_LARGE_OR_OVERLONG_4;
    table
};

/// By the first byte's lower half.
const FIRST_LOWER: [u8; 16] = {
    let mut table = [ANY | TOO_LARGE | TOO_LARGE_OR_OVERLONG_4; 16];
    table[0] = ANY | OVERLONG_2 | OVERLONG_3 | TOO_LARGE_OR_OVERLONG_4;
    table[1] = ANY | OVERLONG_2;
    table[2] = ANY;
    table[3] = ANY;
    table[4] = ANY | TOO_LARGE;
    table[0xd] |= SURROGATE;
    table
};

/// By the second byte's upper half.
const SECOND_UPPER: [u8; 16] = {
    const CONTINUATION: u8 = TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS;
    let mut table = [TOO_SHORT; 16];
    table[8] = CONTINUATION | OVERLONG_3 | TOO_LARGE_OR_OVERLONG_4;
    table[9] = CONTINUATION | OVERLONG_3 | TOO_LARGE;
    table[0xa] = CONTINUATION | SURROGATE | TOO_LARGE;
    table[0xb] = CONTINUATION | SURROGATE | TOO_LARGE;
    table
};

const BYTES: usize = 32;

/// Whether the bytes are UTF-8.
#[target_feature(enable = "avx2")]
pub(super) fn is_utf8(bytes: &[u8]) -> bool {
    let mut pass =
        Lookup { before: arch::_mm256_setzero_si256(), wrong: arch::_mm256_setzero_si256(), ascii: true };
    let (blocks, rest) = bytes.as_chunks::<BYTES>();
    for block in blocks {
        pass.look(block);
    }
    // The zeros behind the end also show a character there that is not whole.
    let mut last = [0; BYTES];
    last[..rest.len()].copy_from_slice(rest);
    pass.look(&last);
    arch::_mm256_testz_si256(pass.wrong, pass.wrong) == 1
}

/// What is known of the blocks so far.
struct Lookup {
    /// The last of them.
    before: __m256i,
    /// A lane that is not zero was wrong.
    wrong: __m256i,
    /// The last of them is ASCII, so that nothing of it reaches into the next.
    ascii: bool,
}

impl Lookup {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn look(&mut self, block: &[u8; BYTES]) {
        // SAFETY: so many bytes are there, and the load asks for no alignment.
        let block = unsafe { arch::_mm256_loadu_si256(block.as_ptr().cast()) };
        let ascii = arch::_mm256_movemask_epi8(block) == 0;
        if !(ascii && self.ascii) {
            self.wrong = arch::_mm256_or_si256(self.wrong, wrong(block, self.before));
            (self.before, self.ascii) = (block, ascii);
        }
    }
}

/// The lanes of the block that are wrong, given the block before it.
#[inline]
#[target_feature(enable = "avx2")]
fn wrong(block: __m256i, before: __m256i) -> __m256i {
    let across = arch::_mm256_permute2x128_si256::<0x21>(before, block);
    let first = arch::_mm256_alignr_epi8::<15>(block, across);
    let second_before = arch::_mm256_alignr_epi8::<14>(block, across);
    let third_before = arch::_mm256_alignr_epi8::<13>(block, across);
    let pair = arch::_mm256_and_si256(
        arch::_mm256_and_si256(look_up(&FIRST_UPPER, upper(first)), look_up(&FIRST_LOWER, lower(first))),
        look_up(&SECOND_UPPER, upper(block)),
    );
    // A lane keeps its high bit where the byte two before is 0xe0 or more, or the one three before is 0xf0 or more.
    let three = arch::_mm256_subs_epu8(second_before, splat(0xe0 - 0x80));
    let four = arch::_mm256_subs_epu8(third_before, splat(0xf0 - 0x80));
    let must_continue = arch::_mm256_and_si256(arch::_mm256_or_si256(three, four), splat(0x80));
    arch::_mm256_xor_si256(must_continue, pair)
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat(byte: u8) -> __m256i {
    arch::_mm256_set1_epi8(byte as i8)
}

#[inline]
#[target_feature(enable = "avx2")]
fn lower(bytes: __m256i) -> __m256i {
    arch::_mm256_and_si256(bytes, splat(0x0f))
}

#[inline]
#[target_feature(enable = "avx2")]
fn upper(bytes: __m256i) -> __m256i {
    lower(arch::_mm256_srli_epi16::<4>(bytes))
}

#[inline]
#[target_feature(enable = "avx2")]
fn look_up(table: &[u8; 16], halves: __m256i) -> __m256i {
    // SAFETY: so many bytes are there, and the load asks for no alignment.
    let table = unsafe { arch::_mm_loadu_si128(table.as_ptr().cast()) };
    arch::_mm256_shuffle_epi8(arch::_mm256_broadcastsi128_si256(table), halves)
}
