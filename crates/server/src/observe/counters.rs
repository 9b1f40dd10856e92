//! What one worker counts. Only its own thread writes here; the admin listener reads all workers' and adds them up.

use gannet_core::{Counter, Method};

use super::account::NO_ROUTE;
use super::histogram::Histogram;
use super::limit::{LIMITS, Limit};
use super::tally::Tally;

/// Methods with a row of their own, and one for all others: what a client invents makes no new series.
pub(crate) const METHODS: usize = Method::Other as usize + 1;

/// Classes of status, by the first digit; the first one is of exchanges that no response was begun for.
pub(crate) const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// States of a connection, in the order of [`ConnectionState`].
pub(crate) const CONNECTION_STATES: [&str; 6] =
    ["handshaking", "idle", "active", "upgraded", "lingering", "closing"];

/// What one worker counts.
///
/// Aligned so that no two workers' counters share a cache line, nor a pair of them that a processor fetches together.
#[derive(Debug)]
#[repr(align(128))]
pub struct WorkerCounters {
    /// Bytes received.
    pub(crate) received_bytes: Tally,
    /// Bytes that the kernel took.
    pub(crate) sent_bytes: Tally,
    /// Connections let in.
    pub(crate) accepted: Tally,
    /// Connections let in whose worker was held up.
    pub(crate) taken_over: Tally,
    /// How long the worker was held up by handlers that were told of. The watchdog counts this.
    pub(crate) held_nanoseconds: Tally,
    /// Connections closed because a limit of connections was reached.
    pub(crate) refused: Tally,
    /// Times that no connection could be accepted for want of a resource.
    pub(crate) accept_failures: Tally,
    /// Responses that did not reach their end.
    pub(crate) cut: Tally,
    /// Panics of handlers, filters and bodies.
    pub(crate) panics: Tally,
    /// Handshakes of TLS that were completed with certificates and a new key,
    pub(crate) handshakes_full: Tally,
    /// by resuming a session,
    pub(crate) handshakes_resumed: Tally,
    /// and those that broke off.
    pub(crate) handshakes_failed: Tally,
    /// Lines of the access log that there was no room for.
    pub(crate) log_dropped: Tally,
    connections: [Tally; CONNECTION_STATES.len()],
    limits: [Tally; LIMITS],
    features: [Tally; Counter::ALL.len()],
    /// By route; the last one is of requests that no route matched.
    routes: Box<[RouteCounters]>,
}

/// What is counted of one route: 488 bytes of requests and 600 of durations.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct RouteCounters {
    requests: [[Tally; CLASSES.len()]; METHODS],
    /// Times that its handler held the worker up. The watchdog counts this.
    pub(crate) holds: Tally,
    /// From the head's arrival to the response's last byte.
    pub(crate) durations: Histogram,
}

/// What a connection is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ConnectionState {
    Handshaking,
    Idle,
    Active,
    Upgraded,
    Lingering,
    Closing,
}

impl WorkerCounters {
    /// All at zero, for a site with so many routes.
    pub(crate) fn new(routes: usize) -> WorkerCounters {
        WorkerCounters {
            received_bytes: Tally::default(),
            sent_bytes: Tally::default(),
            accepted: Tally::default(),
            taken_over: Tally::default(),
            held_nanoseconds: Tally::default(),
            refused: Tally::default(),
            accept_failures: Tally::default(),
            cut: Tally::default(),
            panics: Tally::default(),
            handshakes_full: Tally::default(),
            handshakes_resumed: Tally::default(),
            handshakes_failed: Tally::default(),
            log_dropped: Tally::default(),
            connections: Default::default(),
            limits: std::array::from_fn(|_| Tally::default()),
            features: Default::default(),
            routes: (0..=routes).map(|_| RouteCounters::default()).collect(),
        }
    }

    /// A handler holds the worker up; no route: whatever else does.
    pub(crate) fn hold(&self, route: Option<u16>) {
        self.route(route.unwrap_or(NO_ROUTE)).holds.add(1);
    }

    /// A limit was reached.
    pub(crate) fn hit(&self, limit: Limit) {
        self.limits[limit.index()].add(1);
    }

    /// How often the limit at this place was reached.
    pub(crate) fn hits(&self, index: usize) -> u64 {
        self.limits[index].get()
    }

    /// A connection goes from one state to another; `None`: it comes, or is gone.
    pub(crate) fn moves(&self, from: Option<ConnectionState>, to: Option<ConnectionState>) {
        if let Some(from) = from {
            self.connections[from as usize].take_one();
        }
        if let Some(to) = to {
            self.connections[to as usize].add(1);
        }
    }

    /// Connections in a state, by its place in [`CONNECTION_STATES`].
    pub(crate) fn connections(&self, state: usize) -> u64 {
        self.connections[state].get()
    }

    /// Connections that are counted as open, in whatever state.
    pub fn open_connections(&self) -> u64 {
        self.connections.iter().map(Tally::get).sum()
    }

    /// Requests that are over.
    pub fn requests(&self) -> u64 {
        let tallies = self.routes.iter().flat_map(|route| route.requests.iter().flatten());
        tallies.map(Tally::get).sum()
    }

    /// What a feature, or the client, has counted.
    pub fn counted(&self, counter: Counter) -> u64 {
        self.feature(counter).get()
    }

    /// What a feature counted.
    pub(crate) fn feature(&self, counter: Counter) -> &Tally {
        &self.features[counter as usize]
    }

    /// A route's, by its number in the site; of requests that none matched for any other number.
    pub(crate) fn route(&self, route: u16) -> &RouteCounters {
        let last = self.routes.len() - 1;
        &self.routes[usize::from(route).min(last)]
    }

    /// All routes', in the site's order, and at last of requests that none matched.
    pub(crate) fn routes(&self) -> &[RouteCounters] {
        &self.routes
    }
}

impl RouteCounters {
    /// A request is over. Status 0: no response was begun; those from 600 on, which no standard has, count as the last class.
    #[inline]
    pub(crate) fn count(&self, method: Method, status: u16) {
        let class = usize::from(status / 100).min(CLASSES.len() - 1);
        self.requests[method as usize][class].add(1);
    }

    /// Requests of a method and a class, by their places.
    pub(crate) fn requests(&self, method: usize, class: usize) -> u64 {
        self.requests[method][class].get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_beyond_the_last_counts_as_none_and_a_method_of_its_own_making_as_other() {
        let counters = WorkerCounters::new(1);
        counters.route(7).count(Method::Other, 999);
        counters.route(0).count(Method::Get, 0);
        assert_eq!(counters.routes()[1].requests(METHODS - 1, 5), 1);
        assert_eq!(counters.routes()[0].requests(0, 0), 1);
    }

    #[test]
    fn a_connection_is_in_one_state_at_a_time() {
        let counters = WorkerCounters::new(0);
        counters.moves(None, Some(ConnectionState::Idle));
        counters.moves(Some(ConnectionState::Idle), Some(ConnectionState::Active));
        assert_eq!([0, 1, 2, 3, 4].map(|state| counters.connections(state)), [0, 0, 1, 0, 0]);
        counters.moves(Some(ConnectionState::Active), None);
        assert_eq!([0, 1, 2, 3, 4].map(|state| counters.connections(state)), [0; 5]);
    }
}
