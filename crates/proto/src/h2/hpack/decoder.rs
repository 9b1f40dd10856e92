//! Header blocks → lists of field lines.

use super::input::Input;
use super::static_table::{self, TEXTS};
use super::table::{Kept, Table};
use super::{Error, INITIAL_SIZE, LARGEST_SIZE, List};

/// An indexed field (RFC 7541 section 6.1).
const INDEXED: u8 = 0x80;
/// A literal field that becomes an entry of the dynamic table (section 6.2.1).
const WITH_INDEXING: u8 = 0x40;
/// A size update (section 6.3).
const SIZE_UPDATE: u8 = 0x20;
/// A literal field that nobody may make an entry of (section 6.2.3).
const NEVER_INDEXED: u8 = 0x10;

/// So many size updates may begin a header block: the lowest size that there was since the last block, and the last one (section 4.2).
const MOST_SIZE_UPDATES: usize = 2;

/// Decodes the header blocks of one direction of a connection.
#[derive(Debug)]
pub struct Decoder {
    pub(super) table: Table,
    /// What a size update may say.
    max_size: u32,
    /// What the next block's first size update has to say at most, if it has to be there.
    demanded_size: Option<u32>,
    generation: u64,
}

impl Decoder {
    /// A decoder with an empty dynamic table. `max_size` is what holds until the peer acknowledges other settings: [`INITIAL_SIZE`], unless the two agreed before.
    pub fn new(max_size: u32) -> Decoder {
        let max_size = max_size.min(LARGEST_SIZE);
        Decoder { table: Table::new(max_size), max_size, demanded_size: None, generation: 0 }
    }

    /// The peer acknowledged our `SETTINGS_HEADER_TABLE_SIZE`. If the table has to become smaller by it the next header block has to begin with saying so
    /// (RFC 9113 section 4.3.1).
    pub fn set_max_size(&mut self, max_size: u32) {
        self.max_size = max_size.min(LARGEST_SIZE);
        if self.max_size < self.table.max_size() {
            let demanded = self.demanded_size.map_or(self.max_size, |size| size.min(self.max_size));
            self.demanded_size = Some(demanded);
            self.generation += 1;
        }
    }

    /// Decodes a whole header block (its CONTINUATIONs joined) into `list`, which is cleared first. Of a list that is too large the rest is decoded for the
    /// dynamic table's sake only.
    ///
    /// # Errors
    /// [`Error`]: the connection has to end with COMPRESSION_ERROR, and this decoder is of no more use.
    pub fn decode(&mut self, block: &[u8], list: &mut List) -> Result<(), Error> {
        list.clear();
        let mut input = Input::new(block);
        self.read_size(&mut input)?;
        while let Some(first) = input.byte() {
            if first & INDEXED != 0 {
                let index = input.integer(first, INDEXED - 1)?;
                self.indexed(index, list)?;
            } else if first & WITH_INDEXING != 0 {
                let index = input.integer(first, WITH_INDEXING - 1)?;
                self.literal_with_indexing(index, &mut input, list)?;
            } else if first & SIZE_UPDATE == 0 {
                let index = input.integer(first, NEVER_INDEXED - 1)?;
                self.literal(index, first & NEVER_INDEXED != 0, &mut input, list)?;
            } else {
                return Err(Error::LateSizeUpdate);
            }
        }
        Ok(())
    }

    /// Changes whenever the dynamic table, or what is expected of the next header block, does. A block that left it as it was means the same
    /// when it comes again while it still is as it was: so a cache of decoded blocks has it in its key, and keeps no block that changed it.
    #[inline]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Gives up memory that nothing is kept in.
    pub fn idle(&mut self) {
        self.table.idle();
    }

    /// The size updates that a block begins with; nearly none does.
    #[inline]
    fn read_size(&mut self, input: &mut Input<'_>) -> Result<(), Error> {
        let updates = input.peek().is_some_and(|first| first & 0xe0 == SIZE_UPDATE);
        if updates || self.demanded_size.is_some() { self.read_size_updates(input) } else { Ok(()) }
    }

    #[cold]
    fn read_size_updates(&mut self, input: &mut Input<'_>) -> Result<(), Error> {
        let mut count = 0;
        while let Some(first) = input.peek()
            && first & 0xe0 == SIZE_UPDATE
        {
            input.byte();
            let size = input.integer(first, SIZE_UPDATE - 1)?;
            count += 1;
            if count > MOST_SIZE_UPDATES {
                return Err(Error::TooManySizeUpdates);
            }
            let most = self.demanded_size.take().unwrap_or(self.max_size);
            if size > most as usize {
                return Err(Error::SizeTooLarge);
            }
            self.table.set_max_size(size as u32);
            self.generation += 1;
        }
        // Nor may a block that has no field do without.
        if self.demanded_size.is_some() { Err(Error::MissingSizeUpdate) } else { Ok(()) }
    }

    #[inline]
    fn indexed(&self, index: usize, list: &mut List) -> Result<(), Error> {
        let start = list.text.len();
        if index > static_table::LENGTH {
            let entry = self.entry(index)?;
            if list.admit(entry.text.len()) {
                list.text.extend_from_slice(entry.text);
                let end = start + entry.text.len();
                list.add([start, start + entry.name_length, end], entry.index, false);
            }
        } else if index > 0 {
            let entry = &TEXTS[index];
            let length = usize::from(entry.length);
            if list.admit(length) {
                // A copy of a fixed length is two instructions, one of a length that varies is a call.
                list.text.extend_from_slice(&entry.bytes);
                list.text.truncate(start + length);
                let name_end = start + usize::from(entry.name_length);
                list.add([start, name_end, start + length], entry.first, false);
            }
        } else {
            return Err(Error::InvalidIndex);
        }
        Ok(())
    }

    fn literal_with_indexing(
        &mut self,
        index: usize,
        input: &mut Input<'_>,
        list: &mut List,
    ) -> Result<(), Error> {
        let start = list.text.len();
        let index = self.name(index, input, list)?;
        let name_end = list.text.len();
        input.string(&mut list.text)?;
        let (name, value) = list.text[start..].split_at(name_end - start);
        self.table.insert(name, value, index);
        self.generation += 1;
        finish([start, name_end], index, false, list);
        Ok(())
    }

    fn literal(
        &self,
        index: usize,
        never_indexed: bool,
        input: &mut Input<'_>,
        list: &mut List,
    ) -> Result<(), Error> {
        if list.too_large {
            return self.count(index, input, list);
        }
        let start = list.text.len();
        let index = self.name(index, input, list)?;
        let name_end = list.text.len();
        input.string(&mut list.text)?;
        finish([start, name_end], index, never_indexed, list);
        Ok(())
    }

    /// A literal field that neither the list nor the table takes: a long name that it only names is not copied. What is wrong with its strings is wrong all the same.
    fn count(&self, index: usize, input: &mut Input<'_>, list: &mut List) -> Result<(), Error> {
        let start = list.text.len();
        let name_length = match (index, TEXTS.get(index)) {
            (0, _) => input.string(&mut list.text).map(|()| 0)?,
            (_, Some(entry)) => usize::from(entry.name_length),
            (_, None) => self.entry(index)?.name_length,
        };
        input.string(&mut list.text)?;
        let length = name_length + list.text.len() - start;
        list.text.truncate(start);
        list.admit(length);
        Ok(())
    }

    /// Appends the name of a literal field, and says which static entry has it.
    #[inline]
    fn name(&self, index: usize, input: &mut Input<'_>, list: &mut List) -> Result<u8, Error> {
        let start = list.text.len();
        if index == 0 {
            input.string(&mut list.text)?;
            return Ok(static_table::index_of(&list.text[start..]));
        }
        if let Some(entry) = TEXTS.get(index) {
            list.text.extend_from_slice(&entry.bytes);
            list.text.truncate(start + usize::from(entry.name_length));
            return Ok(entry.first);
        }
        let entry = self.entry(index)?;
        list.text.extend_from_slice(entry.name());
        Ok(entry.index)
    }

    /// The dynamic table's entry that an index beyond the static table stands for.
    #[inline]
    fn entry(&self, index: usize) -> Result<Kept<'_>, Error> {
        self.table.get(index - static_table::LENGTH - 1).ok_or(Error::InvalidIndex)
    }
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder::new(INITIAL_SIZE)
    }
}

/// The text of a literal field is there, behind that of the others: adds the field, or takes its text back.
#[inline]
fn finish([start, name_end]: [usize; 2], index: u8, never_indexed: bool, list: &mut List) {
    let end = list.text.len();
    if list.admit(end - start) {
        list.add([start, name_end, end], index, never_indexed);
    } else {
        list.text.truncate(start);
    }
}
