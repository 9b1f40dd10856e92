//! Pools: the connections to each upstream that wait for a request, the last used first.

use gannet_core::Upstream;
use gannet_engine::SocketId;

/// The pools of one worker, by the upstreams' numbers.
#[derive(Default)]
pub(crate) struct Pools(Vec<Pool>);

/// The connections of one worker to one upstream.
#[derive(Default)]
pub(crate) struct Pool {
    /// Those that wait; the last used at the end.
    pub(crate) idle: Vec<SocketId>,
    /// How many there are in all.
    pub(crate) open: usize,
}

impl Pools {
    pub(crate) fn of(&mut self, upstream: &Upstream) -> &mut Pool {
        let number = upstream.number();
        if self.0.len() <= number {
            self.0.resize_with(number + 1, Pool::default);
        }
        &mut self.0[number]
    }

    /// How many connections there are, to all upstreams.
    pub(crate) fn open(&self) -> usize {
        self.0.iter().map(|pool| pool.open).sum()
    }

    /// All connections that wait.
    pub(crate) fn idle(&self) -> impl Iterator<Item = SocketId> + '_ {
        self.0.iter().flat_map(|pool| pool.idle.iter().copied())
    }
}

impl Pool {
    /// Takes a connection out that will not wait any more. It is mostly an old one, at the front.
    pub(crate) fn forget(&mut self, socket: SocketId) {
        if let Some(index) = self.idle.iter().position(|idle| *idle == socket) {
            self.idle.remove(index);
        }
    }
}
