//! A socket's slot, and what becomes of its two halves.
//!
//! ```text
//! Idle ── armed ──▶ UnderWay ── paused, closed ──▶ Cancelling ──▶ Idle (and armed anew, if wanted by then)
//!                      ├── no block ──▶ Starved ── a block came ──▶ Idle (the same)
//!                      └── end, error ──▶ Over ── told, once wanted ──▶ Idle
//!
//! Idle ── send ──▶ UnderWay ── completed ──▶ Idle
//!           └── socket full ──▶ Waiting ── takes more ──▶ send again
//! Connecting ── connected, failed ──▶ Idle
//! ```

use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use gannet_block::Block;
use rustix::io::Errno;
use socket2::SockRef;

use super::leaving::Leaving;
use super::message::{Message, single};
use super::tag::Tag;
use super::{MESSAGES, Uring, open};
use crate::output::{Progress, VECTOR};
use crate::{Completion, Completions, Output, SocketId, outbound, transfer};

/// A socket's slot.
pub(super) struct Socket {
    pub(super) fd: OwnedFd,
    pub(super) receiving: Receiving,
    /// The owner wants to receive.
    armed: bool,
    /// Something was received since the kernel was last told to receive.
    fed: bool,
    sending: Sending,
    /// What is being sent; while `sending` is `UnderWay` or `Waiting`.
    pub(super) output: Option<Box<Output>>,
    /// What a vectored send points to.
    message: Option<Box<Message>>,
    /// Our half is to be ended when all has been sent.
    finishing: bool,
    pub(super) leaving: Leaving,
}

/// Where receiving stands, as the kernel sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Receiving {
    /// The kernel has no operation of ours.
    Idle,
    /// The kernel receives.
    UnderWay,
    /// The kernel received, and has been told to stop.
    Cancelling,
    /// There was no block: in `Uring::starved`.
    Starved,
    /// It came to its end while the owner did not want to know: the peer's end, or an error.
    Over(Option<Errno>),
}

/// Where sending stands, as the kernel sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sending {
    Idle,
    /// The ring sends.
    UnderWay,
    /// The socket is full; the ring waits until it takes more.
    Waiting,
    /// Nothing can be sent yet; the ring waits until it can, or never will.
    Connecting,
}

impl Socket {
    pub(super) fn new(fd: OwnedFd) -> Socket {
        Socket {
            fd,
            receiving: Receiving::Idle,
            armed: false,
            fed: false,
            sending: Sending::Idle,
            output: None,
            message: None,
            finishing: false,
            leaving: Leaving::No,
        }
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving != Leaving::No
    }

    pub(super) fn is_sending(&self) -> bool {
        self.sending != Sending::Idle
    }

    /// Whether the kernel has been told to stop receiving, and has not yet.
    pub(super) fn is_ending_receive(&self) -> bool {
        self.receiving == Receiving::Cancelling
    }

    /// Ends our half, after what is being sent: that may not have been handed to the kernel yet.
    pub(super) fn finish(&mut self) {
        self.finishing = self.is_sending();
        if !self.finishing {
            // ENOTCONN when the peer reset the connection: receiving tells.
            let _ = SockRef::from(&self.fd).shutdown(Shutdown::Write);
        }
    }

    /// Whether the kernel has an operation on this socket.
    pub(super) fn is_busy(&self) -> bool {
        self.is_sending() || matches!(self.receiving, Receiving::UnderWay | Receiving::Cancelling)
    }
}

/// Receiving.
impl Uring {
    /// The owner wants to receive.
    pub(super) fn resume(&mut self, id: SocketId) {
        let Some(socket) = open(&mut self.sockets, id) else { return };
        if std::mem::replace(&mut socket.armed, true) {
            return;
        }
        match socket.receiving {
            Receiving::Idle => self.arm(id),
            Receiving::Over(_) => self.untold.push_back(id),
            // Armed anew when the cancelled operation completes, or a block comes.
            Receiving::UnderWay | Receiving::Cancelling | Receiving::Starved => {}
        }
    }

    /// The owner does not want to receive.
    pub(super) fn hold(&mut self, id: SocketId) {
        let Some(socket) = open(&mut self.sockets, id) else { return };
        socket.armed = false;
        if socket.receiving == Receiving::UnderWay {
            socket.receiving = Receiving::Cancelling;
            self.ring.cancel(Tag::Receive(id));
        }
    }

    fn arm(&mut self, id: SocketId) {
        let Some(socket) = open(&mut self.sockets, id) else { return };
        (socket.receiving, socket.fed) = (Receiving::UnderWay, false);
        self.ring.receive(id, socket.fd.as_fd());
    }

    /// Something was received, or receiving came to its end.
    pub(super) fn received(
        &mut self,
        id: SocketId,
        result: Result<Option<Block>, Errno>,
        more: bool,
        completions: &mut Completions,
    ) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        if !more {
            socket.receiving = Receiving::Idle;
        }
        if socket.is_leaving() {
            socket.note_late(&result);
            return self.finish_leaving(id, completions);
        }
        match result {
            Ok(Some(block)) => {
                socket.fed = true;
                completions.push_back(Completion::Received { socket: id, block });
            }
            Ok(None) => socket.receiving = Receiving::Over(None),
            Err(Errno::NOBUFS) => {
                socket.receiving = Receiving::Starved;
                self.starved.push(id, socket.fed);
                self.buffers.note_dry();
            }
            // EAGAIN: the kernel gave up waiting after having been woken in vain too often.
            Err(Errno::CANCELED | Errno::INTR | Errno::AGAIN) => {}
            Err(error) => socket.receiving = Receiving::Over(Some(error)),
        }
        match socket.receiving {
            Receiving::Idle if socket.armed => self.arm(id),
            Receiving::Over(_) => self.tell_end(id, completions),
            _ => {}
        }
    }

    /// Blocks have come for a socket that found none.
    pub(super) fn end_starving(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        if socket.receiving == Receiving::Starved {
            socket.receiving = Receiving::Idle;
            if socket.armed {
                self.arm(id);
            }
        }
    }

    /// Tells the ends that came during a pause and are wanted now.
    pub(super) fn tell_ends(&mut self, completions: &mut Completions) {
        while let Some(id) = self.untold.pop_front() {
            self.tell_end(id, completions);
        }
    }

    fn tell_end(&mut self, id: SocketId, completions: &mut Completions) {
        let Some(socket) = open(&mut self.sockets, id).filter(|socket| socket.armed) else { return };
        let Receiving::Over(error) = socket.receiving else { return };
        (socket.receiving, socket.armed) = (Receiving::Idle, false);
        completions.push_back(match error {
            None => Completion::Ended { socket: id },
            Some(error) => Completion::ReceiveFailed { socket: id, error: error.into() },
        });
    }
}

/// Sending and connecting.
impl Uring {
    /// Bytes are sent by the ring. What does not fit into one of its operations, or has a file range, is sent here and now
    /// as on epoll: sendfile(2) has no counterpart in the ring, and large sends gain nothing by waiting for the turn's end.
    pub(super) fn begin_send(&mut self, id: SocketId, output: Box<Output>, completions: &mut Completions) {
        let Some(socket) = open(&mut self.sockets, id) else { return };
        let output = socket.output.insert(output);
        let mut slices = [io::IoSlice::new(&[]); VECTOR];
        let (count, more) = output.front(&mut slices);
        let entry = match &slices[..count] {
            _ if more => return self.send_now(id, completions),
            [] => return self.complete_send(id, Ok(0), completions),
            [slice] => single(socket.fd.as_fd(), slice),
            slices => {
                let message = self.messages.pop().unwrap_or_else(Message::new);
                socket.message.insert(message).entry(socket.fd.as_fd(), slices)
            }
        };
        socket.sending = Sending::UnderWay;
        // SAFETY: the output and the message are boxed and stay in the slot, unchanged, until `sent` takes them out; the slot
        // stays until then, for leaving waits for it, as does dropping the engine (or else it leaks them).
        unsafe { self.ring.begin(entry, Tag::Send(id)) };
    }

    fn send_now(&mut self, id: SocketId, completions: &mut Completions) {
        let Some(socket) = open(&mut self.sockets, id) else { return };
        let Some(output) = &mut socket.output else { return };
        match transfer::write(socket.fd.as_fd(), output, &mut self.mappings) {
            Ok(Progress::Full(0)) => self.wait_writable(id),
            Ok(Progress::Full(count) | Progress::Some(count)) => {
                self.complete_send(id, Ok(count), completions);
            }
            Err(error) => self.complete_send(id, Err(error), completions),
        }
    }

    fn wait_writable(&mut self, id: SocketId) {
        let Some(socket) = open(&mut self.sockets, id) else { return };
        socket.sending = Sending::Waiting;
        self.ring.wait_writable(id, socket.fd.as_fd());
    }

    /// The kernel is to tell when connecting has come to its end.
    pub(super) fn await_connected(&mut self, id: SocketId) {
        let Some(socket) = open(&mut self.sockets, id) else { return };
        socket.sending = Sending::Connecting;
        self.ring.wait_writable(id, socket.fd.as_fd());
    }

    fn connected(&mut self, id: SocketId, polled: Result<u32, Errno>, completions: &mut Completions) {
        let Some(socket) = open(&mut self.sockets, id) else { return };
        let result = polled.map_err(Into::into).and_then(|_| outbound::outcome(socket.fd.as_fd()));
        completions.push_back(Completion::Connected { socket: id, result });
    }

    /// A send has completed, or the socket takes more, or is connected.
    pub(super) fn sent(&mut self, id: SocketId, result: Result<u32, Errno>, completions: &mut Completions) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        let before = std::mem::replace(&mut socket.sending, Sending::Idle);
        let message = socket.message.take();
        self.messages.extend(message.filter(|_| self.messages.len() < MESSAGES));
        if let (Ok(count), Sending::UnderWay, Some(output)) = (result, before, &mut socket.output) {
            output.advance(count.into());
        }
        if socket.is_leaving() {
            return self.finish_leaving(id, completions);
        }
        match (before, result) {
            (Sending::Waiting, _) => {
                if let Some(output) = socket.output.take() {
                    self.begin_send(id, output, completions);
                }
            }
            (Sending::Connecting, polled) => self.connected(id, polled, completions),
            (_, Ok(count)) => self.complete_send(id, Ok(count.into()), completions),
            // The socket does not block, so that sendfile(2) does not; then the kernel may give up waiting for it as well.
            (_, Err(Errno::AGAIN | Errno::INTR)) => self.wait_writable(id),
            (_, Err(error)) => self.complete_send(id, Err(error.into()), completions),
        }
    }

    fn complete_send(&mut self, id: SocketId, result: io::Result<u64>, completions: &mut Completions) {
        let Some(socket) = self.sockets.get_mut(id) else { return };
        let Some(output) = socket.output.take() else { return };
        if socket.finishing && (output.is_empty() || result.is_err()) {
            socket.finish();
        }
        completions.push_back(Completion::Sent { socket: id, output, result });
    }
}

#[cfg(test)]
mod tests;
