//! How a socket leaves the engine: closed, or released for another to adopt. Either waits until the kernel has no operation on it.

use std::os::fd::AsFd;

use gannet_block::Block;
use rustix::io::Errno;

use super::socket::{Receiving, Socket};
use super::tag::Tag;
use super::{Uring, open};
use crate::{Completion, Completions, Detached, SocketId, transfer};

/// What becomes of a socket once the kernel has no operation on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Leaving {
    /// It stays.
    No,
    /// It is closed.
    Closed,
    /// Another engine may have it.
    Released,
    /// It was to be released, and something was received meanwhile: it is closed.
    Spoiled,
}

impl Socket {
    /// Notes what came of the last receive of a socket that is to be released.
    pub(super) fn note_late(&mut self, result: &Result<Option<Block>, Errno>) {
        let nothing = matches!(result, Err(Errno::CANCELED | Errno::INTR | Errno::AGAIN | Errno::NOBUFS));
        if self.leaving == Leaving::Released && !nothing {
            self.leaving = Leaving::Spoiled;
        }
    }

    /// The descriptor, if nothing has come to it.
    fn into_quiet(self) -> Option<Detached> {
        let is_quiet = !matches!(self.receiving, Receiving::Over(_)) && transfer::is_quiet(self.fd.as_fd());
        is_quiet.then(|| Detached::socket(self.fd))
    }
}

impl Uring {
    /// Begins to take a socket out.
    pub(super) fn leave(&mut self, id: SocketId, leaving: Leaving, completions: &mut Completions) {
        let Some(socket) = open(&mut self.sockets, id) else { return };
        socket.leaving = leaving;
        if socket.receiving == Receiving::UnderWay {
            socket.receiving = Receiving::Cancelling;
            self.ring.cancel(Tag::Receive(id));
        }
        if socket.is_sending() {
            self.ring.cancel(Tag::Send(id));
        }
        if socket.receiving == Receiving::Starved {
            self.starved.remove(id);
        }
        self.finish_leaving(id, completions);
    }

    /// Closes the descriptor, or gives it away, once the kernel has no operation on it: until then the peer would not learn of a close
    /// anyway, since an operation keeps the socket open.
    pub(super) fn finish_leaving(&mut self, id: SocketId, completions: &mut Completions) {
        if self.sockets.get(id).is_none_or(|socket| !socket.is_leaving() || socket.is_busy()) {
            return;
        }
        let Some(socket) = self.sockets.remove(id) else { return };
        completions.push_back(match socket.leaving {
            Leaving::No | Leaving::Closed => Completion::Closed { socket: id, output: socket.output },
            Leaving::Released => Completion::Released { socket: id, connection: socket.into_quiet() },
            Leaving::Spoiled => Completion::Released { socket: id, connection: None },
        });
    }
}
