//! What is kept of a connection to an upstream: little while it idles, the rest while something goes on.

use std::sync::Arc;

use gannet_core::{Upstream, UpstreamError};
use gannet_engine::{Moment, SocketId};
use gannet_link::Offer;
use gannet_proto::{ResponseHead, h1};

use crate::calls::{Attempt, Waiting};
use crate::exchange::Exchange;
use crate::failure::{self, Reached};
use crate::h2::Multiplexed;
use crate::link::Tls;
use crate::local::Local;
use crate::wire::Wire;

/// A connection's slot.
pub(crate) struct Connection {
    pub(crate) socket: SocketId,
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) stage: Stage,
    pub(crate) tls: Tls,
    /// It has served a request before: by HTTP/2, before those that it serves now.
    pub(crate) reused: bool,
}

/// What a connection is doing.
pub(crate) enum Stage {
    /// Being made; over TLS until the handshake is complete.
    Connecting(Connecting),
    /// Waiting in its pool for a request, since then. No buffer, no parser.
    Idle(Moment),
    /// Sending a request by HTTP/1.1, or receiving its response.
    Active(Box<Active>),
    /// Of HTTP/2, with as many exchanges as there are, or none.
    Multiplexed(Box<Multiplexed>),
    /// Leaving this worker, to be taken over by whoever needs it, or to be closed when nobody has by then.
    Leaving(Moment),
    /// Saying that it sends no more, before it is closed.
    Parting,
    /// Waiting for the engine to let go.
    Closed,
}

/// What is kept of a connection that is being made.
pub(crate) struct Connecting {
    /// For whom: one, or as many as may share a connection.
    pub(crate) calls: Vec<Waiting>,
    /// What is offered over TLS.
    pub(crate) offer: Offer,
    /// The engine has a part of the handshake.
    pub(crate) sending: bool,
    /// More calls may wait for it, and find it in its pool.
    pub(crate) is_shared: bool,
}

/// What is kept while something goes on by HTTP/1.1. Recycled.
pub(crate) struct Active {
    pub(crate) wire: Wire,
    pub(crate) exchange: Exchange,
    pub(crate) protocol: h1::Client,
    pub(crate) head: ResponseHead,
    /// Our half is shut down, in a tunnel.
    pub(crate) half_closed: bool,
    /// It was upgraded: nothing is framed by HTTP any more.
    pub(crate) upgraded: bool,
}

impl Connection {
    pub(crate) fn new(socket: SocketId, upstream: Arc<Upstream>, stage: Stage, reused: bool) -> Connection {
        Connection { socket, upstream, stage, tls: None, reused }
    }

    /// Ends the exchange of HTTP/1.1 that goes on, and cannot.
    pub(crate) fn tell(&mut self, error: UpstreamError, local: &mut Local) {
        let Stage::Active(active) = &mut self.stage else { return };
        let wire = &active.wire;
        let died = self.reused && error == UpstreamError::Closed && !wire.received_any;
        // Where the kernel has not said so yet, it may have taken some.
        let reached = match (wire.sent_any || wire.sending, died) {
            (false, _) => Reached::Nobody,
            (true, true) => Reached::Silence,
            (true, false) => Reached::Upstream,
        };
        let again = died.then_some(Attempt::Again);
        failure::tell(&mut active.exchange, &self.upstream, error, reached, again, local);
    }
}

impl Active {
    pub(crate) fn new(protocol: h1::Client) -> Active {
        Active {
            wire: Wire::default(),
            exchange: Exchange::default(),
            protocol,
            head: ResponseHead::default(),
            half_closed: false,
            upgraded: false,
        }
    }

    /// Ready for another exchange.
    pub(crate) fn reset(&mut self, local: &mut Local) {
        self.wire.reset(local);
        self.exchange.reset(local);
        self.protocol.restart();
        self.head.clear();
        (self.half_closed, self.upgraded) = (false, false);
    }
}
