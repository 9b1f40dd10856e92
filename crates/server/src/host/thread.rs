//! A worker's thread: what it needs to begin, and what its server keeps of it.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use gannet_core::{HandlerFactory, Networks, States};
use gannet_engine::sys::process::stay_on_core;
use gannet_engine::{BackendKind, Listener};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::backend;
use super::drive;
use super::error::StartError;
use crate::accept::Preamble;
use crate::admission::Admission;
use crate::balance::Balance;
use crate::client::Takeover;
use crate::limits::Limits;
use crate::mapped::MappedSends;
use crate::observe::{Condition, Scribe, WorkerCounters};
use crate::offload::Services;
use crate::pulse::Pulse;
use crate::site::Site;
use crate::threads;
use crate::wake::Mailbox;
use crate::watchdog::{Post, Spares};
use crate::worker::Worker;

/// A worker's thread, as its server sees it.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) counters: Arc<WorkerCounters>,
    /// For the watchdog, if there is one.
    pub(super) post: Option<Post>,
    pub(super) ended: oneshot::Receiver<io::Result<()>>,
    pub(super) handle: Option<JoinHandle<()>>,
}

/// What a worker's thread needs to begin.
pub(super) struct Plan {
    pub(super) listeners: Vec<Listener>,
    /// What comes before HTTP on each, in the same order.
    pub(super) preambles: Vec<Preamble>,
    /// What answers there in the site's place.
    pub(super) handlers: Vec<Option<HandlerFactory>>,
    pub(super) trusted: Networks,
    pub(super) site: Arc<Site>,
    pub(super) limits: Limits,
    pub(super) mapped_sends: MappedSends,
    pub(super) admission: Arc<Admission>,
    /// Slots that the mailbox has room for.
    pub(super) slots: usize,
    pub(super) balance: Arc<Balance>,
    pub(super) spares: Arc<Spares>,
    pub(super) takeover: Arc<Takeover>,
    pub(super) backend: BackendKind,
    /// The one to be kept on.
    pub(super) core: Option<usize>,
    pub(super) services: Services,
    pub(super) scribe: Option<Scribe>,
    pub(super) condition: Arc<Condition>,
}

impl Plan {
    /// Starts the thread, and waits until it accepts connections.
    pub(super) fn launch(self, name: &str) -> Result<Thread, StartError> {
        let (began, begun) = mpsc::channel();
        let (finish, ended) = oneshot::channel();
        let work = move || {
            let _working = self.condition.enter();
            let result = self.run(&began);
            let _ = finish.send(result); // nobody waits any more: the server was dropped
        };
        let handle = Some(threads::spawn(name, work).map_err(StartError::Thread)?);
        match begun.recv() {
            Ok(Ok(post)) => Ok(Thread {
                mailbox: post.mailbox.clone(),
                counters: post.counters.clone(),
                post: Some(post),
                ended,
                handle,
            }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(StartError::Thread(io::Error::other("a worker's thread ended before it began"))),
        }
    }

    /// First of all the thread goes to its core: what a thread is first to touch is memory of the node that it runs on (set_mempolicy(2)),
    /// and all that the worker has is made here.
    fn run(self, began: &mpsc::Sender<Result<Post, StartError>>) -> io::Result<()> {
        if let Some(Err(error)) = self.core.map(stay_on_core) {
            let _ = began.send(Err(StartError::Pin(error))); // whoever started us has given up
            return Ok(());
        }
        let pulse = Arc::<Pulse>::default();
        let _leaving = Leaving { pulse: pulse.clone(), spares: self.spares.clone() };
        let _computing = gannet_core::provide_cpu(Rc::new(self.services.cpu.clone()));
        let runtime = runtime(&pulse, &self.balance)?;
        let worker = backend::engine(self.backend, &self.limits)
            .map_err(|error| StartError::Engine(self.backend.name(), error));
        // States come last: they may take long, and what fails otherwise fails at once.
        let made = worker.and_then(|engine| {
            let states = runtime.block_on(States::make(self.site.states())).map_err(StartError::State)?;
            Ok((engine, states))
        });
        let (engine, states) = match made {
            Ok(made) => made,
            Err(error) => {
                let _ = began.send(Err(error)); // as above
                return Ok(());
            }
        };
        let mailbox = Arc::new(Mailbox::new(self.slots));
        let mut worker = Worker::new(engine, self.site, self.limits, self.admission, mailbox, &self.services)
            .with_mapped_sends(self.mapped_sends)
            .with_trusted(&self.trusted)
            .with_states(states);
        worker.share(self.balance, self.spares, pulse, self.takeover);
        for ((listener, preamble), handler) in
            self.listeners.into_iter().zip(self.preambles).zip(self.handlers)
        {
            match handler {
                None => worker.listen_with(listener, preamble.for_worker())?,
                Some(make) => worker.listen_aside(listener, preamble.for_worker(), make())?,
            }
        }
        if let Some(scribe) = self.scribe {
            worker.log(scribe);
        }
        let _ = began.send(Ok(worker.post())); // as above
        runtime.block_on(drive(&mut worker))
    }
}

/// The runtime of the current thread, which shows when it sleeps.
fn runtime(pulse: &Arc<Pulse>, balance: &Arc<Balance>) -> io::Result<Runtime> {
    let (asleep, awake, balance) = (pulse.clone(), pulse.clone(), balance.clone());
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.on_thread_park(move || asleep.sleep()).on_thread_unpark(move || {
        awake.wake();
        balance.watchdog.wake_one();
    });
    builder.enable_io().enable_time().build()
}

/// However the thread ends, the watchdog does not take it for one that is held up, and nobody listens in its stead.
struct Leaving {
    pulse: Arc<Pulse>,
    spares: Arc<Spares>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.pulse.sleep();
        self.spares.close();
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
