//! Upgrades: a connection, or a stream of one, becomes something else than HTTP.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use gannet_block::Chunk;

use crate::tunnel::tunnel;
use crate::{Body, BodyError, Clock, Data, Frame, Incoming, ReceivedBody, Sender, Source, channel};

/// What is to happen once the head of an upgrade response is sent.
pub struct Upgrade(Start);

enum Start {
    Halves(Box<dyn FnOnce(ReceivedBody) -> (Conversation, Body)>),
    Duplex(Box<dyn FnOnce() -> (Conversation, Rc<dyn Duplex>)>),
}

/// What talks over an upgraded connection; done when the conversation is.
pub type Conversation = Pin<Box<dyn Future<Output = ()>>>;

/// Both halves of a connection that was upgraded. Bytes that the client sent behind its request are read first.
#[derive(Debug)]
pub struct Upgraded {
    /// What the client sends.
    pub reader: ReceivedBody,
    /// What the client is sent. Dropping it ends our half.
    pub writer: Sender,
}

/// Both halves of an upgraded connection as the server sees them: where it puts what the client sends, and takes what the client is sent from. A conversation
/// that lasts has one of its own, so that what is between is in one place, and small.
pub trait Duplex {
    /// The client sent some bytes.
    fn receive(&self, bytes: Chunk);

    /// The client sends no more, or broke off. Only the first end counts.
    fn end(&self, result: Result<(), BodyError>);

    /// Bytes that were received and nobody has read yet: while there are many, no more are received.
    fn queued(&self) -> usize;

    /// The server waits for that to become less: it is woken then.
    fn throttle(&self);

    /// When it is to be asked anew for what is sent, whatever comes until then: by the clock of the worker ([`Clock::now`](crate::Clock::now)). It may be asked a little later.
    fn due(&self) -> Option<Duration> {
        None
    }

    /// What the client is sent next, as it is. The server asks whenever it has polled the conversation, and when it was woken by the waker of `context`. What is short is appended to `out`, whatever is returned, and what is long is given, to go behind it; `None` at the end.
    ///
    /// # Errors
    /// When it cannot go on: the connection is closed.
    fn poll_send(
        &self,
        context: &mut Context<'_>,
        out: &mut Vec<u8>,
    ) -> Poll<Option<Result<Data, BodyError>>>;
}

impl Upgrade {
    /// Hands the connection to `conversation` once the head is sent. The connection closes when its future is done and what it
    /// sent has gone out.
    pub fn new<F>(conversation: impl FnOnce(Upgraded) -> F + 'static) -> Upgrade
    where
        F: Future<Output = ()> + 'static,
    {
        Upgrade(Start::Halves(Box::new(move |reader| {
            let (writer, body) = channel();
            (Box::pin(conversation(Upgraded { reader, writer })), body)
        })))
    }

    /// Joins the connection to another that was upgraded, byte for byte, until both halves of both have ended.
    pub fn tunnel(other: Upgraded) -> Upgrade {
        Upgrade::new(move |this| tunnel(this, other))
    }

    /// The same as [`new`](Upgrade::new) for a conversation that brings both halves itself: `start` makes it and them.
    pub fn duplex<F>(start: impl FnOnce() -> (F, Rc<dyn Duplex>) + 'static) -> Upgrade
    where
        F: Future<Output = ()> + 'static,
    {
        Upgrade(Start::Duplex(Box::new(move || {
            let (conversation, duplex) = start();
            (Box::pin(conversation), duplex)
        })))
    }

    /// Begins the conversation on a connection of its own: the server's part. `incoming` is asked for where the conversation does not bring it.
    pub fn begin(self, incoming: impl FnOnce() -> Rc<Incoming>) -> (Conversation, Rc<dyn Duplex>) {
        match self.0 {
            Start::Duplex(start) => start(),
            Start::Halves(start) => {
                let incoming = incoming();
                let (conversation, body) = start(ReceivedBody::new(incoming.clone()));
                (conversation, Rc::new(Halves { incoming, body: RefCell::new(Some(body)) }))
            }
        }
    }

    /// Begins the conversation on a stream, which is received and sent as any exchange is: the server's part.
    pub fn begin_on_stream(self, reader: ReceivedBody, clock: Rc<dyn Clock>) -> (Conversation, Body) {
        match self.0 {
            Start::Halves(start) => start(reader),
            Start::Duplex(start) => {
                let (conversation, duplex) = start();
                let body =
                    Body::stream(Sent { duplex: duplex.clone(), next: None, clock, due: None, alarm: None });
                (Box::pin(OnStream { conversation, reader: Some(reader), duplex }), body)
            }
        }
    }
}

/// Halves that are those of any exchange.
struct Halves {
    incoming: Rc<Incoming>,
    /// None once it has ended.
    body: RefCell<Option<Body>>,
}

impl Duplex for Halves {
    fn receive(&self, bytes: Chunk) {
        self.incoming.push(bytes);
    }

    fn end(&self, result: Result<(), BodyError>) {
        self.incoming.end(result, None);
    }

    fn queued(&self) -> usize {
        self.incoming.queued()
    }

    fn throttle(&self) {
        self.incoming.throttle();
    }

    fn poll_send(&self, context: &mut Context<'_>, _: &mut Vec<u8>) -> Poll<Option<Result<Data, BodyError>>> {
        // Taken: it is a handler's, and may panic, or come back here.
        let Some(mut body) = self.body.take() else { return Poll::Ready(None) };
        let polled = match body.poll_frame(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(Frame::Data(data)))) => Poll::Ready(Some(Ok(data))),
            Poll::Ready(Some(Ok(Frame::Trailers(_))) | None) => return Poll::Ready(None),
            Poll::Ready(Some(Ok(Frame::File(..)))) => return Poll::Ready(Some(Err(BodyError::Aborted))),
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
        };
        self.body.replace(Some(body));
        polled
    }
}

/// A conversation with halves of its own, on a stream: what the stream receives goes to them before it is polled.
struct OnStream {
    conversation: Conversation,
    /// None once it has ended.
    reader: Option<ReceivedBody>,
    duplex: Rc<dyn Duplex>,
}

impl Future for OnStream {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let fed = self.feed(context);
            if self.conversation.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            if !fed || self.duplex.queued() > 0 {
                break;
            }
        }
        if self.duplex.queued() > 0 {
            self.duplex.throttle();
        }
        Poll::Pending
    }
}

impl OnStream {
    /// Passes on what was received, unless something waits; says whether there was anything.
    fn feed(&mut self, context: &mut Context<'_>) -> bool {
        let Some(reader) = self.reader.as_mut().filter(|_| self.duplex.queued() == 0) else { return false };
        match reader.poll_next(context) {
            Poll::Pending => return false,
            Poll::Ready(Some(Ok(Data::Chunk(bytes)))) => self.duplex.receive(bytes),
            Poll::Ready(Some(Ok(Data::Bytes(bytes)))) => {
                let mut block = gannet_block::Block::oversized(bytes.len());
                block.append(&bytes);
                self.duplex.receive(block.share());
            }
            Poll::Ready(end) => {
                self.duplex.end(end.map_or(Ok(()), |end| end.map(drop)));
                self.reader = None;
            }
        }
        true
    }
}

/// What such a conversation sends, as a body.
struct Sent {
    duplex: Rc<dyn Duplex>,
    /// What goes behind what was given last.
    next: Option<Poll<Option<Result<Data, BodyError>>>>,
    clock: Rc<dyn Clock>,
    /// The moment that the alarm is set for.
    due: Option<Duration>,
    alarm: Option<u32>,
}

impl Sent {
    /// Has it asked anew when it wants to be.
    fn set_alarm(&mut self, context: &Context<'_>) {
        let due = self.duplex.due();
        if due != self.due
            && let Some(moment) = due
        {
            self.alarm = Some(self.clock.set_alarm(self.alarm, moment, context.waker()));
        }
        self.due = due;
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if let Some(alarm) = self.alarm {
            self.clock.clear_alarm(alarm);
        }
    }
}

impl Source for Sent {
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        let mut short = Vec::new();
        let next = match self.next.take().filter(Poll::is_ready) {
            Some(next) => next,
            None => self.duplex.poll_send(context, &mut short),
        };
        if !short.is_empty() {
            self.next = Some(next);
            return Poll::Ready(Some(Ok(Frame::Data(short.into()))));
        }
        if next.is_pending() {
            self.set_alarm(context);
        }
        next.map(|sent| sent.map(|sent| sent.map(Frame::Data)))
    }
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgrade")
    }
}
