//! Sending by HTTP/1.1: a request becomes framed bytes, and its body is pulled as the socket takes it.

use std::ops::ControlFlow;
use std::rc::Rc;
use std::task::{Poll, Waker};

use gannet_core::{
    Body, BodyError, BodyLength, Call, Fields, Frame, UpgradeOffer, UpstreamError, UpstreamRequest,
};
use gannet_engine::{Output, SocketId};
use gannet_proto::h1::{Misuse, RequestToSend};

use crate::connection::Active;
use crate::exchange::put;
use crate::local::{Lent, Local};

/// Writes the head of a call's request; says whether there was one, and somebody waits for its response.
pub(crate) fn begin(
    active: &mut Active,
    call: &Rc<Call>,
    socket: SocketId,
    local: &mut Local,
    lent: &mut Lent<'_>,
) -> bool {
    let closes = local.draining || call.upstream().proxy_protocol.is_some();
    let Some((request, framing)) = active.exchange.begin(call.clone()) else { return false };
    call.watch(lent.wakers.waker(socket.index));
    let output = active.wire.output.get_or_insert_with(|| local.take_output());
    active.protocol.request(head(request, framing, closes), output.bytes());
    active.wire.progress = lent.now();
    true
}

fn head(request: &UpstreamRequest, body: BodyLength, closes: bool) -> RequestToSend<'_> {
    RequestToSend {
        method: request.method(),
        method_text: request.method_text(),
        target: request.target(),
        fields: request.fields.rendered(),
        body,
        upgrade: request.upgrade != UpgradeOffer::None,
        accepts_trailers: request.accepts_trailers,
        closes,
    }
}

/// Pulls the body until the output is full enough, the body waits, or it has ended.
pub(crate) fn pull(active: &mut Active, socket: SocketId, local: &mut Local, lent: &mut Lent<'_>) {
    while !active.exchange.awaits_continue
        && active.wire.broken.is_none()
        && !active.wire.send_broken
        && active.wire.queued() < local.limits.upstream_output_bytes
    {
        let Some(body) = active.exchange.body.take() else { return };
        active.wire.output(local);
        if pull_once(active, body, socket, lent).is_break() {
            return;
        }
    }
}

fn pull_once(active: &mut Active, mut body: Body, socket: SocketId, lent: &mut Lent<'_>) -> ControlFlow<()> {
    let waker = if body.may_wait() { lent.wakers.waker(socket.index) } else { Waker::noop().clone() };
    let poll = active.exchange.poll(&mut body, &waker);
    frame(active, poll, body, &waker)
}

/// What `body` gave when it was polled goes into the output; the body is kept if there is more to come.
fn frame(
    active: &mut Active,
    poll: Poll<Option<Result<Frame, BodyError>>>,
    body: Body,
    waker: &Waker,
) -> ControlFlow<()> {
    match poll {
        Poll::Pending => {
            active.exchange.body = Some(body);
            ControlFlow::Break(())
        }
        Poll::Ready(Some(Ok(Frame::Data(data)))) => {
            active.exchange.body = Some(body);
            match data.as_slice().len() {
                0 => {
                    waker.wake_by_ref();
                    ControlFlow::Break(())
                }
                length => piece(active, length, |output| put(output, data)),
            }
        }
        Poll::Ready(Some(Ok(Frame::File(file, range)))) => {
            active.exchange.body = Some(body);
            match usize::try_from(range.end.saturating_sub(range.start)) {
                Ok(length @ 1..) => piece(active, length, |output| output.push_file(file, range)),
                _ => {
                    waker.wake_by_ref();
                    ControlFlow::Break(())
                }
            }
        }
        Poll::Ready(Some(Ok(Frame::Trailers(trailers)))) => finish(active, &trailers),
        Poll::Ready(None) => finish(active, &Fields::new()),
        Poll::Ready(Some(Err(_))) => {
            active.wire.fail(UpstreamError::RequestBody);
            ControlFlow::Break(())
        }
    }
}

/// Puts one framed piece into the output.
fn piece(active: &mut Active, length: usize, put: impl FnOnce(&mut Output)) -> ControlFlow<()> {
    let Some(output) = &mut active.wire.output else { return ControlFlow::Break(()) };
    if active.upgraded {
        put(output);
        return ControlFlow::Continue(());
    }
    if let Err(misuse) = active.protocol.push(length, output.bytes()) {
        return misused(active, misuse);
    }
    put(output);
    active.protocol.pushed(output.bytes());
    ControlFlow::Continue(())
}

/// The body has ended.
fn finish(active: &mut Active, trailers: &Fields) -> ControlFlow<()> {
    let Some(output) = &mut active.wire.output else { return ControlFlow::Break(()) };
    if !active.upgraded
        && let Err(misuse) = active.protocol.finish(trailers.rendered(), output.bytes())
    {
        return misused(active, misuse);
    }
    ControlFlow::Break(())
}

/// The body is not as long as was said: the upstream can only learn it from the connection's end.
fn misused(active: &mut Active, misuse: Misuse) -> ControlFlow<()> {
    tracing::error!(%misuse, "a request to an upstream could not be completed; its connection is closed");
    active.wire.fail(UpstreamError::RequestBody);
    ControlFlow::Break(())
}
