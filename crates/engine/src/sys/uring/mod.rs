//! The engine on io_uring(7).
//!
//! Accepting and receiving are subscriptions of the kernel's own (multishot), and the kernel receives into blocks of the pool
//! that it was lent beforehand: a tiny request costs no system call of its own, only its share of the turn's
//! io_uring_enter(2). File ranges go out by sendfile(2), which the ring does not have.
//!
//! Every operation that the kernel was given completes before what it points to goes away: that is what closing waits for,
//! and what dropping the engine waits for.

mod buffers;
mod leaving;
mod listener;
mod message;
mod ring;
mod socket;
mod starved;
mod tag;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use gannet_block::Pool;

use self::buffers::Buffers;
use self::leaving::Leaving;
use self::listener::{ListenerSlot, listener};
use self::message::Message;
use self::ring::{Outcome, Ring};
use self::socket::Socket;
use self::starved::Starved;
use self::tag::Tag;
use crate::detached::Stream;
use crate::mappings::Mappings;
use crate::outbound::{self, Begun};
use crate::transfer::{is_quiet, peer_address, reset_on_close};
use crate::{
    Address, Backend, Completion, Completions, Detached, Listener, ListenerId, Now, Output, Slots, SocketId,
};

/// Operations that can be queued before the kernel must be asked to take them.
const SUBMISSIONS: u32 = 1024;

/// Completions that fit before the kernel must keep them elsewhere (which costs, but loses none: `IORING_FEAT_NODROP`).
const COMPLETIONS: u32 = 4096;

/// Messages kept to be used again, of 320 bytes each.
const MESSAGES: usize = 256;

/// How often a dropped engine waits for what it cancelled, and how long each time.
const JOIN_ROUNDS: usize = 100;
const JOIN_WAIT: Duration = Duration::from_millis(50);

/// The engine on io_uring.
///
/// Its [`descriptor`](Backend::descriptor) becomes readable only after a [`poll`](Backend::poll) that gathered nothing: ask
/// until nothing comes, then wait for it. An engine stays on the thread that made it, which alone may enter the ring
/// (`SINGLE_ISSUER`); the compiler sees to that:
///
/// ```compile_fail,E0277
/// fn may_move<T: Send>() {}
/// may_move::<gannet_engine::sys::uring::Uring>();
/// ```
pub struct Uring {
    ring: Ring,
    buffers: Buffers,
    listeners: Vec<Option<ListenerSlot>>,
    sockets: Slots<Socket>,
    outcomes: Vec<Outcome>,
    /// Sockets that found no block to receive into.
    starved: Starved,
    /// Sockets armed again after receiving had come to its end untold.
    untold: VecDeque<SocketId>,
    /// Recycled.
    #[expect(
        clippy::vec_box,
        reason = "they go to and from slots as boxes, since the kernel is given their address"
    )]
    messages: Vec<Box<Message>>,
    mappings: Mappings,
}

impl Uring {
    /// An engine that receives into blocks of `pool`, half of which it keeps lent to the kernel at most.
    ///
    /// # Errors
    /// [`Unsupported`](io::ErrorKind::Unsupported) or [`PermissionDenied`](io::ErrorKind::PermissionDenied) when there is no
    /// io_uring here, or it is forbidden, or older than Linux 6.0: epoll does as well. Else what io_uring_setup(2) says:
    /// descriptors or memory are used up.
    pub fn new(pool: Pool) -> io::Result<Uring> {
        Uring::on(Ring::new(SUBMISSIONS, COMPLETIONS)?, pool)
    }

    fn on(mut ring: Ring, pool: Pool) -> io::Result<Uring> {
        let buffers = Buffers::new(&mut ring, pool)?;
        Ok(Uring {
            ring,
            buffers,
            listeners: Vec::new(),
            sockets: Slots::default(),
            outcomes: Vec::new(),
            starved: Starved::default(),
            untold: VecDeque::new(),
            messages: Vec::new(),
            mappings: Mappings::default(),
        })
    }

    /// Provides blocks, and lets those receive again that found none.
    fn provide(&mut self) {
        self.buffers.provide();
        if self.buffers.provided() == 0 {
            return;
        }
        // All of them: one alone might have nothing to receive, and the block would lie idle while others wait for it.
        while let Some(id) = self.starved.pop() {
            self.end_starving(id);
        }
    }

    fn take_outcomes(&mut self, completions: &mut Completions) {
        let mut outcomes = std::mem::take(&mut self.outcomes);
        self.ring.gather(&mut outcomes);
        for outcome in outcomes.drain(..) {
            match outcome {
                Outcome::Accepted { listener, result, more } => {
                    self.accepted(listener, result, more, completions);
                }
                Outcome::Received { socket, result, buffer, more } => {
                    let count = result.unwrap_or(0);
                    let block = buffer.map(|number| self.buffers.take(number, count));
                    let result = result.map(|_| block.filter(|block| !block.is_empty()));
                    self.received(socket, result, more, completions);
                }
                Outcome::Sent { socket, result } => self.sent(socket, result, completions),
                Outcome::Evaded(operation) => self.cancel_again(operation),
            }
        }
        self.outcomes = outcomes;
    }

    /// Cancels what evaded its cancelling, if it is under way and still to be cancelled.
    fn cancel_again(&mut self, operation: Tag) {
        let is_wanted = match operation {
            Tag::Accept(id) => {
                listener(&mut self.listeners, id).is_some_and(|listener| listener.is_ending_accept())
            }
            Tag::Receive(id) => self.sockets.get(id).is_some_and(Socket::is_ending_receive),
            Tag::Send(id) => {
                self.sockets.get(id).is_some_and(|socket| socket.is_leaving() && socket.is_sending())
            }
        };
        if is_wanted {
            self.ring.cancel(operation);
        }
    }

    /// Waits until the kernel has let go of all our memory; whether it has.
    fn join(&mut self) -> bool {
        for _ in 0..JOIN_ROUNDS {
            if self.ring.under_way() == 0 {
                return self.ring.unregister_buffers().is_ok();
            }
            self.ring.cancel_all();
            if self.ring.enter(Some(JOIN_WAIT)).is_err() {
                return false;
            }
            self.ring.gather(&mut self.outcomes);
        }
        false
    }
}

impl Backend for Uring {
    fn name(&self) -> &'static str {
        "io_uring"
    }

    fn poll(&mut self, wait: Option<Duration>, completions: &mut Completions) -> io::Result<()> {
        self.ring.disable_wakeup();
        self.tell_ends(completions);
        self.provide();
        self.ring.enter(if completions.is_empty() { wait } else { Some(Duration::ZERO) })?;
        self.take_outcomes(completions);
        if !completions.is_empty() {
            return Ok(());
        }
        self.provide();
        self.ring.enable_wakeup()
    }

    fn now(&self) -> Now {
        Now::read()
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.ring.descriptor())
    }

    fn listen(&mut self, listener: Listener) -> io::Result<ListenerId> {
        let Listener::Socket(fd) = listener else { return Err(io::ErrorKind::Unsupported.into()) };
        Ok(self.add_listener(fd))
    }

    fn resume_accept(&mut self, id: ListenerId) {
        self.accept_again(id);
    }

    fn pause_accept(&mut self, id: ListenerId) {
        self.hold_accept(id);
    }

    fn unlisten(&mut self, id: ListenerId) {
        self.remove_listener(id);
    }

    fn connect(&mut self, target: &Address, completions: &mut Completions) -> io::Result<SocketId> {
        let Begun { socket: fd, result } = outbound::begin(target)?;
        let socket = self.sockets.insert(Socket::new(fd));
        match result {
            None => self.await_connected(socket),
            Some(result) => completions.push_back(Completion::Connected { socket, result }),
        }
        Ok(socket)
    }

    fn adopt(&mut self, connection: Detached) -> io::Result<SocketId> {
        match connection.stream {
            Stream::Socket(fd) => Ok(self.sockets.insert(Socket::new(fd))),
            #[cfg(feature = "simulator")]
            Stream::Simulated(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    fn is_quiet(&self, connection: &Detached) -> bool {
        matches!(&connection.stream, Stream::Socket(fd) if is_quiet(fd.as_fd()))
    }

    fn receive(&mut self, socket: SocketId) {
        self.resume(socket);
    }

    fn pause(&mut self, socket: SocketId) {
        self.hold(socket);
    }

    fn send(&mut self, socket: SocketId, output: Box<Output>, completions: &mut Completions) {
        if let Some(slot) = open(&mut self.sockets, socket) {
            // The kernel reads the output under way: replacing it would free it under the kernel's hands.
            assert!(!slot.is_sending(), "one send at a time");
            self.begin_send(socket, output, completions);
        }
    }

    fn shutdown(&mut self, socket: SocketId) {
        if let Some(slot) = open(&mut self.sockets, socket) {
            slot.finish();
        }
    }

    fn reset(&mut self, socket: SocketId) {
        if let Some(slot) = open(&mut self.sockets, socket) {
            reset_on_close(slot.fd());
        }
    }

    fn close(&mut self, socket: SocketId, completions: &mut Completions) {
        self.leave(socket, Leaving::Closed, completions);
    }

    fn release(&mut self, socket: SocketId, completions: &mut Completions) {
        if let Some(slot) = open(&mut self.sockets, socket) {
            assert!(!slot.is_sending(), "what is released has nothing under way");
            self.leave(socket, Leaving::Released, completions);
        }
    }

    fn peer_address(&self, socket: SocketId) -> io::Result<SocketAddr> {
        let slot = self.sockets.get(socket).ok_or(io::ErrorKind::NotConnected)?;
        peer_address(slot.fd())
    }

    fn sockets(&self) -> usize {
        self.sockets.len()
    }

    fn pool(&self) -> &Pool {
        self.buffers.pool()
    }
}

impl Drop for Uring {
    fn drop(&mut self) {
        if self.join() {
            return;
        }
        // The kernel may still write into what it was lent: memory lost is better than memory overwritten.
        self.buffers.leak();
        let ids: Vec<_> = self.sockets.ids().collect();
        for socket in ids.into_iter().filter_map(|id| self.sockets.remove(id)) {
            std::mem::forget(socket);
        }
    }
}

/// The socket, unless it is about to leave: then it takes no operation.
fn open(sockets: &mut Slots<Socket>, id: SocketId) -> Option<&mut Socket> {
    sockets.get_mut(id).filter(|socket| !socket.is_leaving())
}
