//! Paths eight bytes at a time: short texts are compared and slashes found without a loop over bytes and without a call.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The eight bytes from `at` on, the first one lowest; zero behind the end.
#[inline]
pub(crate) fn word(bytes: &[u8], at: usize) -> u64 {
    let Some(last) = bytes.last_chunk::<8>() else { return short_word(bytes, at) };
    match bytes.get(at..).and_then(<[u8]>::first_chunk) {
        Some(chunk) => u64::from_le_bytes(*chunk),
        // Fewer than eight are left: they are among the last eight.
        None => {
            let behind = at.saturating_sub(bytes.len() - 8);
            if behind < 8 { u64::from_le_bytes(*last) >> (8 * behind) } else { 0 }
        }
    }
}

fn short_word(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// What of a word is a text of this length, which is not 0.
#[inline]
pub(crate) fn mask(length: usize) -> u64 {
    u64::MAX >> (64 - 8 * length.min(8))
}

/// The highest bit of each byte that is `byte`. Exact for all bytes, not only up to the first.
#[inline]
pub(crate) fn equal(word: u64, byte: u8) -> u64 {
    let different = word ^ (LOW * u64::from(byte));
    // A byte's high bit stays clear only if nothing of it is set: no sum carries into the next byte.
    !(((different & !HIGH) + !HIGH) | different) & HIGH
}

/// Where the next slash is from `at` on; the end if there is none.
#[inline]
pub(crate) fn slash(bytes: &[u8], at: usize) -> usize {
    nth_slash(bytes, at, 0)
}

/// Where the slash is, from `at` on, before which there are `count` others; the end if there is none.
#[inline]
pub(crate) fn nth_slash(bytes: &[u8], mut at: usize, mut count: usize) -> usize {
    while at < bytes.len() {
        let mut slashes = equal(word(bytes, at), b'/');
        let found = slashes.count_ones() as usize;
        if count < found {
            for _ in 0..count {
                slashes &= slashes - 1;
            }
            return at + slashes.trailing_zeros() as usize / 8;
        }
        count -= found;
        at += 8;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn a_word_is_the_bytes_from_there_on_and_zero_behind_the_end() {
        let bytes: Vec<u8> = (1..=20).collect();
        for length in 0..bytes.len() {
            for at in 0..length + 10 {
                let mut expected = [0; 8];
                let rest = bytes[..length].get(at..).unwrap_or_default();
                rest.iter().zip(&mut expected).for_each(|(byte, place)| *place = *byte);
                assert_eq!(word(&bytes[..length], at), u64::from_le_bytes(expected), "{length}, {at}");
            }
        }
    }

    #[test]
    fn bytes_are_told_apart_whatever_is_beside_them() {
        for byte in 0..=u8::MAX {
            for beside in [0, 1, b'.', b'/', b'0', 0x7f, 0x80, 0xff] {
                let word = u64::from_le_bytes([beside, byte, beside, byte, beside, beside, byte, beside]);
                let bytes = word.to_le_bytes();
                let expected = bytes.map(|byte| if byte == b'/' { 0x80 } else { 0 });
                assert_eq!(equal(word, b'/'), u64::from_le_bytes(expected), "{bytes:?}");
            }
        }
    }

    #[test]
    fn slashes_are_counted_as_one_counts_them_byte_by_byte() {
        for path in [
            "",
            "/",
            "abc",
            "/a/b/c/d/e/f/g/h",
            "////////////////////",
            "/repos/gannet/gannet/issues/17/",
            "x/",
        ] {
            for at in 0..=path.len() {
                for count in 0..22 {
                    let mut slashes = path[at..].match_indices('/').map(|(slash, _)| at + slash);
                    let expected = slashes.nth(count).unwrap_or(path.len());
                    assert_eq!(nth_slash(path.as_bytes(), at, count), expected, "{path}, {at}, {count}");
                }
            }
        }
    }
}
