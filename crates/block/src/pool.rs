//! The pool, and the blocks it lends.

use alloc::boxed::Box;
use alloc::rc::{Rc, Weak};
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::fmt;

use crate::Chunk;

/// A bounded pool of equally sized blocks, last used first.
#[derive(Clone)]
pub struct Pool {
    home: Rc<Home>,
}

/// What the pool and its blocks share.
struct Home {
    free: RefCell<Vec<Rc<Memory>>>,
    block_bytes: usize,
    limit: usize,
    in_use: Cell<usize>,
}

/// The bytes of one block, and the pool they return to (none: an oversized block, freed after use).
pub(crate) struct Memory {
    pub(crate) bytes: Box<[u8]>,
    home: Weak<Home>,
}

impl Pool {
    /// A pool that lends at most `limit` blocks of `block_bytes` bytes at a time. Memory is allocated when first needed.
    pub fn new(block_bytes: usize, limit: usize) -> Pool {
        assert!(block_bytes > 0, "a block holds at least one byte");
        let home = Home { free: RefCell::default(), block_bytes, limit, in_use: Cell::new(0) };
        Pool { home: Rc::new(home) }
    }

    /// An empty block, or nothing while `limit` blocks are in use.
    pub fn take(&self) -> Option<Block> {
        let in_use = self.home.in_use.get();
        if in_use >= self.home.limit {
            return None;
        }
        self.home.in_use.set(in_use + 1);
        let recycled = self.home.free.borrow_mut().pop();
        let memory = recycled.unwrap_or_else(|| {
            let bytes = vec![0; self.home.block_bytes].into_boxed_slice();
            Rc::new(Memory { bytes, home: Rc::downgrade(&self.home) })
        });
        Some(Block { memory: Some(memory), filled: 0 })
    }

    /// Blocks lent and not yet returned.
    pub fn in_use(&self) -> usize {
        self.home.in_use.get()
    }

    /// How many blocks may be in use at a time.
    pub fn limit(&self) -> usize {
        self.home.limit
    }

    /// The size of a block in bytes.
    pub fn block_bytes(&self) -> usize {
        self.home.block_bytes
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} of {} × {} bytes)", self.in_use(), self.limit(), self.block_bytes())
    }
}

/// Memory with one owner, being filled: dereferences to the bytes filled so far.
pub struct Block {
    /// Empty only while being dropped.
    memory: Option<Rc<Memory>>,
    filled: usize,
}

impl Block {
    /// A block of its own, of any size, that belongs to no pool: freed after use.
    pub fn oversized(capacity: usize) -> Block {
        let memory = Memory { bytes: vec![0; capacity].into_boxed_slice(), home: Weak::new() };
        Block { memory: Some(Rc::new(memory)), filled: 0 }
    }

    /// The bytes not yet filled: receive into these, then [`commit`](Block::commit).
    pub fn spare_mut(&mut self) -> &mut [u8] {
        let filled = self.filled;
        let memory = self.memory.as_mut().and_then(Rc::get_mut);
        &mut memory.expect("a block has one owner until it is shared").bytes[filled..]
    }

    /// The bytes filled so far, to be transformed in place.
    pub fn filled_mut(&mut self) -> &mut [u8] {
        let filled = self.filled;
        let memory = self.memory.as_mut().and_then(Rc::get_mut);
        &mut memory.expect("a block has one owner until it is shared").bytes[..filled]
    }

    /// Counts the first `count` spare bytes as filled.
    pub fn commit(&mut self, count: usize) {
        assert!(count <= self.capacity() - self.filled, "commit within the block");
        self.filled += count;
    }

    /// Copies in as much of `bytes` as fits, and returns how much that was.
    pub fn append(&mut self, bytes: &[u8]) -> usize {
        let spare = self.spare_mut();
        let count = spare.len().min(bytes.len());
        spare[..count].copy_from_slice(&bytes[..count]);
        self.commit(count);
        count
    }

    /// How many bytes the block can hold in all.
    pub fn capacity(&self) -> usize {
        self.memory().bytes.len()
    }

    /// Ends the filling: the filled bytes as a chunk.
    pub fn share(mut self) -> Chunk {
        let memory = self.memory.take().expect("present until dropped");
        Chunk::new(memory, 0, self.filled)
    }

    fn memory(&self) -> &Memory {
        self.memory.as_ref().expect("present until dropped")
    }
}

impl core::ops::Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory().bytes[..self.filled]
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            Memory::give_back(memory);
        }
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({} of {} bytes)", self.filled, self.capacity())
    }
}

impl Memory {
    /// Drops one reference; the last one returns the memory to its pool.
    pub(crate) fn give_back(memory: Rc<Memory>) {
        if Rc::strong_count(&memory) > 1 {
            return;
        }
        if let Some(home) = memory.home.upgrade() {
            home.in_use.set(home.in_use.get() - 1);
            home.free.borrow_mut().push(memory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_last_returned_is_the_next_one_lent() {
        let pool = Pool::new(8, 4);
        let first = pool.take().unwrap();
        let mut second = pool.take().unwrap();
        second.append(b"second");
        drop(first);
        drop(second);
        let mut again = pool.take().unwrap();
        assert_eq!(&again.spare_mut()[..6], b"second", "the same memory, empty again");
        assert!(again.is_empty());
    }

    #[test]
    fn a_pool_lends_no_more_than_its_limit_until_one_comes_back() {
        let pool = Pool::new(8, 2);
        let first = pool.take().unwrap();
        let _second = pool.take().unwrap();
        assert!(pool.take().is_none());
        drop(first);
        assert_eq!(pool.in_use(), 1);
        assert!(pool.take().is_some());
    }

    #[test]
    fn an_oversized_block_counts_in_no_pool() {
        let pool = Pool::new(8, 1);
        let mut large = Block::oversized(100);
        assert_eq!(large.append(&[7; 200]), 100);
        assert_eq!((pool.in_use(), large.len()), (0, 100));
    }

    #[test]
    fn what_is_filled_can_be_transformed_in_place() {
        let pool = Pool::new(8, 1);
        let mut block = pool.take().unwrap();
        block.append(b"quiet");
        block.filled_mut().make_ascii_uppercase();
        assert_eq!(block.spare_mut().len(), 3);
        assert_eq!(&block.share()[..], b"QUIET");
    }

    #[test]
    fn a_block_may_outlive_its_pool() {
        let pool = Pool::new(8, 1);
        let mut block = pool.take().unwrap();
        block.append(b"kept");
        drop(pool);
        assert_eq!(&block[..], b"kept");
    }
}
