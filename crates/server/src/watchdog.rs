//! The watchdog: sees which worker is held up, lets the others take what that one has not begun, and names the handler at fault.
//!
//! Workers show what they do in their [`Pulse`]s; the watchdog looks at those ten times in 100 ms while any worker is awake, and sleeps
//! while all do. A worker that stays in one turn for longer than [`HELD_UP`] is held up: what it accepted and did not begin is offered to the
//! others, and so is, as long as that lasts, whoever comes to its listeners. A handler that does not let go for longer than the limit
//! `worker_hold` is told in the log, and counted.
//!
//! Connections that a worker has begun stay there, and wait for it.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_deque::Stealer;
use gannet_engine::{Accepted, Listener, ListenerId};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::admission::Admission;
use crate::balance::Balance;
use crate::observe::WorkerCounters;
use crate::pulse::{Pulse, Sight};
use crate::threads;
use crate::wake::Mailbox;

/// How often the watchdog looks, while any worker is awake.
const LOOK: Duration = Duration::from_millis(10);

/// A worker that stays in one turn for so long is held up: others take its new connections. A turn of many small requests takes
/// some milliseconds.
const HELD_UP: Duration = Duration::from_millis(10);

/// Connections of workers that are held up which wait for others to take them; more stay in the backlog.
const OFFERED: usize = 64;

/// So many looks in a row at sleeping workers only, and the watchdog sleeps, too: waking it costs a worker a system call.
const QUIET_LOOKS: u32 = 100;

/// A look that comes so late says nothing about the workers: the whole machine stood still, or the process was not let run.
const LATE: Duration = Duration::from_millis(100);

/// What the watchdog has of one worker.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) pending: Stealer<Accepted>,
    pub(crate) counters: Arc<WorkerCounters>,
    pub(crate) spares: Arc<Spares>,
}

/// The same sockets that a worker listens on, in its order, until it ends accepting: they must not keep them open then.
#[derive(Debug, Default)]
pub(crate) struct Spares(Mutex<Arc<[Listener]>>);

/// The watchdog of one server; its thread ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Watchdog {
    control: Arc<Control>,
    balance: Arc<Balance>,
    thread: Option<JoinHandle<()>>,
}

/// What others tell the watchdog.
#[derive(Debug, Default)]
pub(crate) struct Control {
    ended: AtomicBool,
    /// Nothing is offered any more: the workers are about to end, and who is offered might find nobody.
    retired: Mutex<bool>,
}

/// One look after the other.
struct Looks {
    workers: Vec<(Post, Seen)>,
    balance: Arc<Balance>,
    admission: Arc<Admission>,
    control: Arc<Control>,
    routes: Vec<String>,
    hold: Duration,
    looked: Instant,
    /// Whom to wake next.
    next: usize,
}

/// What is remembered of one worker.
struct Seen {
    sight: Sight,
    /// Since when it has been in this turn.
    turn: Instant,
    /// Since when it has been in this piece of a handler.
    piece: Instant,
    held_up: bool,
    told: bool,
}

/// What comes of a look.
#[derive(PartialEq, Eq, Debug)]
enum Found {
    /// All workers sleep, and did so the last time.
    Quiet,
    Awake,
    /// Some worker is held up and another is not.
    HeldUp,
}

impl Watchdog {
    /// Watches over these workers, who share `balance`.
    ///
    /// # Errors
    /// When no thread can be had.
    pub(crate) fn start(
        posts: Vec<Post>,
        balance: Arc<Balance>,
        admission: Arc<Admission>,
        routes: Vec<String>,
        hold: Duration,
    ) -> io::Result<Watchdog> {
        let control = Arc::<Control>::default();
        let mut looks = Looks::new(posts, balance.clone(), admission, control.clone(), routes, hold);
        let thread = threads::spawn("gannet-watchdog", move || looks.go_on())?;
        Ok(Watchdog { control, balance, thread: Some(thread) })
    }

    pub(crate) fn control(&self) -> &Arc<Control> {
        &self.control
    }
}

impl Control {
    /// From when this returns nothing is offered any more: whatever is offered, the workers find before they end.
    pub(crate) fn retire(&self) {
        *self.retired.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.control.ended.store(true, Ordering::Release);
        self.balance.watchdog.wake_all();
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join(); // it logged its panic
        }
    }
}

impl Spares {
    pub(crate) fn new(listeners: Vec<Listener>) -> Spares {
        Spares(Mutex::new(listeners.into()))
    }

    /// Closes them.
    pub(crate) fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }

    fn get(&self) -> Arc<[Listener]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Looks {
    fn new(
        posts: Vec<Post>,
        balance: Arc<Balance>,
        admission: Arc<Admission>,
        control: Arc<Control>,
        routes: Vec<String>,
        hold: Duration,
    ) -> Looks {
        let looked = Instant::now();
        let seen = |post: Post| {
            let sight = post.pulse.look();
            (post, Seen { sight, turn: looked, piece: looked, held_up: false, told: false })
        };
        let workers = posts.into_iter().map(seen).collect();
        Looks { workers, balance, admission, control, routes, hold, looked, next: 0 }
    }

    fn go_on(&mut self) {
        let mut quiet = 0;
        while !self.control.ended.load(Ordering::Acquire) {
            match self.look(Instant::now()) {
                Found::HeldUp => {
                    quiet = 0;
                    self.relieve();
                }
                Found::Quiet if quiet == QUIET_LOOKS => {
                    let (workers, control) = (&self.workers, &self.control);
                    let awake = || workers.iter().any(|(post, _)| !post.pulse.look().is_asleep());
                    self.balance.watchdog.sleep(|| awake() || control.ended.load(Ordering::Acquire));
                    self.looked = Instant::now();
                    quiet = 0;
                }
                found => {
                    quiet = if found == Found::Quiet { quiet + 1 } else { 0 };
                    thread::park_timeout(LOOK);
                }
            }
        }
    }

    /// One look at every worker.
    fn look(&mut self, now: Instant) -> Found {
        let late = now - self.looked >= LATE;
        self.looked = now;
        let (mut quiet, mut held_up, mut others) = (true, false, false);
        for (post, seen) in &mut self.workers {
            let (sight, before) = (post.pulse.look(), seen.sight);
            quiet &= sight.is_asleep() && sight == before;
            if sight != before || sight.is_asleep() {
                seen.end(post, now, &self.routes);
                seen.piece = now;
            }
            if !sight.is_same_turn(before) {
                seen.turn = now;
            }
            if late && !seen.told {
                (seen.turn, seen.piece) = (now, now);
            }
            seen.sight = sight;
            seen.held_up = now - seen.turn >= HELD_UP;
            if now - seen.piece >= self.hold && !seen.told {
                seen.tell(post, now, &self.routes);
            }
            held_up |= seen.held_up;
            others |= !seen.held_up;
        }
        match (quiet, held_up && others) {
            (_, true) => Found::HeldUp,
            (true, false) => Found::Quiet,
            (false, false) => Found::Awake,
        }
    }

    /// Offers what workers that are held up have not begun, wakes some who sleep, and waits until more comes, or it is time to look.
    fn relieve(&mut self) {
        let retired = self.control.retired.lock().unwrap_or_else(PoisonError::into_inner);
        if *retired {
            drop(retired);
            return thread::park_timeout(LOOK);
        }
        let (mut backlogs, mut offered, mut emptied) = (Vec::new(), 0, true);
        for (post, _) in self.workers.iter().filter(|(_, seen)| seen.held_up) {
            offered += self.balance.offer_all(&post.pending);
            let listeners = post.spares.get();
            for (listener, number) in listeners.iter().zip(0..) {
                let (count, all) = self.offer_from(listener, ListenerId(number));
                offered += count;
                emptied &= all;
            }
            backlogs.push(listeners);
        }
        drop(retired);
        self.wake(offered.max(self.balance.offers()));
        if emptied {
            await_any(&backlogs);
        } else {
            thread::park_timeout(LOOK);
        }
    }

    /// Accepts in the worker's stead; says how many, and whether nobody else waits there.
    fn offer_from(&self, listener: &Listener, number: ListenerId) -> (usize, bool) {
        let mut count = 0;
        while self.balance.offers() < OFFERED && !self.admission.is_full() {
            match listener.accept(number) {
                Ok(accepted) => {
                    self.balance.offer(accepted);
                    count += 1;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return (count, true),
                // Gone before it was accepted, or we are out of something: a worker that accepts will say so.
                Err(_) => return (count, false),
            }
        }
        (count, false)
    }

    /// Wakes up to so many of those who sleep; who is awake looks by itself at its turn's end.
    fn wake(&mut self, most: usize) {
        let count = self.workers.len();
        let mut woken = 0;
        for step in 0..count {
            if woken == most {
                break;
            }
            let (post, seen) = &self.workers[(self.next + step) % count];
            if !seen.held_up && post.pulse.look().is_asleep() {
                post.mailbox.wake();
                woken += 1;
            }
        }
        self.next = (self.next + woken) % count.max(1);
    }
}

impl Seen {
    /// Something holds the worker.
    fn tell(&mut self, post: &Post, now: Instant, routes: &[String]) {
        self.told = true;
        post.counters.hold(self.sight.route());
        let milliseconds = (now - self.piece).as_millis();
        tracing::warn!(
            route = named(self.sight.route(), routes),
            milliseconds,
            "a handler holds its worker up, and all whom that serves; others get its new connections. Compute on gannet::cpu, and await what is slow"
        );
    }

    /// Whatever it was, it is over.
    fn end(&mut self, post: &Post, now: Instant, routes: &[String]) {
        if std::mem::take(&mut self.told) {
            let total = now - self.piece;
            post.counters.held_nanoseconds.add(u64::try_from(total.as_nanos()).unwrap_or(u64::MAX));
            tracing::warn!(
                route = named(self.sight.route(), routes),
                milliseconds = total.as_millis(),
                "the worker goes on"
            );
        }
    }
}

/// What the log calls a route; what is none is a task that a handler spawned, or the server itself.
fn named(route: Option<u16>, routes: &[String]) -> &str {
    route.and_then(|route| routes.get(usize::from(route))).map_or("none", String::as_str)
}

/// Waits for a connection, until it is time to look.
fn await_any(backlogs: &[Arc<[Listener]>]) {
    let sockets =
        backlogs.iter().flat_map(|listeners| listeners.iter()).filter_map(|listener| match listener {
            Listener::Socket(fd) => Some(PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN)),
            Listener::Simulated(_) => None,
        });
    let mut sockets: Vec<_> = sockets.collect();
    let wait = Timespec { tv_sec: 0, tv_nsec: LOOK.subsec_nanos().into() };
    if sockets.is_empty() || poll(&mut sockets, Some(&wait)).is_err() {
        thread::park_timeout(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpStream};
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::balance::Pending;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// Two workers, the first of which listens, and whoever looks at them.
    struct Scene {
        looks: Looks,
        pulses: [Arc<Pulse>; 2],
        pending: Pending,
        listener: Listener,
        address: SocketAddr,
        now: Instant,
    }

    fn scene() -> Scene {
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), true).unwrap();
        let address = listener.local_address().unwrap().internet().unwrap();
        let (pulses, pending) = ([Arc::<Pulse>::default(), Arc::default()], Pending::new());
        let spare = listener.try_clone().unwrap();
        let post = |pulse: &Arc<Pulse>, pending: &Pending, listeners| Post {
            pulse: pulse.clone(),
            mailbox: Arc::new(Mailbox::new(1)),
            pending: pending.stealer(),
            counters: Arc::new(WorkerCounters::new(1)),
            spares: Arc::new(Spares::new(listeners)),
        };
        let posts =
            vec![post(&pulses[0], &pending, vec![spare]), post(&pulses[1], &Pending::new(), Vec::new())];
        let admission = Arc::new(Admission::new(1000, usize::MAX));
        let routes = vec!["/slow".to_owned()];
        let looks =
            Looks::new(posts, Arc::default(), admission, Arc::default(), routes, Duration::from_millis(100));
        let now = looks.looked;
        pulses[1].sleep();
        Scene { looks, pulses, pending, listener, address, now }
    }

    impl Scene {
        fn look_after(&mut self, time: Duration) -> Found {
            self.now += time;
            self.looks.look(self.now)
        }

        fn holds(&self) -> u64 {
            self.looks.workers[0].0.counters.routes().iter().map(|route| route.holds.get()).sum()
        }
    }

    #[test]
    fn a_worker_is_held_up_that_stays_in_one_turn_for_10_ms() {
        let mut scene = scene();
        scene.pulses[0].begin_turn();
        assert_eq!(scene.look_after(MILLISECOND), Found::Awake);
        for _ in 0..5 {
            assert_eq!(scene.look_after(9 * MILLISECOND), Found::Awake);
            scene.pulses[0].begin_turn();
            assert_eq!(scene.look_after(MILLISECOND), Found::Awake, "that is another turn");
        }
        assert_eq!(scene.look_after(10 * MILLISECOND), Found::HeldUp);
        scene.pulses[1].wake();
        scene.look_after(MILLISECOND);
        assert_eq!(scene.look_after(10 * MILLISECOND), Found::Awake, "nobody is left who could help");
        scene.pulses.iter().for_each(|pulse| pulse.sleep());
        scene.look_after(MILLISECOND);
        assert_eq!(scene.look_after(MILLISECOND), Found::Quiet);
    }

    #[test]
    fn what_a_worker_accepted_and_did_not_begin_and_who_comes_to_its_listener_is_offered_to_others() {
        let mut scene = scene();
        let _clients: Vec<_> = (0..3).map(|_| TcpStream::connect(scene.address).unwrap()).collect();
        scene.pending.push(scene.listener.accept(ListenerId(0)).unwrap());
        scene.look_after(MILLISECOND);
        assert_eq!(scene.look_after(10 * MILLISECOND), Found::HeldUp);
        scene.looks.relieve();
        assert_eq!((scene.looks.balance.offers(), scene.pending.is_empty()), (3, true));
        let taken: Vec<_> = std::iter::from_fn(|| scene.looks.balance.take()).collect();
        assert!(taken.len() == 3 && taken.iter().all(|accepted| accepted.listener == ListenerId(0)));
        assert_eq!(scene.looks.balance.offers(), 0);
    }

    #[test]
    fn no_more_than_64_connections_are_offered_and_the_others_wait_in_the_backlog() {
        let mut scene = scene();
        let _clients: Vec<_> = (0..70).map(|_| TcpStream::connect(scene.address).unwrap()).collect();
        scene.look_after(MILLISECOND);
        scene.look_after(10 * MILLISECOND);
        scene.looks.relieve();
        assert_eq!(scene.looks.balance.offers(), OFFERED);
        let waiting = std::iter::from_fn(|| scene.listener.accept(ListenerId(0)).ok()).count();
        assert_eq!(waiting, 70 - OFFERED);
    }

    #[test]
    fn nothing_is_offered_once_the_workers_are_about_to_end_or_have_closed_their_listeners() {
        let mut scene = scene();
        let _client = TcpStream::connect(scene.address).unwrap();
        scene.look_after(MILLISECOND);
        scene.look_after(10 * MILLISECOND);
        scene.looks.workers[0].0.spares.close();
        scene.looks.relieve();
        assert_eq!(scene.looks.balance.offers(), 0);
        scene.pending.push(scene.listener.accept(ListenerId(0)).unwrap());
        scene.looks.control.retire();
        scene.looks.relieve();
        assert_eq!((scene.looks.balance.offers(), scene.pending.len()), (0, 1));
    }

    /// Counts warnings, and keeps what they say.
    struct Warnings(Arc<Mutex<Vec<String>>>, AtomicUsize);

    impl tracing::Subscriber for Warnings {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            *metadata.level() == tracing::Level::WARN
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

        fn event(&self, event: &tracing::Event<'_>) {
            struct Said(String);
            impl tracing::field::Visit for Said {
                fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                    self.0 += &format!("{field}={value:?} ");
                }
            }
            self.1.fetch_add(1, Ordering::Relaxed);
            let mut said = Said(String::new());
            event.record(&mut said);
            self.0.lock().unwrap().push(said.0);
        }

        fn enter(&self, _: &tracing::span::Id) {}

        fn exit(&self, _: &tracing::span::Id) {}
    }

    #[test]
    fn a_handler_that_holds_its_worker_is_named_once_and_once_more_when_it_lets_go() {
        let said = Arc::<Mutex<Vec<String>>>::default();
        let _guard = tracing::subscriber::set_default(Warnings(said.clone(), AtomicUsize::new(0)));
        let mut scene = scene();
        scene.pulses[0].begin_turn();
        scene.pulses[0].enter(0);
        for _ in 0..10 {
            scene.look_after(10 * MILLISECOND);
        }
        assert_eq!((scene.holds(), said.lock().unwrap().len()), (0, 0), "not for 100 ms, as far as was seen");
        for _ in 0..10 {
            scene.look_after(10 * MILLISECOND);
        }
        assert_eq!(scene.holds(), 1);
        let told = said.lock().unwrap().concat();
        assert!(told.contains("route=\"/slow\" milliseconds=100"), "{told}");
        scene.pulses[0].leave();
        scene.look_after(10 * MILLISECOND);
        let told = said.lock().unwrap().clone();
        assert!(told.len() == 2 && told[1].contains("route=\"/slow\" milliseconds=200"), "{told:?}");
        let held = scene.looks.workers[0].0.counters.held_nanoseconds.get();
        assert_eq!((scene.holds(), held), (1, 200_000_000));
    }

    #[test]
    fn many_short_pieces_of_one_turn_are_no_handler_that_holds_it_and_neither_is_a_machine_that_stood_still()
    {
        let mut scene = scene();
        scene.pulses[0].begin_turn();
        for _ in 0..50 {
            scene.pulses[0].enter(0);
            scene.look_after(10 * MILLISECOND);
            scene.pulses[0].leave();
        }
        assert_eq!(scene.holds(), 0);
        scene.pulses[0].enter(0);
        scene.look_after(MILLISECOND);
        assert_eq!(scene.look_after(Duration::from_secs(60)), Found::Awake);
        assert_eq!(scene.holds(), 0);
    }
}
