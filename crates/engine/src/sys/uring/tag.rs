//! What an operation is known by, as the 64 bits that the kernel hands back with its completion.

use crate::{ListenerId, SocketId};

/// Slots are dense and bounded by the descriptors of a process, of which there are fewer than 2^30 (each needs more than a
/// byte of kernel memory); generations have 31 bits, and three are left for the mark and the kind.
const INDEX_BITS: u32 = 30;
const KIND_SHIFT: u32 = 61;

/// Set beside the bits of a tag, it names the operation that cancels it; alone, the one that cancels all.
pub(super) const CANCELLING: u64 = 1 << 63;

const ACCEPT: u64 = 1;
const RECEIVE: u64 = 2;
const SEND: u64 = 3;

/// Which operation, and whose. A socket has at most one of each kind under way, so a tag names one operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tag {
    /// Accepting from a listener.
    Accept(ListenerId),
    /// Receiving from a socket.
    Receive(SocketId),
    /// Sending to a socket, or waiting until it takes more.
    Send(SocketId),
}

impl Tag {
    pub(super) fn bits(self) -> u64 {
        match self {
            Tag::Accept(listener) => ACCEPT << KIND_SHIFT | u64::from(listener.0),
            Tag::Receive(socket) => RECEIVE << KIND_SHIFT | socket_bits(socket),
            Tag::Send(socket) => SEND << KIND_SHIFT | socket_bits(socket),
        }
    }

    /// # Panics
    /// When the bits are none of ours.
    pub(super) fn from_bits(bits: u64) -> Tag {
        match bits >> KIND_SHIFT {
            ACCEPT => Tag::Accept(ListenerId(bits as u32)),
            RECEIVE => Tag::Receive(socket_from(bits)),
            SEND => Tag::Send(socket_from(bits)),
            kind => unreachable!("no operation was begun with kind {kind}"),
        }
    }
}

fn socket_bits(socket: SocketId) -> u64 {
    debug_assert!(socket.index >> INDEX_BITS == 0 && socket.generation >> 31 == 0);
    u64::from(socket.generation) << INDEX_BITS | u64::from(socket.index)
}

fn socket_from(bits: u64) -> SocketId {
    let index = bits & ((1 << INDEX_BITS) - 1);
    SocketId { index: index as u32, generation: (bits >> INDEX_BITS) as u32 & 0x7fff_ffff }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_comes_back_as_it_went() {
        let socket = SocketId { index: (1 << INDEX_BITS) - 1, generation: 0x7fff_ffff };
        let other = SocketId { index: 5, generation: 0 };
        let tags = [Tag::Accept(ListenerId(u32::MAX)), Tag::Receive(socket), Tag::Send(socket)];
        for tag in tags.into_iter().chain([Tag::Receive(other), Tag::Send(other)]) {
            assert_eq!(Tag::from_bits(tag.bits()), tag);
            assert_eq!(tag.bits() & CANCELLING, 0, "free for the canceller");
        }
    }
}
