//! What is between a connection and its conversation: what was received and not read, what is to be sent, and where the closing handshake is.
//!
//! It is small, since conversations last and mostly say nothing: what is needed while something is said is [`Work`], which the worker's conversations use in turns.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use gannet_core::scan::Level;
use gannet_core::ws::{self, CloseCode, CloseFrame, Closing, Event, Header, Kind, Opcode, Receiver, Role};
use gannet_core::{BodyError, Chunk, Data, Duplex, Ports};

use super::work::{Outgoing, Spare, Work};
use super::{Message, WebSocketError, WebSocketOptions};
use crate::broadcast::{Broadcast, Delivered, SlowSubscriber, Subscriber, Subscription, Terms};

/// Bytes that may wait to be sent before [`WebSocket::send`](super::WebSocket::send) waits.
pub(super) const WINDOW_BYTES: usize = 64 * 1024;

/// How often a client may anew send as many frames that carry nothing as the limits allow.
const REFILLED_EVERY: Duration = Duration::from_secs(10);

/// Payloads up to this size are copied; larger ones are shared.
const COPIED_BYTES: usize = 4096;

/// Short pieces that are put together at once; what follows is for the server to ask for.
const SHORT_BYTES: usize = 16 * 1024;

/// A conversation's line.
pub(super) struct Line {
    state: RefCell<State>,
    common: Rc<Common>,
}

/// What conversations of the same options have in common, on one worker.
pub(super) struct Common {
    ports: Rc<Ports>,
    options: Arc<WebSocketOptions>,
    spare: Rc<Spare>,
}

/// A worker's, of all options. They have the ports, among which this is.
#[derive(Default)]
struct Commons(RefCell<Vec<Weak<Common>>>);

impl Common {
    /// Those of these options, made when there are none.
    fn of(ports: Rc<Ports>, options: Arc<WebSocketOptions>) -> Rc<Common> {
        let commons = ports.locals.get::<Commons>();
        let mut all = commons.0.borrow_mut();
        let known = all.iter().filter_map(Weak::upgrade).find(|known| Arc::ptr_eq(&known.options, &options));
        known.unwrap_or_else(|| {
            let spare = ports.locals.get();
            let common = Rc::new(Common { ports, options, spare });
            all.retain(|other| other.strong_count() > 0);
            all.push(Rc::downgrade(&common));
            common
        })
    }
}

struct State {
    receiver: Receiver,
    /// While something is said.
    work: Option<Box<Work>>,
    /// What most have nothing of.
    rare: Option<Box<Rare>>,
    #[cfg(feature = "compression")]
    codecs: Option<Box<super::deflate::Codecs>>,
    /// Who sends what is here, and polls the conversation.
    server: Option<Waker>,
    /// When the client was last heard, in nanoseconds of the worker's clock.
    heard: u64,
    /// When to look whether it is still there.
    due: u64,
    /// When what it has spent of its budget was last forgotten, in seconds.
    refilled: u32,
    /// The client sends no more.
    ended: bool,
    /// The server waits until what was received is read.
    throttled: bool,
    /// A Ping is not answered yet.
    pinged: bool,
    /// Nothing more is sent behind what waits.
    over: bool,
    /// The conversation is being polled, after which the server asks what is to be sent: it need not be woken for that.
    is_polled: bool,
    /// Somebody waits for a message, or for room.
    awaits_message: bool,
    awaits_room: bool,
    closing: Closing,
    /// What went wrong, if it was that.
    error: Option<WebSocketError>,
    /// Which of the options' protocols was agreed on.
    protocol: Option<u8>,
}

#[derive(Default)]
struct Rare {
    /// Where messages come from that are published for many.
    subscriptions: Vec<(Broadcast, Subscription)>,
    /// What the client said when it closed.
    said: Option<CloseFrame>,
    /// Who waits for a message, or for room, where that is somebody else than who polls the conversation.
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Line {
    pub(super) fn new(ports: Rc<Ports>, options: Arc<WebSocketOptions>, protocol: Option<u8>) -> Line {
        let now = ports.clock.now();
        let state = State {
            receiver: Receiver::new(Role::Server, Level::detect()),
            work: None,
            rare: None,
            #[cfg(feature = "compression")]
            codecs: None,
            server: None,
            heard: nanoseconds(now),
            due: nanoseconds(now + options.ping_interval.min(options.idle_timeout)),
            refilled: seconds(now),
            ended: false,
            throttled: false,
            pinged: false,
            over: false,
            is_polled: false,
            awaits_message: false,
            awaits_room: false,
            closing: Closing::Open,
            error: None,
            protocol,
        };
        Line { state: RefCell::new(state), common: Common::of(ports, options) }
    }

    #[cfg(feature = "compression")]
    pub(super) fn compress(&self, agreed: Option<super::deflate::Agreed>) {
        let codecs = |agreed| Box::new(super::deflate::Codecs::new(agreed, &self.common.ports.locals));
        self.state.borrow_mut().codecs = agreed.map(codecs);
    }

    /// The protocol that was agreed on.
    pub(super) fn protocol(&self) -> Option<&'static str> {
        let number = self.state.borrow().protocol?;
        self.common.options.protocols.get(usize::from(number)).copied()
    }

    /// What the client said when it closed, if it has, and said something.
    pub(super) fn said(&self) -> Option<CloseFrame> {
        self.state.borrow().rare.as_ref()?.said
    }

    /// The next message; `None` when the client has closed the conversation.
    pub(super) fn poll_receive(
        &self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Message>, WebSocketError>> {
        let state = &mut *self.state.borrow_mut();
        state.is_polled |= state.is_server(context.waker());
        loop {
            if let Some(error) = state.error {
                return Poll::Ready(Err(error));
            }
            if state.closing == Closing::Closed || state.over {
                return Poll::Ready(Ok(None));
            }
            // Answers to Pings need room as messages do.
            if state.queued() >= WINDOW_BYTES {
                state.await_room(context);
                return Poll::Pending;
            }
            if !state.has_input() {
                if state.ended {
                    match state.closing {
                        Closing::Open => state.fail(&self.common.spare, WebSocketError::Gone, None),
                        // It does not answer our Close, but it has gone.
                        _ => state.is_closed(),
                    }
                    continue;
                }
                state.await_message(context);
                self.rest(state);
                return Poll::Pending;
            }
            match state.read(&self.common.options) {
                Ok(Some(event)) => {
                    if let Some(message) = state.take_on(&self.common.spare, &event) {
                        return Poll::Ready(Ok(Some(message)));
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(%error, "a client of a WebSocket broke the protocol");
                    state.fail(&self.common.spare, WebSocketError::Protocol(error), Some(&error.close()));
                }
            }
        }
    }

    /// Ready when there is room for a message to be sent.
    pub(super) fn poll_room(&self, context: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        let state = &mut *self.state.borrow_mut();
        state.is_polled |= state.is_server(context.waker());
        if state.closing.send(Opcode::Text).is_none() || state.over {
            return Poll::Ready(Err(state.error.unwrap_or(WebSocketError::Closed)));
        }
        if state.queued() >= WINDOW_BYTES {
            state.await_room(context);
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    /// Puts a message behind what is to be sent.
    pub(super) fn send(&self, message: Message) {
        let state = &mut *self.state.borrow_mut();
        #[cfg(feature = "compression")]
        if state.send_compressed(&self.common.spare, &message) {
            return;
        }
        match message {
            Message::Text(text) => state.push(&self.common.spare, Kind::Text, text.into_bytes()),
            Message::Binary(bytes) => state.push(&self.common.spare, Kind::Binary, bytes),
        }
    }

    /// Has it sent what is published there.
    pub(super) fn subscribe(self: &Rc<Line>, broadcast: &Broadcast) {
        let is_known = |state: &State| state.subscriptions().iter().any(|(known, _)| known == broadcast);
        if self.state.borrow().is_open() && !is_known(&self.state.borrow()) {
            let line: Rc<dyn Subscriber> = self.clone();
            let subscription = broadcast.subscribe(&self.common.ports, Rc::downgrade(&line));
            let mut state = self.state.borrow_mut();
            state.rare.get_or_insert_default().subscriptions.push((broadcast.clone(), subscription));
        }
    }

    /// Has it sent nothing more of what is published there.
    pub(super) fn unsubscribe(&self, broadcast: &Broadcast) {
        if let Some(rare) = &mut self.state.borrow_mut().rare {
            rare.subscriptions.retain(|(known, _)| known != broadcast);
        }
    }

    /// Says that nothing more is sent, and why.
    pub(super) fn close(&self, frame: Option<&CloseFrame>) {
        self.close_state(&mut self.state.borrow_mut(), frame);
    }

    fn close_state(&self, state: &mut State, frame: Option<&CloseFrame>) {
        let Some(closing) = state.closing.send(Opcode::Close).filter(|_| !state.over) else { return };
        state.write(&self.common.spare, |frames| ws::write_close(frame, None, frames));
        state.closing = closing;
        state.due = nanoseconds(self.common.ports.clock.now() + self.common.options.close_timeout);
        state.wake_writer();
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

    /// Gives back what it works in, if nothing is in it.
    fn rest(&self, state: &mut State) {
        let is_used = |work: &Work| work.input.is_some() || work.has_output();
        if !state.receiver.in_message()
            && let Some(work) = state.work.take_if(|work| !is_used(work))
        {
            self.common.spare.keep(work);
        }
    }

    /// The moment has come to look whether the client is still there, or has answered our Close.
    fn look(&self, state: &mut State, now: Duration) {
        if state.closing != Closing::Open {
            return state.is_closed();
        }
        let heard = Duration::from_nanos(state.heard);
        let (ping, gone) =
            (heard + self.common.options.ping_interval, heard + self.common.options.idle_timeout);
        if now >= gone {
            let frame = CloseFrame::new(CloseCode::GOING_AWAY, "nothing was heard for too long");
            return state.fail(&self.common.spare, WebSocketError::Gone, Some(&frame));
        }
        if now >= ping && !state.pinged {
            state.pinged = true;
            state
                .write(&self.common.spare, |frames| ws::write_ping(&ws::ControlPayload::EMPTY, None, frames));
        }
        state.due = nanoseconds(if now >= ping { gone } else { ping.min(gone) });
    }
}

impl State {
    fn subscriptions(&self) -> &[(Broadcast, Subscription)] {
        self.rare.as_ref().map_or(&[], |rare| &rare.subscriptions)
    }

    fn is_open(&self) -> bool {
        self.closing == Closing::Open && !self.over
    }

    fn has_input(&self) -> bool {
        self.work.as_ref().is_some_and(|work| work.input.is_some())
    }

    /// Bytes that wait to be sent.
    fn queued(&self) -> usize {
        self.work.as_ref().map_or(0, |work| work.queued)
    }

    /// What the protocol makes of what was received.
    fn read(&mut self, options: &WebSocketOptions) -> Result<Option<Event>, ws::Error> {
        let Some(work) = &mut self.work else { return Ok(None) };
        let Some(chunk) = &mut work.input else { return Ok(None) };
        let mut rest = &chunk[..];
        #[cfg(feature = "compression")]
        let inflate = self.codecs.as_mut().map(|codecs| codecs.inflate());
        #[cfg(not(feature = "compression"))]
        let inflate = None;
        let event = self.receiver.poll_event(&mut rest, &options.limits, &mut work.message, inflate);
        let (all, left) = (chunk.len(), rest.len());
        if left > 0 {
            chunk.advance(all - left);
        } else {
            work.input = None;
            if std::mem::take(&mut self.throttled) {
                // It has more, and puts it here before it polls again.
                wake(self.server.as_ref());
            }
        }
        event
    }

    /// What an event means; gives the message, if it is one for the handler.
    fn take_on(&mut self, spare: &Spare, event: &Event) -> Option<Message> {
        match event {
            Event::Text => {
                // The protocol has looked at it.
                let text = self.message().try_into().unwrap_or_default();
                return self.is_open().then_some(Message::Text(text));
            }
            Event::Binary => {
                let bytes = self.message();
                return self.is_open().then_some(Message::Binary(bytes));
            }
            Event::Ping(payload) if self.closing.send(Opcode::Pong).is_some() => {
                self.write(spare, |frames| ws::write_pong(payload, None, frames));
            }
            Event::Ping(_) => {}
            Event::Pong(_) => self.pinged = false,
            Event::Close(said) => {
                if said.is_some() {
                    self.rare.get_or_insert_default().said = *said;
                }
                self.closing = self.closing.receive(Opcode::Close).unwrap_or(Closing::Closed);
                if let Some(closing) = self.closing.send(Opcode::Close) {
                    // The code that it has is confirmed.
                    let answer = said.map(|said| CloseFrame::new(said.code(), ""));
                    self.write(spare, |frames| ws::write_close(answer.as_ref(), None, frames));
                    self.closing = closing;
                }
                self.end();
            }
        }
        None
    }

    /// The message that was received. A short one is copied, so that the memory is there for the next.
    fn message(&mut self) -> Bytes {
        let Some(work) = &mut self.work else { return Bytes::new() };
        if work.message.len() <= COPIED_BYTES {
            return Bytes::copy_from_slice(&work.message);
        }
        std::mem::take(&mut work.message).into()
    }

    /// Something went wrong: the client is told by this frame, if there is one, and nothing else is said.
    fn fail(&mut self, spare: &Spare, error: WebSocketError, frame: Option<&CloseFrame>) {
        self.error.get_or_insert(error);
        if let Some(frame) = frame
            && self.closing.send(Opcode::Close).is_some()
        {
            self.write(spare, |frames| ws::write_close(Some(frame), None, frames));
        }
        self.is_closed();
    }

    /// The closing handshake is over, be it that the client has not answered.
    fn is_closed(&mut self) {
        self.closing = Closing::Closed;
        self.end();
    }

    /// Nothing more is sent behind what waits, and nothing is received.
    fn end(&mut self) {
        self.over = true;
        if let Some(work) = &mut self.work {
            work.input = None;
        }
        if let Some(rare) = &mut self.rare {
            rare.subscriptions.clear();
        }
        self.wake_server();
        self.wake_reader();
        self.wake_writer();
    }

    /// Says whether it was worth it.
    #[cfg(feature = "compression")]
    fn send_compressed(&mut self, spare: &Spare, message: &Message) -> bool {
        let Some(mut codecs) = self.codecs.take() else { return false };
        let mut is_compressed = false;
        self.write(spare, |frames| is_compressed = codecs.write(message, frames));
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

    fn push(&mut self, spare: &Spare, kind: Kind, payload: Bytes) {
        let header = Header::of_message(kind, false, payload.len()).bytes();
        self.write(spare, |frames| {
            frames.extend_from_slice(&header);
            if payload.len() <= COPIED_BYTES {
                frames.extend_from_slice(&payload);
            }
        });
        if payload.len() > COPIED_BYTES {
            self.put(spare, Outgoing { bytes: payload, is_published: false });
        }
    }

    /// Puts something behind all that is to be sent.
    fn put(&mut self, spare: &Spare, outgoing: Outgoing) {
        self.work.get_or_insert_with(|| spare.take()).push(outgoing);
        self.wake_server();
    }

    /// Puts short frames behind all that is to be sent.
    fn write(&mut self, spare: &Spare, write: impl FnOnce(&mut Vec<u8>)) {
        let work = self.work.get_or_insert_with(|| spare.take());
        let before = work.frames.len();
        write(&mut work.frames);
        work.queued += work.frames.len() - before;
        self.wake_server();
    }

    fn await_message(&mut self, context: &Context<'_>) {
        self.awaits_message = true;
        if self.server.is_none() {
            self.server = Some(context.waker().clone());
        } else if !self.is_server(context.waker()) {
            keep(&mut self.rare.get_or_insert_default().reader, context);
        }
    }

    fn await_room(&mut self, context: &Context<'_>) {
        self.awaits_room = true;
        if self.server.is_none() {
            self.server = Some(context.waker().clone());
        } else if !self.is_server(context.waker()) {
            keep(&mut self.rare.get_or_insert_default().writer, context);
        }
    }

    /// This is who sends what is here. Until now it was whoever asked first.
    fn is_served(&mut self, context: &Context<'_>) {
        if self.is_server(context.waker()) {
            return;
        }
        if let Some(other) = self.server.replace(context.waker().clone()) {
            let rare = self.rare.get_or_insert_default();
            if self.awaits_message {
                rare.reader.get_or_insert_with(|| other.clone());
            }
            if self.awaits_room {
                rare.writer.get_or_insert(other);
            }
        }
    }

    fn is_server(&self, waker: &Waker) -> bool {
        self.server.as_ref().is_some_and(|server| server.will_wake(waker))
    }

    /// There is something to be sent.
    fn wake_server(&self) {
        if !self.is_polled {
            wake(self.server.as_ref());
        }
    }

    fn wake_reader(&mut self) {
        if std::mem::take(&mut self.awaits_message) {
            let other = self.rare.as_mut().and_then(|rare| rare.reader.take());
            wake(other.as_ref().or(self.server.as_ref()));
        }
    }

    fn wake_writer(&mut self) {
        if std::mem::take(&mut self.awaits_room) {
            let other = self.rare.as_mut().and_then(|rare| rare.writer.take());
            wake(other.as_ref().or(self.server.as_ref()));
        }
    }
}

impl Duplex for Line {
    fn receive(&self, bytes: Chunk) {
        let state = &mut *self.state.borrow_mut();
        if state.over {
            return;
        }
        let now = self.common.ports.clock.now();
        if seconds(now) >= state.refilled + REFILLED_EVERY.as_secs() as u32 {
            state.refilled = seconds(now);
            state.receiver.refill();
        }
        (state.heard, state.pinged) = (nanoseconds(now), false);
        let work = state.work.get_or_insert_with(|| self.common.spare.take());
        work.input = Some(match work.input.take() {
            None => bytes,
            Some(waiting) => waiting.followed_by(&bytes),
        });
        state.wake_reader();
    }

    fn end(&self, _: Result<(), BodyError>) {
        let mut state = self.state.borrow_mut();
        state.ended = true;
        state.wake_reader();
    }

    fn queued(&self) -> usize {
        let state = self.state.borrow();
        state.work.as_ref().and_then(|work| work.input.as_ref()).map_or(0, |input| input.len())
    }

    fn throttle(&self) {
        self.state.borrow_mut().throttled = true;
    }

    fn due(&self) -> Option<Duration> {
        let state = self.state.borrow();
        (!state.over).then(|| Duration::from_nanos(state.due))
    }

    fn poll_send(
        &self,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Poll<Option<Result<Data, BodyError>>> {
        let state = &mut *self.state.borrow_mut();
        state.is_polled = false;
        let now = self.common.ports.clock.now();
        if self.common.ports.draining.has_begun() && state.closing == Closing::Open {
            let frame = CloseFrame::new(CloseCode::GOING_AWAY, "the server is ending");
            self.close_state(state, Some(&frame));
        }
        if nanoseconds(now) >= state.due && !state.over {
            self.look(state, now);
        }
        let before = out.len();
        while let Some(work) = &mut state.work
            && work.has_output()
        {
            let was_full = work.queued >= WINDOW_BYTES;
            let next = work.pop();
            if next.is_none() {
                work.take_frames(out);
            }
            if was_full && work.queued < WINDOW_BYTES {
                state.wake_writer();
            }
            match next {
                Some(bytes) if bytes.len() > COPIED_BYTES || out.len() - before >= SHORT_BYTES => {
                    return Poll::Ready(Some(Ok(bytes.into())));
                }
                Some(bytes) => out.extend_from_slice(&bytes),
                None => {}
            }
        }
        if state.over {
            return Poll::Ready(None);
        }
        state.is_served(context);
        self.rest(state);
        Poll::Pending
    }
}

impl Subscriber for Line {
    fn deliver(&self, message: &Delivered, terms: Terms) {
        let state = &mut *self.state.borrow_mut();
        if !state.is_open() {
            return;
        }
        let waiting = state.work.as_mut().filter(|work| work.published >= terms.backlog);
        if let Some(work) = waiting {
            match terms.slow {
                SlowSubscriber::DropNewest => return,
                SlowSubscriber::DropOldest => work.drop_oldest(),
                SlowSubscriber::Close => {
                    work.drop_published();
                    let frame = CloseFrame::new(CloseCode::TRY_AGAIN_LATER, "too slow for what is published");
                    return self.close_state(state, Some(&frame));
                }
            }
        }
        let bytes = state.published(message);
        state.put(&self.common.spare, Outgoing { bytes, is_published: true });
    }
}

fn nanoseconds(time: Duration) -> u64 {
    // Of 585 years.
    time.as_nanos() as u64
}

fn seconds(time: Duration) -> u32 {
    // A worker runs for less than a hundred years.
    time.as_secs() as u32
}

fn keep(waker: &mut Option<Waker>, context: &Context<'_>) {
    match waker {
        Some(known) => known.clone_from(context.waker()),
        none => *none = Some(context.waker().clone()),
    }
}

fn wake(waker: Option<&Waker>) {
    if let Some(waker) = waker {
        waker.wake_by_ref();
    }
}
