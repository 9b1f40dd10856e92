//! What is between a connection and its conversation: what was received and not read, what is to be sent, and where the closing handshake is.
//!
//! It is small, since conversations last and mostly say nothing: what is needed while something is said is [`Work`], which the worker's conversations use in turns. Here is the
//! handler's end of it; the server's is in [`served`](super::served).

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll};

use gannet_core::Ports;
use gannet_core::ws::{self, CloseFrame, Closing, Kind, Opcode};

use super::state::{State, nanoseconds};
use super::work::{Spare, Work};
use super::{Message, WebSocketError, WebSocketOptions};
use crate::broadcast::{Broadcast, Subscriber};

/// Bytes that may wait to be sent before [`WebSocket::send`](super::WebSocket::send) waits.
pub(super) const WINDOW_BYTES: usize = 64 * 1024;

/// A conversation's line.
pub(super) struct Line {
    pub(super) state: RefCell<State>,
    pub(super) common: Rc<Common>,
}

/// What conversations of the same options have in common, on one worker.
pub(super) struct Common {
    pub(super) ports: Rc<Ports>,
    pub(super) options: Arc<WebSocketOptions>,
    pub(super) spare: Rc<Spare>,
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

impl Line {
    pub(super) fn new(ports: Rc<Ports>, options: Arc<WebSocketOptions>, protocol: Option<u8>) -> Line {
        let now = ports.clock.now();
        let state = State::new(now, &options, protocol);
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

    pub(super) fn close_state(&self, state: &mut State, frame: Option<&CloseFrame>) {
        let Some(closing) = state.closing.send(Opcode::Close).filter(|_| !state.over) else { return };
        state.write(&self.common.spare, |frames| ws::write_close(frame, None, frames));
        state.closing = closing;
        state.due = nanoseconds(self.common.ports.clock.now() + self.common.options.close_timeout);
        state.wake_writers();
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
    pub(super) fn rest(&self, state: &mut State) {
        let is_used = |work: &Work| work.input.is_some() || work.has_output();
        if !state.receiver.in_message()
            && let Some(work) = state.work.take_if(|work| !is_used(work))
        {
            self.common.spare.keep(work);
        }
    }
}
