//! What asks a kernel which sockets are ready: epoll(7), kqueue(2).

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use crate::{ListenerId, SocketId};

/// Asks the kernel which descriptors are ready. A descriptor that is closed needs no leave.
pub trait Selector: Sized {
    /// The name of the backend that stands on it.
    const NAME: &'static str;

    /// What the kernel writes for each descriptor that it reports.
    type Event;

    /// A selector that watches nothing yet.
    ///
    /// # Errors
    /// The descriptors are used up.
    fn new() -> io::Result<Self>;

    /// Readable when [`wait`](Selector::wait) has something to report.
    fn descriptor(&self) -> BorrowedFd<'_>;

    /// Watches a socket, edge-triggered: whatever comes after a short receive is reported.
    ///
    /// # Errors
    /// The kernel has no room for another.
    fn watch(&mut self, socket: BorrowedFd<'_>, token: Token) -> rustix::io::Result<()>;

    /// Has it reported when the socket takes more, which it did not a moment ago.
    fn await_writable(&mut self, socket: BorrowedFd<'_>, token: Token);

    /// Watches a listener, level-triggered: what is not accepted now is reported again. Not exclusively: of workers that share a
    /// socket all are woken, and the fastest accepts; one alone might be woken just as it pauses.
    ///
    /// # Errors
    /// The kernel has no room for another.
    fn watch_listener(&mut self, listener: BorrowedFd<'_>, token: Token) -> rustix::io::Result<()>;

    /// Whether a watched listener is reported.
    fn set_accept(&mut self, listener: BorrowedFd<'_>, token: Token, armed: bool);

    /// Watches a socket or a listener no more, which stays open: another worker has it, too, or is to have it.
    fn forget(&mut self, descriptor: BorrowedFd<'_>);

    /// Appends what is reported, as much as there is room for, waiting up to `wait` for the first (`None`: for as long as it takes).
    ///
    /// # Errors
    /// `EINTR`; all else means that the kernel refuses to be asked.
    fn wait(&mut self, wait: Option<Duration>, events: &mut Vec<Self::Event>) -> rustix::io::Result<()>;

    /// What an event says of which descriptor.
    fn decode(event: Self::Event) -> (Token, Readiness);
}

/// What the kernel reports of a socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Readiness {
    /// There is something to receive: bytes, the peer's end or an error.
    pub readable: bool,
    /// The socket takes more, or tells why it never will.
    pub writable: bool,
    /// The peer ended its half, or the connection broke: there is more to be told behind the last bytes.
    pub hung_up: bool,
}

/// The number by which the kernel reports a descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token(pub u64);

/// Whose a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// A listener's.
    Listener(ListenerId),
    /// A socket's.
    Socket(SocketId),
}

/// Set in a token when it is a listener's.
const LISTENER: u64 = 1 << 63;

impl Token {
    /// A listener's.
    pub fn listener(id: ListenerId) -> Token {
        Token(LISTENER | u64::from(id.0))
    }

    /// A socket's.
    pub fn socket(id: SocketId) -> Token {
        // Generations have 31 bits: that leaves LISTENER free.
        Token(u64::from(id.index) | u64::from(id.generation) << 32)
    }

    /// Whose it is.
    pub fn owner(self) -> Owner {
        if self.0 & LISTENER == 0 {
            Owner::Socket(SocketId { index: self.0 as u32, generation: (self.0 >> 32) as u32 })
        } else {
            Owner::Listener(ListenerId(self.0 as u32))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_owner() {
        for number in [0, 1, u32::MAX] {
            let listener = ListenerId(number);
            assert_eq!(Token::listener(listener).owner(), Owner::Listener(listener));
            let socket = SocketId { index: number, generation: number & 0x7fff_ffff };
            assert_eq!(Token::socket(socket).owner(), Owner::Socket(socket));
        }
    }
}
