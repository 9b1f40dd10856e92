//! A worker's thread: what it needs to begin, and what its server keeps of it.

use std::io;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use gannet_engine::{BackendKind, Listener};
use tokio::sync::oneshot;

use super::backend;
use super::error::StartError;
use super::{cores, drive};
use crate::admission::Admission;
use crate::limits::Limits;
use crate::mapped::MappedSends;
use crate::observe::{Condition, Scribe, WorkerCounters};
use crate::offload::Services;
use crate::site::Site;
use crate::wake::Mailbox;
use crate::worker::Worker;

/// A worker's thread, as its server sees it.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) counters: Arc<WorkerCounters>,
    pub(super) ended: oneshot::Receiver<io::Result<()>>,
    pub(super) handle: Option<JoinHandle<()>>,
}

/// What a worker's thread needs to begin.
pub(super) struct Plan {
    pub(super) listeners: Vec<Listener>,
    pub(super) site: Arc<Site>,
    pub(super) limits: Limits,
    pub(super) mapped_sends: MappedSends,
    pub(super) admission: Arc<Admission>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) backend: BackendKind,
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
        let worker = backend::engine(self.backend, &self.limits)
            .map_err(|error| StartError::Engine(self.backend.name(), error));
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

impl Thread {
    /// Waits until it has ended, having been told to.
    pub(super) fn join(&mut self) {
        if let Some(handle) = self.handle.take() {
            let _ = handle.join(); // its panic was reported by `wait`, or nobody asked
        }
    }
}
