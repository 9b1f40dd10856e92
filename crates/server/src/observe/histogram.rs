//! How long exchanges took: a fixed set of log-linear buckets.
//!
//! Nine buckets a decade (1, 2, .. 9, times a power of ten) from 1 µs to 100 s, and one for what is longer: a value is known to
//! half of itself at the worst, and to a ninth at the best. 74 numbers of 8 bytes and the sum are 600 bytes for a route and a
//! worker, which is why each route has its own.

use super::tally::Tally;

/// From 1 µs on, so many powers of ten have nine buckets each.
const DECADES: usize = 8;

/// All buckets: those, one below for up to 1 µs, and one above.
const BUCKETS: usize = 9 * DECADES + 2;

const POWERS: [u64; DECADES] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// The upper bounds that are exported, in microseconds: 1, 2 and 5 of each decade that an HTTP exchange may end in.
pub(crate) const BOUNDS: [u64; 22] = [
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    20_000_000,
    50_000_000,
    100_000_000,
];

/// Durations, counted by one worker.
#[derive(Debug)]
pub(crate) struct Histogram {
    buckets: [Tally; BUCKETS],
    nanoseconds: Tally,
}

/// Several histograms' sum, as of when they were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Durations {
    buckets: [u64; BUCKETS],
    nanoseconds: u64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { buckets: std::array::from_fn(|_| Tally::default()), nanoseconds: Tally::default() }
    }
}

impl Histogram {
    /// Counts one duration.
    #[inline]
    pub(crate) fn record(&self, nanoseconds: u64) {
        self.buckets[bucket(nanoseconds)].add(1);
        self.nanoseconds.add(nanoseconds);
    }
}

impl Default for Durations {
    fn default() -> Durations {
        Durations { buckets: [0; BUCKETS], nanoseconds: 0 }
    }
}

impl Durations {
    /// Adds what a worker has counted.
    pub(crate) fn add(&mut self, histogram: &Histogram) {
        for (sum, bucket) in self.buckets.iter_mut().zip(&histogram.buckets) {
            *sum += bucket.get();
        }
        self.nanoseconds = self.nanoseconds.wrapping_add(histogram.nanoseconds.get());
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// How many took at most so many microseconds; one of [`BOUNDS`].
    pub(crate) fn up_to(&self, microseconds: u64) -> u64 {
        let below = (0..BUCKETS).take_while(|bucket| upper(*bucket) <= microseconds);
        below.map(|bucket| self.buckets[bucket]).sum()
    }

    /// All of them together.
    pub(crate) fn nanoseconds(&self) -> u64 {
        self.nanoseconds
    }
}

/// Which bucket counts it. An upper bound belongs to its bucket, as Prometheus has it.
#[inline]
fn bucket(nanoseconds: u64) -> usize {
    let microseconds = nanoseconds.saturating_sub(1) / 1_000;
    let Some(decade) = microseconds.checked_ilog10() else { return 0 };
    match POWERS.get(decade as usize) {
        Some(power) => 9 * decade as usize + (microseconds / power) as usize,
        None => BUCKETS - 1,
    }
}

/// The longest that a bucket counts, in microseconds.
fn upper(bucket: usize) -> u64 {
    match bucket {
        0 => 1,
        bucket if bucket == BUCKETS - 1 => u64::MAX,
        bucket => ((bucket - 1) % 9 + 2) as u64 * POWERS[(bucket - 1) / 9],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_by_the_first_bucket_whose_bound_it_does_not_pass() {
        let edges = (0..BUCKETS - 1).map(upper).flat_map(|bound| [bound * 1_000, bound * 1_000 + 1]);
        for nanoseconds in edges.chain([0, 1, 999, 123_456_789, u64::MAX]) {
            let expected = (0..BUCKETS).find(|bucket| nanoseconds <= upper(*bucket).saturating_mul(1_000));
            assert_eq!(Some(bucket(nanoseconds)), expected, "{nanoseconds} ns");
        }
        assert!((0..BUCKETS - 1).all(|bucket| upper(bucket) < upper(bucket + 1)));
    }

    #[test]
    fn every_exported_bound_is_a_bucket_s_own() {
        for bound in BOUNDS {
            assert!((0..BUCKETS).any(|bucket| upper(bucket) == bound), "{bound}");
        }
    }

    #[test]
    fn sums_are_of_all_workers_and_cumulative() {
        let (one, other) = (Histogram::default(), Histogram::default());
        one.record(10_000);
        other.record(10_001);
        other.record(200_000_000_000);
        let mut durations = Durations::default();
        durations.add(&one);
        durations.add(&other);
        assert_eq!((durations.up_to(10), durations.up_to(20), durations.up_to(100_000_000)), (1, 2, 2));
        assert_eq!((durations.count(), durations.nanoseconds()), (3, 200_000_020_001));
    }
}
