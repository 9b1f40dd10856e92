//! Completions out of readiness: the engine on a kernel that says which sockets are worth trying, and leaves the trying to us.
//!
//! Operations are tried first. A socket is registered once, edge-triggered; what the kernel said stays in its slot as readiness
//! bits. The ways back to "not ready" are a short receive and a short send, so neither probes for `EAGAIN`: a tiny request
//! costs one recv(2) and one send(2). How the kernel is asked is the [`Selector`]'s business.

mod socket;

use std::collections::VecDeque;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use gannet_block::Pool;
use rustix::io::Errno;
use socket2::SockRef;

use self::socket::Socket;
use crate::detached::Stream;
use crate::mappings::Mappings;
use crate::outbound;
use crate::selector::{Owner, Selector, Token};
use crate::sys::system::accept;
use crate::transfer::{is_exhaustion, is_quiet, peer_address, reset_on_close};
use crate::{
    Accepted, Address, Backend, Completion, Completions, Detached, Listener, ListenerId, Now, Output, Slots,
    SocketId,
};

/// Events taken from the kernel in one poll.
const EVENTS: usize = 256;

/// Connections taken from one listener in one poll, so that a flood of them does not hold up those already here.
const ACCEPTS: usize = 64;

/// The engine on a selector.
pub struct TryFirst<S: Selector> {
    selector: S,
    pool: Pool,
    listeners: Vec<Option<ListenerSlot>>,
    sockets: Slots<Socket>,
    events: Vec<S::Event>,
    /// Sockets that may have something to receive although no new event will say so.
    ready: VecDeque<SocketId>,
    mappings: Mappings,
}

struct ListenerSlot {
    fd: OwnedFd,
    armed: bool,
}

impl<S: Selector> TryFirst<S> {
    /// An engine that receives into blocks of `pool`.
    ///
    /// # Errors
    /// The descriptors are used up.
    pub fn new(pool: Pool) -> io::Result<TryFirst<S>> {
        Ok(TryFirst {
            selector: S::new()?,
            pool,
            listeners: Vec::new(),
            sockets: Slots::default(),
            events: Vec::with_capacity(EVENTS),
            ready: VecDeque::new(),
            mappings: Mappings::default(),
        })
    }

    /// Handles what the kernel reported.
    fn take_events(&mut self, completions: &mut Completions) {
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            let (token, readiness) = S::decode(event);
            match token.owner() {
                Owner::Listener(listener) => self.accept(listener, completions),
                Owner::Socket(socket) => self.note_readiness(socket, readiness, completions),
            }
        }
        self.events = events;
    }

    fn accept(&mut self, id: ListenerId, completions: &mut Completions) {
        for _ in 0..ACCEPTS {
            let Some(listener) = self.listener(id) else { return };
            if !listener.armed {
                return;
            }
            match accept(listener.fd.as_fd()) {
                Ok(fd) => completions.push_back(Completion::Accepted(Accepted::socket(id, fd))),
                Err(Errno::AGAIN) => return,
                Err(error) if is_exhaustion(error) => {
                    self.pause_accept(id);
                    completions.push_back(Completion::AcceptFailed { listener: id, error: error.into() });
                    return;
                }
                // The connection was gone before it was accepted; accept(2) lists what else may be passed on to us.
                Err(_) => {}
            }
        }
    }

    fn listener(&mut self, id: ListenerId) -> Option<&mut ListenerSlot> {
        self.listeners.get_mut(id.0 as usize)?.as_mut()
    }

    fn set_accept(&mut self, id: ListenerId, armed: bool) {
        let Some(listener) = self.listeners.get_mut(id.0 as usize).and_then(Option::as_mut) else { return };
        listener.armed = armed;
        self.selector.set_accept(listener.fd.as_fd(), Token::listener(id), armed);
    }
}

impl<S: Selector> Backend for TryFirst<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn poll(&mut self, wait: Option<Duration>, completions: &mut Completions) -> io::Result<()> {
        let wait = if self.ready.is_empty() { wait } else { Some(Duration::ZERO) };
        match self.selector.wait(wait, &mut self.events) {
            Ok(()) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        self.take_ready(completions);
        self.take_events(completions);
        Ok(())
    }

    fn now(&self) -> Now {
        Now::read()
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.selector.descriptor())
    }

    fn listen(&mut self, listener: Listener) -> io::Result<ListenerId> {
        let Listener::Socket(fd) = listener else { return Err(io::ErrorKind::Unsupported.into()) };
        let id = ListenerId(self.listeners.len() as u32);
        self.selector.watch_listener(fd.as_fd(), Token::listener(id))?;
        self.listeners.push(Some(ListenerSlot { fd, armed: true }));
        Ok(id)
    }

    fn resume_accept(&mut self, listener: ListenerId) {
        self.set_accept(listener, true);
    }

    fn pause_accept(&mut self, listener: ListenerId) {
        self.set_accept(listener, false);
    }

    fn unlisten(&mut self, listener: ListenerId) {
        if let Some(slot) = self.listeners.get_mut(listener.0 as usize).and_then(Option::take) {
            self.selector.forget(slot.fd.as_fd());
        }
    }

    fn connect(&mut self, target: &Address, completions: &mut Completions) -> io::Result<SocketId> {
        self.begin_connecting(outbound::begin(target)?, completions)
    }

    fn adopt(&mut self, connection: Detached) -> io::Result<SocketId> {
        match connection.stream {
            Stream::Socket(fd) => Ok(self.register(fd)?),
            #[cfg(feature = "simulator")]
            Stream::Simulated(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    fn is_quiet(&self, connection: &Detached) -> bool {
        matches!(&connection.stream, Stream::Socket(fd) if is_quiet(fd.as_fd()))
    }

    fn receive(&mut self, socket: SocketId) {
        let Some(slot) = self.sockets.get_mut(socket) else { return };
        slot.armed = true;
        if slot.readable {
            self.look_again(socket);
        }
    }

    fn pause(&mut self, socket: SocketId) {
        if let Some(slot) = self.sockets.get_mut(socket) {
            slot.armed = false;
        }
    }

    fn send(&mut self, socket: SocketId, output: Box<Output>, completions: &mut Completions) {
        self.try_send(socket, output, completions);
    }

    fn shutdown(&mut self, socket: SocketId) {
        if let Some(slot) = self.sockets.get(socket) {
            // ENOTCONN when the peer reset the connection: receiving tells.
            let _ = SockRef::from(&slot.fd).shutdown(Shutdown::Write);
        }
    }

    fn reset(&mut self, socket: SocketId) {
        if let Some(slot) = self.sockets.get(socket) {
            reset_on_close(slot.fd.as_fd());
        }
    }

    fn close(&mut self, socket: SocketId, completions: &mut Completions) {
        if let Some(slot) = self.sockets.remove(socket) {
            completions.push_back(Completion::Closed { socket, output: slot.sending });
        }
    }

    fn release(&mut self, socket: SocketId, completions: &mut Completions) {
        self.take_out(socket, completions);
    }

    fn peer_address(&self, socket: SocketId) -> io::Result<SocketAddr> {
        let slot = self.sockets.get(socket).ok_or(io::ErrorKind::NotConnected)?;
        peer_address(slot.fd.as_fd())
    }

    fn sockets(&self) -> usize {
        self.sockets.len()
    }

    fn pool(&self) -> &Pool {
        &self.pool
    }
}
