//! Starting: listeners, limits, threads; and what is left in the caller's hands.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use gannet_engine::epoll::Epoll;
use gannet_engine::sys::uring::Uring;
use gannet_engine::{Address, Backend, Engine, Listener, Pool};
use tokio::sync::oneshot;

use super::error::StartError;
use super::listening::{self, Listen, SocketFile};
use super::signals::{Asked, Signals};
use super::watch::Watch;
use super::{cores, drive, notify};
use crate::admission::Admission;
use crate::limits::Limits;
use crate::mapped::MappedSends;
use crate::observe::{AccessLog, Bell, Condition, Scribe, WorkerCounters};
use crate::offload::Services;
use crate::site::Site;
use crate::wake::{Command, Mailbox};
use crate::worker::Worker;

/// Descriptors kept for what is not a connection: the engines', the runtimes', the log's.
const RESERVED_DESCRIPTORS: u64 = 64;

/// With fewer connections than this there is no point in starting.
const FEWEST_CONNECTIONS: usize = 16;

/// Blocks that a worker may receive into, beyond two for each connection: one that is its own, and one of the shared part.
const SHARED_BLOCKS: usize = 1024;

/// How to start.
#[derive(Debug)]
pub struct Options {
    /// What to listen on.
    pub listen: Vec<Listen>,
    /// Whether other processes may listen on the same ports (`SO_REUSEPORT`); else a port that another has is an error.
    pub share_port: bool,
    /// Worker threads; 0: one for each core that this process may use.
    pub workers: usize,
    /// Whether each worker is kept on one core of those that this process may use, in turns.
    pub pin: bool,
    /// Which engine.
    pub backend: BackendChoice,
    /// The limits.
    pub limits: Limits,
    /// Where health and metrics are told, if anywhere; port 0 takes a free one.
    pub admin: Option<SocketAddr>,
    /// The access log, if there is to be one.
    pub access_log: Option<AccessLog>,
    /// Which files are sent from a mapping.
    pub mapped_sends: MappedSends,
}

/// Which engine to use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BackendChoice {
    /// The best this machine can run.
    #[default]
    Auto,
    /// epoll(7).
    Epoll,
    /// io_uring(7).
    Uring,
}

/// A server that runs. Dropping it stops it at once.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<Address>,
    /// Those of Unix sockets.
    #[expect(dead_code, reason = "dropping them removes them")]
    files: Vec<SocketFile>,
    backend: &'static str,
    admission: Arc<Admission>,
    workers: Vec<Thread>,
    watch: Watch,
}

/// A worker's thread, as its server sees it.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) counters: Arc<WorkerCounters>,
    pub(super) ended: oneshot::Receiver<io::Result<()>>,
    pub(super) handle: Option<JoinHandle<()>>,
}

/// Listens and starts the workers; when this returns, connections are accepted.
///
/// # Errors
/// See [`StartError`]: nothing runs then.
pub fn start(site: Site, mut options: Options) -> Result<Running, StartError> {
    let affordable = affordable_connections()?;
    options.limits.connections = options.limits.connections.min(affordable);
    let count = match options.workers {
        0 => std::thread::available_parallelism().map_or(1, |cores| cores.get()),
        count => count,
    };
    let opened = listening::open(options.listen, count, options.share_port)?;
    let cores = if options.pin { cores::usable().map_err(StartError::Pin)? } else { Vec::new() };
    let admission =
        Arc::new(Admission::new(options.limits.connections, options.limits.connections_per_address));
    let site = Arc::new(site);
    let services = Services::start(spare_descriptors(affordable, count));
    let backend = options.backend.resolve();
    let (watch, mut scribes) = Watch::start(options.access_log.as_ref(), &site, count, &options.limits)?;
    let mut running = Running {
        addresses: opened.addresses,
        files: opened.files,
        backend: backend.name(),
        admission: admission.clone(),
        workers: Vec::new(),
        watch,
    };
    for (number, listeners) in opened.listeners.into_iter().enumerate() {
        let plan = Plan {
            listeners,
            site: site.clone(),
            limits: options.limits,
            mapped_sends: options.mapped_sends,
            admission: admission.clone(),
            mailbox: Arc::new(Mailbox::new(options.limits.connections + SHARED_BLOCKS)),
            backend,
            scribe: scribes.pop(),
            condition: running.watch.condition().clone(),
            core: cores.get(number % cores.len().max(1)).copied(),
            services: services.clone(),
        };
        running.workers.push(plan.launch(format!("gannet-{number}"))?);
    }
    if let Some(address) = options.admin {
        let counters = running.workers.iter().map(|worker| worker.counters.clone()).collect();
        running.watch.listen(address, counters, &site, backend, &services)?;
    }
    Ok(running)
}

/// Raises the soft limit of descriptors to the hard one, and says how many connections that allows: four of five, so that the
/// others can hold the files that are being sent.
fn affordable_connections() -> Result<usize, StartError> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit); // the soft limit stays as it was if this is forbidden
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let connections =
        usize::try_from(descriptors.saturating_sub(RESERVED_DESCRIPTORS) / 5 * 4).unwrap_or(usize::MAX);
    if connections < FEWEST_CONNECTIONS { Err(StartError::Descriptors(descriptors)) } else { Ok(connections) }
}

/// How many files each worker may keep open between requests: half of what is left beside the connections, and not more than pays.
fn spare_descriptors(connections: usize, workers: usize) -> usize {
    (connections / 8 / workers).min(1024)
}

/// A name that is no backend's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownBackend;

impl std::str::FromStr for BackendChoice {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<BackendChoice, UnknownBackend> {
        [BackendChoice::Auto, BackendChoice::Epoll, BackendChoice::Uring]
            .into_iter()
            .find(|choice| choice.name() == name)
            .ok_or(UnknownBackend)
    }
}

impl fmt::Display for UnknownBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a backend is auto, epoll or uring")
    }
}

impl std::error::Error for UnknownBackend {}

impl BackendChoice {
    /// Auto is io_uring where the kernel has it and allows it: it measures no worse than epoll per small request
    /// (`cargo xtask bench keepalive`).
    fn resolve(self) -> BackendChoice {
        if self != BackendChoice::Auto {
            return self;
        }
        match Uring::new(Pool::new(4096, 1)) {
            Ok(_) => BackendChoice::Uring,
            Err(error) => {
                tracing::info!(%error, "io_uring is not to be had here; using epoll");
                BackendChoice::Epoll
            }
        }
    }

    /// The backend's name, as `--backend` takes it.
    pub fn name(self) -> &'static str {
        match self {
            BackendChoice::Auto => "auto",
            BackendChoice::Epoll => "epoll",
            BackendChoice::Uring => "uring",
        }
    }

    /// An engine for one worker; made on its thread.
    fn engine(self, limits: &Limits) -> io::Result<Engine> {
        let blocks = 2 * limits.connections + SHARED_BLOCKS;
        let backend: Box<dyn Backend> = match self {
            BackendChoice::Uring => Box::new(Uring::new(Pool::new(4 * 1024, blocks))?),
            BackendChoice::Auto | BackendChoice::Epoll => Box::new(Epoll::new(Pool::new(16 * 1024, blocks))?),
        };
        Ok(Engine::new(backend))
    }
}

/// What a worker's thread needs to begin.
pub(super) struct Plan {
    pub(super) listeners: Vec<Listener>,
    pub(super) site: Arc<Site>,
    pub(super) limits: Limits,
    pub(super) mapped_sends: MappedSends,
    pub(super) admission: Arc<Admission>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) backend: BackendChoice,
    /// The one to be kept on.
    pub(super) core: Option<usize>,
    pub(super) services: Services,
    pub(super) scribe: Option<Scribe>,
    pub(super) condition: Arc<Condition>,
}

impl Plan {
    /// Starts the thread, and waits until it accepts connections.
    pub(super) fn launch(self, name: String) -> Result<Thread, StartError> {
        let (began, begun) = mpsc::channel();
        let (finish, ended) = oneshot::channel();
        let mailbox = self.mailbox.clone();
        let work = move || {
            let _working = self.condition.enter();
            let result = self.run(&began);
            let _ = finish.send(result); // nobody waits any more: the server was dropped
        };
        let thread = std::thread::Builder::new().name(name).spawn(work);
        let handle = Some(thread.map_err(StartError::Thread)?);
        match begun.recv() {
            Ok(Ok(counters)) => Ok(Thread { mailbox, counters, ended, handle }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(StartError::Thread(io::Error::other("a worker's thread ended before it began"))),
        }
    }

    fn run(self, began: &mpsc::Sender<Result<Arc<WorkerCounters>, StartError>>) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        if let Some(Err(error)) = self.core.map(cores::pin) {
            let _ = began.send(Err(StartError::Pin(error))); // whoever started us has given up
            return Ok(());
        }
        let worker =
            self.backend.engine(&self.limits).map_err(|error| StartError::Engine(self.backend.name(), error));
        let mut worker = match worker {
            Ok(engine) => {
                Worker::new(engine, self.site, self.limits, self.admission, self.mailbox, &self.services)
                    .with_mapped_sends(self.mapped_sends)
            }
            Err(error) => {
                let _ = began.send(Err(error)); // as above
                return Ok(());
            }
        };
        for listener in self.listeners {
            worker.listen(listener)?;
        }
        if let Some(scribe) = self.scribe {
            worker.log(scribe);
        }
        let _ = began.send(Ok(worker.counters().clone())); // as above
        runtime.block_on(drive(&mut worker))
    }
}

impl Running {
    /// Where the server listens, with the ports it was given.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// The same without Unix sockets.
    pub fn socket_addresses(&self) -> Vec<SocketAddr> {
        self.addresses.iter().filter_map(Address::internet).collect()
    }

    /// The engine that runs.
    pub fn backend(&self) -> &'static str {
        self.backend
    }

    /// How many workers there are.
    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// Connections that are open.
    pub fn connections(&self) -> usize {
        self.admission.open()
    }

    /// Where health and metrics are told, with the port it was given.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.watch.address()
    }

    /// Opens the file of the access log anew, so that one that was moved away gets no more lines.
    pub fn reopen_access_log(&self) {
        self.watch.reopen();
    }

    /// Accepts what waits, finishes what runs, and begins nothing else; [`wait`](Running::wait) then ends.
    pub fn drain(&self) {
        self.command(Command::Drain);
    }

    /// Ends at once.
    pub fn stop(&self) {
        self.command(Command::Stop);
    }

    fn command(&self, command: Command) {
        self.orders().give(command);
    }

    fn orders(&self) -> Orders {
        Orders {
            mailboxes: self.workers.iter().map(|worker| worker.mailbox.clone()).collect(),
            condition: self.watch.condition().clone(),
            log: self.watch.bell(),
        }
    }

    /// Waits until all workers have ended, and the access log is written. The admin listener ends last.
    ///
    /// # Errors
    /// When an engine could not go on. The other workers are stopped.
    pub async fn wait(&mut self) -> io::Result<()> {
        let mut outcome = Ok(());
        for number in 0..self.workers.len() {
            let gone = || Err(io::Error::other(format!("worker {number} panicked; this is a bug in Gannet")));
            let result = (&mut self.workers[number].ended).await.unwrap_or_else(|_| gone());
            if result.is_err() {
                self.stop();
                outcome = outcome.and(result);
            }
        }
        self.watch.end().await;
        outcome
    }

    /// Waits, draining at the first `SIGTERM` or `SIGINT` and ending at once at the second.
    ///
    /// # Errors
    /// As [`wait`](Running::wait), and when signals cannot be awaited.
    pub async fn wait_for_signals(&mut self) -> io::Result<()> {
        self.obey(Signals::listen()?).await
    }

    /// The same for signals that were listened for before the server started, so that none in between is missed. A service manager
    /// that wants to know (`NOTIFY_SOCKET`, sd_notify(3)) is told `READY=1` now and `STOPPING=1` at the signal.
    ///
    /// # Errors
    /// As [`wait`](Running::wait).
    pub async fn obey(&mut self, mut signals: Signals) -> io::Result<()> {
        notify::tell(notify::READY);
        let orders = self.orders();
        let obey = async move {
            let mut command = Command::Drain;
            loop {
                match signals.next().await {
                    Asked::End(signal) => {
                        tracing::info!(signal, "{}", command.told());
                        notify::tell(notify::STOPPING);
                        orders.give(command);
                        command = Command::Stop;
                    }
                    Asked::Reopen => orders.reopen(),
                }
            }
        };
        tokio::select! { result = self.wait() => result, never = obey => never }
    }
}

/// What reaches a server that runs, from wherever.
struct Orders {
    mailboxes: Vec<Arc<Mailbox>>,
    condition: Arc<Condition>,
    log: Option<Arc<Bell>>,
}

impl Orders {
    fn give(&self, command: Command) {
        self.condition.drain();
        self.mailboxes.iter().for_each(|mailbox| mailbox.command(command));
    }

    fn reopen(&self) {
        if let Some(log) = &self.log {
            log.reopen();
        }
    }
}

impl Command {
    fn told(self) -> &'static str {
        match self {
            Command::Stop => "ending at once",
            _ => "finishing what runs; a second signal ends at once",
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        self.workers.iter_mut().for_each(Thread::join);
        self.watch.stop();
    }
}

impl Thread {
    /// Waits until it has ended, having been told to.
    pub(super) fn join(&mut self) {
        if let Some(handle) = self.handle.take() {
            let _ = handle.join(); // its panic was reported by `wait`, or nobody asked
        }
    }
}
