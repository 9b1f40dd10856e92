//! Numbers that follow from a seed.

use std::ops::RangeInclusive;
use std::time::Duration;

/// A small seeded generator (xoshiro256**, Blackman and Vigna), for simulations; not for secrets.
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The generator of `seed`: the same seed gives the same numbers, on every machine.
    pub fn new(mut seed: u64) -> Random {
        Random { state: std::array::from_fn(|_| split_mix(&mut seed)) }
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let number = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        number
    }

    /// A generator of its own, so that what is drawn there changes nothing here.
    pub fn fork(&mut self) -> Random {
        Random::new(self.number())
    }

    /// A number of `range`, each as likely.
    ///
    /// # Panics
    /// When the range is empty.
    pub fn range(&mut self, range: RangeInclusive<usize>) -> usize {
        let (start, end) = (*range.start() as u64, *range.end() as u64);
        assert!(start <= end, "a number out of none");
        // The high half of a product is a number below its factor; its bias is below 2^-32 for any range used here.
        let span = u128::from(end - start) + 1;
        let offset = (u128::from(self.number()) * span) >> 64;
        range.start() + offset as usize
    }

    /// A number of `range`, each order of magnitude as likely: for sizes, where small ones should be as common as large ones.
    ///
    /// # Panics
    /// When the range is empty.
    pub fn magnitude(&mut self, range: RangeInclusive<usize>) -> usize {
        let (start, end) = range.into_inner();
        let bits = self.range(bits_of(start)..=bits_of(end));
        let least = if bits == 0 { 0 } else { 1 << (bits - 1) };
        let most = if bits == 0 { 0 } else { least + (least - 1) };
        self.range(least.max(start)..=most.min(end))
    }

    /// A time of `range`, to the nanosecond.
    ///
    /// # Panics
    /// When the range is empty.
    pub fn duration(&mut self, range: RangeInclusive<Duration>) -> Duration {
        let nanoseconds = |time: &Duration| usize::try_from(time.as_nanos()).unwrap_or(usize::MAX);
        Duration::from_nanos(self.range(nanoseconds(range.start())..=nanoseconds(range.end())) as u64)
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        // The 53 bits that a double holds exactly.
        let unit = (self.number() >> 11) as f64 / (1u64 << 53) as f64;
        unit < probability
    }

    /// One of `choices`, each as likely.
    ///
    /// # Panics
    /// When there are none.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        assert!(!choices.is_empty(), "a choice out of none");
        &choices[self.range(0..=choices.len() - 1)]
    }

    /// Puts `items` into any order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.range(0..=last);
            items.swap(last, other);
        }
    }

    /// Fills `bytes` with any bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.number().to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood): spreads a seed, even zero, over the whole state.
fn split_mix(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn bits_of(number: usize) -> usize {
    (usize::BITS - number.leading_zeros()) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_spreads_as_the_published_generator_says() {
        // The first outputs of SplitMix64 for seed 0, as its reference implementation prints them.
        let mut seed = 0;
        let spread = [split_mix(&mut seed), split_mix(&mut seed)];
        assert_eq!(spread, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
    }

    #[test]
    fn a_range_gives_both_its_ends_and_nothing_beyond() {
        let mut random = Random::new(1);
        let drawn: Vec<usize> = (0..1000).map(|_| random.range(3..=7)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&3), Some(&7)));
        assert_eq!(random.range(0..=0), 0);
    }

    #[test]
    fn magnitudes_stay_in_their_range_and_small_ones_are_as_common_as_large_ones() {
        let mut random = Random::new(2);
        let drawn: Vec<usize> = (0..4000).map(|_| random.magnitude(1..=100_000)).collect();
        assert!(drawn.iter().all(|size| (1..=100_000).contains(size)));
        let small = drawn.iter().filter(|size| **size < 256).count();
        assert!((1400..2600).contains(&small), "{small} of 4000 have 8 of 17 magnitudes");
        assert!((0..100).all(|_| (5..=9).contains(&random.magnitude(5..=9))));
        assert_eq!(random.magnitude(0..=0), 0);
    }

    #[test]
    fn a_chance_strikes_about_as_often_as_it_says() {
        let mut random = Random::new(3);
        let strikes = (0..10_000).filter(|_| random.chance(0.25)).count();
        assert!((2300..2700).contains(&strikes), "{strikes} of 10000");
        assert!(!(0..1000).any(|_| random.chance(0.0)) && (0..1000).all(|_| random.chance(1.0)));
    }

    #[test]
    fn shuffling_loses_nothing_and_changes_the_order() {
        let mut items: Vec<usize> = (0..50).collect();
        Random::new(4).shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn a_fork_goes_its_own_way_and_the_same_way_each_time() {
        let (mut one, mut other) = (Random::new(5), Random::new(5));
        let (mut child, mut twin) = (one.fork(), other.fork());
        let drawn = child.number();
        assert_eq!(drawn, twin.number());
        assert_ne!(drawn, one.number());
    }
}
