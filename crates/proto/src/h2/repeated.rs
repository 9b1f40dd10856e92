//! The request that was read last. A client mostly sends the same block again and again once its fields are in the dynamic table, and what is byte for byte the same means the same
//! while that table does: then it is recognised instead of decoded and read.

use super::request::Said;
use crate::http::{Field, Head};
use alloc::vec::Vec;

/// Longer blocks are not kept.
const MOST_BYTES: usize = 512;

/// Nor are heads of more text.
const MOST_TEXT_BYTES: usize = 4096;

/// Of blocks that are not the one that is kept, every so many-th takes its place: where each differs that costs next to nothing.
const PATIENCE: u8 = 4;

/// A block, and what it means.
#[derive(Debug, Default)]
pub(super) struct Repeated {
    block: Vec<u8>,
    /// Of the decoder, when the block came.
    generation: u64,
    pub text: Vec<u8>,
    fields: Vec<Field>,
    head: Head,
    said: Said,
    /// How many blocks were others since this one was met.
    others: u8,
}

impl Repeated {
    /// What the block means, if it is the one that was kept, and the decoder's table is as it was: then `head` is as if it had been read.
    #[inline]
    pub fn recall(&mut self, block: &[u8], generation: u64, head: &mut Head) -> Option<Said> {
        if self.generation != generation || self.block != block {
            return None;
        }
        self.others = 0;
        let mut fields = core::mem::take(&mut head.fields);
        fields.clear();
        fields.extend_from_slice(&self.fields);
        *head = Head { fields, ..self.head };
        Some(self.said)
    }

    /// How much memory it takes.
    pub fn held_bytes(&self) -> usize {
        let fields = self.fields.capacity() * size_of::<Field>();
        size_of::<Repeated>() + self.block.capacity() + self.text.capacity() + fields
    }

    /// A block was read that left the decoder's table as it was: perhaps the next ones are the same.
    pub fn note(&mut self, block: &[u8], generation: u64, text: &[u8], head: &Head, said: Said) {
        if block.len() > MOST_BYTES || text.len() > MOST_TEXT_BYTES {
            return;
        }
        self.others += 1;
        if self.others < PATIENCE && !self.block.is_empty() {
            return;
        }
        self.others = 0;
        self.generation = generation;
        self.said = said;
        self.head = Head { fields: Vec::new(), ..*head };
        replace(&mut self.block, block);
        replace(&mut self.text, text);
        replace(&mut self.fields, &head.fields);
    }
}

fn replace<T: Copy>(place: &mut Vec<T>, with: &[T]) {
    place.clear();
    place.extend_from_slice(with);
}
