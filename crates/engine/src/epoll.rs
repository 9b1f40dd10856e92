//! The selector of Linux, epoll(7), and the engine on it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, Event, EventData, EventFlags};

use crate::readiness::TryFirst;
use crate::selector::{Readiness, Selector, Token};

/// The engine on epoll.
pub type Epoll = TryFirst<EpollSelector>;

/// epoll(7).
pub struct EpollSelector {
    epoll: OwnedFd,
}

impl Selector for EpollSelector {
    const NAME: &'static str = "epoll";
    type Event = Event;

    fn new() -> io::Result<EpollSelector> {
        Ok(EpollSelector { epoll: epoll::create(epoll::CreateFlags::CLOEXEC)? })
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    fn watch(&mut self, socket: BorrowedFd<'_>, token: Token) -> rustix::io::Result<()> {
        let interest = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&self.epoll, socket, data(token), interest)
    }

    fn await_writable(&mut self, _: BorrowedFd<'_>, _: Token) {
        // It is watched for that from the beginning: the kernel reports it only to those whom it had no room for.
    }

    fn watch_listener(&mut self, listener: BorrowedFd<'_>, token: Token) -> rustix::io::Result<()> {
        epoll::add(&self.epoll, listener, data(token), EventFlags::IN)
    }

    fn set_accept(&mut self, listener: BorrowedFd<'_>, token: Token, armed: bool) {
        let interest = if armed { EventFlags::IN } else { EventFlags::empty() };
        // Fails only for a descriptor that is not registered, and this one is.
        let _ = epoll::modify(&self.epoll, listener, data(token), interest);
    }

    fn forget(&mut self, descriptor: BorrowedFd<'_>) {
        // As above.
        let _ = epoll::delete(&self.epoll, descriptor);
    }

    fn wait(&mut self, wait: Option<Duration>, events: &mut Vec<Event>) -> rustix::io::Result<()> {
        let timeout =
            wait.map(|wait| Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: wait.subsec_nanos().into() });
        epoll::wait(&self.epoll, rustix::buffer::spare_capacity(events), timeout.as_ref()).map(|_| ())
    }

    fn decode(event: Event) -> (Token, Readiness) {
        let flags = event.flags;
        // A connection that broke is worth trying either way: the call tells how.
        let says = |any: EventFlags| flags.intersects(any | EventFlags::ERR | EventFlags::HUP);
        let readiness = Readiness {
            readable: says(EventFlags::IN | EventFlags::RDHUP),
            writable: says(EventFlags::OUT),
            hung_up: says(EventFlags::RDHUP),
        };
        (Token(event.data.u64()), readiness)
    }
}

fn data(token: Token) -> EventData {
    EventData::new_u64(token.0)
}
