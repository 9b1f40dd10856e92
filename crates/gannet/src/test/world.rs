//! One worker on a simulated network, driven by whoever waits for it, on the clock of the runtime that this happens on.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{SystemTime, UNIX_EPOCH};

use gannet_core::{Networks, States, provide_cpu};
use gannet_engine::sim::{Faults, Network};
use gannet_engine::{Engine, Listener, Moment, Pool};
use gannet_server::{Admission, Limits, Mailbox, Preamble, Services, Site, Turn, Worker};
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep};

use super::connection::Connection;
use super::exchange::{Exchange, Failure};
use super::log::Log;
use super::upload::Outgoing;

/// Memory of the worker, which takes it as it needs it.
const BLOCK_BYTES: usize = 16 * 1024;
const BLOCKS: usize = 4096;

/// Turns after which other tasks have theirs.
const TURNS: usize = 64;

/// The network's seed, which nothing is drawn from where nothing goes wrong.
const SEED: u64 = 1;

const NO_RUNTIME: &str = "the test client needs a Tokio runtime of this thread: write #[gannet::test]";

thread_local! {
    /// Those that this thread drives between a test's own steps.
    static WORLDS: RefCell<Vec<Weak<World>>> = const { RefCell::new(Vec::new()) };
}

/// A server without sockets, and its clients' connections.
pub(super) struct World {
    /// What the server logs.
    pub(super) log: Log,
    state: RefCell<State>,
    bell: Arc<Bell>,
    waker: Waker,
}

struct State {
    network: Network,
    server: Server,
    connections: Vec<Connection>,
    services: Services,
    next_port: u16,
    /// What the network's clock showed when Tokio's showed that.
    began: Option<(Moment, Instant)>,
    /// When something is to be done, if nothing happens before.
    alarm: Option<(Moment, Pin<Box<Sleep>>)>,
}

/// What is served, at first without the states that its handlers need.
enum Server {
    Preparing(Pin<Box<dyn Future<Output = Result<States, String>>>>, Option<Box<Worker>>),
    Serving(Box<Worker>),
}

/// What is served, and how.
pub(super) struct Setup {
    pub(super) site: Site,
    pub(super) limits: Limits,
    pub(super) trusted: Networks,
    pub(super) http1_only: bool,
}

/// Wakes everybody who waits for the world.
#[derive(Default)]
struct Bell(Mutex<Vec<Waker>>);

impl Bell {
    /// Is to be woken, once.
    fn attend(&self, waker: &Waker) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.iter().any(|other| other.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let waiting = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// Where the server listens.
fn address() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 1], 80))
}

impl World {
    pub(super) fn new(setup: Setup) -> Rc<World> {
        let network = Network::new(SEED, Faults::none());
        if crate::entry::is_real_time() {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            network.set_calendar(u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
        }
        let services = Services::inline();
        let Setup { site, limits, trusted, http1_only } = setup;
        let states = site.states().to_vec();
        let engine = Engine::new(Box::new(network.engine(Pool::new(BLOCK_BYTES, BLOCKS))));
        let admission = Arc::new(Admission::new(limits.connections, limits.connections_per_address));
        let mailbox = Arc::new(Mailbox::new(BLOCKS));
        let mut worker =
            Worker::new(engine, Arc::new(site), limits, admission, mailbox, &services).with_trusted(&trusted);
        let preamble = Preamble { http1_only, ..Preamble::default() };
        worker.listen_with(Listener::Simulated(address()), preamble).expect("a simulated address");
        let making = Box::pin(async move { States::make(&states).await });
        let bell = Arc::<Bell>::default();
        let world = Rc::new(World {
            log: Log::new(),
            waker: bell.clone().into(),
            bell,
            state: RefCell::new(State {
                network,
                server: Server::Preparing(making, Some(Box::new(worker))),
                connections: Vec::new(),
                services,
                next_port: 49_152, // the first of those that clients are given (RFC 6335, 6)
                began: None,
                alarm: None,
            }),
        });
        WORLDS.with_borrow_mut(|worlds| {
            worlds.retain(|world| world.strong_count() > 0);
            worlds.push(Rc::downgrade(&world));
        });
        world
    }

    /// Begins a request: by a connection that is there and free, else by a new one.
    pub(super) fn begin(&self, outgoing: Outgoing, peer: Option<IpAddr>, http2: bool) -> Rc<Exchange> {
        let exchange = Rc::<Exchange>::default();
        let mut state = self.state.borrow_mut();
        state.connections.retain(|connection| !connection.is_over());
        match state.connections.iter_mut().find(|connection| connection.takes(peer, http2)) {
            Some(connection) => connection.begin(outgoing, exchange.clone()),
            None => match state.connect(peer, http2) {
                Some(mut connection) => {
                    connection.begin(outgoing, exchange.clone());
                    state.connections.push(connection);
                }
                None => exchange.end(Err(Failure::Refused)),
            },
        }
        exchange
    }

    /// What `poll` gives when it is ready; until then the server, and all clients, go on.
    pub(super) async fn until<T>(&self, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
        let all = poll_fn(|context| {
            self.drive(context.waker());
            poll(context)
        });
        // A worker is not to be held up by Tokio's budget for one task: it has many.
        tokio::task::coop::unconstrained(all).await
    }

    /// Does all that can be done now, and sees to it that `waker` is woken when there is more.
    fn drive(&self, waker: &Waker) {
        self.bell.attend(waker);
        // Who drives it already goes on: this is a handler of it.
        let Ok(mut state) = self.state.try_borrow_mut() else { return };
        let mut context = Context::from_waker(&self.waker);
        let _computing = provide_cpu(Rc::new(state.services.cpu.clone()));
        let is_done =
            self.log.keeping(|| (0..TURNS).any(|_| !state.turn(&mut context) && !state.rings(&mut context)));
        if !is_done {
            self.waker.wake_by_ref();
        }
    }
}

/// Drives all that this thread has.
pub(crate) fn drive_all(waker: &Waker) {
    let worlds: Vec<_> = WORLDS.with_borrow(|worlds| worlds.iter().filter_map(Weak::upgrade).collect());
    worlds.iter().for_each(|world| world.drive(waker));
}

impl State {
    /// A connection from a client of this address, or of any.
    fn connect(&mut self, peer: Option<IpAddr>, http2: bool) -> Option<Connection> {
        let connected = match peer {
            None => self.network.connect(address()),
            Some(peer) => {
                self.next_port = self.next_port.checked_add(1).unwrap_or(49_152);
                self.network.connect_from(SocketAddr::new(peer, self.next_port), address())
            }
        };
        connected.ok().map(|client| Connection::new(client, peer, http2))
    }

    /// One turn of everybody; says whether there may be more to do at once.
    fn turn(&mut self, context: &mut Context<'_>) -> bool {
        self.tell_time();
        let Some(worker) = self.server.poll(context) else { return false };
        worker.mailbox().attend(context.waker());
        let turn = worker.turn().expect("the simulated engine always goes on");
        let mut busy = turn == Turn::Busy;
        for connection in &mut self.connections {
            busy |= connection.step(context);
        }
        // Dropped at once, so that the server sees that it was left.
        let before = self.connections.len();
        self.connections.retain(|connection| !connection.is_over());
        busy |= self.connections.len() < before;
        let due = if let Turn::Idle(due) = turn { due } else { None };
        self.set_alarm([due, self.network.next_event()].into_iter().flatten().min());
        busy
    }

    /// The network's time is Tokio's.
    fn tell_time(&mut self) {
        let now = Instant::now();
        let (moment, instant) = *self.began.get_or_insert((self.network.now().moment, now));
        self.network.advance_to(moment.after(now - instant));
    }

    fn set_alarm(&mut self, due: Option<Moment>) {
        if self.alarm.as_ref().map(|(due, _)| *due) == due {
            return;
        }
        self.alarm = due.map(|due| {
            assert!(Handle::try_current().is_ok(), "{NO_RUNTIME}");
            (due, Box::pin(tokio::time::sleep(due.since(self.network.now().moment))))
        });
    }

    /// Whether the moment has come at which something is to be done.
    fn rings(&mut self, context: &mut Context<'_>) -> bool {
        let rings = self.alarm.as_mut().is_some_and(|(_, alarm)| alarm.as_mut().poll(context).is_ready());
        if rings {
            self.alarm = None;
        }
        rings
    }
}

impl Server {
    /// The worker, once it has what its handlers need.
    fn poll(&mut self, context: &mut Context<'_>) -> Option<&mut Worker> {
        if let Server::Preparing(making, worker) = self {
            assert!(Handle::try_current().is_ok(), "{NO_RUNTIME}");
            let Poll::Ready(states) = making.as_mut().poll(context) else { return None };
            let states = states.unwrap_or_else(|error| panic!("the server does not start: {error}"));
            let worker = worker.take().expect("it is prepared once");
            *self = Server::Serving(Box::new(worker.with_states(states)));
        }
        match self {
            Server::Serving(worker) => Some(worker),
            Server::Preparing(..) => None,
        }
    }
}
