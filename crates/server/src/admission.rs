//! Who is let in: the limits on connections, shared by all workers.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The connections of all workers, counted when they come and go; no request touches this.
#[derive(Debug)]
pub struct Admission {
    limit: usize,
    limit_per_address: usize,
    open: AtomicUsize,
    refused: AtomicU64,
    by_address: Mutex<HashMap<IpAddr, usize>>,
}

/// Why a connection is not let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// As many as may be are open: `connections`.
    Full,
    /// As many as may be are open from this address: `connections_per_address`.
    Address,
}

impl Admission {
    /// Lets in `limit` connections in all, and `limit_per_address` from one address.
    pub fn new(limit: usize, limit_per_address: usize) -> Admission {
        Admission {
            limit,
            limit_per_address,
            open: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
            by_address: Mutex::default(),
        }
    }

    /// Takes a place for a connection.
    ///
    /// # Errors
    /// [`Full`](Refusal::Full), which is counted.
    pub fn enter(&self) -> Result<(), Refusal> {
        if self.open.fetch_add(1, Ordering::Relaxed) < self.limit {
            return Ok(());
        }
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.refused.fetch_add(1, Ordering::Relaxed);
        Err(Refusal::Full)
    }

    /// Gives a place back.
    pub fn leave(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts a connection that has a place as one from this address.
    ///
    /// # Errors
    /// [`Address`](Refusal::Address), which is counted; the place is still taken.
    pub fn enter_from(&self, address: Option<IpAddr>) -> Result<(), Refusal> {
        let Some(address) = address.filter(|_| self.counts_addresses()) else { return Ok(()) };
        let mut by_address = self.by_address.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let count = by_address.entry(address).or_default();
        if *count >= self.limit_per_address {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(Refusal::Address);
        }
        *count += 1;
        Ok(())
    }

    /// No more counts a connection as one from this address.
    pub fn leave_from(&self, address: Option<IpAddr>) {
        let Some(address) = address.filter(|_| self.counts_addresses()) else { return };
        let mut by_address = self.by_address.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(count) = by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&address);
            }
        }
    }

    /// Whether no more connections are let in.
    pub fn is_full(&self) -> bool {
        self.open.load(Ordering::Relaxed) >= self.limit
    }

    /// Connections open.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Connections refused so far.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Whether it matters where a connection comes from.
    pub(crate) fn counts_addresses(&self) -> bool {
        self.limit_per_address != usize::MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_beyond_the_limit_enters_when_another_has_left() {
        let admission = Admission::new(1, usize::MAX);
        assert_eq!(admission.enter(), Ok(()));
        assert_eq!((admission.enter(), admission.is_full()), (Err(Refusal::Full), true));
        admission.leave();
        assert_eq!((admission.enter(), admission.refused()), (Ok(()), 1));
    }

    #[test]
    fn one_address_cannot_take_more_than_its_share_and_others_are_not_harmed() {
        let (one, other) = (Some(IpAddr::from([10, 0, 0, 1])), Some(IpAddr::from([10, 0, 0, 2])));
        let admission = Admission::new(10, 2);
        assert_eq!((admission.enter_from(one), admission.enter_from(one)), (Ok(()), Ok(())));
        assert_eq!(admission.enter_from(one), Err(Refusal::Address));
        assert_eq!((admission.enter_from(other), admission.refused()), (Ok(()), 1));
        admission.leave_from(one);
        assert_eq!(admission.enter_from(one), Ok(()));
    }
}
