//! Steps 7 to 10 of a connection that was upgraded: HTTP frames nothing of it any more.
//!
//! What the client sends is handed to the conversation as it is, and what that sends goes out as it is. Conversations last, and mostly say nothing: so
//! nothing is kept here that only HTTP needs.

use std::ops::ControlFlow;
use std::rc::Rc;
use std::task::{Context, Poll};

use gannet_core::{BodyError, Conversation, Duplex};
use gannet_engine::{Moment, SocketId};

use crate::connection::{Connection, Stage};
use crate::local::Local;
use crate::observe::Limit;
use crate::tls::Tls;
use crate::wire::{Fate, Wire};
use crate::{close, flush, handle, pull};

/// How often a conversation that has woken itself is polled before others have their turn.
const ROUNDS: usize = 2;

/// What is kept of a connection that was upgraded.
pub(crate) struct Conversing {
    pub(crate) wire: Wire,
    /// None once it is over.
    conversation: Option<Conversation>,
    /// Where what the client sends is put, and what it is sent taken from.
    duplex: Rc<dyn Duplex>,
    /// Nothing more will be sent.
    sent_all: bool,
    /// Not polled yet: to be polled without having been woken.
    fresh: bool,
    /// Our half is shut down.
    half_closed: bool,
}

impl Conversing {
    /// One that begins; its wire is that of the request.
    pub(crate) fn new(conversation: Conversation, duplex: Rc<dyn Duplex>) -> Conversing {
        Conversing {
            wire: Wire::default(),
            conversation: Some(conversation),
            duplex,
            sent_all: false,
            fresh: true,
            half_closed: false,
        }
    }

    /// Takes it as far as it goes. What is woken meanwhile is looked at here, and not by the mailbox.
    pub(crate) fn advance(&mut self, socket: SocketId, local: &mut Local) {
        local.route.set(self.wire.accounts.route());
        let held = local.wakers.hold(socket.index);
        for _ in 0..ROUNDS {
            self.hand_over(local);
            self.poll(socket, local);
            self.no_more();
            self.pull(socket, local);
            if !local.wakers.is_woken(socket.index) {
                break;
            }
        }
        if held {
            local.wakers.let_go(socket.index);
        }
        if self.is_over() {
            let position = self.wire.position();
            self.wire.accounts.written(position);
            if self.wire.fate == Fate::Serve {
                self.wire.fate = Fate::Finish;
            }
        }
    }

    /// Bytes are not parsed: the conversation reads them as they are.
    fn hand_over(&mut self, local: &Local) {
        if self.has_window(local)
            && let Some(input) = self.wire.input.take()
        {
            self.duplex.receive(input);
        }
    }

    /// Polls the conversation, when it is new or was woken.
    fn poll(&mut self, socket: SocketId, local: &mut Local) {
        let due = local.wakers.take_woken(socket.index) || std::mem::take(&mut self.fresh);
        if !due || self.wire.fate != Fate::Serve {
            return;
        }
        let Some(conversation) = &mut self.conversation else { return };
        let waker = local.wakers.waker(socket.index);
        let mut context = Context::from_waker(&waker);
        match handle::contained(local, || conversation.as_mut().poll(&mut context)) {
            Ok(Poll::Ready(())) => handle::discard(local, self.conversation.take()),
            Ok(Poll::Pending) => {}
            // What it sends says whether that is an end.
            Err(_) => handle::discard(local, self.conversation.take()),
        }
    }

    /// The peer has sent all it will.
    fn no_more(&mut self) {
        if self.wire.peer_ended && self.wire.input.is_none() {
            let end = if self.wire.peer_cut_off { Err(BodyError::Incomplete) } else { Ok(()) };
            self.duplex.end(end);
        }
    }

    /// Pulls what the client is sent, until the output is full enough, the body waits, or it has ended.
    fn pull(&mut self, socket: SocketId, local: &mut Local) {
        while self.wire.fate == Fate::Serve && self.wire.queued() < local.limits.output_bytes {
            if self.pull_frame(socket, local).is_break() {
                return;
            }
        }
    }

    fn pull_frame(&mut self, socket: SocketId, local: &mut Local) -> ControlFlow<()> {
        if self.sent_all {
            return ControlFlow::Break(());
        }
        let waker = local.wakers.waker(socket.index);
        let mut context = Context::from_waker(&waker);
        let polled = handle::contained(local, || self.duplex.poll_send(&mut context));
        match polled.unwrap_or(Poll::Ready(Some(Err(BodyError::Aborted)))) {
            Poll::Ready(Some(Ok(data))) if !data.is_empty() => {
                pull::put(self.wire.output(local), data);
                ControlFlow::Continue(())
            }
            Poll::Ready(Some(Ok(_))) => {
                // Nothing to send, and perhaps nothing again: others have their turn first.
                waker.wake();
                ControlFlow::Break(())
            }
            Poll::Ready(None) => {
                self.sent_all = true;
                ControlFlow::Break(())
            }
            Poll::Pending => ControlFlow::Break(()),
            Poll::Ready(Some(Err(error))) => {
                tracing::debug!(%error, "what a conversation sends broke off; its connection is closed");
                self.cut(local);
                ControlFlow::Break(())
            }
        }
    }

    /// Whether there is somewhere to put what arrives.
    fn has_window(&self, local: &Local) -> bool {
        let queued = self.duplex.queued();
        queued == 0 || queued < local.limits.body_window_bytes && local.has_shared_blocks()
    }

    fn is_over(&self) -> bool {
        self.conversation.is_none() && self.sent_all
    }

    /// It ends here, unfinished, and the connection with it. What was sent before still goes out.
    fn cut(&mut self, local: &mut Local) {
        self.drop_all(local);
        self.wire.fate = if self.wire.has_output() { Fate::Cut } else { Fate::Abort };
    }

    /// The session of TLS broke: only its alert can still be sent.
    pub(crate) fn break_off(&mut self, has_alert: bool, local: &mut Local) {
        self.drop_all(local);
        self.wire.break_off(has_alert, local);
    }

    fn drop_all(&mut self, local: &Local) {
        self.duplex.end(Err(BodyError::Incomplete));
        handle::discard(local, self.conversation.take());
        self.sent_all = true;
    }

    /// Whoever had a part in it is told.
    pub(crate) fn end(mut self, local: &mut Local) {
        self.drop_all(local);
        self.wire.reset(local);
        handle::discard(local, self.duplex);
    }

    /// It may end our half before the client ends its.
    fn half_close(&mut self, tls: Option<&mut Tls>, socket: SocketId, sent: bool, local: &mut Local) {
        if !self.sent_all || !sent {
            return;
        }
        if let Some(tls) = tls.filter(|tls| !tls.is_closed()) {
            tls.close();
            return flush::send(&mut self.wire, Some(tls), socket, local); // and when that is sent we are here again
        }
        if !self.half_closed {
            self.half_closed = true;
            local.engine.shutdown(socket);
        }
    }

    /// Receives while there is somewhere to put it.
    fn credit(&mut self, socket: SocketId, local: &mut Local) {
        let window = self.wire.input.is_none() && self.has_window(local);
        if !window {
            self.duplex.throttle();
        }
        let wanted = !self.wire.peer_ended && window;
        if wanted == self.wire.receiving {
            return;
        }
        self.wire.receiving = wanted;
        if wanted {
            local.engine.receive(socket);
        } else {
            local.engine.pause(socket);
        }
    }
}

/// Ends the connection, or says what it waits for.
pub(crate) fn settle(connection: &mut Connection, local: &mut Local) {
    let (socket, tls) = (connection.socket, connection.tls.as_deref_mut());
    let Stage::Conversing(conversing) = &mut connection.stage else { return };
    let sent = !conversing.wire.sending && conversing.wire.output.is_none();
    match conversing.wire.fate {
        Fate::Abort => close::now(connection, local),
        Fate::Finish if sent => close::finish(connection, local),
        Fate::Cut if sent => close::now(connection, local),
        _ => {
            conversing.half_close(tls, socket, sent, local);
            conversing.credit(socket, local);
            local.timers.set(socket.index, conversing.wire.write_deadline.unwrap_or(Moment::NEVER));
        }
    }
}

/// The connection's timer went off.
pub(crate) fn passed(connection: &mut Connection, local: &mut Local) {
    if let Stage::Conversing(conversing) = &mut connection.stage
        && conversing.wire.write_deadline.is_some_and(|deadline| deadline <= local.now())
    {
        local.observer.hit(Limit::WRITE_TIMEOUT);
        tracing::debug!("a client that reads nothing is disconnected");
        conversing.wire.fate = Fate::Abort;
    }
    connection.advance(local);
}
