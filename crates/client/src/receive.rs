//! Receiving by HTTP/1.1: bytes become a response's head for the caller, and its body for whom that passes it to.

use gannet_core::{Body, ReceivedBody, Response, Status, Upgrade, Upgraded, UpstreamError, channel};
use gannet_engine::SocketId;
use gannet_proto::h1::ClientEvent;

use crate::connection::Active;
use crate::head;
use crate::local::{Lent, Local};

/// Parses what has arrived, as far as there is somewhere to put it.
pub(crate) fn read(active: &mut Active, socket: SocketId, local: &mut Local, lent: &mut Lent<'_>) {
    while wants_input(active) && active.exchange.has_window(local, lent) {
        if active.upgraded {
            hand_over(active);
            break;
        }
        let input = active.wire.input.take();
        let text: &[u8] = input.as_deref().unwrap_or_default();
        match active.protocol.handle(text, &mut active.head) {
            Ok(ClientEvent::Need { consumed }) => {
                if !active.wire.needs_more(input, consumed) {
                    break;
                }
            }
            Ok(ClientEvent::Interim { consumed }) => {
                active.exchange.inform(active.head.status, head::fields(&active.head, text));
                active.wire.give_back(input, consumed);
            }
            Ok(ClientEvent::Head { consumed }) => {
                answer(active, text, socket, local, lent);
                active.wire.give_back(input, consumed);
            }
            Ok(ClientEvent::Data { start, end }) => {
                if let (Some(incoming), Some(input)) = (&active.exchange.incoming, &input) {
                    incoming.push(input.slice(start..end));
                }
                active.wire.give_back(input, end);
            }
            Ok(ClientEvent::End { consumed }) => {
                if let Some(incoming) = &active.exchange.incoming {
                    incoming.end(Ok(()), head::trailers(&active.head, text));
                }
                active.wire.give_back(input, consumed);
            }
            Err(error) => active.wire.fail(UpstreamError::Malformed(error.message())),
        }
    }
    // What came before the end may still wait for room.
    if active.wire.peer_ended && active.wire.broken.is_none() && active.exchange.has_window(local, lent) {
        no_more(active);
    }
}

/// Whether there is something to parse; the end of a body that was read is not of bytes.
fn wants_input(active: &Active) -> bool {
    let told = active.wire.input.is_some() || active.protocol.body_remaining() == Some(0);
    active.wire.broken.is_none() && !active.protocol.reading_ended() && told
}

/// The upstream has sent all it will: what that means for what was begun.
fn no_more(active: &mut Active) {
    if active.protocol.reading_ended() {
        return;
    }
    let whole = active.upgraded || active.protocol.ended().is_ok();
    match &active.exchange.incoming {
        Some(incoming) if whole => incoming.end(Ok(()), None),
        _ => active.wire.fail(UpstreamError::Closed),
    }
}

/// In a tunnel bytes are not parsed.
fn hand_over(active: &mut Active) {
    let input = active.wire.input.take();
    let all = input.into_iter().chain(active.wire.behind.drain(..));
    if let Some(incoming) = &active.exchange.incoming {
        all.for_each(|chunk| incoming.push(chunk));
    }
}

/// The response's head is there: its caller gets it, with a body that is received as it is read.
fn answer(active: &mut Active, text: &[u8], socket: SocketId, local: &mut Local, lent: &mut Lent<'_>) {
    let (status, fields) = (active.head.status, head::fields(&active.head, text));
    let incoming = local.take_incoming();
    incoming.begin(Some(lent.wakers.waker(socket.index)));
    incoming.watch();
    let reader = ReceivedBody::new(incoming.clone());
    active.exchange.incoming = Some(incoming);
    let body = match status {
        Status::SWITCHING_PROTOCOLS => {
            let (writer, body) = channel();
            (active.upgraded, active.exchange.body) = (true, Some(body));
            Body::Upgrade(Upgrade::tunnel(Upgraded { reader, writer }))
        }
        _ => Body::Received(reader, head::length(&active.head, active.protocol.method())),
    };
    active.exchange.answer(Response::new(status).with_fields(fields).with_body(body));
}
