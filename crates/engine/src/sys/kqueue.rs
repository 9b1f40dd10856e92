//! The selector of macOS and FreeBSD, kqueue(2), and the engine on it.
//!
//! Its calls are unsafe, since a queue holds descriptors by their numbers; the kernel takes out those that are closed.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::without_provenance_mut;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::kqueue::{Event, EventFilter, EventFlags, kevent_timespec, kqueue};
use rustix::io::{FdFlags, fcntl_setfd};

use crate::readiness::TryFirst;
use crate::selector::{Readiness, Selector, Token};

/// The engine on kqueue.
pub type Kqueue = TryFirst<KqueueSelector>;

/// kqueue(2).
pub struct KqueueSelector {
    kqueue: OwnedFd,
}

// A token is handed to the kernel in the place of a pointer.
const _: () = assert!(size_of::<usize>() == size_of::<u64>(), "kqueue needs a system of 64 bits");

impl KqueueSelector {
    /// Changes what is watched, at once.
    fn change(&self, filter: EventFilter, flags: EventFlags, token: Token) -> rustix::io::Result<()> {
        let change = Event::new(filter, flags, without_provenance_mut(token.0 as usize));
        let mut none: [Event; 0] = [];
        // SAFETY: the caller has the descriptor open; once it is closed the kernel forgets it.
        unsafe { kevent_timespec(&self.kqueue, &[change], &mut none, Some(&Timespec::default())) }.map(|_| ())
    }
}

impl Selector for KqueueSelector {
    const NAME: &'static str = "kqueue";
    type Event = Event;

    fn new() -> io::Result<KqueueSelector> {
        let kqueue = kqueue()?;
        fcntl_setfd(&kqueue, FdFlags::CLOEXEC)?;
        Ok(KqueueSelector { kqueue })
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.kqueue.as_fd()
    }

    fn watch(&mut self, socket: BorrowedFd<'_>, token: Token) -> rustix::io::Result<()> {
        self.change(EventFilter::Read(socket.as_raw_fd()), EventFlags::ADD | EventFlags::CLEAR, token)
    }

    fn await_writable(&mut self, socket: BorrowedFd<'_>, token: Token) {
        // Not watched for all the time: each acknowledgement of the peer's would be reported. Once there is room this is reported
        // even if there was by now. Fails only when the kernel is out of memory; then the send's deadline ends the connection.
        let _ =
            self.change(EventFilter::Write(socket.as_raw_fd()), EventFlags::ADD | EventFlags::ONESHOT, token);
    }

    fn watch_listener(&mut self, listener: BorrowedFd<'_>, token: Token) -> rustix::io::Result<()> {
        self.change(EventFilter::Read(listener.as_raw_fd()), EventFlags::ADD, token)
    }

    fn set_accept(&mut self, listener: BorrowedFd<'_>, token: Token, armed: bool) {
        let flag = if armed { EventFlags::ENABLE } else { EventFlags::DISABLE };
        // Fails only for a descriptor that is not registered, and this one is.
        let _ = self.change(EventFilter::Read(listener.as_raw_fd()), flag, token);
    }

    fn forget(&mut self, descriptor: BorrowedFd<'_>) {
        // As above; the second fails where nobody waits for room, which is mostly so.
        let _ = self.change(EventFilter::Read(descriptor.as_raw_fd()), EventFlags::DELETE, Token(0));
        let _ = self.change(EventFilter::Write(descriptor.as_raw_fd()), EventFlags::DELETE, Token(0));
    }

    fn wait(&mut self, wait: Option<Duration>, events: &mut Vec<Event>) -> rustix::io::Result<()> {
        let timeout =
            wait.map(|wait| Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: wait.subsec_nanos().into() });
        // SAFETY: nothing is changed here.
        unsafe { kevent_timespec(&self.kqueue, &[], spare_capacity(events), timeout.as_ref()) }.map(|_| ())
    }

    fn decode(event: Event) -> (Token, Readiness) {
        let readiness = match event.filter() {
            EventFilter::Write(_) => Readiness { writable: true, ..Readiness::default() },
            _ => Readiness {
                readable: true,
                writable: false,
                hung_up: event.flags().contains(EventFlags::EOF),
            },
        };
        (Token(event.udata().addr() as u64), readiness)
    }
}
