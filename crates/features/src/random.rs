//! Random bytes, from the system, or from a seed for tests.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Bytes that are asked of the system at a time.
const BUFFERED: usize = 256;

/// A source of random bytes.
pub(crate) struct Random {
    buffer: [u8; BUFFERED],
    used: usize,
    /// None: the system.
    seed: Option<u64>,
    filled: u64,
}

impl Random {
    /// Those that nobody can foretell (getrandom(2)); with a seed the same each time, and anybody can.
    pub(crate) fn new(seed: Option<u64>) -> Random {
        Random { buffer: [0; BUFFERED], used: BUFFERED, seed, filled: 0 }
    }

    /// The next `N`.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= BUFFERED) };
        if BUFFERED - self.used < N {
            self.fill();
        }
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.buffer[self.used..self.used + N]);
        self.used += N;
        bytes
    }

    fn fill(&mut self) {
        self.used = 0;
        let Some(seed) = self.seed else {
            // The standard library's own maps cannot be made where there are none.
            return getrandom::fill(&mut self.buffer).expect("the system has random bytes");
        };
        for word in self.buffer.as_chunks_mut::<8>().0 {
            self.filled += 1;
            *word = xxh3_64_with_seed(&self.filled.to_le_bytes(), seed).to_le_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_each_time_and_the_system_never() {
        let drawn = |seed| {
            let mut random = Random::new(seed);
            (0..100).map(|_| random.bytes::<16>()).collect::<Vec<_>>()
        };
        assert_eq!(drawn(Some(7)), drawn(Some(7)));
        let all = [drawn(Some(7)), drawn(Some(8)), drawn(None), drawn(None)].concat();
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), 400);
    }
}
