//! Huffman's code as HPACK has it (RFC 7541, 5.2), for what requests are made of: ASCII that can be printed.

/// The code of each character and its length in bits (RFC 7541, appendix B), from the space on.
#[rustfmt::skip]
const CODES: [(u32, u32); 95] = [
    (0x14, 6), (0x3f8, 10), (0x3f9, 10), (0xffa, 12), (0x1ff9, 13), (0x15, 6), (0xf8, 8), (0x7fa, 11),
    (0x3fa, 10), (0x3fb, 10), (0xf9, 8), (0x7fb, 11), (0xfa, 8), (0x16, 6), (0x17, 6), (0x18, 6),
    (0x0, 5), (0x1, 5), (0x2, 5), (0x19, 6), (0x1a, 6), (0x1b, 6), (0x1c, 6), (0x1d, 6),
    (0x1e, 6), (0x1f, 6), (0x5c, 7), (0xfb, 8), (0x7ffc, 15), (0x20, 6), (0xffb, 12), (0x3fc, 10),
    (0x1ffa, 13), (0x21, 6), (0x5d, 7), (0x5e, 7), (0x5f, 7), (0x60, 7), (0x61, 7), (0x62, 7),
    (0x63, 7), (0x64, 7), (0x65, 7), (0x66, 7), (0x67, 7), (0x68, 7), (0x69, 7), (0x6a, 7),
    (0x6b, 7), (0x6c, 7), (0x6d, 7), (0x6e, 7), (0x6f, 7), (0x70, 7), (0x71, 7), (0x72, 7),
    (0xfc, 8), (0x73, 7), (0xfd, 8), (0x1ffb, 13), (0x7fff0, 19), (0x1ffc, 13), (0x3ffc, 14), (0x22, 6),
    (0x7ffd, 15), (0x3, 5), (0x23, 6), (0x4, 5), (0x24, 6), (0x5, 5), (0x25, 6), (0x26, 6),
    (0x27, 6), (0x6, 5), (0x74, 7), (0x75, 7), (0x28, 6), (0x29, 6), (0x2a, 6), (0x7, 5),
    (0x2b, 6), (0x76, 7), (0x2c, 6), (0x8, 5), (0x9, 5), (0x2d, 6), (0x77, 7), (0x78, 7),
    (0x79, 7), (0x7a, 7), (0x7b, 7), (0x7ffe, 15), (0x7fc, 11), (0x3ffd, 14), (0x1ffd, 13),
];

/// Encodes a text; `None` if it has other characters.
pub fn encode(text: &str) -> Option<Vec<u8>> {
    let (mut encoded, mut bits, mut count) = (Vec::new(), 0u64, 0);
    for byte in text.bytes() {
        let (code, length) = CODES.get(usize::from(byte).checked_sub(usize::from(b' '))?)?;
        bits = bits << length | u64::from(*code);
        count += length;
        while count >= 8 {
            count -= 8;
            encoded.push((bits >> count) as u8);
        }
    }
    if count > 0 {
        // The rest of the last byte is ones: the beginning of a code that is longer.
        encoded.push((bits << (8 - count)) as u8 | 0xff >> count);
    }
    Some(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc_are_encoded_as_it_says() {
        // RFC 7541, C.4.1, C.4.2, C.6.1.
        for (text, expected) in [
            (
                "www.example.com",
                &[0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff][..],
            ),
            ("no-cache", &[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]),
            ("private", &[0xae, 0xc3, 0x77, 0x1a, 0x4b]),
            ("", &[]),
        ] {
            assert_eq!(encode(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_no_request_of_ours_has_is_refused() {
        assert!(encode("a\n").is_none() && encode("é").is_none() && encode("\u{7f}").is_none());
    }
}
