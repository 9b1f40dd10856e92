//! Choosing: a call is put on a connection that is there, waits for one that is being made, or has one made.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use gannet_core::{Call, Counter, Upstream, UpstreamAddress, UpstreamError, UpstreamProtocol};
use gannet_engine::{Address, SocketId};
use gannet_link::Offer;

use crate::calls::{Attempt, Waiting};
use crate::client::{Client, discard};
use crate::connection::{Connecting, Connection, Stage};
use crate::h2::Multiplexed;
use crate::local::Lent;
use crate::pool::take_out;
use crate::wire::Wire;
use crate::{deadline, link, send};

/// What is said of an upstream that is to be spoken to by HTTP/2 and does not choose it.
const NO_HTTP2: &str = "the upstream does not offer HTTP/2";

impl Client {
    /// Begins a call, or has it wait for a connection.
    pub(crate) fn begin_one(&mut self, waiting: Waiting, lent: &mut Lent<'_>) {
        let upstream = waiting.call.upstream();
        if waiting.call.is_abandoned() {
            return self.local.forget(waiting.call);
        }
        let offer = offer(&upstream, &waiting);
        if upstream.proxy_protocol.is_some() {
            return self.connect(upstream, waiting, offer, lent);
        }
        let is_shared = match offer {
            Offer::Http1 => false,
            Offer::Http2 => true,
            Offer::Either => self.local.pools.of(&upstream).multiplexes,
        };
        if is_shared {
            let pool = self.local.pools.of(&upstream);
            if let Some(socket) = pool.roomy.last().copied() {
                return self.join(socket, waiting, lent);
            }
            if let Some(socket) = pool.coming.last().copied() {
                return self.wait_for(socket, waiting, lent);
            }
            return self.connect(upstream, waiting, offer, lent);
        }
        let idle = if waiting.attempt == Attempt::Again { None } else { self.take_idle(&upstream, lent) };
        match idle {
            Some(socket) => {
                self.local.counters.add(Counter::UpstreamReused, 1);
                self.start(socket, &waiting.call, false, lent);
            }
            None => self.connect(upstream, waiting, offer, lent),
        }
    }

    /// Puts a call on a connection of HTTP/2, which is taken on when all calls were begun.
    fn join(&mut self, socket: SocketId, waiting: Waiting, lent: &mut Lent<'_>) {
        let Client { local, connections } = self;
        let Some(Some(Connection { stage: Stage::Multiplexed(multiplexed), .. })) =
            connections.get_mut(socket.index as usize)
        else {
            return local.calls.put_back(std::iter::once(waiting));
        };
        local.counters.add(Counter::UpstreamReused, 1);
        let refused = multiplexed.begin(waiting, local, lent).err();
        multiplexed.note_room(local);
        local.calls.put_back(refused.into_iter());
        if !local.joined.contains(&socket) {
            local.joined.push(socket);
        }
    }

    /// Has a call wait for a connection that is being made.
    fn wait_for(&mut self, socket: SocketId, waiting: Waiting, lent: &mut Lent<'_>) {
        let Client { local, connections } = self;
        let Some(Some(Connection { stage: Stage::Connecting(connecting), upstream, .. })) =
            connections.get_mut(socket.index as usize)
        else {
            return local.calls.put_back(std::iter::once(waiting));
        };
        waiting.call.watch(lent.wakers.waker(socket.index));
        connecting.calls.push(waiting);
        if connecting.calls.len() >= local.limits.upstream_h2_streams as usize {
            connecting.is_shared = false;
            take_out(&mut local.pools.of(upstream).coming, socket);
        }
    }

    /// A connection of HTTP/1.1 that idles here, or that another worker left.
    fn take_idle(&mut self, upstream: &Arc<Upstream>, lent: &mut Lent<'_>) -> Option<SocketId> {
        if let Some(socket) = self.local.pools.of(upstream).idle.pop() {
            return Some(socket);
        }
        while let Some(detached) = self.local.takeover.take(upstream, lent.now()) {
            if !lent.engine.is_quiet(&detached) {
                discard(detached, lent); // it ended meanwhile
                continue;
            }
            let Ok(socket) = lent.engine.adopt(detached) else { continue };
            self.local.counters.add(Counter::UpstreamTakenOver, 1);
            self.insert(Connection::new(socket, upstream.clone(), Stage::Idle(lent.now()), true));
            lent.engine.receive(socket);
            return Some(socket);
        }
        None
    }

    fn connect(&mut self, upstream: Arc<Upstream>, waiting: Waiting, offer: Offer, lent: &mut Lent<'_>) {
        let pool = self.local.pools.of(&upstream);
        if pool.open >= self.local.limits.upstream_connections {
            return self.local.refuse(waiting.call, UpstreamError::Busy);
        }
        let multiplexes = offer == Offer::Http2 || offer == Offer::Either && pool.multiplexes;
        let is_shared =
            multiplexes && upstream.proxy_protocol.is_none() && self.local.limits.upstream_h2_streams > 1;
        let address = match &upstream.address {
            UpstreamAddress::Internet(address) => Address::Internet(*address),
            UpstreamAddress::Unix(path) => Address::Unix(path.clone()),
        };
        match lent.engine.connect(&address) {
            Ok(socket) => {
                self.local.counters.add(Counter::UpstreamConnected, 1);
                waiting.call.watch(lent.wakers.waker(socket.index));
                if is_shared {
                    self.local.pools.of(&upstream).coming.push(socket);
                }
                let connecting = Connecting { calls: vec![waiting], offer, sending: false, is_shared };
                let connection = Connection::new(socket, upstream, Stage::Connecting(connecting), false);
                deadline::connect(&connection, lent);
                self.insert(connection);
            }
            Err(error) => {
                // Whatever ran out is ours.
                tracing::warn!(%error, upstream = %upstream.address, "an upstream cannot be connected to");
                self.local.refuse(waiting.call, UpstreamError::Busy);
            }
        }
    }

    pub(crate) fn connected(&mut self, socket: SocketId, result: io::Result<()>, lent: &mut Lent<'_>) {
        if let Err(error) = result {
            return self.give_up(socket, &UpstreamError::Connect(error.kind()), lent);
        }
        let Some(connection) = self.find(socket) else { return };
        let Stage::Connecting(connecting) = &connection.stage else { return };
        match link::session(&connection.upstream, connecting.offer) {
            Ok(tls) => connection.tls = tls,
            Err(error) => return self.give_up(socket, &error, lent),
        }
        lent.engine.receive(socket);
        self.say_for_whom(socket, lent);
        self.shake_hands(socket, lent);
    }

    /// The PROXY protocol's header comes before TLS, and in clear text goes with the request.
    fn say_for_whom(&mut self, socket: SocketId, lent: &mut Lent<'_>) {
        let Client { local, connections } = self;
        let Some(Some(connection)) = connections.get_mut(socket.index as usize) else { return };
        let Stage::Connecting(connecting) = &mut connection.stage else { return };
        if let Some(Waiting { call, .. }) = connecting.calls.first()
            && connection.tls.is_some()
            && connection.upstream.proxy_protocol.is_some()
        {
            let mut output = local.take_output();
            link::put_header(call, &mut output);
            lent.engine.send(socket, output);
            connecting.sending = true;
        }
    }

    /// Goes on with the handshake, if there is one; when that is complete the calls' exchanges begin.
    pub(crate) fn shake_hands(&mut self, socket: SocketId, lent: &mut Lent<'_>) {
        let Client { local, connections } = self;
        let Some(Some(connection)) = connections.get_mut(socket.index as usize) else { return };
        let Stage::Connecting(connecting) = &mut connection.stage else { return };
        if connection.tls.as_ref().is_none_or(|session| !session.is_handshaking()) {
            return self.ready(socket, lent);
        }
        if !connecting.sending {
            connecting.sending = link::say(&mut connection.tls, socket, local, lent);
        }
    }

    /// The connection is there: it is known which protocol it has.
    fn ready(&mut self, socket: SocketId, lent: &mut Lent<'_>) {
        let Some(connection) = self.find(socket) else { return };
        let upstream = connection.upstream.clone();
        let is_chosen = connection.tls.as_ref().map(|session| session.protocol() == Some(b"h2"));
        let must = upstream.protocol == UpstreamProtocol::Http2;
        if must && is_chosen == Some(false) {
            return self.give_up(socket, &UpstreamError::Tls(NO_HTTP2.into()), lent);
        }
        let Stage::Connecting(connecting) = std::mem::replace(&mut connection.stage, Stage::Closed) else {
            return;
        };
        let Connecting { calls, offer, sending, is_shared } = connecting;
        let multiplexes = is_chosen.unwrap_or(must);
        let pool = self.local.pools.of(&upstream);
        if is_shared {
            take_out(&mut pool.coming, socket);
        }
        if offer == Offer::Either {
            pool.multiplexes = multiplexes;
        }
        if multiplexes {
            return self.multiplex(socket, upstream, calls, sending, lent);
        }
        let mut calls = calls.into_iter();
        let first = calls.next().expect("a connection is made for a call");
        self.local.calls.put_back(calls);
        self.start(socket, &first.call, sending, lent);
    }

    /// Begins calls' exchanges on a connection of HTTP/2.
    fn multiplex(
        &mut self,
        socket: SocketId,
        upstream: Arc<Upstream>,
        calls: Vec<Waiting>,
        sending: bool,
        lent: &mut Lent<'_>,
    ) {
        let Client { local, connections } = self;
        let Some(Some(connection)) = connections.get_mut(socket.index as usize) else { return };
        let mut wire = Wire { sending, ..Wire::default() };
        if let Some(first) = calls.first().filter(|_| connection.tls.is_none()) {
            link::put_header(&first.call, wire.output(local));
        }
        let mut multiplexed = Box::new(Multiplexed::new(wire, socket, upstream, local, lent.now()));
        let mut calls = calls.into_iter();
        while let Some(waiting) = calls.next() {
            if let Err(waiting) = multiplexed.begin(waiting, local, lent) {
                local.calls.put_back(std::iter::once(waiting).chain(calls));
                break;
            }
        }
        connection.stage = Stage::Multiplexed(multiplexed);
        self.advance(socket, lent);
    }

    /// Begins a call's exchange by HTTP/1.1 on a connection that is ready for it.
    #[inline]
    fn start(&mut self, socket: SocketId, call: &Rc<Call>, sending: bool, lent: &mut Lent<'_>) {
        let mut active = self.local.take_active();
        (active.wire.receiving, active.wire.sending) = (true, sending);
        if self.find(socket).is_some_and(|connection| connection.tls.is_none()) {
            link::put_header(call, active.wire.output(&mut self.local));
        }
        let goes = send::begin(&mut active, call, socket, &mut self.local, lent);
        let Some(connection) = self.find(socket) else { return };
        connection.stage = Stage::Active(active);
        if goes { self.advance(socket, lent) } else { self.settle(socket, lent) }
    }

    /// A connection was not made.
    pub(crate) fn give_up(&mut self, socket: SocketId, error: &UpstreamError, lent: &mut Lent<'_>) {
        for waiting in self.stop_connecting(socket, lent) {
            self.local.refuse(waiting.call, error.clone());
        }
    }

    /// Closes a connection that is being made, and gives the calls that waited for it.
    fn stop_connecting(&mut self, socket: SocketId, lent: &mut Lent<'_>) -> Vec<Waiting> {
        let Client { local, connections } = self;
        let Some(Some(connection)) = connections.get_mut(socket.index as usize) else { return Vec::new() };
        let Stage::Connecting(connecting) = &mut connection.stage else { return Vec::new() };
        let calls = std::mem::take(&mut connecting.calls);
        if connecting.is_shared {
            take_out(&mut local.pools.of(&connection.upstream).coming, socket);
        }
        self.close(socket, lent);
        calls
    }

    /// Some of those that a connection is being made for wait no more. Where nobody does it is closed.
    pub(crate) fn forget_abandoned(&mut self, socket: SocketId, lent: &mut Lent<'_>) {
        let Some(connection) = self.find(socket) else { return };
        let Stage::Connecting(connecting) = &mut connection.stage else { return };
        let left = connecting.calls.extract_if(.., |waiting| waiting.call.is_abandoned());
        let left: Vec<Waiting> = left.collect();
        if connecting.calls.is_empty() {
            self.stop_connecting(socket, lent);
        }
        for waiting in left {
            self.local.forget(waiting.call);
        }
    }
}

/// What is offered to an upstream for a call. What HTTP/1.1 alone can ask for is asked by that.
#[inline]
fn offer(upstream: &Upstream, waiting: &Waiting) -> Offer {
    let negotiates = upstream.tls.is_some() && upstream.protocol == UpstreamProtocol::Negotiated;
    let needs_http1 = waiting.attempt == Attempt::AgainByHttp1 || waiting.call.needs_http1();
    match upstream.protocol {
        UpstreamProtocol::Http2 => Offer::Http2,
        _ if negotiates && !needs_http1 => Offer::Either,
        _ => Offer::Http1,
    }
}
