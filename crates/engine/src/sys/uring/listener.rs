//! Listeners: accepting is a subscription of the kernel's own.

use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;

use super::Uring;
use super::tag::Tag;
use crate::transfer::is_exhaustion;
use crate::{Accepted, Completion, Completions, ListenerId};

/// A listener's slot; its number is not used again, so that a late completion cannot be taken for another's.
pub(super) struct ListenerSlot {
    fd: OwnedFd,
    /// The owner wants connections.
    pub(super) armed: bool,
    /// The kernel accepts.
    accepting: bool,
    /// To be closed as soon as the kernel accepts no more.
    pub(super) closing: bool,
}

impl ListenerSlot {
    /// Whether the kernel accepts although it is not to.
    pub(super) fn is_ending_accept(&self) -> bool {
        self.accepting && (self.closing || !self.armed)
    }
}

impl Uring {
    pub(super) fn add_listener(&mut self, fd: OwnedFd) -> ListenerId {
        let id = ListenerId(self.listeners.len() as u32);
        self.listeners.push(Some(ListenerSlot { fd, armed: false, accepting: false, closing: false }));
        self.accept_again(id);
        id
    }

    pub(super) fn accept_again(&mut self, id: ListenerId) {
        let Some(listener) = listener(&mut self.listeners, id).filter(|listener| !listener.closing) else {
            return;
        };
        listener.armed = true;
        // While the kernel still ends a pause it is armed anew when that is over.
        if !listener.accepting {
            listener.accepting = true;
            self.ring.accept(id, listener.fd.as_fd());
        }
    }

    pub(super) fn hold_accept(&mut self, id: ListenerId) {
        let Some(listener) = listener(&mut self.listeners, id) else { return };
        if std::mem::take(&mut listener.armed) && listener.accepting {
            self.ring.cancel(Tag::Accept(id));
        }
    }

    pub(super) fn remove_listener(&mut self, id: ListenerId) {
        let Some(listener) = listener(&mut self.listeners, id) else { return };
        if listener.accepting {
            (listener.armed, listener.closing) = (false, true);
            self.ring.cancel(Tag::Accept(id));
        } else {
            self.listeners[id.0 as usize] = None;
        }
    }

    /// A connection was accepted, or accepting came to its end.
    pub(super) fn accepted(
        &mut self,
        id: ListenerId,
        result: Result<OwnedFd, Errno>,
        more: bool,
        completions: &mut Completions,
    ) {
        let Some(listener) = listener(&mut self.listeners, id) else { return };
        let failure = match result {
            // Also while the listener is being taken out: dropping it would reset a client that the kernel let in.
            Ok(fd) => {
                completions.push_back(Completion::Accepted(Accepted::socket(id, fd)));
                None
            }
            Err(error) => Some(error),
        };
        if more {
            return;
        }
        listener.accepting = false;
        if listener.closing {
            self.listeners[id.0 as usize] = None;
            return;
        }
        if let Some(error) = failure.filter(|error| is_lasting(*error)) {
            listener.armed = false;
            completions.push_back(Completion::AcceptFailed { listener: id, error: error.into() });
        }
        if listener.armed {
            self.accept_again(id);
        }
    }
}

pub(super) fn listener(listeners: &mut [Option<ListenerSlot>], id: ListenerId) -> Option<&mut ListenerSlot> {
    listeners.get_mut(id.0 as usize)?.as_mut()
}

/// Whether accepting again at once is in vain: for want of something of ours, or because this is no listener. All else that
/// accept(2) may say is about the connection that was to be accepted, or about our cancelling.
fn is_lasting(error: Errno) -> bool {
    is_exhaustion(error) || matches!(error, Errno::BADF | Errno::INVAL | Errno::NOTSOCK)
}
