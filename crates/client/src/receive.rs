//! Receiving: bytes become a response's head for the caller, and its body for whom that passes it to.

use gannet_core::{
    Body, BodyError, Chunk, Fields, Method, ReceivedBody, Response, Status, Upgrade, Upgraded, UpstreamError,
    channel,
};
use gannet_engine::SocketId;
use gannet_proto::h1::ClientEvent;
use gannet_proto::{ResponseBody, ResponseHead};

use crate::connection::Active;
use crate::local::{Lent, Local};

/// Bytes arrived.
pub(crate) fn arrived(active: &mut Active, plain: Chunk, lent: &Lent<'_>) {
    active.received_any = true;
    active.progress = lent.now();
    match active.input {
        None => active.input = Some(plain),
        Some(_) => active.behind.push_back(plain),
    }
}

/// Parses what has arrived, as far as there is somewhere to put it.
pub(crate) fn read(active: &mut Active, socket: SocketId, local: &mut Local, lent: &mut Lent<'_>) {
    while wants_input(active) && has_window(active, local, lent) {
        if active.upgraded {
            hand_over(active);
            break;
        }
        let input = active.input.take();
        let text: &[u8] = input.as_deref().unwrap_or_default();
        match active.protocol.handle(text, &mut active.head) {
            Ok(ClientEvent::Need { consumed }) => {
                let began = rest(input, consumed);
                let Some(next) = active.behind.pop_front() else {
                    active.input = began;
                    break;
                };
                // What lies across both is read in one piece.
                active.input = Some(match began {
                    None => next,
                    Some(began) => began.followed_by(&next),
                });
            }
            Ok(ClientEvent::Interim { consumed }) => {
                interim(active, text);
                active.input = rest(input, consumed).or_else(|| active.behind.pop_front());
            }
            Ok(ClientEvent::Head { consumed }) => {
                head(active, text, socket, local, lent);
                active.input = rest(input, consumed).or_else(|| active.behind.pop_front());
            }
            Ok(ClientEvent::Data { start, end }) => {
                if let (Some(incoming), Some(input)) = (&active.incoming, &input) {
                    incoming.push(input.slice(start..end));
                }
                active.input = rest(input, end).or_else(|| active.behind.pop_front());
            }
            Ok(ClientEvent::End { consumed }) => {
                if let Some(incoming) = &active.incoming {
                    incoming.end(Ok(()), trailers(&active.head, text));
                }
                active.input = rest(input, consumed).or_else(|| active.behind.pop_front());
            }
            Err(error) => active.fail(UpstreamError::Malformed(error.message())),
        }
    }
    // What came before the end may still wait for room.
    if active.peer_ended && active.broken.is_none() && has_window(active, local, lent) {
        no_more(active);
    }
}

/// Whether there is something to parse; the end of a body that was read is not of bytes.
fn wants_input(active: &Active) -> bool {
    let told = active.input.is_some() || active.protocol.body_remaining() == Some(0);
    active.broken.is_none() && !active.protocol.reading_ended() && told
}

/// The upstream has sent all it will: what that means for what was begun.
fn no_more(active: &mut Active) {
    if active.protocol.reading_ended() {
        return;
    }
    let whole = active.upgraded || active.protocol.ended().is_ok();
    match &active.incoming {
        Some(incoming) if whole => incoming.end(Ok(()), None),
        _ => active.fail(UpstreamError::Closed),
    }
}

/// Whether more of the body may be put where it is read from.
pub(crate) fn has_window(active: &Active, local: &Local, lent: &Lent<'_>) -> bool {
    let Some(incoming) = &active.incoming else { return true };
    let queued = incoming.queued();
    let pool = lent.engine.pool();
    queued == 0 || queued < local.limits.upstream_window_bytes && pool.in_use() < pool.limit() / 2
}

/// In a tunnel bytes are not parsed.
fn hand_over(active: &mut Active) {
    let input = active.input.take();
    let all = input.into_iter().chain(active.behind.drain(..));
    if let Some(incoming) = &active.incoming {
        all.for_each(|chunk| incoming.push(chunk));
    }
}

/// 100 (Continue) asks for the body; others are for whoever asked (RFC 9110, 15.2).
fn interim(active: &mut Active, text: &[u8]) {
    if active.head.status == Status::CONTINUE {
        active.awaits_continue = false;
        return;
    }
    let interims = active.request.as_ref().and_then(|request| request.interims.as_ref());
    if let (Some(interims), Some(call)) = (interims, &active.call) {
        interims.push(active.head.status, fields(&active.head, text));
        call.wake();
    }
}

/// The response's head is there: its caller gets it, with a body that is received as it is read.
fn head(active: &mut Active, text: &[u8], socket: SocketId, local: &mut Local, lent: &mut Lent<'_>) {
    let (status, fields) = (active.head.status, fields(&active.head, text));
    active.awaits_continue = false;
    let incoming = local.take_incoming();
    incoming.begin(Some(lent.wakers.waker(socket.index)));
    incoming.watch();
    let reader = ReceivedBody::new(incoming.clone());
    active.incoming = Some(incoming);
    let body = match active.head.body {
        _ if status == Status::SWITCHING_PROTOCOLS => {
            let (writer, body) = channel();
            (active.upgraded, active.body) = (true, Some(body));
            Body::Upgrade(Upgrade::tunnel(Upgraded { reader, writer }))
        }
        ResponseBody::None if tells_length(active, status) => {
            Body::Received(reader, active.head.content_length)
        }
        ResponseBody::None => Body::Received(reader, Some(0)),
        ResponseBody::Known(length) => Body::Received(reader, Some(length)),
        ResponseBody::Chunked | ResponseBody::UntilClose => Body::Received(reader, None),
    };
    active.request = None;
    if let Some(call) = active.call.take() {
        call.answer(Ok(Response::new(status).with_fields(fields).with_body(body)));
        call.recycle();
    }
}

/// A response without content may say how long it would have been (RFC 9110, 8.6).
fn tells_length(active: &Active, status: Status) -> bool {
    active.protocol.method() == Method::Head || status == Status::NOT_MODIFIED
}

/// What of a head is for others than us: fields of this hop, and those that `Connection` names, are not (RFC 9110, 7.6.1).
fn fields(head: &ResponseHead, text: &[u8]) -> Fields {
    let mut fields = Fields::new();
    let names_fields = head.connection_options(text).any(names_field);
    for field in &head.fields {
        let (name, value) = (field.name.of(text), field.value.of(text));
        let named = || head.connection_options(text).any(|option| option.eq_ignore_ascii_case(name));
        let Some(name) = std::str::from_utf8(name).ok().filter(|_| !names_fields || !named()) else {
            continue;
        };
        fields.forward(name, value);
    }
    if matches!(head.status, Status::SWITCHING_PROTOCOLS | Status::UPGRADE_REQUIRED)
        && let Some(protocol) = head.field(text, "upgrade")
    {
        // What was parsed is sound.
        let _ = fields.append("Upgrade", protocol);
    }
    fields
}

/// Whether a connection option is more than one of the two that most responses have.
fn names_field(option: &[u8]) -> bool {
    !option.eq_ignore_ascii_case(b"keep-alive") && !option.eq_ignore_ascii_case(b"close")
}

fn trailers(head: &ResponseHead, text: &[u8]) -> Option<Fields> {
    if head.fields.is_empty() {
        return None;
    }
    let mut trailers = Fields::new();
    for field in &head.fields {
        trailers.forward(std::str::from_utf8(field.name.of(text)).unwrap_or_default(), field.value.of(text));
    }
    Some(trailers)
}

/// Whoever reads the body is told that it is not whole.
pub(crate) fn cut(active: &mut Active, error: &UpstreamError) {
    let error = match error {
        UpstreamError::Malformed(_) => BodyError::Malformed,
        _ => BodyError::Incomplete,
    };
    if let Some(incoming) = &active.incoming {
        incoming.end(Err(error), None);
    }
}

fn rest(input: Option<Chunk>, consumed: usize) -> Option<Chunk> {
    let mut input = input?;
    input.advance(consumed);
    (!input.is_empty()).then_some(input)
}
