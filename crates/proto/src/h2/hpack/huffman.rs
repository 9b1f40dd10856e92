//! The Huffman code of RFC 7541 appendix B.
//!
//! The code is canonical: sorted by length, then by symbol, each code is the one before it and one more. So the lengths are all there is to write down.
//! Decoding looks up as many bits as two frequent letters have, and gets both; longer codes, which are rare, are searched by their length.

use super::Error;
use alloc::vec::Vec;

/// How many bits each symbol's code has; the last one is the end of the string.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
     6, 10, 10, 12, 13,  6,  8, 11, 10, 10,  8, 11,  8,  6,  6,  6,
     5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8, 15,  6, 12, 10,
    13,  6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,
     7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8, 13, 19, 13, 14,  6,
    15,  5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,
     6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

const END_OF_STRING: usize = 256;
const LONGEST: usize = 30;

/// A symbol's code.
#[derive(Clone, Copy)]
struct Code {
    bits: u32,
    length: u8,
}

static CODES: [Code; 257] = codes();

const fn codes() -> [Code; 257] {
    let mut codes = [Code { bits: 0, length: 0 }; 257];
    let (mut next, mut length) = (0, 1);
    while length <= LONGEST {
        let mut symbol = 0;
        while symbol < codes.len() {
            if LENGTHS[symbol] as usize == length {
                codes[symbol] = Code { bits: next, length: length as u8 };
                next += 1;
            }
            symbol += 1;
        }
        next <<= 1;
        length += 1;
    }
    codes
}

/// How many bytes the code of `text` has.
#[inline]
pub fn encoded_len(text: &[u8]) -> usize {
    bytes_of(text.iter().copied())
}

/// Appends the code of `text`.
#[inline]
pub fn encode(text: &[u8], out: &mut Vec<u8>) {
    append(text.iter().copied(), out);
}

/// How many bytes the code of these symbols has.
#[inline]
pub(super) fn bytes_of(symbols: impl Iterator<Item = u8>) -> usize {
    symbols.map(|symbol| usize::from(LENGTHS[usize::from(symbol)])).sum::<usize>().div_ceil(8)
}

/// Appends the code of these symbols, and ones up to the end of its last byte (section 5.2).
#[inline]
pub(super) fn append(symbols: impl Iterator<Item = u8>, out: &mut Vec<u8>) {
    // The last `count` bits of `bits` are still to be written: at most 31, and one code's 30.
    let (mut bits, mut count) = (0u64, 0u32);
    for symbol in symbols {
        let code = CODES[usize::from(symbol)];
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

/// What so many bits begin with, if that is a short code: one symbol, or two.
#[derive(Clone, Copy)]
struct Entry {
    first: u8,
    second: u8,
    /// How many bits the first symbol takes; 0 if its code is longer than what is looked up.
    first_length: u8,
    /// How many bits the symbols take. As many as the first alone if there is no second.
    length: u8,
}

/// How many bits are looked up.
const LOOKED_UP: u32 = 12;

static TABLE: [Entry; 1 << LOOKED_UP] = table();

const fn table() -> [Entry; 1 << LOOKED_UP] {
    const NONE: Entry = Entry { first: 0, second: 0, first_length: 0, length: 0 };
    let mut table = [NONE; 1 << LOOKED_UP];
    let mut first = 0;
    while first < END_OF_STRING {
        let code = CODES[first];
        if code.length as u32 <= LOOKED_UP {
            let entry =
                Entry { first: first as u8, second: 0, first_length: code.length, length: code.length };
            fill(&mut table, code, entry);
            let mut second = 0;
            while second < END_OF_STRING {
                let (length, bits) = (code.length + CODES[second].length, CODES[second].bits);
                if length as u32 <= LOOKED_UP {
                    let both = Code { bits: code.bits << CODES[second].length | bits, length };
                    fill(&mut table, both, Entry { second: second as u8, length, ..entry });
                }
                second += 1;
            }
        }
        first += 1;
    }
    table
}

/// Whatever begins with this code is this entry.
const fn fill(table: &mut [Entry], code: Code, entry: Entry) {
    let free = LOOKED_UP - code.length as u32;
    let (mut at, end) = ((code.bits as usize) << free, (code.bits as usize + 1) << free);
    while at < end {
        table[at] = entry;
        at += 1;
    }
}

/// The codes of one length, which are consecutive.
#[derive(Clone, Copy)]
struct Length {
    /// The code behind the last of them, as the first of 32 bits.
    end: u32,
    /// What is to be added to a code of this length to have its place among all symbols; modulo 2^32.
    place: u32,
}

/// By length.
static BY_LENGTH: [Length; LONGEST + 1] = by_length();
/// All symbols in the order of their codes.
static SORTED: [u16; 257] = sorted();

const fn sorted() -> [u16; 257] {
    let mut sorted = [0; 257];
    let (mut count, mut length) = (0, 1);
    while length <= LONGEST {
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                sorted[count] = symbol as u16;
                count += 1;
            }
            symbol += 1;
        }
        length += 1;
    }
    sorted
}

const fn by_length() -> [Length; LONGEST + 1] {
    let mut lengths = [Length { end: 0, place: 0 }; LONGEST + 1];
    let mut place = 0;
    while place < SORTED.len() {
        let code = CODES[SORTED[place] as usize];
        // Behind the last code of all there is none: its end does not fit, and is never asked for.
        let end = (code.bits as u64 + 1) << (32 - code.length);
        let end = if end > u32::MAX as u64 { u32::MAX } else { end as u32 };
        lengths[code.length as usize] = Length { end, place: (place as u32).wrapping_sub(code.bits) };
        place += 1;
    }
    lengths
}

/// The symbol that `bits` begin with, whose code is longer than what is looked up, and how many bits it has.
#[cold]
fn long(bits: u64) -> (usize, u32) {
    let bits = (bits >> 32) as u32;
    let mut length = LOOKED_UP as usize + 1;
    while length < LONGEST && bits >= BY_LENGTH[length].end {
        length += 1;
    }
    let place = (bits >> (32 - length)).wrapping_add(BY_LENGTH[length].place);
    (usize::from(SORTED[place as usize]), length as u32)
}

/// Bits that were taken out of a string, the next one first.
struct Bits<'a> {
    bits: u64,
    /// How many of them are valid; what is behind them is nothing or is what will come.
    count: u32,
    rest: &'a [u8],
}

impl Bits<'_> {
    /// Takes as many bytes as fit: at least 56 bits are there then, or all.
    #[inline]
    fn refill(&mut self) {
        if let Some(next) = self.rest.first_chunk::<8>() {
            self.bits |= u64::from_be_bytes(*next) >> self.count;
            let taken = (63 - self.count) / 8;
            self.rest = &self.rest[taken as usize..];
            self.count += taken * 8;
            return;
        }
        while self.count <= 56
            && let Some((next, rest)) = self.rest.split_first()
        {
            self.bits |= u64::from(*next) << (56 - self.count);
            (self.count, self.rest) = (self.count + 8, rest);
        }
    }

    #[inline]
    fn take(&mut self, length: u32) {
        self.bits <<= length;
        self.count -= length;
    }

    #[inline]
    fn entry(&self) -> Entry {
        TABLE[(self.bits >> (64 - LOOKED_UP)) as usize]
    }
}

/// Appends what `code` is the code of.
///
/// # Errors
/// [`Error::EndOfString`], [`Error::InvalidPadding`]; what was appended until then is of no use.
pub fn decode(code: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let start = out.len();
    // No code is shorter than five bits; and each step writes two symbols, the second of which may be none.
    out.resize(start + code.len() * 8 / 5 + 2, 0);
    let length = decode_into(code, &mut out[start..])?;
    out.truncate(start + length);
    Ok(())
}

/// Returns how many symbols there were.
fn decode_into(code: &[u8], room: &mut [u8]) -> Result<usize, Error> {
    let mut bits = Bits { bits: 0, count: 0, rest: code };
    let mut at = 0;
    loop {
        bits.refill();
        // Every code is there as a whole.
        while bits.count >= LONGEST as u32 {
            let entry = bits.entry();
            room[at] = entry.first;
            room[at + 1] = entry.second;
            if entry.first_length == 0 {
                let (symbol, length) = long(bits.bits);
                if symbol == END_OF_STRING {
                    return Err(Error::EndOfString);
                }
                room[at] = symbol as u8;
                bits.take(length);
                at += 1;
            } else {
                bits.take(u32::from(entry.length));
                at += 1 + usize::from(entry.length != entry.first_length);
            }
        }
        if bits.rest.is_empty() {
            break;
        }
    }
    decode_last(&mut bits, at, room)
}

/// The last bits, of which no code may be left but the first bits of the end's, at most seven of them (section 5.2).
fn decode_last(bits: &mut Bits<'_>, mut at: usize, room: &mut [u8]) -> Result<usize, Error> {
    // As if the end followed. Fewer than 30 bits are taken before them, so there are always enough to look up.
    bits.bits |= u64::MAX >> bits.count;
    loop {
        let entry = bits.entry();
        let (symbol, length) = match u32::from(entry.first_length) {
            0 => long(bits.bits),
            length => (usize::from(entry.first), length),
        };
        if length > bits.count {
            break;
        }
        room[at] = symbol as u8;
        bits.take(length);
        at += 1;
    }
    let padded = bits.count <= 7 && bits.bits.leading_ones() >= bits.count;
    if padded { Ok(at) } else { Err(Error::InvalidPadding) }
}

#[cfg(test)]
mod tests {
    use super::{CODES, END_OF_STRING, LENGTHS, decode, encode, encoded_len};
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
