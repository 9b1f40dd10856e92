//! Memory that a connection works in while something is under way, and gives up when nothing is: others can work in it.

use super::connection::Connection;
use super::hpack::List;
use super::repeated::Repeated;
use super::role::Role;
use super::streams::Slots;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// What is kept for others is no larger than most ever need.
const MOST_BLOCK_BYTES: usize = 4096;
const MOST_TEXT_BYTES: usize = 8192;

/// What a connection keeps while it idles, to recognise the next request, is no larger: it holds what a browser says of itself.
const MOST_KEPT_BYTES: usize = 3072;

/// Where header blocks are gathered and decoded.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// What has come of a header block.
    pub block: Vec<u8>,
    pub list: List,
    /// A request that was read before; made when the first one is.
    pub repeated: Option<Box<Repeated>>,
    /// Whether the head that was told last was not read, but recalled.
    pub recalled: bool,
}

impl Scratch {
    #[inline]
    pub fn text(&self) -> &[u8] {
        match &self.repeated {
            Some(repeated) if self.recalled => &repeated.text,
            _ => &self.list.text,
        }
    }
}

/// Memory that a connection worked in, and any can. Whoever has many connections keeps some of it, so that one that has idled allocates
/// nothing.
#[derive(Debug, Default)]
pub struct Memory {
    block: Vec<u8>,
    list: List,
    slots: Slots,
    due: Vec<u32>,
}

impl<R: Role> Connection<R> {
    /// Nothing is to be done for a while: gives up the memory that it works in, which can be had [again](Connection::resume). Spans of heads are
    /// good no more.
    pub fn idle(&mut self) -> Memory {
        let mut memory = Memory::default();
        self.decoder.idle();
        self.resets.idle();
        if self.early.is_empty() {
            self.early = Vec::new();
        }
        if self.streams() == 0 {
            memory.slots = self.streams.give_up();
            memory.due = core::mem::take(&mut self.due);
        }
        if self.block.is_none() {
            let scratch = &mut self.scratch;
            scratch.repeated.take_if(|repeated| repeated.held_bytes() > MOST_KEPT_BYTES);
            (scratch.recalled, memory.list) = (false, core::mem::take(&mut scratch.list));
            memory.block = core::mem::take(&mut scratch.block);
        }
        memory.trim();
        memory
    }

    /// Something comes again: it is worked on in this memory. Without it there is new memory.
    pub fn resume(&mut self, memory: Memory) {
        let Memory { block, list, slots, due } = memory;
        if self.streams() == 0 {
            self.streams.work_in(slots);
            self.due = due;
        }
        if self.block.is_none() {
            (self.scratch.block, self.scratch.list, self.scratch.recalled) = (block, list, false);
        }
    }
}

impl Memory {
    /// Leaves nothing in it, and nothing that is larger than most ever need.
    fn trim(&mut self) {
        self.block.clear();
        self.list.clear();
        self.due.clear();
        if self.block.capacity() > MOST_BLOCK_BYTES {
            self.block = Vec::new();
        }
        if self.list.text.capacity() > MOST_TEXT_BYTES {
            self.list = List::default();
        }
    }
}
