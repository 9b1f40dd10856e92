//! The hash by which what was encoded before is found. Its seed is passed in, so that nobody who does not know it can make all of it collide; what is
//! found by it is compared as well.

/// Odd, with as many ones as zeros, in no order (the digits of π and e).
const FACTORS: [u64; 2] = [0x243f_6a88_85a3_08d3, 0xb7e1_5162_8aed_2a6b];

/// Sets the bit by which the cases of a letter differ, in each byte.
const LOWER: u64 = 0x2020_2020_2020_2020;

/// The hash of these bytes.
#[inline]
pub(super) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    fold(seed, bytes, 0)
}

/// The hash of these bytes in whatever case.
#[inline]
pub(super) fn hash_without_case(seed: u64, bytes: &[u8]) -> u64 {
    fold(seed, bytes, LOWER)
}

#[inline]
fn fold(seed: u64, bytes: &[u8], mask: u64) -> u64 {
    let mut state = multiply(seed ^ bytes.len() as u64, FACTORS[0]);
    let (pairs, rest) = bytes.as_chunks::<16>();
    for pair in pairs {
        state = multiply(state ^ (word(&pair[..8]) | mask), FACTORS[1] ^ (word(&pair[8..]) | mask));
    }
    let (front, back) = rest.split_at(rest.len().min(8));
    multiply(state ^ (word(front) | mask), FACTORS[1] ^ (word(back) | mask))
}

/// At most eight bytes as a word.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

/// Both halves of the product, one over the other.
#[inline]
fn multiply(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}
