//! A worker's client: calls are begun, and whatever the engine says of its connections is taken on.

use std::rc::Rc;
use std::sync::Arc;

use gannet_core::{Counters, UpstreamError, Upstreams};
use gannet_engine::{Block, Chunk, Completion, Detached, Moment, Output, SocketId};
use gannet_proto::scan::Level;

use crate::calls::Waiting;
use crate::connection::{Connection, Stage};
use crate::limits::Limits;
use crate::link::{self, Opened};
use crate::local::{Lent, Local};
use crate::settle::{close, settle};
use crate::takeover::Takeover;
use crate::{deadline, h2, receive, send};

/// The connections of one worker to other servers.
pub struct Client {
    pub(crate) local: Local,
    /// By the socket's slot.
    pub(crate) connections: Vec<Option<Connection>>,
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
        // What was put on the same connection goes out at once.
        while let Some(socket) = self.local.joined.pop() {
            self.advance(socket, lent);
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
        self.forget_abandoned(socket, lent);
        true
    }

    /// Takes note that one exchange of a slot's connection was woken; says whether the connection is to be [taken on](Client::woken) for it.
    pub fn exchange_woken(&mut self, index: u32, exchange: u32) -> bool {
        match self.connections.get_mut(index as usize) {
            Some(Some(Connection { stage: Stage::Multiplexed(multiplexed), .. })) => {
                multiplexed.note_woken(exchange)
            }
            _ => false,
        }
    }

    /// Takes on all of them.
    pub fn all_woken(&mut self, lent: &mut Lent<'_>) {
        for index in 0..self.connections.len() {
            if let Some(Connection { stage: Stage::Multiplexed(multiplexed), .. }) =
                &mut self.connections[index]
            {
                multiplexed.all_woken();
            }
            self.woken(index as u32, lent);
        }
    }

    /// Takes on a connection whose deadline passed; says whether the slot is one of its.
    pub fn expired(&mut self, index: u32, lent: &mut Lent<'_>) -> bool {
        let Some(socket) = self.at(index) else { return false };
        let Some(connection) = self.find(socket) else { return false };
        match &connection.stage {
            Stage::Connecting(_) => self.give_up(socket, &UpstreamError::ConnectTimeout, lent),
            Stage::Idle(since) => {
                let until = since.after(self.local.limits.upstream_idle_timeout);
                self.idled(socket, until, lent);
            }
            Stage::Active(_) | Stage::Multiplexed(_) => {
                let Client { local, connections } = self;
                if let Some(connection) = &mut connections[index as usize] {
                    deadline::passed(connection, local, lent);
                    h2::passed(connection, local, lent);
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
        let is_multiplexed = |connection: &&Connection| matches!(connection.stage, Stage::Multiplexed(_));
        let multiplexed = self.connections.iter().flatten().filter(is_multiplexed);
        let multiplexed: Vec<SocketId> = multiplexed.map(|connection| connection.socket).collect();
        for socket in multiplexed {
            self.advance(socket, lent);
        }
        self.sweep(lent);
    }

    /// Ends everything at once; says whether there was anything.
    pub fn abort(&mut self, lent: &mut Lent<'_>) -> bool {
        self.drain(lent);
        self.local.joined.clear();
        while let Some(Waiting { call, .. }) = self.local.calls.next() {
            self.local.refuse(call, UpstreamError::Stopping);
        }
        let mut any = false;
        for index in 0..self.connections.len() {
            let Some(connection) = &self.connections[index] else { continue };
            let socket = connection.socket;
            any |= !matches!(connection.stage, Stage::Closed);
            match connection.stage {
                Stage::Connecting(_) => self.give_up(socket, &UpstreamError::Stopping, lent),
                _ => self.fail(socket, UpstreamError::Stopping, lent),
            }
        }
        any
    }

    fn received(&mut self, socket: SocketId, block: Block, lent: &mut Lent<'_>) {
        let Some(connection) = self.find(socket) else { return };
        let opened = link::open(&mut connection.tls, block);
        match (&mut connection.stage, opened) {
            (Stage::Connecting(_), Err(error)) => self.give_up(socket, &error, lent),
            (Stage::Connecting(_), Ok(Opened::Handshaking)) => self.shake_hands(socket, lent),
            (Stage::Connecting(_), Ok(Opened::Bytes { plain, ended })) => {
                self.shake_hands(socket, lent);
                self.opened(socket, plain, ended, lent);
            }
            (Stage::Active(_) | Stage::Multiplexed(_), Ok(Opened::Bytes { plain, ended })) => {
                self.opened(socket, plain, ended, lent);
            }
            (Stage::Active(active), Ok(Opened::Handshaking) | Err(_)) => {
                active.wire.fail(UpstreamError::Closed);
                self.advance(socket, lent);
            }
            (Stage::Multiplexed(multiplexed), Ok(Opened::Handshaking) | Err(_)) => {
                multiplexed.wire.fail(UpstreamError::Closed);
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

    /// Bytes of HTTP arrived, and perhaps their end.
    #[inline(always)]
    fn opened(&mut self, socket: SocketId, plain: Option<Chunk>, ended: bool, lent: &mut Lent<'_>) {
        let Some(connection) = self.find(socket) else { return };
        match &mut connection.stage {
            Stage::Active(active) => {
                if let Some(plain) = plain {
                    active.wire.arrived(plain, lent.now());
                }
                active.wire.peer_ended |= ended;
            }
            Stage::Multiplexed(multiplexed) => {
                if let Some(plain) = plain {
                    multiplexed.arrived(plain, lent.now());
                }
                multiplexed.wire.peer_ended |= ended;
            }
            _ => return,
        }
        self.advance(socket, lent);
    }

    /// Something happened: takes the connection as far as it goes.
    pub(crate) fn advance(&mut self, socket: SocketId, lent: &mut Lent<'_>) {
        let Client { local, connections } = self;
        let Some(connection) = connections.get_mut(socket.index as usize).and_then(Option::as_mut) else {
            return;
        };
        if let Connection { stage: Stage::Active(active), tls, .. } = connection {
            receive::read(active, socket, local, lent);
            send::pull(active, socket, local, lent);
            active.wire.flush(tls, socket, local, lent);
            settle(connection, local, lent);
        } else if let Connection { stage: Stage::Multiplexed(multiplexed), tls, .. } = connection {
            multiplexed.advance(local, lent);
            multiplexed.wire.flush(tls, socket, local, lent);
            h2::settle(connection, local, lent);
        }
    }

    pub(crate) fn settle(&mut self, socket: SocketId, lent: &mut Lent<'_>) {
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
            Stage::Connecting(connecting) => {
                connecting.sending = false;
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
            Stage::Multiplexed(multiplexed) => {
                multiplexed.wire.sending = false;
                if taken {
                    self.note_progress(socket, lent.now());
                } else {
                    multiplexed.send_broke();
                }
                self.advance(socket, lent);
            }
            Stage::Parting => self.parted(socket, lent),
            Stage::Idle(_) | Stage::Leaving(_) | Stage::Closed => {}
        }
    }

    /// What was to be said at last was taken; over TLS that is not all.
    fn parted(&mut self, socket: SocketId, lent: &mut Lent<'_>) {
        let Client { local, connections } = self;
        let Some(Some(connection)) = connections.get_mut(socket.index as usize) else { return };
        if !link::take_leave(&mut connection.tls, socket, local, lent) {
            close(connection, local, lent);
        }
    }

    fn note_progress(&mut self, socket: SocketId, now: Moment) {
        let Some(connection) = self.find(socket) else { return };
        let wire = match &mut connection.stage {
            Stage::Active(active) => &mut active.wire,
            Stage::Multiplexed(multiplexed) => &mut multiplexed.wire,
            _ => return,
        };
        (wire.sent_any, wire.progress) = (true, now);
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
            Stage::Multiplexed(multiplexed) => {
                (multiplexed.wire.receiving, multiplexed.wire.peer_ended) = (false, true);
                self.advance(socket, lent);
            }
            Stage::Idle(_) => {
                self.close(socket, lent);
            }
            Stage::Connecting(_) => {
                self.give_up(socket, &UpstreamError::Tls("the upstream closed the connection".into()), lent);
            }
            Stage::Leaving(_) | Stage::Parting | Stage::Closed => {}
        }
    }

    pub(crate) fn fail(&mut self, socket: SocketId, error: UpstreamError, lent: &mut Lent<'_>) {
        let Client { local, connections } = self;
        if let Some(Some(connection)) = connections.get_mut(socket.index as usize) {
            connection.tell(error, local);
            close(connection, local, lent);
        }
    }

    pub(crate) fn close(&mut self, socket: SocketId, lent: &mut Lent<'_>) -> Option<Completion> {
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

    pub(crate) fn insert(&mut self, connection: Connection) {
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

    pub(crate) fn at(&self, index: u32) -> Option<SocketId> {
        self.connections.get(index as usize)?.as_ref().map(|connection| connection.socket)
    }

    pub(crate) fn find(&mut self, socket: SocketId) -> Option<&mut Connection> {
        let connection = self.connections.get_mut(socket.index as usize)?.as_mut()?;
        (connection.socket == socket).then_some(connection)
    }
}

/// Closes a connection that no engine has.
pub(crate) fn discard(connection: Detached, lent: &mut Lent<'_>) {
    if let Ok(socket) = lent.engine.adopt(connection) {
        lent.engine.close(socket);
    }
}
