//! What the engine reports, and the numbers it reports it by.

use std::collections::VecDeque;
use std::io;

use gannet_block::Block;

use crate::{Accepted, Detached, Output};

/// A socket, by its slot and the slot's generation: a number kept after its socket closed names nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SocketId {
    /// The slot: small, dense, used anew; good as an index into the owner's own table.
    pub index: u32,
    /// How often the slot was used before.
    pub generation: u32,
}

/// A listener, by its slot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ListenerId(pub u32);

/// Something that happened.
#[derive(Debug)]
pub enum Completion {
    /// A connection was accepted; it has no socket of this engine's until it is [adopted](crate::Backend::adopt).
    Accepted(Accepted),
    /// A resource ran out (descriptors, memory): the listener is paused.
    AcceptFailed {
        /// Which listener.
        listener: ListenerId,
        /// What accept(2) said.
        error: io::Error,
    },
    /// Connecting came to its end: the socket may send and receive, or is to be closed.
    Connected {
        /// Where.
        socket: SocketId,
        /// What connect(2) said. [`io::ErrorKind::WouldBlock`]: the backlog of a Unix socket is full.
        result: io::Result<()>,
    },
    /// Bytes arrived.
    Received {
        /// Where.
        socket: SocketId,
        /// The bytes, at least one.
        block: Block,
    },
    /// The peer sends no more: it closed, or shut down its half.
    Ended {
        /// Where.
        socket: SocketId,
    },
    /// Receiving failed; the peer is gone.
    ReceiveFailed {
        /// Where.
        socket: SocketId,
        /// What recv(2) said.
        error: io::Error,
    },
    /// A send made progress, or failed.
    Sent {
        /// Where.
        socket: SocketId,
        /// The operation's output, with what was sent already left out.
        output: Box<Output>,
        /// How many bytes were taken by the kernel. [`io::ErrorKind::UnexpectedEof`]: a file ended before its range did.
        result: io::Result<u64>,
    },
    /// The socket is closed and its memory ours again.
    Closed {
        /// Which socket; the number is void from here.
        socket: SocketId,
        /// What a send cut short had left.
        output: Option<Box<Output>>,
    },
    /// The socket is out of the engine.
    Released {
        /// Which socket; the number is void from here.
        socket: SocketId,
        /// To be adopted. None: something came to it meanwhile (bytes, an end, an error), and it is closed.
        connection: Option<Detached>,
    },
}

/// Completions waiting to be taken. Connections come before all else that was gathered: whoever takes them can put them where others
/// reach them before anything takes its time.
#[derive(Debug, Default)]
pub struct Completions {
    accepted: VecDeque<Completion>,
    others: VecDeque<Completion>,
}

impl Completions {
    /// None yet.
    pub fn new() -> Completions {
        Completions::default()
    }

    /// Puts one behind those of its sort.
    #[inline]
    pub fn push_back(&mut self, completion: Completion) {
        match completion {
            Completion::Accepted(_) => self.accepted.push_back(completion),
            _ => self.others.push_back(completion),
        }
    }

    /// Puts one behind those of its sort, if there is one.
    #[inline]
    pub(crate) fn extend(&mut self, completion: Option<Completion>) {
        if let Some(completion) = completion {
            self.push_back(completion);
        }
    }

    /// The next one.
    #[inline]
    pub fn pop_front(&mut self) -> Option<Completion> {
        if let Some(accepted) = self.accepted.pop_front() {
            return Some(accepted);
        }
        self.others.pop_front()
    }

    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.accepted.len() + self.others.len()
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
