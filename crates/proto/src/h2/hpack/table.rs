//! The dynamic table (RFC 7541 section 2.3.2).
//!
//! The texts of all entries stand one behind the other in one buffer, the newest last. What was evicted is in front of them until the buffer is full: then they move to
//! its start, which is seldom, since an entry's text is at least 32 bytes shorter than what it counts.

use super::{FIELD_OVERHEAD, LARGEST_SIZE};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// The least room that is made: less would only be made again.
const LEAST_ROOM: usize = 256;

/// Entries, and the size they may have. Room is made as entries come.
#[derive(Debug)]
pub(super) struct Table {
    texts: Vec<u8>,
    /// The oldest first.
    entries: VecDeque<Entry>,
    /// What the offset of `texts`' first byte is, modulo 2^16.
    base: u16,
    size: usize,
    max_size: usize,
}

/// Of no entry the text is longer than what fits in a table of [`LARGEST_SIZE`], so 16 bits hold all of it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Modulo 2^16: the texts that are kept span less.
    offset: u16,
    name_length: u16,
    value_length: u16,
    /// The static table's first entry with the same name, or 0.
    index: u8,
}

impl Entry {
    fn length(self) -> usize {
        usize::from(self.name_length) + usize::from(self.value_length)
    }
}

/// An entry as it is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Kept<'a> {
    /// The name and behind it the value.
    pub(super) text: &'a [u8],
    pub(super) name_length: usize,
    /// The static table's first entry with the same name, or 0.
    pub(super) index: u8,
}

impl<'a> Kept<'a> {
    #[inline]
    pub(super) fn name(self) -> &'a [u8] {
        &self.text[..self.name_length]
    }

    #[inline]
    pub(super) fn value(self) -> &'a [u8] {
        &self.text[self.name_length..]
    }
}

impl Table {
    pub(super) fn new(max_size: u32) -> Table {
        let max_size = max_size.min(LARGEST_SIZE) as usize;
        Table { texts: Vec::new(), entries: VecDeque::new(), base: 0, size: 0, max_size }
    }

    pub(super) fn max_size(&self) -> u32 {
        self.max_size as u32
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entry that is the so many-th from the newest, which is 0.
    #[inline]
    pub(super) fn get(&self, age: usize) -> Option<Kept<'_>> {
        let place = self.entries.len().checked_sub(age + 1)?;
        let entry = self.entries[place];
        let start = self.place_of(entry);
        let text = &self.texts[start..start + entry.length()];
        Some(Kept { text, name_length: usize::from(entry.name_length), index: entry.index })
    }

    /// Where an entry's text begins in `texts`.
    #[inline]
    fn place_of(&self, entry: Entry) -> usize {
        usize::from(entry.offset.wrapping_sub(self.base))
    }

    /// Adds an entry, for which the oldest ones make room. If it is larger than the table, that leaves the table empty (section 4.4), and `false`.
    pub(super) fn insert(&mut self, name: &[u8], value: &[u8], index: u8) -> bool {
        let length = name.len() + value.len();
        let size = length + FIELD_OVERHEAD;
        self.evict_down_to(self.max_size.saturating_sub(size));
        if size > self.max_size {
            return false;
        }
        self.make_room(length);
        let (name_length, value_length) = (name.len() as u16, value.len() as u16);
        let offset = self.base.wrapping_add(self.texts.len() as u16);
        self.entries.push_back(Entry { offset, name_length, value_length, index });
        self.texts.extend_from_slice(name);
        self.texts.extend_from_slice(value);
        self.size += size;
        true
    }

    /// Evicts what does not fit any more.
    pub(super) fn set_max_size(&mut self, max_size: u32) {
        self.max_size = max_size.min(LARGEST_SIZE) as usize;
        self.evict_down_to(self.max_size);
        if self.texts.capacity() > self.most_text() {
            self.close_up();
            self.texts.shrink_to(self.most_text());
        }
    }

    /// Gives up the memory of a table that is empty.
    pub(super) fn idle(&mut self) {
        if self.entries.is_empty() {
            (self.texts, self.entries) = (Vec::new(), VecDeque::new());
        }
    }

    fn evict_down_to(&mut self, size: usize) {
        while self.size > size {
            let Some(entry) = self.entries.pop_front() else { break };
            self.size -= entry.length() + FIELD_OVERHEAD;
        }
        if self.entries.is_empty() {
            self.texts.clear();
        }
    }

    /// More text than this no entries can have together.
    fn most_text(&self) -> usize {
        self.max_size.saturating_sub(FIELD_OVERHEAD)
    }

    /// Makes room behind the newest entry. What is kept and so many bytes more are at most [`most_text`](Table::most_text).
    #[inline]
    fn make_room(&mut self, more: usize) {
        if self.texts.len() + more > self.texts.capacity().min(self.most_text()) {
            self.make_room_slowly(more);
        }
    }

    #[cold]
    fn make_room_slowly(&mut self, more: usize) {
        self.close_up();
        let (kept, room) = (self.texts.len(), self.texts.capacity());
        // A buffer that is more than half full would have to be closed up again soon.
        if kept + more > room || kept > room / 2 {
            let larger = (room * 2).max(kept + more).max(LEAST_ROOM).min(self.most_text());
            self.texts.reserve_exact(larger.saturating_sub(kept));
        }
    }

    /// Moves what is kept to the start of the buffer.
    fn close_up(&mut self) {
        let start = self.entries.front().map_or(self.texts.len(), |oldest| self.place_of(*oldest));
        self.texts.drain(..start);
        self.base = self.base.wrapping_add(start as u16);
    }
}

#[cfg(test)]
mod tests {
    use super::Table;
    use alloc::collections::VecDeque;
    use alloc::vec;
    use alloc::vec::Vec;

    /// What the table has to be, in the simplest way.
    #[derive(Default)]
    struct Naive(VecDeque<(Vec<u8>, Vec<u8>)>, usize);

    impl Naive {
        fn size(&self) -> usize {
            self.0.iter().map(|(name, value)| name.len() + value.len() + 32).sum()
        }

        fn insert(&mut self, name: Vec<u8>, value: Vec<u8>) {
            self.0.push_front((name, value));
            self.set_max_size(self.1);
        }

        fn set_max_size(&mut self, max_size: usize) {
            self.1 = max_size;
            while self.size() > self.1 {
                self.0.pop_back();
            }
        }
    }

    fn same(table: &Table, naive: &Naive) {
        assert_eq!((table.len(), table.size()), (naive.0.len(), naive.size()));
        for (age, (name, value)) in naive.0.iter().enumerate() {
            let kept = table.get(age).expect("an entry for each");
            assert_eq!((kept.name(), kept.value()), (&name[..], &value[..]));
        }
        assert_eq!(table.get(naive.0.len()), None);
        assert!(table.texts.capacity() <= 65_504, "offsets are 16 bits wide");
    }

    #[test]
    fn entries_are_those_that_a_list_would_have_through_evictions_and_changes_of_size() {
        let (mut random, mut table, mut naive) = (7u64, Table::new(0), Naive::default());
        for step in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let draw = (random >> 33) as usize;
            if step % 500 == 0 {
                let max_size = [0, 40, 100, 4096, 65_536, 700, 4096, 1_000_000][draw % 8];
                table.set_max_size(max_size);
                naive.set_max_size(max_size.min(65_536) as usize);
            } else {
                let (name, value) =
                    (vec![draw as u8; draw / 7 % 30], vec![step as u8; draw / 211 % [3, 70, 900][step % 3]]);
                table.insert(&name, &value, 0);
                naive.insert(name, value);
            }
            same(&table, &naive);
        }
    }

    #[test]
    fn memory_comes_with_the_entries_and_goes_when_there_are_none() {
        let mut table = Table::new(4096);
        assert_eq!(table.texts.capacity(), 0);
        table.insert(b"name", b"value", 0);
        assert!(table.texts.capacity() <= 256);
        (0..1000).for_each(|_| _ = table.insert(b"name", &[b'v'; 100], 0));
        assert!(table.texts.capacity() <= 4096 - 32);
        table.idle();
        assert_eq!(table.len(), 4096 / 136);
        table.set_max_size(100);
        assert!(table.texts.capacity() <= 100 - 32);
        table.set_max_size(0);
        table.idle();
        assert_eq!((table.texts.capacity(), table.entries.capacity()), (0, 0));
    }

    #[test]
    fn an_entry_that_is_larger_than_the_table_empties_it() {
        let mut table = Table::new(100);
        assert!(table.insert(b"a", b"b", 0));
        assert!(table.insert(b"a", &[b'b'; 67], 0), "68 and 32 are 100");
        assert!(!table.insert(b"a", &[b'b'; 68], 0));
        assert_eq!((table.len(), table.size()), (0, 0));
    }
}
