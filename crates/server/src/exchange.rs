//! Step 5, exchange: a head becomes a request, with a place for its body to arrive.

use std::rc::Rc;

use gannet_core::{Chunk, Handler, Incoming, Interims, ReceivedBody, Reply, Request, RequestHead};
use gannet_engine::SocketId;
use gannet_proto::BodyLength;

use crate::connection::{Active, Exchange, Facts, Making};
use crate::local::Local;
use crate::observe::NO_ROUTE;
use crate::wire::Fate;
use crate::{deadline, handle, respond, route};

/// Begins the exchange that `active.head`, of bytes `text`, asks for.
pub(crate) fn begin(active: &mut Active, text: Chunk, socket: SocketId, facts: &Facts, local: &mut Local) {
    active.wire.accounts.begin(&active.head, &text, local.now(), &local.observer);
    let spare = local.heads.take();
    let head = std::mem::replace(&mut active.head, spare);
    (active.in_head, active.head_deadline) = (false, None);
    let has_body = !matches!(head.body, BodyLength::None | BodyLength::Known(0));
    let incoming = if has_body { local.take_incoming() } else { local.no_body.clone() };
    if has_body {
        incoming.begin(Some(local.wakers.waker(socket.index)));
        active.body_deadline = Some(deadline::first_of_body(local));
    }
    let (expects_continue, offers_upgrade) = (head.expects_continue, head.upgrade);
    let head = RequestHead::new(head, text, local.heads.clone());
    active.interims.renew();
    active.discarded = 0;
    let (reply, route) = answer(head, incoming.clone(), active.interims.clone(), facts, local);
    active.wire.accounts.routed(route);
    if reply.as_ready().is_some_and(|response| respond::whole(active, response, local)) {
        return go_on(active);
    }
    let making = Making::Waiting(reply);
    let exchange =
        Exchange { incoming, expects_continue, offers_upgrade, making, fresh: true, body: None, file: None };
    active.exchange = Some(exchange);
}

/// A head becomes a request, which is answered, now or later; and the number of the route that it took.
#[inline(always)]
pub(crate) fn answer(
    head: RequestHead,
    incoming: Rc<Incoming>,
    interims: Interims,
    facts: &Facts,
    local: &mut Local,
) -> (Reply, u16) {
    let (body, arrival) = (ReceivedBody::new(incoming), facts.arrival.clone());
    let request = Request::new(head, body, local.ports.clone(), interims, arrival);
    match &facts.aside {
        None => route::answer(request, local),
        Some(handler) => (answer_aside(&**handler, request, local), NO_ROUTE),
    }
}

/// Few listeners have a handler of their own.
#[cold]
fn answer_aside(handler: &dyn Handler, request: Request, local: &Local) -> Reply {
    handle::answer(handler, request, local)
}

/// When both halves have ended, makes room for the next exchange and says whether to look for one.
pub(crate) fn next(active: &mut Active, local: &mut Local) -> bool {
    if active.exchange.is_none() || active.wire.fate != Fate::Serve || !active.protocol.writing_ended() {
        return false;
    }
    if active.protocol.keep_alive() && !active.protocol.reading_ended() {
        return false;
    }
    drop_exchange(active, local);
    go_on(active);
    active.wire.fate == Fate::Serve && active.wire.input.is_some()
}

/// An exchange is over: another may follow, or else the connection ends.
fn go_on(active: &mut Active) {
    if active.protocol.keep_alive() {
        active.protocol.next();
    } else {
        active.wire.fate = Fate::Finish;
    }
}

/// Ends an exchange, whatever its state: the handler's future is dropped, and with it what it holds.
pub(crate) fn drop_exchange(active: &mut Active, local: &mut Local) {
    let Some(Exchange { incoming, making, body, .. }) = active.exchange.take() else { return };
    handle::discard(local, making);
    handle::discard(local, body);
    active.body_deadline = None;
    local.recycle_incoming(incoming);
}
