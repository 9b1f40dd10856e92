//! Step 7, handle: a request becomes a response, now or later.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use gannet_core::{Handler, Reply, Request, Response, Status};
use gannet_engine::SocketId;

use crate::connection::{Active, Making};
use crate::local::Local;
use crate::wire::Fate;
use crate::{deadline, respond, route};

/// Polls what makes the response, when it is new or was woken.
pub(crate) fn poll(active: &mut Active, socket: SocketId, local: &mut Local) {
    let Some(exchange) = &mut active.exchange else { return };
    let fresh = std::mem::take(&mut exchange.fresh);
    let due = local.wakers.take_woken(socket.index) || fresh;
    if !due || active.wire.fate != Fate::Serve {
        return;
    }
    if let Making::Waiting(reply) = &mut exchange.making
        && let Some(response) = reply.take_ready()
    {
        respond::begin(active, response, socket, local);
        return;
    }
    let waker = local.wakers.waker(socket.index);
    let mut context = Context::from_waker(&waker);
    match &mut exchange.making {
        Making::Waiting(reply) => match contained(local, || Pin::new(reply).poll(&mut context)) {
            Ok(Poll::Ready(response)) => respond::begin(active, response, socket, local),
            Ok(Poll::Pending) => {
                ask_for_body(active, false, local);
                respond::inform(active, local);
            }
            Err(response) => respond::begin(active, response, socket, local),
        },
        Making::Done => {}
    }
}

/// Asks for a body that the client only sends when asked (RFC 9110, 10.1.1), if the handler is reading it, or still may while its
/// response is sent: after the response's head it is too late to ask.
pub(crate) fn ask_for_body(active: &mut Active, responding: bool, local: &mut Local) {
    let Some(exchange) = &mut active.exchange else { return };
    let wanted = exchange.incoming.is_wanted() || responding;
    if exchange.expects_continue && wanted && !exchange.incoming.is_abandoned() {
        exchange.expects_continue = false;
        active.body_deadline = Some(deadline::first_of_body(local));
        let output = active.wire.output.get_or_insert_with(|| local.take_output());
        active.protocol.inform(Status::CONTINUE, b"", output.bytes());
    }
}

/// What a handler replies. One that panics answers 500 and harms nobody: what it held is dropped with it.
#[inline(always)]
pub(crate) fn answer(handler: &dyn Handler, request: Request, local: &Local) -> Reply {
    contained(local, || handler.handle(request)).unwrap_or_else(Reply::ready)
}

/// Runs a piece of a handler; a panic becomes a response.
#[inline(always)]
pub(crate) fn contained<T>(local: &Local, run: impl FnOnce() -> T) -> Result<T, Response> {
    local.pulse.enter(local.route.get());
    let ran = catch_unwind(AssertUnwindSafe(run));
    local.pulse.leave();
    ran.map_err(|panic| {
        local.observer.counters.panics.add(1);
        panicked(&*panic, local)
    })
}

/// Drops what belongs to a handler: that, too, may panic.
pub(crate) fn discard<T>(local: &Local, held: T) {
    let _ = contained(local, || drop(held)); // it was logged, and nobody is left to be answered
}

/// What is answered for a handler that panicked. What it said goes to the log, not to the client.
#[cold]
fn panicked(panic: &(dyn Any + Send), local: &Local) -> Response {
    let message =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let route = local.site.route_name(local.route.get());
    tracing::error!(route, "a handler panicked: {}", message.unwrap_or("(no message)"));
    route::error(Status::INTERNAL_SERVER_ERROR)
}
