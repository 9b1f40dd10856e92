//! The session tickets that one server has given (RFC 8446, 4.6.1), each used once.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use rustls::{
    NamedGroup,
    client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue},
    pki_types::ServerName,
};

/// More than a server resumes in a measurement; the oldest go first.
const TICKETS_LIMIT: usize = 64 * 1024;

/// What the server has given and has not been used.
#[derive(Debug)]
pub struct Tickets {
    keeps: bool,
    kept: Mutex<VecDeque<Tls13ClientSessionValue>>,
    received: AtomicU64,
    are_used: AtomicBool,
}

impl Tickets {
    /// Without `keeps` they are only counted.
    pub fn new(keeps: bool) -> Tickets {
        let (kept, received, are_used) = (Mutex::default(), AtomicU64::new(0), AtomicBool::new(false));
        Tickets { keeps, kept, received, are_used }
    }

    /// Whether new connections resume.
    pub fn are_used(&self) -> bool {
        self.are_used.load(Relaxed)
    }

    /// From now on new connections do or do not.
    pub fn use_them(&self, are_used: bool) {
        self.are_used.store(are_used, Relaxed);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.kept().len()
    }

    /// How many the server has given in all.
    pub fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Tls13ClientSessionValue>> {
        // There is one thread; and a queue is whole whatever panics beside it.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientSessionStore for Tickets {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        self.received.fetch_add(1, Relaxed);
        if self.keeps {
            let mut kept = self.kept();
            if kept.len() == TICKETS_LIMIT {
                kept.pop_front();
            }
            kept.push_back(ticket);
        }
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        if self.are_used() { self.kept().pop_front() } else { None }
    }
}
