//! The engine's side of the simulated network.
//!
//! Work is done when it is polled for, in an order that fate may change.

use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::Duration;

use gannet_block::Pool;

use super::Network;
use super::jobs::Job;
use super::slot::{ListenerSlot, Sending, Slot, Socket};
use super::tcp::Readable;
use crate::detached::Stream;
use crate::{
    Address, Backend, Completions, Detached, Listener, ListenerId, Now, Output, ReadClock, Slots, SocketId,
};

/// One worker's end of a [`Network`]; made by [`Network::engine`].
pub struct Sim {
    pub(super) network: Network,
    pub(super) pool: Pool,
    pub(super) listeners: Vec<Option<ListenerSlot>>,
    pub(super) sockets: Slots<Slot>,
    pub(super) jobs: Vec<Job>,
}

impl Sim {
    pub(super) fn new(network: Network, pool: Pool) -> Sim {
        Sim { network, pool, listeners: Vec::new(), sockets: Slots::default(), jobs: Vec::new() }
    }

    fn open(&self, id: SocketId) -> Option<&Socket> {
        match self.sockets.get(id)? {
            Slot::Open(socket) => Some(socket),
            Slot::Closing { .. } | Slot::Releasing { .. } => None,
        }
    }

    pub(super) fn open_mut(&mut self, id: SocketId) -> Option<&mut Socket> {
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
        self.do_jobs(completions);
        Ok(())
    }

    fn now(&self) -> Now {
        self.network.now()
    }

    fn clock(&self) -> ReadClock {
        let network = self.network.clone();
        Rc::new(move || network.now())
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
