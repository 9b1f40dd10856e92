//! Sending: a request becomes framed bytes, and its body is pulled as the socket takes it.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use gannet_core::{
    Body, BodyError, BodyLength, Call, Data, Fields, Frame, Method, UpstreamError, UpstreamRequest,
};
use gannet_engine::{Output, SocketId};
use gannet_proto::h1::{Misuse, RequestToSend};

use crate::connection::Active;
use crate::link::{self, Tls};
use crate::local::{Lent, Local};

/// Pieces up to this size are copied behind what is before them, so that they are one contiguous send; larger ones are shared.
const COPIED_BYTES: usize = 4096;

/// Writes the head of a call's request; says whether there was one, and somebody waits for its response.
pub(crate) fn begin(
    active: &mut Active,
    call: Rc<Call>,
    socket: SocketId,
    local: &mut Local,
    lent: &mut Lent<'_>,
) -> bool {
    let closes = local.draining || call.upstream().proxy_protocol.is_some();
    let request = call.take_request(Some(lent.wakers.waker(socket.index)));
    let Some(mut request) = request.filter(|_| !call.is_abandoned()) else {
        active.call = Some(call);
        return false;
    };
    let body = std::mem::take(&mut request.body);
    let framing = framing(&request, &body);
    if request.expects_continue {
        // The request has it already where it is sent once more.
        let _ = request.fields.insert("Expect", "100-continue");
    }
    let output = active.output.get_or_insert_with(|| local.take_output());
    active.protocol.request(head(&request, framing, closes), output.bytes());
    active.awaits_continue = request.expects_continue && framing != BodyLength::None;
    active.body = Some(body);
    (active.call, active.request) = (Some(call), Some(request));
    active.progress = lent.now();
    true
}

/// How the body is framed. Methods that mean something by it say also that there is none (RFC 9110, 8.6).
fn framing(request: &UpstreamRequest, body: &Body) -> BodyLength {
    match body {
        Body::Empty if matches!(request.method(), Method::Post | Method::Put | Method::Patch) => {
            BodyLength::Known(0)
        }
        Body::Empty => BodyLength::None,
        body => body.length().map_or(BodyLength::Chunked, BodyLength::Known),
    }
}

fn head(request: &UpstreamRequest, body: BodyLength, closes: bool) -> RequestToSend<'_> {
    RequestToSend {
        method: request.method(),
        method_text: request.method_text(),
        target: request.target(),
        fields: request.fields.rendered(),
        body,
        upgrade: request.upgrade,
        accepts_trailers: request.accepts_trailers,
        closes,
    }
}

/// Pulls the body until the output is full enough, the body waits, or it has ended.
pub(crate) fn pull(active: &mut Active, socket: SocketId, local: &mut Local, lent: &mut Lent<'_>) {
    while !active.awaits_continue
        && active.broken.is_none()
        && !active.send_broken
        && active.queued() < local.limits.upstream_output_bytes
    {
        let Some(body) = active.body.take() else { return };
        active.output.get_or_insert_with(|| local.take_output());
        if pull_once(active, body, socket, lent).is_break() {
            return;
        }
    }
}

fn pull_once(active: &mut Active, mut body: Body, socket: SocketId, lent: &mut Lent<'_>) -> ControlFlow<()> {
    let waker = if body.may_wait() { lent.wakers.waker(socket.index) } else { Waker::noop().clone() };
    let poll = catch_unwind(AssertUnwindSafe(|| body.poll_frame(&mut Context::from_waker(&waker))));
    let poll = poll.unwrap_or(Poll::Ready(Some(Err(BodyError::Aborted))));
    frame(active, poll, body, &waker)
}

/// What `body` gave when it was polled goes into the output; the body is kept if there is more to come.
fn frame(
    active: &mut Active,
    poll: Poll<Option<Result<Frame, BodyError>>>,
    body: Body,
    waker: &Waker,
) -> ControlFlow<()> {
    // One that ended before anything came of it is as whole as an empty one.
    active.body_begun |= matches!(poll, Poll::Ready(Some(_)));
    match poll {
        Poll::Pending => {
            active.body = Some(body);
            ControlFlow::Break(())
        }
        Poll::Ready(Some(Ok(Frame::Data(data)))) => {
            active.body = Some(body);
            match data.as_slice().len() {
                0 => {
                    waker.wake_by_ref();
                    ControlFlow::Break(())
                }
                length => piece(active, length, |output| put(output, data)),
            }
        }
        Poll::Ready(Some(Ok(Frame::File(file, range)))) => {
            active.body = Some(body);
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
            active.fail(UpstreamError::RequestBody);
            ControlFlow::Break(())
        }
    }
}

/// Puts one framed piece into the output.
fn piece(active: &mut Active, length: usize, put: impl FnOnce(&mut Output)) -> ControlFlow<()> {
    let Some(output) = &mut active.output else { return ControlFlow::Break(()) };
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

fn put(output: &mut Output, data: Data) {
    match data {
        data if data.as_slice().len() <= COPIED_BYTES => output.bytes().extend_from_slice(data.as_slice()),
        Data::Bytes(bytes) => output.push_shared(bytes),
        Data::Chunk(chunk) => output.push_chunk(chunk),
    }
}

/// The body has ended.
fn finish(active: &mut Active, trailers: &Fields) -> ControlFlow<()> {
    let Some(output) = &mut active.output else { return ControlFlow::Break(()) };
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
    active.fail(UpstreamError::RequestBody);
    ControlFlow::Break(())
}

/// Hands the output to the engine, unless it has one: then this one grows meanwhile.
pub(crate) fn flush(
    active: &mut Active,
    tls: &mut Tls,
    socket: SocketId,
    local: &mut Local,
    lent: &mut Lent<'_>,
) {
    if active.sending || active.broken.is_some() {
        return;
    }
    match active.output.take() {
        Some(output) if output.is_empty() || active.send_broken => local.recycle_output(output),
        Some(output) => {
            active.sending = true;
            match link::send(tls, socket, output, local, lent) {
                Ok(rest) => active.output = rest,
                Err(error) => active.fail(error),
            }
        }
        None => {}
    }
}
