//! A worker: an engine, its connections, and the turn that takes them on. Plain code; `host` runs it.

use std::io;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use gannet_core::{Fs, Handler, Networks, States};
use gannet_engine::{Completion, Engine, Listener, Moment, SocketId};

use crate::accept::{self, Listeners, Preamble};
use crate::admission::Admission;
use crate::balance::{Balance, Pending};
use crate::client::Takeover;
use crate::connection::{Connection, Stage};
use crate::limits::Limits;
use crate::local::Local;
use crate::mapped::MappedSends;
use crate::observe::{Limit, Scribe, WorkerCounters};
use crate::offload::Services;
use crate::pulse::Pulse;
use crate::site::{LocalSite, Site};
use crate::wake::{Command, Mailbox, Owner, Wakers, Woken};
use crate::watchdog::{Post, Spares};
use crate::{close, deadline, flush, h2, handshake, link};

/// Completions handled in one turn; what is left is handled in the next, after handlers and timers had theirs.
const COMPLETIONS: usize = 512;

/// Slots that were woken and are looked at in one turn: a message for ten thousand does not keep others waiting until all have it.
const WOKEN: usize = 512;

/// One worker.
pub struct Worker {
    pub(crate) local: Local,
    /// By the socket's slot.
    pub(crate) connections: Vec<Option<Connection>>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) listeners: Listeners,
    /// What comes before HTTP on each listener's connections, by its number.
    pub(crate) preambles: Vec<Preamble>,
    /// What answers there in the site's place.
    pub(crate) handlers: Vec<Option<Rc<dyn Handler>>>,
    /// Accepted, and not let in yet.
    pub(crate) pending: Pending,
    /// So many of those were counted as being beyond the limit.
    pub(crate) counted: usize,
    /// Where those are who wait for a worker that is held up.
    pub(crate) balance: Arc<Balance>,
    /// What others listen with in our stead.
    pub(crate) spares: Arc<Spares>,
    /// Accepting is paused until then.
    pub(crate) accept_again: Option<Moment>,
    /// When resources last ran out.
    pub(crate) starved_at: Option<Moment>,
    drain_deadline: Option<Moment>,
    expired: Vec<u32>,
    /// Connections of which exchanges were woken.
    roused: Vec<u32>,
}

/// What a turn leaves behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// There may be more to do at once.
    Busy,
    /// Nothing is left to do until the engine's descriptor is readable, the mailbox wakes, or this moment comes.
    Idle(Option<Moment>),
    /// Drained, or stopped: there will be nothing more to do.
    Done,
}

impl Worker {
    /// A worker that serves `site` on `engine`, and leaves to `services` what would hold it up.
    pub fn new(
        engine: Engine,
        site: Arc<Site>,
        limits: Limits,
        admission: Arc<Admission>,
        mailbox: Arc<Mailbox>,
        services: &Services,
    ) -> Worker {
        Worker {
            local: Local::new(
                engine,
                LocalSite::new(site),
                limits,
                Wakers::new(mailbox),
                admission.clone(),
                services,
            ),
            connections: Vec::new(),
            admission,
            listeners: Vec::new(),
            preambles: Vec::new(),
            handlers: Vec::new(),
            pending: Pending::new(),
            counted: 0,
            balance: Arc::default(),
            spares: Arc::default(),
            accept_again: None,
            starved_at: None,
            drain_deadline: None,
            expired: Vec::new(),
            roused: Vec::new(),
        }
    }

    /// Which files are sent from a mapping; by default [`MappedSends::Auto`] decides.
    #[must_use]
    pub fn with_mapped_sends(mut self, mapped_sends: MappedSends) -> Worker {
        self.local.mapped_sends = mapped_sends;
        self
    }

    /// Which proxies are believed what they say of a client, in the PROXY protocol's header and in fields; by default none.
    #[must_use]
    pub fn with_trusted(mut self, trusted: &Networks) -> Worker {
        self.local.trust(trusted);
        self
    }

    /// What handlers have in common; by default nothing.
    #[must_use]
    pub fn with_states(mut self, states: States) -> Worker {
        self.local.share_states(states);
        self
    }

    /// Leaves connections to upstreams that it does not need to other workers, and takes theirs.
    #[must_use]
    pub fn with_takeover(mut self, takeover: Arc<Takeover>) -> Worker {
        self.local.client.share(takeover);
        self
    }

    /// Shares what is accepted with other workers, and shows the watchdog what is done.
    pub(crate) fn share(
        &mut self,
        balance: Arc<Balance>,
        spares: Arc<Spares>,
        pulse: Arc<Pulse>,
        takeover: Arc<Takeover>,
    ) {
        self.local.client.share(takeover);
        (self.balance, self.spares, self.local.pulse) = (balance, spares, pulse);
    }

    /// What the watchdog has of this worker.
    pub(crate) fn post(&self) -> Post {
        Post {
            pulse: self.local.pulse.clone(),
            mailbox: self.mailbox().clone(),
            pending: self.pending.stealer(),
            counters: self.counters().clone(),
            spares: self.spares.clone(),
        }
    }

    /// Opens and reads files by another port than the kernel's files.
    #[must_use]
    pub fn with_files(mut self, files: Rc<dyn Fs>) -> Worker {
        Rc::make_mut(&mut self.local.ports).fs = files;
        self
    }

    /// Records for the access log what is served.
    pub(crate) fn log(&mut self, scribe: Scribe) {
        self.local.observer.scribe = Some(scribe);
    }

    /// What this worker counts.
    pub fn counters(&self) -> &Arc<WorkerCounters> {
        &self.local.observer.counters
    }

    /// Accepts from `listener`.
    ///
    /// # Errors
    /// When the engine does not take it.
    pub fn listen(&mut self, listener: Listener) -> io::Result<()> {
        self.listen_with(listener, Preamble::default())
    }

    /// The same, where something comes before HTTP.
    ///
    /// # Errors
    /// As there.
    pub fn listen_with(&mut self, listener: Listener, preamble: Preamble) -> io::Result<()> {
        self.listeners.push(self.local.engine.listen(listener)?);
        self.preambles.push(preamble);
        self.handlers.push(None);
        Ok(())
    }

    /// The same, where one handler answers all that is asked for, and not the site.
    ///
    /// # Errors
    /// As there.
    pub fn listen_aside(
        &mut self,
        listener: Listener,
        preamble: Preamble,
        handler: Rc<dyn Handler>,
    ) -> io::Result<()> {
        self.listen_with(listener, preamble)?;
        self.handlers.pop();
        self.handlers.push(Some(handler));
        Ok(())
    }

    /// One turn: gathers what happened, takes every connection it concerns as far as it goes, and says what is left to do.
    ///
    /// # Errors
    /// When the engine cannot go on.
    pub fn turn(&mut self) -> io::Result<Turn> {
        self.local.pulse.begin_turn();
        let gathered = self.local.engine.poll(Some(Duration::ZERO))?;
        self.local.tell_time(self.local.engine.now());
        let accepted = self.take_completions(gathered.min(COMPLETIONS));
        let told = self.local.letters.open(&self.local.ports);
        let woken = self.take_woken() | told;
        let expired = self.take_expired() | self.local.clock.ring();
        let called = self.take_calls();
        let shook = self.take_handshakes();
        let let_in = accept::let_in(self);
        let listens_again = accept::retry(self);
        let obeyed = self.obey(accepted);
        self.local.observer.end_turn();
        let acted = gathered > 0 || woken || expired || called || shook || let_in || listens_again || obeyed;
        if acted || !self.local.wakers.mailbox().is_empty() {
            return Ok(Turn::Busy);
        }
        if self.is_done() {
            return Ok(Turn::Done);
        }
        Ok(Turn::Idle(self.next_deadline()))
    }

    /// What to await when idle, besides the mailbox and the deadline. None: the engine is simulated.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.local.engine.descriptor()
    }

    /// Where this worker is reached from outside.
    pub fn mailbox(&self) -> &Arc<Mailbox> {
        self.local.wakers.mailbox()
    }

    /// The engine's clock, as of the last turn.
    pub fn now(&self) -> Moment {
        self.local.now()
    }

    /// How many connections there are, also those being closed.
    pub fn connections(&self) -> usize {
        self.connections.iter().flatten().count()
    }

    /// Deadlines that are set; copies of heads that handlers hold; wakers that are leased. Zero of each when there are no connections.
    pub fn held(&self) -> (usize, usize, usize) {
        (
            self.local.timers.len() + self.local.clock.alarms(),
            self.local.heads.copies(),
            self.local.wakers.all_leased(),
        )
    }

    /// Connections to upstreams, those that wait in their pools too; requests to upstreams that are under way or wait to be.
    pub fn held_by_client(&self) -> (usize, usize) {
        self.local.client.held()
    }

    /// Handles up to `most` completions; says whether connections were among them.
    fn take_completions(&mut self, most: usize) -> bool {
        let mut accepted = false;
        for _ in 0..most {
            let Some(completion) = self.local.engine.next_completion() else { break };
            accepted |= matches!(completion, Completion::Accepted(_));
            self.dispatch(completion);
        }
        accepted
    }

    fn dispatch(&mut self, completion: Completion) {
        // A connection to another server is the client's.
        let ours = if self.local.client.has_connected() {
            self.local.with_client(|client, lent| client.take_on(completion, lent))
        } else {
            Some(completion)
        };
        let Some(completion) = ours else { return };
        match completion {
            Completion::Accepted(accepted) => accept::accepted(self, accepted),
            Completion::AcceptFailed { error, .. } => accept::failed(self, &error),
            Completion::Received { socket, block } => {
                if let Some((connection, local)) = self.find(socket) {
                    link::received(connection, block, local);
                }
            }
            Completion::Ended { socket } => {
                if let Some((connection, local)) = self.find(socket) {
                    link::ended(connection, local);
                }
            }
            Completion::ReceiveFailed { socket, .. } => {
                if let Some((connection, local)) = self.find(socket) {
                    link::failed(connection, local);
                }
            }
            Completion::Sent { socket, output, result } => match self.find(socket) {
                Some((connection, local)) => flush::sent(connection, output, result, local),
                None => self.local.recycle_output(output),
            },
            Completion::Closed { socket, output } => {
                if let Some(output) = output {
                    self.local.recycle_output(output);
                }
                accept::closed(self, socket);
            }
            // Only the client connects, and gives sockets away.
            Completion::Connected { .. } | Completion::Released { .. } => {}
        }
    }

    fn find(&mut self, socket: SocketId) -> Option<(&mut Connection, &mut Local)> {
        let connection = self.connections.get_mut(socket.index as usize)?.as_mut()?;
        (connection.socket == socket).then_some((connection, &mut self.local))
    }

    /// Takes on the connections whose handlers were woken; says whether there were any.
    fn take_woken(&mut self) -> bool {
        if self.local.wakers.take_overflow() {
            for connection in self.connections.iter_mut().flatten() {
                connection.wake(&mut self.local);
            }
            self.local.with_client(|client, lent| client.all_woken(lent));
            return true;
        }
        // As many as wait now: those woken meanwhile have their turn in the next.
        let waiting = self.local.wakers.waiting().min(WOKEN);
        if waiting == 0 {
            return false;
        }
        let mut roused = std::mem::take(&mut self.roused);
        for _ in 0..waiting {
            let Some(woken) = self.local.wakers.next() else { break };
            match woken {
                Woken::Slot(index) => self.wake(index),
                Woken::Exchange(owner) => {
                    if self.note_woken(owner) {
                        roused.push(owner.connection);
                    }
                }
            }
        }
        // What all of a connection's exchanges have to say is sent at once.
        for index in roused.drain(..) {
            self.wake(index);
        }
        self.roused = roused;
        true
    }

    /// Takes the connection of a slot on. A slot may have one of each: what was closed, and the engine's news of that waits to be taken.
    fn wake(&mut self, index: u32) {
        if let Some(Some(connection)) = self.connections.get_mut(index as usize) {
            connection.advance(&mut self.local);
        }
        if self.local.client.has_connected() {
            self.local.with_client(|client, lent| client.woken(index, lent));
        }
    }

    /// One of a connection's exchanges was woken; says whether the connection is to be taken on for it.
    fn note_woken(&mut self, owner: Owner) -> bool {
        let ours = self.connections.get_mut(owner.connection as usize).and_then(Option::as_mut);
        ours.is_some_and(|connection| connection.note_woken(owner.exchange))
            || self.local.client.exchange_woken(owner.connection, owner.exchange)
    }

    /// Takes on some of the handshakes that wait; says whether there were any.
    fn take_handshakes(&mut self) -> bool {
        let most = self.local.limits.handshakes_per_turn.max(1);
        let mut any = false;
        for _ in 0..most {
            let Some(socket) = self.local.handshakes.pop_front() else { break };
            any = true;
            if let Some((connection, local)) = self.find(socket) {
                handshake::advance(connection, local);
            }
        }
        any
    }

    /// Begins what handlers have asked of other servers; says whether there was anything.
    fn take_calls(&mut self) -> bool {
        let client = &self.local.client;
        let begins = client.has_calls();
        let sweeps =
            client.has_connected() && client.next_deadline().is_some_and(|due| due <= self.local.now());
        begins && self.local.with_client(|client, lent| client.begin(lent))
            || sweeps && self.local.with_client(|client, lent| client.sweep(lent))
    }

    fn take_expired(&mut self) -> bool {
        let mut expired = std::mem::take(&mut self.expired);
        self.local.timers.expire(self.local.now(), &mut expired);
        let any = !expired.is_empty();
        for index in expired.drain(..) {
            if let Some(Some(connection)) = self.connections.get_mut(index as usize) {
                deadline::passed(connection, &mut self.local);
            }
            self.local.with_client(|client, lent| client.expired(index, lent));
        }
        self.expired = expired;
        any
    }

    /// Does what the mailbox commands; says whether there is more of it to do in the next turn.
    fn obey(&mut self, accepted: bool) -> bool {
        let command = self.mailbox().commanded();
        if command == Command::Run {
            return false;
        }
        let begins = self.drain_deadline.is_none();
        if begins {
            self.begin_drain();
        }
        // When nobody waits in the backlog any more closing the listener resets nobody.
        let closes = !begins && !accepted && accept::end(self);
        let late = self.drain_deadline.is_some_and(|deadline| deadline <= self.local.now());
        let aborts = (command == Command::Stop || late) && self.abort_all();
        if late && aborts {
            self.local.observer.hit(Limit::DRAIN_TIMEOUT);
        }
        begins || closes || aborts
    }

    /// Whether the worker was told to end, and nothing is left.
    fn is_done(&self) -> bool {
        let waits = !self.pending.is_empty() || self.balance.offers() > 0;
        self.drain_deadline.is_some()
            && self.listeners.is_empty()
            && self.local.engine.sockets() == 0
            && !waits
    }

    fn begin_drain(&mut self) {
        self.drain_deadline = Some(self.local.now().after(self.local.limits.drain_timeout));
        self.local.draining = true;
        self.local.ports.draining.begin();
        self.local.with_client(|client, lent| client.drain(lent));
        for connection in self.connections.iter_mut().flatten() {
            match connection.stage {
                Stage::Idle => deadline::await_next_request(connection, &mut self.local),
                Stage::Multiplexed(_) => h2::drain(connection, &mut self.local),
                // What lasts as long as its client does looks whether it is to end.
                Stage::Active(_) | Stage::Conversing(_) => {
                    self.local.wakers.waker(connection.socket.index).wake();
                }
                _ => {}
            }
        }
    }

    /// Closes everything at once; says whether anything was open: the engine tells in the next turn that it let go.
    fn abort_all(&mut self) -> bool {
        accept::end(self);
        let mut any = accept::turn_all_away(self);
        any |= self.local.with_client(|client, lent| client.abort(lent));
        for connection in self.connections.iter_mut().flatten() {
            any |= !matches!(connection.stage, Stage::Closed);
            close::now(connection, &mut self.local);
        }
        any
    }

    fn next_deadline(&self) -> Option<Moment> {
        // What is aborted needs no other deadline than that the engine lets go of it.
        let drained = self.drain_deadline.filter(|deadline| *deadline > self.local.now());
        // Who has connected is who leaves something, and so the one to close it.
        let client = &self.local.client;
        let left = client.next_deadline().filter(|_| client.has_connected());
        let alarm = self.local.clock.next();
        [self.local.timers.next(), alarm, self.accept_again, drained, left].into_iter().flatten().min()
    }
}
