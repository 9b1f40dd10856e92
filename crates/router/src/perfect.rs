//! A perfect hash over a fixed set of texts: each text has a slot of its own, so a look-up is one hash and one compare.
//!
//! Hash and displace (Belazzougui, Botelho, Dietzfelbinger, 2009): a text's hash names a bucket, the bucket's displacement and the
//! hash together name the slot. The displacements are searched when the set is known, the fullest bucket first. Whoever
//! chooses what is looked up cannot make it slower: there is no chain to follow, and a text that is longer than any in
//! the set, or ends as none of its length does, is not even hashed.
//!
//! The search is bounded: [`DISPLACEMENTS`] for a bucket, [`SEEDS`] for the whole. With at most two thirds of the slots
//! taken a seed that fails is rare, and `SEEDS` of them are not to be expected within anybody's lifetime, unless two
//! texts have one hash under every seed. Then there is no table, and its user does without.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::index;

/// Seeds that are tried for a table.
pub(crate) const SEEDS: u64 = 16;
/// Displacements that are tried for a bucket.
const DISPLACEMENTS: u32 = 1 << 14;
/// Texts to a bucket, on average.
const BUCKET: usize = 2;

const FIRST: u64 = 0xa076_1d64_78bd_642f;
const SECOND: u64 = 0xe703_7ed1_a0b4_28db;
const THIRD: u64 = 0x8ebc_6af0_9c88_c6e3;

/// Texts and the number that each came with.
#[derive(Clone, Debug)]
pub(crate) struct Table<const IGNORES_CASE: bool> {
    seed: u64,
    /// Of each bucket.
    displacements: Vec<u32>,
    slots: Vec<Slot>,
    /// How far a product is shifted to be a slot's index.
    shift: u32,
    text: String,
    /// For each length that texts have (the last one: for all from 63 on) a bit for each byte that one of them ends with.
    endings: [u64; 64],
    longest: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    start: u32,
    end: u32,
    number: u32,
}

/// Ends before it starts, as no text does.
const EMPTY: Slot = Slot { start: 1, end: 0, number: 0 };

impl Slot {
    fn is_empty(self) -> bool {
        self.start > self.end
    }
}

impl<const IGNORES_CASE: bool> Table<IGNORES_CASE> {
    /// A table of these texts, no two of them the same; none if none of `seeds` fits.
    pub(crate) fn new<'a>(
        texts: impl Iterator<Item = (&'a str, u32)> + Clone,
        seeds: u64,
    ) -> Option<Table<IGNORES_CASE>> {
        let count = texts.clone().count();
        let bits = (count + count / 2).max(2).next_power_of_two().trailing_zeros();
        let mut table = Table {
            seed: 0,
            displacements: vec![0; (count / BUCKET).max(1)],
            slots: vec![EMPTY; 1 << bits],
            shift: 64 - bits,
            text: String::new(),
            endings: [0; 64],
            longest: 0,
        };
        let texts: Vec<(Slot, &str)> = texts.map(|(text, number)| (table.add(text, number), text)).collect();
        (0..seeds).any(|seed| table.place_all(&texts, seed)).then_some(table)
    }

    /// The number that `text` came with.
    #[inline(always)]
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        let (length, bit) = ending(text);
        if self.endings[length] & bit == 0 || text.len() > self.longest {
            return None;
        }
        let hash = hash::<IGNORES_CASE>(text.as_bytes(), self.seed);
        let slot = self.slots[self.slot(hash, self.displacements[self.bucket(hash)])];
        let found = self.text.as_bytes().get(slot.start as usize..slot.end as usize)?;
        let same = match IGNORES_CASE {
            true => found.eq_ignore_ascii_case(text.as_bytes()),
            false => found == text.as_bytes(),
        };
        same.then_some(slot.number)
    }

    fn add(&mut self, text: &str, number: u32) -> Slot {
        let start = index(self.text.len());
        self.text.push_str(text);
        let slot = Slot { start, end: index(self.text.len()), number };
        let (length, bit) = ending(text);
        self.endings[length] |= bit;
        self.longest = self.longest.max(text.len());
        slot
    }

    /// Tries a seed; says whether every text found its slot.
    fn place_all(&mut self, texts: &[(Slot, &str)], seed: u64) -> bool {
        self.seed = seed.wrapping_mul(SECOND) ^ FIRST;
        self.slots.fill(EMPTY);
        let mut buckets: Vec<(usize, Vec<(u64, Slot)>)> =
            (0..self.displacements.len()).map(|bucket| (bucket, Vec::new())).collect();
        for (slot, text) in texts {
            let hash = hash::<IGNORES_CASE>(text.as_bytes(), self.seed);
            buckets[self.bucket(hash)].1.push((hash, *slot));
        }
        buckets.sort_by_key(|(_, texts)| Reverse(texts.len()));
        buckets.iter().all(|(bucket, texts)| {
            let found = (0..DISPLACEMENTS).find(|displacement| self.place(texts, *displacement));
            self.displacements[*bucket] = found.unwrap_or(0);
            found.is_some()
        })
    }

    /// Places a bucket's texts, if this displacement leads each to a free slot.
    fn place(&mut self, texts: &[(u64, Slot)], displacement: u32) -> bool {
        for (placed, (hash, slot)) in texts.iter().enumerate() {
            let index = self.slot(*hash, displacement);
            if !self.slots[index].is_empty() {
                for (hash, _) in &texts[..placed] {
                    let index = self.slot(*hash, displacement);
                    self.slots[index] = EMPTY;
                }
                return false;
            }
            self.slots[index] = *slot;
        }
        true
    }

    #[inline]
    fn bucket(&self, hash: u64) -> usize {
        // The high half of a product is below its other factor: no division.
        (((hash >> 32) * self.displacements.len() as u64) >> 32) as usize
    }

    #[inline]
    fn slot(&self, hash: u64, displacement: u32) -> usize {
        let moved = hash ^ u64::from(displacement).wrapping_mul(SECOND);
        (moved.wrapping_mul(THIRD) >> self.shift) as usize
    }
}

/// A text's length, up to 63, and a bit for its last byte.
#[inline]
fn ending(text: &str) -> (usize, u64) {
    // Without its sixth bit a letter is the same in both cases.
    let last = text.as_bytes().last().map_or(0, |byte| byte & 0x1f | (byte & 0x40) >> 1);
    (text.len().min(63), 1 << last)
}

/// Folds the whole text into 64 bits, sixteen bytes at a time (as wyhash does).
#[inline]
fn hash<const IGNORES_CASE: bool>(bytes: &[u8], seed: u64) -> u64 {
    let fold = |word: u64| if IGNORES_CASE { word | 0x2020_2020_2020_2020 } else { word };
    let mut state = seed;
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<16>() {
        let (low, high) = halves(chunk);
        state = multiply(fold(low) ^ FIRST, fold(high) ^ state);
        rest = after;
    }
    // The last ones, with some of those before them if there are any: no loop over single bytes.
    let (low, high) = if let Some(last) = bytes.last_chunk::<16>() {
        halves(last)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)))
    } else {
        (bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0)
    };
    multiply(fold(low) ^ SECOND ^ bytes.len() as u64, fold(high) ^ state)
}

#[inline]
fn halves(chunk: &[u8; 16]) -> (u64, u64) {
    let both = u128::from_le_bytes(*chunk);
    (both as u64, (both >> 64) as u64)
}

/// Both halves of the product, in one.
#[inline]
fn multiply(first: u64, second: u64) -> u64 {
    let product = u128::from(first) * u128::from(second);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    fn table<const IGNORES_CASE: bool>(texts: &[String], seeds: u64) -> Option<Table<IGNORES_CASE>> {
        Table::new(texts.iter().map(String::as_str).zip(0..), seeds)
    }

    #[test]
    fn each_of_ten_thousand_texts_is_found_by_one_compare_and_nothing_else_is() {
        let texts: Vec<String> = (0..10_000).map(|n| format!("/articles/{}/part-{n}", n % 97)).collect();
        let table = table::<false>(&texts, SEEDS).expect("a seed fits");
        let taken = table.slots.iter().filter(|slot| !slot.is_empty()).count();
        assert_eq!(taken, texts.len(), "a displacement that did not fit leaves nothing behind");
        for (text, number) in texts.iter().zip(0..) {
            assert_eq!(table.find(text), Some(number));
            assert_eq!(table.find(&format!("{text}x")), None);
            assert_eq!(table.find(&text[1..]), None);
        }
    }

    #[test]
    fn a_text_of_any_length_is_found() {
        let texts: Vec<String> = (0..200).map(|length| "a".repeat(length)).collect();
        let table = table::<false>(&texts, SEEDS).expect("a seed fits");
        for (text, number) in texts.iter().zip(0..) {
            assert_eq!(table.find(text), Some(number));
        }
        assert_eq!(table.find(&"a".repeat(200)), None);
    }

    #[test]
    fn every_byte_of_a_text_counts() {
        for length in 1..70 {
            let text = "m".repeat(length);
            let whole = hash::<false>(text.as_bytes(), 7);
            for at in 0..length {
                let mut other = text.clone().into_bytes();
                other[at] = b'n';
                assert_ne!(hash::<false>(&other, 7), whole, "{length} bytes, at {at}");
            }
        }
    }

    #[test]
    fn case_is_ignored_where_it_does_not_matter() {
        let texts = [String::from("Example.COM"), String::from("a.example.com"), String::from("b")];
        let table = table::<true>(&texts, SEEDS).expect("a seed fits");
        assert_eq!(table.find("eXample.com"), Some(0));
        assert_eq!(table.find("A.EXAMPLE.COM"), Some(1));
        assert_eq!(table.find("c"), None);
    }

    #[test]
    fn where_no_seed_fits_there_is_no_table() {
        let same = [String::from("/a"), String::from("/a")];
        assert!(table::<false>(&same, SEEDS).is_none());
        assert!(table::<false>(&[String::from("/a")], 0).is_none());
    }

    #[test]
    fn an_empty_table_finds_nothing() {
        let table = table::<false>(&[], SEEDS).expect("nothing is in the way");
        assert_eq!(table.find(""), None);
        assert_eq!(table.find("/"), None);
    }
}
