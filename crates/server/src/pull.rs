//! Step 8, respond, its second half: the body is pulled as the socket takes it, piece by piece, each framed.

use std::fs::File;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use gannet_core::{Body, BodyError, Data, FILE_READ_BYTES, Fields, Frame};
use gannet_engine::{Output, SocketId};
use gannet_proto::h1::Misuse;

use crate::connection::Active;
use crate::file::Piecewise;
use crate::local::Local;
use crate::respond::COPIED_BYTES;
use crate::wire::Fate;
use crate::{fs, handle};

/// Pulls the body until the output is full enough, the body waits, or it has ended.
pub(crate) fn pull(active: &mut Active, socket: SocketId, local: &mut Local) {
    while active.wire.fate == Fate::Serve && active.wire.queued() < local.limits.output_bytes {
        let Some(exchange) = &mut active.exchange else { return };
        let flow = if let Some(file) = exchange.file.take() {
            pull_file(active, file, socket, local)
        } else if let Some(body) = exchange.body.take() {
            pull_body(active, body, socket, local)
        } else {
            return;
        };
        if flow.is_break() {
            return;
        }
    }
}

fn pull_body(active: &mut Active, mut body: Body, socket: SocketId, local: &mut Local) -> ControlFlow<()> {
    let waker = if body.may_wait() { local.wakers.waker(socket.index) } else { Waker::noop().clone() };
    let mut context = Context::from_waker(&waker);
    let poll = match body {
        // Only this is not our own code.
        Body::Stream(_) => handle::contained(local, || body.poll_frame(&mut context))
            .unwrap_or(Poll::Ready(Some(Err(BodyError::Aborted)))),
        _ => body.poll_frame(&mut context),
    };
    pull_frame(active, poll, body, &waker, local)
}

/// Begins a piece that is a range of a file. One that is short and in the kernel's memory is there at once, behind the head: a system call
/// that reads costs less than those that look for the range in memory and send it by itself.
fn begin_file(active: &mut Active, file: Arc<File>, range: Range<u64>, local: &mut Local) -> ControlFlow<()> {
    let length = range.end - range.start;
    begin_piece(active, usize::try_from(length).unwrap_or(usize::MAX), local)?;
    if length <= FILE_READ_BYTES && fs::append_cached(&file, &range, active.wire.output(local).bytes()) {
        end_piece(active, local);
    } else if let Some(exchange) = &mut active.exchange {
        let mapped = local.mapped_sends.maps(length);
        exchange.file = Some(Piecewise::new(file, range, mapped));
    }
    ControlFlow::Continue(())
}

/// Goes on with it, as far as the disk lets it.
fn pull_file(
    active: &mut Active,
    mut file: Piecewise,
    socket: SocketId,
    local: &mut Local,
) -> ControlFlow<()> {
    let flow = file.pull(active, socket, local);
    if file.is_done() {
        end_piece(active, local);
    } else if let Some(exchange) = &mut active.exchange {
        exchange.file = Some(file);
    }
    flow
}

/// What `body` gave when it was polled goes into the output; the body is kept if there is more to come.
fn pull_frame(
    active: &mut Active,
    poll: Poll<Option<Result<Frame, BodyError>>>,
    body: Body,
    waker: &Waker,
    local: &mut Local,
) -> ControlFlow<()> {
    let goes_on = matches!(poll, Poll::Pending | Poll::Ready(Some(Ok(Frame::Data(_) | Frame::File(..)))));
    match &mut active.exchange {
        Some(exchange) if goes_on => exchange.body = Some(body),
        _ => handle::discard(local, body),
    }
    match poll {
        Poll::Ready(Some(Ok(Frame::Data(data)))) => match data.as_slice().len() {
            // Nothing to send, and perhaps nothing again: others have their turn first.
            0 => {
                waker.wake_by_ref();
                ControlFlow::Break(())
            }
            length => piece(active, length, local, |output| put(output, data)),
        },
        Poll::Ready(Some(Ok(Frame::File(_, range)))) if range.is_empty() => {
            waker.wake_by_ref();
            ControlFlow::Break(())
        }
        Poll::Ready(Some(Ok(Frame::File(file, range)))) => begin_file(active, file, range, local),
        Poll::Ready(Some(Ok(Frame::Trailers(trailers)))) => finish(active, &trailers, local),
        Poll::Ready(None) => finish(active, &Fields::new(), local),
        Poll::Pending => ControlFlow::Break(()),
        Poll::Ready(Some(Err(error))) => {
            tracing::debug!(%error, "a response's body failed; its connection is closed");
            active.cut(local);
            ControlFlow::Break(())
        }
    }
}

/// Puts one framed piece into the output.
fn piece(
    active: &mut Active,
    length: usize,
    local: &mut Local,
    put: impl FnOnce(&mut Output),
) -> ControlFlow<()> {
    begin_piece(active, length, local)?;
    put(active.wire.output(local));
    end_piece(active, local);
    ControlFlow::Continue(())
}

/// What frames a piece comes before it,
fn begin_piece(active: &mut Active, length: usize, local: &mut Local) -> ControlFlow<()> {
    let output = active.wire.output.get_or_insert_with(|| local.take_output());
    match active.protocol.push(length, output.bytes()) {
        Ok(()) => ControlFlow::Continue(()),
        Err(misuse) => misused(active, misuse, local),
    }
}

/// and behind it.
fn end_piece(active: &mut Active, local: &mut Local) {
    let output = active.wire.output.get_or_insert_with(|| local.take_output());
    active.protocol.pushed(output.bytes());
}

/// Puts bytes into the output: copied if they are few.
pub(crate) fn put(output: &mut Output, data: Data) {
    match data {
        data if data.as_slice().len() <= COPIED_BYTES => output.bytes().extend_from_slice(data.as_slice()),
        Data::Bytes(bytes) => output.push_shared(bytes),
        Data::Chunk(chunk) => output.push_chunk(chunk),
    }
}

/// The body has ended.
fn finish(active: &mut Active, trailers: &Fields, local: &mut Local) -> ControlFlow<()> {
    let output = active.wire.output.get_or_insert_with(|| local.take_output());
    match active.protocol.finish(trailers.rendered(), output.bytes()) {
        Ok(()) => ControlFlow::Break(()),
        Err(misuse) => misused(active, misuse, local),
    }
}

/// The handler promised another length than it gave: the client can only learn it from the connection's end.
fn misused(active: &mut Active, misuse: Misuse, local: &mut Local) -> ControlFlow<()> {
    tracing::error!(%misuse, "a response could not be completed; its connection is closed");
    active.cut(local);
    ControlFlow::Break(())
}
