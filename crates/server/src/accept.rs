//! Step 1, accept: a completion becomes a connection slot.

use std::net::SocketAddr;
use std::time::Duration;

use gannet_engine::{Accepted, ListenerId, SocketId};
use gannet_link::ServerTls;

use crate::connection::{Connection, Stage};
use crate::local::Local;
use crate::observe::Limit;
use crate::tls::Tls;
use crate::worker::Worker;
use crate::{deadline, proxy_header};

/// After a limit was reached or a resource ran out, accepting is tried again this often.
const RETRY: Duration = Duration::from_millis(100);

/// After so long without want of resources, its next occurrence is news.
pub(crate) const QUIET: Duration = Duration::from_secs(60);

/// Connections accepted and not begun that may wait for a place; more are closed.
const WAITING: usize = 1024;

/// Connections of other workers taken in one turn; whoever else is idle takes the others.
const TAKEN: usize = 8;

/// What comes before HTTP on the connections of a listener.
#[derive(Clone, Default, Debug)]
pub struct Preamble {
    /// TLS, if it is spoken there.
    pub tls: Option<ServerTls>,
    /// The PROXY protocol's header, from whoever is trusted; others are turned away.
    pub proxy_protocol: bool,
    /// HTTP/2 is not spoken, whatever a client begins with; with TLS its settings say so, too.
    pub http1_only: bool,
}

impl Preamble {
    /// The same for one worker, which then shares no count of references with the others.
    pub(crate) fn for_worker(&self) -> Preamble {
        Preamble { tls: self.tls.as_ref().map(ServerTls::for_worker), ..*self }
    }
}

/// A connection was accepted. It waits where others reach it while the turn's handlers run, and is begun at the turn's end.
pub(crate) fn accepted(worker: &mut Worker, accepted: Accepted) {
    if worker.pending.len() == WAITING {
        worker.local.observer.hit(Limit::CONNECTIONS);
        turn_away(worker, accepted);
    } else {
        worker.pending.push(accepted);
    }
}

/// Lets in those who wait here, and those whose worker is held up, as far as there are places; those beyond wait, unread, as they
/// would in the backlog. Says whether it let anybody in.
pub(crate) fn let_in(worker: &mut Worker) -> bool {
    if worker.pending.is_empty() && worker.balance.offers() == 0 {
        return false;
    }
    let (mut any, mut taken) = (false, 0);
    while !worker.pending.is_empty() || taken < TAKEN && worker.balance.offers() > 0 {
        if worker.admission.enter().is_err() {
            count_waiting(worker);
            break;
        }
        let accepted = worker.pending.pop().or_else(|| {
            taken += 1;
            worker.balance.take()
        });
        let Some(accepted) = accepted else {
            worker.admission.leave(); // another was faster
            continue;
        };
        if taken > 0 {
            worker.local.observer.counters.taken_over.add(1);
        }
        begin(worker, accepted);
        any = true;
    }
    if worker.admission.is_full() && worker.accept_again.is_none() {
        pause(worker);
    }
    any
}

/// Of those who have to wait each is counted once.
fn count_waiting(worker: &mut Worker) {
    let waiting = worker.pending.len();
    for _ in worker.counted.min(waiting)..waiting {
        worker.local.observer.hit(Limit::CONNECTIONS);
    }
    worker.counted = waiting;
}

/// Begins a connection that has a place, or closes it because of where it comes from.
fn begin(worker: &mut Worker, accepted: Accepted) {
    worker.counted = worker.counted.saturating_sub(1);
    let listener = accepted.listener.0 as usize;
    let preamble = worker.preambles.get(listener);
    let proxy_protocol = preamble.is_some_and(|preamble| preamble.proxy_protocol);
    let http1_only = preamble.is_some_and(|preamble| preamble.http1_only);
    let tls = match preamble.and_then(|preamble| preamble.tls.as_ref()).map(Tls::new).transpose() {
        Ok(tls) => tls.map(Box::new),
        Err(fault) => {
            tracing::error!(%fault, "a session of TLS could not be begun");
            worker.admission.leave();
            return turn_away(worker, accepted);
        }
    };
    let socket = match worker.local.engine.adopt(accepted.connection) {
        Ok(socket) => socket,
        Err(error) => {
            worker.admission.leave();
            return failed(worker, &error);
        }
    };
    let peer = worker.local.engine.peer_address(socket).ok();
    let is_let_in = match proxy_protocol {
        true => proxy_header::may_be_sent_by(peer, &mut worker.local),
        false => is_let_in_from(peer, &worker.local),
    };
    if !is_let_in {
        worker.admission.leave();
        worker.local.observer.counters.refused.add(1);
        return worker.local.engine.close(socket);
    }
    let index = socket.index as usize;
    if worker.connections.len() <= index {
        worker.connections.resize_with(index + 1, || None);
    }
    if let Some(before) = worker.connections[index].take() {
        left(worker, before); // the engine let go of it already, and that news waits to be taken
    }
    worker.local.observer.counters.accepted.add(1);
    let mut connection = Connection::new(socket, peer, tls, proxy_protocol, &mut worker.local);
    connection.facts.http1_only = http1_only;
    connection.facts.aside = worker.handlers.get(listener).cloned().flatten();
    let connection = worker.connections[index].insert(connection);
    worker.local.engine.receive(socket);
    deadline::await_beginning(connection, &mut worker.local);
}

/// Counts a connection as one from there, unless there are as many as may be.
pub(crate) fn is_let_in_from(peer: Option<SocketAddr>, local: &Local) -> bool {
    let is_let_in = local.admission.enter_from(peer.map(|peer| peer.ip())).is_ok();
    if !is_let_in {
        local.observer.hit(Limit::CONNECTIONS_PER_ADDRESS);
    }
    is_let_in
}

/// Closes a connection that was not let in.
fn turn_away(worker: &mut Worker, accepted: Accepted) {
    worker.local.observer.counters.refused.add(1);
    if let Ok(socket) = worker.local.engine.adopt(accepted.connection) {
        worker.local.engine.close(socket);
    }
}

/// Closes all that wait to be let in, here and for whoever takes them; says whether there were any.
pub(crate) fn turn_all_away(worker: &mut Worker) -> bool {
    let mut any = false;
    while let Some(accepted) = worker.pending.pop().or_else(|| worker.balance.take()) {
        turn_away(worker, accepted);
        any = true;
    }
    any
}

/// A resource ran out. Those who are here are served on; the reason is told once, and again only after accepting has long worked:
/// as connections leave, others are let in one by one, and each time it runs out anew.
pub(crate) fn failed(worker: &mut Worker, error: &std::io::Error) {
    worker.local.observer.counters.accept_failures.add(1);
    let now = worker.local.now();
    let before = worker.starved_at.replace(now);
    if before.is_none_or(|moment| moment.after(QUIET) <= now) {
        tracing::warn!(
            %error,
            connections = worker.admission.open(),
            "cannot accept connections; those open are served on. Raise the limit of descriptors (ulimit -n) or lower `connections`"
        );
    }
    pause(worker);
}

/// Listens again when it is time. Says whether it did: then the engine has to be asked once more.
pub(crate) fn retry(worker: &mut Worker) -> bool {
    if worker.accept_again.is_none_or(|moment| moment > worker.local.now()) {
        return false;
    }
    if worker.admission.is_full() {
        worker.accept_again = Some(worker.local.now().after(RETRY));
        return false;
    }
    worker.accept_again = None;
    for listener in &worker.listeners {
        worker.local.engine.resume_accept(*listener);
    }
    true
}

fn pause(worker: &mut Worker) {
    for listener in &worker.listeners {
        worker.local.engine.pause_accept(*listener);
    }
    worker.accept_again = Some(worker.local.now().after(RETRY));
}

/// Ends accepting for good. Says whether it had not ended: then the engine has to be asked once more.
pub(crate) fn end(worker: &mut Worker) -> bool {
    let any = !worker.listeners.is_empty();
    if any {
        worker.spares.close();
    }
    for listener in worker.listeners.drain(..) {
        worker.local.engine.unlisten(listener);
    }
    if any && worker.pending.is_empty() {
        worker.accept_again = None;
    }
    any
}

/// Whether a connection is in the slot, and of this generation.
pub(crate) fn find(worker: &mut Worker, socket: SocketId) -> Option<&mut Connection> {
    let connection = worker.connections.get_mut(socket.index as usize)?.as_mut()?;
    (connection.socket == socket).then_some(connection)
}

/// The engine let go of a socket: the slot is free.
pub(crate) fn closed(worker: &mut Worker, socket: SocketId) {
    if find(worker, socket).is_none() {
        return; // it had been refused
    }
    if let Some(connection) = worker.connections[socket.index as usize].take() {
        left(worker, connection);
    }
}

fn left(worker: &mut Worker, connection: Connection) {
    debug_assert!(matches!(connection.stage, Stage::Closed), "only what we closed is closed");
    worker.local.observer.counters.moves(Some(connection.stage.state()), None);
    if connection.facts.is_counted {
        worker.admission.leave_from(connection.facts.arrival.peer.map(|peer| peer.ip()));
    }
    worker.admission.leave();
    worker.local.recycle_arrival(connection.facts.arrival);
    // Whoever waits for a place, or for a descriptor, has one now.
    worker.accept_again = worker.accept_again.map(|_| worker.local.now());
}

/// The listeners that a worker accepts from.
pub(crate) type Listeners = Vec<ListenerId>;
