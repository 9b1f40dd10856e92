//! Workers on a simulated network, on one thread, and the two clocks they live by.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gannet_client::Takeover;
use gannet_core::{Counter, Networks};
use gannet_engine::sim::{Client, Network};
use gannet_engine::{Engine, Listener, Moment, Pool};
use gannet_server::{Admission, Command, Limits, Mailbox, Preamble, Services, Site, Turn, Worker};

use crate::{site, wire};

/// Turns of one worker at one moment: more means that it works without getting anywhere.
const TURNS: usize = 20_000;

/// A server, or several, and the network they are on.
pub struct World {
    pub network: Network,
    /// Of the first server.
    pub admission: Arc<Admission>,
    workers: Vec<Served>,
    /// What Tokio's clock shows when the network's shows `began`.
    tokio_began: tokio::time::Instant,
    began: Moment,
}

/// One worker, and what is seen of it from outside.
struct Served {
    address: SocketAddr,
    setup: Setup,
    admission: Arc<Admission>,
    worker: Worker,
    pool: Pool,
    mailbox: Arc<Mailbox>,
    deadline: Option<Moment>,
    done: bool,
}

/// How many workers, with what.
#[derive(Clone, Debug)]
pub struct Setup {
    pub workers: usize,
    pub limits: Limits,
    pub block_bytes: usize,
    pub blocks: usize,
    /// What comes before HTTP.
    pub preamble: Preamble,
    /// The proxies that are believed.
    pub trusted: Networks,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            workers: 1,
            limits: Limits::default(),
            block_bytes: 16 * 1024,
            blocks: 1024,
            preamble: Preamble::default(),
            trusted: Networks::none(),
        }
    }
}

/// Where the server listens.
pub fn address() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 1], 80))
}

impl World {
    /// Starts the workers; to be called within a Tokio runtime whose clock is paused.
    pub fn new(network: Network, site: &Arc<Site>, setup: &Setup) -> World {
        site::reset();
        let mut world = World {
            began: network.now().moment,
            tokio_began: tokio::time::Instant::now(),
            network,
            admission: Arc::new(Admission::new(0, 0)),
            workers: Vec::new(),
        };
        world.admission = world.start(address(), site, setup);
        world
    }

    /// Starts the workers of another server.
    pub fn start(&mut self, address: SocketAddr, site: &Arc<Site>, setup: &Setup) -> Arc<Admission> {
        let limits = setup.limits;
        let admission = Arc::new(Admission::new(limits.connections, limits.connections_per_address));
        let takeover = Arc::new(Takeover::new(setup.workers));
        let start = |_| Served::start(&self.network, address, site, &admission, &takeover, setup);
        let workers: Vec<Served> = (0..setup.workers).map(start).collect();
        self.workers.extend(workers);
        admission
    }

    pub fn now(&self) -> Moment {
        self.network.now().moment
    }

    /// Connects a client.
    pub fn connect(&self) -> Client {
        self.network.connect(address()).expect("somebody listens, and the backlog is not full")
    }

    /// Turns all workers until none has anything left to do at this moment.
    pub fn settle(&mut self) {
        for _ in 0..TURNS {
            let mut busy = false;
            for served in &mut self.workers {
                busy |= served.turn();
            }
            if !busy {
                return;
            }
        }
        panic!("{TURNS} turns at one moment: a worker spins");
    }

    /// One turn of each worker.
    pub fn turn(&mut self) {
        for served in &mut self.workers {
            served.turn();
        }
    }

    /// When the next thing happens that does not depend on a client.
    pub fn next_event(&self) -> Option<Moment> {
        let deadlines = self.workers.iter().filter_map(|served| served.deadline);
        let alarm = site::next_alarm(tokio::time::Instant::now());
        let alarm = alarm.map(|alarm| self.began.after(alarm - self.tokio_began));
        deadlines.chain(self.network.next_event()).chain(alarm).min()
    }

    /// Lets both clocks go on to `moment`.
    pub async fn advance_to(&self, moment: Moment) {
        tokio::time::advance(moment.since(self.now())).await;
        self.network.advance_to(moment);
    }

    /// Lets everything happen that happens within `time`, the clients doing nothing.
    pub async fn run(&mut self, time: Duration) {
        let end = self.now().after(time);
        loop {
            self.settle();
            let next = self.next_event().unwrap_or(Moment::NEVER);
            if next > end {
                break;
            }
            self.advance_to(next).await;
        }
        self.advance_to(end).await;
        self.settle();
    }

    pub fn command(&self, command: Command) {
        for served in &self.workers {
            served.mailbox.command(command);
        }
    }

    /// Commands the server at an address only.
    pub fn command_at(&self, address: SocketAddr, command: Command) {
        for served in self.workers.iter().filter(|served| served.address == address) {
            served.mailbox.command(command);
        }
    }

    /// Whether all workers have ended.
    pub fn is_done(&self) -> bool {
        self.workers.iter().all(|served| served.done)
    }

    /// What features, and the client, have counted.
    pub fn counted(&self, counter: Counter) -> u64 {
        self.workers.iter().map(|served| served.worker.counters().counted(counter)).sum()
    }

    /// Connections to upstreams, and requests under way or waiting to be, of all workers.
    pub fn held_by_clients(&self) -> (usize, usize) {
        let held = self.workers.iter().map(|served| served.worker.held_by_client());
        held.fold((0, 0), |(connections, calls), held| (connections + held.0, calls + held.1))
    }

    pub fn connections(&self) -> usize {
        self.workers.iter().map(|served| served.worker.connections()).sum()
    }

    /// Blocks in use, of all workers.
    pub fn blocks(&self) -> usize {
        self.workers.iter().map(|served| served.pool.in_use()).sum()
    }

    /// Blocks and connections of each worker, and what it was started with; connections to upstreams are some.
    pub fn usage(&self) -> impl Iterator<Item = (usize, usize, &Setup)> {
        let connections = |worker: &Worker| worker.connections() + worker.held_by_client().0;
        let workers = self.workers.iter();
        workers.map(move |served| (served.pool.in_use(), connections(&served.worker), &served.setup))
    }

    /// Checks that nothing is held for connections that are gone.
    pub fn assert_nothing_leaked(&self) {
        let held: Vec<_> = self.workers.iter().map(|served| served.worker.held()).collect();
        let report = self.network.report();
        assert_eq!(report.sockets, 0, "sockets are open: {report:?}");
        assert_eq!(self.connections(), 0, "connection slots are in use");
        assert!(
            held.iter().all(|held| *held == (0, 0, 0)),
            "deadlines, copies of heads or wakers are held: {held:?}"
        );
        assert_eq!(self.blocks(), 0, "blocks are in use");
        assert_eq!(
            self.held_by_clients(),
            (0, 0),
            "connections to upstreams, or requests to them, are counted"
        );
        let admitted: usize = self.workers.iter().map(|served| served.admission.open()).sum();
        assert_eq!(admitted, 0, "connections are counted as open");
        let open = self.workers.iter().map(|served| served.worker.counters().open_connections());
        assert_eq!(open.sum::<u64>(), 0, "connections are counted as being in some state");
        assert_eq!(site::live(), 0, "handlers' futures or bodies live on");
    }
}

impl Served {
    fn start(
        network: &Network,
        address: SocketAddr,
        site: &Arc<Site>,
        admission: &Arc<Admission>,
        takeover: &Arc<Takeover>,
        setup: &Setup,
    ) -> Served {
        let pool = Pool::new(setup.block_bytes, setup.blocks);
        let engine = Engine::new(Box::new(network.engine(pool.clone())));
        let mailbox = Arc::new(Mailbox::new(setup.blocks));
        let mut worker = Worker::new(
            engine,
            site.clone(),
            setup.limits,
            admission.clone(),
            mailbox.clone(),
            &Services::inline(),
        )
        .with_trusted(&setup.trusted)
        .with_takeover(takeover.clone());
        let preamble = setup.preamble.clone();
        worker.listen_with(Listener::Simulated(address), preamble).expect("a simulated address");
        if address == self::address() {
            let preamble = Preamble { tls: Some(wire::server_tls()), ..Preamble::default() };
            worker.listen_with(Listener::Simulated(wire::secure_address()), preamble).expect("the same");
        }
        let (admission, setup) = (admission.clone(), setup.clone());
        Served { address, setup, admission, worker, pool, mailbox, deadline: None, done: false }
    }

    /// One turn; says whether there may be more to do at once.
    fn turn(&mut self) -> bool {
        if self.done {
            return false;
        }
        let turn = self.worker.turn().expect("the simulated engine always goes on");
        self.deadline = None;
        match turn {
            Turn::Busy => return true,
            Turn::Done => self.done = true,
            Turn::Idle(deadline) => {
                let now = self.worker.now();
                assert!(deadline.is_none_or(|deadline| deadline > now), "idle until a moment that is over");
                self.deadline = deadline;
            }
        }
        false
    }
}

/// Runs a simulation on a Tokio runtime whose clock is paused.
pub fn simulate<T>(simulation: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime without I/O").block_on(simulation)
}
