//! Sockets as a queue of completions.
//!
//! An [`Engine`] takes operations (listen, connect, receive, send, close) and gives completions out of a queue, never from inside the
//! call that began the operation. The same interface stands on several [`Backend`]s: those of a kernel ([`BackendKind`]) and a
//! seeded simulator; one suite of tests, `tests/contract.rs`, holds for all of them.
//!
//! # The contract
//!
//! * **Accept** is a subscription: a listener gives [`Completion::Accepted`] until paused; also behind a pause, or the listener's end,
//!   connections still come that the kernel had accepted already. A resource error (`EMFILE` and its
//!   kin, accept(2)) pauses the listener and is reported once; errors of the connection that was about to be accepted are
//!   not reported at all.
//! * **Connect** never waits. The socket is open from then on, not armed, and may be closed at once; nothing else is asked of it before
//!   [`Completion::Connected`] came, which comes exactly once unless it was closed before. One that failed is closed by its owner.
//!   How long connecting may take is the owner's business: the kernel gives up after minutes.
//! * **Adopt**: a connection that was accepted, or released, is a descriptor and no more, which any engine may take in; only then is it
//!   a socket.
//! * **Receive** is a subscription: while armed, a socket gives [`Completion::Received`] with a block of the engine's pool,
//!   and at last [`Completion::Ended`] or [`Completion::ReceiveFailed`]. A new socket is not armed. While paused it gives
//!   nothing new, not even the news that the peer is gone; what was gathered before still comes, and so do bytes the kernel had
//!   delivered already. When the pool has no block left, receiving waits until one comes back.
//! * **Send**: at most one per socket is under way. It completes after any progress, with the [`Output`] handed back; what is
//!   left in it is sent by submitting it again.
//! * **Close** is a join: after it a socket gives, besides what was gathered before, [`Completion::Closed`] and nothing else, and
//!   that only when the kernel holds none of our memory. Then its slot, and its number, may be used anew, be it that this completion
//!   still waits to be taken.
//! * **Release** is the same join for a socket on which no send is under way, and gives the connection back for another engine to adopt:
//!   [`Completion::Released`]. What was received before it comes before; if anything came to the socket meanwhile it is closed
//!   instead. Whoever keeps a released connection for long asks [`Engine::is_quiet`] before it is used again.
//! * An error of the connection is told once, by the first operation that meets it.
//! * The clock is read once a turn, by [`Engine::poll`].

#![deny(unsafe_code)]

mod address;
mod backends;
mod clock;
mod completion;
mod detached;
mod engine;
mod listener;
mod mappings;
mod outbound;
mod output;
mod slots;
mod timers;
mod transfer;

#[cfg(target_os = "linux")]
pub mod epoll;
pub mod readiness;
pub mod selector;
#[cfg(feature = "simulator")]
pub mod sim;
#[expect(unsafe_code, reason = "memory shared with the kernel, descriptors known by number")]
pub mod sys;

use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::Duration;

pub use address::Address;
pub use backends::BackendKind;
pub use clock::{Moment, Now, ReadClock};
pub use completion::{Completion, Completions, ListenerId, SocketId};
pub use detached::{Accepted, Detached};
pub use engine::Engine;
pub use gannet_block::{Block, Chunk, Pool};
pub use listener::{Listener, Unfit};
pub use output::{Output, Progress};
pub use slots::Slots;
pub use timers::Timers;

/// What a backend must do; the module documentation is its contract.
pub trait Backend {
    /// The backend's name, to be shown.
    fn name(&self) -> &'static str;

    /// Gathers completions, waiting up to `wait` for the first (`None`: for as long as it takes). Never waits when there is
    /// something to do already.
    ///
    /// # Errors
    /// When the kernel refuses to be asked: the engine cannot go on.
    fn poll(&mut self, wait: Option<Duration>, completions: &mut Completions) -> io::Result<()>;

    /// What the time is, now.
    fn now(&self) -> Now;

    /// What tells the time to those who have no engine at hand: the kernel's clocks, unless the backend has its own.
    fn clock(&self) -> ReadClock {
        Rc::new(Now::read)
    }

    /// The descriptor that becomes readable when [`poll`](Backend::poll) has something to gather. None: poll whenever asked to
    /// (the simulator).
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;

    /// Takes a listener in, armed.
    ///
    /// # Errors
    /// When the kernel refuses it, or it is not of this backend's kind.
    fn listen(&mut self, listener: Listener) -> io::Result<ListenerId>;

    /// Arms accepting.
    fn resume_accept(&mut self, listener: ListenerId);

    /// Pauses accepting. Connections go on waiting in the listener's backlog.
    fn pause_accept(&mut self, listener: ListenerId);

    /// Ends accepting and closes the listener.
    fn unlisten(&mut self, listener: ListenerId);

    /// Begins to connect to another server, without waiting.
    ///
    /// # Errors
    /// When there can be no socket for it: descriptors are used up, the path of a Unix socket has more than 107 bytes, the address is
    /// not of this backend's kind. All that is about the other server comes with [`Completion::Connected`].
    fn connect(&mut self, target: &Address, completions: &mut Completions) -> io::Result<SocketId>;

    /// Takes in a connection that this engine or another accepted or released. Its socket is not armed yet.
    ///
    /// # Errors
    /// When the kernel is out of something, or the connection is not of this backend's kind; it is closed then.
    fn adopt(&mut self, connection: Detached) -> io::Result<SocketId>;

    /// Whether a connection that no engine has is alive and nothing has come to it: no bytes, no end, no error.
    fn is_quiet(&self, connection: &Detached) -> bool;

    /// Arms receiving.
    fn receive(&mut self, socket: SocketId);

    /// Pauses receiving.
    fn pause(&mut self, socket: SocketId);

    /// Begins sending what `output` holds.
    fn send(&mut self, socket: SocketId, output: Box<Output>, completions: &mut Completions);

    /// Ends our half of the conversation (shutdown(2), `SHUT_WR`): the peer sees the end after all that was sent.
    fn shutdown(&mut self, socket: SocketId);

    /// Breaks the connection: the peer sees a reset instead of an end, and may lose what it has not read yet (socket(7),
    /// `SO_LINGER` of zero). To be followed by [`close`](Backend::close).
    fn reset(&mut self, socket: SocketId);

    /// Ends the conversation.
    fn close(&mut self, socket: SocketId, completions: &mut Completions);

    /// Takes a socket out of the engine, for another to adopt.
    ///
    /// # Panics
    /// When a send is under way, or connecting.
    fn release(&mut self, socket: SocketId, completions: &mut Completions);

    /// Who is at the other end; a client of IPv4 by its IPv4 address, also where an IPv6 socket accepted it.
    ///
    /// # Errors
    /// When the peer is gone, or has no address of TCP: that of a Unix socket has none.
    fn peer_address(&self, socket: SocketId) -> io::Result<SocketAddr>;

    /// How many sockets are open or closing.
    fn sockets(&self) -> usize;

    /// The pool that is received into.
    fn pool(&self) -> &Pool;
}
