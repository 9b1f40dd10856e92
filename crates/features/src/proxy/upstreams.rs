//! The upstreams of a proxy, and how each fared of late: what all workers share, and what is left out for a while.
//!
//! A success costs a load; only failures write. The state of one upstream is three numbers, each true by itself: a worker that sees one of
//! them early or late takes an upstream a request sooner or later, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use gannet_core::{Upstream, UpstreamError};

use super::Ejection;

/// One upstream, and how it fared.
pub(super) struct Member {
    pub(super) upstream: Arc<Upstream>,
    /// What it is called where a request has no `Host`, or is to have the upstream's.
    pub(super) authority: String,
    /// Failures in a row.
    failures: AtomicU32,
    /// How often in a row it was left out.
    ejections: AtomicU32,
    /// Until when it is left out, in milliseconds of the workers' clock; 0: it never was.
    ejected_until_ms: AtomicU64,
    /// The second in which a failure was last logged, and how many were not since.
    logged_at_s: AtomicU64,
    unlogged: AtomicU32,
}

impl Member {
    pub(super) fn new(upstream: Arc<Upstream>, authority: String) -> Member {
        Member {
            upstream,
            authority,
            failures: AtomicU32::new(0),
            ejections: AtomicU32::new(0),
            ejected_until_ms: AtomicU64::new(0),
            logged_at_s: AtomicU64::new(u64::MAX),
            unlogged: AtomicU32::new(0),
        }
    }

    /// Until when it is left out, if it is.
    pub(super) fn ejected_until_ms(&self, now: Duration) -> Option<u64> {
        match self.ejected_until_ms.load(Ordering::Relaxed) {
            0 => None,
            until => (milliseconds(now) < until).then_some(until),
        }
    }

    /// It did what it should.
    #[inline]
    pub(super) fn succeeded(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.recover();
        }
    }

    #[cold]
    fn recover(&self) {
        self.failures.store(0, Ordering::Relaxed);
        self.ejected_until_ms.store(0, Ordering::Relaxed);
        if self.ejections.swap(0, Ordering::Relaxed) > 0 {
            tracing::info!(upstream = %self.upstream.address, "the upstream answers again");
        }
    }

    /// It failed. After so many failures in a row it is left out: each time twice as long as the last, until it succeeds. What fails while it is left
    /// out was begun before, and does not count again.
    pub(super) fn failed(&self, now: Duration, ejection: &Ejection) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if ejection.failures == 0 || failures < ejection.failures {
            return;
        }
        let before = self.ejected_until_ms.load(Ordering::Relaxed);
        let now_ms = milliseconds(now);
        if now_ms < before {
            return;
        }
        let times = self.ejections.load(Ordering::Relaxed);
        let time = ejection.time.saturating_mul(2_u32.saturating_pow(times)).min(ejection.longest_time);
        let until = now_ms.saturating_add(milliseconds(time)).max(1);
        let is_first = self
            .ejected_until_ms
            .compare_exchange(before, until, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok();
        // Another worker may be saying the same at this moment.
        if is_first {
            self.ejections.store(times.saturating_add(1), Ordering::Relaxed);
            let seconds = time.as_secs_f32();
            tracing::warn!(upstream = %self.upstream.address, failures, seconds, "the upstream is left out");
        }
    }

    /// Says in the log why it failed: once a second, with how many failures were not said before.
    pub(super) fn log(&self, error: &UpstreamError, now: Duration) {
        let (second, last) = (now.as_secs(), self.logged_at_s.load(Ordering::Relaxed));
        let is_first = last != second
            && self.logged_at_s.compare_exchange(last, second, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_first {
            let unlogged = self.unlogged.swap(0, Ordering::Relaxed);
            tracing::warn!(upstream = %self.upstream.address, %error, unlogged, "a request to the upstream failed");
        } else {
            self.unlogged.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Whether an error says something of the upstream, and not of the client, of us, or of how much is under way.
pub(super) fn is_upstreams_fault(error: &UpstreamError) -> bool {
    match error {
        UpstreamError::Connect(_)
        | UpstreamError::ConnectTimeout
        | UpstreamError::Tls(_)
        | UpstreamError::Closed
        | UpstreamError::Reset(_)
        | UpstreamError::HeadTimeout
        | UpstreamError::SendTimeout
        | UpstreamError::Malformed(_) => true,
        UpstreamError::Busy
        | UpstreamError::NoConnectProtocol
        | UpstreamError::RequestBody
        | UpstreamError::Stopping => false,
    }
}

/// Whether what was not sent may be sent elsewhere: not where the client or we end it.
pub(super) fn may_go_elsewhere(error: &UpstreamError) -> bool {
    !matches!(error, UpstreamError::RequestBody | UpstreamError::Stopping)
}
