//! Pooled, reference-counted memory.
//!
//! The engine receives into a [`Block`] taken from a [`Pool`]. Once filled, a block is *shared* and becomes a [`Chunk`]: a
//! view of some of its bytes that can be cloned and cut without copying. Request heads and body pieces are chunks; when the
//! last chunk of a block is dropped, the block goes back to its pool, last used first, so that the next receive writes into
//! memory that is still in the cache.
//!
//! A pool belongs to one worker and is not `Send`: counting references costs no atomic operation. Its limit bounds what a
//! worker can receive and not yet have used; beyond it [`Pool::take`] gives nothing, and receiving waits.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod chunk;
mod pool;

pub use chunk::Chunk;
pub use pool::{Block, Pool};
