//! A worker's client: calls are begun, and whatever the engine says of its connections is taken on.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use gannet_core::{Call, Counter, Counters, Upstream, UpstreamAddress, UpstreamError, Upstreams};
use gannet_engine::{Address, Block, Completion, Detached, Moment, Output, SocketId};
use gannet_proto::scan::Level;

use crate::calls::Waiting;
use crate::connection::{Connection, Stage};
use crate::limits::Limits;
use crate::link::{self, Opened};
use crate::local::{Lent, Local};
use crate::settle::{close, settle};
use crate::takeover::Takeover;
use crate::{deadline, receive, send};

/// The connections of one worker to other servers.
pub struct Client {
    local: Local,
    /// By the socket's slot.
    connections: Vec<Option<Connection>>,
}

impl Client {
    /// A client without connections.
    pub fn new(
        limits: Limits,
        protocol_limits: gannet_proto::Limits,
        level: Level,
        takeover: Arc<Takeover>,
        counters: Rc<dyn Counters>,
    ) -> Client {
        let local = Local::new(limits, protocol_limits, level, takeover, counters);
        Client { local, connections: Vec::new() }
    }

    /// Shares connections that idle with other workers.
    pub fn share(&mut self, takeover: Arc<Takeover>) {
        self.local.takeover = takeover;
    }

    /// Where handlers' calls go.
    pub fn port(&self) -> Rc<dyn Upstreams> {
        self.local.calls.clone()
    }

    /// Begins what was called for; says whether there was anything.
    pub fn begin(&mut self, lent: &mut Lent<'_>) -> bool {
        let mut any = false;
        while let Some(waiting) = self.local.calls.next() {
            any = true;
            self.begin_one(waiting, lent);
        }
        any
    }

    /// Whether there ever was a connection: without, no socket and no slot is one of its.
    #[inline]
    pub fn has_connected(&self) -> bool {
        !self.connections.is_empty()
    }

    /// Whether calls wait to be begun.
    #[inline]
    pub fn has_calls(&self) -> bool {
        !self.local.calls.is_empty()
    }

    /// Its connections, those that wait in their pools too; requests that are under way or wait to be. As the pools and the calls count them.
    pub fn held(&self) -> (usize, usize) {
        (self.local.pools.open(), self.local.calls.all_under_way())
    }

    /// Takes on what happened to one of its sockets; gives it back if it is none of its.
    pub fn take_on(&mut self, completion: Completion, lent: &mut Lent<'_>) -> Option<Completion> {
        let socket = match &completion {
            Completion::Received { socket, .. }
            | Completion::Ended { socket }
            | Completion::ReceiveFailed { socket, .. }
            | Completion::Sent { socket, .. }
            | Completion::Connected { socket, .. }
            | Completion::Released { socket, .. }
            | Completion::Closed { socket, .. } => *socket,
            Completion::Accepted(_) | Completion::AcceptFailed { .. } => return Some(completion),
        };
        if self.find(socket).is_none() {
            return Some(completion);
        }
        match completion {
            Completion::Closed { output, .. } => {
                self.recycle(output);
                self.remove(socket);
            }
            Completion::Released { connection, .. } => self.released(socket, connection, lent),
            Completion::Connected { result, .. } => self.connected(socket, result, lent),
            Completion::Sent { output, result, .. } => self.sent(socket, output, result.is_ok(), lent),
            Completion::Received { block, .. } => self.received(socket, block, lent),
            Completion::Ended { .. } => self.ended(socket, false, lent),
            Completion::ReceiveFailed { .. } => self.ended(socket, true, lent),
            Completion::Accepted(_) | Completion::AcceptFailed { .. } => {}
        }
        None
    }

    /// Takes on a connection whose waker was woken; says whether the slot is one of its.
    pub fn woken(&mut self, index: u32, lent: &mut Lent<'_>) -> bool {
        let Some(socket) = self.at(index) else { return false };
        self.advance(socket, lent);
        self.forget_if_abandoned(socket, lent);
        true
    }

    /// Takes note that one exchange of a slot's connection was woken; says whether the connection is to be [taken on](Client::woken) for it.
    pub fn exchange_woken(&mut self, index: u32, _exchange: u32) -> bool {
        self.at(index).is_some()
    }

    /// Takes on all of them.
    pub fn all_woken(&mut self, lent: &mut Lent<'_>) {
        for index in 0..self.connections.len() {
            self.woken(index as u32, lent);
        }
    }

    /// Takes on a connection whose deadline passed; says whether the slot is one of its.
    pub fn expired(&mut self, index: u32, lent: &mut Lent<'_>) -> bool {
        let Some(socket) = self.at(index) else { return false };
        let Some(connection) = self.find(socket) else { return false };
        match &connection.stage {
            Stage::Connecting { .. } => self.give_up(socket, UpstreamError::ConnectTimeout, lent),
            Stage::Idle(since) => {
                let until = since.after(self.local.limits.upstream_idle_timeout);
                self.idled(socket, until, lent);
            }
            Stage::Active(_) => {
                let Client { local, connections } = self;
                if let Some(connection) = &mut connections[index as usize] {
                    deadline::passed(connection, local, lent);
                }
                self.advance(socket, lent);
            }
            Stage::Parting => {
                self.close(socket, lent);
            }
            Stage::Leaving(_) | Stage::Closed => {}
        }
        true
    }

    /// When what was left to other workers has waited long enough.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.local.takeover.next_deadline()
    }

    /// Closes what was left to other workers and not taken in time.
    pub fn sweep(&mut self, lent: &mut Lent<'_>) -> bool {
        let until = if self.local.draining { Moment::NEVER } else { lent.now() };
        let mut any = false;
        while let Some(connection) = self.local.takeover.expired(until) {
            any = true;
            discard(connection, lent);
        }
        any
    }

    /// Keeps no connection any more: those that idle are closed, the others after their responses.
    pub fn drain(&mut self, lent: &mut Lent<'_>) {
        self.local.draining = true;
        let idle: Vec<SocketId> = self.local.pools.idle().collect();
        for socket in idle {
            self.close(socket, lent);
        }
        self.sweep(lent);
    }

    /// Ends everything at once; says whether there was anything.
    pub fn abort(&mut self, lent: &mut Lent<'_>) -> bool {
        self.drain(lent);
        while let Some(Waiting { call, .. }) = self.local.calls.next() {
            self.refuse(call, UpstreamError::Stopping);
        }
        let mut any = false;
        for index in 0..self.connections.len() {
            let Some(connection) = &self.connections[index] else { continue };
            let socket = connection.socket;
            any |= !matches!(connection.stage, Stage::Closed);
            match connection.stage {
                Stage::Connecting { .. } => self.give_up(socket, UpstreamError::Stopping, lent),
                _ => self.fail(socket, UpstreamError::Stopping, lent),
            }
        }
        any
    }

    fn begin_one(&mut self, Waiting { call, fresh }: Waiting, lent: &mut Lent<'_>) {
        let upstream = call.upstream();
        if call.is_abandoned() {
            return self.forget(call);
        }
        let pooled = upstream.proxy_protocol.is_none() && !fresh;
        let socket = if pooled { self.take_idle(&upstream, lent) } else { None };
        match socket {
            Some(socket) => {
                self.local.counters.add(Counter::UpstreamReused, 1);
                self.start(socket, call, false, lent);
            }
            None => self.connect(upstream, call, lent),
        }
    }

    /// A connection that idles here, or that another worker left.
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

    fn connect(&mut self, upstream: Arc<Upstream>, call: Rc<Call>, lent: &mut Lent<'_>) {
        if self.local.pools.of(&upstream).open >= self.local.limits.upstream_connections {
            return self.refuse(call, UpstreamError::Busy);
        }
        let address = match &upstream.address {
            UpstreamAddress::Internet(address) => Address::Internet(*address),
            UpstreamAddress::Unix(path) => Address::Unix(path.clone()),
        };
        match lent.engine.connect(&address) {
            Ok(socket) => {
                self.local.counters.add(Counter::UpstreamConnected, 1);
                call.watch(lent.wakers.waker(socket.index));
                let connection =
                    Connection::new(socket, upstream, Stage::Connecting { call, sending: false }, false);
                deadline::connect(&connection, lent);
                self.insert(connection);
            }
            Err(error) => {
                // Whatever ran out is ours.
                tracing::warn!(%error, upstream = %upstream.address, "an upstream cannot be connected to");
                self.refuse(call, UpstreamError::Busy);
            }
        }
    }

    fn connected(&mut self, socket: SocketId, result: io::Result<()>, lent: &mut Lent<'_>) {
        if let Err(error) = result {
            return self.give_up(socket, UpstreamError::Connect(error.kind()), lent);
        }
        let Some(connection) = self.find(socket) else { return };
        match link::session(&connection.upstream) {
            Ok(tls) => connection.tls = tls,
            Err(error) => return self.give_up(socket, error, lent),
        }
        lent.engine.receive(socket);
        self.say_for_whom(socket, lent);
        self.shake_hands(socket, lent);
    }

    /// The PROXY protocol's header comes before TLS, and in clear text goes with the request.
    fn say_for_whom(&mut self, socket: SocketId, lent: &mut Lent<'_>) {
        let Client { local, connections } = self;
        let Some(Some(connection)) = connections.get_mut(socket.index as usize) else { return };
        let Stage::Connecting { call, sending } = &mut connection.stage else { return };
        if connection.tls.is_some() && connection.upstream.proxy_protocol.is_some() {
            let mut output = local.take_output();
            link::put_header(call, &mut output);
            lent.engine.send(socket, output);
            *sending = true;
        }
    }

    /// Goes on with the handshake, if there is one; when that is complete the call's exchange begins.
    fn shake_hands(&mut self, socket: SocketId, lent: &mut Lent<'_>) {
        let Client { local, connections } = self;
        let Some(Some(connection)) = connections.get_mut(socket.index as usize) else { return };
        let Stage::Connecting { call, sending } = &mut connection.stage else { return };
        if connection.tls.as_ref().is_none_or(|session| !session.is_handshaking()) {
            let (call, sending) = (call.clone(), *sending);
            return self.start(socket, call, sending, lent);
        }
        if !*sending {
            *sending = link::say(&mut connection.tls, socket, local, lent);
        }
    }

    fn received(&mut self, socket: SocketId, block: Block, lent: &mut Lent<'_>) {
        let Some(connection) = self.find(socket) else { return };
        let opened = link::open(&mut connection.tls, block);
        match (&mut connection.stage, opened) {
            (Stage::Connecting { .. }, Err(error)) => self.give_up(socket, error, lent),
            (Stage::Connecting { .. }, Ok(_)) => self.shake_hands(socket, lent),
            (Stage::Active(active), Ok(Opened::Bytes { plain, ended })) => {
                if let Some(plain) = plain {
                    active.wire.arrived(plain, lent.now());
                }
                active.wire.peer_ended |= ended;
                self.advance(socket, lent);
            }
            (Stage::Active(active), Ok(Opened::Handshaking) | Err(_)) => {
                active.wire.fail(UpstreamError::Closed);
                self.advance(socket, lent);
            }
            // A ticket, say. Of bytes nobody asked for any: whatever they are, they answer no request of ours.
            (Stage::Idle(_), Ok(Opened::Bytes { plain: None, ended: false })) => {}
            (Stage::Idle(_), _) => {
                self.close(socket, lent);
            }
            (Stage::Leaving(_) | Stage::Parting | Stage::Closed, _) => {}
        }
    }

    /// Begins a call's exchange on a connection that is ready for it.
    fn start(&mut self, socket: SocketId, call: Rc<Call>, sending: bool, lent: &mut Lent<'_>) {
        let mut active = self.local.take_active();
        (active.wire.receiving, active.wire.sending) = (true, sending);
        if self.find(socket).is_some_and(|connection| connection.tls.is_none()) {
            link::put_header(&call, active.wire.output(&mut self.local));
        }
        let goes = send::begin(&mut active, call, socket, &mut self.local, lent);
        let Some(connection) = self.find(socket) else { return };
        connection.stage = Stage::Active(active);
        if goes { self.advance(socket, lent) } else { self.settle(socket, lent) }
    }

    /// Something happened: takes the connection as far as it goes.
    fn advance(&mut self, socket: SocketId, lent: &mut Lent<'_>) {
        let Client { local, connections } = self;
        let Some(connection) = connections.get_mut(socket.index as usize).and_then(Option::as_mut) else {
            return;
        };
        if let Connection { stage: Stage::Active(active), tls, .. } = connection {
            receive::read(active, socket, local, lent);
            send::pull(active, socket, local, lent);
            active.wire.flush(tls, socket, local, lent);
            settle(connection, local, lent);
        }
    }

    fn settle(&mut self, socket: SocketId, lent: &mut Lent<'_>) {
        let Client { local, connections } = self;
        if let Some(Some(connection)) = connections.get_mut(socket.index as usize) {
            settle(connection, local, lent);
        }
    }

    /// The kernel took some of what was sent, or the upstream takes no more; then it may have said why, which is heard first.
    fn sent(&mut self, socket: SocketId, output: Box<Output>, taken: bool, lent: &mut Lent<'_>) {
        if taken && !output.is_empty() {
            self.note_progress(socket, lent.now());
            return lent.engine.send(socket, output);
        }
        self.local.recycle_output(output);
        let Some(connection) = self.find(socket) else { return };
        match &mut connection.stage {
            Stage::Connecting { sending, .. } => {
                *sending = false;
                self.shake_hands(socket, lent);
            }
            Stage::Active(active) => {
                active.wire.sending = false;
                if taken {
                    self.note_progress(socket, lent.now());
                } else {
                    active.wire.send_broken = true;
                    if active.exchange.body_begun {
                        active.exchange.body = None; // nobody takes it: whoever sends it learns that it is not read
                    }
                }
                self.advance(socket, lent);
            }
            Stage::Parting => {
                self.close(socket, lent);
            }
            Stage::Idle(_) | Stage::Leaving(_) | Stage::Closed => {}
        }
    }

    fn note_progress(&mut self, socket: SocketId, now: Moment) {
        if let Some(Connection { stage: Stage::Active(active), .. }) = self.find(socket) {
            (active.wire.sent_any, active.wire.progress) = (true, now);
        }
    }

    /// The upstream sends no more, or is gone.
    fn ended(&mut self, socket: SocketId, failed: bool, lent: &mut Lent<'_>) {
        let Some(connection) = self.find(socket) else { return };
        match &mut connection.stage {
            Stage::Active(active) => {
                (active.wire.receiving, active.wire.peer_ended) = (false, true);
                if failed || !link::is_trusted_end(&connection.tls) {
                    active.wire.fail(UpstreamError::Closed);
                }
                self.advance(socket, lent);
            }
            Stage::Idle(_) => {
                self.close(socket, lent);
            }
            Stage::Connecting { .. } => {
                self.give_up(socket, UpstreamError::Tls("the upstream closed the connection".into()), lent);
            }
            Stage::Leaving(_) | Stage::Parting | Stage::Closed => {}
        }
    }

    /// A connection was not made.
    fn give_up(&mut self, socket: SocketId, error: UpstreamError, lent: &mut Lent<'_>) {
        let Some(connection) = self.find(socket) else { return };
        let Stage::Connecting { call, .. } = &connection.stage else { return };
        let call = call.clone();
        self.close(socket, lent);
        self.refuse(call, error);
    }

    /// Nobody waits any more for what it is being connected for.
    fn forget_if_abandoned(&mut self, socket: SocketId, lent: &mut Lent<'_>) {
        let Some(connection) = self.find(socket) else { return };
        let Stage::Connecting { call, .. } = &connection.stage else { return };
        if call.is_abandoned() {
            let call = call.clone();
            self.close(socket, lent);
            self.forget(call);
        }
    }

    /// Ends a call for which nobody waits any more.
    fn forget(&mut self, call: Rc<Call>) {
        self.local.calls.over(&call.upstream());
        call.recycle();
    }

    /// Answers a call of which nothing was sent.
    fn refuse(&mut self, call: Rc<Call>, error: UpstreamError) {
        self.local.counters.add(Counter::UpstreamFailed, 1);
        let upstream = call.upstream();
        let unsent = call.take_request(None).map(Box::new);
        call.answer(Err(gannet_core::UpstreamFailure { error, unsent }));
        call.recycle();
        self.local.calls.over(&upstream);
    }

    fn fail(&mut self, socket: SocketId, error: UpstreamError, lent: &mut Lent<'_>) {
        let Client { local, connections } = self;
        if let Some(Some(connection)) = connections.get_mut(socket.index as usize) {
            connection.tell(error, local);
            close(connection, local, lent);
        }
    }

    fn close(&mut self, socket: SocketId, lent: &mut Lent<'_>) -> Option<Completion> {
        let Client { local, connections } = self;
        if let Some(Some(connection)) = connections.get_mut(socket.index as usize) {
            close(connection, local, lent);
        }
        None
    }

    /// A connection has idled for a while: others may have it, until it has idled too long.
    fn idled(&mut self, socket: SocketId, until: Moment, lent: &mut Lent<'_>) {
        let leaves = self.find(socket).is_some_and(|connection| connection.tls.is_none());
        if until <= lent.now() || !self.local.takeover.is_shared() {
            self.close(socket, lent);
            return;
        }
        if !leaves {
            // A session stays with its worker.
            return lent.timers.set(socket.index, until);
        }
        let Client { local, connections } = self;
        if let Some(Some(connection)) = connections.get_mut(socket.index as usize) {
            local.pools.of(&connection.upstream).forget(socket);
            connection.stage = Stage::Leaving(until);
            lent.timers.clear(socket.index);
            lent.engine.release(socket);
        }
    }

    fn released(&mut self, socket: SocketId, stream: Option<Detached>, lent: &mut Lent<'_>) {
        let (Some(connection), Some(stream)) = (self.remove(socket), stream) else { return };
        match connection.stage {
            Stage::Leaving(until) if !self.local.draining => {
                self.local.takeover.leave(&connection.upstream, stream, until);
            }
            _ => discard(stream, lent),
        }
    }

    fn insert(&mut self, connection: Connection) {
        let index = connection.socket.index as usize;
        if self.connections.len() <= index {
            self.connections.resize_with(index + 1, || None);
        }
        self.local.pools.of(&connection.upstream).open += 1;
        if let Some(before) = self.connections[index].replace(connection) {
            // The engine let go of it already, and that news waits to be taken.
            self.local.pools.of(&before.upstream).open -= 1;
        }
    }

    fn remove(&mut self, socket: SocketId) -> Option<Connection> {
        self.find(socket)?;
        let connection = self.connections[socket.index as usize].take()?;
        self.local.pools.of(&connection.upstream).open -= 1;
        Some(connection)
    }

    fn recycle(&mut self, output: Option<Box<Output>>) {
        if let Some(output) = output {
            self.local.recycle_output(output);
        }
    }

    fn at(&self, index: u32) -> Option<SocketId> {
        self.connections.get(index as usize)?.as_ref().map(|connection| connection.socket)
    }

    fn find(&mut self, socket: SocketId) -> Option<&mut Connection> {
        let connection = self.connections.get_mut(socket.index as usize)?.as_mut()?;
        (connection.socket == socket).then_some(connection)
    }
}

/// Closes a connection that no engine has.
fn discard(connection: Detached, lent: &mut Lent<'_>) {
    if let Ok(socket) = lent.engine.adopt(connection) {
        lent.engine.close(socket);
    }
}
