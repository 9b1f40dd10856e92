//! Chunks: shared views of a filled block.

use alloc::rc::Rc;
use core::fmt;
use core::ops::{Deref, Range};

use crate::pool::{Block, Memory};

/// A view of some bytes of a block. Clones and cuts share the memory; the last one returns it to its pool.
pub struct Chunk {
    /// Empty only while being dropped.
    memory: Option<Rc<Memory>>,
    start: usize,
    end: usize,
}

impl Chunk {
    pub(crate) fn new(memory: Rc<Memory>, start: usize, end: usize) -> Chunk {
        Chunk { memory: Some(memory), start, end }
    }

    /// A view of `range` of this chunk's bytes.
    ///
    /// # Panics
    /// When the range does not lie within the chunk.
    pub fn slice(&self, range: Range<usize>) -> Chunk {
        assert!(
            range.start <= range.end && range.end <= self.len(),
            "slice {range:?} of {} bytes",
            self.len()
        );
        Chunk { memory: self.memory.clone(), start: self.start + range.start, end: self.start + range.end }
    }

    /// Leaves out the first `count` bytes.
    ///
    /// # Panics
    /// When the chunk has fewer.
    pub fn advance(&mut self, count: usize) {
        assert!(count <= self.len(), "advance by {count} in {} bytes", self.len());
        self.start += count;
    }

    /// Leaves out all but the first `count` bytes.
    pub fn truncate(&mut self, count: usize) {
        self.end = self.end.min(self.start + count);
    }

    /// Copies as much of `bytes` as fits right behind this chunk, where nobody else has a view of the memory; returns how much.
    pub fn append(&mut self, bytes: &[u8]) -> usize {
        let Some(memory) = self.memory.as_mut().and_then(Rc::get_mut) else { return 0 };
        let count = bytes.len().min(memory.bytes.len() - self.end);
        memory.bytes[self.end..][..count].copy_from_slice(&bytes[..count]);
        self.end += count;
        count
    }

    /// This chunk with `bytes` behind it: in place where there is room, else both in memory of their own, twice the size, so that what
    /// arrives a byte at a time is not copied each time.
    #[must_use]
    pub fn followed_by(mut self, bytes: &[u8]) -> Chunk {
        let appended = self.append(bytes);
        let rest = &bytes[appended..];
        if rest.is_empty() {
            return self;
        }
        let mut larger = Block::oversized((self.len() + rest.len()) * 2);
        larger.append(&self);
        larger.append(rest);
        larger.share()
    }

    /// How many bytes of memory this chunk keeps from its pool: the whole block's.
    pub fn held_bytes(&self) -> usize {
        self.memory.as_ref().map_or(0, |memory| memory.bytes.len())
    }
}

impl Clone for Chunk {
    fn clone(&self) -> Chunk {
        Chunk { memory: self.memory.clone(), start: self.start, end: self.end }
    }
}

impl Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory.as_ref().expect("present until dropped").bytes[self.start..self.end]
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            Memory::give_back(memory);
        }
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chunk({:?})", alloc::string::String::from_utf8_lossy(self))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Block, Chunk, Pool};

    fn chunk_of(pool: &Pool, bytes: &[u8]) -> Chunk {
        let mut block = pool.take().unwrap();
        assert_eq!(block.append(bytes), bytes.len());
        block.share()
    }

    #[test]
    fn a_block_returns_when_its_last_view_is_dropped() {
        let pool = Pool::new(16, 1);
        let whole = chunk_of(&pool, b"head and body");
        let head = whole.slice(0..4);
        drop(whole);
        assert_eq!((&head[..], pool.in_use()), (&b"head"[..], 1));
        let copy = head.clone();
        drop(head);
        assert_eq!((&copy[..], pool.in_use()), (&b"head"[..], 1));
        drop(copy);
        assert_eq!(pool.in_use(), 0);
    }

    #[test]
    fn the_only_view_can_be_extended_in_place_up_to_its_memory() {
        let pool = Pool::new(8, 1);
        let mut chunk = chunk_of(&pool, b"abcd");
        chunk.advance(2);
        assert_eq!(chunk.append(b"efghij"), 4);
        assert_eq!(&chunk[..], b"cdefgh");
    }

    #[test]
    fn what_follows_a_chunk_stands_behind_it_whether_there_was_room_or_not() {
        let pool = Pool::new(8, 1);
        let chunk = chunk_of(&pool, b"abcd").followed_by(b"ef");
        assert_eq!((&chunk[..], pool.in_use()), (&b"abcdef"[..], 1));
        let chunk = chunk.followed_by(b"ghij");
        assert_eq!((&chunk[..], pool.in_use()), (&b"abcdefghij"[..], 0));
    }

    #[test]
    fn a_shared_view_is_never_extended() {
        let pool = Pool::new(8, 1);
        let mut chunk = chunk_of(&pool, b"abcd");
        let other = chunk.clone();
        assert_eq!(chunk.append(b"e"), 0);
        drop(other);
        assert_eq!(chunk.append(b"e"), 1);
    }

    #[test]
    fn a_shared_chunk_of_an_oversized_block_keeps_its_bytes() {
        let mut block = Block::oversized(3);
        block.append(b"xyz");
        let chunk = block.share();
        assert_eq!((&chunk.slice(1..3)[..], chunk.held_bytes()), (&b"yz"[..], 3));
    }
}
