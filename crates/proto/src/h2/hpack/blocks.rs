//! Field lines that were encoded before.

use super::hash::hash;
use super::put_lines;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// Lines are kept in either place of the set that their hash names: 256 at most.
const SETS: usize = 128;
/// Lines, and what they are encoded as, that are longer than this together are not kept: there encoding is the lesser part of the work.
const MOST_BYTES_OF_ONE: usize = 2048;
/// All of them have at most so many bytes. Where more would be needed, all are given up, and those that are still in use come back.
const MOST_BYTES: usize = 256 * 1024;

/// A worker's cache of encoded field lines: responses mostly have the same ones, and then their block is found by one hash and one compare, and copied.
///
/// Lines are kept when they come for the second time while their set saw no others that are not kept: so lines that never repeat cost their hash and a look at their set, and
/// drive nobody out. At most 256 different lines are kept, of 2 KiB each with their block and of 256 KiB in all.
#[derive(Debug)]
pub struct Blocks {
    seed: u64,
    /// None until something is kept.
    sets: Box<[Set]>,
    /// Of all entries.
    bytes: usize,
}

#[derive(Clone, Debug, Default)]
struct Set {
    entries: [Entry; 2],
    /// Of the lines that were not found last.
    candidate: u64,
    /// The entry that was not used last.
    older: u8,
}

/// Lines and their block; no lines are an entry that is free.
#[derive(Clone, Debug, Default)]
struct Entry {
    hash: u64,
    /// The lines, behind them the block.
    text: Vec<u8>,
    lines_length: u16,
}

impl Entry {
    fn block_of(&self, hash: u64, lines: &[u8]) -> Option<&[u8]> {
        if self.hash != hash {
            return None;
        }
        let (kept, block) = self.text.split_at(usize::from(self.lines_length));
        (kept == lines).then_some(block)
    }
}

impl Blocks {
    /// An empty cache. `seed` is of the hash by which lines are found.
    pub fn new(seed: u64) -> Blocks {
        Blocks { seed, sets: Box::default(), bytes: 0 }
    }

    /// Appends the lines (`Name: value\r\n`, any number of them) as [`put_lines`] does.
    pub fn put(&mut self, lines: &[u8], out: &mut Vec<u8>) {
        if lines.is_empty() {
            return;
        }
        let hash = hash(self.seed, lines);
        if let Some(set) = self.sets.get_mut(hash as usize % SETS) {
            for (place, entry) in set.entries.iter().enumerate() {
                if let Some(block) = entry.block_of(hash, lines) {
                    set.older = 1 - place as u8;
                    return out.extend_from_slice(block);
                }
            }
        }
        self.encode(hash, lines, out);
    }

    /// They are not there.
    fn encode(&mut self, hash: u64, lines: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        put_lines(lines, out);
        let block = &out[start..];
        if lines.len() + block.len() <= MOST_BYTES_OF_ONE {
            self.note(hash, lines, block);
        }
    }

    /// Perhaps they come again.
    fn note(&mut self, hash: u64, lines: &[u8], block: &[u8]) {
        if self.sets.is_empty() {
            self.sets = vec![Set::default(); SETS].into();
        }
        let set = &mut self.sets[hash as usize % SETS];
        if set.candidate != hash {
            set.candidate = hash;
            return;
        }
        let entry = &mut set.entries[usize::from(set.older)];
        let bytes = self.bytes - entry.text.len() + lines.len() + block.len();
        if bytes > MOST_BYTES {
            self.clear();
            return;
        }
        self.bytes = bytes;
        entry.text.clear();
        entry.text.extend_from_slice(lines);
        entry.text.extend_from_slice(block);
        (entry.hash, entry.lines_length) = (hash, lines.len() as u16);
        set.older = 1 - set.older;
    }

    fn clear(&mut self) {
        (self.sets, self.bytes) = (Box::default(), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::{Blocks, MOST_BYTES, SETS};
    use crate::h2::hpack::put_lines;
    use alloc::format;
    use alloc::vec::Vec;

    fn put(blocks: &mut Blocks, lines: &str) -> Vec<u8> {
        let (mut out, mut expected) = (b"before".to_vec(), b"before".to_vec());
        blocks.put(lines.as_bytes(), &mut out);
        put_lines(lines.as_bytes(), &mut expected);
        assert_eq!(out, expected);
        out
    }

    fn entries(blocks: &Blocks) -> usize {
        blocks.sets.iter().flat_map(|set| &set.entries).filter(|entry| !entry.text.is_empty()).count()
    }

    #[test]
    fn lines_that_come_twice_are_kept_and_mean_the_same() {
        let mut blocks = Blocks::new(1);
        for time in 0..5 {
            put(&mut blocks, "Content-Type: text/html\r\nServer: gannet\r\n");
            assert_eq!(entries(&blocks), usize::from(time > 0));
        }
    }

    #[test]
    fn lines_that_never_repeat_drive_nobody_out() {
        let mut blocks = Blocks::new(1);
        (0..2).for_each(|_| _ = put(&mut blocks, "Server: gannet\r\n"));
        (0..10_000).for_each(|number| _ = put(&mut blocks, &format!("X-Request: {number}\r\n")));
        assert_eq!(entries(&blocks), 1);
    }

    #[test]
    fn entries_and_bytes_are_bounded() {
        let mut blocks = Blocks::new(1);
        for number in 0..2_000 {
            let lines = format!("X-Number: {}\r\n", "*".repeat(number % 1000) + &format!("{number}"));
            (0..2).for_each(|_| _ = put(&mut blocks, &lines));
            assert!(entries(&blocks) <= 2 * SETS && blocks.bytes <= MOST_BYTES);
            let kept: usize =
                blocks.sets.iter().flat_map(|set| &set.entries).map(|entry| entry.text.len()).sum();
            assert_eq!(kept, blocks.bytes);
        }
    }

    #[test]
    fn lines_that_are_long_are_encoded_and_not_kept() {
        let mut blocks = Blocks::new(1);
        let lines = format!("X-Long: {}\r\n", "a".repeat(3000));
        (0..3).for_each(|_| _ = put(&mut blocks, &lines));
        assert_eq!(entries(&blocks), 0);
    }

    #[test]
    fn no_lines_are_nothing() {
        assert_eq!(put(&mut Blocks::new(1), ""), b"before");
    }
}
