//! How an encoder finds its entries: by sixteen bits of a hash, which are looked through many at a time.
//!
//! A hash table would take a chain or a rebuilding for what is evicted, and save little: a table of 4,096 bytes has 128 entries at the most, mostly some fifty, and
//! sixteen are compared by four instructions.

use super::hash::hash;
use super::table::Table;
use alloc::collections::VecDeque;

/// Of a field: its name's, and that of name and value.
#[derive(Clone, Copy)]
pub(super) struct Tags {
    name: u16,
    field: u16,
}

/// The tags of a table's entries, in their order.
#[derive(Debug)]
pub(super) struct Tagged {
    seed: u64,
    names: VecDeque<u16>,
    fields: VecDeque<u16>,
}

impl Tagged {
    pub(super) fn new(seed: u64) -> Tagged {
        Tagged { seed, names: VecDeque::new(), fields: VecDeque::new() }
    }

    pub(super) fn tags(&self, name: &[u8], value: &[u8]) -> Tags {
        let name = hash(self.seed, name);
        Tags { name: name as u16, field: hash(name, value) as u16 }
    }

    /// The age of this field's entry.
    pub(super) fn field(&self, tags: Tags, table: &Table, name: &[u8], value: &[u8]) -> Option<usize> {
        let is_it = |age: &usize| {
            let entry = table.get(*age);
            entry.is_some_and(|entry| entry.value() == value && entry.name() == name)
        };
        ages(&self.fields, tags.field).find(is_it)
    }

    /// The age of an entry with this name.
    pub(super) fn name(&self, table: &Table, name: &[u8]) -> Option<usize> {
        let tag = hash(self.seed, name) as u16;
        let is_it = |age: &usize| table.get(*age).is_some_and(|entry| entry.name() == name);
        ages(&self.names, tag).find(is_it)
    }

    /// The table has a new entry.
    pub(super) fn add(&mut self, tags: Tags) {
        self.names.push_back(tags.name);
        self.fields.push_back(tags.field);
    }

    /// The table has so many entries: the oldest were evicted.
    pub(super) fn keep(&mut self, count: usize) {
        let evicted = self.names.len().saturating_sub(count);
        self.names.drain(..evicted);
        self.fields.drain(..evicted);
    }

    /// Gives up memory that nothing is kept in.
    pub(super) fn idle(&mut self) {
        if self.names.is_empty() {
            (self.names, self.fields) = (VecDeque::new(), VecDeque::new());
        }
    }
}

/// The ages of the entries that have this tag, which are few.
fn ages(tags: &VecDeque<u16>, tag: u16) -> impl Iterator<Item = usize> {
    let (older, newer) = tags.as_slices();
    let last = tags.len().wrapping_sub(1);
    places(older, tag)
        .chain(places(newer, tag).map(move |place| place + older.len()))
        .map(move |place| last - place)
}

/// Where the tag is among these.
fn places(tags: &[u16], tag: u16) -> impl Iterator<Item = usize> {
    const TOGETHER: usize = 16;
    tags.chunks(TOGETHER).enumerate().filter(move |(_, some)| has(some, tag)).flat_map(
        move |(chunk, some)| {
            let within = some.iter().enumerate().filter(move |(_, other)| **other == tag);
            within.map(move |(place, _)| chunk * TOGETHER + place)
        },
    )
}

/// Without an early end, so that they are compared together.
#[inline]
fn has(tags: &[u16], tag: u16) -> bool {
    tags.iter().fold(false, |found, other| found | (*other == tag))
}

#[cfg(test)]
mod tests {
    use super::ages;
    use alloc::collections::VecDeque;
    use alloc::vec::Vec;

    #[test]
    fn every_entry_with_a_tag_is_found_wherever_it_is() {
        let mut tags: VecDeque<u16> = VecDeque::with_capacity(64);
        for step in 0..300 {
            tags.push_back(step % 7);
            if tags.len() > 40 {
                tags.pop_front();
            }
            let expected: Vec<usize> =
                (0..tags.len()).rev().filter(|age| tags[tags.len() - 1 - age] == 3).collect();
            assert_eq!(ages(&tags, 3).collect::<Vec<_>>(), expected);
        }
        assert_eq!(ages(&VecDeque::new(), 3).count(), 0);
    }
}
