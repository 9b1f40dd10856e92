//! Starting: listeners, limits, threads.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use gannet_core::Networks;
use gannet_engine::Listener;
use gannet_engine::sys::process::{most_descriptors, raise_most_descriptors};

use super::backend::{BackendChoice, SHARED_BLOCKS};
use super::cores;
use super::error::{StartError, said};
use super::listening::{self, ListenerOptions};
use super::renewal::Renewal;
use super::running::Running;
use super::thread::Plan;
use super::watch::Watch;
use crate::admission::Admission;
use crate::balance::Balance;
use crate::client::Takeover;
use crate::limits::Limits;
use crate::mapped::MappedSends;
use crate::observe::AccessLog;
use crate::offload::Services;
use crate::site::Site;
use crate::watchdog::{Spares, Watchdog};

/// Descriptors kept for what is not a connection: the engines', the runtimes', the log's.
const RESERVED_DESCRIPTORS: u64 = 64;

/// With fewer connections than this there is no point in starting.
const FEWEST_CONNECTIONS: usize = 16;

/// How to start.
#[derive(Debug)]
pub struct Options {
    /// What to listen on.
    pub listen: Vec<ListenerOptions>,
    /// The proxies that are believed what they say of a client: in the PROXY protocol's header, and in fields.
    pub trusted: Networks,
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
    /// Whether handlers send requests to other servers: descriptors are left for the connections to those.
    pub upstreams: bool,
    /// Where health and metrics are told, if anywhere; port 0 takes a free one.
    pub admin: Option<SocketAddr>,
    /// The access log, if there is to be one.
    pub access_log: Option<AccessLog>,
    /// Which files are sent from a mapping.
    pub mapped_sends: MappedSends,
}

/// Listens and starts the workers; when this returns, connections are accepted.
///
/// # Errors
/// See [`StartError`]: nothing runs then.
pub fn start(site: Site, mut options: Options) -> Result<Running, StartError> {
    let affordable = affordable_connections()?;
    // A connection may need another, to an upstream.
    let affordable = if options.upstreams { affordable / 2 } else { affordable };
    options.limits.connections = options.limits.connections.min(affordable);
    let count = match options.workers {
        0 => std::thread::available_parallelism().map_or(1, |cores| cores.get()),
        count => count,
    };
    let opened = listening::open(options.listen, count, options.share_port)?;
    let cores = if options.pin { cores::for_workers().map_err(StartError::Pin)? } else { Vec::new() };
    let admission =
        Arc::new(Admission::new(options.limits.connections, options.limits.connections_per_address));
    let site = Arc::new(site);
    let services = Services::start(spare_descriptors(affordable, count));
    let (backend, refusal) = options.backend.resolve(options.upstreams);
    let (watch, mut scribes) = Watch::start(options.access_log.as_ref(), &site, count, &options.limits)?;
    let mut running = Running {
        addresses: opened.addresses,
        aside: opened.aside,
        files: opened.files,
        backend: backend.name(),
        admission: admission.clone(),
        workers: Vec::new(),
        watch,
        watchdog: None,
        renewal: Renewal::start(opened.preambles.iter()).map_err(StartError::Thread)?,
    };
    let balance = Arc::<Balance>::default();
    let takeover = Arc::new(Takeover::new(count));
    for (number, listeners) in opened.listeners.into_iter().enumerate() {
        let copies = listeners.iter().map(Listener::try_clone).collect::<io::Result<_>>();
        let spares = Spares::new(copies.map_err(StartError::Copy)?);
        let plan = Plan {
            listeners,
            preambles: opened.preambles.clone(),
            handlers: opened.handlers.clone(),
            trusted: options.trusted.clone(),
            site: site.clone(),
            limits: options.limits,
            mapped_sends: options.mapped_sends,
            admission: admission.clone(),
            slots: 2 * options.limits.connections + SHARED_BLOCKS,
            balance: balance.clone(),
            spares: Arc::new(spares),
            takeover: takeover.clone(),
            backend,
            scribe: scribes.pop(),
            condition: running.watch.condition().clone(),
            core: cores.get(number % cores.len().max(1)).copied(),
            services: services.clone(),
        };
        running.workers.push(plan.launch(&format!("gannet-{number}"))?);
    }
    let posts = running.workers.iter_mut().filter_map(|worker| worker.post.take()).collect();
    let watchdog = Watchdog::start(posts, balance, admission, site.route_names(), options.limits.worker_hold);
    running.watchdog = Some(watchdog.map_err(StartError::Thread)?);
    if let Some(address) = options.admin {
        let counters = running.workers.iter().map(|worker| worker.counters.clone()).collect();
        running.watch.listen(address, counters, &site, backend, &services)?;
    }
    if let Some(error) = refusal {
        tracing::info!(reason = said(&error), "serving on epoll, since io_uring is not to be had");
    }
    Ok(running)
}

/// Raises the soft limit of descriptors to the hard one, and says how many connections that allows: four of five, so that the
/// others can hold the files that are being sent.
fn affordable_connections() -> Result<usize, StartError> {
    raise_most_descriptors();
    let descriptors = most_descriptors().unwrap_or(u64::MAX);
    let connections =
        usize::try_from(descriptors.saturating_sub(RESERVED_DESCRIPTORS) / 5 * 4).unwrap_or(usize::MAX);
    if connections < FEWEST_CONNECTIONS { Err(StartError::Descriptors(descriptors)) } else { Ok(connections) }
}

/// How many files each worker may keep open between requests: half of what is left beside the connections, and not more than pays.
fn spare_descriptors(connections: usize, workers: usize) -> usize {
    (connections / 8 / workers).min(1024)
}
