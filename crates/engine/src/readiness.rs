//! Completions out of readiness: the engine on a kernel that says which sockets are worth trying, and leaves the trying to us.
//!
//! Operations are tried first. A socket is registered once, edge-triggered; what the kernel said stays in its slot as readiness
//! bits. The ways back to "not ready" are a short receive and a short send, so neither probes for `EAGAIN`: a tiny request
//! costs one recv(2) and one send(2). How the kernel is asked is the [`Selector`]'s business.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use gannet_block::Pool;
use rustix::io::Errno;
use rustix::net::{RecvFlags, Shutdown, recv, shutdown};

use crate::detached::Stream;
use crate::mappings::Mappings;
use crate::outbound::{self, Begun};
use crate::output::Progress;
use crate::selector::{Owner, Readiness, Selector, Token};
use crate::sys::system::accept;
use crate::transfer::{is_exhaustion, is_quiet, peer_address, reset_on_close, retried, write};
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

/// A socket's slot.
struct Socket {
    fd: OwnedFd,
    /// The last receive filled its block, or an event came since.
    readable: bool,
    /// The last send was taken whole, or an event came since.
    writable: bool,
    /// The peer ended its half, or the connection broke: receive again even after a short receive, to be told.
    hung_up: bool,
    /// Not connected yet: once it is writable the kernel tells how that went.
    connecting: bool,
    /// The owner wants to receive.
    armed: bool,
    /// In `ready`.
    queued: bool,
    /// What waits until the socket is writable.
    sending: Option<Box<Output>>,
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

    fn register(&mut self, fd: OwnedFd) -> rustix::io::Result<SocketId> {
        let socket = Socket {
            fd,
            readable: false,
            writable: true,
            hung_up: false,
            connecting: false,
            armed: false,
            queued: false,
            sending: None,
        };
        let id = self.sockets.insert(socket);
        let socket = self.sockets.get(id).expect("just inserted");
        if let Err(error) = self.selector.watch(socket.fd.as_fd(), Token::socket(id)) {
            self.sockets.remove(id);
            return Err(error);
        }
        Ok(id)
    }

    fn note_readiness(&mut self, id: SocketId, readiness: Readiness, completions: &mut Completions) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        socket.hung_up |= readiness.hung_up;
        socket.readable |= readiness.readable;
        socket.writable |= readiness.writable;
        if socket.connecting {
            return self.end_connecting(id, completions);
        }
        let (receives, sends) = (socket.armed && socket.readable, socket.writable);
        if sends && let Some(output) = socket.sending.take() {
            self.send(id, output, completions);
        }
        if receives {
            self.receive_once(id, completions);
        }
    }

    fn end_connecting(&mut self, id: SocketId, completions: &mut Completions) {
        let Some(socket) = self.sockets.get_mut(id).filter(|socket| socket.writable) else { return };
        socket.connecting = false;
        completions
            .push_back(Completion::Connected { socket: id, result: outbound::outcome(socket.fd.as_fd()) });
    }

    /// One receive. A block that was filled means there may be more: the socket is looked at again next turn.
    fn receive_once(&mut self, id: SocketId, completions: &mut Completions) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        if !socket.armed || !socket.readable {
            return;
        }
        let Some(mut block) = self.pool.take() else {
            self.look_again(id);
            return;
        };
        match retried(|| recv(&socket.fd, block.spare_mut(), RecvFlags::empty())) {
            Ok((0, _)) => {
                (socket.readable, socket.armed) = (false, false);
                completions.push_back(Completion::Ended { socket: id });
            }
            Ok((count, _)) => {
                block.commit(count);
                socket.readable = block.len() == block.capacity() || socket.hung_up;
                let more = socket.readable;
                completions.push_back(Completion::Received { socket: id, block });
                if more {
                    self.look_again(id);
                }
            }
            Err(Errno::AGAIN) => socket.readable = false,
            Err(error) => {
                (socket.readable, socket.armed) = (false, false);
                completions.push_back(Completion::ReceiveFailed { socket: id, error: error.into() });
            }
        }
    }

    fn look_again(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        if !socket.queued {
            socket.queued = true;
            self.ready.push_back(id);
        }
    }

    fn take_ready(&mut self, completions: &mut Completions) {
        for _ in 0..self.ready.len() {
            let Some(id) = self.ready.pop_front() else { return };
            if let Some(socket) = self.sockets.get_mut(id) {
                socket.queued = false;
                self.receive_once(id, completions);
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
        // Watched only from here on: of a socket that is not even connecting epoll(7) would say that it hung up.
        let Begun { socket: fd, result } = outbound::begin(target)?;
        let socket = self.register(fd)?;
        match (result, self.sockets.get_mut(socket)) {
            (None, Some(slot)) => {
                (slot.connecting, slot.writable) = (true, false);
                self.selector.await_writable(slot.fd.as_fd(), Token::socket(socket));
            }
            (Some(result), _) => completions.push_back(Completion::Connected { socket, result }),
            (None, None) => {}
        }
        Ok(socket)
    }

    fn adopt(&mut self, connection: Detached) -> io::Result<SocketId> {
        match connection.stream {
            Stream::Socket(fd) => Ok(self.register(fd)?),
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

    fn send(&mut self, socket: SocketId, mut output: Box<Output>, completions: &mut Completions) {
        let Some(slot) = self.sockets.get_mut(socket) else { return };
        debug_assert!(slot.sending.is_none(), "one send at a time");
        if !slot.writable {
            slot.sending = Some(output);
            return;
        }
        let result = match write(slot.fd.as_fd(), &mut output, &mut self.mappings) {
            Ok(Progress::Some(count)) => Ok(count),
            Ok(Progress::Full(count)) => {
                slot.writable = false;
                self.selector.await_writable(slot.fd.as_fd(), Token::socket(socket));
                if count == 0 {
                    slot.sending = Some(output);
                    return;
                }
                Ok(count)
            }
            Err(error) => Err(error),
        };
        completions.push_back(Completion::Sent { socket, output, result });
    }

    fn shutdown(&mut self, socket: SocketId) {
        if let Some(slot) = self.sockets.get(socket) {
            // ENOTCONN when the peer reset the connection: receiving tells.
            let _ = shutdown(&slot.fd, Shutdown::Write);
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
        let Some(slot) = self.sockets.remove(socket) else { return };
        assert!(slot.sending.is_none() && !slot.connecting, "what is released has nothing under way");
        self.selector.forget(slot.fd.as_fd());
        let connection = is_quiet(slot.fd.as_fd()).then(|| Detached::socket(slot.fd));
        completions.push_back(Completion::Released { socket, connection });
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
