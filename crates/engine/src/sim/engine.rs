//! The engine's side of the simulated network.
//!
//! Work is done when it is polled for, in an order that fate may change.

use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use gannet_block::Pool;
use rustix::io::Errno;

use super::Network;
use super::slot::{ListenerSlot, Sending, Slot, Socket};
use super::tcp::Readable;
use super::world::{EndId, Owner};
use crate::detached::Stream;
use crate::{
    Accepted, Address, Backend, Completion, Completions, Detached, Listener, ListenerId, Now, Output, Slots,
    SocketId,
};

/// Connections taken from one listener in one poll.
const ACCEPTS: usize = 64;

/// Blocks received from one socket in one poll at most.
const BURST: usize = 4;

/// One worker's end of a [`Network`]; made by [`Network::engine`].
pub struct Sim {
    network: Network,
    pool: Pool,
    listeners: Vec<Option<ListenerSlot>>,
    sockets: Slots<Slot>,
    jobs: Vec<Job>,
}

/// Something to look at in one poll.
#[derive(Clone, Copy)]
enum Job {
    Accept(ListenerId),
    Connect(SocketId),
    Receive(SocketId),
    Send(SocketId),
    Close(SocketId),
    Release(SocketId),
}

impl Sim {
    pub(super) fn new(network: Network, pool: Pool) -> Sim {
        Sim { network, pool, listeners: Vec::new(), sockets: Slots::default(), jobs: Vec::new() }
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

    fn try_send(&mut self, id: SocketId, mut output: Box<Output>, completions: &mut Completions) {
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

    fn report_closed(&mut self, id: SocketId, completions: &mut Completions) {
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
    fn report_released(&mut self, id: SocketId, completions: &mut Completions) {
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

    fn open(&self, id: SocketId) -> Option<&Socket> {
        match self.sockets.get(id)? {
            Slot::Open(socket) => Some(socket),
            Slot::Closing { .. } | Slot::Releasing { .. } => None,
        }
    }

    fn open_mut(&mut self, id: SocketId) -> Option<&mut Socket> {
        match self.sockets.get_mut(id)? {
            Slot::Open(socket) => Some(socket),
            Slot::Closing { .. } | Slot::Releasing { .. } => None,
        }
    }

    fn set_accept(&mut self, id: ListenerId, armed: bool) {
        if let Some(listener) = self.listeners.get_mut(id.0 as usize).and_then(Option::as_mut) {
            listener.armed = armed;
        }
    }
}

impl Backend for Sim {
    fn name(&self) -> &'static str {
        "sim"
    }

    fn poll(&mut self, _wait: Option<Duration>, completions: &mut Completions) -> io::Result<()> {
        let mut jobs = std::mem::take(&mut self.jobs);
        self.list_jobs(&mut jobs);
        self.network.world.borrow_mut().fate.reorder(&mut jobs);
        for job in jobs.drain(..) {
            self.do_job(job, completions);
        }
        self.jobs = jobs;
        Ok(())
    }

    fn now(&self) -> Now {
        self.network.now()
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn listen(&mut self, listener: Listener) -> io::Result<ListenerId> {
        let Listener::Simulated(address) = listener else { return Err(io::ErrorKind::Unsupported.into()) };
        let number = self.network.world.borrow_mut().listen(address);
        self.listeners.push(Some(ListenerSlot { number, armed: true }));
        Ok(ListenerId(self.listeners.len() as u32 - 1))
    }

    fn resume_accept(&mut self, listener: ListenerId) {
        self.set_accept(listener, true);
    }

    fn pause_accept(&mut self, listener: ListenerId) {
        self.set_accept(listener, false);
    }

    fn unlisten(&mut self, listener: ListenerId) {
        if let Some(slot) = self.listeners.get_mut(listener.0 as usize).and_then(Option::take) {
            self.network.world.borrow_mut().unlisten(slot.number);
        }
    }

    fn connect(&mut self, target: &Address, _: &mut Completions) -> io::Result<SocketId> {
        let to = target.internet().ok_or(io::ErrorKind::Unsupported)?;
        let from = self.network.unused_address(to);
        let end = self.network.world.borrow_mut().begin_connect(from, to);
        Ok(self.sockets.insert(Slot::Open(Socket::new(end, true))))
    }

    fn adopt(&mut self, connection: Detached) -> io::Result<SocketId> {
        match connection.stream {
            Stream::Simulated(end) => Ok(self.sockets.insert(Slot::Open(Socket::new(end, false)))),
            Stream::Socket(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    fn is_quiet(&self, connection: &Detached) -> bool {
        match connection.stream {
            Stream::Simulated(end) => self.network.world.borrow().readable(end) == Readable::Nothing,
            Stream::Socket(_) => false,
        }
    }

    fn receive(&mut self, socket: SocketId) {
        if let Some(slot) = self.open_mut(socket) {
            slot.armed = true;
        }
    }

    fn pause(&mut self, socket: SocketId) {
        if let Some(slot) = self.open_mut(socket) {
            slot.armed = false;
        }
    }

    fn send(&mut self, socket: SocketId, output: Box<Output>, completions: &mut Completions) {
        let Some(slot) = self.open(socket) else { return };
        assert!(matches!(slot.sending, Sending::Nothing), "one send at a time");
        assert!(!slot.connecting, "nothing is sent before it is connected");
        self.try_send(socket, output, completions);
        if let Some(Socket { sending: Sending::Waiting(_), .. }) = self.open(socket) {
            self.network.world.borrow_mut().fate.injected.full_buffers += 1;
        }
    }

    fn shutdown(&mut self, socket: SocketId) {
        if let Some(slot) = self.open(socket) {
            self.network.world.borrow_mut().shutdown(slot.end);
        }
    }

    fn reset(&mut self, socket: SocketId) {
        if let Some(slot) = self.open(socket) {
            self.network.world.borrow_mut().reset(slot.end);
        }
    }

    fn close(&mut self, socket: SocketId, completions: &mut Completions) {
        let Some(slot) = self.sockets.get_mut(socket) else { return };
        let mut world = self.network.world.borrow_mut();
        let now = world.now;
        let Slot::Open(closed) = slot else { return };
        let end = closed.end;
        let output = std::mem::replace(&mut closed.sending, Sending::Nothing).into_output();
        world.close(end);
        world.fate.injected.cancelled_sends += u64::from(output.is_some());
        let wait = world.fate.late_close();
        let due = wait.map_or(now, |wait| world.wake_after(wait));
        *slot = Slot::Closing { due, output };
        drop(world);
        if wait.is_none() {
            self.report_closed(socket, completions);
        }
    }

    fn release(&mut self, socket: SocketId, completions: &mut Completions) {
        let Some(slot) = self.sockets.get_mut(socket) else { return };
        let Slot::Open(released) = slot else { return };
        let is_idle = matches!(released.sending, Sending::Nothing) && !released.connecting;
        assert!(is_idle, "what is released has nothing under way");
        let mut world = self.network.world.borrow_mut();
        // What is held was received, and is not told any more: as when bytes come while the kernel is told to stop.
        let end = if released.held.is_none() { Some(released.end) } else { None };
        if end.is_none() {
            world.close(released.end);
        }
        let wait = world.fate.late_close();
        let due = wait.map_or(world.now, |wait| world.wake_after(wait));
        *slot = Slot::Releasing { due, end };
        drop(world);
        if wait.is_none() {
            self.report_released(socket, completions);
        }
    }

    fn peer_address(&self, socket: SocketId) -> io::Result<SocketAddr> {
        let slot = self.open(socket).ok_or(io::ErrorKind::NotConnected)?;
        self.network.world.borrow().peer_address(slot.end)
    }

    fn sockets(&self) -> usize {
        self.sockets.len()
    }

    fn pool(&self) -> &Pool {
        &self.pool
    }
}

impl Drop for Sim {
    /// As when a process ends: its descriptors are closed.
    fn drop(&mut self) {
        // Busy only when a panic passes through the network itself.
        let Ok(mut world) = self.network.world.try_borrow_mut() else { return };
        for listener in self.listeners.iter().flatten() {
            world.unlisten(listener.number);
        }
        for id in self.sockets.ids() {
            match self.sockets.get(id) {
                Some(Slot::Open(Socket { end, .. }) | Slot::Releasing { end: Some(end), .. }) => {
                    world.close(*end);
                }
                Some(Slot::Closing { .. } | Slot::Releasing { end: None, .. }) | None => {}
            }
        }
    }
}
