//! Base64 (RFC 4648 section 4), as far as keys need it.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes what the bytes are in Base64, padding included. `CHARACTERS` is four for each three bytes, or part of three.
pub(super) const fn encode<const BYTES: usize, const CHARACTERS: usize>(
    bytes: &[u8; BYTES],
) -> [u8; CHARACTERS] {
    const { assert!(CHARACTERS == BYTES.div_ceil(3) * 4) };
    let mut out = [b'='; CHARACTERS];
    let mut at = 0;
    // As many characters as it takes to say all bits; what they say beyond those is zero.
    while at * 6 < BYTES * 8 {
        let first = at * 6 / 8;
        let second = if first + 1 < BYTES { bytes[first + 1] } else { 0 };
        let two = (bytes[first] as usize) << 8 | second as usize;
        out[at] = ALPHABET[two >> (10 - at * 6 % 8) & 0x3f];
        at += 1;
    }
    out
}

/// Whether it is what sixteen bytes are in Base64: 22 characters, the last of which has but two bits, and padding.
pub(super) fn is_sixteen_bytes(text: &[u8]) -> bool {
    let Some([characters @ .., last]) = text.strip_suffix(b"==") else { return false };
    let value = |byte: &u8| ALPHABET.iter().position(|character| character == byte);
    characters.len() == 21
        && characters.iter().all(|byte| value(byte).is_some())
        && value(last).is_some_and(|value| value % 16 == 0)
}

#[cfg(test)]
mod tests {
    use super::{encode, is_sixteen_bytes};

    /// The test vectors of RFC 4648 section 10.
    #[test]
    fn the_vectors_of_the_rfc_are_encoded() {
        assert_eq!(&encode(b""), b"");
        assert_eq!(&encode(b"f"), b"Zg==");
        assert_eq!(&encode(b"fo"), b"Zm8=");
        assert_eq!(&encode(b"foo"), b"Zm9v");
        assert_eq!(&encode(b"foob"), b"Zm9vYg==");
        assert_eq!(&encode(b"fooba"), b"Zm9vYmE=");
        assert_eq!(&encode(b"foobar"), b"Zm9vYmFy");
        assert_eq!(&encode(&[0xff, 0xfe, 0xfb]), b"//77");
    }

    #[test]
    fn sixteen_bytes_are_known_by_their_form() {
        for text in ["dGhlIHNhbXBsZSBub25jZQ==", "AAAAAAAAAAAAAAAAAAAAAA==", "/+/+/+/+/+/+/+/+/+/+/w=="] {
            assert!(is_sixteen_bytes(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "==",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZR==",
            "dGhlIHNhbXBsZSBub25jZQ==\n",
            " GhlIHNhbXBsZSBub25jZQ==",
            "dGhlIHNhbXBsZSBub25jZQAA",
            "dGhlIHNhbXBsZSBub25jZQAA==",
            "dGhlIHNhbXBsZSBub2-_ZQ==",
            "dGhlIHNhbXBsZSBub25j====",
        ] {
            assert!(!is_sixteen_bytes(text.as_bytes()), "{text}");
        }
        for last in 0..16 {
            assert!(is_sixteen_bytes(&encode::<16, 24>(&[last; 16])));
        }
    }
}
