//! Step 8, respond: a response becomes framed bytes, pulled as the socket takes them.

use std::fs::File;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::task::{Context, Poll};

use gannet_core::{
    Body, Data, FILE_READ_BYTES, Fields, Frame, Method, RequestBody, Response, Status, Upgrade, Upgraded,
    channel,
};
use gannet_engine::{Output, SocketId};
use gannet_proto::h1::{Framing, Misuse, ResponseHead};

use crate::connection::{Active, Fate, Making};
use crate::file::Piecewise;
use crate::local::Local;
use crate::{exchange, fs, handle, route};

/// Bodies up to this size are copied behind their head; larger ones are shared. A copy of a page keeps
/// a response one contiguous send; the size was chosen, not measured.
const COPIED_BYTES: usize = 4096;

/// Writes the head, and keeps the body to be pulled.
pub(crate) fn begin(active: &mut Active, response: Response, socket: SocketId, local: &mut Local) {
    let Some(exchange) = &mut active.exchange else { return };
    handle::discard(local, std::mem::replace(&mut exchange.making, Making::Done));
    if whole(active, &response, local) {
        return;
    }
    let Some(exchange) = &mut active.exchange else { return };
    let response = sound(response, exchange.offers_upgrade && active.protocol.body_remaining() == Some(0));
    handle::ask_for_body(active, true, local);
    if local.draining || must_close(active, local) {
        active.protocol.close();
    }
    let (status, fields, body) = response.into_parts();
    let Ok(length) = handle::contained(local, || body.length()) else {
        handle::discard(local, body);
        return begin(active, route::error(Status::INTERNAL_SERVER_ERROR), socket, local);
    };
    let framing = write_head(active, status, &fields, length, local);
    active.ends_with_connection = framing == Framing::UntilClose;
    match (framing, body) {
        (Framing::None, _) => {}
        (Framing::Upgrade, Body::Upgrade(upgrade)) => converse(active, upgrade, socket, local),
        // A CONNECT that was answered as if it were another method: what follows is no HTTP.
        (Framing::Upgrade, _) => active.fate = Fate::Finish,
        (_, body) => {
            if let Some(exchange) = &mut active.exchange {
                exchange.body = Some(body);
            }
        }
    }
}

/// Answers with a response that is there as a whole and short, if the request is there as a whole: most are. Head and content are written at
/// once, and both halves have ended. Says whether it was so; else the response is to be begun, and then pulled.
pub(crate) fn whole(active: &mut Active, response: &Response, local: &mut Local) -> bool {
    let content = match response.body() {
        Body::Empty => &[][..],
        Body::Bytes(bytes) if bytes.len() <= COPIED_BYTES => bytes,
        _ => return false,
    };
    let (status, fields) = (response.status(), response.fields().rendered());
    let switches = status.is_informational() || active.protocol.method() == Method::Connect;
    if switches || active.protocol.body_remaining() != Some(0) {
        return false;
    }
    if local.draining {
        active.protocol.close();
    }
    let output = active.output.get_or_insert_with(|| local.take_output());
    let head = ResponseHead { status, fields, length: Some(content.len() as u64), date: local.date() };
    let framing = active.protocol.respond_whole(head, output.bytes());
    let body = active.accounts.position() + output.remaining();
    let sent = if framing == Framing::None { &[][..] } else { content };
    output.bytes().extend_from_slice(sent);
    active.accounts.answered(status, body, body + sent.len() as u64);
    true
}

/// Answers a request that could not be read (`text` is what came of it), unless something else was answered already; and closes.
pub(crate) fn refuse(active: &mut Active, status: Status, message: &str, text: &[u8], local: &mut Local) {
    let (responded, whole) = (active.protocol.responded(), active.protocol.writing_ended());
    if responded && !whole {
        active.cut(local);
        return;
    }
    exchange::drop_exchange(active, local);
    if responded {
        active.fate = Fate::Finish;
        return;
    }
    active.accounts.begin_unread(&active.head, text, local.now(), &local.observer);
    active.protocol.close();
    let text = format!("{} {}: {message}\n", status.code(), status.reason());
    let (_, fields, _) = Response::text("").into_parts();
    let framing = write_head(active, status, &fields, Some(text.len() as u64), local);
    if let Framing::Length(_) = framing {
        active.output(local).bytes().extend_from_slice(text.as_bytes());
    }
    active.fate = Fate::Finish;
}

/// Pulls the body until the output is full enough, the body waits, or it has ended.
pub(crate) fn pull(active: &mut Active, socket: SocketId, local: &mut Local) {
    while active.fate == Fate::Serve && active.queued() < local.limits.output_bytes {
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

fn pull_body(active: &mut Active, body: Body, socket: SocketId, local: &mut Local) -> ControlFlow<()> {
    match body {
        Body::Empty | Body::Upgrade(_) => finish(active, &Fields::new(), local),
        Body::Bytes(bytes) => {
            if !bytes.is_empty() {
                piece(active, bytes.len(), local, |output| put(output, Data::Bytes(bytes)))?;
            }
            finish(active, &Fields::new(), local)
        }
        Body::File(_, range) if range.is_empty() => finish(active, &Fields::new(), local),
        Body::File(file, range) => {
            if let Some(exchange) = &mut active.exchange {
                exchange.body = Some(Body::Empty);
            }
            begin_file(active, file, range, local)
        }
        Body::Stream(source) => pull_stream(active, source, socket, local),
    }
}

/// Begins a piece that is a range of a file. One that is short and in the kernel's memory is there at once, behind the head: a system call
/// that reads costs less than those that look for the range in memory and send it by itself.
fn begin_file(active: &mut Active, file: Arc<File>, range: Range<u64>, local: &mut Local) -> ControlFlow<()> {
    let length = range.end - range.start;
    begin_piece(active, usize::try_from(length).unwrap_or(usize::MAX), local)?;
    if length <= FILE_READ_BYTES && fs::append_cached(&file, &range, active.output(local).bytes()) {
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

fn pull_stream(
    active: &mut Active,
    mut source: std::pin::Pin<Box<dyn gannet_core::Source>>,
    socket: SocketId,
    local: &mut Local,
) -> ControlFlow<()> {
    let waker = local.wakers.waker(socket.index);
    let poll = handle::contained(local, || source.as_mut().poll_frame(&mut Context::from_waker(&waker)));
    let goes_on = matches!(poll, Ok(Poll::Pending | Poll::Ready(Some(Ok(Frame::Data(_) | Frame::File(..))))));
    match &mut active.exchange {
        Some(exchange) if goes_on => exchange.body = Some(Body::Stream(source)),
        _ => handle::discard(local, source),
    }
    match poll {
        Ok(Poll::Ready(Some(Ok(Frame::Data(data))))) => match data.as_slice().len() {
            // Nothing to send, and perhaps nothing again: others have their turn first.
            0 => {
                waker.wake_by_ref();
                ControlFlow::Break(())
            }
            length => piece(active, length, local, |output| put(output, data)),
        },
        Ok(Poll::Ready(Some(Ok(Frame::File(_, range))))) if range.is_empty() => {
            waker.wake_by_ref();
            ControlFlow::Break(())
        }
        Ok(Poll::Ready(Some(Ok(Frame::File(file, range))))) => begin_file(active, file, range, local),
        Ok(Poll::Ready(Some(Ok(Frame::Trailers(trailers))))) => finish(active, &trailers, local),
        Ok(Poll::Ready(None)) => finish(active, &Fields::new(), local),
        Ok(Poll::Pending) => ControlFlow::Break(()),
        Ok(Poll::Ready(Some(Err(error)))) => {
            tracing::debug!(%error, "a response's body failed; its connection is closed");
            active.cut(local);
            ControlFlow::Break(())
        }
        Err(_) => {
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
    put(active.output(local));
    end_piece(active, local);
    ControlFlow::Continue(())
}

/// What frames a piece comes before it, unless the connection is no longer HTTP's,
fn begin_piece(active: &mut Active, length: usize, local: &mut Local) -> ControlFlow<()> {
    let output = active.output.get_or_insert_with(|| local.take_output());
    if active.upgraded {
        return ControlFlow::Continue(());
    }
    match active.protocol.push(length, output.bytes()) {
        Ok(()) => ControlFlow::Continue(()),
        Err(misuse) => misused(active, misuse, local),
    }
}

/// and behind it.
fn end_piece(active: &mut Active, local: &mut Local) {
    let output = active.output.get_or_insert_with(|| local.take_output());
    if !active.upgraded {
        active.protocol.pushed(output.bytes());
    }
}

fn put(output: &mut Output, data: Data) {
    match data {
        data if data.as_slice().len() <= COPIED_BYTES => output.bytes().extend_from_slice(data.as_slice()),
        Data::Bytes(bytes) => output.push_shared(bytes),
        Data::Chunk(chunk) => output.push_chunk(chunk),
    }
}

/// The body has ended.
fn finish(active: &mut Active, trailers: &Fields, local: &mut Local) -> ControlFlow<()> {
    if !active.upgraded {
        let output = active.output.get_or_insert_with(|| local.take_output());
        if let Err(misuse) = active.protocol.finish(trailers.rendered(), output.bytes()) {
            return misused(active, misuse, local);
        }
    }
    ControlFlow::Break(())
}

/// The handler promised another length than it gave: the client can only learn it from the connection's end.
fn misused(active: &mut Active, misuse: Misuse, local: &mut Local) -> ControlFlow<()> {
    tracing::error!(%misuse, "a response could not be completed; its connection is closed");
    active.cut(local);
    ControlFlow::Break(())
}

fn write_head(
    active: &mut Active,
    status: Status,
    fields: &Fields,
    length: Option<u64>,
    local: &mut Local,
) -> Framing {
    let output = active.output.get_or_insert_with(|| local.take_output());
    let head = ResponseHead { status, fields: fields.rendered(), length, date: local.date() };
    let framing = active.protocol.respond(head, output.bytes());
    let position = active.position();
    active.accounts.responded(status, framing == Framing::Upgrade, position);
    framing
}

/// Whether the connection cannot go on after this response: too much of the body is left that nobody will read, or the client
/// waits to be asked for it and will not be.
fn must_close(active: &Active, local: &Local) -> bool {
    let Some(exchange) = &active.exchange else { return false };
    if active.protocol.body_remaining() == Some(0) || active.protocol.reading_ended() {
        return false;
    }
    let left = active.protocol.body_remaining().unwrap_or(0);
    exchange.expects_continue || exchange.incoming.is_abandoned() && left > local.limits.discard_bytes
}

/// The response, or what is said in its place when it cannot be sent.
fn sound(response: Response, may_upgrade: bool) -> Response {
    let upgrades = matches!(response.body(), Body::Upgrade(_));
    let status = response.status();
    if upgrades && !may_upgrade {
        let protocol = response.fields().get("upgrade").unwrap_or_default().to_vec();
        return route::error(Status::UPGRADE_REQUIRED).with("Upgrade", protocol);
    }
    let interim = status.is_informational() && !(upgrades && status == Status::SWITCHING_PROTOCOLS);
    if interim || upgrades && status != Status::SWITCHING_PROTOCOLS {
        tracing::error!(status = status.code(), "a handler answered with a status that is no answer");
        return route::error(Status::INTERNAL_SERVER_ERROR);
    }
    response
}

/// The connection is the conversation's: it reads what the client sends from here on, and what it writes is the body.
fn converse(active: &mut Active, upgrade: Upgrade, socket: SocketId, local: &mut Local) {
    let Some(exchange) = &mut active.exchange else { return };
    let incoming = local.take_incoming();
    incoming.begin(Some(local.wakers.waker(socket.index)));
    local.recycle_incoming(std::mem::replace(&mut exchange.incoming, incoming.clone()));
    let (writer, body) = channel();
    active.upgraded = true;
    match handle::contained(local, || upgrade.start(Upgraded { reader: RequestBody::new(incoming), writer }))
    {
        Ok(conversation) => exchange.making = Making::Conversing(conversation),
        Err(_) => return active.abort(), // nothing was said yet, not even that the protocol is switched
    }
    exchange.fresh = true;
    exchange.body = Some(body);
}
