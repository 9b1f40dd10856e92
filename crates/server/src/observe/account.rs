//! The account of an exchange: begun when its head is complete, told once when it is over, however it ends.
//!
//! An exchange is over when the kernel has taken the last byte of its response, or when it is certain that it never will: the
//! connection is closed. That is later than when the response is made, and with pipelining several exchanges may be made and not over;
//! so a connection has a queue of accounts, in the order of the responses. Where a response ends is a position in all that
//! the connection sends; how far the kernel is, the engine's completions say.
//!
//! `tell` is the one place where an exchange is counted and logged. It is reached from what was sent ([`Accounts::sent`]) and from the
//! connection's end ([`Accounts::end`]), and from nowhere else: refusals, cut responses and upgrades have accounts like all others.
//!
//! Where exchanges share a connection their responses end in any order: an account is [set aside](Accounts::set_aside) meanwhile, and takes its
//! place in the queue when its response is [made](Accounts::made), or [broken off](Accounts::broken_off).

use std::collections::VecDeque;
use std::net::IpAddr;
use std::rc::Rc;

use gannet_core::{Arrival, Chunk, Head, Method, Networks, Status};
use gannet_engine::Moment;

use super::counters::WorkerCounters;
use super::limit::Limit;
use super::record::{self, Outcome, Said};
use super::ring::Scribe;

/// Accounts that a recycled connection keeps room for.
const KEPT_ACCOUNTS: usize = 16;

/// Bytes of records that it keeps room for.
const KEPT_BYTES: usize = 4096;

/// The position of what has no end yet.
const NEVER: u64 = u64::MAX;

/// No route: of requests that none matched, or that could not be read.
pub(crate) const NO_ROUTE: u16 = u16::MAX;

/// Whom a worker tells what it saw.
pub(crate) struct Observer {
    pub(crate) counters: std::sync::Arc<WorkerCounters>,
    /// Where lines for the access log go, if there is one.
    pub(crate) scribe: Option<Scribe>,
    /// The proxies that are believed what they say of a client.
    pub(crate) trusted: Rc<Networks>,
}

/// One exchange that is not over.
#[derive(Debug)]
pub(crate) struct Account {
    begun: Moment,
    method: Method,
    route: u16,
    /// 0: no response was begun.
    status: u16,
    /// The position of the first byte behind the response's head.
    body: u64,
    /// The position behind its last byte.
    end: u64,
    upgraded: bool,
    /// Its response was broken off, and that was said.
    cut: bool,
    /// How long its record is; 0: there is none.
    record_bytes: u32,
}

/// The account of an exchange whose response is made beside others'.
#[derive(Debug)]
pub(crate) struct SetAside {
    account: Account,
    /// Its record, if there is one.
    record: Vec<u8>,
}

/// The accounts of one connection.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    peer: Option<IpAddr>,
    /// The version of TLS, if it is spoken.
    tls: Option<&'static str>,
    open: VecDeque<Account>,
    /// The records of those, in the same order,
    records: Vec<u8>,
    /// behind so many bytes of records that were told.
    told_bytes: usize,
    /// Bytes that the kernel took.
    taken: u64,
    /// Bytes that the engine has beyond those.
    given: u64,
}

impl Accounts {
    /// A connection begins, or goes on.
    #[inline]
    pub(crate) fn connect(&mut self, arrival: &Arrival) {
        self.peer = arrival.peer.map(|peer| peer.ip().to_canonical());
        self.tls = arrival.tls.as_ref().map(|tls| tls.version);
    }

    /// A head is complete.
    #[inline(always)]
    pub(crate) fn begin(&mut self, head: &Head, text: &Chunk, now: Moment, observer: &Observer) {
        let record_bytes = match &observer.scribe {
            Some(scribe) => {
                let said = Said { tls: self.tls, ..Said::of(head, text, self.peer, &observer.trusted) };
                record::begin(&mut self.records, &said, scribe.field_bytes())
            }
            None => 0,
        };
        self.open(head.method, now, record_bytes);
    }

    /// Something is refused of which no head was complete. If an exchange is being answered it is that one which is refused.
    pub(crate) fn begin_unread(&mut self, head: &Head, text: &[u8], now: Moment, observer: &Observer) {
        if self.current().is_some() {
            return;
        }
        let said = Said { tls: self.tls, ..Said::of_unread(head, text, self.peer) };
        let method = if said.method.is_empty() { Method::Other } else { head.method };
        let record_bytes = match &observer.scribe {
            Some(scribe) => record::begin(&mut self.records, &said, scribe.field_bytes()),
            None => 0,
        };
        self.open(method, now, record_bytes);
    }

    #[inline(always)]
    fn open(&mut self, method: Method, now: Moment, record_bytes: u32) {
        self.open.push_back(Account {
            begun: now,
            method,
            route: NO_ROUTE,
            status: 0,
            body: NEVER,
            end: NEVER,
            upgraded: false,
            cut: false,
            record_bytes,
        });
    }

    /// Whether all are told.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The exchange whose response is not made as a whole.
    fn current(&mut self) -> Option<&mut Account> {
        self.open.back_mut().filter(|account| account.end == NEVER)
    }

    /// Where the request leads that was begun last.
    #[inline]
    pub(crate) fn route(&self) -> u16 {
        self.open.back().map_or(NO_ROUTE, |account| account.route)
    }

    /// Where the present request leads.
    pub(crate) fn routed(&mut self, route: u16) {
        if let Some(account) = self.current() {
            account.route = route;
        }
    }

    /// The response's head is made, up to `position`.
    pub(crate) fn responded(&mut self, status: Status, upgraded: bool, position: u64) {
        if let Some(account) = self.current() {
            (account.status, account.upgraded, account.body) = (status.code(), upgraded, position);
        }
    }

    /// All of the response is made, up to `position`.
    pub(crate) fn written(&mut self, position: u64) {
        if let Some(account) = self.current().filter(|account| account.status != 0) {
            account.end = position;
        }
    }

    /// The response is made as a whole, its head up to the first position and its content up to the second.
    pub(crate) fn answered(&mut self, status: Status, body: u64, end: u64) {
        if let Some(account) = self.current() {
            (account.status, account.body, account.end) = (status.code(), body, end);
        }
    }

    /// Takes the account that was begun last out of the queue, where its response comes when it comes. `record` is memory for it.
    pub(crate) fn set_aside(&mut self, mut record: Vec<u8>) -> Option<SetAside> {
        let mut account = self.open.pop_back_if(|account| account.end == NEVER)?;
        let start = self.records.len() - account.record_bytes as usize;
        record.clear();
        record.extend_from_slice(&self.records[start..]);
        self.records.truncate(start);
        // Until it is made: how many bytes of content were put into the output.
        account.body = 0;
        Some(SetAside { account, record })
    }

    /// So much content was sent, if not by these accounts then by those before them, which were told of nothing else: where it ended is where they go on.
    pub(crate) fn carry(&mut self, content: u64) {
        self.taken += content.saturating_sub(self.position());
    }

    /// The response of one that was set aside is made as a whole, up to `position`. Gives the memory of its record.
    pub(crate) fn made(
        &mut self,
        aside: SetAside,
        position: u64,
        now: Moment,
        observer: &mut Observer,
    ) -> Vec<u8> {
        let SetAside { mut account, record } = aside;
        (account.body, account.end) = (position.saturating_sub(account.body), position);
        self.records.extend_from_slice(&record);
        self.open.push_back(account);
        self.tell_taken(now, observer); // of one that was broken off nothing may be left to be sent
        record
    }

    /// The same of one that was broken off before its end.
    pub(crate) fn broken_off(
        &mut self,
        mut aside: SetAside,
        position: u64,
        now: Moment,
        observer: &mut Observer,
    ) -> Vec<u8> {
        aside.account.cut = true;
        self.made(aside, position, now, observer)
    }

    /// The engine was given an output of so many bytes.
    pub(crate) fn submitted(&mut self, bytes: u64) {
        self.given = bytes;
    }

    /// The position behind what the engine was given.
    pub(crate) fn position(&self) -> u64 {
        self.taken + self.given
    }

    /// The engine gave its output back, of which the kernel took so many bytes.
    pub(crate) fn sent(&mut self, bytes: u64, now: Moment, observer: &mut Observer) {
        (self.taken, self.given) = (self.taken + bytes, 0);
        self.tell_taken(now, observer);
    }

    /// Tells all whose responses the kernel took to their ends.
    fn tell_taken(&mut self, now: Moment, observer: &mut Observer) {
        while let Some(account) = self.open.pop_front_if(|account| account.end <= self.taken) {
            self.tell(&account, account.cut, now, observer);
        }
        if self.open.is_empty() {
            self.records.clear();
            self.told_bytes = 0;
        }
    }

    /// The connection sends nothing more: what did not reach its end never will. (A conversation's end may come after all was sent.)
    #[inline(always)]
    pub(crate) fn end(&mut self, now: Moment, observer: &mut Observer) {
        let is_large = self.open.capacity() > KEPT_ACCOUNTS || self.records.capacity() > KEPT_BYTES;
        if self.open.is_empty() && !is_large {
            // All are told, and mostly nothing else is left to be done.
            self.records.clear();
            (self.told_bytes, self.taken, self.given) = (0, 0, 0);
        } else {
            self.end_all(now, observer);
        }
    }

    fn end_all(&mut self, now: Moment, observer: &mut Observer) {
        while let Some(account) = self.open.pop_front() {
            self.tell(&account, account.cut || account.end > self.taken, now, observer);
        }
        self.open.shrink_to(KEPT_ACCOUNTS);
        self.records.clear();
        self.records.shrink_to(KEPT_BYTES);
        (self.told_bytes, self.taken, self.given) = (0, 0, 0);
    }

    /// An exchange is over.
    fn tell(&mut self, account: &Account, cut: bool, now: Moment, observer: &mut Observer) {
        let duration = now.nanoseconds().saturating_sub(account.begun.nanoseconds());
        let counters = &observer.counters;
        let route = counters.route(account.route);
        route.count(account.method, account.status);
        // How long a conversation lasts says nothing about how fast the server is, nor does a client that did not wait.
        if account.status != 0 && !account.upgraded {
            route.durations.record(duration);
        }
        if cut {
            counters.cut.add(1);
        }
        let length = account.record_bytes as usize;
        let record = &mut self.records[self.told_bytes..self.told_bytes + length];
        self.told_bytes += length;
        if let Some(scribe) = observer.scribe.as_mut().filter(|_| length > 0) {
            let outcome = Outcome {
                begun_nanoseconds: account.begun.nanoseconds(),
                duration_nanoseconds: duration,
                bytes: self.taken.min(account.end).saturating_sub(account.body),
                status: account.status,
                route: account.route,
                cut,
            };
            record::complete(record, &outcome);
            if !scribe.put(record) {
                counters.log_dropped.add(1);
            }
        }
    }
}

impl SetAside {
    /// Where the request leads.
    pub(crate) fn route(&self) -> u16 {
        self.account.route
    }

    /// The response's head is made.
    pub(crate) fn responded(&mut self, status: Status, upgraded: bool) {
        (self.account.status, self.account.upgraded) = (status.code(), upgraded);
    }

    /// How much of its content was put into the output.
    pub(crate) fn content(&self) -> u64 {
        self.account.body
    }

    /// So much of its content was put into the output.
    pub(crate) fn sends(&mut self, bytes: usize) {
        self.account.body += bytes as u64;
    }
}

impl Observer {
    /// A limit was reached.
    pub(crate) fn hit(&self, limit: Limit) {
        self.counters.hit(limit);
    }

    /// The end of a worker's turn.
    pub(crate) fn end_turn(&mut self) {
        if let Some(scribe) = &mut self.scribe {
            scribe.end_turn();
        }
    }
}
