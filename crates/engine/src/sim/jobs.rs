//! What an engine of the simulated network does in one poll.

use std::io;

use rustix::io::Errno;

use super::engine::Sim;
use super::slot::{Sending, Slot};
use super::tcp::Readable;
use super::world::{EndId, Owner};
use crate::{Accepted, Backend, Completion, Completions, Detached, ListenerId, Output, SocketId};

/// Connections taken from one listener in one poll.
const ACCEPTS: usize = 64;

/// Blocks received from one socket in one poll at most.
const BURST: usize = 4;

/// Something to look at in one poll.
#[derive(Clone, Copy)]
pub(super) enum Job {
    Accept(ListenerId),
    Connect(SocketId),
    Receive(SocketId),
    Send(SocketId),
    Close(SocketId),
    Release(SocketId),
}

impl Sim {
    /// Does all that may be there to do.
    pub(super) fn do_jobs(&mut self, completions: &mut Completions) {
        let mut jobs = std::mem::take(&mut self.jobs);
        self.list_jobs(&mut jobs);
        self.network.world.borrow_mut().fate.reorder(&mut jobs);
        for job in jobs.drain(..) {
            self.do_job(job, completions);
        }
        self.jobs = jobs;
    }

    /// All that may be there to do, in the order of slots.
    fn list_jobs(&self, jobs: &mut Vec<Job>) {
        let listeners = self.listeners.iter().zip(0..).filter(|(slot, _)| slot.is_some());
        jobs.extend(listeners.map(|(_, number)| Job::Accept(ListenerId(number))));
        for id in self.sockets.ids() {
            match self.sockets.get(id) {
                Some(Slot::Open(socket)) => {
                    if socket.connecting {
                        jobs.push(Job::Connect(id));
                    }
                    if socket.armed || socket.held.is_some() {
                        jobs.push(Job::Receive(id));
                    }
                    if !matches!(socket.sending, Sending::Nothing) {
                        jobs.push(Job::Send(id));
                    }
                }
                Some(Slot::Closing { .. }) => jobs.push(Job::Close(id)),
                Some(Slot::Releasing { .. }) => jobs.push(Job::Release(id)),
                None => {}
            }
        }
    }

    fn do_job(&mut self, job: Job, completions: &mut Completions) {
        match job {
            Job::Accept(id) => self.accept(id, completions),
            Job::Connect(id) => self.report_connected(id, completions),
            Job::Receive(id) => self.receive_some(id, completions),
            Job::Send(id) => self.send_some(id, completions),
            Job::Close(id) => self.report_closed(id, completions),
            Job::Release(id) => self.report_released(id, completions),
        }
    }

    fn accept(&mut self, id: ListenerId, completions: &mut Completions) {
        let mut world = self.network.world.borrow_mut();
        let Some(listener) = self.listeners.get_mut(id.0 as usize).and_then(Option::as_mut) else { return };
        for _ in 0..ACCEPTS {
            if !listener.armed || !world.is_waiting(listener.number) {
                return;
            }
            if world.fate.accept_fails() {
                listener.armed = false;
                world.note("accept fails at listener", None, listener.number);
                completions.push_back(Completion::AcceptFailed { listener: id, error: Errno::MFILE.into() });
                return;
            }
            let Some(end) = world.accept(listener.number, Owner::Engine) else { return };
            let connection = Detached::simulated(end);
            completions.push_back(Completion::Accepted(Accepted { listener: id, connection }));
        }
    }

    fn report_connected(&mut self, id: SocketId, completions: &mut Completions) {
        let Some(Slot::Open(socket)) = self.sockets.get_mut(id) else { return };
        let Some(result) = self.network.world.borrow_mut().opening(socket.end) else { return };
        socket.connecting = false;
        completions.push_back(Completion::Connected { socket: id, result });
    }

    /// Reports a receive held back, or receives: one block, or as many as fate gives at once.
    fn receive_some(&mut self, id: SocketId, completions: &mut Completions) {
        for received in 0..BURST {
            if received > 0 && !self.network.world.borrow_mut().fate.bursts() {
                return;
            }
            let Some(Slot::Open(socket)) = self.sockets.get_mut(id) else { return };
            socket.receive(id, &self.network, &self.pool);
            let now = self.network.now().moment;
            let Some(completion) = socket.take_held(now) else { return };
            self.network.world.borrow_mut().fate.injected.bursts += u64::from(received > 0);
            completions.push_back(completion);
        }
    }

    /// Goes on with a send that waits, or reports one held back.
    fn send_some(&mut self, id: SocketId, completions: &mut Completions) {
        let now = self.now().moment;
        let Some(socket) = self.open_mut(id) else { return };
        match std::mem::replace(&mut socket.sending, Sending::Nothing) {
            Sending::Nothing => {}
            Sending::Waiting(output) => self.try_send(id, output, completions),
            Sending::Held { due, output, result } if due <= now => {
                completions.push_back(Completion::Sent { socket: id, output, result });
            }
            held @ Sending::Held { .. } => socket.sending = held,
        }
    }

    pub(super) fn try_send(&mut self, id: SocketId, mut output: Box<Output>, completions: &mut Completions) {
        let Some(Slot::Open(socket)) = self.sockets.get_mut(id) else { return };
        let mut world = self.network.world.borrow_mut();
        let result = world.send(socket.end, &mut output);
        if matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            socket.sending = Sending::Waiting(output);
            return;
        }
        match world.fate.late_send() {
            Some(wait) => socket.sending = Sending::Held { due: world.wake_after(wait), output, result },
            None => completions.push_back(Completion::Sent { socket: id, output, result }),
        }
    }

    pub(super) fn report_closed(&mut self, id: SocketId, completions: &mut Completions) {
        let now = self.now().moment;
        match self.sockets.get(id) {
            Some(Slot::Closing { due, .. }) if *due <= now => {}
            _ => return,
        }
        if let Some(Slot::Closing { output, .. }) = self.sockets.remove(id) {
            completions.push_back(Completion::Closed { socket: id, output });
        }
    }

    /// Gives a connection away, if nothing has come to it.
    pub(super) fn report_released(&mut self, id: SocketId, completions: &mut Completions) {
        let mut world = self.network.world.borrow_mut();
        let end = match self.sockets.get(id) {
            Some(Slot::Releasing { due, end }) if *due <= world.now => *end,
            _ => return,
        };
        let is_quiet = |end: &EndId| world.readable(*end) == Readable::Nothing;
        let quiet = end.filter(is_quiet);
        if let (None, Some(end)) = (quiet, end) {
            world.close(end);
        }
        self.sockets.remove(id);
        let connection = quiet.map(Detached::simulated);
        completions.push_back(Completion::Released { socket: id, connection });
    }
}
