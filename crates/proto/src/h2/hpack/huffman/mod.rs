//! The Huffman code of RFC 7541 appendix B.

mod code;
mod decode;

pub use decode::decode;

use alloc::vec::Vec;
use code::{CODES, LENGTHS};

/// How many bytes the code of `text` has.
#[inline]
pub fn encoded_len(text: &[u8]) -> usize {
    text.iter().map(|symbol| usize::from(LENGTHS[usize::from(*symbol)])).sum::<usize>().div_ceil(8)
}

/// Appends the code of `text`, and ones up to the end of its last byte (section 5.2).
pub fn encode(text: &[u8], out: &mut Vec<u8>) {
    // The last `count` bits of `bits` are still to be written: at most 31, and one code's 30.
    let (mut bits, mut count) = (0u64, 0u32);
    for symbol in text {
        let code = CODES[usize::from(*symbol)];
        bits = bits << code.length | u64::from(code.bits);
        count += u32::from(code.length);
        if count >= 32 {
            count -= 32;
            out.extend_from_slice(&((bits >> count) as u32).to_be_bytes());
        }
    }
    let padded = (bits << 32 | u64::from(u32::MAX)) >> count;
    out.extend_from_slice(&(padded as u32).to_be_bytes()[..count.div_ceil(8) as usize]);
}

#[cfg(test)]
mod tests {
    use super::code::{CODES, END_OF_STRING, LENGTHS};
    use super::{decode, encode, encoded_len};
    use crate::h2::hpack::Error;
    use alloc::vec;
    use alloc::vec::Vec;

    /// Bit by bit.
    fn naive(code: &[u8]) -> Result<Vec<u8>, Error> {
        let (mut out, mut bits, mut count) = (Vec::new(), 0, 0);
        for place in 0..code.len() * 8 {
            bits = bits << 1 | u32::from(code[place / 8] >> (7 - place % 8) & 1);
            count += 1;
            let is_it = |symbol: &usize| (CODES[*symbol].bits, CODES[*symbol].length) == (bits, count);
            match (0..LENGTHS.len()).find(is_it) {
                Some(END_OF_STRING) => return Err(Error::EndOfString),
                Some(symbol) => {
                    out.push(symbol as u8);
                    (bits, count) = (0, 0);
                }
                None => {}
            }
        }
        let is_padding = count < 8 && bits == (1 << count) - 1;
        if is_padding { Ok(out) } else { Err(Error::InvalidPadding) }
    }

    fn compare(code: &[u8]) {
        let mut out = Vec::new();
        let decoded = decode(code, &mut out).map(|()| out);
        assert_eq!(decoded, naive(code), "{code:x?}");
    }

    #[test]
    fn codes_are_the_rfc_s() {
        for (symbol, bits, length) in [
            (b'0', 0x0, 5),
            (b'a', 0x3, 5),
            (b' ', 0x14, 6),
            (b':', 0x5c, 7),
            (b'X', 0xfc, 8),
            (b'!', 0x3f8, 10),
            (b'\\', 0x7_fff0, 19),
            (0, 0x1ff8, 13),
            (1, 0x7f_ffd8, 23),
            (127, 0xfff_fffc, 28),
            (195, 0x7_fff1, 19),
            (22, 0x3fff_fffe, 30),
            (255, 0x3ff_ffee, 26),
        ] {
            let code = CODES[usize::from(symbol)];
            assert_eq!((code.bits, code.length), (bits, length), "{symbol}");
        }
        assert_eq!(CODES[END_OF_STRING].bits, 0x3fff_ffff);
    }

    #[test]
    fn every_pair_of_symbols_comes_back_at_every_place_in_a_byte() {
        for first in 0..=255 {
            for second in 0..=255 {
                let text = [&b"0a&"[..(first ^ second) as usize % 4], &[first, second]].concat();
                let (mut code, mut out) = (Vec::new(), Vec::new());
                encode(&text, &mut code);
                assert_eq!(code.len(), encoded_len(&text));
                assert_eq!(decode(&code, &mut out), Ok(()));
                assert_eq!(out, text);
            }
        }
    }

    #[test]
    fn two_bytes_behind_none_or_ones_or_letters_mean_what_each_bit_says() {
        for number in (0..=u16::MAX).step_by(3) {
            let [high, low] = number.to_be_bytes();
            compare(&[high, low]);
            compare(&[0xff, 0xff, 0xfe, high, low]);
            compare(&[0xff, 0xff, 0xff, high, low]);
            compare(&[0x18, 0xc6, 0x31, 0x8c, 0x63, 0x18, 0xc6, high, low, 0xff, 0xff]);
        }
    }

    #[test]
    fn padding_is_at_most_seven_ones() {
        assert_eq!(decode(b"", &mut Vec::new()), Ok(()));
        // `0` is five zeros, `&` eight bits.
        let text = |code: &[u8]| {
            let mut out = Vec::new();
            decode(code, &mut out).map(|()| out)
        };
        assert_eq!(text(&[0x07]), Ok(b"0".to_vec()));
        assert_eq!(text(&[0xf8]), Ok(b"&".to_vec()));
        assert_eq!(text(&[0x07, 0xff]), Err(Error::InvalidPadding));
        assert_eq!(text(&[0x06]), Err(Error::InvalidPadding));
        assert_eq!(text(&[0xff]), Err(Error::InvalidPadding));
        assert_eq!(text(&[0xff, 0xff, 0xff, 0xfb]), Ok(vec![22]));
        assert_eq!(text(&[0xff, 0xff, 0xff, 0xfc]), Err(Error::EndOfString));
        let zeros = vec![0; 1000];
        assert_eq!(text(&zeros).map(|zeros| zeros.len()), Ok(1600));
    }
}
