//! Two workers on threads of their own, and what is left of them at the end.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use gannet_engine::epoll::Epoll;
use gannet_engine::sys::uring::Uring;
use gannet_engine::{Backend, Engine, Listener, Pool};
use gannet_server::host::drive;
use gannet_server::{Admission, Command, Limits, Mailbox, Services, Site, Worker};

use crate::site;

const WORKERS: usize = 2;
const BLOCK_BYTES: usize = 4 * 1024;
const BLOCKS: usize = 4096;
/// How long the server's side of a connection may outlive its client: longer than every deadline below.
const QUIET_WITHIN: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(20);

/// Servers of a load; dropping it leaves the threads to the process's end.
pub struct Server {
    address: SocketAddr,
    admission: Arc<Admission>,
    mailboxes: Vec<Arc<Mailbox>>,
    ends: Vec<Receiver<Result<(), String>>>,
}

/// What a worker's thread needs.
struct Plan {
    backend: String,
    listener: Listener,
    site: Arc<Site>,
    admission: Arc<Admission>,
    mailbox: Arc<Mailbox>,
    services: Services,
}

/// Short enough that clients which stall run into each.
fn limits() -> Limits {
    let seconds = Duration::from_secs;
    Limits {
        head_timeout: seconds(3),
        body_grace: seconds(3),
        write_timeout: seconds(3),
        idle_timeout: seconds(4),
        linger_timeout: seconds(1),
        ..Limits::default()
    }
}

impl Server {
    pub fn start(backend: &str, folder: &Path) -> Result<Server, String> {
        let failed = |error: std::io::Error| format!("the server did not start: {error}");
        let limits = limits();
        let admission = Arc::new(Admission::new(limits.connections, limits.connections_per_address));
        let (site, services) = (Arc::new(site::build(folder)?), Services::start(16));
        let mut address = SocketAddr::from(([127, 0, 0, 1], 0));
        let (mut mailboxes, mut ends) = (Vec::new(), Vec::new());
        for _ in 0..WORKERS {
            let listener = Listener::bind(address, true).map_err(failed)?;
            let bound = listener.local_address().map_err(failed)?;
            address = bound.internet().ok_or("a TCP socket has an internet address")?;
            let mailbox = Arc::new(Mailbox::new(BLOCKS));
            mailboxes.push(mailbox.clone());
            let (backend, site, admission, services) =
                (backend.to_owned(), site.clone(), admission.clone(), services.clone());
            let plan = Plan { backend, listener, site, admission, mailbox, services };
            let (tell, end) = mpsc::channel();
            // Whoever is told has given up where nobody listens.
            thread::spawn(move || drop(tell.send(plan.run())));
            ends.push(end);
        }
        Ok(Server { address, admission, mailboxes, ends })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until no connection is open.
    pub fn wait_for_quiet(&self) -> Result<(), String> {
        let begun = Instant::now();
        while self.admission.open() > 0 {
            if begun.elapsed() > QUIET_WITHIN {
                return Err(format!("{} connections outlived their clients", self.admission.open()));
            }
            thread::sleep(GLANCE);
        }
        Ok(())
    }

    /// Drains the workers, each of which must end with nothing left.
    pub fn end(self) -> Result<(), String> {
        self.mailboxes.iter().for_each(|mailbox| mailbox.command(Command::Drain));
        for end in &self.ends {
            let ended = end.recv_timeout(QUIET_WITHIN);
            ended.map_err(|_| "a worker does not end, or panicked: sockets are left")??;
        }
        Ok(())
    }
}

impl Plan {
    fn run(self) -> Result<(), String> {
        let name = if self.backend == "uring" { "io_uring" } else { &self.backend };
        let failed = |error: std::io::Error| format!("{name}: {error}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let pool = Pool::new(BLOCK_BYTES, BLOCKS);
        let backend: Box<dyn Backend> = match self.backend.as_str() {
            "epoll" => Box::new(Epoll::new(pool.clone()).map_err(failed)?),
            "uring" => Box::new(Uring::new(pool.clone()).map_err(failed)?),
            other => return Err(format!("no backend `{other}`")),
        };
        let engine = Engine::new(backend);
        let mut worker =
            Worker::new(engine, self.site, limits(), self.admission, self.mailbox, &self.services);
        worker.listen(self.listener).map_err(failed)?;
        runtime.block_on(drive(&mut worker)).map_err(failed)?;
        let (deadlines, heads, wakers) = worker.held();
        let (connections, counted) = (worker.connections(), worker.counters().open_connections());
        if self.backend == "uring" {
            // Its ring of buffers holds blocks as long as the engine lives, more of them the more a turn has needed.
            drop(worker);
        }
        let left = [
            (connections, "connection slots"),
            (usize::try_from(counted).unwrap_or(usize::MAX), "connections counted as open"),
            (deadlines, "deadlines"),
            (heads, "copies of heads"),
            (wakers, "wakers that are leased"),
            (pool.in_use(), "blocks"),
            (site::live(), "futures and bodies of handlers"),
        ];
        let left: Vec<String> = left
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if left.is_empty() { Ok(()) } else { Err(format!("left of a worker: {}", left.join(", "))) }
    }
}
