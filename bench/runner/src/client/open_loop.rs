//! An open loop: requests leave at a constant rate, whether or not the server keeps up.
//!
//! Request number *n* is due at *n* / rate after the start. It is sent then, however many answers are outstanding, and its
//! latency counts from when it was due, not from when it was sent: neither a slow server nor a slow client can hide time
//! that a user would have waited (what a closed loop does is called coordinated omission). The client has a processor of its
//! own and spins on it: no timer of the kernel's is as fine as the rate.
//!
//! The loop knows neither sockets nor clock: both are a [`Wire`], which tests replace by virtual time.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::{LoadError, histogram};

/// With so many unanswered requests the server is beyond the rate: there is nothing to be learned of its latency.
pub const UNANSWERED_LIMIT: u64 = 65_536;
/// A server that has not answered anything for so long will not.
const STALL_NS: u64 = 10_000_000_000;

/// How fast and how long requests are sent.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Requests a second.
    pub rate: f64,
    /// How long it is kept.
    pub time: Duration,
    /// What is due before that is sent, but not recorded.
    pub warm_up: Duration,
}

impl Pace {
    /// When a request is due, in nanoseconds from the start.
    fn due_ns(&self, number: u64) -> u64 {
        (number as f64 * 1e9 / self.rate) as u64
    }

    /// How many requests there are.
    fn requests(&self) -> u64 {
        ((self.warm_up + self.time).as_secs_f64() * self.rate).ceil() as u64
    }
}

/// What an open loop drives.
pub trait Wire {
    /// Nanoseconds since whenever the wire likes.
    fn now_ns(&mut self) -> u64;

    /// Sends request `number`, or keeps it until it can be sent; never waits.
    fn send(&mut self, number: u64) -> Result<(), LoadError>;

    /// Adds what has been answered since, without waiting: the number, and when it was seen.
    fn poll(&mut self, answered: &mut Vec<(u64, u64)>) -> Result<(), LoadError>;
}

/// What an open loop has seen, in nanoseconds.
#[derive(Debug)]
pub struct Latencies {
    /// From when a request was due to the end of its response.
    pub latency: Histogram<u64>,
    /// From when a request was due to when it was sent: what is the client's own fault.
    pub lag: Histogram<u64>,
    /// All requests, those of the warm-up included.
    pub requests: u64,
}

/// Sends at a pace, and waits for the last answer.
pub fn drive(wire: &mut (impl Wire + ?Sized), pace: Pace) -> Result<Latencies, LoadError> {
    let (total, warm_up_ns) = (pace.requests(), pace.warm_up.as_nanos() as u64);
    let mut seen = Latencies { latency: histogram(), lag: histogram(), requests: total };
    let mut answered = Vec::new();
    let (mut sent, mut done) = (0, 0);
    let start_ns = wire.now_ns();
    let mut answered_at_ns = 0;
    while done < total {
        let mut now_ns = wire.now_ns() - start_ns;
        while sent < total && pace.due_ns(sent) <= now_ns {
            if sent - done >= UNANSWERED_LIMIT {
                return Err(LoadError::Overloaded);
            }
            wire.send(sent)?;
            if pace.due_ns(sent) >= warm_up_ns {
                seen.lag.saturating_record(now_ns - pace.due_ns(sent));
            }
            sent += 1;
            now_ns = wire.now_ns() - start_ns;
        }
        wire.poll(&mut answered)?;
        for (number, at_ns) in answered.drain(..) {
            let due_ns = pace.due_ns(number);
            answered_at_ns = at_ns - start_ns;
            if due_ns >= warm_up_ns {
                seen.latency.saturating_record(answered_at_ns.saturating_sub(due_ns));
            }
            done += 1;
        }
        if sent > done && now_ns.saturating_sub(answered_at_ns.max(pace.due_ns(done))) > STALL_NS {
            return Err(LoadError::Stalled);
        }
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, ops::Range};

    use super::*;

    const MICROSECOND: u64 = 1_000;
    const MILLISECOND: u64 = 1_000_000;

    /// A server on a virtual clock that answers each request 50 µs after the last, but for a time in which it stands still.
    struct Simulated {
        now_ns: u64,
        /// Each reading of the clock takes so long.
        tick_ns: u64,
        stall_ns: Range<u64>,
        /// The client itself stands still, once, from the first time to the second.
        client_sleeps_ns: Range<u64>,
        under_way: VecDeque<(u64, u64)>,
        free_at_ns: u64,
        sent_at_ns: Vec<u64>,
    }

    const SERVICE_NS: u64 = 50 * MICROSECOND;

    impl Simulated {
        fn new() -> Simulated {
            Simulated {
                now_ns: 7 * MILLISECOND,
                tick_ns: MICROSECOND / 2,
                stall_ns: 0..0,
                client_sleeps_ns: 0..0,
                under_way: VecDeque::new(),
                free_at_ns: 0,
                sent_at_ns: Vec::new(),
            }
        }
    }

    impl Wire for Simulated {
        fn now_ns(&mut self) -> u64 {
            self.now_ns += self.tick_ns;
            if self.client_sleeps_ns.contains(&self.now_ns) {
                self.now_ns = self.client_sleeps_ns.end;
            }
            self.now_ns
        }

        fn send(&mut self, number: u64) -> Result<(), LoadError> {
            self.sent_at_ns.push(self.now_ns);
            let mut begun_ns = self.now_ns.max(self.free_at_ns);
            if self.stall_ns.contains(&begun_ns) {
                begun_ns = self.stall_ns.end;
            }
            self.free_at_ns = begun_ns + SERVICE_NS;
            self.under_way.push_back((number, self.free_at_ns));
            Ok(())
        }

        fn poll(&mut self, answered: &mut Vec<(u64, u64)>) -> Result<(), LoadError> {
            while let Some((number, _)) = self.under_way.pop_front_if(|(_, at_ns)| *at_ns <= self.now_ns) {
                answered.push((number, self.now_ns));
            }
            Ok(())
        }
    }

    /// 2,000 requests a second for a second: the server is busy for a tenth of it.
    const PACE: Pace = Pace { rate: 2_000.0, time: Duration::from_secs(1), warm_up: Duration::ZERO };

    fn quantile_us(latencies: &Latencies, quantile: f64) -> u64 {
        latencies.latency.value_at_quantile(quantile) / MICROSECOND
    }

    #[test]
    fn a_steady_server_is_as_slow_as_its_service() {
        let seen = drive(&mut Simulated::new(), PACE).unwrap();
        assert_eq!((seen.requests, seen.latency.len()), (2000, 2000));
        assert!((50..55).contains(&quantile_us(&seen, 0.5)) && quantile_us(&seen, 1.0) < 55);
    }

    #[test]
    fn a_stall_shows_in_all_the_requests_that_were_due_in_it() {
        let stall_ns = 300 * MILLISECOND..400 * MILLISECOND;
        let seen = drive(&mut Simulated { stall_ns, ..Simulated::new() }, PACE).unwrap();
        // 200 of 2,000 were due while the server stood still: a tenth, whose waits run from 100 ms down to nothing,
        // and a closed loop would have seen one of them.
        assert!(quantile_us(&seen, 0.5) < 55);
        assert!((88_000..=100_000).contains(&quantile_us(&seen, 0.99)), "{}", quantile_us(&seen, 0.99));
        assert!(quantile_us(&seen, 0.95) > 40_000);
        let waited = seen.latency.count_between(MILLISECOND, u64::MAX);
        assert!((199..=225).contains(&waited), "{waited}");
    }

    #[test]
    fn a_stall_delays_no_sending() {
        let stall_ns = 300 * MILLISECOND..400 * MILLISECOND;
        let mut wire = Simulated { stall_ns, ..Simulated::new() };
        let start_ns = wire.now_ns + wire.tick_ns;
        let seen = drive(&mut wire, PACE).unwrap();
        for (number, at_ns) in wire.sent_at_ns.iter().enumerate() {
            let late_ns = at_ns - start_ns - PACE.due_ns(number as u64);
            assert!(late_ns <= 2 * MICROSECOND, "request {number} left {late_ns} ns late");
        }
        assert!(seen.lag.max() <= 2 * MICROSECOND);
    }

    #[test]
    fn a_client_that_is_late_does_not_hide_it() {
        let client_sleeps_ns = 500 * MILLISECOND..520 * MILLISECOND;
        let seen = drive(&mut Simulated { client_sleeps_ns, ..Simulated::new() }, PACE).unwrap();
        assert!(seen.latency.max() > 19 * MILLISECOND && seen.lag.max() > 19 * MILLISECOND);
        assert_eq!(seen.latency.len(), 2000);
    }

    #[test]
    fn the_warm_up_is_sent_and_not_recorded() {
        let stall_ns = 0..50 * MILLISECOND;
        let pace = Pace { warm_up: Duration::from_millis(100), time: Duration::from_millis(900), ..PACE };
        let seen = drive(&mut Simulated { stall_ns, ..Simulated::new() }, pace).unwrap();
        assert_eq!((seen.requests, seen.latency.len(), seen.lag.len()), (2000, 1800, 1800));
        assert!(seen.latency.max() < MILLISECOND);
    }

    #[test]
    fn a_server_that_never_answers_is_given_up() {
        let stall_ns = 0..u64::MAX / 2;
        let tick_ns = 20 * MICROSECOND;
        let wire = Simulated { stall_ns, tick_ns, ..Simulated::new() };
        let pace = Pace { time: Duration::from_millis(10), ..PACE };
        assert!(matches!(drive(&mut { wire }, pace), Err(LoadError::Stalled)));
    }

    #[test]
    fn a_server_far_beyond_its_rate_is_given_up() {
        let pace = Pace { rate: 100_000.0, ..PACE };
        let wire = Simulated { tick_ns: 5 * MICROSECOND, ..Simulated::new() };
        assert!(matches!(drive(&mut { wire }, pace), Err(LoadError::Overloaded)));
    }
}
