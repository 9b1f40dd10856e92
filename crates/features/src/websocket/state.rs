//! Where a conversation is: what it works in, who waits for it, and how it ends. What comes of each event of the protocol is here; whose turn it is, is not.

use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use gannet_core::scan::Level;
use gannet_core::ws::{self, CloseFrame, Closing, Event, Header, Kind, Opcode, Receiver, Role};

use super::work::{Outgoing, Spare, Work};
use super::{Message, WebSocketError, WebSocketOptions};
use crate::broadcast::{Broadcast, Delivered, Subscription};

/// Payloads up to this size are copied; larger ones are shared.
pub(super) const COPIED_BYTES: usize = 4096;

/// What there is of a conversation while it waits.
pub(super) struct State {
    pub(super) receiver: Receiver,
    /// While something is said.
    pub(super) work: Option<Box<Work>>,
    /// What most have nothing of.
    pub(super) rare: Option<Box<Rare>>,
    #[cfg(feature = "compression")]
    pub(super) codecs: Option<Box<super::deflate::Codecs>>,
    /// Who sends what is here, and polls the conversation.
    pub(super) server: Option<Waker>,
    /// When the client was last heard, in nanoseconds of the worker's clock.
    pub(super) heard: u64,
    /// When to look whether it is still there.
    pub(super) due: u64,
    /// When what it has spent of its budget was last forgotten, in seconds.
    pub(super) refilled: u32,
    /// The client sends no more.
    pub(super) ended: bool,
    /// The server waits until what was received is read.
    pub(super) throttled: bool,
    /// A Ping is not answered yet.
    pub(super) pinged: bool,
    /// Nothing more is sent behind what waits.
    pub(super) over: bool,
    /// The conversation is being polled, after which the server asks what is to be sent: it need not be woken for that.
    pub(super) is_polled: bool,
    /// The conversation itself waits for a message, or for room.
    pub(super) awaits_message: bool,
    pub(super) awaits_room: bool,
    pub(super) closing: Closing,
    /// What went wrong, if it was that.
    pub(super) error: Option<WebSocketError>,
    /// Which of the options' protocols was agreed on.
    pub(super) protocol: Option<u8>,
}

/// What most conversations have nothing of.
#[derive(Default)]
pub(super) struct Rare {
    /// Where messages come from that are published for many.
    pub(super) subscriptions: Vec<(Broadcast, Subscription)>,
    /// What the client said when it closed.
    pub(super) said: Option<CloseFrame>,
    /// Who waits for a message, where that is a task of its own,
    pub(super) reader: Option<Waker>,
    /// and who waits for room: as many as have a sender, and the reader, whose answers to Pings need some.
    pub(super) writers: Vec<Waker>,
}

impl State {
    /// One that begins.
    pub(super) fn new(now: Duration, options: &WebSocketOptions, protocol: Option<u8>) -> State {
        State {
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
        }
    }

    pub(super) fn subscriptions(&self) -> &[(Broadcast, Subscription)] {
        self.rare.as_ref().map_or(&[], |rare| &rare.subscriptions)
    }

    pub(super) fn is_open(&self) -> bool {
        self.closing == Closing::Open && !self.over
    }

    pub(super) fn has_input(&self) -> bool {
        self.work.as_ref().is_some_and(|work| work.input.is_some())
    }

    /// Bytes that wait to be sent.
    pub(super) fn queued(&self) -> usize {
        self.work.as_ref().map_or(0, |work| work.queued)
    }

    /// What the protocol makes of what was received.
    pub(super) fn read(&mut self, options: &WebSocketOptions) -> Result<Option<Event>, ws::Error> {
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
    pub(super) fn take_on(&mut self, spare: &Spare, event: &Event) -> Option<Message> {
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
    pub(super) fn message(&mut self) -> Bytes {
        let Some(work) = &mut self.work else { return Bytes::new() };
        if work.message.len() <= COPIED_BYTES {
            return Bytes::copy_from_slice(&work.message);
        }
        std::mem::take(&mut work.message).into()
    }

    /// Something went wrong: the client is told by this frame, if there is one, and nothing else is said.
    pub(super) fn fail(&mut self, spare: &Spare, error: WebSocketError, frame: Option<&CloseFrame>) {
        self.error.get_or_insert(error);
        if let Some(frame) = frame
            && self.closing.send(Opcode::Close).is_some()
        {
            self.write(spare, |frames| ws::write_close(Some(frame), None, frames));
        }
        self.is_closed();
    }

    /// The closing handshake is over, be it that the client has not answered.
    pub(super) fn is_closed(&mut self) {
        self.closing = Closing::Closed;
        self.end();
    }

    /// Nothing more is sent behind what waits, and nothing is received.
    pub(super) fn end(&mut self) {
        self.over = true;
        if let Some(work) = &mut self.work {
            work.input = None;
        }
        if let Some(rare) = &mut self.rare {
            rare.subscriptions.clear();
        }
        self.wake_server();
        self.wake_reader();
        self.wake_writers();
    }

    /// Says whether it was worth it.
    #[cfg(feature = "compression")]
    pub(super) fn send_compressed(&mut self, spare: &Spare, message: &Message) -> bool {
        let Some(mut codecs) = self.codecs.take() else { return false };
        let mut is_compressed = false;
        self.write(spare, |frames| is_compressed = codecs.write(message, frames));
        self.codecs = Some(codecs);
        is_compressed
    }

    /// A message that is published, as it is sent here.
    pub(super) fn published(&self, message: &Delivered) -> Bytes {
        #[cfg(feature = "compression")]
        if let Some(compressed) = self.codecs.as_ref().and_then(|codecs| codecs.published(message)) {
            return compressed;
        }
        message.frame().clone()
    }

    pub(super) fn push(&mut self, spare: &Spare, kind: Kind, payload: Bytes) {
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
    pub(super) fn put(&mut self, spare: &Spare, outgoing: Outgoing) {
        self.work.get_or_insert_with(|| spare.take()).push(outgoing);
        self.wake_server();
    }

    /// Puts short frames behind all that is to be sent.
    pub(super) fn write(&mut self, spare: &Spare, write: impl FnOnce(&mut Vec<u8>)) {
        let work = self.work.get_or_insert_with(|| spare.take());
        let before = work.frames.len();
        write(&mut work.frames);
        work.queued += work.frames.len() - before;
        self.wake_server();
    }

    pub(super) fn await_message(&mut self, context: &Context<'_>) {
        if self.is_own(context) {
            self.awaits_message = true;
        } else {
            self.rare.get_or_insert_default().reader = Some(context.waker().clone());
        }
    }

    pub(super) fn await_room(&mut self, context: &Context<'_>) {
        if self.is_own(context) {
            self.awaits_room = true;
            return;
        }
        let writers = &mut self.rare.get_or_insert_default().writers;
        if !writers.iter().any(|known| known.will_wake(context.waker())) {
            writers.push(context.waker().clone());
        }
    }

    /// Whether it is the conversation itself that waits. Who is the first to wait is taken for it until the server asks.
    fn is_own(&mut self, context: &Context<'_>) -> bool {
        self.server.get_or_insert_with(|| context.waker().clone()).will_wake(context.waker())
    }

    /// This is who sends what is here. Until now it was whoever waited first.
    pub(super) fn is_served(&mut self, context: &Context<'_>) {
        if self.is_server(context.waker()) {
            return;
        }
        let Some(other) = self.server.replace(context.waker().clone()) else { return };
        let rare = self.rare.get_or_insert_default();
        if std::mem::take(&mut self.awaits_message) {
            rare.reader = Some(other.clone());
        }
        if std::mem::take(&mut self.awaits_room) {
            rare.writers.push(other);
        }
    }

    pub(super) fn is_server(&self, waker: &Waker) -> bool {
        self.server.as_ref().is_some_and(|server| server.will_wake(waker))
    }

    /// There is something to be sent.
    pub(super) fn wake_server(&self) {
        if !self.is_polled {
            wake(self.server.as_ref());
        }
    }

    pub(super) fn wake_reader(&mut self) {
        if std::mem::take(&mut self.awaits_message) {
            wake(self.server.as_ref());
        }
        wake(self.rare.as_mut().and_then(|rare| rare.reader.take()).as_ref());
    }

    /// There is room: for all who wait, of whom some may find none again.
    pub(super) fn wake_writers(&mut self) {
        if std::mem::take(&mut self.awaits_room) {
            wake(self.server.as_ref());
        }
        if let Some(rare) = &mut self.rare {
            rare.writers.drain(..).for_each(Waker::wake);
        }
    }
}

pub(super) fn nanoseconds(time: Duration) -> u64 {
    // Of 585 years.
    time.as_nanos() as u64
}

pub(super) fn seconds(time: Duration) -> u32 {
    // A worker runs for less than a hundred years.
    time.as_secs() as u32
}

fn wake(waker: Option<&Waker>) {
    if let Some(waker) = waker {
        waker.wake_by_ref();
    }
}
