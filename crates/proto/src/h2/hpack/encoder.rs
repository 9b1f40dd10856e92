//! Field lines → header blocks, with a dynamic table.

use super::put::{
    NEVER_INDEXED, Room, WITH_INDEXING, WITHOUT_INDEXING, is_secret, put_indexed, put_literal, put_long_name,
};
use super::static_table;
use super::table::Table;
use super::tags::Tagged;
use super::{FIELD_OVERHEAD, INITIAL_SIZE, TableSize};
use alloc::vec::Vec;

/// Whether a field becomes an entry of the dynamic tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Indexing {
    With,
    Without,
    /// Nor may anybody who passes it on make it one.
    Never,
}

/// Encodes the header blocks of one direction of a connection.
///
/// It holds no memory until a field becomes an entry.
#[derive(Debug)]
pub struct Encoder {
    pub(super) table: Table,
    tagged: Tagged,
    size: TableSize,
}

impl Encoder {
    /// An encoder with an empty dynamic table. `seed` is of the hash by which entries are found.
    pub fn new(seed: u64) -> Encoder {
        Encoder { table: Table::new(INITIAL_SIZE), tagged: Tagged::new(seed), size: TableSize::default() }
    }

    /// The dynamic table may take what the peer's `SETTINGS_HEADER_TABLE_SIZE` allows, and we do: see [`TableSize::set`].
    pub fn set_max_size(&mut self, peers: u32, ours: u32) {
        self.size.set(peers, ours);
        self.table.set_max_size(self.size.get());
        self.tagged.keep(self.table.len());
    }

    /// Begins a header block: whatever changed the table's size is said first.
    #[inline]
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        self.size.begin(out);
    }

    /// Appends a field. The name is lowered. Whether it becomes an entry is decided by its name: not what differs from message to message, nor what is secret.
    pub fn field(&mut self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        let mut room = Room::default();
        let Some(name) = room.lower(name) else { return put_long_name(WITHOUT_INDEXING, name, value, out) };
        let index = static_table::index_of(name);
        match static_table::index_of_value(index, value) {
            0 => {
                let indexing = self.indexing(index, name, value);
                self.literal(indexing, index, name, value, out);
            }
            entry => put_indexed(usize::from(entry), out),
        }
    }

    /// Appends a field that nobody on its way may put in a table (RFC 7541 section 7.1.3): what came as [`never_indexed`](super::Line::never_indexed).
    pub fn sensitive_field(&mut self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        let mut room = Room::default();
        let Some(name) = room.lower(name) else { return put_long_name(NEVER_INDEXED, name, value, out) };
        self.literal(Indexing::Never, static_table::index_of(name), name, value, out);
    }

    /// Gives up memory that nothing is kept in.
    pub fn idle(&mut self) {
        self.table.idle();
        self.tagged.idle();
    }

    /// What is to be done with a field. `index` is its name's in the static table.
    fn indexing(&self, index: u8, name: &[u8], value: &[u8]) -> Indexing {
        let size = name.len() + value.len() + FIELD_OVERHEAD;
        match is_secret(index, value) {
            true => Indexing::Never,
            // What is large would drive most others out.
            false if differs(index, name) || size > self.table.max_size() as usize / 4 * 3 => {
                Indexing::Without
            }
            false => Indexing::With,
        }
    }

    /// Appends a field that the static table does not have. Its name is in lower case.
    pub(super) fn literal(
        &mut self,
        indexing: Indexing,
        index: u8,
        name: &[u8],
        value: &[u8],
        out: &mut Vec<u8>,
    ) {
        let literal = match indexing {
            Indexing::With => return self.entry(index, name, value, out),
            Indexing::Without => WITHOUT_INDEXING,
            Indexing::Never => NEVER_INDEXED,
        };
        put_literal(literal, self.index_of_name(index, name), name, value, out);
    }

    /// Appends a field that is an entry, or becomes one.
    fn entry(&mut self, index: u8, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        let tags = self.tagged.tags(name, value);
        if let Some(age) = self.tagged.field(tags, &self.table, name, value) {
            return put_indexed(index_of_entry(age), out);
        }
        put_literal(WITH_INDEXING, self.index_of_name(index, name), name, value, out);
        if self.table.insert(name, value, index) {
            self.tagged.add(tags);
        }
        self.tagged.keep(self.table.len());
    }

    /// The index of a name: `index` where the static table has it, else of an entry that has it, or 0.
    fn index_of_name(&self, index: u8, name: &[u8]) -> usize {
        match index {
            0 => self.tagged.name(&self.table, name).map_or(0, index_of_entry),
            index => usize::from(index),
        }
    }
}

fn index_of_entry(age: usize) -> usize {
    static_table::LENGTH + 1 + age
}

/// Whether a field's value mostly differs from message to message, so that as an entry it would only drive others out. `index` is its name's in the static table.
fn differs(index: u8, name: &[u8]) -> bool {
    match index {
        // Tracing, and what proxies say of the client.
        0 => matches!(
            name,
            b"traceparent"
                | b"tracestate"
                | b"x-request-id"
                | b"x-correlation-id"
                | b"forwarded"
                | b"x-forwarded-for"
                | b"x-real-ip"
        ),
        // :path, age, content-length, content-range, date, etag, expires, location, range
        4 | 21 | 28 | 30 | 33 | 34 | 36 | 46 | 50 => true,
        // if-match, if-modified-since, if-none-match, if-range, if-unmodified-since, last-modified
        39..=44 => true,
        _ => false,
    }
}
