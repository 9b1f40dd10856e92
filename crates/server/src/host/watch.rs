//! What watches the server: the access log's writer and the admin listener. They begin before what they watch is used, and end after it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use gannet_core::Networks;
use gannet_engine::{BackendKind, Listener};
use tokio::sync::oneshot;

use super::error::StartError;
use super::thread::{Plan, Thread};
use crate::accept::Preamble;
use crate::admission::Admission;
use crate::limits::Limits;
use crate::mapped::MappedSends;
use crate::observe::{AccessLog, Bell, Condition, LogWriter, Overview, Scribe, WorkerCounters, admin_site};
use crate::offload::Services;
use crate::site::Site;
use crate::threads;
use crate::wake::Command;

/// Connections to the admin listener at a time: a few probes and collectors.
const ADMIN_CONNECTIONS: usize = 64;

/// What watches one server.
#[derive(Debug)]
pub(super) struct Watch {
    condition: Arc<Condition>,
    log: Option<LogWriter>,
    admin: Option<Admin>,
    started: SystemTime,
}

#[derive(Debug)]
struct Admin {
    address: SocketAddr,
    thread: Thread,
}

impl Watch {
    /// Begins the access log, if there is to be one, and gives each worker its end of it.
    pub(super) fn start(
        log: Option<&AccessLog>,
        site: &Site,
        workers: usize,
        limits: &Limits,
    ) -> Result<(Watch, Vec<Scribe>), StartError> {
        let (log, scribes) = match log {
            Some(log) => {
                let started = log.start(site.route_names(), workers, limits);
                let (log, scribes) =
                    started.map_err(|error| StartError::AccessLog(log.destination.clone(), error))?;
                (Some(log), scribes)
            }
            None => (None, Vec::new()),
        };
        let watch = Watch { condition: Arc::default(), log, admin: None, started: SystemTime::now() };
        Ok((watch, scribes))
    }

    /// Begins the admin listener, on a worker of its own.
    pub(super) fn listen(
        &mut self,
        address: SocketAddr,
        workers: Vec<Arc<WorkerCounters>>,
        site: &Site,
        backend: BackendKind,
        services: &Services,
    ) -> Result<(), StartError> {
        let failed = |error| StartError::Admin(address, error);
        let address = Listener::probe(address).map_err(failed)?;
        let listener = Listener::bind(address, false).map_err(failed)?;
        let overview = Overview {
            workers,
            routes: site.route_names(),
            log: self.log.as_ref().map(|log| log.counters().clone()),
            condition: self.condition.clone(),
            backend: backend.name(),
            started: self.started,
        };
        let limits = Limits { connections: ADMIN_CONNECTIONS, ..Limits::default() };
        let plan = Plan {
            core: None,
            listeners: vec![listener],
            preambles: vec![Preamble::default()],
            handlers: vec![None],
            trusted: Networks::none(),
            site: Arc::new(admin_site(Arc::new(overview))),
            limits,
            admission: Arc::new(Admission::new(limits.connections, limits.connections_per_address)),
            slots: limits.connections,
            balance: Arc::default(),
            spares: Arc::default(),
            takeover: Arc::default(),
            backend,
            services: services.clone(),
            mapped_sends: MappedSends::default(),
            scribe: None,
            condition: Arc::default(),
        };
        self.admin = Some(Admin { address, thread: plan.launch("gannet-admin")? });
        Ok(())
    }

    pub(super) fn condition(&self) -> &Arc<Condition> {
        &self.condition
    }

    /// Where the admin listener is.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|admin| admin.address)
    }

    /// What opens the access log anew.
    pub(super) fn bell(&self) -> Option<Arc<Bell>> {
        self.log.as_ref().map(|log| log.bell().clone())
    }

    pub(super) fn reopen(&self) {
        if let Some(log) = &self.log {
            log.bell().reopen();
        }
    }

    /// After the workers: writes what is left of the log, then ends the admin listener. Whoever awaits this is not held up, however
    /// slow the log is.
    pub(super) async fn end(&mut self) {
        if let Some(log) = self.log.take() {
            log.close();
            let (finish, finished) = oneshot::channel::<()>();
            let wait = move || {
                log.wait();
                drop(finish);
            };
            // Where no thread can be had the log's own still writes what it can.
            if threads::spawn("gannet-end", wait).is_ok() {
                let _ = finished.await; // it ends by being dropped
            }
        }
        if let Some(mut admin) = self.admin.take() {
            admin.thread.mailbox.command(Command::Stop);
            tell((&mut admin.thread.ended).await.unwrap_or_else(|_| Err(io::Error::other("it panicked"))));
            admin.thread.join();
        }
    }

    /// As [`end`](Watch::end), of a server that is dropped.
    pub(super) fn stop(&mut self) {
        if let Some(log) = self.log.take() {
            log.close();
            log.wait();
        }
        if let Some(mut admin) = self.admin.take() {
            admin.thread.mailbox.command(Command::Stop);
            admin.thread.join();
        }
    }
}

/// The admin listener's end is no reason for the server's.
fn tell(result: io::Result<()>) {
    if let Err(error) = result {
        tracing::error!(%error, "the admin listener ended on its own");
    }
}
