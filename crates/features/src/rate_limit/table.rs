//! What is remembered of each key: one word, in a table of a size that never changes.
//!
//! A key's hash, under a seed that nobody outside knows, names a set of eight words and a tag of 24 bits, by which the key is known among them.
//! Beside the tag a word has the moment when the key will have its whole allowance again; a word whose moment has passed is
//! free, and nothing is lost when another key takes it. Where none is free the key is forgotten that is nearest to its whole allowance: so
//! a newcomer takes the place of another newcomer, and who asks for too much stays. Who is forgotten begins anew, and is never refused for it.
//!
//! Workers share it. A word is exchanged where it still is what it was when it was judged; two that bring in the same key at once may both, and
//! then it has a second allowance, once.

use std::hash::{BuildHasher, Hash, RandomState};

use super::gcra::{Gcra, Verdict};
use super::sync::{AtomicU64, Ordering};

/// Words of a set: a cache line.
const WAYS: usize = 8;

/// Bits of a word that are its moment. The others are its tag; of a word that is free it may be anything, of an empty one zero.
const TIME_BITS: u32 = 40;
const TIME: u64 = (1 << TIME_BITS) - 1;

/// How often a word is judged again that others have changed meanwhile. Each time another request of the same set was judged; beyond it this one is
/// served, and not counted.
const ATTEMPTS: usize = 64;

/// Moments are kept modulo their bits, so those that have passed are to be swept out before they look as if they were to come: a
/// part of the table at a time, all of it in a quarter of what the bits can tell.
const SLICES: u64 = 1024;
const SLICE_BITS: u32 = TIME_BITS - 2 - SLICES.trailing_zeros();

pub(super) struct Table {
    sets: Box<[Set]>,
    seed: RandomState,
    /// The part of the sweep that was done last, counted from one; zero before the first.
    swept: AtomicU64,
}

#[derive(Default)]
#[repr(align(64))]
struct Set([AtomicU64; WAYS]);

impl Table {
    /// Room for so many keys, rounded up to a power of two.
    pub(super) fn new(keys: usize) -> Table {
        let sets = keys.div_ceil(WAYS).next_power_of_two();
        Table {
            sets: (0..sets).map(|_| Set::default()).collect(),
            seed: RandomState::new(),
            swept: AtomicU64::new(0),
        }
    }

    /// The bytes that it takes, whoever asks.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.sets)
    }

    /// What becomes of a request by `key` at this moment, in ticks.
    pub(super) fn check(&self, key: impl Hash, now: u64, gcra: &Gcra) -> Verdict {
        self.check_hash(self.seed.hash_one(key), now, gcra)
    }

    fn check_hash(&self, hash: u64, now: u64, gcra: &Gcra) -> Verdict {
        self.sweep(now);
        let Set(words) = &self.sets[hash as usize & (self.sets.len() - 1)];
        let tag = (hash >> TIME_BITS).max(1);
        for _ in 0..ATTEMPTS {
            let place = find(words, tag, now);
            let verdict = gcra.judge(place.ahead);
            if !verdict.admitted {
                return verdict;
            }
            let word = tag << TIME_BITS | now.wrapping_add(verdict.ahead) & TIME;
            let exchanged =
                place.word.compare_exchange(place.was, word, Ordering::Relaxed, Ordering::Relaxed);
            if exchanged.is_ok() {
                return verdict;
            }
        }
        gcra.judge(0)
    }

    /// Sweeps the parts that are due.
    fn sweep(&self, now: u64) {
        let due = (now >> SLICE_BITS) + 1;
        let last = self.swept.load(Ordering::Relaxed);
        if due > last {
            self.sweep_from(last, due, now);
        }
    }

    #[cold]
    fn sweep_from(&self, last: u64, due: u64, now: u64) {
        let claimed = self.swept.compare_exchange(last, due, Ordering::Relaxed, Ordering::Relaxed);
        if last == 0 || claimed.is_err() {
            return;
        }
        // Nobody asked for longer than any allowance takes to be whole: all have passed, whatever they look like.
        let all_passed = due - last >= SLICES;
        let slices = if all_passed { 0..SLICES } else { last..due };
        for slice in slices {
            let part = |slice: u64| (slice * self.sets.len() as u64 / SLICES) as usize;
            let slice = slice % SLICES;
            for word in self.sets[part(slice)..part(slice + 1)].iter().flat_map(|Set(words)| words) {
                let was = word.load(Ordering::Relaxed);
                if was != 0 && (all_passed || ahead(was, now) == 0) {
                    // Where it changed meanwhile somebody needs it.
                    let _ = word.compare_exchange(was, 0, Ordering::Relaxed, Ordering::Relaxed);
                }
            }
        }
    }
}

/// A word, what it was, and how far ahead of the moment the key is that is looked for.
struct Place<'a> {
    word: &'a AtomicU64,
    was: u64,
    ahead: u64,
}

/// The word of a tag, else the one that is to become it.
fn find(words: &[AtomicU64; WAYS], tag: u64, now: u64) -> Place<'_> {
    let mut nearest = Place { word: &words[0], was: 0, ahead: u64::MAX };
    for word in words {
        let was = word.load(Ordering::Relaxed);
        let ahead = ahead(was, now);
        if was >> TIME_BITS == tag {
            return Place { word, was, ahead };
        }
        if ahead < nearest.ahead {
            nearest = Place { word, was, ahead };
        }
    }
    Place { ahead: 0, ..nearest }
}

/// How far ahead of `now` a word's moment is; zero where it has passed.
fn ahead(word: u64, now: u64) -> u64 {
    let ahead = word.wrapping_sub(now) & TIME;
    if word == 0 || ahead > TIME / 2 { 0 } else { ahead }
}
