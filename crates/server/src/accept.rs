//! Step 1, accept: a completion becomes a connection slot.

use std::time::Duration;

use gannet_engine::{ListenerId, SocketId};

use crate::admission::Refusal;
use crate::connection::{Connection, Stage};
use crate::deadline;
use crate::observe::Limit;
use crate::worker::Worker;

/// After a limit was reached or a resource ran out, accepting is tried again this often.
const RETRY: Duration = Duration::from_millis(100);

/// After so long without want of resources, its next occurrence is news.
const QUIET: Duration = Duration::from_secs(60);

/// Connections accepted beyond the limit that may wait for a place; more are closed.
const WAITING: usize = 1024;

/// A connection was accepted. Accepting comes in batches: those of one that are beyond the limit wait, unread, as they would in the
/// backlog.
pub(crate) fn accepted(worker: &mut Worker, socket: SocketId) {
    if worker.waiting.len() == WAITING {
        worker.local.observer.hit(Limit::CONNECTIONS);
        worker.local.observer.counters.refused.add(1);
        worker.local.engine.close(socket);
    } else if !worker.waiting.is_empty() || !admit(worker, socket) {
        worker.local.observer.hit(Limit::CONNECTIONS);
        worker.waiting.push_back(socket);
    }
    if worker.admission.is_full() {
        pause(worker);
    }
}

/// Lets a connection in, or closes it because of where it comes from; says whether there was room.
fn admit(worker: &mut Worker, socket: SocketId) -> bool {
    let peer = worker.local.engine.peer_address(socket).ok();
    match worker.admission.enter(peer.map(|peer| peer.ip())) {
        Ok(()) => {}
        Err(Refusal::Full) => return false,
        Err(Refusal::Address) => {
            worker.local.observer.hit(Limit::CONNECTIONS_PER_ADDRESS);
            worker.local.observer.counters.refused.add(1);
            worker.local.engine.close(socket);
            return true;
        }
    }
    let index = socket.index as usize;
    if worker.connections.len() <= index {
        worker.connections.resize_with(index + 1, || None);
    }
    worker.local.observer.counters.accepted.add(1);
    let connection = worker.connections[index].insert(Connection::new(socket, peer, &worker.local));
    worker.local.engine.receive(socket);
    deadline::await_first_request(connection, &mut worker.local);
    true
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

/// Lets those in who wait, and listens again, when it is time. Says whether it did: then the engine has to be asked once more.
pub(crate) fn retry(worker: &mut Worker) -> bool {
    if worker.accept_again.is_none_or(|moment| moment > worker.local.now()) {
        return false;
    }
    let mut admitted = false;
    while let Some(socket) = worker.waiting.front().copied().filter(|_| !worker.admission.is_full()) {
        if !admit(worker, socket) {
            break;
        }
        worker.waiting.pop_front();
        admitted = true;
    }
    if worker.admission.is_full() {
        worker.accept_again = Some(worker.local.now().after(RETRY));
        return admitted;
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
    for listener in worker.listeners.drain(..) {
        worker.local.engine.unlisten(listener);
    }
    if worker.waiting.is_empty() {
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
    let connection = worker.connections[socket.index as usize].take().expect("found just now");
    debug_assert!(matches!(connection.stage, Stage::Closed), "only what we closed is closed");
    worker.local.observer.counters.moves(Some(connection.stage.state()), None);
    worker.admission.leave(connection.peer.map(|peer| peer.ip()));
    // Whoever waits for a place, or for a descriptor, has one now.
    worker.accept_again = worker.accept_again.map(|_| worker.local.now());
}

/// The listeners that a worker accepts from.
pub(crate) type Listeners = Vec<ListenerId>;
