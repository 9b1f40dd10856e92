//! Every limit of the server, one row each. The protocol's own are in `gannet_proto::limits`.

use std::time::Duration;

/// What the server bounds, with safe defaults. [`TABLE`] has the reasons, and what happens beyond.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The limits of what HTTP/1.1 parses.
    pub protocol: gannet_proto::limits::Limits,
    /// Those of HTTP/2.
    pub h2: gannet_proto::h2::Limits,
    /// How long a head may take to be complete.
    pub head_timeout: Duration,
    /// How long a body may pause.
    pub body_grace: Duration,
    /// How much of a body must come: each byte earns so much time, up to `body_grace`.
    pub body_bytes_per_second: u64,
    /// Bytes of a body that may have arrived and not be read; at least one block may.
    pub body_window_bytes: usize,
    /// Bytes of a body that are read for a handler that does not, to keep the connection.
    pub discard_bytes: u64,
    /// Bytes of responses that may wait for the socket before more are made.
    pub output_bytes: u64,
    /// How long a socket may take nothing of what is sent.
    pub write_timeout: Duration,
    /// How long a connection may wait for its next request.
    pub idle_timeout: Duration,
    /// How long a client may go on sending after the last response.
    pub linger_timeout: Duration,
    /// How long the handshake of TLS may take.
    pub tls_handshake_timeout: Duration,
    /// Handshakes of TLS that a worker takes on in one turn.
    pub handshakes_per_turn: usize,
    /// Connections at a time, of all workers.
    pub connections: usize,
    /// Connections at a time from one address.
    pub connections_per_address: usize,
    /// While draining: how long a connection may wait for its next request.
    pub drain_grace: Duration,
    /// How long draining may take.
    pub drain_timeout: Duration,
    /// How long a handler may go on without letting go of its worker.
    pub worker_hold: Duration,
    /// Bytes of each text of a client (target, host, referer, user agent) that a line of the access log has.
    pub log_field_bytes: usize,
    /// Bytes of requests that wait for the access log's writer, for each worker; about 200 a request.
    pub log_ring_bytes: usize,
    /// How long the end may wait for the access log to be written.
    pub log_flush_timeout: Duration,
    /// Of connections to other servers.
    #[cfg(feature = "proxy")]
    pub upstream: gannet_client::Limits,
}

/// One limit.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The limit's name, here and wherever it is spoken of.
    pub name: &'static str,
    /// Its default, with its unit.
    pub default: &'static str,
    /// Why there is such a limit.
    pub reason: &'static str,
    /// What happens beyond it.
    pub beyond: &'static str,
}

const fn row(name: &'static str, default: &'static str, reason: &'static str, beyond: &'static str) -> Row {
    Row { name, default, reason, beyond }
}

/// The limits, their defaults and what happens beyond them.
pub const TABLE: [Row; 27] = [
    row("head_timeout", "10 s", "a head that trickles in holds a slot", "408 if it had begun, close"),
    row("body_grace", "10 s", "a body may pause this long", "408, close"),
    row(
        "body_bytes_per_second",
        "240",
        "a body that trickles in holds a slot: each byte earns time, up to body_grace",
        "408, close",
    ),
    row("body_window_bytes", "64 KiB", "body that arrived and is not read", "receiving pauses"),
    row(
        "discard_bytes",
        "256 KiB",
        "body that no handler reads is read for it, to keep the connection",
        "answered, then closed",
    ),
    row(
        "output_bytes",
        "64 KiB",
        "response that waits for the socket",
        "the body is not pulled, the next request not begun",
    ),
    row("write_timeout", "30 s", "a client that never reads holds memory", "close"),
    row("idle_timeout", "75 s", "a connection between requests holds a slot", "close"),
    row(
        "linger_timeout",
        "2 s",
        "after the last response the client may still be sending",
        "close; a stream: NO_ERROR",
    ),
    row("tls_handshake_timeout", "10 s", "a client that never shakes hands holds a slot", "close"),
    row(
        "handshakes_per_turn",
        "8",
        "a handshake takes as long as many requests, of which others wait for theirs",
        "it waits for the next turn, behind those whose handshake is complete",
    ),
    row("connections", "16384 or what descriptors allow", "each holds a descriptor", "not accepted; counted"),
    row("connections_per_address", "unlimited", "one client must not take all", "closed at once; counted"),
    row(
        "drain_grace",
        "500 ms",
        "while draining, an idle connection's next request may be on its way",
        "close",
    ),
    row("drain_timeout", "30 s", "draining ends", "abort"),
    row(
        "worker_hold",
        "100 ms",
        "a handler that computes, or waits without await, holds up all whom its worker serves",
        "its route is told in the log, and counted",
    ),
    row("log_field_bytes", "1 KiB", "a client chooses what a line of the access log holds", "cut off there"),
    row(
        "log_ring_bytes",
        "1 MiB for each worker",
        "a log that is slower than the server must not hold it up, nor take all memory",
        "the line is left out; counted",
    ),
    row(
        "log_flush_timeout",
        "2 s",
        "nobody may ever read the log's other end",
        "what is left is not written",
    ),
    row("upstream_connections", "16384 for each worker and upstream", "each holds a descriptor", "503"),
    row(
        "upstream_idle_connections",
        "1024 for each worker and upstream",
        "each holds a descriptor, here and there",
        "closed after its response",
    ),
    row(
        "upstream_h2_streams",
        "100 for each connection, and for each that is being made",
        "what one loses on its way holds up all that share it; upstreams take 100 at the least (RFC 9113, 6.5.2)",
        "another connection",
    ),
    row(
        "upstream_idle_timeout",
        "60 s",
        "an upstream closes what idles; to be the first to do so saves a retry",
        "close",
    ),
    row(
        "upstream_takeover_delay",
        "1 s",
        "a connection that its worker has not needed for so long may serve another",
        "any worker may take it over",
    ),
    row(
        "upstream_continue_timeout",
        "1 s",
        "an upstream may know nothing of 100 (Continue) (RFC 9110, 10.1.1)",
        "the body is sent unasked",
    ),
    row(
        "upstream_window_bytes",
        "64 KiB",
        "an upstream's response that arrived and is not passed on",
        "receiving pauses",
    ),
    row(
        "upstream_output_bytes",
        "64 KiB",
        "a request that waits for its upstream's socket",
        "no more of its body is taken",
    ),
];

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            protocol: gannet_proto::limits::Limits::default(),
            h2: gannet_proto::h2::Limits::default(),
            head_timeout: Duration::from_secs(10),
            body_grace: Duration::from_secs(10),
            body_bytes_per_second: 240,
            body_window_bytes: 64 * 1024,
            discard_bytes: 256 * 1024,
            output_bytes: 64 * 1024,
            write_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            linger_timeout: Duration::from_secs(2),
            tls_handshake_timeout: Duration::from_secs(10),
            handshakes_per_turn: 8,
            connections: 16_384,
            connections_per_address: usize::MAX,
            drain_grace: Duration::from_millis(500),
            drain_timeout: Duration::from_secs(30),
            worker_hold: Duration::from_millis(100),
            log_field_bytes: 1024,
            log_ring_bytes: 1024 * 1024,
            log_flush_timeout: Duration::from_secs(2),
            #[cfg(feature = "proxy")]
            upstream: gannet_client::Limits::default(),
        }
    }
}
