//! Steps 5 and 7: a head becomes a request, and its stream an exchange, which is taken on when something of it was woken.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use gannet_core::{Body, Conversation, Incoming, Interims, Method, RequestHead, Response};
use gannet_engine::{Moment, SocketId};
use gannet_proto::h2::{Refusal, StreamKey};

use super::pull::Piece;
use super::{Multiplexed, respond};
use crate::connection::{Facts, Making};
use crate::local::Local;
use crate::observe::{Limit, NO_ROUTE, SetAside};
use crate::wake::Owner;
use crate::{deadline, exchange, handle};

/// An exchange that is not over: its request's half, its response's half, and the future that makes the one from the other. Recycled.
pub(crate) struct Stream {
    pub(super) key: StreamKey,
    /// The request's half.
    pub(super) incoming: Rc<Incoming>,
    /// The client waits for `100 Continue` before it sends the body.
    pub(super) expects_continue: bool,
    /// The client asked for a tunnel: by CONNECT, or for a protocol (RFC 8441).
    pub(super) asks_for_tunnel: bool,
    /// What makes the response.
    pub(super) making: Making,
    /// What the stream was turned into, until that is over.
    pub(super) conversation: Option<Conversation>,
    /// The response's body, after its head is written; of a conversation what it sends.
    pub(super) body: Option<Body>,
    /// What the body gave last, as far as it is not sent: the windows had no room for it.
    pub(super) piece: Option<Piece>,
    /// What the client is to be told before the response.
    pub(super) interims: Interims,
    /// Of this exchange; none before it is begun, and after it was told.
    pub(super) account: Option<SetAside>,
    /// Memory for the account's record.
    pub(super) record: Vec<u8>,
    /// The waker that it leases, and on whose behalf.
    pub(super) waker: Option<u32>,
    socket: u32,
    /// Bytes of the body that came.
    pub(super) received: u64,
    /// Those of them that were read, as far as the client was told.
    pub(super) credited: u64,
    /// When more of the body must have come.
    pub(super) body_deadline: Option<Moment>,
    /// It was answered, and the client may still end what it was sending, until the deadline of its body.
    pub(super) lingers: bool,
    /// When the client must have opened a window.
    pub(super) window_deadline: Option<Moment>,
    /// It is among those to be looked at.
    pub(super) is_due: bool,
    /// It is in the schedule.
    pub(super) is_scheduled: bool,
    /// It is not, for want of a window.
    pub(super) is_blocked: bool,
    /// Its response could not be completed, and the client was told.
    pub(super) is_broken: bool,
}

impl Stream {
    /// One that belongs to nobody yet.
    pub(crate) fn new(nothing: Rc<Incoming>) -> Stream {
        Stream {
            key: StreamKey { id: 0, slot: 0 },
            incoming: nothing,
            expects_continue: false,
            asks_for_tunnel: false,
            making: Making::Done,
            conversation: None,
            body: None,
            piece: None,
            interims: Interims::default(),
            account: None,
            record: Vec::new(),
            waker: None,
            socket: 0,
            received: 0,
            credited: 0,
            body_deadline: None,
            lingers: false,
            window_deadline: None,
            is_due: false,
            is_scheduled: false,
            is_blocked: false,
            is_broken: false,
        }
    }

    /// The waker of this exchange, leased when it is first needed.
    pub(super) fn waker(&mut self, local: &mut Local) -> Waker {
        let owner = Owner { connection: self.socket, exchange: self.key.slot };
        let number = *self.waker.get_or_insert_with(|| local.wakers.lease(owner));
        local.wakers.leased(number)
    }

    /// Whether the conversation that it was turned into is over, or it never was one.
    pub(super) fn has_conversed(&self) -> bool {
        matches!(self.making, Making::Done) && self.conversation.is_none()
    }

    /// Drops what is a handler's.
    pub(super) fn discard(&mut self, local: &Local) {
        handle::discard(local, std::mem::replace(&mut self.making, Making::Done));
        handle::discard(local, self.conversation.take());
        handle::discard(local, self.body.take());
    }
}

/// Begins the exchange that the connection's head asks for. One that is answered as a whole at once is over.
pub(super) fn begin(
    connection: &mut Multiplexed,
    key: StreamKey,
    head: RequestHead,
    ended: bool,
    socket: SocketId,
    facts: &Facts,
    local: &mut Local,
) {
    let mut stream = local.take_stream();
    let (offsets, text) = head.parts();
    connection.wire.accounts.begin(offsets, text, local.now(), &local.observer);
    (stream.key, stream.socket) = (key, socket.index);
    stream.expects_continue = offsets.expects_continue;
    stream.asks_for_tunnel = offsets.method == Method::Connect;
    if !ended {
        stream.incoming = local.take_incoming();
        let waker = stream.waker(local);
        stream.incoming.begin(Some(waker));
        // Who asks for a tunnel waits for it to be opened.
        stream.body_deadline = (!stream.asks_for_tunnel).then(|| deadline::first_of_body(local));
    }
    // What comes behind a request for a tunnel is the tunnel's, and no body.
    let incoming = if stream.asks_for_tunnel { &local.no_body } else { &stream.incoming };
    let (incoming, interims) = (incoming.clone(), stream.interims.clone());
    let (reply, route) = exchange::answer(head, incoming, interims, facts, local);
    connection.wire.accounts.routed(route);
    if ended
        && stream.interims.is_empty()
        && reply.as_ready().is_some_and(|response| respond::at_once(connection, &stream, response, local))
    {
        connection.protocol.release(key);
        return local.recycle_stream(stream);
    }
    stream.account = connection.wire.accounts.set_aside(std::mem::take(&mut stream.record));
    stream.making = Making::Waiting(reply);
    connection.keep(stream);
    connection.take_on(key.slot, local);
}

/// Answers a request that was understood only so far.
pub(super) fn refuse(connection: &mut Multiplexed, key: StreamKey, refusal: Refusal, local: &mut Local) {
    if let Some(limit) = refusal.limit().and_then(Limit::named) {
        local.observer.hit(limit);
    }
    let status = refusal.status();
    let mut stream = local.take_stream();
    stream.key = key;
    connection.wire.accounts.begin_unread(
        &connection.head,
        connection.protocol.text(),
        local.now(),
        &local.observer,
    );
    stream.account = connection.wire.accounts.set_aside(std::mem::take(&mut stream.record));
    let text = format!("{} {}: {refusal}\n", status.code(), status.reason());
    let response = Response::text(text).with_status(status);
    connection.keep(stream);
    connection.answer(key.slot, response, local);
}

impl Multiplexed {
    /// Takes on all that were woken.
    pub(super) fn take_due(&mut self, local: &mut Local) {
        // What is polled is not woken in here, but by the mailbox; only a conversation that begins is put behind the others.
        while let Some(slot) = self.due.pop() {
            if let Some(Some(stream)) = self.streams.get_mut(slot as usize) {
                stream.is_due = false;
                self.take_on(slot, local);
            }
        }
    }

    /// Polls what makes a stream's response, and what else of it may go on.
    fn take_on(&mut self, slot: u32, local: &mut Local) {
        self.credit(slot, local);
        self.with(slot, local, poll);
        self.send_soon(slot);
    }

    /// Answers in a handler's place.
    pub(super) fn answer(&mut self, slot: u32, response: Response, local: &mut Local) {
        self.with(slot, local, |connection, stream, local| {
            respond::begin(connection, stream, response, local);
        });
        self.send_soon(slot);
    }

    /// A stream may have something to send.
    pub(super) fn send_soon(&mut self, slot: u32) {
        if let Some(Some(stream)) = self.streams.get_mut(slot as usize)
            && (stream.body.is_some() || stream.piece.is_some())
            && !std::mem::replace(&mut stream.is_scheduled, true)
        {
            self.schedule.add(slot, self.protocol.priority(stream.key).urgency);
        }
    }

    /// Its client said anew how urgent it is.
    pub(super) fn reschedule(&mut self, key: StreamKey) {
        if let Some(Some(stream)) = self.streams.get(key.slot as usize)
            && stream.is_scheduled
        {
            self.schedule.remove(key.slot);
            self.schedule.add(key.slot, self.protocol.priority(key).urgency);
        }
    }

    /// Does something with a stream, and ends it when it is over then.
    pub(super) fn with(
        &mut self,
        slot: u32,
        local: &mut Local,
        act: impl FnOnce(&mut Multiplexed, &mut Stream, &mut Local),
    ) {
        let Some(mut stream) = self.streams.get_mut(slot as usize).and_then(Option::take) else { return };
        local.route.set(stream.account.as_ref().map_or(NO_ROUTE, SetAside::route));
        act(self, &mut stream, local);
        if self.is_over(&mut stream, local) {
            let is_broken = stream.is_broken;
            return self.forget(stream, is_broken, local);
        }
        self.streams[slot as usize] = Some(stream);
    }

    /// Keeps a stream, in the place of its slot.
    fn keep(&mut self, stream: Box<Stream>) {
        let slot = stream.key.slot as usize;
        if self.streams.len() <= slot {
            self.streams.resize_with(slot + 1, || None);
        }
        if let Some(deadline) = stream.body_deadline {
            self.streams_deadline = self.streams_deadline.min(deadline);
        }
        debug_assert!(self.streams[slot].is_none(), "a slot is released before it is used again");
        self.streams[slot] = Some(stream);
        self.open += 1;
    }

    /// Lets the client send as much again as was read of what it sent.
    pub(super) fn credit(&mut self, slot: u32, local: &Local) {
        let Some(Some(stream)) = self.streams.get_mut(slot as usize) else { return };
        let is_abandoned = stream.incoming.is_abandoned();
        let waiting = if is_abandoned { 0 } else { stream.incoming.queued() };
        let read = stream.received - waiting as u64 - stream.credited;
        if read > 0 {
            stream.credited += read;
            self.held -= read;
            match is_abandoned {
                true => self.protocol.discarded(stream.key, read as usize),
                false => self.protocol.consumed(stream.key, read as usize),
            }
        }
        // The reader tells when it has taken something, where it matters: the client may be waiting for that.
        let window = local.limits.h2.stream_window_bytes as usize;
        if waiting >= window / 2 || waiting > 0 && !local.has_shared_blocks() {
            stream.incoming.throttle();
        }
        if stream.expects_continue {
            stream.incoming.throttle();
        }
    }
}

/// Polls what makes the response.
fn poll(connection: &mut Multiplexed, stream: &mut Stream, local: &mut Local) {
    if let Making::Waiting(reply) = &mut stream.making
        && let Some(response) = reply.take_ready()
    {
        return respond::begin(connection, stream, response, local);
    }
    if stream.has_conversed() {
        return;
    }
    let waker = stream.waker(local);
    let mut context = Context::from_waker(&waker);
    if let Making::Waiting(reply) = &mut stream.making {
        return match handle::contained(local, || Pin::new(reply).poll(&mut context)) {
            Ok(Poll::Ready(response)) | Err(response) => respond::begin(connection, stream, response, local),
            Ok(Poll::Pending) => {
                respond::ask_for_body(connection, stream, false, local);
                respond::inform(connection, stream, local);
            }
        };
    }
    let Some(conversation) = &mut stream.conversation else { return };
    match handle::contained(local, || conversation.as_mut().poll(&mut context)) {
        Ok(Poll::Ready(())) => handle::discard(local, stream.conversation.take()),
        Ok(Poll::Pending) => {}
        Err(_) => respond::break_off(connection, stream, local),
    }
}

impl Local {
    /// A stream that belongs to nobody yet.
    fn take_stream(&mut self) -> Box<Stream> {
        let recycled = self.streams.take();
        recycled.unwrap_or_else(|| Box::new(Stream::new(self.no_body.clone())))
    }

    /// Keeps it for a later exchange.
    pub(super) fn recycle_stream(&mut self, mut stream: Box<Stream>) {
        if let Some(number) = stream.waker.take() {
            self.wakers.release(number);
        }
        if !Rc::ptr_eq(&stream.incoming, &self.no_body) {
            let incoming = std::mem::replace(&mut stream.incoming, self.no_body.clone());
            // What came for a tunnel that never began nobody has read.
            incoming.begin(None);
            self.recycle_incoming(incoming);
        }
        stream.interims.renew();
        (stream.piece, stream.account) = (None, None);
        (stream.expects_continue, stream.asks_for_tunnel) = (false, false);
        (stream.received, stream.credited) = (0, 0);
        (stream.body_deadline, stream.window_deadline) = (None, None);
        stream.lingers = false;
        (stream.is_due, stream.is_scheduled, stream.is_blocked, stream.is_broken) =
            (false, false, false, false);
        self.streams.keep(stream);
    }
}
