//! Step 1, accept: a completion becomes a connection slot.

use std::time::Duration;

use gannet_engine::{ListenerId, SocketId};

use crate::admission::Refusal;
use crate::connection::{Connection, Stage};
use crate::deadline;
use crate::worker::Worker;

/// After a limit was reached or a resource ran out, accepting is tried again this often.
const RETRY: Duration = Duration::from_millis(100);

/// After so long without want of resources, its next occurrence is news.
const QUIET: Duration = Duration::from_secs(60);

/// A connection was accepted.
pub(crate) fn accepted(worker: &mut Worker, socket: SocketId) {
    let peer = worker.local.engine.peer_address(socket).ok();
    if let Err(refusal) = worker.admission.enter(peer.map(|peer| peer.ip())) {
        refuse(worker, socket, refusal);
        return;
    }
    let index = socket.index as usize;
    if worker.connections.len() <= index {
        worker.connections.resize_with(index + 1, || None);
    }
    let connection = worker.connections[index].insert(Connection::new(socket, peer));
    worker.local.engine.receive(socket);
    deadline::await_first_request(connection, &mut worker.local);
    if worker.admission.is_full() {
        pause(worker);
    }
}

/// A resource ran out. Those who are here are served on; the reason is told once, and again only after accepting has long worked:
/// as connections leave, others are let in one by one, and each time it runs out anew.
pub(crate) fn failed(worker: &mut Worker, error: &std::io::Error) {
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

/// Listens again, when it is time. Says whether it does: then the engine has to be asked once more.
pub(crate) fn retry(worker: &mut Worker) -> bool {
    let due = worker.accept_again.is_some_and(|moment| moment <= worker.local.now());
    if !due || worker.local.draining {
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

fn refuse(worker: &mut Worker, socket: SocketId, refusal: Refusal) {
    worker.local.engine.close(socket);
    if refusal == Refusal::Full {
        pause(worker);
    }
}

/// Ends accepting for good. Says whether it had not ended: then the engine has to be asked once more.
pub(crate) fn end(worker: &mut Worker) -> bool {
    let any = !worker.listeners.is_empty();
    for listener in worker.listeners.drain(..) {
        worker.local.engine.unlisten(listener);
    }
    worker.accept_again = None;
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
    worker.admission.leave(connection.peer.map(|peer| peer.ip()));
}

/// The listeners that a worker accepts from.
pub(crate) type Listeners = Vec<ListenerId>;
