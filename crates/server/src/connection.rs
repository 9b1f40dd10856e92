//! What a worker keeps of a connection: little while it is idle, the rest while something goes on.

use std::net::SocketAddr;
use std::rc::Rc;

use gannet_core::{Arrival, Body, Handler, Incoming, Interims, Reply};
use gannet_engine::{Chunk, Moment, SocketId};
use gannet_proto::Head;
use gannet_proto::h1;
use gannet_proto::scan::Level;

use crate::conversing::{self, Conversing};
use crate::file::Piecewise;
use crate::h2::{self, Multiplexed, Offer};
use crate::handshake::Handshake;
use crate::local::Local;
use crate::observe::ConnectionState;
use crate::tls::Tls;
use crate::wire::{Fate, Wire};
use crate::{close, exchange, flush, handle, protocol, pull};

/// A connection's slot.
pub(crate) struct Connection {
    pub(crate) socket: SocketId,
    pub(crate) stage: Stage,
    pub(crate) facts: Facts,
    /// Its TLS, if that is spoken here.
    pub(crate) tls: Option<Box<Tls>>,
}

/// What holds for all that a connection asks.
pub(crate) struct Facts {
    /// What requests tell of the connection.
    pub(crate) arrival: Rc<Arrival>,
    /// What answers in the site's place.
    pub(crate) aside: Option<Rc<dyn Handler>>,
    /// HTTP/2 is not spoken.
    pub(crate) http1_only: bool,
    /// It has sent something, other than the handshake of TLS.
    pub(crate) spoke: bool,
    /// It counts as one from its peer's address.
    pub(crate) is_counted: bool,
}

/// What a connection is doing.
pub(crate) enum Stage {
    /// Waiting for the PROXY protocol's header, of which so much has come.
    ProxyHeader(Option<Box<Chunk>>),
    /// The handshake of TLS goes on.
    Handshaking(Box<Handshake>),
    /// Waiting for the next request. No buffer, no parser.
    Idle,
    /// Receiving, handling or sending.
    Active(Box<Active>),
    /// HTTP/2 is spoken: many requests at a time, or none.
    Multiplexed(Box<Multiplexed>),
    /// It was upgraded: something else than HTTP is spoken.
    Conversing(Box<Conversing>),
    /// The last response is sent and our half is shut down: what still comes is discarded until the peer ends too.
    Lingering,
    /// Waiting for the engine to let go.
    Closed,
}

/// What is kept while something goes on. Recycled.
pub(crate) struct Active {
    pub(crate) protocol: h1::Connection,
    pub(crate) wire: Wire,
    /// What the next head, or the present request's trailers, are parsed into.
    pub(crate) head: Box<Head>,
    pub(crate) exchange: Option<Exchange>,
    /// Bytes of the present request's body that nobody read.
    pub(crate) discarded: u64,
    /// Something else than HTTP/1.1 is spoken from here on.
    pub(crate) turned: Option<Turned>,
    /// A body is being sent whose end the client only learns from the connection's.
    pub(crate) ends_with_connection: bool,
    /// A head has begun, be it with an empty line, and the client is to complete it.
    pub(crate) in_head: bool,
    /// When the head must be complete; set when it began.
    pub(crate) head_deadline: Option<Moment>,
    /// When more of the body must have come.
    pub(crate) body_deadline: Option<Moment>,
    /// Of the present exchange, not told yet.
    pub(crate) interims: Interims,
}

/// One request and its response: two halves, and the future that makes the one from the other.
pub(crate) struct Exchange {
    /// The request's half.
    pub(crate) incoming: Rc<Incoming>,
    /// The client waits for `100 Continue` before it sends the body.
    pub(crate) expects_continue: bool,
    /// The client offered to upgrade.
    pub(crate) offers_upgrade: bool,
    /// What makes the response.
    pub(crate) making: Making,
    /// Not polled yet: to be polled without having been woken.
    pub(crate) fresh: bool,
    /// The response's body, after its head is written.
    pub(crate) body: Option<Body>,
    /// The range of a file that the body gave last and that is not all in the output: goes before the rest of the body.
    pub(crate) file: Option<Piecewise>,
}

/// What a connection of HTTP/1.1 turns into.
pub(crate) enum Turned {
    /// HTTP/2: the client began with its preface, or with a request that offered it.
    Http2(Option<Box<Offer>>),
    /// What a request was upgraded to.
    Conversation(Box<Conversing>),
}

/// What makes the response.
pub(crate) enum Making {
    /// The handler's future.
    Waiting(Reply),
    /// Nothing any more: the head is written.
    Done,
}

impl Connection {
    /// One that was let in.
    pub(crate) fn new(
        socket: SocketId,
        peer: Option<SocketAddr>,
        tls: Option<Box<Tls>>,
        proxy_protocol: bool,
        local: &mut Local,
    ) -> Connection {
        let stage = if proxy_protocol { Stage::ProxyHeader(None) } else { Stage::first(tls.is_some()) };
        local.observer.counters.moves(None, Some(stage.state()));
        let arrival = local.take_arrival(Arrival { peer, ..Arrival::default() });
        let facts =
            Facts { arrival, aside: None, http1_only: false, spoke: false, is_counted: !proxy_protocol };
        Connection { socket, stage, facts, tls }
    }

    /// Goes from one stage to another, and gives what it leaves.
    pub(crate) fn enter(&mut self, stage: Stage, local: &Local) -> Stage {
        local.observer.counters.moves(Some(self.stage.state()), Some(stage.state()));
        std::mem::replace(&mut self.stage, stage)
    }

    /// Something happened: takes the connection as far as it goes.
    pub(crate) fn advance(&mut self, local: &mut Local) {
        let tls = &mut self.tls;
        let active = match &mut self.stage {
            Stage::Active(active) => active,
            Stage::Multiplexed(_) => return self.advance_multiplexed(local),
            Stage::Conversing(_) => return self.advance_conversation(local),
            _ => return,
        };
        if active.has_work() || tls.as_ref().is_some_and(|tls| tls.has_work(active.wire.fate)) {
            active.advance(self.socket, &self.facts, local);
            if active.turned.is_some() {
                return self.turn(local);
            }
            flush::send(&mut active.wire, tls.as_deref_mut(), self.socket, local);
        }
        close::settle(self, local);
    }

    #[cold]
    fn advance_multiplexed(&mut self, local: &mut Local) {
        let Stage::Multiplexed(multiplexed) = &mut self.stage else { return };
        multiplexed.advance(self.socket, &self.facts, local);
        flush::send(&mut multiplexed.wire, self.tls.as_deref_mut(), self.socket, local);
        h2::settle(self, local);
    }

    #[inline(never)]
    fn advance_conversation(&mut self, local: &mut Local) {
        let Stage::Conversing(conversing) = &mut self.stage else { return };
        if conversing.has_work(self.socket, local) {
            conversing.advance(self.socket, local);
        }
        if let Some(wire) = conversing.busy_wire() {
            flush::send(wire, self.tls.as_deref_mut(), self.socket, local);
        }
        conversing::settle(self, local);
    }

    /// From here on something else than HTTP/1.1 is spoken.
    #[cold]
    fn turn(&mut self, local: &mut Local) {
        let Stage::Active(active) = &mut self.stage else { return };
        let stage = match active.turned.take() {
            Some(Turned::Http2(offer)) => {
                let wire = std::mem::take(&mut active.wire);
                let mut multiplexed = Box::new(Multiplexed::new(wire, local));
                if let Some(offer) = offer {
                    multiplexed.begin_offered(*offer, self.socket, &self.facts, local);
                }
                Stage::Multiplexed(multiplexed)
            }
            Some(Turned::Conversation(mut conversing)) => {
                conversing.take_over(&mut active.wire, local);
                Stage::Conversing(conversing)
            }
            None => return,
        };
        if let Stage::Active(active) = self.enter(stage, local) {
            local.recycle_active(active);
        }
        if matches!(self.stage, Stage::Conversing(_)) {
            conversing::forget_arrival(self, local);
        }
        self.advance(local);
    }

    /// One of its exchanges was woken; says whether the connection is to be taken on for it.
    pub(crate) fn note_woken(&mut self, exchange: u32) -> bool {
        match &mut self.stage {
            Stage::Multiplexed(multiplexed) => multiplexed.note_woken(exchange),
            _ => false,
        }
    }

    /// Whatever it waits for may have come.
    pub(crate) fn wake(&mut self, local: &mut Local) {
        if let Stage::Multiplexed(multiplexed) = &mut self.stage {
            multiplexed.all_woken();
        }
        self.advance(local);
    }
}

impl Stage {
    /// Where it begins, with TLS or without.
    pub(crate) fn first(tls: bool) -> Stage {
        if tls { Stage::Handshaking(Box::default()) } else { Stage::Idle }
    }

    /// Its bytes, both ways, while something goes on.
    #[inline]
    pub(crate) fn wire(&mut self) -> Option<&mut Wire> {
        match self {
            Stage::Active(active) => Some(&mut active.wire),
            Stage::Multiplexed(multiplexed) => Some(&mut multiplexed.wire),
            Stage::Conversing(conversing) => conversing.busy_wire(),
            _ => None,
        }
    }

    /// What it is counted as.
    pub(crate) fn state(&self) -> ConnectionState {
        match self {
            Stage::ProxyHeader(_) | Stage::Handshaking(_) => ConnectionState::Handshaking,
            Stage::Idle => ConnectionState::Idle,
            Stage::Active(_) => ConnectionState::Active,
            Stage::Multiplexed(multiplexed) => multiplexed.state(),
            Stage::Conversing(_) => ConnectionState::Upgraded,
            Stage::Lingering => ConnectionState::Lingering,
            Stage::Closed => ConnectionState::Closing,
        }
    }
}

impl Active {
    pub(crate) fn new(limits: gannet_proto::Limits, level: Level) -> Active {
        Active {
            protocol: h1::Connection::new(limits).with_level(level),
            wire: Wire::default(),
            head: Box::default(),
            exchange: None,
            discarded: 0,
            turned: None,
            ends_with_connection: false,
            in_head: false,
            head_deadline: None,
            body_deadline: None,
            interims: Interims::default(),
        }
    }

    /// Ready for another connection; what is left goes back where it came from.
    pub(crate) fn reset(&mut self, local: &mut Local) {
        local.route.set(self.wire.accounts.route());
        exchange::drop_exchange(self, local);
        self.wire.reset(local);
        self.protocol.restart();
        self.head.clear();
        (self.ends_with_connection, self.in_head) = (false, false);
        (self.head_deadline, self.body_deadline) = (None, None);
    }

    /// The walk, from the bytes that came to those that are to go: once around for each pipelined request.
    fn advance(&mut self, socket: SocketId, facts: &Facts, local: &mut Local) {
        local.route.set(self.wire.accounts.route());
        loop {
            protocol::read(self, socket, facts, local);
            let awaited_room = protocol::awaits_room(self, local);
            handle::poll(self, socket, local);
            protocol::no_more(self, local);
            pull::pull(self, socket, local);
            self.note_response_s_end();
            let has_room_again = awaited_room && !protocol::awaits_room(self, local);
            if !exchange::next(self, local) && !has_room_again {
                break;
            }
        }
        protocol::no_more(self, local);
    }

    /// Whether the walk finds anything to take on. After a response was sent it mostly does not.
    fn has_work(&self) -> bool {
        self.exchange.is_some()
            || self.wire.input.is_some()
            || self.wire.output.is_some()
            || self.wire.peer_ended
    }

    /// Takes note of where the response ends, once it is made.
    fn note_response_s_end(&mut self) {
        let made = self.protocol.writing_ended() || self.wire.fate == Fate::Finish;
        if made {
            let position = self.wire.position();
            self.wire.accounts.written(position);
        }
    }

    /// The connection ends at once, whatever was begun.
    pub(crate) fn abort(&mut self) {
        self.wire.fate = Fate::Abort;
    }

    /// The exchange ends here, unfinished, and the connection with it. Answers before it are still sent.
    pub(crate) fn cut(&mut self, local: &mut Local) {
        exchange::drop_exchange(self, local);
        self.wire.fate = if self.wire.has_output() { Fate::Cut } else { Fate::Abort };
    }

    /// The session of TLS broke: nothing of what was begun is completed. Only its alert can still be sent.
    pub(crate) fn break_off(&mut self, has_alert: bool, local: &mut Local) {
        exchange::drop_exchange(self, local);
        self.wire.break_off(has_alert, local);
    }

    /// Whether more of the body may be put where the handler takes it from. Once the shared part of the receive pool is used
    /// up each connection may still hold one block, so that those who hold many stop nobody else.
    pub(crate) fn has_window(&self, local: &Local) -> bool {
        let Some(exchange) = &self.exchange else { return true };
        if exchange.incoming.is_abandoned() {
            return self.discarded <= local.limits.discard_bytes;
        }
        let queued = exchange.incoming.queued();
        queued == 0 || queued < local.limits.body_window_bytes && local.has_shared_blocks()
    }
}
