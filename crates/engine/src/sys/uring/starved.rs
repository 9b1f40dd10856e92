//! Sockets that found no block to receive into.
//!
//! One that sends without end takes all blocks each time that there are some. So those that got nothing last time are told to receive
//! before those that got something.

use std::collections::VecDeque;

use crate::SocketId;

/// Who waits for blocks.
#[derive(Default)]
pub(super) struct Starved {
    unfed: VecDeque<SocketId>,
    fed: VecDeque<SocketId>,
}

impl Starved {
    pub(super) fn push(&mut self, id: SocketId, fed: bool) {
        if fed { self.fed.push_back(id) } else { self.unfed.push_back(id) }
    }

    pub(super) fn pop(&mut self) -> Option<SocketId> {
        self.unfed.pop_front().or_else(|| self.fed.pop_front())
    }

    /// Seldom called; else those that come and go while there are no blocks would pile up here.
    pub(super) fn remove(&mut self, id: SocketId) {
        self.unfed.retain(|starved| *starved != id);
        self.fed.retain(|starved| *starved != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_got_nothing_go_first_each_in_the_order_in_which_they_came() {
        let mut starved = Starved::default();
        let socket = |index| SocketId { index, generation: 0 };
        for (index, fed) in [(0, true), (1, false), (2, true), (3, false), (4, false)] {
            starved.push(socket(index), fed);
        }
        starved.remove(socket(3));
        let order: Vec<_> = std::iter::from_fn(|| starved.pop()).map(|socket| socket.index).collect();
        assert_eq!(order, [1, 4, 0, 2]);
    }
}
