//! The chunked transfer coding, read (RFC 9112 section 7.1).
//!
//! ```text
//! Size ──▶ [Extension] ──▶ SizeEnd ──┬──▶ Data ──▶ DataEnd ──▶ DataEndFeed ──▶ Size
//!  hex       ;...            LF      └──▶ trailers (size 0)
//! ```
//! It goes byte by byte between pieces of data, so that nothing has to be kept until more comes.

use super::response_error::Malformed;
use crate::scan::Level;

/// Where in the coding the next byte is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Chunk {
    /// In a size, this many digits of which came.
    Size { size: u64, digits: u8 },
    /// In the extensions that follow a size.
    Extension { size: u64 },
    /// Before the line feed after a size.
    SizeEnd { size: u64 },
    /// In the data, with so much to come; not zero.
    Data { remaining: u64 },
    /// Before the carriage return after the data.
    DataEnd,
    /// Before the line feed after the data.
    DataEndFeed,
}

/// What was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// Everything up to here is done with, and more is needed.
    Nothing { end: usize },
    /// Data.
    Data { start: usize, end: usize },
    /// The last chunk's line ends here; the trailer section follows.
    Last { end: usize },
}

impl Chunk {
    pub(super) const START: Chunk = Chunk::Size { size: 0, digits: 0 };

    /// Reads on to the next piece of data, the last chunk, or the end of the input. `extension_bytes` is what the
    /// body's extensions may still take.
    pub(super) fn read(
        &mut self,
        level: Level,
        extension_bytes: &mut u32,
        input: &[u8],
    ) -> Result<Found, Malformed> {
        let mut at = 0;
        while at < input.len() {
            match *self {
                Chunk::Data { remaining } => {
                    let end = at + (input.len() - at).min(usize::try_from(remaining).unwrap_or(usize::MAX));
                    let remaining = remaining - (end - at) as u64;
                    *self = if remaining == 0 { Chunk::DataEnd } else { Chunk::Data { remaining } };
                    return Ok(Found::Data { start: at, end });
                }
                Chunk::Extension { size } => at = self.extension(level, size, extension_bytes, input, at)?,
                Chunk::SizeEnd { size: 0 } if input[at] == b'\n' => return Ok(Found::Last { end: at + 1 }),
                _ => {
                    *self = self.after(input[at], extension_bytes)?;
                    at += 1;
                }
            }
        }
        Ok(Found::Nothing { end: at })
    }

    /// The state after one byte outside data and extensions.
    fn after(self, byte: u8, extension_bytes: &mut u32) -> Result<Chunk, Malformed> {
        match (self, byte) {
            (Chunk::Size { size, digits }, _) if byte.is_ascii_hexdigit() => add_digit(size, digits, byte),
            (Chunk::Size { size, digits: 1.. }, b'\r') => Ok(Chunk::SizeEnd { size }),
            (Chunk::Size { size, digits: 1.. }, b';') => {
                take_extension_bytes(extension_bytes, 1)?;
                Ok(Chunk::Extension { size })
            }
            (Chunk::Size { .. }, b'\n') => Err(Malformed::BareLineFeed),
            (Chunk::Size { .. }, _) => Err(Malformed::InvalidChunkSize),
            (Chunk::SizeEnd { size }, b'\n') => Ok(Chunk::Data { remaining: size }),
            (Chunk::SizeEnd { .. }, _) => Err(Malformed::BareCarriageReturn),
            (Chunk::DataEnd, b'\r') => Ok(Chunk::DataEndFeed),
            (Chunk::DataEndFeed, b'\n') => Ok(Chunk::START),
            (Chunk::DataEnd | Chunk::DataEndFeed, _) => Err(Malformed::UnterminatedChunk),
            (Chunk::Data { .. } | Chunk::Extension { .. }, _) => {
                unreachable!("read() takes these by the run")
            }
        }
    }

    /// Skips extensions: no one agreed on any (RFC 9112 section 7.1.1 tells us to ignore them). Returns where it stopped.
    fn extension(
        &mut self,
        level: Level,
        size: u64,
        extension_bytes: &mut u32,
        input: &[u8],
        at: usize,
    ) -> Result<usize, Malformed> {
        let end = level.value_end(input, at);
        take_extension_bytes(extension_bytes, end - at)?;
        match input.get(end) {
            None => return Ok(end),
            Some(b'\r') => *self = Chunk::SizeEnd { size },
            Some(b'\n') => return Err(Malformed::BareLineFeed),
            Some(_) => return Err(Malformed::ControlByte),
        }
        Ok(end + 1)
    }
}

fn add_digit(size: u64, digits: u8, byte: u8) -> Result<Chunk, Malformed> {
    // Sixteen digits fill 64 bits; readers that go on wrap around.
    if digits == 16 {
        return Err(Malformed::InvalidChunkSize);
    }
    let digit = match byte {
        b'0'..=b'9' => byte - b'0',
        _ => (byte | 0x20) - b'a' + 10,
    };
    Ok(Chunk::Size { size: size << 4 | u64::from(digit), digits: digits + 1 })
}

fn take_extension_bytes(left: &mut u32, taken: usize) -> Result<(), Malformed> {
    let taken = u32::try_from(taken).map_err(|_| Malformed::ChunkExtensionsTooLarge)?;
    *left = left.checked_sub(taken).ok_or(Malformed::ChunkExtensionsTooLarge)?;
    Ok(())
}
