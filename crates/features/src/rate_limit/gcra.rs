//! The generic cell rate algorithm (ITU-T I.371, A.2), in time that is counted in parts of the interval between two requests.
//!
//! Of each key one moment is kept: when it will have its whole allowance again, had it asked for nothing more. Each request puts that off by
//! one interval, and is refused where it would then be further ahead than a whole burst takes.
//!
//! Time is counted in ticks of which each interval has as many: so no rate is rounded, however high or odd, and when a request
//! may come is known to a 4096th of its interval.

use std::time::Duration;

use super::Rate;

/// Ticks of one interval.
const INTERVAL: u64 = 4096;

/// A rate, as it is computed with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gcra {
    rate: Rate,
    /// Ticks of a nanosecond are `multiplier >> shift`: a multiplication is cheaper than a division.
    multiplier: u64,
    shift: u32,
}

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Verdict {
    /// Whether it may be served.
    pub(super) admitted: bool,
    /// How far ahead its key is now, in ticks.
    pub(super) ahead: u64,
}

impl Gcra {
    pub(super) fn new(rate: Rate) -> Gcra {
        let ticks = u128::from(INTERVAL) * u128::from(rate.requests());
        let nanoseconds = u128::from(rate.seconds()) * 1_000_000_000;
        // As many bits as there is room for. Rounded up: a whole interval is never told to be less.
        let multiplier = |shift: u32| (ticks << shift).div_ceil(nanoseconds);
        let shift = (0..=95).rev().find(|shift| multiplier(*shift) <= u128::from(u64::MAX)).unwrap_or(0);
        Gcra { rate, multiplier: u64::try_from(multiplier(shift)).unwrap_or(u64::MAX), shift }
    }

    /// The moment in ticks.
    pub(super) fn ticks(&self, now: Duration) -> u64 {
        let nanoseconds =
            now.as_secs().wrapping_mul(1_000_000_000).wrapping_add(u64::from(now.subsec_nanos()));
        ((u128::from(nanoseconds) * u128::from(self.multiplier)) >> self.shift) as u64
    }

    /// What becomes of a request whose key is so far `ahead` of the moment; zero: it has its whole allowance.
    pub(super) fn judge(&self, ahead: u64) -> Verdict {
        let later = ahead + INTERVAL;
        let admitted = later <= u64::from(self.rate.burst()) * INTERVAL;
        Verdict { admitted, ahead: if admitted { later } else { ahead } }
    }

    /// How many more would be served at once.
    pub(super) fn remaining(&self, verdict: Verdict) -> u32 {
        let free = (u64::from(self.rate.burst()) * INTERVAL).saturating_sub(verdict.ahead) / INTERVAL;
        u32::try_from(free).unwrap_or(u32::MAX)
    }

    /// In how many seconds, rounded up, one more than that would be.
    pub(super) fn seconds_to_next(&self, verdict: Verdict) -> u64 {
        let used_then = u64::from(self.rate.burst() - self.remaining(verdict)).saturating_sub(1) * INTERVAL;
        let ticks = verdict.ahead.saturating_sub(used_then);
        (ticks * u64::from(self.rate.seconds())).div_ceil(INTERVAL * u64::from(self.rate.requests()))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use governor::clock::{Clock, FakeRelativeClock};
    use governor::{Quota, RateLimiter};
    use proptest::prelude::*;

    use super::*;

    /// One key and its moment, without a table.
    struct Key(u64);

    impl Key {
        fn ask(&mut self, gcra: &Gcra, now: u64) -> Verdict {
            let verdict = gcra.judge(self.0.saturating_sub(now));
            self.0 = now + verdict.ahead;
            verdict
        }
    }

    #[test]
    fn a_tick_is_a_4096th_of_an_interval_of_whatever_rate() {
        for (text, interval) in
            [("100/s", 10_000_000), ("5/m", 12_000_000_000), ("1000000/s", 1000), ("1/d", 86_400_000_000_000)]
        {
            let gcra = Gcra::new(text.parse().expect("a rate"));
            for intervals in [0, 1, 2, 1000, 35_791] {
                assert_eq!(
                    gcra.ticks(Duration::from_nanos(intervals * interval)),
                    intervals * 4096,
                    "{text}"
                );
            }
            assert_eq!(
                gcra.ticks(Duration::from_nanos(interval - 1)),
                if interval > 4096 { 4095 } else { 4091 }
            );
        }
    }

    #[test]
    fn a_burst_is_served_at_once_and_then_one_each_interval() {
        let gcra = Gcra::new("5/m".parse().expect("a rate"));
        let mut key = Key(0);
        let at = |seconds| gcra.ticks(Duration::from_secs(seconds));
        for remaining in [4, 3, 2, 1, 0] {
            let verdict = key.ask(&gcra, at(1000));
            assert_eq!((verdict.admitted, gcra.remaining(verdict)), (true, remaining));
            assert_eq!(gcra.seconds_to_next(verdict), 12);
        }
        for (second, admitted, wait) in
            [(1000, false, 12), (1005, false, 7), (1011, false, 1), (1012, true, 12), (1014, false, 10)]
        {
            let verdict = key.ask(&gcra, at(second));
            assert_eq!((verdict.admitted, gcra.seconds_to_next(verdict)), (admitted, wait), "{second}");
        }
        assert_eq!(gcra.remaining(key.ask(&gcra, at(2000))), 4);
    }

    proptest! {
        /// Where its moments are ticks, which governor counts in nanoseconds, the two agree about each request.
        #[test]
        fn governor_says_the_same_of_every_request(
            requests in 1u32..50,
            nanoseconds_of_tick in 1u64..100_000,
            burst in 1u32..20,
            pauses in prop::collection::vec(prop_oneof![Just(0), 0u64..5000, 0u64..100_000], 1..200),
        ) {
            let rate = Rate::new(requests, 1).and_then(|rate| rate.with_burst(burst)).expect("within bounds");
            let gcra = Gcra::new(rate);
            let clock = FakeRelativeClock::default();
            let period = Duration::from_nanos(nanoseconds_of_tick * INTERVAL);
            let burst = NonZeroU32::new(burst).expect("at least one");
            let quota = Quota::with_period(period).expect("some time").allow_burst(burst);
            let governor = RateLimiter::direct_with_clock(quota, clock.clone());
            let (mut key, mut now) = (Key(0), 0);
            for pause in pauses {
                now += pause;
                clock.advance(Duration::from_nanos(pause * nanoseconds_of_tick));
                let verdict = key.ask(&gcra, now);
                match governor.check() {
                    Ok(()) => prop_assert!(verdict.admitted),
                    Err(not_until) => {
                        prop_assert!(!verdict.admitted);
                        let wait = verdict.ahead + INTERVAL - u64::from(burst.get()) * INTERVAL;
                        let theirs = not_until.wait_time_from(clock.now());
                        prop_assert_eq!(Duration::from_nanos(wait * nanoseconds_of_tick), theirs);
                    }
                }
            }
        }

        /// Between ticks, too, but for requests that come within two of them of the moment from which they are served.
        #[test]
        fn governor_differs_by_less_than_two_ticks(
            requests in 1u32..1000,
            seconds in 1u32..100,
            burst in 1u32..20,
            pauses in prop::collection::vec(prop_oneof![Just(0), 0u64..1_000_000_000, 0u64..100_000_000_000], 1..100),
        ) {
            let rate = Rate::new(requests, seconds).and_then(|rate| rate.with_burst(burst)).expect("within bounds");
            let gcra = Gcra::new(rate);
            let interval = Duration::from_secs(u64::from(seconds)) / requests;
            let clock = FakeRelativeClock::default();
            let quota = Quota::with_period(interval).expect("some time")
                .allow_burst(NonZeroU32::new(burst).expect("at least one"));
            let governor = RateLimiter::direct_with_clock(quota, clock.clone());
            let (mut key, mut now) = (Key(0), Duration::ZERO);
            for pause in pauses {
                let pause = Duration::from_nanos(pause);
                now += pause;
                clock.advance(pause);
                let verdict = key.ask(&gcra, gcra.ticks(now));
                let theirs = governor.check().map_err(|not_until| not_until.wait_time_from(clock.now()));
                if verdict.admitted != theirs.is_ok() {
                    let burst = u64::from(rate.burst()) * INTERVAL;
                    let ours = (verdict.ahead + INTERVAL).saturating_sub(burst);
                    prop_assert!(ours <= 2, "{} ticks", ours);
                    prop_assert!(theirs.err().unwrap_or_default() <= 2 * interval / 4096 + Duration::from_micros(1));
                    break; // one more was served by one of the two: from here on they speak of different histories
                }
            }
        }
    }
}
