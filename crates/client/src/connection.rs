//! What is kept of a connection to an upstream: little while it idles, the rest while something goes on.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use gannet_core::{Body, Call, Incoming, Upstream, UpstreamError, UpstreamRequest};
use gannet_engine::{Chunk, Moment, Output, SocketId};
use gannet_proto::{ResponseHead, h1};

use crate::link::Tls;

/// A connection's slot.
pub(crate) struct Connection {
    pub(crate) socket: SocketId,
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) stage: Stage,
    pub(crate) tls: Tls,
    /// It has served a request before.
    pub(crate) reused: bool,
}

/// What a connection is doing.
pub(crate) enum Stage {
    /// Being made, for a call; over TLS until the handshake is complete.
    Connecting {
        call: Rc<Call>,
        /// The engine has a part of the handshake.
        sending: bool,
    },
    /// Waiting in its pool for a request, since then. No buffer, no parser.
    Idle(Moment),
    /// Sending a request, or receiving its response.
    Active(Box<Active>),
    /// Leaving this worker, to be taken over by whoever needs it, or to be closed when nobody has by then.
    Leaving(Moment),
    /// Saying that it sends no more, before it is closed.
    Parting,
    /// Waiting for the engine to let go.
    Closed,
}

/// What is kept while something goes on. Recycled.
pub(crate) struct Active {
    pub(crate) protocol: h1::Client,
    /// Whoever waits for the response's head.
    pub(crate) call: Option<Rc<Call>>,
    /// The request, while it may have to be sent anew, and for whom its interim responses are.
    pub(crate) request: Option<UpstreamRequest>,
    /// Its body, from when its head is written.
    pub(crate) body: Option<Body>,
    /// Some of the body was taken: it is not whole any more.
    pub(crate) body_begun: bool,
    /// The body waits until the upstream asks for it.
    pub(crate) awaits_continue: bool,
    /// The response's half, from its head on.
    pub(crate) incoming: Option<Rc<Incoming>>,
    /// Received and not consumed.
    pub(crate) input: Option<Chunk>,
    /// What came behind it, as it came: nothing while there is no input.
    pub(crate) behind: VecDeque<Chunk>,
    pub(crate) head: ResponseHead,
    /// Being filled.
    pub(crate) output: Option<Box<Output>>,
    /// The engine has an output of ours.
    pub(crate) sending: bool,
    /// The engine gives us what it receives.
    pub(crate) receiving: bool,
    /// The kernel took some of the request.
    pub(crate) sent_any: bool,
    /// Some of a response came.
    pub(crate) received_any: bool,
    /// The upstream takes no more: what it still says is heard.
    pub(crate) send_broken: bool,
    /// The upstream sends no more.
    pub(crate) peer_ended: bool,
    /// Our half is shut down, in a tunnel.
    pub(crate) half_closed: bool,
    /// It was upgraded: nothing is framed by HTTP any more.
    pub(crate) upgraded: bool,
    /// It cannot go on.
    pub(crate) broken: Option<UpstreamError>,
    /// When something last came or went.
    pub(crate) progress: Moment,
}

impl Connection {
    pub(crate) fn new(socket: SocketId, upstream: Arc<Upstream>, stage: Stage, reused: bool) -> Connection {
        Connection { socket, upstream, stage, tls: None, reused }
    }
}

impl Active {
    pub(crate) fn new(protocol: h1::Client) -> Active {
        Active {
            protocol,
            call: None,
            request: None,
            body: None,
            body_begun: false,
            awaits_continue: false,
            incoming: None,
            input: None,
            behind: VecDeque::new(),
            head: ResponseHead::default(),
            output: None,
            sending: false,
            receiving: false,
            sent_any: false,
            received_any: false,
            send_broken: false,
            peer_ended: false,
            half_closed: false,
            upgraded: false,
            broken: None,
            progress: Moment::NEVER,
        }
    }

    /// Ready for another exchange. Bodies and calls were let go before.
    pub(crate) fn reset(&mut self) {
        self.protocol.restart();
        self.head.clear();
        (self.request, self.body, self.input, self.broken) = (None, None, None, None);
        self.behind.clear();
        (self.body_begun, self.awaits_continue) = (false, false);
        (self.sending, self.receiving, self.sent_any, self.received_any) = (false, false, false, false);
        (self.send_broken, self.peer_ended, self.half_closed, self.upgraded) = (false, false, false, false);
    }

    /// Bytes that wait to be sent, without those the engine has.
    pub(crate) fn queued(&self) -> u64 {
        self.output.as_ref().map_or(0, |output| output.remaining())
    }

    /// Whether anything waits to be sent, or is being sent.
    pub(crate) fn has_output(&self) -> bool {
        self.sending || self.queued() > 0
    }

    /// Whether whoever wanted this left.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.is_abandoned())
            || self.incoming.as_ref().is_some_and(|incoming| incoming.is_abandoned())
    }

    /// It cannot go on, for this reason; the first one counts.
    pub(crate) fn fail(&mut self, error: UpstreamError) {
        self.broken.get_or_insert(error);
    }
}
