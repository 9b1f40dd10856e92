//! The hash by which what was encoded before is found. Its seed is passed in, so that nobody who does not know it can make all of it collide; what is
//! found by it is compared as well.

/// Odd, with as many ones as zeros, in no order (the digits of π and e).
const FACTORS: [u64; 2] = [0x243f_6a88_85a3_08d3, 0xb7e1_5162_8aed_2a6b];

/// The hash of these bytes.
#[inline]
pub(super) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let mut state = multiply(seed ^ bytes.len() as u64, FACTORS[0]);
    let (pairs, rest) = bytes.as_chunks::<16>();
    for pair in pairs {
        let [front, back] = words(pair);
        state = multiply(state ^ front, FACTORS[1] ^ back);
    }
    let [front, back] = words(rest);
    multiply(state ^ front, FACTORS[1] ^ back)
}

/// At most sixteen bytes as two words, which overlap where there are fewer. How many there are is known already.
#[inline]
fn words(bytes: &[u8]) -> [u64; 2] {
    if let (Some(front), Some(back)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return [u64::from_le_bytes(*front), u64::from_le_bytes(*back)];
    }
    if let (Some(front), Some(back)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return [u32::from_le_bytes(*front).into(), u32::from_le_bytes(*back).into()];
    }
    match bytes {
        [] => [0, 0],
        [first, .., last] => [u64::from(*first) | u64::from(bytes[1]) << 8, u64::from(*last)],
        [only] => [u64::from(*only), 0],
    }
}

/// Both halves of the product, one over the other.
#[inline]
fn multiply(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::hash;
    use alloc::collections::BTreeSet;
    use alloc::vec;

    #[test]
    fn every_byte_the_length_and_the_seed_matter() {
        let mut hashes = BTreeSet::new();
        for length in 0..70 {
            let zeros = vec![0; length];
            assert!(hashes.insert(hash(1, &zeros)));
            for place in 0..length {
                let mut bytes = zeros.clone();
                bytes[place] = 1;
                assert!(hashes.insert(hash(1, &bytes)), "{place} of {length}");
            }
        }
        assert_ne!(hash(1, b"content-type"), hash(2, b"content-type"));
    }
}
