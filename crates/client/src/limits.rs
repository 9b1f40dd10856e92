//! What the client bounds. The rows, with the reasons and what happens beyond, are among the server's (`crates/server/src/limits.rs`); how
//! long an upstream may take is a setting of the upstream's (`gannet_core::UpstreamTimeouts`).

use std::time::Duration;

use gannet_proto::h2;

/// What the client bounds, with safe defaults.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections of one worker to one upstream.
    pub upstream_connections: usize,
    /// Connections to one upstream that one worker keeps for later requests.
    pub upstream_idle_connections: usize,
    /// Requests that are under way on one connection of HTTP/2, and that wait for one that is being made.
    pub upstream_h2_streams: u32,
    /// How long a connection is kept for a later request.
    pub upstream_idle_timeout: Duration,
    /// How long a connection idles before other workers may have it.
    pub upstream_takeover_delay: Duration,
    /// How long an upstream may take to say 100 (Continue) before it is sent the body anyway.
    pub upstream_continue_timeout: Duration,
    /// Bytes of a response's body that may have arrived and not be passed on; at least one block may.
    pub upstream_window_bytes: usize,
    /// Bytes of a request that may wait for the upstream's socket before more of its body is taken.
    pub upstream_output_bytes: u64,
}

/// The least that a stream's window is: a frame. A smaller one would be opened by more frames than an upstream bears.
const LEAST_WINDOW_BYTES: u32 = 16 * 1024;

impl Limits {
    /// What an upstream may send on one stream of HTTP/2 ahead of what was read.
    pub(crate) fn stream_window_bytes(&self) -> u32 {
        u32::try_from(self.upstream_window_bytes).unwrap_or(u32::MAX).max(LEAST_WINDOW_BYTES)
    }

    /// Those of HTTP/2. The connection's window is so large that all streams together can never use it up, whether what was read of them was told
    /// the upstream or not (which is done when half a window was): one that is not read stops no other.
    pub(crate) fn h2(&self) -> h2::Limits {
        let stream_window_bytes = self.stream_window_bytes();
        h2::Limits {
            streams: self.upstream_h2_streams,
            stream_window_bytes,
            connection_window_bytes: stream_window_bytes
                .saturating_mul(self.upstream_h2_streams)
                .saturating_mul(2),
            ..h2::Limits::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            upstream_connections: 16_384,
            upstream_idle_connections: 1024,
            upstream_h2_streams: 100,
            upstream_idle_timeout: Duration::from_secs(60),
            upstream_takeover_delay: Duration::from_secs(1),
            upstream_continue_timeout: Duration::from_secs(1),
            upstream_window_bytes: 64 * 1024,
            upstream_output_bytes: 64 * 1024,
        }
    }
}
