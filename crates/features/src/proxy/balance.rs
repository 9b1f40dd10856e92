//! Which upstream a request goes to. Each worker chooses for itself: it asks no other, and begins at another place.

use std::cell::Cell;
use std::time::Duration;

use gannet_core::Ports;

use super::Balance;
use super::upstreams::Member;

/// One worker's turn among the upstreams.
pub(super) struct Turn {
    balance: Balance,
    next: Cell<usize>,
}

impl Turn {
    /// That of the worker of this number.
    pub(super) fn new(balance: Balance, worker: usize) -> Turn {
        Turn { balance, next: Cell::new(worker) }
    }

    /// The place of the upstream that is to be asked, if there is one but that `without` which it was tried. One that is left out is taken only
    /// where all are, and then the one for which that ends first: nobody is refused because of what others met.
    pub(super) fn choose(&self, members: &[Member], without: Option<usize>, ports: &Ports) -> Option<usize> {
        let count = members.len();
        // Where there is one, nothing is to be looked at.
        if count == 1 {
            return without.is_none().then_some(0);
        }
        let start = self.next.get() % count;
        let now = ports.clock.now();
        let mut best: Option<(u64, usize, usize)> = None;
        for place in (start..count).chain(0..start).filter(|place| Some(*place) != without) {
            let rank = self.rank(&members[place], now, ports);
            if best.is_none_or(|(ejected, busy, _)| rank < (ejected, busy)) {
                best = Some((rank.0, rank.1, place));
            }
            if rank == (0, 0) {
                break;
            }
        }
        let place = best.map(|(_, _, place)| place)?;
        self.next.set(place + 1);
        Some(place)
    }

    /// Until when it is left out (0: it is not), and how much is under way with it. The least is best, and the first of equals.
    fn rank(&self, member: &Member, now: Duration, ports: &Ports) -> (u64, usize) {
        let ejected = member.ejected_until_ms(now).unwrap_or(0);
        let busy = match self.balance {
            Balance::RoundRobin => 0,
            Balance::LeastConnections => ports.upstreams.under_way(&member.upstream),
        };
        (ejected, busy)
    }
}
