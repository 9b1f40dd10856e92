//! A socket's slot, and what is done with it.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, OwnedFd};

use gannet_block::Block;
use rustix::io::{Errno, readv};

use super::TryFirst;
use crate::outbound::{self, Begun};
use crate::output::Progress;
use crate::selector::{Readiness, Selector, Token};
use crate::sys::socket::receive;
use crate::transfer::{is_quiet, retried, write};
use crate::{Completion, Completions, Detached, Output, SocketId};

/// Blocks received into by one call, where much is on its way.
const BLOCKS_AT_ONCE: usize = 4;

/// A socket's slot.
pub(super) struct Socket {
    pub(super) fd: OwnedFd,
    /// The last receive filled its block, or an event came since.
    pub(super) readable: bool,
    /// The last send was taken whole, or an event came since.
    writable: bool,
    /// The peer ended its half, or the connection broke: receive again even after a short receive, to be told.
    hung_up: bool,
    /// Not connected yet: once it is writable the kernel tells how that went.
    connecting: bool,
    /// The owner wants to receive.
    pub(super) armed: bool,
    /// The last receive filled a block: much comes at a time.
    streams: bool,
    /// In `ready`.
    queued: bool,
    /// What waits until the socket is writable.
    pub(super) sending: Option<Box<Output>>,
}

impl Socket {
    /// The peer sends no more.
    fn end(&mut self, id: SocketId) -> Completion {
        (self.readable, self.armed) = (false, false);
        Completion::Ended { socket: id }
    }

    /// Nothing was received: there was nothing, or the peer is gone.
    fn fail(&mut self, id: SocketId, error: Errno) -> Option<Completion> {
        self.readable = false;
        if error == Errno::AGAIN {
            self.streams = false;
            return None;
        }
        self.armed = false;
        Some(Completion::ReceiveFailed { socket: id, error: error.into() })
    }
}

impl<S: Selector> TryFirst<S> {
    pub(super) fn register(&mut self, fd: OwnedFd) -> rustix::io::Result<SocketId> {
        let socket = Socket {
            fd,
            readable: false,
            writable: true,
            hung_up: false,
            connecting: false,
            armed: false,
            streams: false,
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

    pub(super) fn note_readiness(
        &mut self,
        id: SocketId,
        readiness: Readiness,
        completions: &mut Completions,
    ) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        socket.hung_up |= readiness.hung_up;
        socket.readable |= readiness.readable;
        socket.writable |= readiness.writable;
        if socket.connecting {
            return self.end_connecting(id, completions);
        }
        let (receives, sends) = (socket.armed && socket.readable, socket.writable);
        if sends && let Some(output) = socket.sending.take() {
            self.try_send(id, output, completions);
        }
        if receives {
            self.receive_once(id, completions);
        }
    }

    /// Takes in a connection that was begun.
    pub(super) fn begin_connecting(
        &mut self,
        begun: Begun,
        completions: &mut Completions,
    ) -> io::Result<SocketId> {
        // Watched only from here on: of a socket that is not even connecting epoll(7) would say that it hung up.
        let id = self.register(begun.socket)?;
        if let Some(result) = begun.result {
            completions.push_back(Completion::Connected { socket: id, result });
        } else if let Some(socket) = self.sockets.get_mut(id) {
            (socket.connecting, socket.writable) = (true, false);
            self.selector.await_writable(socket.fd.as_fd(), Token::socket(id));
        }
        Ok(id)
    }

    fn end_connecting(&mut self, id: SocketId, completions: &mut Completions) {
        let Some(socket) = self.sockets.get_mut(id).filter(|socket| socket.writable) else { return };
        socket.connecting = false;
        let result = outbound::outcome(socket.fd.as_fd());
        completions.push_back(Completion::Connected { socket: id, result });
    }

    /// The same into several blocks by one call, where much is on its way (readv(2)): a body then costs a quarter of the turns.
    fn receive_many(&mut self, id: SocketId, completions: &mut Completions) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        let mut blocks: [Option<Block>; BLOCKS_AT_ONCE] = std::array::from_fn(|_| self.pool.take());
        let mut slices: [IoSliceMut<'_>; BLOCKS_AT_ONCE] = std::array::from_fn(|_| IoSliceMut::new(&mut []));
        let mut room = 0;
        for (block, slice) in blocks.iter_mut().flatten().zip(&mut slices) {
            room += block.capacity();
            *slice = IoSliceMut::new(block.spare_mut());
        }
        if room == 0 {
            return self.look_again(id);
        }
        let mut count = match retried(|| readv(&socket.fd, &mut slices)) {
            Ok(0) => return completions.push_back(socket.end(id)),
            Ok(count) => count,
            Err(error) => return completions.extend(socket.fail(id, error)),
        };
        socket.streams = count > room / BLOCKS_AT_ONCE;
        socket.readable = count == room || socket.hung_up;
        let more = socket.readable;
        for mut block in blocks.into_iter().flatten() {
            if count == 0 {
                break;
            }
            let filled = count.min(block.capacity());
            count -= filled;
            block.commit(filled);
            completions.push_back(Completion::Received { socket: id, block });
        }
        if more {
            self.look_again(id);
        }
    }

    /// One receive. A block that was filled means there may be more: the socket is looked at again next turn.
    fn receive_once(&mut self, id: SocketId, completions: &mut Completions) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        if !socket.armed || !socket.readable {
            return;
        }
        if socket.streams {
            return self.receive_many(id, completions);
        }
        let Some(mut block) = self.pool.take() else {
            self.look_again(id);
            return;
        };
        match retried(|| receive(socket.fd.as_fd(), block.spare_mut(), 0)) {
            Ok(0) => completions.push_back(socket.end(id)),
            Ok(count) => {
                block.commit(count);
                socket.streams = block.len() == block.capacity();
                socket.readable = socket.streams || socket.hung_up;
                let more = socket.readable;
                completions.push_back(Completion::Received { socket: id, block });
                if more {
                    self.look_again(id);
                }
            }
            Err(error) => completions.extend(socket.fail(id, error)),
        }
    }

    pub(super) fn look_again(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        if !socket.queued {
            socket.queued = true;
            self.ready.push_back(id);
        }
    }

    pub(super) fn take_ready(&mut self, completions: &mut Completions) {
        for _ in 0..self.ready.len() {
            let Some(id) = self.ready.pop_front() else { return };
            if let Some(socket) = self.sockets.get_mut(id) {
                socket.queued = false;
                self.receive_once(id, completions);
            }
        }
    }

    /// Sends what the socket takes; if that is nothing, the rest waits until it does.
    pub(super) fn try_send(&mut self, id: SocketId, mut output: Box<Output>, completions: &mut Completions) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        debug_assert!(socket.sending.is_none(), "one send at a time");
        if !socket.writable {
            socket.sending = Some(output);
            return;
        }
        let result = match write(socket.fd.as_fd(), &mut output, &mut self.mappings) {
            Ok(Progress::Some(count)) => Ok(count),
            Ok(Progress::Full(count)) => {
                socket.writable = false;
                self.selector.await_writable(socket.fd.as_fd(), Token::socket(id));
                if count == 0 {
                    socket.sending = Some(output);
                    return;
                }
                Ok(count)
            }
            Err(error) => Err(error),
        };
        completions.push_back(Completion::Sent { socket: id, output, result });
    }

    /// Gives the connection away, if nothing has come to it.
    pub(super) fn take_out(&mut self, id: SocketId, completions: &mut Completions) {
        let Some(socket) = self.sockets.remove(id) else { return };
        assert!(socket.sending.is_none() && !socket.connecting, "what is released has nothing under way");
        self.selector.forget(socket.fd.as_fd());
        let connection = is_quiet(socket.fd.as_fd()).then(|| Detached::socket(socket.fd));
        completions.push_back(Completion::Released { socket: id, connection });
    }
}
