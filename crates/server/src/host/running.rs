//! A server that runs, in the hands of whoever started it.

use std::future::{pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use gannet_engine::Address;

use super::listening::SocketFile;
use super::notify;
use super::renewal::{self, Renewal};
use super::signals::{Asked, Signals};
use super::thread::Thread;
use super::watch::Watch;
use crate::admission::Admission;
use crate::observe::{Bell, Condition};
use crate::wake::{Command, Mailbox};
use crate::watchdog::{Control, Watchdog};

/// A server that runs. Dropping it stops it at once.
#[derive(Debug)]
pub struct Running {
    pub(super) addresses: Vec<Address>,
    /// Those where something else than the site answers.
    pub(super) aside: Vec<Address>,
    /// Those of Unix sockets.
    #[expect(dead_code, reason = "dropping them removes them")]
    pub(super) files: Vec<SocketFile>,
    pub(super) backend: &'static str,
    pub(super) admission: Arc<Admission>,
    pub(super) workers: Vec<Thread>,
    pub(super) watch: Watch,
    pub(super) watchdog: Option<Watchdog>,
    pub(super) renewal: Option<Renewal>,
}

impl Running {
    /// Where the server listens for what the site answers, with the ports it was given.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Where it listens for what a handler of the listener's own answers: a redirect.
    pub fn addresses_aside(&self) -> &[Address] {
        &self.aside
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

    /// Looks now whether the files of certificates have changed, which is done every ten seconds anyway.
    pub fn look_at_certificates(&self) {
        if let Some(renewal) = &self.renewal {
            renewal.bell().ring();
        }
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
            certificates: self.renewal.as_ref().map(|renewal| renewal.bell().clone()),
            watchdog: self.watchdog.as_ref().map(|watchdog| watchdog.control().clone()),
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
        if outcome.is_ok() {
            tracing::info!("the server has ended");
        }
        outcome
    }

    /// Waits, draining when `shutdown` is done.
    ///
    /// # Errors
    /// As [`wait`](Running::wait).
    pub async fn drain_after(&mut self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let orders = self.orders();
        let obey = async move {
            shutdown.await;
            orders.give(Command::Drain);
            pending().await
        };
        either(self.wait(), obey).await
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
        either(self.wait(), obey).await
    }
}

/// What the one of both gives that is done first.
async fn either<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> T {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|context| match one.as_mut().poll(context) {
        Poll::Pending => other.as_mut().poll(context),
        ready => ready,
    })
    .await
}

/// What reaches a server that runs, from wherever.
struct Orders {
    mailboxes: Vec<Arc<Mailbox>>,
    condition: Arc<Condition>,
    log: Option<Arc<Bell>>,
    certificates: Option<Arc<renewal::Bell>>,
    watchdog: Option<Arc<Control>>,
}

impl Orders {
    fn give(&self, command: Command) {
        self.condition.drain();
        // Before the workers hear of it: what was offered they find before they end.
        self.watchdog.iter().for_each(|watchdog| watchdog.retire());
        self.mailboxes.iter().for_each(|mailbox| mailbox.command(command));
    }

    fn reopen(&self) {
        if let Some(log) = &self.log {
            log.reopen();
        }
        if let Some(certificates) = &self.certificates {
            certificates.ring();
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
