//! The last things that happened, to be printed when a seed fails.

use std::collections::VecDeque;
use std::fmt;

use super::world::{EndId, Side};
use crate::Moment;

/// How many of them are kept unless told otherwise.
const KEPT: usize = 256;

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Moment,
    what: &'static str,
    /// At which end.
    end: Option<EndId>,
    /// How many bytes, or which of several.
    count: u64,
}

/// A ring of the last entries, and a digest of them all.
#[derive(Debug)]
pub(super) struct Trace {
    entries: VecDeque<Entry>,
    kept: usize,
    digest: u64,
}

impl Trace {
    pub(super) fn new() -> Trace {
        // The offset basis of FNV-1a.
        Trace { entries: VecDeque::new(), kept: KEPT, digest: 0xcbf2_9ce4_8422_2325 }
    }

    pub(super) fn keep(&mut self, kept: usize) {
        self.kept = kept;
        let surplus = self.entries.len().saturating_sub(kept);
        self.entries.drain(..surplus);
    }

    pub(super) fn note(&mut self, at: Moment, what: &'static str, end: Option<EndId>, count: usize) {
        let count = count as u64;
        let place = end.map_or(0, |end| end.connection << 1 | end.side as u64);
        self.digest(what.as_bytes());
        for number in [at.nanoseconds(), place, count] {
            self.digest(&number.to_le_bytes());
        }
        if self.kept == 0 {
            return;
        }
        if self.entries.len() == self.kept {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { at, what, end, count });
    }

    /// A number that stands for everything that has happened.
    pub(super) fn fingerprint(&self) -> u64 {
        self.digest
    }

    fn digest(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.digest = (self.digest ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Entry { at, what, end, count } in &self.entries {
            let (seconds, rest) = (at.nanoseconds() / 1_000_000_000, at.nanoseconds() % 1_000_000_000);
            write!(f, "{seconds}.{rest:09} ")?;
            match end {
                Some(EndId { connection, side: Side::Client }) => write!(f, "client {connection}")?,
                Some(EndId { connection, side: Side::Server }) => write!(f, "server {connection}")?,
                None => f.write_str("network")?,
            }
            writeln!(f, ": {what} {count}")?;
        }
        Ok(())
    }
}
