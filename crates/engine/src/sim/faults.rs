//! What goes wrong, and how often.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Random;

/// Bytes that one direction of a connection holds when nothing is to go wrong: a socket's buffers, more or less.
const AMPLE_BYTES: usize = 256 * 1024;

/// What goes wrong in a [`Network`](super::Network). Chances are probabilities from 0 (never) to 1 (always).
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// Chance that a receive gets fewer bytes than have arrived.
    pub short_receive: f64,
    /// Chance that a send is taken in part although there is room for more.
    pub short_send: f64,
    /// Bytes that one direction of a connection holds until they are read; drawn by order of magnitude for each.
    pub capacity: RangeInclusive<usize>,
    /// Chance that what is sent (some bytes, an end, a reset, a new connection) takes its time. Bytes are cut where they part.
    pub delay: f64,
    /// How long such a delay is at most.
    pub delay_at_most: Duration,
    /// Chance that one poll gives its completions in a random order across sockets.
    pub reorder: f64,
    /// Chance that a socket which has received gives one more block in the same poll, as io_uring's multishot receive may.
    pub burst: f64,
    /// Chance, for each write, that the network breaks its connection: both ends are reset, not at the same time.
    pub reset: f64,
    /// Chance that a reset destroys bytes on their way, and again that it destroys bytes arrived but unread.
    pub loss: f64,
    /// Chance, for each connection about to be accepted, that descriptors have run out (`EMFILE`).
    pub accept_failure: f64,
    /// Chance that a receive's completion is held back, so that it may come after a pause.
    pub late_receive: f64,
    /// Chance that a send's completion is held back, so that the peer's answer may come before it.
    pub late_send: f64,
    /// Chance that a close's completion is held back, or a release's.
    pub late_close: f64,
    /// How long a completion is held back at most.
    pub late_at_most: Duration,
    /// Chance that an engine that connects is refused although somebody listens.
    pub refusal: f64,
    /// Chance that an engine that connects is never answered.
    pub silence: f64,
}

impl Faults {
    /// Nothing goes wrong: what is sent arrives at once, and completes at once.
    pub fn none() -> Faults {
        Faults {
            short_receive: 0.0,
            short_send: 0.0,
            capacity: AMPLE_BYTES..=AMPLE_BYTES,
            delay: 0.0,
            delay_at_most: Duration::ZERO,
            reorder: 0.0,
            burst: 0.0,
            reset: 0.0,
            loss: 0.0,
            accept_failure: 0.0,
            late_receive: 0.0,
            late_send: 0.0,
            late_close: 0.0,
            late_at_most: Duration::ZERO,
            refusal: 0.0,
            silence: 0.0,
        }
    }

    /// The mixture of [`Faults::default`] without what breaks connections, accepting or connecting: every byte arrives in the end.
    pub fn benign() -> Faults {
        Faults { reset: 0.0, loss: 0.0, accept_failure: 0.0, refusal: 0.0, silence: 0.0, ..Faults::default() }
    }

    /// A random mixture of strengths, some of them zero: a fault is found best in different company each time.
    pub fn from_seed(random: &mut Random) -> Faults {
        const OFTEN: [f64; 5] = [0.0, 0.02, 0.1, 0.3, 0.8];
        const SELDOM: [f64; 4] = [0.0, 0.0005, 0.005, 0.05];
        let least = random.magnitude(1..=4096);
        let most = random.magnitude(least..=AMPLE_BYTES);
        let [shortest, longest] = [Duration::from_micros(1), Duration::from_millis(20)];
        Faults {
            short_receive: *random.pick(&OFTEN),
            short_send: *random.pick(&OFTEN),
            capacity: least..=most,
            delay: *random.pick(&OFTEN),
            delay_at_most: random.duration(shortest..=longest),
            reorder: *random.pick(&OFTEN),
            burst: *random.pick(&OFTEN),
            reset: *random.pick(&SELDOM),
            loss: *random.pick(&OFTEN),
            accept_failure: *random.pick(&SELDOM),
            late_receive: *random.pick(&OFTEN),
            late_send: *random.pick(&OFTEN),
            late_close: *random.pick(&OFTEN),
            late_at_most: random.duration(shortest..=longest),
            refusal: *random.pick(&SELDOM),
            silence: *random.pick(&SELDOM),
        }
    }
}

impl Default for Faults {
    /// A mixture in which each fault happens now and then and most connections still do their work.
    fn default() -> Faults {
        Faults {
            short_receive: 0.3,
            short_send: 0.3,
            capacity: 1024..=AMPLE_BYTES,
            delay: 0.3,
            delay_at_most: Duration::from_millis(1),
            reorder: 0.5,
            burst: 0.3,
            reset: 0.002,
            loss: 0.5,
            accept_failure: 0.01,
            late_receive: 0.2,
            late_send: 0.2,
            late_close: 0.2,
            late_at_most: Duration::from_millis(1),
            refusal: 0.01,
            silence: 0.01,
        }
    }
}

/// How often each fault happened: what a test must see to know that it tested something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Injected {
    /// Receives that got fewer bytes than had arrived.
    pub short_receives: u64,
    /// Sends taken in part although there was room for more.
    pub short_sends: u64,
    /// Sends that found no room and waited.
    pub full_buffers: u64,
    /// Pieces, ends, resets and connections that took their time.
    pub delays: u64,
    /// Polls whose completions were put into another order.
    pub reorderings: u64,
    /// Blocks given beyond the first of a socket in one poll.
    pub bursts: u64,
    /// Connections that the network broke.
    pub resets: u64,
    /// Resets that destroyed bytes.
    pub losses: u64,
    /// Accepts that failed for want of descriptors.
    pub accept_failures: u64,
    /// Completions of receives held back.
    pub late_receives: u64,
    /// Completions of sends held back.
    pub late_sends: u64,
    /// Completions of closes and releases held back.
    pub late_closes: u64,
    /// Sends that a close cut short.
    pub cancelled_sends: u64,
    /// Engines that connected and were refused although somebody listened.
    pub refusals: u64,
    /// Engines that connected and were not answered.
    pub silences: u64,
}

/// Draws the mishaps, and counts them.
pub(super) struct Fate {
    pub(super) random: Random,
    pub(super) faults: Faults,
    pub(super) injected: Injected,
}

impl Fate {
    pub(super) fn new(seed: u64, faults: Faults) -> Fate {
        Fate { random: Random::new(seed), faults, injected: Injected::default() }
    }

    pub(super) fn capacity(&mut self) -> usize {
        self.random.magnitude(self.faults.capacity.clone()).max(1)
    }

    /// How many of `available` bytes a receive gets.
    pub(super) fn received(&mut self, available: usize) -> usize {
        let struck = available > 1 && self.random.chance(self.faults.short_receive);
        self.shortened(available, struck, |injected| &mut injected.short_receives)
    }

    /// How many of `offered` bytes a send gets rid of.
    pub(super) fn sent(&mut self, offered: usize) -> usize {
        let struck = offered > 1 && self.random.chance(self.faults.short_send);
        self.shortened(offered, struck, |injected| &mut injected.short_sends)
    }

    fn shortened(&mut self, whole: usize, struck: bool, count: fn(&mut Injected) -> &mut u64) -> usize {
        if !struck {
            return whole;
        }
        *count(&mut self.injected) += 1;
        // A single byte is as likely as any other order of magnitude.
        self.random.magnitude(1..=whole - 1)
    }

    /// How long what is sent now is on its way.
    pub(super) fn delay(&mut self) -> Duration {
        if !self.random.chance(self.faults.delay) {
            return Duration::ZERO;
        }
        self.injected.delays += 1;
        self.random.duration(Duration::ZERO..=self.faults.delay_at_most)
    }

    /// Where bytes that travel together are cut, if their second part takes its time.
    pub(super) fn cut(&mut self, length: usize) -> Option<usize> {
        let struck = length > 1 && self.random.chance(self.faults.delay);
        struck.then(|| self.random.magnitude(1..=length - 1))
    }

    pub(super) fn breaks(&mut self) -> bool {
        let struck = self.random.chance(self.faults.reset);
        self.injected.resets += u64::from(struck);
        struck
    }

    /// How many of `held` bytes survive a reset.
    pub(super) fn survivors(&mut self, held: usize) -> usize {
        if held == 0 || !self.random.chance(self.faults.loss) {
            return held;
        }
        self.injected.losses += 1;
        self.random.range(0..=held - 1)
    }

    pub(super) fn accept_fails(&mut self) -> bool {
        let struck = self.random.chance(self.faults.accept_failure);
        self.injected.accept_failures += u64::from(struck);
        struck
    }

    /// Whether whoever connects is refused.
    pub(super) fn refuses(&mut self) -> bool {
        let struck = self.random.chance(self.faults.refusal);
        self.injected.refusals += u64::from(struck);
        struck
    }

    /// Whether whoever connects is not answered.
    pub(super) fn ignores(&mut self) -> bool {
        let struck = self.random.chance(self.faults.silence);
        self.injected.silences += u64::from(struck);
        struck
    }

    /// Puts the work of one poll into another order, perhaps.
    pub(super) fn reorder<T>(&mut self, work: &mut [T]) {
        if work.len() > 1 && self.random.chance(self.faults.reorder) {
            self.injected.reorderings += 1;
            self.random.shuffle(work);
        }
    }

    pub(super) fn bursts(&mut self) -> bool {
        self.random.chance(self.faults.burst)
    }

    /// How long the completion of a receive is held back.
    pub(super) fn late_receive(&mut self) -> Option<Duration> {
        let struck = self.random.chance(self.faults.late_receive);
        self.late(struck, |injected| &mut injected.late_receives)
    }

    /// How long the completion of a send is held back.
    pub(super) fn late_send(&mut self) -> Option<Duration> {
        let struck = self.random.chance(self.faults.late_send);
        self.late(struck, |injected| &mut injected.late_sends)
    }

    /// How long the completion of a close or a release is held back.
    pub(super) fn late_close(&mut self) -> Option<Duration> {
        let struck = self.random.chance(self.faults.late_close);
        self.late(struck, |injected| &mut injected.late_closes)
    }

    fn late(&mut self, struck: bool, count: fn(&mut Injected) -> &mut u64) -> Option<Duration> {
        if !struck {
            return None;
        }
        *count(&mut self.injected) += 1;
        Some(self.random.duration(Duration::ZERO..=self.faults.late_at_most))
    }
}
