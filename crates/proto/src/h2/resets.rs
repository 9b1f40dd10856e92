//! The streams that we reset of late: what the peer had sent on them before it knew is no fault of it (RFC 9113 section 5.1, "closed").

use super::limits::Limits;
use alloc::collections::VecDeque;

/// Identifiers of streams that we reset before the peer had ended its half, and that were released since.
#[derive(Debug, Default)]
pub(super) struct Resets {
    recent: VecDeque<u32>,
    /// The highest of those that are not among them any more: up to it nobody can say.
    forgotten: u32,
}

impl Resets {
    pub fn remember(&mut self, id: u32, limits: &Limits) {
        self.recent.push_back(id);
        if self.recent.len() > usize::from(limits.remembered_resets) {
            let oldest = self.recent.pop_front().unwrap_or(0);
            self.forgotten = self.forgotten.max(oldest);
        }
    }

    /// Whether we reset it, or may have.
    pub fn may_have(&self, id: u32) -> bool {
        id <= self.forgotten || self.recent.contains(&id)
    }

    /// Gives up memory.
    pub fn idle(&mut self) {
        self.forgotten = self.recent.iter().copied().max().unwrap_or(0).max(self.forgotten);
        self.recent = VecDeque::new();
    }
}
