//! The reading half behind a head: bodies, up to the [trailers](super::trailers). It is the same for both roles; heads are read by
//! [`Connection`](super::Connection) and [`Client`](super::Client).

use super::chunked::{Chunk, Found};
use super::fields::Fielded;
use super::response_error::Malformed;
use super::state::Reading;
use crate::limits::Limits;
use crate::scan::Level;

/// What received bytes behind a head were. Offsets count from the start of the input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    /// More bytes are needed behind the first `consumed`.
    Need { consumed: usize },
    /// A piece of the body, never empty.
    Data { start: usize, end: usize },
    /// The message has ended; the head's fields are its trailers.
    End { consumed: usize },
}

/// Where the reading half is, and what it reads by.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub at: Reading,
    pub limits: Limits,
    pub level: Level,
    /// What the extensions of this body may still take.
    extension_bytes: u32,
}

impl Reader {
    pub fn new(limits: Limits) -> Reader {
        let limits = limits.bounded();
        Reader {
            at: Reading::START,
            limits,
            level: Level::BASELINE,
            extension_bytes: limits.chunk_extension_bytes,
        }
    }

    /// Begins anew, before a head.
    #[inline]
    pub fn restart(&mut self) {
        self.at = Reading::START;
        self.extension_bytes = self.limits.chunk_extension_bytes;
    }

    /// Reads on behind the head. `head` receives trailers.
    ///
    /// # Panics
    /// If there is nothing to read: after an error, or after an upgrade.
    #[inline]
    pub fn read<H: Fielded>(&mut self, input: &[u8], head: &mut H) -> Result<Piece, Malformed> {
        match self.at {
            Reading::Known(remaining) => Ok(self.read_known(remaining, input)),
            Reading::Chunked(chunk) => self.read_chunk(chunk, input, head),
            Reading::Trailers { line } => self.read_trailers(input, 0, usize::from(line), head),
            Reading::UntilClose if input.is_empty() => Ok(Piece::Need { consumed: 0 }),
            Reading::UntilClose => Ok(Piece::Data { start: 0, end: input.len() }),
            Reading::Over => {
                head.clear();
                self.at = Reading::Ended;
                Ok(Piece::End { consumed: 0 })
            }
            Reading::Ended => Ok(Piece::Need { consumed: 0 }),
            Reading::Head(_) => unreachable!("a head is read by its role"),
            Reading::Failed => panic!("a connection is not read from after an error"),
            Reading::Upgraded => panic!("after an upgrade the bytes belong to the new protocol"),
        }
    }

    /// A body whose length is known.
    fn read_known(&mut self, remaining: u64, input: &[u8]) -> Piece {
        if input.is_empty() {
            return Piece::Need { consumed: 0 };
        }
        let end = input.len().min(usize::try_from(remaining).unwrap_or(usize::MAX));
        self.at = Reading::after_data(remaining - end as u64);
        Piece::Data { start: 0, end }
    }

    /// A chunked body.
    fn read_chunk<H: Fielded>(
        &mut self,
        mut chunk: Chunk,
        input: &[u8],
        head: &mut H,
    ) -> Result<Piece, Malformed> {
        let found = chunk.read(self.level, &mut self.extension_bytes, input)?;
        self.at = Reading::Chunked(chunk);
        match found {
            Found::Nothing { end } => Ok(Piece::Need { consumed: end }),
            Found::Data { start, end } => Ok(Piece::Data { start, end }),
            Found::Last { end } => {
                head.clear();
                self.read_trailers(input, end, end, head)
            }
        }
    }

    /// Whether bytes of a body, or its end, are still to come.
    pub fn is_in_body(&self) -> bool {
        matches!(
            self.at,
            Reading::Known(_) | Reading::Chunked(_) | Reading::Trailers { .. } | Reading::UntilClose
        )
    }

    /// How much of the body is still to come. `None` if that is not known.
    #[inline]
    pub fn body_remaining(&self) -> Option<u64> {
        match self.at {
            Reading::Known(remaining) => Some(remaining),
            Reading::Over | Reading::Ended => Some(0),
            _ => None,
        }
    }
}
