//! What an engine knows of its listeners and sockets.
//!
//! A completion may be held back in its socket's slot until it is due. What a slot holds is bounded: one receive (none is
//! begun behind it, which keeps them in order), and one send.

use std::io;

use gannet_block::Pool;

use super::Network;
use super::tcp::Readable;
use super::world::EndId;
use crate::{Completion, Moment, Output, SocketId};

pub(super) struct ListenerSlot {
    /// The network's own number for it.
    pub(super) number: usize,
    pub(super) armed: bool,
}

pub(super) enum Slot {
    Open(Socket),
    /// Closed, and not yet said so.
    Closing {
        due: Moment,
        output: Option<Box<Output>>,
    },
    /// To be released, and not yet said so.
    Releasing {
        due: Moment,
        /// None: it is closed, since what was received was not told.
        end: Option<EndId>,
    },
}

pub(super) struct Socket {
    pub(super) end: EndId,
    /// Not connected yet.
    pub(super) connecting: bool,
    pub(super) armed: bool,
    /// The end of receiving was reported.
    over: bool,
    /// A receive that has happened and is yet to be reported.
    pub(super) held: Option<(Moment, Completion)>,
    pub(super) sending: Sending,
}

/// The one send that may be under way.
pub(super) enum Sending {
    Nothing,
    /// There is no room yet.
    Waiting(Box<Output>),
    /// It has happened and is yet to be reported.
    Held {
        due: Moment,
        output: Box<Output>,
        result: io::Result<u64>,
    },
}

impl Sending {
    /// What a close hands back.
    pub(super) fn into_output(self) -> Option<Box<Output>> {
        match self {
            Sending::Nothing => None,
            Sending::Waiting(output) | Sending::Held { output, .. } => Some(output),
        }
    }
}

impl Socket {
    pub(super) fn new(end: EndId, connecting: bool) -> Socket {
        Socket { end, connecting, armed: false, over: false, held: None, sending: Sending::Nothing }
    }

    /// Receives into the slot, unless it holds something already or there is nothing to receive.
    pub(super) fn receive(&mut self, id: SocketId, network: &Network, pool: &Pool) {
        if self.held.is_some() {
            return;
        }
        let Some(completion) = self.receive_once(id, network, pool) else { return };
        let mut world = network.world.borrow_mut();
        let due = match world.fate.late_receive() {
            Some(wait) => world.wake_after(wait),
            None => world.now,
        };
        self.held = Some((due, completion));
    }

    /// Takes what the slot holds, if it is time to report it.
    pub(super) fn take_held(&mut self, now: Moment) -> Option<Completion> {
        let armed = self.armed;
        // A pause holds back the news that the peer is gone, not bytes.
        let may_come = |held: &Completion| armed || matches!(held, Completion::Received { .. });
        let (_, completion) = self.held.take_if(|(due, held)| *due <= now && may_come(held))?;
        if !matches!(completion, Completion::Received { .. }) {
            (self.armed, self.over) = (false, true);
        }
        Some(completion)
    }

    /// What a receive gives now, if anything.
    fn receive_once(&self, id: SocketId, network: &Network, pool: &Pool) -> Option<Completion> {
        if !self.armed {
            return None;
        }
        let mut world = network.world.borrow_mut();
        match world.readable(self.end) {
            Readable::Bytes(unread) => {
                let mut block = pool.take()?;
                let count = world.fate.received(unread.min(block.capacity()));
                let count = world.read(self.end, &mut block.spare_mut()[..count]);
                block.commit(count);
                Some(Completion::Received { socket: id, block })
            }
            Readable::Reset => {
                Some(Completion::ReceiveFailed { socket: id, error: world.tell_reset(self.end) })
            }
            Readable::End if !self.over => Some(Completion::Ended { socket: id }),
            Readable::End | Readable::Nothing => None,
        }
    }
}
