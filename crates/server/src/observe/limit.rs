//! Which limit was hit: the rows of the two tables of limits, by number.

use gannet_proto::h1::Error;
use gannet_proto::h2::limits::{Beyond, Row, TABLE as HTTP2};
use gannet_proto::limits::TABLE as PROTOCOL;

use crate::limits::TABLE as SERVER;

/// How many limits there are.
pub(crate) const LIMITS: usize = SERVER.len() + PROTOCOL.len() + HTTP2.len();

/// Rows that are never counted. Backpressure is no excess (`body_window_bytes`, `output_bytes`); a body that comes too slowly is
/// counted as `body_grace`, whichever of the two it fell short of; what a log lacks is counted as lines, and who holds a worker up by route, in metrics
/// of their own; how many handshakes are completed, too; what an upstream sends is no client's excess.
const UNCOUNTED: [&str; 17] = [
    "handshakes_per_turn",
    "worker_hold",
    "body_window_bytes",
    "output_bytes",
    "body_bytes_per_second",
    "log_field_bytes",
    "log_ring_bytes",
    "log_flush_timeout",
    "upstream_connections",
    "upstream_idle_connections",
    "upstream_h2_streams",
    "upstream_idle_timeout",
    "upstream_takeover_delay",
    "upstream_continue_timeout",
    "upstream_window_bytes",
    "upstream_output_bytes",
    "interim_responses",
];

/// One row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Limit(u8);

impl Limit {
    pub(crate) const HEAD_TIMEOUT: Limit = Limit::of("head_timeout");
    pub(crate) const BODY_GRACE: Limit = Limit::of("body_grace");
    pub(crate) const DISCARD_BYTES: Limit = Limit::of("discard_bytes");
    pub(crate) const WRITE_TIMEOUT: Limit = Limit::of("write_timeout");
    pub(crate) const IDLE_TIMEOUT: Limit = Limit::of("idle_timeout");
    pub(crate) const LINGER_TIMEOUT: Limit = Limit::of("linger_timeout");
    pub(crate) const TLS_HANDSHAKE_TIMEOUT: Limit = Limit::of("tls_handshake_timeout");
    pub(crate) const CONNECTIONS: Limit = Limit::of("connections");
    pub(crate) const CONNECTIONS_PER_ADDRESS: Limit = Limit::of("connections_per_address");
    pub(crate) const DRAIN_GRACE: Limit = Limit::of("drain_grace");
    pub(crate) const DRAIN_TIMEOUT: Limit = Limit::of("drain_timeout");

    /// The row of this name. Evaluated by the compiler: a name without a row is an error there.
    const fn of(name: &str) -> Limit {
        let mut index = 0;
        while index < SERVER.len() {
            if same(SERVER[index].name, name) {
                return Limit(index as u8);
            }
            index += 1;
        }
        panic!("no row of the table has this name")
    }

    /// The row of this name of the protocols' tables. What both bound is counted in one place.
    pub(crate) fn named(name: &str) -> Option<Limit> {
        let names = PROTOCOL.iter().map(|row| row.name).chain(HTTP2.iter().map(|row| row.name));
        let row = names.into_iter().position(|other| other == name)?;
        Some(Limit((SERVER.len() + row) as u8))
    }

    /// The row whose excess this error of a client's is, if it is one.
    pub(crate) fn behind(error: Error) -> Option<Limit> {
        let row = PROTOCOL.iter().position(|row| row.request == Some(error))?;
        Some(Limit((SERVER.len() + row) as u8))
    }

    /// Its place among [`LIMITS`].
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Every limit that is counted: its place and its name.
pub(crate) fn counted() -> impl Iterator<Item = (usize, &'static str)> {
    let names = SERVER.iter().map(|row| row.name).chain(PROTOCOL.iter().map(|row| row.name));
    let names = names.enumerate().filter(|(_, name)| !UNCOUNTED.contains(name));
    names.chain(counted_of_http2())
}

/// Those of HTTP/2 that end the connection, or refuse a request, and are not HTTP/1.1's, too.
fn counted_of_http2() -> impl Iterator<Item = (usize, &'static str)> {
    let is_counted = |row: &Row| {
        matches!(row.beyond, Beyond::Connection(_) | Beyond::Refused(_))
            && PROTOCOL.iter().all(|other| other.name != row.name)
    };
    let rows = HTTP2.iter().enumerate().filter(move |(_, row)| is_counted(row));
    rows.map(|(index, row)| (SERVER.len() + PROTOCOL.len() + index, row.name))
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_has_the_name_of_its_row_and_what_is_not_counted_is_a_row_too() {
        let name = |limit: Limit| counted().find(|(index, _)| *index == limit.index()).map(|(_, name)| name);
        assert_eq!(name(Limit::IDLE_TIMEOUT), Some("idle_timeout"));
        assert_eq!(Limit::behind(Error::TargetTooLong).and_then(name), Some("target_bytes"));
        assert_eq!(Limit::behind(Error::BareLineFeed), None);
        assert_eq!(Limit::named("resets").and_then(name), Some("resets"));
        assert_eq!(Limit::named("fields"), Limit::behind(Error::TooManyFields));
        let of_http2 = counted_of_http2().count();
        assert_eq!(counted().count(), SERVER.len() + PROTOCOL.len() - UNCOUNTED.len() + of_http2);
        let mut names: Vec<_> = counted().map(|(_, name)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), counted().count(), "each name is there once");
    }
}
