//! Steps 7 to 10 of a connection that was upgraded: HTTP frames nothing of it any more.
//!
//! What the client sends is handed to the conversation as it is, and what that sends goes out as it is. Conversations last, and mostly say nothing: then nothing is kept here but
//! the conversation itself and its account. A [`Wire`] it has while something comes or goes.

use std::ops::ControlFlow;
use std::rc::Rc;
use std::task::{Context, Poll};

use gannet_core::{Arrival, BodyError, Conversation, Duplex};
use gannet_engine::{Moment, SocketId};

use crate::connection::{Connection, Stage};
use crate::local::Local;
use crate::observe::{Limit, NO_ROUTE, SetAside};
use crate::tls::Tls;
use crate::wire::{Fate, Wire};
use crate::{close, flush, handle, pull};

/// How often a conversation that has woken itself is polled before others have their turn.
const ROUNDS: usize = 2;

/// What is kept of a connection that was upgraded.
pub(crate) struct Conversing {
    /// While something comes or goes.
    wire: Option<Box<Wire>>,
    /// None once it is over.
    conversation: Option<Conversation>,
    /// Where what the client sends is put, and what it is sent taken from.
    duplex: Rc<dyn Duplex>,
    /// Of the exchange that this became; none once it is told.
    account: Option<SetAside>,
    /// Nothing more will be sent.
    sent_all: bool,
    /// Not polled yet: to be polled without having been woken.
    fresh: bool,
    /// It had nothing more to send when it was last asked, and wakes us when it has.
    waits: bool,
    /// Our half is shut down.
    half_closed: bool,
    /// It came by TLS.
    is_secure: bool,
}

impl Conversing {
    /// One that begins.
    pub(crate) fn new(conversation: Conversation, duplex: Rc<dyn Duplex>) -> Conversing {
        Conversing {
            wire: None,
            conversation: Some(conversation),
            duplex,
            account: None,
            sent_all: false,
            fresh: true,
            waits: false,
            half_closed: false,
            is_secure: false,
        }
    }

    /// Takes over what the request came by, and its response goes out by.
    pub(crate) fn take_over(&mut self, of_request: &mut Wire, local: &mut Local) {
        let mut wire = local.take_wire();
        std::mem::swap(&mut *wire, of_request);
        self.account = wire.accounts.set_aside(Vec::new());
        self.is_secure = wire.is_secure;
        self.wire = Some(wire);
    }

    /// Its bytes, both ways. At rest it receives, and nothing else.
    pub(crate) fn wire(&mut self, local: &mut Local) -> &mut Wire {
        let is_secure = self.is_secure;
        self.wire.get_or_insert_with(|| {
            let mut wire = local.take_wire();
            (wire.receiving, wire.is_secure) = (true, is_secure);
            wire
        })
    }

    /// Time has passed: what it sends may have changed by that alone. Gives its wire, if something comes or goes.
    fn all_is_to_be_asked(&mut self) -> Option<&mut Wire> {
        self.waits = false;
        self.busy_wire()
    }

    /// The same, if something comes or goes.
    pub(crate) fn busy_wire(&mut self) -> Option<&mut Wire> {
        self.wire.as_deref_mut()
    }

    fn route(&self) -> u16 {
        self.account.as_ref().map_or(NO_ROUTE, SetAside::route)
    }

    fn fate(&self) -> Fate {
        self.wire.as_ref().map_or(Fate::Serve, |wire| wire.fate)
    }

    /// Whether it finds anything to take on. After something was sent it mostly does not.
    pub(crate) fn has_work(&self, socket: SocketId, local: &Local) -> bool {
        let came = |wire: &Wire| wire.input.is_some() || wire.peer_ended;
        !self.waits || self.wire.as_deref().is_some_and(came) || local.wakers.is_woken(socket.index)
    }

    /// Takes it as far as it goes. What is woken meanwhile is looked at here, and not by the mailbox.
    pub(crate) fn advance(&mut self, socket: SocketId, local: &mut Local) {
        local.route.set(self.route());
        let held = local.wakers.hold(socket.index);
        self.waits = false; // unless it is asked, and says so
        for _ in 0..ROUNDS {
            self.hand_over(local);
            self.poll(socket, local);
            self.no_more();
            self.pull(socket, local);
            if !local.wakers.is_woken(socket.index) && !self.may_hand_over(local) {
                break;
            }
        }
        if self.may_hand_over(local) {
            local.wakers.waker(socket.index).wake(); // others have their turn first
        }
        if held {
            local.wakers.let_go(socket.index);
        }
        if self.conversation.is_none() && self.sent_all {
            let wire = self.wire(local);
            if wire.fate == Fate::Serve {
                wire.fate = Fate::Finish;
            }
            self.tell(false, local);
        }
    }

    /// Whether what has arrived may go to the conversation, which has room again.
    fn may_hand_over(&self, local: &Local) -> bool {
        self.wire.as_ref().is_some_and(|wire| wire.input.is_some()) && self.has_window(local)
    }

    /// Bytes are not parsed: the conversation reads them as they are.
    fn hand_over(&mut self, local: &Local) {
        if self.may_hand_over(local)
            && let Some(input) = self.wire.as_mut().and_then(|wire| wire.input.take())
        {
            self.duplex.receive(input);
        }
    }

    /// Polls the conversation, when it is new or was woken.
    fn poll(&mut self, socket: SocketId, local: &mut Local) {
        let due = local.wakers.take_woken(socket.index) || std::mem::take(&mut self.fresh);
        if !due || self.fate() != Fate::Serve {
            return;
        }
        let Some(conversation) = &mut self.conversation else { return };
        self.waits = false; // it may say something, and wakes nobody for that
        let waker = local.wakers.waker(socket.index);
        let mut context = Context::from_waker(&waker);
        match handle::contained(local, || conversation.as_mut().poll(&mut context)) {
            Ok(Poll::Pending) => {}
            // After a panic what it sends says whether that is an end.
            Ok(Poll::Ready(())) | Err(_) => handle::discard(local, self.conversation.take()),
        }
    }

    /// The peer has sent all it will.
    fn no_more(&mut self) {
        if let Some(wire) = &self.wire
            && wire.peer_ended
            && wire.input.is_none()
        {
            self.duplex.end(if wire.peer_cut_off { Err(BodyError::Incomplete) } else { Ok(()) });
        }
    }

    /// Pulls what the client is sent, until the output is full enough, the conversation waits, or it has ended.
    fn pull(&mut self, socket: SocketId, local: &mut Local) {
        let most = local.limits.output_bytes;
        let is_full = |wire: &Wire| wire.queued() >= most;
        while !self.sent_all && self.fate() == Fate::Serve && !self.wire.as_deref().is_some_and(is_full) {
            if self.pull_piece(socket, local).is_break() {
                return;
            }
        }
    }

    fn pull_piece(&mut self, socket: SocketId, local: &mut Local) -> ControlFlow<()> {
        let waker = local.wakers.waker(socket.index);
        let mut context = Context::from_waker(&waker);
        let waiting = self.wire.as_mut().and_then(|wire| wire.output.take());
        let mut output = waiting.unwrap_or_else(|| local.take_output());
        let before = output.remaining();
        let polled = handle::contained(local, || self.duplex.poll_send(&mut context, output.bytes()));
        self.waits = matches!(polled, Ok(Poll::Pending));
        let flow = match polled.unwrap_or(Poll::Ready(Some(Err(BodyError::Aborted)))) {
            Poll::Ready(Some(Ok(data))) if !data.is_empty() => {
                pull::put(&mut output, data);
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
                self.drop_all(local);
                let sends = output.remaining() > 0;
                let wire = self.wire(local);
                wire.fate = if sends || wire.sending { Fate::Cut } else { Fate::Abort };
                ControlFlow::Break(())
            }
        };
        self.keep(output, before, local);
        flow
    }

    /// Keeps the output, if something is in it, and takes note of how much that has become.
    fn keep(&mut self, output: Box<gannet_engine::Output>, before: u64, local: &mut Local) {
        if output.is_empty() {
            return local.recycle_output(output);
        }
        if let Some(account) = &mut self.account {
            account.sends(usize::try_from(output.remaining() - before).unwrap_or(usize::MAX));
        }
        self.wire(local).output = Some(output);
    }

    /// Whether there is somewhere to put what arrives.
    fn has_window(&self, local: &Local) -> bool {
        let queued = self.duplex.queued();
        queued == 0 || queued < local.limits.body_window_bytes && local.has_shared_blocks()
    }

    /// The session of TLS broke: only its alert can still be sent.
    pub(crate) fn break_off(&mut self, has_alert: bool, local: &mut Local) {
        self.drop_all(local);
        let mut wire = self.wire.take().unwrap_or_else(|| local.take_wire());
        wire.break_off(has_alert, local);
        self.wire = Some(wire);
    }

    fn drop_all(&mut self, local: &Local) {
        self.duplex.end(Err(BodyError::Incomplete));
        handle::discard(local, self.conversation.take());
        self.sent_all = true;
    }

    /// Tells of the exchange, once.
    fn tell(&mut self, broken_off: bool, local: &mut Local) {
        let Some(account) = self.account.take() else { return };
        let mut wire = self.wire.take().unwrap_or_else(|| local.take_wire());
        wire.accounts.carry(account.content());
        let (position, now) = (wire.position(), local.now());
        match broken_off {
            true => wire.accounts.broken_off(account, position, now, &mut local.observer),
            false => wire.accounts.made(account, position, now, &mut local.observer),
        };
        self.wire = Some(wire);
    }

    /// Whoever had a part in it is told.
    pub(crate) fn end(mut self, local: &mut Local) {
        self.drop_all(local);
        self.tell(true, local);
        if let Some(wire) = self.wire {
            local.recycle_wire(wire);
        }
        handle::discard(local, self.duplex);
    }

    /// It may end our half before the client ends its.
    fn half_close(&mut self, tls: Option<&mut Tls>, socket: SocketId, local: &mut Local) {
        if !self.sent_all || self.half_closed {
            return;
        }
        if let Some(tls) = tls.filter(|tls| !tls.is_closed()) {
            tls.close();
            return flush::send(self.wire(local), Some(tls), socket, local); // and when that is sent we are here again
        }
        self.half_closed = true;
        local.engine.shutdown(socket);
    }

    /// Receives while there is somewhere to put it.
    fn credit(&mut self, socket: SocketId, local: &mut Local) {
        let window = self.wire.as_ref().is_none_or(|wire| wire.input.is_none()) && self.has_window(local);
        if !window {
            self.duplex.throttle();
        }
        let (receiving, peer_ended) =
            self.wire.as_ref().map_or((true, false), |wire| (wire.receiving, wire.peer_ended));
        let wanted = !peer_ended && window;
        if wanted == receiving {
            return;
        }
        self.wire(local).receiving = wanted;
        if wanted {
            local.engine.receive(socket);
        } else {
            local.engine.pause(socket);
        }
    }

    /// Gives back what it does not need while nothing comes or goes.
    fn rest(&mut self, local: &mut Local) {
        let rests = |wire: &mut Box<Wire>| {
            wire.receiving && !wire.has_output() && wire.input.is_none() && wire.accounts.is_empty()
        };
        if let Some(wire) = self.wire.take_if(rests) {
            local.recycle_wire(wire);
        }
    }
}

/// Ends the connection, or says what it waits for.
pub(crate) fn settle(connection: &mut Connection, local: &mut Local) {
    let (socket, tls) = (connection.socket, connection.tls.as_deref_mut());
    let Stage::Conversing(conversing) = &mut connection.stage else { return };
    let sent = conversing.wire.as_ref().is_none_or(|wire| !wire.sending && wire.output.is_none());
    match conversing.fate() {
        Fate::Abort => close::now(connection, local),
        Fate::Finish if sent => close::finish(connection, local),
        Fate::Cut if sent => close::now(connection, local),
        _ => {
            if sent {
                conversing.half_close(tls, socket, local);
            }
            conversing.credit(socket, local);
            let write = conversing.wire.as_ref().and_then(|wire| wire.write_deadline);
            let due = conversing.duplex.due().map(|due| Moment::default().after(due));
            let earliest = write.unwrap_or(Moment::NEVER).min(due.unwrap_or(Moment::NEVER));
            local.timers.set(socket.index, earliest);
            conversing.rest(local);
        }
    }
}

/// The connection's timer went off.
pub(crate) fn passed(connection: &mut Connection, local: &mut Local) {
    if let Stage::Conversing(conversing) = &mut connection.stage
        && let Some(wire) = conversing.all_is_to_be_asked()
        && wire.write_deadline.is_some_and(|deadline| deadline <= local.now())
    {
        local.observer.hit(Limit::WRITE_TIMEOUT);
        tracing::debug!("a client that reads nothing is disconnected");
        wire.fate = Fate::Abort;
    }
    connection.advance(local);
}

/// What the request told of its connection nobody asks for any more, unless connections are counted by where they come from.
pub(crate) fn forget_arrival(connection: &mut Connection, local: &mut Local) {
    if !local.admission.counts_addresses() {
        let nothing = local.no_arrival.clone();
        let arrival: Rc<Arrival> = std::mem::replace(&mut connection.facts.arrival, nothing);
        local.recycle_arrival(arrival);
    }
}
