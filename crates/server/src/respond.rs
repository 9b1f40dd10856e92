//! Step 8, respond: a response becomes framed bytes. The head is written here, and with it what is there as a whole; other bodies
//! are [pulled](crate::pull) as the socket takes them.

use std::rc::Rc;

use gannet_core::{Body, Fields, Incoming, Method, Response, Status, Upgrade};
use gannet_engine::SocketId;
use gannet_proto::h1::{Framing, ResponseToSend};

use crate::connection::{Active, Making, Turned};
use crate::conversing::Conversing;
use crate::local::Local;
use crate::wire::Fate;
use crate::{exchange, handle, route};

/// Bodies up to this size are copied behind their head; larger ones are shared. A copy of a page keeps
/// a response one contiguous send; the size was chosen, not measured.
pub(crate) const COPIED_BYTES: usize = 4096;

/// Writes the head, and keeps the body to be pulled.
pub(crate) fn begin(active: &mut Active, response: Response, socket: SocketId, local: &mut Local) {
    let Some(exchange) = &mut active.exchange else { return };
    handle::discard(local, std::mem::replace(&mut exchange.making, Making::Done));
    inform(active, local);
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
        (Framing::Upgrade, _) => active.wire.fate = Fate::Finish,
        (_, body) => {
            if let Some(exchange) = &mut active.exchange {
                exchange.body = Some(body);
            }
        }
    }
}

/// Tells the client what it is to know before its response.
pub(crate) fn inform(active: &mut Active, local: &mut Local) {
    if active.interims.is_empty() {
        return;
    }
    let Active { interims, wire, protocol, .. } = active;
    let output = wire.output(local);
    interims.take(|status, fields| protocol.inform(status, fields.rendered(), output.bytes()));
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
    if switches || active.protocol.body_remaining() != Some(0) || !active.interims.is_empty() {
        return false;
    }
    if local.draining {
        active.protocol.close();
    }
    let output = active.wire.output.get_or_insert_with(|| local.take_output());
    let head = ResponseToSend {
        status,
        fields,
        length: Some(content.len() as u64),
        date: local.date_beside(response.fields()),
    };
    let framing = active.protocol.respond_whole(head, output.bytes());
    let body = active.wire.accounts.position() + output.remaining();
    let sent = if framing == Framing::None { &[][..] } else { content };
    output.bytes().extend_from_slice(sent);
    active.wire.accounts.answered(status, body, body + sent.len() as u64);
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
        active.wire.fate = Fate::Finish;
        return;
    }
    active.wire.accounts.begin_unread(&active.head, text, local.now(), &local.observer);
    active.protocol.close();
    let text = format!("{} {}: {message}\n", status.code(), status.reason());
    let (_, fields, _) = Response::text("").into_parts();
    let framing = write_head(active, status, &fields, Some(text.len() as u64), local);
    if let Framing::Length(_) = framing {
        active.wire.output(local).bytes().extend_from_slice(text.as_bytes());
    }
    active.wire.fate = Fate::Finish;
}

fn write_head(
    active: &mut Active,
    status: Status,
    fields: &Fields,
    length: Option<u64>,
    local: &mut Local,
) -> Framing {
    let output = active.wire.output.get_or_insert_with(|| local.take_output());
    let head = ResponseToSend { status, fields: fields.rendered(), length, date: local.date_beside(fields) };
    let framing = active.protocol.respond(head, output.bytes());
    let position = active.wire.position();
    active.wire.accounts.responded(status, framing == Framing::Upgrade, position);
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
    let waker = local.wakers.waker(socket.index);
    let incoming = || {
        let incoming = Rc::<Incoming>::default();
        incoming.begin(Some(waker));
        incoming
    };
    match handle::contained(local, || upgrade.begin(incoming)) {
        Ok((conversation, duplex)) => {
            let conversing = Conversing::new(conversation, duplex);
            active.turned = Some(Turned::Conversation(Box::new(conversing)));
        }
        Err(_) => active.abort(), // nothing was said yet, not even that the protocol is switched
    }
}
