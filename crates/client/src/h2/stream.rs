//! Streams: a call becomes a request on one, which is taken on when something of it was woken, and ends it.

use std::borrow::Cow;
use std::task::Waker;

use gannet_core::{BodyLength, UpgradeOffer, Upstream, UpstreamError, UpstreamRequest};
use gannet_engine::Moment;
use gannet_proto::h2::{ErrorCode, RequestToSend, StreamKey};

use super::pull::Piece;
use super::{Multiplexed, tunnel};
use crate::calls::{Attempt, Waiting};
use crate::exchange::Exchange;
use crate::failure::{self, Reached};
use crate::local::{Lent, Local};

/// An exchange that is not over. Recycled.
pub(crate) struct Stream {
    pub(super) key: StreamKey,
    pub(super) exchange: Exchange,
    /// What the request's body gave last, as far as it is not sent: the windows had no room for it.
    pub(super) piece: Option<Piece>,
    /// The waker that it leases.
    waker: Option<u32>,
    attempt: Attempt,
    /// Bytes of the response's body that came.
    pub(super) received: u64,
    /// Those of them that were read, as far as the upstream was told.
    credited: u64,
    /// When something of it last came or went.
    pub(super) progress: Moment,
    /// How often something had come by the connection when it was begun.
    arrivals: u64,
    /// The connection had served others before.
    reused: bool,
    /// It is among those to be looked at.
    pub(super) is_due: bool,
    /// It is in the schedule.
    pub(super) is_scheduled: bool,
    /// It is not, for want of a window.
    pub(super) is_blocked: bool,
    /// It is a tunnel, or asks for one.
    pub(super) is_tunnel: bool,
}

impl Default for Stream {
    fn default() -> Stream {
        Stream {
            key: StreamKey { id: 0, slot: 0 },
            exchange: Exchange::default(),
            piece: None,
            waker: None,
            attempt: Attempt::First,
            received: 0,
            credited: 0,
            progress: Moment::NEVER,
            arrivals: 0,
            reused: false,
            is_due: false,
            is_scheduled: false,
            is_blocked: false,
            is_tunnel: false,
        }
    }
}

impl Stream {
    /// The waker of this exchange, leased when it is first needed.
    pub(super) fn waker(&mut self, socket: u32, lent: &mut Lent<'_>) -> Waker {
        let number = *self.waker.get_or_insert_with(|| lent.wakers.lease(socket, self.key.slot));
        lent.wakers.leased(number)
    }
}

impl Multiplexed {
    /// Begins a call's exchange. It is given back where the upstream takes no more requests by this connection.
    pub(crate) fn begin(
        &mut self,
        waiting: Waiting,
        local: &mut Local,
        lent: &mut Lent<'_>,
    ) -> Result<(), Waiting> {
        if !self.has_room() && !self.is_vacant() {
            return Err(waiting);
        }
        let Waiting { call, attempt } = waiting;
        let mut stream = local.take_stream();
        let Some((request, body)) = stream.exchange.begin(call.clone()) else {
            local.calls.over(&self.upstream);
            stream.exchange.reset(local);
            call.recycle();
            local.recycle_stream(stream);
            return Ok(());
        };
        let is_tunnel = request.upgrade == UpgradeOffer::AnyVersion;
        if is_tunnel && !self.protocol.takes_connect_protocol() {
            stream.exchange.put_back();
            local.recycle_stream(stream);
            self.hold_back(Waiting { call, attempt }, local, lent);
            return Ok(());
        }
        // Its end says that there is none.
        let body = if body == BodyLength::Known(0) { BodyLength::None } else { body };
        let lines = lines(request);
        let mut head = head(request, &lines, &self.upstream, body);
        if is_tunnel {
            head = tunnel::head(request, head);
        }
        let Some(key) = self.protocol.request(head, self.wire.output(local).bytes()) else {
            stream.exchange.put_back();
            local.recycle_stream(stream);
            return Err(Waiting { call, attempt });
        };
        drop(lines);
        (stream.key, stream.attempt, stream.is_tunnel) = (key, attempt, is_tunnel);
        (stream.received, stream.credited) = (0, 0);
        (stream.progress, stream.arrivals, stream.reused) = (lent.now(), self.arrivals, self.reused);
        call.watch(stream.waker(self.socket.index, lent));
        if body == BodyLength::None || is_tunnel {
            stream.exchange.body = None;
        }
        self.keep(stream);
        self.note_woken(key.slot);
        Ok(())
    }

    /// Keeps a stream, in the place of its slot.
    fn keep(&mut self, stream: Box<Stream>) {
        let slot = stream.key.slot as usize;
        if self.streams.len() <= slot {
            self.streams.resize_with(slot + 1, || None);
        }
        debug_assert!(self.streams[slot].is_none(), "a slot is released before it is used again");
        self.streams[slot] = Some(stream);
        self.open += 1;
    }

    /// Takes on all that were woken.
    pub(super) fn take_due(&mut self, local: &mut Local, lent: &mut Lent<'_>) {
        let mut due = std::mem::take(&mut self.due);
        for slot in due.drain(..) {
            if let Some(Some(stream)) = self.streams.get_mut(slot as usize) {
                stream.is_due = false;
                self.take_on(slot, local, lent);
            }
        }
        due.append(&mut self.due); // what was woken meanwhile
        self.due = due;
    }

    /// Takes on what of a stream may go on.
    fn take_on(&mut self, slot: u32, local: &mut Local, lent: &mut Lent<'_>) {
        self.credit(slot, local, lent);
        self.with(slot, local, lent, |connection, stream, _, _| connection.schedule(stream));
    }

    /// Gives a stream its turn to send, if it has something.
    pub(super) fn schedule(&mut self, stream: &mut Stream) {
        let has_body = stream.exchange.body.is_some() && !stream.exchange.awaits_continue;
        if (has_body || stream.piece.is_some()) && !stream.is_scheduled && !stream.is_blocked {
            stream.is_scheduled = true;
            self.schedule.push_back(stream.key.slot);
        }
    }

    /// Does something with a stream, and ends it when it is over then.
    pub(super) fn with(
        &mut self,
        slot: u32,
        local: &mut Local,
        lent: &mut Lent<'_>,
        act: impl FnOnce(&mut Multiplexed, &mut Stream, &mut Local, &mut Lent<'_>),
    ) {
        let Some(mut stream) = self.streams.get_mut(slot as usize).and_then(Option::take) else { return };
        act(self, &mut stream, local, lent);
        if self.is_over(&stream, local) {
            return self.forget(stream, local, lent);
        }
        let deadline = self.awaited(&stream, local).map_or(Moment::NEVER, |(_, deadline)| deadline);
        self.streams_deadline = self.streams_deadline.min(deadline);
        self.streams[slot as usize] = Some(stream);
    }

    /// Whether an exchange is over: both halves have ended, or nobody wants it any more. Where the response has come before all of the request went, the rest of
    /// that is not wanted (RFC 9113, 8.1). In a tunnel each half ends by itself, and whoever has read the upstream's to its end leaves that half only.
    fn is_over(&mut self, stream: &Stream, local: &mut Local) -> bool {
        let is_over = match self.protocol.receiving_ended(stream.key) {
            true if stream.is_tunnel => self.protocol.sending_ended(stream.key) || self.wire.send_broken,
            true => true,
            false => stream.exchange.is_abandoned(),
        };
        if !is_over {
            return false;
        }
        let output = self.wire.output(local).bytes();
        self.protocol.reset(stream.key, ErrorCode::CANCEL, output);
        true
    }

    /// Ends an exchange that cannot go on, and tells who waits for it. The upstream is told by the stream's reset, if it does not know.
    pub(super) fn fail(
        &mut self,
        slot: u32,
        error: UpstreamError,
        reached: Reached,
        again: Attempt,
        local: &mut Local,
        lent: &mut Lent<'_>,
    ) {
        let Some(mut stream) = self.streams.get_mut(slot as usize).and_then(Option::take) else { return };
        self.protocol.reset(stream.key, ErrorCode::CANCEL, self.wire.output(local).bytes());
        let again = (stream.attempt == Attempt::First).then_some(again);
        failure::tell(&mut stream.exchange, &self.upstream, error, reached, again, local);
        self.let_go(stream, local, lent);
    }

    /// The same for all of them.
    pub(super) fn fail_all(&mut self, error: &UpstreamError, local: &mut Local, lent: &mut Lent<'_>) {
        self.fail_held_back(error, local);
        for slot in 0..self.streams.len() {
            let Some(stream) = &self.streams[slot] else { continue };
            let is_silent = stream.reused && stream.arrivals == self.arrivals;
            let reached = match (self.wire.sent_any || self.wire.sending, is_silent) {
                (false, _) => Reached::Nobody,
                (true, true) if *error == UpstreamError::Closed => Reached::Silence,
                (true, _) => Reached::Upstream,
            };
            self.fail(slot as u32, error.clone(), reached, Attempt::Again, local, lent);
        }
    }

    /// An exchange is over.
    fn forget(&mut self, mut stream: Box<Stream>, local: &mut Local, lent: &mut Lent<'_>) {
        if let Some(call) = stream.exchange.call.take() {
            call.recycle();
        }
        local.calls.over(&self.upstream);
        self.let_go(stream, local, lent);
    }

    fn let_go(&mut self, mut stream: Box<Stream>, local: &mut Local, lent: &mut Lent<'_>) {
        self.open -= 1;
        self.reused = true;
        self.held -= stream.received - stream.credited;
        if std::mem::take(&mut stream.is_scheduled) {
            self.schedule.retain(|slot| *slot != stream.key.slot);
        }
        if std::mem::take(&mut stream.is_due) {
            self.due.retain(|slot| *slot != stream.key.slot);
        }
        // Nobody is left waiting, whatever was forgotten.
        stream.exchange.cut(&UpstreamError::Closed);
        stream.exchange.reset(local);
        if let Some(number) = stream.waker.take() {
            lent.wakers.release(number);
        }
        (stream.piece, stream.is_blocked) = (None, false);
        self.protocol.release(stream.key);
        local.recycle_stream(stream);
    }

    /// Lets the upstream send as much again as was read of what it sent.
    pub(super) fn credit(&mut self, slot: u32, local: &Local, lent: &Lent<'_>) {
        let Some(Some(stream)) = self.streams.get_mut(slot as usize) else { return };
        let Some(incoming) = &stream.exchange.incoming else { return };
        let waiting = if incoming.is_abandoned() { 0 } else { incoming.queued() };
        let read = stream.received - waiting as u64 - stream.credited;
        if read > 0 {
            stream.credited += read;
            stream.progress = lent.now();
            self.held -= read;
            self.protocol.consumed(stream.key, read as usize);
        }
        // The reader tells when it has taken something, where it matters: the upstream may be waiting for that.
        if waiting >= local.limits.stream_window_bytes() as usize / 2
            || waiting > 0 && !lent.has_shared_blocks()
        {
            incoming.throttle();
        }
    }
}

/// What the request's head says.
fn head<'a>(
    request: &'a UpstreamRequest,
    lines: &'a [u8],
    upstream: &'a Upstream,
    body: BodyLength,
) -> RequestToSend<'a> {
    let host = request.fields.get("host").and_then(|host| std::str::from_utf8(host).ok());
    RequestToSend {
        method: request.method(),
        method_text: request.method_text(),
        scheme: if upstream.tls.is_some() { "https" } else { "http" },
        authority: host.filter(|host| !host.is_empty()).unwrap_or("localhost"),
        path: request.target(),
        protocol: None,
        fields: lines,
        body,
        accepts_trailers: request.accepts_trailers,
    }
}

/// The request's lines but for `Host`, which is said otherwise, and `Upgrade`, which cannot be (RFC 9113, 8.2.2 and 8.3.1); of one for a tunnel without its key, too,
/// for which `:protocol` stands (RFC 8441, section 5). Where `Host` comes first, which is where it mostly stands, nothing is copied.
fn lines(request: &UpstreamRequest) -> Cow<'_, [u8]> {
    let is_tunnel = request.upgrade == UpgradeOffer::AnyVersion;
    let rendered = request.fields.rendered();
    let is_left_out = |line: &[u8]| {
        let begins =
            |name: &[u8]| line.get(..name.len()).is_some_and(|first| first.eq_ignore_ascii_case(name));
        begins(b"host:") || begins(b"upgrade:") || is_tunnel && begins(b"sec-websocket-key:")
    };
    let first = rendered.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let rest = if is_left_out(&rendered[..first]) { &rendered[first..] } else { rendered };
    if !rest.split_inclusive(|byte| *byte == b'\n').any(is_left_out) {
        return Cow::Borrowed(rest);
    }
    let mut kept = Vec::with_capacity(rest.len());
    rest.split_inclusive(|byte| *byte == b'\n')
        .filter(|line| !is_left_out(line))
        .for_each(|line| kept.extend_from_slice(line));
    Cow::Owned(kept)
}
