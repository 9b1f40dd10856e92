//! The clock port: the moment of the present turn, and alarms for what waits longer.

use std::cell::{Cell, RefCell};
use std::task::Waker;
use std::time::Duration;

use gannet_core::Clock;
use gannet_engine::{Moment, Now, ReadClock, Timers};

/// One worker's clock.
pub(crate) struct TurnClock {
    moment: Cell<Moment>,
    unix_milliseconds: Cell<u64>,
    read: ReadClock,
    /// None until somebody has set the first: most servers never need any, and then a turn asks for nothing else.
    alarms: RefCell<Option<Alarms>>,
}

/// Whom to wake, and when; as many as futures wait with one, each of which belongs to a request.
struct Alarms {
    timers: Timers,
    wakers: Vec<Option<Waker>>,
    /// Numbers that nobody has.
    free: Vec<u32>,
    expired: Vec<u32>,
}

impl TurnClock {
    pub(crate) fn new(read: ReadClock, now: Now) -> TurnClock {
        TurnClock {
            moment: Cell::new(now.moment),
            unix_milliseconds: Cell::new(now.unix_milliseconds),
            read,
            alarms: RefCell::new(None),
        }
    }

    /// Takes note of what time it is: once a turn.
    pub(crate) fn tell(&self, now: Now) {
        self.moment.set(now.moment);
        self.unix_milliseconds.set(now.unix_milliseconds);
    }

    /// Wakes those whose moment has come; says whether there were any.
    pub(crate) fn ring(&self) -> bool {
        self.alarms.borrow_mut().as_mut().is_some_and(|alarms| alarms.ring(self.moment.get()))
    }

    /// When to [ring](TurnClock::ring) next.
    pub(crate) fn next(&self) -> Option<Moment> {
        self.alarms.borrow().as_ref()?.timers.next()
    }

    /// How many alarms are set.
    pub(crate) fn alarms(&self) -> usize {
        self.alarms.borrow().as_ref().map_or(0, |alarms| alarms.timers.len())
    }
}

impl Clock for TurnClock {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.moment.get().nanoseconds())
    }

    fn read(&self) -> Duration {
        Duration::from_nanos((self.read)().moment.nanoseconds())
    }

    fn unix_seconds(&self) -> u64 {
        self.unix_milliseconds.get() / 1000
    }

    fn unix_milliseconds(&self) -> u64 {
        self.unix_milliseconds.get()
    }

    fn set_alarm(&self, alarm: Option<u32>, deadline: Duration, waker: &Waker) -> u32 {
        let mut alarms = self.alarms.borrow_mut();
        let alarms = alarms.get_or_insert_with(|| Alarms::new(self.moment.get()));
        alarms.set(alarm, Moment::default().after(deadline), waker)
    }

    fn clear_alarm(&self, alarm: u32) {
        if let Some(alarms) = &mut *self.alarms.borrow_mut() {
            alarms.clear(alarm);
        }
    }
}

impl Alarms {
    fn new(now: Moment) -> Alarms {
        Alarms { timers: Timers::new(now), wakers: Vec::new(), free: Vec::new(), expired: Vec::new() }
    }

    fn set(&mut self, number: Option<u32>, deadline: Moment, waker: &Waker) -> u32 {
        let number = number.or_else(|| self.free.pop()).unwrap_or_else(|| {
            self.wakers.push(None);
            self.wakers.len() as u32 - 1 // futures are not by the thousand million
        });
        match &mut self.wakers[number as usize] {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        self.timers.set(number, deadline);
        number
    }

    fn clear(&mut self, number: u32) {
        self.timers.clear(number);
        self.wakers[number as usize] = None;
        self.free.push(number);
    }

    fn ring(&mut self, now: Moment) -> bool {
        self.timers.expire(now, &mut self.expired);
        let any = !self.expired.is_empty();
        for number in self.expired.drain(..) {
            if let Some(waker) = &self.wakers[number as usize] {
                waker.wake_by_ref();
            }
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::pin::Pin;
    use std::rc::Rc;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Wake};

    use gannet_core::Sleep;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn at(milliseconds: u64) -> Now {
        let moment = Moment::from_nanoseconds(milliseconds * 1_000_000);
        Now { moment, unix_milliseconds: 1_000_000 + milliseconds }
    }

    fn clock() -> Rc<TurnClock> {
        Rc::new(TurnClock::new(Rc::new(|| at(0)), at(0)))
    }

    fn poll(sleep: &mut Sleep, woken: &Arc<Woken>) -> Poll<()> {
        let waker = woken.clone().into();
        Pin::new(sleep).poll(&mut Context::from_waker(&waker))
    }

    #[test]
    fn who_sleeps_is_woken_once_when_the_moment_has_come_and_not_before() {
        let (clock, woken) = (clock(), Arc::<Woken>::default());
        let mut sleep = Sleep::new(clock.clone(), Duration::from_secs(1));
        assert_eq!((poll(&mut sleep, &woken), clock.alarms()), (Poll::Pending, 1));
        clock.tell(at(999));
        assert!(!clock.ring() && poll(&mut sleep, &woken).is_pending());
        let due = clock.next().expect("an alarm").nanoseconds() / 1_000_000;
        assert!((1000..=1064).contains(&due), "{due} ms: the wheel's tick is 64 ms");
        clock.tell(at(due));
        assert!(clock.ring());
        assert_eq!((woken.0.load(Ordering::Relaxed), poll(&mut sleep, &woken)), (1, Poll::Ready(())));
        drop(sleep);
        clock.tell(at(100_000));
        assert!(!clock.ring());
    }

    #[test]
    fn who_is_dropped_leaves_no_alarm_and_its_place_is_the_next_ones() {
        let (clock, woken) = (clock(), Arc::<Woken>::default());
        for _ in 0..10 {
            let mut sleep = Sleep::new(clock.clone(), Duration::from_secs(1));
            assert!(poll(&mut sleep, &woken).is_pending());
            drop(sleep);
        }
        assert_eq!(clock.alarms(), 0);
        assert_eq!(clock.alarms.borrow().as_ref().expect("some were set").wakers.len(), 1);
        clock.tell(at(2000));
        assert!(!clock.ring() && woken.0.load(Ordering::Relaxed) == 0);
        assert_eq!(clock.next(), None);
    }

    #[test]
    fn the_turn_s_time_stands_still_and_what_is_read_goes_on() {
        let passed = Rc::new(Cell::new(0));
        let of_clock = passed.clone();
        let clock = TurnClock::new(Rc::new(move || at(of_clock.get())), at(0));
        passed.set(5);
        assert_eq!((clock.now(), clock.read()), (Duration::ZERO, Duration::from_millis(5)));
        assert_eq!((clock.unix_milliseconds(), clock.unix_seconds()), (1_000_000, 1000));
    }
}
