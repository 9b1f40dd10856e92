//! Decoding: as many bits are looked up as two frequent letters have, and give both. Longer codes, which are rare, are searched by their length.
//!
//! The code of a browser's `user-agent`, 101 letters, takes 2,160 instructions and 135 ns; looking up 11 bits 2,662 and 176, 8 bits, which are one letter, 3,345 and 208
//! (the least of several runs on a machine that was busy). The table is 16 KiB, of which a text touches a part.

use super::super::Error;
use super::code::{CODES, Code, END_OF_STRING, LONGEST, SORTED};
use alloc::vec::Vec;

/// What so many bits begin with, if that is a short code: one symbol or two. 0 if it is longer than what is looked up.
///
/// A word is loaded at once. Its bytes, from the lowest one on: how many bits the symbols take, since whatever comes next waits for that; the first symbol; the second;
/// how many bits the first one takes, and in the highest bit whether there is a second.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry(u32);

impl Entry {
    const NONE: Entry = Entry(0);
    const SECOND: u32 = 1 << 31;

    const fn one(symbol: usize, length: u8) -> Entry {
        Entry(length as u32 | (symbol as u32) << 8 | (length as u32) << 24)
    }

    /// With a second symbol, which makes the length so much.
    const fn and(self, symbol: usize, length: u8) -> Entry {
        Entry(self.0 & 0xff00_ff00 | length as u32 | (symbol as u32) << 16 | Entry::SECOND)
    }

    #[inline]
    fn length(self) -> u32 {
        self.0 & 0xff
    }

    #[inline]
    fn symbols(self) -> [u8; 2] {
        [(self.0 >> 8) as u8, (self.0 >> 16) as u8]
    }

    #[inline]
    fn first_length(self) -> u32 {
        self.0 >> 24 & 0x7f
    }

    #[inline]
    fn count(self) -> usize {
        1 + (self.0 >> 31) as usize
    }
}

/// How many bits are looked up.
const LOOKED_UP: u32 = 12;

static TABLE: [Entry; 1 << LOOKED_UP] = table();

const fn table() -> [Entry; 1 << LOOKED_UP] {
    let mut table = [Entry::NONE; 1 << LOOKED_UP];
    let mut first = 0;
    while first < END_OF_STRING {
        let code = CODES[first];
        if code.length as u32 <= LOOKED_UP {
            let entry = Entry::one(first, code.length);
            fill(&mut table, code, entry);
            let mut second = 0;
            while second < END_OF_STRING {
                let (length, bits) = (code.length + CODES[second].length, CODES[second].bits);
                if length as u32 <= LOOKED_UP {
                    let both = Code { bits: code.bits << CODES[second].length | bits, length };
                    fill(&mut table, both, entry.and(second, length));
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

/// As many symbols as 64 bits can be, and a few more: a power of two.
const TOGETHER: usize = 16;

/// Appends what `code` is the code of.
///
/// # Errors
/// [`Error::EndOfString`], [`Error::InvalidPadding`]; what was appended until then is of no use.
pub fn decode(code: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let mut bits = Bits { bits: 0, count: 0, rest: code };
    bits.refill();
    // Until fewer bits are left than the longest code has, so that every code is there as a whole.
    while bits.count >= LONGEST as u32 {
        let (mut symbols, mut count) = ([0; TOGETHER], 0);
        while bits.count >= LOOKED_UP {
            let entry = bits.entry();
            if entry != Entry::NONE {
                let [first, second] = entry.symbols();
                symbols[count % TOGETHER] = first;
                symbols[(count + 1) % TOGETHER] = second;
                count += entry.count();
                bits.take(entry.length());
            } else if bits.count >= LONGEST as u32 {
                symbols[count % TOGETHER] = take_long(&mut bits)?;
                count += 1;
            } else {
                break;
            }
        }
        // A copy of a fixed length is one instruction, one of a length that varies is a call.
        let end = out.len() + count;
        out.extend_from_slice(&symbols);
        out.truncate(end);
        bits.refill();
    }
    decode_last(&mut bits, out)
}

#[cold]
fn take_long(bits: &mut Bits<'_>) -> Result<u8, Error> {
    let (symbol, length) = long(bits.bits);
    bits.take(length);
    if symbol == END_OF_STRING { Err(Error::EndOfString) } else { Ok(symbol as u8) }
}

/// The last bits, of which no code may be left but the first bits of the end's, at most seven of them (section 5.2).
fn decode_last(bits: &mut Bits<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    // As if the end followed. Fewer than 30 bits are taken before that, so there are always enough to look up.
    bits.bits |= u64::MAX >> bits.count;
    loop {
        let entry = bits.entry();
        let (symbol, length) = match entry.first_length() {
            0 => long(bits.bits),
            length => (usize::from(entry.symbols()[0]), length),
        };
        if length > bits.count {
            break;
        }
        out.push(symbol as u8);
        bits.take(length);
    }
    let is_padding = bits.count <= 7 && bits.bits.leading_ones() >= bits.count;
    if is_padding { Ok(()) } else { Err(Error::InvalidPadding) }
}
