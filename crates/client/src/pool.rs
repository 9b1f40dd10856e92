//! Pools: the connections to each upstream that wait for a request, the last used first.

use gannet_core::Upstream;
use gannet_engine::SocketId;

/// The pools of one worker, by the upstreams' numbers.
#[derive(Default)]
pub(crate) struct Pools(Vec<Pool>);

/// The connections of one worker to one upstream.
#[derive(Default)]
pub(crate) struct Pool {
    /// Those of HTTP/1.1 that wait; the last used at the end.
    pub(crate) idle: Vec<SocketId>,
    /// Those of HTTP/2 that take another request; that at the end takes the next, so that few are busy, and the others can end.
    pub(crate) roomy: Vec<SocketId>,
    /// Those that are being made, and that more calls may wait for.
    pub(crate) coming: Vec<SocketId>,
    /// How many of HTTP/2 have no request.
    pub(crate) resting: usize,
    /// How many there are in all.
    pub(crate) open: usize,
    /// It chose HTTP/2 when it was last given the choice.
    pub(crate) multiplexes: bool,
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

/// Takes one out that is in a list; it is mostly one of the last.
pub(crate) fn take_out(list: &mut Vec<SocketId>, socket: SocketId) {
    if let Some(index) = list.iter().rposition(|other| *other == socket) {
        list.remove(index);
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
