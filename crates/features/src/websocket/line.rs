//! What is between a connection and its conversation: what was received and not read, what is to be sent, and where the closing handshake is.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use gannet_core::scan::Level;
use gannet_core::ws::{self, CloseCode, CloseFrame, Closing, Event, Header, Kind, Opcode, Receiver, Role};
use gannet_core::{BodyError, Chunk, Data, Duplex, Ports};

use super::queue::{Outgoing, Queue};
use super::{Message, WebSocketError, WebSocketOptions};
use crate::broadcast::{Broadcast, Delivered, SlowSubscriber, Subscriber, Subscription, Terms};

/// Bytes that may wait to be sent before [`WebSocket::send`](super::WebSocket::send) waits.
pub(super) const WINDOW_BYTES: usize = 64 * 1024;

/// How often a client may anew send as many frames that carry nothing as the limits allow.
const REFILLED_EVERY: Duration = Duration::from_secs(10);

/// Payloads up to this size are copied behind their header; larger ones are shared.
const COPIED_BYTES: usize = 4096;

/// A conversation's line.
pub(super) struct Line {
    state: RefCell<State>,
    pub(super) ports: Rc<Ports>,
    options: Arc<WebSocketOptions>,
}

struct State {
    receiver: Receiver,
    /// Received, and not read.
    input: Option<Chunk>,
    /// Of the message that is being received.
    message: Vec<u8>,
    /// The client sends no more.
    ended: bool,
    /// The server waits until what was received is read.
    throttled: bool,
    /// A Ping is not answered yet.
    pinged: bool,
    /// Nothing more is sent behind what waits.
    over: bool,
    closing: Closing,
    /// What went wrong, if it was that.
    error: Option<WebSocketError>,
    /// What the client said when it closed.
    said: Option<Box<CloseFrame>>,
    /// What is to be sent, in whole frames or parts of them, before
    output: Queue,
    /// frames that are short.
    frames: Vec<u8>,
    /// Bytes of both, without what was published for many.
    queued: usize,
    /// Where messages come from that are published for many.
    subscriptions: Vec<(Broadcast, Subscription)>,
    /// When the client was last heard.
    heard: Duration,
    /// When what it has spent of its budget was last forgotten.
    refilled: Duration,
    /// When to look whether it is still there, and the alarm for that, which is set for another moment if that has changed.
    due: Duration,
    armed: Duration,
    alarm: Option<u32>,
    /// Who sends what is here: the server.
    server: Option<Waker>,
    /// Who waits for a message.
    reader: Option<Waker>,
    /// Who waits for room.
    writer: Option<Waker>,
    #[cfg(feature = "compression")]
    codecs: Option<Box<super::deflate::Codecs>>,
}

impl Line {
    pub(super) fn new(ports: Rc<Ports>, options: Arc<WebSocketOptions>) -> Line {
        let heard = ports.clock.now();
        let state = State {
            receiver: Receiver::new(Role::Server, Level::detect()),
            input: None,
            message: Vec::new(),
            ended: false,
            throttled: false,
            pinged: false,
            over: false,
            closing: Closing::Open,
            error: None,
            said: None,
            output: Queue::default(),
            frames: Vec::new(),
            queued: 0,
            subscriptions: Vec::new(),
            heard,
            refilled: heard,
            armed: Duration::ZERO,
            due: heard + options.ping_interval.min(options.idle_timeout),
            alarm: None,
            server: None,
            reader: None,
            writer: None,
            #[cfg(feature = "compression")]
            codecs: None,
        };
        Line { state: RefCell::new(state), ports, options }
    }

    #[cfg(feature = "compression")]
    pub(super) fn compress(&self, agreed: Option<super::deflate::Agreed>) {
        self.state.borrow_mut().codecs =
            agreed.map(|agreed| Box::new(super::deflate::Codecs::new(agreed, &self.ports.locals)));
    }

    /// What the client said when it closed, if it has, and said something.
    pub(super) fn said(&self) -> Option<CloseFrame> {
        self.state.borrow().said.as_deref().copied()
    }

    /// The next message; `None` when the client has closed the conversation.
    pub(super) fn poll_receive(
        &self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Message>, WebSocketError>> {
        let mut state = self.state.borrow_mut();
        loop {
            if let Some(error) = state.error {
                return Poll::Ready(Err(error));
            }
            if state.closing == Closing::Closed || state.over {
                return Poll::Ready(Ok(None));
            }
            // Answers to Pings need room as messages do.
            if state.queued >= WINDOW_BYTES {
                keep(&mut state.writer, context);
                return Poll::Pending;
            }
            if state.input.is_none() {
                if state.ended {
                    match state.closing {
                        Closing::Open => state.fail(WebSocketError::Gone, None),
                        // It does not answer our Close, but it has gone.
                        _ => state.is_closed(),
                    }
                    continue;
                }
                keep(&mut state.reader, context);
                return Poll::Pending;
            }
            match state.read(&self.options) {
                Ok(Some(event)) => {
                    if let Some(message) = state.take_on(&event) {
                        return Poll::Ready(Ok(Some(message)));
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(%error, "a client of a WebSocket broke the protocol");
                    state.fail(WebSocketError::Protocol(error), Some(&error.close()));
                }
            }
        }
    }

    /// Ready when there is room for a message to be sent.
    pub(super) fn poll_room(&self, context: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        let mut state = self.state.borrow_mut();
        if state.closing.send(Opcode::Text).is_none() || state.over {
            return Poll::Ready(Err(state.error.unwrap_or(WebSocketError::Closed)));
        }
        if state.queued >= WINDOW_BYTES {
            keep(&mut state.writer, context);
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    /// Puts a message behind what is to be sent.
    pub(super) fn send(&self, message: Message) {
        let mut state = self.state.borrow_mut();
        #[cfg(feature = "compression")]
        if state.send_compressed(&message) {
            return;
        }
        match message {
            Message::Text(text) => state.push(Kind::Text, text.into_bytes()),
            Message::Binary(bytes) => state.push(Kind::Binary, bytes),
        }
    }

    /// Has it sent what is published there.
    pub(super) fn subscribe(self: &Rc<Line>, broadcast: &Broadcast) {
        if self.is_open() && !self.state.borrow().subscriptions.iter().any(|(known, _)| known == broadcast) {
            let line: Rc<dyn Subscriber> = self.clone();
            let subscription = broadcast.subscribe(&self.ports, Rc::downgrade(&line));
            self.state.borrow_mut().subscriptions.push((broadcast.clone(), subscription));
        }
    }

    /// Has it sent nothing more of what is published there.
    pub(super) fn unsubscribe(&self, broadcast: &Broadcast) {
        self.state.borrow_mut().subscriptions.retain(|(known, _)| known != broadcast);
    }

    fn is_open(&self) -> bool {
        let state = self.state.borrow();
        state.closing == Closing::Open && !state.over
    }

    /// Says that nothing more is sent, and why.
    pub(super) fn close(&self, frame: Option<&CloseFrame>) {
        self.state.borrow_mut().close(frame, &self.options, &self.ports);
    }

    /// Says that nothing more is sent, and why, and waits for no answer.
    pub(super) fn abandon(&self, frame: &CloseFrame) {
        self.close(Some(frame));
        self.state.borrow_mut().end();
    }

    /// Ready when the closing handshake is over, or will not be.
    pub(super) fn poll_closed(&self, context: &mut Context<'_>) -> Poll<()> {
        // What the client still says nobody hears.
        while let Poll::Ready(received) = self.poll_receive(context) {
            if !matches!(received, Ok(Some(_))) {
                self.state.borrow_mut().end();
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}

impl State {
    /// What the protocol makes of what was received.
    fn read(&mut self, options: &WebSocketOptions) -> Result<Option<Event>, ws::Error> {
        let Some(chunk) = &mut self.input else { return Ok(None) };
        let mut rest = &chunk[..];
        #[cfg(feature = "compression")]
        let inflate = self.codecs.as_mut().map(|codecs| codecs.inflate());
        #[cfg(not(feature = "compression"))]
        let inflate = None;
        let event = self.receiver.poll_event(&mut rest, &options.limits, &mut self.message, inflate);
        let (all, left) = (chunk.len(), rest.len());
        if left > 0 {
            chunk.advance(all - left);
        } else {
            self.input = None;
            if std::mem::take(&mut self.throttled) {
                wake(&mut self.server);
            }
        }
        event
    }

    /// What an event means; gives the message, if it is one for the handler.
    fn take_on(&mut self, event: &Event) -> Option<Message> {
        match event {
            Event::Text => {
                let text = std::mem::take(&mut self.message);
                // The protocol has looked at it.
                let text = Bytes::from(text).try_into().unwrap_or_default();
                return self.hears().then_some(Message::Text(text));
            }
            Event::Binary => {
                let bytes = std::mem::take(&mut self.message);
                return self.hears().then(|| Message::Binary(bytes.into()));
            }
            Event::Ping(payload) if self.closing.send(Opcode::Pong).is_some() => {
                self.write(|frames| ws::write_pong(payload, None, frames));
            }
            Event::Ping(_) => {}
            Event::Pong(_) => self.pinged = false,
            Event::Close(said) => {
                self.said = said.map(Box::new);
                self.closing = self.closing.receive(Opcode::Close).unwrap_or(Closing::Closed);
                if let Some(closing) = self.closing.send(Opcode::Close) {
                    // As it came: the code that it has is confirmed.
                    let answer = said.map(|said| CloseFrame::new(said.code(), ""));
                    self.write(|frames| ws::write_close(answer.as_ref(), None, frames));
                    self.closing = closing;
                }
                self.end();
            }
        }
        None
    }

    /// Whether messages are still for the handler: it has not said that it is done.
    fn hears(&self) -> bool {
        self.closing == Closing::Open
    }

    /// Something went wrong: the client is told by this frame, if there is one, and nothing else is said.
    fn fail(&mut self, error: WebSocketError, frame: Option<&CloseFrame>) {
        self.error.get_or_insert(error);
        if let Some(frame) = frame
            && self.closing.send(Opcode::Close).is_some()
        {
            self.write(|frames| ws::write_close(Some(frame), None, frames));
        }
        self.closing = Closing::Closed;
        self.end();
    }

    fn close(&mut self, frame: Option<&CloseFrame>, options: &WebSocketOptions, ports: &Ports) {
        let Some(closing) = self.closing.send(Opcode::Close).filter(|_| !self.over) else { return };
        self.write(|frames| ws::write_close(frame, None, frames));
        self.closing = closing;
        self.due = ports.clock.now() + options.close_timeout;
        wake(&mut self.writer);
    }

    /// The closing handshake is over, be it that the client has not answered.
    fn is_closed(&mut self) {
        self.closing = Closing::Closed;
        self.end();
    }

    /// Nothing more is sent behind what waits, and nothing is received.
    fn end(&mut self) {
        self.over = true;
        self.input = None;
        self.subscriptions.clear();
        wake(&mut self.server);
        wake(&mut self.reader);
        wake(&mut self.writer);
    }

    /// Says whether it was worth it.
    #[cfg(feature = "compression")]
    fn send_compressed(&mut self, message: &Message) -> bool {
        let Some(mut codecs) = self.codecs.take() else { return false };
        let mut is_compressed = false;
        self.write(|frames| is_compressed = codecs.write(message, frames));
        self.codecs = Some(codecs);
        is_compressed
    }

    /// A message that is published, as it is sent here.
    fn published(&self, message: &Delivered) -> Bytes {
        #[cfg(feature = "compression")]
        if let Some(compressed) = self.codecs.as_ref().and_then(|codecs| codecs.published(message)) {
            return compressed;
        }
        message.frame().clone()
    }

    fn push(&mut self, kind: Kind, payload: Bytes) {
        let header = Header::of_message(kind, false, payload.len()).bytes();
        self.write(|frames| frames.extend_from_slice(&header));
        self.append(payload);
    }

    /// Puts bytes behind what is to be sent: copied if they are few.
    fn append(&mut self, bytes: Bytes) {
        if bytes.len() <= COPIED_BYTES {
            return self.write(|frames| frames.extend_from_slice(&bytes));
        }
        self.queued += bytes.len();
        self.put(Outgoing { bytes, is_published: false });
    }

    /// Puts something behind all that is to be sent.
    fn put(&mut self, outgoing: Outgoing) {
        if !self.frames.is_empty() {
            let bytes = std::mem::take(&mut self.frames).into();
            self.output.push(Outgoing { bytes, is_published: false });
        }
        self.output.push(outgoing);
        wake(&mut self.server);
    }

    fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.frames.len();
        write(&mut self.frames);
        self.queued += self.frames.len() - before;
        wake(&mut self.server);
    }

    /// What is sent next.
    fn next(&mut self) -> Option<Bytes> {
        let bytes = match self.output.pop() {
            Some(Outgoing { bytes, is_published: true }) => return Some(bytes),
            Some(Outgoing { bytes, .. }) => bytes,
            None if self.frames.is_empty() => return None,
            None => std::mem::take(&mut self.frames).into(),
        };
        let was_full = self.queued >= WINDOW_BYTES;
        self.queued -= bytes.len();
        if was_full && self.queued < WINDOW_BYTES {
            wake(&mut self.writer);
        }
        Some(bytes)
    }

    /// The moment has come to look whether the client is still there, or has answered our Close.
    fn look(&mut self, now: Duration, options: &WebSocketOptions) {
        if self.closing != Closing::Open {
            return self.is_closed();
        }
        let (ping, gone) = (self.heard + options.ping_interval, self.heard + options.idle_timeout);
        if now >= gone {
            let frame = CloseFrame::new(CloseCode::GOING_AWAY, "nothing was heard for too long");
            return self.fail(WebSocketError::Gone, Some(&frame));
        }
        if now >= ping && !self.pinged {
            self.pinged = true;
            self.write(|frames| ws::write_ping(&ws::ControlPayload::EMPTY, None, frames));
        }
        self.due = if now >= ping { gone } else { ping.min(gone) };
    }
}

impl Duplex for Line {
    fn receive(&self, bytes: Chunk) {
        let mut state = self.state.borrow_mut();
        if state.over {
            return;
        }
        let now = self.ports.clock.now();
        if now >= state.refilled + REFILLED_EVERY {
            state.refilled = now;
            state.receiver.refill();
        }
        (state.heard, state.pinged) = (now, false);
        state.input = Some(match state.input.take() {
            None => bytes,
            Some(waiting) => waiting.followed_by(&bytes),
        });
        wake(&mut state.reader);
    }

    fn end(&self, _: Result<(), BodyError>) {
        let mut state = self.state.borrow_mut();
        state.ended = true;
        wake(&mut state.reader);
    }

    fn queued(&self) -> usize {
        self.state.borrow().input.as_ref().map_or(0, |input| input.len())
    }

    fn throttle(&self) {
        self.state.borrow_mut().throttled = true;
    }

    fn poll_send(&self, context: &mut Context<'_>) -> Poll<Option<Result<Data, BodyError>>> {
        let state = &mut *self.state.borrow_mut();
        let now = self.ports.clock.now();
        if self.ports.draining.has_begun() && state.closing == Closing::Open {
            let frame = CloseFrame::new(CloseCode::GOING_AWAY, "the server is ending");
            state.close(Some(&frame), &self.options, &self.ports);
        }
        if now >= state.due && !state.over {
            state.look(now, &self.options);
        }
        if let Some(bytes) = state.next() {
            return Poll::Ready(Some(Ok(bytes.into())));
        }
        if state.over {
            return Poll::Ready(None);
        }
        keep(&mut state.server, context);
        if state.armed != state.due {
            state.armed = state.due;
            state.alarm = Some(self.ports.clock.set_alarm(state.alarm, state.due, context.waker()));
        }
        Poll::Pending
    }
}

impl Subscriber for Line {
    fn deliver(&self, message: &Delivered, terms: Terms) {
        let mut state = self.state.borrow_mut();
        if state.closing != Closing::Open || state.over {
            return;
        }
        if state.output.published >= terms.backlog {
            match terms.slow {
                SlowSubscriber::DropNewest => return,
                SlowSubscriber::DropOldest => state.output.drop_oldest(),
                SlowSubscriber::Close => {
                    let frame = CloseFrame::new(CloseCode::TRY_AGAIN_LATER, "too slow for what is published");
                    state.output.drop_published();
                    return state.close(Some(&frame), &self.options, &self.ports);
                }
            }
        }
        let bytes = state.published(message);
        state.put(Outgoing { bytes, is_published: true });
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(alarm) = self.state.get_mut().alarm {
            self.ports.clock.clear_alarm(alarm);
        }
    }
}

fn keep(waker: &mut Option<Waker>, context: &Context<'_>) {
    match waker {
        Some(known) => known.clone_from(context.waker()),
        none => *none = Some(context.waker().clone()),
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
