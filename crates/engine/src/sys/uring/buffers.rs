//! The blocks the kernel receives into: a ring of provided buffers (io_uring_register_buf_ring(3)).
//!
//! The kernel takes a block when bytes come, so an idle socket holds none. The ring is kept small, since the kernel goes
//! round it: of a large one every block would have left the cache before it is used again. It grows when a turn needed more, and
//! shrinks when many turns did not. What a turn is done with is provided before the kernel is entered again, last used first.

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use gannet_block::{Block, Pool};
use io_uring::types::BufRingEntry;

use super::ring::Ring;

/// Blocks provided at first, and at least: more than the 20 sockets that the kernel looks after in one call (counted on Linux 6.18),
/// and 128 KiB of 4 KiB blocks stay within a second-level cache.
pub(super) const FIRST: usize = 32;

/// Blocks provided at most.
const MOST: usize = 1024;

/// Turns after which no more blocks are provided than twice what the busiest of them took.
pub(super) const WINDOW: usize = 1024;

/// The ring of buffers and the blocks in it.
pub(super) struct Buffers {
    pool: Pool,
    memory: NonNull<BufRingEntry>,
    entries: u16,
    /// Where the next block is put, modulo `entries`.
    tail: u16,
    /// The kernel's blocks, by the number it knows each by. They are not touched while they are here.
    held: Vec<Option<Block>>,
    /// Numbers without a block.
    free: Vec<u16>,
    /// Blocks to provide: at most this many.
    wanted: usize,
    /// A receive found no block since the last time that blocks were provided.
    ran_dry: bool,
    /// Blocks taken since then.
    taken: usize,
    /// The most taken in a turn of this window, and how many turns of it are over.
    busiest: usize,
    turns: usize,
}

impl Buffers {
    /// Registers a ring for half of the pool's blocks at most: the other half is for those who keep what was received.
    pub(super) fn new(ring: &mut Ring, pool: Pool) -> io::Result<Buffers> {
        let most = (pool.limit() / 2).clamp(1, MOST);
        let entries = most.next_power_of_two() as u16;
        let memory = map(entries)?;
        let mut buffers = Buffers {
            pool,
            memory,
            entries,
            tail: 0,
            held: std::iter::repeat_with(|| None).take(most).collect(),
            free: (0..most as u16).rev().collect(),
            wanted: FIRST.min(most),
            ran_dry: false,
            taken: 0,
            busiest: 0,
            turns: 0,
        };
        // SAFETY: the memory is mapped until `Buffers` is dropped, which `Uring` does only after unregistering the ring; it
        // begins zeroed, so with no buffer in it.
        unsafe { ring.register_buffers(memory.as_ptr() as u64, entries) }?;
        buffers.provide();
        Ok(buffers)
    }

    /// How many blocks the kernel has.
    pub(super) fn provided(&self) -> usize {
        self.held.len() - self.free.len()
    }

    /// A receive found no block.
    pub(super) fn note_dry(&mut self) {
        self.ran_dry = true;
    }

    /// The pool whose blocks the kernel is lent.
    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Fills the ring up, as far as the pool lends.
    pub(super) fn provide(&mut self) {
        if std::mem::take(&mut self.ran_dry) && self.pool.in_use() < self.pool.limit() {
            self.wanted = (self.wanted * 2).min(self.held.len());
        }
        self.shrink();
        let before = self.tail;
        while self.provided() < self.wanted
            && let Some(block) = self.pool.take()
        {
            let number = self.free.pop().expect("fewer are provided than there are numbers");
            self.put(number, block);
        }
        if self.tail != before {
            self.publish();
        }
    }

    /// Wants fewer blocks when the turns of a window needed fewer. Those that are there go as the kernel takes them.
    fn shrink(&mut self) {
        self.busiest = self.busiest.max(std::mem::take(&mut self.taken));
        self.turns += 1;
        if self.turns == WINDOW {
            self.wanted = self.wanted.min((self.busiest * 2).max(FIRST.min(self.held.len())));
            (self.turns, self.busiest) = (0, 0);
        }
    }

    /// The block that the kernel filled, with `count` bytes in it.
    pub(super) fn take(&mut self, number: u16, count: usize) -> Block {
        let mut block = self.held[usize::from(number)].take().expect("the kernel names blocks that it has");
        self.free.push(number);
        self.taken += 1;
        block.commit(count);
        block
    }

    /// Writes an entry behind the tail, which the kernel does not read until it is published.
    fn put(&mut self, number: u16, mut block: Block) {
        let spare = block.spare_mut();
        let (address, length) = (spare.as_mut_ptr() as u64, u32::try_from(spare.len()).unwrap_or(u32::MAX));
        let position = usize::from(self.tail & (self.entries - 1));
        // SAFETY: the position lies within the mapped entries; the kernel reads only entries before the tail, and of those
        // behind it at most as many are written as there are numbers, which are no more than entries.
        let entry = unsafe { self.memory.add(position).as_mut() };
        entry.set_addr(address);
        entry.set_len(length);
        entry.set_bid(number);
        self.tail = self.tail.wrapping_add(1);
        self.held[usize::from(number)] = Some(block);
    }

    /// Shows the kernel the entries up to the tail.
    fn publish(&mut self) {
        // SAFETY: the tail lies in an unused field of the first entry, which is mapped and aligned for 16 bits; we touch it
        // only here, atomically, and the kernel only reads it.
        unsafe {
            let tail = BufRingEntry::tail(self.memory.as_ptr()).cast_mut();
            // Release: the kernel sees the entries before it sees the tail.
            AtomicU16::from_ptr(tail).store(self.tail, Ordering::Release);
        }
    }

    /// Leaves the memory to the kernel for ever, which would not say that it is done with it.
    pub(super) fn leak(&mut self) {
        std::mem::forget(std::mem::take(&mut self.held));
        self.entries = 0;
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        if self.entries > 0 {
            // SAFETY: mapped by `map` with this size, unregistered, and no reference into it is left.
            unsafe { libc::munmap(self.memory.as_ptr().cast(), bytes(self.entries)) };
        }
    }
}

fn bytes(entries: u16) -> usize {
    usize::from(entries) * size_of::<BufRingEntry>()
}

/// Memory for the entries, zeroed, and aligned to a page as the kernel wants it.
fn map(entries: u16) -> io::Result<NonNull<BufRingEntry>> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping, at an address of the kernel's choice, touches no other memory.
    let memory = unsafe { libc::mmap(std::ptr::null_mut(), bytes(entries), protection, flags, -1, 0) };
    if memory == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(NonNull::new(memory.cast()).expect("the kernel maps nothing at address zero"))
}
