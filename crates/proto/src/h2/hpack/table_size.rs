//! What is said of the size of a dynamic table (RFC 7541 section 4.2).

use super::input::put_integer;
use super::{INITIAL_SIZE, LARGEST_SIZE};
use alloc::vec::Vec;

/// The pattern of a size update (section 6.3), and its bits.
const SIZE_UPDATE: u8 = 0x20;

/// The size that the table of an encoder has, and what its peer has yet to be told of it.
///
/// Whoever encodes without a table ([`put_static`](super::put_static), [`Blocks`](super::Blocks)) needs one all the same: a peer that reduces its table waits for a size update in front of the next
/// header block, and must end the connection if there is none (RFC 9113 section 4.3.1).
#[derive(Clone, Debug)]
pub struct TableSize {
    size: u32,
    /// What the peer allows.
    peers: u32,
    /// The lowest size since the last block, if the next one has to begin with size updates.
    lowest: Option<u32>,
}

impl Default for TableSize {
    fn default() -> TableSize {
        TableSize { size: INITIAL_SIZE, peers: INITIAL_SIZE, lowest: None }
    }
}

impl TableSize {
    /// How large the table may be, in bytes.
    pub fn get(&self) -> u32 {
        self.size
    }

    /// The table may take what the peer's `SETTINGS_HEADER_TABLE_SIZE` allows, and we do, but no more than [`LARGEST_SIZE`]. The next header block says so, if it changes or
    /// the peer waits for it.
    pub fn set(&mut self, peers: u32, ours: u32) {
        let size = peers.min(ours).min(LARGEST_SIZE);
        // A peer that reduced its table may wait for this even where ours was smaller before.
        if size != self.size || peers < self.peers {
            self.lowest = Some(self.lowest.map_or(size, |lowest| lowest.min(size)));
        }
        (self.size, self.peers) = (size, peers);
    }

    /// Begins a header block: whatever changed the table's size is said first.
    #[inline]
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        if let Some(lowest) = self.lowest.take() {
            self.say(lowest, out);
        }
    }

    #[cold]
    fn say(&self, lowest: u32, out: &mut Vec<u8>) {
        if lowest < self.size {
            put_integer(lowest as usize, SIZE_UPDATE - 1, SIZE_UPDATE, out);
        }
        put_integer(self.size as usize, SIZE_UPDATE - 1, SIZE_UPDATE, out);
    }
}
